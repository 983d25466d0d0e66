/* SPDX-License-Identifier: MIT */
#include "proto/tls_flight.h"

#include <string.h>

#include "catalogue/tls.h"
#include "lib/array.h"
#include "proto/reader.h"

/* ECCurveType (RFC 8422 section 5.4, RFC 4492 section 5.4). */
#define CURVE_EXPLICIT_PRIME 1
#define CURVE_EXPLICIT_CHAR2 2
#define CURVE_NAMED	     3

/* Numbers of groups that stand for any curve. */
#define GROUP_EXPLICIT_PRIME 0xff01
#define GROUP_EXPLICIT_CHAR2 0xff02

/* Bits of the number in NUMBER. */
static uint16_t bits_of(const struct reader *number)
{
	struct reader reader = *number;

	while (reader.left > 0 && *reader.at == 0)
		reader_u8(&reader);
	if (reader.left == 0)
		return 0;
	return (uint16_t)(8 * (reader.left - 1) + 32 - (size_t)__builtin_clz(*reader.at));
}

/*
 * The group of RFC 7919 whose prime PRIME is: they begin with 64 bits that are set and those of e
 * (appendix A), which no other prime in use does, and differ in their sizes. 0: none of them.
 */
static uint16_t ffdhe_of(const struct reader *prime, uint16_t bits)
{
	static const uint8_t begin[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xad, 0xf8, 0x54, 0x58,
		0xa2, 0xbb, 0x4a, 0x9a, 0xaf, 0xdc, 0x56, 0x20, 0x27, 0x3d, 0x3c, 0xf1,
	};
	static const uint16_t sizes[] = { 2048, 3072, 4096, 6144, 8192 };

	if (prime->left < sizeof(begin) || memcmp(prime->at, begin, sizeof(begin)) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i] == bits)
			return (uint16_t)(0x0100 + i);
	return 0;
}

static void group_set(struct tls_session *session, uint16_t group)
{
	session->group = group;
	session->group_known = group ? TLS_KNOWN_yes : TLS_KNOWN_no_such;
}

static void read_curve(struct reader *reader, struct tls_session *session)
{
	uint8_t type = reader_u8(reader);

	switch (type) {
	case CURVE_NAMED: {
		uint16_t group = reader_u16(reader);

		if (!reader->is_short)
			group_set(session, group);
		reader_vector(reader, 1);
		return;
	}
	case CURVE_EXPLICIT_PRIME:
	case CURVE_EXPLICIT_CHAR2:
		group_set(session, type == CURVE_EXPLICIT_PRIME ? GROUP_EXPLICIT_PRIME
								: GROUP_EXPLICIT_CHAR2);
		break;
	default:
		break;
	}
	/* What follows is of no length that is known here. */
	reader->is_short = true;
}

static void read_dh(struct reader *reader, struct tls_session *session)
{
	struct reader prime = reader_vector(reader, 2);

	if (!prime.is_short) {
		session->dh_bits = bits_of(&prime);
		group_set(session, ffdhe_of(&prime, session->dh_bits));
	}
	reader_vector(reader, 2);
	reader_vector(reader, 2);
}

static void read_rsa(struct reader *reader, struct tls_session *session)
{
	struct reader modulus = reader_vector(reader, 2);

	if (!modulus.is_short)
		session->rsa_bits = bits_of(&modulus);
	reader_vector(reader, 2);
}

/* RFC 5054 section 2.5.3: N, g, s, B. */
static void read_srp(struct reader *reader)
{
	reader_vector(reader, 2);
	reader_vector(reader, 2);
	reader_vector(reader, 1);
	reader_vector(reader, 2);
}

/* Whether the server signs with a key of its own. */
static bool is_signed(const struct tls_cipher *cipher)
{
	return cipher->authentication == TLS_AUTHENTICATION_rsa ||
	       cipher->authentication == TLS_AUTHENTICATION_dss ||
	       cipher->authentication == TLS_AUTHENTICATION_ecdsa;
}

/* The parameters; what follows them in READER is the signature. */
static void read_parameters(struct reader *reader, const struct tls_cipher *cipher,
			    struct tls_session *session)
{
	switch (cipher->key_exchange) {
	case TLS_KEY_EXCHANGE_ecdhe_psk:
		reader_vector(reader, 2); /* the hint (RFC 5489 section 2) */
		read_curve(reader, session);
		return;
	case TLS_KEY_EXCHANGE_ecdhe:
		read_curve(reader, session);
		return;
	case TLS_KEY_EXCHANGE_dhe_psk:
		reader_vector(reader, 2); /* the hint (RFC 4279 section 3) */
		read_dh(reader, session);
		return;
	case TLS_KEY_EXCHANGE_dhe:
	case TLS_KEY_EXCHANGE_dhe_export:
		read_dh(reader, session);
		return;
	case TLS_KEY_EXCHANGE_rsa_export:
		read_rsa(reader, session);
		return;
	case TLS_KEY_EXCHANGE_srp:
		read_srp(reader);
		return;
	default:
		reader->is_short = true;
		return;
	}
}

void tls_key_exchange_read(const struct tls_message *message, struct tls_session *session)
{
	const struct tls_cipher *cipher = tls_cipher_find(session->cipher);
	struct reader reader = reader_of(message->bytes, message->size);
	uint16_t signature;

	if (!cipher)
		return;
	read_parameters(&reader, cipher, session);
	if (!is_signed(cipher) || tls_version_base(session->version) < TLS_VERSION_1_2)
		return;
	signature = reader_u16(&reader);
	if (!reader.is_short) {
		session->signature = signature;
		session->signature_known = TLS_KNOWN_yes;
	}
}

void tls_certificates_read(const struct tls_message *message, size_t max,
			   struct tls_certificates *ret)
{
	struct reader reader = reader_of(message->bytes, message->size);
	size_t size = reader_u24(&reader);
	struct reader list = reader_part(&reader, size < reader.left ? size : reader.left);

	*ret = (struct tls_certificates){ .is_cut = message->is_cut || list.left < size };
	while (list.left > 0) {
		struct reader der = reader_vector(&list, 3);

		if (der.is_short || ret->nr == max) {
			ret->is_cut = true;
			break;
		}
		if (der.left > 0)
			ret->der[ret->nr++] = (struct flow_text){ der.at, der.left };
	}
	if (ret->nr > 0)
		ret->known = TLS_KNOWN_yes;
	else
		ret->known = ret->is_cut ? TLS_KNOWN_not_seen : TLS_KNOWN_no_such;
}
