/* SPDX-License-Identifier: MIT */
/*
 * Whole runs under a policy. COMMAND is this program, executed again with a word that says what it
 * does; all is allowed but a few harmless calls.
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
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/policies.h"
#include "syscalls/notify.h"
#include "syscalls/verify.h"
#include "syscalls/waiting.h"

static void pause_ms(long ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static int is_refused(void)
{
	return syscall(SYS_getppid) < 0 && errno == EPERM;
}

/* Leaves a grandchild behind that goes on for a while, and is refused a call at its end. */
static int act_daemon(void)
{
	if (fork() == 0) {
		if (setsid() < 0 || fork() != 0)
			_exit(0);
		pause_ms(300);
		_exit(!is_refused());
	}
	return is_refused() ? 42 : 1;
}

static int __attribute__((noreturn)) act_stubborn(void)
{
	signal(SIGTERM, SIG_IGN);
	for (int i = 0; i < 3; i++)
		if (fork() == 0)
			break;
	for (;;)
		pause();
}

static void on_term(int number)
{
	(void)number;
	syscall(SYS_getppid);
	_exit(43);
}

static int __attribute__((noreturn)) act_polite(void)
{
	signal(SIGTERM, on_term);
	for (;;)
		pause();
}

/* Refused in phase 1 alone, which the first getsid(2) begins, in parent and child. */
static int act_phases(void)
{
	int before = is_refused(), status;
	pid_t pid;

	syscall(SYS_getsid, 0L);
	if (before || !is_refused())
		return 1;
	pid = fork();
	if (pid == 0)
		_exit(!is_refused());
	waitpid(pid, &status, 0);
	return status ? 2 : 42;
}

static int act(const char *what)
{
	if (strcmp(what, "call") == 0)
		return is_refused() ? 42 : 1;
	if (strcmp(what, "kill") == 0)
		return raise(SIGKILL);
	if (strcmp(what, "daemon") == 0)
		return act_daemon();
	if (strcmp(what, "stubborn") == 0)
		return act_stubborn();
	if (strcmp(what, "polite") == 0)
		return act_polite();
	if (strcmp(what, "phases") == 0)
		return act_phases();
	return 99;
}

static void refuse(struct policy_set *set, const char *name)
{
	uint32_t nr = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, name);

	set->words[SYSCALL_ARCH_x86_64][nr / 64] &= ~(UINT64_C(1) << nr % 64);
}

/* All calls but getppid(2), in the last of its phases. */
static struct policy *policy_but_one(const char *points)
{
	const struct policy_config exact = { .is_exact = true };
	struct recording *recording = recording_made(points);
	struct policy *policy;

	recording_did(recording, NODE_START_command, 0, "getppid getuid");
	if (*points)
		recording_did(recording, NODE_START_phase, 1, "read");
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, &exact);
	for (size_t i = 0; i < policy->nr_phases; i++)
		for (uint32_t nr = 0; nr <= 500; nr++)
			policy_set_add(&policy->phases[i].allowed, SYSCALL_ARCH_x86_64, nr);
	refuse(&policy->phases[policy->nr_phases - 1].allowed, "getppid");
	return policy;
}

/* A run that ends once its command does not end by SIGTERM alone; what it was like then. */
struct stop {
	struct timespec began;
	pid_t root;
};

static uint64_t ms_since(const struct timespec *began)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - began->tv_sec) * 1000 +
			  (now.tv_nsec - began->tv_nsec) / 1000000);
}

/* Whether PID ignores SIGTERM or has a handler for it. */
static bool minds_term(pid_t pid)
{
	char path[64], line[256];
	bool does = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "SigIgn:", 7) == 0 || strncmp(line, "SigCgt:", 7) == 0)
			does |= strtoull(line + 7, NULL, 16) >> (SIGTERM - 1) & 1;
	if (file)
		fclose(file);
	return does;
}

static bool should_stop(void *ctx, pid_t root)
{
	struct stop *stop = ctx;

	stop->root = root;
	return minds_term(root);
}

static char link_to_self[] = "/proc/self/exe";

/* Runs WHAT under POLICY, which is freed. Returns what verify_run() does. */
static int run(struct policy *policy, const char *what, struct stop *stop,
	       struct verify_result *ret)
{
	char *copy = strdup(what);
	char *const command[] = { link_to_self, copy, NULL };
	struct points points = { 0 };
	struct verify_config config = { .policy = policy, .points = &points, .command = command };
	char why[POINT_WHAT_SIZE], program[4096] = "";
	int err, failed;

	if (stop) {
		clock_gettime(CLOCK_MONOTONIC, &stop->began);
		config.should_stop = should_stop;
		config.ctx = stop;
	}
	assert_true(readlink(link_to_self, program, sizeof(program) - 1) > 0);
	for (size_t i = 1; i < policy->nr_phases; i++)
		assert_int_equal(points_add(&points, policy->phases[i].point, program, why), 0);
	err = verify_run(&config, ret, &failed);
	assert_int_equal(failed, 0);
	points_free(&points);
	policy_free(policy);
	free(copy);
	return err;
}

static void test_the_status_and_what_was_refused(void **state)
{
	struct verify_result result;

	(void)state;
	assert_int_equal(run(policy_but_one(""), "call", NULL, &result), 0);
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), 42);
	assert_int_equal(result.refusals.total, 1);
	assert_int_equal(result.refusals.list[0]->nr, SYS_getppid);
	assert_true(result.duration_ns > 0);
	refusals_free(&result.refusals);
	assert_int_equal(run(policy_but_one(""), "kill", NULL, &result), 0);
	assert_true(WIFSIGNALED(result.status));
	assert_int_equal(WTERMSIG(result.status), SIGKILL);
	refusals_free(&result.refusals);
}

static void test_who_outlives_the_command_is_waited_for(void **state)
{
	struct verify_result result;

	(void)state;
	assert_int_equal(run(policy_but_one(""), "daemon", NULL, &result), 0);
	assert_int_equal(WEXITSTATUS(result.status), 42);
	assert_int_equal(result.refusals.total, 2);
	assert_true(result.duration_ns >= 300000000);
	refusals_free(&result.refusals);
}

static void test_a_command_that_is_not_there(void **state)
{
	static char absent[] = "/no/such/program";
	char *const command[] = { absent, NULL };
	struct policy *policies[] = { policy_but_one(""), policy_but_one("first:getsid") };
	struct verify_result result;
	int failed;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct points points = { 0 };
		char why[POINT_WHAT_SIZE];
		struct verify_config config = { .policy = policies[i],
						.points = &points,
						.command = command };

		if (i == 1)
			assert_int_equal(points_add(&points, "first:getsid", link_to_self, why), 0);
		assert_int_equal(verify_run(&config, &result, &failed), -ENOEXEC);
		assert_int_equal(failed, -ENOENT);
		assert_int_equal(result.refusals.total, 0);
		points_free(&points);
		policy_free(policies[i]);
	}
}

/* Where somebody listens already there can be no other listener: this is no fault of COMMAND. */
static void test_a_listener_that_is_there_is_an_error(void **state)
{
	struct policy *outer = policy_but_one("");
	struct refusals refusals = { 0 };
	struct notify_config config = { .policy = outer, .refusals = &refusals };
	struct notify *notify;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(notify_new(&notify, &config), 0);
	assert_int_equal(notify_start(notify), 0);
	pid = fork();
	if (pid == 0) {
		struct verify_config inner = { .command = (char *const[]){ link_to_self, NULL } };
		struct points points = { 0 };
		char why[POINT_WHAT_SIZE];
		struct verify_result result;
		int failed, plain, followed;

		if (notify_prepare(notify))
			_exit(98);
		inner.points = &points;
		inner.policy = policy_but_one("");
		plain = verify_run(&inner, &result, &failed);
		inner.policy = policy_but_one("first:getsid");
		points_add(&points, "first:getsid", link_to_self, why);
		followed = verify_run(&inner, &result, &failed);
		_exit(plain == -EBUSY && followed == -EBUSY && failed == 0 ? 42 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(notify_stop(notify), 0);
	notify_free(notify);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	policy_free(outer);
	refusals_free(&refusals);
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static void test_stopping_ends_all_that_do_not_listen(void **state)
{
	struct stop stop = { 0 };
	struct verify_result result;

	(void)state;
	assert_int_equal(run(policy_but_one(""), "stubborn", &stop, &result), 0);
	assert_true(WIFSIGNALED(result.status));
	assert_int_equal(WTERMSIG(result.status), SIGKILL);
	assert_true(ms_since(&stop.began) >= 2000);
	assert_false(is_alive(stop.root));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	refusals_free(&result.refusals);
}

/* What a server does when it ends is of interest, too. */
static void test_stopping_lets_the_command_end_by_itself(void **state)
{
	struct stop stop = { 0 };
	struct verify_result result;

	(void)state;
	assert_int_equal(run(policy_but_one(""), "polite", &stop, &result), 0);
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), 43);
	assert_int_equal(result.refusals.total, 1);
	refusals_free(&result.refusals);
}

static void test_phases_are_followed(void **state)
{
	struct verify_result result;

	(void)state;
	assert_int_equal(run(policy_but_one("first:getsid"), "phases", NULL, &result), 0);
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), 42);
	assert_int_equal(result.refusals.total, 2);
	for (size_t i = 0; i < result.refusals.nr; i++) {
		assert_int_equal(result.refusals.list[i]->nr, SYS_getppid);
		assert_int_equal(result.refusals.list[i]->phase, 1);
	}
	assert_int_equal(result.hits[0], 1);
	assert_int_equal(result.nr_unseen, 0);
	refusals_free(&result.refusals);
}

static void test_phases_can_be_stopped(void **state)
{
	struct stop stop = { 0 };
	struct verify_result result;

	(void)state;
	assert_int_equal(run(policy_but_one("first:getsid"), "stubborn", &stop, &result), 0);
	assert_true(WIFSIGNALED(result.status));
	assert_int_equal(WTERMSIG(result.status), SIGKILL);
	assert_int_equal(result.hits[0], 0);
	refusals_free(&result.refusals);
}

static void test_children_can_be_spared(void **state)
{
	pid_t pids[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			for (;;)
				pause();
	}
	verify_kill_children(pids[1]);
	assert_false(is_alive(pids[0]));
	assert_true(is_alive(pids[1]));
	assert_false(is_alive(pids[2]));
	verify_kill_children(0);
	assert_false(is_alive(pids[1]));
	verify_kill_children(0);
}

static void test_waiting_for_work_is_seen(void **state)
{
	int fds[2];
	pid_t pid;
	int waits = 0;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		/* in a grandchild */
		if (fork() == 0) {
			char byte;

			if (read(fds[0], &byte, 1) == 1)
				syscall(SYS_epoll_wait, syscall(SYS_epoll_create1, 0L), &byte, 1L,
					-1L);
			_exit(0);
		}
		wait(NULL);
		_exit(0);
	}
	pause_ms(100);
	assert_false(waiting_for_work(pid));
	assert_int_equal(write(fds[1], "x", 1), 1);
	for (int i = 0; i < 100 && !waits; i++) {
		pause_ms(20);
		waits = waiting_for_work(pid);
	}
	assert_true(waits);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1UL), 0);
	verify_kill_children(0);
	assert_false(waiting_for_work(pid));
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_status_and_what_was_refused),
		cmocka_unit_test(test_who_outlives_the_command_is_waited_for),
		cmocka_unit_test(test_a_command_that_is_not_there),
		cmocka_unit_test(test_a_listener_that_is_there_is_an_error),
		cmocka_unit_test(test_stopping_ends_all_that_do_not_listen),
		cmocka_unit_test(test_stopping_lets_the_command_end_by_itself),
		cmocka_unit_test(test_phases_are_followed),
		cmocka_unit_test(test_phases_can_be_stopped),
		cmocka_unit_test(test_children_can_be_spared),
		cmocka_unit_test(test_waiting_for_work_is_seen),
	};

	/* what sanitizers do at an exit makes calls that are refused */
	if (argc == 2)
		_exit(act(argv[1]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
