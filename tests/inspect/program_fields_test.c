/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/program.h"
#include "pipeline/record.h"

static const struct provider full = {
	.name = "go",
	.version = "1.24.2",
	.linkage = LINKAGE_static,
	.confidence = CONFIDENCE_high,
	.evidence = "buildinfo\0crypto/tls",
	.evidence_size = sizeof("buildinfo\0crypto/tls"),
	.modules = "golang.org/x/crypto v0.31.0",
	.modules_size = sizeof("golang.org/x/crypto v0.31.0"),
	.settings = "CGO_ENABLED=0",
	.settings_size = sizeof("CGO_ENABLED=0"),
	.capabilities = "AES",
	.capabilities_size = sizeof("AES"),
};

static const char *const order[] = { "name",	   "version", "linkage",  "evidence",
				     "confidence", "modules", "settings", "capabilities" };

static struct value read_field(const struct provider *provider, size_t i)
{
	const struct record record = { .bytes = (const uint8_t *)provider };
	struct value value;

	field_get(&record, &provider_fields.fields[i], &value);
	return value;
}

static void test_fields_are_those_of_the_interface(void **state)
{
	(void)state;
	assert_int_equal(provider_fields.nr_fields, sizeof(order) / sizeof(order[0]));
	for (size_t i = 0; i < provider_fields.nr_fields; i++) {
		const struct field *field = &provider_fields.fields[i];
		char key[64];

		assert_string_equal(field->name, order[i]);
		assert_int_equal(field->json_key_size, strlen(order[i]) + 3);
		snprintf(key, sizeof(key), "\"%s\":", order[i]);
		assert_string_equal(field->json_key, key);
		assert_int_not_equal(field->class, CLASS_NONE);
		assert_non_null(field->help);
	}
}

static void test_every_field_reads_its_member(void **state)
{
	static const struct {
		size_t i;
		const char *text;
		size_t size;
	} texts[] = {
		{ 0, "go", 2 },
		{ 1, "1.24.2", 6 },
		{ 3, "buildinfo\0crypto/tls", sizeof("buildinfo\0crypto/tls") },
		{ 5, "golang.org/x/crypto v0.31.0", sizeof("golang.org/x/crypto v0.31.0") },
		{ 6, "CGO_ENABLED=0", sizeof("CGO_ENABLED=0") },
		{ 7, "AES", sizeof("AES") },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
		struct value value = read_field(&full, texts[k].i);

		assert_true(value.present);
		assert_int_equal(value.str.size, texts[k].size);
		assert_memory_equal(value.str.bytes, texts[k].text, texts[k].size);
	}
	assert_int_equal(read_field(&full, 2).u, LINKAGE_static);
	assert_ptr_equal(provider_fields.fields[2].codes, &linkage_codes);
	assert_int_equal(read_field(&full, 4).u, CONFIDENCE_high);
	assert_ptr_equal(provider_fields.fields[4].codes, &confidence_codes);
}

static void test_what_is_not_known_has_no_value(void **state)
{
	const struct provider empty = { .name = "tls13" };
	struct value value;

	(void)state;
	assert_false(read_field(&empty, 1).present);
	value = read_field(&empty, 5);
	assert_true(!value.present || value.str.size == 0);
}

static void test_codes_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(code_name(&linkage_codes, LINKAGE_dynamic), "dynamic");
	assert_string_equal(code_name(&linkage_codes, LINKAGE_static), "static");
	assert_string_equal(code_name(&linkage_codes, LINKAGE_bundled), "bundled");
	assert_string_equal(code_name(&linkage_codes, LINKAGE_kernel), "kernel");
	assert_int_equal(linkage_codes.nr_entries, 4);
	assert_string_equal(code_name(&confidence_codes, CONFIDENCE_low), "low");
	assert_string_equal(code_name(&confidence_codes, CONFIDENCE_medium), "medium");
	assert_string_equal(code_name(&confidence_codes, CONFIDENCE_high), "high");
	assert_int_equal(confidence_codes.nr_entries, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_those_of_the_interface),
		cmocka_unit_test(test_every_field_reads_its_member),
		cmocka_unit_test(test_what_is_not_known_has_no_value),
		cmocka_unit_test(test_codes_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
