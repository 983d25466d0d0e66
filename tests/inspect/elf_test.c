/* SPDX-License-Identifier: MIT */
#include "elf_sample.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect/elf.h"
#include "support/guard.h"

static struct sample sample;
static struct elf elf;
static struct window window;

static const char *const needed[] = { "libfirst.so.1", "libcrypto.so.3", NULL };
static const char *const symbols[] = { "SSL_do_handshake", "main", "EVP_DigestInit_ex", "puts",
				       NULL };
static const uint8_t build_id[20] = { 0x01, 0xab, 0x5c, [19] = 0xff };

static int open_sample(void)
{
	window_memory(&window, sample.bytes, sample.size);
	return elf_open(&elf, &window);
}

static void make(bool is_64, bool is_big, bool has_sections, uint64_t hash)
{
	const struct sample_linked linked = {
		.soname = "libmine.so.2",
		.needed = needed,
		.symbols = symbols,
		.nr_defined = 2,
		.hash = hash,
	};

	sample_begin(&sample, is_64, is_big);
	sample_note(&sample, "Go", 4, "abcd", 4);
	sample_note(&sample, "GNU", NT_GNU_BUILD_ID, build_id, sizeof(build_id));
	sample_link(&sample, &linked);
	sample_rodata(&sample, "hello", 5);
	sample_symtab(&sample, symbols, 3);
	sample_end(&sample, has_sections);
}

static void check_dynamic(void)
{
	char text[ELF_STRING_MAX];

	assert_true(elf_string(&elf, elf.soname, text));
	assert_string_equal(text, "libmine.so.2");
	assert_int_equal(elf.nr_needed, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(elf_string(&elf, elf.needed[i], text));
		assert_string_equal(text, needed[i]);
	}
	assert_int_equal(elf.dynamic.count, 5);
}

static void check_symbols(const struct elf_symbols *table, uint64_t want_defined,
			  uint64_t want_imported)
{
	static const char *const names[] = { "SSL_do_handshake", "EVP_DigestInit_ex", "absent",
					     "main", "do_handshake" };
	uint64_t defined = 0, imported = 0;

	assert_int_equal(elf_wanted(&elf, table, names, 5, &defined, &imported), 0);
	assert_int_equal(defined, want_defined);
	assert_int_equal(imported, want_imported);
}

static void test_every_class_and_byte_order_reads_the_same(void **state)
{
	(void)state;
	for (unsigned int form = 0; form < 4; form++) {
		char id[ELF_BUILD_ID_TEXT];
		struct elf_symbols table;

		make(form & 1, form & 2, true, DT_HASH);
		assert_int_equal(open_sample(), 0);
		assert_int_equal(elf.is_64, form & 1);
		assert_int_equal(elf.is_big_endian, (form & 2) != 0);
		assert_true(elf_build_id(&elf, id));
		assert_string_equal(id, "01ab5c00000000000000000000000000000000ff");
		check_dynamic();
		check_symbols(&elf.dynamic, 1 | 8, 2);
		assert_true(elf_symtab(&elf, &table));
		check_symbols(&table, 1 | 2 | 8, 0);
		assert_int_equal(elf_section(&elf, ".rodata")->size, 5);
		assert_null(elf_section(&elf, ".absent"));
		assert_false(elf.is_cut);
	}
}

static void test_file_without_sections_is_read_by_its_segments(void **state)
{
	static const uint64_t hashes[] = { DT_HASH, DT_GNU_HASH };

	(void)state;
	for (unsigned int form = 0; form < 8; form++) {
		char id[ELF_BUILD_ID_TEXT];
		struct elf_symbols table;

		make(form & 1, form & 2, false, hashes[form >> 2]);
		assert_int_equal(open_sample(), 0);
		assert_int_equal(elf.nr_sections, 0);
		assert_true(elf_build_id(&elf, id));
		check_dynamic();
		check_symbols(&elf.dynamic, 1 | 8, 2);
		assert_false(elf_symtab(&elf, &table));
	}
}

static void test_addresses_are_found_in_their_segment(void **state)
{
	uint64_t offset = 0, size = 0;

	(void)state;
	make(true, false, true, DT_HASH);
	assert_int_equal(open_sample(), 0);
	assert_true(elf_find(&elf, SAMPLE_BASE + 0x410, &offset, &size));
	assert_int_equal(offset, 0x410);
	assert_true(size > 0 && size < sample.size);
	assert_false(elf_find(&elf, SAMPLE_BASE - 1, &offset, NULL));
	/* The last byte of the segment, and the one behind it. */
	assert_true(elf_find(&elf, SAMPLE_BASE + 0x410 + size - 1, &offset, &size));
	assert_int_equal(size, 1);
	assert_int_equal(offset, elf.segments[elf.nr_segments - 1].size - 1);
	assert_false(elf_find(&elf, SAMPLE_BASE + offset + 1, &offset, NULL));
	assert_false(elf_find(&elf, UINT64_MAX, &offset, NULL));
}

static void test_what_is_no_elf_is_refused(void **state)
{
	static const char script[] = "#!/bin/sh\necho \x7f"
				     "ELF\n";

	(void)state;
	window_memory(&window, script, sizeof(script));
	assert_int_equal(elf_open(&elf, &window), -ENOEXEC);
	window_memory(&window,
		      "\x7f"
		      "ELF",
		      4);
	assert_int_equal(elf_open(&elf, &window), -ENOEXEC);
	make(true, false, true, DT_HASH);
	sample.bytes[EI_CLASS] = 3;
	assert_int_equal(open_sample(), -ENOEXEC);
	sample.bytes[EI_CLASS] = ELFCLASS64;
	sample.bytes[EI_DATA] = 0;
	assert_int_equal(open_sample(), -ENOEXEC);
}

static void test_many_sections_are_cut(void **state)
{
	(void)state;
	make(true, false, true, DT_HASH);
	/* The table begins at the header, with entries of 64 bytes: all of the file is sections. */
	sample_number(&sample, offsetof(Elf64_Ehdr, e_shoff), 64, 8);
	sample_number(&sample, offsetof(Elf64_Ehdr, e_shnum), 0xfeff, 2);
	sample.size = sizeof(sample.bytes);
	assert_int_equal(open_sample(), 0);
	assert_int_equal(elf.nr_sections, ELF_SECTIONS_MAX);
	assert_true(elf.is_cut);
	/* gABI: more than 0xff00 sections are counted in the first one. */
	make(true, false, true, DT_HASH);

	uint64_t table = elf_number(&elf, sample.bytes + offsetof(Elf64_Ehdr, e_shoff), 8);
	uint64_t count = elf_number(&elf, sample.bytes + offsetof(Elf64_Ehdr, e_shnum), 2);

	sample_number(&sample, offsetof(Elf64_Ehdr, e_shnum), 0, 2);
	sample_number(&sample, table + offsetof(Elf64_Shdr, sh_size), count, 8);
	sample_number(&sample, table + offsetof(Elf64_Shdr, sh_link), count - 1, 4);
	sample_number(&sample, offsetof(Elf64_Ehdr, e_shstrndx), SHN_XINDEX, 2);
	assert_int_equal(open_sample(), 0);
	assert_int_equal(elf.nr_sections, count);
	assert_non_null(elf_section(&elf, ".rodata"));
}

static void test_name_that_ends_another_is_found(void **state)
{
	static const char *const tail[] = { "x_SSL_do_handshake", NULL };
	static const char *const names[] = { "SSL_do_handshake" };
	const struct sample_linked linked = { .symbols = tail, .nr_defined = 1, .hash = DT_HASH };
	uint64_t defined = 0, imported = 0;

	(void)state;
	sample_begin(&sample, true, false);
	sample_link(&sample, &linked);
	sample_end(&sample, false);
	assert_int_equal(open_sample(), 0);
	assert_int_equal(elf_wanted(&elf, &elf.dynamic, names, 1, &defined, &imported), 0);
	assert_int_equal(defined | imported, 0);
	/* Linkers let one name be the end of another: the symbol then points into it. */
	sample_number(&sample, elf.dynamic.offset + sizeof(Elf64_Sym), 3, 4);
	assert_int_equal(elf_wanted(&elf, &elf.dynamic, names, 1, &defined, &imported), 0);
	assert_int_equal(defined, 1);
}

/* This program, of which the C library and the kernel tell the same. */
static void test_own_program_is_as_the_loader_has_it(void **state)
{
	static const char *const names[] = { "main", "elf_open", "_cmocka_run_group_tests",
					     "cmocka_no_such" };
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t defined = 0, imported = 0;
	struct elf_symbols table;
	bool has_cmocka = false;
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(window_open(&window, fd, (uint64_t)st.st_size, UINT64_MAX), 0);
	assert_int_equal(elf_open(&elf, &window), 0);
	assert_int_equal(elf.nr_segments, getauxval(AT_PHNUM));
	for (size_t i = 0; i < elf.nr_segments; i++) {
		assert_int_equal(elf.segments[i].type, header[i].p_type);
		assert_int_equal(elf.segments[i].offset, header[i].p_offset);
		assert_int_equal(elf.segments[i].address, header[i].p_vaddr);
		assert_int_equal(elf.segments[i].size, header[i].p_filesz);
	}
	for (size_t i = 0; i < elf.nr_needed; i++) {
		char text[ELF_STRING_MAX];

		assert_true(elf_string(&elf, elf.needed[i], text));
		has_cmocka = has_cmocka || !strcmp(text, "libcmocka.so.0");
	}
	assert_true(has_cmocka);
	assert_true(elf_symtab(&elf, &table));
	assert_int_equal(elf_wanted(&elf, &table, names, 4, &defined, &imported), 0);
	assert_int_equal(defined, 1 | 2);
	assert_int_equal(elf_wanted(&elf, &elf.dynamic, names, 4, &defined, &imported), 0);
	assert_int_equal(imported, 4);
	window_close(&window);
	close(fd);
}

/* Reads everything that can be read; what comes out does not matter. */
static void read_all(const void *bytes, size_t size)
{
	static const char *const names[] = { "SSL_do_handshake", "main" };
	uint64_t defined, imported;
	struct elf_symbols table;
	char id[ELF_BUILD_ID_TEXT], text[ELF_STRING_MAX];

	window_memory(&window, bytes, size);
	if (elf_open(&elf, &window))
		return;
	elf_build_id(&elf, id);
	elf_string(&elf, elf.soname, text);
	for (size_t i = 0; i < elf.nr_needed; i++)
		elf_string(&elf, elf.needed[i], text);
	elf_wanted(&elf, &elf.dynamic, names, 2, &defined, &imported);
	if (elf_symtab(&elf, &table))
		elf_wanted(&elf, &table, names, 2, &defined, &imported);
}

static void test_cut_and_changed_files_are_read_within_bounds(void **state)
{
	uint8_t *bytes;

	(void)state;
	for (unsigned int form = 0; form < 8; form++) {
		make(form & 1, form & 2, form & 4, form & 4 ? DT_HASH : DT_GNU_HASH);
		for (size_t size = 0; size < sample.size; size += size < 128 ? 1 : 37) {
			const void *cut = guard_copy(sample.bytes, size);

			read_all(cut, size);
			guard_free(cut, size);
		}
		bytes = guard_alloc(sample.size);
		memcpy(bytes, sample.bytes, sample.size);
		for (size_t at = 0; at < sample.size; at++) {
			/* What was reserved for headers and is not used. */
			if (at > 0x200 && at < SAMPLE_DATA)
				continue;
			for (unsigned int bit = 0; bit < 8; bit += 3) {
				bytes[at] ^= (uint8_t)(1 << bit);
				read_all(bytes, sample.size);
				bytes[at] ^= (uint8_t)(1 << bit);
			}
			bytes[at] = 0xff;
			read_all(bytes, sample.size);
			bytes[at] = sample.bytes[at];
		}
		guard_free(bytes, sample.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_class_and_byte_order_reads_the_same),
		cmocka_unit_test(test_file_without_sections_is_read_by_its_segments),
		cmocka_unit_test(test_addresses_are_found_in_their_segment),
		cmocka_unit_test(test_what_is_no_elf_is_refused),
		cmocka_unit_test(test_many_sections_are_cut),
		cmocka_unit_test(test_name_that_ends_another_is_found),
		cmocka_unit_test(test_own_program_is_as_the_loader_has_it),
		cmocka_unit_test(test_cut_and_changed_files_are_read_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
