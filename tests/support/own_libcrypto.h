/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_OWN_LIBCRYPTO_H
#define TESTS_SUPPORT_OWN_LIBCRYPTO_H

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* The libcrypto that this process maps, by its real name; NULL: it is linked statically. */
static inline const char *own_libcrypto(void)
{
	static char path[PATH_MAX];
	Dl_info info;

	if (!dladdr((void *)OpenSSL_version_num, &info) || !realpath(info.dli_fname, path))
		return NULL;
	return strstr(path, "/libcrypto.so") ? path : NULL;
}

#endif /* TESTS_SUPPORT_OWN_LIBCRYPTO_H */
