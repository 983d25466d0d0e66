/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_JUDGE_H
#define INSPECT_JUDGE_H

/*
 * A struct content while it is made: the parsers of the formats hand what they find to it. It owns
 * every string that a parser adds. Running out of memory sticks (judge.err), so that parsers need
 * not ask after each call; limits of counts are kept here and nowhere else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/files.h"
#include "inspect/content.h"

/* Bytes of one text; a longer one is cut at a character. */
#define JUDGE_TEXT_MAX 4096
/* Bytes of a list of texts (alternative names). */
#define JUDGE_LIST_MAX (64U << 10)

/* The note where bytes beyond CONTENT_SIZE_MAX are missed. */
#define JUDGE_NOTE_CUT "cut: the file is longer than what is read"

struct x509_st;

/* A certificate's other half: what is needed until the whole file is known. */
struct judge_side {
	struct x509_st *x509; /* for names; owned */
	uint32_t weakness;    /* of the signature: enum signature_weakness, never pss */
	bool is_self_issued;  /* issuer and subject are equal */
	bool is_ca_like;      /* basicConstraints say CA, or version 1 and self-signed */
	bool has_no_dates;    /* they could not be read */
	bool is_soon_over;    /* 30 days or less left */
	bool is_early;	      /* not valid yet */
	bool is_issuer;	      /* of another one in the file */
	bool is_issued;	      /* by another one in the file */
};

/* What a file was seen to hold besides certificates and keys: decides its kind. */
enum judge_sight {
	SIGHT_CSR = 1U << 0,
	SIGHT_CRL = 1U << 1,
	SIGHT_PKCS7 = 1U << 2,
	SIGHT_CMS_MESSAGE = 1U << 3,
	SIGHT_DH_PARAMETERS = 1U << 4,
	SIGHT_PRIVATE_KEY = 1U << 5, /* X.509 style */
	SIGHT_PUBLIC_KEY = 1U << 6,
	SIGHT_SSH_PRIVATE_KEY = 1U << 7,
	SIGHT_PGP_PRIVATE_KEY = 1U << 8,
	SIGHT_PGP_PUBLIC_KEY = 1U << 9,
	SIGHT_PGP_DATA = 1U << 10,
	SIGHT_OCSP_RESPONSE = 1U << 11,
	SIGHT_ENCRYPTED_FILE = 1U << 12,
};

struct judge_block; /* memory of strings */

struct judge {
	struct content content; /* first: what is handed out is a pointer to it */
	struct certificate *certificates;
	struct judge_side *sides; /* as many */
	struct key *keys;
	struct finding *findings;
	uint32_t nr_certificates;
	uint32_t nr_keys;
	uint32_t nr_findings;
	uint32_t nr_certificates_untold; /* beyond the limits */
	uint32_t nr_keys_untold;
	uint32_t nr_findings_untold;
	uint32_t sights; /* enum judge_sight */
	uint64_t now_ns;
	bool is_cut;
	const struct file_class *name_class; /* what the name says, or NULL */
	struct judge_block *blocks;
	int err;
};

/* Returns NULL when there is no memory. */
struct judge *judge_new(uint64_t now_ns, bool is_cut);

/* Frees all of JUDGE, its content included. NULL is allowed. */
void judge_free(struct judge *judge);

/* Frees what only the parsers needed, and fills the lists of the content. Returns judge.err. */
int judge_finish(struct judge *judge);

/*
 * A copy of foreign text as one UTF-8 string: bytes that are not UTF-8 become U+FFFD, NUL "\00".
 * NULL when there is no memory.
 */
const char *judge_text(struct judge *judge, const void *bytes, size_t size);

/* A copy of the SIZE bytes of a list of texts that is UTF-8 already. */
const char *judge_list(struct judge *judge, const char *bytes, size_t size);

/* Formatted text of ours, cut at JUDGE_TEXT_MAX. */
const char *judge_format(struct judge *judge, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* SIZE bytes in lower-case hexadecimal. */
const char *judge_hex(struct judge *judge, const uint8_t *bytes, size_t size);

/*
 * Adds a copy of CERTIFICATE and SIDE, and takes side.x509 over in any case. judge_is_full() tells
 * before parsing whether it would only be counted.
 */
void judge_add_certificate(struct judge *judge, const struct certificate *certificate,
			   const struct judge_side *side);
bool judge_is_full(const struct judge *judge);

/* Counts a certificate that is not told. */
void judge_skip_certificate(struct judge *judge);

void judge_add_key(struct judge *judge, const struct key *key);

/* EVIDENCE is a string of JUDGE or NULL. */
void judge_add_finding(struct judge *judge, enum finding_rule rule, const char *evidence);

/* Says why less is known than could be; the first reason stays. NOTE is static or JUDGE's. */
void judge_note(struct judge *judge, const char *note);

/* The format, unless one was told before. Static text. */
void judge_set_format(struct judge *judge, const char *format);

void judge_set_kind(struct judge *judge, enum file_type type, enum file_kind kind);

#endif /* INSPECT_JUDGE_H */
