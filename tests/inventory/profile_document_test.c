/* SPDX-License-Identifier: MIT */
/* What is told of what was collected; how it is spelled: profile_fields_test.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inventory/made_profile.h"

#define CRYPTO "/usr/lib/libcrypto.so.3"
#define SSL    "/usr/lib/libssl.so.3"

static const struct provider *provider_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->providers.count);
	return (const struct provider *)profile->providers.items + nr;
}

static const struct finding *finding_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->findings.count);
	return (const struct finding *)profile->findings.items + nr;
}

static void test_document_of_nothing_has_no_profiles(void **state)
{
	(void)state;
	assert_int_equal(profiles_document(profiles, &heading, 0, &document), 0);
	assert_int_equal(document.profiles.count, 0);
	assert_int_equal(document.summary.processes, 0);
	assert_int_equal(document.summary.total_events, 0);
	assert_string_equal(document.heading.hostname, "web-01");
	assert_ptr_equal(document.heading.coverage, &coverage);
}

static void test_process_that_did_nothing_has_an_empty_profile(void **state)
{
	const struct profile *profile;

	(void)state;
	made_target(made_process(7, "idle"));
	profile = made_profile(0);
	assert_int_equal(profile->libraries.count, 0);
	assert_int_equal(profile->files.count, 0);
	assert_int_equal(profile->programs.count, 0);
	assert_int_equal(profile->providers.count, 0);
	assert_int_equal(profile->certificates.count, 0);
	assert_int_equal(profile->keys.count, 0);
	assert_int_equal(profile->findings.count, 0);
	assert_int_equal(profile->members.count, 1);
	assert_int_equal(profile->statistics.processes, 1);
	assert_int_equal(profile->statistics.files_accessed, 0);
	assert_int_equal(profile->duration_ms, 1500);
	assert_int_equal(profile->heading.now_ns, made_at(0));
	assert_ptr_equal(profile->heading.coverage, &coverage);
}

static void test_libraries_and_files_are_in_order_of_their_paths(void **state)
{
	const struct profile *profile;

	(void)state;
	made_target(made_process(7, "web"));
	made_load(7, SSL, 1);
	made_load(7, "/opt/libssl.so.3", 2);
	made_load(7, CRYPTO, 3);
	made_open(7, "/c.pem", O_RDONLY, 0);
	made_open(7, "/a.pem", O_RDONLY, -ENOENT);
	made_open(7, "/b.pem", O_RDONLY, 0);
	made_open(7, "/c.pem", O_RDONLY, 0);
	profile = made_profile(0);
	assert_string_equal(library_at(profile, 0)->path, "/opt/libssl.so.3");
	assert_string_equal(library_at(profile, 1)->path, CRYPTO);
	assert_string_equal(library_at(profile, 2)->path, SSL);
	assert_string_equal(file_at(profile, 0)->path, "/a.pem");
	assert_string_equal(file_at(profile, 1)->path, "/b.pem");
	assert_string_equal(file_at(profile, 2)->path, "/c.pem");
	assert_int_equal(profile->statistics.total_events, 7);
	assert_int_equal(profile->statistics.libraries_loaded, 3);
	assert_int_equal(profile->statistics.files_accessed, 3);
	assert_int_equal(profile->statistics.file_accesses, 3);
	assert_int_equal(profile->statistics.failed_accesses, 1);
}

static void test_libraries_of_one_version_are_one_provider(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	const struct profile *profile;

	(void)state;
	made_library(process, "/a/libssl.so.3", 1);
	made_program(made_library(process, "/b/libcrypto.so.3", 2), "3.0.1");
	made_program(made_library(process, "/c/libssl.so.3", 3), "3.0.1");
	made_program(made_library(process, "/d/libcrypto.so.1.1", 4), "1.1.1w");
	made_library(process, "/e/libssl.so.3", 5);
	made_library(process, "/f/libgnutls.so.30", 6);
	made_target(process);
	profile = made_profile(0);
	assert_int_equal(profile->providers.count, 3);
	assert_string_equal(provider_at(profile, 0)->name, "openssl");
	assert_string_equal(provider_at(profile, 0)->version, "3.0.1");
	assert_string_equal(provider_at(profile, 1)->name, "openssl");
	assert_string_equal(provider_at(profile, 1)->version, "1.1.1w");
	assert_string_equal(provider_at(profile, 2)->name, "gnutls");
	assert_null(provider_at(profile, 2)->version);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(provider_at(profile, i)->linkage, LINKAGE_dynamic);
		assert_int_equal(provider_at(profile, i)->confidence, CONFIDENCE_high);
		assert_string_equal(provider_at(profile, i)->evidence, "mapped");
	}
}

static void test_what_is_built_into_the_program_is_told_until_it_is_another(void **state)
{
	static const struct provider some[] = {
		{ .name = "go", .version = "1.22", .linkage = LINKAGE_static },
		{ .name = "ring", .linkage = LINKAGE_static },
	};
	struct inventory_process *process = made_process(7, "web");
	const struct profile *profile;

	(void)state;
	made_program(made_exe(process, "/usr/bin/web", 1), NULL)->providers = ITEMS(some);
	made_library(process, CRYPTO, 2);
	made_target(process);
	profile = made_profile(0);
	assert_int_equal(profile->providers.count, 3);
	assert_string_equal(provider_at(profile, 0)->name, "openssl");
	assert_string_equal(provider_at(profile, 1)->name, "go");
	assert_string_equal(provider_at(profile, 2)->name, "ring");
	made_exec(7, "/bin/true", "true", 5);
	profile = made_profile(0);
	assert_int_equal(profile->providers.count, 1);
	assert_string_equal(provider_at(profile, 0)->name, "openssl");
}

static void test_contents_are_told_with_their_file_but_for_ca_bundles(void **state)
{
	static const struct certificate some[] = { { .subject = "CN=a" }, { .subject = "CN=b" } };
	static const struct certificate trusted[] = { { .subject = "CN=ca" } };
	static const struct key keys[] = { { .type = "RSA", .bits = 2048, .is_private = true } };
	struct content leaf = { .kind = FILE_KIND_certificate };
	struct content bundle = { .kind = FILE_KIND_ca_bundle };
	struct inventory_process *process = made_process(7, "web");
	const struct snapshot_certificate *certificates;
	const struct snapshot_key *key;
	const struct profile *profile;

	(void)state;
	leaf.certificates = ITEMS(some);
	bundle.certificates = ITEMS(trusted);
	made_content(made_file(process, "/z.key", 1, 3))->keys = ITEMS(keys);
	made_target(process);
	opened = &leaf;
	made_open(7, "/b.pem", O_RDONLY, 0);
	made_open(7, "/b.pem", O_RDONLY, 0);
	opened = &bundle;
	made_open(7, "/a.pem", O_RDONLY, 0);
	opened = NULL;
	made_open(7, "/none.pem", O_RDONLY, -ENOENT);
	profile = made_profile(0);
	assert_int_equal(profile->files.count, 4);
	assert_int_equal(profile->certificates.count, 2);
	certificates = profile->certificates.items;
	assert_string_equal(certificates[0].certificate.subject, "CN=a");
	assert_string_equal(certificates[1].certificate.subject, "CN=b");
	assert_string_equal(certificates[1].file, "/b.pem");
	assert_int_equal(profile->keys.count, 1);
	key = profile->keys.items;
	assert_int_equal(key->key.bits, 2048);
	assert_string_equal(key->file, "/z.key");
	/* These two are on the stack. */
	profiles_free(profiles);
	profiles = NULL;
	assert_int_equal(leaf.nr_keepers + bundle.nr_keepers, 0);
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
	const struct profile *profile;

	(void)state;
	made_content(made_file(process, "/b.pem", 1, 3))->findings = ITEMS(some);
	made_content(made_file(process, "/a.pem", 2, 4))->findings = ITEMS(some);
	made_target(process);
	profile = made_profile(0);
	assert_int_equal(profile->findings.count, 8);
	assert_string_equal(finding_at(profile, 0)->rule, "md5_signature");
	assert_string_equal(finding_at(profile, 0)->file, "/a.pem");
	assert_string_equal(finding_at(profile, 1)->rule, "md5_signature");
	assert_string_equal(finding_at(profile, 1)->file, "/b.pem");
	assert_string_equal(finding_at(profile, 2)->rule, "certificate_expired");
	assert_string_equal(finding_at(profile, 4)->rule, "sha1_signature");
	assert_string_equal(finding_at(profile, 7)->rule, "ca_key_short");
	assert_string_equal(finding_at(profile, 7)->evidence, "3");
	/* What a file is found to have stays the file's. */
	assert_null(some[0].file);
}

static void test_members_are_told_in_order_with_their_events(void **state)
{
	const struct profile *profile;
	uint64_t sum = 0;

	(void)state;
	made_target(made_process(7, "web"));
	made_target(made_process(5, "other"));
	made_fork(9, 7);
	made_fork(8, 9);
	made_fork(6, 5);
	made_open(8, "/a.pem", O_RDONLY, 0);
	made_open(8, "/a.pem", O_RDONLY, 0);
	made_exit(9, 0);
	made_open(6, "/a.pem", O_RDONLY, 0);
	profile = made_profile(0);
	assert_true(profile->has_members);
	assert_int_equal(profile->members.count, 3);
	assert_int_equal(member_at(profile, 0)->pid, 7);
	assert_string_equal(member_at(profile, 0)->name, "web");
	assert_int_equal(member_at(profile, 0)->events, 0);
	assert_int_equal(member_at(profile, 1)->pid, 9);
	assert_int_equal(member_at(profile, 1)->ppid, 7);
	assert_int_equal(member_at(profile, 1)->events, 1);
	assert_true(member_at(profile, 1)->has_ended);
	assert_int_equal(member_at(profile, 2)->pid, 8);
	assert_int_equal(member_at(profile, 2)->events, 2);
	assert_false(member_at(profile, 2)->has_ended);
	assert_int_equal(member_at(profile, 2)->start_ns,
			 MADE_START_NS + 8 + (uint64_t)MADE_OFFSET_NS);
	for (size_t i = 0; i < 3; i++)
		sum += member_at(profile, i)->events;
	assert_int_equal(profile->statistics.total_events, sum);
	assert_int_equal(profile->statistics.processes, 3);
	assert_int_equal(file_at(profile, 0)->access_count, 2);
	assert_int_equal(made_profile(1)->members.count, 2);
	assert_int_equal(file_at(made_profile(1), 0)->access_count, 1);
}

static void test_members_are_no_part_of_it_where_they_are_not_followed(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	assert_false(made_profile(0)->has_members);
	assert_int_equal(made_profile(0)->statistics.processes, 1);
}

static void test_summary_adds_up_the_profiles(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_target(made_process(8, "web"));
	made_fork(9, 8);
	for (uint32_t pid = 7; pid <= 9; pid++) {
		made_load(pid, CRYPTO, 1);
		made_open(pid, "/a.pem", O_RDONLY, 0);
		made_open(pid, "/b.pem", O_RDONLY, -ENOENT);
		made_exec(pid, "/bin/x", "x", 2);
	}
	made_profile(1);
	assert_int_equal(document.profiles.count, 2);
	assert_int_equal(document.summary.total_events, 12);
	assert_int_equal(document.summary.libraries_loaded, 2);
	assert_int_equal(document.summary.files_accessed, 4);
	assert_int_equal(document.summary.file_accesses, 3);
	assert_int_equal(document.summary.failed_accesses, 3);
	assert_int_equal(document.summary.processes, 3);
	assert_int_equal(document.summary.programs_executed, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_document_of_nothing_has_no_profiles),
		TREE(test_process_that_did_nothing_has_an_empty_profile),
		ALONE(test_libraries_and_files_are_in_order_of_their_paths),
		ALONE(test_libraries_of_one_version_are_one_provider),
		ALONE(test_what_is_built_into_the_program_is_told_until_it_is_another),
		ALONE(test_contents_are_told_with_their_file_but_for_ca_bundles),
		ALONE(test_findings_are_the_worst_first),
		TREE(test_members_are_told_in_order_with_their_events),
		ALONE(test_members_are_no_part_of_it_where_they_are_not_followed),
		TREE(test_summary_adds_up_the_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
