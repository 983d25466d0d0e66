/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_H
#define PROTO_TLS_H

/*
 * TLS handshakes, from SSL 2.0 to TLS 1.3: what a client offered, what the server chose, and how it
 * went. See flow.h for how parsers are called. A struct tls_session holds numbers as they are on
 * the wire (catalogue/tls.h names them) and texts that are borrowed from the flow or, where a
 * message was in pieces, from the scratch that the caller gave: it lives as long as both. Values
 * without meaning that clients strew in (GREASE, RFC 8701) are left out of all lists.
 *
 * What is encrypted is not known and said to be so (enum tls_known). The version of records says
 * nothing and is never reported.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"

#define TLS_CODES_MAX		    256 /* of a list; 160 suites are the most that OpenSSL offers */
#define TLS_KEY_SHARES_MAX	    16
#define TLS_ALPN_MAX		    16
#define TLS_BYTES_MAX		    8
#define TLS_SERVER_CERTIFICATES_MAX 10
#define TLS_CLIENT_CERTIFICATES_MAX 4

/* Numbers in the order of the peer. */
struct tls_codes {
	uint16_t nr;
	bool is_cut; /* there were more */
	uint16_t codes[TLS_CODES_MAX];
};

/* The same for numbers of one byte. */
struct tls_bytes {
	uint8_t nr;
	bool is_cut;
	uint8_t bytes[TLS_BYTES_MAX];
};

struct tls_key_share {
	uint16_t group;
	uint16_t size; /* bytes of the public key */
};

struct tls_client_hello {
	bool is_there;
	bool is_sslv2;	     /* in the form of SSL 2.0 (RFC 5246 appendix E.2): no extensions */
	bool is_cut;	     /* the flow ended within it: what follows the cut is missing */
	bool is_malformed;   /* lengths that do not fit, something twice, something left over */
	bool has_extensions; /* the block is there, though it may be empty */
	bool has_grease;

	/* Extensions that are there or not, and suites that are signs. */
	bool has_extended_master_secret;
	bool has_encrypt_then_mac;
	bool has_renegotiation_info; /* or its suite (RFC 5746 section 3.3) */
	bool has_fallback;	     /* TLS_FALLBACK_SCSV (RFC 7507) */
	bool has_session_ticket;     /* the extension */
	bool offers_ticket;	     /* with a ticket of up to TLS 1.2 in it */
	bool offers_psk;	     /* of TLS 1.3: mostly a ticket */
	bool has_early_data;	     /* 0-RTT follows */
	bool server_name_is_outer;   /* Encrypted Client Hello: the true name may be hidden */
	bool offers_compression;     /* of records, not of certificates */

	uint16_t legacy_version; /* the version of up to TLS 1.2 */
	struct flow_text random; /* 32 bytes; fewer in the form of SSL 2.0 */
	struct flow_text session_id;
	struct flow_text cookie;      /* of DTLS */
	struct flow_text server_name; /* the first of type host_name */
	struct flow_text alpn[TLS_ALPN_MAX];
	uint16_t nr_alpn;
	uint16_t nr_key_shares;
	bool alpn_is_cut;
	bool key_shares_are_cut;
	struct tls_key_share key_shares[TLS_KEY_SHARES_MAX];
	struct tls_bytes psk_modes; /* 0: psk_ke, 1: psk_dhe_ke */
	struct tls_bytes point_formats;
	struct tls_codes ciphers;
	struct tls_codes extensions;
	struct tls_codes versions; /* supported_versions */
	struct tls_codes groups;
	struct tls_codes signatures;
	struct tls_codes certificate_signatures; /* signature_algorithms_cert */
	struct tls_codes compressions;		 /* compress_certificate */
};

struct tls_server_hello {
	bool is_there;
	bool is_cut;
	bool is_malformed;
	bool has_extended_master_secret;
	bool has_encrypt_then_mac;
	bool has_renegotiation_info;
	bool has_session_ticket;     /* the extension: a ticket follows */
	bool has_psk;		     /* TLS 1.3: pre_shared_key */
	bool has_key_share;	     /* TLS 1.3 */
	bool has_downgrade_sentinel; /* it could do better than it chose (RFC 8446 section 4.1.3) */
	uint8_t compression;
	uint16_t legacy_version;
	uint16_t version; /* supported_versions if there, else legacy_version */
	uint16_t cipher;
	uint16_t key_share_group;
	uint16_t key_share_size; /* bytes */
	struct flow_text random;
	struct flow_text session_id;
	struct flow_text alpn; /* up to TLS 1.2 */
	struct tls_codes extensions;
};

enum tls_transport {
	TLS_TRANSPORT_tcp,
	TLS_TRANSPORT_quic,
	TLS_TRANSPORT_dtls,
};

enum tls_outcome {
	TLS_OUTCOME_incomplete,	 /* nothing was seen to end it */
	TLS_OUTCOME_established, /* both sides have shown that they hold the keys */
	TLS_OUTCOME_failed,	 /* one side refused, or does not speak TLS */
	TLS_OUTCOME_reset,	 /* the connection ended without a word */
};

/* Whether a fact is known, and if not why. */
enum tls_known {
	TLS_KNOWN_not_seen, /* not yet, or the flow ended before it */
	TLS_KNOWN_yes,
	TLS_KNOWN_no_such,   /* this handshake has no such thing */
	TLS_KNOWN_encrypted, /* it has, for those who hold the keys */
};

enum tls_answer {
	TLS_ANSWER_unknown,
	TLS_ANSWER_no,
	TLS_ANSWER_yes,
};

/* Certificates as they were sent, DER each. */
struct tls_certificates {
	uint8_t known; /* enum tls_known; no_such: none was sent */
	uint8_t nr;
	bool is_cut; /* there were more, or the last one is not whole and was left out */
	struct flow_text der[TLS_SERVER_CERTIFICATES_MAX];
};

struct tls_session {
	uint8_t transport;		    /* enum tls_transport */
	uint8_t outcome;		    /* enum tls_outcome */
	bool is_broken[NR_FLOW_DIRECTIONS]; /* its bytes ceased to be TLS */

	/* The alert that ended it: has_alert without alert_is_encrypted says which. */
	bool has_alert;
	bool alert_is_encrypted;
	uint8_t alert;	    /* enum tls_alert */
	uint8_t alert_from; /* enum flow_direction */
	bool has_warning;   /* an alert of up to TLS 1.2 that did not end it */
	uint8_t warning;

	uint8_t nr_client_hellos; /* 2 after HelloRetryRequest or HelloVerifyRequest */
	bool has_hello_retry;
	bool has_hello_verify;	     /* DTLS: the server asked for a cookie */
	uint16_t hello_retry_group;  /* asked for; 0: none */
	uint16_t hello_retry_cipher; /* valid with has_hello_retry */

	/*
	 * What was negotiated. Versions and suites are valid when server.is_there. A secret shared
	 * beforehand by other means counts as resumed in TLS 1.3, where it looks the same.
	 */
	uint16_t version;
	uint16_t cipher;
	uint16_t group;	     /* 0 unless group_known */
	uint16_t dh_bits;    /* of the prime, up to TLS 1.2; 0: not Diffie-Hellman or not seen */
	uint16_t rsa_bits;   /* of the fresh key of an export suite */
	uint16_t signature;  /* of the server's key exchange; 0 unless signature_known */
	uint8_t group_known; /* enum tls_known */
	uint8_t signature_known; /* enum tls_known; no_such too before TLS 1.2, where it is fixed */
	uint8_t alpn_known;	 /* enum tls_known; the name is server.alpn */
	uint8_t resumed;	 /* enum tls_answer */
	uint8_t asks_certificate;  /* enum tls_answer: of the client; encrypted in TLS 1.3 */
	uint8_t sends_certificate; /* enum tls_answer: the client, one at least */
	struct tls_certificates server_certificates;
	struct tls_certificates client_certificates; /* TLS_CLIENT_CERTIFICATES_MAX at most */

	struct tls_client_hello client; /* the first one */
	struct tls_server_hello server; /* the last one; HelloRetryRequest is not one */
};

/* Where messages are put together that records cut into pieces. Its content is nobody's. */
struct tls_scratch {
	size_t used;
	uint8_t bytes[64 << 10];
};

struct tls_options {
	/*
	 * The connection is over (FIN, RST), and all of it is in the flow: an unfinished handshake
	 * is TLS_OUTCOME_reset, not _incomplete. has_ended alone may be a limit of the recording.
	 */
	bool is_closed;

	/* For tls_parse_messages() only: enum tls_transport, not _tcp. */
	uint8_t transport;
	/*
	 * For tls_parse_messages() only: the direction went on under encryption. In DTLS that is
	 * ChangeCipherSpec or a record of a later epoch, in QUIC a packet that is not Initial.
	 */
	bool is_encrypted[NR_FLOW_DIRECTIONS];
};

/*
 * Whether the SIZE bytes that a client sent begin like TLS: FLOW_DECIDED, FLOW_FOREIGN, or
 * FLOW_MORE below TLS_BEGIN_SIZE bytes. For where TLS may begin in the middle of a connection.
 */
#define TLS_BEGIN_SIZE 11
enum flow_state tls_begins(const uint8_t *bytes, size_t size);

/*
 * Parses a connection over a stream, in which TLS begins at byte 0 of both directions. OPTIONS may
 * be NULL: all false. SCRATCH need not be initialised. Fills *RET whatever is returned, with what
 * is known so far, and *RET_NEEDS.
 *
 * A message longer than what is left of the scratch is cut there if it was sent in pieces.
 *
 * The handshake is established
 *  - up to TLS 1.2 when both sides have sent ChangeCipherSpec and an encrypted handshake record
 *    after it, Finished;
 *  - in TLS 1.3, where all of that is hidden, when the client has sent a record of the size of
 *    Finished alone in answer to the server's. What begins with another size is the client's
 *    certificate, which the server may still refuse: then it takes a further record of the server,
 *    and one of the size of an alert means that it did. With early data the client's records of
 *    other sizes say nothing. Records that are padded (RFC 8446 section 5.4) can be misread, but
 *    for those of Java.
 * It failed when somebody sent a fatal alert, or close_notify, before that; in TLS 1.3 also when
 * the first encrypted record of a side has the size of an alert. FLOW_DECIDED comes with either.
 */
enum flow_state tls_parse(const struct flow *flow, const struct tls_options *options,
			  struct tls_scratch *scratch, struct tls_session *ret,
			  struct flow_needs *ret_needs);

/*
 * The same for handshake messages without records, as in the CRYPTO frames of QUIC's Initial
 * packets, or put together from DTLS: each with the header of TLS, type and 24 bits of length, in
 * the order they were sent and none twice. HelloVerifyRequest belongs to it. Messages under
 * encryption do not: options->is_encrypted says that they follow.
 *
 * There are no alerts in this. With both sides encrypted the outcome is TLS_OUTCOME_established;
 * how a connection of QUIC or TLS 1.3 really ended its caller may know better. FLOW_DECIDED comes
 * with the last message that is not encrypted.
 */
enum flow_state tls_parse_messages(const struct flow *flow, const struct tls_options *options,
				   struct tls_scratch *scratch, struct tls_session *ret,
				   struct flow_needs *ret_needs);

#endif /* PROTO_TLS_H */
