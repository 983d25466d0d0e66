/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/below_valgrind.h"
#include "support/files.h"
#include "lib/spawn.h"

static char *const touch[] = { (char *)"touch", NULL, NULL };

/* The words of touch(1) for PATH. */
static char *const *touching(char *const words[3], const char *path)
{
	static char *copy[3];

	copy[0] = words[0];
	copy[1] = (char *)path;
	copy[2] = NULL;
	return copy;
}

static void need_pidfd(void)
{
	not_below_valgrind("valgrind does not know pidfd_open(2)");
}

static void test_it_waits_until_it_is_let_go(void **state)
{
	const char *path = files_path("ran");
	struct spawned spawned;
	struct pollfd ended;
	int status;

	(void)state;
	need_pidfd();
	assert_int_equal(spawn(&spawned, touching(touch, path), NULL, NULL), 0);
	ended = (struct pollfd){ .fd = spawned.pidfd, .events = POLLIN };
	assert_int_equal(poll(&ended, 1, 100), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(spawn_release(&spawned, &status), 0);
	assert_int_equal(poll(&ended, 1, -1), 1);
	assert_int_equal(spawn_reap(&spawned, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(spawn_reap(&spawned, &status), -ECHILD);
	spawn_close(&spawned);
	unlink(path);
}

static void test_one_that_is_never_let_go_does_nothing(void **state)
{
	const char *path = files_path("never");
	struct spawned spawned;
	pid_t pid;

	(void)state;
	need_pidfd();
	assert_int_equal(spawn(&spawned, touching(touch, path), NULL, NULL), 0);
	pid = spawned.pid;
	spawn_close(&spawned);
	spawn_close(&spawned);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_what_cannot_be_executed_is_told(void **state)
{
	char *const missing[] = { (char *)"/no/such/program", NULL };
	char *const directory[] = { (char *)"/etc", NULL };
	struct spawned spawned;
	int status = 0;

	(void)state;
	need_pidfd();
	assert_int_equal(spawn(&spawned, missing, NULL, NULL), 0);
	assert_int_equal(spawn_release(&spawned, &status), -ENOENT);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 127);
	spawn_close(&spawned);
	assert_int_equal(spawn(&spawned, directory, NULL, NULL), 0);
	assert_int_equal(spawn_release(&spawned, &status), -EACCES);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 126);
	spawn_close(&spawned);
}

static int refuse(void *ctx)
{
	*(int *)ctx += 1;
	return -EOWNERDEAD;
}

static void test_what_prepares_it_may_refuse(void **state)
{
	const char *path = files_path("refused");
	struct spawned spawned;
	int status = 0, nr = 0;

	(void)state;
	need_pidfd();
	assert_int_equal(spawn(&spawned, touching(touch, path), refuse, &nr), 0);
	assert_int_equal(spawn_release(&spawned, &status), -EOWNERDEAD);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 126);
	assert_int_equal(access(path, F_OK), -1);
	/* in the other process */
	assert_int_equal(nr, 0);
	spawn_close(&spawned);
}

static void ignore(int signal)
{
	(void)signal;
}

/* PID waits in read(2), as /proc has it. */
static void until_it_waits(pid_t pid)
{
	char path[64], expected[16];
	bool waits = false;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	snprintf(expected, sizeof(expected), "%d ", (int)SYS_read);
	for (int i = 0; i < 5000 && !waits; i++) {
		usleep(1000);
		waits = strncmp(file_text(path), expected, strlen(expected)) == 0;
	}
	assert_true(waits);
}

/* The child has the handlers of who made it until it executes its program. */
static void test_signal_does_not_let_it_go(void **state)
{
	const struct sigaction action = { .sa_handler = ignore };
	const char *path = files_path("signalled");
	struct sigaction before;
	struct spawned spawned;
	int status;

	(void)state;
	need_pidfd();
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	assert_int_equal(spawn(&spawned, touching(touch, path), NULL, NULL), 0);
	until_it_waits(spawned.pid);
	assert_int_equal(kill(spawned.pid, SIGUSR1), 0);
	until_it_waits(spawned.pid);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(spawn_release(&spawned, &status), 0);
	assert_int_equal(spawn_reap(&spawned, &status), 0);
	assert_int_equal(status, 0);
	assert_int_equal(access(path, F_OK), 0);
	spawn_close(&spawned);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
	unlink(path);
}

static void test_one_that_was_ended_before_is_told(void **state)
{
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	struct spawned spawned;
	int status = 0;
	pid_t pid;

	(void)state;
	need_pidfd();
	assert_int_equal(spawn(&spawned, touching(touch, files_path("ended")), NULL, NULL), 0);
	pid = spawned.pid;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_int_equal(spawn_release(&spawned, &status), -EPIPE);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* It is reaped. */
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	spawn_close(&spawned);
	signal(SIGPIPE, before);
}

static void test_one_that_was_never_made_has_nothing_to_close(void **state)
{
	struct spawned spawned = { 0 };
	bool was_open = fcntl(STDIN_FILENO, F_GETFD) >= 0;

	(void)state;
	assert_true(was_open || open("/dev/null", O_RDONLY | O_CLOEXEC) == STDIN_FILENO);
	spawn_close(&spawned);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	assert_int_equal(spawn_reap(&spawned, &(int){ 0 }), -ECHILD);
}

/* In a child, where pidfd_open(2) is not there, as before Linux 5.3. Returns what went wrong. */
static int without_pidfd(const char *path)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct spawned spawned;
	int status = 1;

	if (!filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(pidfd_open), 0) ||
	    seccomp_load(filter))
		return 1;
	seccomp_release(filter);
	if (spawn(&spawned, touching(touch, path), NULL, NULL) || spawned.pidfd != -1)
		return 2;
	if (spawn_release(&spawned, &status) || spawn_reap(&spawned, &status) || status)
		return 3;
	spawn_close(&spawned);
	return access(path, F_OK) ? 4 : 0;
}

static void test_kernel_without_pidfd_will_do(void **state)
{
	const char *path = files_path("old");
	int status;
	pid_t pid;

	(void)state;
	need_pidfd();
	pid = fork();
	if (pid == 0)
		_exit(without_pidfd(path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_waits_until_it_is_let_go),
		cmocka_unit_test(test_one_that_is_never_let_go_does_nothing),
		cmocka_unit_test(test_what_cannot_be_executed_is_told),
		cmocka_unit_test(test_what_prepares_it_may_refuse),
		cmocka_unit_test(test_signal_does_not_let_it_go),
		cmocka_unit_test(test_one_that_was_ended_before_is_told),
		cmocka_unit_test(test_kernel_without_pidfd_will_do),
		cmocka_unit_test(test_one_that_was_never_made_has_nothing_to_close),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
