/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_MADE_LIBRARY_H
#define TESTS_SUPPORT_MADE_LIBRARY_H

/*
 * A shared library with functions that are called like those of OpenSSL and behave in a known way,
 * compiled when it is needed: what real libraries call inside changes with their versions.
 */

#include <stdbool.h>

/*
 * What it exports. CALL, which may be NULL, is called with CTX, or with TEXT, before the function
 * returns RESULT.
 */
struct made_functions {
	void *(*SSL_CTX_new)(void *result);
	long (*SSL_CTX_ctrl)(void *context, int command, long number, void *pointer);
	int (*SSL_CTX_set_cipher_list)(void *context, const char *text);
	int (*SSL_CTX_load_verify_locations)(void *context, const char *file, const char *dir);
	int (*SSL_read)(void *ssl);
	int (*SSL_write)(void *ssl);
	int (*EVP_CipherInit_ex)(void *context, const int *cipher, void *engine, const void *key,
				 const void *iv, int encrypt);
	int (*EVP_DigestFinal_ex)(const int *const *context);
	int (*EVP_PKEY_CTX_ctrl_str)(void *context, const char *name, const char *value);
	int (*RSA_generate_key_ex)(void *key, int bits);
	int (*X509_verify_cert)(void (*call)(void *), void *ctx, long result);
	int (*X509_check_host)(void (*call)(void *), void *ctx, long result);
	int (*X509_check_ip)(void (*call)(void *), void *ctx,
			     long result); /* jumps to check_host */
	int (*X509_check_ip_asc)(void (*call)(void *), const char *text, long result);
	int (*X509_digest)(void (*call)(void *), void *ctx, long result);
	void *(*X509_get_ext_d2i)(const void *certificate, int number);
	/* No functions of OpenSSL's. This one calls X509_get_ext_d2i() from inside. */
	void *(*made_get_ext)(const void *certificate, int number);
	int (*made_call)(void (*call)(void *), void *ctx, long result);
};

/*
 * Makes it at PATH. Returns false where there is no compiler. Any other failure ends the test
 * program.
 */
bool made_library(const char *path);

/*
 * Makes a program at PATH that exports the same. For each byte that it reads it calls
 * SSL_CTX_set_cipher_list("program") and writes the byte. Returns as made_library().
 */
bool made_program(const char *path);

/*
 * Loads the library at PATH into this process. Returns dlopen(3)'s handle, and the addresses of the
 * functions in RET. Failure ends the test program.
 */
void *made_load(const char *path, struct made_functions *ret);

/* The offset in its file of FUNCTION, an address in this process. */
unsigned long made_offset(const void *function);

#endif /* TESTS_SUPPORT_MADE_LIBRARY_H */
