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
#include <sys/stat.h>
#include <unistd.h>

#include "lib/save.h"
#include "support/files.h"

static void test_a_new_file_is_private_and_whole(void **state)
{
	const char *path = files_path("new");

	(void)state;
	assert_int_equal(save_check(path), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(save_file(path, "text", 4), 0);
	assert_string_equal(file_text(path), "text");
	assert_int_equal(file_mode(path), 0600);
	unlink(path);
}

static void test_an_old_file_is_replaced_and_keeps_its_mode(void **state)
{
	const char *path = files_path("old");
	struct stat before, after;
	int fd;
	char text[8] = "";

	(void)state;
	file_put(path, "before", 0644);
	assert_int_equal(stat(path, &before), 0);
	/* Who has it open goes on reading the old one. */
	fd = open(path, O_RDONLY);
	assert_int_equal(save_check(path), 0);
	assert_string_equal(file_text(path), "before");
	assert_int_equal(save_file(path, "after", 5), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_string_equal(file_text(path), "after");
	assert_int_equal(file_mode(path), 0644);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(read(fd, text, sizeof(text)), 6);
	assert_string_equal(text, "before");
	close(fd);
	unlink(path);
}

static void test_a_link_is_followed_and_stays(void **state)
{
	const char *link = files_path("link"), *target = files_path("target");
	struct stat st;

	(void)state;
	file_put(target, "before", 0600);
	assert_int_equal(symlink("target", link), 0);
	assert_int_equal(save_file(link, "after", 5), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_string_equal(file_text(target), "after");
	unlink(link);
	unlink(target);
}

static void test_a_link_where_others_may_write_is_refused(void **state)
{
	const char *link = files_path("trap"), *target = files_path("victim");

	(void)state;
	file_put(target, "before", 0600);
	assert_int_equal(chmod(files_dir(), 01777), 0);
	assert_int_equal(symlink("victim", link), 0);
	assert_int_equal(save_check(link), -ELOOP);
	assert_int_equal(save_file(link, "after", 5), -ELOOP);
	assert_string_equal(file_text(target), "before");
	chmod(files_dir(), 0700);
	unlink(link);
	unlink(target);
}

static void test_what_cannot_be_written_is_told_before(void **state)
{
	char path[600];

	(void)state;
	assert_int_equal(save_check(""), -ENOENT);
	assert_int_equal(save_check("/no/such/directory/file"), -ENOENT);
	assert_int_equal(save_check(files_dir()), -EISDIR);
	assert_int_equal(save_file(files_dir(), "x", 1), -EISDIR);
	snprintf(path, sizeof(path), "%s/", files_path("new"));
	assert_int_equal(save_check(path), -EISDIR);
	snprintf(path, sizeof(path), "%s/%0300d", files_dir(), 0);
	assert_int_equal(save_check(path), -ENAMETOOLONG);
}

static void test_what_is_no_regular_file_is_written_as_it_is(void **state)
{
	const char *fifo = files_path("fifo");
	char text[8] = "";
	int fd;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(save_check(fifo), 0);
	/* Looking at it was no end of file. */
	assert_int_equal(save_file(fifo, "text", 4), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 4);
	assert_string_equal(text, "text");
	close(fd);
	unlink(fifo);
	assert_int_equal(save_check("/dev/null"), 0);
	assert_int_equal(save_file("/dev/null", "text", 4), 0);
	assert_int_equal(save_file("/dev/full", "text", 4), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_file_is_private_and_whole),
		cmocka_unit_test(test_an_old_file_is_replaced_and_keeps_its_mode),
		cmocka_unit_test(test_a_link_is_followed_and_stays),
		cmocka_unit_test(test_a_link_where_others_may_write_is_refused),
		cmocka_unit_test(test_what_cannot_be_written_is_told_before),
		cmocka_unit_test(test_what_is_no_regular_file_is_written_as_it_is),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
