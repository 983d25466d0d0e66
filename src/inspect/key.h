/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_KEY_H
#define INSPECT_KEY_H

/*
 * Keys in the ASN.1 structures of X.509, PKCS #1, PKCS #8 and SEC 1. Private keys are never given
 * to a crypto library and never decoded whole: the reader goes from length to length, looks into
 * identifiers, parameters and the first octet of a modulus, and steps over the secret numbers. In
 * base64 what is stepped over is not decoded, but for up to two bytes at either end that share a
 * group of four letters with what is read; octets_wipe() clears those.
 *
 * Strings set in a struct key are static, or of the judge.
 */

#include <stdbool.h>

#include "inspect/content.h"
#include "inspect/der.h"
#include "inspect/judge.h"
#include "inspect/oid.h"

/*
 * The algorithm and size of the public key whose AlgorithmIdentifier is ALGORITHM (the content of
 * that sequence); BITS is the content of the key, raw octets, or NULL when only the parameters are
 * known. Sets type, curve and bits of *RET.
 */
void key_describe(struct judge *judge, struct der algorithm, const struct der *bits,
		  struct key *ret);

typedef bool key_reader(struct judge *judge, struct der der, struct key *ret);

/*
 * These take DER at the outer sequence and fill all of *RET. They return false, with *RET
 * untouched, when it is not such a structure. It may be cut behind what they look at.
 */
bool key_read_spki(struct judge *judge, struct der der, struct key *ret);  /* RFC 5280 4.1 */
bool key_read_pkcs8(struct judge *judge, struct der der, struct key *ret); /* RFC 5958 */
bool key_read_pkcs8_encrypted(struct judge *judge, struct der der, struct key *ret);
bool key_read_pkcs1_public(struct judge *judge, struct der der,
			   struct key *ret); /* RFC 8017 A.1.1 */
bool key_read_pkcs1_private(struct judge *judge, struct der der, struct key *ret); /* A.1.2 */
bool key_read_sec1(struct judge *judge, struct der der, struct key *ret);	   /* RFC 5915 */
/* The format of OpenSSL: SEQUENCE { 0, p, q, g, y, x } */
bool key_read_dsa(struct judge *judge, struct der der, struct key *ret);
/* DHParameter of PKCS #3, DomainParameters of X9.42: a prime first. */
bool key_read_dh_parameters(struct judge *judge, struct der der, struct key *ret);
/* ECParameters, RFC 3279 2.3.5: a value of its own, not in a sequence when a curve is named. */
bool key_read_ec_parameters(struct judge *judge, struct der der, struct key *ret);

#endif /* INSPECT_KEY_H */
