/* SPDX-License-Identifier: MIT */
/* How a snapshot is spelled: names, their order, what is null and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inventory/made_inventory.h"
#include "inventory/snapshot.h"

static struct snapshot *snapshot;
static struct scene scene;

static int end(void **state)
{
	scene_close(&scene);
	snapshot_free(snapshot);
	return made_end(state);
}

static const char *render(void)
{
	inventory_sort(inventory);
	assert_int_equal(snapshot_new(&snapshot, &source), 0);
	return made_json(&scene, snapshot, &snapshot_fields);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		print_error("no '%s' in %s", part, text);
	assert_non_null(strstr(text, part));
}

static void test_every_process_field_is_spelled(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_object *stale;

	(void)state;
	made_library(process, "/usr/lib/libcrypto.so.3", 1);
	stale = made_library(process, "/usr/lib/libgnutls.so.30 (deleted)", 2);
	stale->inferred_version = strdup("3.7");
	made_file(process, "/home/bob/k.key (deleted)", 3, 4);
	made_exe(process, "/srv/alice/web", 4);
	made_connection(process, 5, 50000, 9, 443);
	made_connection(process, 6, 443, 8, 50001);
	process->connections[0].is_ktls = true;
	assert_int_equal(connections_listen(inventory, MADE_NETNS, 443), 0);
	assert_has(render(),
		   "\"processes\":[{\"pid\":7,\"ppid\":1,\"name\":\"web\","
		   "\"exe\":\"/home/USER/web\",\"start_time\":\"2026-11-21T09:02:03.450000Z\","
		   "\"running_as\":\"0\","
		   "\"libraries\":[\"libcrypto.so.3\",\"libgnutls.so.30\"],"
		   "\"library_paths\":[\"/usr/lib/libcrypto.so.3\",\"/usr/lib/libgnutls.so.30\"],"
		   "\"stale_libraries\":[{\"path\":\"/usr/lib/libgnutls.so.30\","
		   "\"version\":\"3.7\",\"disk_version\":null}],"
		   "\"open_crypto_files\":[\"/home/USER/k.key\"],"
		   "\"deleted_files\":[\"/home/USER/k.key\"],"
		   "\"connections\":[{\"local\":\"192.0.2.1:443\","
		   "\"peer\":\"198.51.100.8:50001\",\"role\":\"server\","
		   "\"negotiated\":\"unknown (before start)\"},"
		   "{\"local\":\"192.0.2.1:50000\",\"peer\":\"198.51.100.9:443\","
		   "\"role\":\"client\",\"ktls\":true,"
		   "\"negotiated\":\"unknown (before start)\"}],\"connection_count\":2,"
		   "\"crypto_providers\":[{");
}

static void test_what_a_process_has_not_is_left_out_or_empty(void **state)
{
	const char *text;

	(void)state;
	made_file(made_process(7, "web"), "/k.key", 3, 4);
	text = render();
	assert_has(text, "\"exe\":null,");
	assert_has(text, "\"libraries\":[],\"library_paths\":[],\"stale_libraries\":[],");
	assert_has(text, "\"deleted_files\":[],\"connections\":[],\"connection_count\":0,"
			 "\"crypto_providers\":[]}");
	assert_null(strstr(text, "\"container\""));
	assert_null(strstr(text, "\"kernel_crypto\""));
	assert_null(strstr(text, "\"fips_evidence\""));
}

static void test_rare_process_fields_are_told_when_they_are_there(void **state)
{
	static const struct container container = { .id = "0123abcd" };
	struct inventory_process *process = made_process(7, "web");
	const char *text;

	(void)state;
	process->container = &container;
	process->sockets = INVENTORY_SOCKET_AF_ALG | INVENTORY_SOCKET_KTLS;
	made_file(process, "/home/bob/fipsmodule.cnf", 3, 4);
	text = render();
	assert_string_equal(parsed_value(text, "processes.0.container"), "0123abcd");
	assert_string_equal(parsed_value(text, "processes.0.kernel_crypto"),
			    "[\"AF_ALG\",\"kTLS\"]");
	assert_string_equal(parsed_value(text, "processes.0.fips_evidence.0"),
			    "configuration open: /home/USER/fipsmodule.cnf");
}

/* The certificate's own fields first, then where it is. */
static void test_certificate_is_its_fields_then_file_and_users(void **state)
{
	static const struct certificate some[] = { { .subject = "CN=a", .key_type = "RSA" } };
	const char *text, *subject, *file;

	(void)state;
	made_content(made_file(made_process(7, "web"), "/home/bob/a.pem", 1, 3))->certificates =
		ITEMS(some);
	text = render();
	subject = strstr(text, "\"certificates\":[{\"subject\":\"CN=a\"");
	assert_non_null(subject);
	file = strstr(subject, "\"file\":\"/home/USER/a.pem\",\"processes\":[{\"pid\":7,"
			       "\"name\":\"web\"}]}]");
	assert_non_null(file);
	assert_true(file > subject);
}

static void test_key_is_its_fields_then_file_mode_and_owner(void **state)
{
	static const struct key some[] = { { .type = "EC", .format = "SEC1", .is_private = true } };
	struct inventory_object *object = made_file(made_process(7, "web"), "/a.key", 1, 3);
	const char *text;

	(void)state;
	made_content(object)->keys = ITEMS(some);
	object->stat.mode = 04600;
	text = render();
	assert_has(text, "\"keys\":[{\"type\":\"EC\",");
	assert_has(text, "\"file\":\"/a.key\",\"mode\":\"4600\",\"owner\":\"0\",\"processes\":[");
	assert_string_equal(parsed_value(text, "keys.0.format"), "SEC1");
}

static void test_document_begins_and_ends_as_promised(void **state)
{
	const char *text;

	(void)state;
	made_library(made_process(7, "web"), "/usr/lib/libcrypto.so.3", 1);
	text = render();
	assert_string_equal(parsed_value(text, "snapshot_version"), "1.0");
	assert_non_null(parsed_value(text, "schema_version"));
	assert_string_equal(parsed_value(text, "generated_at"), "2026-11-21T09:00:01.000000Z");
	assert_string_equal(parsed_value(text, "tool"), "crypto-tracer " VERSION);
	assert_string_equal(parsed_value(text, "hostname"), "web-01");
	assert_string_equal(parsed_value(text, "kernel"), "6.1.0");
	assert_string_equal(parsed_value(text, "findings"), "[]");
	assert_has(text, "\"host_crypto\":{\"fips_enabled\":null,");
	assert_has(
		text,
		"\"summary\":{\"total_processes\":1,\"total_libraries\":1,"
		"\"unique_libraries\":1,\"total_files\":0,\"unique_files\":0,"
		"\"certificates\":0,\"keys\":0,\"findings\":0,\"connections\":0},\"coverage\":{");
}

static void test_finding_is_rendered_with_its_file_redacted(void **state)
{
	const char *text;

	(void)state;
	made_library(made_process(7, "web"), "/home/bob/libcrypto.so.3 (deleted)", 1);
	text = render();
	assert_string_equal(parsed_value(text, "findings.0.rule"), "library_replaced");
	assert_string_equal(parsed_value(text, "findings.0.severity"), "medium");
	assert_string_equal(parsed_value(text, "findings.0.file"), "/home/USER/libcrypto.so.3");
	assert_string_equal(parsed_value(text, "findings.0.processes.0.pid"), "7");
}

/* Bytes of a file name that are no text, and a name that would end the string. */
static void test_hostile_names_stay_json(void **state)
{
	struct inventory_process *process = made_process(7, "\xff\"\n\x1b[31m");
	const char *text;

	(void)state;
	made_file(process, "/\xc3\x28\"\\\n\x1b[2J.key", 1, 3);
	made_library(process, "/tmp/\x80\x80\n/libcrypto.so.3", 2);
	text = render();
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_null(strchr(text, '\x1b'));
	assert_string_equal(parsed_value(text, "processes.0.libraries.0"), "libcrypto.so.3");
}

/* Many more than the writer's buffer takes at a time. */
static void test_large_document_is_whole(void **state)
{
	char path[64];
	const char *text;

	(void)state;
	for (uint32_t pid = 1; pid <= 500; pid++) {
		struct inventory_process *process = made_process(pid, "web");

		for (uint32_t fd = 0; fd < 60; fd++) {
			snprintf(path, sizeof(path), "/home/bob/some/where/%u/%u.key", pid, fd);
			made_file(process, path, pid * 100 + fd, fd);
		}
	}
	text = render();
	assert_true(strlen(text) > 1000000);
	assert_string_equal(parsed_value(text, "summary.unique_files"), "30000");
	assert_string_equal(parsed_value(text, "processes.499.open_crypto_files.0"),
			    "/home/USER/some/where/500/0.key");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, made_begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_process_field_is_spelled),
		TEST(test_what_a_process_has_not_is_left_out_or_empty),
		TEST(test_rare_process_fields_are_told_when_they_are_there),
		TEST(test_certificate_is_its_fields_then_file_and_users),
		TEST(test_key_is_its_fields_then_file_mode_and_owner),
		TEST(test_document_begins_and_ends_as_promised),
		TEST(test_finding_is_rendered_with_its_file_redacted),
		TEST(test_hostile_names_stay_json),
		TEST(test_large_document_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
