/* SPDX-License-Identifier: MIT */
#include "made_tls.h"
#include "recording.h"

#include "catalogue/tls.h"
#include "proto/ja.h"
#include "proto/tls.h"
#include "support/tls_text.h"

static struct tls_scratch scratch;

static const char *name_of(const struct code_table *table, uint64_t code)
{
	const char *name = code_name(table, code);

	return name ? name : "?";
}

static const char *known_or(uint8_t known, const char *name)
{
	static const char *const words[] = { "unseen", "", "none", "encrypted" };

	return known == TLS_KNOWN_yes ? name : words[known];
}

static const char *answer_of(uint8_t answer)
{
	static const char *const words[] = { "unknown", "no", "yes" };

	return words[answer];
}

static const char *text_of(struct flow_text text)
{
	static char copy[256];

	snprintf(copy, sizeof(copy), "%.*s", (int)text.size, (const char *)text.bytes);
	return copy;
}

static const char *alert_of(const struct tls_session *session)
{
	if (!session->has_alert)
		return "none";
	return session->alert_is_encrypted ? "encrypted"
					   : name_of(&tls_alert_codes, session->alert);
}

/* What the parser says where a program said something under KEY. */
static const char *value_of(const struct tls_session *session, const char *key)
{
	static const char *const outcomes[] = { "incomplete", "established", "failed", "reset" };
	static char number[16], ja3[JA3_SIZE];

	if (strcmp(key, "outcome") == 0)
		return outcomes[session->outcome];
	if (strcmp(key, "version") == 0)
		return name_of(&tls_version_codes, session->version);
	if (strcmp(key, "cipher") == 0)
		return name_of(&tls_cipher_codes, session->cipher);
	if (strcmp(key, "group") == 0)
		return known_or(session->group_known, name_of(&tls_group_codes, session->group));
	if (strcmp(key, "signature") == 0)
		return known_or(session->signature_known,
				name_of(&tls_signature_codes, session->signature));
	if (strcmp(key, "resumed") == 0)
		return answer_of(session->resumed);
	if (strcmp(key, "alpn") == 0)
		return known_or(session->alpn_known, text_of(session->server.alpn));
	if (strcmp(key, "server_name") == 0)
		return text_of(session->client.server_name);
	if (strcmp(key, "alert") == 0)
		return alert_of(session);
	if (strcmp(key, "alert_from") == 0)
		return session->alert_from == FLOW_CLIENT ? "client" : "server";
	if (strcmp(key, "hello_retry") == 0)
		return session->has_hello_retry
			       ? name_of(&tls_group_codes, session->hello_retry_group)
			       : "none";
	if (strcmp(key, "hello_verify") == 0)
		return session->has_hello_verify ? "yes" : "no";
	if (strcmp(key, "transport") == 0)
		return session->transport == TLS_TRANSPORT_dtls ? "dtls" : "tcp";
	if (strcmp(key, "asks_certificate") == 0)
		return answer_of(session->asks_certificate);
	if (strcmp(key, "client_certificate") == 0)
		return answer_of(session->sends_certificate);
	if (strcmp(key, "extended_master_secret") == 0)
		return session->server.has_extended_master_secret ? "yes" : "no";
	if (strcmp(key, "sentinel") == 0)
		return session->server.has_downgrade_sentinel ? "yes" : "no";
	if (strcmp(key, "early_data") == 0)
		return session->client.has_early_data ? "yes" : "no";
	if (strcmp(key, "ja3") == 0)
		return ja3_hash(&session->client, ja3) == 0 ? ja3 : "none";
	if (strcmp(key, "dh_bits") == 0)
		snprintf(number, sizeof(number), "%d", session->dh_bits);
	else if (strcmp(key, "certificates") != 0)
		return "?";
	else if (session->server_certificates.known == TLS_KNOWN_encrypted)
		return "encrypted";
	else
		snprintf(number, sizeof(number), "%d", session->server_certificates.nr);
	return number;
}

/* Recordings of DTLS hold its messages alone, and both sides went on under encryption. */
static enum flow_state parse(const struct recording *recording, const struct flow *flow,
			     bool has_ended, struct tls_session *session, struct flow_needs *needs)
{
	struct tls_options options = { .is_closed = has_ended };

	if (strcmp(recording_fact(recording, "transport"), "dtls") != 0)
		return tls_parse(flow, &options, &scratch, session, needs);
	options.transport = TLS_TRANSPORT_dtls;
	options.is_encrypted[FLOW_CLIENT] = options.is_encrypted[FLOW_SERVER] = has_ended;
	return tls_parse_messages(flow, &options, &scratch, session, needs);
}

static void check_recording(const char *name, struct recording *recording)
{
	struct flow flow = recording_flow(recording, recording->size[0], recording->size[1]);
	struct tls_session session;
	struct flow_needs needs;

	flow.from[0].has_ended = flow.from[1].has_ended = recording->has_ended;
	assert_int_equal(parse(recording, &flow, true, &session, &needs), FLOW_DECIDED);
	tls_check(&session, &flow, &scratch, FLOW_DECIDED, &needs);
	assert_true(recording->nr_facts > 0);
	for (size_t i = 0; i < recording->nr_facts; i++) {
		const char *value = value_of(&session, recording->facts[i][0]);

		if (strcmp(value, recording->facts[i][1]) != 0)
			fail_msg("%s: %s is '%s', not '%s'", name, recording->facts[i][0], value,
				 recording->facts[i][1]);
	}
	assert_false(session.client.is_malformed || session.server.is_malformed);
	recording_flow_free(&flow);
}

static void test_recordings_are_read_as_their_programs_say(void **state)
{
	(void)state;
	assert_true(recording_each(check_recording) >= 20);
}

/* What a caller has who parses only when that may tell something. */
struct lazy {
	enum flow_state state;
	struct flow_needs needs;
	size_t nr_calls;
	char text[TLS_TEXT_MAX];
};

/* Directions that grow at the end of memory. */
struct growing {
	uint8_t *bytes[NR_FLOW_DIRECTIONS];
	struct flow flow;
};

static void parse_both(const struct recording *recording, struct growing *growing,
		       struct lazy *lazy, const char *name)
{
	static char text[TLS_TEXT_MAX];
	const struct flow *flow = &growing->flow;
	struct tls_session session;
	struct flow_needs needs;
	enum flow_state state = parse(recording, flow, false, &session, &needs);

	tls_check(&session, flow, &scratch, state, &needs);
	tls_text(&session, text);
	if (lazy->state == FLOW_MORE && (flow->from[0].size >= lazy->needs.size[0] ||
					 flow->from[1].size >= lazy->needs.size[1])) {
		memcpy(lazy->text, text, sizeof(text));
		lazy->state = state;
		lazy->needs = needs;
		lazy->nr_calls++;
	}
	if (lazy->state != state || (lazy->state == FLOW_MORE && strcmp(lazy->text, text) != 0))
		fail_msg("%s: at %zu and %zu bytes there was more to know", name,
			 flow->from[0].size, flow->from[1].size);
}

/* All that came later changes nothing in what was found. */
static void check_decided(const char *name, struct recording *recording, const struct lazy *lazy)
{
	struct flow flow = recording_flow(recording, recording->size[0], recording->size[1]);
	static char text[TLS_TEXT_MAX];
	struct tls_session session;
	struct flow_needs needs;

	assert_int_equal(parse(recording, &flow, false, &session, &needs), FLOW_DECIDED);
	tls_text(&session, text);
	if (strcmp(text, lazy->text) != 0)
		fail_msg("%s: there was more to know after it was decided", name);
	recording_flow_free(&flow);
}

/* Every byte by itself, in the order they came: parsing when it is due is as good as always. */
static void check_needs(const char *name, struct recording *recording)
{
	static struct lazy lazy;
	struct growing growing = { .bytes = { guard_alloc(RECORDING_SIZE_MAX),
					      guard_alloc(RECORDING_SIZE_MAX) } };

	lazy = (struct lazy){ .state = FLOW_MORE };
	for (size_t i = 0; i < recording->nr_pieces && lazy.state == FLOW_MORE; i++) {
		const struct recording_piece *piece = &recording->pieces[i];
		struct flow_bytes *from = &growing.flow.from[piece->from];

		for (size_t size = from->size + 1; size <= piece->size; size++) {
			from->bytes = growing.bytes[piece->from] + RECORDING_SIZE_MAX - size;
			from->size = size;
			memcpy(growing.bytes[piece->from] + RECORDING_SIZE_MAX - size,
			       recording->bytes[piece->from], size);
			parse_both(recording, &growing, &lazy, name);
		}
	}
	assert_in_range(lazy.nr_calls, 2, 64);
	if (lazy.state == FLOW_DECIDED)
		check_decided(name, recording, &lazy);
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		guard_free(growing.bytes[i], RECORDING_SIZE_MAX);
}

static void test_needs_miss_nothing(void **state)
{
	(void)state;
	recording_each(check_needs);
}

/* Handshake messages alone, as QUIC and DTLS carry them. */
struct messages {
	struct made from[NR_FLOW_DIRECTIONS];
	struct made body;
	struct tls_options options;
	struct tls_session session;
	struct flow_needs needs;
};

static enum flow_state parse_messages(struct messages *messages, bool has_ended)
{
	struct flow flow;
	enum flow_state state;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		flow.from[i] = (struct flow_bytes){
			.bytes = guard_copy(messages->from[i].bytes, messages->from[i].size),
			.size = messages->from[i].size,
			.has_ended = has_ended,
		};
	state = tls_parse_messages(&flow, &messages->options, &scratch, &messages->session,
				   &messages->needs);
	tls_check(&messages->session, &flow, &scratch, state, &messages->needs);
	return state;
}

static struct messages *messages_begin(uint8_t transport)
{
	static struct messages messages;

	messages = (struct messages){ .options = { .transport = transport } };
	return &messages;
}

static void messages_add(struct messages *messages, unsigned int from, uint8_t type)
{
	made_message(&messages->from[from], type, &messages->body);
	messages->body.size = 0;
}

static void test_quic_is_decided_with_the_server_hello(void **state)
{
	struct messages *messages = messages_begin(TLS_TRANSPORT_quic);

	(void)state;
	assert_int_equal(parse_messages(messages, false), FLOW_MORE);
	assert_int_equal(messages->needs.size[FLOW_CLIENT], 6);
	made_client_hello(&messages->body, 0x0303);
	messages_add(messages, FLOW_CLIENT, TLS_MESSAGE_client_hello);
	assert_int_equal(parse_messages(messages, false), FLOW_MORE);
	assert_true(messages->session.client.is_there);
	assert_int_equal(messages->needs.size[FLOW_CLIENT], SIZE_MAX);
	assert_int_equal(messages->needs.size[FLOW_SERVER], 4);
	made_server_hello_13(&messages->body, 0x1302, 0x11ec);
	messages_add(messages, FLOW_SERVER, TLS_MESSAGE_server_hello);
	assert_int_equal(parse_messages(messages, false), FLOW_DECIDED);
	assert_int_equal(messages->session.transport, TLS_TRANSPORT_quic);
	assert_int_equal(messages->session.group, 0x11ec);
	assert_int_equal(messages->session.outcome, TLS_OUTCOME_incomplete);
	messages->options.is_encrypted[FLOW_CLIENT] = true;
	messages->options.is_encrypted[FLOW_SERVER] = true;
	assert_int_equal(parse_messages(messages, false), FLOW_DECIDED);
	assert_int_equal(messages->session.outcome, TLS_OUTCOME_established);
}

static void test_dtls_asks_for_a_cookie(void **state)
{
	struct messages *messages = messages_begin(TLS_TRANSPORT_dtls);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		made_number(&messages->body, 2, 0xfefd);
		made_fill(&messages->body, 0, 32);
		made_vector(&messages->body, 1, "", 0);
		made_vector(&messages->body, 1, "cookie", i ? 6 : 0);
		MADE_CODES(&messages->body, 2, 0x002f);
		made_vector(&messages->body, 1, "", 1);
		messages_add(messages, FLOW_CLIENT, TLS_MESSAGE_client_hello);
	}
	/* what the server asked for comes after what it made the client do */
	assert_int_equal(parse_messages(messages, false), FLOW_MORE);
	assert_int_equal(messages->session.nr_client_hellos, 1);
	assert_false(messages->session.is_broken[FLOW_CLIENT]);
	messages_add(messages, FLOW_SERVER, TLS_MESSAGE_hello_verify_request);
	assert_int_equal(parse_messages(messages, false), FLOW_MORE);
	assert_int_equal(messages->session.nr_client_hellos, 2);
	assert_true(messages->session.has_hello_verify);
	assert_int_equal(messages->session.client.cookie.size, 0);
	made_server_hello(&messages->body, 0xfefd, 0x002f);
	messages_add(messages, FLOW_SERVER, TLS_MESSAGE_server_hello);
	messages_add(messages, FLOW_SERVER, TLS_MESSAGE_server_hello_done);
	assert_int_equal(parse_messages(messages, false), FLOW_MORE);
	assert_int_equal(messages->session.resumed, TLS_ANSWER_no);
	messages->options.is_closed = true;
	assert_int_equal(parse_messages(messages, true), FLOW_DECIDED);
	assert_int_equal(messages->session.outcome, TLS_OUTCOME_reset);
}

static void test_other_messages_are_foreign(void **state)
{
	struct messages *messages = messages_begin(TLS_TRANSPORT_quic);

	(void)state;
	made_server_hello(&messages->body, 0x0303, 0x1301);
	messages_add(messages, FLOW_CLIENT, TLS_MESSAGE_server_hello);
	assert_int_equal(parse_messages(messages, false), FLOW_FOREIGN);
	messages = messages_begin(TLS_TRANSPORT_quic);
	assert_int_equal(parse_messages(messages, true), FLOW_FOREIGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recordings_are_read_as_their_programs_say),
		cmocka_unit_test(test_needs_miss_nothing),
		cmocka_unit_test(test_quic_is_decided_with_the_server_hello),
		cmocka_unit_test(test_dtls_asks_for_a_cookie),
		cmocka_unit_test(test_other_messages_are_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
