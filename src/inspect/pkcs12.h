/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PKCS12_H
#define INSPECT_PKCS12_H

/*
 * PKCS #12 keystores (RFC 7292), without their password: certificates where they are not encrypted,
 * and that there are keys. An unencrypted key is read as in key.h.
 */

#include <stdbool.h>

#include "inspect/der.h"
#include "inspect/judge.h"

/* Bags, and contents of bags, that are looked at. */
#define PKCS12_BAGS_MAX 4096
/* Bags within bags (safeContentsBag), at most. */
#define PKCS12_DEPTH_MAX 4

/* DER is at the outer sequence, of raw octets. Returns whether it is a keystore. */
bool pkcs12_read(struct judge *judge, struct der der);

#endif /* INSPECT_PKCS12_H */
