/* SPDX-License-Identifier: MIT */
#include "inspect/ssh.h"

#include <string.h>

#include "lib/array.h"
#include "lib/bytes.h"

#define CERTIFICATE_END "-cert-v01@openssh.com"

/* Where the size of a key is told. */
enum size_at {
	SIZE_FIXED,  /* by its type */
	SIZE_FIRST,  /* first number */
	SIZE_SECOND, /* second number */
};

/*
 * Types of keys. Behind the name some have "@openssh.com", and certificates of them CERTIFICATE_END
 * in its place.
 */
static const struct ssh_type {
	const char *name;
	const char *type;
	const char *curve;
	uint32_t bits;
	enum size_at size_at;
} types[] = {
	{ "ssh-rsa", "RSA", NULL, 0, SIZE_SECOND },
	{ "ssh-dss", "DSA", NULL, 0, SIZE_FIRST },
	{ "ssh-ed25519", "Ed25519", NULL, 256, SIZE_FIXED },
	{ "ssh-ed448", "Ed448", NULL, 456, SIZE_FIXED },
	{ "ecdsa-sha2-nistp256", "EC", "P-256", 256, SIZE_FIXED },
	{ "ecdsa-sha2-nistp384", "EC", "P-384", 384, SIZE_FIXED },
	{ "ecdsa-sha2-nistp521", "EC", "P-521", 521, SIZE_FIXED },
	/* The private part is in a security key. */
	{ "sk-ssh-ed25519", "Ed25519-SK", NULL, 256, SIZE_FIXED },
	{ "sk-ecdsa-sha2-nistp256", "EC-SK", "P-256", 256, SIZE_FIXED },
};

/* How long the name is that TYPE has in the table. */
static size_t stem_size(const char *type, size_t size)
{
	static const char *const ends[] = { CERTIFICATE_END, "@openssh.com" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t end_size = strlen(ends[i]);

		if (size > end_size && memcmp(type + size - end_size, ends[i], end_size) == 0)
			return size - end_size;
	}
	return size;
}

static const struct ssh_type *type_find(const char *type, size_t size)
{
	size_t stem = stem_size(type, size);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (bytes_equal(type, stem, types[i].name))
			return &types[i];
	return NULL;
}

bool ssh_type_is_known(const char *type, size_t size)
{
	return size < SSH_TYPE_MAX && type_find(type, size);
}

bool ssh_type_is_certificate(const char *type, size_t size)
{
	return size > strlen(CERTIFICATE_END) && ssh_type_is_known(type, size) &&
	       bytes_equal(type + size - strlen(CERTIFICATE_END), strlen(CERTIFICATE_END),
			   CERTIFICATE_END);
}

/* A string of RFC 4251, 5: four bytes of length and the bytes. Moves *AT behind it. */
static bool string_next(struct octets *octets, size_t *at, size_t *ret_at, uint32_t *ret_size)
{
	uint32_t size;

	if (!octets_number(octets, *at, 4, &size) || size > octets->size - *at - 4)
		return false;
	*ret_at = *at + 4;
	*ret_size = size;
	*at += 4 + (size_t)size;
	return true;
}

bool ssh_read_blob(struct octets *octets, size_t at, struct key *ret)
{
	const struct ssh_type *type;
	char name[SSH_TYPE_MAX];
	size_t value;
	uint32_t size;

	if (!string_next(octets, &at, &value, &size) || size >= sizeof(name) ||
	    !octets_copy(octets, value, size, name))
		return false;
	type = type_find(name, size);
	if (!type)
		return false;

	struct key key = { .type = type->type, .curve = type->curve, .bits = type->bits };

	/* A certificate has a nonce before the key. */
	if (ssh_type_is_certificate(name, size) && !string_next(octets, &at, &value, &size))
		return false;
	if (type->size_at != SIZE_FIXED) {
		for (int i = 0; i < (type->size_at == SIZE_SECOND ? 2 : 1); i++)
			if (!string_next(octets, &at, &value, &size))
				return false;
		key.bits = octets_bits(octets, value, size);
	}
	key.format = "OpenSSH";
	*ret = key;
	return true;
}

/* "openssh-key-v1\0" cipher kdf kdfoptions u32 nr_keys public... private: the last is not read. */
bool ssh_read_openssh(struct judge *judge, struct octets *octets)
{
	static const char magic[] = "openssh-key-v1";
	char name[sizeof(magic)] = "";
	uint32_t size, nr_keys, cipher_size;
	size_t at = sizeof(magic), value, cipher;
	char none[4] = "";
	bool is_encrypted;

	if (!octets_copy(octets, 0, sizeof(magic), name) ||
	    memcmp(name, magic, sizeof(magic)) != 0 ||
	    !string_next(octets, &at, &cipher, &cipher_size))
		return false;
	if (cipher_size == sizeof(none))
		octets_copy(octets, cipher, sizeof(none), none);
	is_encrypted = !bytes_equal(none, sizeof(none), "none");
	if (!string_next(octets, &at, &value, &size) || !string_next(octets, &at, &value, &size) ||
	    !octets_number(octets, at, 4, &nr_keys))
		return false;
	at += 4;
	/* ssh-keygen writes one; each takes bytes, so the file bounds the loop. */
	for (uint32_t i = 0; i < nr_keys; i++) {
		struct key key = { .format = "OpenSSH" };

		if (!string_next(octets, &at, &value, &size))
			break;
		(void)ssh_read_blob(octets, value, &key);
		key.is_private = true;
		key.is_encrypted = is_encrypted;
		judge_add_key(judge, &key);
	}
	return true;
}

#define PUTTY_MAGIC "PuTTY-User-Key-File-"

/* The rest of the line that begins with NAME among the first 8; NULL: there is none. */
static const char *putty_value(const char *text, size_t size, const char *name, size_t *ret_size)
{
	const char *end = text + size;

	for (int line = 0; line < 8 && text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);

		if (bytes_begin(text, length, name)) {
			*ret_size = length - strlen(name);
			if (*ret_size && text[length - 1] == '\r')
				--*ret_size;
			return text + strlen(name);
		}
		text += length + (newline != NULL);
	}
	return NULL;
}

bool ssh_judge_putty(struct judge *judge, const char *text, size_t size)
{
	struct key key = { 0 };
	struct octets octets;
	const char *value;
	size_t value_size;

	if (!bytes_begin(text, size, PUTTY_MAGIC))
		return false;
	/* The count of lines, then these; base64 ends at the '-' of "Private-Lines". */
	value = putty_value(text, size, "Public-Lines: ", &value_size);
	if (value) {
		value = memchr(value, '\n', size - (size_t)(value - text));
		if (value) {
			octets_base64(&octets, value, size - (size_t)(value - text));
			(void)ssh_read_blob(&octets, 0, &key);
		}
	}
	value = putty_value(text, size, "Encryption: ", &value_size);
	key.is_encrypted = !value || !bytes_equal(value, value_size, "none");
	key.is_private = true;
	key.format = "PuTTY";
	judge_add_key(judge, &key);
	judge_set_format(judge, "PuTTY");
	judge_set_kind(judge, FILE_TYPE_private_key, FILE_KIND_ssh_private_key);
	return true;
}
