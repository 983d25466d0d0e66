/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "inspect/der.h"

static struct der open_der(struct octets *octets, const void *bytes, size_t size)
{
	octets_raw(octets, bytes, size);
	return der_all(octets);
}

static void test_lengths_of_all_forms_are_read(void **state)
{
	static const uint8_t bytes[] = { 0x04, 0x01, 0xaa, 0x04, 0x81, 0x01, 0xbb, 0x04,
					 0x82, 0x00, 0x01, 0xcc, 0x24, 0x80, 0x04, 0x01,
					 0xdd, 0x04, 0x01, 0xee, 0x00, 0x00, 0x05, 0x00 };
	const void *guarded = guard_copy(bytes, sizeof(bytes));
	struct octets octets;
	struct der der = open_der(&octets, guarded, sizeof(bytes));
	struct tlv value;
	uint8_t *copy;
	size_t size;

	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		assert_true(der_next(&der, &value));
		assert_int_equal(value.size, 1);
		assert_int_equal(octets_at(&octets, value.at), 0xaa + 0x11 * i);
	}
	assert_true(der_next(&der, &value));
	assert_int_equal(der_copy(&der, &value, &copy, &size), 0);
	assert_int_equal(size, 2);
	assert_memory_equal(copy, "\xdd\xee", 2);
	free(copy);
	assert_true(der_take(&der, DER_NULL, &value));
	assert_false(der_next(&der, &value));
	guard_free(guarded, sizeof(bytes));
}

static void test_what_does_not_fit_is_no_value(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t size;
	} rows[] = {
		{ { 0x04 }, 1 },			       /* no length */
		{ { 0x04, 0x02, 0x00 }, 3 },		       /* content cut */
		{ { 0x04, 0x82, 0x01 }, 3 },		       /* length cut */
		{ { 0x04, 0x85, 1, 1, 1, 1, 1, 1 }, 8 },       /* length of five octets */
		{ { 0x04, 0x84, 0xff, 0xff, 0xff, 0xff }, 6 }, /* 4 GiB */
		{ { 0x30, 0x80, 0x05, 0x00 }, 4 },	       /* no end */
		{ { 0x04, 0x80, 0x00, 0x00 }, 4 },	       /* primitive without length */
		{ { 0x1f, 0x81, 0x01 }, 3 },		       /* long tag cut */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const void *guarded = guard_copy(rows[i].bytes, rows[i].size);
		struct octets octets;
		struct der der = open_der(&octets, guarded, rows[i].size);
		struct tlv value;

		assert_false(der_next(&der, &value));
		assert_int_equal(der.at, 0);
		guard_free(guarded, rows[i].size);
	}
}

static void test_indefinite_lengths_are_bounded_in_depth(void **state)
{
	uint8_t bytes[4 * (DER_DEPTH_MAX + 1)];
	struct octets octets;
	struct tlv value;
	struct der der;

	(void)state;
	for (size_t depth = DER_DEPTH_MAX; depth <= DER_DEPTH_MAX + 1; depth++) {
		memset(bytes, 0, sizeof(bytes));
		for (size_t i = 0; i < depth; i++) {
			bytes[2 * i] = 0x30;
			bytes[2 * i + 1] = 0x80;
		}
		der = open_der(&octets, bytes, 4 * depth);
		assert_int_equal(der_next(&der, &value), depth == DER_DEPTH_MAX);
	}
}

static void expect_oid(const uint8_t *bytes, size_t size, const char *expected)
{
	char text[DER_OID_TEXT_MAX];
	struct octets octets;
	struct der der = open_der(&octets, bytes, size);
	struct tlv value;
	const char *oid;

	assert_true(der_next(&der, &value));
	oid = der_oid(&der, &value, text);
	if (expected)
		assert_string_equal(oid ? oid : "none", expected);
	else
		assert_null(oid);
}

static void test_identifiers_become_text(void **state)
{
	static const uint8_t rsa[] = { 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 };
	static const uint8_t joint[] = { 6, 3, 0x88, 0x37, 3 };
	static const uint8_t cut[] = { 6, 2, 0x2a, 0x86 };
	static const uint8_t none[] = { 2, 1, 1 };
	uint8_t huge[14] = { 6, 12 };
	uint8_t many[102] = { 6, 100 };

	(void)state;
	memset(huge + 2, 0xff, 11);
	memset(many + 2, 0x7f, 100);
	expect_oid(rsa, sizeof(rsa), "1.2.840.113549.1.1.1");
	/* X.690, 8.19.5: 2.999.3 */
	expect_oid(joint, sizeof(joint), "2.999.3");
	expect_oid(cut, sizeof(cut), NULL);
	expect_oid(none, sizeof(none), NULL);
	expect_oid(huge, sizeof(huge), NULL);
	expect_oid(many, sizeof(many),
		   "2.47.127.127.127.127.127.127.127.127.127.127.127.127.127.127.127.127.127...");
}

static void test_numbers_have_their_significant_bits(void **state)
{
	static const struct {
		uint8_t bytes[6];
		uint32_t bits, small;
	} rows[] = {
		{ { 2, 1, 0 }, 0, 0 },
		{ { 2, 1, 1 }, 1, 1 },
		{ { 2, 2, 0, 0x80 }, 8, 128 },
		{ { 2, 2, 0x7f, 0xff }, 15, 0x7fff },
		{ { 2, 1, 0x80 }, 0, UINT32_MAX },
		{ { 4, 1, 1 }, 0, UINT32_MAX },
		{ { 2, 0 }, 0, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct octets octets;
		struct der der = open_der(&octets, rows[i].bytes, 2U + rows[i].bytes[1]);
		struct tlv value;

		assert_true(der_next(&der, &value));
		assert_int_equal(der_bits(&der, &value), rows[i].bits);
		assert_int_equal(der_small(&der, &value), rows[i].small);
	}
}

static void test_shape_names_the_tags(void **state)
{
	static const uint8_t bytes[] = { 2, 0,	  0x30, 0,    0x31, 0, 3, 0,	4, 0, 6,
					 0, 0xa0, 0,	0x17, 0,    5, 0, 0x0c, 0, 4, 9 };
	struct octets octets;
	struct der der = open_der(&octets, bytes, sizeof(bytes));
	char shape[16];

	(void)state;
	assert_string_equal(der_shape(der, shape, sizeof(shape)), "ISsBOo0TN?!");
	assert_string_equal(der_shape(der, shape, 4), "ISs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths_of_all_forms_are_read),
		cmocka_unit_test(test_what_does_not_fit_is_no_value),
		cmocka_unit_test(test_indefinite_lengths_are_bounded_in_depth),
		cmocka_unit_test(test_identifiers_become_text),
		cmocka_unit_test(test_numbers_have_their_significant_bits),
		cmocka_unit_test(test_shape_names_the_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
