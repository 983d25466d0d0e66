/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/providers.h"

static struct providers providers;

static struct draft *add(const char *name, uint32_t confidence, const char *evidence)
{
	return providers_add(&providers, name, LINKAGE_static, confidence, evidence);
}

static void test_evidence_of_one_name_is_one_provider(void **state)
{
	struct draft *draft;

	(void)state;
	providers = (struct providers){ 0 };
	draft = add("openssl", CONFIDENCE_medium, "banner");
	assert_ptr_equal(add("openssl", CONFIDENCE_high, "symbols"), draft);
	assert_ptr_equal(add("openssl", CONFIDENCE_low, "banner"), draft);
	assert_ptr_not_equal(add("gnutls", CONFIDENCE_low, "banner"), draft);
	assert_int_equal(providers.count, 2);
	assert_int_equal(draft->confidence, CONFIDENCE_high);
	assert_int_equal(draft->evidence.size, sizeof("banner\0symbols"));
	assert_memory_equal(draft->evidence.bytes, "banner\0symbols", sizeof("banner\0symbols"));
}

static void test_providers_are_bounded(void **state)
{
	(void)state;
	providers = (struct providers){ 0 };
	for (unsigned int i = 0; i < PROGRAM_PROVIDERS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%u", i);
		assert_non_null(add(name, CONFIDENCE_low, "banner"));
	}
	assert_null(add("one more", CONFIDENCE_low, "banner"));
	assert_non_null(add("p3", CONFIDENCE_low, "symbols"));
	assert_int_equal(providers.count, PROGRAM_PROVIDERS_MAX);
}

static void test_lists_are_bounded_and_whole(void **state)
{
	static struct texts texts;
	size_t count = 0;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "module%u", i);
		texts_add(&texts, text, strlen(text));
	}
	assert_in_range(texts.size, TEXTS_SIZE_MAX - 16, TEXTS_SIZE_MAX);
	assert_int_equal(texts.bytes[texts.size - 1], 0);
	for (size_t at = 0; at < texts.size; at += strlen(texts.bytes + at) + 1) {
		char text[16];

		snprintf(text, sizeof(text), "module%zu", count++);
		assert_string_equal(texts.bytes + at, text);
	}
}

static void test_foreign_bytes_become_text(void **state)
{
	static struct texts texts;
	char longest[4096];

	(void)state;
	texts_add(&texts, "a\x1b[31m\xff\nb", 9);
	assert_string_equal(texts.bytes, "a\\x1b[31m\\xff\\nb");
	texts_add(&texts, "", 0);
	memset(longest, 'x', sizeof(longest));
	texts_add(&texts, longest, sizeof(longest));
	assert_int_equal(texts.size, strlen(texts.bytes) + 1);
}

static void test_version_that_is_too_long_is_none(void **state)
{
	struct draft draft = { .version = "" };
	char longest[VERSION_TEXT_MAX];

	(void)state;
	memset(longest, '9', sizeof(longest));
	draft_version(&draft, longest, sizeof(longest));
	assert_string_equal(draft.version, "");
	draft_version(&draft, "3.0.17 and more", 6);
	assert_string_equal(draft.version, "3.0.17");
}

static void test_copy_is_one_block_of_the_size_that_was_told(void **state)
{
	struct provider *items;
	struct draft *draft;
	size_t size;

	(void)state;
	providers = (struct providers){ 0 };
	draft = add("go", CONFIDENCE_high, "buildinfo");
	draft_version(draft, "1.24.2", 6);
	texts_add(&draft->modules, "golang.org/x/crypto v0.31.0", 27);
	texts_add(&draft->settings, "CGO_ENABLED=0", 13);
	add("constants", CONFIDENCE_low, "constants");
	texts_add(&providers.drafts[1].capabilities, "AES", 3);
	size = providers_size(&providers);
	items = malloc(size);
	assert_non_null(items);
	assert_ptr_equal(providers_copy(&providers, items), (char *)items + size);
	/* Nothing of it is borrowed. */
	providers = (struct providers){ 0 };
	assert_string_equal(items[0].name, "go");
	assert_string_equal(items[0].version, "1.24.2");
	assert_string_equal(items[0].evidence, "buildinfo");
	assert_string_equal(items[0].modules, "golang.org/x/crypto v0.31.0");
	assert_int_equal(items[0].modules_size, 28);
	assert_string_equal(items[0].settings, "CGO_ENABLED=0");
	assert_null(items[0].capabilities);
	assert_int_equal(items[0].capabilities_size, 0);
	assert_null(items[1].version);
	assert_string_equal(items[1].capabilities, "AES");
	assert_int_equal(items[1].linkage, LINKAGE_static);
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evidence_of_one_name_is_one_provider),
		cmocka_unit_test(test_providers_are_bounded),
		cmocka_unit_test(test_lists_are_bounded_and_whole),
		cmocka_unit_test(test_foreign_bytes_become_text),
		cmocka_unit_test(test_version_that_is_too_long_is_none),
		cmocka_unit_test(test_copy_is_one_block_of_the_size_that_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
