/* SPDX-License-Identifier: MIT */
/* What `snapshot` and `libs` print for people, of documents made by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "cmd/summary.h"
#include "inspect/finding.h"

#define MANY 250 /* rows; a table shows 200 */

#define ITEMS(array)                                                                               \
	((struct item_list){ .items = (array),                                                     \
			     .count = sizeof(array) / sizeof((array)[0]),                          \
			     .stride = sizeof((array)[0]) })

static struct take take;
static struct output_text text;
static struct host_crypto host;
static struct snapshot snapshot;

/* No user of this host is known: each is replaced. */
static int begin(void **state)
{
	const struct redact_options options = { .paths = true, .passwd_path = "/dev/null" };

	(void)state;
	take = (struct take){ 0 };
	text = (struct output_text){ 0 };
	output_memory(&take.output, &text);
	host = (struct host_crypto){ 0 };
	snapshot = (struct snapshot){
		.now_ns = 1795251661ULL * 1000000000,
		.hostname = "web-01",
		.kernel = "6.1.0",
		.host = &host,
		.coverage = { .nr_processes = 7, .nr_examined = 3, .method = "bpf" },
	};
	return redactor_new(&take.redactor, &options);
}

static int end(void **state)
{
	(void)state;
	redactor_free(take.redactor);
	free(text.bytes);
	return 0;
}

/* The page, NUL-terminated; no line of it is wider than a terminal. */
static const char *page(void)
{
	static char copy[65536];

	assert_true(text.size < sizeof(copy));
	memcpy(copy, text.bytes, text.size);
	copy[text.size] = '\0';
	for (const char *at = copy; *at; at += strcspn(at, "\n") + 1)
		assert_true(take.has_color || strcspn(at, "\n") <= TAKE_WIDTH);
	return copy;
}

static const char *page_of_snapshot(void)
{
	assert_int_equal(summary_print_snapshot(&take, &snapshot), 0);
	return page();
}

static void has(const char *shown, const char *line)
{
	if (!strstr(shown, line))
		fail_msg("no '%s' in:\n%s", line, shown);
}

static void test_snapshot_of_nothing(void **state)
{
	(void)state;
	assert_string_equal(page_of_snapshot(),
			    "Cryptography of web-01, 2026-11-21 09:01:01 UTC\n"
			    "Linux 6.1.0\n"
			    "Processes: 0   Libraries: 0   Open files: 0   Findings: 0\n"
			    "\nFindings (0)\n"
			    "\nProcesses (0)\n"
			    "\nCertificates in open files (0)\n"
			    "\nKeys in open files (0)\n"
			    "\nOpen connections of these processes: 0; what was negotiated is\n"
			    "not known, since that was before.\n"
			    "\nKernel: FIPS mode not known; 0 dm-crypt, 0 WireGuard, 0 AF_ALG\n"
			    "\nCoverage: 7 processes (by bpf), 3 files looked into.\n");
}

static void test_every_table_has_its_rows(void **state)
{
	static const char files[] = "/a.pem\0/b.key";
	struct provider providers[] = { { .name = "openssl", .version = "3.0.17" },
					{ .name = "go" } };
	struct snapshot_process processes[] = { {
		.pid = 1204,
		.name = "nginx",
		.running_as = "www-data",
		.open_crypto_files = { .bytes = files, .size = sizeof(files) },
		.providers = ITEMS(providers),
	} };
	struct finding findings[] = { { .severity = SEVERITY_high,
					.rule = "private_key_readable",
					.evidence = "mode 0644",
					.file = "/home/alice/tls.key" } };
	struct snapshot_certificate certificates[] = {
		{ .file = "/srv/tls.pem",
		  .certificate = { .days_left = -9,
				   .key_type = "RSA",
				   .key_bits = 2048,
				   .subject = "CN=example" } },
		{ .file = "/etc/ssl/ca.pem", .is_trusted = true },
	};
	struct snapshot_key keys[] = {
		{ .file = "/srv/a.key",
		  .mode = "0600",
		  .owner = "root",
		  .key = { .type = "EC", .curve = "P-256", .is_private = true } },
		{ .file = "/srv/b.key",
		  .mode = "0644",
		  .owner = "root",
		  .key = { .type = "Ed25519", .is_private = true, .is_encrypted = true } },
		{ .file = "/srv/c.pub", .mode = "0644", .owner = "root" },
	};
	const char *shown;

	(void)state;
	snapshot.processes = ITEMS(processes);
	snapshot.findings = ITEMS(findings);
	snapshot.certificates = ITEMS(certificates);
	snapshot.keys = ITEMS(keys);
	snapshot.summary.connections = 5;
	shown = page_of_snapshot();
	has(shown, "\nFindings (1)\n");
	has(shown, "high      private_key_readable  mode 0644  /home/USER/tls.key\n");
	has(shown, "1204  USER  nginx        2  openssl 3.0.17, go\n");
	has(shown,
	    "\nCertificates in open files (1)\n  and 1 of trusted CAs in bundles, not shown\n");
	has(shown, "-9  RSA 2048  CN=example  /srv/tls.pem\n");
	has(shown, "EC P-256  private             0600  USER   /srv/a.key\n");
	has(shown, "Ed25519   private, encrypted  0644  USER   /srv/b.key\n");
	has(shown, "?         public              0644  USER   /srv/c.pub\n");
	has(shown, "\nOpen connections of these processes: 5;");
}

static void test_long_tables_say_how_much_more_there_is(void **state)
{
	static struct snapshot_process processes[MANY];
	const char *shown;
	size_t nr_rows = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		processes[i].pid = 10000 + i;
		memcpy(processes[i].name, "many", sizeof("many"));
		processes[i].running_as = "root";
	}
	snapshot.processes = ITEMS(processes);
	shown = page_of_snapshot();
	has(shown, "\nProcesses (250)\n");
	has(shown, "\n  and 50 more: see --format json\n");
	for (const char *at = shown; (at = strstr(at, " many ")); at++)
		nr_rows++;
	assert_int_equal(nr_rows, 200);
	assert_null(strstr(shown, "10200"));
}

static void test_the_kernel_in_one_line(void **state)
{
	(void)state;
	host.has_fips = true;
	host.has_ipsec = true;
	host.ipsec_states = 4;
	host.has_ktls = true;
	host.ktls_tx = 2;
	host.ktls_rx = 3;
	host.af_alg_sockets = 6;
	has(page_of_snapshot(),
	    "\nKernel: FIPS mode off; 0 dm-crypt, 0 WireGuard, 4 IPsec, 5 kTLS, 6 AF_ALG\n");
	host.fips_enabled = true;
	has(page_of_snapshot(), "\nKernel: FIPS mode on; ");
}

static void test_what_was_not_seen_is_said(void **state)
{
	struct document_gap gaps[] = { { .what = "processes", .why = "hidden", .count = 3 },
				       { .what = "others", .why = "not permitted" } };
	const char *shown;

	(void)state;
	snapshot.coverage.not_seen = ITEMS(gaps);
	shown = page_of_snapshot();
	has(shown, "\nNot seen: 3 processes:\n    hidden.\n");
	has(shown, "\nNot seen: others:\n    not permitted.\n");
}

static void test_colours_where_they_are_wanted(void **state)
{
	struct finding findings[] = { { .severity = SEVERITY_critical, .rule = "a" },
				      { .severity = SEVERITY_info, .rule = "b" } };
	const char *shown;

	(void)state;
	snapshot.findings = ITEMS(findings);
	take.has_color = true;
	shown = page_of_snapshot();
	has(shown, "\n\033[1mFindings\033[0m (2)\n");
	has(shown, "\033[1;31m");
	has(shown, "\033[2m");
}

static void test_libraries(void **state)
{
	struct libs_item items[] = {
		{ .name = "libssl.so.3",
		  .family = LIBRARY_FAMILY_openssl,
		  .version = "3.0.17",
		  .package = "libssl3",
		  .processes = { .count = 4 } },
		{ .name = "libgnutls.so.30", .family = LIBRARY_FAMILY_gnutls, .is_stale = true },
	};
	struct libs libs = {
		.hostname = "web-01",
		.kernel = "6.1.0",
		.coverage = { .nr_processes = 7, .nr_examined = 3, .method = "proc" },
	};
	const char *shown;

	(void)state;
	libs.libraries = ITEMS(items);
	assert_int_equal(summary_print_libs(&take, &libs), 0);
	shown = page();
	has(shown, "Crypto libraries of web-01, 1970-01-01 00:00:00 UTC\nLinux 6.1.0\n");
	has(shown, "\nLibraries in use (2)\n");
	has(shown, "openssl  3.0.17         4  libssl3  libssl.so.3\n");
	has(shown, "gnutls   - (stale)      0  -        libgnutls.so.30\n");
	has(shown, "\nCoverage: 7 processes (by proc), 3 files looked into.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_snapshot_of_nothing, begin, end),
		cmocka_unit_test_setup_teardown(test_every_table_has_its_rows, begin, end),
		cmocka_unit_test_setup_teardown(test_long_tables_say_how_much_more_there_is, begin,
						end),
		cmocka_unit_test_setup_teardown(test_the_kernel_in_one_line, begin, end),
		cmocka_unit_test_setup_teardown(test_what_was_not_seen_is_said, begin, end),
		cmocka_unit_test_setup_teardown(test_colours_where_they_are_wanted, begin, end),
		cmocka_unit_test_setup_teardown(test_libraries, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
