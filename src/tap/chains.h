/* SPDX-License-Identifier: MIT */
#ifndef TAP_CHAINS_H
#define TAP_CHAINS_H

/*
 * What the certificates that servers show contain. A server shows the same ones to everybody: the
 * last CHAINS_MAX are remembered, for an hour.
 */

#include <stddef.h>
#include <stdint.h>

#include "inspect/content.h"
#include "pipeline/record.h"

#define CHAINS_MAX 64

struct chains;

/* Returns 0 or -ENOMEM. */
int chains_new(struct chains **ret);
void chains_free(struct chains *chains);

/*
 * What the certificates of RECORD, a tls_handshake, contain; NULL: there are none, or no memory.
 * Valid until the next call.
 */
const struct content *chains_look(struct chains *chains, const struct record *record);

/* How many handshakes' were not looked into for want of memory. */
uint64_t chains_count_short(const struct chains *chains);

#endif /* TAP_CHAINS_H */
