/* SPDX-License-Identifier: MIT */
#include "inspect/gnupg.h"

#include <string.h>

#include "inspect/der.h"
#include "inspect/pgp.h"
#include "inspect/x509.h"
#include "lib/bytes.h"

#define BLOB_HEADER  1
#define BLOB_OPENPGP 2
#define BLOB_X509    3
/* Offset and length of the key within its blob are at 8 and 12. */
#define BLOB_SIZE_MIN 16

/* Algorithm and curve come within so many bytes of "(private-key". */
#define HEAD_MAX 256

/* One blob: u32 length, u8 type, u8 version, u16 flags, u32 offset and u32 length of the key. */
static void blob_read(struct judge *judge, struct octets *octets, size_t at, uint32_t size)
{
	uint32_t key_at, key_size;
	uint8_t type = octets_at(octets, at + 4);

	if (!octets_number(octets, at + 8, 4, &key_at) ||
	    !octets_number(octets, at + 12, 4, &key_size) || key_at > size ||
	    key_size > size - key_at)
		return;
	if (type == BLOB_OPENPGP)
		(void)pgp_read_packets(judge, octets, at + key_at, at + key_at + key_size);
	else if (type == BLOB_X509)
		(void)x509_read(judge, octets->bytes + at + key_at, key_size);
}

bool gnupg_judge_keybox(struct judge *judge, const uint8_t *bytes, size_t size)
{
	struct octets octets;
	uint32_t blob_size;
	size_t at = 0;

	if (size < BLOB_SIZE_MIN || bytes[4] != BLOB_HEADER ||
	    !bytes_begin((const char *)bytes + 8, size - 8, "KBXf"))
		return false;
	octets_raw(&octets, bytes, size);
	while (octets_number(&octets, at, 4, &blob_size)) {
		if (blob_size < BLOB_SIZE_MIN || blob_size > size - at) {
			judge_note(judge,
				   judge->is_cut ? JUDGE_NOTE_CUT : "damaged: a blob does not fit");
			break;
		}
		blob_read(judge, &octets, at, blob_size);
		at += blob_size;
	}
	judge_set_format(judge, "keybox");
	judge_set_kind(judge, FILE_TYPE_unknown, FILE_KIND_pgp_keyring);
	return true;
}

/* Where NEEDLE ends in TEXT, or NULL. */
static const char *behind(const char *text, size_t size, const char *needle)
{
	const char *found = memmem(text, size, needle, strlen(needle));

	return found ? found + strlen(needle) : NULL;
}

/* The bits of a number in hexadecimal, which ends at '#' and may be broken by white space. */
static uint32_t hex_bits(const char *at, const char *end)
{
	size_t nr_digits = 0;
	uint8_t first;

	while (at < end && *at == '0')
		at++;
	/* The first digit may stand for less than four bits. */
	first = at < end ? (uint8_t)*at : 0;
	for (; at < end && *at != '#'; at++)
		nr_digits += *at > ' ';
	if (!nr_digits)
		return 0;
	if (first >= '1' && first <= '7')
		return (uint32_t)(nr_digits * 4) - (first == '1' ? 3 : (first <= '3' ? 2 : 1));
	return (uint32_t)(nr_digits * 4);
}

/* The bits of a modulus: "257:" and the bytes, or "#00B1...#" in hexadecimal. */
static uint32_t modulus_bits(const char *at, const char *end)
{
	struct octets octets;
	size_t size = 0;

	while (at < end && size < CONTENT_SIZE_MAX && *at >= '0' && *at <= '9')
		size = size * 10 + (size_t)(*at++ - '0');
	if (at < end && *at == ':') {
		octets_raw(&octets, at + 1, (size_t)(end - at - 1));
		return octets_bits(&octets, 0, size);
	}
	return at < end && *at == '#' ? hex_bits(at + 1, end) : 0;
}

/* The name of a curve: "7:Ed25519" or "Ed25519)". */
static const char *curve_name(struct judge *judge, const char *at, const char *end)
{
	const char *name = at;

	while (at < end && *at >= '0' && *at <= '9')
		at++;
	if (at < end && *at == ':')
		name = at + 1;
	for (at = name; at < end && *at != ')' && *at != '(' && *at > ' '; at++)
		;
	return judge_text(judge, name, (size_t)(at - name));
}

/* Type, curve and bits of a key whose expression is at TEXT. */
static void expression_read(struct judge *judge, const char *text, size_t size, struct key *key)
{
	static const struct {
		const char *canonical, *readable, *type;
	} kinds[] = {
		{ "(3:rsa(1:n", "(rsa (n ", "RSA" },
		{ "(3:ecc(5:curve", "(ecc (curve ", "EC" },
		{ "(3:dsa(1:p", "(dsa (p ", "DSA" },
		{ "(3:elg(1:p", "(elg (p ", "Elgamal" },
	};
	size_t head = size < HEAD_MAX ? size : HEAD_MAX;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *value = behind(text, head, kinds[i].canonical);

		if (!value)
			value = behind(text, head, kinds[i].readable);
		if (!value)
			continue;
		key->type = kinds[i].type;
		if (strcmp(key->type, "EC") == 0)
			key->curve = curve_name(judge, value, text + size);
		else
			key->bits = modulus_bits(value, text + size);
		return;
	}
}

bool gnupg_judge_private_key(struct judge *judge, const char *text, size_t size)
{
	static const struct {
		const char *begin;
		bool is_encrypted;
	} begins[] = {
		{ "(11:private-key", false },
		{ "(21:protected-private-key", true },
		{ "(20:shadowed-private-key", true },
		{ "Key: (private-key", false },
		{ "Key: (protected-private-key", true },
		{ "Key: (shadowed-private-key", true },
	};
	struct key key = { .format = "GnuPG", .is_private = true };
	size_t head = size < HEAD_MAX ? size : HEAD_MAX;

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		const char *begin = behind(text, head, begins[i].begin);

		/* A canonical expression is the file; in the other form lines may come before. */
		if (!begin || (begins[i].begin[0] == '(' && text[0] != '('))
			continue;
		key.is_encrypted = begins[i].is_encrypted;
		expression_read(judge, begin, size - (size_t)(begin - text), &key);
		judge_add_key(judge, &key);
		judge_set_format(judge, "GnuPG");
		judge_set_kind(judge, FILE_TYPE_private_key, FILE_KIND_pgp_private_key);
		return true;
	}
	return false;
}
