/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_ALGORITHMS_H
#define CATALOGUE_ALGORITHMS_H

/*
 * Algorithms under one name each, whatever a library calls or numbers them, and what is thought of
 * them (algorithms.def). Everything returned is static and constant; what the catalogue does not
 * have is NULL, and the caller prints what it was given.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/codes.h"

/* Codes are for use within a run: only the names are printed and promised. */
enum algorithm_kind {
#define ALGORITHM_KIND(kind, help) ALGORITHM_KIND_##kind,
#include "catalogue/algorithms.def"
};

/* From good to bad: the greater, the worse. */
enum algorithm_strength {
#define ALGORITHM_STRENGTH(strength, help) ALGORITHM_STRENGTH_##strength,
#include "catalogue/algorithms.def"
};

extern const struct code_table algorithm_kind_codes;
extern const struct code_table algorithm_strength_codes;

struct algorithm_verdict {
	uint32_t strength;  /* enum algorithm_strength */
	const char *reason; /* one line */
	const char *source; /* the document that says so */
};

/*
 * The verdict is on the algorithm alone: what a program uses it for may make it better or worse
 * (SHA-1 in HMAC, MD5 for a cache key).
 */
struct algorithm {
	const char *name;
	uint32_t kind; /* enum algorithm_kind */
	const struct algorithm_verdict *verdict;
};

/*
 * Numbers with which libraries name algorithms. mechanism is CK_MECHANISM_TYPE of PKCS #11, nss_oid
 * SECOidTag of NSS, psa the type psa_algorithm_t, ktls a TLS_CIPHER_ of the kernel's TLS.
 * gnutls_mac and gnutls_digest share numbers: HMAC with SHA-256, or that. GCRY_KDF_ARGON2 of
 * gcrypt_kdf is a family: which one is its subalgo.
 */
enum algorithm_codes {
	ALGORITHM_CODES_nid,
	ALGORITHM_CODES_gnutls_cipher,
	ALGORITHM_CODES_gnutls_mac,
	ALGORITHM_CODES_gnutls_digest,
	ALGORITHM_CODES_gnutls_pk,
	ALGORITHM_CODES_gnutls_sign,
	ALGORITHM_CODES_gnutls_group,
	ALGORITHM_CODES_gcrypt_cipher,
	ALGORITHM_CODES_gcrypt_md,
	ALGORITHM_CODES_gcrypt_mac,
	ALGORITHM_CODES_gcrypt_pk,
	ALGORITHM_CODES_gcrypt_kdf,
	ALGORITHM_CODES_mechanism,
	ALGORITHM_CODES_nss_oid,
	ALGORITHM_CODES_psa,
	ALGORITHM_CODES_ktls,
	NR_ALGORITHM_CODES
};

/*
 * The algorithm that the SIZE bytes at NAME spell, which need not be terminated and may hold any
 * bytes: the one name, or that of a library, in any case and with or without separators.
 */
const struct algorithm *algorithm_by_name(const char *name, size_t size);

/* The algorithm with NUMBER among CODES. A psa number is decoded as algorithm_by_psa() does. */
const struct algorithm *algorithm_by_code(enum algorithm_codes codes, uint64_t number);

/*
 * The algorithm of gcry_cipher_open(): GCRY_CIPHER_ ALGO in GCRY_CIPHER_MODE_ MODE. The cipher
 * alone when the two are not known together.
 */
const struct algorithm *algorithm_by_gcrypt_cipher(int algo, int mode);

/*
 * The algorithm of gcry_md_open(): GCRY_MD_ ALGO, or HMAC with it when FLAGS has GCRY_MD_FLAG_HMAC.
 */
const struct algorithm *algorithm_by_gcrypt_md(int algo, unsigned int flags);

/*
 * The algorithm of a psa_algorithm_t (PSA Crypto API 1.1, chapter 10), whose length of tag or MAC
 * is overlooked. The number has no cipher and no size of key: AES-256-GCM is "GCM". A key agreement
 * with derivation is the agreement.
 */
const struct algorithm *algorithm_by_psa(uint32_t alg);

#define ALGORITHMS_KERNEL_MAX 2

/*
 * The algorithms of the kernel's crypto that the SIZE bytes at NAME spell, which need not be
 * terminated and may hold any bytes: "cbc(aes)" or the name of a driver, "__cbc-aes-aesni". Returns
 * how many it has written to RET: of authenc(hmac(sha256),cbc(aes)) the cipher and then the MAC.
 * Sizes of keys are not in such names. 0 when the one that gives it its name is not known.
 */
size_t algorithms_by_kernel_name(const char *name, size_t size,
				 const struct algorithm *ret[static ALGORITHMS_KERNEL_MAX]);

/* The first of them, or NULL. */
const struct algorithm *algorithm_by_kernel_name(const char *name, size_t size);

/* A negative number is one that no table has. */
static inline const struct algorithm *algorithm_by_nid(int nid)
{
	return algorithm_by_code(ALGORITHM_CODES_nid, (uint64_t)nid);
}

static inline const struct algorithm *algorithm_by_mechanism(unsigned long mechanism)
{
	return algorithm_by_code(ALGORITHM_CODES_mechanism, mechanism);
}

#endif /* CATALOGUE_ALGORITHMS_H */
