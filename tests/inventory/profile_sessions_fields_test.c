/* SPDX-License-Identifier: MIT */
/* How sessions are spelled: the same names as in the events, then what they count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inventory/made_handshake.h"

static struct scene page;

static int end(void **state)
{
	scene_close(&page);
	return end_profiles(state);
}

static const char *render(void)
{
	return made_json(&page, made_profile(0), &profile_fields);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		print_error("no '%s' in %s", part, text);
	assert_non_null(strstr(text, part));
}

static void test_tls_session_is_spelled(void **state)
{
	const char *text;

	(void)state;
	made_target(made_process(7, "web"));
	made_tls(7);
	TLS_TAIL(server_name, "a.example");
	TLS_TAIL(alpn, "h2");
	TLS_TAIL(library, "/home/bob/libssl.so.3");
	taken();
	text = render();
	assert_has(text, "\"tls_sessions\":[{\"role\":\"client\",\"outcome\":\"established\","
			 "\"version\":\"TLSv1.3\",\"version_id\":772,"
			 "\"cipher\":\"TLS_AES_128_GCM_SHA256\",\"cipher_id\":4865,"
			 "\"group\":\"x25519\",\"group_id\":29,"
			 "\"signature_scheme\":null,\"signature_scheme_id\":null,"
			 "\"server_name\":\"a.example\",\"alpn\":\"h2\",\"transport\":\"tcp\","
			 "\"peer\":\"198.51.100.7:443\",\"count\":1,\"resumed_count\":0,"
			 "\"first_time\":\"2026-11-21T09:03:20.000000Z\","
			 "\"last_time\":\"2026-11-21T09:03:20.000000Z\","
			 "\"duration_min_us\":1000,\"duration_max_us\":1000,"
			 "\"library\":\"/home/USER/libssl.so.3\",\"family\":null,"
			 "\"verdicts\":{\"why_not_tls13\":null,\"why_not_pq\":null,"
			 "\"forward_secrecy\":null,\"post_quantum\":null,\"cnsa2\":null},"
			 "\"origin\":\"event\"}],"
			 "\"ssh_sessions\":[],");
	assert_has(text, "\"tls_handshakes\":1,\"ssh_handshakes\":0,\"connections_before\":0,");
}

static void test_rare_fields_are_told_when_they_are_there(void **state)
{
	static const char candidates[] = "/a/libssl.so.3\0/home/bob/libgnutls.so.30";
	struct tls_handshake_event *event;
	const char *text;

	(void)state;
	made_target(made_process(7, "web"));
	event = made_tls(7);
	event->outcome = TLS_OUTCOME_failed;
	event->marks |= TLS_EVENT_HAS_ALERT | TLS_EVENT_OUTER_NAME;
	event->alert = 48;
	event->dh_bits = 2048;
	event->forward_secrecy = TLS_ANSWER_yes;
	event->post_quantum = TLS_ANSWER_no;
	raw_tail(&raw, offsetof(struct tls_handshake_event, candidates), candidates,
		 sizeof(candidates));
	taken();
	text = render();
	assert_has(text, "\"outcome\":\"failed\",\"alert\":\"unknown_ca\",\"alert_id\":48,"
			 "\"alert_from\":\"client\",");
	assert_has(text, "\"dh_bits\":2048,");
	assert_has(text, "\"server_name_is_outer\":true,");
	assert_has(text, "\"library\":null,\"library_candidates\":[\"/a/libssl.so.3\","
			 "\"/home/USER/libgnutls.so.30\"],");
	assert_has(text, "\"forward_secrecy\":true,\"post_quantum\":false,");
}

static void test_connection_that_was_there_is_spelled(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	made_library(process, "/usr/lib/libssl.so.3", 1);
	made_connection(process, 5, 50000, 7, 443);
	process->connections[0].is_ktls = true;
	made_target(process);
	assert_has(render(),
		   "\"tls_sessions\":[{\"role\":\"client\",\"outcome\":null,"
		   "\"version\":null,\"version_id\":null,\"cipher\":null,\"cipher_id\":null,"
		   "\"group\":null,\"group_id\":null,"
		   "\"signature_scheme\":null,\"signature_scheme_id\":null,"
		   "\"server_name\":null,\"alpn\":null,\"transport\":null,"
		   "\"peer\":\"198.51.100.7:443\",\"count\":1,\"resumed_count\":null,"
		   "\"first_time\":null,\"last_time\":null,"
		   "\"duration_min_us\":null,\"duration_max_us\":null,"
		   "\"library\":null,\"family\":null,\"origin\":\"snapshot\","
		   "\"negotiated\":\"unknown (before start)\",\"ktls\":true}],");
}

static void test_ssh_session_is_spelled(void **state)
{
	struct ssh_handshake_event *event;

	(void)state;
	made_target(made_process(7, "ssh"));
	event = made_ssh(7);
	event->marks |= SSH_EVENT_IMPLICIT_MAC_C2S;
	event->host_key_bits = 256;
	SSH_TAIL(client_ident, "SSH-2.0-a");
	SSH_TAIL(server_ident, "SSH-2.0-b");
	SSH_TAIL(kex, "curve25519-sha256");
	SSH_TAIL(mac_s2c, "hmac-sha1");
	SSH_TAIL(fingerprint, "SHA256:x");
	taken();
	assert_has(render(),
		   "\"ssh_sessions\":[{\"role\":\"client\",\"outcome\":\"established\","
		   "\"client_ident\":\"SSH-2.0-a\",\"server_ident\":\"SSH-2.0-b\","
		   "\"kex\":\"curve25519-sha256\",\"host_key\":null,"
		   "\"cipher_c2s\":null,\"cipher_s2c\":null,"
		   "\"mac_c2s\":\"implicit\",\"mac_s2c\":\"hmac-sha1\","
		   "\"compression_c2s\":null,\"compression_s2c\":null,"
		   "\"post_quantum\":false,\"strict_kex\":true,\"host_key_bits\":256,"
		   "\"host_key_fingerprint\":\"SHA256:x\",\"peer\":\"198.51.100.7:22\","
		   "\"count\":1,\"first_time\":\"2026-11-21T09:03:20.000000Z\","
		   "\"last_time\":\"2026-11-21T09:03:20.000000Z\","
		   "\"duration_min_us\":1000,\"duration_max_us\":1000,\"origin\":\"event\"}],");
}

/* Of a peer nothing is printed as it is. */
static void test_texts_of_peers_are_escaped(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_tls(7);
	TLS_TAIL(server_name, "a\"\n\x01.example");
	TLS_TAIL(alpn, "\xff");
	taken();
	assert_has(render(),
		   "\"server_name\":\"a\\\"\\n\\u0001.example\",\"alpn\":\"\xef\xbf\xbd\"");
}

static void test_list_that_is_not_whole_says_so(void **state)
{
	char name[16];
	const char *text;

	(void)state;
	made_target(made_process(7, "web"));
	made_ssh(7);
	taken();
	for (size_t i = 0; i < PROFILE_SESSIONS_MAX + 1; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		made_tls(7);
		TLS_TAIL(server_name, name);
		taken();
	}
	text = render();
	assert_has(text, "],\"tls_sessions_truncated\":true,\"ssh_sessions\":[{");
	assert_null(strstr(text, "ssh_sessions_truncated"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin_alone, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tls_session_is_spelled),
		TEST(test_rare_fields_are_told_when_they_are_there),
		TEST(test_connection_that_was_there_is_spelled),
		TEST(test_ssh_session_is_spelled),
		TEST(test_texts_of_peers_are_escaped),
		TEST(test_list_that_is_not_whole_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
