/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TRACE_PLANNED_FILE_H
#define TESTS_TRACE_PLANNED_FILE_H

/* A library or program that is made here, and its plan. For tests of one program, after cmocka.h:
 * has state. */

#include "catalogue/libraries.h"
#include "inspect/elf_sample.h"
#include "trace/planned.h"

#define OPENSSL LIBRARY_FAMILY_openssl

/*
 * A file for this machine. Its functions are of three kinds in turn: cheap a few bytes behind the
 * entry, at the entry, and nowhere.
 */
#define CODE_SIZE 16

static struct sample file;
static size_t code_at;

#if defined(__x86_64__)
#define SKIPPED 3
/* The zeros behind are instructions of two bytes. */
static const uint8_t codes[3][CODE_SIZE] = {
	{ 0x49, 0x89, 0xc2, 0x53, 0x5b, 0xc3 }, /* mov %rax,%r10; push %rbx; pop %rbx; ret */
	{ 0x53, 0x5b, 0xc3, 0xc3 },
	{ 0x31, 0xc0, 0xc3, 0xc3 }, /* xor %eax,%eax; ret */
};
/* mov %rax,%rdx; push %rbx: the third argument is gone */
static const uint8_t third_gone[CODE_SIZE] = { 0x48, 0x89, 0xc2, 0x53, 0x5b, 0xc3 };
/* sub $32,%rsp; push %rbx, and mov %rax,%rsp; push %rbx */
static const uint8_t moved_stack[CODE_SIZE] = { 0x48, 0x83, 0xec, 0x20, 0x53, 0x5b, 0xc3, 0xc3 };
static const uint8_t lost_stack[CODE_SIZE] = { 0x48, 0x89, 0xc4, 0x53, 0x5b, 0xc3 };
static const uint16_t machine = EM_X86_64, other_machine = EM_AARCH64;
#else
#define SKIPPED 4
static const uint8_t codes[3][CODE_SIZE] = {
	{ 0xe9, 0x03, 0x08, 0xaa, 0x1f, 0x20, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6 }, /* mov; nop */
	{ 0x1f, 0x20, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6 },
	{ 0x00, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6 }, /* mov w0,#0; ret */
};
/* mov x2,x8; nop: the third argument is gone */
static const uint8_t third_gone[CODE_SIZE] = { 0xe2, 0x03, 0x08, 0xaa, 0x1f, 0x20,
					       0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6 };
/* sub sp,sp,#32; nop, and mov sp,x9; nop */
static const uint8_t moved_stack[CODE_SIZE] = { 0xff, 0x83, 0x00, 0xd1, 0x1f, 0x20,
						0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6 };
static const uint8_t lost_stack[CODE_SIZE] = { 0x3f, 0x01, 0x00, 0x91, 0x1f, 0x20,
					       0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6 };
static const uint16_t machine = EM_AARCH64, other_machine = EM_X86_64;
#endif

/* Makes a library with these functions, one after the other. */
static inline void make_file(const char *const *names)
{
	struct sample_linked linked = { .symbols = names, .hash = DT_HASH };
	struct window window;
	struct elf elf;

	sample_begin(&file, true, false);
	sample_number(&file, offsetof(Elf64_Ehdr, e_machine), machine, 2);
	while (names[linked.nr_defined])
		linked.nr_defined++;
	code_at = sample_bytes(&file, NULL, 0);
	for (size_t i = 0; i < linked.nr_defined; i++)
		sample_bytes(&file, codes[i % 3], CODE_SIZE);
	sample_link(&file, &linked);
	sample_segment(&file, PT_LOAD, PF_R | PF_X, 0, file.size);
	sample_put_header(&file, 0);
	window_memory(&window, file.bytes, file.size);
	assert_int_equal(elf_open(&elf, &window), 0);
	assert_int_equal(elf.dynamic.count, linked.nr_defined + 1);
	for (size_t i = 0; i < linked.nr_defined; i++) {
		size_t at = elf.dynamic.offset + (i + 1) * sizeof(Elf64_Sym);

		sample_number(&file, at + offsetof(Elf64_Sym, st_info), ELF64_ST_INFO(1, STT_FUNC),
			      1);
		sample_number(&file, at + offsetof(Elf64_Sym, st_value),
			      SAMPLE_BASE + code_at + i * CODE_SIZE, 8);
		sample_number(&file, at + offsetof(Elf64_Sym, st_size), CODE_SIZE, 8);
	}
}

/* Plans for what make_file() made. Returns the family it is found to be. */
static inline enum library_family plan_file(enum library_family family, enum api_group group)
{
	struct window window;
	struct elf elf;

	window_memory(&window, file.bytes, file.size);
	assert_int_equal(elf_open(&elf, &window), 0);
	memset(planned, 0xff, sizeof(planned));
	nr_planned = plan_make(&elf, &family, group, planned, &nr_refused);
	return family;
}

#endif /* TESTS_TRACE_PLANNED_FILE_H */
