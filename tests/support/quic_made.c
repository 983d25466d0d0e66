/* SPDX-License-Identifier: MIT */
#include "support/quic_made.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

struct writer {
	uint8_t *at;
	size_t left;
};

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void put(struct writer *writer, const void *bytes, size_t size)
{
	need(size <= writer->left);
	if (size)
		memcpy(writer->at, bytes, size);
	writer->at += size;
	writer->left -= size;
}

static void put_number(struct writer *writer, uint64_t number, unsigned size)
{
	for (unsigned i = size; i; i--) {
		uint8_t byte = (uint8_t)(number >> (8 * (i - 1)));

		put(writer, &byte, 1);
	}
}

static void put_sized(struct writer *writer, struct flow_text text)
{
	put_number(writer, text.size, 1);
	put(writer, text.bytes, text.size);
}

static void encrypt(const char *cipher_name, const uint8_t *key, const uint8_t *iv,
		    struct flow_text cover, struct flow_text in, uint8_t *out, uint8_t *ret_tag)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, cipher_name, NULL);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int size = 0;

	need(cipher && context && EVP_EncryptInit_ex2(context, cipher, key, iv, NULL) == 1);
	EVP_CIPHER_CTX_set_padding(context, 0);
	if (cover.size)
		need(EVP_EncryptUpdate(context, NULL, &size, cover.bytes, (int)cover.size) == 1);
	need(EVP_EncryptUpdate(context, out, &size, in.bytes, (int)in.size) == 1);
	if (ret_tag)
		need(EVP_EncryptFinal_ex(context, out + size, &size) == 1 &&
		     EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, QUIC_TAG_SIZE, ret_tag) ==
			     1);
	EVP_CIPHER_CTX_free(context);
	EVP_CIPHER_free(cipher);
}

size_t quic_make(const struct quic_made *made, const struct quic_keys *keys, uint8_t *ret_packet)
{
	uint8_t payload[QUIC_MADE_MAX] = { 0 }, iv[12], mask[16];
	size_t size = made->payload.size;
	struct writer writer = { ret_packet, QUIC_MADE_MAX };
	unsigned type = made->version == QUIC_VERSION_2 ? 1 : 0;
	uint8_t *number;

	need(made->payload.size <= sizeof(payload) && made->token.size < 0x4000);
	/* RFC 9001 section 5.4.2: there has to be a sample. */
	if (size + made->number_size < 4)
		size = 4 - made->number_size;
	if (made->payload.size)
		memcpy(payload, made->payload.bytes, made->payload.size);
	put_number(&writer, 0xc0 | type << 4 | (made->number_size - 1), 1);
	put_number(&writer, made->version, 4);
	put_sized(&writer, made->destination);
	put_sized(&writer, made->source);
	put_number(&writer, 0x4000 | made->token.size, 2);
	put(&writer, made->token.bytes, made->token.size);
	put_number(&writer, 0x4000 | (made->number_size + size + QUIC_TAG_SIZE), 2);
	number = writer.at;
	put_number(&writer, made->number, made->number_size);
	need(writer.left >= size + QUIC_TAG_SIZE);

	memcpy(iv, keys->iv, sizeof(iv));
	for (unsigned i = 0; i < 8; i++)
		iv[11 - i] ^= (uint8_t)(made->number >> (8 * i));
	encrypt("AES-128-GCM", keys->key, iv,
		(struct flow_text){ ret_packet, (size_t)(writer.at - ret_packet) },
		(struct flow_text){ payload, size }, writer.at, writer.at + size);
	encrypt("AES-128-ECB", keys->mask_key, NULL, (struct flow_text){ NULL, 0 },
		(struct flow_text){ number + 4, sizeof(mask) }, mask, NULL);
	ret_packet[0] ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < made->number_size; i++)
		number[i] ^= mask[1 + i];
	return (size_t)(writer.at - ret_packet) + size + QUIC_TAG_SIZE;
}
