/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/lines.h"

static struct lines lines;

static int text_fd(const char *text, size_t size)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void expect_line(const char *text, size_t size)
{
	const char *line;
	size_t line_size;

	assert_int_equal(lines_next(&lines, &line, &line_size), 1);
	assert_int_equal(line_size, size);
	assert_memory_equal(line, text, size);
}

static void expect_end(void)
{
	const char *line = "untouched";
	size_t size = 9;

	assert_int_equal(lines_next(&lines, &line, &size), 0);
	assert_string_equal(line, "untouched");
	assert_int_equal(size, 9);
}

static void test_lines_come_in_order_and_the_last_needs_no_newline(void **state)
{
	int fd = text_fd("one\n\ntwo\r\nw\0o\nlast", 18);

	(void)state;
	lines_begin(&lines, fd, UINT64_MAX);
	expect_line("one", 3);
	expect_line("", 0);
	expect_line("two\r", 4);
	expect_line("w\0o", 3);
	expect_line("last", 4);
	expect_end();
	expect_end();
	assert_int_equal(lines.nr_long, 0);
	assert_false(lines.is_cut);
	close(fd);
}

static void test_an_empty_text_has_no_line(void **state)
{
	int fd = text_fd("", 0);

	(void)state;
	lines_begin(&lines, fd, UINT64_MAX);
	expect_end();
	close(fd);
}

/* Each line lies across a piece at one size or another. */
static void test_lines_are_whole_across_pieces(void **state)
{
	enum {
		LINE = 1001,
		COUNT = 500
	};
	char *text = malloc(LINE * COUNT);
	int fd;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		memset(text + i * LINE, 'a' + i % 26, LINE - 1);
		text[i * LINE + LINE - 1] = '\n';
	}
	fd = text_fd(text, LINE * COUNT);
	lines_begin(&lines, fd, UINT64_MAX);
	for (int i = 0; i < COUNT; i++)
		expect_line(text + i * LINE, LINE - 1);
	expect_end();
	close(fd);
	free(text);
}

/* A text of BEFORE, SIZE times 'x', AFTER. */
static int long_fd(const char *before, size_t size, const char *after)
{
	size_t nr_before = strlen(before), nr_after = strlen(after);
	char *text = malloc(nr_before + size + nr_after);
	int fd;

	memcpy(text, before, nr_before);
	memset(text + nr_before, 'x', size);
	memcpy(text + nr_before + size, after, nr_after);
	fd = text_fd(text, nr_before + size + nr_after);
	free(text);
	return fd;
}

static void test_long_lines_are_skipped_and_counted_once(void **state)
{
	int fd = long_fd("a\n", 5 * LINES_SIZE + 7, "\nb\n");

	(void)state;
	lines_begin(&lines, fd, UINT64_MAX);
	expect_line("a", 1);
	expect_line("b", 1);
	expect_end();
	assert_int_equal(lines.nr_long, 1);
	close(fd);
}

static void test_a_long_line_at_the_end_is_skipped(void **state)
{
	int fd = long_fd("a\n", LINES_SIZE, "");

	(void)state;
	lines_begin(&lines, fd, UINT64_MAX);
	expect_line("a", 1);
	expect_end();
	assert_int_equal(lines.nr_long, 1);
	close(fd);
}

static void test_the_longest_line_is_told(void **state)
{
	int fd = long_fd("", LINES_SIZE - 1, "\nb");
	const char *line;
	size_t size;

	(void)state;
	lines_begin(&lines, fd, UINT64_MAX);
	assert_int_equal(lines_next(&lines, &line, &size), 1);
	assert_int_equal(size, LINES_SIZE - 1);
	expect_line("b", 1);
	expect_end();
	assert_int_equal(lines.nr_long, 0);
	close(fd);
}

static void test_no_more_than_the_limit_is_read(void **state)
{
	int fd = text_fd("one\ntwo\nthree\n", 14);

	(void)state;
	lines_begin(&lines, fd, 8);
	expect_line("one", 3);
	expect_line("two", 3);
	expect_end();
	assert_true(lines.is_cut);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	lines_begin(&lines, fd, 14);
	for (int i = 0; i < 3; i++) {
		const char *line;
		size_t size;

		assert_int_equal(lines_next(&lines, &line, &size), 1);
	}
	expect_end();
	assert_false(lines.is_cut);
	close(fd);
}

static void test_an_empty_pipe_is_asked_again(void **state)
{
	const char *line;
	size_t size;
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	lines_begin(&lines, pipe_fds[0], UINT64_MAX);
	assert_int_equal(lines_next(&lines, &line, &size), -EAGAIN);
	assert_int_equal(write(pipe_fds[1], "on", 2), 2);
	assert_int_equal(lines_next(&lines, &line, &size), -EAGAIN);
	assert_int_equal(write(pipe_fds[1], "e\nt", 3), 3);
	expect_line("one", 3);
	assert_int_equal(lines_next(&lines, &line, &size), -EAGAIN);
	close(pipe_fds[1]);
	expect_line("t", 1);
	expect_end();
	close(pipe_fds[0]);
}

static void test_errors_of_read_are_returned(void **state)
{
	const char *line;
	size_t size;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	lines_begin(&lines, fd, UINT64_MAX);
	assert_int_equal(lines_next(&lines, &line, &size), -EISDIR);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_come_in_order_and_the_last_needs_no_newline),
		cmocka_unit_test(test_an_empty_text_has_no_line),
		cmocka_unit_test(test_lines_are_whole_across_pieces),
		cmocka_unit_test(test_long_lines_are_skipped_and_counted_once),
		cmocka_unit_test(test_a_long_line_at_the_end_is_skipped),
		cmocka_unit_test(test_the_longest_line_is_told),
		cmocka_unit_test(test_no_more_than_the_limit_is_read),
		cmocka_unit_test(test_an_empty_pipe_is_asked_again),
		cmocka_unit_test(test_errors_of_read_are_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
