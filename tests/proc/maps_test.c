/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/maps.h"
#include "support/files.h"
#include "support/guard.h"

/* Parses LINE where the next byte is unmapped; the path stays there. */
static int parse(const char *line, struct map *ret)
{
	return maps_parse(guard_copy(line, strlen(line)), strlen(line), ret);
}

static void expect_path(const struct map *map, const char *path)
{
	assert_non_null(map->path);
	assert_int_equal(map->path_size, strlen(path));
	assert_memory_equal(map->path, path, map->path_size);
}

static void test_all_of_a_line_is_told(void **state)
{
	struct map map;

	(void)state;
	assert_int_equal(parse("7f7f32999000-7f7f3299b000 r-xs 00033000 fe:1b 332383           "
			       "        /usr/lib/libssl.so.3",
			       &map),
			 0);
	assert_true(map.start == 0x7f7f32999000 && map.end == 0x7f7f3299b000);
	assert_true(map.offset == 0x33000 && map.inode == 332383);
	assert_true(map.dev_major == 0xfe && map.dev_minor == 0x1b);
	assert_true(map.is_readable && !map.is_writable && map.is_executable && map.is_shared);
	assert_false(map.is_deleted || map.has_escapes);
	expect_path(&map, "/usr/lib/libssl.so.3");
}

static void test_memory_of_no_file_has_no_path(void **state)
{
	static const char *const lines[] = {
		"7f00-7f01 rw-p 00000000 00:00 0 ",
		"7f00-7f01 rw-p 00000000 00:00 0                          [heap]",
		"7f00-7f01 rw-p 00000000 00:00 0                          [anon:/usr/lib/x.so]",
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct map map;

		assert_int_equal(parse(lines[i], &map), 0);
		assert_null(map.path);
		assert_int_equal(map.path_size, 0);
		assert_false(map.is_shared);
	}
}

static void test_paths_may_hold_anything(void **state)
{
	struct map map;

	(void)state;
	assert_int_equal(parse("1-2 r--p 0 0:0 1 /a b/[c]: -\\x\\\377 ", &map), 0);
	expect_path(&map, "/a b/[c]: -\\x\\\377 ");
	assert_int_equal(parse("1-2 r--p 0 0:0 1 (unreachable)/a", &map), 0);
	expect_path(&map, "(unreachable)/a");
	assert_int_equal(parse("1-2 r--p 0 0:0 1 anon_inode:[io_uring]", &map), 0);
	expect_path(&map, "anon_inode:[io_uring]");
}

static void test_deleted_files_are_marked(void **state)
{
	struct map map;
	char path[64];

	(void)state;
	assert_int_equal(parse("1-2 r--p 0 0:0 1    /lib/x (deleted)", &map), 0);
	assert_true(map.is_deleted);
	expect_path(&map, "/lib/x (deleted)");
	assert_int_equal(maps_path(&map, path, sizeof(path)), 6);
	assert_memory_equal(path, "/lib/x", 6);
	assert_int_equal(maps_path(&map, path, 3), 3);
	assert_int_equal(parse("1-2 r--p 0 0:0 1    /lib/x (deleted) ", &map), 0);
	assert_false(map.is_deleted);
	assert_int_equal(parse("1-2 r--p 0 0:0 1     (deleted)", &map), 0);
	assert_false(map.is_deleted);
	expect_path(&map, "(deleted)");
}

static void test_newlines_are_put_back(void **state)
{
	struct map map;
	char path[64];

	(void)state;
	assert_int_equal(parse("1-2 r--p 0 0:0 1 /a\\012b\\01\\012", &map), 0);
	assert_true(map.has_escapes);
	assert_int_equal(maps_path(&map, path, sizeof(path)), 8);
	assert_memory_equal(path, "/a\nb\\01\n", 8);
	assert_int_equal(parse("1-2 r--p 0 0:0 1 /a\\011", &map), 0);
	assert_false(map.has_escapes);
	assert_int_equal(maps_path(&map, path, sizeof(path)), 6);
}

static void test_other_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"1",
		"1-",
		"1-2",
		"1-2 ",
		"-2 r--p 0 0:0 1 ",
		"2-1 r--p 0 0:0 1 ",
		"1-2 r--",
		"1-2 r--x 0 0:0 1 ",
		"1-2 q--p 0 0:0 1 ",
		"1-2 r--p0 0:0 1 ",
		"1-2 r--p 0 0:0 1",
		"1-2 r--p 0 0:0 a ",
		"1-2 r--p 0 0:0  ",
		"1-2 r--p 0 0 1 ",
		"1-2 r--p 0 100000000:0 1 ",
		"1-2 r--p 0 0:0 18446744073709551616 ",
		"1-10000000000000000 r--p 0 0:0 1 ",
		"1-2 r--p 0 0:0 -1 ",
		"1-2 R--p 0 0:0 1 ",
		"1-2A r--p 0 0:0 1 ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct map map = { .inode = 7 };

		assert_int_equal(parse(lines[i], &map), -EBADMSG);
		assert_int_equal(map.inode, 7);
	}
}

struct seen {
	uint64_t nr_maps;
	uint64_t inodes;
	uint64_t stop_at;
};

static int count(void *ctx, const struct map *map)
{
	struct seen *seen = ctx;

	seen->inodes += map->inode;
	return ++seen->nr_maps == seen->stop_at ? -ECANCELED : 0;
}

/* Lines across pieces of any size, with two that are none and one that is too long. */
static void test_every_line_of_a_long_file_is_told(void **state)
{
	enum {
		COUNT = 3000
	};
	struct maps_skipped skipped;
	struct seen seen = { 0 };
	int fd = memfd_create("maps", MFD_CLOEXEC);
	FILE *file = fdopen(fd, "w");

	(void)state;
	for (int i = 1; i <= COUNT; i++) {
		fprintf(file, "%x-%x r--p 0 0:0 %d %*s/x\n", i, i + 1, i, i % 97, "");
		if (i % 1500 == 0)
			fprintf(file, "nonsense\n");
		if (i == 2000)
			fprintf(file, "1-2 r--p 0 0:0 9 /%0*d\n", 100000, 0);
	}
	fflush(file);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(maps_each(fd, count, &seen, &skipped), 0);
	assert_int_equal(seen.nr_maps, COUNT);
	assert_int_equal(seen.inodes, (uint64_t)COUNT * (COUNT + 1) / 2);
	assert_int_equal(skipped.nr_malformed, 2);
	assert_int_equal(skipped.nr_long, 1);
	lseek(fd, 0, SEEK_SET);
	seen = (struct seen){ .stop_at = 5 };
	assert_int_equal(maps_each(fd, count, &seen, NULL), -ECANCELED);
	assert_int_equal(seen.nr_maps, 5);
	fclose(file);
}

struct wanted {
	const char *path;
	struct map map;
	size_t nr_found;
};

static int look_for(void *ctx, const struct map *map)
{
	struct wanted *wanted = ctx;
	char path[4096];

	if (map->path && map->path_size <= sizeof(path) &&
	    maps_path(map, path, sizeof(path)) == strlen(wanted->path) &&
	    memcmp(path, wanted->path, strlen(wanted->path)) == 0) {
		wanted->map = *map;
		wanted->nr_found++;
	}
	return 0;
}

static void find_own(struct wanted *wanted)
{
	struct maps_skipped skipped;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t nr_found;

	wanted->nr_found = 0;
	assert_int_equal(maps_each(fd, look_for, wanted, &skipped), 0);
	assert_int_equal(skipped.nr_malformed + skipped.nr_long, 0);
	close(fd);
	nr_found = wanted->nr_found;
	wanted->nr_found = 0;
	assert_int_equal(maps_each_of(getpid(), look_for, wanted), 0);
	assert_int_equal(wanted->nr_found, nr_found);
	assert_int_equal(maps_each_of(INT32_MAX, look_for, wanted), -ENOENT);
}

/* What this kernel says of a file that we map ourselves. */
static void test_this_kernel_is_understood(void **state)
{
	const char *path = files_path("a \\ b\nc");
	struct wanted wanted = { .path = path };
	struct stat st;
	void *at;
	int fd;

	(void)state;
	file_put(path, "text", 0600);
	assert_int_equal(stat(path, &st), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	close(fd);
	find_own(&wanted);
	assert_int_equal(wanted.nr_found, 1);
	assert_true(wanted.map.inode == st.st_ino && wanted.map.start == (uintptr_t)at);
	assert_int_equal(wanted.map.dev_major, major(st.st_dev));
	assert_int_equal(wanted.map.dev_minor, minor(st.st_dev));
	assert_true(wanted.map.is_shared && wanted.map.is_readable && !wanted.map.is_executable);
	assert_true(wanted.map.has_escapes && !wanted.map.is_deleted);
	unlink(path);
	find_own(&wanted);
	assert_int_equal(wanted.nr_found, 1);
	assert_true(wanted.map.is_deleted);
	munmap(at, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_a_line_is_told),
		cmocka_unit_test(test_memory_of_no_file_has_no_path),
		cmocka_unit_test(test_paths_may_hold_anything),
		cmocka_unit_test(test_deleted_files_are_marked),
		cmocka_unit_test(test_newlines_are_put_back),
		cmocka_unit_test(test_other_lines_are_refused),
		cmocka_unit_test(test_every_line_of_a_long_file_is_told),
		cmocka_unit_test_setup_teardown(test_this_kernel_is_understood, files_begin,
						files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
