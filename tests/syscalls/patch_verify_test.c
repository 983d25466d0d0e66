/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "patch_plans.h"

#ifdef __x86_64__

static struct planned planned;
static struct patch_elf elf;
static uint8_t *file;
static size_t file_size;
static char what[PATCH_WHAT_SIZE];

static int begin(void **state)
{
	struct patch_image image;

	(void)state;
	plan_begin(&planned, 0, 3);
	if (patch_make(planned.sample.bytes, sizeof(planned.sample.bytes), &planned.plan, &image,
		       what))
		fail_msg("%s", what);
	file = plan_file(&image, &file_size);
	patch_image_free(&image);
	if (patch_elf_read(&elf, file, file_size, what))
		fail_msg("%s", what);
	memset(what, 0, sizeof(what));
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(file);
	return 0;
}

static int verify(void)
{
	return patch_verify(file, file_size, planned.sample.bytes, sizeof(planned.sample.bytes),
			    &planned.plan, what);
}

static void test_what_was_made_is_right(void **state)
{
	(void)state;
	if (verify())
		fail_msg("%s", what);
}

static void test_an_unpatched_program_is_not(void **state)
{
	(void)state;
	assert_int_equal(patch_verify(planned.sample.bytes, sizeof(planned.sample.bytes),
				      planned.sample.bytes, sizeof(planned.sample.bytes),
				      &planned.plan, what),
			 -EOPNOTSUPP);
	assert_non_null(strstr(what, "not patched"));
}

/* A byte changed: in the original part every one, behind it all that decide. */
static void test_changed_bytes_are_seen(void **state)
{
	size_t filters = (elf.nr_segments * sizeof(Elf64_Phdr) + 44 + 7) & ~(size_t)7;

	(void)state;
	for (size_t at = 0; at < sizeof(planned.sample.bytes); at++) {
		/* What fills the room behind a jump is never executed. */
		if (at >= planned.points[1] + 5 && at < planned.points[1] + 7)
			continue;
		if (at >= planned.points[2] + 5 && at < planned.points[2] + 7)
			continue;
		file[at] ^= 0xff;
		if (!verify())
			fail_msg("byte %#zx is not looked at", at);
		file[at] ^= 0xff;
	}
	for (size_t i = 0; i < 6 * sizeof(struct sock_filter); i++) {
		size_t at = (size_t)elf.header.e_phoff + filters + i;

		file[at] ^= 0xff;
		if (!verify())
			fail_msg("byte %#zx of the filters is not looked at", i);
		file[at] ^= 0xff;
	}
	assert_int_equal(verify(), 0);
}

static void test_lost_segments_are_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < elf.nr_segments; i++) {
		uint8_t *type = file + elf.header.e_phoff + i * sizeof(Elf64_Phdr);
		uint32_t was, lost = PT_LOPROC;

		memcpy(&was, type, 4);
		memcpy(type, &lost, 4);
		if (!verify())
			fail_msg("segment %zu is not missed", i);
		memcpy(type, &was, 4);
	}
}

static void test_another_plan_is_seen(void **state)
{
	static const struct sock_filter other[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct patch_phase was = planned.plan.phases[i];

		planned.plan.phases[i].filter = other;
		assert_int_equal(verify(), -EOPNOTSUPP);
		assert_non_null(strstr(what, "another filter"));
		planned.plan.phases[i] = was;
		planned.plan.phases[i].nr++;
		assert_int_equal(verify(), -EOPNOTSUPP);
		planned.plan.phases[i] = was;
	}
	/* the phases are told apart */
	planned.plan.phases[1].offset = planned.points[2];
	planned.plan.phases[2].offset = planned.points[1];
	assert_int_equal(verify(), -EOPNOTSUPP);
	assert_non_null(strstr(what, "does not begin phase"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_was_made_is_right, begin, end),
		cmocka_unit_test_setup_teardown(test_an_unpatched_program_is_not, begin, end),
		cmocka_unit_test_setup_teardown(test_changed_bytes_are_seen, begin, end),
		cmocka_unit_test_setup_teardown(test_lost_segments_are_seen, begin, end),
		cmocka_unit_test_setup_teardown(test_another_plan_is_seen, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(plan_skip) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
