/* SPDX-License-Identifier: MIT */
/*
 * Processes under a listener: what they do is this program, executed again with a word that says
 * what. All is allowed but a few harmless calls, so that nothing depends on how programs start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/policies.h"
#include "syscalls/notify.h"

#define NR_THREADS 4
#define NR_CALLS   500
#define END_MS	   60000

/* Acts, in the process that was executed. Each returns an exit status. */

static int refused_with(long nr, long first)
{
	return syscall(nr, first, 0L, 0L) < 0 ? errno : 0;
}

static int act_calls(void)
{
	int known = refused_with(SYS_getppid, 0), newer = refused_with(700, 0);

	if (known != EPERM || newer != ENOSYS)
		return 1;
	for (int i = 0; i < NR_CALLS; i++)
		if (refused_with(SYS_getuid, 0) != EPERM)
			return 2;
	return refused_with(SYS_getpid, 0) == 0 ? 42 : 3;
}

static void *call_often(void *ctx)
{
	for (int i = 0; i < NR_CALLS; i++)
		if (refused_with(SYS_getppid, 0) != EPERM)
			*(int *)ctx = 1;
	return NULL;
}

static int act_threads(void)
{
	pthread_t threads[NR_THREADS];
	int failed = 0;

	for (int i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, call_often, &failed);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	return failed ? 1 : 42;
}

static int act_rules(void)
{
	int allowed = refused_with(SYS_getpriority, 0), refused = refused_with(SYS_getpriority, 1);

	return allowed == 0 && refused == EPERM ? 42 : 1;
}

static int act_children(void)
{
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(refused_with(SYS_getppid, 0) == EPERM ? 0 : 1);
		if (waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	return 42;
}

static void on_signal(int number)
{
	(void)number;
}

/* A signal takes a call back that waits for its answer, and the kernel makes it again. */
static int act_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	const struct itimerspec every = { { .tv_nsec = 100000 }, { .tv_nsec = 100000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	timer_t timer;

	sigaction(SIGUSR1, &action, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &every, NULL);
	for (int i = 0; i < NR_CALLS; i++)
		if (refused_with(SYS_getppid, 0) != EPERM)
			return 1;
	return 42;
}

#ifdef __x86_64__
static int act_i386(void)
{
	long result;

	/* getpid(2) of i386 */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result == -ENOSYS ? 42 : 1;
}
#endif

static int act_exec(const char *program)
{
	refused_with(SYS_getppid, 0);
	execl(program, program, "calls", NULL);
	return 1;
}

static int act(const char *what)
{
	if (strcmp(what, "calls") == 0)
		return act_calls();
	if (strcmp(what, "threads") == 0)
		return act_threads();
	if (strcmp(what, "rules") == 0)
		return act_rules();
	if (strcmp(what, "children") == 0)
		return act_children();
	if (strcmp(what, "signals") == 0)
		return act_signals();
	if (strcmp(what, "exec") == 0)
		return act_exec("/proc/self/exe");
#ifdef __x86_64__
	if (strcmp(what, "i386") == 0)
		return act_i386();
#endif
	return 99;
}

/* All calls but those that the acts try. */
static struct policy *policy_but_few(void)
{
	static const char *const refused[] = { "getppid", "getuid" };
	struct policy *policy = policy_made("read");

	for (uint32_t nr = 0; nr <= 500; nr++)
		policy_set_add(&policy->phases[0].allowed, SYSCALL_ARCH_x86_64, nr);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		uint32_t nr = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, refused[i]);

		policy->phases[0].allowed.words[SYSCALL_ARCH_x86_64][nr / 64] &=
			~(UINT64_C(1) << nr % 64);
	}
	return policy;
}

struct outcome {
	struct refusals refusals;
	int status;
	int err;
};

/* Runs this program with WHAT under POLICY, which is freed. */
static void run(struct policy *policy, const char *what, struct outcome *ret)
{
	struct notify_config config = { .policy = policy, .refusals = &ret->refusals };
	struct pollfd over = { .events = POLLIN };
	struct notify *notify;
	pid_t pid;

	*ret = (struct outcome){ 0 };
	assert_int_equal(notify_new(&notify, &config), 0);
	assert_int_equal(notify_start(notify), 0);
	pid = fork();
	if (pid == 0) {
		if (notify_prepare(notify))
			_exit(98);
		execl("/proc/self/exe", "notify_test", what, NULL);
		_exit(97);
	}
	assert_int_equal(waitpid(pid, &ret->status, 0), pid);
	over.fd = notify_over(notify);
	assert_int_equal(poll(&over, 1, END_MS), 1);
	ret->err = notify_stop(notify);
	notify_free(notify);
	policy_free(policy);
}

static void assert_good(const struct outcome *outcome)
{
	assert_int_equal(outcome->err, 0);
	assert_true(WIFEXITED(outcome->status));
	assert_int_equal(WEXITSTATUS(outcome->status), 42);
}

/* The kind that call NAME was, or NULL. */
static const struct refusal *refused(const struct outcome *outcome, const char *name)
{
	int nr = syscall_number(SYSCALL_ARCH_x86_64, name);

	for (size_t i = 0; i < outcome->refusals.nr; i++)
		if ((int)outcome->refusals.list[i]->nr == nr &&
		    outcome->refusals.list[i]->arch == SYSCALL_ARCH_x86_64)
			return outcome->refusals.list[i];
	return NULL;
}

static void test_each_refused_call_is_counted(void **state)
{
	struct outcome outcome;
	const struct refusal *refusal;

	(void)state;
	run(policy_but_few(), "calls", &outcome);
	assert_good(&outcome);
	assert_int_equal(outcome.refusals.total, NR_CALLS + 2);
	assert_int_equal(outcome.refusals.nr, 3);
	refusal = refused(&outcome, "getuid");
	assert_non_null(refusal);
	assert_int_equal(refusal->count, NR_CALLS);
	assert_int_equal(refusal->error, EPERM);
	assert_int_equal(refusal->phase, 0);
	assert_false(refusal->by_argument);
	/* this is how the kernel names what is executed by a link of /proc */
	assert_true(strcmp(refusal->process, "exe") == 0 ||
		    strncmp(refusal->process, "notify_test", 11) == 0);
	assert_non_null(strstr(refusal->exe, "notify_test"));
	assert_non_null(refusal->file);
	assert_string_equal(refusal->symbol, "syscall");
	assert_int_equal(outcome.refusals.list[1]->nr, 700);
	assert_int_equal(outcome.refusals.list[1]->error, ENOSYS);
	refusals_free(&outcome.refusals);
}

static void test_threads_are_answered_at_once(void **state)
{
	struct outcome outcome;

	(void)state;
	run(policy_but_few(), "threads", &outcome);
	assert_good(&outcome);
	assert_int_equal(outcome.refusals.total, NR_THREADS * NR_CALLS);
	assert_int_equal(outcome.refusals.nr, 1);
	refusals_free(&outcome.refusals);
}

static void test_children_are_under_the_policy(void **state)
{
	struct outcome outcome;

	(void)state;
	run(policy_but_few(), "children", &outcome);
	assert_good(&outcome);
	assert_int_equal(outcome.refusals.total, 10);
	assert_int_equal(outcome.refusals.nr, 1);
	refusals_free(&outcome.refusals);
}

static void test_arguments_decide(void **state)
{
	struct policy *policy = policy_but_few();
	char what[POLICY_WHAT_SIZE];
	struct outcome outcome;

	(void)state;
	assert_int_equal(policy_add_rule(policy, "getpriority:0=0", what), 0);
	run(policy, "rules", &outcome);
	assert_good(&outcome);
	assert_int_equal(outcome.refusals.total, 1);
	assert_true(refused(&outcome, "getpriority")->by_argument);
	refusals_free(&outcome.refusals);
}

static void test_a_signal_makes_no_call_two(void **state)
{
	struct outcome outcome;

	(void)state;
	run(policy_but_few(), "signals", &outcome);
	assert_good(&outcome);
	assert_int_equal(outcome.refusals.total, NR_CALLS);
	refusals_free(&outcome.refusals);
}

#ifdef __x86_64__
static void test_32_bit_calls_are_told_as_such(void **state)
{
	struct outcome outcome;

	(void)state;
	run(policy_but_few(), "i386", &outcome);
	if (WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGSEGV) {
		print_message("the kernel has no i386 calls\n");
		refusals_free(&outcome.refusals);
		skip();
	}
	assert_good(&outcome);
	assert_int_equal(outcome.refusals.total, 1);
	assert_int_equal(outcome.refusals.list[0]->arch, SYSCALL_ARCH_i386);
	assert_int_equal(outcome.refusals.list[0]->nr, 20);
	refusals_free(&outcome.refusals);
}
#endif

static void test_another_program_is_looked_at_anew(void **state)
{
	struct outcome outcome;

	(void)state;
	run(policy_but_few(), "exec", &outcome);
	assert_good(&outcome);
	/* before and after it */
	assert_int_equal(refused(&outcome, "getppid")->count, 2);
	assert_int_equal(outcome.refusals.total, NR_CALLS + 3);
	refusals_free(&outcome.refusals);
}

static void test_execve_can_be_refused(void **state)
{
	struct policy *policy = policy_but_few();
	struct outcome outcome;

	(void)state;
	/* COMMAND's own is that of the launcher */
	policy->phases[0].allowed.words[SYSCALL_ARCH_x86_64][SYS_execve / 64] &=
		~(UINT64_C(1) << SYS_execve % 64);
	run(policy, "exec", &outcome);
	assert_int_equal(WEXITSTATUS(outcome.status), 1);
	assert_int_equal(refused(&outcome, "execve")->count, 1);
	refusals_free(&outcome.refusals);
}

static void test_log_lets_it_happen_and_tells(void **state)
{
	struct policy *policy = policy_but_few();
	struct outcome outcome;

	(void)state;
	policy_set_action(policy, POLICY_LOG);
	run(policy, "threads", &outcome);
	assert_int_equal(outcome.err, 0);
	/* they were not refused: the act says so */
	assert_int_equal(WEXITSTATUS(outcome.status), 1);
	assert_int_equal(outcome.refusals.total, NR_THREADS * NR_CALLS);
	assert_int_equal(outcome.refusals.list[0]->error, 0);
	refusals_free(&outcome.refusals);
}

static uint32_t phase_1(void *ctx, pid_t pid)
{
	*(pid_t *)ctx = pid;
	return 1;
}

static void test_phases_are_asked_for(void **state)
{
	const struct policy_config exact = { .is_exact = true };
	struct recording *recording = recording_made("later");
	struct policy *all = policy_but_few(), *policy;
	struct outcome outcome = { 0 };
	pid_t asked = 0, pid;
	struct notify_config config = { .refusals = &outcome.refusals,
					.phase = phase_1,
					.ctx = &asked };
	struct notify *notify;

	(void)state;
	recording_did(recording, NODE_START_command, 0, "getppid getuid");
	recording_did(recording, NODE_START_phase, 1, "read");
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, &exact);
	/* phase 0 allows all, phase 1 all but few; processes say that they are in 1 */
	for (uint32_t nr = 0; nr <= 500; nr++)
		policy_set_add(&policy->phases[0].allowed, SYSCALL_ARCH_x86_64, nr);
	policy->phases[1].allowed = all->phases[0].allowed;
	config.policy = policy;
	assert_int_equal(notify_new(&notify, &config), 0);
	assert_int_equal(notify_start(notify), 0);
	pid = fork();
	if (pid == 0) {
		if (notify_prepare(notify))
			_exit(98);
		execl("/proc/self/exe", "notify_test", "calls", NULL);
		_exit(97);
	}
	assert_int_equal(waitpid(pid, &outcome.status, 0), pid);
	outcome.err = notify_stop(notify);
	assert_good(&outcome);
	assert_int_equal(asked, pid);
	assert_int_equal(refused(&outcome, "getuid")->phase, 1);
	assert_int_equal(refused(&outcome, "getuid")->count, NR_CALLS);
	notify_free(notify);
	refusals_free(&outcome.refusals);
	policy_free(policy);
	policy_free(all);
}

static void test_nothing_is_executed_and_it_ends(void **state)
{
	struct policy *policy = policy_but_few();
	struct refusals refusals = { 0 };
	struct notify_config config = { .policy = policy, .refusals = &refusals };
	struct notify *notify;

	(void)state;
	/* before it has begun, before it has a child, and without */
	assert_int_equal(notify_new(&notify, &config), 0);
	notify_free(notify);
	assert_int_equal(notify_new(&notify, &config), 0);
	assert_int_equal(notify_start(notify), 0);
	assert_int_equal(notify_stop(notify), 0);
	notify_free(notify);
	notify_free(NULL);
	assert_int_equal(refusals.total, 0);
	policy_free(policy);
}

/* A listener is there once for a thread and what it makes: see seccomp(2). */
static void test_a_listener_below_a_listener_is_busy(void **state)
{
	struct policy *policy = policy_but_few();
	struct refusals refusals = { 0 };
	struct notify_config config = { .policy = policy, .refusals = &refusals };
	struct notify *first, *second;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(notify_new(&first, &config), 0);
	assert_int_equal(notify_new(&second, &config), 0);
	pid = fork();
	if (pid == 0)
		_exit(notify_prepare(first) == 0 && notify_prepare(second) == -EBUSY ? 42 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 42);
	notify_free(first);
	notify_free(second);
	policy_free(policy);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_refused_call_is_counted),
		cmocka_unit_test(test_threads_are_answered_at_once),
		cmocka_unit_test(test_children_are_under_the_policy),
		cmocka_unit_test(test_arguments_decide),
		cmocka_unit_test(test_a_signal_makes_no_call_two),
#ifdef __x86_64__
		cmocka_unit_test(test_32_bit_calls_are_told_as_such),
#endif
		cmocka_unit_test(test_another_program_is_looked_at_anew),
		cmocka_unit_test(test_execve_can_be_refused),
		cmocka_unit_test(test_log_lets_it_happen_and_tells),
		cmocka_unit_test(test_phases_are_asked_for),
		cmocka_unit_test(test_nothing_is_executed_and_it_ends),
		cmocka_unit_test(test_a_listener_below_a_listener_is_busy),
	};

	/* what sanitizers do at an exit makes calls that are refused */
	if (argc == 2)
		_exit(act(argv[1]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
