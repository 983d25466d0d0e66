/* SPDX-License-Identifier: MIT */
#ifndef PROTO_SSH_H
#define PROTO_SSH_H

/*
 * What an SSH connection agreed on (RFC 4253), from the first bytes of both directions up to where
 * they are encrypted: who the peers say they are, what they offer, what they choose, the server's
 * host key. Later key exchanges are encrypted and not seen, and what runs over a connection that
 * was there before (ControlMaster) makes no new one.
 *
 * All text is a peer's and borrows its bytes; what was not seen is NULL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"
#include "proto/ssh_key.h"

/* The lists of SSH_MSG_KEXINIT, as they follow on each other (RFC 4253 section 7.1). */
enum ssh_list {
	SSH_LIST_kex,
	SSH_LIST_host_key,
	SSH_LIST_cipher_c2s,
	SSH_LIST_cipher_s2c,
	SSH_LIST_mac_c2s,
	SSH_LIST_mac_s2c,
	SSH_LIST_compression_c2s,
	SSH_LIST_compression_s2c,
	SSH_LIST_language_c2s,
	SSH_LIST_language_s2c,
	NR_SSH_LISTS
};

enum ssh_outcome {
	SSH_INCOMPLETE,	 /* not seen to its end, or it ended before: only the caller saw a reset */
	SSH_ESTABLISHED, /* both peers said SSH_MSG_NEWKEYS */
	SSH_FAILED,	 /* see enum ssh_failure */
};

enum ssh_failure {
	SSH_FAILURE_none,
	SSH_FAILURE_version,	/* one peer speaks SSH 1 only, the other SSH 2 only */
	SSH_FAILURE_no_common,	/* nothing is in both lists failed_list */
	SSH_FAILURE_disconnect, /* a peer said so in clear, see disconnect */
	SSH_FAILURE_malformed,	/* no SSH behind the offer */
};

/* What one peer said. */
struct ssh_peer {
	struct flow_text ident; /* "SSH-2.0-OpenSSH_9.2p1", without CR and LF */
	struct flow_text lists[NR_SSH_LISTS];
	const uint8_t *cookie; /* 16 random bytes, NULL before the lists are known */
	bool has_new_keys;
	bool is_strict;	     /* offers strict key exchange */
	bool has_guessed;    /* first_kex_packet_follows */
	bool is_guess_wrong; /* then: what followed was passed over */
};

/* The group of a Diffie-Hellman kex. */
struct ssh_group {
	uint32_t bits; /* fixed by the kex, or of what the server sent; 0: neither */
	/* What the client asked for (RFC 4419 section 3); 0 where it did not. */
	uint32_t min_bits;
	uint32_t preferred_bits;
	uint32_t max_bits;
};

struct ssh_disconnect {
	bool is_there;
	enum flow_direction from;
	uint32_t reason; /* RFC 4253 section 11.1 */
	struct flow_text description;
};

struct ssh_session {
	enum ssh_outcome outcome;
	enum ssh_failure failure;
	enum ssh_list failed_list; /* with SSH_FAILURE_no_common */
	uint32_t version;	   /* 1 or 2 once both peers are known, else 0 */
	struct ssh_peer peer[NR_FLOW_DIRECTIONS];

	/* Agreed on, by enum ssh_list. A MAC is missing where the cipher authenticates. */
	struct flow_text chosen[NR_SSH_LISTS];
	bool is_mac_implicit[NR_FLOW_DIRECTIONS];
	bool is_post_quantum; /* the kex: not to be broken by a quantum computer later */
	bool is_strict;	      /* both offer strict key exchange */
	struct ssh_group group;
	uint32_t rsa_bits; /* of the key for the kex that the server sent (RFC 4432) */

	/* From the server's reply. */
	struct flow_text host_key_blob; /* for ssh_key_fingerprint() */
	struct ssh_key host_key;
	struct flow_text signature; /* "rsa-sha2-512": how the server signed */

	struct ssh_disconnect disconnect;
};

/*
 * Parses FLOW. *RET holds what is known so far, and is untouched when FLOW_FOREIGN is returned;
 * *RET_NEEDS is written with FLOW_MORE only.
 */
enum flow_state ssh_parse(const struct flow *flow, struct ssh_session *ret,
			  struct flow_needs *ret_needs);

#endif /* PROTO_SSH_H */
