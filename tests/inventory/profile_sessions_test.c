/* SPDX-License-Identifier: MIT */
/* Which handshakes of a profile are one session, and what sessions count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inventory/made_handshake.h"
#include "proto/ssh_verdict.h"
#include "sources/tls_handshake/handshake.h"

#define SSL "/usr/lib/libssl.so.3"

static void test_equal_handshakes_are_one_session(void **state)
{
	const struct profile_session *session;

	(void)state;
	made_target(made_process(7, "web"));
	for (uint16_t i = 0; i < 5; i++) {
		struct tls_handshake_event *event = made_tls(7);

		/* What tells connections apart tells no sessions apart. */
		event->local_port = (uint16_t)(50000 + i);
		event->duration_ns = 1000000ULL * (i == 2 ? 1 : 7 - i);
		event->resumed = i == 4 ? TLS_ANSWER_yes : TLS_ANSWER_no;
		TLS_TAIL(server_name, "a.example");
		TLS_TAIL(alpn, "h2");
		TLS_TAIL(library, SSL);
		TLS_TAIL(ja4, i & 1 ? "x" : "y");
		taken();
	}
	assert_int_equal(made_profile(0)->tls_sessions.count, 1);
	session = tls_at(made_profile(0), 0);
	assert_int_equal(session->count, 5);
	assert_int_equal(session->nr_resumed, 1);
	assert_int_equal(session->first_ns, made_at(0));
	assert_int_equal(session->last_ns, made_at(4));
	assert_int_equal(session->shortest_us, 1000);
	assert_int_equal(session->longest_us, 7000);
	assert_false(session->was_before);
	assert_int_equal(session->numbers[TLS_NUMBER_role], FLOW_CLIENT);
	assert_int_equal(session->numbers[TLS_NUMBER_version], 0x0304);
	assert_int_equal(session->numbers[TLS_NUMBER_cipher], 0x1301);
	assert_int_equal(session->numbers[TLS_NUMBER_group], 29);
	assert_int_equal(session->numbers[TLS_NUMBER_signature_scheme], -1);
	assert_int_equal(session->numbers[TLS_NUMBER_alert], -1);
	assert_int_equal(session->numbers[TLS_NUMBER_starttls], -1);
	assert_said(session, TLS_TEXT_peer, "198.51.100.7:443");
	assert_said(session, TLS_TEXT_server_name, "a.example");
	assert_said(session, TLS_TEXT_alpn, "h2");
	assert_said(session, TLS_TEXT_library, SSL);
	assert_said(session, TLS_TEXT_subject, NULL);
	assert_int_equal(made_profile(0)->statistics.tls_handshakes, 5);
	assert_int_equal(made_profile(0)->statistics.total_events, 5);
	assert_int_equal(made_profile(0)->ssh_sessions.count, 0);
}

/* Each number of an event that makes it another session. */
static void change_number(struct tls_handshake_event *event, size_t which)
{
	switch (which) {
	case 0:
		event->outcome = TLS_OUTCOME_failed;
		break;
	case 1:
		event->version = 0x0303;
		break;
	case 2:
		event->cipher = 0x1302;
		break;
	case 3:
		event->group = 23;
		break;
	case 4:
		event->group_known = TLS_KNOWN_no_such;
		break;
	case 5:
		event->signature_known = TLS_KNOWN_yes;
		break;
	case 6:
		event->dh_bits = 1024;
		break;
	case 7:
		event->marks |= TLS_EVENT_HAS_ALERT;
		break;
	case 8:
		event->marks |= TLS_EVENT_HAS_ALERT | TLS_EVENT_SERVER_ALERT;
		break;
	case 9:
		event->transport = TLS_TRANSPORT_quic;
		break;
	case 10:
		event->starttls = 1;
		break;
	case 11:
		event->family = 1;
		break;
	case 12:
		event->marks |= TLS_EVENT_OUTER_NAME;
		break;
	case 13:
		event->forward_secrecy = TLS_ANSWER_yes;
		break;
	case 14:
		event->post_quantum = TLS_ANSWER_no;
		break;
	case 15:
		event->why_not_tls13 = 1;
		break;
	case 16:
		event->why_not_pq = 1;
		break;
	case 17:
		event->peer_port = 444;
		break;
	case 18:
		event->peer[15]++;
		break;
	default:
		event->role = FLOW_SERVER;
		break;
	}
}

static void test_what_differs_in_a_number_is_another_session(void **state)
{
	enum {
		NR_CHANGES = 20
	};

	(void)state;
	made_target(made_process(7, "web"));
	for (size_t round = 0; round < 2; round++) {
		made_tls(7);
		taken();
		for (size_t i = 0; i < NR_CHANGES; i++) {
			change_number(made_tls(7), i);
			taken();
		}
	}
	assert_int_equal(made_profile(0)->tls_sessions.count, NR_CHANGES + 1);
	for (size_t i = 0; i < NR_CHANGES + 1; i++)
		assert_int_equal(tls_at(made_profile(0), i)->count, 2);
	assert_int_equal(made_profile(0)->statistics.tls_handshakes, 2 * NR_CHANGES + 2);
}

static void test_what_differs_in_a_text_is_another_session(void **state)
{
	static const size_t tails[] = {
		offsetof(struct tls_handshake_event, server_name),
		offsetof(struct tls_handshake_event, alpn),
		offsetof(struct tls_handshake_event, library),
		offsetof(struct tls_handshake_event, candidates),
	};

	(void)state;
	made_target(made_process(7, "web"));
	for (size_t round = 0; round < 2; round++) {
		made_tls(7);
		taken();
		for (size_t i = 0; i < 4; i++) {
			made_tls(7);
			raw_tail(&raw, tails[i], "a\0b", 4);
			taken();
			made_tls(7);
			raw_tail(&raw, tails[i], "a\0c", 4);
			taken();
		}
	}
	assert_int_equal(made_profile(0)->tls_sessions.count, 9);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(tls_at(made_profile(0), i)->count, 2);
}

static void test_clients_of_a_server_are_told_by_their_address(void **state)
{
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

	(void)state;
	made_target(made_process(7, "web"));
	for (uint16_t i = 0; i < 6; i++) {
		struct tls_handshake_event *event = made_tls(7);

		event->role = FLOW_SERVER;
		event->local_port = 443;
		event->peer_port = (uint16_t)(40000 + i);
		if (i >= 4)
			memcpy(event->peer, v6, sizeof(v6));
		taken();
	}
	assert_int_equal(made_profile(0)->tls_sessions.count, 2);
	assert_said(tls_at(made_profile(0), 0), TLS_TEXT_peer, "198.51.100.7");
	assert_int_equal(tls_at(made_profile(0), 0)->count, 4);
	assert_said(tls_at(made_profile(0), 1), TLS_TEXT_peer, "2001:db8::1");
	assert_int_equal(tls_at(made_profile(0), 1)->count, 2);
}

/* Of what has failed before the server answered nothing is known but that. */
static void test_what_was_not_negotiated_is_not_known(void **state)
{
	struct tls_handshake_event *event;

	(void)state;
	made_target(made_process(7, "web"));
	event = made_tls(7);
	event->outcome = TLS_OUTCOME_failed;
	event->marks = TLS_EVENT_HAS_ALERT | TLS_EVENT_SERVER_ALERT;
	event->alert = 70;
	event->group_known = TLS_KNOWN_not_seen;
	event->resumed = TLS_ANSWER_unknown;
	taken();
	assert_int_equal(tls_at(made_profile(0), 0)->numbers[TLS_NUMBER_version], -1);
	assert_int_equal(tls_at(made_profile(0), 0)->numbers[TLS_NUMBER_cipher], -1);
	assert_int_equal(tls_at(made_profile(0), 0)->numbers[TLS_NUMBER_group], -1);
	assert_int_equal(tls_at(made_profile(0), 0)->numbers[TLS_NUMBER_alert], 70);
	assert_int_equal(tls_at(made_profile(0), 0)->numbers[TLS_NUMBER_alert_from], FLOW_SERVER);
	assert_int_equal(tls_at(made_profile(0), 0)->nr_resumed, 0);
}

static const struct content *shown;

/* As a command does that looks into certificates. */
static void look_and_take(void *ctx, struct record *record)
{
	if (shown)
		tls_handshake_set_content(record, shown);
	made_take(ctx, record);
}

static void test_leaf_that_a_server_showed_is_told(void **state)
{
	static const struct certificate first[] = {
		{ .subject = "CN=a", .fingerprint_sha256 = "aa" },
		{ .subject = "CN=ca", .fingerprint_sha256 = "ca" },
	};
	static const struct certificate second[] = {
		{ .subject = "CN=a", .fingerprint_sha256 = "bb" },
	};
	static const struct finding findings[] = {
		{ .rule = "certificate_expired", .severity = SEVERITY_high, .evidence = "2020" },
	};
	struct content contents_of[] = {
		{ .certificates = ITEMS(first), .findings = ITEMS(findings) },
		{ .certificates = ITEMS(second), .findings = ITEMS(findings) },
	};

	(void)state;
	scene.pipeline.handlers[SOURCE_tls_handshake].handle = look_and_take;
	made_target(made_process(7, "web"));
	for (size_t i = 0; i < 3; i++) {
		shown = &contents_of[i / 2];
		made_tls(7);
		taken();
	}
	/* What the record borrowed is not needed any more. */
	shown = NULL;
	memset(contents_of, 0, sizeof(contents_of));
	assert_int_equal(made_profile(0)->tls_sessions.count, 2);
	assert_int_equal(tls_at(made_profile(0), 0)->count, 2);
	assert_said(tls_at(made_profile(0), 0), TLS_TEXT_subject, "CN=a");
	assert_said(tls_at(made_profile(0), 0), TLS_TEXT_fingerprint_sha256, "aa");
	assert_said(tls_at(made_profile(0), 1), TLS_TEXT_fingerprint_sha256, "bb");
	/* What is against it stands in the list of all findings, once. */
	assert_int_equal(made_profile(0)->findings.count, 1);
	assert_int_equal(profile_count_findings(&document, SEVERITY_high), 1);
	assert_string_equal(((const struct finding *)made_profile(0)->findings.items)->rule,
			    "certificate_expired");
}

/* A weak key exchange, three times: as in the event, with rule and evidence. */
static void test_findings_of_handshakes_are_gathered_once(void **state)
{
	static const uint8_t verdict[] = { 1, 3, 'a', 'b', 'c' };
	const struct finding *finding;

	(void)state;
	made_target(made_process(7, "ssh"));
	for (size_t i = 0; i < 3; i++) {
		made_ssh(7);
		raw_tail(&raw, offsetof(struct ssh_handshake_event, verdicts), verdict,
			 sizeof(verdict));
		taken();
	}
	assert_int_equal(made_profile(0)->findings.count, 1);
	finding = made_profile(0)->findings.items;
	assert_string_equal(finding->rule, ssh_rules[1].name);
	assert_string_equal(finding->evidence, "abc");
	assert_int_equal(finding->severity, ssh_rules[1].severity);
	assert_int_equal(profile_count_findings(&document, ssh_rules[1].severity), 1);
}

static void test_ssh_is_added_up_likewise(void **state)
{
	const struct profile_session *session;

	(void)state;
	made_target(made_process(7, "ssh"));
	for (uint16_t i = 0; i < 4; i++) {
		made_ssh(7)->local_port = (uint16_t)(50000 + i);
		SSH_TAIL(client_ident, "SSH-2.0-OpenSSH_9.2");
		SSH_TAIL(server_ident, "SSH-2.0-dropbear");
		SSH_TAIL(kex, i == 3 ? "ecdh-sha2-nistp256" : "curve25519-sha256");
		SSH_TAIL(host_key, "ssh-ed25519");
		SSH_TAIL(cipher_c2s, "aes256-ctr");
		SSH_TAIL(fingerprint, "SHA256:x");
		taken();
	}
	assert_int_equal(made_profile(0)->ssh_sessions.count, 2);
	session = ssh_at(made_profile(0), 0);
	assert_int_equal(session->count, 3);
	assert_int_equal(session->numbers[SSH_NUMBER_outcome], SSH_EVENT_ESTABLISHED);
	assert_int_equal(session->numbers[SSH_NUMBER_strict_kex], 1);
	assert_int_equal(session->numbers[SSH_NUMBER_post_quantum], 0);
	assert_int_equal(session->numbers[SSH_NUMBER_group_bits], -1);
	assert_said(session, SSH_TEXT_peer, "198.51.100.7:22");
	assert_said(session, SSH_TEXT_kex, "curve25519-sha256");
	assert_said(session, SSH_TEXT_host_key_fingerprint, "SHA256:x");
	assert_said(session, SSH_TEXT_mac_c2s, NULL);
	assert_said(ssh_at(made_profile(0), 1), SSH_TEXT_kex, "ecdh-sha2-nistp256");
	assert_int_equal(made_profile(0)->statistics.ssh_handshakes, 4);
	assert_int_equal(made_profile(0)->statistics.tls_handshakes, 0);
	assert_int_equal(made_profile(0)->tls_sessions.count, 0);
}

static void test_sessions_beyond_the_limit_are_counted(void **state)
{
	char name[16];

	(void)state;
	made_target(made_process(7, "web"));
	for (size_t i = 0; i < PROFILE_SESSIONS_MAX + 3; i++) {
		snprintf(name, sizeof(name), "%05zu", PROFILE_SESSIONS_MAX + 3 - i);
		made_tls(7);
		TLS_TAIL(server_name, name);
		taken();
	}
	/* One that is there already is added. */
	made_tls(7);
	snprintf(name, sizeof(name), "%05d", 4);
	TLS_TAIL(server_name, name);
	taken();
	assert_int_equal(made_profile(0)->tls_sessions.count, PROFILE_SESSIONS_MAX);
	assert_true(made_profile(0)->tls_sessions.truncated);
	assert_false(made_profile(0)->ssh_sessions.truncated);
	assert_int_equal(made_profile(0)->statistics.tls_handshakes, PROFILE_SESSIONS_MAX + 4);
	assert_int_equal(profiles_count_refused(profiles), 3);
	/* Sorted by name, whatever the order in which they came. */
	assert_said(tls_at(made_profile(0), 0), TLS_TEXT_server_name, "00004");
	assert_int_equal(tls_at(made_profile(0), 0)->count, 2);
	for (size_t i = 1; i < PROFILE_SESSIONS_MAX; i++)
		assert_true(
			memcmp(tls_at(made_profile(0), i - 1)->texts[TLS_TEXT_server_name].bytes,
			       tls_at(made_profile(0), i)->texts[TLS_TEXT_server_name].bytes,
			       5) < 0);
}

static void test_sessions_of_a_tree_are_together_of_others_apart(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_target(made_process(8, "web"));
	made_fork(9, 8);
	made_tls(7);
	taken();
	made_tls(8);
	taken();
	made_tls(9);
	taken();
	made_profile(1);
	assert_int_equal(tls_at(made_profile(0), 0)->count, 1);
	assert_int_equal(made_profile(1)->tls_sessions.count, 1);
	assert_int_equal(tls_at(made_profile(1), 0)->count, 2);
	assert_int_equal(document.summary.tls_handshakes, 3);
	/* A document in between changes nothing. */
	made_tls(7);
	taken();
	assert_int_equal(tls_at(made_profile(0), 0)->count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_equal_handshakes_are_one_session),
		ALONE(test_what_differs_in_a_number_is_another_session),
		ALONE(test_what_differs_in_a_text_is_another_session),
		ALONE(test_clients_of_a_server_are_told_by_their_address),
		ALONE(test_what_was_not_negotiated_is_not_known),
		ALONE(test_leaf_that_a_server_showed_is_told),
		ALONE(test_findings_of_handshakes_are_gathered_once),
		ALONE(test_ssh_is_added_up_likewise),
		ALONE(test_sessions_beyond_the_limit_are_counted),
		TREE(test_sessions_of_a_tree_are_together_of_others_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
