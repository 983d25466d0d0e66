/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspect/search.h"
#include "support/guard.h"

#define NEEDLE(text)                                                                               \
	{                                                                                          \
		.bytes = (text), .size = sizeof(text) - 1                                          \
	}

static const struct needle needles[] = {
	NEEDLE("needle"),
	NEEDLE("edlen"),
	NEEDLE("needle in a haystack"),
	{ .bytes = "\0\0\0\0rare", .size = 8, .rare = 3 },
};

struct found {
	size_t count[4];
	uint64_t last[4];
	uint64_t begin, end; /* of what is searched */
};

static void take(void *ctx, size_t which, const struct hit *hit)
{
	struct found *found = ctx;
	uint64_t before = hit->offset - found->begin, after = found->end - hit->offset;

	assert_int_equal(memcmp(hit->bytes + hit->at, needles[which].bytes, needles[which].size),
			 0);
	assert_true(hit->at >= (before < SEARCH_CONTEXT ? before : SEARCH_CONTEXT));
	assert_true(hit->size - hit->at >= (after < SEARCH_CONTEXT ? after : SEARCH_CONTEXT));
	assert_true(hit->at <= before && hit->size - hit->at <= after);
	found->count[which]++;
	found->last[which] = hit->offset;
}

static bool search(struct window *window, uint64_t offset, uint64_t size, struct found *found)
{
	const struct needle_group group = { needles, 4, take, found };
	struct search *it = NULL;
	bool is_whole;

	*found = (struct found){ .begin = offset, .end = offset + size };
	assert_int_equal(search_new(&it, &group, 1), 0);
	is_whole = search_run(it, window, offset, size);
	search_free(it);
	return is_whole;
}

static void test_overlapping_hits_are_told_once_each(void **state)
{
	static const char text[] = "a needleneedle in a haystack\0\0\0\0\0rare needl";
	const void *bytes = guard_copy(text, sizeof(text) - 1);
	struct window window;
	struct found found;

	(void)state;
	window_memory(&window, bytes, sizeof(text) - 1);
	assert_true(search(&window, 0, sizeof(text) - 1, &found));
	assert_int_equal(found.count[0], 2);
	assert_int_equal(found.count[1], 1);
	assert_int_equal(found.count[2], 1);
	assert_int_equal(found.last[2], 8);
	assert_int_equal(found.count[3], 1);
	assert_int_equal(found.last[3], 29);
	guard_free(bytes, sizeof(text) - 1);
}

static void test_only_the_part_is_searched(void **state)
{
	static const char text[] = "needle needle needle";
	struct window window;
	struct found found;

	(void)state;
	window_memory(&window, text, sizeof(text) - 1);
	assert_true(search(&window, 1, 14, &found));
	assert_int_equal(found.count[0], 1);
	assert_int_equal(found.last[0], 7);
}

static void test_hits_across_windows_are_found_once(void **state)
{
	const size_t size = 3 * WINDOW_SIZE;
	char *bytes = calloc(1, size);
	int fd = memfd_create("search", MFD_CLOEXEC);

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	for (size_t at = WINDOW_SIZE - 600; at < WINDOW_SIZE + 8; at++) {
		struct window window;
		struct found found;

		assert_int_equal(pwrite(fd, "needle in a haystack", 20, (off_t)at), 20);
		assert_int_equal(window_open(&window, fd, size, UINT64_MAX), 0);
		assert_true(search(&window, 0, size, &found));
		assert_int_equal(found.count[2], 1);
		assert_int_equal(found.last[2], at);
		window_close(&window);
		assert_int_equal(pwrite(fd, bytes, 20, (off_t)at), 20);
	}
	free(bytes);
	close(fd);
}

static void test_end_of_file_and_of_budget_are_told(void **state)
{
	struct window window;
	struct found found;
	int fd = memfd_create("search", MFD_CLOEXEC);

	(void)state;
	window_memory(&window, "needle", 6);
	assert_false(search(&window, 0, 7, &found));
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(window_open(&window, fd, 1 << 20, 1 << 18), 0);
	assert_false(search(&window, 0, 1 << 20, &found));
	window_close(&window);
	close(fd);
	window_memory(&window, "needle", 6);
	assert_false(search(&window, UINT64_MAX - 2, UINT64_MAX, &found));
	assert_true(search(&window, 3, 0, &found));
}

static void test_too_much_is_refused(void **state)
{
	static const char long_one[SEARCH_NEEDLE_SIZE_MAX + 1];
	const struct needle bad[] = {
		{ .bytes = long_one, .size = sizeof(long_one) },
		{ .bytes = "abc", .size = 3, .rare = 2 },
		{ .bytes = "a", .size = 1 },
	};
	struct needle many[SEARCH_NEEDLES_MAX + 1];
	struct search *it = NULL;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			search_new(&it, &(struct needle_group){ &bad[i], 1, take, NULL }, 1),
			-EINVAL);
	for (size_t i = 0; i < SEARCH_NEEDLES_MAX + 1; i++)
		many[i] = needles[0];
	assert_int_equal(
		search_new(&it, &(struct needle_group){ many, SEARCH_NEEDLES_MAX + 1, take, NULL },
			   1),
		-EINVAL);
	assert_null(it);
}

/* Against a plain comparison at every place, over bytes of few values. */
static void test_random_bytes_give_what_comparing_gives(void **state)
{
	uint32_t seed = 12345;

	(void)state;
	for (int round = 0; round < 200; round++) {
		char text[300];
		struct window window;
		struct found found, expected = { 0 };

		for (size_t i = 0; i < sizeof(text); i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = "needlra\0 i"[(seed >> 16) % 10];
		}
		for (size_t i = 0; i < sizeof(text); i += 40)
			memcpy(text + i, needles[(i + (size_t)round) % 4].bytes,
			       needles[(i + (size_t)round) % 4].size);
		for (size_t i = 0; i < sizeof(text); i++)
			for (size_t which = 0; which < 4; which++)
				if (needles[which].size <= sizeof(text) - i &&
				    !memcmp(text + i, needles[which].bytes, needles[which].size))
					expected.count[which]++;
		window_memory(&window, text, sizeof(text));
		assert_true(search(&window, 0, sizeof(text), &found));
		assert_memory_equal(found.count, expected.count, sizeof(found.count));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlapping_hits_are_told_once_each),
		cmocka_unit_test(test_only_the_part_is_searched),
		cmocka_unit_test(test_hits_across_windows_are_found_once),
		cmocka_unit_test(test_end_of_file_and_of_budget_are_told),
		cmocka_unit_test(test_too_much_is_refused),
		cmocka_unit_test(test_random_bytes_give_what_comparing_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
