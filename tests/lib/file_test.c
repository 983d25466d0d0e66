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
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

static char path[] = "/tmp/file_test.XXXXXX";

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

static void write_file(const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *name, const char *bytes, size_t size)
{
	char *text = NULL;
	size_t read = 0;

	assert_int_equal(file_read(name, 1 << 20, &text, &read), 0);
	assert_int_equal(read, size);
	assert_memory_equal(text, bytes, size);
	assert_int_equal(text[size], '\0');
	free(text);
}

static int error_of(const char *name, size_t max)
{
	char *text = NULL;
	size_t size = 77;
	int err = file_read(name, max, &text, &size);

	assert_null(text);
	assert_int_equal(size, 77);
	return err;
}

static void test_file_is_read_whole(void **state)
{
	static char bytes[200000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	write_file(bytes, sizeof(bytes));
	assert_content(path, bytes, sizeof(bytes));
	write_file("", 0);
	assert_content(path, "", 0);
	write_file("a\0b", 3);
	assert_content(path, "a\0b", 3);
}

/* Files of /proc say that they are empty. */
static void test_size_that_is_told_is_not_believed(void **state)
{
	char *text = NULL;
	size_t size = 0;

	(void)state;
	assert_int_equal(file_read("/proc/self/status", 1 << 20, &text, &size), 0);
	assert_true(size > 100 && strncmp(text, "Name:", 5) == 0);
	free(text);
}

static void test_more_than_the_maximum_is_refused(void **state)
{
	(void)state;
	write_file("12345", 5);
	assert_int_equal(error_of(path, 4), -EFBIG);
	assert_int_equal(error_of("/proc/self/status", 4), -EFBIG);
	assert_content(path, "12345", 5);
}

static void test_what_cannot_be_read_is_refused(void **state)
{
	(void)state;
	assert_int_equal(error_of("/nonexistent/file", 10), -ENOENT);
	assert_int_equal(error_of("", 10), -ENOENT);
	assert_int_equal(error_of("/tmp", 10), -EISDIR);
	assert_int_equal(error_of("/dev/zero", 10), -ENODEV);
	assert_int_equal(error_of("/dev/null", 10), -ENODEV);
}

struct writing {
	int fd;
	const char *bytes;
	size_t size;
	int err;
};

/* Writes in pieces, slowly, so that the reader has to wait. */
static void *write_slowly(void *argument)
{
	struct writing *writing = argument;

	for (size_t at = 0; at < writing->size; at += 40000) {
		size_t piece = writing->size - at < 40000 ? writing->size - at : 40000;

		usleep(5000);
		if (write(writing->fd, writing->bytes + at, piece) != (ssize_t)piece)
			break;
	}
	close(writing->fd);
	return NULL;
}

static void *write_at_once(void *argument)
{
	struct writing *writing = argument;

	writing->err = file_write_fd(writing->fd, writing->bytes, writing->size);
	close(writing->fd);
	return NULL;
}

/* Puts FD in the place of standard input, and back. */
static void assert_input(int fd, struct writing *writing)
{
	int kept = dup(STDIN_FILENO);
	pthread_t thread;

	assert_true(kept >= 0);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(pthread_create(&thread, NULL, write_slowly, writing), 0);
	assert_content("-", writing->bytes, writing->size);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	close(kept);
	close(fd);
}

static void test_standard_input_is_a_pipe_or_a_socket(void **state)
{
	static char bytes[300000];
	int fds[2];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(pipe(fds), 0);
	assert_input(fds[0], &(struct writing){ fds[1], bytes, sizeof(bytes), 0 });
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_input(fds[0], &(struct writing){ fds[1], bytes, sizeof(bytes), 0 });
	/* one that does not block is waited for */
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
	assert_input(fds[0], &(struct writing){ fds[1], bytes, sizeof(bytes), 0 });
}

static void test_a_descriptor_is_read_from_where_it_stands(void **state)
{
	char *text = NULL;
	size_t size = 0;
	int fd;

	(void)state;
	write_file("0123456789", 10);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
	assert_int_equal(file_read_fd(fd, 10, &text, &size), 0);
	assert_int_equal(size, 6);
	assert_string_equal(text, "456789");
	free(text);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
	assert_int_equal(file_read_fd(fd, 10, &text, &size), -EBADF);
}

/* More than a pipe holds, so that it comes in pieces; and what is there when it is less. */
static void test_a_buffer_is_filled_until_the_end(void **state)
{
	static char bytes[300000], got[sizeof(bytes) + 1];
	struct writing writing;
	pthread_t thread;
	int fds[2];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i % 251);
	assert_int_equal(pipe(fds), 0);
	writing = (struct writing){ fds[1], bytes, sizeof(bytes), 0 };
	assert_int_equal(pthread_create(&thread, NULL, write_at_once, &writing), 0);
	assert_int_equal(file_fill(fds[0], got, 1000), 1000);
	assert_int_equal(file_fill(fds[0], got + 1000, sizeof(got) - 1000), sizeof(bytes) - 1000);
	pthread_join(thread, NULL);
	assert_memory_equal(got, bytes, sizeof(bytes));
	close(fds[0]);
	assert_int_equal(file_fill(fds[0], got, 1), -EBADF);

	write_file("0123456789", 10);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_fill_at(fd, got, 3, 4), 3);
	assert_memory_equal(got, "456", 3);
	assert_int_equal(file_fill_at(fd, got, sizeof(got), 8), 2);
	assert_int_equal(file_fill_at(fd, got, 1, 10), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	close(fd);
	assert_int_equal(file_fill_at(fd, got, 1, 0), -EBADF);
}

/* More than a pipe holds, so that it is taken in pieces. */
static void test_all_of_it_is_written(void **state)
{
	static char bytes[300000];
	struct writing writing;
	char *text = NULL;
	size_t size = 0;
	pthread_t thread;
	int fds[2];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i % 251);
	assert_int_equal(pipe(fds), 0);
	writing = (struct writing){ fds[1], bytes, sizeof(bytes), 0 };
	assert_int_equal(pthread_create(&thread, NULL, write_at_once, &writing), 0);
	assert_int_equal(file_read_fd(fds[0], sizeof(bytes), &text, &size), 0);
	pthread_join(thread, NULL);
	assert_int_equal(writing.err, 0);
	assert_int_equal(size, sizeof(bytes));
	assert_memory_equal(text, bytes, size);
	free(text);
	close(fds[0]);
	assert_int_equal(file_write_fd(fds[0], "x", 1), -EBADF);
	assert_int_equal(file_write_fd(fds[0], "", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_read_whole),
		cmocka_unit_test(test_size_that_is_told_is_not_believed),
		cmocka_unit_test(test_more_than_the_maximum_is_refused),
		cmocka_unit_test(test_what_cannot_be_read_is_refused),
		cmocka_unit_test(test_standard_input_is_a_pipe_or_a_socket),
		cmocka_unit_test(test_a_descriptor_is_read_from_where_it_stands),
		cmocka_unit_test(test_a_buffer_is_filled_until_the_end),
		cmocka_unit_test(test_all_of_it_is_written),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
