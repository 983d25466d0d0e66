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
		cmocka_unit_test(test_kernel_without_pidfd_will_do),
		cmocka_unit_test(test_one_that_was_never_made_has_nothing_to_close),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
