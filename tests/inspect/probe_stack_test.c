/* SPDX-License-Identifier: MIT */
/* How far the stack pointer has moved at a place, on both machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/probe_code.h"
#include "support/guard.h"

#define UNKNOWN	  -1
#define INSNS_MAX 16

/* arm64: how most of the code here ends, and the instruction in it that is the place. */
#define CBZ_X0 0xb4000040U /* cbz x0, 8 */
#define NOP    0xd503201fU
#define RET    0xd65f03c0U

struct sample {
	const char *what;
	const char *bytes;
	size_t size;
	uint32_t skipped;
	int64_t stack;
};

struct arm_sample {
	const char *what;
	uint32_t insns[4]; /* in front of the place; 0: no more */
	int64_t stack;
};

/* clang-format off */
#define SAMPLE(what, bytes, skipped, stack) { what, bytes, sizeof(bytes) - 1, skipped, stack }
/* In front of nop; ret. */
#define MOVES(what, bytes, stack) SAMPLE(what, bytes "\x90\xc3", sizeof(bytes) - 1, stack)
#define ARM(what, stack, ...) { what, { __VA_ARGS__ }, stack }
/* clang-format on */

static void check_spot(const char *what, const struct probe_spot *spot, uint32_t skipped,
		       int64_t stack)
{
	uint32_t told = stack == UNKNOWN ? 0 : (uint32_t)stack;

	if (spot->skipped != skipped || spot->has_stack != (stack != UNKNOWN) ||
	    spot->stack != told)
		fail_msg("%s: at %u, stack %u, known %d", what, spot->skipped, spot->stack,
			 spot->has_stack);
}

static void check(const struct sample *samples, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct sample *sample = &samples[i];
		const void *copy = guard_copy(sample->bytes, sample->size);
		struct probe_code code = { .bytes = copy, .size = sample->size };
		struct probe_spot spot;

		if (!probe_x86_place(&code, &spot))
			fail_msg("%s: no place", sample->what);
		check_spot(sample->what, &spot, sample->skipped, sample->stack);
		guard_free(copy, sample->size);
	}
}

#define CHECK(samples) check(samples, sizeof(samples) / sizeof((samples)[0]))

static void check_arm(const char *what, const uint32_t *insns, size_t nr, uint32_t skipped,
		      int64_t stack)
{
	uint8_t bytes[INSNS_MAX * 4];

	assert_true(nr <= INSNS_MAX);
	for (size_t i = 0; i < nr * 4; i++)
		bytes[i] = (uint8_t)(insns[i / 4] >> i % 4 * 8);

	struct probe_code code = { .bytes = guard_copy(bytes, nr * 4), .size = nr * 4 };
	struct probe_spot spot;

	if (!probe_arm64_place(&code, &spot))
		fail_msg("%s: no place", what);
	check_spot(what, &spot, skipped, stack);
	guard_free(code.bytes, nr * 4);
}

static void check_arm_samples(const struct arm_sample *samples, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		uint32_t insns[INSNS_MAX];
		size_t count = 0;

		while (count < 4 && samples[i].insns[count]) {
			insns[count] = samples[i].insns[count];
			count++;
		}
		insns[count] = CBZ_X0;
		insns[count + 1] = NOP;
		insns[count + 2] = RET;
		check_arm(samples[i].what, insns, count + 3, (uint32_t)count * 4, samples[i].stack);
	}
}

#define CHECK_ARM(samples) check_arm_samples(samples, sizeof(samples) / sizeof((samples)[0]))

/* Functions of libcrypto.so.3 and libssl.so.3 in Debian 12, up to the place or whole. */
static void test_functions_of_openssl(void **state)
{
	static const struct sample samples[] = {
		SAMPLE("X509_get_ext_d2i", "\x48\x8b\x7f\x68\xe9\xd7\x03\xdf\xff", 4, 0),
		SAMPLE("EVP_EncryptInit", "\x41\xb8\x01\x00\x00\x00\xe9\xb5\x1e\xec\xff", 6, 0),
		SAMPLE("EVP_PKEY_CTX_ctrl_str", "\x41\x55\x49\x89\xf5\x41\x54", 0, 0),
		SAMPLE("SSL_read",
		       "\x48\x83\xec\x18\x64\x48\x8b\x04\x25\x28\x00\x00\x00\x48\x89\x44\x24\x08"
		       "\x31\xc0\x85\xd2\x78\x2f",
		       22, 0x18),
		SAMPLE("EVP_CipherInit_ex",
		       "\x48\x83\xec\x10\x6a\x00\xe8\x85\xf3\xff\xff\x48\x83\xc4\x18", 6, 0x18),
		SAMPLE("EVP_CIPHER_fetch",
		       "\x48\x83\xec\x10\x48\x8d\x05\x95\x12\x00\x00\x48\x89\xd1\x48\x89\xf2\x50"
		       "\x4c\x8d\x0d\x47\x00\x00\x00\xbe\x02\x00\x00\x00",
		       17, 0x10),
	};

	(void)state;
	CHECK(samples);
}

static void test_moves_by_a_number_are_added_up(void **state)
{
	static const struct sample samples[] = {
		MOVES("nothing", "", 0),
		MOVES("push $1", "\x6a\x01", 8),
		MOVES("push $0x1000", "\x68\x00\x10\x00\x00", 8),
		MOVES("push 16(%rip)", "\xff\x35\x10\x00\x00\x00", 8),
		MOVES("push (%rdi)", "\xff\x37", 8),
		MOVES("rex.W push %rbx", "\x48\x53", 8),
		MOVES("sub $0x28,%rsp", "\x48\x83\xec\x28", 0x28),
		MOVES("sub $0x1008,%rsp", "\x48\x81\xec\x08\x10\x00\x00", 0x1008),
		MOVES("add $-0x80,%rsp", "\x48\x83\xc4\x80", 0x80),
		MOVES("add $-0x1000,%rsp", "\x48\x81\xc4\x00\xf0\xff\xff", 0x1000),
		MOVES("lea -0x18(%rsp),%rsp", "\x48\x8d\x64\x24\xe8", 0x18),
		MOVES("lea -0x1018(%rsp),%rsp", "\x48\x8d\xa4\x24\xe8\xef\xff\xff", 0x1018),
		MOVES("sub; push $0; push $1; add $8",
		      "\x48\x83\xec\x10\x6a\x00\x6a\x01\x48\x83\xc4\x08", 0x18),
		MOVES("sub; lea 0x10(%rsp),%rsp", "\x48\x83\xec\x18\x48\x8d\x64\x24\x10", 8),
		MOVES("push; add: at the entry's", "\x6a\x01\x48\x83\xc4\x08", 0),
		MOVES("sub $0x7fffffff,%rsp; twice",
		      "\x48\x81\xec\xff\xff\xff\x7f\x48\x81\xec\xff\xff\xff\x7f", 0xfffffffe),
	};

	(void)state;
	CHECK(samples);
}

static void test_other_writes_make_it_unknown(void **state)
{
	static const struct sample samples[] = {
		MOVES("pushw $1", "\x66\x6a\x01", UNKNOWN),
		MOVES("pushw (%rdi)", "\x66\xff\x37", UNKNOWN),
		MOVES("push %bx", "\x66\x53", UNKNOWN),
		MOVES("push %fs", "\x0f\xa0", UNKNOWN),
		MOVES("pushf", "\x9c", UNKNOWN),
		MOVES("push $1; pop %rax", "\x6a\x01\x58", UNKNOWN),
		MOVES("push $1; pop (%rdi)", "\x6a\x01\x8f\x07", UNKNOWN),
		MOVES("push $1; pop %fs", "\x6a\x01\x0f\xa1", UNKNOWN),
		MOVES("pop %rsp", "\x5c", UNKNOWN),
		MOVES("leave", "\xc9", UNKNOWN),
		MOVES("sub $16,%esp", "\x83\xec\x10", UNKNOWN),
		MOVES("sub $16,%sp", "\x66\x83\xec\x10", UNKNOWN),
		MOVES("sub %rax,%rsp", "\x48\x29\xc4", UNKNOWN),
		MOVES("sub 8(%rdi),%rsp", "\x48\x2b\x67\x08", UNKNOWN),
		MOVES("lea -8(%rsp,%rax),%rsp", "\x48\x8d\x64\x04\xf8", UNKNOWN),
		MOVES("lea -8(%esp),%rsp", "\x67\x48\x8d\x64\x24\xf8", UNKNOWN),
		MOVES("lea -8(%rsp),%esp", "\x8d\x64\x24\xf8", UNKNOWN),
		MOVES("lea -8(%rbp),%rsp", "\x48\x8d\x65\xf8", UNKNOWN),
		MOVES("mov %rbp,%rsp", "\x48\x89\xec", UNKNOWN),
		MOVES("mov 8(%rax),%rsp", "\x48\x8b\x60\x08", UNKNOWN),
		MOVES("xchg %rax,%rsp", "\x48\x94", UNKNOWN),
		MOVES("and $-16,%rsp", "\x48\x83\xe4\xf0", UNKNOWN),
		MOVES("inc %rsp", "\x48\xff\xc4", UNKNOWN),
		MOVES("xadd %rax,%rsp", "\x48\x0f\xc1\xc4", UNKNOWN),
		MOVES("cmove %rax,%rsp", "\x48\x0f\x44\xe0", UNKNOWN),
		MOVES("movslq %ecx,%rsp", "\x48\x63\xe1", UNKNOWN),
		MOVES("mov $0,%spl", "\x40\xb4\x00", UNKNOWN),
		MOVES("imul $2,%rax,%rsp", "\x48\x6b\xe0\x02", UNKNOWN),
		MOVES("movq %xmm0,%rsp", "\x66\x48\x0f\x7e\xc4", UNKNOWN),
		MOVES("and; sub: it stays so", "\x48\x83\xe4\xf0\x48\x83\xec\x10", UNKNOWN),
		/* What is above the entry's stack pointer's is another's, and so may the address
		   be. */
		MOVES("add $8,%rsp", "\x48\x83\xc4\x08", UNKNOWN),
		MOVES("add $8,%rsp; push $1", "\x48\x83\xc4\x08\x6a\x01", UNKNOWN),
		MOVES("more than 4 GiB",
		      "\x48\x81\xec\xff\xff\xff\x7f\x48\x81\xec\xff\xff\xff\x7f\x6a\x01", UNKNOWN),
	};

	(void)state;
	CHECK(samples);
}

static void test_other_registers_and_reads_leave_it(void **state)
{
	static const struct sample samples[] = {
		MOVES("mov %rsp,%rbp", "\x48\x89\xe5", 0),
		MOVES("lea -8(%rsp),%rbp", "\x48\x8d\x6c\x24\xf8", 0),
		MOVES("cmp $16,%rsp", "\x48\x83\xfc\x10", 0),
		MOVES("sub $16,%r12", "\x49\x83\xec\x10", 0),
		MOVES("add $16,%r12", "\x49\x83\xc4\x10", 0),
		MOVES("lea 8(%r12),%r12", "\x4d\x8d\x64\x24\x08", 0),
		MOVES("subl $16,(%rsp)", "\x83\x2c\x24\x10", 0),
		MOVES("mov $0,%ah", "\xb4\x00", 0),
		MOVES("mov %rax,8(%rsp)", "\x48\x89\x44\x24\x08", 0),
		MOVES("mov $1,%r12", "\x49\xc7\xc4\x01\x00\x00\x00", 0),
	};

	(void)state;
	CHECK(samples);
}

/* Instructions as the assembler of LLVM 14 writes them. */
static void test_arm_moves_by_a_number_are_added_up(void **state)
{
	static const struct arm_sample samples[] = {
		ARM("bti c", 0, 0xd503245f),
		ARM("stp x29, x30, [sp, #-48]!", 48, 0xa9bd7bfd),
		ARM("stp; mov x29, sp; stp x19, x20, [sp, #16]", 48, 0xa9bd7bfd, 0x910003fd,
		    0xa90153f3),
		ARM("str x30, [sp, #-16]!", 16, 0xf81f0ffe),
		ARM("str w19, [sp, #-16]!", 16, 0xb81f0ff3),
		ARM("str d8, [sp, #-16]!", 16, 0xfc1f0fe8),
		ARM("str q8, [sp, #-16]!", 16, 0x3c9f0fe8),
		ARM("stp d8, d9, [sp, #-64]!", 64, 0x6dbc27e8),
		ARM("sub sp, sp, #32", 32, 0xd10083ff),
		ARM("sub sp, sp, #1, lsl #12", 4096, 0xd14007ff),
		ARM("sub sp, sp, #32; add sp, sp, #16", 16, 0xd10083ff, 0x910043ff),
		ARM("sub sp, sp, #32; stp; str", 32 + 48 + 32, 0xd10083ff, 0xa9bd7bfd, 0xf81e0ff3),
	};

	(void)state;
	CHECK_ARM(samples);
}

static void test_arm_other_writes_make_it_unknown(void **state)
{
	static const struct arm_sample samples[] = {
		ARM("add sp, sp, #32", UNKNOWN, 0x910083ff),
		ARM("add sp, sp, #16; sub sp, sp, #32", UNKNOWN, 0x910043ff, 0xd10083ff),
		ARM("sub sp, sp, x9", UNKNOWN, 0xcb2963ff),
		ARM("sub sp, x29, #16", UNKNOWN, 0xd10043bf),
		ARM("mov sp, x29", UNKNOWN, 0x910003bf),
		ARM("and sp, x9, #-16", UNKNOWN, 0x927ced3f),
		ARM("sub wsp, wsp, #16", UNKNOWN, 0x510043ff),
		ARM("addg sp, sp, #16, #1", UNKNOWN, 0x918107ff),
		ARM("irg sp, x0", UNKNOWN, 0x9adf101f),
		ARM("stp q8, q9, [sp, #-64]!", UNKNOWN, 0xadbe27e8),
		ARM("stp w19, w20, [sp, #-16]!", UNKNOWN, 0x29be53f3),
		ARM("ldr x19, [sp], #16", UNKNOWN, 0xf84107f3),
		ARM("str x19, [sp], #16", UNKNOWN, 0xf80107f3),
		ARM("ldr x19, [sp, #-16]!", UNKNOWN, 0xf85f0ff3),
		ARM("ldrsw x19, [sp, #-16]!", UNKNOWN, 0xb89f0ff3),
		ARM("ldr d8, [sp], #16", UNKNOWN, 0xfc4107e8),
		ARM("mov sp, x29; sub: it stays so", UNKNOWN, 0x910003bf, 0xd10083ff),
	};

	(void)state;
	CHECK_ARM(samples);
}

/* The return address is in x30, as long as that is not written, or signed. */
static void test_arm_link_must_be_that_of_the_entry(void **state)
{
	static const struct arm_sample samples[] = {
		ARM("paciasp", UNKNOWN, 0xd503233f),
		ARM("pacibsp", UNKNOWN, 0xd503237f),
		ARM("pacibz", UNKNOWN, 0xd503235f),
		ARM("autiasp", UNKNOWN, 0xd50323bf),
		ARM("xpaclri", UNKNOWN, 0xd50320ff),
		ARM("pacia1716", 0, 0xd503211f),
		ARM("paciasp; stp", UNKNOWN, 0xd503233f, 0xa9bd7bfd),
		ARM("mov x30, x9", UNKNOWN, 0xaa0903fe),
		ARM("ldr x30, [x9]", UNKNOWN, 0xf940013e),
		ARM("ldp x9, x30, [sp, #16]", UNKNOWN, 0xa9417be9),
		ARM("ldp x29, x30, [sp], #48", UNKNOWN, 0xa8c37bfd),
		ARM("mrs x30, tpidr_el0", UNKNOWN, 0xd53bd05e),
		ARM("fmov x30, d0", UNKNOWN, 0x9e66001e),
		ARM("ldadd x1, x30, [x0]", UNKNOWN, 0xf821001e),
		ARM("mov x9, x30", 0, 0xaa1e03e9),
		ARM("stp x29, x30, [sp, #16]", 0, 0xa9017bfd),
	};
	/* bl writes it, but not before the probe is hit. */
	static const uint32_t call[] = { 0xa9bd7bfd, 0x910003fd, 0x94001000, RET };

	(void)state;
	CHECK_ARM(samples);
	check_arm("stp; mov; bl", call, 4, 8, 48);
}

static void test_arm_comparisons_and_reads_leave_it(void **state)
{
	static const struct arm_sample samples[] = {
		ARM("cmp x0, #0", 0, 0xf100001f),	 ARM("cmn w1, w2", 0, 0x2b02003f),
		ARM("cmp x0, x1", 0, 0xeb01001f),	 ARM("cmp x0, w1, sxtw", 0, 0xeb21c01f),
		ARM("cmp sp, x9", 0, 0xeb2963ff),	 ARM("tst x0, #1", 0, 0xf240001f),
		ARM("tst w0, w1", 0, 0x6a01001f),	 ARM("adds x9, x0, #1", 0, 0xb1000409),
		ARM("str xzr, [sp, #8]", 0, 0xf90007ff), ARM("stp xzr, xzr, [x9]", 0, 0xa9007d3f),
		ARM("ldr x9, [sp, x10]", 0, 0xf86a6be9), ARM("mrs x8, tpidr_el0", 0, 0xd53bd048),
		ARM("movi v0.2d, #0", 0, 0x6f00e400),
	};

	(void)state;
	CHECK_ARM(samples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_of_openssl),
		cmocka_unit_test(test_moves_by_a_number_are_added_up),
		cmocka_unit_test(test_other_writes_make_it_unknown),
		cmocka_unit_test(test_other_registers_and_reads_leave_it),
		cmocka_unit_test(test_arm_moves_by_a_number_are_added_up),
		cmocka_unit_test(test_arm_other_writes_make_it_unknown),
		cmocka_unit_test(test_arm_link_must_be_that_of_the_entry),
		cmocka_unit_test(test_arm_comparisons_and_reads_leave_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
