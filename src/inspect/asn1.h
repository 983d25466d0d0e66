/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_ASN1_H
#define INSPECT_ASN1_H

/*
 * What an ASN.1 value is whose label nobody gives: told by its shape, the tags of its first two
 * levels. Each structure here has a shape of its own among those that occur in files.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/der.h"
#include "inspect/judge.h"

/* Judges the SIZE bytes at BYTES. Returns whether they are a structure that is known here. */
bool asn1_judge(struct judge *judge, const uint8_t *bytes, size_t size);

/* The structures that PEM labels name. DER is at the outer sequence; false: it is none. */
bool asn1_read_csr(struct judge *judge, struct der der);   /* RFC 2986 */
bool asn1_read_crl(struct judge *judge, struct der der);   /* RFC 5280, 5 */
bool asn1_read_pkcs7(struct judge *judge, struct der der); /* RFC 5652 */

#endif /* INSPECT_ASN1_H */
