/* SPDX-License-Identifier: MIT */
/*
 * Caches are made here in each format, and read against a guard page. That they are such as
 * ldconfig(8) has them is seen from what its -p prints of the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/array.h"
#include "proc/ldcache.h"
#include "support/files.h"
#include "support/guard.h"

#define SYSTEM_CACHE	 "/etc/ld.so.cache"
#define SYSTEM_CACHE_MAX (4U << 20)
#define LDCONFIG	 "/sbin/ldconfig"
#define OTHER_ORDER	 (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 3 : 2)
#define OUR_ORDER	 (5 - OTHER_ORDER)

/* Sizes, and where fields are; offsets from the header or the entry they are in. */
enum {
	OLD_HEADER = 16,
	OLD_COUNT = 12,
	OLD_ENTRY = 12,
	NEW_HEADER = 48,
	NEW_COUNT = 20,
	NEW_ORDER = 28,
	NEW_ENTRY = 24,
	ENTRY_KEY = 4,
	ENTRY_PATH = 8
};

static const char *const libraries[] = {
	"/lib/x86_64-linux-gnu/libz.so.1",
	"/usr/lib/glibc-hwcaps/x86-64-v3/libssl.so.3",
	"/opt/a directory/libodd.so",
};

#define NR_LIBRARIES ARRAY_SIZE(libraries)

struct cache {
	char bytes[1024];
	size_t size;
	size_t new_header; /* where parts begin; the old header is at 0 */
	size_t strings;
	size_t ends[NR_LIBRARIES]; /* behind the NUL of each path */
};

/* What to make: entries of each kind, -1 for none of that format. */
struct format {
	int nr_old;
	int nr_new;
	size_t alignment; /* of the new header behind the old table */
};

static const struct format old_alone = { NR_LIBRARIES, -1, 1 };
static const struct format new_alone = { -1, NR_LIBRARIES, 1 };
/* With one old entry there is padding to 8, and none to 4. */
static const struct format both = { 1, NR_LIBRARIES, 8 };
static const struct format both_of_i386 = { 1, NR_LIBRARIES, 4 };

/* All but the first have a new header. */
static const struct format *const formats[] = { &old_alone, &new_alone, &both, &both_of_i386 };

static void put_number(char *at, uint32_t number)
{
	memcpy(at, &number, sizeof(number));
}

static void put_entry(char *at, size_t path_offset, const char *path)
{
	put_number(at, 0x0303); /* FLAG_ELF_LIBC6 | FLAG_X8664_LIB64 of glibc's ldconfig.h */
	put_number(at + ENTRY_KEY,
		   (uint32_t)(path_offset + (size_t)(strrchr(path, '/') + 1 - path)));
	put_number(at + ENTRY_PATH, (uint32_t)path_offset);
}

static void make(struct cache *cache, const struct format *format)
{
	size_t alignment = format->alignment;
	size_t old_end = format->nr_old < 0 ? 0 : OLD_HEADER + OLD_ENTRY * (size_t)format->nr_old;
	size_t at;

	memset(cache, 0, sizeof(*cache));
	cache->new_header = (old_end + alignment - 1) / alignment * alignment;
	cache->strings = cache->new_header;
	if (format->nr_old >= 0) {
		memcpy(cache->bytes, "ld.so-1.7.0", 11);
		put_number(cache->bytes + OLD_COUNT, (uint32_t)format->nr_old);
	}
	if (format->nr_new >= 0) {
		memcpy(cache->bytes + cache->new_header, "glibc-ld.so.cache1.1", 20);
		put_number(cache->bytes + cache->new_header + NEW_COUNT, (uint32_t)format->nr_new);
		cache->bytes[cache->new_header + NEW_ORDER] = OUR_ORDER;
		cache->strings += NEW_HEADER + NEW_ENTRY * (size_t)format->nr_new;
	}
	at = cache->strings;
	for (int i = 0; i < (int)NR_LIBRARIES; i++) {
		const char *path = libraries[i];

		if (i < format->nr_old)
			put_entry(cache->bytes + OLD_HEADER + i * OLD_ENTRY, at - old_end, path);
		if (i < format->nr_new)
			put_entry(cache->bytes + cache->new_header + NEW_HEADER + i * NEW_ENTRY,
				  at - cache->new_header, path);
		memcpy(cache->bytes + at, path, strlen(path) + 1);
		at += strlen(path) + 1;
		cache->ends[i] = at;
	}
	cache->size = at;
	assert_true(at <= sizeof(cache->bytes));
}

/* What was told: a line for each path. */
static struct told {
	char text[1 << 20];
	size_t size;
	size_t nr_paths;
	size_t stop_at; /* the path with this number is the last one; 0: all */
	int answer;	/* then returned */
	const char *begin;
	const char *end;
} told;

static int tell(void *ctx, const char *path)
{
	size_t size = strlen(path);

	assert_ptr_equal(ctx, &told);
	assert_true(path >= told.begin && path + size < told.end);
	assert_true(told.size + size + 1 < sizeof(told.text));
	memcpy(told.text + told.size, path, size);
	told.text[told.size + size] = '\n';
	told.size += size + 1;
	told.text[told.size] = '\0';
	told.nr_paths++;
	return told.nr_paths == told.stop_at ? told.answer : 0;
}

/* Against a guard page. Where it fails nothing is told. */
static int parse_until(const char *bytes, size_t size, size_t stop_at, int answer)
{
	const char *copy = guard_copy(bytes, size);
	int err;

	told.size = told.nr_paths = 0;
	told.text[0] = '\0';
	told.stop_at = stop_at;
	told.answer = answer;
	told.begin = copy;
	told.end = copy + size;
	err = ldcache_parse(copy, size, tell, &told);
	if (err == -EBADMSG)
		assert_int_equal(told.nr_paths, 0);
	guard_free(copy, size);
	return err;
}

static int parse(const char *bytes, size_t size)
{
	return parse_until(bytes, size, 0, 0);
}

/* The libraries of MASK, in order. */
static void expect(const struct cache *cache, unsigned int mask)
{
	char text[sizeof(cache->bytes)] = "";
	size_t size = 0;

	for (size_t i = 0; i < NR_LIBRARIES; i++)
		if (mask & (1U << i))
			size += (size_t)snprintf(text + size, sizeof(text) - size, "%s\n",
						 libraries[i]);
	assert_int_equal(parse(cache->bytes, cache->size), 0);
	assert_string_equal(told.text, text);
}

static void expect_refused(const struct cache *cache)
{
	assert_int_equal(parse(cache->bytes, cache->size), -EBADMSG);
}

static void test_each_format_is_read(void **state)
{
	struct cache cache;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		make(&cache, formats[i]);
		expect(&cache, 7);
	}
	/* no old entry, or an even number: no padding */
	make(&cache, &(struct format){ 0, 2, 8 });
	expect(&cache, 3);
	make(&cache, &(struct format){ 2, 3, 8 });
	expect(&cache, 7);
}

static void test_a_cache_may_be_empty(void **state)
{
	struct cache cache;

	(void)state;
	make(&cache, &(struct format){ 0, -1, 1 });
	expect(&cache, 0);
	make(&cache, &(struct format){ -1, 0, 1 });
	expect(&cache, 0);
	cache.size = NEW_HEADER;
	expect(&cache, 0);
	/* the new table counts, also when the old one has more */
	make(&cache, &(struct format){ 3, 0, 8 });
	expect(&cache, 0);
}

static void test_it_stops_when_told(void **state)
{
	struct cache cache;

	(void)state;
	make(&cache, &new_alone);
	for (size_t last = 1; last <= NR_LIBRARIES; last++) {
		assert_int_equal(parse_until(cache.bytes, cache.size, last, 7), 7);
		assert_int_equal(told.nr_paths, last);
		assert_int_equal(parse_until(cache.bytes, cache.size, last, -ENOMEM), -ENOMEM);
		assert_int_equal(told.nr_paths, last);
	}
}

/* How many paths end within SIZE bytes. */
static size_t count_whole(const struct cache *cache, size_t size)
{
	size_t nr_whole = 0;

	while (nr_whole < NR_LIBRARIES && cache->ends[nr_whole] <= size)
		nr_whole++;
	return nr_whole;
}

/*
 * A cache cut within its tables is none, but from OLD_END to HEADER_END, where the old table is
 * whole and the new header not; one cut behind has what is left.
 */
static void expect_cut(const struct format *format, size_t old_end, size_t header_end)
{
	struct cache cache;

	make(&cache, format);
	for (size_t size = 0; size <= cache.size; size++) {
		bool is_cache = size >= cache.strings || (size >= old_end && size < header_end);

		assert_int_equal(parse(cache.bytes, size), is_cache ? 0 : -EBADMSG);
		assert_int_equal(told.nr_paths, count_whole(&cache, size));
	}
}

static void test_a_cut_cache_has_what_is_left(void **state)
{
	const size_t old_end = OLD_HEADER + OLD_ENTRY;

	(void)state;
	expect_cut(&old_alone, 0, 0);
	expect_cut(&new_alone, 0, 0);
	expect_cut(&both, old_end, old_end + 4 + NEW_HEADER);
	expect_cut(&both_of_i386, old_end, old_end + NEW_HEADER);
}

static void test_offsets_outside_are_passed_over(void **state)
{
	struct cache cache;

	(void)state;
	for (int is_new = 0; is_new <= 1; is_new++) {
		const size_t entry = is_new ? NEW_HEADER + NEW_ENTRY : OLD_HEADER + OLD_ENTRY;
		size_t size;

		make(&cache, is_new ? &new_alone : &old_alone);
		size = cache.size - (is_new ? 0 : cache.strings);
		/* the first is that of the last NUL, an empty path */
		const size_t offsets[] = { size - 1,  size,	      size + 1,
					   INT32_MAX, UINT32_MAX - 1, UINT32_MAX };

		for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
			put_number(cache.bytes + entry + ENTRY_PATH, (uint32_t)offsets[i]);
			expect(&cache, 5);
		}
		/* those of names are not asked for */
		put_number(cache.bytes + entry + ENTRY_KEY, UINT32_MAX);
		expect(&cache, 5);
	}
}

static void test_counts_without_room_are_refused(void **state)
{
	/* 178956971 * 24 and 357913942 * 12 are 8 in 32 bits */
	static const uint32_t counts[] = { 20, 65536, 65537, 178956971, 357913942, UINT32_MAX };
	static const struct {
		const struct format *format;
		size_t field;
	} fields[] = {
		{ &old_alone, OLD_COUNT },
		{ &new_alone, NEW_COUNT },
		{ &both, OLD_COUNT },
		{ &both, OLD_HEADER + OLD_ENTRY + 4 + NEW_COUNT },
	};
	struct cache cache;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts) * ARRAY_SIZE(fields); i++) {
		make(&cache, fields[i % ARRAY_SIZE(fields)].format);
		put_number(cache.bytes + fields[i % ARRAY_SIZE(fields)].field,
			   counts[i / ARRAY_SIZE(fields)]);
		expect_refused(&cache);
	}
}

/* NR_ENTRIES that all have the path "/x", in a table large enough for them. */
static int parse_many(bool is_new, uint32_t nr_entries)
{
	const size_t header = is_new ? NEW_HEADER : OLD_HEADER;
	const size_t entry = is_new ? NEW_ENTRY : OLD_ENTRY;
	size_t end = header + entry * nr_entries;
	char *bytes = calloc(1, end + 3);
	int err;

	assert_non_null(bytes);
	memcpy(bytes, is_new ? "glibc-ld.so.cache1.1" : "ld.so-1.7.0", is_new ? 20 : 11);
	put_number(bytes + (is_new ? NEW_COUNT : OLD_COUNT), nr_entries);
	for (uint32_t i = 0; i < nr_entries; i++)
		put_entry(bytes + header + i * entry, is_new ? end : 0, "/x");
	memcpy(bytes + end, "/x", 3);
	err = parse(bytes, end + 3);
	free(bytes);
	return err;
}

static void test_the_most_entries_are_read(void **state)
{
	(void)state;
	for (int is_new = 0; is_new <= 1; is_new++) {
		assert_int_equal(parse_many(is_new, LDCACHE_ENTRIES_MAX), 0);
		assert_int_equal(told.nr_paths, LDCACHE_ENTRIES_MAX);
		assert_int_equal(parse_many(is_new, LDCACHE_ENTRIES_MAX + 1), -EBADMSG);
	}
}

static void test_paths_without_end_or_relative_are_passed_over(void **state)
{
	struct cache cache;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		make(&cache, formats[i]);
		cache.bytes[cache.size - 1] = 'x';
		expect(&cache, 3);
		cache.bytes[cache.strings] = 'x';
		expect(&cache, 2);
	}
}

/* A new cache of one entry with a path of SIZE bytes. */
static size_t count_long(size_t path_size)
{
	const size_t strings = NEW_HEADER + NEW_ENTRY;
	static char bytes[8192];

	memset(bytes, 'x', sizeof(bytes));
	memset(bytes, 0, strings);
	memcpy(bytes, "glibc-ld.so.cache1.1", 20);
	put_number(bytes + NEW_COUNT, 1);
	put_entry(bytes + NEW_HEADER, strings, "/x");
	bytes[strings] = '/';
	bytes[strings + path_size] = '\0';
	assert_int_equal(parse(bytes, sizeof(bytes)), 0);
	if (told.nr_paths)
		assert_int_equal(told.size, path_size + 1);
	return told.nr_paths;
}

static void test_paths_have_a_longest(void **state)
{
	(void)state;
	assert_int_equal(count_long(1), 1);
	assert_int_equal(count_long(LDCACHE_PATH_MAX), 1);
	assert_int_equal(count_long(LDCACHE_PATH_MAX + 1), 0);
	assert_int_equal(count_long(2 * LDCACHE_PATH_MAX - 1024), 0);
}

static void test_another_byte_order_is_refused(void **state)
{
	/* 1 is glibc's mark of an invalid cache; higher bits say nothing beside a mark */
	static const char refused[] = { OTHER_ORDER, 1, 4, 4 | OTHER_ORDER };
	static const char read[] = { 0, OUR_ORDER, 4 | OUR_ORDER };
	struct cache cache;

	(void)state;
	for (size_t i = 1; i < ARRAY_SIZE(formats); i++) {
		make(&cache, formats[i]);
		for (size_t j = 0; j < sizeof(refused); j++) {
			cache.bytes[cache.new_header + NEW_ORDER] = refused[j];
			expect_refused(&cache);
		}
		for (size_t j = 0; j < sizeof(read); j++) {
			cache.bytes[cache.new_header + NEW_ORDER] = read[j];
			expect(&cache, 7);
		}
		/* written before there was a mark */
		cache.bytes[cache.new_header + NEW_ORDER] = 0;
		put_number(cache.bytes + cache.new_header + NEW_COUNT,
			   __builtin_bswap32(NR_LIBRARIES));
		expect_refused(&cache);
	}
	make(&cache, &old_alone);
	put_number(cache.bytes + OLD_COUNT, __builtin_bswap32(NR_LIBRARIES));
	expect_refused(&cache);
}

static void test_what_is_no_cache_is_refused(void **state)
{
	struct cache cache;

	(void)state;
	assert_int_equal(ldcache_parse(NULL, 0, tell, &told), -EBADMSG);
	for (size_t i = 0; i < 20; i++) {
		make(&cache, &new_alone);
		cache.bytes[i] ^= 1;
		expect_refused(&cache);
	}
	for (size_t i = 0; i < 11; i++) {
		make(&cache, &old_alone);
		cache.bytes[i] ^= 1;
		expect_refused(&cache);
	}
	memset(cache.bytes, 'x', sizeof(cache.bytes));
	expect_refused(&cache);
}

/* Of what is not a new table behind it the old one is read. */
static void test_another_version_behind_an_old_cache_is_let_be(void **state)
{
	struct cache cache;

	(void)state;
	make(&cache, &both);
	memcpy(cache.bytes + cache.new_header, "glibc-ld.so.cache2.0", 20);
	expect(&cache, 1);
}

static char system_cache[SYSTEM_CACHE_MAX];

/* Returns the size of this system's own cache, 0 where there is none. */
static size_t read_system_cache(void)
{
	int fd = open(SYSTEM_CACHE, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, system_cache, sizeof(system_cache));

	assert_in_range(size, 0, sizeof(system_cache) - 1);
	if (fd >= 0)
		close(fd);
	return (size_t)size;
}

static void write_whole(const char *path, const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/* What ldconfig prints of the cache at PATH. */
static const char *list(const char *path)
{
	const char *output = files_path("listing");
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t child = fork();
	int status;

	if (child == 0) {
		dup2(fd, STDOUT_FILENO);
		execl(LDCONFIG, "ldconfig", "-p", "-C", path, NULL);
		_exit(127);
	}
	assert_true(child > 0);
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return file_text(output);
}

/* What is told of BYTES are the paths of "\tNAME (...) => PATH\n", in that order. */
static void expect_as_ldconfig(const char *bytes, size_t size)
{
	const char *path = files_path("cache");
	const char *line, *at = told.text;
	size_t nr_lines = 0;

	assert_int_equal(parse(bytes, size), 0);
	write_whole(path, bytes, size);
	for (line = list(path); *line; line = strchr(line, '\n') + 1) {
		const char *arrow = strstr(line, " => ");
		const char *end = strchr(line, '\n');
		size_t path_size;

		assert_non_null(end);
		if (line[0] != '\t' || !arrow || arrow > end)
			continue;
		path_size = (size_t)(end - arrow) - 4 + 1;
		assert_memory_equal(at, arrow + 4, path_size);
		at += path_size;
		nr_lines++;
	}
	assert_int_equal(nr_lines, told.nr_paths);
	assert_int_equal(*at, '\0');
}

static void test_ldconfig_reads_the_same(void **state)
{
	size_t size = read_system_cache();
	struct cache cache;

	(void)state;
	if (!size || access(LDCONFIG, X_OK)) {
		print_message("no " LDCONFIG " or no " SYSTEM_CACHE "\n");
		skip();
	}
	expect_as_ldconfig(system_cache, size);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i] == &both_of_i386)
			continue; /* only an ldconfig of i386 reads the new table there */
		make(&cache, formats[i]);
		expect_as_ldconfig(cache.bytes, cache.size);
	}
}

static int find_libc(void *ctx, const char *path)
{
	(void)ctx;
	return path[0] == '/' && strcmp(strrchr(path, '/'), "/libc.so.6") == 0 &&
	       access(path, R_OK) == 0;
}

static void test_this_system_has_its_libc(void **state)
{
	size_t size = read_system_cache();

	(void)state;
	if (!size) {
		print_message("no " SYSTEM_CACHE "\n");
		skip();
	}
	assert_int_equal(ldcache_parse(system_cache, size, find_libc, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_format_is_read),
		cmocka_unit_test(test_a_cache_may_be_empty),
		cmocka_unit_test(test_it_stops_when_told),
		cmocka_unit_test(test_a_cut_cache_has_what_is_left),
		cmocka_unit_test(test_offsets_outside_are_passed_over),
		cmocka_unit_test(test_counts_without_room_are_refused),
		cmocka_unit_test(test_the_most_entries_are_read),
		cmocka_unit_test(test_paths_without_end_or_relative_are_passed_over),
		cmocka_unit_test(test_paths_have_a_longest),
		cmocka_unit_test(test_another_byte_order_is_refused),
		cmocka_unit_test(test_what_is_no_cache_is_refused),
		cmocka_unit_test(test_another_version_behind_an_old_cache_is_let_be),
		cmocka_unit_test_setup_teardown(test_ldconfig_reads_the_same, files_begin,
						files_end),
		cmocka_unit_test(test_this_system_has_its_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
