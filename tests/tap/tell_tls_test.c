/* SPDX-License-Identifier: MIT */
/* What becomes of a session that was parsed: which library made it, what fits, what is marked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/tls.h"
#include "sources/lib_load/lib_load.h"
#include "sources/tls_handshake/handshake.h"
#include "staged.h"

#define LIBSSL	  "/usr/lib/libssl.so.3"
#define LIBGNUTLS "/usr/lib/libgnutls.so.30"
#define LIBNSS	  "/usr/lib/libssl3.so"
#define PARENT	  7U

static struct tls_session session;
static struct tap_connection connection;

static int setup(void **state)
{
	(void)state;
	begin(false);
	scene.pipeline.handlers[SOURCE_lib_load].resolve = tap_mapped;
	scene.pipeline.handlers[SOURCE_lib_load].resolve_ctx = &tap;
	scene.pipeline.handlers[SOURCE_process_exec].resolve = tap_executed;
	scene.pipeline.handlers[SOURCE_process_exec].resolve_ctx = &tap;
	session = (struct tls_session){ .outcome = TLS_OUTCOME_established,
					.client = { .is_there = true, .legacy_version = 0x303 } };
	connection = (struct tap_connection){
		.owner = OWNER, .owner_ns = OWNER_NS, .first_ns = 1000000, .last_ns = 3500000
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	end();
	return 0;
}

static struct flow_text text_of(const void *bytes, size_t size)
{
	return (struct flow_text){ bytes, size };
}

/* The event of SESSION and CONNECTION. */
static const char *told(void)
{
	tap.now_ns = now_ns;
	tell_tls(&tap, &connection, &session);
	return the_event("session");
}

/* PID maps PATH. */
static void map(uint32_t pid, const char *path)
{
	static struct raw raw;
	static uint64_t inode;

	raw_begin(&raw, SOURCE_lib_load);
	*raw_hdr(&raw) = (struct event_hdr){ .version = WIRE_VERSION,
					     .source = SOURCE_lib_load,
					     .size = (uint32_t)raw.size,
					     .tgid = pid };
	((struct lib_load_event *)raw.bytes)->inode = ++inode;
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), path);
	assert_int_equal(scene_take(&scene, &raw), 0);
}

static void test_only_library_is_told_with_its_family(void **state)
{
	const char *text;

	(void)state;
	map(OWNER, "/usr/lib/libcrypto.so.3");
	expect("no library", told(), "library", NULL);
	map(OWNER, LIBSSL);
	text = told();
	expect("a library", text, "library", LIBSSL);
	expect("a library", text, "family", "openssl");
	expect("a library", text, "library_candidates", NULL);
}

static void test_exec_has_no_library_of_before(void **state)
{
	static struct raw raw;

	(void)state;
	map(OWNER, LIBSSL);
	raw_begin(&raw, SOURCE_process_exec);
	raw_hdr(&raw)->start_ns = OWNER_NS;
	assert_int_equal(scene_take(&scene, &raw), 0);
	expect("exec", told(), "library", NULL);
}

/* GnuTLS says how large a record may be, OpenSSL does not. */
static void test_hello_tells_two_libraries_of_a_client_apart(void **state)
{
	const char *text;

	(void)state;
	map(OWNER, LIBSSL);
	map(OWNER, LIBGNUTLS);
	text = told();
	expect("OpenSSL", text, "library", LIBSSL);
	expect("OpenSSL", text, "family", "openssl");
	session.client.extensions =
		(struct tls_codes){ .nr = 2, .codes = { 0, TLS_EXTENSION_record_size_limit } };
	text = told();
	expect("GnuTLS", text, "library", LIBGNUTLS);
	expect("GnuTLS", text, "family", "gnutls");
}

/* What may have made it is told, where it is not known what did. */
static void test_several_libraries_are_candidates(void **state)
{
	const char *text;

	(void)state;
	map(OWNER, LIBNSS);
	map(OWNER, LIBSSL);
	map(OWNER, LIBGNUTLS);
	text = told();
	expect("client", text, "library", NULL);
	expect("client", text, "family", NULL);
	expect("client", text, "library_candidates", "[\"" LIBNSS "\",\"" LIBSSL "\"]");
	/* Of a server the client's hello says nothing. */
	connection.client = TAP_RECEIVED;
	text = told();
	expect("server", text, "library", NULL);
	expect("server", text, "library_candidates",
	       "[\"" LIBNSS "\",\"" LIBSSL "\",\"" LIBGNUTLS "\"]");
}

/* A library that can not have made it is not told instead of none. */
static void test_library_that_does_not_fit_is_not_told(void **state)
{
	const char *text;

	(void)state;
	map(OWNER, LIBGNUTLS);
	text = told();
	expect("own TLS", text, "library", NULL);
	expect("own TLS", text, "library_candidates", NULL);
}

static void test_filter_asks_for_library_or_candidates(void **state)
{
	static const struct {
		const char *pattern;
		bool is_told;
	} cases[] = {
		{ "openssl", true },	{ "libssl", true },  { "nss", true },
		{ "ssl3.so", true },	{ "gnutls", false }, { "wolfssl", false },
		{ "libcrypto", false },
	};

	(void)state;
	map(OWNER, LIBNSS);
	map(OWNER, LIBSSL);
	scene.pipeline.filter.nr_libraries = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene.pipeline.filter.libraries[0] = cases[i].pattern;
		tell_tls(&tap, &connection, &session);
		if (cases[i].is_told)
			the_event(cases[i].pattern);
		else
			expect_nothing(cases[i].pattern);
	}
}

/* The process that is made for a connection has what its parent has mapped. */
static void test_child_that_is_gone_has_its_parent_s_library(void **state)
{
	struct processes *processes = scene.pipeline.processes;

	(void)state;
	assert_non_null(processes_add(processes, PARENT, 500));
	map(PARENT, LIBSSL);
	expect("child", told(), "library", LIBSSL);
	/* Another process has its pid now: who that is a child of says nothing. */
	connection.owner_ns = OWNER_NS - 1;
	expect("another", told(), "library", NULL);
}

static void test_names_are_told_as_they_are(void **state)
{
	const char *text;

	(void)state;
	session.client.server_name = text_of("www.example.org", 15);
	session.server.is_there = true;
	session.server.alpn = text_of("h2", 2);
	session.alpn_known = TLS_KNOWN_yes;
	session.client.alpn[0] = text_of("h2", 2);
	session.client.alpn[1] = text_of("", 0);
	session.client.alpn[2] = text_of("a\0b", 3);
	session.client.alpn[3] = text_of("http/1.1", 8);
	session.client.nr_alpn = 4;
	text = told();
	expect("names", text, "server_name", "www.example.org");
	expect("names", text, "alpn", "h2");
	/* Nobody's are left out: the empty one, and that with a NUL. */
	expect("names", text, "offered_alpn", "[\"h2\",\"http/1.1\"]");
	expect("names", text, "truncated", NULL);
}

static void test_long_name_is_cut_and_marked(void **state)
{
	static char name[70000];
	const char *text;

	(void)state;
	memset(name, 'x', sizeof(name));
	session.client.server_name = text_of(name, 255);
	expect("255", told(), "truncated", NULL);
	session.client.server_name = text_of(name, 256);
	text = told();
	expect("256", text, "truncated", "true");
	assert_int_equal(strlen(parsed_value(text, "server_name")), 255);
	session.client.server_name = text_of(name, sizeof(name));
	assert_int_equal(strlen(parsed_value(told(), "server_name")), 255);
}

static void test_every_list_that_is_cut_is_marked(void **state)
{
	struct tls_client_hello *client = &session.client;
	bool *const marks[] = {
		&client->is_cut,	  &client->ciphers.is_cut,    &client->groups.is_cut,
		&client->versions.is_cut, &client->signatures.is_cut, &client->alpn_is_cut,
	};

	(void)state;
	expect("whole", told(), "truncated", NULL);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		*marks[i] = true;
		expect("cut", told(), "truncated", "true");
		*marks[i] = false;
	}
}

static void test_lists_are_told_in_their_order(void **state)
{
	struct tls_client_hello *client = &session.client;
	const char *text;

	(void)state;
	client->ciphers = (struct tls_codes){ .nr = 3, .codes = { 0x1302, 0x1301, 0x9999 } };
	client->groups = (struct tls_codes){ .nr = 2, .codes = { 29, 23 } };
	client->signatures = (struct tls_codes){ .nr = 1, .codes = { 0x403 } };
	text = told();
	expect("lists", text, "offered_ciphers",
	       "[\"TLS_AES_256_GCM_SHA384\",\"TLS_AES_128_GCM_SHA256\",39321]");
	expect("lists", text, "offered_groups", "[\"x25519\",\"secp256r1\"]");
	expect("lists", text, "offered_signature_schemes", "[\"ecdsa_secp256r1_sha256\"]");
	/* Without a list of versions there is the one of the hello. */
	expect("lists", text, "offered_versions", "[\"TLSv1.2\"]");
	client->versions = (struct tls_codes){ .nr = 2, .codes = { 0x304, 0x303 } };
	expect("lists", told(), "offered_versions", "[\"TLSv1.3\",\"TLSv1.2\"]");
}

static void test_longest_lists_fit(void **state)
{
	static const char name[255] = { 'n' };
	struct tls_client_hello *client = &session.client;
	struct tls_codes codes = { .nr = TLS_CODES_MAX };
	const char *text;

	(void)state;
	for (uint16_t i = 0; i < TLS_CODES_MAX; i++)
		codes.codes[i] = (uint16_t)(0xff00 + i);
	client->ciphers = codes;
	client->groups = codes;
	client->signatures = codes;
	client->versions = codes;
	client->server_name = text_of(name, 1);
	client->nr_alpn = TLS_ALPN_MAX;
	for (size_t i = 0; i < TLS_ALPN_MAX; i++)
		client->alpn[i] = text_of("nnnn", 4);
	text = told();
	expect("longest", text, "offered_ciphers.255", "65535");
	expect("longest", text, "offered_signature_schemes.255", "65535");
	expect("longest", text, "offered_alpn.15", "nnnn");
	expect("longest", text, "truncated", NULL);
}

static struct {
	size_t nr;
	size_t sizes[TLS_SERVER_CERTIFICATES_MAX];
	uint8_t firsts[TLS_SERVER_CERTIFICATES_MAX];
} seen;

static void count_certificates(void *ctx, struct record *record)
{
	const uint8_t *der;
	size_t at = 0;

	(void)ctx;
	for (seen.nr = 0; tls_handshake_certificate(record, &at, &der, &seen.sizes[seen.nr]);
	     seen.nr++)
		seen.firsts[seen.nr] = *der;
}

static void test_certificates_are_handed_on_as_they_are(void **state)
{
	static const uint8_t ders[3][300] = { { 1 }, { 2 }, { 3 } };

	(void)state;
	scene.pipeline.handlers[SOURCE_tls_handshake].handle = count_certificates;
	session.server_certificates.known = TLS_KNOWN_yes;
	session.server_certificates.nr = 3;
	for (size_t i = 0; i < 3; i++)
		session.server_certificates.der[i] = text_of(ders[i], 100 + i);
	told();
	assert_int_equal(seen.nr, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(seen.sizes[i], 100 + i);
		assert_int_equal(seen.firsts[i], i + 1);
	}
}

/* Those that do not fit are left out whole, and nothing behind them gets in their place. */
static void test_certificates_that_do_not_fit_are_left_out(void **state)
{
	static const uint8_t der[60000] = { 1 };

	(void)state;
	scene.pipeline.handlers[SOURCE_tls_handshake].handle = count_certificates;
	session.server_certificates.nr = 3;
	session.server_certificates.der[0] = text_of(der, 30000);
	session.server_certificates.der[1] = text_of(der, 40000);
	session.server_certificates.der[2] = text_of(der, 10);
	expect("too large", told(), "truncated", "true");
	assert_int_equal(seen.nr, 1);
	assert_int_equal(seen.sizes[0], 30000);
}

/* Of a chain that is cut before it came here the same is said. */
static void test_chain_that_was_cut_is_marked(void **state)
{
	(void)state;
	session.server_certificates.is_cut = true;
	expect("cut", told(), "truncated", "true");
}

static void test_marks_become_fields(void **state)
{
	const char *text;

	(void)state;
	text = told();
	expect("no marks", text, "hello_retry", "false");
	expect("no marks", text, "early_data", NULL);
	expect("no marks", text, "server_name_is_outer", NULL);
	expect("no marks", text, "alert_from", NULL);
	session.has_hello_retry = true;
	session.client.has_early_data = true;
	session.client.server_name_is_outer = true;
	session.has_alert = true;
	session.alert = TLS_ALERT_handshake_failure;
	session.alert_from = FLOW_SERVER;
	text = told();
	expect("marks", text, "hello_retry", "true");
	expect("marks", text, "early_data", "true");
	expect("marks", text, "server_name_is_outer", "true");
	expect("marks", text, "alert", "handshake_failure");
	expect("marks", text, "alert_from", "server");
	session.alert_is_encrypted = true;
	session.alert_from = FLOW_CLIENT;
	text = told();
	expect("hidden", text, "alert", NULL);
	expect("hidden", text, "alert_from", "client");
}

static void test_duration_is_never_negative(void **state)
{
	(void)state;
	expect("forwards", told(), "duration_us", "2500");
	connection.last_ns = connection.first_ns - 1;
	expect("backwards", told(), "duration_us", "0");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_library_is_told_with_its_family),
		TEST(test_exec_has_no_library_of_before),
		TEST(test_hello_tells_two_libraries_of_a_client_apart),
		TEST(test_several_libraries_are_candidates),
		TEST(test_library_that_does_not_fit_is_not_told),
		TEST(test_filter_asks_for_library_or_candidates),
		TEST(test_child_that_is_gone_has_its_parent_s_library),
		TEST(test_names_are_told_as_they_are),
		TEST(test_long_name_is_cut_and_marked),
		TEST(test_every_list_that_is_cut_is_marked),
		TEST(test_lists_are_told_in_their_order),
		TEST(test_longest_lists_fit),
		TEST(test_certificates_are_handed_on_as_they_are),
		TEST(test_certificates_that_do_not_fit_are_left_out),
		TEST(test_chain_that_was_cut_is_marked),
		TEST(test_marks_become_fields),
		TEST(test_duration_is_never_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
