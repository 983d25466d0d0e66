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

#define INSNS_MAX 24

/* Instructions as the assembler of LLVM 14 writes them. */
#define BTI_C	  0xd503245fU
#define PACIASP	  0xd503233fU
#define STP_FRAME 0xa9bd7bfdU /* stp x29, x30, [sp, #-48]! */
#define MOV_FRAME 0x910003fdU /* mov x29, sp */
#define ADRP_X3	  0xb0000003U
#define CBZ_X0	  0xb4000040U /* cbz x0, 8 */
#define NOP	  0xd503201fU
#define RET	  0xd65f03c0U
#define BR_X16	  0xd61f0200U

static int place_of(const uint32_t *insns, size_t nr)
{
	uint8_t bytes[INSNS_MAX * 4];

	assert_true(nr <= INSNS_MAX);
	for (size_t i = 0; i < nr * 4; i++)
		bytes[i] = (uint8_t)(insns[i / 4] >> i % 4 * 8);

	const void *code = guard_copy(bytes, nr * 4);
	uint32_t skipped = 0;
	int place = probe_arm64_place(code, nr * 4, &skipped) ? (int)skipped : -1;

	guard_free(code, nr * 4);
	return place;
}

static void test_first_simulated_instruction_is_the_place(void **state)
{
	static const uint32_t simulated[] = {
		0x14000010,		/* b 64 */
		0x54000041,		/* b.ne 8 */
		CBZ_X0,	    0x35000041, /* cbnz w1, 8 */
		0x36000042,		/* tbz w2, #0, 8 */
		0xb7f80043,		/* tbnz x3, #63, 8 */
		0x10000083,		/* adr x3, 16 */
		ADRP_X3,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(simulated) / sizeof(simulated[0]); i++) {
		const uint32_t at_entry[] = { simulated[i], NOP, RET };
		const uint32_t behind[] = { PACIASP, STP_FRAME, MOV_FRAME, simulated[i], NOP, RET };

		assert_int_equal(place_of(at_entry, 3), 0);
		assert_int_equal(place_of(behind, 6), 12);
	}
}

static void test_others_are_no_place(void **state)
{
	static const uint32_t others[] = {
		0x94000010,			  /* bl 64 */
		0xd63f0200,			  /* blr x16 */
		BR_X16,	    RET, NOP, 0x58000083, /* ldr x3, 16 */
		0x54000051,			  /* bc.ne 8 */
		0xd4200000,			  /* brk #0 */
		0x00000000,			  /* udf #0 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const uint32_t insns[] = { others[i], RET };

		assert_int_equal(place_of(insns, 2), -1);
	}
	assert_int_equal(place_of(NULL, 0), -1);
}

static void test_only_what_leaves_the_arguments_alone_is_passed(void **state)
{
	static const struct {
		uint32_t insn;
		bool is_passed;
	} insns[] = {
		{ BTI_C, true },       { NOP, true }, { 0xd10083ff, true }, /* sub sp, sp, #32 */
		{ 0xf90007e0, true },					    /* str x0, [sp, #8] */
		{ 0xa90107e0, true },  /* stp x0, x1, [sp, #16] */
		{ 0xaa0003f3, true },  /* mov x19, x0 */
		{ 0xaa0103e0, false }, /* mov x0, x1 */
		{ 0xaa0503e6, true },  /* mov x6, x5 */
		{ 0x52800025, false }, /* mov w5, #1 */
		{ 0x52800026, true },  /* mov w6, #1 */
		{ 0xf100001f, true },  /* cmp x0, #0 */
		{ 0xeb01001f, true },  /* cmp x0, x1 */
		{ 0xf9400408, true },  /* ldr x8, [x0, #8] */
		{ 0xf9400400, false }, /* ldr x0, [x0, #8] */
		{ 0xb9800401, false }, /* ldrsw x1, [x0, #4] */
		{ 0xf8408408, false }, /* ldr x8, [x0], #8 */
		{ 0xf8008c48, false }, /* str x8, [x2, #8]! */
		{ 0xf81f0ff3, true },  /* str x19, [sp, #-16]! */
		{ 0xf8616809, true },  /* ldr x9, [x0, x1] */
		{ 0xf8616803, false }, /* ldr x3, [x0, x1] */
		{ 0xf8210006, false }, /* ldadd x1, x6, [x0]: not looked into */
		{ 0xa9402809, true },  /* ldp x9, x10, [x0] */
		{ 0xa9400809, false }, /* ldp x9, x2, [x0] */
		{ 0xa8c12809, false }, /* ldp x9, x10, [x0], #16 */
		{ 0x6d0127e8, true },  /* stp d8, d9, [sp, #16] */
		{ 0x3dc00000, true },  /* ldr q0, [x0] */
		{ 0xd53bd048, true },  /* mrs x8, tpidr_el0 */
		{ 0xd53bd040, false }, /* mrs x0, tpidr_el0 */
		{ 0xd51b4200, false }, /* msr nzcv, x0 */
		{ 0x9e660008, true },  /* fmov x8, d0 */
		{ 0x9e660000, false }, /* fmov x0, d0 */
		{ 0xc85f7c08, false }, /* ldxr x8, [x0] */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
		const uint32_t code[] = { insns[i].insn, CBZ_X0, NOP, RET };

		if (place_of(code, 4) != (insns[i].is_passed ? 4 : -1))
			fail_msg("%08x", insns[i].insn);
	}
}

static void test_branch_back_leaves_no_place(void **state)
{
	static const uint32_t branches[] = {
		0x17ffffff, /* b -4 */
		0x97ffffff, /* bl -4 */
		0x54ffffe0, /* b.eq -4 */
		0xb4ffffe0, /* cbz x0, -4 */
		0x3707ffe0, /* tbnz w0, #0, -4 */
	};
	static const uint32_t beyond[] = { PACIASP, CBZ_X0, NOP, 0x17ffffff, RET };
	static const uint32_t entry[] = { PACIASP, CBZ_X0, 0x17fffffe, RET };

	(void)state;
	for (size_t i = 0; i < sizeof(branches) / sizeof(branches[0]); i++) {
		const uint32_t code[] = { PACIASP, CBZ_X0, branches[i], RET };

		assert_int_equal(place_of(code, 4), -1);
	}
	assert_int_equal(place_of(beyond, 5), 4);
	assert_int_equal(place_of(entry, 4), 4);
}

static void test_jump_through_a_register_leaves_no_place(void **state)
{
	static const uint32_t behind[] = { PACIASP, CBZ_X0, NOP, BR_X16 };
	static const uint32_t signed_behind[] = { PACIASP, CBZ_X0, NOP, 0xd71f0a11 };
	static const uint32_t at_entry[] = { CBZ_X0, NOP, BR_X16 };

	(void)state;
	assert_int_equal(place_of(behind, 4), -1);
	assert_int_equal(place_of(signed_behind, 4), -1);
	assert_int_equal(place_of(at_entry, 3), 0);
}

static void test_distance_is_bounded(void **state)
{
	uint32_t code[18];

	(void)state;
	for (size_t i = 0; i < 18; i++)
		code[i] = NOP;
	code[15] = ADRP_X3;
	assert_int_equal(place_of(code, 18), 60);
	code[15] = NOP;
	code[16] = ADRP_X3;
	assert_int_equal(place_of(code, 18), -1);
}

static void test_code_of_half_an_instruction_has_no_place(void **state)
{
	static const uint8_t bytes[] = { 0x40, 0x00, 0x00, 0xb4, 0x1f, 0x20 };
	uint32_t skipped;

	(void)state;
	assert_true(probe_arm64_place(guard_copy(bytes, 4), 4, &skipped));
	for (size_t size = 1; size <= sizeof(bytes); size++)
		if (size != 4)
			assert_false(probe_arm64_place(guard_copy(bytes, size), size, &skipped));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_simulated_instruction_is_the_place),
		cmocka_unit_test(test_others_are_no_place),
		cmocka_unit_test(test_only_what_leaves_the_arguments_alone_is_passed),
		cmocka_unit_test(test_branch_back_leaves_no_place),
		cmocka_unit_test(test_jump_through_a_register_leaves_no_place),
		cmocka_unit_test(test_distance_is_bounded),
		cmocka_unit_test(test_code_of_half_an_instruction_has_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
