/* SPDX-License-Identifier: MIT */
#include "elf_sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "inspect/gobuild.h"
#include "support/guard.h"

#define FRAME_BEGIN                                                                                \
	"0w\xaf\x0c\x92t\x08\x02"                                                                  \
	"A\xe1\xc1\x07\xe6\xd6\x18\xe6"
#define FRAME_END                                                                                  \
	"\xf9"                                                                                     \
	"2C1\x86\x18 r\x00\x82"                                                                    \
	"B\x10"                                                                                    \
	"A\x16\xd8\xf2"

/* As the linker writes them. The names are of real modules, the sums are not. */
static const char modules[] = "path\texample.org/server\n"
			      "mod\texample.org/server\tv1.2.3\t\n"
			      "dep\tgolang.org/x/crypto\tv0.31.0\th1:abc=\n"
			      "dep\tgolang.org/x/cryptography\tv9.9.9\th1:abc=\n"
			      "dep\tgithub.com/golang-jwt/jwt/v5\tv5.2.1\th1:abc=\n"
			      "dep\tgithub.com/spf13/cobra\tv1.8.0\th1:abc=\n"
			      "dep\tgithub.com/cloudflare/circl\tv1.3.0\n"
			      "=>\tgithub.com/cloudflare/circl\tv1.6.1\th1:def=\n"
			      "build\t-compiler=gc\n"
			      "build\tCGO_ENABLED=0\n"
			      "build\tDefaultGODEBUG=fips140=on,tlsmlkem=0\n"
			      "build\tGOFIPS140=v1.0.0\n"
			      "build\tGOARCH=amd64\n"
			      "build\tGOEXPERIMENT=boringcrypto\n";

static const char names[] = "\0go:buildid\0runtime.main\0crypto/tls.(*Conn).Handshake\0"
			    "crypto/tls.Dial\0crypto/internal/fips140/aes.New\0crypto/rand.Read\0"
			    "type:.eq.crypto/md5.digest\0golang.org/x/crypto/ssh.Dial\0"
			    "golang.org/x/crypto/internal/poly1305.New\0crypto/aes/block.go\0"
			    "crypto/sha256/block_amd64.s\0notcrypto/des.New";

static struct sample sample;
static struct window window;
static struct elf elf;
static struct gobuild go;
static struct providers providers;

struct blob {
	uint8_t bytes[8192];
	size_t size;
};

static void blob_add(struct blob *blob, const void *bytes, size_t size)
{
	assert_true(blob->size + size <= sizeof(blob->bytes));
	memcpy(blob->bytes + blob->size, bytes, size);
	blob->size += size;
}

static void blob_varint(struct blob *blob, size_t number)
{
	for (; number >= 0x80; number >>= 7)
		blob_add(blob, &(uint8_t){ (uint8_t)(number | 0x80) }, 1);
	blob_add(blob, &(uint8_t){ (uint8_t)number }, 1);
}

static void framed(struct blob *blob)
{
	*blob = (struct blob){ 0 };
	blob_add(blob, FRAME_BEGIN, 16);
	blob_add(blob, modules, sizeof(modules) - 1);
	blob_add(blob, FRAME_END, 16);
}

static int read_sample(void)
{
	window_memory(&window, sample.bytes, sample.size);
	assert_int_equal(elf_open(&elf, &window), 0);
	return gobuild_read(&elf, &go);
}

/* Go 1.18 and later. */
static void make_inline(const char *version)
{
	struct blob blob = { 0 }, text;

	framed(&text);
	blob_add(&blob, "\xff Go buildinf:\x08\x02", 16);
	blob_add(&blob, (const char[16]){ 0 }, 16);
	blob_varint(&blob, strlen(version));
	blob_add(&blob, version, strlen(version));
	blob_varint(&blob, text.size);
	blob_add(&blob, text.bytes, text.size);
	sample_begin(&sample, true, false);
	sample_section(&sample, ".go.buildinfo", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, blob.bytes,
		       blob.size);
	sample_section(&sample, ".gopclntab", SHT_PROGBITS, SHF_ALLOC, names, sizeof(names));
	sample_end(&sample, true);
}

/* Before: pointers to strings of Go, in the file's byte order. */
static void make_pointers(bool is_64, bool is_big, bool has_sections)
{
	size_t word = is_64 ? 8 : 4, headers, blob, text_at, version_at;
	struct blob text;

	framed(&text);
	sample_begin(&sample, is_64, is_big);
	text_at = sample_bytes(&sample, text.bytes, text.size);
	version_at = sample_bytes(&sample, "go1.17.13", 9);
	headers = sample_bytes(&sample, (const char[32]){ 0 }, 4 * word);
	sample_number(&sample, headers, SAMPLE_BASE + version_at, word);
	sample_number(&sample, headers + word, 9, word);
	sample_number(&sample, headers + 2 * word, SAMPLE_BASE + text_at, word);
	sample_number(&sample, headers + 3 * word, text.size, word);
	blob = sample.sections[sample_section(&sample, ".go.buildinfo", SHT_PROGBITS,
					      SHF_ALLOC | SHF_WRITE,
					      "\xff Go buildinf:\0\0................", 32)]
		       .offset;
	sample.bytes[blob + 14] = (uint8_t)word;
	sample.bytes[blob + 15] = is_big;
	sample_number(&sample, blob + 16, SAMPLE_BASE + headers, word);
	sample_number(&sample, blob + 16 + word, SAMPLE_BASE + headers + 2 * word, word);
	sample_segment(&sample, PT_LOAD, PF_R | PF_W, blob, 32);
	sample_section(&sample, ".gopclntab", SHT_PROGBITS, SHF_ALLOC, names, sizeof(names));
	sample_end(&sample, has_sections);
}

static void find_packages(void)
{
	struct needle_group group = gobuild_group(&go);
	struct search *search = NULL;

	assert_int_equal(search_new(&search, &group, 1), 0);
	assert_true(search_run(search, &window, 0, sample.size));
	search_free(search);
}

static const struct draft *tell(void)
{
	providers = (struct providers){ 0 };
	gobuild_tell(&go, &providers);
	return providers.count ? &providers.drafts[0] : NULL;
}

static void check_texts(const struct texts *texts, const char *expected, size_t size)
{
	assert_int_equal(texts->size, size);
	assert_memory_equal(texts->bytes, expected, size);
}
#define CHECK_TEXTS(texts, expected) check_texts((texts), (expected), sizeof(expected))

static void test_inline_strings_are_read(void **state)
{
	(void)state;
	make_inline("go1.24.2");
	assert_int_equal(read_sample(), 0);
	assert_string_equal(go.version, "go1.24.2");
	assert_int_equal(go.modules_size, sizeof(modules) - 1);
	assert_memory_equal(go.modules, modules, sizeof(modules) - 1);
	gobuild_free(&go);
}

static void test_pointers_are_followed(void **state)
{
	(void)state;
	for (unsigned int form = 0; form < 8; form++) {
		make_pointers(form & 1, form & 2, form & 4);
		assert_int_equal(read_sample(), 0);
		assert_string_equal(go.version, "go1.17.13");
		assert_int_equal(go.modules_size, sizeof(modules) - 1);
		assert_memory_equal(go.modules, modules, sizeof(modules) - 1);
		gobuild_free(&go);
	}
}

static void test_packages_modules_and_settings_are_told(void **state)
{
	const struct draft *draft;

	(void)state;
	make_inline("go1.24.2 X:boringcrypto");
	assert_int_equal(read_sample(), 0);
	find_packages();
	draft = tell();
	assert_non_null(draft);
	assert_string_equal(draft->name, "go");
	assert_string_equal(draft->version, "1.24.2");
	assert_int_equal(draft->linkage, LINKAGE_static);
	assert_int_equal(draft->confidence, CONFIDENCE_high);
	CHECK_TEXTS(&draft->evidence, "buildinfo\0crypto/tls\0golang.org/x/crypto/ssh");
	CHECK_TEXTS(&draft->modules,
		    "golang.org/x/crypto v0.31.0\0github.com/golang-jwt/jwt/v5 v5.2.1\0"
		    "github.com/cloudflare/circl v1.3.0\0github.com/cloudflare/circl v1.6.1");
	CHECK_TEXTS(&draft->settings, "CGO_ENABLED=0\0DefaultGODEBUG=fips140=on,tlsmlkem=0\0"
				      "GOFIPS140=v1.0.0\0GOEXPERIMENT=boringcrypto");
	gobuild_free(&go);
}

static void test_program_without_crypto_is_no_provider(void **state)
{
	(void)state;
	make_inline("go1.24.2");
	assert_int_equal(read_sample(), 0);
	/* Modules alone prove nothing: a package of them may be what is used. */
	assert_null(tell());
	gobuild_free(&go);
}

static void test_development_version_is_whole(void **state)
{
	(void)state;
	make_inline("devel go1.25-1a2b3c4d");
	assert_int_equal(read_sample(), 0);
	find_packages();
	assert_string_equal(tell()->version, "devel go1.25-1a2b3c4d");
	gobuild_free(&go);
}

static void test_what_is_no_go_program_is_told(void **state)
{
	char longest[GOBUILD_VERSION_MAX + 1] = "";

	(void)state;
	sample_begin(&sample, true, false);
	sample_rodata(&sample, "\xff Go buildinf:", 14);
	sample_end(&sample, true);
	assert_int_equal(read_sample(), -ENOENT);
	/* The version is longer than any. */
	memset(longest, '.', sizeof(longest) - 1);
	memcpy(longest, "go1.24.2", 8);
	make_inline(longest);
	assert_int_equal(read_sample(), -ENOENT);
	longest[GOBUILD_VERSION_MAX - 1] = '\0';
	make_inline(longest);
	assert_int_equal(read_sample(), 0);
	assert_string_equal(go.version, longest);
	gobuild_free(&go);
	make_inline("");
	assert_int_equal(read_sample(), -ENOENT);
}

static void test_cut_and_changed_files_are_read_within_bounds(void **state)
{
	(void)state;
	for (unsigned int form = 0; form < 3; form++) {
		if (form == 2)
			make_inline("go1.24.2");
		else
			make_pointers(form, false, false);
		for (size_t size = 64; size < sample.size; size += 11) {
			const void *cut = guard_copy(sample.bytes, size);

			window_memory(&window, cut, size);
			if (!elf_open(&elf, &window) && !gobuild_read(&elf, &go))
				tell();
			gobuild_free(&go);
			guard_free(cut, size);
		}

		uint8_t *bytes = guard_alloc(sample.size);

		for (size_t at = SAMPLE_DATA; at < sample.size; at++) {
			memcpy(bytes, sample.bytes, sample.size);
			bytes[at] = (uint8_t)(at & 1 ? 0xff : bytes[at] ^ 0x80);
			window_memory(&window, bytes, sample.size);
			if (!elf_open(&elf, &window) && !gobuild_read(&elf, &go))
				tell();
			gobuild_free(&go);
		}
		guard_free(bytes, sample.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inline_strings_are_read),
		cmocka_unit_test(test_pointers_are_followed),
		cmocka_unit_test(test_packages_modules_and_settings_are_told),
		cmocka_unit_test(test_program_without_crypto_is_no_provider),
		cmocka_unit_test(test_development_version_is_whole),
		cmocka_unit_test(test_what_is_no_go_program_is_told),
		cmocka_unit_test(test_cut_and_changed_files_are_read_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
