/* SPDX-License-Identifier: MIT */
/* What errors say, and the exit statuses that go with them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "support/capture.h"

/* STATUS was returned, and what was said is TEXT. */
#define SAYS(call, status, text)                                                                   \
	do {                                                                                       \
		int was;                                                                           \
                                                                                                   \
		capture_begin(STDERR_FILENO);                                                      \
		was = (call);                                                                      \
		assert_string_equal(capture_end(NULL), text);                                      \
		assert_int_equal(was, status);                                                     \
	} while (0)

static void test_error_without_advice(void **state)
{
	(void)state;
	SAYS(report_error("Cannot read '/a'", -EACCES), EXIT_ERROR,
	     "Error: Cannot read '/a'\n\nPermission denied\n");
}

static void test_output_that_fails(void **state)
{
	(void)state;
	SAYS(report_output("/a", -EACCES, false), EXIT_ERROR,
	     "Error: Cannot write to '/a'\n\nPermission denied\n\n"
	     "Solution: write to another file.\n");
	SAYS(report_output(NULL, -ENOSPC, false), EXIT_ERROR,
	     "Error: Cannot write to 'standard output'\n\nNo space left on device\n\n"
	     "Solution: make room, or write to a file elsewhere.\n");
	SAYS(report_output("/a", -EDQUOT, true), EXIT_ERROR,
	     "Error: Cannot write to '/a'\n\nDisk quota exceeded.\n"
	     "What it did not take goes to standard output.\n\n"
	     "Solution: make room, or write to a file elsewhere.\n");
	SAYS(report_output("/tmp/l", -ELOOP, false), EXIT_ERROR,
	     "Error: Cannot write to '/tmp/l'\n\nToo many levels of symbolic links\n\n"
	     "Solution: name the file that it leads to. A symbolic link in a directory\n"
	     "where others may write, or of another user, is not followed.\n");
}

static void test_names_of_files_cannot_act_on_a_terminal(void **state)
{
	const char *said;

	(void)state;
	capture_begin(STDERR_FILENO);
	report_output("/a\033[2J\n", -EACCES, false);
	said = capture_end(NULL);
	assert_null(strchr(said, '\033'));
	assert_ptr_equal(strstr(said, "\n"), strstr(said, "\n\nPermission denied"));
}

static void test_command_that_cannot_be_run(void **state)
{
	(void)state;
	SAYS(report_command("nothing", -ENOENT), 127,
	     "Error: Cannot execute 'nothing'\n\nNo such file or directory\n");
	SAYS(report_command("/etc", -EACCES), 126,
	     "Error: Cannot execute '/etc'\n\nPermission denied\n");
}

/* A log of NR lines, "line 1" and on. */
static const char *log_of(int nr)
{
	static char text[4096];
	size_t size = 0;

	for (int i = 1; i <= nr; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "line %d\n", i);
	return text;
}

static void test_end_of_the_log_is_shown_or_all_of_it(void **state)
{
	const char *said;
	int status;

	(void)state;
	capture_begin(STDERR_FILENO);
	status = report_load(-EINVAL, log_of(30), false);
	said = capture_end(NULL);
	assert_int_equal(status, EXIT_LOAD);
	assert_int_equal(strncmp(said, "Error: eBPF programs could not be loaded\n", 41), 0);
	assert_non_null(strstr(said, "Invalid argument. What the kernel said:\n"));
	assert_null(strstr(said, "line 10\n"));
	assert_non_null(strstr(said, "\nline 11\n"));
	assert_non_null(strstr(said, "\nline 30\n"));
	capture_begin(STDERR_FILENO);
	report_load(-EINVAL, log_of(30), true);
	said = capture_end(NULL);
	assert_non_null(strstr(said, "\nline 1\n"));
}

static void test_load_that_is_not_permitted_is_a_matter_of_rights(void **state)
{
	const char *said;
	int status;

	(void)state;
	capture_begin(STDERR_FILENO);
	status = report_load(-EPERM, "", false);
	said = capture_end(NULL);
	assert_int_equal(status, EXIT_PRIVILEGES);
	assert_int_equal(
		strncmp(said, "Error: Insufficient privileges to load eBPF programs\n", 53), 0);
	/* Which rights: those that this process lacks, tests/cmd/privileges.bats. */
	assert_non_null(strstr(said, "\nSolution: "));
}

static void test_kernel_that_is_too_old_for_anything(void **state)
{
	const char *said;
	int status;

	(void)state;
	capture_begin(STDERR_FILENO);
	status = report_old_kernel("");
	said = capture_end(NULL);
	assert_int_equal(status, EXIT_KERNEL);
	assert_int_equal(strncmp(said, "Error: Kernel not supported\n", 28), 0);
	assert_non_null(strstr(said, "\nDetected kernel: "));
	assert_non_null(strstr(said, "\nMinimum required: 4.15"));
	assert_non_null(strstr(said, "\nSolution: upgrade the kernel"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_without_advice),
		cmocka_unit_test(test_output_that_fails),
		cmocka_unit_test(test_names_of_files_cannot_act_on_a_terminal),
		cmocka_unit_test(test_command_that_cannot_be_run),
		cmocka_unit_test(test_end_of_the_log_is_shown_or_all_of_it),
		cmocka_unit_test(test_load_that_is_not_permitted_is_a_matter_of_rights),
		cmocka_unit_test(test_kernel_that_is_too_old_for_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
