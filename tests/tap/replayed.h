/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TAP_REPLAYED_H
#define TESTS_TAP_REPLAYED_H

/* The TLS connections of tests/proto/hellos as records of the tap; see staged.h. */

#include "../proto/recording.h"
#include "staged.h"

typedef void stream_check(const char *name, struct recording *recording);

static stream_check *check_stream;
static size_t nr_streams;

/* Messages of DTLS are recorded there too, which no stream carries. */
static inline void pass_stream(const char *name, struct recording *recording)
{
	if (strncmp(name, "dtls", 4) == 0)
		return;
	check_stream(name, recording);
	nr_streams++;
}

/* Calls CHECK for each recording of a stream. Returns how many there are. */
static inline size_t streams_each(stream_check *check)
{
	check_stream = check;
	nr_streams = 0;
	recording_each(pass_stream);
	return nr_streams;
}

/* Says RECORDING, as it came. REVERSED: the server of TCP is the client of TLS. */
static inline void replay(const struct recording *recording, bool is_reversed)
{
	size_t at[NR_FLOW_DIRECTIONS] = { 0, 0 };

	for (size_t i = 0; i < recording->nr_pieces; i++) {
		const struct recording_piece *piece = &recording->pieces[i];
		unsigned int from = piece->from;

		say((enum flow_direction)(is_reversed ? !from : from),
		    recording->bytes[from] + at[from], piece->size - at[from]);
		at[from] = piece->size;
	}
	if (recording->has_ended)
		close_it(talk.cookie);
	finish();
}

static inline const char *fact_of(const struct recording *recording, const char *key)
{
	for (size_t i = 0; i < recording->nr_facts; i++)
		if (strcmp(recording->facts[i][0], key) == 0)
			return recording->facts[i][1];
	return NULL;
}

/* What a program said of its connection as FACT, our event TEXT has as KEY. */
static inline void expect_fact(const char *name, const char *text,
			       const struct recording *recording, const char *fact, const char *key)
{
	const char *said = fact_of(recording, fact);

	if (!said)
		return;
	if (strcmp(said, "yes") == 0)
		said = "true";
	else if (strcmp(said, "no") == 0)
		said = "false";
	else if (strcmp(said, "none") == 0 || strcmp(said, "encrypted") == 0 ||
		 (strcmp(fact, "dh_bits") == 0 && strcmp(said, "0") == 0))
		said = NULL;
	expect(name, text, key, said);
}

/* All that was said, and what everything has that comes out of the tap. */
static inline void expect_facts(const char *name, const char *text,
				const struct recording *recording)
{
	static const char *const facts[][2] = {
		{ "outcome", "outcome" },
		{ "alert", "alert" },
		{ "alert_from", "alert_from" },
		{ "version", "version" },
		{ "cipher", "cipher" },
		{ "group", "group" },
		{ "dh_bits", "dh_bits" },
		{ "signature", "signature_scheme" },
		{ "resumed", "resumed" },
		{ "server_name", "server_name" },
		{ "alpn", "alpn" },
		{ "client_certificate", "client_certificate" },
		{ "early_data", "early_data" },
	};

	expect(name, text, "event_type", "tls_handshake");
	expect(name, text, "pid", "100");
	expect(name, text, "process", "nginx");
	expect(name, text, "local", "127.0.0.1:4433");
	expect(name, text, "peer", "127.0.0.1:50000");
	expect(name, text, "transport", "tcp");
	expect(name, text, "hello_retry", fact_of(recording, "hello_retry") ? "true" : "false");
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		expect_fact(name, text, recording, facts[i][0], facts[i][1]);
}

#endif /* TESTS_TAP_REPLAYED_H */
