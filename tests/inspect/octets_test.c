/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "inspect/octets.h"

static void test_base64_is_read_at_any_offset(void **state)
{
	static const char text[] = "AAEC AwQF\r\nBgcI\tCQ==trailing";
	const char *guarded = guard_copy(text, sizeof(text) - 1);
	struct octets octets;
	uint8_t copy[10];
	uint32_t number;

	(void)state;
	octets_base64(&octets, guarded, sizeof(text) - 1);
	assert_int_equal(octets.size, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(octets_at(&octets, i), i);
	/* Backwards too. */
	for (size_t i = 10; i-- > 0;)
		assert_int_equal(octets_at(&octets, i), i);
	assert_int_equal(octets_at(&octets, 10), 0);
	assert_true(octets_copy(&octets, 3, 7, copy));
	assert_int_equal(copy[6], 9);
	assert_false(octets_copy(&octets, 4, 7, copy));
	assert_true(octets_number(&octets, 2, 4, &number));
	assert_int_equal(number, 0x02030405);
	assert_false(octets_number(&octets, 7, 4, &number));
	guard_free(guarded, sizeof(text) - 1);
}

/* What is stepped over is not decoded, and what was is forgotten. */
static void test_only_what_is_asked_for_is_decoded(void **state)
{
	struct octets octets;

	(void)state;
	octets_base64(&octets, "AAAAc2VjcmV0c2VjAQID", 20);
	assert_int_equal(octets_at(&octets, 0), 0);
	assert_int_equal(octets_at(&octets, 12), 1);
	assert_memory_equal(octets.group, "\1\2\3", 3);
	octets_wipe(&octets);
	assert_memory_equal(octets.group, "\0\0\0", 3);
	assert_int_equal(octets_at(&octets, 3), 's');
}

static void test_letters_that_make_no_byte_are_left_out(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} rows[] = { { "", 0 },	    { "A", 0 },	    { "AA", 1 },    { "AAA", 2 },
		     { "AAAA", 3 }, { "AA=AA", 1 }, { "-AAAA", 0 }, { " \r\n", 0 } };
	struct octets octets;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		octets_base64(&octets, rows[i].text, strlen(rows[i].text));
		assert_int_equal(octets.size, rows[i].size);
		assert_int_equal(octets_at(&octets, rows[i].size), 0);
	}
}

static void test_bits_begin_at_the_first_that_is_set(void **state)
{
	struct octets octets;

	(void)state;
	octets_raw(&octets, "\x00\x00\x12\x34", 4);
	assert_int_equal(octets_bits(&octets, 0, 4), 13);
	assert_int_equal(octets_bits(&octets, 0, 2), 0);
	assert_int_equal(octets_bits(&octets, 3, 2), 0);
	assert_int_equal(octets_bits(&octets, 5, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_is_read_at_any_offset),
		cmocka_unit_test(test_only_what_is_asked_for_is_decoded),
		cmocka_unit_test(test_letters_that_make_no_byte_are_left_out),
		cmocka_unit_test(test_bits_begin_at_the_first_that_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
