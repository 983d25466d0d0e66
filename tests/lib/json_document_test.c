/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "lib/file.h"
#include "lib/json_document.h"
#include "support/below_valgrind.h"
#include "support/files.h"
#include "support/guard.h"

#ifndef __SANITIZE_ADDRESS__
extern void *__libc_realloc(void *old, size_t size);

/* Nothing can be made larger: of all that is linked here. */
static bool is_short;

void *realloc(void *old, size_t size)
{
	return is_short ? NULL : __libc_realloc(old, size);
}

/* json-c does not say of what it has no memory for that it is missing. */
static void test_value_is_whole_or_missing_memory_is_said(void **state)
{
	static const char text[] =
		"{\"a\": \"a text of more than 32 bytes, at which json-c begins\"}";
	struct json_object *document = NULL;
	enum json_fault fault;

	(void)state;
	not_below_valgrind("valgrind has the allocator");
	is_short = true;
	fault = json_document_parse(text, sizeof(text) - 1, &document);
	is_short = false;
	assert_int_equal(fault, JSON_FAULT_memory);
	assert_null(document);
}
#endif

/* What becomes of TEXT, whose last byte is the last that may be read. */
static enum json_fault fault_of(const char *text, size_t size, struct json_object **ret)
{
	const void *bytes = guard_copy(text, size);
	enum json_fault fault = json_document_parse(bytes, size, ret);

	guard_free(bytes, size);
	return fault;
}

static void test_document_is_read(void **state)
{
	static const char text[] = " {\"a\": [1, \"\xc3\xa9\"]}\r\n\t";
	struct json_object *document = NULL, *value;

	(void)state;
	assert_int_equal(fault_of(text, sizeof(text) - 1, &document), JSON_FAULT_none);
	assert_true(json_object_object_get_ex(document, "a", &value));
	assert_int_equal(json_object_array_length(value), 2);
	json_object_put(document);
}

static void test_what_is_no_document_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} cases[] = {
#define CASE(text) { text, sizeof(text) - 1 }
		CASE(""),
		CASE(" "),
		CASE("{"),
		CASE("{\"a\":1}}"),
		CASE("{\"a\":1} {\"a\":1}"),
		CASE("{\"a\":1}\0"),
		CASE("{\"a\":1}\0{\"a\":2}"),
		CASE("{\"a\":01}"),
		CASE("{\"a\":1,}"),
		CASE("{\"a\":\"\xff\"}"),
		CASE("\x7f\x45\x4c\x46"),
		CASE("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *document = NULL;

		if (fault_of(cases[i].text, cases[i].size, &document) != JSON_FAULT_syntax)
			fail_msg("not refused: '%s'", cases[i].text);
		assert_null(document);
	}
}

/* Nothing is read of what is too large, so that there need not be that much. */
static void test_size_is_bounded(void **state)
{
	struct json_object *document = NULL;

	(void)state;
	assert_int_equal(json_document_parse("", (size_t)JSON_DOCUMENT_MAX + 1, &document),
			 JSON_FAULT_size);
	assert_null(document);
}

static void test_number_of_values_is_bounded(void **state)
{
	static const size_t size = 5U << 20;
	char *text = malloc(size);
	struct json_object *document = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '[', size);
	assert_int_equal(json_document_parse(text, size, &document), JSON_FAULT_values);
	/* no more than they may be, but deeper */
	assert_int_equal(json_document_parse(text, size / 2, &document), JSON_FAULT_syntax);
	free(text);
}

static void assert_read(const char *path, int err, const char *wanted)
{
	const char *what = NULL;
	char *text = NULL;
	size_t size = 0;

	assert_int_equal(json_document_read(file_open(path), &text, &size, &what), err);
	assert_string_equal(err ? what : text, wanted);
	free(text);
}

static void test_what_is_wrong_with_a_file_is_said(void **state)
{
	const char *path = files_path("document");

	(void)state;
	file_put(path, "{}", 0600);
	assert_read(path, 0, "{}");
	assert_int_equal(truncate(path, (off_t)JSON_DOCUMENT_MAX + 1), 0);
	assert_read(path, -EFBIG, "larger than 256 MiB");
	assert_read("/dev/zero", -ENODEV, "not a file or a pipe");
	assert_read("/no/such/file", -ENOENT, "No such file or directory");
	assert_read("/tmp", -EISDIR, "Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_value_is_whole_or_missing_memory_is_said),
#endif
		cmocka_unit_test(test_document_is_read),
		cmocka_unit_test(test_what_is_no_document_is_refused),
		cmocka_unit_test(test_size_is_bounded),
		cmocka_unit_test(test_number_of_values_is_bounded),
		cmocka_unit_test_setup_teardown(test_what_is_wrong_with_a_file_is_said, files_begin,
						files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
