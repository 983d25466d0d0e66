/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "inspect/elf_sample.h"
#include "inspect/usdt.h"

#define SITES_MAX 8

static struct sample sample;
static struct window window;
static struct elf elf;
static struct usdt_site sites[SITES_MAX];
static uint8_t notes[4096];
static size_t notes_size;
static uint64_t base_now; /* address of .stapsdt.base in the file read last */

static void add(const void *bytes, size_t size)
{
	memcpy(notes + notes_size, bytes, size);
	notes_size += size;
}

static void add_word(uint64_t word, size_t size)
{
	for (size_t i = 0; i < size; i++)
		notes[notes_size++] = (uint8_t)(word >> 8 * i);
}

/* A note of PROVIDER's probe NAME with ARGUMENTS, at ADDRESS. */
static void add_note(const char *provider, const char *name, const char *arguments,
		     uint64_t address, uint64_t base, uint64_t semaphore)
{
	size_t size = 24 + strlen(provider) + strlen(name) + strlen(arguments) + 3;

	add_word(8, 4);
	add_word(size, 4);
	add_word(3, 4);
	add("stapsdt", 8);
	add_word(address, 8);
	add_word(base, 8);
	add_word(semaphore, 8);
	add(provider, strlen(provider) + 1);
	add(name, strlen(name) + 1);
	add(arguments, strlen(arguments) + 1);
	while (notes_size % 4)
		notes[notes_size++] = 0;
}

/* A file for MACHINE with the notes, of which CUT bytes are missing at the end. */
static size_t read_notes(uint16_t machine, size_t cut)
{
	size_t base;

	sample_begin(&sample, true, false);
	base = sample_section(&sample, ".stapsdt.base", SHT_PROGBITS, SHF_ALLOC, "", 1);
	base_now = SAMPLE_BASE + sample.sections[base].offset;
	sample_section(&sample, ".note.stapsdt", SHT_NOTE, 0, notes, notes_size - cut);
	sample_segment(&sample, PT_LOAD, PF_R, 0, SAMPLE_MAX);
	sample_end(&sample, true);
	sample_number(&sample, offsetof(Elf64_Ehdr, e_machine), machine, 2);
	window_memory(&window, sample.bytes, sample.size);
	assert_int_equal(elf_open(&elf, &window), 0);
	return usdt_sites(&elf, "crypto_auditing", sites, SITES_MAX);
}

/* What ARGUMENTS of a file for MACHINE are read as. */
static const struct usdt_argument *read_arguments(uint16_t machine, const char *arguments)
{
	notes_size = 0;
	add_note("crypto_auditing", "data", arguments, SAMPLE_BASE + 0x400, 0, 0);
	assert_int_equal(read_notes(machine, 0), 1);
	return sites[0].arguments;
}

static void check(const struct usdt_argument *argument, enum usdt_where where, int size,
		  uint16_t place, int32_t number)
{
	assert_int_equal(argument->where, where);
	assert_int_equal(argument->size, size);
	assert_int_equal(argument->place, place);
	assert_int_equal(argument->number, number);
}

static void test_probes_of_the_provider_are_found(void **state)
{
	(void)state;
	notes_size = 0;
	add_note("libc", "setjmp", "8@%rdi", SAMPLE_BASE + 0x410, 0, 0);
	add_note("crypto_auditing", "word_data", "8@%rdi", SAMPLE_BASE + 0x420, 0, 0);
	add_note("crypto_auditing", "string_data", "", SAMPLE_BASE + 0x430, 0, SAMPLE_BASE + 0x500);
	assert_int_equal(read_notes(EM_X86_64, 0), 2);
	assert_string_equal(sites[0].name, "word_data");
	assert_int_equal(sites[0].offset, 0x420);
	assert_int_equal(sites[0].semaphore, 0);
	assert_string_equal(sites[1].name, "string_data");
	assert_int_equal(sites[1].offset, 0x430);
	assert_int_equal(sites[1].semaphore, 0x500);
	assert_int_equal(sites[1].arguments[0].where, USDT_NOWHERE);
}

static void test_arguments_of_x86_are_read(void **state)
{
	const struct usdt_argument *arguments;

	(void)state;
	arguments = read_arguments(EM_X86_64, "8@%rdi -4@$-5 8@-16(%rbp) 1@(%r8)");
	check(&arguments[0], USDT_REGISTER, 8, 112, 0);
	check(&arguments[1], USDT_NUMBER, -4, 0, -5);
	check(&arguments[2], USDT_MEMORY, 8, 32, -16);
	check(&arguments[3], USDT_MEMORY, 1, 72, 0);
	arguments = read_arguments(EM_X86_64, "4@%r15d 2@%ax -1@%sil 8@%rsp 8@%rax");
	check(&arguments[0], USDT_REGISTER, 4, 0, 0);
	check(&arguments[1], USDT_REGISTER, 2, 80, 0);
	check(&arguments[2], USDT_REGISTER, -1, 104, 0);
	check(&arguments[3], USDT_REGISTER, 8, 152, 0);
}

static void test_arguments_of_arm64_are_read(void **state)
{
	const struct usdt_argument *arguments;

	(void)state;
	arguments = read_arguments(EM_AARCH64, "8@x0 -4@w30 8@[sp, 24] 4@[x19]");
	check(&arguments[0], USDT_REGISTER, 8, 0, 0);
	check(&arguments[1], USDT_REGISTER, -4, 240, 0);
	check(&arguments[2], USDT_MEMORY, 8, 248, 24);
	check(&arguments[3], USDT_MEMORY, 4, 152, 0);
	arguments = read_arguments(EM_AARCH64, "-8@-7 8@[x1,-8] 8@sp");
	check(&arguments[0], USDT_NUMBER, -8, 0, -7);
	check(&arguments[1], USDT_MEMORY, 8, 8, -8);
	check(&arguments[2], USDT_REGISTER, 8, 248, 0);
}

static void test_what_is_not_understood_is_nowhere(void **state)
{
	static const char *const x86[] = {
		"8@symbol(%rip)", "8@8(%rax,%rbx,4)",  "8@%xmm0", "3@%rax", "8%rax", "@%rax", "8@",
		"8@(%rax",	  "8@$99999999999999", "8@$",	  "8@%",    "",
	};
	static const char *const arm64[] = { "8@x31", "8@[x0", "8@[x0, x1]", "8@v0", "8@x", "8@" };

	(void)state;
	for (size_t i = 0; i < sizeof(x86) / sizeof(x86[0]); i++)
		check(read_arguments(EM_X86_64, x86[i]), USDT_NOWHERE, 0, 0, 0);
	for (size_t i = 0; i < sizeof(arm64) / sizeof(arm64[0]); i++)
		check(read_arguments(EM_AARCH64, arm64[i]), USDT_NOWHERE, 0, 0, 0);
	/* The others are not lost for it. */
	check(&read_arguments(EM_X86_64, "8@f(%rip) 8@%rsi")[1], USDT_REGISTER, 8, 104, 0);
}

static void test_other_machines_have_none(void **state)
{
	(void)state;
	notes_size = 0;
	add_note("crypto_auditing", "data", "8@%rdi", SAMPLE_BASE + 0x400, 0, 0);
	assert_int_equal(read_notes(EM_S390, 0), 0);
	assert_int_equal(read_notes(EM_X86_64, 0), 1);
}

static void test_places_outside_the_file_are_left_out(void **state)
{
	(void)state;
	notes_size = 0;
	add_note("crypto_auditing", "data", "", 0x10, 0, 0);
	add_note("crypto_auditing", "data", "", SAMPLE_BASE + 0x400, 0, 0x10);
	assert_int_equal(read_notes(EM_X86_64, 0), 0);
}

/* prelink(8) has moved the file behind the notes' back: by as much as what is beside the code. */
static void test_moved_code_is_found(void **state)
{
	(void)state;
	read_arguments(EM_X86_64, "");
	notes_size = 0;
	add_note("crypto_auditing", "data", "", SAMPLE_BASE + 0x300, base_now - 0x123,
		 SAMPLE_BASE + 0x310);
	assert_int_equal(read_notes(EM_X86_64, 0), 1);
	assert_int_equal(sites[0].offset, 0x423);
	assert_int_equal(sites[0].semaphore, 0x433);
}

/* Nothing is taken from behind the section, wherever it ends. */
static void test_cut_notes_are_none(void **state)
{
	size_t whole;

	(void)state;
	notes_size = 0;
	add_note("crypto_auditing", "data", "8@%rdi", SAMPLE_BASE + 0x400, 0, 0);
	whole = notes_size;
	add_note("crypto_auditing", "data", "8@%rdi", SAMPLE_BASE + 0x400, 0, 0);
	for (size_t cut = 4; cut < notes_size; cut++)
		assert_int_equal(read_notes(EM_X86_64, cut), notes_size - cut >= whole);
}

static void test_sizes_that_lie_do_no_harm(void **state)
{
	(void)state;
	for (size_t at = 0; at < 8; at += 4)
		for (uint32_t size = 0; size < 2; size++) {
			notes_size = 0;
			add_note("crypto_auditing", "data", "8@%rdi", SAMPLE_BASE + 0x400, 0, 0);
			memset(notes + at, size ? 0xff : 0, 4);
			assert_int_equal(read_notes(EM_X86_64, 0), 0);
		}
}

static void test_no_more_are_told_than_asked_for(void **state)
{
	(void)state;
	notes_size = 0;
	for (int i = 0; i < SITES_MAX + 3; i++)
		add_note("crypto_auditing", "data", "8@%rdi", SAMPLE_BASE + 0x400, 0, 0);
	assert_int_equal(read_notes(EM_X86_64, 0), SITES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes_of_the_provider_are_found),
		cmocka_unit_test(test_arguments_of_x86_are_read),
		cmocka_unit_test(test_arguments_of_arm64_are_read),
		cmocka_unit_test(test_what_is_not_understood_is_nowhere),
		cmocka_unit_test(test_other_machines_have_none),
		cmocka_unit_test(test_places_outside_the_file_are_left_out),
		cmocka_unit_test(test_moved_code_is_found),
		cmocka_unit_test(test_cut_notes_are_none),
		cmocka_unit_test(test_sizes_that_lie_do_no_harm),
		cmocka_unit_test(test_no_more_are_told_than_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
