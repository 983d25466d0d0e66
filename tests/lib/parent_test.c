/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/parent.h"

#define NOBODY 65534

static char top[64];

/* PATH below the test's directory. */
static const char *at(const char *path)
{
	static char full[4][PATH_MAX];
	static size_t next;
	char *out = full[next++ % 4];

	snprintf(out, PATH_MAX, "%s/%s", top, path);
	return out;
}

static int begin(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/parent_test.XXXXXX");
	if (!mkdtemp(top) || mkdir(at("theirs"), 0755) || mkdir(at("ours"), 0755) ||
	    mkdir(at("real"), 0700) || symlink(at("real"), at("theirs/link")) ||
	    symlink("../theirs/link", at("ours/twice")) || symlink("../real", at("ours/link")) ||
	    symlink("loop", at("ours/loop")))
		return -1;
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = { "theirs/link", "ours/twice", "ours/link", "ours/loop",
					     "theirs",	    "ours",	  "real" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove(at(names[i]));
	return rmdir(top);
}

/* What opening the directory of PATH gives: 0, when it is WANTED's, or a negative errno. */
static int open_parent(const char *path, const char *wanted)
{
	struct stat got, st;
	bool is_ours;
	int fd = parent_open(at(path), O_PATH, &is_ours);

	if (fd < 0)
		return fd;
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(stat(at(wanted), &st), 0);
	close(fd);
	return got.st_ino == st.st_ino && got.st_dev == st.st_dev ? 0 : -EXDEV;
}

static void test_links_in_ones_own_directories_are_followed(void **state)
{
	(void)state;
	assert_int_equal(open_parent("real/file", "real"), 0);
	assert_int_equal(open_parent("ours/link/file", "real"), 0);
	assert_int_equal(open_parent("ours//link/.//file", "real"), 0);
	assert_int_equal(open_parent("ours/twice/../ours/file", "ours"), 0);
	assert_int_equal(open_parent("ours/twice/file", "real"), 0);
}

static void test_links_that_others_may_make_are_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(at("theirs"), 01777), 0);
	assert_int_equal(open_parent("theirs/link/file", "real"), -ELOOP);
	assert_int_equal(open_parent("ours/twice/file", "real"), -ELOOP);
	/* a directory is none */
	assert_int_equal(open_parent("theirs/file", "theirs"), 0);
	assert_int_equal(chmod(at("theirs"), 0775), 0);
	assert_int_equal(open_parent("theirs/link/file", "real"), -ELOOP);
}

static void test_links_in_another_users_directory_are_refused(void **state)
{
	bool is_ours = true;
	int fd;

	(void)state;
	if (geteuid() != 0) {
		print_message("giving a directory away takes root\n");
		skip();
	}
	assert_int_equal(chown(at("theirs"), NOBODY, NOBODY), 0);
	assert_int_equal(open_parent("theirs/link/file", "real"), -ELOOP);
	assert_int_equal(open_parent("ours/twice/file", "real"), -ELOOP);
	fd = parent_open(at("theirs/file"), O_RDONLY, &is_ours);
	assert_true(fd >= 0);
	assert_false(is_ours);
	close(fd);
}

static void test_what_is_no_way_is_an_error(void **state)
{
	char path[2 * PATH_MAX];
	bool is_ours;

	(void)state;
	assert_int_equal(open_parent("absent/file", "real"), -ENOENT);
	assert_int_equal(open_parent("ours/loop/file", "real"), -ELOOP);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	path[PATH_MAX] = '/';
	assert_int_equal(parent_open(path, O_PATH, &is_ours), -ENAMETOOLONG);
}

static void test_proc_is_as_the_kernel_has_it(void **state)
{
	struct stat got, here;
	bool is_ours;
	int fd = parent_open("/proc/self/cwd/file", O_PATH, &is_ours);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(stat(".", &here), 0);
	assert_int_equal(got.st_ino, here.st_ino);
	close(fd);
	fd = parent_open("file", O_PATH, &is_ours);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(got.st_ino, here.st_ino);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_links_in_ones_own_directories_are_followed),
		TEST(test_links_that_others_may_make_are_refused),
		TEST(test_links_in_another_users_directory_are_refused),
		TEST(test_what_is_no_way_is_an_error),
		TEST(test_proc_is_as_the_kernel_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
