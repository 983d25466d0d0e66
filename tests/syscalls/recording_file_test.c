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

#include <unistd.h>

#include "lib/file.h"
#include "syscalls/made_recording.h"
#include "syscalls/recording_file.h"

static char path[] = "/tmp/recording_file_test.XXXXXX";

static int begin(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static void test_file_is_read(void **state)
{
	struct recording *recording = made_random_run(4), *read = NULL;
	char what[RECORDING_WHAT_SIZE] = "untouched";
	char *text = made_text(recording), *again;

	(void)state;
	write_file(text);
	assert_int_equal(recording_read(file_open(path), &read, what), 0);
	again = made_text(read);
	assert_string_equal(again, text);
	assert_string_equal(what, "untouched");
	recording_free(recording);
	recording_free(read);
	free(text);
	free(again);
}

static void assert_refused(const char *name, int expected, const char *why)
{
	struct recording *recording = NULL;
	char what[RECORDING_WHAT_SIZE] = "";

	assert_int_equal(recording_read(file_open(name), &recording, what), expected);
	assert_null(recording);
	assert_string_equal(what, why);
}

static void test_what_is_wrong_is_said(void **state)
{
	(void)state;
	assert_refused("/nonexistent/file", -ENOENT, "No such file or directory");
	assert_refused("/tmp", -EISDIR, "Is a directory");
	assert_refused("/dev/zero", -ENODEV, "not a file or a pipe");
	write_file("");
	assert_refused(path, -EBADMSG, "not a recording: it is not JSON");
	write_file("{\"policy_version\":\"1.0\"}");
	assert_refused(path, -EBADMSG, "not a recording: it is a policy");
}

static void test_too_large_file_is_refused_unread(void **state)
{
	(void)state;
	write_file("{");
	assert_int_equal(truncate(path, (256 << 20) + 1), 0);
	assert_refused(path, -EFBIG, "larger than 256 MiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_read),
		cmocka_unit_test(test_what_is_wrong_is_said),
		cmocka_unit_test(test_too_large_file_is_refused_unread),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
