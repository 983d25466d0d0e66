/* SPDX-License-Identifier: MIT */
/*
 * Programs under filters that come one after the other. This program is COMMAND too: it tries calls
 * that do no harm and tells by its exit status which of them were refused.
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
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscalls/acted.h"
#include "syscalls/filter.h"
#include "syscalls/launch.h"
#include "syscalls/tracee.h"

/* What COMMAND tells, as bits. */
enum refused {
	IN_FIRST = 1,	/* getsid, in phase 0 */
	TOO_EARLY = 2,	/* a call of a later phase, before its point */
	IN_SECOND = 4,	/* getpgid, behind begin_work() */
	IN_THREAD = 8,	/* the same in a thread that was there before */
	IN_CHILD = 16,	/* and in a child that was made behind it */
	IN_THIRD = 32,	/* sched_getscheduler, behind the first getpriority */
	FROM_CHILD = 64 /* the same in a child of that phase */
};

#define ALL_REFUSED (IN_FIRST | IN_SECOND | IN_THREAD | IN_CHILD | IN_THIRD | FROM_CHILD)
#define ON_TERM	    9

static int refused(long nr, int bit)
{
	return syscall(nr, 0L, 0L, 0L) < 0 && errno == EPERM ? bit : 0;
}

static pthread_barrier_t barrier;

static void *wait_and_try(void *ret)
{
	pthread_barrier_wait(&barrier);
	*(int *)ret = refused(SYS_getpgid, IN_THREAD);
	return NULL;
}

static int in_child(long nr, int bit)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		leave(refused(nr, bit));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void act_limits(void)
{
	int seen = refused(SYS_getsid, IN_FIRST) | refused(SYS_getpgid, TOO_EARLY) |
		   refused(SYS_sched_getscheduler, TOO_EARLY);
	int in_thread = 0;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, wait_and_try, &in_thread))
		leave(TOO_EARLY);
	begin_work();
	seen |= refused(SYS_getpgid, IN_SECOND) | refused(SYS_sched_getscheduler, TOO_EARLY);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	seen |= in_thread | in_child(SYS_getpgid, IN_CHILD);
	syscall(SYS_getpriority, 0, 0);
	seen |= refused(SYS_sched_getscheduler, IN_THIRD);
	leave(seen | in_child(SYS_sched_getscheduler, FROM_CHILD));
}

static void on_term(int number)
{
	(void)number;
	leave(ON_TERM);
}

/* Has the launcher get a signal from somebody else, which is to come back. */
static void act_term(void)
{
	signal(SIGTERM, on_term);
	kill(getppid(), SIGTERM);
	for (;;)
		pause();
}

static void *filter_itself(void *ctx)
{
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

	if (filter_install(&allow, 1, 0) < 0)
		leave(1);
	pthread_barrier_wait(&barrier);
	pause();
	return ctx;
}

/* One of its threads cannot be given the filter that the others get. */
static void act_own(void)
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0 ||
	    pthread_create(&thread, NULL, filter_itself, NULL))
		leave(1);
	pthread_barrier_wait(&barrier);
	begin_work();
	leave(0);
}

static int act(const char *name)
{
	if (strcmp(name, "limits") == 0)
		act_limits();
	if (strcmp(name, "term") == 0)
		act_term();
	if (strcmp(name, "own") == 0)
		act_own();
	return 1;
}

#define NR_PHASES 3

/* What phase I refuses; all else it leaves to the phases before it. */
static const uint32_t refuses[NR_PHASES] = { SYS_getsid, SYS_getpgid, SYS_sched_getscheduler };

static char self[PATH_MAX];
static char told[1024];

static void on_told(void *ctx, const char *sentence)
{
	(void)ctx;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s\n", sentence);
}

/* Launches COMMAND with the first NR_PHASES phases as BASE says. Returns as launch_run() does. */
static int launch(char *const *command, size_t nr_phases, const struct launch_phase *base,
		  bool suspends, struct launch_result *ret)
{
	struct sock_filter code[NR_PHASES][4];
	struct launch_phase phases[NR_PHASES];
	struct points points = { .nr = 0 };
	const struct launch_config config = {
		.command = command,
		.points = &points,
		.phases = phases,
		.nr_phases = nr_phases,
		.sets_nnp = true,
		.suspends = suspends,
		.tell = on_told,
	};
	char what[POINT_WHAT_SIZE];
	int err;

	told[0] = '\0';
	for (size_t i = 0; i < nr_phases; i++) {
		const struct sock_filter filter[4] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refuses[i], 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};

		memcpy(code[i], filter, sizeof(filter));
		phases[i] = *base;
		phases[i].filter = (struct sock_fprog){ .len = 4, .filter = code[i] };
	}
	if (nr_phases > 1)
		assert_int_equal(points_add(&points, "begin_work", self, what), 0);
	if (nr_phases > 2)
		assert_int_equal(points_add(&points, "first:getpriority", self, what), 0);
	err = launch_run(&config, ret);
	points_free(&points);
	return err;
}

static int launch_act(const char *name, size_t nr_phases, const struct launch_phase *base,
		      bool suspends, struct launch_result *ret)
{
	char *command[] = { self, (char *)"act", (char *)(uintptr_t)name, NULL };

	return launch(command, nr_phases, base, suspends, ret);
}

static const struct launch_phase allows_all = { .allows_memory = true, .allows_prctl = true };
static const struct launch_phase allows_no_memory = { .allows_prctl = true };

static bool cannot_trace(void)
{
	int err = tracee_probe();

	if (!err)
		return false;
	print_message("ptrace(2) does not work here: %s\n", strerror(-err));
	skip();
	return true;
}

static void test_one_filter_is_there_from_the_start(void **state)
{
	struct launch_result result;

	(void)state;
	assert_int_equal(launch_act("limits", 1, &allows_all, false, &result), 0);
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), IN_FIRST);
	assert_true(result.has_filter);
	assert_false(result.has_failed);
	assert_true(result.pid > 0);
}

/* Each phase refuses its own call, from its point on, in all threads and children. */
static void check_phases(const struct launch_phase *base, bool suspends)
{
	struct launch_result result;

	assert_int_equal(launch_act("limits", NR_PHASES, base, suspends, &result), 0);
	assert_string_equal(told, "");
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), ALL_REFUSED);
	assert_false(result.has_failed);
	assert_int_equal(result.hits[0], 1);
	assert_int_equal(result.hits[1], 1);
}

static void test_phases_begin_at_their_points(void **state)
{
	(void)state;
	if (cannot_trace())
		return;
	check_phases(&allows_all, false);
	/* A filter is written to the stack where mmap(2) might be refused. */
	check_phases(&allows_no_memory, false);
}

static void test_phases_begin_with_filters_suspended(void **state)
{
	(void)state;
	if (cannot_trace())
		return;
	if (tracee_probe_suspend()) {
		print_message("filters cannot be suspended: CAP_SYS_ADMIN is missing\n");
		skip();
	}
	check_phases(&allows_no_memory, true);
}

static void test_process_that_cannot_be_limited_is_ended(void **state)
{
	struct launch_result result;

	(void)state;
	if (cannot_trace())
		return;
	assert_int_equal(launch_act("own", 2, &allows_all, false, &result), 0);
	assert_true(WIFSIGNALED(result.status));
	assert_int_equal(WTERMSIG(result.status), SIGKILL);
	assert_true(result.has_failed);
	assert_non_null(strstr(told, "phase 1 cannot begin"));
	assert_non_null(strstr(told, "has a filter of its own"));
}

static void test_what_cannot_be_executed_is_an_error(void **state)
{
	char *missing[] = { (char *)"/nonexistent/program", NULL };
	char *data[] = { (char *)"/etc/passwd", NULL };
	struct launch_result result;

	(void)state;
	assert_int_equal(launch(missing, 1, &allows_all, false, &result), -ENOENT);
	assert_true(result.has_filter);
	assert_int_equal(launch(data, 1, &allows_all, false, &result), -EACCES);
	if (cannot_trace())
		return;
	assert_int_equal(launch(missing, 2, &allows_all, false, &result), -ENOENT);
	assert_true(result.has_filter);
	assert_int_equal(launch(data, 2, &allows_all, false, &result), -EACCES);
}

static void check_signal(size_t nr_phases)
{
	struct sigaction before, after;
	struct launch_result result;

	sigaction(SIGTERM, NULL, &before);
	assert_int_equal(launch_act("term", nr_phases, &allows_all, false, &result), 0);
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), ON_TERM);
	sigaction(SIGTERM, NULL, &after);
	assert_true(before.sa_handler == after.sa_handler);
}

static void test_signals_of_others_are_passed_on(void **state)
{
	(void)state;
	check_signal(1);
	if (cannot_trace())
		return;
	check_signal(2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_filter_is_there_from_the_start),
		cmocka_unit_test(test_phases_begin_at_their_points),
		cmocka_unit_test(test_phases_begin_with_filters_suspended),
		cmocka_unit_test(test_process_that_cannot_be_limited_is_ended),
		cmocka_unit_test(test_what_cannot_be_executed_is_an_error),
		cmocka_unit_test(test_signals_of_others_are_passed_on),
	};

	if (argc == 3)
		return act(argv[2]);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
