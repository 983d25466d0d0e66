/* SPDX-License-Identifier: MIT */
#include "syscalls/patch_function.h"
#include "patch_sample.h"

static struct patch_sample sample;
static struct patch_elf elf;
static uint32_t first, second;

static const uint8_t code[40];

static int begin(void **state)
{
	(void)state;
	patch_sample_begin(&sample, 0);
	first = sample_function(&sample, code, 20);
	second = sample_function(&sample, code, 40);
	sample.functions[1].has_handlers = true;
	patch_sample_end(&sample);
	return 0;
}

static bool find(uint64_t address, struct patch_function *ret)
{
	char what[PATCH_WHAT_SIZE] = "";

	if (patch_elf_read(&elf, sample.bytes, sizeof(sample.bytes), what))
		fail_msg("%s", what);
	return patch_function_find(&elf, address, ret);
}

static void test_functions_are_found_by_any_byte(void **state)
{
	struct patch_function function;

	(void)state;
	assert_true(find(first, &function));
	assert_int_equal(function.begin, first);
	assert_int_equal(function.end, first + 20);
	assert_false(function.has_handlers);
	assert_true(find(second + 39, &function));
	assert_int_equal(function.begin, second);
	assert_int_equal(function.end, second + 40);
	assert_true(function.has_handlers);
}

static void test_between_and_around_there_is_none(void **state)
{
	struct patch_function function;

	(void)state;
	assert_false(find(first + 20, &function));
	assert_false(find(second + 40, &function));
	assert_false(find(first - 1, &function));
	assert_false(find(UINT64_MAX, &function));
}

static void test_symbols_help_where_frames_do_not(void **state)
{
	struct patch_function function;

	(void)state;
	sample_segment(&sample, SEGMENT_FRAMES)->p_type = PT_NULL;
	assert_false(find(first + 4, &function));
	sample_symbol(&sample, 3, STT_FUNC, first, 18);
	assert_true(find(first + 4, &function));
	assert_int_equal(function.begin, first);
	assert_int_equal(function.end, first + 18);
	assert_false(find(first + 18, &function));
	sample_symbol(&sample, 3, STT_OBJECT, first, 18);
	assert_false(find(first + 4, &function));
	/* its end is behind all addresses */
	sample_symbol(&sample, 3, STT_FUNC, first, UINT64_MAX);
	assert_false(find(first + 4, &function));
}

static void test_names_are_seen_where_they_begin(void **state)
{
	struct patch_function function;

	(void)state;
	sample_symbol(&sample, 3, STT_NOTYPE, first + 6, 0);
	sample_symbol(&sample, 4, STT_TLS, first + 2, 8);
	assert_true(find(first, &function));
	assert_true(patch_function_named(&elf, first + 6, first + 7));
	assert_false(patch_function_named(&elf, first + 1, first + 6));
	assert_false(patch_function_named(&elf, first + 7, first + 12));
}

/* A change of a byte may make another function of it, or none, and must do no more. */
static void test_broken_frames_are_survived(void **state)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };

	(void)state;
	for (size_t at = SAMPLE_TABLE; at < SAMPLE_FRAMES + 0x60; at++) {
		for (size_t i = 0; i < sizeof(values); i++) {
			struct patch_function function = { 0 };
			uint8_t was = sample.bytes[at];

			sample.bytes[at] = values[i];
			if (find(first + 3, &function)) {
				assert_true(function.begin <= first + 3);
				assert_true(function.end > first + 3);
			}
			sample.bytes[at] = was;
		}
	}
}

/* What linkers do not write is left alone: another version, encodings, a table that is cut. */
static void test_frames_of_another_form_are_not_read(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ SAMPLE_TABLE, 2 },	    /* version */
		{ SAMPLE_TABLE + 1, 0x00 }, /* where .eh_frame is */
		{ SAMPLE_TABLE + 3, 0x1b }, /* what entries are relative to */
		{ SAMPLE_TABLE + 8, 200 },  /* how many */
		{ SAMPLE_FRAMES + 4, 1 },   /* the common entry is none */
		{ SAMPLE_FRAMES + 8, 2 },   /* its version */
		{ SAMPLE_FRAMES + 9, 'e' }, /* its letters */
		{ SAMPLE_FRAMES + 10, 'X' },
		{ SAMPLE_FRAMES + 18, 0x01 }, /* encoding of addresses: LEB128 */
	};
	struct patch_function function;

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint8_t was = sample.bytes[changes[i].at];

		sample.bytes[changes[i].at] = changes[i].value;
		if (find(first, &function))
			fail_msg("found with %#zx changed", changes[i].at);
		sample.bytes[changes[i].at] = was;
	}
	assert_true(find(first, &function));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_functions_are_found_by_any_byte, begin),
		cmocka_unit_test_setup(test_between_and_around_there_is_none, begin),
		cmocka_unit_test_setup(test_symbols_help_where_frames_do_not, begin),
		cmocka_unit_test_setup(test_names_are_seen_where_they_begin, begin),
		cmocka_unit_test_setup(test_broken_frames_are_survived, begin),
		cmocka_unit_test_setup(test_frames_of_another_form_are_not_read, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
