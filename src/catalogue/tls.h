/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_TLS_H
#define CATALOGUE_TLS_H

/*
 * What the numbers of TLS mean: names for all, and of cipher suites, groups and signature schemes
 * what must be known to judge them. Everything returned is static and constant; what the catalogue
 * does not have is NULL, and the caller prints the number. One table serves TLS, DTLS and QUIC.
 */

#include <stdbool.h>
#include <stdint.h>

#include "catalogue/codes.h"

extern const struct code_table tls_version_codes;
extern const struct code_table tls_cipher_codes;
extern const struct code_table tls_group_codes;
extern const struct code_table tls_signature_codes;
extern const struct code_table tls_alert_codes;
extern const struct code_table tls_extension_codes;

/* Versions as they are on the wire. */
enum tls_version {
	TLS_VERSION_SSL2 = 0x0002,
	TLS_VERSION_SSL3 = 0x0300,
	TLS_VERSION_1_0 = 0x0301,
	TLS_VERSION_1_1 = 0x0302,
	TLS_VERSION_1_2 = 0x0303,
	TLS_VERSION_1_3 = 0x0304,
	DTLS_VERSION_1_3 = 0xfefc,
	DTLS_VERSION_1_2 = 0xfefd,
	DTLS_VERSION_1_0 = 0xfeff,
};

/*
 * The version of TLS that VERSION is or is made of, so that versions can be compared: that of DTLS
 * (1.0 is made of TLS 1.1, RFC 4347 section 1), and 1.3 for its drafts, 0x7fnn. Others as they are.
 */
uint16_t tls_version_base(uint16_t version);

enum tls_alert {
#define TLS_ALERT(code, id) TLS_ALERT_##id = (code),
#include "catalogue/tls_alerts.def"
};

enum tls_extension {
#define TLS_EXTENSION(code, id) TLS_EXTENSION_##id = (code),
#include "catalogue/tls_extensions.def"
};

enum tls_key_exchange {
#define TLS_KEY_EXCHANGE(id, is_forward_secret, is_export, help) TLS_KEY_EXCHANGE_##id,
#include "catalogue/tls_ciphers.def"
	NR_TLS_KEY_EXCHANGES
};

enum tls_authentication {
#define TLS_AUTHENTICATION(id, help) TLS_AUTHENTICATION_##id,
#include "catalogue/tls_ciphers.def"
	NR_TLS_AUTHENTICATIONS
};

enum tls_encryption {
#define TLS_ENCRYPTION(id, algorithm, bits, mode, tag_size) TLS_ENCRYPTION_##id,
#include "catalogue/tls_ciphers.def"
	NR_TLS_ENCRYPTIONS
};

enum tls_hash {
#define TLS_HASH(id, algorithm, size) TLS_HASH_##id,
#include "catalogue/tls_ciphers.def"
	NR_TLS_HASHES
};

enum tls_mode {
	TLS_MODE_none,
	TLS_MODE_stream,
	TLS_MODE_cbc,
	TLS_MODE_aead
};

struct tls_key_exchange_info {
	bool is_forward_secret; /* stealing a long-lived key later opens no old session */
	bool is_export;		/* made short on purpose, by a law of the 1990s */
};

struct tls_encryption_info {
	const char *algorithm; /* as in algorithms.def */
	uint16_t bits;	       /* of the key that count */
	uint8_t mode;	       /* enum tls_mode */
	uint8_t tag_size;      /* of AEAD, in bytes */
};

struct tls_hash_info {
	const char *algorithm; /* as in algorithms.def */
	uint8_t size;	       /* bytes */
};

extern const struct code_table tls_key_exchange_codes;
extern const struct code_table tls_authentication_codes;
extern const struct tls_key_exchange_info tls_key_exchanges[NR_TLS_KEY_EXCHANGES];
extern const struct tls_encryption_info tls_encryptions[NR_TLS_ENCRYPTIONS];
extern const struct tls_hash_info tls_hashes[NR_TLS_HASHES];

/* What a cipher suite is made of. */
struct tls_cipher {
	uint16_t code;
	uint8_t key_exchange;	/* enum tls_key_exchange */
	uint8_t authentication; /* enum tls_authentication */
	uint8_t encryption;	/* enum tls_encryption */
	uint8_t hash;		/* enum tls_hash: of the MAC, or for AEAD of the PRF */
};

const struct tls_cipher *tls_cipher_find(uint16_t code);

enum tls_group_kind {
#define TLS_GROUP_KIND(id, is_post_quantum, help) TLS_GROUP_KIND_##id,
#include "catalogue/tls_groups.def"
	NR_TLS_GROUP_KINDS
};

extern const struct code_table tls_group_kind_codes;

struct tls_group {
	uint16_t code;
	uint8_t kind;	   /* enum tls_group_kind */
	uint16_t bits;	   /* of the curve or the field; 0: none */
	uint16_t kem_bits; /* 512, 768 or 1024 with ML-KEM or its draft, else 0 */
};

const struct tls_group *tls_group_find(uint16_t code);

/* Whether a secret agreed on in the group CODE resists a quantum computer. False: unknown too. */
bool tls_group_is_post_quantum(uint16_t code);

/* The hash of the signature scheme CODE as in algorithms.def, "" where the scheme brings its own.
 */
const char *tls_signature_hash(uint16_t code);

/*
 * Whether CODE is one of the sixteen values without meaning that clients strew into lists of
 * suites, extensions, groups, versions and signature schemes (RFC 8701 section 2). Those of ALPN
 * are two such bytes.
 */
static inline bool tls_is_grease(uint16_t code)
{
	return (code & 0x0f0f) == 0x0a0a && code >> 8 == (code & 0xff);
}

/* The same for PSK key exchange modes: 0x0b, 0x2a, 0x49 and so on. */
static inline bool tls_is_grease_mode(uint8_t mode)
{
	return mode >= 0x0b && (mode - 0x0b) % 0x1f == 0;
}

#endif /* CATALOGUE_TLS_H */
