/* SPDX-License-Identifier: MIT */
/* DTLS and QUIC between real peers, as the kernel tells them at either end. */
#include "../proto/datagrams.h"

#include "proto/dtls.h"
#include "proto/quic.h"
#include "staged.h"

RECORDING(dtls_openssl);
RECORDING(dtls_gnutls);
RECORDING(quic_openssl);
RECORDING(quic_retry);
RECORDING(quic_hello_retry);
RECORDING(quic_negotiation);
RECORDING(quic_upgrade);
RECORDING(quic_refused);
RECORDING(quic_resumed);

#define COOKIE	       5
#define HANDSHAKE_HEAD 64 /* what the kernel tells of a packet that is not Initial */
#define FACTS_MAX      14

/* A recording, and what its programs and other readers said of it, by key. NULL: no value. */
struct expected {
	const char *name;
	const char *text;
	const char *facts[FACTS_MAX][2];
};

/* Of those that are "none" nothing is in the events. */
static const struct expected expected_all[] = {
	{ "dtls_openssl",
	  dtls_openssl,
	  { { "transport", "dtls" },
	    { "outcome", "established" },
	    { "version", "DTLSv1.2" },
	    { "version_id", "65277" },
	    { "cipher", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
	    { "group", "x25519" },
	    { "signature_scheme", "rsa_pss_rsae_sha256" },
	    { "client_certificate", "true" },
	    { "resumed", "false" },
	    { "server_name", NULL },
	    { "not_known.alpn", "this handshake has none" },
	    { "not_known.certificates", NULL } } },
	{ "dtls_gnutls",
	  dtls_gnutls,
	  { { "transport", "dtls" },
	    { "outcome", "established" },
	    { "version", "DTLSv1.2" },
	    { "cipher", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
	    { "group", "secp256r1" },
	    { "signature_scheme", "rsa_pkcs1_sha256" },
	    { "client_certificate", "false" },
	    { "resumed", "false" } } },
	{ "quic_openssl",
	  quic_openssl,
	  { { "transport", "quic" },
	    { "outcome", "established" },
	    { "version", "TLSv1.3" },
	    { "cipher", "TLS_AES_256_GCM_SHA384" },
	    { "group", "X25519MLKEM768" },
	    { "server_name", "localhost" },
	    { "hello_retry", "false" },
	    { "resumed", "false" },
	    { "alpn", NULL },
	    { "not_known.alpn", "encrypted" },
	    { "not_known.certificates", "encrypted" },
	    { "not_known.signature_scheme", "encrypted" },
	    { "not_known.group", NULL } } },
	{ "quic_retry",
	  quic_retry,
	  { { "transport", "quic" },
	    { "outcome", "established" },
	    { "group", "x25519" },
	    { "server_name", "localhost" },
	    { "hello_retry", "false" } } },
	{ "quic_hello_retry",
	  quic_hello_retry,
	  { { "transport", "quic" },
	    { "outcome", "established" },
	    { "group", "secp384r1" },
	    { "hello_retry", "true" } } },
	{ "quic_negotiation",
	  quic_negotiation,
	  { { "transport", "quic" },
	    { "outcome", "established" },
	    { "version", "TLSv1.3" },
	    { "cipher", "TLS_AES_128_GCM_SHA256" },
	    { "group", "x25519" } } },
	{ "quic_upgrade",
	  quic_upgrade,
	  { { "transport", "quic" },
	    { "outcome", "established" },
	    { "cipher", "TLS_AES_128_GCM_SHA256" },
	    { "group", "x25519" } } },
	{ "quic_refused",
	  quic_refused,
	  { { "transport", "quic" },
	    { "outcome", "failed" },
	    { "alert", "no_application_protocol" },
	    { "alert_from", "server" },
	    { "offered_alpn.0", "foo" },
	    { "version", NULL },
	    { "cipher", NULL },
	    { "resumed", NULL },
	    { "not_known.group", "no ServerHello was seen" } } },
};

#define NR_EXPECTED (sizeof(expected_all) / sizeof(expected_all[0]))

/* Who sends it is known; who gets it is not. */
static void tell(bool is_received, const uint8_t *bytes, size_t size)
{
	static struct raw raw;
	struct tap_event *event = event_of(&raw, COOKIE, TAP_DATAGRAM);

	if (is_received) {
		event->hdr.tgid = 0;
		event->owner_ns = 0;
	}
	event->is_received = is_received;
	raw_tail(&raw, offsetof(struct tap_event, payload), bytes, size);
	take(&raw);
}

/* RFC 9369 section 3.2: the types of version 2 begin with another one. */
static unsigned int quic_type(const struct datagram *datagram)
{
	unsigned int type = datagram->bytes[0] >> 4 & 3;

	return datagram->bytes[1] == 0x6b ? (type - 1) & 3 : type;
}

/* Of which ends a 1-RTT packet was told since the last Initial packet, a bit each. */
static unsigned int shorts;

static size_t head_of(const struct datagram *datagram)
{
	return datagram->size > HANDSHAKE_HEAD ? HANDSHAKE_HEAD : datagram->size;
}

/*
 * How much of DATAGRAM the kernel tells: nothing that begins with 0-RTT, and of 1-RTT packets the
 * first one of each end.
 */
static size_t news_of(const struct datagram *datagram)
{
	uint8_t first = datagram->bytes[0];

	if (first >= 0x14 && first <= 0x16)
		return datagram->size;
	if (!(first & 0x80)) {
		bool is_first = !(shorts & 1U << datagram->end);

		shorts |= 1U << datagram->end;
		return is_first ? head_of(datagram) : 0;
	}
	if (!datagram->bytes[1] && !datagram->bytes[4])
		return datagram->size;
	switch (quic_type(datagram)) {
	case 0:
		shorts = 0;
		return datagram->size;
	case 1:
		return 0;
	case 2:
		return head_of(datagram);
	default:
		return datagram->size;
	}
}

static void tell_one(const struct datagram *datagram, bool is_server)
{
	size_t size = news_of(datagram);

	if (size)
		tell(is_server == !datagram->end, datagram->bytes, size);
}

static void expect_facts(const struct expected *expected, bool is_server)
{
	const char *text = the_event(expected->name);

	expect(expected->name, text, "event_type", "tls_handshake");
	expect(expected->name, text, "pid", "100");
	expect(expected->name, text, "process", "nginx");
	expect(expected->name, text, "role", is_server ? "server" : "client");
	expect(expected->name, text, "local", "127.0.0.1:4433");
	expect(expected->name, text, "peer", "127.0.0.1:50000");
	for (size_t i = 0; i < FACTS_MAX && expected->facts[i][0]; i++)
		expect(expected->name, text, expected->facts[i][0], expected->facts[i][1]);
}

/* Tells each datagram NR_COPIES times, and then that 30 s have gone by. */
static void check_recording(const struct expected *expected, bool is_server, int nr_copies)
{
	struct recording recording;

	recording_read(&recording, expected->text);
	begin(false);
	shorts = 0;
	for (size_t i = 0; i < recording.count; i++)
		for (int copy = 0; copy < nr_copies; copy++)
			tell_one(&recording.list[i], is_server);
	assert_int_equal(tap_tick(&tap, now_ns + TAP_DEADLINE_NS + 1), 0);
	expect_facts(expected, is_server);
	expect_forgotten();
	assert_int_equal(tap_connections_counts(tap.connections)->overdue, 0);
	end();
	recording_free(&recording);
}

static void test_recordings_are_told_once_at_each_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_EXPECTED; i++) {
		check_recording(&expected_all[i], false, 1);
		check_recording(&expected_all[i], true, 1);
	}
}

static void test_copies_make_no_further_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_EXPECTED; i++) {
		check_recording(&expected_all[i], false, 2);
		check_recording(&expected_all[i], true, 2);
	}
}

/* What was sent once more when all was over begins nothing. */
static void test_late_copies_of_all_make_no_further_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_EXPECTED; i++) {
		struct recording recording;

		recording_read(&recording, expected_all[i].text);
		begin(false);
		for (size_t j = 0; j < 2 * recording.count; j++)
			tell_one(&recording.list[j % recording.count], true);
		finish();
		expect_facts(&expected_all[i], true);
		end();
		recording_free(&recording);
	}
}

/* A client may use its port again, for the same server. */
static void test_second_handshake_of_the_same_ends_is_told_too(void **state)
{
	struct recording recording;
	const char *text;
	const char *second;

	(void)state;
	recording_read(&recording, quic_resumed);
	for (int is_server = 0; is_server < 2; is_server++) {
		begin(false);
		for (size_t i = 0; i < recording.count; i++)
			tell_one(&recording.list[i], is_server);
		finish();
		text = scene_text(&scene);
		assert_int_equal(parsed_count(text, strlen(text)), 2);
		expect("first", text, "resumed", "false");
		expect("first", text, "early_data", NULL);
		second = strchr(text, '\n') + 1;
		expect("second", second, "outcome", "established");
		expect("second", second, "resumed", "true");
		expect("second", second, "early_data", "true");
		expect("second", second, "role", is_server ? "server" : "client");
		/* Its own time, not that of the first. */
		assert_true(strtoul(parsed_value(second, "duration_us"), NULL, 10) < 5000);
		expect_forgotten();
		end();
	}
	recording_free(&recording);
}

/* The same of DTLS: two recordings one after the other are two handshakes of the same ends. */
static void test_second_handshake_over_dtls_is_told_too(void **state)
{
	struct recording openssl;
	struct recording gnutls;
	const char *text;

	(void)state;
	recording_read(&openssl, dtls_openssl);
	recording_read(&gnutls, dtls_gnutls);
	begin(false);
	for (size_t i = 0; i < openssl.count; i++)
		tell_one(&openssl.list[i], true);
	for (size_t i = 0; i < gnutls.count; i++)
		tell_one(&gnutls.list[i], true);
	finish();
	text = scene_text(&scene);
	assert_int_equal(parsed_count(text, strlen(text)), 2);
	expect("first", text, "group", "x25519");
	expect("second", strchr(text, '\n') + 1, "group", "secp256r1");
	end();
	recording_free(&openssl);
	recording_free(&gnutls);
}

/* The first hello of each, and nothing else. */
static void test_question_without_answer_is_incomplete(void **state)
{
	static const char *const texts[] = { dtls_openssl, dtls_gnutls, quic_negotiation };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct recording recording;
		const char *text;

		recording_read(&recording, texts[i]);
		begin(false);
		for (size_t j = 0; j < recording.count && !recording.list[j].end; j++)
			tell_one(&recording.list[j], false);
		finish();
		/* Of a version that is not known nothing can be read. */
		if (texts[i] == quic_negotiation) {
			expect_nothing("quic_negotiation");
		} else {
			text = the_event("question");
			expect("question", text, "outcome", "incomplete");
			expect("question", text, "version", NULL);
		}
		expect_forgotten();
		end();
		recording_free(&recording);
	}
}

/* Only the client's Initial packets of a connection over QUIC. */
static void test_half_of_quic_is_incomplete(void **state)
{
	struct recording recording;
	const char *text;

	(void)state;
	recording_read(&recording, quic_openssl);
	begin(false);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(recording.list[i].end, 0);
		tell_one(&recording.list[i], false);
	}
	finish();
	text = the_event("half");
	expect("half", text, "outcome", "incomplete");
	expect("half", text, "server_name", "localhost");
	expect("half", text, "not_known.group", "no ServerHello was seen");
	end();
	recording_free(&recording);
}

/* Nothing is held for what does not begin like a handshake, at the first byte or later. */
static void test_other_datagrams_are_let_go_of(void **state)
{
	static const uint8_t others[][20] = {
		"\x16\xfe\xfd\0\1\0\0\0\0\0\0\0\5hello",  /* of a later epoch */
		"\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\2\2\x28", /* an alert alone */
		"\xe0\0\0\0\1\x08",			  /* a Handshake packet alone */
		"\xc0\xff\0\0\x1d\x08",			  /* a draft */
		"\x80\0\0\0\0\x08",			  /* Version Negotiation alone */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		begin(false);
		tell(true, others[i], sizeof(others[i]));
		expect_nothing("other");
		expect_forgotten();
		end();
	}
}

/* An alert in clear ends it, at both ends. */
/* A few bytes that anybody may send from anywhere must not take the room of others. */
static void test_initial_that_cannot_be_read_takes_no_room(void **state)
{
	static const uint8_t initial[1200] = { 0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8 };
	const size_t sizes[] = { 14, 40, 1200 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin(false);
		tell(true, initial, sizes[i]);
		expect_forgotten();
		end();
	}
}

static void test_refused_dtls_tells_its_alert(void **state)
{
	static const uint8_t alert[] = "\x15\xfe\xfd\0\0\0\0\0\0\0\x09\0\2\2\x28";
	struct recording recording;

	(void)state;
	recording_read(&recording, dtls_openssl);
	for (int is_server = 0; is_server < 2; is_server++) {
		const char *text;

		begin(false);
		for (size_t i = 0; i < 3; i++)
			tell_one(&recording.list[i], is_server);
		expect_nothing("asked");
		tell(!is_server, alert, sizeof(alert) - 1);
		text = the_event("refused");
		expect("refused", text, "outcome", "failed");
		expect("refused", text, "alert", "handshake_failure");
		expect("refused", text, "alert_from", "server");
		expect("refused", text, "role", is_server ? "server" : "client");
		end();
	}
	recording_free(&recording);
}

/* Flows of one socket, with peers of their own, and the same peers on two sockets. */
static void test_flows_are_told_apart_by_socket_and_peer(void **state)
{
	static struct raw raw;
	struct recording recording;
	const char *text;

	(void)state;
	recording_read(&recording, quic_upgrade);
	begin(false);
	for (size_t i = 0; i < recording.count; i++)
		for (int flow = 0; flow < 4; flow++) {
			size_t size = news_of(&recording.list[i]);
			struct tap_event *event = event_of(&raw, 7 + (flow & 1), TAP_DATAGRAM);

			if (!size)
				continue;
			event->is_received = !recording.list[i].end;
			event->peer_port = (uint16_t)(6000 + (flow & 2));
			raw_tail(&raw, offsetof(struct tap_event, payload), recording.list[i].bytes,
				 size);
			take(&raw);
		}
	finish();
	text = scene_text(&scene);
	assert_int_equal(parsed_count(text, strlen(text)), 4);
	end();
	recording_free(&recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recordings_are_told_once_at_each_end),
		cmocka_unit_test(test_copies_make_no_further_event),
		cmocka_unit_test(test_late_copies_of_all_make_no_further_event),
		cmocka_unit_test(test_second_handshake_of_the_same_ends_is_told_too),
		cmocka_unit_test(test_second_handshake_over_dtls_is_told_too),
		cmocka_unit_test(test_question_without_answer_is_incomplete),
		cmocka_unit_test(test_half_of_quic_is_incomplete),
		cmocka_unit_test(test_other_datagrams_are_let_go_of),
		cmocka_unit_test(test_initial_that_cannot_be_read_takes_no_room),
		cmocka_unit_test(test_refused_dtls_tells_its_alert),
		cmocka_unit_test(test_flows_are_told_apart_by_socket_and_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
