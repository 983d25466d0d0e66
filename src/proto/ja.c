/* SPDX-License-Identifier: MIT */
#include "proto/ja.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/tls.h"
#include "lib/array.h"
#include "proto/tls_hello.h"

/* JA4 shows as many digits of its hashes. */
#define PART_SIZE 12

/* All lists of a hello, of which each number may have five digits or four and a separator. */
#define LIST_TEXT_SIZE (2 * 6 * TLS_CODES_MAX)

struct text {
	char *out;
	size_t size;
	size_t cap;
};

/*
 * Texts are sized for all they may hold: nothing is cut. A hello has some hundred numbers, which
 * printf() would take 20 us for.
 */
static void add_char(struct text *text, char letter)
{
	if (text->size + 1 < text->cap)
		text->out[text->size++] = letter;
	text->out[text->size] = '\0';
}

static void add_digits(struct text *text, unsigned int number, unsigned int base, size_t nr)
{
	static const char digits[] = "0123456789abcdef";
	char reversed[8];

	for (size_t i = 0; i < nr; i++, number /= base)
		reversed[i] = digits[number % base];
	while (nr > 0)
		add_char(text, reversed[--nr]);
}

static void add_decimal(struct text *text, unsigned int number)
{
	size_t nr = 1;

	for (unsigned int rest = number; rest >= 10; rest /= 10)
		nr++;
	add_digits(text, number, 10, nr);
}

static bool is_whole(const struct tls_client_hello *hello)
{
	return hello->is_there && !hello->is_cut && !hello->is_sslv2 && !hello->ciphers.is_cut &&
	       !hello->extensions.is_cut && !hello->groups.is_cut && !hello->versions.is_cut &&
	       !hello->signatures.is_cut && !hello->point_formats.is_cut;
}

/* The digest of TEXT in hexadecimal, its first SIZE digits, terminated. */
static int hash(const EVP_MD *type, const struct text *text, size_t size, char *ret)
{
	struct text digits = { .out = ret, .cap = size + 1 };
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(text->out, text->size, digest, NULL, type, NULL) != 1)
		return -ENOTSUP;
	for (size_t i = 0; i < size / 2; i++)
		add_digits(&digits, digest[i], 16, 2);
	return 0;
}

/* "," and the list, its numbers apart by "-". */
static void add_list(struct text *text, const struct tls_codes *codes)
{
	add_char(text, ',');
	for (size_t i = 0; i < codes->nr; i++) {
		if (i)
			add_char(text, '-');
		add_decimal(text, codes->codes[i]);
	}
}

int ja3_text(const struct tls_client_hello *hello, char ret[static JA3_TEXT_SIZE])
{
	struct text text = { .out = ret, .cap = JA3_TEXT_SIZE };

	if (!is_whole(hello))
		return -ENODATA;
	add_decimal(&text, hello->legacy_version);
	add_list(&text, &hello->ciphers);
	add_list(&text, &hello->extensions);
	add_list(&text, &hello->groups);
	add_char(&text, ',');
	for (size_t i = 0; i < hello->point_formats.nr; i++) {
		if (i)
			add_char(&text, '-');
		add_decimal(&text, hello->point_formats.bytes[i]);
	}
	return 0;
}

int ja3_hash(const struct tls_client_hello *hello, char ret[static JA3_SIZE])
{
	char bytes[JA3_TEXT_SIZE];
	struct text text = { .out = bytes };
	int err = ja3_text(hello, bytes);

	if (err)
		return err;
	text.size = strlen(bytes);
	return hash(EVP_md5(), &text, JA3_SIZE - 1, ret);
}

/* What JA4 calls the version that is offered: the greatest of the list, or the only one. */
static const char *ja4_version(const struct tls_client_hello *hello, bool is_dtls)
{
	static const struct {
		uint16_t version;
		const char *text;
	} names[] = {
		{ TLS_VERSION_1_3, "13" },  { TLS_VERSION_1_2, "12" },	{ TLS_VERSION_1_1, "11" },
		{ TLS_VERSION_1_0, "10" },  { TLS_VERSION_SSL3, "s3" }, { TLS_VERSION_SSL2, "s2" },
		{ DTLS_VERSION_1_0, "d1" }, { DTLS_VERSION_1_2, "d2" }, { DTLS_VERSION_1_3, "d3" },
	};
	uint16_t version = hello->versions.nr ? hello->versions.codes[0] : hello->legacy_version;

	/* Versions of DTLS count down. */
	for (size_t i = 1; i < hello->versions.nr; i++)
		if ((hello->versions.codes[i] > version) != is_dtls)
			version = hello->versions.codes[i];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].version == version)
			return names[i].text;
	return "00";
}

static bool is_alphanumeric(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

/*
 * The first and the last character of the first protocol; where one of them is neither letter nor
 * digit, the first and the last digit of all in hexadecimal.
 */
static void add_alpn(struct text *text, const struct tls_client_hello *hello)
{
	uint8_t first, last;

	if (hello->nr_alpn == 0 || hello->alpn[0].size == 0) {
		add_digits(text, 0, 10, 2);
		return;
	}
	first = hello->alpn[0].bytes[0];
	last = hello->alpn[0].bytes[hello->alpn[0].size - 1];
	if (is_alphanumeric(first) && is_alphanumeric(last)) {
		add_char(text, (char)first);
		add_char(text, (char)last);
	} else {
		add_digits(text, first >> 4, 16, 1);
		add_digits(text, last & 0x0f, 16, 1);
	}
}

static int code_compare(const void *left, const void *right)
{
	const uint16_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static void add_hexadecimal(struct text *text, const struct tls_codes *codes)
{
	for (size_t i = 0; i < codes->nr; i++) {
		if (i)
			add_char(text, ',');
		add_digits(text, codes->codes[i], 16, 4);
	}
}

static int add_hash(struct text *text, const struct text *of)
{
	char digits[PART_SIZE + 1] = "000000000000";
	int err = of->size ? hash(EVP_sha256(), of, PART_SIZE, digits) : 0;

	if (err)
		return err;
	add_char(text, '_');
	for (size_t i = 0; i < PART_SIZE; i++)
		add_char(text, digits[i]);
	return 0;
}

static int add_ciphers(struct text *text, const struct tls_client_hello *hello)
{
	char bytes[LIST_TEXT_SIZE];
	struct text list = { .out = bytes, .cap = sizeof(bytes) };
	struct tls_codes ciphers = hello->ciphers;

	qsort(ciphers.codes, ciphers.nr, sizeof(ciphers.codes[0]), code_compare);
	add_hexadecimal(&list, &ciphers);
	return add_hash(text, &list);
}

/* Sorted and without the name and ALPN, which the text in front has; signatures as they come. */
static int add_extensions(struct text *text, const struct tls_client_hello *hello)
{
	char bytes[LIST_TEXT_SIZE];
	struct text list = { .out = bytes, .cap = sizeof(bytes) };
	struct tls_codes extensions = { .nr = 0 };

	for (size_t i = 0; i < hello->extensions.nr; i++) {
		uint16_t code = hello->extensions.codes[i];

		if (code != TLS_EXTENSION_server_name &&
		    code != TLS_EXTENSION_application_layer_protocol_negotiation)
			tls_codes_add(&extensions, code);
	}
	qsort(extensions.codes, extensions.nr, sizeof(extensions.codes[0]), code_compare);
	add_hexadecimal(&list, &extensions);
	if (extensions.nr && hello->signatures.nr)
		add_char(&list, '_');
	if (extensions.nr)
		add_hexadecimal(&list, &hello->signatures);
	return add_hash(text, &list);
}

static unsigned int two_digits(unsigned int number)
{
	return number < 99 ? number : 99;
}

int ja4_format(const struct tls_client_hello *hello, unsigned int transport,
	       char ret[static JA4_SIZE])
{
	static const char transports[] = { 't', 'q', 'd' };
	char bytes[JA4_SIZE] = "";
	struct text text = { .out = bytes, .cap = sizeof(bytes) };
	const char *version = ja4_version(hello, transport == TLS_TRANSPORT_dtls);
	bool has_name = tls_codes_have(&hello->extensions, TLS_EXTENSION_server_name);
	int err;

	if (!is_whole(hello) || transport >= ARRAY_SIZE(transports))
		return -ENODATA;
	add_char(&text, transports[transport]);
	add_char(&text, version[0]);
	add_char(&text, version[1]);
	add_char(&text, has_name ? 'd' : 'i');
	add_digits(&text, two_digits(hello->ciphers.nr), 10, 2);
	add_digits(&text, two_digits(hello->extensions.nr), 10, 2);
	add_alpn(&text, hello);
	err = add_ciphers(&text, hello);
	if (!err)
		err = add_extensions(&text, hello);
	if (!err)
		memcpy(ret, bytes, JA4_SIZE);
	return err;
}
