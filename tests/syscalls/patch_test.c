/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "patch_plans.h"
#include "support/guard.h"
#include "syscalls/patch_stub.h"

#ifdef __x86_64__

static struct planned planned;
static struct patch_image image;
static struct patch_elf elf;
static uint8_t *file;
static size_t file_size;
static char what[PATCH_WHAT_SIZE];

static int make(void)
{
	memset(what, 0, sizeof(what));
	return patch_make(planned.sample.bytes, sizeof(planned.sample.bytes), &planned.plan, &image,
			  what);
}

static void must_make(uint64_t base, size_t nr_phases)
{
	plan_begin(&planned, base, nr_phases);
	if (make())
		fail_msg("%s", what);
	file = plan_file(&image, &file_size);
	if (patch_elf_read(&elf, file, file_size, what))
		fail_msg("%s", what);
}

static void end(void)
{
	patch_image_free(&image);
	free(file);
	file = NULL;
}

static const Elf64_Phdr *segment(uint32_t type, size_t nr)
{
	for (size_t i = 0; i < elf.nr_segments; i++)
		if (elf.segments[i].p_type == type && nr-- == 0)
			return &elf.segments[i];
	fail_msg("no segment of type %u", type);
	return NULL;
}

static int64_t distance_at(const uint8_t *field)
{
	int32_t distance;

	memcpy(&distance, field, 4);
	return distance;
}

static void test_headers_move_behind_the_program(void **state)
{
	(void)state;
	for (uint64_t base = 0; base <= 0x400000; base += 0x400000) {
		must_make(base, 1);
		/* As far from the first segment in memory as in the file: before Linux 5.18. */
		assert_int_equal(segment(PT_PHDR, 0)->p_vaddr, base + elf.header.e_phoff);
		assert_int_equal(segment(PT_PHDR, 0)->p_offset, elf.header.e_phoff);
		assert_int_equal(segment(PT_PHDR, 0)->p_memsz,
				 elf.nr_segments * sizeof(Elf64_Phdr));
		assert_int_equal(elf.nr_segments, NR_SAMPLE_SEGMENTS + 3);
		/* .bss ends in memory before they begin, and the file has a hole of that size. */
		assert_int_equal(elf.header.e_phoff, SAMPLE_DATA_VADDR + SAMPLE_BSS);
		assert_int_equal(image.tail_offset, elf.header.e_phoff);
		assert_true(elf.has_note);
		end();
	}
}

static void test_segments_stay_and_ascend(void **state)
{
	(void)state;
	must_make(0, 1);
	for (size_t i = 0, seen = 0; i < elf.nr_segments && seen < NR_SAMPLE_SEGMENTS; i++) {
		const Elf64_Phdr *old = sample_segment(&planned.sample, seen);

		if (elf.segments[i].p_type != old->p_type)
			continue;
		if (old->p_type != PT_PHDR)
			assert_memory_equal(&elf.segments[i], old, sizeof(*old));
		seen++;
	}
	assert_int_equal(segment(PT_LOAD, 3)->p_flags, PF_R);
	assert_int_equal(segment(PT_LOAD, 4)->p_flags, PF_R | PF_X);
	assert_true(segment(PT_LOAD, 4)->p_vaddr >
		    segment(PT_LOAD, 3)->p_vaddr + segment(PT_LOAD, 3)->p_memsz - 1);
	end();
}

static void test_the_entry_is_the_stub_and_goes_on(void **state)
{
	const uint8_t *stub;
	size_t at;

	(void)state;
	must_make(0x400000, 1);
	stub = patch_elf_bytes(&elf, elf.header.e_entry,
			       (size_t)(patch_stub_entry_end - patch_stub_entry));
	assert_non_null(stub);
	at = (size_t)(patch_stub_entry_jump - patch_stub_entry);
	assert_int_equal(stub[at - 5], 0xe9);
	assert_int_equal(elf.header.e_entry + at + (uint64_t)distance_at(stub + at - 4),
			 0x400000 + SAMPLE_CODE);
	at = (size_t)(patch_stub_entry_nr - patch_stub_entry);
	assert_int_equal(distance_at(stub + at - 4), 3);
	at = (size_t)(patch_stub_entry_filter - patch_stub_entry);

	uint64_t filter = elf.header.e_entry + at + (uint64_t)distance_at(stub + at - 4);

	assert_memory_equal(patch_elf_bytes(&elf, filter, sizeof(plan_filters[0])), plan_filters[0],
			    sizeof(plan_filters[0]));
	end();
}

static void test_points_become_jumps_and_move(void **state)
{
	(void)state;
	must_make(0, 3);
	for (size_t i = 1; i < 3; i++) {
		uint32_t at = planned.points[i];
		uint64_t stub = at + 5 + (uint64_t)distance_at(file + at + 1);
		size_t size = (size_t)(patch_stub_point_end - patch_stub_point);
		const uint8_t *bytes = patch_elf_bytes(&elf, stub, size + 12);

		assert_int_equal(file[at], 0xe9);
		assert_int_equal(file[at + 5], 0xcc);
		assert_int_equal(file[at + 6], 0xcc);
		assert_int_equal(file[at + 7], 0xc3);
		assert_non_null(bytes);
		/* what was there, and back behind it */
		assert_memory_equal(bytes + size, plan_code, 7);
		assert_int_equal(bytes[size + 7], 0xe9);
		assert_int_equal(stub + size + 12 + (uint64_t)distance_at(bytes + size + 8),
				 at + 7);
	}
	/* where no phase begins nothing changes */
	assert_memory_equal(file + planned.points[0], plan_code, sizeof(plan_code));
	end();
}

static void test_nothing_else_of_the_program_changes(void **state)
{
	(void)state;
	must_make(0, 1);
	assert_memory_equal(image.head + sizeof(Elf64_Ehdr),
			    planned.sample.bytes + sizeof(Elf64_Ehdr),
			    sizeof(planned.sample.bytes) - sizeof(Elf64_Ehdr));
	end();
}

static void test_sections_are_added(void **state)
{
	(void)state;
	must_make(0, 1);
	assert_int_equal(elf.nr_sections, SAMPLE_NR_SECTIONS + 3);

	Elf64_Shdr names = patch_elf_section(&elf, elf.header.e_shstrndx);
	Elf64_Shdr code = patch_elf_section(&elf, elf.nr_sections - 1);

	assert_string_equal((char *)file + names.sh_offset + code.sh_name, ".crypto-tracer.text");
	assert_int_equal(code.sh_addr, elf.header.e_entry);
	end();
}

static void must_refuse(const char *why)
{
	assert_int_equal(make(), -EOPNOTSUPP);
	if (!strstr(what, why))
		fail_msg("'%s' is not about '%s'", what, why);
}

static void test_a_patched_program_is_refused(void **state)
{
	(void)state;
	must_make(0, 1);
	memset(what, 0, sizeof(what));

	struct patch_image again;

	assert_int_equal(patch_make(file, file_size, &planned.plan, &again, what), -EOPNOTSUPP);
	assert_non_null(strstr(what, "patched already"));
	end();
}

static void test_points_are_refused_with_their_names(void **state)
{
	(void)state;
	plan_begin(&planned, 0, 3);
	planned.plan.phases[2].offset = SAMPLE_DATA;
	must_refuse("phase 2, 'second', can begin: it is not in executable code");
	planned.plan.phases[2].offset = planned.plan.phases[1].offset;
	must_refuse("phase 2, 'second', can begin: another phase begins there");
}

static void test_programs_of_any_size_are_laid_out(void **state)
{
	(void)state;
	plan_begin(&planned, 0, 1);
	sample_segment(&planned.sample, SEGMENT_DATA)->p_memsz = 0x7fff0000;
	must_refuse("2 GiB");
	/* 1 GiB of zeros in memory is a hole in the file */
	sample_segment(&planned.sample, SEGMENT_DATA)->p_memsz = 0x40000000;
	assert_int_equal(make(), 0);
	assert_int_equal(image.tail_offset, 0x40000000 + SAMPLE_DATA_VADDR);
	patch_image_free(&image);
}

static void test_a_program_without_sections_gets_none(void **state)
{
	(void)state;
	plan_begin(&planned, 0, 1);
	sample_header(&planned.sample)->e_shoff = 0;
	sample_header(&planned.sample)->e_shnum = 0;
	sample_header(&planned.sample)->e_shstrndx = 0;
	memset(planned.sample.bytes + SAMPLE_NAMES, 0, SAMPLE_SIZE - SAMPLE_NAMES);
	assert_int_equal(make(), 0);
	file = plan_file(&image, &file_size);
	assert_int_equal(patch_elf_read(&elf, file, file_size, what), 0);
	assert_int_equal(elf.nr_sections, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_move_behind_the_program),
		cmocka_unit_test(test_segments_stay_and_ascend),
		cmocka_unit_test(test_the_entry_is_the_stub_and_goes_on),
		cmocka_unit_test(test_points_become_jumps_and_move),
		cmocka_unit_test(test_nothing_else_of_the_program_changes),
		cmocka_unit_test(test_sections_are_added),
		cmocka_unit_test(test_a_patched_program_is_refused),
		cmocka_unit_test(test_points_are_refused_with_their_names),
		cmocka_unit_test(test_programs_of_any_size_are_laid_out),
		cmocka_unit_test(test_a_program_without_sections_gets_none),
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
