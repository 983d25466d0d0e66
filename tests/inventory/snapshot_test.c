/* SPDX-License-Identifier: MIT */
/* What a snapshot says; how it is spelled: snapshot_fields_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inventory/made_inventory.h"
#include "inventory/snapshot.h"

#define CRYPTO "/usr/lib/libcrypto.so.3"
#define SSL    "/usr/lib/libssl.so.3"

static struct snapshot *snapshot;

static int begin(void **state)
{
	snapshot = NULL;
	return made_begin(state);
}

static int end(void **state)
{
	snapshot_free(snapshot);
	return made_end(state);
}

static void make(void)
{
	inventory_sort(inventory);
	assert_int_equal(snapshot_new(&snapshot, &source), 0);
}

static const struct finding *finding_at(size_t i)
{
	assert_true(i < snapshot->findings.count);
	return (const struct finding *)snapshot->findings.items + i;
}

static void test_snapshot_of_nothing_is_empty(void **state)
{
	(void)state;
	make();
	assert_int_equal(snapshot->processes.count, 0);
	assert_int_equal(snapshot->certificates.count, 0);
	assert_int_equal(snapshot->keys.count, 0);
	assert_int_equal(snapshot->findings.count, 0);
	assert_int_equal(snapshot->summary.total_processes, 0);
	assert_string_equal(snapshot->hostname, "web-01");
	assert_string_equal(snapshot->kernel, "6.1.0");
	assert_int_equal(snapshot->now_ns, source.now_ns);
	assert_ptr_equal(snapshot->host, &host);
	snapshot_free(NULL);
}

static void test_only_processes_that_use_crypto_are_told(void **state)
{
	const struct snapshot_process *items;

	(void)state;
	made_library(made_process(9, "c"), CRYPTO, 1);
	made_exe(made_process(8, "b"), "/usr/bin/b", 2);
	made_file(made_process(7, "a"), "/k.key", 3, 4);
	make();
	items = snapshot->processes.items;
	assert_int_equal(snapshot->processes.count, 2);
	assert_int_equal(items[0].pid, 7);
	assert_int_equal(items[1].pid, 9);
	assert_int_equal(snapshot->coverage.nr_processes, 3);
}

static void test_counts_are_of_each_process_and_of_different_ones(void **state)
{
	(void)state;
	for (uint32_t pid = 1; pid <= 3; pid++) {
		struct inventory_process *process = made_process(pid, "x");

		made_library(process, CRYPTO, 1);
		if (pid > 1)
			made_library(process, SSL, 2);
		made_file(process, "/k.key", 3, 4);
		made_file(process, "/k.key", 3, 5);
		made_exe(process, "/usr/bin/x", 4);
	}
	made_file(made_process(4, "y"), "/l.key", 5, 3);
	made_object("/unused.key", 6);
	made_object("/unused/libssl.so.3", 7);
	make();
	assert_int_equal(snapshot->summary.total_processes, 4);
	assert_int_equal(snapshot->summary.total_libraries, 5);
	assert_int_equal(snapshot->summary.unique_libraries, 2);
	assert_int_equal(snapshot->summary.total_files, 4);
	assert_int_equal(snapshot->summary.unique_files, 2);
}

static void test_certificates_are_told_with_their_file_and_users(void **state)
{
	static const struct certificate some[] = { { .subject = "CN=a" }, { .subject = "CN=b" } };
	static const struct certificate trusted[] = { { .subject = "CN=ca" } };
	struct inventory_process *process = made_process(7, "web");
	const struct snapshot_certificate *items;
	struct content *content;

	(void)state;
	made_content(made_file(process, "/b.pem", 1, 3))->certificates = ITEMS(some);
	made_file(process, "/b.pem", 1, 4);
	made_file(made_process(8, "other"), "/b.pem", 1, 3);
	content = made_content(made_file(process, "/a.pem", 2, 5));
	content->certificates = ITEMS(trusted);
	content->kind = FILE_KIND_ca_bundle;
	make();
	items = snapshot->certificates.items;
	assert_int_equal(snapshot->certificates.count, 3);
	assert_int_equal(snapshot->summary.certificates, 3);
	assert_string_equal(items[0].certificate.subject, "CN=ca");
	assert_string_equal(items[0].file, "/a.pem");
	assert_true(items[0].is_trusted);
	assert_int_equal(items[0].processes.count, 1);
	assert_string_equal(items[1].certificate.subject, "CN=a");
	assert_string_equal(items[2].certificate.subject, "CN=b");
	assert_string_equal(items[2].file, "/b.pem");
	assert_false(items[2].is_trusted);
	assert_int_equal(items[2].processes.count, 2);
}

static void test_keys_are_told_with_owner_and_mode(void **state)
{
	static const struct key some[] = { { .type = "RSA", .bits = 2048 }, { .type = "EC" } };
	struct inventory_object *object = made_file(made_process(7, "web"), "/k.key", 1, 3);
	const struct snapshot_key *items;

	(void)state;
	made_content(object)->keys = ITEMS(some);
	object->stat.mode = 0640;
	object->stat.uid = 33;
	make();
	items = snapshot->keys.items;
	assert_int_equal(snapshot->keys.count, 2);
	assert_int_equal(snapshot->summary.keys, 2);
	assert_string_equal(items[0].key.type, "RSA");
	assert_string_equal(items[1].key.type, "EC");
	assert_string_equal(items[1].file, "/k.key");
	assert_string_equal(items[1].mode, "0640");
	assert_string_equal(items[1].owner, "33");
	assert_int_equal(items[1].processes.count, 1);
}

static void test_findings_are_the_worst_first(void **state)
{
	static const struct finding some[] = {
		{ .rule = "sha1_signature", .severity = SEVERITY_high, .evidence = "1" },
		{ .rule = "md5_signature", .severity = SEVERITY_critical, .evidence = "2" },
		{ .rule = "ca_key_short", .severity = SEVERITY_info, .evidence = "3" },
		{ .rule = "certificate_expired", .severity = SEVERITY_high, .evidence = "4" },
	};
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	made_content(made_file(process, "/b.pem", 1, 3))->findings = ITEMS(some);
	made_content(made_file(process, "/a.pem", 2, 4))->findings = ITEMS(some);
	make();
	assert_int_equal(snapshot->findings.count, 8);
	assert_int_equal(snapshot->summary.findings, 8);
	assert_string_equal(finding_at(0)->rule, "md5_signature");
	assert_string_equal(finding_at(0)->file, "/a.pem");
	assert_string_equal(finding_at(1)->rule, "md5_signature");
	assert_string_equal(finding_at(1)->file, "/b.pem");
	assert_string_equal(finding_at(2)->rule, "certificate_expired");
	assert_string_equal(finding_at(4)->rule, "sha1_signature");
	assert_string_equal(finding_at(7)->rule, "ca_key_short");
	assert_string_equal(finding_at(7)->evidence, "3");
	assert_int_equal(finding_at(7)->processes.count, 1);
	for (size_t i = 1; i < 8; i++)
		assert_true(finding_at(i - 1)->severity >= finding_at(i)->severity);
	/* What a file is found to have stays the file's. */
	assert_null(some[0].file);
}

static void test_findings_are_counted_from_a_severity_on(void **state)
{
	static const struct finding some[] = {
		{ .rule = "a", .severity = SEVERITY_info },
		{ .rule = "b", .severity = SEVERITY_high },
		{ .rule = "c", .severity = SEVERITY_critical },
	};

	(void)state;
	made_content(made_file(made_process(7, "web"), "/b.pem", 1, 3))->findings = ITEMS(some);
	make();
	assert_int_equal(snapshot_count_findings(snapshot, SEVERITY_info), 3);
	assert_int_equal(snapshot_count_findings(snapshot, SEVERITY_low), 2);
	assert_int_equal(snapshot_count_findings(snapshot, SEVERITY_high), 2);
	assert_int_equal(snapshot_count_findings(snapshot, SEVERITY_critical), 1);
	assert_int_equal(snapshot_count_findings(snapshot, SEVERITY_critical + 1), 0);
}

static void test_replaced_library_is_a_finding(void **state)
{
	struct inventory_object *object =
		made_library(made_process(7, "web"), CRYPTO " (deleted)", 1);

	(void)state;
	made_program(object, "3.0.1");
	object->disk_version = strdup("3.0.2");
	made_library(made_process(8, "other"), "/opt/libgnutls.so.30 (deleted)", 2);
	make();
	assert_int_equal(snapshot->findings.count, 2);
	assert_string_equal(finding_at(0)->rule, "library_replaced");
	assert_int_equal(finding_at(0)->severity, SEVERITY_medium);
	assert_string_equal(finding_at(0)->file, "/opt/libgnutls.so.30");
	assert_string_equal(finding_at(0)->evidence,
			    "in use: unknown, on disk: unknown or nothing");
	assert_string_equal(finding_at(1)->evidence, "in use: 3.0.1, on disk: 3.0.2");
	assert_non_null(finding_at(1)->why);
	assert_int_equal(((const struct process_name *)finding_at(1)->processes.items)->pid, 7);
}

static void check_end_of_life(uint64_t inode, const char *path, const char *version,
			      bool is_expected)
{
	struct inventory_object *object = made_library(made_process(7, "web"), path, inode);
	size_t before = snapshot ? snapshot->findings.count : 0;

	made_program(object, version);
	snapshot_free(snapshot);
	snapshot = NULL;
	make();
	assert_int_equal(snapshot->findings.count, before + is_expected);
}

static void test_version_without_support_is_a_finding(void **state)
{
	(void)state;
	check_end_of_life(1, "/a/libcrypto.so.1.1", "1.1.1w", true);
	check_end_of_life(2, "/b/libcrypto.so.1.0.0", "1.0.2u", true);
	check_end_of_life(3, "/c/libcrypto.so.0.9.8", "0.9.8zh", true);
	check_end_of_life(4, "/d/libcrypto.so.3", "3.0.1", false);
	check_end_of_life(5, "/e/libcrypto.so.4", "10.0.0", false);
	check_end_of_life(6, "/f/libgcrypt.so.20", "1.10.1", false);
	check_end_of_life(7, "/g/libcrypto.so.3", NULL, false);
	assert_string_equal(finding_at(0)->rule, "library_end_of_life");
	assert_string_equal(finding_at(0)->evidence, "1.1.1w");
	assert_string_equal(finding_at(0)->file, "/a/libcrypto.so.1.1");
}

static void test_library_that_nobody_has_is_no_finding(void **state)
{
	struct inventory_object *object = made_object(CRYPTO " (deleted)", 1);

	(void)state;
	made_program(object, "1.1.1w");
	make();
	assert_int_equal(snapshot->findings.count, 0);
}

static void test_removed_process_leaves_nothing(void **state)
{
	(void)state;
	made_library(made_process(7, "self"), CRYPTO " (deleted)", 1);
	made_file(made_process(7, "self"), "/k.key", 2, 3);
	made_file(made_process(8, "web"), "/l.key", 3, 3);
	inventory_remove(inventory, 7);
	make();
	assert_int_equal(snapshot->summary.total_processes, 1);
	assert_int_equal(snapshot->summary.unique_libraries, 0);
	assert_int_equal(snapshot->summary.unique_files, 1);
	assert_int_equal(snapshot->findings.count, 0);
}

/* What a parent and its child have is one connection; of who uses no crypto none is told. */
static void test_connections_are_counted_each_once(void **state)
{
	struct inventory_process *parent = made_process(7, "web");
	struct inventory_process *child = made_process(8, "web");
	const struct document_gap *gap;

	(void)state;
	made_library(parent, SSL, 1);
	made_library(child, SSL, 1);
	made_connection(parent, 5, 443, 1, 50000);
	made_connection(parent, 6, 443, 1, 50001);
	made_connection(child, 5, 443, 1, 50000);
	made_connection(child, 7, 443, 1, 50002);
	made_connection(made_process(9, "shell"), 8, 22, 1, 50003);
	child->nr_more_connections = 10;
	inventory_find(inventory, 9, 0)->nr_more_connections = 100;
	make();
	assert_int_equal(snapshot->processes.count, 2);
	assert_int_equal(snapshot->summary.connections, 13);
	assert_int_equal(snapshot->coverage.not_seen.count, 1);
	gap = snapshot->coverage.not_seen.items;
	assert_string_equal(gap->what, "ends of connections");
	assert_int_equal(gap->count, 10);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_snapshot_of_nothing_is_empty),
		TEST(test_only_processes_that_use_crypto_are_told),
		TEST(test_counts_are_of_each_process_and_of_different_ones),
		TEST(test_certificates_are_told_with_their_file_and_users),
		TEST(test_keys_are_told_with_owner_and_mode),
		TEST(test_findings_are_the_worst_first),
		TEST(test_findings_are_counted_from_a_severity_on),
		TEST(test_replaced_library_is_a_finding),
		TEST(test_version_without_support_is_a_finding),
		TEST(test_library_that_nobody_has_is_no_finding),
		TEST(test_removed_process_leaves_nothing),
		TEST(test_connections_are_counted_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
