/* SPDX-License-Identifier: MIT */
#ifndef TLS_HANDSHAKE_HANDSHAKE_H
#define TLS_HANDSHAKE_HANDSHAKE_H

/*
 * How a command that looks into certificates does so for tls_handshake events: it asks for those of
 * a record and hands back what it found. And names that a document has for the same things.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/codes.h"
#include "inspect/content.h"
#include "pipeline/record.h"

/* Of its fields role, outcome and transport. */
extern const struct code_table tls_role_codes;
extern const struct code_table tls_outcome_codes;
extern const struct code_table tls_transport_codes;

/*
 * The next certificate that the server showed, DER, of RECORD, a tls_handshake; *AT is 0 at the
 * first call and moved on. Returns false behind the last one. Borrows from RECORD.
 */
bool tls_handshake_certificate(const struct record *record, size_t *at, const uint8_t **ret_der,
			       size_t *ret_size);

/* Whether the process of RECORD is the server. */
bool tls_handshake_is_server(const struct record *record);

/* Makes CONTENT, which outlives the record, what RECORD tells of them. */
void tls_handshake_set_content(struct record *record, const struct content *content);

/* What was set; NULL: nothing. */
const struct content *tls_handshake_content(const struct record *record);

/* Makes PATH (SIZE bytes, outlives the record) the file that holds the server's certificate. */
void tls_handshake_set_certificate_file(struct record *record, const char *path, size_t size);

#endif /* TLS_HANDSHAKE_HANDSHAKE_H */
