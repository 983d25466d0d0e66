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
#define BTI_C	      0xd503245fU
#define PACIASP	      0xd503233fU
#define STP_FRAME     0xa9bd7bfdU /* stp x29, x30, [sp, #-48]! */
#define MOV_FRAME     0x910003fdU /* mov x29, sp */
#define ADRP_X3	      0xb0000003U
#define CBZ_X0	      0xb4000040U /* cbz x0, 8 */
#define NOP	      0xd503201fU
#define RET	      0xd65f03c0U
#define BR_X16	      0xd61f0200U

#define BL_FAR	      0x94001000U /* bl 0x4000 */
#define ALL_ARGUMENTS ((1U << PROBE_ARGUMENTS_MAX) - 1)

static int place_in(const uint32_t *insns, size_t nr, uint8_t arguments, bool has_shadow_stack)
{
	uint8_t bytes[INSNS_MAX * 4];

	assert_true(nr <= INSNS_MAX);
	for (size_t i = 0; i < nr * 4; i++)
		bytes[i] = (uint8_t)(insns[i / 4] >> i % 4 * 8);

	struct probe_code code = {
		.bytes = guard_copy(bytes, nr * 4),
		.size = nr * 4,
		.arguments = arguments,
		.has_shadow_stack = has_shadow_stack,
	};
	struct probe_spot spot;
	int place = probe_arm64_place(&code, &spot) ? (int)spot.skipped : -1;

	guard_free(code.bytes, nr * 4);
	return place;
}

/* In doubt about everything. */
static int place_of(const uint32_t *insns, size_t nr)
{
	return place_in(insns, nr, ALL_ARGUMENTS, true);
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

/* Before Linux 6.18 the simulation does not write the shadow stack (GCS). */
static void test_call_behind_the_entry_needs_a_process_without_shadow_stack(void **state)
{
	static const uint32_t at_entry[] = { BL_FAR, RET };
	static const uint32_t behind[] = { PACIASP, STP_FRAME, MOV_FRAME, BL_FAR, RET };
	static const uint32_t to_itself[] = { PACIASP, 0x94000000, RET };
	static const uint32_t to_entry[] = { PACIASP, 0x97ffffff, RET };
	static const uint32_t table[] = { PACIASP, BL_FAR, BR_X16 };

	(void)state;
	assert_int_equal(place_of(at_entry, 2), 0);
	assert_int_equal(place_of(behind, 5), -1);
	assert_int_equal(place_in(behind, 5, ALL_ARGUMENTS, false), 12);
	assert_int_equal(place_in(to_itself, 3, 0, false), -1);
	assert_int_equal(place_in(to_entry, 3, ALL_ARGUMENTS, false), 4);
	assert_int_equal(place_in(table, 3, 0, false), -1);
}

/* The register of one argument is written: only reading that one forbids to pass. */
static void test_only_what_is_read_must_not_be_written(void **state)
{
	static const struct {
		uint32_t insn;
		unsigned int written;
	} insns[] = {
		{ 0xd2800020, 0 }, /* mov x0, #1 */
		{ 0xaa0203e1, 1 }, /* mov x1, x2 */
		{ 0x91002002, 2 }, /* add x2, x0, #8 */
		{ 0xf9400403, 3 }, /* ldr x3, [x0, #8] */
		{ 0x39400004, 4 }, /* ldrb w4, [x0] */
		{ 0xb9800405, 5 }, /* ldrsw x5, [x0, #4] */
		{ 0xa9402809, 6 }, /* ldp x9, x10, [x0] */
		{ 0xa9400809, 2 }, /* ldp x9, x2, [x0] */
		{ 0xa9402801, 1 }, /* ldp x1, x10, [x0] */
		{ 0xa8c12809, 0 }, /* ldp x9, x10, [x0], #16 */
		{ 0xf8408448, 2 }, /* ldr x8, [x2], #8 */
		{ 0xf8008c48, 2 }, /* str x8, [x2, #8]! */
		{ 0x1a9f17e3, 3 }, /* cset w3, eq */
		{ 0x9a810004, 4 }, /* csel x4, x0, x1, eq */
		{ 0xd53bd045, 5 }, /* mrs x5, tpidr_el0 */
		{ 0x9e660001, 1 }, /* fmov x1, d0 */
		{ 0x1e780002, 2 }, /* fcvtzs w2, d0 */
		{ 0x9e58fc03, 3 }, /* fcvtzs x3, d0, #1 */
		{ 0x0e013c04, 4 }, /* umov w4, v0.b[0] */
		{ 0x4e083c05, 5 }, /* mov x5, v0.d[0] */
		{ 0x4e012c00, 0 }, /* smov x0, v0.b[0] */
		{ 0x6f00e400, 6 }, /* movi v0.2d, #0 */
		{ 0x4e080c01, 6 }, /* dup v1.2d, x0 */
		{ 0x4e081c01, 6 }, /* mov v1.d[0], x0 */
		{ 0x6e201c22, 6 }, /* eor v2.16b, v1.16b, v0.16b */
		{ 0x3dc00003, 6 }, /* ldr q3, [x0] */
		{ 0xad400400, 6 }, /* ldp q0, q1, [x0] */
		{ 0x3d800400, 6 }, /* str q0, [x0, #16] */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
		const uint32_t code[] = { insns[i].insn, CBZ_X0, NOP, RET };

		for (unsigned int arguments = 0; arguments <= ALL_ARGUMENTS; arguments++) {
			bool is_read = arguments >> insns[i].written & 1;

			if (place_in(code, 4, (uint8_t)arguments, true) != (is_read ? -1 : 4))
				fail_msg("%08x, reading %#x", insns[i].insn, arguments);
		}
	}
}

static void test_what_is_not_looked_into_may_have_written_any_argument(void **state)
{
	static const uint32_t atomics[] = {
		0xf8210006, /* ldadd x1, x6, [x0] */
		0xb8a88009, /* swpa w8, w9, [x0] */
	};
	static const uint32_t unknown[] = {
		0xc85f7c08, /* ldxr x8, [x0] */
		0x4c407000, /* ld1 { v0.16b }, [x0] */
		0xd51b4200, /* msr nzcv, x0 */
		0x2518e3e0, /* ptrue p0.b */
		0x58000083, /* ldr x3, 16 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(atomics) / sizeof(atomics[0]); i++) {
		const uint32_t code[] = { atomics[i], CBZ_X0, NOP, RET };

		assert_int_equal(place_in(code, 4, 0, true), 4);
		for (unsigned int arguments = 1; arguments <= ALL_ARGUMENTS; arguments++)
			assert_int_equal(place_in(code, 4, (uint8_t)arguments, true), -1);
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		const uint32_t code[] = { unknown[i], CBZ_X0, NOP, RET };

		assert_int_equal(place_in(code, 4, 0, false), -1);
	}
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

	(void)state;
	for (size_t size = 1; size <= sizeof(bytes); size++) {
		struct probe_code code = { .bytes = guard_copy(bytes, size), .size = size };
		struct probe_spot spot;

		assert_int_equal(probe_arm64_place(&code, &spot), size == 4);
		guard_free(code.bytes, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_simulated_instruction_is_the_place),
		cmocka_unit_test(test_others_are_no_place),
		cmocka_unit_test(test_call_behind_the_entry_needs_a_process_without_shadow_stack),
		cmocka_unit_test(test_only_what_leaves_the_arguments_alone_is_passed),
		cmocka_unit_test(test_only_what_is_read_must_not_be_written),
		cmocka_unit_test(test_what_is_not_looked_into_may_have_written_any_argument),
		cmocka_unit_test(test_branch_back_leaves_no_place),
		cmocka_unit_test(test_jump_through_a_register_leaves_no_place),
		cmocka_unit_test(test_distance_is_bounded),
		cmocka_unit_test(test_code_of_half_an_instruction_has_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
