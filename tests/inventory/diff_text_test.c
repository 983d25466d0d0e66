/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/snapshots.h"
#include "lib/columns.h"

static void assert_text(const struct diff *diff, bool has_color, const char *expected)
{
	char *text = NULL;

	assert_int_equal(diff_text(diff, has_color, &text), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void test_text_says_that_nothing_changed(void **state)
{
	struct diff *diff = diff_of(SNAPSHOT(""), SNAPSHOT(""));

	(void)state;
	assert_text(diff, false,
		    "old: web-01, 2026-11-21T09:00:00.000000Z, 6.1\n"
		    "new: web-01, 2026-11-21T09:00:00.000000Z, 6.1\n"
		    "\nno changes\n");
	diff_free(diff);
}

static void test_text_marks_what_changed(void **state)
{
	struct diff *diff = diff_of(
		SNAPSHOT(",\"certificates\":[" CERTIFICATE(
			"/c", "CN=a", "aa",
			"1") "],"
			     "\"findings\":[{\"rule\":\"r\",\"file\":\"/k\",\"severity\":\"low\"}],"
			     "\"host_crypto\":{\"fips_enabled\":false}"),
		SNAPSHOT(",\"certificates\":[" CERTIFICATE(
			"/c", "CN=a", "bb",
			"1") "],"
			     "\"keys\":[],\"findings\":[{\"rule\":\"weak_key\",\"file\":\"/k\","
			     "\"severity\":\"high\",\"why\":\"keys of this size can be broken\","
			     "\"evidence\":\"RSA-1024, seen in the file of a server\"}],"
			     "\"host_crypto\":{\"fips_enabled\":true}"));

	(void)state;
	assert_text(diff, false,
		    "old: web-01, 2026-11-21T09:00:00.000000Z, 6.1\n"
		    "new: web-01, 2026-11-21T09:00:00.000000Z, 6.1\n"
		    "note: old has no keys\n"
		    "\ncertificates\n"
		    "  ~ /c\n"
		    "      CN=a\n"
		    "      fingerprint_sha256 - aa\n"
		    "      fingerprint_sha256 + bb\n"
		    "      not_after - until aa\n"
		    "      not_after + until bb\n"
		    "\nfindings\n"
		    "  - r\n"
		    "      /k, low\n"
		    "  + weak_key\n"
		    "      /k, high, keys of this size can be broken,\n"
		    "      RSA-1024, seen in the file of a server\n"
		    "\nhost_crypto\n"
		    "  ~ fips_enabled\n"
		    "      value - false\n"
		    "      value + true\n"
		    "\n1 new, 1 gone, 2 changed\n");
	diff_free(diff);
}

static void test_text_tells_old_before_new(void **state)
{
	struct diff *diff = diff_of(
		SNAPSHOT(",\"keys\":[{\"file\":\"/k\",\"type\":\"RSA\",\"encrypted\":true,"
			 "\"mode\":\"0600\"},{\"file\":\"/l\"}]"),
		SNAPSHOT(",\"keys\":[{\"file\":\"/k\",\"type\":\"RSA\",\"encrypted\":false},"
			 "{\"file\":\"/l\",\"mode\":\"0644\"}]"));

	(void)state;
	assert_text(diff, false,
		    "old: web-01, 2026-11-21T09:00:00.000000Z, 6.1\n"
		    "new: web-01, 2026-11-21T09:00:00.000000Z, 6.1\n"
		    "\nkeys\n"
		    "  ~ /k\n"
		    "      RSA\n"
		    "      encrypted - true\n"
		    "      encrypted + false\n"
		    "      mode - 0600\n"
		    "      mode + not known\n"
		    "  ~ /l\n"
		    "      mode - not known\n"
		    "      mode + 0644\n"
		    "\n0 new, 0 gone, 2 changed\n");
	diff_free(diff);
}

static void test_text_is_coloured_on_request(void **state)
{
	struct diff *diff = diff_of(SNAPSHOT(",\"keys\":[]"),
				    SNAPSHOT(",\"keys\":[{\"file\":\"/k\",\"encrypted\":true}]"));

	(void)state;
	assert_text(diff, true,
		    "old: web-01, 2026-11-21T09:00:00.000000Z, 6.1\n"
		    "new: web-01, 2026-11-21T09:00:00.000000Z, 6.1\n"
		    "\n\033[1mkeys\033[0m\n"
		    "\033[32m  + /k\033[0m\n"
		    "      encrypted\n"
		    "\n1 new, 0 gone, 0 changed\n");
	diff_free(diff);
}

static void test_text_is_80_columns_and_inert(void **state)
{
#define TEN	"/directory"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "\\u001b[2J\xe6\xbc\xa2"
	static const char member[] =
		",\"certificates\":[{\"file\":\"" HUNDRED "\",\"subject\":\"CN=" HUNDRED "\","
		"\"fingerprint_sha256\":\"0123456789012345678901234567890123456789\"}]";
	char old[4096], new[4096], *text = NULL;
	struct diff *diff;

	(void)state;
	snprintf(old, sizeof(old), SNAPSHOT("%s"), member);
	snprintf(new, sizeof(new), SNAPSHOT("%s"), member);
	memcpy(strstr(old, "0123"), "3210", 4);
	memcpy(strstr(old, "web-01"), "\xe6\xbc\xa2\xe6\xbc\xa2", 6);
	diff = diff_of(old, new);
	assert_int_equal(diff_text(diff, false, &text), 0);
	assert_null(strchr(text, '\033'));
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		assert_in_range(columns_count(line, (size_t)(end - line)), 0, 80);
	free(text);
	diff_free(diff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_says_that_nothing_changed),
		cmocka_unit_test(test_text_marks_what_changed),
		cmocka_unit_test(test_text_tells_old_before_new),
		cmocka_unit_test(test_text_is_coloured_on_request),
		cmocka_unit_test(test_text_is_80_columns_and_inert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
