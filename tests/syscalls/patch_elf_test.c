/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "syscalls/patch_elf.h"
#include "patch_sample.h"
#include "support/guard.h"

static struct patch_sample sample;
static struct patch_elf elf;
static char what[PATCH_WHAT_SIZE];

static int begin(void **state)
{
	(void)state;
	patch_sample_begin(&sample, 0);
	patch_sample_end(&sample);
	memset(what, 0, sizeof(what));
	return 0;
}

static int read_bytes(const void *bytes, size_t size)
{
	const void *copy = guard_copy(bytes, size);
	int err = patch_elf_read(&elf, copy, size, what);

	guard_free(copy, size);
	return err;
}

static int read_sample(void)
{
	return patch_elf_read(&elf, sample.bytes, sizeof(sample.bytes), what);
}

static void must_refuse(const char *why)
{
	assert_int_equal(read_bytes(sample.bytes, sizeof(sample.bytes)), -EOPNOTSUPP);
	if (!strstr(what, why))
		fail_msg("'%s' is not about '%s'", what, why);
}

static void test_a_dynamic_program_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_sample(), 0);
	assert_int_equal(elf.nr_segments, NR_SAMPLE_SEGMENTS);
	assert_int_equal(elf.first_load, SEGMENT_READ);
	assert_int_equal(elf.last_load, SEGMENT_DATA);
	assert_int_equal(elf.load_end, SAMPLE_DATA_VADDR + SAMPLE_BSS);
	assert_int_equal(elf.nr_sections, SAMPLE_NR_SECTIONS);
	assert_false(elf.has_note);

	uint64_t value = 0;

	assert_true(patch_elf_dynamic(&elf, DT_FLAGS_1, &value));
	assert_int_equal(value, DF_1_PIE);
	assert_false(patch_elf_dynamic(&elf, DT_TEXTREL, &value));
}

static void test_bytes_are_found_by_address_and_offset(void **state)
{
	(void)state;
	assert_int_equal(read_sample(), 0);
	assert_ptr_equal(patch_elf_bytes(&elf, SAMPLE_DATA_VADDR, 16), sample.bytes + SAMPLE_DATA);
	/* in memory only */
	assert_null(patch_elf_bytes(&elf, SAMPLE_DATA_VADDR + SAMPLE_NAMES - SAMPLE_DATA, 1));
	assert_null(patch_elf_bytes(&elf, SAMPLE_CODE + SAMPLE_CODE_SIZE - 1, 2));
	assert_null(patch_elf_bytes(&elf, UINT64_MAX, 1));
	assert_int_equal(patch_elf_at_offset(&elf, SAMPLE_CODE, 1)->p_vaddr, SAMPLE_CODE);
	assert_null(patch_elf_at_offset(&elf, SAMPLE_SECTIONS, 1));
	assert_null(patch_elf_at_offset(&elf, 0, UINT64_MAX));
	assert_non_null(patch_elf_file(&elf, 0, sizeof(sample.bytes)));
	assert_null(patch_elf_file(&elf, 1, sizeof(sample.bytes)));
	assert_null(patch_elf_file(&elf, UINT64_MAX, 2));
}

static void test_every_cut_of_it_is_refused(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(sample.bytes); size++)
		assert_int_equal(read_bytes(sample.bytes, size), -EOPNOTSUPP);
}

static void test_what_is_no_program_is_named(void **state)
{
	static const char script[] = "#!/bin/sh\n";

	(void)state;
	assert_int_equal(read_bytes(script, sizeof(script)), -EOPNOTSUPP);
	assert_non_null(strstr(what, "script"));
	assert_int_equal(read_bytes("", 0), -EOPNOTSUPP);
	assert_non_null(strstr(what, "not an ELF file"));
	sample_header(&sample)->e_type = ET_REL;
	must_refuse("object file");
	sample_header(&sample)->e_type = ET_CORE;
	must_refuse("core dump");
	sample_header(&sample)->e_type = 0xfe00;
	must_refuse("not understood");
}

static void test_other_machines_are_named(void **state)
{
	(void)state;
	sample_header(&sample)->e_ident[EI_CLASS] = ELFCLASS32;
	must_refuse("x32");
	sample_header(&sample)->e_machine = EM_386;
	must_refuse("i386");
	sample_header(&sample)->e_machine = EM_AARCH64;
	must_refuse("arm64");
	sample_header(&sample)->e_machine = EM_68K;
	must_refuse("another architecture");
	sample_header(&sample)->e_ident[EI_DATA] = ELFDATA2MSB;
	must_refuse("big-endian");
}

static void test_programs_without_a_loader_are_told_apart(void **state)
{
	(void)state;
	sample_segment(&sample, SEGMENT_INTERP)->p_type = PT_NULL;
	must_refuse("static-pie");
	sample_dynamic(&sample, 0, DT_NULL, 0);
	must_refuse("shared library");
	sample_header(&sample)->e_type = ET_EXEC;
	must_refuse("statically linked");
}

static void test_segments_have_to_be_sound(void **state)
{
	Elf64_Phdr *code = sample_segment(&sample, SEGMENT_CODE);

	(void)state;
	code->p_vaddr += 8;
	must_refuse("cannot be loaded");
	begin(state);
	code->p_filesz = code->p_memsz + 1;
	must_refuse("cannot be loaded");
	begin(state);
	code->p_offset = UINT64_MAX - 0xfff;
	must_refuse("cannot be loaded");
	begin(state);
	code->p_vaddr = UINT64_MAX - 0xfff;
	must_refuse("cannot be loaded");
	begin(state);
	code->p_memsz = 0x3000;
	must_refuse("overlap");
	begin(state);
	code->p_vaddr = SAMPLE_DATA_VADDR + 0x10000;
	must_refuse("overlap");
	begin(state);
	for (size_t i = SEGMENT_READ; i <= SEGMENT_DATA; i++)
		sample_segment(&sample, i)->p_type = PT_NULL;
	must_refuse("no first segment");
	begin(state);
	sample_header(&sample)->e_phnum = PATCH_SEGMENTS_MAX + 1;
	must_refuse("segments, more than");
	sample_header(&sample)->e_phnum = 0;
	must_refuse("table of segments");
	begin(state);
	sample_header(&sample)->e_phoff = UINT64_MAX - 8;
	must_refuse("table of segments");
}

static void test_loader_entry_and_dynamic_section_are_asked_for(void **state)
{
	(void)state;
	sample.bytes[SAMPLE_INTERP + 5] = '\0';
	must_refuse("which loader");
	begin(state);
	sample_segment(&sample, SEGMENT_INTERP)->p_filesz = 1;
	must_refuse("which loader");
	begin(state);
	sample_segment(&sample, SEGMENT_STACK)->p_type = PT_INTERP;
	must_refuse("which loader");
	begin(state);
	sample_segment(&sample, SEGMENT_DYNAMIC)->p_type = PT_NULL;
	must_refuse("no dynamic section");
	begin(state);
	sample_segment(&sample, SEGMENT_STACK)->p_type = PT_PHDR;
	must_refuse("two tables");
	begin(state);
	sample_header(&sample)->e_entry = SAMPLE_DATA_VADDR;
	must_refuse("no entry point");
}

static void test_section_headers_are_in_the_file_or_there_are_none(void **state)
{
	(void)state;
	sample_header(&sample)->e_shnum++;
	must_refuse("section headers");
	begin(state);
	sample_header(&sample)->e_shoff = UINT64_MAX;
	must_refuse("section headers");
	begin(state);
	/* gABI: more than fit are told by the first one */
	sample_header(&sample)->e_shnum = 0;
	sample_section(&sample, 0)->sh_size = SAMPLE_NR_SECTIONS;
	assert_int_equal(read_sample(), 0);
	assert_int_equal(elf.nr_sections, SAMPLE_NR_SECTIONS);
	sample_section(&sample, 0)->sh_size = UINT64_MAX / 2;
	must_refuse("section headers");
	begin(state);
	sample_header(&sample)->e_shoff = 0;
	memset(sample.bytes + SAMPLE_NAMES, 0, sizeof(sample.bytes) - SAMPLE_NAMES);
	assert_int_equal(read_sample(), 0);
	assert_int_equal(elf.nr_sections, 0);
}

static void test_bytes_behind_the_elf_file_are_refused(void **state)
{
	uint8_t longer[sizeof(sample.bytes) + 9] = { 0 };

	(void)state;
	memcpy(longer, sample.bytes, sizeof(sample.bytes));
	assert_int_equal(read_bytes(longer, sizeof(longer)), 0);
	longer[sizeof(longer) - 1] = 1;
	assert_int_equal(read_bytes(longer, sizeof(longer)), -EOPNOTSUPP);
	assert_non_null(strstr(what, "9 bytes of its own"));
}

static void test_our_note_is_known(void **state)
{
	uint8_t *note = sample.bytes + SAMPLE_NOTE;

	(void)state;
	/* behind another one, the name of which is padded to 4 bytes */
	sample_segment(&sample, SEGMENT_NOTE)->p_filesz = 36 + 12 + 16;
	sample_put(&sample, SAMPLE_NOTE + 36, sizeof(PATCH_NOTE_NAME), 4);
	memcpy(note + 48, PATCH_NOTE_NAME, sizeof(PATCH_NOTE_NAME));
	assert_int_equal(read_sample(), 0);
	assert_true(elf.has_note);
	note[48] = 'C';
	assert_int_equal(read_sample(), 0);
	assert_false(elf.has_note);
	note[48] = 'c';
	/* its end is behind that of the notes */
	sample_segment(&sample, SEGMENT_NOTE)->p_filesz = 36 + 12 + 13;
	assert_int_equal(read_sample(), 0);
	assert_false(elf.has_note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_dynamic_program_is_read, begin),
		cmocka_unit_test_setup(test_bytes_are_found_by_address_and_offset, begin),
		cmocka_unit_test_setup(test_every_cut_of_it_is_refused, begin),
		cmocka_unit_test_setup(test_what_is_no_program_is_named, begin),
		cmocka_unit_test_setup(test_other_machines_are_named, begin),
		cmocka_unit_test_setup(test_programs_without_a_loader_are_told_apart, begin),
		cmocka_unit_test_setup(test_segments_have_to_be_sound, begin),
		cmocka_unit_test_setup(test_loader_entry_and_dynamic_section_are_asked_for, begin),
		cmocka_unit_test_setup(test_section_headers_are_in_the_file_or_there_are_none,
				       begin),
		cmocka_unit_test_setup(test_bytes_behind_the_elf_file_are_refused, begin),
		cmocka_unit_test_setup(test_our_note_is_known, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
