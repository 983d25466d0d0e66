/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_WEAKNESS_H
#define PROTO_TLS_WEAKNESS_H

/* The rules of tls_verdict.def, applied to a session. */

#include "proto/tls_verdict.h"

/* Fills the findings of VERDICT, in which all else is set. */
void tls_weakness_find(const struct tls_session *session, struct tls_verdict *verdict);

#endif /* PROTO_TLS_WEAKNESS_H */
