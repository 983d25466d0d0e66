/* SPDX-License-Identifier: MIT */
/* Who accepts a certificate without a look at the name in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inventory/made_call.h"

/* Of process 7 alone, whose image is seen as a whole. */
static void begin_whole(void)
{
	made_target(made_process(7, "web"));
	made_exec(7, "/usr/bin/web", "web", 4);
}

/* The evidence of the finding there is; NULL: none. */
static const char *unchecked(void)
{
	const struct profile *profile = made_profile(0);

	assert_true(profile->findings.count <= 1);
	if (!profile->findings.count)
		return NULL;
	assert_string_equal(finding_at(profile, 0)->rule, "host_name_not_checked");
	assert_int_equal(finding_at(profile, 0)->severity, SEVERITY_high);
	assert_non_null(finding_at(profile, 0)->why);
	assert_null(finding_at(profile, 0)->file);
	return finding_at(profile, 0)->evidence;
}

static void accept_openssl(uint32_t pid)
{
	called(pid, "SSL_connect", 1, 1);
	called(pid, "X509_verify_cert", 1, 1);
}

static void test_client_that_compares_no_name_is_found(void **state)
{
	(void)state;
	begin_whole();
	called(7, "SSL_connect", 1, 1);
	assert_null(unchecked());
	called(7, "X509_verify_cert", 1, 1);
	assert_string_equal(unchecked(), "X509_verify_cert");
	/* Once, whoever asks how often. */
	accept_openssl(7);
	assert_string_equal(unchecked(), "X509_verify_cert");
	assert_int_equal(profile_count_findings(&document, SEVERITY_high), 1);
}

static void test_order_of_the_calls_does_not_matter(void **state)
{
	(void)state;
	begin_whole();
	called(7, "X509_verify_cert", 1, 0);
	called(7, "X509_verify_cert", 1, 1);
	called(7, "X509_verify_cert", 1, 0);
	assert_null(unchecked());
	called(7, "SSL_set_connect_state", 1, NO_RESULT);
	assert_string_equal(unchecked(), "X509_verify_cert");
}

static void test_any_look_at_the_name_is_a_check(void **state)
{
	static const char *const names[] = {
		"X509_check_host",
		"X509_check_ip",
		"X509_check_ip_asc",
		"SSL_set1_host",
		"SSL_add1_host",
		"X509_VERIFY_PARAM_set1_host",
		"X509_VERIFY_PARAM_add1_host",
		"X509_VERIFY_PARAM_set1_ip",
		"X509_VERIFY_PARAM_set1_ip_asc",
		"X509_get_ext_d2i",
		"gnutls_certificate_verify_peers",
		"gnutls_certificate_verify_peers3",
		"gnutls_session_set_verify_cert",
		"gnutls_x509_crt_check_hostname",
		"gnutls_x509_crt_check_hostname2",
	};

	(void)state;
	begin_whole();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		/* Each in a program of its own, the check before or after. */
		made_exec(7, "/usr/bin/web", "web", 4);
		if (i % 2)
			called(7, names[i], 1, 0);
		accept_openssl(7);
		if (i % 2 == 0)
			called(7, names[i], 1, NO_RESULT);
		if (unchecked())
			print_error("%s is no check\n", names[i]);
		assert_null(unchecked());
	}
	made_exec(7, "/usr/bin/web", "web", 4);
	accept_openssl(7);
	called(7, "SSL_set1_hosts", 1, NO_RESULT);
	called(7, "SSL_set1_hos", 1, NO_RESULT);
	assert_string_equal(unchecked(), "X509_verify_cert");
}

static void test_who_accepted_nothing_is_not_found(void **state)
{
	(void)state;
	begin_whole();
	called(7, "SSL_connect", 1, 1);
	called(7, "X509_verify_cert", 1, 0);
	called(7, "X509_verify_cert", 1, -1);
	called(7, "X509_verify_cert", 100, NO_RESULT);
	called(7, "SSL_get_verify_result", 1, 0);
	assert_null(unchecked());
}

static void test_server_is_not_found(void **state)
{
	(void)state;
	begin_whole();
	called(7, "SSL_accept", 1, 1);
	called(7, "SSL_do_handshake", 1, 1);
	called(7, "X509_verify_cert", 1, 1);
	assert_null(unchecked());
	called_init(7, "1");
	called(7, "gnutls_handshake", 1, 0);
	called(7, "gnutls_certificate_verify_peers2", 1, 0);
	assert_null(unchecked());
}

static void test_gnutls_client_is_one_by_its_flags(void **state)
{
	static const char *const flags[] = { "2", "0x2", "10", "0x100a" };
	static const char *const others[] = { "",      "1", "4",
					      "0x101", "x", "12345678901234567890123456" };

	(void)state;
	begin_whole();
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		called_init(7, others[i]);
		called(7, "gnutls_init", 1, 0);
		called(7, "gnutls_handshake", 1, 0);
		called(7, "gnutls_certificate_verify_peers2", 1, 0);
		assert_null(unchecked());
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		/* A finding stays: each needs profiles of its own. */
		profiles_free(profiles);
		assert_int_equal(profiles_new(&profiles, false, &scene.pipeline.clock), 0);
		begin_whole();
		called_init(7, flags[i]);
		called(7, "gnutls_certificate_verify_peers2", 1, 0);
		assert_null(unchecked());
		called(7, "gnutls_handshake", 1, 0);
		assert_string_equal(unchecked(), "gnutls_certificate_verify_peers2");
	}
}

static void test_gnutls_chain_that_could_not_be_checked_is_not_accepted(void **state)
{
	(void)state;
	begin_whole();
	called_init(7, "2");
	called(7, "gnutls_handshake", 1, 0);
	called(7, "gnutls_certificate_verify_peers2", 1, -49);
	called(7, "gnutls_certificate_verify_peers2", 1, NO_RESULT);
	assert_null(unchecked());
}

/* A client by one library that verifies a signature by another. */
static void test_libraries_are_not_taken_for_each_other(void **state)
{
	(void)state;
	begin_whole();
	called_init(7, "2");
	called(7, "gnutls_handshake", 1, 0);
	called(7, "X509_verify_cert", 1, 1);
	assert_null(unchecked());
	called(7, "SSL_connect", 1, 1);
	called(7, "gnutls_certificate_verify_peers2", 1, 0);
	assert_int_equal(made_profile(0)->findings.count, 2);
	assert_string_equal(finding_at(made_profile(0), 0)->evidence, "X509_verify_cert");
	assert_string_equal(finding_at(made_profile(0), 1)->evidence,
			    "gnutls_certificate_verify_peers2");
}

/* It may have set the name before. */
static void test_process_that_was_there_before_is_not_found(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	accept_openssl(7);
	assert_null(unchecked());
	/* Its children neither, until they are another program. */
	made_fork(8, 7);
	accept_openssl(8);
	assert_null(unchecked());
	made_exec(8, "/usr/bin/curl", "curl", 5);
	assert_null(unchecked());
	accept_openssl(8);
	assert_string_equal(unchecked(), "X509_verify_cert");
}

static void test_process_without_a_begin_is_not_found(void **state)
{
	(void)state;
	begin_whole();
	/* Its fork is not told: what it was made as is not known. */
	made_record(SOURCE_file_open, 8)->ppid = 7;
	raw_tail_text(&raw, offsetof(struct file_open_event, name), "/a.pem");
	taken();
	accept_openssl(8);
	assert_null(unchecked());
}

static void test_child_has_what_its_parent_set(void **state)
{
	(void)state;
	begin_whole();
	called(7, "SSL_set1_host", 1, 1);
	made_fork(8, 7);
	accept_openssl(8);
	assert_null(unchecked());
	/* What a child sets its parent does not have, nor another child. */
	made_exec(7, "/usr/bin/web", "web", 4);
	made_fork(9, 7);
	called(9, "SSL_set1_host", 1, 1);
	accept_openssl(9);
	assert_null(unchecked());
	made_fork(10, 7);
	accept_openssl(10);
	assert_string_equal(unchecked(), "X509_verify_cert");
}

static void test_exec_begins_anew(void **state)
{
	(void)state;
	begin_whole();
	called(7, "SSL_set1_host", 1, 1);
	called(7, "SSL_connect", 1, 1);
	made_exec(7, "/usr/bin/other", "other", 6);
	called(7, "X509_verify_cert", 1, 1);
	assert_null(unchecked());
	called(7, "SSL_connect", 1, 1);
	/* What one did, the next does not undo. */
	made_exec(7, "/usr/bin/third", "third", 6);
	called(7, "SSL_set1_host", 1, 1);
	assert_string_equal(unchecked(), "X509_verify_cert");
}

static void test_process_that_has_ended_is_found(void **state)
{
	(void)state;
	begin_whole();
	accept_openssl(7);
	made_exit(7, 0);
	assert_string_equal(unchecked(), "X509_verify_cert");
}

/* The check may be among them. */
static void test_nothing_is_made_of_silence_where_records_are_lost(void **state)
{
	const struct source_counters counters = { .hit = 9, .ring_full = 1, .sent = 8 };
	const struct source_counters whole = { .hit = 9, .sent = 9 };
	const struct fate fate = { .written = 8 };

	(void)state;
	begin_whole();
	accept_openssl(7);
	found(7, FINDING_dsa_key, "DSA-1024");
	coverage_add_source(&coverage, &file_open_source, true, NULL, &counters, &fate);
	assert_int_equal(made_profile(0)->findings.count, 1);
	assert_string_equal(finding_at(made_profile(0), 0)->rule, "dsa_key");
	/* In the kernel's counts: one is on its way. */
	coverage_init(&coverage, made_at(0), true);
	coverage_add_source(&coverage, &file_open_source, true, NULL, &whole, &fate);
	coverage.source[0].lost.left_at_exit = 1;
	assert_int_equal(made_profile(0)->findings.count, 1);
	coverage.source[0].lost.left_at_exit = 0;
	assert_int_equal(made_profile(0)->findings.count, 2);
	heading.coverage = NULL;
	assert_int_equal(made_profile(0)->findings.count, 2);
}

/* A probe that was taken off would not have told of the check. */
static void test_nothing_is_made_of_silence_of_a_function_without_probe(void **state)
{
	struct coverage_lapse lapse = { .function = "EVP_DigestInit_ex", .library = "/l.so" };

	(void)state;
	begin_whole();
	accept_openssl(7);
	coverage.lapses = (struct item_list){ &lapse, 1, sizeof(lapse), true };
	assert_null(unchecked());
	coverage.lapses.truncated = false;
	lapse.function = "SSL_set1_host";
	assert_null(unchecked());
	lapse.function = "EVP_DigestInit_ex";
	assert_string_equal(unchecked(), "X509_verify_cert");
	/* What is missing of these cannot be a check. */
	lapse.function = "X509_verify_cert";
	profiles->entries[0]->calls.findings.nr_items = 0;
	assert_string_equal(unchecked(), "X509_verify_cert");
}

static void test_nothing_is_made_of_silence_before_the_probes(void **state)
{
	struct coverage_late late = { .library = "/l.so", .ms = 3, .pid = 8 };

	(void)state;
	begin_whole();
	made_fork(8, 7);
	made_fork(9, 8);
	accept_openssl(9);
	coverage.late = (struct item_list){ &late, 1, sizeof(late), false };
	assert_null(unchecked());
	coverage.late.count = 0;
	coverage.late.truncated = true;
	assert_null(unchecked());
	coverage.late = (struct item_list){ &late, 1, sizeof(late), false };
	/* Of this one the begin was not seen, so that it cannot matter. */
	made_record(SOURCE_file_open, 11)->ppid = 7;
	raw_tail_text(&raw, offsetof(struct file_open_event, name), "/a.pem");
	taken();
	late.pid = 11;
	assert_string_equal(unchecked(), "X509_verify_cert");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_client_that_compares_no_name_is_found),
		ALONE(test_order_of_the_calls_does_not_matter),
		ALONE(test_any_look_at_the_name_is_a_check),
		ALONE(test_who_accepted_nothing_is_not_found),
		ALONE(test_server_is_not_found),
		ALONE(test_gnutls_client_is_one_by_its_flags),
		ALONE(test_gnutls_chain_that_could_not_be_checked_is_not_accepted),
		ALONE(test_libraries_are_not_taken_for_each_other),
		TREE(test_process_that_was_there_before_is_not_found),
		TREE(test_process_without_a_begin_is_not_found),
		TREE(test_child_has_what_its_parent_set),
		ALONE(test_exec_begins_anew),
		ALONE(test_process_that_has_ended_is_found),
		ALONE(test_nothing_is_made_of_silence_where_records_are_lost),
		ALONE(test_nothing_is_made_of_silence_of_a_function_without_probe),
		TREE(test_nothing_is_made_of_silence_before_the_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
