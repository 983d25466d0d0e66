/* SPDX-License-Identifier: MIT */
/*
 * Names of the kernel's crypto: cra_name and cra_driver_name in its crypto/, arch/ and drivers/.
 * The first are templates around each other and around an algorithm, "authenc(hmac(sha256),
 * cbc(aes))" (Documentation/crypto/architecture.rst). The others are these with the name of what
 * carries it out, or words with "-" between them, "cbc-aes-aesni".
 */
#include "catalogue/algorithms.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/array.h"

#define KERNEL_NAME_MAX 128 /* CRYPTO_MAX_ALG_NAME of include/linux/crypto.h */
#define DEPTH_MAX	4   /* of templates: seqiv(authenc(hmac(sha1),rfc3686(ctr(aes)))) */
#define WORDS_MAX	3   /* that tell who carries it out: "neon", "aesni-avx2", "fixed-time" */

struct text {
	const char *bytes;
	size_t size;
};

enum form {
	FORM_INNER, /* adds nothing that changes the name */
	FORM_MODE,  /* NAME behind that of the cipher */
	FORM_MAC,   /* NAME before that of the hash */
	FORM_WHOLE, /* NAME, whatever is inside */
	FORM_BOTH,  /* the second behind the first */
	FORM_PAIR   /* a MAC and a cipher: two algorithms */
};

struct template
{
	const char *word;
	enum form form;
	const char *name;
	const char *over; /* the mode that it is made of, and is no more told */
};

static const struct template templates[] = {
	{ "cryptd", FORM_INNER, NULL, NULL },
	{ "pcrypt", FORM_INNER, NULL, NULL },
	{ "seqiv", FORM_INNER, NULL, NULL },
	{ "echainiv", FORM_INNER, NULL, NULL },
	{ "essiv", FORM_INNER, NULL, NULL },
	{ "rfc3686", FORM_INNER, NULL, NULL },
	{ "rfc4106", FORM_INNER, NULL, NULL },
	{ "rfc4309", FORM_INNER, NULL, NULL },
	{ "generic", FORM_INNER, NULL, NULL }, /* generic-gcm-aesni */
	{ "ecb", FORM_MODE, "ECB", NULL },
	{ "cbc", FORM_MODE, "CBC", "ECB" }, /* of cbc(ecb(aes-generic)), since 6.7 */
	{ "cfb", FORM_MODE, "CFB", NULL },
	{ "ofb", FORM_MODE, "OFB", NULL },
	{ "ctr", FORM_MODE, "CTR", NULL },
	{ "cts", FORM_MODE, "CTS", NULL },
	{ "xts", FORM_MODE, "XTS", "ECB" },
	{ "kw", FORM_MODE, "WRAP", NULL },
	{ "gcm", FORM_MODE, "GCM", NULL },
	{ "gcm_base", FORM_MODE, "GCM", "CTR" },
	{ "rfc4543", FORM_MODE, "GMAC", "GCM" },
	{ "ccm", FORM_MODE, "CCM", NULL },
	{ "ccm_base", FORM_MODE, "CCM", "CTR" },
	{ "cmac", FORM_MODE, "CMAC", NULL },
	{ "xcbc", FORM_MODE, "XCBC-MAC", NULL },
	{ "cbcmac", FORM_WHOLE, "CBC-MAC", NULL },
	{ "hmac", FORM_MAC, "HMAC", NULL },
	{ "rfc7539", FORM_BOTH, NULL, NULL },
	{ "rfc7539esp", FORM_BOTH, NULL, NULL },
	{ "authenc", FORM_PAIR, NULL, NULL },
	{ "authencesn", FORM_PAIR, NULL, NULL },
	{ "krb5enc", FORM_PAIR, NULL, NULL },
};

/* What no library calls it. */
static const char *const own_names[][2] = {
	{ "des3_ede", "3DES" },
	{ "ecb(arc4)", "RC4" },
	{ "cipher_null", "NULL" },
	{ "ecb(cipher_null)", "NULL" },
	{ "ecb-cipher_null", "NULL" },
	{ "wp512", "Whirlpool" },
	{ "tgr192", "Tiger" },
	{ "aesni", "AES" },
	{ "vaes", "AES" },
};

/* The deterministic generators, whose names go on with a cipher or hash (crypto/drbg.c). */
static const char *const own_beginnings[][2] = {
	{ "drbg_pr_ctr_", "CTR-DRBG" },	  { "drbg_nopr_ctr_", "CTR-DRBG" },
	{ "drbg_pr_hmac_", "HMAC-DRBG" }, { "drbg_nopr_hmac_", "HMAC-DRBG" },
	{ "drbg_pr_sha", "Hash-DRBG" },	  { "drbg_nopr_sha", "Hash-DRBG" },
};

static bool text_is(struct text text, const char *word)
{
	return strlen(word) == text.size && !memcmp(text.bytes, word, text.size);
}

static bool text_begins(struct text text, const char *word)
{
	return strlen(word) <= text.size && !memcmp(text.bytes, word, strlen(word));
}

static struct text text_after(struct text text, size_t size)
{
	return (struct text){ text.bytes + size, text.size - size };
}

static const struct algorithm *by_name(const char *name)
{
	return algorithm_by_name(name, strlen(name));
}

static bool text_has(struct text text, char byte)
{
	return memchr(text.bytes, byte, text.size) != NULL;
}

/* The algorithm that TEXT is, without taking it apart: names in general overlook brackets. */
static const struct algorithm *plain_find(struct text text)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_names); i++)
		if (text_is(text, own_names[i][0]))
			return by_name(own_names[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(own_beginnings); i++)
		if (text_begins(text, own_beginnings[i][0]))
			return by_name(own_beginnings[i][1]);
	if (text_has(text, '(') || text_has(text, ')') || text_has(text, ','))
		return NULL;
	return algorithm_by_name(text.bytes, text.size);
}

/* The same for one whose last words may tell who carries it out: "sha256-arm64-neon". */
static const struct algorithm *driver_find(struct text text)
{
	const struct algorithm *found = plain_find(text);

	for (size_t i = 0; !found && i < WORDS_MAX; i++) {
		const char *dash = memrchr(text.bytes, '-', text.size);

		if (!dash)
			return NULL;
		text.size = (size_t)(dash - text.bytes);
		found = plain_find(text);
	}
	return found;
}

/* The template that TEXT begins with, and what is inside or behind it; NULL when it has none. */
static const struct template *template_find(struct text text, struct text *ret_inside)
{
	const char *bracket = memchr(text.bytes, '(', text.size);
	const char *dash = memchr(text.bytes, '-', text.size);
	const char *end = bracket && (!dash || bracket < dash) ? bracket : dash;
	struct text word = { text.bytes, end ? (size_t)(end - text.bytes) : 0 };
	struct text inside;

	if (!end)
		return NULL;
	inside = text_after(text, word.size + 1);
	if (end == bracket) {
		if (!inside.size || inside.bytes[inside.size - 1] != ')')
			return NULL;
		inside.size--;
	}
	for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
		if (text_is(word, templates[i].word)) {
			*ret_inside = inside;
			return &templates[i];
		}
	return NULL;
}

/* Cuts TEXT at its first comma that is in no brackets; what is behind it, which may be nothing. */
static struct text text_split(struct text *text)
{
	size_t depth = 0;

	for (size_t i = 0; i < text->size; i++) {
		struct text rest = text_after(*text, i + 1);

		switch (text->bytes[i]) {
		case '(':
			depth++;
			break;
		case ')':
			depth -= depth > 0;
			break;
		case ',':
			if (depth)
				break;
			text->size = i;
			return rest;
		}
	}
	return text_after(*text, text->size);
}

/* Variants for the kernel's own use have "__" before their name. */
static struct text text_open(struct text text)
{
	return text_begins(text, "__") ? text_after(text, 2) : text;
}

/* The algorithm whose name is the SIZE bytes at BEFORE and BEHIND with a "-" between them. */
static const struct algorithm *compose(const char *before, size_t size, const char *behind)
{
	char name[2 * KERNEL_NAME_MAX];
	int nr = snprintf(name, sizeof(name), "%.*s-%s", (int)size, before, behind);

	return nr > 0 && (size_t)nr < sizeof(name) ? algorithm_by_name(name, (size_t)nr) : NULL;
}

static const struct algorithm *mode_compose(const struct template *template, const char *cipher)
{
	size_t size = strlen(cipher);
	size_t over = template->over ? strlen(template->over) : 0;

	if (over && size > over && cipher[size - over - 1] == '-' &&
	    !strcmp(cipher + size - over, template->over))
		size -= over + 1;
	return compose(cipher, size, template->name);
}

/* What TEMPLATE makes of the algorithm INNER, which is its first argument, and of the SECOND. */
static const struct algorithm *template_apply(const struct template *template,
					      const struct algorithm *inner, struct text second)
{
	const struct algorithm *other;

	switch (template->form) {
	case FORM_MODE:
		return mode_compose(template, inner->name);
	case FORM_MAC:
		return compose(template->name, strlen(template->name), inner->name);
	case FORM_WHOLE:
		return by_name(template->name);
	case FORM_BOTH:
		other = driver_find(second);
		return other ? compose(inner->name, strlen(inner->name), other->name) : NULL;
	case FORM_INNER:
	case FORM_PAIR:
		break;
	}
	return inner;
}

/*
 * The algorithm of TEXT. Where it is a pair, its cipher, and RET_MAC becomes the text of the MAC.
 * From the outside to the inside, and back again.
 */
static const struct algorithm *resolve(struct text text, struct text *ret_mac)
{
	struct {
		const struct template *template;
		struct text second;
	} around[DEPTH_MAX];
	size_t nr = 0;
	const struct algorithm *found;
	const struct template *template;
	struct text inside;

	text = text_open(text);
	while (!plain_find(text) && (template = template_find(text, &inside))) {
		struct text second = text_split(&inside);

		if (nr == DEPTH_MAX)
			return NULL;
		if (template->form == FORM_PAIR)
			*ret_mac = inside;
		around[nr].template = template;
		around[nr++].second = second;
		text = text_open(template->form == FORM_PAIR ? second : inside);
	}
	for (found = driver_find(text); found && nr; nr--)
		found = template_apply(around[nr - 1].template, found, around[nr - 1].second);
	return found;
}

size_t algorithms_by_kernel_name(const char *name, size_t size,
				 const struct algorithm *ret[static ALGORITHMS_KERNEL_MAX])
{
	struct text mac = { NULL, 0 }, none;

	if (size > KERNEL_NAME_MAX)
		return 0;
	ret[0] = resolve((struct text){ name, size }, &mac);
	if (!ret[0])
		return 0;
	ret[1] = mac.size ? resolve(mac, &none) : NULL;
	return ret[1] ? 2 : 1;
}

const struct algorithm *algorithm_by_kernel_name(const char *name, size_t size)
{
	const struct algorithm *found[ALGORITHMS_KERNEL_MAX];

	return algorithms_by_kernel_name(name, size, found) ? found[0] : NULL;
}
