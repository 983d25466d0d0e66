/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_CONTENT_H
#define INSPECT_CONTENT_H

/*
 * What a certificate, key or keystore file really contains, judged by its bytes. Of certificates
 * everything that is public is told; of private keys only what they are, never a byte of them: the
 * parsers step over the secret numbers by their lengths.
 *
 * A struct content owns everything in it, until content_free().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/finding.h"
#include "pipeline/field.h"

/* What is read of a file at most; a larger one is judged by its beginning. */
#define CONTENT_SIZE_MAX (1U << 20)
/* Further ones are counted, not told. */
#define CONTENT_CERTIFICATES_MAX 256
#define CONTENT_KEYS_MAX	 64
#define CONTENT_FINDINGS_MAX	 64

/* All strings are UTF-8, NUL-terminated and may be NULL: not known. */
struct certificate {
	const char *subject; /* RFC 4514 text */
	const char *issuer;
	const char *serial; /* hexadecimal, lower case, no separators */
	const char *sans;   /* "DNS:a.example", "IP:192.0.2.1", ...: NUL-separated */
	size_t sans_size;
	/* ns since the epoch; dates outside 1970..2554 are cut to that, 0: not known */
	uint64_t not_before_ns;
	uint64_t not_after_ns;
	int64_t days_left;    /* whole days, rounded down: negative when expired; not cut */
	const char *key_type; /* "RSA", "EC", "Ed25519", "ML-DSA-65" ... */
	const char *curve;    /* "P-256", NULL when there is none */
	uint32_t key_bits;    /* 0: not known */
	const char *signature_algorithm; /* "RSA-SHA256", "ECDSA-SHA384", "Ed25519", "RSASSA-PSS" */
	const char *fingerprint_sha256;	 /* hexadecimal, lower case, of the DER */
	uint32_t position;		 /* in its file, from 0 */
	const char *chain;		 /* "leaf", "intermediate", "root", "alone": see chain.h */
	bool is_self_signed;		 /* signed with its own key */
	bool is_ca;			 /* basicConstraints */
};

struct key {
	const char *type; /* "RSA", "EC", "Ed25519", "DSA", "X25519", "ML-KEM-768"; NULL: hidden */
	const char
		*format; /* "PKCS#1", "PKCS#8", "SEC1", "OpenSSH", "OpenPGP", "PuTTY", "age" ... */
	const char *curve;
	uint32_t bits;	 /* 0: not public or not known */
	bool is_private; /* or secret */
	bool is_encrypted;
};

/* Access to the file, from fstat(2) of the descriptor that the bytes were read from. */
struct content_stat {
	uint32_t mode; /* permission bits */
	uint32_t uid;
	uint32_t gid;
	/*
	 * Every directory above may be searched by others, as far as known. Where this is false
	 * others have no access, whatever the mode says.
	 */
	bool is_public_place;
};

struct content {
	uint32_t type;	    /* enum file_type */
	uint32_t kind;	    /* enum file_kind */
	const char *format; /* "PEM", "DER", "PKCS#12", "JKS", "OpenSSH", "OpenPGP", "SQLite" ... */
	struct item_list certificates; /* of struct certificate */
	struct item_list keys;	       /* of struct key */
	struct item_list findings; /* of struct finding, evidence owned, file and processes empty */
	unsigned int nr_keepers;   /* besides the owner */
	const char *note; /* why less is known than could be: "damaged", "encrypted", ... or NULL */
};

/*
 * Has libcrypto load now what it loads at its first use otherwise, and keeps it from reading its
 * configuration: content_inspect() then opens no file. To be called before anything else uses
 * libcrypto, and before a sandbox is entered; again does no harm. Returns 0 or -EIO.
 */
int content_prepare(void);

/*
 * Judges the SIZE bytes at BYTES, the beginning of a file called NAME (may be NULL; it decides
 * between kinds that the content leaves open: a CA bundle and a chain, the key of a host and of a
 * user). IS_CUT: the file is longer. STAT may be NULL: not known. NOW_NS is the time of the
 * judgement, ns since the epoch. Never fails on bad bytes: *RET then says what little is known,
 * kind FILE_KIND_unknown. Returns 0 or -ENOMEM.
 */
int content_inspect(const void *bytes, size_t size, bool is_cut, const char *name,
		    const struct content_stat *stat, uint64_t now_ns, struct content **ret);

/* A certificate, DER. Borrows. */
struct content_der {
	const uint8_t *bytes;
	size_t size;
};

/*
 * Judges the NR certificates that a server showed, in its order, as a file with them. The same
 * otherwise.
 */
int content_inspect_chain(const struct content_der *ders, size_t nr, uint64_t now_ns,
			  struct content **ret);

/* Frees CONTENT, or takes back one content_keep(). NULL is fine. */
void content_free(struct content *content);

/* Lets CONTENT outlive its owner: it is freed by one more content_free(). Returns it. */
struct content *content_keep(const struct content *content);

/* {subject, issuer, ...} and {type, format, bits, encrypted, private} */
extern const struct fields certificate_fields;
extern const struct fields key_fields;

#endif /* INSPECT_CONTENT_H */
