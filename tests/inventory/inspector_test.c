/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "catalogue/files.h"
#include "inventory/inspector.h"
#include "priv/opened.h"

#define NOW_NS (1795251600 * NS_PER_SECOND)
#define KEY    "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"
/* Device numbers this far apart have their files in one set, of which there are 64. */
#define SETS 64
#define WAYS (INSPECTOR_FILES_MAX / SETS)

static struct inspector *inspector;
static char path[64];

static int begin(void **state)
{
	if (opened_begin(state) || inspector_new(&inspector, &broker))
		return -1;
	snprintf(path, sizeof(path), "%s", files_path("k.pem"));
	file_put(path, KEY, 0600);
	return 0;
}

static int end(void **state)
{
	inspector_free(inspector);
	return opened_end(state);
}

/* PATH as the event of its opening by this process tells it. */
static struct inspector_file file_now(void)
{
	return (struct inspector_file){
		.pid = (uint32_t)getpid(),
		.start_ns = start_ns_of(getpid()),
		.inode = stat_of(path).st_ino,
		.ctime_ns = ctime_of(path),
		.path = path,
		.path_size = strlen(path),
	};
}

static const struct content *look(const struct inspector_file *file)
{
	bool is_news = false;

	return inspector_look(inspector, file, NOW_NS, &is_news);
}

static void assert_counts(uint64_t nr_examined, uint64_t nr_failed, uint64_t nr_throttled)
{
	const struct inspector_counts *counts = inspector_counts(inspector);

	assert_int_equal(counts->nr_examined, nr_examined);
	assert_int_equal(counts->nr_failed, nr_failed);
	assert_int_equal(counts->nr_throttled, nr_throttled);
}

static void test_file_is_looked_into(void **state)
{
	const struct inspector_file file = file_now();
	const struct content *content = look(&file);

	(void)state;
	assert_non_null(content);
	assert_int_equal(content->keys.count, 1);
	assert_int_equal(content->type, FILE_TYPE_private_key);
	assert_counts(1, 0, 0);
}

static void test_file_that_has_not_changed_is_read_once(void **state)
{
	struct inspector_file file = file_now();
	const struct content *content = look(&file);

	(void)state;
	assert_ptr_equal(look(&file), content);
	/* Known by what it is, not by its name: nothing has to be opened. */
	assert_int_equal(unlink(path), 0);
	file.path = "/other.pem";
	file.path_size = strlen(file.path);
	assert_ptr_equal(look(&file), content);
	assert_counts(1, 0, 0);
}

static void test_file_that_has_changed_is_read_again(void **state)
{
	struct inspector_file file = file_now();

	(void)state;
	assert_int_equal(look(&file)->keys.count, 1);
	do
		file_put(path, "no key", 0600);
	while (ctime_of(path) == file.ctime_ns);
	file = file_now();
	assert_int_equal(look(&file)->keys.count, 0);
	assert_counts(2, 0, 0);
}

static bool is_news(const struct inspector_file *file)
{
	bool result = false;

	assert_non_null(inspector_look(inspector, file, NOW_NS, &result));
	return result;
}

static void test_content_is_news_once_to_a_process(void **state)
{
	struct inspector_file file = file_now();

	(void)state;
	assert_true(is_news(&file));
	assert_false(is_news(&file));
	file.pid++;
	assert_true(is_news(&file));
	assert_false(is_news(&file));
	/* Another process of that pid. */
	file.start_ns++;
	assert_true(is_news(&file));
	file = file_now();
	assert_true(is_news(&file));
	assert_counts(1, 0, 0);
}

static void test_event_that_does_not_tell_which_file_is_counted(void **state)
{
	static char large[BROKER_PATH_MAX + 1];
	struct inspector_file file = file_now();

	(void)state;
	file.inode = 0;
	assert_null(look(&file));
	file = file_now();
	file.ctime_ns = 0;
	assert_null(look(&file));
	file = file_now();
	memset(large, 'a', BROKER_PATH_MAX);
	file.path = large;
	file.path_size = BROKER_PATH_MAX;
	assert_null(look(&file));
	assert_counts(0, 0, 0);
	assert_int_equal(inspector_counts(inspector)->nr_unknown, 3);
}

static void test_other_file_of_that_name_is_not_told(void **state)
{
	struct inspector_file file = file_now();

	(void)state;
	file.ctime_ns++;
	assert_null(look(&file));
	file = file_now();
	file.inode++;
	assert_null(look(&file));
	assert_counts(0, 2, 0);
}

static void test_file_that_is_gone_fails_until_it_is_back(void **state)
{
	const struct inspector_file file = file_now();
	char aside[80];

	(void)state;
	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_null(look(&file));
	assert_null(look(&file));
	assert_counts(0, 2, 0);
	assert_int_equal(rename(aside, path), 0);
	/* That it was renamed has changed it. */
	assert_non_null(look(&(struct inspector_file){ .pid = file.pid,
						       .inode = file.inode,
						       .ctime_ns = ctime_of(path),
						       .path = path,
						       .path_size = strlen(path) }));
	assert_counts(1, 2, 0);
}

/* What it says of the file would not be true. */
static void test_file_without_descriptor_is_counted_apart(void **state)
{
	const struct inspector_file file = file_now();
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_null(look(&file));
	setrlimit(RLIMIT_NOFILE, &before);
	assert_counts(0, 0, 0);
	assert_int_equal(inspector_counts(inspector)->nr_short, 1);
	assert_non_null(look(&file));
	assert_counts(1, 0, 0);
}

static void test_no_more_than_so_many_a_second(void **state)
{
	const struct inspector_file file = file_now();
	struct inspector_file none = file;
	bool news;

	(void)state;
	none.path = "/none.pem";
	none.path_size = strlen(none.path);
	none.inode++;
	assert_non_null(look(&file));
	for (uint32_t i = 1; i < INSPECTOR_PER_SECOND; i++)
		assert_null(look(&none));
	assert_counts(1, INSPECTOR_PER_SECOND - 1, 0);
	assert_null(look(&none));
	assert_null(inspector_look(inspector, &none, NOW_NS + NS_PER_SECOND - 1, &news));
	assert_counts(1, INSPECTOR_PER_SECOND - 1, 2);
	/* What is known costs nothing. */
	assert_non_null(look(&file));
	assert_counts(1, INSPECTOR_PER_SECOND - 1, 2);
	assert_null(inspector_look(inspector, &none, NOW_NS + NS_PER_SECOND, &news));
	assert_counts(1, INSPECTOR_PER_SECOND, 2);
}

/* The file as one of many on different devices, all in the same set. */
static const struct content *look_on(uint32_t device)
{
	struct inspector_file file = file_now();

	file.dev_minor = device * SETS;
	return look(&file);
}

static void test_the_one_used_longest_ago_is_forgotten(void **state)
{
	const struct content *second;

	(void)state;
	for (uint32_t i = 0; i < WAYS; i++)
		assert_non_null(look_on(i));
	assert_counts(WAYS, 0, 0);
	/* All are known; 0 is now the one used last. */
	second = look_on(2);
	for (uint32_t i = 1; i < WAYS; i++)
		look_on(i);
	look_on(0);
	assert_counts(WAYS, 0, 0);
	/* One more takes the place of 1. */
	assert_non_null(look_on(WAYS));
	assert_counts(WAYS + 1, 0, 0);
	assert_non_null(look_on(0));
	assert_ptr_equal(look_on(2), second);
	assert_counts(WAYS + 1, 0, 0);
	assert_non_null(look_on(1));
	assert_counts(WAYS + 2, 0, 0);
}

static void test_without_broker_nothing_is_told(void **state)
{
	const struct inspector_file file = file_now();

	(void)state;
	broker_stop(&broker);
	assert_null(look(&file));
	assert_counts(0, 1, 0);
	inspector_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file_is_looked_into),
		TEST(test_file_that_has_not_changed_is_read_once),
		TEST(test_file_that_has_changed_is_read_again),
		TEST(test_content_is_news_once_to_a_process),
		TEST(test_event_that_does_not_tell_which_file_is_counted),
		TEST(test_other_file_of_that_name_is_not_told),
		TEST(test_file_that_is_gone_fails_until_it_is_back),
		TEST(test_file_without_descriptor_is_counted_apart),
		TEST(test_no_more_than_so_many_a_second),
		TEST(test_the_one_used_longest_ago_is_forgotten),
		TEST(test_without_broker_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
