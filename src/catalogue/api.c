/* SPDX-License-Identifier: MIT */
#include "catalogue/api.h"

#include <string.h>

#include "lib/array.h"

static const struct code_entry kind_entries[] = {
#define API_KIND(kind, text) { API_KIND_##kind, #kind, text },
#include "catalogue/api.def"
};

static const struct code_entry finding_entries[] = {
#define API_FINDING(finding, text) { API_FINDING_##finding, #finding, text },
#include "catalogue/api.def"
};

const struct code_table api_kind_codes = { "api_kind", kind_entries, ARRAY_SIZE(kind_entries) };
const struct code_table api_finding_codes = { "api_finding", finding_entries,
					      ARRAY_SIZE(finding_entries) };

/* clang-format off */

/* The words of the rows. */
#define TEXT(at, what)			{ API_READ_text, at, 0, what }
#define ALGORITHM_NAME(at, what)	{ API_READ_algorithm, at, 0, what }
#define FILE_NAME(at, what)		{ API_READ_path, at, 0, what }
#define NUMBER(at, what)		{ API_READ_number, at, 0, what }
#define CODE(at, table, what)		{ API_READ_code, at, ALGORITHM_CODES_##table, what }
#define CODE_AT(at, table, what)	{ API_READ_code_at, at, ALGORITHM_CODES_##table, what }
#define CODE_IN(at, table, what)	{ API_READ_code_in, at, ALGORITHM_CODES_##table, what }
#define METHOD(at, what)		{ API_READ_method, at, 0, what }
#define KEY_OF(at, what)		{ API_READ_key_of, at, 0, what }
#define VERSIONS_AT(at, what)		{ API_READ_versions_at, at, 0, what }
#define CONTROL(at, what)		{ API_READ_control, at, 0, what }
#define SETTING(at, what)		{ API_READ_setting, at, 0, what }
#define KERNEL_NAME(at, what)		{ API_READ_kernel_name, at, 0, what }
#define READ(...)			.arguments = { __VA_ARGS__ }
#define RESULT(type)			.result = API_RESULT_##type
#define NAMED(text)			.algorithm = text
#define SINCE(version)			.since = version
#define UNTIL(version)			.until = version
#define OUTSIDE				.is_outside = true
#define PROGRAMS			.in_programs = true
#define INSIDE				.is_inside = true
#define ONLY(number)			.only = number
#define FINDING(what, place, how, number)	\
	.finding = { API_FINDING_##what, place, API_TEST_##how, number }

#define API(function, what, which, ...)						\
	{ .name = #function, .family = API_FAMILY, .kind = API_KIND_##what,		\
	  .group = API_GROUP_##which, __VA_ARGS__ },

/* clang-format on */

#define API_FAMILY LIBRARY_FAMILY_openssl
static const struct api_function openssl[] = {
#include "catalogue/api_openssl.def"
#include "catalogue/api_openssl3.def"
};
#undef API_FAMILY

/* LibreSSL, BoringSSL and AWS-LC: what they have kept of OpenSSL 1.0, and what they have made. */
#define API_FAMILY LIBRARY_FAMILY_boringssl
static const struct api_function forks[] = {
#include "catalogue/api_openssl.def"
#include "catalogue/api_forks.def"
};
#undef API_FAMILY

#define API_FAMILY LIBRARY_FAMILY_gnutls
static const struct api_function gnutls[] = {
#include "catalogue/api_gnutls.def"
};
#undef API_FAMILY

#define API_FAMILY LIBRARY_FAMILY_nss
static const struct api_function nss[] = {
#include "catalogue/api_nss.def"
};
#undef API_FAMILY

#define API_FAMILY LIBRARY_FAMILY_pkcs11
static const struct api_function pkcs11[] = {
#include "catalogue/api_pkcs11.def"
};
#undef API_FAMILY

#define API_FAMILY LIBRARY_FAMILY_libgcrypt
static const struct api_function libgcrypt[] = {
#include "catalogue/api_libgcrypt.def"
};
#undef API_FAMILY

#define API_FAMILY LIBRARY_FAMILY_libsodium
static const struct api_function libsodium[] = {
#include "catalogue/api_libsodium.def"
};
#undef API_FAMILY

#define API_FAMILY LIBRARY_FAMILY_mbedtls
static const struct api_function mbedtls[] = {
#include "catalogue/api_mbedtls.def"
};
#undef API_FAMILY

#define API_FAMILY LIBRARY_FAMILY_wolfssl
static const struct api_function wolfssl[] = {
#include "catalogue/api_wolfssl.def"
};
#undef API_FAMILY

#define API_FAMILY LIBRARY_FAMILY_botan
static const struct api_function botan[] = {
#include "catalogue/api_botan.def"
};
#undef API_FAMILY

static const struct api_function kernel[] = {
#define API_KERNEL(id, function, what, ...)                                                        \
	[API_KERNEL_##id] = { .name = #function,                                                   \
			      .family = LIBRARY_FAMILY_kernel,                                     \
			      .kind = API_KIND_##what,                                             \
			      .group = API_GROUP_default,                                          \
			      __VA_ARGS__ },
#include "catalogue/api_kernel.def"
};

static const struct api_command commands[] = {
#define API_COMMAND(number, what, read, ...)                                                       \
	{ .command = (number), .name = (what), .argument = read, __VA_ARGS__ },
#include "catalogue/api.def"
};

struct table {
	enum library_family family;
	const struct api_function *functions;
	size_t nr;
};

#define TABLE(family, functions)                                                                   \
	{                                                                                          \
		LIBRARY_FAMILY_##family, functions, ARRAY_SIZE(functions)                          \
	}

static const struct table tables[] = {
	TABLE(openssl, openssl), TABLE(libressl, forks),      TABLE(boringssl, forks),
	TABLE(aws_lc, forks),	 TABLE(gnutls, gnutls),	      TABLE(nss, nss),
	TABLE(pkcs11, pkcs11),	 TABLE(libgcrypt, libgcrypt), TABLE(libsodium, libsodium),
	TABLE(mbedtls, mbedtls), TABLE(wolfssl, wolfssl),     TABLE(botan, botan),
};

const struct api_function *api_functions(enum library_family family, size_t *ret_nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (tables[i].family == family) {
			*ret_nr = tables[i].nr;
			return tables[i].functions;
		}
	*ret_nr = 0;
	return NULL;
}

const struct api_function *api_find(enum library_family family, const char *name, size_t size)
{
	size_t nr;
	const struct api_function *functions = api_functions(family, &nr);

	for (size_t i = 0; i < nr; i++)
		if (strlen(functions[i].name) == size && !memcmp(functions[i].name, name, size))
			return &functions[i];
	return NULL;
}

const struct api_function *api_kernel_function(uint32_t number)
{
	return number < ARRAY_SIZE(kernel) ? &kernel[number] : NULL;
}

/* The types are those of algif_skcipher.c, algif_aead.c, algif_hash.c and algif_rng.c. */
const struct api_function *api_kernel_bind(const char *type, size_t size,
					   const struct algorithm *algorithm)
{
	static const struct {
		const char *type;
		enum api_kernel number;
	} types[] = {
		{ "skcipher", API_KERNEL_bind_cipher },
		{ "aead", API_KERNEL_bind_cipher },
		{ "hash", API_KERNEL_bind_hash },
		{ "rng", API_KERNEL_bind_rng },
	};
	enum api_kernel number = API_KERNEL_bind;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strlen(types[i].type) == size && !memcmp(types[i].type, type, size))
			number = types[i].number;
	if (number == API_KERNEL_bind_hash && algorithm && algorithm->kind == ALGORITHM_KIND_mac)
		number = API_KERNEL_bind_mac;
	return &kernel[number];
}

const struct api_command *api_commands(size_t *ret_nr)
{
	*ret_nr = ARRAY_SIZE(commands);
	return commands;
}

const struct api_command *api_command_find(int command)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].command == command)
			return &commands[i];
	return NULL;
}

const struct algorithm *api_key_as_used(const struct api_function *function,
					const struct algorithm *key)
{
	if (strcmp(key->name, "EC") != 0)
		return key;
	if (function->kind == API_KIND_signature)
		return algorithm_by_name("ECDSA", strlen("ECDSA"));
	if (function->kind == API_KIND_derive)
		return algorithm_by_name("ECDH", strlen("ECDH"));
	return key;
}

bool api_finding_holds(const struct api_finding *finding, int64_t value)
{
	if (finding->kind == API_FINDING_none)
		return false;
	switch ((enum api_test)finding->test) {
	case API_TEST_always:
		return true;
	case API_TEST_equals:
		return value == finding->limit;
	case API_TEST_differs:
		return value != finding->limit;
	case API_TEST_below:
		return value < finding->limit;
	case API_TEST_set_below:
		return value && value < finding->limit;
	case API_TEST_without:
		return !(value & finding->limit);
	}
	return false;
}

static bool is_scheme_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' || byte == '.';
}

/* RFC 3986 section 3.1: a scheme has neither a slash nor a blank. */
size_t api_path_kept(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == ':')
			return i;
		if (!is_scheme_byte(text[i]))
			return size;
	}
	return size;
}
