/* SPDX-License-Identifier: MIT */
/* How a profile is spelled: names, their order, what is null and what is left out. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inventory/made_profile.h"

static struct scene paper;

static int end(void **state)
{
	scene_close(&paper);
	return end_profiles(state);
}

static const char *render_one(void)
{
	return made_json(&paper, made_profile(0), &profile_fields);
}

static const char *render_all(void)
{
	assert_int_equal(profiles_document(profiles, &heading, 1500, &document), 0);
	return made_json(&paper, &document, &profiles_fields);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		print_error("no '%s' in %s", part, text);
	assert_non_null(strstr(text, part));
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		print_error("'%s' in %s", part, text);
	assert_null(strstr(text, part));
}

static void test_empty_profile_has_all_its_parts(void **state)
{
	(void)state;
	made_target(made_process(7, "idle"));
	assert_has(render_one(),
		   "{\"schema_version\":\"1.0\",\"profile_version\":\"1.0\","
		   "\"generated_at\":\"2026-11-21T09:03:20.000000Z\",\"hostname\":\"web-01\","
		   "\"kernel\":\"6.1.0\",\"duration_seconds\":2,"
		   "\"process\":{\"pid\":7,\"ppid\":1,\"name\":\"idle\",\"exe\":null,"
		   "\"cmdline\":null,\"uid\":0,\"gid\":0,"
		   "\"start_time\":\"2026-11-21T09:02:03.456789Z\"},"
		   "\"programs\":[],\"libraries\":[],\"files_accessed\":[],"
		   "\"api_calls\":{},\"algorithms\":{},"
		   "\"crypto_providers\":[],\"certificates\":[],\"keys\":[],"
		   "\"tls_sessions\":[],\"ssh_sessions\":[],\"findings\":[],"
		   "\"statistics\":{\"total_events\":0,\"libraries_loaded\":0,"
		   "\"files_accessed\":0,\"file_accesses\":0,\"failed_accesses\":0,"
		   "\"api_calls_made\":0,\"tls_handshakes\":0,\"ssh_handshakes\":0,"
		   "\"connections_before\":0,\"processes\":1,\"programs_executed\":0},"
		   "\"coverage\":{\"event_type\":\"coverage\",");
}

static void test_library_is_spelled(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	made_program(made_library(process, "/usr/lib/libcrypto.so.3 (deleted)", 1), "3.0.1");
	made_target(process);
	made_load(7, "/srv/alice/libgnutls.so.30", 2);
	assert_has(render_one(),
		   "\"libraries\":[{\"name\":\"libgnutls.so.30\","
		   "\"path\":\"/home/USER/libgnutls.so.30\",\"family\":\"gnutls\","
		   "\"version\":null,\"load_time\":\"2026-11-21T09:03:20.000000Z\","
		   "\"origin\":\"event\",\"stale\":false},"
		   "{\"name\":\"libcrypto.so.3\",\"path\":\"/usr/lib/libcrypto.so.3\","
		   "\"family\":\"openssl\",\"version\":\"3.0.1\","
		   "\"load_time\":\"2026-11-21T09:02:03.456789Z\",\"origin\":\"snapshot\","
		   "\"stale\":true}]");
}

static void test_file_is_spelled(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	const char *text;

	(void)state;
	made_file(process, "/c.key", 2, 3);
	made_target(process);
	made_open(7, "/a.pem", O_RDONLY, -EACCES);
	made_open(7, "/home/bob/b.pem", O_RDWR, 0);
	made_open(7, "/home/bob/b.pem", O_RDONLY, -ENOENT);
	text = render_one();
	assert_has(text, "\"files_accessed\":[{\"path\":\"/a.pem\",\"type\":\"certificate\","
			 "\"kind\":\"certificate\",\"access_count\":0,\"failures\":1,"
			 "\"last_error\":\"EACCES\","
			 "\"first_access\":\"2026-11-21T09:03:20.000000Z\","
			 "\"last_access\":\"2026-11-21T09:03:20.000000Z\",\"mode\":null,"
			 "\"origin\":\"event\"},{\"path\":\"/c.key\",");
	assert_has(text, "\"access_count\":1,\"failures\":0,"
			 "\"first_access\":\"2026-11-21T09:02:03.456789Z\","
			 "\"last_access\":\"2026-11-21T09:02:03.456789Z\",\"mode\":\"read\","
			 "\"origin\":\"snapshot\"},{\"path\":\"/home/USER/b.pem\",");
	assert_has(text, "\"access_count\":1,\"failures\":1,\"last_error\":\"ENOENT\","
			 "\"first_access\":\"2026-11-21T09:03:21.000000Z\","
			 "\"last_access\":\"2026-11-21T09:03:22.000000Z\","
			 "\"mode\":\"read_write\",\"origin\":\"event\"}]");
}

static void test_modes_are_spelled(void **state)
{
	static const struct {
		uint64_t flags;
		const char *mode;
	} cases[] = {
		{ O_RDONLY | O_CLOEXEC, "read" },
		{ O_WRONLY | O_CREAT | O_TRUNC, "write" },
		{ O_RDWR, "read_write" },
	};
	char path[32];
	const char *text;

	(void)state;
	made_target(made_process(7, "web"));
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/%zu.pem", i);
		made_open(7, path, cases[i].flags, 0);
	}
	text = render_one();
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "files_accessed.%zu.mode", i);
		assert_string_equal(parsed_value(text, path), cases[i].mode);
	}
}

static void test_secrets_and_homes_of_arguments_are_replaced(void **state)
{
	static const char argv[] = "curl\0--password=hunter2\0/home/bob/x";
	const char *text;

	(void)state;
	made_target(made_process(7, "sh"));
	made_exec(7, "/srv/alice/curl", argv, sizeof(argv));
	text = render_one();
	assert_lacks(text, "hunter2");
	assert_has(text, "\"exe\":\"/home/USER/curl\",\"cmdline\":\"curl --password=");
	assert_has(text, " /home/USER/x\",\"uid\":1000,");
	assert_has(text, "\"programs\":[{\"exe\":\"/home/USER/curl\","
			 "\"at\":\"2026-11-21T09:03:20.000000Z\"}]");
}

static void test_end_is_told_only_of_what_has_ended(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_exit(7, 0);
	assert_has(render_one(),
		   "\"start_time\":\"2026-11-21T09:02:03.456789Z\",\"exit_code\":0},");
}

static void test_processes_are_spelled_where_they_are_followed(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_fork(8, 7);
	made_exit(8, 0);
	assert_has(render_one(), "},\"processes\":[{\"pid\":7,\"ppid\":1,\"name\":\"web\","
				 "\"start_time\":\"2026-11-21T09:02:03.456789Z\",\"events\":0,"
				 "\"ended\":false},"
				 "{\"pid\":8,\"ppid\":7,\"name\":\"demo\","
				 "\"start_time\":\"2026-11-21T09:02:03.456789Z\",\"events\":1,"
				 "\"ended\":true}],\"programs\":[]");
}

static void test_contents_are_spelled(void **state)
{
	static const struct certificate certificates[] = { { .subject = "CN=a", .serial = "2a" } };
	static const struct key keys[] = { { .type = "RSA", .format = "PKCS#1", .bits = 1024 } };
	static const struct finding findings[] = {
		{ .rule = "rsa_key_short", .severity = SEVERITY_high, .evidence = "RSA-1024" },
	};
	struct inventory_process *process = made_process(7, "web");
	struct content *content = made_content(made_file(process, "/home/bob/a.pem", 1, 3));
	const char *text;

	(void)state;
	content->certificates = ITEMS(certificates);
	content->keys = ITEMS(keys);
	content->findings = ITEMS(findings);
	made_target(process);
	text = render_one();
	assert_string_equal(parsed_value(text, "certificates.0.subject"), "CN=a");
	assert_string_equal(parsed_value(text, "certificates.0.serial"), "2a");
	assert_string_equal(parsed_value(text, "certificates.0.file"), "/home/USER/a.pem");
	assert_string_equal(parsed_value(text, "keys.0.bits"), "1024");
	assert_string_equal(parsed_value(text, "keys.0.file"), "/home/USER/a.pem");
	assert_string_equal(parsed_value(text, "findings.0.rule"), "rsa_key_short");
	assert_string_equal(parsed_value(text, "findings.0.severity"), "high");
	assert_string_equal(parsed_value(text, "findings.0.evidence"), "RSA-1024");
	assert_string_equal(parsed_value(text, "findings.0.file"), "/home/USER/a.pem");
}

static void test_document_of_several_has_profiles_and_summary(void **state)
{
	const char *text;

	(void)state;
	made_target(made_process(7, "web"));
	made_target(made_process(8, "web"));
	made_open(8, "/a.pem", O_RDONLY, 0);
	text = render_all();
	assert_has(text, "\"kernel\":\"6.1.0\",\"profiles\":[{\"duration_seconds\":2,"
			 "\"process\":{\"pid\":7,");
	assert_has(text, "\"programs_executed\":0}},{\"duration_seconds\":2,"
			 "\"process\":{\"pid\":8,");
	assert_has(text, "}}],\"summary\":{\"total_events\":1,\"libraries_loaded\":0,"
			 "\"files_accessed\":1,\"file_accesses\":1,\"failed_accesses\":0,"
			 "\"api_calls_made\":0,\"tls_handshakes\":0,\"ssh_handshakes\":0,"
			 "\"connections_before\":0,\"processes\":2,\"programs_executed\":0},"
			 "\"coverage\":{");
	assert_null(parsed_value(text, "profiles.0.coverage"));
	assert_null(parsed_value(text, "profiles.0.generated_at"));
	assert_null(parsed_value(text, "profiles.0.processes"));
}

static void test_document_of_nothing_is_one(void **state)
{
	(void)state;
	assert_has(render_all(), "\"profiles\":[],\"summary\":{\"total_events\":0,");
}

#define FIELDS_TEST(function) cmocka_unit_test_setup_teardown(function, begin_alone, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIELDS_TEST(test_empty_profile_has_all_its_parts),
		FIELDS_TEST(test_library_is_spelled),
		FIELDS_TEST(test_file_is_spelled),
		FIELDS_TEST(test_modes_are_spelled),
		FIELDS_TEST(test_secrets_and_homes_of_arguments_are_replaced),
		FIELDS_TEST(test_end_is_told_only_of_what_has_ended),
		cmocka_unit_test_setup_teardown(test_processes_are_spelled_where_they_are_followed,
						begin_tree, end),
		FIELDS_TEST(test_contents_are_spelled),
		FIELDS_TEST(test_document_of_several_has_profiles_and_summary),
		FIELDS_TEST(test_document_of_nothing_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
