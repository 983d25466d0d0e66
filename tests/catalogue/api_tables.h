/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CATALOGUE_API_TABLES_H
#define TESTS_CATALOGUE_API_TABLES_H

/* All functions of catalogue/api.h, one after the other. For tests, after cmocka.h. */

#include "catalogue/api.h"
#include "lib/array.h"
#include "support/guard.h"

static const enum library_family families[] = {
	LIBRARY_FAMILY_openssl, LIBRARY_FAMILY_libressl,  LIBRARY_FAMILY_boringssl,
	LIBRARY_FAMILY_aws_lc,	LIBRARY_FAMILY_gnutls,	  LIBRARY_FAMILY_nss,
	LIBRARY_FAMILY_pkcs11,	LIBRARY_FAMILY_libgcrypt, LIBRARY_FAMILY_libsodium,
	LIBRARY_FAMILY_mbedtls, LIBRARY_FAMILY_wolfssl,	  LIBRARY_FAMILY_botan,
};

static inline const struct api_function *find(enum library_family family, const char *name)
{
	return api_find(family, guard_copy(name, strlen(name)), strlen(name));
}

typedef void check_function(const struct api_function *function, void *arg);

static inline void functions_each(check_function *check, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		size_t nr = 0;
		const struct api_function *functions = api_functions(families[i], &nr);

		assert_non_null(functions);
		assert_true(nr > 10);
		for (size_t k = 0; k < nr; k++) {
			assert_ptr_equal(find(families[i], functions[k].name), &functions[k]);
			check(&functions[k], arg);
		}
	}
}

#endif /* TESTS_CATALOGUE_API_TABLES_H */
