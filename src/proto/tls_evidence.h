/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_EVIDENCE_H
#define PROTO_TLS_EVIDENCE_H

/*
 * What the sizes of encrypted records tell of a handshake of TLS 1.3, of which all but the hellos
 * is encrypted. A record holds a byte of type and the tag more than its content (RFC 8446 section
 * 5.2): an alert has 2 bytes, Finished 4 and a hash. Of the stacks in use Java's alone pads them,
 * with 16 bytes (OpenJDK, sun.security.ssl.SSLCipher); that is allowed for. See tls_parse() for
 * what follows from it all.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The sizes that tell something, of a cipher suite. */
struct tls_sizes {
	size_t alert;
	size_t finished; /* 0: the hash is not known */
	size_t end_of_early_data;
};

struct tls_sizes tls_sizes_of(uint16_t cipher);

/* One direction. Begin with zeroes. */
struct tls_evidence {
	uint32_t nr; /* records */
	bool begins_with_alert;
	bool begins_with_padded_alert;
	bool begins_with_finished;
	bool begins_long; /* with more than Finished */
	bool has_end_of_early_data;
	bool has_finished;	     /* not as the first */
	bool is_padded;		     /* that one was */
	bool has_finished_with_more; /* after EndOfEarlyData, a record no shorter than Finished */
	/* The record after the first Finished that is not the first record. */
	bool goes_on;
	bool goes_on_with_alert;
	/* The record after the first one and those that the first one did not fit in. */
	bool first_is_over;
	bool has_second;
	bool second_is_alert;
};

void tls_evidence_add(struct tls_evidence *evidence, const struct tls_sizes *sizes, size_t size);

enum tls_proof {
	TLS_PROOF_none,
	TLS_PROOF_established,
	TLS_PROOF_client_alert,
	TLS_PROOF_server_alert,
};

/*
 * What the records of both sides after ServerHello prove. MAY_BE_EARLY: those of the client may
 * begin with early data. HAS_ENDED: no more will come.
 */
enum tls_proof tls_evidence_judge(const struct tls_evidence *client,
				  const struct tls_evidence *server, bool may_be_early,
				  bool has_ended);

#endif /* PROTO_TLS_EVIDENCE_H */
