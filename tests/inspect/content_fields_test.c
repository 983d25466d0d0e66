/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "inspect/content.h"
#include "pipeline/record.h"

static struct value read_field(const struct fields *fields, const void *item, const char *name)
{
	struct record record = { .bytes = item };
	struct value value = { 0 };

	for (size_t i = 0; i < fields->nr_fields; i++) {
		if (strcmp(fields->fields[i].name, name) != 0)
			continue;
		field_get(&record, &fields->fields[i], &value);
		return value;
	}
	fail_msg("no field '%s'", name);
	return value;
}

static void expect_text(const struct fields *fields, const void *item, const char *name,
			const char *text)
{
	struct value value = read_field(fields, item, name);

	assert_true(value.present);
	assert_int_equal(value.str.size, strlen(text));
	assert_memory_equal(value.str.bytes, text, value.str.size);
}

static void test_every_member_of_a_certificate_is_read(void **state)
{
	static const char *const texts[] = { "subject",
					     "issuer",
					     "serial",
					     "key_type",
					     "curve",
					     "signature_algorithm",
					     "fingerprint_sha256",
					     "chain" };
	struct certificate certificate = {
		.subject = "subject",
		.issuer = "issuer",
		.serial = "serial",
		.sans = "DNS:a\0IP:::1",
		.sans_size = 12,
		.not_before_ns = 5,
		.not_after_ns = 6,
		.days_left = -3,
		.key_type = "key_type",
		.curve = "curve",
		.key_bits = 2048,
		.signature_algorithm = "signature_algorithm",
		.fingerprint_sha256 = "fingerprint_sha256",
		.position = 4,
		.chain = "chain",
		.is_self_signed = true,
	};
	const struct fields *fields = &certificate_fields;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_text(fields, &certificate, texts[i], texts[i]);
	assert_int_equal(read_field(fields, &certificate, "sans").str.size, 12);
	assert_int_equal(read_field(fields, &certificate, "not_before").u, 5);
	assert_int_equal(read_field(fields, &certificate, "not_after").u, 6);
	assert_int_equal(read_field(fields, &certificate, "days_left").s, -3);
	assert_int_equal(read_field(fields, &certificate, "key_bits").u, 2048);
	assert_int_equal(read_field(fields, &certificate, "position").u, 4);
	assert_true(read_field(fields, &certificate, "self_signed").b);
	assert_false(read_field(fields, &certificate, "ca").b);
	assert_int_equal(fields->nr_fields, 16);
}

static void test_every_member_of_a_key_is_read(void **state)
{
	struct key key = { .type = "type",
			   .format = "format",
			   .curve = "curve",
			   .bits = 256,
			   .is_private = true };
	const struct fields *fields = &key_fields;

	(void)state;
	expect_text(fields, &key, "type", "type");
	expect_text(fields, &key, "format", "format");
	expect_text(fields, &key, "curve", "curve");
	assert_int_equal(read_field(fields, &key, "bits").u, 256);
	assert_true(read_field(fields, &key, "private").b);
	assert_false(read_field(fields, &key, "encrypted").b);
	assert_int_equal(fields->nr_fields, 6);
}

static void test_what_is_not_known_has_no_value(void **state)
{
	static const char *const names[] = { "subject",	  "sans",     "not_before", "not_after",
					     "days_left", "key_type", "key_bits",   "curve" };
	struct certificate certificate = { 0 };
	struct key key = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(read_field(&certificate_fields, &certificate, names[i]).present);
	assert_false(read_field(&key_fields, &key, "type").present);
	assert_false(read_field(&key_fields, &key, "bits").present);
}

static void test_every_field_has_class_and_help(void **state)
{
	const struct fields *tables[] = { &certificate_fields, &key_fields };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < tables[i]->nr_fields; j++) {
			const struct field *field = &tables[i]->fields[j];

			assert_int_not_equal(field->class, CLASS_NONE);
			assert_non_null(field->help);
			assert_int_equal(field->json_key_size, strlen(field->json_key));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_member_of_a_certificate_is_read),
		cmocka_unit_test(test_every_member_of_a_key_is_read),
		cmocka_unit_test(test_what_is_not_known_has_no_value),
		cmocka_unit_test(test_every_field_has_class_and_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
