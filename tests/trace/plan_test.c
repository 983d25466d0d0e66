/* SPDX-License-Identifier: MIT */
/* Plans for libraries that are made here. Programs: plan_program_test.c; those of this system:
 * plan_real_test.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sources/api_call/api_call.h"
#include "trace/planned_file.h"

static const struct api_function *known(enum library_family family, const char *name)
{
	const struct api_function *function = api_find(family, name, strlen(name));

	assert_non_null(function);
	return function;
}

static void test_group_decides_what_is_watched(void **state)
{
	const struct api_function *rare = known(OPENSSL, "SSL_do_handshake");
	const struct api_function *often = known(OPENSSL, "SSL_read");

	(void)state;
	assert_true(plan_wants(rare, API_GROUP_default));
	assert_true(plan_wants(rare, API_GROUP_all));
	assert_false(plan_wants(often, API_GROUP_default));
	assert_true(plan_wants(often, API_GROUP_all));
}

static uint64_t cookie(enum library_family family, const char *name, bool has_names)
{
	return plan_cookie(known(family, name), false, has_names);
}

static void test_cookie_says_how_arguments_are_read(void **state)
{
	static const struct {
		enum library_family family;
		const char *name;
		struct {
			unsigned int reader, index;
		} arguments[API_ARGUMENTS_MAX];
	} cases[] = {
		{ OPENSSL, "SSL_set_accept_state", { { API_WIRE_none, 0 } } },
		{ OPENSSL, "SSL_CTX_set_cipher_list", { { API_WIRE_text, 1 } } },
		{ OPENSSL,
		  "SSL_CTX_load_verify_locations",
		  { { API_WIRE_text, 1 }, { API_WIRE_text, 2 } } },
		{ OPENSSL,
		  "EVP_PKEY_CTX_new_from_name",
		  { { API_WIRE_name, 1 }, { API_WIRE_text, 2 } } },
		{ OPENSSL,
		  "EVP_CipherInit_ex",
		  { { API_WIRE_int_at, 1 }, { API_WIRE_number, 5 } } },
		{ OPENSSL, "EVP_DigestFinal_ex", { { API_WIRE_int_in, 0 } } },
		{ OPENSSL, "EVP_PKEY_CTX_new_id", { { API_WIRE_number, 0 } } },
		{ OPENSSL, "EVP_MAC_CTX_new", { { API_WIRE_method, 0 } } },
		{ OPENSSL, "SSL_ctrl", { { API_WIRE_control, 1 } } },
		{ OPENSSL, "EVP_PKEY_CTX_ctrl_str", { { API_WIRE_setting, 1 } } },
		{ LIBRARY_FAMILY_pkcs11, "C_SignInit", { { API_WIRE_long_at, 1 } } },
		{ LIBRARY_FAMILY_nss, "PK11_Encrypt", { { API_WIRE_number, 1 } } },
		{ LIBRARY_FAMILY_nss, "SSL_VersionRangeSet", { { API_WIRE_versions, 1 } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t made = cookie(cases[i].family, cases[i].name, false);

		for (unsigned int k = 0; k < API_ARGUMENTS_MAX; k++)
			assert_int_equal(made >> (API_COOKIE_ARGUMENTS + 8 * k) & 0xff,
					 cases[i].arguments[k].reader | cases[i].arguments[k].index
										<< 4);
	}
}

static void test_cookie_says_what_a_call_is(void **state)
{
	const uint64_t what = API_COOKIE_RESULT | API_COOKIE_QUIET | API_COOKIE_COUNT |
			      API_COOKIE_REQUIRED | API_COOKIE_HASH | API_COOKIE_OUTSIDE |
			      API_COOKIE_NAMED;
	static const struct {
		const char *name;
		uint64_t what;
	} cases[] = {
		{ "SSL_set_accept_state", 0 },
		{ "SSL_CTX_set_verify", 0 },
		{ "SSL_do_handshake", API_COOKIE_RESULT },
		{ "EVP_CipherInit_ex", API_COOKIE_REQUIRED },
		{ "EVP_DigestFinal_ex",
		  API_COOKIE_REQUIRED | API_COOKIE_HASH | API_COOKIE_OUTSIDE },
		{ "EVP_DigestFinalXOF",
		  API_COOKIE_REQUIRED | API_COOKIE_HASH | API_COOKIE_OUTSIDE },
		{ "EVP_DigestFinal", API_COOKIE_REQUIRED | API_COOKIE_HASH | API_COOKIE_OUTSIDE },
		{ "EVP_Digest", API_COOKIE_REQUIRED | API_COOKIE_HASH | API_COOKIE_OUTSIDE },
		{ "EVP_MAC_CTX_new", API_COOKIE_REQUIRED | API_COOKIE_OUTSIDE },
		/* without a method they are calls all the same */
		{ "EVP_KDF_CTX_new", 0 },
		{ "EVP_DigestSignInit", API_COOKIE_HASH },
		{ "SSL_CTX_ctrl", API_COOKIE_REQUIRED },
		{ "X509_get_ext_d2i", API_COOKIE_OUTSIDE },
		{ "X509_digest", API_COOKIE_QUIET },
		{ "SSL_read", API_COOKIE_COUNT },
		{ "MD5_Init", API_COOKIE_COUNT },
		/* what is counted has nothing else */
		{ "OSSL_DECODER_from_bio", API_COOKIE_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		assert_int_equal(cookie(OPENSSL, cases[i].name, false) & what, cases[i].what);
		assert_int_equal(cookie(OPENSSL, cases[i].name, true) & what,
				 cases[i].what | API_COOKIE_NAMED);
	}
}

/* Of one file are all that call there; what is for callers outside is not planned for programs. */
static void test_cookie_in_a_program_does_not_ask_who_calls(void **state)
{
	const uint64_t who = API_COOKIE_OUTSIDE;
	static const char *const names[] = { "EVP_DigestFinal_ex", "EVP_DigestFinalXOF",
					     "HMAC_Final", "SSL_read", "EVP_CipherInit_ex" };
	size_t nr_met = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t of_library = cookie(OPENSSL, names[i], true);

		assert_int_equal(plan_cookie(known(OPENSSL, names[i]), true, true),
				 of_library & ~who);
		nr_met += (of_library & who) != 0;
	}
	assert_int_equal(nr_met, 2);
}

/* They are put in later. */
static void test_cookies_have_room_for_slot_and_generation(void **state)
{
	(void)state;
	for (unsigned int family = 0; family < 64; family++) {
		size_t nr;
		const struct api_function *functions = api_functions(family, &nr);

		for (size_t i = 0; i < nr; i++) {
			uint64_t made = plan_cookie(&functions[i], false, true);

			assert_int_equal(made & API_COOKIE_SLOT_MASK, 0);
			/* the program adds it when it runs */
			assert_int_equal(made >> API_COOKIE_GENERATION, 0);
			assert_false(made & API_COOKIE_COUNT && made & API_COOKIE_RESULT);
			assert_false(made & API_COOKIE_QUIET && made & API_COOKIE_RESULT);
		}
	}
}

static const char *const some[] = {
	"EVP_CipherInit_ex",
	"EVP_CipherInit_ex2",
	"SSL_set_accept_state",
	"SSL_do_handshake",
	"SSL_read",
	"X509_digest",
	"X509_verify_cert",
	"EVP_MD_fetch",
	"not_ours",
	NULL,
};

static void test_places_are_those_of_the_functions(void **state)
{
	(void)state;
	make_file(some);
	assert_int_equal(plan_file(OPENSSL, API_GROUP_all), OPENSSL);
	assert_int_equal(nr_planned, 7);
	for (size_t i = 0; some[i]; i++) {
		const struct planned *it = plan_of(some[i]);

		if (!it)
			continue;
		assert_ptr_equal(it->function, known(OPENSSL, some[i]));
		assert_int_equal(it->entry, code_at + i * CODE_SIZE);
		/* all of the file is one segment */
		assert_int_equal(it->before, it->offset);
		assert_int_equal(it->before + it->behind, file.size);
	}
	assert_null(plan_of("EVP_MD_fetch"));
	assert_null(plan_of("not_ours"));
}

static void test_only_those_of_the_group_have_places(void **state)
{
	(void)state;
	make_file(some);
	plan_file(OPENSSL, API_GROUP_default);
	assert_int_equal(nr_planned, 6);
	assert_null(plan_of("SSL_read"));
	plan_have("SSL_do_handshake");
}

/* The first is cheap behind its entry, the second at it, the third nowhere. */
static void test_place_is_cheap_where_there_is_no_return(void **state)
{
	const struct planned *it;

	(void)state;
	make_file(some);
	plan_file(OPENSSL, API_GROUP_all);
	it = plan_have("EVP_CipherInit_ex");
	assert_int_equal(it->offset, it->entry + SKIPPED);
	assert_false(it->has_return);
	it = plan_have("EVP_CipherInit_ex2");
	assert_int_equal(it->offset, it->entry);
	it = plan_have("SSL_set_accept_state");
	assert_int_equal(it->offset, it->entry);
	/* with a probe at the return the two are in one place: the entry */
	it = plan_have("SSL_do_handshake");
	assert_true(it->has_return);
	assert_int_equal(it->offset, it->entry);
	it = plan_have("X509_verify_cert");
	assert_true(it->has_return);
	assert_int_equal(it->offset, it->entry);
	it = plan_have("X509_digest");
	assert_true(it->has_return);
	assert_false(plan_have("SSL_read")->has_return);
}

/* Plans for function NAME alone, of CODE. */
static const struct planned *plan_alone(const char *name, const uint8_t *code)
{
	const char *const names[] = { name, NULL };

	make_file(names);
	memcpy(file.bytes + code_at, code, CODE_SIZE);
	plan_file(OPENSSL, API_GROUP_default);
	return plan_have(name);
}

/* Also those that a command or a setting has read, beside the one that says what it is. */
static void test_place_is_where_the_arguments_still_are(void **state)
{
	static const char *const readers[] = { "SSL_ctrl", "EVP_PKEY_CTX_ctrl_str",
					       "SSL_CTX_load_verify_locations" };
	static const char *const others[] = { "SSL_set_accept_state", "EVP_CipherInit_ex",
					      "SSL_CTX_set_verify" };

	(void)state;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		const struct planned *it = plan_alone(readers[i], third_gone);

		assert_int_equal(it->offset, it->entry);
		it = plan_alone(others[i], third_gone);
		assert_int_equal(it->offset, it->entry + SKIPPED);
	}
}

/* Who calls is told by the return address, which is where the stack pointer was at the entry. */
static void test_caller_is_known_where_the_stack_is(void **state)
{
	const struct planned *it = plan_alone("X509_get_ext_d2i", moved_stack);

	(void)state;
	assert_int_equal(it->offset, it->entry + 4);
	assert_int_equal(it->stack, 32);
	/* elsewhere it is the entry that tells it */
	it = plan_alone("X509_get_ext_d2i", lost_stack);
	assert_int_equal(it->offset, it->entry);
	assert_int_equal(it->stack, 0);
	/* and of others it is no matter */
	it = plan_alone("SSL_set_accept_state", moved_stack);
	assert_int_equal(it->offset, it->entry + 4);
	assert_int_equal(it->stack, 0);
	it = plan_alone("SSL_set_accept_state", lost_stack);
	assert_true(it->offset > it->entry);
}

static void test_caller_is_known_of_a_hash(void **state)
{
	const struct planned *it = plan_alone("EVP_DigestFinal_ex", moved_stack);
	uint32_t limit = it->limit;

	(void)state;
	assert_true(it->cookie & API_COOKIE_OUTSIDE);
	assert_int_equal(it->offset, it->entry + 4);
	assert_int_equal(it->stack, 32);
	/* the entry is no cheap place */
	it = plan_alone("EVP_DigestFinal_ex", lost_stack);
	assert_int_equal(it->offset, it->entry);
	assert_int_equal(it->stack, 0);
	assert_true(it->limit < limit);
}

static void test_limits_are_as_dear_as_a_call(void **state)
{
	/* by their place in the file: cheap, cheap, dear */
	static const char *const names[] = {
		"SSL_set_accept_state", "SSL_set_connect_state",
		"SSL_CTX_set_verify",	"SSL_write",
		"EVP_CipherUpdate",	"RAND_bytes",
		"SSL_do_handshake",	NULL,
	};
	uint32_t cheap, dear, counted, dear_counted;

	(void)state;
	make_file(names);
	plan_file(OPENSSL, API_GROUP_all);
	cheap = plan_have("SSL_set_accept_state")->limit;
	dear = plan_have("SSL_CTX_set_verify")->limit;
	counted = plan_have("SSL_write")->limit;
	dear_counted = plan_have("RAND_bytes")->limit;
	assert_int_equal(plan_have("SSL_set_connect_state")->limit, cheap);
	assert_int_equal(plan_have("EVP_CipherUpdate")->limit, counted);
	assert_true(0 < dear && dear < cheap && cheap < counted);
	assert_true(dear < dear_counted && dear_counted < counted);
	/* that it would be cheap elsewhere is no help */
	assert_int_equal(plan_have("SSL_do_handshake")->limit, dear);
}

/* Most of the calls are the library's own, and go no further than the question who calls. */
static void test_limit_of_what_is_told_once_is_higher(void **state)
{
	/* by their place in the file: cheap, cheap, dear, cheap, cheap */
	static const char *const names[] = { "EVP_DigestFinal_ex", "SSL_set_connect_state",
					     "EVP_DigestFinalXOF", "EVP_CipherInit_ex",
					     "SSL_write",	   NULL };
	uint32_t cheap, once;

	(void)state;
	make_file(names);
	plan_file(OPENSSL, API_GROUP_all);
	cheap = plan_have("SSL_set_connect_state")->limit;
	once = plan_have("EVP_DigestFinal_ex")->limit;
	assert_int_equal(once, 200000);
	assert_true(cheap < once && once < plan_have("SSL_write")->limit);
	assert_true(plan_have("EVP_DigestFinalXOF")->limit < cheap);
	/* all of them are told in a program */
	plan_file(LIBRARY_FAMILY_none, API_GROUP_all);
	assert_int_equal(plan_have("EVP_DigestFinal_ex")->limit, cheap);
}

/* OpenSSL 3 calls others in their place, which would be told twice. */
static void test_functions_that_are_over_have_no_place(void **state)
{
	static const char *const old[] = { "EVP_CipherInit_ex", "HMAC", "EVP_PKEY_keygen",
					   "ENGINE_by_id", NULL };
	static const char *const new[] = { "EVP_CipherInit_ex", "HMAC",		"EVP_PKEY_keygen",
					   "ENGINE_by_id",	"EVP_MD_fetch", NULL };

	(void)state;
	make_file(old);
	plan_file(OPENSSL, API_GROUP_default);
	assert_int_equal(nr_planned, 4);
	make_file(new);
	plan_file(OPENSSL, API_GROUP_default);
	assert_int_equal(nr_planned, 2);
	assert_null(plan_of("HMAC"));
	/* which is there up to 4.0 */
	plan_have("ENGINE_by_id");
}

/* Of other libraries a version says nothing: 3.0 of Mbed TLS. */
static void test_functions_of_other_libraries_are_never_over(void **state)
{
	static const char *const names[] = { "mbedtls_arc4_setup", "mbedtls_md5_starts_ret",
					     "mbedtls_md5_starts", NULL };

	(void)state;
	make_file(names);
	plan_file(LIBRARY_FAMILY_mbedtls, API_GROUP_default);
	assert_int_equal(nr_planned, 3);
}

/* What they call in OpenSSL 3 is told where the caller is in another file. */
static void test_functions_that_call_no_other_have_a_place(void **state)
{
	static const char *const names[] = {
		"MD5", "SHA1", "SHA256", "SHA512", "EVP_MD_fetch", NULL
	};

	(void)state;
	make_file(names);
	plan_file(OPENSSL, API_GROUP_default);
	assert_int_equal(nr_planned, 4);
	assert_true(plan_have("SHA256")->cookie & API_COOKIE_OUTSIDE);
}

static void test_names_are_read_where_openssl_3_has_them(void **state)
{
	static const char *const old[] = { "EVP_CipherInit_ex", "EVP_DigestFinal_ex", NULL };
	static const char *const new[] = { "EVP_CipherInit_ex", "EVP_MD_fetch", NULL };

	(void)state;
	make_file(old);
	plan_file(OPENSSL, API_GROUP_default);
	assert_int_equal(nr_planned, 2);
	for (int i = 0; i < nr_planned; i++)
		assert_false(planned[i].cookie & API_COOKIE_NAMED);
	make_file(new);
	plan_file(OPENSSL, API_GROUP_default);
	assert_int_equal(nr_planned, 1);
	assert_true(planned[0].cookie & API_COOKIE_NAMED);
}

/* With the two names by which OpenSSL is known. */
static void test_plans_have_room_for_every_table(void **state)
{
	(void)state;
	for (unsigned int family = 0; family < 64; family++) {
		size_t nr;

		api_functions(family, &nr);
		assert_true(nr + 2 < PLAN_MAX);
	}
}

static void test_function_is_of_the_family_of_the_file(void **state)
{
	static const char *const names[] = { "SSL_new", "gnutls_init", "crypto_sign", NULL };

	(void)state;
	make_file(names);
	plan_file(LIBRARY_FAMILY_gnutls, API_GROUP_all);
	assert_int_equal(nr_planned, 1);
	plan_have("gnutls_init");
	plan_file(LIBRARY_FAMILY_libsodium, API_GROUP_all);
	assert_int_equal(nr_planned, 1);
	plan_have("crypto_sign");
	plan_file(LIBRARY_FAMILY_mbedtls, API_GROUP_all);
	assert_int_equal(nr_planned, 0);
}

/* Of a library it is told: its calls are not seen. Of programs there is nothing to tell. */
static void test_files_for_other_machines_are_refused(void **state)
{
	static const uint8_t classes[] = { ELFCLASS64, ELFCLASS32 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		make_file(some);
		if (classes[i] == ELFCLASS32)
			sample_begin(&file, false, false);
		/* x32 is of the machine, and no more */
		sample_number(&file, offsetof(Elf64_Ehdr, e_machine),
			      classes[i] == ELFCLASS32 ? machine : other_machine, 2);
		file.bytes[EI_CLASS] = classes[i];
		plan_file(OPENSSL, API_GROUP_default);
		assert_int_equal(nr_planned, -EOPNOTSUPP);
		plan_file(LIBRARY_FAMILY_none, API_GROUP_default);
		assert_int_equal(nr_planned, 0);
	}
}

static void test_function_that_is_chosen_when_loaded_has_no_place(void **state)
{
	struct window window;
	struct elf elf;

	(void)state;
	make_file(some);
	window_memory(&window, file.bytes, file.size);
	assert_int_equal(elf_open(&elf, &window), 0);
	sample_number(&file, elf.dynamic.offset + sizeof(Elf64_Sym) + offsetof(Elf64_Sym, st_info),
		      ELF64_ST_INFO(1, STT_GNU_IFUNC), 1);
	plan_file(OPENSSL, API_GROUP_all);
	assert_int_equal(nr_planned, 6);
	assert_null(plan_of("EVP_CipherInit_ex"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_decides_what_is_watched),
		cmocka_unit_test(test_cookie_says_how_arguments_are_read),
		cmocka_unit_test(test_cookie_says_what_a_call_is),
		cmocka_unit_test(test_cookie_in_a_program_does_not_ask_who_calls),
		cmocka_unit_test(test_cookies_have_room_for_slot_and_generation),
		cmocka_unit_test(test_places_are_those_of_the_functions),
		cmocka_unit_test(test_only_those_of_the_group_have_places),
		cmocka_unit_test(test_place_is_cheap_where_there_is_no_return),
		cmocka_unit_test(test_place_is_where_the_arguments_still_are),
		cmocka_unit_test(test_caller_is_known_where_the_stack_is),
		cmocka_unit_test(test_caller_is_known_of_a_hash),
		cmocka_unit_test(test_limits_are_as_dear_as_a_call),
		cmocka_unit_test(test_limit_of_what_is_told_once_is_higher),
		cmocka_unit_test(test_functions_that_are_over_have_no_place),
		cmocka_unit_test(test_functions_of_other_libraries_are_never_over),
		cmocka_unit_test(test_functions_that_call_no_other_have_a_place),
		cmocka_unit_test(test_names_are_read_where_openssl_3_has_them),
		cmocka_unit_test(test_plans_have_room_for_every_table),
		cmocka_unit_test(test_function_is_of_the_family_of_the_file),
		cmocka_unit_test(test_files_for_other_machines_are_refused),
		cmocka_unit_test(test_function_that_is_chosen_when_loaded_has_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
