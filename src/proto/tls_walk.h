/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_WALK_H
#define PROTO_TLS_WALK_H

/*
 * Goes through both directions and fills a session with what the messages say: the client's hello,
 * the server's part, and the rest of the client's, which the chosen version gives its meaning.
 */

#include "proto/tls_evidence.h"
#include "proto/tls_stream.h"

/* What is known of a direction besides the session. */
struct tls_side {
	struct tls_stream stream;
	struct tls_evidence evidence; /* TLS 1.3, after the last hello */
	bool has_changed_cipher;      /* up to TLS 1.2: what follows is encrypted */
	bool has_finished;	      /* up to TLS 1.2: an encrypted handshake record followed */
	bool has_hello_done;	      /* up to TLS 1.2: the handshake is a full one */
	bool has_alert;		      /* that ends the connection; nothing after it is looked at */
	bool alert_is_encrypted;
	uint8_t alert;
};

struct tls_walk {
	struct tls_session *session;
	struct tls_sizes sizes; /* of the suite that was chosen */
	bool is_dtls;
	bool has_seen_server; /* as far as its bytes go */
	struct tls_side sides[NR_FLOW_DIRECTIONS];
};

/* Goes on with direction FROM as far as its bytes and what is known of the other side go. */
void tls_walk_side(struct tls_walk *walk, enum flow_direction from);

/* Whether the server has chosen a version, and that is TLS 1.3 or made of it. */
bool tls_walk_is_13(const struct tls_walk *walk);

#endif /* PROTO_TLS_WALK_H */
