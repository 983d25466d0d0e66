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

static void test_missing_sections_are_notes(void **state)
{
	struct diff *diff = diff_of(
		SNAPSHOT(",\"processes\":[{\"pid\":1,\"name\":\"nginx\",\"libraries\":[\"l\"],"
			 "\"exe\":\"/usr/sbin/nginx\",\"running_as\":\"root\","
			 "\"open_crypto_files\":[]}],\"keys\":7"),
		SNAPSHOT(",\"processes\":[" PROCESS(
			"1",
			HELD("\"/l\"",
			     "\"/f\"")) "],"
					"\"keys\":[{\"file\":\"/k\"}],"
					"\"certificates\":[" CERTIFICATE(
						"/c", "CN=a", "aa",
						"3") "],"
						     "\"host_crypto\":{\"fips_enabled\":true}"));

	(void)state;
	assert_value("notes", "[\"old has no 'libraries' of programs\","
			      "\"old has no 'crypto_providers' of programs\","
			      "\"old has no 'stale_libraries' of programs\","
			      "\"old has no libraries\",\"old has no providers\","
			      "\"old has no certificates\",\"old has no keys\","
			      "\"old has no host_crypto\"]");
	assert_value("programs.changed.0.changes",
		     "{\"open_crypto_files\":{\"added\":[\"/f\"],\"removed\":[]}}");
	assert_int_equal(diff_count(diff), 1);
	diff_free(diff);
}

static void test_different_hosts_are_a_note(void **state)
{
	(void)state;
	assert_diff("{\"snapshot_version\":\"1.0\",\"hostname\":\"a\"}",
		    "{\"snapshot_version\":\"1.0\",\"hostname\":\"b\",\"keys\":[]}", "notes",
		    "[\"the snapshots are of different hosts\",\"old has no keys\"]");
	assert_non_null(strstr(document, "\"hostname\":\"a\",\"kernel\":null}"));
}

static void test_each_side_is_named(void **state)
{
	(void)state;
	assert_diff(SNAPSHOT(",\"keys\":[{\"file\":\"/k\",\"mode\":\"0600\"}],\"findings\":[]"),
		    SNAPSHOT(",\"keys\":[{\"file\":\"/k\",\"owner\":\"root\"}],"
			     "\"certificates\":[]"),
		    "notes",
		    "[\"old has no certificates\",\"new has no 'mode' of keys\","
		    "\"old has no 'owner' of keys\",\"new has no findings\"]");
	assert_value("summary", "{\"new\":0,\"gone\":0,\"changed\":0}");
}

/* Where there are no things, none could have had the attribute. */
static void test_empty_lists_lack_nothing(void **state)
{
	struct diff *diff;

	(void)state;
	diff = diff_of(SNAPSHOT(",\"processes\":[],\"keys\":[]"),
		       SNAPSHOT(",\"processes\":[" PROCESS(
			       "1", HELD("", "")) "],"
						  "\"keys\":[{\"file\":\"/k\"}]"));
	assert_value("notes", "[]");
	assert_int_equal(diff_count(diff), 2);
	diff_free(diff);
	diff = diff_of(SNAPSHOT(",\"keys\":[{\"file\":\"/k\"}]"), SNAPSHOT(",\"keys\":[]"));
	assert_value("notes", "[]");
	assert_int_equal(diff_count(diff), 1);
	diff_free(diff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_sections_are_notes),
		cmocka_unit_test(test_different_hosts_are_a_note),
		cmocka_unit_test(test_each_side_is_named),
		cmocka_unit_test(test_empty_lists_lack_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
