/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "pipeline/decode.h"
#include "pipeline/filter.h"
#include "sources/api_call/call.h"
#include "sources/file_open/file_open.h"
#include "sources/lib_load/lib_load.h"
#include "sources/tls_handshake/handshake.h"
#include "sources/tls_handshake/tls_handshake.h"
#include "support/guard.h"
#include "support/raw.h"

static struct raw raw;
static struct arena arena;

static bool glob(const char *pattern, const char *path)
{
	size_t size = strlen(path);
	const void *bytes = guard_copy(path, size);
	bool is_match = filter_glob(pattern, bytes, size);

	guard_free(bytes, size);
	return is_match;
}

static void test_glob_is_a_shell_pattern(void **state)
{
	static const struct {
		const char *pattern;
		const char *path;
		bool is_match;
	} cases[] = {
		{ "/etc/ssl/cert.pem", "/etc/ssl/cert.pem", true },
		{ "/etc/ssl/cert.pem", "/etc/ssl/cert.pem2", false },
		{ "/etc/ssl/*", "/etc/ssl/cert.pem", true },
		{ "/etc/ssl/*", "/etc/ssl/private/key.pem", true },
		{ "/etc/ssl/*", "/etc/ssl", false },
		{ "/etc/*/key.pem", "/etc/ssl/private/key.pem", true },
		{ "/etc/?sl/*", "/etc/ssl/a", true },
		{ "*.pem", "/etc/ssl/cert.pem", true },
		{ "*.pem", "/etc/ssl/cert.PEM", false },
		{ "*.pem", "/home/x/.pem", true },
		{ "*", "/home/x/.hidden", true },
		{ "cert.pem", "/etc/ssl/cert.pem", true },
		{ "cert.pem", "cert.pem", true },
		{ "cert.pem", "/etc/ssl/mycert.pem", false },
		{ "ssl/cert.pem", "/etc/ssl/cert.pem", false },
		{ "*/ssl/cert.pem", "/etc/ssl/cert.pem", true },
		{ "[a-c]*.key", "/x/b1.key", true },
		{ "[a-c]*.key", "/x/d1.key", false },
		{ "[!a-c]*.key", "/x/d1.key", true },
		{ "a\\*b", "/x/a*b", true },
		{ "a\\*b", "/x/axb", false },
		{ "id_rsa", "/root/.ssh/id_rsa", true },
		{ "*", "", true },
		{ "a", "", false },
		{ "*\xff*", "/x/\xff.pem", true },
		{ "?", "/", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (glob(cases[i].pattern, cases[i].path) != cases[i].is_match)
			print_error("'%s' on '%s'\n", cases[i].pattern, cases[i].path);
		assert_int_equal(glob(cases[i].pattern, cases[i].path), cases[i].is_match);
	}
}

static void test_glob_sees_the_longest_path_whole(void **state)
{
	char path[8192];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	memcpy(path + sizeof(path) - 4, ".pem", 4);
	assert_true(filter_glob("*.pem", path, sizeof(path)));
	assert_true(filter_glob("/x*", path, sizeof(path)));
	assert_false(filter_glob("*.key", path, sizeof(path)));
}

static void test_glob_cuts_what_is_longer(void **state)
{
	static char path[20000];

	(void)state;
	memset(path, 'x', sizeof(path));
	assert_true(filter_glob("xx*", path, sizeof(path)));
}

/* What FILTER, wanting every source, says of RAW. */
static int judge(struct filter *filter)
{
	struct record record;

	filter->wanted = (1U << NR_SOURCES) - 1;
	assert_int_equal(record_decode(&record, &arena, raw.bytes, raw.size), STAGE_NEXT);
	return filter_record(filter, &record);
}

static void make_open(const char *name, const char *real)
{
	raw_begin(&raw, SOURCE_file_open);
	raw_tail_text(&raw, offsetof(struct file_open_event, name), name);
	if (real)
		raw_tail_text(&raw, offsetof(struct file_open_event, real), real);
}

static void make_load(const char *path)
{
	raw_begin(&raw, SOURCE_lib_load);
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), path);
}

static void test_without_patterns_all_events_pass(void **state)
{
	struct filter filter = { 0 };

	(void)state;
	make_open("/etc/ssl/cert.pem", NULL);
	assert_int_equal(judge(&filter), STAGE_NEXT);
	make_load("/lib/libssl.so.3");
	assert_int_equal(judge(&filter), STAGE_NEXT);
	raw_begin(&raw, SOURCE_process_exit);
	assert_int_equal(judge(&filter), STAGE_NEXT);
}

static void test_only_wanted_sources_pass(void **state)
{
	(void)state;
	for (enum source_id wanted = 0; wanted < NR_SOURCES; wanted++) {
		const struct filter filter = { .wanted = 1U << wanted };

		for (enum source_id source = 0; source < NR_SOURCES; source++) {
			const struct record record = {
				.source = sources[source],
				.hdr = (const void *)raw.bytes,
			};

			assert_int_equal(filter_record(&filter, &record),
					 source == wanted ? STAGE_NEXT : STAGE_DROP);
		}
	}
}

static void test_what_came_before_all_processes_were_known_is_dropped(void **state)
{
	struct filter filter = { 0 };

	(void)state;
	make_open("/etc/ssl/cert.pem", NULL);
	filter.since_ns = ((const struct event_hdr *)raw.bytes)->ts_ns;
	assert_true(filter.since_ns > 0);
	assert_int_equal(judge(&filter), STAGE_NEXT);
	filter.since_ns++;
	assert_int_equal(judge(&filter), STAGE_DROP);
}

static void test_file_pattern_keeps_matching_files_only(void **state)
{
	struct filter filter = { .files = { "*.pem" }, .nr_files = 1 };

	(void)state;
	make_open("/etc/ssl/cert.pem", NULL);
	assert_int_equal(judge(&filter), STAGE_NEXT);
	make_open("/etc/ssl/cert.key", NULL);
	assert_int_equal(judge(&filter), STAGE_DROP);
}

static void test_file_pattern_drops_events_without_file(void **state)
{
	struct filter filter = { .files = { "*" }, .nr_files = 1 };

	(void)state;
	make_load("/lib/libssl.so.3");
	assert_int_equal(judge(&filter), STAGE_DROP);
	raw_begin(&raw, SOURCE_process_exec);
	assert_int_equal(judge(&filter), STAGE_DROP);
	raw_begin(&raw, SOURCE_process_exit);
	assert_int_equal(judge(&filter), STAGE_DROP);
}

static void test_file_pattern_looks_at_the_collapsed_path(void **state)
{
	struct filter filter = { .files = { "/etc/pki/*" }, .nr_files = 1 };

	(void)state;
	make_open("/etc/ssl/..//pki/./key.pem", NULL);
	assert_int_equal(judge(&filter), STAGE_NEXT);
	make_open("/etc/pki/../key.pem", NULL);
	assert_int_equal(judge(&filter), STAGE_DROP);
}

static void test_file_pattern_looks_at_the_resolved_path_too(void **state)
{
	struct filter filter = { .files = { "/etc/pki/*" }, .nr_files = 1 };

	(void)state;
	make_open("/srv/current.pem", "/etc/pki/2026.pem");
	assert_int_equal(judge(&filter), STAGE_NEXT);
	make_open("/srv/current.pem", "/srv/2026.pem");
	assert_int_equal(judge(&filter), STAGE_DROP);
}

static void test_any_of_many_patterns_is_enough(void **state)
{
	struct filter filter = { .nr_files = FILTER_PATTERNS_MAX };

	(void)state;
	for (size_t i = 0; i < FILTER_PATTERNS_MAX; i++)
		filter.files[i] = "/nothing";
	make_open("/etc/ssl/cert.pem", NULL);
	assert_int_equal(judge(&filter), STAGE_DROP);
	filter.files[FILTER_PATTERNS_MAX - 1] = "*.pem";
	assert_int_equal(judge(&filter), STAGE_NEXT);
}

static void test_library_is_meant_by_family_or_part_of_its_name(void **state)
{
	static const struct {
		const char *pattern;
		const char *path;
		int result;
	} cases[] = {
		{ "openssl", "/usr/lib/libssl.so.3", STAGE_NEXT },
		{ "openssl", "/usr/lib/libcrypto.so.1.1", STAGE_NEXT },
		{ "OpenSSL", "/usr/lib/libcrypto.so.3", STAGE_NEXT },
		{ "openssl", "/usr/lib/libgnutls.so.30", STAGE_DROP },
		{ "openssl", "/opt/openssl/lib/libgnutls.so.30", STAGE_DROP },
		{ "libssl", "/usr/lib/libssl.so.3", STAGE_NEXT },
		{ "libssl", "/usr/lib/libcrypto.so.3", STAGE_DROP },
		{ "ssl.so.3", "/usr/lib/libssl.so.3", STAGE_NEXT },
		{ "gnutls", "/usr/lib/libgnutls.so.30", STAGE_NEXT },
		{ "openssl", "/usr/lib/libssl.so.3 (deleted)", STAGE_NEXT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter filter = { .libraries = { cases[i].pattern }, .nr_libraries = 1 };

		make_load(cases[i].path);
		if (judge(&filter) != cases[i].result)
			print_error("'%s' on '%s'\n", cases[i].pattern, cases[i].path);
		assert_int_equal(judge(&filter), cases[i].result);
	}
}

/* What FILTER says of a call in PATH, a file of FAMILY. */
static int judge_call(struct filter *filter, const char *path, enum library_family family)
{
	const struct api_function function = { .name = "f" };
	struct record record;

	filter->wanted = 1U << SOURCE_api_call;
	raw_begin(&raw, SOURCE_api_call);
	assert_int_equal(record_decode(&record, &arena, raw.bytes, raw.size), STAGE_NEXT);
	assert_int_equal(api_call_resolve(&record, &function, path, family, false), STAGE_NEXT);
	return filter_record(filter, &record);
}

/* A file may be a crypto library under another name, or a program with one inside. */
static void test_call_is_meant_by_its_library_or_its_family(void **state)
{
	static const struct {
		const char *pattern;
		const char *path;
		enum library_family family;
		int result;
	} cases[] = {
		{ "openssl", "/usr/lib/libcrypto.so.3", LIBRARY_FAMILY_openssl, STAGE_NEXT },
		{ "libcrypto", "/usr/lib/libcrypto.so.3", LIBRARY_FAMILY_openssl, STAGE_NEXT },
		{ "libssl", "/usr/lib/libcrypto.so.3", LIBRARY_FAMILY_openssl, STAGE_DROP },
		{ "gnutls", "/usr/lib/libcrypto.so.3", LIBRARY_FAMILY_openssl, STAGE_DROP },
		{ "openssl", "/usr/bin/node", LIBRARY_FAMILY_openssl, STAGE_NEXT },
		{ "OpenSSL", "/usr/bin/node", LIBRARY_FAMILY_openssl, STAGE_NEXT },
		{ "node", "/usr/bin/node", LIBRARY_FAMILY_openssl, STAGE_NEXT },
		{ "boringssl", "/usr/bin/node", LIBRARY_FAMILY_openssl, STAGE_DROP },
		{ "boringssl", "/opt/chrome/chrome", LIBRARY_FAMILY_boringssl, STAGE_NEXT },
		{ "kernel", "kernel", LIBRARY_FAMILY_kernel, STAGE_NEXT },
		{ "openssl", "kernel", LIBRARY_FAMILY_kernel, STAGE_DROP },
		/* one of no project has none */
		{ "none", "/opt/own/tool", LIBRARY_FAMILY_none, STAGE_DROP },
		{ "openssl", "/opt/own/tool", LIBRARY_FAMILY_none, STAGE_DROP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter filter = { .libraries = { cases[i].pattern }, .nr_libraries = 1 };

		print_message("'%s' on '%s'\n", cases[i].pattern, cases[i].path);
		assert_int_equal(judge_call(&filter, cases[i].path, cases[i].family),
				 cases[i].result);
	}
}

static void test_any_of_many_families_is_enough(void **state)
{
	struct filter filter = { .libraries = { "nss", "gnutls", "libsodium" }, .nr_libraries = 3 };

	(void)state;
	assert_int_equal(judge_call(&filter, "/opt/a", LIBRARY_FAMILY_libsodium), STAGE_NEXT);
	assert_int_equal(judge_call(&filter, "/opt/a", LIBRARY_FAMILY_gnutls), STAGE_NEXT);
	assert_int_equal(judge_call(&filter, "/opt/a", LIBRARY_FAMILY_openssl), STAGE_DROP);
}

/* What it is of is not known before it is resolved; a file pattern is not about libraries. */
static void test_call_without_library_or_family_is_dropped(void **state)
{
	struct filter libraries = { .libraries = { "openssl" }, .nr_libraries = 1 };
	struct filter files = { .files = { "*" }, .nr_files = 1 };

	(void)state;
	raw_begin(&raw, SOURCE_api_call);
	assert_int_equal(judge(&libraries), STAGE_DROP);
	assert_int_equal(judge_call(&files, "/usr/lib/libssl.so.3", LIBRARY_FAMILY_openssl),
			 STAGE_DROP);
}

/*
 * A handshake of LIBRARY and FAMILY, or of one of the CANDIDATES, NUL-separated, SIZE bytes. NULL:
 * none.
 */
static void make_handshake(const char *library, enum library_family family, const char *candidates,
			   size_t size)
{
	raw_begin(&raw, SOURCE_tls_handshake);
	((struct tls_handshake_event *)raw.bytes)->family = family;
	if (library)
		raw_tail_text(&raw, offsetof(struct tls_handshake_event, library), library);
	if (candidates)
		raw_tail(&raw, offsetof(struct tls_handshake_event, candidates), candidates, size);
}

#define CANDIDATES "/usr/lib/libssl.so.3\0/opt/tls/libgnutls.so.30\0"

static void test_handshake_is_meant_by_its_library_or_any_candidate(void **state)
{
	static const struct {
		const char *pattern;
		int of_library;
		int of_candidates;
	} cases[] = {
		{ "openssl", STAGE_NEXT, STAGE_NEXT },
		{ "libssl", STAGE_NEXT, STAGE_NEXT },
		{ "gnutls", STAGE_DROP, STAGE_NEXT },
		{ "GnuTLS", STAGE_DROP, STAGE_NEXT },
		{ "tls.so.30", STAGE_DROP, STAGE_NEXT },
		{ "nss", STAGE_DROP, STAGE_DROP },
		/* Part of a directory, and of two names. */
		{ "opt", STAGE_DROP, STAGE_DROP },
		{ "3/opt", STAGE_DROP, STAGE_DROP },
		{ "so.3libgnutls", STAGE_DROP, STAGE_DROP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter filter = { .libraries = { cases[i].pattern }, .nr_libraries = 1 };

		print_message("'%s'\n", cases[i].pattern);
		make_handshake("/usr/lib/libssl.so.3", LIBRARY_FAMILY_openssl, NULL, 0);
		assert_int_equal(judge(&filter), cases[i].of_library);
		make_handshake(NULL, LIBRARY_FAMILY_none, CANDIDATES, sizeof(CANDIDATES) - 1);
		assert_int_equal(judge(&filter), cases[i].of_candidates);
		/* The last may lack its end. */
		make_handshake(NULL, LIBRARY_FAMILY_none, CANDIDATES, sizeof(CANDIDATES) - 2);
		assert_int_equal(judge(&filter), cases[i].of_candidates);
	}
}

static void test_any_pattern_on_any_candidate_is_enough(void **state)
{
	struct filter filter = { .libraries = { "nss", "gnutls" }, .nr_libraries = 2 };

	(void)state;
	make_handshake(NULL, LIBRARY_FAMILY_none, CANDIDATES, sizeof(CANDIDATES) - 1);
	assert_int_equal(judge(&filter), STAGE_NEXT);
}

/* A program that has its own TLS, and one whose process is not known. */
static void test_handshake_of_no_library_is_dropped(void **state)
{
	struct filter filter = { .libraries = { "openssl" }, .nr_libraries = 1 };
	struct filter none = { .libraries = { "none" }, .nr_libraries = 1 };

	(void)state;
	make_handshake(NULL, LIBRARY_FAMILY_none, NULL, 0);
	assert_int_equal(judge(&filter), STAGE_DROP);
	assert_int_equal(judge(&none), STAGE_DROP);
	/* Empty names are nobody's, of however many there are. */
	make_handshake(NULL, LIBRARY_FAMILY_none, "\0\0\0", 3);
	assert_int_equal(judge(&filter), STAGE_DROP);
}

/* What FILTER says of a handshake whose certificate is in PATH; NULL: in none that is known. */
static int judge_certificate(struct filter *filter, const char *path)
{
	struct record record;

	filter->wanted = 1U << SOURCE_tls_handshake;
	make_handshake(NULL, LIBRARY_FAMILY_none, NULL, 0);
	assert_int_equal(record_decode(&record, &arena, raw.bytes, raw.size), STAGE_NEXT);
	if (path)
		tls_handshake_set_certificate_file(&record, path, strlen(path));
	return filter_record(filter, &record);
}

static void test_handshake_is_meant_by_the_file_of_its_certificate(void **state)
{
	struct filter filter = { .files = { "*.crt" }, .nr_files = 1 };

	(void)state;
	assert_int_equal(judge_certificate(&filter, "/etc/ssl/host.crt"), STAGE_NEXT);
	assert_int_equal(judge_certificate(&filter, "/etc/ssl/host.pem"), STAGE_DROP);
	assert_int_equal(judge_certificate(&filter, NULL), STAGE_DROP);
}

static void test_library_pattern_drops_other_events(void **state)
{
	struct filter filter = { .libraries = { "openssl" }, .nr_libraries = 1 };

	(void)state;
	make_open("/usr/lib/libssl.so.3", NULL);
	assert_int_equal(judge(&filter), STAGE_DROP);
	raw_begin(&raw, SOURCE_process_exec);
	assert_int_equal(judge(&filter), STAGE_DROP);
}

static void test_both_patterns_keep_either(void **state)
{
	struct filter filter = {
		.files = { "*.pem" },
		.nr_files = 1,
		.libraries = { "openssl" },
		.nr_libraries = 1,
	};

	(void)state;
	make_open("/etc/ssl/cert.pem", NULL);
	assert_int_equal(judge(&filter), STAGE_NEXT);
	make_load("/lib/libssl.so.3");
	assert_int_equal(judge(&filter), STAGE_NEXT);
	make_open("/etc/ssl/cert.key", NULL);
	assert_int_equal(judge(&filter), STAGE_DROP);
	make_load("/lib/libgnutls.so.30");
	assert_int_equal(judge(&filter), STAGE_DROP);
	raw_begin(&raw, SOURCE_process_exit);
	assert_int_equal(judge(&filter), STAGE_DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob_is_a_shell_pattern),
		cmocka_unit_test(test_glob_sees_the_longest_path_whole),
		cmocka_unit_test(test_glob_cuts_what_is_longer),
		cmocka_unit_test(test_without_patterns_all_events_pass),
		cmocka_unit_test(test_only_wanted_sources_pass),
		cmocka_unit_test(test_what_came_before_all_processes_were_known_is_dropped),
		cmocka_unit_test(test_file_pattern_keeps_matching_files_only),
		cmocka_unit_test(test_file_pattern_drops_events_without_file),
		cmocka_unit_test(test_file_pattern_looks_at_the_collapsed_path),
		cmocka_unit_test(test_file_pattern_looks_at_the_resolved_path_too),
		cmocka_unit_test(test_any_of_many_patterns_is_enough),
		cmocka_unit_test(test_library_is_meant_by_family_or_part_of_its_name),
		cmocka_unit_test(test_call_is_meant_by_its_library_or_its_family),
		cmocka_unit_test(test_any_of_many_families_is_enough),
		cmocka_unit_test(test_call_without_library_or_family_is_dropped),
		cmocka_unit_test(test_handshake_is_meant_by_its_library_or_any_candidate),
		cmocka_unit_test(test_any_pattern_on_any_candidate_is_enough),
		cmocka_unit_test(test_handshake_of_no_library_is_dropped),
		cmocka_unit_test(test_handshake_is_meant_by_the_file_of_its_certificate),
		cmocka_unit_test(test_library_pattern_drops_other_events),
		cmocka_unit_test(test_both_patterns_keep_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
