/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_CHAIN_H
#define INSPECT_CHAIN_H

/*
 * How the certificates of one file belong together, by their names: who issued whom. A name match
 * is a claim, not a proof; no signature is checked here.
 */

#include <stdbool.h>

#include "inspect/judge.h"

/*
 * Sets certificate.chain of all certificates:
 *   root          a CA that names itself as its issuer
 *   intermediate  issued another one in the file, or is a CA issued by one in the file
 *   leaf          issued by one in the file, and no CA
 *   alone         anything else
 */
void chain_order(struct judge *judge);

/* Whether one certificate in the file issued another. After chain_order(). */
bool chain_is_linked(const struct judge *judge);

/*
 * Whether the certificates are a collection of CAs and no chain: every one is a CA, and there are
 * two roots or more, or the file is named as one. After chain_order().
 */
bool chain_is_bundle(const struct judge *judge);

#endif /* INSPECT_CHAIN_H */
