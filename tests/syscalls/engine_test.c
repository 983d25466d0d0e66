/* SPDX-License-Identifier: MIT */
/*
 * Both engines record what this program does when it is COMMAND: each kind of part makes a call of
 * its own, which no library makes by itself, as often as is written here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscalls/acted.h"
#include "syscalls/engine.h"
#include "syscalls/keeper.h"

#define TEXT_MAX (1 << 18)

static void repeat(long nr, long argument, int times)
{
	for (int i = 0; i < times; i++)
		syscall(nr, argument, 0L, 0L);
}

static void *run_thread(void *ctx)
{
	repeat(SYS_getpriority, 0, 3);
	return ctx;
}

static void act_tree(void)
{
	char *const argv[] = { (char *)"engine_test", (char *)"act", (char *)"exec", NULL };
	pthread_t thread;
	pid_t pid;

	repeat(SYS_getppid, 0, 7);
	pid = fork();
	if (pid == 0) {
		repeat(SYS_getpgid, 0, 5);
		leave(0);
	}
	if (waitpid(pid, NULL, 0) != pid || pthread_create(&thread, NULL, run_thread, NULL) ||
	    pthread_join(thread, NULL))
		leave(1);
	execv("/proc/self/exe", argv);
	leave(1);
}

static void act_exec(void)
{
	repeat(SYS_sched_getscheduler, 0, 2);
	repeat(SYS_sched_getscheduler, -1, 4);
	leave(3);
}

static void on_usr1(int number)
{
	(void)number;
	repeat(SYS_sched_getscheduler, 0, 6);
}

static void act_phases(void)
{
	repeat(SYS_getppid, 0, 2);
	begin_work();
	repeat(SYS_getppid, 0, 3);
	repeat(SYS_getsid, 0, 4);
	signal(SIGUSR1, on_usr1);
	syscall(SYS_kill, getpid(), SIGUSR1);
	leave(0);
}

/* Listens, and waits for somebody who never comes. */
static void act_serve(void)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	repeat(SYS_getppid, 0, 2);
	if (fd < 0 || bind(fd, (const void *)&any, sizeof(any.sun_family)) || listen(fd, 1))
		leave(1);
	for (;;)
		accept(fd, NULL, NULL);
}

static int act(const char *name)
{
	if (strcmp(name, "tree") == 0)
		act_tree();
	if (strcmp(name, "exec") == 0)
		act_exec();
	if (strcmp(name, "phases") == 0)
		act_phases();
	if (strcmp(name, "serve") == 0)
		act_serve();
	return 1;
}

static char self[PATH_MAX];

/* What a run is to be like. */
struct wish {
	const char *act;	   /* NULL: a program that does not exist */
	const char *phases[3];	   /* points */
	bool is_live;		   /* calls are told */
	bool wants_ready;	   /* it is told to end when it is ready */
	enum engine_will when_run; /* what becomes of it once it has made a call, with is_live */
};

/* What came of it, in memory that is shared. */
struct outcome {
	int err;
	int32_t status;
	bool is_complete;
	uint64_t lost, nr_live, nr_exits, nr_ready;
	pid_t root, first_live;
	int errors_live;
	bool is_told;
	uint64_t hits[3];
	size_t size;
	char text[TEXT_MAX];
};

static struct outcome *outcome;
static const struct wish *wished;

static void on_live(void *ctx, const struct engine_call *call)
{
	(void)ctx;
	outcome->nr_live++;
	if (!outcome->first_live)
		outcome->first_live = call->pid;
	if (!call->has_result)
		outcome->nr_exits++;
	if (call->nr == SYS_sched_getscheduler && call->has_result && call->result == -EINVAL)
		outcome->errors_live++;
}

static void on_ready(void *ctx, pid_t root)
{
	(void)ctx;
	outcome->nr_ready++;
	outcome->root = root;
}

static enum engine_will should_stop(void *ctx)
{
	(void)ctx;
	if (wished->wants_ready && outcome->nr_ready && !outcome->is_told) {
		outcome->is_told = true;
		return ENGINE_TELL;
	}
	return outcome->nr_live ? wished->when_run : ENGINE_GO_ON;
}

static void add_phases(struct recording *recording, struct points *points)
{
	char what[POINT_WHAT_SIZE];

	for (size_t i = 0; i < 3 && wished->phases[i]; i++)
		if (points_add(points, wished->phases[i], self, what) ||
		    recording_add_phase(recording, wished->phases[i]) < 0)
			leave(1);
}

static int write_nothing(void *ctx, const char *bytes, size_t size)
{
	(void)ctx;
	(void)bytes;
	(void)size;
	return 0;
}

/* In a process of its own: an engine may give up its rights. */
static void __attribute__((noreturn)) record_main(const struct engine *engine)
{
	char *missing[] = { (char *)"/nonexistent/program", NULL };
	char *acting[] = { self, (char *)"act", (char *)(uintptr_t)wished->act, NULL };
	char **command = wished->act ? acting : missing;
	const struct keeper_config keeping = { .programs = { [KEEPER_COMMAND] = command },
					       .write = write_nothing };
	struct recording_run run = { .id = "00000000000000000000000000000001" };
	struct points points = { .nr = 0 };
	struct keeper keeper;
	struct engine_config config = {
		.command = command,
		.program = self,
		.points = &points,
		.kills_at_exit = true,
		.live = wished->is_live ? on_live : NULL,
		.ready = wished->wants_ready ? on_ready : NULL,
		.should_stop = should_stop,
		.keeper = &keeper,
	};
	struct recording *recording;
	char *text;

	/* What crashes here is not to go on as the next test. */
	signal(SIGSEGV, SIG_DFL);
	if (keeper_start(&keeper, &keeping) || recording_new(&recording))
		leave(1);
	add_phases(recording, &points);
	outcome->err = engine->run(&config, recording, &run);
	outcome->status = run.status;
	outcome->is_complete = run.is_complete;
	outcome->lost = run.lost;
	for (size_t i = 1; i < recording->nr_phases; i++)
		outcome->hits[i - 1] = recording->phases[i].nr_hits;
	recording->engine = engine->name;
	recording->exe = self;
	if (recording_add_run(recording, &run, recording) ||
	    recording_render(recording, &text, &outcome->size) || outcome->size > TEXT_MAX)
		leave(2);
	memcpy(outcome->text, text, outcome->size);
	keeper_stop(&keeper);
	leave(0);
}

/* What ENGINE records. NULL, the test being skipped, where it does not work. */
static struct recording *record(const struct engine *engine, const struct wish *wish)
{
	struct recording *recording;
	const char *what;
	int status;
	pid_t pid;
	int err = engine->probe();

	if (err) {
		print_message("the engine '%s' does not work here: %s\n", engine->name,
			      strerror(-err));
		skip();
		return NULL;
	}
	memset(outcome, 0, sizeof(*outcome));
	wished = wish;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		record_main(engine);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(recording_parse(outcome->text, outcome->size, &recording, &what), 0);
	return recording;
}

/* How often the parts of PHASE that were started so have called NR; *RET_ERRORS: in vain. */
static uint64_t count(const struct recording *recording, enum node_start start, uint32_t phase,
		      uint32_t nr, uint64_t *ret_errors)
{
	uint64_t sum = 0, errors = 0;

	for (size_t i = 0; i < recording->nr_nodes; i++) {
		const struct recording_node *node = &recording->nodes[i];

		if (node->start != start || node->phase != phase)
			continue;
		assert_string_equal(node->exe, self);
		for (size_t j = 0; j < node->nr_calls; j++)
			if (node->calls[j].nr == nr) {
				sum += node->calls[j].count;
				errors += node->calls[j].errors;
			}
	}
	if (ret_errors)
		*ret_errors = errors;
	return sum;
}

static uint64_t count_all(const struct recording *recording)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < recording->nr_nodes; i++)
		for (size_t j = 0; j < recording->nodes[i].nr_calls; j++)
			sum += recording->nodes[i].calls[j].count;
	return sum;
}

static void check_all_parts_are_counted(const struct engine *engine)
{
	const struct wish wish = { .act = "tree", .is_live = true };
	struct recording *recording = record(engine, &wish);
	uint64_t errors;

	if (!recording)
		return;
	assert_int_equal(outcome->err, 0);
	assert_int_equal(outcome->status, 3);
	assert_true(outcome->is_complete);
	assert_int_equal(outcome->lost, 0);
	assert_int_equal(count(recording, NODE_START_command, 0, SYS_getppid, &errors), 7);
	assert_int_equal(errors, 0);
	assert_int_equal(count(recording, NODE_START_fork, 0, SYS_getpgid, NULL), 5);
	assert_int_equal(count(recording, NODE_START_thread, 0, SYS_getpriority, NULL), 3);
	assert_int_equal(count(recording, NODE_START_exec, 0, SYS_sched_getscheduler, &errors), 6);
	assert_int_equal(errors, 4);
	/* Each call has been told, and each of the three that end a thread without a result. */
	assert_int_equal(outcome->nr_live, count_all(recording));
	assert_int_equal(outcome->nr_exits, 3);
	assert_int_equal(outcome->errors_live, 4);
	recording_free(recording);
}

static void check_phases_begin_at_their_points(const struct engine *engine)
{
	const struct wish wish = { .act = "phases",
				   .phases = { "begin_work", "first:getsid", "signal:USR1" } };
	struct recording *recording = record(engine, &wish);

	if (!recording)
		return;
	assert_int_equal(outcome->err, 0);
	assert_int_equal(outcome->status, 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(outcome->hits[i], 1);
	assert_int_equal(count(recording, NODE_START_command, 0, SYS_getppid, NULL), 2);
	assert_int_equal(count(recording, NODE_START_phase, 1, SYS_getppid, NULL), 3);
	/* The call that is a point is of the new phase. */
	assert_int_equal(count(recording, NODE_START_phase, 1, SYS_getsid, NULL), 0);
	assert_int_equal(count(recording, NODE_START_phase, 2, SYS_getsid, NULL), 4);
	assert_int_equal(count(recording, NODE_START_phase, 3, SYS_sched_getscheduler, NULL), 6);
	recording_free(recording);
}

/* A server is ready when it listens; then all of it is told to end. */
static void check_server_is_told_to_end_when_ready(const struct engine *engine)
{
	const struct wish wish = { .act = "serve", .phases = { "auto" }, .wants_ready = true };
	struct recording *recording = record(engine, &wish);

	if (!recording)
		return;
	assert_int_equal(outcome->err, 0);
	assert_int_equal(outcome->status, 128 + SIGTERM);
	assert_true(outcome->is_complete);
	assert_int_equal(outcome->nr_ready, 1);
	assert_true(outcome->root > 0);
	assert_int_equal(count(recording, NODE_START_command, 0, SYS_getppid, NULL), 2);
	recording_free(recording);
}

static void check_stopped_run_is_incomplete(const struct engine *engine)
{
	const struct wish wish = { .act = "serve", .is_live = true, .when_run = ENGINE_STOP };
	struct recording *recording = record(engine, &wish);

	if (!recording)
		return;
	assert_int_equal(outcome->err, -ECANCELED);
	assert_false(outcome->is_complete);
	/* It was ended: nobody has its number any more. */
	assert_true(outcome->first_live > 0);
	assert_int_equal(kill(outcome->first_live, 0), -1);
	assert_int_equal(errno, ESRCH);
	recording_free(recording);
}

static void check_missing_program_is_an_error(const struct engine *engine)
{
	const struct wish wish = { .act = NULL };
	struct recording *recording = record(engine, &wish);

	if (!recording)
		return;
	assert_int_equal(outcome->err, -ENOENT);
	assert_int_equal(outcome->status, 127);
	assert_int_equal(count_all(recording), 0);
	recording_free(recording);
}

/* The same with each engine. */
#define BOTH(name)                                                                                 \
	static void test_ptrace_##name(void **state)                                               \
	{                                                                                          \
		(void)state;                                                                       \
		check_##name(&engine_ptrace);                                                      \
	}                                                                                          \
	static void test_bpf_##name(void **state)                                                  \
	{                                                                                          \
		(void)state;                                                                       \
		check_##name(&engine_bpf);                                                         \
	}

BOTH(all_parts_are_counted)
BOTH(phases_begin_at_their_points)
BOTH(server_is_told_to_end_when_ready)
BOTH(stopped_run_is_incomplete)
BOTH(missing_program_is_an_error)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ptrace_all_parts_are_counted),
		cmocka_unit_test(test_bpf_all_parts_are_counted),
		cmocka_unit_test(test_ptrace_phases_begin_at_their_points),
		cmocka_unit_test(test_bpf_phases_begin_at_their_points),
		cmocka_unit_test(test_ptrace_server_is_told_to_end_when_ready),
		cmocka_unit_test(test_bpf_server_is_told_to_end_when_ready),
		cmocka_unit_test(test_ptrace_stopped_run_is_incomplete),
		cmocka_unit_test(test_bpf_stopped_run_is_incomplete),
		cmocka_unit_test(test_ptrace_missing_program_is_an_error),
		cmocka_unit_test(test_bpf_missing_program_is_an_error),
	};

	if (argc == 3)
		return act(argv[2]);
	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (outcome == MAP_FAILED || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
