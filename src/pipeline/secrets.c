/* SPDX-License-Identifier: MIT */
#include "pipeline/secrets.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "lib/bytes.h"

/* RFC 7468: labels are short words in upper case. */
#define PEM_LABEL_MAX 64

/* How a name has to end, without its separators and in lower case. */
static const struct ending {
	const char *text;
	bool is_word; /* also has to begin a word: "db-pass", but not "bypass" */
	enum secret_kind kind;
} endings[] = {
	{ "password", false, SECRET_VALUE },
	{ "passwd", false, SECRET_VALUE },
	{ "passphrase", false, SECRET_VALUE },
	{ "passcode", false, SECRET_VALUE },
	{ "token", false, SECRET_VALUE },
	{ "secret", false, SECRET_VALUE },
	{ "apikey", false, SECRET_VALUE },
	{ "accesskey", false, SECRET_VALUE },
	{ "secretkey", false, SECRET_VALUE },
	{ "pskkey", false, SECRET_VALUE },
	{ "credential", false, SECRET_VALUE },
	{ "credentials", false, SECRET_VALUE },
	{ "creds", false, SECRET_VALUE },
	{ "authorization", false, SECRET_VALUE },
	{ "cookie", false, SECRET_VALUE },
	{ "bearer", false, SECRET_VALUE },
	{ "storepass", false, SECRET_VALUE },	 /* keytool, jarsigner */
	{ "keypass", false, SECRET_VALUE },	 /* keytool, jarsigner */
	{ "srppass", false, SECRET_VALUE },	 /* openssl s_client */
	{ "rediscliauth", false, SECRET_VALUE }, /* REDISCLI_AUTH */
	{ "requirepass", false, SECRET_VALUE },	 /* redis-server */
	{ "masterauth", false, SECRET_VALUE },	 /* redis-server */
	{ "pinvalue", false, SECRET_VALUE },	 /* RFC 7512: pkcs11:...?pin-value= */
	{ "fromliteral", false, SECRET_VALUE },	 /* kubectl create secret */
	{ "pass", true, SECRET_VALUE },
	{ "pwd", true, SECRET_VALUE },
	{ "pw", true, SECRET_VALUE },
	{ "psk", true, SECRET_VALUE },
	{ "pin", true, SECRET_VALUE }, /* tokens and smart cards */
	{ "otp", true, SECRET_VALUE },
	{ "privatekey", false, SECRET_UNLESS_PATH },
	{ "privkey", false, SECRET_UNLESS_PATH },
	{ "encryptionkey", false, SECRET_UNLESS_PATH },
	{ "signingkey", false, SECRET_UNLESS_PATH },
	{ "masterkey", false, SECRET_UNLESS_PATH },
	{ "sharedkey", false, SECRET_UNLESS_PATH },
};

static bool is_separator(char c)
{
	return c == '-' || c == '_' || c == '.';
}

/* Whether NAME ends in TEXT, its separators left aside. Returns where; SIZE_MAX if it does not. */
static size_t ending_at(const char *name, size_t size, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		while (size > 0 && is_separator(name[size - 1]))
			size--;
		if (size == 0 || tolower((unsigned char)name[size - 1]) != text[left - 1])
			return SIZE_MAX;
		size--;
		left--;
	}
	return size;
}

static bool begins_word(const char *name, size_t at)
{
	return at == 0 || is_separator(name[at - 1]) ||
	       (isupper((unsigned char)name[at]) && islower((unsigned char)name[at - 1]));
}

enum secret_kind secret_name(const char *name, size_t size)
{
	/* the shell's working directories */
	if (bytes_equal(name, size, "PWD") || bytes_equal(name, size, "OLDPWD"))
		return SECRET_NONE;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t at = ending_at(name, size, endings[i].text);

		if (at != SIZE_MAX && (!endings[i].is_word || begins_word(name, at)))
			return endings[i].kind;
	}
	return SECRET_NONE;
}

bool secret_is_question(const char *name, size_t size)
{
	static const char *const begins[] = { "ask-", "no-", "prompt-", "skip-" };

	while (size > 0 && *name == '-') {
		name++;
		size--;
	}
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (bytes_begin(name, size, begins[i]))
			return true;
	return false;
}

bool secret_is_key_variable(const char *name, size_t size)
{
	static const char end[] = "_KEY";
	const size_t end_size = sizeof(end) - 1;

	return size > end_size && memcmp(name + size - end_size, end, end_size) == 0 &&
	       (isupper((unsigned char)name[size - end_size - 1]) ||
		isdigit((unsigned char)name[size - end_size - 1]));
}

bool secret_is_marked(const char *word, size_t size)
{
	static const char *const marks[] = {
		"eyJ", /* a JSON web token: {" in base64 (RFC 7519) */
		"ghp_",	 "gho_",      "ghs_", "github_pat_", "glpat-",	 "xoxb-",
		"xoxp-", "dckr_pat_", "npm_", "hvs.",	     "sk_live_", "AGE-SECRET-KEY-1",
	};
	const size_t least = 24;

	for (size_t i = 0; size >= least && i < sizeof(marks) / sizeof(marks[0]); i++)
		if (bytes_begin(word, size, marks[i]))
			return true;
	return false;
}

bool secret_is_path(const char *value, size_t size)
{
	static const char *const begins[] = { "./", "../", "~/", "file:" };
	/* 256 bits, the least a key has, in base64, which has slashes but no dots or dashes */
	const size_t key_size = 43;
	size_t at = 0;

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (bytes_begin(value, size, begins[i]))
			return true;
	if (!bytes_begin(value, size, "/"))
		return false;
	while (at < size && at < key_size &&
	       (isalnum((unsigned char)value[at]) || value[at] == '/' || value[at] == '+'))
		at++;
	return at < key_size;
}

const char *secret_pem_find(const char *at, const char *end, const char **ret_end)
{
	static const char begin[] = "-----BEGIN ", finish[] = "-----END ", key[] = "PRIVATE KEY";
	size_t label_size;

	for (;;) {
		const char *pem = memmem(at, (size_t)(end - at), begin, sizeof(begin) - 1);

		if (!pem)
			return NULL;
		at = pem + sizeof(begin) - 1;
		label_size =
			(size_t)(end - at) < PEM_LABEL_MAX ? (size_t)(end - at) : PEM_LABEL_MAX;
		if (!memmem(at, label_size, key, sizeof(key) - 1))
			continue;
		at = memmem(at, (size_t)(end - at), finish, sizeof(finish) - 1);
		*ret_end = end;
		if (at) {
			at += sizeof(finish) - 1;
			at = memmem(at, (size_t)(end - at), "-----", 5);
			*ret_end = at ? at + 5 : end;
		}
		return pem;
	}
}
