/* SPDX-License-Identifier: MIT */
#include "elf_sample.h"

#include <stdio.h>
#include <stdlib.h>

#include <zlib.h>

#include "inspect/rustdep.h"
#include "support/guard.h"

static struct sample sample;
static struct window window;
static struct elf elf;
static struct crates crates;
static struct providers providers;

static size_t deflate_text(const char *text, size_t size, uint8_t *ret, size_t cap)
{
	uLongf taken = cap;

	assert_int_equal(compress((Bytef *)ret, &taken, (const Bytef *)text, size), Z_OK);
	return taken;
}

static int read_list_of(const void *bytes, size_t size)
{
	sample_begin(&sample, true, false);
	sample_section(&sample, ".dep-v0", SHT_PROGBITS, 0, bytes, size);
	sample_end(&sample, true);
	window_memory(&window, sample.bytes, sample.size);
	crates = (struct crates){ 0 };
	assert_int_equal(elf_open(&elf, &window), 0);
	return rustdep_read(&elf, &crates);
}

static void read_list(const char *text)
{
	uint8_t bytes[8192];

	assert_int_equal(
		read_list_of(bytes, deflate_text(text, strlen(text), bytes, sizeof(bytes))), 0);
}

static void read_text(const char *text, size_t size)
{
	struct needle_group group = rustdep_group(&crates);
	struct search *search = NULL;

	window_memory(&window, text, size);
	assert_int_equal(search_new(&search, &group, 1), 0);
	assert_true(search_run(search, &window, 0, size));
	search_free(search);
}

static bool linked_is(void *ctx, const char *provider)
{
	return ctx && !strcmp(ctx, provider);
}

static void tell(const char *linked)
{
	char name[32];

	providers = (struct providers){ 0 };
	snprintf(name, sizeof(name), "%s", linked ? linked : "");
	rustdep_tell(&crates, &providers, linked_is, linked ? name : NULL);
}

static void check(const char *name, const char *version, uint32_t confidence, const char *evidence,
		  const char *modules, size_t modules_size)
{
	const struct draft *draft = NULL;

	for (size_t i = 0; i < providers.count; i++)
		if (!strcmp(providers.drafts[i].name, name))
			draft = &providers.drafts[i];
	assert_non_null(draft);
	assert_string_equal(draft->version, version);
	assert_int_equal(draft->linkage, LINKAGE_static);
	assert_int_equal(draft->confidence, confidence);
	assert_string_equal(draft->evidence.bytes, evidence);
	assert_int_equal(draft->modules.size, modules_size);
	assert_memory_equal(draft->modules.bytes, modules, modules_size);
}
#define CHECK(name, version, confidence, evidence, modules)                                        \
	check((name), (version), (confidence), (evidence), (modules), sizeof(modules))

static const char list[] =
	"{\"packages\":["
	"{\"name\":\"server\",\"version\":\"0.1.0\",\"source\":\"local\",\"root\":true},"
	"{\"name\":\"rustls\",\"version\":\"0.23.12\",\"source\":\"crates.io\",\"dependencies\":[3]"
	"},"
	"{\"name\":\"sha2\",\"version\":\"0.10.8\",\"source\":\"crates.io\"},"
	"{\"name\":\"ring\",\"version\":\"0.17.8\",\"source\":\"crates.io\"},"
	"{\"name\":\"aes\",\"version\":\"0.8.4\",\"source\":\"crates.io\",\"kind\":\"runtime\"},"
	"{\"name\":\"md-5\",\"version\":\"0.10.6\",\"source\":\"crates.io\",\"kind\":\"build\"},"
	"{\"name\":\"openssl-sys\",\"version\":\"0.9.103\",\"source\":\"crates.io\"},"
	"{\"name\":\"serde\",\"version\":\"1.0.0\",\"source\":\"crates.io\"}],\"format\":1}";

static void test_list_gives_the_crates_that_do_cryptography(void **state)
{
	(void)state;
	read_list(list);
	tell(NULL);
	assert_int_equal(providers.count, 4);
	CHECK("rustls", "0.23.12", CONFIDENCE_medium, "crates", "rustls 0.23.12");
	CHECK("ring", "0.17.8", CONFIDENCE_medium, "crates", "ring 0.17.8");
	CHECK("rustcrypto", "", CONFIDENCE_medium, "crates", "aes 0.8.4\0sha2 0.10.8");
	CHECK("openssl", "", CONFIDENCE_medium, "crates", "openssl-sys 0.9.103");
}

static void test_binding_to_a_shared_library_is_no_provider(void **state)
{
	(void)state;
	read_list(list);
	tell("openssl");
	assert_int_equal(providers.count, 3);
	CHECK("ring", "0.17.8", CONFIDENCE_medium, "crates", "ring 0.17.8");
}

static void test_source_names_give_crates(void **state)
{
	static const char text[] =
		"called `unwrap`/cargo/registry/src/index.crates.io-1949cf8c6b5b557f/"
		"rustls-0.23.37/src/conn.rs"
		"/usr/share/cargo/registry/ed25519-dalek-2.1.1/src/lib.rs"
		" ring-0.17.8/src/aead.rs /x/serde-1.0.0/src/de.rs";

	(void)state;
	crates = (struct crates){ 0 };
	read_text(text, sizeof(text) - 1);
	tell(NULL);
	assert_int_equal(providers.count, 3);
	CHECK("rustls", "0.23.37", CONFIDENCE_high, "paths", "rustls 0.23.37");
	CHECK("rustcrypto", "", CONFIDENCE_high, "paths", "ed25519-dalek 2.1.1");
	CHECK("ring", "0.17.8", CONFIDENCE_high, "paths", "ring 0.17.8");
}

static void test_other_paths_give_nothing(void **state)
{
	static const char text[] = "/home/a/ring/src/main.c /home/a/rustls-main/src/lib.rs "
				   "/a/ring-0/src/x /a/my-ring-0.17.8/src/x /src/ -1.0/src/ "
				   "/a/ring-0.17.8/tests/x ring-0.17.8/src";

	(void)state;
	crates = (struct crates){ 0 };
	read_text(text, sizeof(text) - 1);
	tell(NULL);
	assert_int_equal(providers.count, 0);
}

static void test_list_and_source_names_agree(void **state)
{
	static const char text[] = "/registry/rustls-0.23.12/src/conn.rs";

	(void)state;
	read_list(list);
	read_text(text, sizeof(text) - 1);
	tell(NULL);
	for (size_t i = 0; i < providers.count; i++) {
		const struct draft *draft = &providers.drafts[i];

		if (strcmp(draft->name, "rustls") != 0)
			continue;
		assert_int_equal(draft->confidence, CONFIDENCE_high);
		assert_int_equal(draft->evidence.size, sizeof("crates\0paths"));
		assert_memory_equal(draft->evidence.bytes, "crates\0paths",
				    sizeof("crates\0paths"));
	}
}

static void test_damaged_lists_give_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"null",
		"[]",
		"{\"packages\":7}",
		"{\"packages\":[7,null,{},{\"name\":7},{\"version\":\"1\"}]}",
		"{\"packages\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}",
		"{\"packages\":[{\"name\":\"ring\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		read_list(texts[i]);
		tell(NULL);
		assert_int_equal(providers.count, 0);
	}
	assert_int_equal(read_list_of("not zlib at all", 15), 0);
	assert_int_equal(read_list_of("", 0), 0);
	tell(NULL);
	assert_int_equal(providers.count, 0);
}

static void test_list_that_would_grow_is_not_read(void **state)
{
	static const char tail[] = "{\"name\":\"ring\",\"version\":\"0.17.8\"}]}";
	size_t size = RUSTDEP_JSON_MAX + 16;
	char *text = malloc(size);
	uint8_t *bytes = malloc(SAMPLE_MAX);

	(void)state;
	assert_non_null(text);
	assert_non_null(bytes);
	/* Too large, and too many parts in what is not. */
	for (unsigned int form = 0; form < 2; form++, size = 2U * RUSTDEP_PARTS_MAX + 100) {
		memset(text, ' ', size);
		memcpy(text, "{\"packages\":[", 13);
		for (size_t at = 13; form && at + sizeof(tail) + 1 < size; at += 2)
			memcpy(text + at, "0,", 2);
		memcpy(text + size - sizeof(tail), tail, sizeof(tail));
		assert_int_equal(
			read_list_of(bytes, deflate_text(text, size, bytes, SAMPLE_MAX / 2)), 0);
		tell(NULL);
		assert_int_equal(providers.count, 0);
	}
	free(text);
	free(bytes);
}

static void test_cut_and_changed_sections_are_read_within_bounds(void **state)
{
	uint8_t bytes[2048], copy[2048];
	size_t size = deflate_text(list, sizeof(list) - 1, bytes, sizeof(bytes));

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		const void *guarded = guard_copy(bytes, cut);

		assert_int_equal(read_list_of(guarded, cut), 0);
		guard_free(guarded, cut);
		tell(NULL);
		assert_int_equal(providers.count, 0);
	}
	for (size_t bit = 0; bit < 8 * size; bit++) {
		memcpy(copy, bytes, size);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(read_list_of(copy, size), 0);
		tell(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_gives_the_crates_that_do_cryptography),
		cmocka_unit_test(test_binding_to_a_shared_library_is_no_provider),
		cmocka_unit_test(test_source_names_give_crates),
		cmocka_unit_test(test_other_paths_give_nothing),
		cmocka_unit_test(test_list_and_source_names_agree),
		cmocka_unit_test(test_damaged_lists_give_nothing),
		cmocka_unit_test(test_list_that_would_grow_is_not_read),
		cmocka_unit_test(test_cut_and_changed_sections_are_read_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
