/* SPDX-License-Identifier: MIT */
#ifndef PROTO_STARTTLS_H
#define PROTO_STARTTLS_H

/*
 * Where TLS or SSH begins on a TCP connection: at once, or behind what another protocol says first.
 * The command that asks for TLS and the answer that grants it are seen; a refusal is not the end,
 * as a client may ask again. What is said before is bounded.
 *
 * The bytes must come in the order in which they were sent: what a client says while nothing of the
 * server is there is taken for a protocol in which the client speaks first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/codes.h"
#include "proto/flow.h"

/* Bytes of a direction within which TLS has to begin. */
#define STARTTLS_SEARCH_MAX (64U << 10)

enum starttls_protocol {
#define STARTTLS_PROTOCOL(id, name, help) STARTTLS_##id,
#include "proto/starttls.def"
};

extern const struct code_table starttls_protocol_codes;

struct starttls {
	enum starttls_protocol protocol; /* what was said before, a PROXY header only if alone */
	bool is_ssh;			 /* SSH begins, not TLS */
	bool is_reversed;		 /* the server of the connection begins TLS as its client */
	bool is_wrapped;		 /* in packets of TDS: see starttls_unwrap() */
	size_t at[NR_FLOW_DIRECTIONS];	 /* of the first byte in each direction */
};

/*
 * Finds it. *RET is written with FLOW_DECIDED only, *RET_NEEDS with FLOW_MORE only. FLOW_FOREIGN:
 * TLS and SSH will not begin.
 */
enum flow_state starttls_parse(const struct flow *flow, struct starttls *ret,
			       struct flow_needs *ret_needs);

/*
 * Copies what is in the packets of TDS in the SIZE BYTES of a direction, from starttls.at on, to
 * RET, which has room for SIZE. SQL Server wraps the handshake of TLS in packets, each behind 8
 * bytes of header ([MS-TDS] 2.2.3.1 and 2.2.6.5); what follows it is bare. Returns how many bytes
 * it wrote: a packet that is not whole is copied as far as it is there.
 */
size_t starttls_unwrap(const uint8_t *bytes, size_t size, uint8_t *ret);

/*
 * Whether a connection on which BYTES were sent first, by the server or the client, may become TLS
 * or SSH. It looks at the first 8 of SIZE bytes. The rule is in proto/beginning.h.
 */
bool starttls_may_begin(const uint8_t *bytes, size_t size, bool from_server);

#endif /* PROTO_STARTTLS_H */
