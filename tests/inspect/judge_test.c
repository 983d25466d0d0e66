/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "inspect/judge.h"

static void test_text_becomes_one_utf8_string(void **state)
{
	struct judge *judge = judge_new(0, false);

	(void)state;
	assert_string_equal(judge_text(judge, "B\xc3\xbc", 3), "B\xc3\xbc");
	assert_string_equal(judge_text(judge, "a\0b", 3), "a\\00b");
	assert_string_equal(judge_text(judge, "a\xff", 2), "a\xef\xbf\xbd");
	assert_string_equal(judge_text(judge, "", 0), "");
	judge_free(judge);
}

static void test_long_text_is_cut_at_a_character(void **state)
{
	struct judge *judge = judge_new(0, false);
	char text[JUDGE_TEXT_MAX + 10];
	const char *copy;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '\xbc' : '\xc3';
	/* The limit falls within a character when one byte stands before. */
	text[0] = 'x';
	memmove(text + 1, text + 2, sizeof(text) - 2);
	copy = judge_text(judge, text, sizeof(text) - 1);
	assert_int_equal(strlen(copy), JUDGE_TEXT_MAX - 1);
	judge_free(judge);
}

static void test_texts_stay_where_they_are(void **state)
{
	struct judge *judge = judge_new(0, false);
	const char *texts[500];

	(void)state;
	for (size_t i = 0; i < 500; i++)
		texts[i] = judge_format(judge, "text %zu", i);
	for (size_t i = 0; i < 500; i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "text %zu", i);
		assert_string_equal(texts[i], expected);
	}
	assert_string_equal(judge_hex(judge, (const uint8_t *)"\x00\xab", 2), "00ab");
	judge_free(judge);
}

static void test_counts_are_limited(void **state)
{
	struct judge *judge = judge_new(0, false);
	struct content *content = &judge->content;

	(void)state;
	for (unsigned int i = 0; i < CONTENT_CERTIFICATES_MAX + 3; i++)
		judge_add_certificate(judge, &(struct certificate){ .key_bits = i },
				      &(struct judge_side){ 0 });
	for (unsigned int i = 0; i < CONTENT_KEYS_MAX + 2; i++)
		judge_add_key(judge, &(struct key){ .bits = i });
	for (unsigned int i = 0; i < CONTENT_FINDINGS_MAX + 1; i++)
		judge_add_finding(judge, FINDING_dsa_key, NULL);
	assert_int_equal(judge_finish(judge), 0);
	assert_int_equal(content->certificates.count, CONTENT_CERTIFICATES_MAX);
	assert_int_equal(judge->nr_certificates_untold, 3);
	assert_true(content->certificates.truncated);
	assert_int_equal(sample_certificate(content, 255)->key_bits, 255);
	assert_int_equal(content->keys.count, CONTENT_KEYS_MAX);
	assert_true(content->keys.truncated);
	assert_int_equal(content->findings.count, CONTENT_FINDINGS_MAX);
	assert_true(content->findings.truncated);
	judge_free(judge);
}

static void test_first_note_and_format_stay(void **state)
{
	struct judge *judge = judge_new(0, false);

	(void)state;
	judge_note(judge, "one");
	judge_note(judge, "two");
	judge_set_format(judge, "PEM");
	judge_set_format(judge, "DER");
	assert_string_equal(judge->content.note, "one");
	assert_string_equal(judge->content.format, "PEM");
	judge_free(judge);
	judge_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_becomes_one_utf8_string),
		cmocka_unit_test(test_long_text_is_cut_at_a_character),
		cmocka_unit_test(test_texts_stay_where_they_are),
		cmocka_unit_test(test_counts_are_limited),
		cmocka_unit_test(test_first_note_and_format_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
