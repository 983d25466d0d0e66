/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/text.h"

#define CHILDREN 5

static void test_a_file_is_read_and_terminated(void **state)
{
	char text[64];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(prctl(PR_SET_NAME, "some name"), 0);
	assert_int_equal(proc_text(getpid(), "comm", text, sizeof(text)), 10);
	assert_string_equal(text, "some name\n");
}

static void test_what_does_not_fit_is_left_out(void **state)
{
	char text[] = "0123456789";

	(void)state;
	assert_int_equal(prctl(PR_SET_NAME, "some name"), 0);
	assert_int_equal(proc_text(getpid(), "comm", text, 5), 4);
	assert_string_equal(text, "some");
	assert_string_equal(text + 5, "56789");
}

static void test_what_is_not_there_is_an_error(void **state)
{
	char text[16], name[400];

	(void)state;
	assert_int_equal(proc_text(getpid(), "nothing", text, sizeof(text)), -ENOENT);
	assert_int_equal(proc_text(INT32_MAX, "comm", text, sizeof(text)), -ENOENT);
	assert_int_equal(proc_text(getpid(), "task", text, sizeof(text)), -EISDIR);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(proc_text(getpid(), name, text, sizeof(text)), -ENAMETOOLONG);
}

static bool has(const pid_t *list, size_t nr, pid_t pid)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i] == pid)
			return true;
	return false;
}

static void test_children_are_those_that_were_made(void **state)
{
	pid_t made[CHILDREN], found[CHILDREN + 1] = { 0 };

	(void)state;
	if (access("/proc/self/task", R_OK) == 0 &&
	    access("/proc/thread-self/children", R_OK) < 0) {
		print_message("the kernel has no lists of children\n");
		skip();
	}
	assert_int_equal(proc_children(getpid(), getpid(), found, CHILDREN + 1), 0);
	for (size_t i = 0; i < CHILDREN; i++) {
		made[i] = fork();
		if (made[i] == 0) {
			pause();
			_exit(0);
		}
		assert_true(made[i] > 0);
	}
	assert_int_equal(proc_children(getpid(), getpid(), found, CHILDREN + 1), CHILDREN);
	for (size_t i = 0; i < CHILDREN; i++)
		assert_true(has(found, CHILDREN, made[i]));
	found[2] = 0;
	assert_int_equal(proc_children(getpid(), getpid(), found, 2), 2);
	assert_int_equal(found[2], 0);
	assert_int_equal(proc_children(INT32_MAX, INT32_MAX, found, 2), 0);
	for (size_t i = 0; i < CHILDREN; i++) {
		kill(made[i], SIGKILL);
		waitpid(made[i], NULL, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_is_read_and_terminated),
		cmocka_unit_test(test_what_does_not_fit_is_left_out),
		cmocka_unit_test(test_what_is_not_there_is_an_error),
		cmocka_unit_test(test_children_are_those_that_were_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
