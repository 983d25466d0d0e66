/* SPDX-License-Identifier: MIT */
/* Plans for libraries and programs of this system, against what the dynamic linker says. */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "sources/api_call/api_call.h"
#include "trace/planned.h"

#define OPENSSL LIBRARY_FAMILY_openssl

/* A file of this system, and what the dynamic linker made of it. */
struct real {
	void *handle;
	uint64_t base;
	struct window window;
	struct elf elf;
	int fd;
};

static bool real_open(struct real *real, const char *path)
{
	struct stat st;

	real->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (real->fd < 0)
		return false;
	assert_int_equal(fstat(real->fd, &st), 0);
	assert_int_equal(window_open(&real->window, real->fd, (uint64_t)st.st_size, 64 << 20), 0);
	assert_int_equal(elf_open(&real->elf, &real->window), 0);
	return true;
}

/* The library NAME. False when it is not there. */
static bool real_library(struct real *real, const char *name)
{
	struct link_map *map;

	real->handle = dlopen(name, RTLD_LAZY);
	if (!real->handle) {
		print_message("%s is not installed\n", name);
		return false;
	}
	assert_int_equal(dlinfo(real->handle, RTLD_DI_LINKMAP, &map), 0);
	real->base = map->l_addr;
	return real_open(real, map->l_name);
}

static void real_close(struct real *real)
{
	window_close(&real->window);
	close(real->fd);
	if (real->handle)
		dlclose(real->handle);
}

static void real_plan(struct real *real, enum library_family family, enum api_group group)
{
	nr_planned = plan_make(&real->elf, &family, group, planned, &nr_refused);
	assert_true(nr_planned >= 0);
}

/* Each function begins where the dynamic linker says, and its place is close behind. */
static void check_real(const struct real *real)
{
	for (int i = 0; i < nr_planned; i++) {
		const struct planned *it = &planned[i];
		const void *symbol = dlsym(real->handle, it->function->name);
		uint64_t entry;

		assert_non_null(symbol);
		assert_true(elf_find(&real->elf, (uint64_t)(uintptr_t)symbol - real->base, &entry,
				     NULL));
		assert_int_equal(it->entry, entry);
		assert_true(it->offset >= entry && it->offset - entry <= PROBE_DISTANCE_MAX);
		assert_true(it->limit > 0);
		assert_true(it->behind > 0 && it->before <= it->offset);
		if (it->has_return)
			assert_int_equal(it->offset, entry);
	}
}

static void test_places_in_libcrypto_are_where_it_is_linked(void **state)
{
	struct real real = { 0 };
	int nr_default;

	(void)state;
	if (!real_library(&real, "libcrypto.so.3"))
		skip();
	real_plan(&real, OPENSSL, API_GROUP_default);
	check_real(&real);
	nr_default = nr_planned;
	assert_true(nr_default > 30);
	assert_null(plan_of("SHA256_Init"));
	/* libssl has it */
	assert_null(plan_of("SSL_do_handshake"));
	assert_true(plan_have("EVP_DigestFinal_ex")->cookie & API_COOKIE_NAMED);
	assert_true(plan_have("EVP_DigestFinal_ex")->cookie & API_COOKIE_OUTSIDE);
	assert_true(plan_have("EVP_DigestFinal")->cookie & API_COOKIE_OUTSIDE);
	assert_true(plan_have("X509_digest")->cookie & API_COOKIE_QUIET);
	assert_true(plan_have("SHA256")->cookie & API_COOKIE_OUTSIDE);
	/* what is called in their place is told */
	assert_null(plan_of("HMAC"));
	assert_null(plan_of("EVP_PKEY_keygen"));
	plan_have("MD5");
	plan_have("EVP_Q_mac");
	plan_have("EVP_PKEY_generate");
	/* only in programs */
	assert_null(plan_of("HMAC_Final"));
	real_plan(&real, OPENSSL, API_GROUP_all);
	check_real(&real);
	assert_true(nr_planned > nr_default + 20);
	assert_true(plan_have("SHA256_Init")->cookie & API_COOKIE_COUNT);
	real_close(&real);
}

/* As many libraries as are installed. */
static void test_places_in_other_libraries_are_where_they_are_linked(void **state)
{
	static const struct {
		const char *name;
		enum library_family family;
		const char *function;
	} libraries[] = {
		{ "libssl.so.3", OPENSSL, "SSL_do_handshake" },
		{ "libgnutls.so.30", LIBRARY_FAMILY_gnutls, "gnutls_handshake" },
		{ "libgcrypt.so.20", LIBRARY_FAMILY_libgcrypt, "gcry_cipher_open" },
		{ "libnss3.so", LIBRARY_FAMILY_nss, "PK11_CreateDigestContext" },
		{ "libsodium.so.23", LIBRARY_FAMILY_libsodium, "crypto_secretbox_easy" },
		{ "libmbedcrypto.so.7", LIBRARY_FAMILY_mbedtls, "mbedtls_gcm_setkey" },
	};
	int nr_checked = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		struct real real = { 0 };

		if (!real_library(&real, libraries[i].name))
			continue;
		real_plan(&real, libraries[i].family, API_GROUP_all);
		check_real(&real);
		plan_have(libraries[i].function);
		/* of its own family alone */
		real_plan(&real, LIBRARY_FAMILY_botan, API_GROUP_all);
		assert_int_equal(nr_planned, 0);
		real_close(&real);
		nr_checked++;
	}
	if (!nr_checked)
		skip();
}

/* Node brings its own OpenSSL, where the distribution has not changed that. */
static void test_program_with_openssl_inside_is_found_on_this_system(void **state)
{
	enum library_family family = LIBRARY_FAMILY_none;
	struct real real = { 0 };

	(void)state;
	if (!real_open(&real, "/usr/bin/node")) {
		print_message("node is not installed\n");
		skip();
	}
	nr_planned = plan_make(&real.elf, &family, API_GROUP_default, planned, &nr_refused);
	if (nr_planned == 0) {
		assert_int_equal(family, LIBRARY_FAMILY_none);
		real_close(&real);
		print_message("node has no OpenSSL inside\n");
		skip();
	}
	assert_int_equal(family, OPENSSL);
	assert_true(nr_planned > 40);
	plan_have("EVP_CipherInit_ex");
	plan_have("SSL_do_handshake");
	plan_have("EVP_DigestFinal_ex");
	assert_true(plan_have("HMAC_Final")->cookie & API_COOKIE_QUIET);
	for (int i = 0; i < nr_planned; i++) {
		assert_false(planned[i].cookie & API_COOKIE_OUTSIDE);
		assert_int_equal(planned[i].function->only, 0);
	}
	real_close(&real);
}

static void test_program_without_openssl_is_none_on_this_system(void **state)
{
	enum library_family family = LIBRARY_FAMILY_none;
	struct real real = { 0 };

	(void)state;
	assert_true(real_open(&real, "/proc/self/exe"));
	assert_int_equal(plan_make(&real.elf, &family, API_GROUP_all, planned, &nr_refused), 0);
	assert_int_equal(family, LIBRARY_FAMILY_none);
	real_close(&real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_in_libcrypto_are_where_it_is_linked),
		cmocka_unit_test(test_places_in_other_libraries_are_where_they_are_linked),
		cmocka_unit_test(test_program_with_openssl_inside_is_found_on_this_system),
		cmocka_unit_test(test_program_without_openssl_is_none_on_this_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
