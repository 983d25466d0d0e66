/* SPDX-License-Identifier: MIT */
/*
 * Uses libsodium: a box with a secret key, a signature, a key from a password, another box. Built
 * by the test that runs it.
 */
#include <sodium.h>

#define TEXT_SIZE 16

static const unsigned char text[TEXT_SIZE] = "hide this text.";

int main(void)
{
	unsigned char key[32] = { 0 };
	unsigned char nonce[24] = { 0 };
	unsigned char salt[crypto_pwhash_SALTBYTES] = { 0 };
	unsigned char boxed[TEXT_SIZE + 16];
	unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
	unsigned char secret_key[crypto_sign_SECRETKEYBYTES];
	unsigned char made[TEXT_SIZE + crypto_sign_BYTES];
	unsigned char opened[TEXT_SIZE + crypto_sign_BYTES];
	unsigned long long size;

	if (sodium_init() < 0 || crypto_secretbox_easy(boxed, text, TEXT_SIZE, nonce, key))
		return 1;
	if (crypto_sign_keypair(public_key, secret_key) ||
	    crypto_sign(made, &size, text, TEXT_SIZE, secret_key) ||
	    crypto_sign_open(opened, &size, made, size, public_key))
		return 2;
	if (crypto_pwhash(key, sizeof(key), "word", 4, salt, crypto_pwhash_OPSLIMIT_MIN,
			  crypto_pwhash_MEMLIMIT_MIN, crypto_pwhash_ALG_ARGON2ID13))
		return 3;
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(boxed, &size, text, TEXT_SIZE, NULL, 0, NULL,
						       nonce, key))
		return 4;
	return 0;
}
