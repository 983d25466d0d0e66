/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SYSCALLS_PATCH_PLANS_H
#define TESTS_SYSCALLS_PATCH_PLANS_H

/* A program made by hand with two functions where phases can begin, and a plan for it. */

#include "syscalls/patch.h"
#include "patch_sample.h"

/* What tests that patch are on other machines: skipped. */
__attribute__((unused)) static void plan_skip(void **state)
{
	(void)state;
	print_message("programs can only be patched on x86-64\n");
	skip();
}

#define PLAN_RET(value)                                                                            \
	{                                                                                          \
		.code = BPF_RET | BPF_K, .k = (value)                                              \
	}

__attribute__((unused)) static const struct sock_filter plan_filters[3][3] = {
	{ PLAN_RET(0x7fff0000), PLAN_RET(1), PLAN_RET(2) },
	{ PLAN_RET(0x7fff0000), PLAN_RET(3) },
	{ PLAN_RET(0x7fff0000) },
};

/* mov %rdi,%rax; add $1,%rax; ret */
__attribute__((unused)) static const uint8_t plan_code[] = { 0x48, 0x89, 0xf8, 0x48,
							     0x83, 0xc0, 0x01, 0xc3 };

struct planned {
	struct patch_sample sample;
	struct patch_plan plan;
	uint32_t points[3]; /* offsets in the file; the first is the entry */
};

/* With NR_PHASES phases, 1 to 3. */
__attribute__((unused)) static void plan_begin(struct planned *planned, uint64_t base,
					       size_t nr_phases)
{
	static const char *const names[] = { NULL, "first", "second" };

	patch_sample_begin(&planned->sample, base);
	for (size_t i = 0; i < 3; i++)
		planned->points[i] =
			sample_function(&planned->sample, plan_code, sizeof(plan_code));
	patch_sample_end(&planned->sample);
	planned->plan = (struct patch_plan){ .nr_phases = nr_phases };
	for (size_t i = 0; i < nr_phases; i++)
		planned->plan.phases[i] = (struct patch_phase){
			.filter = plan_filters[i],
			.nr = 3 - i,
			.offset = planned->points[i],
			.name = names[i],
		};
}

/* The bytes of a finished file, for the caller to free. */
__attribute__((unused)) static uint8_t *plan_file(const struct patch_image *image, size_t *ret_size)
{
	uint8_t *bytes = calloc(1, (size_t)image->tail_offset + image->tail_size);

	assert_non_null(bytes);
	memcpy(bytes, image->head, image->head_size);
	memcpy(bytes + image->tail_offset, image->tail, image->tail_size);
	*ret_size = (size_t)image->tail_offset + image->tail_size;
	return bytes;
}

#endif /* TESTS_SYSCALLS_PATCH_PLANS_H */
