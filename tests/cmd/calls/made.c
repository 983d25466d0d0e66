/* SPDX-License-Identifier: MIT */
/* A library whose functions are called like those of OpenSSL and do nothing. */
static volatile long calls;

#define FUNCTION(type, name, ...)                                                                  \
	__attribute__((noinline, noclone)) type name(__VA_ARGS__)                                  \
	{                                                                                          \
		calls++;                                                                           \
		return (type)1;                                                                    \
	}

FUNCTION(void *, SSL_CTX_new, void *method)
FUNCTION(int, SSL_CTX_set_cipher_list, void *context, const char *text)
FUNCTION(int, SSL_CTX_load_verify_locations, void *context, const char *file, const char *dir)
FUNCTION(int, SSL_read, void *ssl)
FUNCTION(int, SSL_write, void *ssl)

__attribute__((noinline, noclone)) int X509_verify_cert(void *context, int result)
{
	calls++;
	return result;
}
