/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_TLS_TEXT_H
#define TESTS_SUPPORT_TLS_TEXT_H

/*
 * All that a struct tls_session holds as text, one fact a line: two sessions are equal when their
 * texts are. And what always holds for one.
 */

#include "proto/tls.h"

/* Enough for any session: lists of 256 names, texts of 64 KiB as their size and a sum. */
#define TLS_TEXT_MAX (256 << 10)

/* Returns the length of what it has written, terminated, to OUT. */
size_t tls_text(const struct tls_session *session, char out[static TLS_TEXT_MAX]);

/*
 * Ends the test program with a message where SESSION, parsed from FLOW with SCRATCH to STATE and
 * NEEDS, is not as it must be: texts lie in the flow or the scratch, counts within their limits,
 * codes within their enums, needs beyond what is there.
 */
void tls_check(const struct tls_session *session, const struct flow *flow,
	       const struct tls_scratch *scratch, enum flow_state state,
	       const struct flow_needs *needs);

#endif /* TESTS_SUPPORT_TLS_TEXT_H */
