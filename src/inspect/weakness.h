/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_WEAKNESS_H
#define INSPECT_WEAKNESS_H

/* The rules of findings.def about certificates and keys, applied to what a file holds. */

#include <stdbool.h>

#include "inspect/judge.h"

/*
 * Adds the findings. IS_TRUST: the certificates are a collection of trusted CAs. STAT may be NULL:
 * not known, no finding about access then.
 */
void weakness_find(struct judge *judge, bool is_trust, const struct content_stat *stat);

#endif /* INSPECT_WEAKNESS_H */
