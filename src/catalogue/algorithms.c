/* SPDX-License-Identifier: MIT */
#include "catalogue/algorithms.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/array.h"

enum verdict {
#define ALGORITHM_VERDICT(id, strength, reason, source) VERDICT_##id,
#include "catalogue/algorithms.def"
};

/* Where an algorithm is in the table of algorithms. */
enum place {
#define ALGORITHM(id, name, kind, verdict) PLACE_##id,
#include "catalogue/algorithms.def"
};

static const struct code_entry kind_entries[] = {
#define ALGORITHM_KIND(kind, text) { ALGORITHM_KIND_##kind, #kind, text },
#include "catalogue/algorithms.def"
};

static const struct code_entry strength_entries[] = {
#define ALGORITHM_STRENGTH(strength, text) { ALGORITHM_STRENGTH_##strength, #strength, text },
#include "catalogue/algorithms.def"
};

const struct code_table algorithm_kind_codes = { "algorithm_kind", kind_entries,
						 ARRAY_SIZE(kind_entries) };
const struct code_table algorithm_strength_codes = { "algorithm_strength", strength_entries,
						     ARRAY_SIZE(strength_entries) };

static const struct algorithm_verdict verdicts[] = {
#define ALGORITHM_VERDICT(id, strength, reason, source)                                            \
	{ ALGORITHM_STRENGTH_##strength, reason, source },
#include "catalogue/algorithms.def"
};

static const struct algorithm algorithms[] = {
#define ALGORITHM(id, name, kind, verdict)                                                         \
	{ name, ALGORITHM_KIND_##kind, &verdicts[VERDICT_##verdict] },
#include "catalogue/algorithms.def"
};

struct spelling {
	const char *text;
	enum place place;
};

static const struct spelling spellings[] = {
#define ALGORITHM_SPELLING(id, spelling) { spelling, PLACE_##id },
#include "catalogue/algorithms.def"
};

/* Which table in the upper half, the number in the lower. */
#define CODE_KEY(codes, number) ((uint64_t)(codes) << 32 | (number))

struct numbered {
	uint64_t key;
	enum place place;
};

static const struct numbered numbered[] = {
#define ALGORITHM_CODE(codes, number, id) { CODE_KEY(ALGORITHM_CODES_##codes, number), PLACE_##id },
#include "catalogue/algorithm_nids.def"
#include "catalogue/algorithm_gnu.def"
#include "catalogue/algorithm_mechanisms.def"
#include "catalogue/algorithm_ktls.def"
#undef ALGORITHM_CODE
};

/* The longest name that is looked for, folded; the longest in the catalogue has some 40 bytes. */
#define FOLDED_MAX ((size_t)64)

/* Every name of the catalogue is gone through, for each that is looked up: not strchr(). */
static bool is_separator(char byte)
{
	switch (byte) {
	case '-':
	case '_':
	case '/':
	case '.':
	case ',':
	case ':':
	case ' ':
	case '(':
	case ')':
		return true;
	default:
		return false;
	}
}

static char lower(char byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return (char)(byte | 0x20);
	return byte;
}

/* Whether SIZE bytes end in a hash of the SHA-2 family, spelled with its "2": "sha2256". */
static bool ends_in_sha2(const char *folded, size_t size)
{
	static const char hashes[][8] = { "sha2224", "sha2256", "sha2384", "sha2512" };

	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		if (size >= 7 && !memcmp(folded + size - 7, hashes[i], 7))
			return true;
	return false;
}

/* Whether what follows "SHA2-256" makes it SLH-DSA-SHA2-256s or -256f. */
static bool is_parameter_set(const char *rest, size_t size)
{
	return size && (lower(*rest) == 's' || lower(*rest) == 'f');
}

/*
 * Writes NAME in lower case and without separators to FOLDED; its size, or 0 when it is longer than
 * any spelling. SHA2-256 becomes SHA-256, but not in the names of parameter sets.
 */
static size_t name_fold(const char *name, size_t size, char folded[static FOLDED_MAX])
{
	size_t nr = 0, start = size > 3 && !strncasecmp(name, "id-", 3) ? 3 : 0;

	if (size > 2 * FOLDED_MAX)
		return 0;
	for (size_t i = start; i < size; i++) {
		if (is_separator(name[i]))
			continue;
		if (nr == FOLDED_MAX)
			return 0;
		folded[nr++] = lower(name[i]);
		if (ends_in_sha2(folded, nr) && !is_parameter_set(name + i + 1, size - i - 1)) {
			memmove(folded + nr - 4, folded + nr - 3, 3);
			nr--;
		}
	}
	return nr;
}

/* Whether SPELLING, folded, is the SIZE bytes at FOLDED. */
static bool spelling_is(const char *spelling, const char *folded, size_t size)
{
	size_t at = 0;

	for (; *spelling; spelling++) {
		if (is_separator(*spelling))
			continue;
		if (at == size || lower(*spelling) != folded[at])
			return false;
		at++;
	}
	return at == size;
}

const struct algorithm *algorithm_by_name(const char *name, size_t size)
{
	char folded[FOLDED_MAX];
	size_t nr = name_fold(name, size, folded);

	if (!nr)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (spelling_is(algorithms[i].name, folded, nr))
			return &algorithms[i];
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (spelling_is(spellings[i].text, folded, nr))
			return &algorithms[spellings[i].place];
	return NULL;
}

static const struct algorithm *numbered_find(enum algorithm_codes codes, uint64_t number)
{
	size_t low = 0, high = ARRAY_SIZE(numbered);

	if (number > UINT32_MAX)
		return NULL;

	uint64_t key = CODE_KEY(codes, number);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (numbered[middle].key == key)
			return &algorithms[numbered[middle].place];
		if (numbered[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct algorithm *algorithm_by_code(enum algorithm_codes codes, uint64_t number)
{
	if (codes != ALGORITHM_CODES_psa)
		return numbered_find(codes, number);
	return number <= UINT32_MAX ? algorithm_by_psa((uint32_t)number) : NULL;
}

/* The algorithm whose name is BEFORE and BEHIND with a "-" between them. */
static const struct algorithm *algorithm_compose(const char *before, const char *behind)
{
	char name[2 * FOLDED_MAX];
	int size = snprintf(name, sizeof(name), "%s-%s", before, behind);

	return algorithm_by_name(name, (size_t)size < sizeof(name) ? (size_t)size : 0);
}

/* GCRY_CIPHER_MODE_ of gcrypt.h; no text: the cipher says it all. */
static const char *const gcrypt_modes[] = {
	[1] = "ECB",	   [2] = "CFB",	 [3] = "CBC",  [5] = "OFB",  [6] = "CTR",
	[7] = "WRAP",	   [8] = "CCM",	 [9] = "GCM",  [11] = "OCB", [12] = "CFB8",
	[10] = "Poly1305", [13] = "XTS", [14] = "EAX", [15] = "SIV", [16] = "GCM-SIV",
};

const struct algorithm *algorithm_by_gcrypt_cipher(int algo, int mode)
{
	const struct algorithm *cipher =
		numbered_find(ALGORITHM_CODES_gcrypt_cipher, (uint64_t)algo);
	const struct algorithm *whole = NULL;

	if (cipher && mode >= 0 && (size_t)mode < ARRAY_SIZE(gcrypt_modes) && gcrypt_modes[mode])
		whole = algorithm_compose(cipher->name, gcrypt_modes[mode]);
	return whole ? whole : cipher;
}

#define GCRY_MD_FLAG_HMAC 2u

const struct algorithm *algorithm_by_gcrypt_md(int algo, unsigned int flags)
{
	const struct algorithm *hash = numbered_find(ALGORITHM_CODES_gcrypt_md, (uint64_t)algo);

	if (!hash || !(flags & GCRY_MD_FLAG_HMAC))
		return hash;
	return algorithm_compose("HMAC", hash->name);
}

/* Of a psa_algorithm_t. The masks are those of PSA Crypto API 1.1, appendix B. */
#define PSA_CATEGORY	       0x7f000000u
#define PSA_CATEGORY_MAC       0x03000000u
#define PSA_CATEGORY_AEAD      0x05000000u
#define PSA_CATEGORY_SIGN      0x06000000u
#define PSA_CATEGORY_CRYPT     0x07000000u
#define PSA_CATEGORY_DERIVE    0x08000000u
#define PSA_CATEGORY_AGREEMENT 0x09000000u
#define PSA_HASH	       0x000000ffu
#define PSA_HASH_BASE	       0x02000000u
#define PSA_HMAC_BASE	       0x03800000u
#define PSA_LENGTH	       0x003f8000u /* of a tag or MAC, and whether it is the least */
#define PSA_AGREEMENT	       0xff7f0000u

static const struct algorithm *psa_find(uint32_t alg)
{
	return numbered_find(ALGORITHM_CODES_psa, alg);
}

/* The algorithm BASE with the hash of ALG where the two have a name together, else the BASE. */
static const struct algorithm *psa_hashed(uint32_t base, uint32_t alg)
{
	const struct algorithm *outer = psa_find(base);
	const struct algorithm *hash = psa_find(PSA_HASH_BASE | (alg & PSA_HASH));
	const struct algorithm *whole = NULL;

	if (outer && hash && outer->kind == ALGORITHM_KIND_signature && base == (alg & ~PSA_HASH))
		whole = algorithm_compose(!strcmp(outer->name, "RSA-PKCS1") ? "RSA" : outer->name,
					  hash->name);
	else if (outer && hash && outer->kind == ALGORITHM_KIND_mac)
		whole = algorithm_compose(outer->name, hash->name);
	return whole ? whole : outer;
}

const struct algorithm *algorithm_by_psa(uint32_t alg)
{
	const struct algorithm *exact;

	switch (alg & PSA_CATEGORY) {
	case PSA_CATEGORY_MAC:
		alg &= ~PSA_LENGTH;
		if ((alg & ~PSA_HASH) == PSA_HMAC_BASE)
			return psa_hashed(PSA_HMAC_BASE, alg);
		return psa_find(alg);
	case PSA_CATEGORY_AEAD:
		return psa_find(alg & ~PSA_LENGTH);
	case PSA_CATEGORY_SIGN:
	case PSA_CATEGORY_CRYPT:
	case PSA_CATEGORY_DERIVE:
		exact = psa_find(alg);
		return exact ? exact : psa_hashed(alg & ~PSA_HASH, alg);
	case PSA_CATEGORY_AGREEMENT:
		return psa_find(alg & PSA_AGREEMENT);
	default:
		return psa_find(alg);
	}
}
