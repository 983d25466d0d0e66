/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/finding.h"
#include "proto/flow.h"
#include "proto/ssh_verdict.h"
#include "sources/ssh_handshake/ssh_handshake.h"
#include "support/parsed.h"
#include "support/stage.h"

#define AT(member) offsetof(struct ssh_handshake_event, member)
#define NR_TAILS   14

static struct ssh_handshake_event *const event = (void *)raw.bytes;

/* A key exchange with a value in every member, established, at the server. */
static void make(void)
{
	static const uint8_t loopback[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };

	raw_begin(&raw, SOURCE_ssh_handshake);
	event->duration_ns = 7654321;
	memcpy(event->local, loopback, sizeof(loopback));
	event->peer[0] = 0xfd;
	event->peer[15] = 9;
	event->local_port = 22;
	event->peer_port = 65535;
	event->role = FLOW_SERVER;
	event->outcome = SSH_EVENT_ESTABLISHED;
	event->marks = SSH_EVENT_HAS_CHOICE | SSH_EVENT_POST_QUANTUM | SSH_EVENT_STRICT;
	event->host_key_bits = 3072;
	event->group_bits = 4096;
	raw_tail_text(&raw, AT(client_ident), "SSH-2.0-client");
	raw_tail_text(&raw, AT(server_ident), "SSH-2.0-server");
	raw_tail_text(&raw, AT(kex), "a-kex");
	raw_tail_text(&raw, AT(host_key), "a-key");
	raw_tail_text(&raw, AT(cipher_c2s), "cipher-up");
	raw_tail_text(&raw, AT(cipher_s2c), "cipher-down");
	raw_tail_text(&raw, AT(mac_c2s), "mac-up");
	raw_tail_text(&raw, AT(mac_s2c), "mac-down");
	raw_tail_text(&raw, AT(compression_c2s), "zip-up");
	raw_tail_text(&raw, AT(compression_s2c), "zip-down");
	raw_tail_text(&raw, AT(signature), "a-signature");
	raw_tail_text(&raw, AT(fingerprint), "SHA256:abc");
}

/* The value at KEY of what becomes of RAW is EXPECTED; NULL: there is none. */
static void expect(const char *key, const char *expected)
{
	const char *told = parsed_value(taken(), key);

	if (expected ? !told || strcmp(told, expected) != 0 : told != NULL)
		fail_msg("%s is %s, not %s", key, told ? told : "missing",
			 expected ? expected : "missing");
}

/* KEY is in the event, as null or left out as IS_NULL says. */
static void expect_null(const char *key, bool is_null)
{
	const char *text = taken();
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "\"%s\":null", key);
	assert_int_equal(strstr(text, quoted) != NULL, is_null);
	assert_null(parsed_value(text, key));
}

static void test_every_member_has_its_field(void **state)
{
	static const char *const fields[][2] = {
		{ "event_type", "ssh_handshake" },
		{ "timestamp", "2026-11-21T09:00:05.123456Z" },
		{ "pid", "100" },
		{ "process", "demo" },
		{ "role", "server" },
		{ "outcome", "established" },
		{ "client_ident", "SSH-2.0-client" },
		{ "server_ident", "SSH-2.0-server" },
		{ "kex", "a-kex" },
		{ "host_key", "a-key" },
		{ "cipher_c2s", "cipher-up" },
		{ "cipher_s2c", "cipher-down" },
		{ "mac_c2s", "mac-up" },
		{ "mac_s2c", "mac-down" },
		{ "compression_c2s", "zip-up" },
		{ "compression_s2c", "zip-down" },
		{ "post_quantum", "true" },
		{ "strict_kex", "true" },
		{ "group_bits", "4096" },
		{ "host_key_bits", "3072" },
		{ "host_key_fingerprint", "SHA256:abc" },
		{ "signature", "a-signature" },
		{ "local", "127.0.0.1:22" },
		{ "peer", "[fd00::9]:65535" },
		{ "duration_us", "7654" },
	};

	(void)state;
	make();
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		expect(fields[i][0], fields[i][1]);
	expect_null("failure", false);
	expect_null("findings", false);
}

static void test_what_is_not_known_is_null_or_left_out(void **state)
{
	static const char *const nulls[] = {
		"client_ident",	   "server_ident", "kex",     "host_key",   "cipher_c2s",
		"cipher_s2c",	   "mac_c2s",	   "mac_s2c", "strict_kex", "compression_c2s",
		"compression_s2c", "post_quantum",
	};
	static const char *const left_out[] = {
		"failure",   "group_bits", "host_key_bits", "host_key_fingerprint",
		"signature", "findings",
	};

	(void)state;
	raw_begin(&raw, SOURCE_ssh_handshake);
	for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
		expect_null(nulls[i], true);
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		expect_null(left_out[i], false);
	expect("outcome", "incomplete");
	expect("role", "client");
}

static void test_outcomes_have_names(void **state)
{
	static const char *const names[] = { "incomplete", "established", "failed", "reset", "4" };

	(void)state;
	make();
	for (uint8_t i = 0; i < ARRAY_SIZE(names); i++) {
		event->outcome = i;
		expect("outcome", names[i]);
	}
	event->role = 77;
	expect("role", "77");
}

/* Known once both have made their offers; of the key exchange once there is one. */
static void test_answers_are_told_once_they_are_known(void **state)
{
	(void)state;
	make();
	event->marks = SSH_EVENT_HAS_CHOICE;
	expect("strict_kex", "false");
	expect("post_quantum", "false");
	event->marks = SSH_EVENT_STRICT;
	expect("strict_kex", NULL);
	event->marks = SSH_EVENT_HAS_CHOICE;
	event->kex.size = 0;
	expect("post_quantum", NULL);
	expect("strict_kex", "false");
}

/* A cipher that authenticates has its own MAC, for its direction alone. */
static void test_implicit_mac_takes_the_place_of_one(void **state)
{
	(void)state;
	make();
	event->marks |= SSH_EVENT_IMPLICIT_MAC_C2S;
	expect("mac_c2s", "implicit");
	expect("mac_s2c", "mac-down");
	event->marks ^= SSH_EVENT_IMPLICIT_MAC_C2S | SSH_EVENT_IMPLICIT_MAC_S2C;
	expect("mac_c2s", "mac-up");
	expect("mac_s2c", "implicit");
}

static void verdict(const char *bytes, size_t size)
{
	make();
	raw_tail(&raw, AT(verdicts), bytes, size);
}

static void test_every_rule_is_a_finding(void **state)
{
	(void)state;
	for (uint8_t rule = SSH_RULE_none + 1; rule < NR_SSH_RULES; rule++) {
		const char bytes[] = { (char)rule, 2, '3', 'x' };

		verdict(bytes, sizeof(bytes));
		expect("findings.0.rule", ssh_rules[rule].name);
		expect("findings.0.why", ssh_rules[rule].why);
		expect("findings.0.policy", ssh_rules[rule].policy);
		expect("findings.0.evidence", "3x");
		expect("findings.0.severity", code_name(&severity_codes, ssh_rules[rule].severity));
		expect("findings.1", NULL);
	}
}

static void test_numbers_that_are_no_rule_make_no_finding(void **state)
{
	const char bytes[] = { SSH_RULE_none, 0, (char)NR_SSH_RULES, 0, (char)255, 0 };

	(void)state;
	verdict(bytes, sizeof(bytes));
	expect_null("findings", false);
}

static void test_cut_verdict_makes_no_finding(void **state)
{
	const char bytes[] = { SSH_RULE_none + 1, 1, 'a', SSH_RULE_none + 1, 9, 'b' };

	(void)state;
	verdict(bytes, sizeof(bytes));
	expect("findings.0.evidence", "a");
	expect("findings.1", NULL);
}

/* All of it is a peer's choice. */
static void test_texts_are_escaped_and_redacted(void **state)
{
	static const size_t texts[] = {
		AT(client_ident),    AT(server_ident),	  AT(kex),
		AT(host_key),	     AT(cipher_c2s),	  AT(cipher_s2c),
		AT(mac_c2s),	     AT(mac_s2c),	  AT(signature),
		AT(compression_c2s), AT(compression_s2c), AT(failure),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text;

		raw_begin(&raw, SOURCE_ssh_handshake);
		raw_tail(&raw, texts[i], "a\"\n\0\xff /home/bob/x", 17);
		text = taken();
		assert_int_equal(parsed_count(text, strlen(text)), 1);
		assert_non_null(strstr(text, "\"a\\\"\\n\\u0000\xef\xbf\xbd /home/USER/x\""));
		assert_null(strstr(text, "bob"));
	}
}

static void test_longest_text_is_whole(void **state)
{
	char name[255];

	(void)state;
	memset(name, 'n', sizeof(name));
	raw_begin(&raw, SOURCE_ssh_handshake);
	raw_tail(&raw, AT(server_ident), name, sizeof(name));
	assert_int_equal(strlen(parsed_value(taken(), "server_ident")), sizeof(name));
}

static void test_tail_beyond_the_record_is_malformed(void **state)
{
	const struct source *source = sources[SOURCE_ssh_handshake];

	(void)state;
	assert_int_equal(source->nr_tails, NR_TAILS);
	for (size_t i = 0; i < source->nr_tails; i++) {
		const struct tail tails[] = {
			{ .off = sizeof(*event), .size = 1 },
			{ .off = 0, .size = 4 },
			{ .off = 65535, .size = 65535 },
		};

		for (size_t j = 0; j < ARRAY_SIZE(tails); j++) {
			raw_begin(&raw, SOURCE_ssh_handshake);
			memcpy(raw.bytes + source->tails[i], &tails[j], sizeof(tails[j]));
			assert_string_equal(taken(), "");
		}
	}
	assert_int_equal(scene.pipeline.fates[SOURCE_ssh_handshake].malformed, NR_TAILS * 3);
}

static void test_record_that_is_shorter_is_malformed(void **state)
{
	(void)state;
	make();
	raw.size = sizeof(*event) - 1;
	raw_hdr(&raw)->size = (uint32_t)raw.size;
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_ssh_handshake].malformed, 1);
}

static void test_line_for_people_says_what_matters(void **state)
{
	(void)state;
	scene_close(&scene);
	scene_open(&scene, "text", true);
	make();
	assert_non_null(strstr(taken(), "] ssh_handshake server established SSH-2.0-server a-kex "
					"a-key cipher-up post_quantum=yes 127.0.0.1:22 "
					"peer=[fd00::9]:65535"));
	raw_begin(&raw, SOURCE_ssh_handshake);
	event->outcome = SSH_EVENT_FAILED;
	raw_tail_text(&raw, AT(failure), "no common kex");
	raw_tail_text(&raw, AT(server_ident), "\x1b[2J");
	assert_non_null(strstr(taken(), " failed failure=\"no common kex\" "));
	assert_null(strchr(taken(), '\x1b'));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_member_has_its_field),
		TEST(test_what_is_not_known_is_null_or_left_out),
		TEST(test_outcomes_have_names),
		TEST(test_answers_are_told_once_they_are_known),
		TEST(test_implicit_mac_takes_the_place_of_one),
		TEST(test_every_rule_is_a_finding),
		TEST(test_numbers_that_are_no_rule_make_no_finding),
		TEST(test_cut_verdict_makes_no_finding),
		TEST(test_texts_are_escaped_and_redacted),
		TEST(test_longest_text_is_whole),
		TEST(test_tail_beyond_the_record_is_malformed),
		TEST(test_record_that_is_shorter_is_malformed),
		TEST(test_line_for_people_says_what_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
