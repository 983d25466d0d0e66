/* SPDX-License-Identifier: MIT */
/* Outputs that take no more: the disk is full, a limit is reached, the device is gone. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/output.h"
#include "support/capture.h"
#include "support/files.h"
#include "support/parsed.h"

static char file[64];

static int begin(void **state)
{
	files_begin(state);
	snprintf(file, sizeof(file), "%s", files_path("file"));
	return 0;
}

static void test_device_without_room_sends_everything_to_standard_output(void **state)
{
	struct output output;
	int errs[3];
	const char *text;

	(void)state;
	capture_begin(STDOUT_FILENO);
	errs[0] = output_open(&output, "/dev/full", NULL);
	errs[1] = output_write(&output, "one\n", 4);
	errs[2] = output_write(&output, "two\n", 4);
	text = capture_end(NULL);
	assert_int_equal(errs[0], 0);
	assert_int_equal(errs[1], 0);
	assert_int_equal(errs[2], 0);
	assert_string_equal(text, "one\ntwo\n");
	assert_true(output.failed);
	assert_int_equal(output.error, -ENOSPC);
	assert_int_equal(output_close(&output), 0);
}

static void test_standard_output_without_room_is_an_error(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	struct output output;
	int err;
	int again;

	(void)state;
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	output_open(&output, NULL, NULL);
	err = output_write(&output, "one\n", 4);
	again = output_write(&output, "two\n", 4);
	output_close(&output);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(full);
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(again, -ENOSPC);
}

static void test_named_output_and_standard_output_without_room_is_an_error(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	struct output output;
	int err;

	(void)state;
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	output_open(&output, "/dev/full", NULL);
	err = output_write(&output, "one\n", 4);
	output_close(&output);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(full);
	assert_int_equal(err, -ENOSPC);
}

/* Files of this process may have SIZE bytes from now on. Returns the limit before. */
static struct rlimit limit_files(rlim_t size)
{
	struct rlimit before;
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = size;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return before;
}

/* Writes the NR_PARTS PARTS to FILE, which takes LIMIT bytes. Returns what went to stdout instead.
 */
static const char *write_limited(struct output *output, const struct output_frame *frame,
				 const char *const *parts, size_t nr_parts, rlim_t limit)
{
	struct rlimit before;
	const char *text;
	int err = 0;

	assert_int_equal(output_open(output, file, NULL), 0);
	output->frame = frame;
	before = limit_files(limit);
	capture_begin(STDOUT_FILENO);
	for (size_t i = 0; !err && i < nr_parts; i++)
		err = output_write(output, parts[i], strlen(parts[i]));
	text = capture_end(NULL);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(err, 0);
	assert_int_equal(output_close(output), 0);
	return text;
}

static const char *const lines[] = { "{\"n\":1}\n", "{\"n\":2}\n", "{\"n\":3}\n" };

/* Wherever the file ends: each line is whole and in one place, and none is lost. */
static void test_full_file_ends_at_an_event_and_the_rest_goes_on(void **state)
{
	(void)state;
	for (rlim_t limit = 0; limit <= 26; limit++) {
		struct output output;
		const char *rest = write_limited(&output, NULL, lines, 3, limit);
		size_t in_file = limit / 8 < 3 ? limit / 8 : 3;
		char expected_file[32] = "";
		char expected_rest[32] = "";

		for (size_t i = 0; i < 3; i++) {
			char *to = i < in_file ? expected_file : expected_rest;

			memcpy(to + strlen(to), lines[i], strlen(lines[i]) + 1);
		}
		assert_string_equal(file_text(file), expected_file);
		assert_string_equal(rest, expected_rest);
		assert_int_equal(output.failed, in_file < 3);
		assert_int_equal(output.error, in_file < 3 ? -EFBIG : 0);
	}
}

static const struct output_frame array = { .open = "[\n", .close = "\n]\n", .separator = ',' };
static const char *const items[] = { "[\n{\"n\":1}", ",\n{\"n\":2}", ",\n{\"n\":3}", "\n]\n" };

/* How many elements the array TEXT has; -1 when it is none. */
static int array_size(const char *text)
{
	int nr_items = 0;

	if (parsed_count(text, strlen(text)) != 1 || *text != '[' || strchr(text + 1, '['))
		return -1;
	for (const char *at = text; (at = strchr(at, '{')); at++)
		nr_items++;
	return nr_items;
}

static int count_of(const char *text, char byte)
{
	int count = 0;

	for (; *text; text++)
		count += *text == byte;
	return count;
}

static void test_full_file_leaves_two_whole_arrays(void **state)
{
	int nr_closed = 0;

	(void)state;
	for (rlim_t limit = 9; limit < 30; limit++) {
		struct output output;
		const char *rest = write_limited(&output, &array, items, 4, limit);
		const char *here = file_text(file);

		assert_true(output.failed);
		assert_int_equal(count_of(here, '{') + count_of(rest, '{'), 3);
		assert_true(array_size(rest) >= 0);
		/* The end of the array takes three bytes, and parts end after 9, 18 and 27. */
		if (limit % 9 < 3)
			continue;
		assert_true(array_size(here) > 0);
		nr_closed++;
	}
	assert_int_equal(nr_closed, 12);
}

static void test_array_that_fails_at_once_goes_whole_to_standard_output(void **state)
{
	struct output output;
	const char *rest;

	(void)state;
	for (rlim_t limit = 0; limit < 9; limit++) {
		rest = write_limited(&output, &array, items, 4, limit);
		assert_int_equal(array_size(rest), 3);
		assert_string_equal(file_text(file), "");
	}
}

static void test_array_on_a_full_device_goes_whole_to_standard_output(void **state)
{
	struct output output;
	const char *text;
	int err = 0;

	(void)state;
	assert_int_equal(output_open(&output, "/dev/full", NULL), 0);
	output.frame = &array;
	capture_begin(STDOUT_FILENO);
	for (size_t i = 0; i < 4 && !err; i++)
		err = output_write(&output, items[i], strlen(items[i]));
	text = capture_end(NULL);
	output_close(&output);
	assert_int_equal(err, 0);
	assert_int_equal(array_size(text), 3);
}

static void test_array_that_fits_is_whole(void **state)
{
	struct output output;
	const char *rest = write_limited(&output, &array, items, 4, 30);

	(void)state;
	assert_string_equal(rest, "");
	assert_int_equal(array_size(file_text(file)), 3);
	assert_false(output.failed);
}

/* A real file system of one page. */
static void test_full_disk_ends_at_an_event_and_the_rest_goes_on(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	struct output output = { .fd = -1 };
	char event[101];
	const char *rest;
	size_t rest_size;
	size_t in_file;
	int err;

	(void)state;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", files_dir(), "tmpfs", 0, "nr_blocks=1,nr_inodes=4") < 0) {
		print_message("no right to mount a tmpfs\n");
		skip();
	}
	memset(event, 'x', 100);
	event[99] = '\n';
	event[100] = '\0';
	err = output_open(&output, file, NULL);
	capture_begin(STDOUT_FILENO);
	for (long i = 0; !err && i < 2 * page / 100; i++)
		err = output_write(&output, event, 100);
	rest = capture_end(&rest_size);
	output_close(&output);
	in_file = strlen(file_text(file));
	umount2(files_dir(), MNT_DETACH);
	assert_int_equal(err, 0);
	assert_int_equal(output.error, -ENOSPC);
	assert_int_equal(in_file, page / 100 * 100);
	assert_int_equal(rest_size, 2 * page / 100 * 100 - page / 100 * 100);
	assert_int_equal(rest[rest_size - 1], '\n');
}

/* What it was given up for is said once; a half-written part is not. */
static void test_full_standard_output_that_is_a_file_ends_at_an_event(void **state)
{
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct rlimit before;
	struct output output;
	int err = 0;

	(void)state;
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	output_open(&output, "-", NULL);
	output.frame = &array;
	before = limit_files(22);
	for (size_t i = 0; i < 4 && !err; i++)
		err = output_write(&output, items[i], strlen(items[i]));
	setrlimit(RLIMIT_FSIZE, &before);
	output_close(&output);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	assert_int_equal(err, -EFBIG);
	assert_false(output.failed);
	assert_int_equal(array_size(file_text(file)), 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, files_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_device_without_room_sends_everything_to_standard_output),
		TEST(test_standard_output_without_room_is_an_error),
		TEST(test_named_output_and_standard_output_without_room_is_an_error),
		TEST(test_full_file_ends_at_an_event_and_the_rest_goes_on),
		TEST(test_full_file_leaves_two_whole_arrays),
		TEST(test_array_that_fails_at_once_goes_whole_to_standard_output),
		TEST(test_array_on_a_full_device_goes_whole_to_standard_output),
		TEST(test_array_that_fits_is_whole),
		TEST(test_full_disk_ends_at_an_event_and_the_rest_goes_on),
		TEST(test_full_standard_output_that_is_a_file_ends_at_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
