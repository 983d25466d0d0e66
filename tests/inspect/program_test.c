/* SPDX-License-Identifier: MIT */
#include "elf_sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "inspect/program.h"
#include "support/guard.h"

#define BANNER	  "\0OpenSSL 3.0.17 1 Jul 2025\0"
#define LIBRESSL  "\0LibreSSL 4.0.0\0"
#define BORING	  "\0OpenSSL 1.1.1 (compatible; BoringSSL)\0"
#define LABEL	  "\0tls13 \0"
#define ALL(text) (text), sizeof(text)

static struct sample sample;
static struct program *program;

/* An executable with TEXT, with symbols of which NR_DEFINED are its own, and what it needs. */
static void make(const char *text, size_t size, const char *const *symbols, size_t nr_defined,
		 const char *const *needed)
{
	const struct sample_linked linked = {
		.needed = needed,
		.symbols = symbols,
		.nr_defined = nr_defined,
		.hash = DT_HASH,
	};

	sample_begin(&sample, true, false);
	sample_link(&sample, &linked);
	sample_rodata(&sample, text, size);
	sample_end(&sample, true);
}

static int inspect(enum program_depth depth, uint32_t family)
{
	struct window window;

	program_free(program);
	program = NULL;
	window_memory(&window, sample.bytes, sample.size);
	return program_inspect(&window, depth, family, &program);
}

static const struct provider *provider_at(size_t i)
{
	assert_true(i < program->providers.count);
	assert_int_equal(program->providers.stride, sizeof(struct provider));
	return (const struct provider *)program->providers.items + i;
}

static void check(const char *name, const char *version, uint32_t linkage, uint32_t confidence,
		  const char *evidence, size_t evidence_size)
{
	const struct provider *it;

	assert_int_equal(inspect(PROGRAM_USUAL, LIBRARY_FAMILY_none), 0);
	assert_true(program->is_elf);
	assert_null(program->note);
	assert_int_equal(program->providers.count, 1);
	it = provider_at(0);
	assert_string_equal(it->name, name);
	if (version)
		assert_string_equal(it->version, version);
	else
		assert_null(it->version);
	assert_int_equal(it->linkage, linkage);
	assert_int_equal(it->confidence, confidence);
	assert_int_equal(it->evidence_size, evidence_size);
	assert_memory_equal(it->evidence, evidence, evidence_size);
}
#define CHECK(name, version, linkage, confidence, evidence)                                        \
	check((name), (version), LINKAGE_##linkage, CONFIDENCE_##confidence, (evidence),           \
	      sizeof(evidence))

static void check_nothing(void)
{
	assert_int_equal(inspect(PROGRAM_USUAL, LIBRARY_FAMILY_none), 0);
	assert_true(program->is_elf);
	assert_int_equal(program->providers.count, 0);
}

static const char *const openssl_symbols[] = { "SSL_do_handshake", "EVP_EncryptInit_ex", NULL };
static const char *const boring_symbols[] = { "SSL_do_handshake", "EVP_EncryptInit_ex",
					      "SSL_CTX_set_grease_enabled", NULL };
static const char *const aws_symbols[] = { "SSL_do_handshake", "BORINGSSL_self_test",
					   "awslc_api_version_num", NULL };
static const char *const one_symbol[] = { "SSL_do_handshake", NULL };
static const char *const libssl[] = { "libssl.so.3", "libcrypto.so.3", "libc.so.6", NULL };
static const char *const libc[] = { "libc.so.6", NULL };

static void test_exported_functions_are_a_bundled_library(void **state)
{
	(void)state;
	make(ALL(BANNER), openssl_symbols, 2, libc);
	CHECK("openssl", "3.0.17", bundled, high, "exports\0banner");
	make(ALL(LIBRESSL), openssl_symbols, 2, libc);
	CHECK("libressl", "4.0.0", bundled, high, "exports\0banner");
	make(ALL(BORING), boring_symbols, 3, libc);
	CHECK("boringssl", NULL, bundled, high, "exports\0banner");
	make(ALL("\0AWS-LC 1.69.0\0"), boring_symbols, 3, libc);
	CHECK("aws_lc", "1.69.0", bundled, high, "exports\0banner");
	make(ALL(""), aws_symbols, 3, libc);
	CHECK("aws_lc", NULL, bundled, high, "exports");
	/* As Node.js does when plugins may link a library of the system. */
	make(ALL(BANNER), openssl_symbols, 2, libssl);
	CHECK("openssl", "3.0.17", bundled, high, "exports\0banner");
}

static void test_banner_alone_is_static_and_medium(void **state)
{
	(void)state;
	make(ALL(BANNER), NULL, 0, libc);
	CHECK("openssl", "3.0.17", static, medium, "banner");
	make(ALL("Enabled GnuTLS 3.7.9 logging...\n"), NULL, 0, NULL);
	CHECK("gnutls", "3.7.9", static, medium, "banner");
}

static void test_local_functions_are_static_and_high(void **state)
{
	(void)state;
	sample_begin(&sample, true, false);
	sample_rodata(&sample, ALL(BANNER));
	sample_symtab(&sample, openssl_symbols, 2);
	sample_end(&sample, true);
	CHECK("openssl", "3.0.17", static, high, "symbols\0banner");
}

static void test_copied_banner_of_a_linked_library_is_nothing(void **state)
{
	(void)state;
	make(ALL(BANNER LABEL), NULL, 0, libssl);
	check_nothing();
	/* A library between links it: the functions are imported all the same. */
	make(ALL(BANNER LABEL), openssl_symbols, 0, libc);
	check_nothing();
	/* The headers of one fork, the library of another. */
	make(ALL(LIBRESSL), NULL, 0, libssl);
	check_nothing();
}

static void test_one_function_may_be_a_coincidence(void **state)
{
	(void)state;
	make(ALL("hello"), one_symbol, 1, libc);
	check_nothing();
}

static void test_label_of_tls13_is_a_stack_of_its_own(void **state)
{
	static const char *const gnutls[] = { "libgnutls.so.30", NULL };
	static const char *const libcrypt[] = { "libcrypt.so.1", NULL };

	(void)state;
	make(ALL(LABEL), NULL, 0, libc);
	CHECK("tls13", NULL, static, medium, "tls13 label");
	make(ALL(LABEL), NULL, 0, libcrypt);
	CHECK("tls13", NULL, static, medium, "tls13 label");
	make(ALL(LABEL), NULL, 0, gnutls);
	check_nothing();
	make(ALL(LABEL BANNER), NULL, 0, libc);
	CHECK("openssl", "3.0.17", static, medium, "banner");
}

static void test_crates_and_banner_are_one_provider(void **state)
{
	(void)state;
	make(ALL("/registry/openssl-sys-0.9.111/src/lib.rs" BANNER), NULL, 0, libc);
	CHECK("openssl", "3.0.17", static, medium, "paths\0banner");
	assert_string_equal(provider_at(0)->modules, "openssl-sys 0.9.111");
	make(ALL("/registry/openssl-sys-0.9.111/src/lib.rs" BANNER), openssl_symbols, 2, libc);
	CHECK("openssl", "3.0.17", bundled, high, "paths\0exports\0banner");
	make(ALL("/registry/openssl-sys-0.9.111/src/lib.rs" BANNER), NULL, 0, libssl);
	check_nothing();
}

static void test_constants_are_sought_when_asked_for(void **state)
{
	(void)state;
	make(ALL("expand 32-byte k"), NULL, 0, libc);
	check_nothing();
	assert_int_equal(inspect(PROGRAM_DEEP, LIBRARY_FAMILY_none), 0);
	assert_int_equal(program->providers.count, 1);
	assert_string_equal(provider_at(0)->name, "constants");
	assert_int_equal(provider_at(0)->confidence, CONFIDENCE_low);
	assert_string_equal(provider_at(0)->capabilities, "ChaCha20");
	/* An object file has no segments. */
	sample_number(&sample, offsetof(Elf64_Ehdr, e_phnum), 0, 2);
	assert_int_equal(inspect(PROGRAM_DEEP, LIBRARY_FAMILY_none), 0);
	assert_int_equal(program->providers.count, 1);
	assert_string_equal(provider_at(0)->capabilities, "ChaCha20");
}

/* Go's own TLS has the label too; where the names of functions are depends on how it is linked. */
static void test_go_program_is_one_provider(void **state)
{
	static const char blob[] = "\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\x08go1.24.2\0";
	static const char names[] = "\0runtime.main\0crypto/tls.(*Conn).Handshake\0";
	static const char *const places[] = { ".gopclntab", ".data.rel.ro.gopclntab",
					      ".data.rel.ro" };

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		for (unsigned int has_crypto = 0; has_crypto < 2; has_crypto++) {
			sample_begin(&sample, true, false);
			sample_rodata(&sample, ALL("text"));
			sample_section(&sample, ".go.buildinfo", SHT_PROGBITS,
				       SHF_ALLOC | SHF_WRITE, blob, sizeof(blob));
			sample_section(&sample, places[i], SHT_PROGBITS,
				       SHF_ALLOC | (i ? SHF_WRITE : 0), names,
				       has_crypto ? sizeof(names) : 14);
			if (has_crypto)
				sample_bytes(&sample, ALL(LABEL));
			sample_end(&sample, true);
			if (has_crypto)
				CHECK("go", "1.24.2", static, high, "buildinfo\0crypto/tls");
			else
				check_nothing();
		}
	}
	/* Any other program keeps no texts where it writes. */
	sample_begin(&sample, true, false);
	sample_section(&sample, ".data.rel.ro", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, ALL(BANNER));
	sample_end(&sample, true);
	check_nothing();
}

static void test_library_tells_its_names_and_version(void **state)
{
	const struct sample_linked linked = { .soname = "libcrypto.so.3", .hash = DT_HASH };

	(void)state;
	sample_begin(&sample, true, false);
	sample_note(&sample, "GNU", NT_GNU_BUILD_ID, "\x12\x34\xab", 3);
	sample_link(&sample, &linked);
	sample_rodata(&sample, ALL(BANNER "\0Enabled GnuTLS 3.7.9 logging"));
	sample_end(&sample, true);
	assert_int_equal(inspect(PROGRAM_LIBRARY, LIBRARY_FAMILY_openssl), 0);
	assert_string_equal(program->build_id, "1234ab");
	assert_string_equal(program->soname, "libcrypto.so.3");
	assert_string_equal(program->version, "3.0.17");
	assert_int_equal(program->providers.count, 0);
	/* Never that of another library, nor the number in the soname. */
	assert_int_equal(inspect(PROGRAM_LIBRARY, LIBRARY_FAMILY_nettle), 0);
	assert_null(program->version);
	assert_int_equal(inspect(PROGRAM_LIBRARY, LIBRARY_FAMILY_none), 0);
	assert_null(program->version);
}

static void test_what_is_no_elf_says_so(void **state)
{
	struct window window;

	(void)state;
	program_free(program);
	window_memory(&window, BANNER, sizeof(BANNER));
	assert_int_equal(program_inspect(&window, PROGRAM_DEEP, LIBRARY_FAMILY_none, &program), 0);
	assert_false(program->is_elf);
	assert_string_equal(program->build_id, "");
	assert_null(program->soname);
	assert_int_equal(program->providers.count, 0);
	program_free(program);
	window_memory(&window, "", 0);
	assert_int_equal(program_inspect(&window, PROGRAM_USUAL, LIBRARY_FAMILY_none, &program), 0);
	assert_false(program->is_elf);
}

static void test_stripped_headers_still_tell(void **state)
{
	(void)state;
	make(ALL(BANNER), openssl_symbols, 2, libc);
	sample_number(&sample, offsetof(Elf64_Ehdr, e_shoff), 0, 8);
	sample_number(&sample, offsetof(Elf64_Ehdr, e_shnum), 0, 2);
	CHECK("openssl", "3.0.17", bundled, high, "exports\0banner");
}

static void test_file_beyond_the_budget_says_so(void **state)
{
	int fd = memfd_create("program", MFD_CLOEXEC);
	struct window window;

	(void)state;
	make(ALL("hello"), NULL, 0, libc);
	/* .rodata is said to be as large as the file, which goes on with nothing. */
	for (size_t at = sample.size - 3 * sizeof(Elf64_Shdr); at < sample.size;
	     at += sizeof(Elf64_Shdr))
		if (sample.bytes[at + offsetof(Elf64_Shdr, sh_type)] == SHT_PROGBITS)
			sample_number(&sample, at + offsetof(Elf64_Shdr, sh_size), 64U << 20, 8);
	assert_int_equal(pwrite(fd, sample.bytes, sample.size, 0), (ssize_t)sample.size);
	assert_int_equal(ftruncate(fd, 65 << 20), 0);
	assert_int_equal(window_open(&window, fd, 65U << 20, 8U << 20), 0);
	program_free(program);
	assert_int_equal(program_inspect(&window, PROGRAM_USUAL, LIBRARY_FAMILY_none, &program), 0);
	assert_non_null(program->note);
	assert_int_equal(window.budget, 0);
	window_close(&window);
	close(fd);
}

/* What every system has: no cryptography, and none must be seen. */
static void test_plain_programs_of_the_system_have_nothing(void **state)
{
	static const char *const files[] = { "/bin/ls", "/bin/bash", "/bin/sh", "/bin/cat" };
	size_t nr_read = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		struct window window;
		struct stat st;

		if (fd < 0)
			continue;
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(
			window_open(&window, fd, (uint64_t)st.st_size, PROGRAM_BUDGET_DEEP), 0);
		program_free(program);
		assert_int_equal(
			program_inspect(&window, PROGRAM_DEEP, LIBRARY_FAMILY_none, &program), 0);
		nr_read += program->is_elf;
		assert_int_equal(program->providers.count, 0);
		window_close(&window);
		close(fd);
	}
	assert_true(nr_read > 0);
}

static void inspect_any(const void *bytes, size_t size)
{
	static const enum program_depth depths[] = { PROGRAM_LIBRARY, PROGRAM_DEEP };

	for (size_t i = 0; i < 2; i++) {
		struct window window;

		program_free(program);
		program = NULL;
		window_memory(&window, bytes, size);
		assert_int_equal(
			program_inspect(&window, depths[i], LIBRARY_FAMILY_openssl, &program), 0);
	}
}

static void test_cut_and_changed_files_are_read_within_bounds(void **state)
{
	uint8_t *bytes;

	(void)state;
	make(ALL("x" BANNER LABEL "/ring-0.17.8/src/ " BORING), boring_symbols, 3, libc);
	for (size_t size = 0; size < sample.size; size += 29) {
		const void *cut = guard_copy(sample.bytes, size);

		inspect_any(cut, size);
		guard_free(cut, size);
	}
	bytes = guard_alloc(sample.size);
	memcpy(bytes, sample.bytes, sample.size);
	for (size_t at = 0; at < sample.size; at += at < 0x140 || at > SAMPLE_DATA ? 3 : 64) {
		bytes[at] ^= (uint8_t)(1 << at % 8);
		inspect_any(bytes, sample.size);
		bytes[at] = 0xff;
		inspect_any(bytes, sample.size);
		bytes[at] = sample.bytes[at];
	}
	guard_free(bytes, sample.size);
}

static int free_program(void **state)
{
	(void)state;
	program_free(program);
	program = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exported_functions_are_a_bundled_library),
		cmocka_unit_test(test_banner_alone_is_static_and_medium),
		cmocka_unit_test(test_local_functions_are_static_and_high),
		cmocka_unit_test(test_copied_banner_of_a_linked_library_is_nothing),
		cmocka_unit_test(test_one_function_may_be_a_coincidence),
		cmocka_unit_test(test_label_of_tls13_is_a_stack_of_its_own),
		cmocka_unit_test(test_crates_and_banner_are_one_provider),
		cmocka_unit_test(test_constants_are_sought_when_asked_for),
		cmocka_unit_test(test_go_program_is_one_provider),
		cmocka_unit_test(test_library_tells_its_names_and_version),
		cmocka_unit_test(test_what_is_no_elf_says_so),
		cmocka_unit_test(test_stripped_headers_still_tell),
		cmocka_unit_test(test_file_beyond_the_budget_says_so),
		cmocka_unit_test(test_plain_programs_of_the_system_have_nothing),
		cmocka_unit_test(test_cut_and_changed_files_are_read_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, free_program);
}
