/* SPDX-License-Identifier: MIT */
#include "inspect/pkcs12.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/key.h"
#include "inspect/x509.h"

/* RFC 5652, 4 and 8; RFC 7292, 4.2 and appendix D; RFC 2985, 6.6.1. */
#define OID_DATA	 "1.2.840.113549.1.7.1"
#define OID_SIGNED_DATA	 "1.2.840.113549.1.7.2"
#define OID_BAG_KEY	 "1.2.840.113549.1.12.10.1.1"
#define OID_BAG_SHROUDED "1.2.840.113549.1.12.10.1.2"
#define OID_BAG_CERT	 "1.2.840.113549.1.12.10.1.3"
#define OID_BAG_SECRET	 "1.2.840.113549.1.12.10.1.5"
#define OID_BAG_SAFE	 "1.2.840.113549.1.12.10.1.6"
#define OID_X509	 "1.2.840.113549.1.9.22.1"

/* What is counted on the way. */
struct walk {
	struct judge *judge;
	unsigned int nr_parts;
	unsigned int nr_encrypted;
	unsigned int nr_bags;
};

/*
 * The OCTET STRING that DER is at, as octets: in place, or joined from pieces into *COPY, which may
 * hold a key; string_close() takes it.
 */
static bool string_open(struct walk *walk, struct der der, struct octets *ret, uint8_t **copy)
{
	struct tlv value;
	size_t size;
	int err;

	*copy = NULL;
	if (!der_next(&der, &value))
		return false;
	if (value.tag == DER_OCTET_STRING) {
		octets_raw(ret, der.octets->bytes + value.at, value.size);
		return true;
	}
	err = der_copy(&der, &value, copy, &size);
	if (err == -ENOMEM)
		walk->judge->err = err;
	if (err)
		return false;
	octets_raw(ret, *copy, size);
	return true;
}

static void string_close(const struct octets *octets, uint8_t *copy)
{
	if (copy)
		explicit_bzero(copy, octets->size);
	free(copy);
}

/* { OID, [0] value }: whether DER is such one; its OID into TEXT, DER then in the [0]. */
static bool typed_enter(struct der *der, char text[DER_OID_TEXT_MAX])
{
	struct tlv value;

	return der_enter(der, DER_SEQUENCE) && der_take(der, DER_OID, &value) &&
	       der_oid(der, &value, text) && der_enter(der, DER_CONTEXT_0);
}

/* CertBag { x509Certificate, [0] OCTET STRING } */
static void certificate_bag(struct walk *walk, struct der der)
{
	char text[DER_OID_TEXT_MAX];
	struct octets octets;
	uint8_t *copy;

	if (!typed_enter(&der, text) || strcmp(text, OID_X509) != 0 ||
	    !string_open(walk, der, &octets, &copy))
		return;
	if (!x509_read(walk->judge, octets.bytes, octets.size))
		judge_note(walk->judge, "damaged: a certificate cannot be read");
	string_close(&octets, copy);
}

static void key_bag(struct walk *walk, struct der der)
{
	struct key key;

	if (!key_read_pkcs8(walk->judge, der, &key))
		return;
	key.format = "PKCS#12";
	judge_add_key(walk->judge, &key);
}

static void hidden_key(struct walk *walk)
{
	judge_add_key(walk->judge, &(struct key){
					   .format = "PKCS#12",
					   .is_private = true,
					   .is_encrypted = true,
				   });
}

/*
 * One SafeBag { bagId, [0] value, attributes }. A bag of bags is handed back in *NESTED: the caller
 * keeps what is left to walk.
 */
static bool bag_read(struct walk *walk, struct der der, struct der *nested)
{
	char text[DER_OID_TEXT_MAX];

	if (!typed_enter(&der, text))
		return false;
	if (strcmp(text, OID_BAG_SAFE) == 0) {
		*nested = der;
		return der_enter(nested, DER_SEQUENCE);
	}
	if (strcmp(text, OID_BAG_CERT) == 0)
		certificate_bag(walk, der);
	else if (strcmp(text, OID_BAG_KEY) == 0)
		key_bag(walk, der);
	else if (strcmp(text, OID_BAG_SHROUDED) == 0)
		hidden_key(walk);
	else if (strcmp(text, OID_BAG_SECRET) == 0)
		judge_add_key(walk->judge,
			      &(struct key){ .format = "PKCS#12", .is_private = true });
	return false;
}

/* SafeContents: bags, some of which may hold bags again. */
static void bags_read(struct walk *walk, struct octets *octets)
{
	struct der stack[PKCS12_DEPTH_MAX];
	unsigned int depth = 0;
	struct tlv value;

	stack[0] = der_all(octets);
	if (!der_enter(&stack[0], DER_SEQUENCE))
		return;
	while (walk->nr_bags < PKCS12_BAGS_MAX) {
		struct der bag = stack[depth], nested;

		if (!der_next(&stack[depth], &value)) {
			if (depth == 0)
				return;
			depth--;
			continue;
		}
		walk->nr_bags++;
		bag.end = value.end;
		if (bag_read(walk, bag, &nested) && depth + 1 < PKCS12_DEPTH_MAX)
			stack[++depth] = nested;
	}
	judge_note(walk->judge, "too many bags: the rest is not told");
}

/* One ContentInfo of the AuthenticatedSafe. */
static void part_read(struct walk *walk, struct der der)
{
	char text[DER_OID_TEXT_MAX];
	struct octets octets;
	uint8_t *copy;

	walk->nr_parts++;
	if (!typed_enter(&der, text))
		return;
	/* Encrypted for a password or (envelopedData) for a key. */
	if (strcmp(text, OID_DATA) != 0) {
		walk->nr_encrypted++;
		return;
	}
	if (!string_open(walk, der, &octets, &copy))
		return;
	bags_read(walk, &octets);
	string_close(&octets, copy);
}

static void parts_read(struct walk *walk, struct octets *octets)
{
	struct der der = der_all(octets);
	struct tlv value;

	if (!der_enter(&der, DER_SEQUENCE))
		return;
	while (walk->nr_parts < PKCS12_BAGS_MAX) {
		struct der part = der;

		if (!der_next(&der, &value))
			break;
		part.end = value.end;
		part_read(walk, part);
	}
}

bool pkcs12_read(struct judge *judge, struct der der)
{
	struct walk walk = { .judge = judge };
	char text[DER_OID_TEXT_MAX];
	struct octets octets;
	struct tlv version;
	uint8_t *copy;

	/* PFX { 3, authSafe, macData } */
	if (!der_enter(&der, DER_SEQUENCE) || !der_take(&der, DER_INTEGER, &version) ||
	    der_small(&der, &version) != 3 || !typed_enter(&der, text))
		return false;
	if (strcmp(text, OID_SIGNED_DATA) == 0) {
		judge_note(judge, "signed keystore: content is not told");
	} else if (strcmp(text, OID_DATA) != 0) {
		return false;
	} else if (string_open(&walk, der, &octets, &copy)) {
		parts_read(&walk, &octets);
		string_close(&octets, copy);
	}
	if (walk.nr_encrypted)
		judge_note(judge,
			   judge_format(judge, "encrypted: %u of %u parts cannot be looked into",
					walk.nr_encrypted, walk.nr_parts));
	judge_set_kind(judge, FILE_TYPE_keystore, FILE_KIND_pkcs12);
	return true;
}
