/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_DER_H
#define INSPECT_DER_H

/*
 * A bounded reader of ASN.1 values in DER, and of the indefinite lengths of BER that some keystores
 * have (ITU-T X.690, 8.1 and 10). It reads octets where they lie, also within base64 text. Nothing
 * is allocated but by der_copy(); spans borrow the octets.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/octets.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0,
	DER_CONTEXT_1 = 0xa1,
};

/* Text of an object identifier, NUL included; a longer one is cut and ends in "...". */
#define DER_OID_TEXT_MAX 96
/* Indefinite lengths within each other, at most. */
#define DER_DEPTH_MAX 32

/* Part of OCTETS, from AT to END (exclusive), that holds one value behind the other. */
struct der {
	struct octets *octets;
	size_t at;
	size_t end;
};

/* One value. */
struct tlv {
	uint8_t tag;  /* first identifier octet; 0x1f in its low bits: a tag above 30 */
	size_t begin; /* of the identifier */
	size_t at;    /* of the content */
	size_t size;  /* of the content, end-of-contents octets excluded */
	size_t end;   /* of the value */
};

/* All of OCTETS. */
struct der der_all(struct octets *octets);

/* The content of VALUE. */
struct der der_inside(const struct der *der, const struct tlv *value);

/*
 * Takes the next value. Returns false, DER unmoved, at the end and when what follows is not a value
 * that fits.
 */
bool der_next(struct der *der, struct tlv *ret);

/* As der_next() where the tag is TAG. */
bool der_take(struct der *der, uint8_t tag, struct tlv *ret);

/* Goes into the next value if its tag is TAG: DER then is its content. */
bool der_enter(struct der *der, uint8_t tag);

/* The same, when the value may go on behind the end of DER: content is what is there of it. */
bool der_enter_cut(struct der *der, uint8_t tag);

/* Dotted text of the OID in VALUE into OUT. Returns OUT, or NULL when it is none. */
const char *der_oid(const struct der *der, const struct tlv *value, char out[DER_OID_TEXT_MAX]);

/* Number of significant bits of a not negative INTEGER; looks at its first bytes only. */
uint32_t der_bits(const struct der *der, const struct tlv *value);

/* A small INTEGER (up to 4 bytes); UINT32_MAX when it is none. */
uint32_t der_small(const struct der *der, const struct tlv *value);

/*
 * The tags of the values in DER, a letter each: S sequence, s set, I integer, O octet string, B bit
 * string, o OID, N null, T time, E enumerated, b boolean, 0 to 9 context-specific, ? another. At
 * most CAP - 1 letters; "!" is the last where something is no value. Returns OUT.
 */
const char *der_shape(struct der der, char *out, size_t cap);

/*
 * A copy of the bytes of an OCTET STRING, the pieces of a constructed one joined, for the caller to
 * free; wiped first, if it may hold a key. Returns 0, -EBADMSG or -ENOMEM.
 */
int der_copy(const struct der *der, const struct tlv *value, uint8_t **ret, size_t *ret_size);

#endif /* INSPECT_DER_H */
