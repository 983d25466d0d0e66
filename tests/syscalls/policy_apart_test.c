/* SPDX-License-Identifier: MIT */
/* Reading a policy in a child: cmd/sandbox has what that may do, and what becomes of its end. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/file.h"
#include "support/files.h"
#include "support/policies.h"
#include "syscalls/policy_apart.h"

static char what[POLICY_WHAT_SIZE];

static void write_policy(const char *name)
{
	struct policy *policy = policy_made("execve openat read write");
	struct policy_notes notes = { 0 };
	char *text = NULL;
	char *ended;
	size_t size;

	assert_int_equal(policy_format_find("json")->render(policy, 0, &notes, &text, &size), 0);
	ended = strndup(text, size);
	file_put(files_path(name), ended, 0600);
	free(ended);
	free(text);
	policy_notes_free(&notes);
	policy_free(policy);
}

/* Nothing stays of the child, nor the descriptor. */
static void check_left(int fd)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_policy_is_read(void **state)
{
	struct policy *policy = NULL;
	int fd;

	(void)state;
	write_policy("good");
	for (int is_ignored = 0; is_ignored < 2; is_ignored++) {
		signal(SIGCHLD, is_ignored ? SIG_IGN : SIG_DFL);
		fd = file_open(files_path("good"));
		assert_int_equal(policy_read_apart(fd, &policy, what), 0);
		assert_true(policy_takes(policy, 0, "openat"));
		assert_false(policy_takes(policy, 0, "ptrace"));
		policy_free(policy);
		check_left(fd);
	}
	signal(SIGCHLD, SIG_DFL);
}

static void expect(int fd, int err, const char *why)
{
	struct policy *policy = NULL;

	assert_int_equal(policy_read_apart(fd, &policy, what), err);
	assert_string_equal(what, why);
	assert_null(policy);
	check_left(fd);
}

static void test_what_is_none_is_said(void **state)
{
	(void)state;
	file_put(files_path("bad"), "{}", 0600);
	expect(file_open(files_path("bad")), -ENOMSG, "not a policy");
	expect(file_open(files_path("absent")), -ENOENT, "No such file or directory");
	expect(file_open(files_dir()), -EISDIR, "Is a directory");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, files_begin, files_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_policy_is_read),
		TEST(test_what_is_none_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
