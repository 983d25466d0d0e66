/* SPDX-License-Identifier: MIT */
#include "lib/sha256.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "lib/file.h"

#define PIECE_SIZE  (64U << 10)
#define DIGEST_SIZE 32

static int hash(int fd, EVP_MD_CTX *context, uint8_t ret[static DIGEST_SIZE])
{
	uint8_t piece[PIECE_SIZE];
	uint64_t at = 0;

	if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return -EIO;
	for (;;) {
		ssize_t n = file_fill_at(fd, piece, sizeof(piece), at);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		if (EVP_DigestUpdate(context, piece, (size_t)n) != 1)
			return -EIO;
		at += (uint64_t)n;
	}
	return EVP_DigestFinal_ex(context, ret, NULL) == 1 ? 0 : -EIO;
}

int sha256_file(int fd, char ret[static SHA256_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t digest[DIGEST_SIZE] = { 0 };
	int err;

	if (!context)
		return -ENOMEM;
	err = hash(fd, context, digest);
	EVP_MD_CTX_free(context);
	if (err)
		return err;
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[(size_t)2 * DIGEST_SIZE] = '\0';
	return 0;
}
