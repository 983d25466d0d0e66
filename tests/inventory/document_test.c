/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspect/finding.h"
#include "inventory/made_inventory.h"
#include "support/files.h"

#define CRYPTO "/usr/lib/libcrypto.so.3"

static struct pool pool;
static struct document_coverage coverage;
static struct document_users users;

static int end(void **state)
{
	pool_free(&pool);
	return made_end(state);
}

static void cover(void)
{
	inventory_sort(inventory);
	assert_int_equal(document_cover(&coverage, &pool, &source), 0);
}

/* The users of OBJECT are those with PIDS, which 0 ends, in that order. */
static void assert_users(const struct inventory_object *object, const uint32_t *pids)
{
	const struct item_list *list = &users.lists[object->position];
	const struct process_name *names = list->items;
	size_t n = 0;

	assert_int_equal(list->stride, sizeof(*names));
	for (; pids[n]; n++) {
		assert_true(n < list->count);
		assert_int_equal(names[n].pid, pids[n]);
	}
	assert_int_equal(list->count, n);
}

#define ASSERT_USERS(object, ...) assert_users(object, (const uint32_t[]){ __VA_ARGS__, 0 })

static void test_each_user_is_told_once(void **state)
{
	struct inventory_process *web = made_process(7, "web");
	struct inventory_process *other = made_process(5, "a-long-name-xx");
	struct inventory_object *library = made_library(web, CRYPTO, 1);
	struct inventory_object *key = made_file(web, "/k.key", 2, 3);
	struct inventory_object *exe = made_exe(web, "/usr/bin/web", 3);
	struct inventory_object *unused = made_object("/unused.key", 4);

	(void)state;
	made_library(other, CRYPTO, 1);
	made_exe(other, "/usr/bin/web", 3);
	made_file(web, "/a.key", 9, 1);
	/* The same file again, with another between. */
	made_file(web, "/k.key", 2, 4);
	inventory_sort(inventory);
	assert_int_equal(document_users_make(&pool, inventory, &users), 0);
	ASSERT_USERS(library, 5, 7);
	ASSERT_USERS(key, 7);
	ASSERT_USERS(exe, 5, 7);
	assert_users(unused, (const uint32_t[]){ 0 });
	assert_string_equal(
		((const struct process_name *)users.lists[library->position].items)[0].name,
		"a-long-name-xx");
}

/* A library that is run as a program, which also maps it. */
static void test_program_that_is_a_library_has_each_user_once(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_object *library = made_library(process, CRYPTO, 1);

	(void)state;
	made_exe(process, CRYPTO, 1);
	inventory_sort(inventory);
	assert_int_equal(document_users_make(&pool, inventory, &users), 0);
	ASSERT_USERS(library, 7);
}

static void test_nothing_has_no_users(void **state)
{
	(void)state;
	inventory_sort(inventory);
	assert_int_equal(document_users_make(&pool, inventory, &users), 0);
}

static void test_complete_coverage_has_no_gaps(void **state)
{
	(void)state;
	made_process(7, "web");
	made_process(8, "web");
	source.counts = (struct examine_counts){ .nr_examined = 5 };
	cover();
	assert_string_equal(coverage.method, "bpf");
	assert_null(coverage.reason);
	assert_int_equal(coverage.nr_processes, 2);
	assert_int_equal(coverage.nr_hidden, 0);
	assert_int_equal(coverage.nr_examined, 5);
	assert_int_equal(coverage.nr_failed, 0);
	assert_int_equal(coverage.notes.count, 0);
	assert_int_equal(coverage.not_seen.count, 0);
}

static const struct document_gap *gap_at(size_t i)
{
	assert_true(i < coverage.not_seen.count);
	return (const struct document_gap *)coverage.not_seen.items + i;
}

static void test_every_gap_is_told_with_its_count(void **state)
{
	(void)state;
	for (uint32_t pid = 1; pid <= 5; pid++)
		made_process(pid, "x")->is_hidden = pid <= 2;
	inventory->nr_hidden = 2;
	inventory->nr_refused = 3;
	source.counts.nr_failed = 4;
	source.method = "proc";
	source.reason = "no permission";
	source.is_inspected = false;
	cover();
	assert_int_equal(coverage.nr_processes, 3);
	assert_int_equal(coverage.nr_hidden, 2);
	assert_int_equal(coverage.nr_failed, 4);
	assert_string_equal(coverage.reason, "no permission");
	assert_int_equal(coverage.not_seen.count, 5);
	assert_string_equal(gap_at(0)->what, "processes of other users");
	assert_int_equal(gap_at(0)->count, 2);
	assert_non_null(strstr(gap_at(1)->why, "--max-processes"));
	assert_int_equal(gap_at(1)->count, 3);
	assert_string_equal(gap_at(2)->what, "content of files");
	assert_int_equal(gap_at(2)->count, 4);
	assert_string_equal(gap_at(3)->why, "--no-inspect");
	assert_non_null(strstr(gap_at(4)->what, "AF_ALG"));
}

static void test_gaps_beyond_the_limit_are_left_out(void **state)
{
	(void)state;
	cover();
	for (uint64_t i = 0; i < DOCUMENT_GAPS_MAX + 5; i++)
		document_gap(&coverage, "what", "why", i);
	assert_int_equal(coverage.not_seen.count, DOCUMENT_GAPS_MAX);
	assert_int_equal(gap_at(DOCUMENT_GAPS_MAX - 1)->count, DOCUMENT_GAPS_MAX - 1);
}

static void test_notes_are_of_opening_content_or_program(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	const struct document_note *notes;

	(void)state;
	made_content(made_file(process, "/b.key", 2, 4))->note = "damaged";
	made_file(process, "/a.key", 1, 3)->note = "gone";
	made_program(made_library(process, CRYPTO, 3), NULL)->note = "cut";
	made_content(made_file(process, "/fine.key", 4, 5));
	made_file(process, "/plain.key", 5, 6);
	cover();
	notes = coverage.notes.items;
	assert_int_equal(coverage.notes.count, 3);
	assert_string_equal(notes[0].file, "/a.key");
	assert_string_equal(notes[0].note, "gone");
	assert_string_equal(notes[1].file, "/b.key");
	assert_string_equal(notes[1].note, "damaged");
	assert_string_equal(notes[2].file, CRYPTO);
	assert_string_equal(notes[2].note, "cut");
}

static void test_coverage_is_rendered(void **state)
{
	struct scene scene;
	const char *text;

	(void)state;
	made_file(made_process(7, "web"), "/home/bob/k.key", 1, 3)->note = "gone";
	source.counts.nr_failed = 1;
	cover();
	text = made_json(&scene, &coverage, &document_coverage_fields);
	assert_string_equal(text, "{\"method\":\"bpf\",\"reason\":null,\"processes_examined\":1,"
				  "\"processes_not_examined\":0,\"files_examined\":0,"
				  "\"files_not_examined\":1,"
				  "\"files\":[{\"file\":\"/home/USER/k.key\",\"note\":\"gone\"}],"
				  "\"not_seen\":[{\"what\":\"content of files\",\"why\":\"gone "
				  "meanwhile, or no permission; see files\",\"count\":1}]}\n");
	scene_close(&scene);
}

static void test_base_name_is_behind_the_last_slash(void **state)
{
	(void)state;
	assert_string_equal(document_base_name(made_object(CRYPTO, 1)), "libcrypto.so.3");
	assert_string_equal(document_base_name(made_object("plain", 1)), "plain");
	assert_string_equal(document_base_name(made_object("/", 1)), "");
}

static void test_user_has_a_name_or_a_number(void **state)
{
	struct users *names;

	files_begin(state);
	file_put(files_path("passwd"), "root:x:0:0:root:/root:/bin/sh\n", 0600);
	assert_int_equal(users_new(&names, files_path("passwd")), 0);
	assert_string_equal(document_user(&pool, names, 0), "root");
	assert_string_equal(document_user(&pool, names, 4294967295U), "4294967295");
	assert_string_equal(document_user(&pool, NULL, 0), "0");
	users_free(names);
	assert_int_equal(files_end(state), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, made_begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_user_is_told_once),
		TEST(test_program_that_is_a_library_has_each_user_once),
		TEST(test_nothing_has_no_users),
		TEST(test_complete_coverage_has_no_gaps),
		TEST(test_every_gap_is_told_with_its_count),
		TEST(test_gaps_beyond_the_limit_are_left_out),
		TEST(test_notes_are_of_opening_content_or_program),
		TEST(test_coverage_is_rendered),
		TEST(test_base_name_is_behind_the_last_slash),
		TEST(test_user_has_a_name_or_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
