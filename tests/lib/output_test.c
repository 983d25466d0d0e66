/* SPDX-License-Identifier: MIT */
/* How an output is opened and written to. What happens when it is full: output_full_test.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/output.h"
#include "lib/stop.h"
#include "support/capture.h"
#include "support/files.h"

static char file[64];
static char link_path[64];

static int begin(void **state)
{
	files_begin(state);
	snprintf(file, sizeof(file), "%s", files_path("file"));
	snprintf(link_path, sizeof(link_path), "%s", files_path("link"));
	return 0;
}

static void write_text(struct output *output, const char *text)
{
	assert_int_equal(output_write(output, text, strlen(text)), 0);
}

static void test_new_file_is_private(void **state)
{
	struct output output;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(output_open(&output, file, NULL), 0);
	umask(mask);
	assert_true(output.is_file);
	write_text(&output, "one\n");
	write_text(&output, "two\n");
	assert_int_equal(output_close(&output), 0);
	assert_string_equal(file_text(file), "one\ntwo\n");
	assert_int_equal(file_mode(file), 0600);
}

static void test_existing_file_is_emptied_and_keeps_its_mode(void **state)
{
	struct output output;

	(void)state;
	file_put(file, "a long text that was there before\n", 0644);
	assert_int_equal(output_open(&output, file, NULL), 0);
	/* Not before there is something to put in its place. */
	assert_string_equal(file_text(file), "a long text that was there before\n");
	write_text(&output, "new\n");
	assert_int_equal(output_close(&output), 0);
	assert_string_equal(file_text(file), "new\n");
	assert_int_equal(file_mode(file), 0644);
}

static void test_relative_path_is_in_the_working_directory(void **state)
{
	struct output output;
	int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	(void)state;
	assert_int_equal(chdir(files_dir()), 0);
	err = output_open(&output, "file", NULL);
	assert_int_equal(fchdir(before), 0);
	close(before);
	assert_int_equal(err, 0);
	write_text(&output, "x");
	assert_int_equal(output_close(&output), 0);
	assert_string_equal(file_text(file), "x");
}

/* Returns what opening LINK_PATH gave, with the directory in MODE; writes where it was opened. */
static int open_link(mode_t mode)
{
	struct output output;
	int err;

	file_put(file, "precious\n", 0600);
	assert_int_equal(symlink(file, link_path), 0);
	assert_int_equal(chmod(files_dir(), mode), 0);
	err = output_open(&output, link_path, NULL);
	if (!err) {
		write_text(&output, "new\n");
		output_close(&output);
	}
	return err;
}

static void test_link_in_sticky_world_writable_directory_is_refused(void **state)
{
	(void)state;
	assert_int_equal(open_link(01777), -ELOOP);
	assert_string_equal(file_text(file), "precious\n");
}

static void test_link_in_group_writable_directory_is_refused(void **state)
{
	(void)state;
	assert_int_equal(open_link(0770), -ELOOP);
	assert_string_equal(file_text(file), "precious\n");
}

static void test_link_in_private_directory_is_followed(void **state)
{
	(void)state;
	assert_int_equal(open_link(0755), 0);
	assert_string_equal(file_text(file), "new\n");
}

static void test_dangling_link_in_world_writable_directory_makes_nothing(void **state)
{
	struct output output;

	(void)state;
	assert_int_equal(symlink(file, link_path), 0);
	assert_int_equal(chmod(files_dir(), 01777), 0);
	assert_int_equal(output_open(&output, link_path, NULL), -ELOOP);
	assert_int_equal(access(file, F_OK), -1);
}

static void test_file_in_world_writable_directory_is_opened(void **state)
{
	struct output output;

	(void)state;
	file_put(file, "old\n", 0640);
	assert_int_equal(chmod(files_dir(), 01777), 0);
	assert_int_equal(output_open(&output, file, NULL), 0);
	write_text(&output, "new\n");
	assert_int_equal(output_close(&output), 0);
	assert_string_equal(file_text(file), "new\n");
	assert_int_equal(file_mode(file), 0640);
}

static void test_path_that_cannot_be_opened_is_an_error(void **state)
{
	char path[128];
	struct output output;

	(void)state;
	assert_int_equal(output_open(&output, "", NULL), -ENOENT);
	snprintf(path, sizeof(path), "%s/none/file", files_dir());
	assert_int_equal(output_open(&output, path, NULL), -ENOENT);
	assert_int_equal(output_open(&output, files_dir(), NULL), -EISDIR);
	file_put(file, "", 0600);
	snprintf(path, sizeof(path), "%s/below", file);
	assert_int_equal(output_open(&output, path, NULL), -ENOTDIR);
	assert_int_equal(output_open(&output, "/dev/fd/999", NULL), -EBADF);
	/* nothing was opened: closing is harmless */
	assert_int_equal(output.fd, -1);
	assert_int_equal(output_close(&output), 0);
}

static void test_path_that_ends_in_a_slash_is_a_directory(void **state)
{
	char path[128];
	struct output output;

	(void)state;
	snprintf(path, sizeof(path), "%s/", file);
	assert_int_equal(output_open(&output, path, NULL), -EISDIR);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(output_open(&output, "/", NULL), -EISDIR);
}

static void test_names_of_standard_output_write_there(void **state)
{
	static const char *const names[] = { NULL, "-", "/dev/stdout", "/dev/fd/1",
					     "/proc/self/fd/1" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct output output;
		int err;
		int write_err = -1;

		capture_begin(STDOUT_FILENO);
		err = output_open(&output, names[i], NULL);
		if (!err)
			write_err = output_write(&output, "x\n", 2);
		output_close(&output);
		assert_string_equal(capture_end(NULL), "x\n");
		assert_int_equal(err, 0);
		assert_int_equal(write_err, 0);
	}
}

static void test_standard_error_can_be_named(void **state)
{
	struct output output;
	int err;

	(void)state;
	capture_begin(STDERR_FILENO);
	err = output_open(&output, "/dev/stderr", NULL);
	output_write(&output, "x\n", 2);
	output_close(&output);
	assert_string_equal(capture_end(NULL), "x\n");
	assert_int_equal(err, 0);
}

/* The program goes on to write messages: closing the output must leave the descriptor open. */
static void test_named_descriptor_is_appended_to_and_left_open(void **state)
{
	struct output output;
	char path[32];
	int fd;

	(void)state;
	file_put(file, "before\n", 0600);
	fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	assert_int_equal(output_open(&output, path, NULL), 0);
	assert_true(output.fd > STDERR_FILENO);
	assert_int_not_equal(output.fd, fd);
	write_text(&output, "after\n");
	assert_int_equal(output_close(&output), 0);
	assert_int_equal(write(fd, "last\n", 5), 5);
	close(fd);
	assert_string_equal(file_text(file), "before\nafter\nlast\n");
}

static void test_name_that_only_looks_like_a_descriptor_is_a_file(void **state)
{
	static const char *const names[] = { "/dev/fd/",
					     "/dev/fd/1x",
					     "/dev/fd/-1",
					     "/dev/fd/ 1",
					     "/dev/fd/99999999999999999999",
					     "/dev/fd/4294967297" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct output output;
		int err = output_open(&output, names[i], NULL);

		assert_true(err < 0);
		assert_int_equal(output.fd, -1);
	}
}

static void test_close_is_safe_twice_and_on_zero(void **state)
{
	struct output output = { 0 };

	(void)state;
	assert_int_equal(output_close(&output), 0);
	assert_int_equal(output_open(&output, file, NULL), 0);
	assert_int_equal(output_close(&output), 0);
	assert_int_equal(output.fd, -1);
	assert_int_equal(output_close(&output), 0);
	assert_true(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

static void test_closed_reader_is_epipe(void **state)
{
	struct output output;
	char path[32];
	int ends[2];
	int err;
	size_t size;
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	assert_int_equal(output_open(&output, path, NULL), 0);
	write_text(&output, "read\n");
	close(ends[0]);
	capture_begin(STDOUT_FILENO);
	err = output_write(&output, "lost\n", 5);
	capture_end(&size);
	assert_int_equal(err, -EPIPE);
	assert_int_equal(size, 0);
	assert_false(output.failed);
	output_close(&output);
	close(ends[1]);
	signal(SIGPIPE, before);
}

/* Somebody else who has the pipe open may do this to it at any time. */
static void test_non_blocking_pipe_is_waited_for(void **state)
{
	static char bytes[1 << 18];
	struct output output;
	char path[32];
	int ends[2];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	pid = fork();
	if (pid == 0) {
		size_t size = 0;

		close(ends[1]);
		fcntl(ends[0], F_SETFL, 0);
		for (ssize_t n; (n = read(ends[0], bytes, sizeof(bytes))) > 0;)
			size += (size_t)n;
		_exit(size == sizeof(bytes) ? 0 : 1);
	}
	close(ends[0]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	assert_int_equal(output_open(&output, path, NULL), 0);
	assert_int_equal(output_write(&output, bytes, sizeof(bytes)), 0);
	assert_false(output.failed);
	output_close(&output);
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void on_alarm(int number)
{
	(void)number;
}

/* In a process of its own: a reader that does not read, and a signal every 50 ms. */
static int write_to_blocked_pipe(void)
{
	static char bytes[1 << 20];
	struct output output;
	char path[32];
	int ends[2];

	if (pipe(ends) || stop_install())
		return 1;
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	if (output_open(&output, path, &stop_give_up))
		return 2;
	stop_begin();
	return output_write(&output, bytes, sizeof(bytes)) == -EINTR && stop_give_up ? 0 : 3;
}

static void test_blocked_reader_is_given_up(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(write_to_blocked_pipe());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A signal without the flag: the write is continued, and what the reader gets is whole. */
static void test_interrupted_write_is_continued(void **state)
{
	static char bytes[1 << 20];
	const struct sigaction action = { .sa_handler = on_alarm };
	static const volatile sig_atomic_t never;
	struct output output;
	char path[32];
	int ends[2];
	pid_t parent = getpid();
	size_t size = 0;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		ssize_t n;

		close(ends[1]);
		do {
			kill(parent, SIGALRM);
			n = read(ends[0], bytes, 4096);
			for (ssize_t i = 0; i < n; i++)
				if (bytes[i] != 'x')
					_exit(1);
			size += n > 0 ? (size_t)n : 0;
		} while (n > 0);
		_exit(size == sizeof(bytes) ? 0 : 2);
	}
	close(ends[0]);
	memset(bytes, 'x', sizeof(bytes));
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	assert_int_equal(output_open(&output, path, &never), 0);
	assert_int_equal(output_write(&output, bytes, sizeof(bytes)), 0);
	output_close(&output);
	close(ends[1]);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_memory_takes_all_and_touches_no_descriptor(void **state)
{
	struct output_text text = { 0 };
	struct output output;
	char line[32];
	size_t size = 0;

	(void)state;
	output_memory(&output, &text);
	for (int i = 0; i < 10000; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		size += strlen(line);
		write_text(&output, line);
	}
	assert_int_equal(output_close(&output), 0);
	assert_false(output.failed);
	assert_int_equal(text.size, size);
	assert_true(text.cap >= text.size);
	assert_memory_equal(text.bytes, "line 0\nline 1\n", 14);
	assert_memory_equal(text.bytes + text.size - 10, "line 9999\n", 10);
	free(text.bytes);
}

static void test_memory_is_added_to(void **state)
{
	struct output_text text = { 0 };
	struct output output;

	(void)state;
	output_memory(&output, &text);
	write_text(&output, "one");
	output_memory(&output, &text);
	write_text(&output, "two");
	assert_int_equal(output_write(&output, "\0", 1), 0);
	assert_int_equal(text.size, 7);
	assert_memory_equal(text.bytes, "onetwo\0", 7);
	free(text.bytes);
}

static void test_memory_of_nothing_has_no_size(void **state)
{
	struct output_text text = { 0 };
	struct output output;

	(void)state;
	output_memory(&output, &text);
	assert_int_equal(output_write(&output, "", 0), 0);
	assert_int_equal(text.size, 0);
	assert_int_equal(output_close(&output), 0);
	free(text.bytes);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, files_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_file_is_private),
		TEST(test_existing_file_is_emptied_and_keeps_its_mode),
		TEST(test_relative_path_is_in_the_working_directory),
		TEST(test_link_in_sticky_world_writable_directory_is_refused),
		TEST(test_link_in_group_writable_directory_is_refused),
		TEST(test_link_in_private_directory_is_followed),
		TEST(test_dangling_link_in_world_writable_directory_makes_nothing),
		TEST(test_file_in_world_writable_directory_is_opened),
		TEST(test_path_that_cannot_be_opened_is_an_error),
		TEST(test_path_that_ends_in_a_slash_is_a_directory),
		TEST(test_names_of_standard_output_write_there),
		TEST(test_standard_error_can_be_named),
		TEST(test_named_descriptor_is_appended_to_and_left_open),
		TEST(test_name_that_only_looks_like_a_descriptor_is_a_file),
		TEST(test_close_is_safe_twice_and_on_zero),
		TEST(test_closed_reader_is_epipe),
		TEST(test_non_blocking_pipe_is_waited_for),
		TEST(test_blocked_reader_is_given_up),
		TEST(test_interrupted_write_is_continued),
		TEST(test_memory_takes_all_and_touches_no_descriptor),
		TEST(test_memory_is_added_to),
		TEST(test_memory_of_nothing_has_no_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
