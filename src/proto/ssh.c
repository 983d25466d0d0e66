/* SPDX-License-Identifier: MIT */
#include "proto/ssh.h"

#include <stdint.h>

#include "catalogue/ssh.h"
#include "proto/ssh_names.h"
#include "proto/ssh_stream.h"

#define COOKIE_SIZE 16

/* Messages of the kex, whose meaning depends on which it is. */
enum kex_message {
	KEX_REPLY = 31,	      /* RFC 4253 section 8, RFC 5656 section 4 */
	GEX_REQUEST_OLD = 30, /* RFC 4419 section 5 */
	GEX_GROUP = 31,
	GEX_REPLY = 33,
	GEX_REQUEST = 34,
	RSA_PUBKEY = 30, /* RFC 4432 section 6 */
	RSA_DONE = 32,
	GSS_HOSTKEY = 33, /* RFC 4462 section 7 */
	GSS_GROUPREQ = 40,
	GSS_GROUP = 41,
};

/* What is parsed, and into what. */
struct work {
	struct ssh_stream stream[NR_FLOW_DIRECTIONS];
	struct ssh_session *session;
	const struct ssh_algorithm *kex; /* NULL: not in the catalogue */
};

/* Reads the ten lists. Returns false when the offer is not one (RFC 4253 section 7.1). */
static bool offer_read(const struct flow_text *offer, struct ssh_peer *peer)
{
	struct reader reader = reader_of(offer->bytes, offer->size);
	const uint8_t *cookie = reader_skip(&reader, COOKIE_SIZE);
	struct flow_text lists[NR_SSH_LISTS];
	bool has_guessed;

	for (size_t i = 0; i < NR_SSH_LISTS; i++)
		lists[i] = ssh_string(&reader);
	has_guessed = reader_u8(&reader);
	reader_u32(&reader); /* reserved */
	if (reader.is_short)
		return false;
	for (size_t i = 0; i < NR_SSH_LISTS; i++)
		peer->lists[i] = lists[i];
	peer->cookie = cookie;
	peer->has_guessed = has_guessed;
	return true;
}

static const struct ssh_algorithm *chosen(const struct ssh_session *session, enum ssh_kind kind,
					  enum ssh_list list)
{
	const struct flow_text *name = &session->chosen[list];

	return name->size ? ssh_algorithm_find(kind, name->bytes, name->size) : NULL;
}

static bool is_aead(const struct ssh_algorithm *cipher)
{
	return cipher && (cipher->trait == SSH_TRAIT_aead || cipher->trait == SSH_TRAIT_chacha);
}

/* Chooses from the lists number LIST of both peers. */
static bool choose(struct ssh_session *session, enum ssh_list list)
{
	return ssh_names_choose(session->peer[FLOW_CLIENT].lists[list],
				session->peer[FLOW_SERVER].lists[list], &session->chosen[list]);
}

static bool choose_kex(struct ssh_session *session)
{
	struct ssh_offer offers[NR_FLOW_DIRECTIONS];

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		offers[i].kex = session->peer[i].lists[SSH_LIST_kex];
		offers[i].host_key = session->peer[i].lists[SSH_LIST_host_key];
	}
	return ssh_names_choose_kex(&offers[FLOW_CLIENT], &offers[FLOW_SERVER],
				    &session->chosen[SSH_LIST_kex]);
}

/* Whether there is a common kex, with or without a host key for it. */
static bool has_common_kex(const struct ssh_session *session)
{
	struct flow_text names = session->peer[FLOW_CLIENT].lists[SSH_LIST_kex], one;

	for (int i = 0; i < SSH_NAMES_MAX && ssh_names_next(&names, &one); i++)
		if (ssh_names_have(session->peer[FLOW_SERVER].lists[SSH_LIST_kex], &one) &&
		    !ssh_algorithm_find(SSH_KIND_pseudo, one.bytes, one.size))
			return true;
	return false;
}

/*
 * Chooses from the lists of LIST's kind. Languages need not agree, and OpenSSH ignores the MACs
 * where the cipher authenticates (PROTOCOL, 1.6).
 */
static bool choose_any(struct ssh_session *session, enum ssh_list list)
{
	switch (list) {
	case SSH_LIST_kex:
		return choose_kex(session);
	case SSH_LIST_mac_c2s:
	case SSH_LIST_mac_s2c:
		if (session->is_mac_implicit[list - SSH_LIST_mac_c2s])
			return true;
		return choose(session, list);
	case SSH_LIST_cipher_c2s:
	case SSH_LIST_cipher_s2c:
		if (!choose(session, list))
			return false;
		session->is_mac_implicit[list - SSH_LIST_cipher_c2s] =
			is_aead(chosen(session, SSH_KIND_cipher, list));
		return true;
	case SSH_LIST_language_c2s:
	case SSH_LIST_language_s2c:
		choose(session, list);
		return true;
	default:
		return choose(session, list);
	}
}

/* Whether the two first names of lists number LIST are the same. */
static bool same_first(const struct ssh_session *session, enum ssh_list list)
{
	struct flow_text lists[NR_FLOW_DIRECTIONS], first[NR_FLOW_DIRECTIONS];

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		lists[i] = session->peer[i].lists[list];
		if (!ssh_names_next(&lists[i], &first[i]))
			return false;
	}
	return ssh_names_have(first[FLOW_CLIENT], &first[FLOW_SERVER]);
}

/* Whether what is chosen from LIST is what the client has first there. */
static bool is_first(const struct ssh_session *session, enum ssh_list list)
{
	struct flow_text names = session->peer[FLOW_CLIENT].lists[list], first;

	return ssh_names_next(&names, &first) && first.bytes == session->chosen[list].bytes;
}

/*
 * Whether the packet that a peer sent with its offer is for another kex than the one chosen: it is
 * if the peers have different first names (RFC 4253 section 7.1). Where both say so (Dropbear) it
 * is enough that the client's first names are taken.
 */
static bool is_guess_wrong(const struct ssh_session *session)
{
	bool is_lenient = true;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		is_lenient &= ssh_names_have_pseudo(session->peer[i].lists[SSH_LIST_kex],
						    SSH_TRAIT_guess);
	if (is_lenient)
		return !is_first(session, SSH_LIST_kex) || !is_first(session, SSH_LIST_host_key);
	return !same_first(session, SSH_LIST_kex) || !same_first(session, SSH_LIST_host_key);
}

/* Fills in what both offers tell. Returns false when there is nothing in common. */
static bool negotiate(struct work *work)
{
	struct ssh_session *session = work->session;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		session->peer[i].is_strict = ssh_names_have_pseudo(
			session->peer[i].lists[SSH_LIST_kex],
			i == FLOW_CLIENT ? SSH_TRAIT_strict_c : SSH_TRAIT_strict_s);
	session->is_strict =
		session->peer[FLOW_CLIENT].is_strict && session->peer[FLOW_SERVER].is_strict;
	for (enum ssh_list list = 0; list < NR_SSH_LISTS; list++) {
		if (choose_any(session, list))
			continue;
		session->failed_list = list;
		/* There may be a common kex, and no host key that it could use. */
		if (list == SSH_LIST_kex && has_common_kex(session))
			session->failed_list = SSH_LIST_host_key;
		return false;
	}
	work->kex = chosen(session, SSH_KIND_kex, SSH_LIST_kex);
	session->is_post_quantum = work->kex && work->kex->trait == SSH_TRAIT_hybrid;
	if (work->kex && work->kex->trait != SSH_TRAIT_rsa)
		session->group.bits = work->kex->bits;
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		session->peer[i].is_guess_wrong =
			session->peer[i].has_guessed && is_guess_wrong(session);
	return true;
}

/* The first message NUMBER that DIRECTION sent for the kex that was chosen, or NULL. */
static const struct flow_text *kex_message(const struct work *work, enum flow_direction direction,
					   enum kex_message number)
{
	const struct ssh_stream *stream = &work->stream[direction];

	for (size_t i = work->session->peer[direction].is_guess_wrong; i < stream->nr_kex; i++)
		if (stream->kex[i].number == number)
			return &stream->kex[i].body;
	return NULL;
}

static struct reader message_reader(const struct flow_text *message)
{
	return message ? reader_of(message->bytes, message->size)
		       : (struct reader){ .is_short = true };
}

/* Takes BLOB as the server's host key, if it is one. */
static void host_key_take(struct ssh_session *session, const struct flow_text *blob)
{
	if (ssh_key_read(blob, &session->host_key))
		session->host_key_blob = *blob;
}

/* A signature is a string of its algorithm and its bytes (RFC 4253 section 6.6). */
static void signature_take(struct ssh_session *session, const struct flow_text *blob)
{
	struct reader reader = reader_of(blob->bytes, blob->size);
	struct flow_text algorithm = ssh_string(&reader);

	ssh_string(&reader);
	if (!reader.is_short && algorithm.size)
		session->signature = algorithm;
}

/* The host key, the server's share and its signature: alike in every kex but RSA and GSS-API. */
static void reply_take(const struct work *work, enum kex_message number)
{
	struct reader reader = message_reader(kex_message(work, FLOW_SERVER, number));
	struct flow_text key = ssh_string(&reader);
	struct flow_text share = ssh_string(&reader);
	struct flow_text signature = ssh_string(&reader);

	(void)share;
	if (reader.is_short)
		return;
	host_key_take(work->session, &key);
	signature_take(work->session, &signature);
}

/* What the client asked for in message NUMBER, and the prime in the server's ANSWER. */
static void group_take(const struct work *work, enum kex_message number, enum kex_message answer)
{
	struct ssh_group *group = &work->session->group;
	struct reader request = message_reader(kex_message(work, FLOW_CLIENT, number));
	struct reader reply = message_reader(kex_message(work, FLOW_SERVER, answer));
	uint32_t min = reader_u32(&request), preferred = reader_u32(&request);
	uint32_t max = reader_u32(&request);
	struct flow_text prime = ssh_string(&reply);

	if (!request.is_short) {
		group->min_bits = min;
		group->preferred_bits = preferred;
		group->max_bits = max;
	}
	if (!reply.is_short)
		group->bits = ssh_mpint_bits(&prime);
}

static void old_request_take(const struct work *work)
{
	struct reader request = message_reader(kex_message(work, FLOW_CLIENT, GEX_REQUEST_OLD));
	uint32_t preferred = reader_u32(&request);

	if (!request.is_short)
		work->session->group.preferred_bits = preferred;
}

/* The server sends its host key and a key for the kex, and signs at the end. */
static void rsa_take(const struct work *work)
{
	struct ssh_session *session = work->session;
	struct reader pubkey = message_reader(kex_message(work, FLOW_SERVER, RSA_PUBKEY));
	struct reader done = message_reader(kex_message(work, FLOW_SERVER, RSA_DONE));
	struct flow_text key = ssh_string(&pubkey);
	struct flow_text transient = ssh_string(&pubkey);
	struct flow_text signature = ssh_string(&done);
	struct ssh_key read = { 0 };

	if (!pubkey.is_short) {
		host_key_take(session, &key);
		ssh_key_read(&transient, &read);
		session->rsa_bits = read.bits;
	}
	if (!done.is_short)
		signature_take(session, &signature);
}

static void gss_take(const struct work *work)
{
	struct reader reader = message_reader(kex_message(work, FLOW_SERVER, GSS_HOSTKEY));
	struct flow_text key = ssh_string(&reader);

	if (!reader.is_short)
		host_key_take(work->session, &key);
}

/* Fills in what the messages of the kex tell. One that is not known is most likely as ECDH is. */
static void kex_take(const struct work *work)
{
	switch (work->kex ? work->kex->trait : SSH_TRAIT_ecdh) {
	case SSH_TRAIT_gex:
		group_take(work, GEX_REQUEST, GEX_GROUP);
		old_request_take(work);
		reply_take(work, GEX_REPLY);
		break;
	case SSH_TRAIT_rsa:
		rsa_take(work);
		break;
	case SSH_TRAIT_gss_gex:
		group_take(work, GSS_GROUPREQ, GSS_GROUP);
		gss_take(work);
		break;
	case SSH_TRAIT_gss:
		gss_take(work);
		break;
	default:
		reply_take(work, KEX_REPLY);
		break;
	}
}

/* Fills in a disconnection in clear (RFC 4253 section 11.1). */
static void disconnect_take(struct work *work, enum flow_direction from)
{
	struct ssh_disconnect *disconnect = &work->session->disconnect;
	const struct flow_text *body = &work->stream[from].disconnect;
	struct reader reader = reader_of(body->bytes, body->size);

	disconnect->is_there = true;
	disconnect->from = from;
	disconnect->reason = reader_u32(&reader);
	disconnect->description = ssh_string(&reader);
}

static bool is_state(const struct work *work, enum ssh_stream_state state)
{
	return work->stream[FLOW_CLIENT].state == state || work->stream[FLOW_SERVER].state == state;
}

/* Neither direction will tell more: an SSH connection that ended, or no connection at all. */
static enum flow_state ended(const struct work *work)
{
	if (!work->stream[FLOW_CLIENT].ident.bytes && !work->stream[FLOW_SERVER].ident.bytes)
		return FLOW_FOREIGN;
	return FLOW_DECIDED;
}

static enum flow_state failed(struct ssh_session *session, enum ssh_failure failure)
{
	session->outcome = SSH_FAILED;
	session->failure = failure;
	return FLOW_DECIDED;
}

/* The version that both speak, or FLOW_DECIDED or FLOW_FOREIGN in *RET. */
static bool versions_agree(const struct work *work, enum flow_state *ret)
{
	struct ssh_session *session = work->session;
	uint32_t both = work->stream[FLOW_CLIENT].versions & work->stream[FLOW_SERVER].versions;

	session->version = both & SSH_SPEAKS_2 ? 2 : both;
	if (session->version == 2)
		return true;
	*ret = session->version ? FLOW_DECIDED : failed(session, SSH_FAILURE_version);
	return false;
}

/* Reads the offers. Returns false when one is not as it must be. */
static bool offers_read(const struct work *work)
{
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		if (work->stream[i].offer.bytes &&
		    !offer_read(&work->stream[i].offer, &work->session->peer[i]))
			return false;
	return true;
}

/* The outcome where neither direction tells more. */
static enum flow_state conclude(struct work *work)
{
	struct ssh_session *session = work->session;

	if (session->peer[FLOW_CLIENT].has_new_keys && session->peer[FLOW_SERVER].has_new_keys) {
		session->outcome = SSH_ESTABLISHED;
		return FLOW_DECIDED;
	}
	for (enum flow_direction i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		if (work->stream[i].state != SSH_STREAM_LEFT)
			continue;
		disconnect_take(work, i);
		return failed(session, SSH_FAILURE_disconnect);
	}
	return is_state(work, SSH_STREAM_BAD) ? failed(session, SSH_FAILURE_malformed)
					      : FLOW_DECIDED;
}

/* What both directions tell, once each has said who it is. */
static enum flow_state parse_packets(struct work *work)
{
	struct ssh_session *session = work->session;
	const struct ssh_stream *client = &work->stream[FLOW_CLIENT];
	const struct ssh_stream *server = &work->stream[FLOW_SERVER];

	if (!offers_read(work))
		return FLOW_FOREIGN;
	for (enum flow_direction i = 0; i < NR_FLOW_DIRECTIONS; i++)
		if (work->stream[i].state == SSH_STREAM_BAD && !work->stream[i].offer.bytes)
			return FLOW_FOREIGN;
	if (client->offer.bytes && server->offer.bytes) {
		if (!negotiate(work))
			return failed(session, SSH_FAILURE_no_common);
		kex_take(work);
	}
	for (enum flow_direction i = 0; i < NR_FLOW_DIRECTIONS; i++)
		session->peer[i].has_new_keys = work->stream[i].state == SSH_STREAM_KEYED;
	return is_state(work, SSH_STREAM_WAITS) ? FLOW_MORE : conclude(work);
}

static enum flow_state parse(struct work *work)
{
	const struct ssh_stream *client = &work->stream[FLOW_CLIENT];
	const struct ssh_stream *server = &work->stream[FLOW_SERVER];
	enum flow_state state;

	for (enum flow_direction i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		work->session->peer[i].ident = work->stream[i].ident;
		if (work->stream[i].state == SSH_STREAM_BAD && !work->stream[i].ident.bytes)
			return FLOW_FOREIGN;
	}
	if (client->ident.bytes && server->ident.bytes)
		return versions_agree(work, &state) ? parse_packets(work) : state;
	/* What the other one says may yet change what this one's packets mean. */
	return is_state(work, SSH_STREAM_WAITS) ? FLOW_MORE : ended(work);
}

enum flow_state ssh_parse(const struct flow *flow, struct ssh_session *ret,
			  struct flow_needs *ret_needs)
{
	struct ssh_session session = { 0 };
	struct work work = { .session = &session };
	enum flow_state state;

	for (enum flow_direction i = 0; i < NR_FLOW_DIRECTIONS; i++)
		ssh_stream_read(&flow->from[i], i == FLOW_SERVER, &work.stream[i]);
	state = parse(&work);
	if (state != FLOW_FOREIGN)
		*ret = session;
	for (enum flow_direction i = 0; i < NR_FLOW_DIRECTIONS && state == FLOW_MORE; i++)
		ret_needs->size[i] =
			work.stream[i].state == SSH_STREAM_WAITS ? work.stream[i].need : SIZE_MAX;
	return state;
}
