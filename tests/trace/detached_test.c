/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/detached.h"

/* How many lines the table of mounts has. */
static size_t nr_mounts(void)
{
	static char text[1U << 20];
	int fd = open("/proc/self/mountinfo", O_RDONLY);
	size_t nr = 0;
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++)
			nr += text[i] == '\n';
	close(fd);
	return nr;
}

static void test_mount_is_attached_nowhere(void **state)
{
	size_t before = nr_mounts();
	int fd;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	fd = detached_open("tracefs");
	assert_true(fd > 0);
	assert_int_equal(faccessat(fd, "events/sched/sched_process_exec/id", R_OK, 0), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(nr_mounts(), before);
	close(fd);
}

static void test_what_the_kernel_has_not_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(detached_open("no such type"), geteuid() ? -EPERM : -ENODEV);
}

static void test_ordinary_user_may_not(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(2);
		_exit(detached_open("tracefs") != -EPERM);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mount_is_attached_nowhere),
		cmocka_unit_test(test_what_the_kernel_has_not_is_an_error),
		cmocka_unit_test(test_ordinary_user_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
