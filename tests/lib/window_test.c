/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/window.h"
#include "support/guard.h"

#define FILE_SIZE (200U << 10)

/* What is at OFFSET of the file. */
static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 7 + offset / 251);
}

static int file_of(size_t size)
{
	int fd = memfd_create("window", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t at = 0; at < size; at++) {
		uint8_t byte = byte_at(at);

		if (at % 4096 == 0)
			assert_int_equal(ftruncate(fd, (off_t)size), 0);
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	}
	return fd;
}

static void check_bytes(const uint8_t *bytes, uint64_t offset, size_t size)
{
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], byte_at(offset + i));
}

static void test_get_gives_the_bytes_wherever_they_are(void **state)
{
	static const uint64_t offsets[] = { 0, 5, 100, 70000, 16, 199000, FILE_SIZE - 16, 65530 };
	int fd = file_of(FILE_SIZE);
	struct window window;

	(void)state;
	assert_int_equal(window_open(&window, fd, FILE_SIZE, UINT64_MAX), 0);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		check_bytes(window_get(&window, offsets[i], 16), offsets[i], 16);
	check_bytes(window_get(&window, 1000, WINDOW_SIZE), 1000, WINDOW_SIZE);
	window_close(&window);
	close(fd);
}

static void test_get_refuses_what_is_not_there(void **state)
{
	int fd = file_of(1000);
	struct window window;

	(void)state;
	assert_int_equal(window_open(&window, fd, 1000, UINT64_MAX), 0);
	assert_null(window_get(&window, 990, 11));
	assert_null(window_get(&window, 1000, 1));
	assert_null(window_get(&window, UINT64_MAX, 2));
	assert_null(window_get(&window, 0, WINDOW_SIZE + 1));
	check_bytes(window_get(&window, 990, 10), 990, 10);
	window_close(&window);
	close(fd);
}

static void test_some_goes_to_the_end(void **state)
{
	int fd = file_of(FILE_SIZE);
	struct window window;
	uint64_t at = 0;
	size_t size = 0;

	(void)state;
	assert_int_equal(window_open(&window, fd, FILE_SIZE, UINT64_MAX), 0);
	while (at < FILE_SIZE) {
		check_bytes(window_some(&window, at, &size), at, 1);
		assert_in_range(size, 1, WINDOW_SIZE);
		check_bytes(window_some(&window, at, &size), at, size);
		at += size;
	}
	assert_int_equal(at, FILE_SIZE);
	assert_null(window_some(&window, at, &size));
	window_close(&window);
	close(fd);
}

static void test_what_is_in_the_buffer_is_not_read_again(void **state)
{
	int fd = file_of(FILE_SIZE);
	struct window window;
	uint64_t budget;

	(void)state;
	assert_int_equal(window_open(&window, fd, FILE_SIZE, 1U << 20), 0);
	check_bytes(window_get(&window, 0, 64), 0, 64);
	budget = window.budget;
	for (uint64_t at = 0; at < 8192; at += 64)
		check_bytes(window_get(&window, at, 64), at, 64);
	assert_int_equal(window.budget, budget);
	window_close(&window);
	close(fd);
}

static void test_budget_is_never_passed(void **state)
{
	int fd = file_of(FILE_SIZE);
	struct window window;
	size_t size = 0, total = 0;

	(void)state;
	assert_int_equal(window_open(&window, fd, FILE_SIZE, 100000), 0);
	while (window_some(&window, total, &size))
		total += size;
	assert_int_equal(total, 100000);
	assert_int_equal(window.budget, 0);
	assert_null(window_get(&window, 0, 1));
	window_close(&window);
	close(fd);
}

static void test_file_that_shrank_is_an_end(void **state)
{
	int fd = file_of(5000);
	struct window window;
	size_t size = 0;

	(void)state;
	assert_int_equal(window_open(&window, fd, FILE_SIZE, UINT64_MAX), 0);
	check_bytes(window_some(&window, 4000, &size), 4000, 1000);
	assert_int_equal(size, 1000);
	assert_null(window_some(&window, 5000, &size));
	assert_null(window_get(&window, 4990, 11));
	check_bytes(window_get(&window, 4990, 10), 4990, 10);
	window_close(&window);
	close(fd);
}

static void test_what_cannot_be_read_is_null(void **state)
{
	struct window window;
	size_t size = 0;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(window_open(&window, fd, 4096, UINT64_MAX), 0);
	assert_null(window_get(&window, 0, 16));
	assert_null(window_some(&window, 0, &size));
	window_close(&window);
	close(fd);
}

static void test_memory_ends_where_it_ends(void **state)
{
	uint8_t bytes[100];
	const void *guarded;
	struct window window;
	size_t size = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = byte_at(i);
	guarded = guard_copy(bytes, sizeof(bytes));
	window_memory(&window, guarded, sizeof(bytes));
	check_bytes(window_get(&window, 90, 10), 90, 10);
	assert_null(window_get(&window, 91, 10));
	check_bytes(window_some(&window, 40, &size), 40, 60);
	assert_int_equal(size, 60);
	assert_null(window_some(&window, 100, &size));
	window_close(&window);
	assert_null(window_get(&window, 0, 1));
	guard_free(guarded, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_gives_the_bytes_wherever_they_are),
		cmocka_unit_test(test_get_refuses_what_is_not_there),
		cmocka_unit_test(test_some_goes_to_the_end),
		cmocka_unit_test(test_what_is_in_the_buffer_is_not_read_again),
		cmocka_unit_test(test_budget_is_never_passed),
		cmocka_unit_test(test_file_that_shrank_is_an_end),
		cmocka_unit_test(test_what_cannot_be_read_is_null),
		cmocka_unit_test(test_memory_ends_where_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
