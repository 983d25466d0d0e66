/* SPDX-License-Identifier: MIT */
/*
 * Uses Mbed TLS: AES-256-GCM, a hash, a key from a password. Built by the test that runs it.
 */
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#define TEXT_SIZE  16
#define ITERATIONS 1000

static const unsigned char text[TEXT_SIZE];
static const unsigned char key[32];

static int encrypt(void)
{
	const unsigned char nonce[12] = { 0 };
	unsigned char encrypted[TEXT_SIZE];
	unsigned char tag[16];
	mbedtls_gcm_context gcm;
	int err;

	mbedtls_gcm_init(&gcm);
	err = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256);
	if (!err)
		err = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, TEXT_SIZE, nonce,
						sizeof(nonce), NULL, 0, text, encrypted,
						sizeof(tag), tag);
	mbedtls_gcm_free(&gcm);
	return err;
}

static int hash(void)
{
	unsigned char hashed[32];

#if MBEDTLS_VERSION_NUMBER < 0x03000000
	return mbedtls_sha256_ret(text, TEXT_SIZE, hashed, 0);
#else
	return mbedtls_sha256(text, TEXT_SIZE, hashed, 0);
#endif
}

static int derive(void)
{
	const unsigned char password[] = "word";
	unsigned char derived[32];
	mbedtls_md_context_t md;
	int err;

	mbedtls_md_init(&md);
	err = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
	if (!err)
		err = mbedtls_pkcs5_pbkdf2_hmac(&md, password, sizeof(password) - 1, text,
						TEXT_SIZE, ITERATIONS, sizeof(derived), derived);
	mbedtls_md_free(&md);
	return err;
}

int main(void)
{
	if (encrypt())
		return 1;
	if (hash())
		return 2;
	return derive() ? 3 : 0;
}
