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

#include <json-c/json.h>

#include "inventory/facts.h"

struct collected {
	struct json_object *document;
	struct facts facts;
};

static void collect(struct collected *to, enum facts_section section, const char *text)
{
	memset(to, 0, sizeof(*to));
	to->document = json_tokener_parse(text);
	assert_non_null(to->document);
	assert_int_equal(facts_collect(&to->facts, section, to->document), 0);
}

static void drop(struct collected *collected)
{
	facts_free(&collected->facts);
	json_object_put(collected->document);
}

/* "a|b|c attribute=value", with "-" for what is not there. */
static void assert_fact(const struct collected *collected, size_t index, const char *expected)
{
	const struct fact *fact = &collected->facts.facts[index];
	char text[256];

	assert_true(index < collected->facts.nr_facts);
	snprintf(text, sizeof(text), "%s|%s|%s %u=%s",
		 fact->ids[0] ? json_object_get_string(fact->ids[0]) : "-",
		 fact->ids[1] ? json_object_get_string(fact->ids[1]) : "-",
		 fact->ids[2] ? json_object_get_string(fact->ids[2]) : "-", fact->attribute,
		 fact->value ? json_object_get_string(fact->value) : "-");
	assert_string_equal(text, expected);
}

static void test_facts_are_sorted_and_once(void **state)
{
	struct collected keys;

	(void)state;
	collect(&keys, FACTS_keys,
		"{\"keys\":[{\"file\":\"/b\",\"type\":\"RSA\",\"bits\":4096},"
		"{\"file\":\"/b\",\"type\":\"RSA\",\"bits\":512,\"mode\":\"0600\"},"
		"{\"file\":\"/a\",\"owner\":\"root\",\"encrypted\":true},"
		"{\"file\":\"/b\",\"type\":\"RSA\",\"bits\":4096}]}");
	assert_int_equal(keys.facts.nr_facts, 6);
	assert_fact(&keys, 0, "/a|-|- 0=-");
	assert_fact(&keys, 1, "/a|-|- 1=true");
	assert_fact(&keys, 2, "/a|-|- 3=root");
	assert_fact(&keys, 3, "/b|RSA|512 0=-");
	assert_fact(&keys, 4, "/b|RSA|512 2=0600");
	assert_fact(&keys, 5, "/b|RSA|4096 0=-");
	assert_int_equal(keys.facts.known,
			 FACTS_KNOWN(0) | FACTS_KNOWN(1) | FACTS_KNOWN(2) | FACTS_KNOWN(3));
	drop(&keys);
}

static void test_processes_of_a_program_are_one_thing(void **state)
{
	struct collected programs;

	(void)state;
	collect(&programs, FACTS_programs,
		"{\"processes\":[{\"pid\":1,\"exe\":\"/x\",\"library_paths\":[\"/b\"]},"
		"{\"pid\":2,\"exe\":\"/x\",\"library_paths\":[\"/a\",\"/b\"],"
		"\"crypto_providers\":[{\"name\":\"go\"},{\"version\":\"1\"}]}]}");
	assert_int_equal(programs.facts.nr_facts, 4);
	assert_fact(&programs, 0, "/x|-|- 0=-");
	assert_fact(&programs, 1, "/x|-|- 1=/a");
	assert_fact(&programs, 2, "/x|-|- 1=/b");
	assert_fact(&programs, 3, "/x|-|- 2=go");
	assert_int_equal(programs.facts.known,
			 FACTS_KNOWN(FACTS_THERE) | FACTS_KNOWN(1) | FACTS_KNOWN(2));
	drop(&programs);
}

static void test_long_names_are_cut(void **state)
{
	char text[8192], name[6000];
	struct collected programs;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text),
		 "{\"processes\":[{\"exe\":\"/x\",\"crypto_providers\":[{\"name\":\"%s\"}]}]}",
		 name);
	collect(&programs, FACTS_programs, text);
	assert_int_equal(programs.facts.nr_facts, 2);
	assert_in_range(json_object_get_string_len(programs.facts.facts[1].value), 4096, 4500);
	drop(&programs);
}

/* As snapshots tell them: the path, what is mapped and what has its place. */
static void test_stale_libraries_are_paths_with_versions(void **state)
{
	struct collected programs;

	(void)state;
	collect(&programs, FACTS_programs,
		"{\"processes\":[{\"exe\":\"/x\",\"stale_libraries\":[{\"path\":\"/l/libssl.so.3\","
		"\"version\":\"3.0.17\",\"disk_version\":\"3.0.19\"},"
		"{\"path\":\"/l/libm.so\",\"version\":null},{\"version\":\"1\"}]}]}");
	assert_int_equal(programs.facts.nr_facts, 3);
	assert_fact(&programs, 1, "/x|-|- 4=/l/libm.so");
	assert_fact(&programs, 2, "/x|-|- 4=/l/libssl.so.3 3.0.17");
	drop(&programs);
}

static void assert_known(enum facts_section section, const char *text, unsigned int known)
{
	struct collected collected;

	collect(&collected, section, text);
	assert_int_equal(collected.facts.nr_facts, 0);
	assert_int_equal(collected.facts.known, known);
	drop(&collected);
}

static void test_empty_and_missing_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < FACTS_host_crypto; i++) {
		assert_known((enum facts_section)i, "{}", 0);
		assert_known((enum facts_section)i,
			     "{\"processes\":[],\"certificates\":[],\"keys\":[],\"findings\":[]}",
			     FACTS_ALL_KNOWN);
	}
	assert_known(FACTS_keys, "{\"keys\":[1,[],{\"file\":{}}]}", 0);
	assert_known(FACTS_keys, "{\"keys\":{}}", 0);
	assert_known(FACTS_host_crypto, "{\"host_crypto\":[]}", 0);
	assert_known(FACTS_host_crypto, "{\"host_crypto\":{}}", FACTS_ALL_KNOWN);
	assert_known(FACTS_libraries, "{\"processes\":[{\"exe\":\"/x\"}]}", 0);
	assert_known(FACTS_libraries, "{\"processes\":[{\"library_paths\":[]}]}", FACTS_KNOWN(0));
	assert_known(FACTS_providers, "{\"processes\":[{\"crypto_providers\":[]}]}",
		     FACTS_KNOWN(0));
}

static void test_days_do_not_identify_a_finding(void **state)
{
	struct collected findings;

	(void)state;
	collect(&findings, FACTS_findings,
		"{\"findings\":[{\"rule\":\"certificate_expired\",\"file\":\"/c\","
		"\"evidence\":\"3 days past its end, CN=a\"},"
		"{\"rule\":\"certificate_expired\",\"file\":\"/c\","
		"\"evidence\":\"3 days past its end, CN=b\"},"
		"{\"rule\":\"rsa_key_broken\",\"evidence\":\"512 bits, 3 days\"},"
		"{\"rule\":\"z\",\"evidence\":\" days\"}]}");
	assert_int_equal(findings.facts.nr_facts, 8);
	assert_fact(&findings, 0, "certificate_expired|/c| past its end, CN=a 0=-");
	assert_fact(&findings, 1,
		    "certificate_expired|/c| past its end, CN=a 3=3 days past its end, CN=a");
	assert_fact(&findings, 2, "certificate_expired|/c| past its end, CN=b 0=-");
	assert_fact(&findings, 4, "rsa_key_broken|-|512 bits, 3 days 0=-");
	assert_fact(&findings, 6, "z|-| days 0=-");
	drop(&findings);
}

/* Every value against every other: the order is that of the list. */
static void test_values_of_all_types_are_ordered(void **state)
{
	static const char text[] =
		"[null,false,true,-9223372036854775808,-1,0,7,9223372036854775807,"
		"18446744073709551615,\"\",\"a\",\"a\\u0000\",\"a\\u0000b\",\"b\"]";
	struct json_object *values = json_tokener_parse(text);
	size_t nr_values = json_object_array_length(values);

	(void)state;
	assert_int_equal(nr_values, 14);
	for (size_t i = 0; i < nr_values; i++) {
		for (size_t k = 0; k < nr_values; k++) {
			int order = facts_compare_values(json_object_array_get_idx(values, i),
							 json_object_array_get_idx(values, k));

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
	}
	json_object_put(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts_are_sorted_and_once),
		cmocka_unit_test(test_processes_of_a_program_are_one_thing),
		cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test(test_stale_libraries_are_paths_with_versions),
		cmocka_unit_test(test_empty_and_missing_are_told_apart),
		cmocka_unit_test(test_days_do_not_identify_a_finding),
		cmocka_unit_test(test_values_of_all_types_are_ordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
