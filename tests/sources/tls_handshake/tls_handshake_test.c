/* SPDX-License-Identifier: MIT */
#include "made.h"

static void test_every_member_has_its_field(void **state)
{
	static const char *const fields[][2] = {
		{ "event_type", "tls_handshake" },
		{ "timestamp", "2026-11-21T09:00:05.123456Z" },
		{ "pid", "100" },
		{ "ppid", "1" },
		{ "uid", "1000" },
		{ "process", "demo" },
		{ "role", "client" },
		{ "outcome", "established" },
		{ "version", "TLSv1.2" },
		{ "version_id", "771" },
		{ "cipher", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
		{ "cipher_id", "49199" },
		{ "group", "x25519" },
		{ "group_id", "29" },
		{ "dh_bits", "2048" },
		{ "signature_scheme", "ecdsa_secp256r1_sha256" },
		{ "signature_scheme_id", "1027" },
		{ "server_name", "www.example.org" },
		{ "alpn", "h2" },
		{ "resumed", "false" },
		{ "hello_retry", "false" },
		{ "client_certificate", "true" },
		{ "transport", "tcp" },
		{ "local", "127.0.0.1:50000" },
		{ "peer", "[::1]:443" },
		{ "duration_us", "1234" },
		{ "library", "/usr/lib/libssl.so.3" },
		{ "family", "openssl" },
		{ "offered_versions", "[\"TLSv1.3\",\"TLSv1.2\"]" },
		{ "offered_ciphers", "[\"TLS_AES_128_GCM_SHA256\","
				     "\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\",39321]" },
		{ "offered_groups", "[\"x25519\",\"secp256r1\"]" },
		{ "offered_signature_schemes",
		  "[\"ecdsa_secp256r1_sha256\",\"rsa_pss_rsae_sha256\"]" },
		{ "offered_alpn", "[\"h2\",\"http/1.1\"]" },
		{ "ja3", "0123456789abcdef0123456789abcdef" },
		{ "ja4", "t13d1516h2_8daaf6152771_e5627efa2ab1" },
		{ "verdicts.forward_secrecy", "true" },
		{ "verdicts.post_quantum", "false" },
	};

	(void)state;
	make();
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		expect(fields[i][0], fields[i][1]);
}

/* Of these there is not a word where they do not apply. */
static void test_what_does_not_apply_is_left_out(void **state)
{
	static const char *const names[] = {
		"alert",	"alert_id", "alert_from",	  "server_name_is_outer",
		"early_data",	"starttls", "library_candidates", "truncated",
		"certificates", "findings", "certificate_file",
	};

	(void)state;
	make();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_null(names[i], false);
	event->dh_bits = 0;
	expect_null("dh_bits", false);
}

/* What every handshake has is null where it is not known. */
static void test_what_is_not_known_is_null(void **state)
{
	static const char *const names[] = {
		"version",
		"version_id",
		"cipher",
		"cipher_id",
		"group",
		"group_id",
		"signature_scheme",
		"signature_scheme_id",
		"server_name",
		"alpn",
		"resumed",
		"client_certificate",
		"library",
		"family",
		"ja3",
		"ja4",
	};

	(void)state;
	raw_begin(&raw, SOURCE_tls_handshake);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_null(names[i], true);
	expect("outcome", "incomplete");
	expect("offered_ciphers", "[]");
	expect("offered_alpn", "[]");
	expect("hello_retry", "false");
	expect("verdicts.forward_secrecy", NULL);
	expect("verdicts.post_quantum", NULL);
}

/* An answer of the server is no choice before it is seen; numbers in the record are nothing. */
static void test_choices_are_told_once_they_are_known(void **state)
{
	(void)state;
	make();
	event->marks = 0;
	event->group_known = TLS_KNOWN_not_seen;
	event->signature_known = TLS_KNOWN_encrypted;
	expect("version", NULL);
	expect("cipher_id", NULL);
	expect("group", NULL);
	expect("group_id", NULL);
	expect("signature_scheme", NULL);
	expect("signature_scheme_id", NULL);
}

static void test_unknown_codes_are_numbers(void **state)
{
	(void)state;
	make();
	event->version = 0x7f1c;
	event->cipher = 0xeeee;
	event->group = 0xfeff;
	event->signature = 0xfe00;
	event->outcome = 99;
	event->role = 98;
	event->transport = 97;
	event->family = 12345;
	event->starttls = 96;
	event->marks |= TLS_EVENT_HAS_ALERT;
	event->alert = 200;
	expect("version", "32540");
	expect("version_id", "32540");
	expect("cipher", "61166");
	expect("group", "65279");
	expect("signature_scheme", "65024");
	expect("outcome", "99");
	expect("role", "98");
	expect("transport", "97");
	expect("family", "12345");
	expect("starttls", "96");
	expect("alert", "200");
}

static void test_codes_of_the_event_have_names(void **state)
{
	static const struct {
		size_t at;
		uint8_t code;
		const char *key;
		const char *name;
	} codes[] = {
		{ AT(role), FLOW_SERVER, "role", "server" },
		{ AT(outcome), TLS_OUTCOME_failed, "outcome", "failed" },
		{ AT(outcome), TLS_OUTCOME_reset, "outcome", "reset" },
		{ AT(outcome), TLS_OUTCOME_incomplete, "outcome", "incomplete" },
		{ AT(transport), TLS_TRANSPORT_quic, "transport", "quic" },
		{ AT(transport), TLS_TRANSPORT_dtls, "transport", "dtls" },
		{ AT(starttls), STARTTLS_smtp, "starttls", "smtp" },
		{ AT(starttls), STARTTLS_postgresql, "starttls", "postgresql" },
		{ AT(resumed), TLS_ANSWER_yes, "resumed", "true" },
		{ AT(sends_certificate), TLS_ANSWER_no, "client_certificate", "false" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		make();
		raw.bytes[codes[i].at] = codes[i].code;
		expect(codes[i].key, codes[i].name);
	}
}

static void test_alert_is_told_with_who_sent_it(void **state)
{
	(void)state;
	make();
	event->alert = 40;
	expect("alert", NULL);
	event->marks |= TLS_EVENT_HAS_ALERT;
	expect("alert", "handshake_failure");
	expect("alert_id", "40");
	expect("alert_from", "client");
	event->marks |= TLS_EVENT_SERVER_ALERT;
	expect("alert_from", "server");
	/* Of one that is encrypted it is known that it was there. */
	event->marks |= TLS_EVENT_ALERT_HIDDEN;
	expect("alert", NULL);
	expect("alert_from", "server");
	event->alert = 0;
	event->marks &= (uint16_t)~TLS_EVENT_ALERT_HIDDEN;
	expect("alert", "close_notify");
}

static void test_marks_are_fields(void **state)
{
	static const struct {
		uint16_t mark;
		const char *key;
	} marks[] = {
		{ TLS_EVENT_HELLO_RETRY, "hello_retry" },
		{ TLS_EVENT_OUTER_NAME, "server_name_is_outer" },
		{ TLS_EVENT_EARLY_DATA, "early_data" },
		{ TLS_EVENT_CUT, "truncated" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		make();
		event->marks |= marks[i].mark;
		expect(marks[i].key, "true");
	}
}

static void test_reasons_are_told_where_something_is_not_known(void **state)
{
	static const struct {
		size_t at;
		const char *key;
	} facts[] = {
		{ AT(group_known), "not_known.group" },
		{ AT(signature_known), "not_known.signature_scheme" },
		{ AT(alpn_known), "not_known.alpn" },
		{ AT(certificates_known), "not_known.certificates" },
	};
	static const struct {
		uint8_t known;
		const char *why;
	} reasons[] = {
		{ TLS_KNOWN_not_seen, "not seen" },
		{ TLS_KNOWN_no_such, "this handshake has none" },
		{ TLS_KNOWN_encrypted, "encrypted" },
		{ TLS_KNOWN_yes, NULL },
		{ 77, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		for (size_t j = 0; j < ARRAY_SIZE(reasons); j++) {
			make();
			raw.bytes[facts[i].at] = reasons[j].known;
			expect(facts[i].key, reasons[j].why);
			if (!reasons[j].why)
				expect_null("not_known", false);
		}
}

/* Both are answers, and unknown for one reason each. */
static void test_reasons_are_told_for_answers(void **state)
{
	(void)state;
	make();
	event->resumed = TLS_ANSWER_unknown;
	event->sends_certificate = TLS_ANSWER_unknown;
	expect("not_known.resumed", "not seen");
	expect("not_known.client_certificate", "not seen");
	event->certificates_known = TLS_KNOWN_encrypted;
	expect("not_known.client_certificate", "encrypted");
	event->sends_certificate = TLS_ANSWER_no;
	expect_null("not_known.client_certificate", false);
	expect("client_certificate", "false");
}

/* One reason says it all; what was known of the client is told. */
static void test_without_an_answer_that_is_the_reason(void **state)
{
	(void)state;
	make();
	event->marks = 0;
	event->outcome = TLS_OUTCOME_reset;
	event->group_known = TLS_KNOWN_not_seen;
	event->alpn_known = TLS_KNOWN_no_such;
	event->resumed = TLS_ANSWER_unknown;
	event->sends_certificate = TLS_ANSWER_unknown;
	expect("not_known.version", "no ServerHello was seen");
	expect("not_known.cipher", "no ServerHello was seen");
	expect("not_known.resumed", "no ServerHello was seen");
	expect("not_known.client_certificate", "no ServerHello was seen");
	expect("not_known.group", "no ServerHello was seen");
	expect("not_known.signature_scheme", "no ServerHello was seen");
	expect("not_known.alpn", "no ServerHello was seen");
	expect("not_known.certificates", "no ServerHello was seen");
	expect("server_name", "www.example.org");
}

/* A peer chooses it: whatever it is, it is one string of JSON. */
static void test_server_name_is_escaped(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *json;
	} names[] = {
		{ "a\"b\\c", 5, "\"server_name\":\"a\\\"b\\\\c\"" },
		{ "a\0b", 3, "\"server_name\":\"a\\u0000b\"" },
		{ "\x1b[31m\n\r\t\x7f", 9, "\"server_name\":\"\\u001b[31m\\n\\r\\t\\u007f\"" },
		{ "x\xff\xfey", 4, "\"server_name\":\"x\xef\xbf\xbd\xef\xbf\xbdy\"" },
		{ "\xed\xa0\x80", 3, "\"server_name\":\"\xef\xbf\xbd" },
		{ "b\xc3\xbc", 3, "\"server_name\":\"b\xc3\xbc\"" },
		{ "\",\"pid\":1,\"x\":\"", 15,
		  "\"server_name\":\"\\\",\\\"pid\\\":1,\\\"x\\\":\\\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text;

		raw_begin(&raw, SOURCE_tls_handshake);
		raw_tail(&raw, AT(server_name), names[i].bytes, names[i].size);
		text = taken();
		assert_int_equal(parsed_count(text, strlen(text)), 1);
		if (!strstr(text, names[i].json))
			fail_msg("%s is not in %s", names[i].json, text);
	}
}

static void test_longest_server_name_is_whole(void **state)
{
	char name[255];

	(void)state;
	memset(name, 'n', sizeof(name));
	raw_begin(&raw, SOURCE_tls_handshake);
	raw_tail(&raw, AT(server_name), name, sizeof(name));
	assert_int_equal(strlen(parsed_value(taken(), "server_name")), sizeof(name));
}

/* Another's home is nobody's business. */
static void test_paths_and_texts_are_redacted(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_tls_handshake);
	raw_tail_text(&raw, AT(library), "/home/bob/lib/libssl.so.3");
	raw_tail(&raw, AT(candidates), "/home/bob/libssl.so.3\0/srv/alice/libgnutls.so.30", 48);
	raw_tail_text(&raw, AT(server_name), "bob.example.org");
	expect("library", "/home/USER/lib/libssl.so.3");
	expect("library_candidates", "[\"/home/USER/libssl.so.3\",\"/home/USER/libgnutls.so.30\"]");
	expect("server_name", "bob.example.org");
}

static void test_codes_that_are_not_aligned_are_none(void **state)
{
	static const size_t lists[] = { AT(offered_versions), AT(offered_ciphers),
					AT(offered_groups), AT(offered_signatures) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (uint16_t shift = 1; shift < 4; shift++) {
			struct tail tail;

			make();
			raw_pad(&raw);
			raw_tail(&raw, AT(server_name), "0123456789abcdef", 16);
			memcpy(&tail, raw.bytes + AT(server_name), sizeof(tail));
			tail.off = (uint16_t)(tail.off + shift);
			tail.size = 4;
			memcpy(raw.bytes + lists[i], &tail, sizeof(tail));
			expect_null(i == 0   ? "offered_versions"
				    : i == 1 ? "offered_ciphers"
				    : i == 2 ? "offered_groups"
					     : "offered_signature_schemes",
				    true);
		}
}

/* The bytes behind the last whole one are not read. */
static void test_codes_that_are_cut_are_told_as_far_as_they_go(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_tls_handshake);
	raw_tail(&raw, AT(offered_groups), "\x1d\0\0\0\x17\0\0", 7);
	expect("offered_groups", "[\"x25519\"]");
	raw_begin(&raw, SOURCE_tls_handshake);
	raw_tail(&raw, AT(offered_groups), "\x1d\0\0", 3);
	expect("offered_groups", "[]");
}

static void test_lists_of_names_may_end_as_they_like(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_tls_handshake);
	raw_tail(&raw, AT(offered_alpn), "h2\0h3", 5);
	expect("offered_alpn", "[\"h2\",\"h3\"]");
	raw_begin(&raw, SOURCE_tls_handshake);
	raw_tail(&raw, AT(offered_alpn), "\0\0h2\0", 5);
	expect("offered_alpn", "[\"\",\"\",\"h2\"]");
}

static void test_tail_beyond_the_record_is_malformed(void **state)
{
	const struct source *source = sources[SOURCE_tls_handshake];

	(void)state;
	/* Each of the 13, so that none is forgotten. */
	assert_int_equal(source->nr_tails, 13);
	for (size_t i = 0; i < source->nr_tails; i++) {
		const struct tail tails[] = {
			{ .off = sizeof(*event), .size = 1 },
			{ .off = sizeof(*event) - 1, .size = 1 },
			{ .off = 0, .size = 4 },
			{ .off = 65535, .size = 65535 },
		};

		for (size_t j = 0; j < ARRAY_SIZE(tails); j++) {
			raw_begin(&raw, SOURCE_tls_handshake);
			memcpy(raw.bytes + source->tails[i], &tails[j], sizeof(tails[j]));
			assert_string_equal(taken(), "");
		}
	}
	assert_int_equal(scene.pipeline.fates[SOURCE_tls_handshake].malformed, 13 * 4);
}

static void test_record_that_is_shorter_is_malformed(void **state)
{
	(void)state;
	make();
	raw.size = sizeof(*event) - 1;
	raw_hdr(&raw)->size = (uint32_t)raw.size;
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_tls_handshake].malformed, 1);
}

/* A number of a rule that there is none for is passed over, and bytes that are cut. */
static void test_verdicts_that_are_none_make_no_finding(void **state)
{
	(void)state;
	make();
	raw_tail(&raw, AT(verdicts), "\xff\1x\xff\xff", 5);
	expect_null("findings", false);
}

static void test_role_says_who_is_the_server(void **state)
{
	const struct record record = { .bytes = raw.bytes };

	(void)state;
	make();
	assert_false(tls_handshake_is_server(&record));
	event->role = FLOW_SERVER;
	assert_true(tls_handshake_is_server(&record));
}

/* For people a line: what matters, and what the tool does not know is not there. */
static void test_line_for_people_says_what_matters(void **state)
{
	(void)state;
	scene_close(&scene);
	scene_open(&scene, "text", true);
	make();
	assert_non_null(strstr(taken(), "] tls_handshake client established TLSv1.2 "
					"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 x25519 "));
	assert_non_null(strstr(taken(), " www.example.org "));
	assert_non_null(strstr(taken(), " 127.0.0.1:50000 peer=[::1]:443\n"));
	assert_null(strstr(taken(), "resumed"));
	assert_null(strstr(taken(), "offered"));
	assert_null(strstr(taken(), "null"));
	event->resumed = TLS_ANSWER_yes;
	assert_non_null(strstr(taken(), " resumed=yes "));
	event->marks = TLS_EVENT_HAS_ALERT;
	event->outcome = TLS_OUTCOME_failed;
	event->alert = 40;
	assert_non_null(strstr(taken(), "] tls_handshake client failed alert=handshake_failure "));
	/* A name of a peer does nothing to a terminal. */
	raw_begin(&raw, SOURCE_tls_handshake);
	raw_tail(&raw, AT(server_name), "\x1b[2J\n", 5);
	assert_null(strchr(taken(), '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_member_has_its_field),
		TEST(test_what_does_not_apply_is_left_out),
		TEST(test_what_is_not_known_is_null),
		TEST(test_choices_are_told_once_they_are_known),
		TEST(test_unknown_codes_are_numbers),
		TEST(test_codes_of_the_event_have_names),
		TEST(test_alert_is_told_with_who_sent_it),
		TEST(test_marks_are_fields),
		TEST(test_reasons_are_told_where_something_is_not_known),
		TEST(test_reasons_are_told_for_answers),
		TEST(test_without_an_answer_that_is_the_reason),
		TEST(test_server_name_is_escaped),
		TEST(test_longest_server_name_is_whole),
		TEST(test_paths_and_texts_are_redacted),
		TEST(test_codes_that_are_not_aligned_are_none),
		TEST(test_codes_that_are_cut_are_told_as_far_as_they_go),
		TEST(test_lists_of_names_may_end_as_they_like),
		TEST(test_tail_beyond_the_record_is_malformed),
		TEST(test_record_that_is_shorter_is_malformed),
		TEST(test_verdicts_that_are_none_make_no_finding),
		TEST(test_role_says_who_is_the_server),
		TEST(test_line_for_people_says_what_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
