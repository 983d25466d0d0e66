/* SPDX-License-Identifier: MIT */
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
#include <unistd.h>

#include "lib/sha256.h"
#include "support/files.h"

/* The digests of FIPS 180-4's examples, and of a million times "a". */
#define OF_NOTHING   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_ABC	     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OF_MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void assert_hash(const char *text, const char *want)
{
	char found[SHA256_TEXT];
	int fd;

	file_put(files_path("bytes"), text, 0600);
	fd = open(files_path("bytes"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(sha256_file(fd, found), 0);
	assert_string_equal(found, want);
	close(fd);
}

static void test_the_examples_of_the_standard(void **state)
{
	char *text = calloc(1, 1000001);

	(void)state;
	assert_hash("", OF_NOTHING);
	assert_hash("abc", OF_ABC);
	memset(text, 'a', 1000000);
	assert_hash(text, OF_MILLION_A);
	free(text);
}

static void test_where_the_file_stands_does_not_matter(void **state)
{
	char found[SHA256_TEXT];
	int fd;

	(void)state;
	file_put(files_path("bytes"), "abc", 0600);
	fd = open(files_path("bytes"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	assert_int_equal(sha256_file(fd, found), 0);
	assert_string_equal(found, OF_ABC);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 2);
	close(fd);
}

static void test_what_cannot_be_read_leaves_the_output(void **state)
{
	char found[SHA256_TEXT] = "as it was";
	int ends[2];
	int fd = open(files_dir(), O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(sha256_file(-1, found), -EBADF);
	assert_int_equal(sha256_file(fd, found), -EISDIR);
	close(fd);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(sha256_file(ends[0], found), -ESPIPE);
	close(ends[0]);
	close(ends[1]);
	assert_string_equal(found, "as it was");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_examples_of_the_standard, files_begin,
						files_end),
		cmocka_unit_test_setup_teardown(test_where_the_file_stands_does_not_matter,
						files_begin, files_end),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_read_leaves_the_output,
						files_begin, files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
