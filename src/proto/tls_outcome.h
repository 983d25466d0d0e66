/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_OUTCOME_H
#define PROTO_TLS_OUTCOME_H

/* How a handshake went, and what follows from what was not seen in it. */

#include "proto/tls_walk.h"

/* Sets the outcome and the alert of the session. HAS_ENDED: no more of either side will come. */
void tls_outcome_judge(const struct tls_walk *walk, bool has_ended, bool is_closed);

/*
 * Sets what is known of the session by the end of the server's part of it that is not encrypted:
 * what a resumed handshake or the suite leaves out there is no_such.
 */
void tls_outcome_conclude(const struct tls_walk *walk);

#endif /* PROTO_TLS_OUTCOME_H */
