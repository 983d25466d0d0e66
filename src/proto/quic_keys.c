/* SPDX-License-Identifier: MIT */
#include "proto/quic_keys.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define SECRET_SIZE 32 /* SHA-256 */
#define IV_SIZE	    12
#define MASK_SIZE   16
#define NUMBER_MAX  4 /* bytes of a packet number: RFC 9000 section 17.2 */
#define LABEL_MAX   32
/* A UDP datagram is no larger. */
#define PAYLOAD_MAX (64U << 10)

struct version {
	uint32_t number;
	uint8_t salt[20];
	const char *key_label;
	const char *iv_label;
	const char *mask_label;
	uint8_t retry_key[16];
	uint8_t retry_iv[IV_SIZE];
};

/* RFC 9001 sections 5.1, 5.2 and 5.8; RFC 9369 section 3.3. */
static const struct version versions[QUIC_NR_VERSIONS] = {
	{
		.number = QUIC_VERSION_1,
		.salt = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
			  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a },
		.key_label = "quic key",
		.iv_label = "quic iv",
		.mask_label = "quic hp",
		.retry_key = { 0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b,
			       0x54, 0xe3, 0x68, 0xc8, 0x4e },
		.retry_iv = { 0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25,
			      0xbb },
	},
	{
		.number = QUIC_VERSION_2,
		.salt = { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
			  0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 },
		.key_label = "quicv2 key",
		.iv_label = "quicv2 iv",
		.mask_label = "quicv2 hp",
		.retry_key = { 0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb,
			       0xce, 0xad, 0x7c, 0xcc, 0x92 },
		.retry_iv = { 0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0,
			      0x4a },
	},
};

static struct {
	EVP_CIPHER *mask_cipher;
	EVP_CIPHER *cipher;
	EVP_MAC *mac;
	EVP_CIPHER_CTX *mask_context;
	EVP_CIPHER_CTX *context;
	EVP_MAC_CTX *mac_context;
	bool is_ready;
	uint8_t payload[PAYLOAD_MAX];
} crypto;

int quic_version_index(uint32_t version)
{
	for (int i = 0; i < QUIC_NR_VERSIONS; i++)
		if (versions[i].number == version)
			return i;
	return -1;
}

/* HMAC with SHA-256 of DATA. */
static bool mac_make(const uint8_t *key, size_t key_size, const void *data, size_t size,
		     uint8_t ret_mac[SECRET_SIZE])
{
	size_t made = 0;

	return crypto.is_ready && EVP_MAC_init(crypto.mac_context, key, key_size, NULL) == 1 &&
	       EVP_MAC_update(crypto.mac_context, data, size) == 1 &&
	       EVP_MAC_final(crypto.mac_context, ret_mac, &made, SECRET_SIZE) == 1 &&
	       made == SECRET_SIZE;
}

/*
 * HKDF-Expand-Label (RFC 8446 section 7.1) without a context; what is asked for is never more than
 * the first block of HKDF-Expand (RFC 5869 section 2.3), which is one HMAC.
 */
static bool label_expand(const uint8_t secret[SECRET_SIZE], const char *label, uint8_t *ret_bytes,
			 size_t size)
{
	uint8_t info[2 + 1 + LABEL_MAX + 1 + 1], mac[SECRET_SIZE];
	int written;

	info[0] = 0;
	info[1] = (uint8_t)size;
	written = snprintf((char *)info + 3, LABEL_MAX, "tls13 %s", label);
	if (written <= 0 || written >= LABEL_MAX || size > SECRET_SIZE)
		return false;
	info[2] = (uint8_t)written;
	info[3 + written] = 0; /* size of the context */
	info[4 + written] = 1; /* number of the block */
	if (!mac_make(secret, SECRET_SIZE, info, 5 + (size_t)written, mac))
		return false;
	memcpy(ret_bytes, mac, size);
	return true;
}

static bool direction_make(const struct version *version, const uint8_t initial[SECRET_SIZE],
			   const char *label, struct quic_keys *ret_keys)
{
	uint8_t secret[SECRET_SIZE];

	return label_expand(initial, label, secret, sizeof(secret)) &&
	       label_expand(secret, version->key_label, ret_keys->key, sizeof(ret_keys->key)) &&
	       label_expand(secret, version->iv_label, ret_keys->iv, sizeof(ret_keys->iv)) &&
	       label_expand(secret, version->mask_label, ret_keys->mask_key,
			    sizeof(ret_keys->mask_key));
}

bool quic_keys_make(int version, struct flow_text cid,
		    struct quic_keys ret_keys[NR_FLOW_DIRECTIONS])
{
	const struct version *it = &versions[version];
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	uint8_t initial[SECRET_SIZE];

	if (!mac_make(it->salt, sizeof(it->salt), cid.bytes, cid.size, initial) ||
	    !direction_make(it, initial, "client in", &keys[FLOW_CLIENT]) ||
	    !direction_make(it, initial, "server in", &keys[FLOW_SERVER])) {
		ERR_clear_error();
		return false;
	}
	memcpy(ret_keys, keys, sizeof(keys));
	return true;
}

/* RFC 9001 section 5.4.3. */
static bool mask_make(const struct quic_keys *keys, const uint8_t *sample,
		      uint8_t ret_mask[MASK_SIZE])
{
	int size = 0;

	return EVP_EncryptInit_ex2(crypto.mask_context, NULL, keys->mask_key, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(crypto.mask_context, 0) == 1 &&
	       EVP_EncryptUpdate(crypto.mask_context, ret_mask, &size, sample, MASK_SIZE) == 1 &&
	       size == MASK_SIZE;
}

static bool cipher_begin(const uint8_t key[16], const uint8_t iv[IV_SIZE])
{
	return crypto.is_ready && EVP_DecryptInit_ex2(crypto.context, NULL, key, iv, NULL) == 1;
}

/* Bytes that the tag covers though they are not encrypted. */
static bool cipher_cover(const uint8_t *bytes, size_t size)
{
	int taken;

	return size <= PAYLOAD_MAX &&
	       EVP_DecryptUpdate(crypto.context, NULL, &taken, bytes, (int)size) == 1;
}

/* Decrypts SIZE bytes, the tag at their end included. */
static bool cipher_end(const uint8_t *bytes, size_t size)
{
	uint8_t tag[QUIC_TAG_SIZE];
	int written = 0, rest = 0;

	if (size < sizeof(tag) || size > PAYLOAD_MAX)
		return false;
	size -= sizeof(tag);
	memcpy(tag, bytes + size, sizeof(tag));
	return (size == 0 || EVP_DecryptUpdate(crypto.context, crypto.payload, &written, bytes,
					       (int)size) == 1) &&
	       EVP_CIPHER_CTX_ctrl(crypto.context, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1 &&
	       EVP_DecryptFinal_ex(crypto.context, crypto.payload + written, &rest) == 1;
}

/* RFC 9000 appendix A.3: the number closest to NEXT that ends in the SIZE bytes of SENT. */
static uint64_t number_whole(uint64_t sent, size_t size, uint64_t next)
{
	uint64_t window = 1ULL << (8 * size), half = window / 2;
	uint64_t number = (next & ~(window - 1)) | sent;

	if (number + half <= next && number + window < 1ULL << 62)
		return number + window;
	if (number > next + half && number >= window)
		return number - window;
	return number;
}

static bool payload_open(const struct quic_packet *packet, const struct quic_keys *keys,
			 uint64_t next, size_t *ret_size, uint64_t *ret_number)
{
	const uint8_t *in = packet->bytes + packet->number_at;
	size_t left = packet->size - packet->number_at, number_size;
	uint8_t mask[MASK_SIZE], first, number[NUMBER_MAX], iv[IV_SIZE];
	uint64_t sent = 0;

	/* The sample is taken as if the number had all four bytes: RFC 9001 section 5.4.2. */
	if (left < NUMBER_MAX + MASK_SIZE || !crypto.is_ready ||
	    !mask_make(keys, in + NUMBER_MAX, mask))
		return false;
	first = packet->bytes[0] ^ (mask[0] & 0x0f);
	number_size = (first & 3U) + 1;
	for (size_t i = 0; i < number_size; i++) {
		number[i] = in[i] ^ mask[1 + i];
		sent = sent << 8 | number[i];
	}
	sent = number_whole(sent, number_size, next);
	memcpy(iv, keys->iv, sizeof(iv));
	for (unsigned i = 0; i < 8; i++)
		iv[IV_SIZE - 1 - i] ^= (uint8_t)(sent >> (8 * i));
	if (!cipher_begin(keys->key, iv) || !cipher_cover(&first, 1) ||
	    !cipher_cover(packet->bytes + 1, packet->number_at - 1) ||
	    !cipher_cover(number, number_size) || !cipher_end(in + number_size, left - number_size))
		return false;
	*ret_size = left - number_size - QUIC_TAG_SIZE;
	*ret_number = sent;
	return true;
}

bool quic_packet_open(const struct quic_packet *packet, const struct quic_keys *keys, uint64_t next,
		      struct flow_text *ret_payload, uint64_t *ret_number)
{
	size_t size;

	if (!payload_open(packet, keys, next, &size, ret_number)) {
		ERR_clear_error();
		return false;
	}
	*ret_payload = (struct flow_text){ crypto.payload, size };
	return true;
}

bool quic_retry_is_authentic(const struct quic_packet *packet, struct flow_text cid)
{
	int index = quic_version_index(packet->version);
	uint8_t size = (uint8_t)cid.size;
	bool is_authentic;

	if (index < 0 || cid.size > QUIC_CID_MAX || packet->size < QUIC_TAG_SIZE)
		return false;
	is_authentic = cipher_begin(versions[index].retry_key, versions[index].retry_iv) &&
		       cipher_cover(&size, 1) && cipher_cover(cid.bytes, cid.size) &&
		       cipher_cover(packet->bytes, packet->size - QUIC_TAG_SIZE) &&
		       cipher_end(packet->bytes + packet->size - QUIC_TAG_SIZE, QUIC_TAG_SIZE);
	if (!is_authentic)
		ERR_clear_error();
	return is_authentic;
}

/* Makes every object do its work once: what libcrypto loads late, it loads now. */
static bool try_all(void)
{
	static const uint8_t zeros[QUIC_TAG_SIZE];
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	uint8_t mask[MASK_SIZE];
	bool is_able = quic_keys_make(0, (struct flow_text){ zeros, 8 }, keys) &&
		       mask_make(keys, zeros, mask) && cipher_begin(keys->key, keys->iv) &&
		       cipher_cover(zeros, 1);

	/* The tag is wrong. */
	if (is_able && cipher_end(zeros, sizeof(zeros)))
		is_able = false;
	return is_able;
}

static bool fetch_all(void)
{
	crypto.mask_cipher = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	crypto.cipher = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	crypto.mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	crypto.mask_context = EVP_CIPHER_CTX_new();
	crypto.context = EVP_CIPHER_CTX_new();
	if (crypto.mac)
		crypto.mac_context = EVP_MAC_CTX_new(crypto.mac);
	return crypto.mask_cipher && crypto.cipher && crypto.mask_context && crypto.context &&
	       crypto.mac_context;
}

/* What a context is for is set once: to set it again would make libcrypto allocate it anew. */
static bool set_all(void)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_EncryptInit_ex2(crypto.mask_context, crypto.mask_cipher, NULL, NULL, NULL) ==
		       1 &&
	       EVP_DecryptInit_ex2(crypto.context, crypto.cipher, NULL, NULL, NULL) == 1 &&
	       EVP_MAC_CTX_set_params(crypto.mac_context, params) == 1;
}

int quic_keys_prepare(void)
{
	if (crypto.is_ready)
		return 0;
	/* No file of the host has a say in how foreign bytes are read; see inspect/x509.c. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -EIO;
	crypto.is_ready = fetch_all() && set_all();
	if (crypto.is_ready && try_all()) {
		ERR_clear_error();
		return 0;
	}
	quic_keys_release();
	ERR_clear_error();
	return -EIO;
}

void quic_keys_release(void)
{
	EVP_MAC_CTX_free(crypto.mac_context);
	EVP_CIPHER_CTX_free(crypto.context);
	EVP_CIPHER_CTX_free(crypto.mask_context);
	EVP_MAC_free(crypto.mac);
	EVP_CIPHER_free(crypto.cipher);
	EVP_CIPHER_free(crypto.mask_cipher);
	memset(&crypto, 0, sizeof(crypto));
}
