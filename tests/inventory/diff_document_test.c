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

static void test_programs_are_new_gone_and_changed(void **state)
{
	static const char old[] = SNAPSHOT(
		",\"processes\":[{\"pid\":1,\"name\":\"old\",\"exe\":\"/old\","
		"\"running_as\":\"root\"," HELD("", "") "}," PROCESS(
			"2", "\"library_paths\":[\"/a\",\"/b\"],\"open_crypto_files\":[\"/k\"],"
			     "\"stale_libraries\":[],"
			     "\"crypto_providers\":[{\"name\":\"openssl\","
			     "\"version\":\"3.0.17\",\"linkage\":\"dynamic\"}]") "]");
	static const char new[] = SNAPSHOT(",\"processes\":[" PROCESS(
		"2",
		"\"library_paths\":[\"/b\",\"/c\"],\"open_crypto_files\":[],"
		"\"stale_libraries\":[\"/b\"],"
		"\"crypto_providers\":[{\"name\":\"openssl\","
		"\"version\":\"3.0.19\",\"linkage\":\"dynamic\"}]") ","
								    "{\"name\":\"new\",\"exe\":\"/"
								    "new\",\"running_as\":"
								    "\"www\"," HELD("\"/b\"",
										    "") "}]");
	struct diff *diff = diff_of(old, new);

	(void)state;
	assert_value("programs.new", "[{\"exe\":\"/new\",\"running_as\":\"www\","
				     "\"name\":\"new\",\"libraries\":[\"/b\"],"
				     "\"crypto_providers\":[],\"open_crypto_files\":[],"
				     "\"stale_libraries\":[]}]");
	assert_value("programs.gone.0.exe", "/old");
	assert_null(parsed_value(document, "programs.gone.1"));
	assert_value("programs.changed",
		     "[{\"exe\":\"/usr/sbin/nginx\",\"running_as\":\"root\","
		     "\"name\":\"nginx\",\"changes\":{"
		     "\"libraries\":{\"added\":[\"/c\"],\"removed\":[\"/a\"]},"
		     "\"crypto_providers\":{\"added\":[\"openssl 3.0.19\"],"
		     "\"removed\":[\"openssl 3.0.17\"]},"
		     "\"open_crypto_files\":{\"added\":[],\"removed\":[\"/k\"]},"
		     "\"stale_libraries\":{\"added\":[\"/b\"],\"removed\":[]}}}]");
	assert_value("libraries", "{\"new\":[{\"path\":\"/c\"}],"
				  "\"gone\":[{\"path\":\"/a\"}],\"changed\":[]}");
	assert_value("providers.changed",
		     "[{\"name\":\"openssl\",\"linkage\":\"dynamic\",\"path\":null,"
		     "\"changes\":{\"versions\":{\"added\":[\"3.0.19\"],"
		     "\"removed\":[\"3.0.17\"]}}}]");
	assert_value("summary", "{\"new\":2,\"gone\":2,\"changed\":2}");
	assert_int_equal(diff_count(diff), 6);
	diff_free(diff);
}

/* Of a library built in, each program has its own; a shared one is one for the host. */
static void test_static_providers_are_told_apart_by_executable(void **state)
{
	(void)state;
	assert_diff(SNAPSHOT(",\"processes\":[{\"exe\":\"/a\",\"crypto_providers\":[{\"name\":"
			     "\"go\",\"linkage\":\"static\",\"version\":\"1.22\"}]},"
			     "{\"exe\":\"/b\",\"crypto_providers\":[{\"name\":"
			     "\"go\",\"linkage\":\"static\",\"version\":\"1.22\"}]}]"),
		    SNAPSHOT(",\"processes\":[{\"exe\":\"/a\",\"crypto_providers\":[{\"name\":"
			     "\"go\",\"linkage\":\"static\",\"version\":\"1.24\"}]},"
			     "{\"exe\":\"/b\",\"crypto_providers\":[{\"name\":"
			     "\"go\",\"linkage\":\"static\",\"version\":\"1.22\"}]}]"),
		    "providers.changed",
		    "[{\"name\":\"go\",\"linkage\":\"static\",\"path\":\"/a\","
		    "\"changes\":{\"versions\":{\"added\":[\"1.24\"],"
		    "\"removed\":[\"1.22\"]}}}]");
}

static void test_key_changes_in_its_file(void **state)
{
	(void)state;
	assert_diff(SNAPSHOT(",\"keys\":[{\"file\":\"/k\",\"type\":\"RSA\",\"bits\":2048,"
			     "\"encrypted\":true,\"mode\":\"0600\",\"owner\":\"root\"}]"),
		    SNAPSHOT(",\"keys\":[{\"file\":\"/k\",\"type\":\"RSA\",\"bits\":4096,"
			     "\"encrypted\":false,\"mode\":\"0644\",\"owner\":\"root\"}]"),
		    "keys.changed",
		    "[{\"file\":\"/k\",\"type\":\"RSA\",\"bits\":4096,\"changes\":{"
		    "\"bits\":{\"old\":2048,\"new\":4096},"
		    "\"encrypted\":{\"old\":true,\"new\":false},"
		    "\"mode\":{\"old\":\"0600\",\"new\":\"0644\"}}}]");
	assert_value("summary", "{\"new\":0,\"gone\":0,\"changed\":1}");
}

static void test_host_members_are_old_and_new(void **state)
{
	(void)state;
	assert_diff(SNAPSHOT(",\"host_crypto\":{\"fips_enabled\":false,\"dm_crypt\":[],"
			     "\"wireguard\":[\"wg0\"],\"ktls_tx\":1}"),
		    SNAPSHOT(",\"host_crypto\":{\"fips_enabled\":true,"
			     "\"dm_crypt\":[{\"name\":\"home\",\"type\":\"LUKS2\"}],"
			     "\"ktls_tx\":2}"),
		    "host_crypto",
		    "{\"changed\":["
		    "{\"name\":\"dm_crypt\",\"old\":[],\"new\":[\"home\"]},"
		    "{\"name\":\"fips_enabled\",\"old\":false,\"new\":true}]}");
	assert_value("summary", "{\"new\":0,\"gone\":0,\"changed\":2}");
}

static void test_foreign_strings_are_escaped_again(void **state)
{
	struct diff *diff;

	(void)state;
	diff = diff_of(SNAPSHOT(",\"certificates\":[]"),
		       SNAPSHOT(",\"certificates\":[{\"file\":\"/\\u001b[2J\\\"\\ud83d\\udd11\","
				"\"subject\":\"a\\u0000b\",\"bits\":-1}]"));
	assert_non_null(strstr(document, "\"/\\u001b[2J\\\"\xf0\x9f\x94\x91\""));
	assert_non_null(strstr(document, "\"a\\u0000b\""));
	diff_free(diff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs_are_new_gone_and_changed),
		cmocka_unit_test(test_static_providers_are_told_apart_by_executable),
		cmocka_unit_test(test_key_changes_in_its_file),
		cmocka_unit_test(test_host_members_are_old_and_new),
		cmocka_unit_test(test_foreign_strings_are_escaped_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
