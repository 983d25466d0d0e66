/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "inventory/libs.h"
#include "inventory/made_inventory.h"

#define CRYPTO "/usr/lib/libcrypto.so.3"
#define TLS    "/usr/lib/libgnutls.so.30"

static struct libs *libs;

static int begin(void **state)
{
	libs = NULL;
	return made_begin(state);
}

static int end(void **state)
{
	libs_free(libs);
	return made_end(state);
}

static const struct libs_item *make(const char *const *patterns, size_t nr_patterns)
{
	inventory_sort(inventory);
	libs_free(libs);
	libs = NULL;
	assert_int_equal(libs_new(&libs, &source, patterns, nr_patterns), 0);
	assert_int_equal(libs->summary.libraries, libs->libraries.count);
	return libs->libraries.items;
}

/* Two processes, two libraries in use, one that nobody has, and files. */
static void fill(void)
{
	struct inventory_process *first = made_process(7, "first");
	struct inventory_process *second = made_process(8, "second");

	made_library(first, CRYPTO, 1);
	made_library(first, TLS " (deleted)", 2);
	made_library(second, CRYPTO, 1);
	made_file(first, "/k.key", 3, 4);
	made_file(made_process(9, "third"), "/k.key", 3, 4);
	made_object("/usr/lib/libssl.so.3", 5);
	made_exe(second, "/usr/bin/second", 6);
}

static void test_libraries_are_listed_with_their_users(void **state)
{
	const struct libs_item *items;
	const struct process_name *names;

	(void)state;
	fill();
	items = make(NULL, 0);
	assert_int_equal(libs->libraries.count, 2);
	assert_string_equal(items[0].name, "libcrypto.so.3");
	assert_string_equal(items[0].path, CRYPTO);
	assert_int_equal(items[0].family, LIBRARY_FAMILY_openssl);
	assert_false(items[0].is_stale);
	assert_null(items[0].version);
	assert_int_equal(items[0].processes.count, 2);
	names = items[0].processes.items;
	assert_int_equal(names[0].pid, 7);
	assert_string_equal(names[1].name, "second");
	assert_string_equal(items[1].path, TLS);
	assert_true(items[1].is_stale);
	assert_int_equal(items[1].processes.count, 1);
	assert_int_equal(libs->summary.processes, 2);
	assert_int_equal(libs->summary.stale, 1);
	assert_int_equal(libs->coverage.nr_processes, 3);
}

static void test_patterns_choose(void **state)
{
	const char *const patterns[] = { "nosuch", "GNUTLS" };
	const struct libs_item *items;

	(void)state;
	fill();
	items = make(patterns, 2);
	assert_int_equal(libs->libraries.count, 1);
	assert_string_equal(items[0].path, TLS);
	assert_int_equal(libs->summary.processes, 1);
	assert_int_equal(libs->summary.stale, 1);
	make(patterns, 1);
	assert_int_equal(libs->libraries.count, 0);
	assert_int_equal(libs->summary.processes, 0);
	assert_int_equal(libs->summary.stale, 0);
}

static void test_what_is_known_of_a_library_is_told(void **state)
{
	struct inventory_object *object;
	struct program *program;
	const struct libs_item *items;

	(void)state;
	fill();
	object = made_object(CRYPTO, 1);
	program = made_program(object, "3.0.1");
	program->soname = "libcrypto.so.3";
	memcpy(program->build_id, "abcd", 5);
	object->package = strdup("libssl3 3.0.1-2");
	object = made_object(TLS " (deleted)", 2);
	made_program(object, NULL);
	object->inferred_version = strdup("3.7");
	object->disk_version = strdup("3.8");
	items = make(NULL, 0);
	assert_string_equal(items[0].version, "3.0.1");
	assert_string_equal(items[0].package, "libssl3 3.0.1-2");
	assert_string_equal(items[0].build_id, "abcd");
	assert_string_equal(items[0].soname, "libcrypto.so.3");
	assert_null(items[0].disk_version);
	assert_string_equal(items[1].version, "3.7");
	assert_string_equal(items[1].disk_version, "3.8");
	assert_null(items[1].build_id);
	assert_null(items[1].soname);
	assert_null(items[1].package);
}

static void test_document_of_nothing_is_complete(void **state)
{
	struct scene scene;
	const char *text;

	(void)state;
	make(NULL, 0);
	text = made_json(&scene, libs, &libs_fields);
	assert_string_equal(parsed_value(text, "libs_version"), "1.0");
	assert_string_equal(parsed_value(text, "libraries"), "[]");
	assert_string_equal(parsed_value(text, "summary.libraries"), "0");
	assert_string_equal(parsed_value(text, "coverage.processes_examined"), "0");
	scene_close(&scene);
	libs_free(NULL);
}

static void test_document_is_rendered(void **state)
{
	struct scene scene;
	const char *text;

	(void)state;
	made_library(made_process(7, "web"), "/home/bob/libcrypto.so.3", 1);
	make(NULL, 0);
	text = made_json(&scene, libs, &libs_fields);
	assert_string_equal(parsed_value(text, "generated_at"), "2026-11-21T09:00:01.000000Z");
	assert_string_equal(parsed_value(text, "hostname"), "web-01");
	assert_string_equal(parsed_value(text, "kernel"), "6.1.0");
	assert_string_equal(parsed_value(text, "libraries.0.path"), "/home/USER/libcrypto.so.3");
	assert_string_equal(parsed_value(text, "libraries.0.family"), "openssl");
	assert_non_null(strstr(text, "\"version\":null,\"package\":null,\"build_id\":null,"
				     "\"soname\":null,\"stale\":false,\"processes\":[{\"pid\":7,"));
	scene_close(&scene);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_libraries_are_listed_with_their_users),
		TEST(test_patterns_choose),
		TEST(test_what_is_known_of_a_library_is_told),
		TEST(test_document_of_nothing_is_complete),
		TEST(test_document_is_rendered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
