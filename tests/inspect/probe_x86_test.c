/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/probe.h"
#include "inspect/probe_code.h"
#include "support/guard.h"

/* A function as bytes, and how far behind its entry a probe is cheap; -1: nowhere. */
struct sample {
	const char *what;
	const char *bytes;
	size_t size;
	int skipped;
};

/* The same for a probe that reads some arguments: a bit each. */
struct reading {
	struct sample function;
	uint8_t arguments;
};

/* clang-format off */
#define SAMPLE(what, bytes, skipped) { what, bytes, sizeof(bytes) - 1, skipped }
#define READING(what, bytes, arguments, skipped) { SAMPLE(what, bytes, skipped), arguments }
#define ENDBR64 "\xf3\x0f\x1e\xfa"
/* clang-format on */

#define ALL_ARGUMENTS ((1U << PROBE_ARGUMENTS_MAX) - 1)

static int place_in(const void *bytes, size_t size, uint8_t arguments, bool has_shadow_stack)
{
	const void *copy = guard_copy(bytes, size);
	struct probe_code code = {
		.bytes = copy,
		.size = size,
		.arguments = arguments,
		.has_shadow_stack = has_shadow_stack,
	};
	struct probe_spot spot = { .skipped = 0xdead };
	bool is_cheap = probe_x86_place(&code, &spot);

	assert_true(is_cheap || spot.skipped == 0xdead);
	guard_free(copy, size);
	return is_cheap ? (int)spot.skipped : -1;
}

/* In doubt about everything. */
static int place_of(const void *bytes, size_t size)
{
	return place_in(bytes, size, ALL_ARGUMENTS, true);
}

static void check(const struct sample *samples, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		int got = place_of(samples[i].bytes, samples[i].size);

		if (got != samples[i].skipped)
			fail_msg("%s: %d, not %d", samples[i].what, got, samples[i].skipped);
	}
}

#define CHECK(samples) check(samples, sizeof(samples) / sizeof((samples)[0]))

static void check_readings(const struct reading *readings, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct sample *function = &readings[i].function;
		int got = place_in(function->bytes, function->size, readings[i].arguments, false);

		if (got != function->skipped)
			fail_msg("%s, reading %#x: %d, not %d", function->what,
				 readings[i].arguments, got, function->skipped);
	}
}

#define CHECK_READINGS(readings) check_readings(readings, sizeof(readings) / sizeof((readings)[0]))

static void test_emulated_entry_is_the_place(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("push rbx; ret", "\x53\xc3", 0),
		SAMPLE("push r12; ret", "\x41\x54\xc3", 0),
		SAMPLE("nop; ret", "\x90\xc3", 0),
		SAMPLE("jmp to itself", "\xeb\xfe", 0),
		SAMPLE("jmp of 32 bits", "\xe9\x00\x10\x00\x00", 0),
		SAMPLE("je", "\x74\x00\xc3", 0),
		SAMPLE("je of 32 bits", "\x0f\x84\x00\x00\x00\x00\xc3", 0),
		SAMPLE("call", "\xe8\x00\x10\x00\x00\xc3", 0),
	};

	(void)state;
	CHECK(samples);
}

static void test_first_emulated_instruction_is_the_place(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("endbr64; push", ENDBR64 "\x55\xc3", 4),
		SAMPLE("endbr64; push r15", ENDBR64 "\x41\x57\xc3", 4),
		/* As in SSL_read(): sub; mov; mov; xor; test; js */
		SAMPLE("sub .. js",
		       "\x48\x83\xec\x28\x64\x48\x8b\x04\x25\x28\x00\x00\x00\x48\x89\x44\x24\x18"
		       "\x31\xc0\x85\xd2\x78\x01\xc3\xc3",
		       22),
		SAMPLE("cmpq $0,0x30(%rdi); je", "\x48\x83\x7f\x30\x00\x74\x01\xc3\xc3", 5),
		SAMPLE("mov disp32(%rip),%rax; test; jne",
		       "\x48\x8b\x05\x00\x10\x00\x00\x48\x85\xc0\x75\x01\xc3\xc3", 10),
		SAMPLE("lea (%rdi,%rsi,8),%rax; nop", "\x48\x8d\x04\xf7\x90\xc3", 4),
		SAMPLE("lea table(,%rsi,8),%rax; nop", "\x48\x8d\x04\xf5\x00\x00\x00\x00\x90\xc3",
		       8),
		SAMPLE("movabs $..,%rax; jmp",
		       "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08\xe9\x00\x10\x00\x00", 10),
		SAMPLE("movw $..,2(%rdi); jmp", "\x66\xc7\x47\x02\x34\x12\xeb\x40", 6),
		SAMPLE("pxor; movups; jmp", "\x66\x0f\xef\xc0\x0f\x11\x07\xeb\x40", 7),
		SAMPLE("testb $1,4(%rdi); je", "\xf6\x47\x04\x01\x74\x01\xc3\xc3", 4),
		SAMPLE("testl $1,4(%rdi); je", "\xf7\x47\x04\x01\x00\x00\x00\x74\x01\xc3\xc3", 7),
		SAMPLE("setne (%rdi); jmp", "\x0f\x95\x07\xeb\x40", 3),
		SAMPLE("xchg %rax,%rbx; jmp", "\x48\x93\xeb\x40", 2),
		SAMPLE("stores of arguments; jmp", "\x48\x89\x77\x08\x89\x0f\xeb\x40", 6),
	};

	(void)state;
	CHECK(samples);
}

static void test_written_argument_leaves_no_place(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("xor edi", "\x31\xff\x53\xc3", -1),
		SAMPLE("mov rdi, rsi", "\x48\x89\xfe\x53\xc3", -1),
		SAMPLE("mov 8(%rdi),%rdi", "\x48\x8b\x7f\x08\x53\xc3", -1),
		SAMPLE("xor edx", "\x31\xd2\x53\xc3", -1),
		SAMPLE("mov $1,%ecx", "\xb9\x01\x00\x00\x00\x53\xc3", -1),
		SAMPLE("mov $1,%r8d", "\x41\xb8\x01\x00\x00\x00\x53\xc3", -1),
		SAMPLE("lea 8(%rdi),%r9", "\x4c\x8d\x4f\x08\x53\xc3", -1),
		SAMPLE("movsxd %esi,%rsi", "\x48\x63\xf6\x53\xc3", -1),
		SAMPLE("movzx %dl,%edx", "\x0f\xb6\xd2\x53\xc3", -1),
		SAMPLE("mov $1,%dh", "\xb6\x01\x53\xc3", -1),
		SAMPLE("mov $1,%sil", "\x40\xb6\x01\x53\xc3", -1),
		SAMPLE("add $8,%rdi", "\x48\x83\xc7\x08\x53\xc3", -1),
		SAMPLE("not %ecx", "\xf7\xd1\x53\xc3", -1),
		SAMPLE("inc %edi", "\xff\xc7\x53\xc3", -1),
		SAMPLE("shl $3,%rsi", "\x48\xc1\xe6\x03\x53\xc3", -1),
		SAMPLE("bswap %esi", "\x0f\xce\x53\xc3", -1),
		SAMPLE("cmove %eax,%edi", "\x0f\x44\xf8\x53\xc3", -1),
		SAMPLE("sete %cl", "\x0f\x94\xc1\x53\xc3", -1),
		SAMPLE("pop %rdi", "\x5f\x53\xc3", -1),
		SAMPLE("xchg %rax,%rdi", "\x48\x97\x53\xc3", -1),
		SAMPLE("xchg %rdi,%rax", "\x48\x87\xf8\x53\xc3", -1),
		SAMPLE("imul $3,%eax,%esi", "\x6b\xf0\x03\x53\xc3", -1),
		SAMPLE("mul writes rdx", "\x48\xf7\xe3\x53\xc3", -1),
		SAMPLE("cqo writes rdx", "\x48\x99\x53\xc3", -1),
		SAMPLE("rep stos writes rdi and rcx", "\xf3\x48\xab\x53\xc3", -1),
		SAMPLE("movd %xmm0,%edi", "\x66\x0f\x7e\xc7\x53\xc3", -1),
		SAMPLE("cpuid", "\x0f\xa2\x53\xc3", -1),
		SAMPLE("rdsspq %rdi", "\xf3\x48\x0f\x1e\xcf\x53\xc3", -1),
		SAMPLE("andn of VEX is not looked into", "\xc4\xe2\x40\xf2\xc6\x53\xc3", -1),
	};
	static const struct sample others[] = {
		SAMPLE("xor eax", "\x31\xc0\x53\xc3", 2),
		SAMPLE("xor r10d", "\x45\x31\xd2\x53\xc3", 3),
		SAMPLE("mov rdi, rbx", "\x48\x89\xfb\x53\xc3", 3),
		SAMPLE("cmp writes nothing", "\x48\x39\xf7\x53\xc3", 3),
		SAMPLE("cmp $8,%rdi", "\x48\x83\xff\x08\x53\xc3", 4),
		SAMPLE("test writes nothing", "\x48\x85\xff\x53\xc3", 3),
		SAMPLE("bt $1,%edi", "\x0f\xba\xe7\x01\x53\xc3", 4),
		SAMPLE("sub $8,%rsp", "\x48\x83\xec\x08\x53\xc3", 4),
	};

	(void)state;
	CHECK(samples);
	CHECK(others);
}

/* Each instruction writes the register of one argument: only reading that forbids to pass it. */
static void test_only_what_is_read_must_not_be_written(void **state)
{
	static const struct {
		const char *bytes;
		unsigned int written;
	} insns[] = {
		{ "\xbf\x01\x00\x00\x00\x90", 0 }, /* mov $1,%edi */
		{ "\xbe\x01\x00\x00\x00\x90", 1 }, /* mov $1,%esi */
		{ "\xba\x01\x00\x00\x00\x90", 2 }, /* mov $1,%edx */
		{ "\xb9\x01\x00\x00\x00\x90", 3 }, /* mov $1,%ecx */
		{ "\x41\xb8\x01\x00\x00\x00", 4 }, /* mov $1,%r8d */
		{ "\x41\xb9\x01\x00\x00\x00", 5 }, /* mov $1,%r9d */
		{ "\x31\xff\x90\x90\x90\x90", 0 }, /* xor %edi,%edi */
		{ "\x48\x89\xd6\x90\x90\x90", 1 }, /* mov %rdx,%rsi */
		{ "\x48\x8d\x57\x08\x90\x90", 2 }, /* lea 8(%rdi),%rdx */
		{ "\x0f\x45\xc8\x90\x90\x90", 3 }, /* cmovne %eax,%ecx */
		{ "\x4c\x0f\xb6\xc6\x90\x90", 4 }, /* movzx %sil,%r8 */
		{ "\x41\x0f\x94\xc1\x90\x90", 5 }, /* sete %r9b */
		{ "\x40\x0f\x94\xc7\x90\x90", 0 }, /* sete %dil */
		{ "\x48\x0f\xbe\xf2\x90\x90", 1 }, /* movsx %dl,%rsi */
		{ "\x66\x0f\x7e\xc2\x90\x90", 2 }, /* movd %xmm0,%edx */
		{ "\x66\x0f\xd7\xc8\x90\x90", 3 }, /* pmovmskb %xmm0,%ecx */
		{ "\xf2\x4c\x0f\x2c\xc0\x90", 4 }, /* cvttsd2si %xmm0,%r8 */
		{ "\x66\x4c\x0f\x7e\xc9\x90", 3 }, /* movq %xmm9,%rcx */
		{ "\x49\x0f\xb1\xd1\x90\x90", 5 }, /* cmpxchg %rdx,%r9 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++)
		for (unsigned int arguments = 0; arguments <= ALL_ARGUMENTS; arguments++) {
			bool is_read = arguments >> insns[i].written & 1;
			/* Where nops fill up, the first of them is the place. */
			const char *nop = memchr(insns[i].bytes, 0x90, 6);
			int behind = nop ? (int)(nop - insns[i].bytes) : 6;
			char code[8] = { 0 };

			memcpy(code, insns[i].bytes, 6);
			memcpy(code + 6, "\x53\xc3", 2);
			if (place_in(code, 8, (uint8_t)arguments, true) != (is_read ? -1 : behind))
				fail_msg("%zu, reading %#x", i, arguments);
		}
}

/* What writes registers that the decoder does not tell is passed when none is read. */
static void test_what_is_not_looked_into_may_have_written_any_argument(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("cqo", "\x48\x99\x53\xc3", 2),
		SAMPLE("mul %rbx", "\x48\xf7\xe3\x53\xc3", 3),
		SAMPLE("divb (%rbx)", "\xf6\x33\x53\xc3", 2),
		SAMPLE("rep stos", "\xf3\x48\xab\x53\xc3", 3),
		SAMPLE("movsq", "\x48\xa5\x53\xc3", 2),
		SAMPLE("cpuid", "\x0f\xa2\x53\xc3", 2),
		SAMPLE("pshufb %xmm1,%xmm0", "\x66\x0f\x38\x00\xc1\x53\xc3", 5),
		SAMPLE("pextrd $1,%xmm0,%esi", "\x66\x0f\x3a\x16\xc6\x01\x53\xc3", 6),
		SAMPLE("vmovdqu %ymm0,(%rdi)", "\xc5\xfe\x7f\x07\x53\xc3", 4),
		SAMPLE("vzeroupper", "\xc5\xf8\x77\x53\xc3", 3),
		SAMPLE("andn %esi,%edi,%eax", "\xc4\xe2\x40\xf2\xc6\x53\xc3", 5),
		SAMPLE("vmovdqu64 (%rsi),%zmm0", "\x62\xf1\xfe\x48\x6f\x06\x53\xc3", 6),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (unsigned int arguments = 0; arguments <= ALL_ARGUMENTS; arguments++)
			if (place_in(samples[i].bytes, samples[i].size, (uint8_t)arguments, true) !=
			    (arguments ? -1 : samples[i].skipped))
				fail_msg("%s, reading %#x", samples[i].what, arguments);
}

static void test_vectors_and_other_registers_are_passed(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("movdqa 16(%rip),%xmm0", "\x66\x0f\x6f\x05\x10\x00\x00\x00\x53\xc3", 8),
		SAMPLE("movdqu (%rsi),%xmm1", "\xf3\x0f\x6f\x0e\x53\xc3", 4),
		SAMPLE("movdqu %xmm1,(%rdi)", "\xf3\x0f\x7f\x0f\x53\xc3", 4),
		SAMPLE("movdqa %xmm1,%xmm7", "\x66\x0f\x6f\xf9\x53\xc3", 4),
		SAMPLE("movaps %xmm0,(%rsp)", "\x0f\x29\x04\x24\x53\xc3", 4),
		SAMPLE("movaps %xmm7,%xmm6", "\x0f\x28\xf7\x53\xc3", 3),
		SAMPLE("movups %xmm0,64(%rdi)", "\x0f\x11\x47\x40\x53\xc3", 4),
		SAMPLE("movups (%rdi),%xmm7", "\x0f\x10\x3f\x53\xc3", 3),
		SAMPLE("movd %edi,%xmm1", "\x66\x0f\x6e\xcf\x53\xc3", 4),
		SAMPLE("movq %rsi,%xmm2", "\x66\x48\x0f\x6e\xd6\x53\xc3", 5),
		SAMPLE("movq (%rdx),%xmm1", "\xf3\x0f\x7e\x0a\x53\xc3", 4),
		SAMPLE("movq %xmm1,%xmm7", "\xf3\x0f\x7e\xf9\x53\xc3", 4),
		SAMPLE("movq %xmm1,8(%rdi)", "\x66\x0f\xd6\x4f\x08\x53\xc3", 5),
		SAMPLE("movq %xmm1,%rax", "\x66\x48\x0f\x7e\xc8\x53\xc3", 5),
		SAMPLE("pxor %xmm1,%xmm2", "\x66\x0f\xef\xd1\x53\xc3", 4),
		SAMPLE("xorps %xmm1,%xmm6", "\x0f\x57\xf1\x53\xc3", 3),
		SAMPLE("punpcklqdq %xmm1,%xmm2", "\x66\x0f\x6c\xd1\x53\xc3", 4),
		SAMPLE("cmove %edi,%eax", "\x0f\x44\xc7\x53\xc3", 3),
		SAMPLE("movzx %sil,%eax", "\x40\x0f\xb6\xc6\x53\xc3", 4),
		SAMPLE("movsx %dx,%r10", "\x4c\x0f\xbf\xd2\x53\xc3", 4),
		SAMPLE("movslq %ecx,%rax", "\x48\x63\xc1\x53\xc3", 3),
		SAMPLE("setne %al", "\x0f\x95\xc0\x53\xc3", 3),
		SAMPLE("push $0", "\x6a\x00\x53\xc3", 2),
		SAMPLE("push $0x1000", "\x68\x00\x10\x00\x00\x53\xc3", 5),
		SAMPLE("push 16(%rip)", "\xff\x35\x10\x00\x00\x00\x53\xc3", 6),
		SAMPLE("mov %fs:0x28,%rax; mov %rax,8(%rsp)",
		       "\x64\x48\x8b\x04\x25\x28\x00\x00\x00\x48\x89\x44\x24\x08\x53\xc3", 14),
	};

	(void)state;
	CHECK(samples);
}

/* The emulation does not write shadow stacks before Linux 6.18. */
static void test_call_behind_the_entry_needs_a_process_without_shadow_stack(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("sub; call", "\x48\x83\xec\x08\xe8\x00\x10\x00\x00\xc3", 4),
		SAMPLE("endbr64; call", ENDBR64 "\xe8\x00\x10\x00\x00\xc3", 4),
		SAMPLE("push imm; call", "\x6a\x01\xe8\x00\x10\x00\x00\x58\xc3", 2),
		SAMPLE("call to the entry", ENDBR64 "\xe8\xf7\xff\xff\xff\xc3", 4),
		SAMPLE("call beyond itself", ENDBR64 "\xe8\x00\x00\x00\x00\x58\xc3", 4),
	};
	static const struct sample others[] = {
		SAMPLE("call to itself", ENDBR64 "\xe8\xfb\xff\xff\xff\xc3", -1),
		SAMPLE("call between", "\x31\xc0\x31\xc0\xe8\xf9\xff\xff\xff\xc3", -1),
		SAMPLE("jmp back to the call", ENDBR64 "\xe8\x00\x10\x00\x00\xeb\xf9", -1),
		SAMPLE("a table", "\x31\xc0\xe8\x00\x10\x00\x00\xff\xe0", -1),
		SAMPLE("data16 call", "\x31\xc0\x66\xe8\x00\x10\x00\x00\xc3", -1),
		SAMPLE("rex.W call", "\x31\xc0\x48\xe8\x00\x10\x00\x00\xc3", -1),
		SAMPLE("bnd call", "\x31\xc0\xf2\xe8\x00\x10\x00\x00\xc3", -1),
		SAMPLE("call through a register", "\x31\xc0\xff\xd0\x53\xc3", -1),
		SAMPLE("call that is cut", "\x31\xc0\xe8\x00\x10\x00", -1),
	};

	(void)state;
	CHECK(others);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *sample = &samples[i];

		assert_int_equal(place_of(sample->bytes, sample->size), -1);
		assert_int_equal(place_in(sample->bytes, sample->size, ALL_ARGUMENTS, false),
				 sample->skipped);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(place_in(others[i].bytes, others[i].size, 0, false), -1);
	assert_int_equal(place_of("\xe8\x00\x10\x00\x00\xc3", 6), 0);
}

/* Whole functions of libcrypto.so.3 in Debian 12. */
/* clang-format off */
#define EVP_CIPHERINIT_EX_CODE \
	"\x48\x83\xec\x10\x6a\x00\xe8\x85\xf3\xff\xff\x48\x83\xc4\x18\x31\xd2\x31\xc9" \
	"\x31\xf6\x31\xff\x45\x31\xc0\x45\x31\xc9\xc3"
#define EVP_DIGESTINIT_EX_CODE \
	"\x48\x89\xd1\x31\xd2\xe9\xc6\xf8\xff\xff"
#define EVP_ENCRYPTINIT_EX_CODE \
	"\x41\xb9\x01\x00\x00\x00\xe9\x65\xe7\xeb\xff"
#define EVP_MD_FETCH_CODE \
	"\x48\x83\xec\x10\x48\x8d\x05\x75\x10\x00\x00\x48\x89\xd1\x48\x89\xf2\x50\x4c" \
	"\x8d\x0d\x47\x00\x00\x00\xbe\x01\x00\x00\x00\x4c\x8d\x05\x6b\x10\x00\x00\xe8" \
	"\x96\x60\x01\x00\x48\x83\xc4\x18\x31\xd2\x31\xc9\x31\xf6\x31\xff\x45\x31\xc0" \
	"\x45\x31\xc9\xc3"
#define SHA384_INIT_CODE \
	"\x66\x0f\x6f\x05\xf8\x6a\x0e\x00\x48\x8b\x05\x99\x0b\x0d\x00\x0f\x11\x07\x66" \
	"\x0f\x6f\x05\xf6\x6a\x0e\x00\x48\x89\x87\xd0\x00\x00\x00\xb8\x01\x00\x00\x00" \
	"\x0f\x11\x47\x10\x66\x0f\x6f\x05\xee\x6a\x0e\x00\x0f\x11\x47\x20\x66\x0f\x6f" \
	"\x05\xf2\x6a\x0e\x00\x0f\x11\x47\x30\x66\x0f\xef\xc0\x0f\x11\x47\x40\x31\xff" \
	"\xc3"
#define EVP_PKEY_CTX_NEW_ID_CODE \
	"\x41\x89\xf9\x48\x89\xf2\x45\x31\xc0\x31\xc9\x31\xf6\x31\xff\xe9\xdc\xf8\xff" \
	"\xff"
#define EVP_PKEY_CTX_SET_EC_PARAMGEN_CURVE_NID_CODE \
	"\x81\xfe\x94\x04\x00\x00\x41\x89\xf0\xb8\x98\x01\x00\x00\xbe\x94\x04\x00\x00" \
	"\x0f\x45\xf0\xb9\x01\x10\x00\x00\x45\x31\xc9\xba\x06\x00\x00\x00\xe9\x38\x69" \
	"\xec\xff"
#define EVP_MAC_UPDATE_CODE \
	"\x48\x8b\x07\x48\x8b\x4f\x08\x48\x8b\x40\x50\x48\x89\xcf\xff\xe0"
/* clang-format on */

static void test_functions_of_openssl(void **state)
{
	static const struct reading readings[] = {
		READING("EVP_CipherInit_ex", EVP_CIPHERINIT_EX_CODE, 0x22, 6),
		READING("EVP_CipherInit_ex", EVP_CIPHERINIT_EX_CODE, 0x3f, 6),
		READING("EVP_DigestInit_ex", EVP_DIGESTINIT_EX_CODE, 0x2, 5),
		READING("EVP_DigestInit_ex", EVP_DIGESTINIT_EX_CODE, 0x0, 5),
		READING("EVP_DigestInit_ex", EVP_DIGESTINIT_EX_CODE, 0x4, -1),
		READING("EVP_DigestInit_ex", EVP_DIGESTINIT_EX_CODE, 0x8, -1),
		READING("EVP_EncryptInit_ex", EVP_ENCRYPTINIT_EX_CODE, 0x2, 6),
		READING("EVP_EncryptInit_ex", EVP_ENCRYPTINIT_EX_CODE, 0x20, -1),
		READING("EVP_MD_fetch", EVP_MD_FETCH_CODE, 0x2, 17),
		READING("EVP_MD_fetch", EVP_MD_FETCH_CODE, 0x4, -1),
		READING("SHA384_Init", SHA384_INIT_CODE, 0x0, -1),
		READING("EVP_PKEY_CTX_new_id", EVP_PKEY_CTX_NEW_ID_CODE, 0x1, -1),
		READING("EVP_PKEY_CTX_new_id", EVP_PKEY_CTX_NEW_ID_CODE, 0x0, 15),
		READING("EVP_PKEY_CTX_set_ec_paramgen_curve_nid",
			EVP_PKEY_CTX_SET_EC_PARAMGEN_CURVE_NID_CODE, 0x0, 35),
		READING("EVP_PKEY_CTX_set_ec_paramgen_curve_nid",
			EVP_PKEY_CTX_SET_EC_PARAMGEN_CURVE_NID_CODE, 0x2, -1),
		READING("EVP_MAC_update", EVP_MAC_UPDATE_CODE, 0x0, -1),
	};

	(void)state;
	CHECK_READINGS(readings);
}

static void test_place_is_in_the_straight_line(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("ret", "\xc3", -1),
		SAMPLE("ret before push", "\x31\xc0\xc3\x53\xc3", -1),
		SAMPLE("call is no place behind the entry",
		       "\x48\x83\xec\x08\xe8\x00\x10\x00\x00\x53\xc3", -1),
		SAMPLE("call through memory", ENDBR64 "\xff\x57\x08\x53\xc3", -1),
		SAMPLE("jmp through memory", ENDBR64 "\xff\x67\x08\x53\xc3", -1),
		SAMPLE("jrcxz", ENDBR64 "\xe3\x00\x53\xc3", -1),
		SAMPLE("syscall", "\x0f\x05\x53\xc3", -1),
		SAMPLE("ud2", "\x0f\x0b\x53\xc3", -1),
		SAMPLE("xbegin", "\xc7\xf8\x00\x00\x00\x00\x53\xc3", -1),
		SAMPLE("66 90 cannot be attached to", "\x48\x89\xf8\x66\x90\xc3", -1),
		SAMPLE("jmp with a prefix", "\x48\x89\xf8\xf2\xe9\x00\x10\x00\x00\xc3", -1),
		SAMPLE("a nop of five bytes is passed", "\x0f\x1f\x44\x00\x00\x53\xc3", 5),
		SAMPLE("addr32 call", "\x48\x83\xec\x08\x67\xe8\x00\x10\x00\x00", -1),
		SAMPLE("push of REX.W is stepped", "\x48\x53\x31\xc0\xc3", -1),
		SAMPLE("no instruction", "\x06\x53\xc3", -1),
	};

	(void)state;
	CHECK(samples);
}

static void test_distance_is_bounded(void **state)
{
	uint8_t code[80];

	(void)state;
	/* A nop of three bytes over and over, then push. */
	for (size_t i = 0; i < sizeof(code); i += 3)
		memcpy(code + i, "\x0f\x1f\x00", i + 3 <= sizeof(code) ? 3 : sizeof(code) - i);
	code[63] = 0x53;
	code[64] = 0xc3;
	assert_int_equal(place_of(code, 65), 63);
	memcpy(code + 63, "\x0f\x1f\x00\x53\xc3", 5);
	assert_int_equal(place_of(code, 68), -1);
}

static void test_branch_back_leaves_no_place(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("to the place", ENDBR64 "\x53\x5b\x74\xfc\xc3", -1),
		SAMPLE("to the entry", ENDBR64 "\x53\x5b\x74\xf8\xc3", 4),
		SAMPLE("behind the place", ENDBR64 "\x53\x5b\x74\xfd\xc3", 4),
		SAMPLE("the place to itself", ENDBR64 "\xeb\xfe", -1),
		SAMPLE("of 32 bits, to the place", ENDBR64 "\x53\x5b\x0f\x85\xf8\xff\xff\xff\xc3",
		       -1),
		SAMPLE("of 32 bits, to the entry", ENDBR64 "\x53\x5b\x0f\x85\xf4\xff\xff\xff\xc3",
		       4),
		SAMPLE("jmp of 32 bits, to the place", ENDBR64 "\x53\x5b\xe9\xf9\xff\xff\xff", -1),
		SAMPLE("call to the place", ENDBR64 "\x53\xe8\xfa\xff\xff\xff\x5b\xc3", -1),
		SAMPLE("loop to the place", ENDBR64 "\x53\xe2\xfd\x5b\xc3", -1),
		SAMPLE("a number that looks like a distance",
		       ENDBR64 "\x53\xb8\xfa\xff\xff\xff\x5b\xc3", 4),
		SAMPLE("what follows is not known", ENDBR64 "\x53\x5b\x06\xc3", -1),
		SAMPLE("what follows is cut", ENDBR64 "\x53\x5b\x48\x8b", -1),
	};

	(void)state;
	CHECK(samples);
}

static void test_far_branch_back_is_found_behind_what_cannot_be_decoded(void **state)
{
	uint8_t code[512];

	(void)state;
	memset(code, 0x90, sizeof(code));
	memcpy(code, ENDBR64 "\x53", 5);
	assert_int_equal(place_of(code, sizeof(code)), 4);

	/* Near branches do not reach so far back; what cannot be decoded there may stay. */
	memset(code + 256, 0x06, 32);
	assert_int_equal(place_of(code, sizeof(code)), 4);
	memcpy(code + 400, "\xe9\x6f\xfe\xff\xff", 5);
	assert_int_equal(place_of(code, sizeof(code)), -1);
}

static void test_near_branch_is_found_as_far_as_it_reaches(void **state)
{
	uint8_t code[200];

	(void)state;
	memset(code, 0x90, sizeof(code));
	memcpy(code, ENDBR64 "\x53", 5);
	memcpy(code + 130, "\x75\x80", 2);
	assert_int_equal(place_of(code, sizeof(code)), -1);
	memcpy(code + 130, "\x75\x81", 2);
	assert_int_equal(place_of(code, sizeof(code)), 4);
}

static void test_jump_through_a_table_leaves_saves_only(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("je, jmp *%rax", "\x85\xff\x74\x02\xff\xe0\xc3", -1),
		SAMPLE("je, notrack jmp *%rax", "\x85\xff\x74\x03\x3e\xff\xe0\xc3", -1),
		SAMPLE("je, jmp *(%rax,%rdi,8)", "\x85\xff\x74\x03\xff\x24\xf8\xc3", -1),
		SAMPLE("je, jmp *(%rax)", "\x85\xff\x74\x02\xff\x20\xc3", -1),
		SAMPLE("je, jmp *0x18(%rax)", "\x85\xff\x74\x03\xff\x60\x18\xc3", 2),
		SAMPLE("je, jmp *disp32(%rip)", "\x85\xff\x74\x06\xff\x25\x00\x10\x00\x00\xc3", 2),
		SAMPLE("push rbx, jmp *%rax", ENDBR64 "\x53\xff\xe0", 4),
		SAMPLE("push r12, jmp *%rax", ENDBR64 "\x41\x54\xff\xe0", 4),
		SAMPLE("push rdi, jmp *%rax", ENDBR64 "\x57\xff\xe0", -1),
		SAMPLE("at the entry itself", "\x74\x02\xff\xe0\xc3", 0),
	};

	(void)state;
	CHECK(samples);
}

/* A wrong size hides the branch behind the instruction, or makes one up. */
static void test_sizes_are_known(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("mov $1,%ax", "\x66\xb8\x01\x00", 0),
		SAMPLE("mov $1,%rax", "\x48\xc7\xc0\x01\x00\x00\x00", 0),
		SAMPLE("enter $16,$0", "\xc8\x10\x00\x00", 0),
		SAMPLE("ret $8", "\xc2\x08\x00", 0),
		SAMPLE("mov 0x100(%rsp,%rax,2),%ebx", "\x8b\x9c\x44\x00\x01\x00\x00", 0),
		SAMPLE("testw $1,(%rax)", "\x66\xf7\x00\x01\x00", 0),
		SAMPLE("divl (%rbx)", "\xf7\x33", 0),
		SAMPLE("pshufb (%rax),%xmm1", "\x66\x0f\x38\x00\x08", 0),
		SAMPLE("palignr $8,%xmm1,%xmm2", "\x66\x0f\x3a\x0f\xd1\x08", 0),
		SAMPLE("aesenc %xmm1,%xmm2", "\x66\x0f\x38\xdc\xd1", 0),
		SAMPLE("adcx %rax,%rbx", "\x66\x48\x0f\x38\xf6\xd8", 0),
		SAMPLE("vzeroupper", "\xc5\xf8\x77", 0),
		SAMPLE("vpxor %ymm1,%ymm2,%ymm3", "\xc5\xed\xef\xd9", 0),
		SAMPLE("vpshufd $1,%ymm1,%ymm2", "\xc5\xfd\x70\xd1\x01", 0),
		SAMPLE("vpalignr $8,%ymm1,%ymm2,%ymm3", "\xc4\xe3\x6d\x0f\xd9\x08", 0),
		SAMPLE("mulx (%rsi),%rax,%rbx", "\xc4\xe2\xe3\xf6\x06", 0),
		SAMPLE("vpxorq 0x40(%rsi),%zmm1,%zmm2", "\x62\xf1\xf5\x48\xef\x56\x01", 0),
		SAMPLE("vpternlogq $1,%zmm1,%zmm2,%zmm3", "\x62\xf3\xed\x48\x25\xd9\x01", 0),
		SAMPLE("lea 0x10(%esi),%esi", "\x67\x8d\x76\x10", 0),
		SAMPLE("addr32 call, which linkers write", "\x67\xe8\x00\x10\x00\x00", 0),
		SAMPLE("xstore", "\xf3\x0f\xa7\xc0", 0),
		SAMPLE("data16 nopw %cs:0(%rax,%rax,1)",
		       "\x66\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", 0),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		/* jmp over it, so that it is only decoded; then a jmp to the place. */
		uint8_t code[40] = { 0x85, 0xff, 0x74, 0x40 };
		size_t at = 4 + samples[i].size;

		memcpy(code + 4, samples[i].bytes, samples[i].size);
		code[at] = 0xeb;
		code[at + 1] = (uint8_t)-at;
		if (place_of(code, at + 2) != -1)
			fail_msg("%s: the branch behind it is not seen", samples[i].what);
		code[at + 1] = 0;
		if (place_of(code, at + 2) != 2)
			fail_msg("%s: a branch is seen that is not there", samples[i].what);
		for (size_t cut = 5; cut < at; cut++)
			(void)place_of(code, cut);
	}
}

/* Nothing is read behind the end, whatever the bytes are; what is told is in the bytes. */
static void test_any_bytes_are_read_within_their_end(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		uint8_t code[24];
		size_t size = round % (sizeof(code) + 1);

		for (size_t i = 0; i < size; i++) {
			random = random * 1664525 + 1013904223;
			code[i] = (uint8_t)(random >> 24);
		}

		int place = place_of(code, size);

		assert_true(place < (int)size);
		/* Less that is in doubt takes no place away. */
		if (place >= 0)
			assert_int_equal(place_in(code, size, 0, false), place);
		else
			assert_true(place_in(code, size, random >> 8 & ALL_ARGUMENTS, false) <
				    (int)size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emulated_entry_is_the_place),
		cmocka_unit_test(test_first_emulated_instruction_is_the_place),
		cmocka_unit_test(test_written_argument_leaves_no_place),
		cmocka_unit_test(test_only_what_is_read_must_not_be_written),
		cmocka_unit_test(test_what_is_not_looked_into_may_have_written_any_argument),
		cmocka_unit_test(test_vectors_and_other_registers_are_passed),
		cmocka_unit_test(test_call_behind_the_entry_needs_a_process_without_shadow_stack),
		cmocka_unit_test(test_functions_of_openssl),
		cmocka_unit_test(test_place_is_in_the_straight_line),
		cmocka_unit_test(test_distance_is_bounded),
		cmocka_unit_test(test_branch_back_leaves_no_place),
		cmocka_unit_test(test_far_branch_back_is_found_behind_what_cannot_be_decoded),
		cmocka_unit_test(test_near_branch_is_found_as_far_as_it_reaches),
		cmocka_unit_test(test_jump_through_a_table_leaves_saves_only),
		cmocka_unit_test(test_sizes_are_known),
		cmocka_unit_test(test_any_bytes_are_read_within_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
