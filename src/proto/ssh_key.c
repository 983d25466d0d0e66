/* SPDX-License-Identifier: MIT */
#include "proto/ssh_key.h"

#include <string.h>

#include <openssl/evp.h>

#include "catalogue/ssh.h"
#include "lib/bytes.h"

#define SHA256_SIZE 32
#define PREFIX	    "SHA256:"

struct flow_text ssh_string(struct reader *reader)
{
	size_t size = reader_u32(reader);
	const uint8_t *bytes = reader->is_short ? NULL : reader_skip(reader, size);

	return (struct flow_text){ bytes, bytes ? size : 0 };
}

uint32_t ssh_mpint_bits(const struct flow_text *mpint)
{
	size_t at = 0;
	uint32_t bits;

	while (at < mpint->size && mpint->bytes[at] == 0)
		at++;
	if (at == mpint->size || mpint->size - at > UINT32_MAX / 8)
		return 0;
	bits = (uint32_t)(mpint->size - at) * 8;
	for (uint8_t first = mpint->bytes[at]; !(first & 0x80); first <<= 1)
		bits--;
	return bits;
}

/* Bits of the modulus behind the type in READER; of RSA the exponent comes first. */
static uint32_t modulus_bits(struct reader *reader, bool is_rsa, bool is_certificate)
{
	struct flow_text modulus;

	if (is_certificate)
		ssh_string(reader); /* the nonce */
	if (is_rsa)
		ssh_string(reader);
	modulus = ssh_string(reader);
	return reader->is_short ? 0 : ssh_mpint_bits(&modulus);
}

bool ssh_key_read(const struct flow_text *blob, struct ssh_key *ret)
{
	struct reader reader = reader_of(blob->bytes, blob->size);
	struct ssh_key key = { .type = ssh_string(&reader) };
	const char *name = (const char *)key.type.bytes;
	bool is_certificate;
	const struct ssh_algorithm *algorithm;

	if (!key.type.size)
		return false;
	is_certificate = bytes_end(name, key.type.size, "-cert-v01@openssh.com");
	algorithm = ssh_algorithm_find(SSH_KIND_host_key, name, key.type.size);
	/* Of the x509v3- types the blob is certificates of X.509. */
	if (algorithm && bytes_begin(name, key.type.size, "ssh-") &&
	    (algorithm->trait == SSH_TRAIT_rsa || algorithm->trait == SSH_TRAIT_dsa))
		key.bits = modulus_bits(&reader, algorithm->trait == SSH_TRAIT_rsa, is_certificate);
	else if (algorithm)
		key.bits = algorithm->bits;
	*ret = key;
	return true;
}

bool ssh_key_fingerprint(const struct flow_text *blob, char ret[static SSH_FINGERPRINT_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	/* with the padding that is cut off, and a NUL */
	unsigned char text[4 * ((SHA256_SIZE + 2) / 3) + 1];
	unsigned int size;

	if (EVP_Digest(blob->bytes, blob->size, digest, &size, EVP_sha256(), NULL) != 1)
		return false;
	EVP_EncodeBlock(text, digest, SHA256_SIZE);
	memcpy(ret, PREFIX, sizeof(PREFIX) - 1);
	memcpy(ret + sizeof(PREFIX) - 1, text, sizeof(text) - 2);
	ret[SSH_FINGERPRINT_SIZE - 1] = '\0';
	return true;
}
