/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "inspect/finding.h"
#include "inventory/snapshots.h"

static void test_same_snapshots_have_no_changes(void **state)
{
	static const char text[] = SNAPSHOT(",\"processes\":[" PROCESS(
		"1",
		HELD("\"/l\"",
		     "\"/f\"")) "],"
				"\"certificates\":[" CERTIFICATE(
					"/c", "CN=a", "aa",
					"3") "],"
					     "\"keys\":[{\"file\":\"/"
					     "k\",\"type\":\"RSA\",\"bits\":2048}],"
					     "\"findings\":[{\"rule\":\"r\",\"severity\":\"low\"}],"
					     "\"host_crypto\":{\"fips_enabled\":false,\"dm_crypt\":"
					     "[{\"name\":\"home\"}]}");

	(void)state;
	assert_same(text, text);
	assert_value("summary", "{\"new\":0,\"gone\":0,\"changed\":0}");
	assert_value("old", "{\"generated_at\":\"2026-11-21T09:00:00.000000Z\","
			    "\"hostname\":\"web-01\",\"kernel\":\"6.1\"}");
	assert_value("diff_version", "1.0");
	assert_value("schema_version", "1.0");
}

/* Connections come and go, also where the older snapshot tells of none at all. */
static void test_connections_are_no_change(void **state)
{
	static const char none[] =
		SNAPSHOT(",\"processes\":[" PROCESS("1", HELD("\"/l\"", "")) "]");
	static const char one[] = SNAPSHOT(",\"processes\":[" PROCESS(
		"1",
		HELD("\"/l\"", "") ",\"connections\":[{\"local\":\"127.0.0.1:443\"}],"
				   "\"connection_count\":1") "],"
							     "\"summary\":{\"connections\":1}");
	static const char other[] = SNAPSHOT(",\"processes\":[" PROCESS(
		"1", HELD("\"/l\"", "") ",\"connections\":[],\"connection_count\":0") "]");

	(void)state;
	assert_same(none, one);
	assert_value("notes", "[]");
	assert_same(one, other);
	assert_same(other, one);
	assert_value("notes", "[]");
}

/* A restart, another worker, another order, a day later: nobody changed anything. */
static void test_what_changes_by_itself_is_no_change(void **state)
{
	(void)state;
	assert_same(
		SNAPSHOT(",\"processes\":[" PROCESS(
			"1", HELD("\"/a\",\"/b\"",
				  "\"/f\"")) "],"
					     "\"certificates\":[" CERTIFICATE(
						     "/c", "CN=a", "aa",
						     "10") "],"
							   "\"keys\":[],"
							   "\"findings\":[{\"rule\":\"certificate_"
							   "expires_soon\",\"file\":\"/c\","
							   "\"severity\":\"low\",\"evidence\":\"10 "
							   "days left\","
							   "\"processes\":[{\"pid\":1,\"name\":"
							   "\"nginx\"}]}],"
							   "\"host_crypto\":{\"wireguard\":["
							   "\"wg0\",\"wg1\"],\"ipsec_states\":1,"
							   "\"in_use\":[{\"name\":\"xts\","
							   "\"refcnt\":7}]},"
							   "\"summary\":{\"total_processes\":1}"),
		SNAPSHOT(",\"processes\":[" PROCESS("7", HELD("\"/b\",\"/a\"", "")) "," PROCESS(
			"8", HELD("\"/a\"",
				  "\"/f\"")) "],"
					     "\"certificates\":[" CERTIFICATE(
						     "/c", "CN=a", "aa",
						     "9") "],"
							  "\"keys\":[],"
							  "\"findings\":[{\"rule\":\"certificate_"
							  "expires_soon\",\"file\":\"/c\","
							  "\"severity\":\"low\",\"evidence\":\"9 "
							  "days left\"}],"
							  "\"host_crypto\":{\"wireguard\":[\"wg1\","
							  "\"wg0\"],\"ipsec_states\":2,"
							  "\"in_use\":[]},"
							  "\"summary\":{\"total_processes\":2}"));
}

/* The user and the name are part of what a program is. */
static void test_same_executable_of_another_user_is_another_program(void **state)
{
	(void)state;
	assert_diff(SNAPSHOT(",\"processes\":[{\"exe\":\"/x\",\"running_as\":\"a\","
			     "\"name\":\"x\"," HELD("", "") "}]"),
		    SNAPSHOT(",\"processes\":[{\"exe\":\"/x\",\"running_as\":\"b\","
			     "\"name\":\"x\"," HELD("", "") "}]"),
		    "summary", "{\"new\":1,\"gone\":1,\"changed\":0}");
}

static void test_renewed_certificate_is_changed(void **state)
{
	struct diff *diff;

	(void)state;
	/* a chain: its leaf is renewed, its issuer stays, a third is added */
	diff = diff_of(SNAPSHOT(",\"certificates\":[" CERTIFICATE(
			       "/chain", "CN=a", "aa", "1") "," CERTIFICATE("/chain", "CN=ca", "cc",
									    "999") "]"),
		       SNAPSHOT(",\"certificates\":[" CERTIFICATE(
			       "/chain", "CN=ca", "cc",
			       "998") "," CERTIFICATE("/chain", "CN=a", "bb",
						      "90") "," CERTIFICATE("/chain", "CN=z", "dd",
									    "90") "]"));
	assert_value("certificates.changed",
		     "[{\"file\":\"/chain\",\"subject\":\"CN=a\","
		     "\"fingerprint_sha256\":\"bb\",\"changes\":{"
		     "\"fingerprint_sha256\":{\"old\":\"aa\",\"new\":\"bb\"},"
		     "\"not_after\":{\"old\":\"until aa\",\"new\":\"until bb\"}}}]");
	assert_value("certificates.new.0.subject", "CN=z");
	assert_value("summary", "{\"new\":1,\"gone\":0,\"changed\":1}");
	assert_int_equal(diff_count(diff), 2);
	diff_free(diff);
}

static void test_only_certificate_of_a_file_is_replaced_by_another(void **state)
{
	(void)state;
	assert_diff(SNAPSHOT(",\"certificates\":[" CERTIFICATE("/c", "CN=snakeoil", "aa", "1") "]"),
		    SNAPSHOT(",\"certificates\":[" CERTIFICATE("/c", "CN=a", "bb", "1") "]"),
		    "certificates.changed.0.changes",
		    "{\"subject\":{\"old\":\"CN=snakeoil\",\"new\":\"CN=a\"},"
		    "\"fingerprint_sha256\":{\"old\":\"aa\",\"new\":\"bb\"},"
		    "\"not_after\":{\"old\":\"until aa\",\"new\":\"until bb\"}}");
	/* in a bundle one comes and two go: which would be which? */
	assert_diff(SNAPSHOT(",\"certificates\":[" CERTIFICATE(
			    "/c", "CN=a", "aa", "1") "," CERTIFICATE("/c", "CN=b", "bb", "1") "]"),
		    SNAPSHOT(",\"certificates\":[" CERTIFICATE("/c", "CN=c", "cc", "1") "]"),
		    "summary", "{\"new\":1,\"gone\":2,\"changed\":0}");
	/* the same certificate in another file is another thing */
	assert_diff(SNAPSHOT(",\"certificates\":[" CERTIFICATE("/c", "CN=a", "aa", "1") "]"),
		    SNAPSHOT(",\"certificates\":[" CERTIFICATE("/d", "CN=a", "aa", "1") "]"),
		    "summary", "{\"new\":1,\"gone\":1,\"changed\":0}");
}

static void test_findings_are_new_or_gone_by_severity(void **state)
{
	struct diff *diff =
		diff_of(SNAPSHOT(",\"findings\":[{\"rule\":\"weak_key\",\"severity\":\"high\","
				 "\"file\":\"/k\",\"evidence\":\"RSA-1024\",\"why\":\"w\"},"
				 "{\"rule\":\"stays\",\"severity\":\"critical\"}]"),
			SNAPSHOT(",\"findings\":[{\"rule\":\"weak_key\",\"severity\":\"medium\","
				 "\"file\":\"/k\",\"evidence\":\"RSA-1536\",\"why\":\"w\"},"
				 "{\"rule\":\"other\",\"severity\":\"low\",\"why\":\"w\"},"
				 "{\"rule\":\"stays\",\"severity\":\"critical\"}]"));

	(void)state;
	assert_value("findings.gone",
		     "[{\"rule\":\"weak_key\",\"file\":\"/k\",\"severity\":\"high\","
		     "\"why\":\"w\",\"evidence\":\"RSA-1024\"}]");
	assert_value("findings.new.0.rule", "other");
	assert_value("findings.new.1.evidence", "RSA-1536");
	assert_null(parsed_value(document, "findings.changed"));
	assert_int_equal(diff_new_findings(diff, SEVERITY_info), 2);
	assert_int_equal(diff_new_findings(diff, SEVERITY_low), 2);
	assert_int_equal(diff_new_findings(diff, SEVERITY_medium), 1);
	assert_int_equal(diff_new_findings(diff, SEVERITY_high), 0);
	diff_free(diff);
}

static void test_finding_of_unknown_severity_counts(void **state)
{
	struct diff *diff =
		diff_of(SNAPSHOT(",\"findings\":[]"),
			SNAPSHOT(",\"findings\":[{\"rule\":\"a\",\"severity\":\"fatal\"},"
				 "{\"rule\":\"b\"},{\"severity\":\"low\"},7]"));

	(void)state;
	assert_int_equal(diff_new_findings(diff, SEVERITY_critical), 2);
	assert_int_equal(diff_count(diff), 2);
	diff_free(diff);
}

static void test_odd_types_are_as_if_missing(void **state)
{
	struct diff *diff = diff_of(
		SNAPSHOT(",\"processes\":[1,null,[],\"x\",{},{\"exe\":7.5},"
			 "{\"exe\":\"/a\",\"name\":{},\"library_paths\":{\"a\":1},"
			 "\"crypto_providers\":[1,{\"name\":[]}],\"stale_libraries\":[[],1.5]}],"
			 "\"certificates\":{\"file\":1},\"keys\":[{\"file\":{}}],"
			 "\"findings\":[[{\"rule\":\"r\"}]],\"host_crypto\":[]"),
		SNAPSHOT(",\"processes\":[{\"exe\":\"/a\"}],\"keys\":[]"));

	(void)state;
	assert_int_equal(diff_count(diff), 0);
	diff_free(diff);
}

static void test_what_is_no_snapshot_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{ "", "not JSON" },
		{ " ", "not JSON" },
		{ "<html>", "not JSON" },
		{ "{\"snapshot_version\":\"1.0\"", "not JSON" },
		{ "{\"snapshot_version\":\"1.0\"} x", "not JSON" },
		{ "{\"snapshot_version\":\"1.0\"}{}", "not JSON" },
		{ "{\"snapshot_version\":\"1.0\",\"a\":\"\xff\"}", "not JSON" },
		{ "{\"snapshot_version\":\"1.0\",\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}",
		  "not JSON" },
		{ "7", "not JSON" },
		{ "[]", "not a snapshot" },
		{ "\"snapshot_version\"", "not a snapshot" },
		{ "{}", "not a snapshot" },
		{ "{\"snapshot_version\":1}", "not a snapshot" },
		{ "{\"profile_version\":\"1.0\"}", "not a snapshot" },
	};
	char expected[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct diff *diff = NULL;
		const char *why = NULL;

		assert_int_equal(try_diff(&diff, cases[i].text, SNAPSHOT(""), &why), -EBADMSG);
		assert_string_equal(why, cases[i].why);
		assert_null(diff);
		assert_int_equal(try_diff(&diff, SNAPSHOT(""), cases[i].text, &why), -EBADMSG);
		snprintf(expected, sizeof(expected), "the new one is %s", cases[i].why);
		assert_string_equal(why, expected);
		assert_null(diff);
	}
}

static void test_nul_hides_nothing_behind_it(void **state)
{
	static const char text[] = "{\"snapshot_version\":\"1.0\"}\0garbage";
	struct diff *diff = NULL;
	const char *why = NULL;

	(void)state;
	assert_int_equal(diff_new(&diff, text, sizeof(text) - 1, "", 0, &why), -EBADMSG);
	assert_string_equal(why, "not JSON");
	assert_null(diff);
}

static void test_too_large_a_document_is_not_even_read(void **state)
{
	struct diff *diff = NULL;
	const char *why = NULL;

	(void)state;
	assert_int_equal(diff_new(&diff, "", (size_t)DIFF_SIZE_MAX + 1, "", 0, &why), -EBADMSG);
	assert_string_equal(why, "larger than 256 MiB");
}

static void test_too_many_values_are_refused(void **state)
{
	const size_t size = 8U << 20;
	char *text = malloc(size);
	struct diff *diff = NULL;
	const char *why = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '[', size);
	assert_int_equal(diff_new(&diff, text, size, "", 0, &why), -EBADMSG);
	assert_string_equal(why, "more values than a snapshot has");
	free(text);
}

static size_t add_processes(char *text, size_t cap, unsigned int first, unsigned int nr_processes)
{
	size_t size = (size_t)snprintf(text, cap, "{\"snapshot_version\":\"1.0\",\"processes\":[");

	for (unsigned int i = first; i < first + nr_processes; i++)
		size += (size_t)snprintf(
			text + size, cap - size,
			"%s{\"pid\":%u,\"name\":\"p\",\"exe\":\"/usr/lib/program-%u\","
			"\"running_as\":\"root\",\"library_paths\":["
			"\"/usr/lib/x86_64-linux-gnu/libssl.so.3\","
			"\"/usr/lib/x86_64-linux-gnu/libcrypto.so.3\"],"
			"\"open_crypto_files\":[\"/etc/ssl/%u.pem\"],\"stale_libraries\":[],"
			"\"crypto_providers\":[{\"name\":\"openssl\",\"version\":\"3.0.17\","
			"\"linkage\":\"dynamic\"}]}",
			i > first ? "," : "", i, i, i);
	return size + (size_t)snprintf(text + size, cap - size, "]}");
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Half of 10,000 programs go, as many come. */
static void test_many_processes_take_no_time(void **state)
{
	const size_t cap = 16U << 20;
	char *old = malloc(cap), *new = malloc(cap);
	struct diff *diff = NULL;
	const char *why = NULL;
	size_t old_size, new_size;
	double begin;

	(void)state;
	assert_non_null(old);
	assert_non_null(new);
	old_size = add_processes(old, cap, 0, 10000);
	new_size = add_processes(new, cap, 5000, 10000);
	begin = seconds_now();
	assert_int_equal(diff_new(&diff, old, old_size, new, new_size, &why), 0);
	print_message("%zu bytes in %.3f s\n", old_size + new_size, seconds_now() - begin);
	assert_true(seconds_now() - begin < 5); /* also under sanitizers */
	assert_int_equal(diff_count(diff), 10000);
	diff_free(diff);
	free(old);
	free(new);
}

/* One program with many files, behind many programs: a merge must not look through it for each. */
static void test_one_large_program_takes_no_time(void **state)
{
	const unsigned int nr_files = 40000, nr_processes = 40000;
	const size_t cap = 32U << 20;
	char *old = malloc(cap), *new = malloc(cap);
	size_t old_size, new_size;
	struct diff *diff = NULL;
	const char *why = NULL;
	double begin;

	(void)state;
	assert_non_null(old);
	assert_non_null(new);
	old_size = (size_t)snprintf(old, cap,
				    "{\"snapshot_version\":\"1.0\",\"processes\":[{\"exe\":\"/z\","
				    "\"open_crypto_files\":[\"/0\"");
	for (unsigned int i = 1; i < nr_files; i++)
		old_size += (size_t)snprintf(old + old_size, cap - old_size, ",\"/%u\"", i);
	old_size += (size_t)snprintf(old + old_size, cap - old_size, "]}]}");
	new_size = add_processes(new, cap, 0, nr_processes);
	begin = seconds_now();
	assert_int_equal(diff_new(&diff, old, old_size, new, new_size, &why), 0);
	assert_true(seconds_now() - begin < 10);
	assert_int_equal(diff_count(diff), nr_processes + 1);
	diff_free(diff);
	free(old);
	free(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_snapshots_have_no_changes),
		cmocka_unit_test(test_connections_are_no_change),
		cmocka_unit_test(test_what_changes_by_itself_is_no_change),
		cmocka_unit_test(test_same_executable_of_another_user_is_another_program),
		cmocka_unit_test(test_renewed_certificate_is_changed),
		cmocka_unit_test(test_only_certificate_of_a_file_is_replaced_by_another),
		cmocka_unit_test(test_findings_are_new_or_gone_by_severity),
		cmocka_unit_test(test_finding_of_unknown_severity_counts),
		cmocka_unit_test(test_odd_types_are_as_if_missing),
		cmocka_unit_test(test_what_is_no_snapshot_is_refused_with_a_reason),
		cmocka_unit_test(test_nul_hides_nothing_behind_it),
		cmocka_unit_test(test_too_large_a_document_is_not_even_read),
		cmocka_unit_test(test_too_many_values_are_refused),
		cmocka_unit_test(test_many_processes_take_no_time),
		cmocka_unit_test(test_one_large_program_takes_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
