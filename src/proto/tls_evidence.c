/* SPDX-License-Identifier: MIT */
#include "proto/tls_evidence.h"

#include "catalogue/tls.h"

#define TYPE_SIZE	 1
#define TAG_SIZE	 16 /* of every suite but few */
#define ALERT_SIZE	 2
#define HANDSHAKE_SIZE	 4 /* of the header of a message */
#define PADDING_SIZE	 16
#define FULL_RECORD_SIZE (1U << 14) /* the next record may go on with the message in this one */

/* Suites without encryption have a hash for a tag (RFC 9150 section 7). */
struct tls_sizes tls_sizes_of(uint16_t code)
{
	const struct tls_cipher *cipher = tls_cipher_find(code);
	size_t more = TYPE_SIZE + TAG_SIZE;
	size_t hash_size = 0;

	if (cipher) {
		const struct tls_encryption_info *encryption = &tls_encryptions[cipher->encryption];

		hash_size = tls_hashes[cipher->hash].size;
		more = TYPE_SIZE +
		       (encryption->mode == TLS_MODE_aead ? encryption->tag_size : hash_size);
	}
	return (struct tls_sizes){
		.alert = ALERT_SIZE + more,
		.finished = hash_size ? HANDSHAKE_SIZE + hash_size + more : 0,
		.end_of_early_data = HANDSHAKE_SIZE + more,
	};
}

static bool is_finished(const struct tls_sizes *sizes, size_t size)
{
	return sizes->finished &&
	       (size == sizes->finished || size == sizes->finished + PADDING_SIZE);
}

/* A padded alert is as long as what a server may begin with, but nothing that a client may. */
static void first_add(struct tls_evidence *evidence, const struct tls_sizes *sizes, size_t size)
{
	evidence->begins_with_alert = size == sizes->alert;
	evidence->begins_with_padded_alert = size == sizes->alert + PADDING_SIZE;
	evidence->begins_with_finished = is_finished(sizes, size);
	evidence->begins_long = size > sizes->finished;
}

void tls_evidence_add(struct tls_evidence *evidence, const struct tls_sizes *sizes, size_t size)
{
	bool is_alert = size == sizes->alert + (evidence->is_padded ? PADDING_SIZE : 0);

	if (evidence->nr == 0)
		first_add(evidence, sizes, size);
	if (evidence->first_is_over && !evidence->has_second) {
		evidence->has_second = true;
		evidence->second_is_alert = is_alert;
	}
	if (evidence->has_finished && !evidence->goes_on) {
		evidence->goes_on = true;
		evidence->goes_on_with_alert = is_alert;
	}
	if (evidence->has_end_of_early_data && size >= sizes->finished)
		evidence->has_finished_with_more = true;
	if (size < FULL_RECORD_SIZE)
		evidence->first_is_over = true;
	if (size == sizes->end_of_early_data)
		evidence->has_end_of_early_data = true;
	if (evidence->nr > 0 && !evidence->has_finished && is_finished(sizes, size)) {
		evidence->has_finished = true;
		evidence->is_padded = size != sizes->finished;
	}
	evidence->nr++;
}

/* Whether the client has shown that it accepts the server and holds the keys. */
static bool client_has_answered(const struct tls_evidence *client, bool may_be_early)
{
	if (may_be_early)
		return client->has_finished || client->begins_with_finished ||
		       client->has_finished_with_more;
	return client->has_finished || client->begins_long;
}

/* What the client's records prove without a further word of the server. */
static enum tls_proof client_prove(const struct tls_evidence *client, bool may_be_early)
{
	if (may_be_early)
		return client_has_answered(client, true) ? TLS_PROOF_established : TLS_PROOF_none;
	if (client->begins_with_alert || client->begins_with_padded_alert)
		return TLS_PROOF_client_alert;
	return client->begins_with_finished ? TLS_PROOF_established : TLS_PROOF_none;
}

/* What the server's records after its Finished prove. */
static enum tls_proof server_prove(const struct tls_evidence *server)
{
	bool goes_on = server->has_finished ? server->goes_on : server->has_second;
	bool refuses = server->has_finished ? server->goes_on_with_alert : server->second_is_alert;

	if (!goes_on)
		return TLS_PROOF_none;
	return refuses ? TLS_PROOF_server_alert : TLS_PROOF_established;
}

enum tls_proof tls_evidence_judge(const struct tls_evidence *client,
				  const struct tls_evidence *server, bool may_be_early,
				  bool has_ended)
{
	enum tls_proof proof;

	if (server->nr > 0 && server->begins_with_alert)
		return TLS_PROOF_server_alert;
	if (server->nr == 0 || client->nr == 0)
		return TLS_PROOF_none;
	proof = client_prove(client, may_be_early);
	if (proof != TLS_PROOF_none || !(may_be_early || client_has_answered(client, false)))
		return proof;
	proof = server_prove(server);
	if (proof == TLS_PROOF_none && has_ended && client->has_finished)
		return TLS_PROOF_established;
	return proof;
}
