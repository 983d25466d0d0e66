/* SPDX-License-Identifier: MIT */
/* What a handshake lacks for want of memory, or of a look at its process: coverage counts it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sources/lib_load/lib_load.h"
#include "staged.h"
#include "support/short_memory.h"

#define LIBSSL "/usr/lib/libssl.so.3"

static int setup(void **state)
{
	(void)state;
	begin(false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fails_at = 0;
	fails_on = false;
	end();
	return 0;
}

/* How many WHAT coverage says are missing. */
static uint64_t missing(const char *what)
{
	const struct coverage_gap *gaps;
	struct coverage coverage;
	uint64_t nr = 0;

	coverage_init(&coverage, 0, true);
	tap_cover(&tap, &coverage);
	gaps = coverage.not_seen.items;
	for (size_t i = 0; i < coverage.not_seen.count; i++)
		if (strcmp(gaps[i].what, what) == 0)
			nr += gaps[i].count;
	return nr;
}

/* Tells a session of TLS, of which each allocation fails while IS_SHORT. */
static const char *tell(bool is_short)
{
	const struct tls_session session = {
		.outcome = TLS_OUTCOME_established,
		.client = { .is_there = true,
			    .legacy_version = 0x303,
			    .ciphers = { .nr = 1, .codes = { 0x1301 } } },
	};
	const struct tap_connection connection = { .owner = OWNER, .owner_ns = OWNER_NS };

	tap.now_ns = now_ns;
	fails_on = is_short;
	fails_at = is_short;
	tell_tls(&tap, &connection, &session);
	fails_at = 0;
	return the_event("session");
}

static void test_fingerprints_of_tls_that_lack_are_counted(void **state)
{
	const char *text;

	(void)state;
	need_failures();
	assert_non_null(parsed_value(tell(false), "ja3"));
	assert_int_equal(missing("fingerprints of handshakes"), 0);
	text = tell(true);
	expect("short", text, "ja3", NULL);
	expect("short", text, "ja4", NULL);
	assert_int_equal(missing("fingerprints of handshakes"), 1);
}

/* It was never to have one. */
static void test_hello_without_fingerprint_lacks_nothing(void **state)
{
	const struct tls_session session = {
		.outcome = TLS_OUTCOME_established,
		.client = { .is_there = true, .legacy_version = 0x0002, .is_sslv2 = true },
	};
	const struct tap_connection connection = { .owner = OWNER, .owner_ns = OWNER_NS };

	(void)state;
	tap.now_ns = now_ns;
	tell_tls(&tap, &connection, &session);
	expect("SSL 2.0", the_event("SSL 2.0"), "ja3", NULL);
	assert_int_equal(missing("fingerprints of handshakes"), 0);
}

static void test_fingerprint_of_ssh_that_lacks_is_counted(void **state)
{
	static const uint8_t blob[] = "\0\0\0\x0bssh-ed25519";
	static struct ssh_session session = {
		.outcome = SSH_ESTABLISHED,
		.host_key_blob = { blob, sizeof(blob) - 1 },
	};
	const struct tap_connection connection = { .owner = OWNER, .owner_ns = OWNER_NS };

	(void)state;
	need_failures();
	tap.now_ns = now_ns;
	for (uint64_t is_short = 0; is_short < 2; is_short++) {
		fails_on = is_short;
		fails_at = (unsigned int)is_short;
		tell_ssh(&tap, &connection, &session, false);
		fails_at = 0;
		assert_int_equal(!parsed_value(the_event("session"), "host_key_fingerprint"),
				 is_short);
		assert_int_equal(missing("fingerprints of handshakes"), is_short);
	}
}

/* OWNER maps LIBSSL. */
static void map_library(bool is_short)
{
	static struct raw raw;
	struct record record = { .hdr = raw_hdr(&raw), .bytes = raw.bytes };

	raw_begin(&raw, SOURCE_lib_load);
	raw_hdr(&raw)->tgid = OWNER;
	raw_hdr(&raw)->start_ns = OWNER_NS;
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), LIBSSL);
	fails_at = is_short;
	owners_mapped(tap.owners, &record);
	fails_at = 0;
}

static void test_library_without_memory_is_counted(void **state)
{
	(void)state;
	need_failures();
	map_library(true);
	assert_int_equal(missing("TLS libraries of processes"), 1);
	expect("short", tell(false), "library", NULL);
	map_library(false);
	expect("later", tell(false), "library", LIBSSL);
	assert_int_equal(missing("TLS libraries of processes"), 1);
}

/* The broker is not there: what the process had mapped before is not known. */
static void test_process_that_cannot_be_looked_into_is_counted(void **state)
{
	(void)state;
	expect("unread", tell(false), "library", NULL);
	assert_int_equal(missing("the TLS library of handshakes"), 1);
	map_library(false);
	expect("mapped", tell(false), "library", LIBSSL);
	assert_int_equal(missing("the TLS library of handshakes"), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fingerprints_of_tls_that_lack_are_counted),
		TEST(test_hello_without_fingerprint_lacks_nothing),
		TEST(test_fingerprint_of_ssh_that_lacks_is_counted),
		TEST(test_library_without_memory_is_counted),
		TEST(test_process_that_cannot_be_looked_into_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
