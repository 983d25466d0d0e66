/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/close_all.h"
#include "support/below_valgrind.h"

#define FIRST 10

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0 || errno != EBADF;
}

/* Runs TEST in a child, which may lose its descriptors. */
static void in_child(void (*test)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* In a child nobody would see what an assertion prints. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			_exit(__LINE__ % 200 + 1);                                                 \
	} while (0)

static void close_many(void)
{
	int last = 700;

	for (int fd = FIRST - 1; fd <= last; fd += fd == FIRST + 5 ? 100 : 1)
		must(dup2(STDIN_FILENO, fd) == fd);
	close_all(FIRST);
	must(is_open(STDIN_FILENO) && is_open(FIRST - 1));
	for (int fd = FIRST; fd <= last + 10; fd++)
		must(!is_open(fd));
}

static void test_all_from_the_first_on_are_closed(void **state)
{
	(void)state;
	in_child(close_many);
}

/* With no descriptor left it cannot see which there are. */
static void close_blindly(void)
{
	struct rlimit limit = { .rlim_cur = 64, .rlim_max = 64 };

	must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		;
	must(errno == EMFILE && is_open(63));
	close_all(FIRST);
	for (int fd = FIRST; fd < 64; fd++)
		must(!is_open(fd));
	must(is_open(FIRST - 1));
}

static void test_without_proc_all_that_are_usual_are_closed(void **state)
{
	(void)state;
	not_below_valgrind("valgrind has descriptors of its own below the limit");
	in_child(close_blindly);
}

static void *no_thread(void *ctx)
{
	return ctx;
}

/* Where no thread can be made: the limit is not for root. */
static void close_alone(void)
{
	struct rlimit limit = { 0 };
	pthread_t thread;

	for (int fd = FIRST; fd < 100; fd++)
		must(dup2(STDIN_FILENO, fd) == fd);
	must(setrlimit(RLIMIT_NPROC, &limit) == 0);
	must(geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
	must(pthread_create(&thread, NULL, no_thread, NULL) == EAGAIN);
	close_all(FIRST);
	for (int fd = FIRST; fd < 100; fd++)
		must(!is_open(fd));
}

static void test_without_threads_all_are_closed(void **state)
{
	(void)state;
	in_child(close_alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_from_the_first_on_are_closed),
		cmocka_unit_test(test_without_proc_all_that_are_usual_are_closed),
		cmocka_unit_test(test_without_threads_all_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
