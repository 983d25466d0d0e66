/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/guard.h"
#include "trace/mapping.h"

/* Identifiers of the two events that report into a ring. */
#define FILE_EVENT     41
#define BUILD_ID_EVENT 42

#define UNTOUCHED      0x5a

/*
 * A record as the kernel writes it: include/uapi/linux/perf_event.h, PERF_RECORD_MMAP2 and, for the
 * sample types TID, TIME, CPU and IDENTIFIER, struct sample_id. Offsets in bytes.
 */
enum {
	AT_TYPE = 0,
	AT_MISC = 4,
	AT_SIZE = 6,
	AT_PID = 8,
	AT_TID = 12,
	AT_ADDR = 16,
	AT_MAJOR = 40,
	AT_MINOR = 44,
	AT_INODE = 48,
	AT_BUILD_ID_SIZE = 40,
	AT_BUILD_ID = 44,
	AT_PATH = 72,
	SAMPLE_ID_SIZE = 32,
};

static uint8_t bytes[UINT16_MAX];
static size_t size;

static void put(size_t at, uint64_t value, size_t width)
{
	memcpy(bytes + at, &value, width);
}

/* A mapping of PATH, told by EVENT, with the identity of its file. */
static void make(const char *path, uint64_t event)
{
	size_t path_size = (strlen(path) + 8) & ~(size_t)7;

	memset(bytes, 0, sizeof(bytes));
	size = AT_PATH + path_size + SAMPLE_ID_SIZE;
	put(AT_TYPE, PERF_RECORD_MMAP2, 4);
	put(AT_MISC, PERF_RECORD_MISC_USER, 2);
	put(AT_SIZE, size, 2);
	put(AT_PID, 100, 4);
	put(AT_TID, 101, 4);
	put(AT_ADDR, 0x7f0000001000, 8);
	put(AT_MAJOR, 254, 4);
	put(AT_MINOR, 3, 4);
	put(AT_INODE, 123456789, 8);
	memcpy(bytes + AT_PATH, path, strlen(path));
	put(size - 32, 100, 4);
	put(size - 28, 101, 4);
	put(size - 24, 5123456789, 8);
	put(size - 16, 1, 4);
	put(size - 8, event, 8);
}

static void set_build_id(uint8_t id_size)
{
	put(AT_MISC, PERF_RECORD_MISC_USER | PERF_RECORD_MISC_MMAP_BUILD_ID, 2);
	memset(bytes + AT_BUILD_ID_SIZE, 0, 24);
	bytes[AT_BUILD_ID_SIZE] = id_size;
	for (uint8_t i = 0; i < 20; i++)
		bytes[AT_BUILD_ID + i] = i + 1;
}

/* mapping_parse() where the next byte is unmapped. */
static int parse(uint64_t build_id_event, struct mapping *ret, uint64_t *ret_lost)
{
	static const void *before;
	static size_t before_size;
	const void *copy = guard_copy(bytes, size);

	/* the mapping borrows its path until the next call */
	if (before)
		guard_free(before, before_size);
	before = copy;
	before_size = size;
	memset(ret, UNTOUCHED, sizeof(*ret));
	*ret_lost = UNTOUCHED;
	return mapping_parse(copy, size, build_id_event, ret, ret_lost);
}

static int kind_of(uint64_t build_id_event)
{
	struct mapping mapping;
	uint64_t lost;

	return parse(build_id_event, &mapping, &lost);
}

static void test_mapping_has_identity_and_path(void **state)
{
	struct mapping mapping;
	uint64_t lost;

	(void)state;
	make("/usr/lib/libssl.so.3", FILE_EVENT);
	assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), MAPPING_FILE);
	assert_int_equal(mapping.ts_ns, 5123456789);
	assert_int_equal(mapping.pid, 100);
	assert_int_equal(mapping.tid, 101);
	assert_int_equal(mapping.addr, 0x7f0000001000);
	assert_int_equal(mapping.dev_major, 254);
	assert_int_equal(mapping.dev_minor, 3);
	assert_int_equal(mapping.inode, 123456789);
	assert_string_equal(mapping.path, "/usr/lib/libssl.so.3");
	assert_int_equal(mapping.path_size, 20);
	assert_int_equal(mapping.build_id_size, 0);
	assert_int_equal(lost, UNTOUCHED);
}

static void test_sample_id_is_at_the_end_whatever_the_path(void **state)
{
	char path[64];

	(void)state;
	for (size_t length = 0; length < sizeof(path) - 1; length++) {
		struct mapping mapping;
		uint64_t lost;

		memset(path, 'x', length);
		path[length] = '\0';
		make(path, FILE_EVENT);
		assert_int_equal(size % 8, 0);
		assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), MAPPING_FILE);
		assert_int_equal(mapping.ts_ns, 5123456789);
		assert_int_equal(mapping.path_size, length);
		assert_string_equal(mapping.path, path);
	}
}

static void test_build_id_of_any_size_is_taken(void **state)
{
	(void)state;
	for (uint8_t id_size = 0; id_size <= MAPPING_BUILD_ID_MAX; id_size++) {
		struct mapping mapping;
		uint64_t lost;

		make("/usr/lib/libssl.so.3", BUILD_ID_EVENT);
		set_build_id(id_size);
		assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), MAPPING_BUILD_ID);
		assert_int_equal(mapping.build_id_size, id_size);
		for (uint8_t i = 0; i < id_size; i++)
			assert_int_equal(mapping.build_id[i], i + 1);
		assert_int_equal(mapping.pid, 100);
		assert_int_equal(mapping.addr, 0x7f0000001000);
		/* what the bytes would mean as an identity */
		assert_int_equal(mapping.inode, 0);
		assert_int_equal(mapping.dev_major, 0);
	}
}

static void test_build_id_that_is_too_long_is_malformed(void **state)
{
	(void)state;
	make("/usr/lib/libssl.so.3", BUILD_ID_EVENT);
	set_build_id(MAPPING_BUILD_ID_MAX + 1);
	assert_int_equal(kind_of(BUILD_ID_EVENT), -EBADMSG);
	set_build_id(UINT8_MAX);
	assert_int_equal(kind_of(BUILD_ID_EVENT), -EBADMSG);
}

/* The kernel sets the flag for one event and leaves it set for those after it. */
static void test_build_id_flag_of_the_other_event_means_nothing(void **state)
{
	struct mapping mapping;
	uint64_t lost;

	(void)state;
	make("/usr/lib/libssl.so.3", FILE_EVENT);
	put(AT_MISC, PERF_RECORD_MISC_USER | PERF_RECORD_MISC_MMAP_BUILD_ID, 2);
	assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), MAPPING_FILE);
	assert_int_equal(mapping.inode, 123456789);
	assert_int_equal(mapping.dev_major, 254);
	assert_int_equal(mapping.build_id_size, 0);
}

/* A file without a build id: its event tells the identity, which the other tells already. */
static void test_build_id_event_without_build_id_is_of_no_interest(void **state)
{
	(void)state;
	make("/usr/lib/libssl.so.3", BUILD_ID_EVENT);
	assert_int_equal(kind_of(BUILD_ID_EVENT), MAPPING_OTHER);
}

static void test_without_build_id_event_all_are_files(void **state)
{
	(void)state;
	make("/usr/lib/libssl.so.3", 0);
	assert_int_equal(kind_of(0), MAPPING_FILE);
	make("/usr/lib/libssl.so.3", BUILD_ID_EVENT);
	assert_int_equal(kind_of(0), MAPPING_FILE);
}

static void test_lost_records_are_counted(void **state)
{
	struct mapping mapping;
	uint64_t lost;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	size = 24 + SAMPLE_ID_SIZE;
	put(AT_TYPE, PERF_RECORD_LOST, 4);
	put(AT_SIZE, size, 2);
	put(8, FILE_EVENT, 8);
	put(16, 77, 8);
	assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), MAPPING_LOST);
	assert_int_equal(lost, 77);
	/* older kernels may leave the sample id out */
	size = 24;
	put(AT_SIZE, size, 2);
	assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), MAPPING_LOST);
	assert_int_equal(lost, 77);
	for (size = 8; size < 24; size++) {
		put(AT_SIZE, size, 2);
		assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), -EBADMSG);
		assert_int_equal(lost, UNTOUCHED);
	}
}

static void test_other_records_are_of_no_interest(void **state)
{
	static const uint32_t types[] = { 0,
					  PERF_RECORD_MMAP,
					  PERF_RECORD_COMM,
					  PERF_RECORD_SAMPLE,
					  PERF_RECORD_LOST_SAMPLES,
					  PERF_RECORD_SWITCH,
					  1000,
					  UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		make("/usr/lib/libssl.so.3", FILE_EVENT);
		put(AT_TYPE, types[i], 4);
		assert_int_equal(kind_of(BUILD_ID_EVENT), MAPPING_OTHER);
		/* a header alone */
		size = 8;
		put(AT_SIZE, size, 2);
		assert_int_equal(kind_of(BUILD_ID_EVENT), MAPPING_OTHER);
	}
}

static void test_other_size_than_the_header_says_is_malformed(void **state)
{
	(void)state;
	make("/usr/lib/libssl.so.3", FILE_EVENT);
	put(AT_SIZE, size + 8, 2);
	assert_int_equal(kind_of(BUILD_ID_EVENT), -EBADMSG);
	put(AT_SIZE, size - 8, 2);
	assert_int_equal(kind_of(BUILD_ID_EVENT), -EBADMSG);
	put(AT_SIZE, 0, 2);
	assert_int_equal(kind_of(BUILD_ID_EVENT), -EBADMSG);
}

/* Cut anywhere, whether or not the header admits it: never read beyond, never a mapping half told.
 */
static void test_record_cut_at_any_byte_is_not_read_beyond(void **state)
{
	(void)state;
	for (int has_build_id = 0; has_build_id <= 1; has_build_id++) {
		size_t whole;

		make("/usr/lib/x86_64-linux-gnu/libssl.so.3",
		     has_build_id ? BUILD_ID_EVENT : FILE_EVENT);
		if (has_build_id)
			set_build_id(20);
		whole = size;
		for (size = 0; size < whole; size++) {
			struct mapping mapping;
			uint64_t lost;
			int kind;

			put(AT_SIZE, whole, 2);
			assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), -EBADMSG);
			put(AT_SIZE, size, 2);
			kind = parse(BUILD_ID_EVENT, &mapping, &lost);
			/* What remains may look whole: its end is then taken for the sample id. */
			if (kind != -EBADMSG)
				assert_true(mapping.path_size < whole - AT_PATH);
			else
				assert_int_equal(mapping.path_size, 0x5a5a5a5a5a5a5a5a);
		}
	}
}

static void test_path_without_end_is_malformed(void **state)
{
	(void)state;
	make("1234567", FILE_EVENT);
	assert_int_equal(kind_of(BUILD_ID_EVENT), MAPPING_FILE);
	bytes[AT_PATH + 7] = 'x';
	assert_int_equal(kind_of(BUILD_ID_EVENT), -EBADMSG);
}

static void test_path_longer_than_any_is_malformed(void **state)
{
	static char path[MAPPING_PATH_MAX + 2];
	struct mapping mapping;
	uint64_t lost;

	(void)state;
	memset(path, 'x', MAPPING_PATH_MAX + 1);
	make(path, FILE_EVENT);
	assert_int_equal(kind_of(BUILD_ID_EVENT), -EBADMSG);
	path[MAPPING_PATH_MAX] = '\0';
	make(path, FILE_EVENT);
	assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), MAPPING_FILE);
	assert_int_equal(mapping.path_size, MAPPING_PATH_MAX);
}

static void test_failure_touches_nothing(void **state)
{
	struct mapping mapping;
	struct mapping untouched;
	uint64_t lost;

	(void)state;
	memset(&untouched, UNTOUCHED, sizeof(untouched));
	make("1234567", FILE_EVENT);
	bytes[AT_PATH + 7] = 'x';
	assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), -EBADMSG);
	assert_memory_equal(&mapping, &untouched, sizeof(mapping));
	make("/usr/lib/libssl.so.3", BUILD_ID_EVENT);
	set_build_id(21);
	assert_int_equal(parse(BUILD_ID_EVENT, &mapping, &lost), -EBADMSG);
	assert_memory_equal(&mapping, &untouched, sizeof(mapping));
	assert_int_equal(lost, UNTOUCHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapping_has_identity_and_path),
		cmocka_unit_test(test_sample_id_is_at_the_end_whatever_the_path),
		cmocka_unit_test(test_build_id_of_any_size_is_taken),
		cmocka_unit_test(test_build_id_that_is_too_long_is_malformed),
		cmocka_unit_test(test_build_id_flag_of_the_other_event_means_nothing),
		cmocka_unit_test(test_build_id_event_without_build_id_is_of_no_interest),
		cmocka_unit_test(test_without_build_id_event_all_are_files),
		cmocka_unit_test(test_lost_records_are_counted),
		cmocka_unit_test(test_other_records_are_of_no_interest),
		cmocka_unit_test(test_other_size_than_the_header_says_is_malformed),
		cmocka_unit_test(test_record_cut_at_any_byte_is_not_read_beyond),
		cmocka_unit_test(test_path_without_end_is_malformed),
		cmocka_unit_test(test_path_longer_than_any_is_malformed),
		cmocka_unit_test(test_failure_touches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
