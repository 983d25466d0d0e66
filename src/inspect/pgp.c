/* SPDX-License-Identifier: MIT */
#include "inspect/pgp.h"

#include <string.h>

#include "inspect/oid.h"

/* RFC 9580, 5: packet types. */
enum packet {
	PACKET_PKESK = 1,
	PACKET_SIGNATURE = 2,
	PACKET_SKESK = 3,
	PACKET_ONE_PASS = 4,
	PACKET_SECRET_KEY = 5,
	PACKET_PUBLIC_KEY = 6,
	PACKET_SECRET_SUBKEY = 7,
	PACKET_PUBLIC_SUBKEY = 14,
	PACKET_LAST = 21,
};

/* RFC 9580, 9.1. Keys are told with what their numbers are: sizes, or an identifier of a curve. */
enum numbers {
	NUMBERS_MPI,   /* this many, the first is the modulus */
	NUMBERS_CURVE, /* identifier, a point, and for ECDH parameters */
	NUMBERS_FIXED, /* octets */
};

static const struct algorithm {
	const char *type;
	uint32_t bits;
	enum numbers numbers;
	uint8_t id;
	uint8_t count; /* MPI: of them; FIXED: octets; CURVE: whether there are parameters */
} algorithms[] = {
	{ "RSA", 0, NUMBERS_MPI, 1, 2 },	 { "RSA", 0, NUMBERS_MPI, 2, 2 },
	{ "RSA", 0, NUMBERS_MPI, 3, 2 },	 { "Elgamal", 0, NUMBERS_MPI, 16, 3 },
	{ "DSA", 0, NUMBERS_MPI, 17, 4 },	 { "ECDH", 0, NUMBERS_CURVE, 18, 1 },
	{ "EC", 0, NUMBERS_CURVE, 19, 0 },	 { "Elgamal", 0, NUMBERS_MPI, 20, 3 },
	{ "EdDSA", 0, NUMBERS_CURVE, 22, 0 },	 { "X25519", 256, NUMBERS_FIXED, 25, 32 },
	{ "X448", 448, NUMBERS_FIXED, 26, 56 },	 { "Ed25519", 256, NUMBERS_FIXED, 27, 32 },
	{ "Ed448", 456, NUMBERS_FIXED, 28, 57 },
};

/* What is read of a packet; AT never passes END, END never the octets. */
struct reader {
	struct octets *octets;
	size_t at;
	size_t end;
};

static bool take(struct reader *reader, size_t size, uint32_t *ret)
{
	if (size > reader->end - reader->at ||
	    !octets_number(reader->octets, reader->at, size, ret))
		return false;
	reader->at += size;
	return true;
}

static bool skip(struct reader *reader, size_t size)
{
	if (size > reader->end - reader->at)
		return false;
	reader->at += size;
	return true;
}

/* RFC 9580, 3.2: two octets of length in bits, and as many octets as that takes. */
static bool skip_mpi(struct reader *reader, uint32_t *ret_bits)
{
	return take(reader, 2, ret_bits) && skip(reader, (*ret_bits + 7) / 8);
}

/* Identifier of a curve, the content of an OID behind one octet of length. */
static bool take_curve(struct judge *judge, struct reader *reader, struct key *key)
{
	struct der der = { .octets = reader->octets, .at = reader->at, .end = reader->end };
	const struct oid_key *curve;
	char text[DER_OID_TEXT_MAX];
	struct tlv value = { .tag = DER_OID };
	const char *oid;
	uint32_t size;

	if (!take(reader, 1, &size))
		return false;
	value.at = reader->at;
	value.size = size;
	if (!skip(reader, size))
		return false;
	oid = der_oid(&der, &value, text);
	if (!oid)
		return true;
	curve = oid_curve(oid);
	if (!curve) {
		key->curve = judge_text(judge, oid, strlen(oid));
		return true;
	}
	key->bits = curve->bits;
	key->curve = curve->name;
	/* Those two are algorithms of their own everywhere else. */
	if (strcmp(curve->name, "Ed25519") == 0 || strcmp(curve->name, "Curve25519") == 0) {
		key->type = strcmp(curve->name, "Ed25519") == 0 ? "Ed25519" : "X25519";
		key->curve = NULL;
	}
	return true;
}

/* The numbers of the public part, to their end. */
static bool take_numbers(struct judge *judge, struct reader *reader,
			 const struct algorithm *algorithm, struct key *key)
{
	uint32_t bits;

	switch (algorithm->numbers) {
	case NUMBERS_MPI:
		for (unsigned int i = 0; i < algorithm->count; i++) {
			if (!skip_mpi(reader, &bits))
				return false;
			if (i == 0)
				key->bits = bits;
		}
		return true;
	case NUMBERS_CURVE:
		if (!take_curve(judge, reader, key) || !skip_mpi(reader, &bits))
			return false;
		/* ECDH: KDF parameters behind one octet of length. */
		return !algorithm->count || (take(reader, 1, &bits) && skip(reader, bits));
	default:
		return skip(reader, algorithm->count);
	}
}

/*
 * The octet that says how the secret numbers are protected (RFC 9580, 3.7.2.1), which lie behind
 * it. GnuPG writes S2K type 101 and "GNU" where the secret is elsewhere: then only the public part
 * is here (doc/DETAILS of GnuPG).
 */
static void take_protection(struct reader *reader, struct key *key)
{
	uint32_t usage, cipher, kind;

	key->is_private = true;
	key->is_encrypted = true;
	if (!take(reader, 1, &usage))
		return;
	key->is_encrypted = usage != 0;
	if (usage >= 253 && take(reader, 1, &cipher) && take(reader, 1, &kind) && kind == 101)
		key->is_private = key->is_encrypted = false;
}

/* Version, time, for version 3 days, algorithm, from version 5 a count of octets; then numbers. */
static bool key_packet_read(struct judge *judge, struct reader reader, bool is_secret)
{
	const struct algorithm *algorithm = NULL;
	struct key key = { .format = "OpenPGP" };
	uint32_t version, id, ignored;

	if (!take(&reader, 1, &version) || version < 2 || version > 6 || !skip(&reader, 4) ||
	    (version < 4 && !skip(&reader, 2)) || !take(&reader, 1, &id) ||
	    (version > 4 && !take(&reader, 4, &ignored)))
		return false;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].id == id)
			algorithm = &algorithms[i];
	if (algorithm) {
		key.type = algorithm->type;
		key.bits = algorithm->bits;
	} else {
		key.type = judge_format(judge, "OpenPGP %u", id);
	}
	if (algorithm && take_numbers(judge, &reader, algorithm, &key)) {
		if (is_secret)
			take_protection(&reader, &key);
	} else {
		/* Where the secret part begins is not known. */
		key.is_private = is_secret;
	}
	judge_add_key(judge, &key);
	judge->sights |= key.is_private ? SIGHT_PGP_PRIVATE_KEY : SIGHT_PGP_PUBLIC_KEY;
	return true;
}

/* The old form of a packet's header: type and size of the length in one octet (RFC 9580, 4.2.2). */
static bool header_read_old(struct reader *reader, uint32_t first, uint8_t *ret_type,
			    size_t *ret_size)
{
	uint32_t size;

	*ret_type = first >> 2 & 15;
	if ((first & 3) == 3) {
		*ret_size = reader->end - reader->at;
		return true;
	}
	if (!take(reader, (size_t)1 << (first & 3), &size))
		return false;
	*ret_size = size;
	return true;
}

/*
 * The new form (4.2.1). Partial lengths are for data only: SIZE is that of the first part, and
 * *RET_IS_PARTIAL says that what follows is no packet.
 */
static bool header_read_new(struct reader *reader, uint32_t first, uint8_t *ret_type,
			    size_t *ret_size, bool *ret_is_partial)
{
	uint32_t size, more;

	*ret_type = first & 63;
	if (!take(reader, 1, &size))
		return false;
	if (size == 255) {
		if (!take(reader, 4, &size))
			return false;
	} else if (size >= 224) {
		size = 1U << (size & 31);
		*ret_is_partial = true;
	} else if (size >= 192) {
		if (!take(reader, 1, &more))
			return false;
		size = ((size - 192) << 8) + more + 192;
	}
	*ret_size = size;
	return true;
}

/* A packet that is no key: does it begin as its type must? */
static bool is_plausible(struct reader reader, uint8_t type)
{
	uint32_t version;

	switch (type) {
	case PACKET_PKESK:
	case PACKET_SIGNATURE:
	case PACKET_SKESK:
	case PACKET_ONE_PASS:
		return take(&reader, 1, &version) && version >= 2 && version <= 6;
	default:
		return type > 0 && type <= PACKET_LAST;
	}
}

/* Takes one packet. Returns false when it is none, or nothing behind it can be. */
static bool packet_read(struct judge *judge, struct reader *reader, bool *ret_is_packet)
{
	struct reader body;
	bool is_partial = false, is_whole;
	uint32_t first;
	uint8_t type;
	size_t size;

	if (!take(reader, 1, &first) || !(first & 0x80))
		return false;
	if (!(first & 0x40 ? header_read_new(reader, first, &type, &size, &is_partial)
			   : header_read_old(reader, first, &type, &size)))
		return false;
	body = *reader;
	is_whole = size <= reader->end - reader->at;
	if (is_whole)
		body.end = reader->at + size;
	switch (type) {
	case PACKET_SECRET_KEY:
	case PACKET_SECRET_SUBKEY:
	case PACKET_PUBLIC_KEY:
	case PACKET_PUBLIC_SUBKEY:
		if (!key_packet_read(judge, body,
				     type == PACKET_SECRET_KEY || type == PACKET_SECRET_SUBKEY))
			return false;
		break;
	default:
		if (!is_plausible(body, type))
			return false;
		judge->sights |= SIGHT_PGP_DATA;
		break;
	}
	*ret_is_packet = true;
	reader->at = body.end;
	return is_whole && !is_partial;
}

bool pgp_read_packets(struct judge *judge, struct octets *octets, size_t at, size_t end)
{
	struct reader reader = { .octets = octets, .at = at, .end = end };
	bool is_packet = false;

	while (reader.at < reader.end && packet_read(judge, &reader, &is_packet))
		;
	return is_packet;
}

/* Compressed and encrypted data has nothing to be known by but its type. */
static bool is_named_pgp(const struct judge *judge)
{
	const struct file_class *class = judge->name_class;

	return class &&
	       (class->kind == FILE_KIND_pgp_data || class->kind == FILE_KIND_pgp_keyring ||
		class->kind == FILE_KIND_pgp_private_key);
}

bool pgp_judge_binary(struct judge *judge, const uint8_t *bytes, size_t size)
{
	struct octets octets;
	uint8_t type;

	if (size < 3 || !(bytes[0] & 0x80))
		return false;
	type = bytes[0] & 0x40 ? bytes[0] & 63 : bytes[0] >> 2 & 15;
	/* Elsewhere only what has a version: keys, signatures, session keys. */
	if ((type == 0 || type > PACKET_PUBLIC_KEY) && !is_named_pgp(judge))
		return false;
	octets_raw(&octets, bytes, size);
	if (!pgp_read_packets(judge, &octets, 0, size))
		return false;
	judge_set_format(judge, "OpenPGP");
	return true;
}
