/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/columns.h"
#include "support/parsed.h"
#include "syscalls/comparison.h"
#include "syscalls/made_recording.h"

/* A run of /bin/prog: it, its phase from POINT on, and /bin/sh, which it executes. */
struct parts {
	unsigned int id;
	const char *point; /* NULL: no such phase */
	uint32_t first[4], later[4], shell[4];
};

/* The calls in NRS, up to a 0. */
static void add_calls(struct recording *recording, int node, const uint32_t *nrs)
{
	for (size_t i = 0; i < 4 && nrs[i]; i++)
		made_call(recording, node, nrs[i], 1, 0);
}

static struct recording *made_parts(const struct parts *parts)
{
	struct recording *recording = made_new();
	const struct recording_run run = made_run(parts->id);
	int root = made_root(recording), node;

	add_calls(recording, root, parts->first);
	if (parts->point) {
		recording_add_phase(recording, parts->point);
		recording->phases[1].nr_hits = 1;
		node = recording_node(recording, (uint32_t)root, NODE_START_phase, 1, "/bin/prog",
				      NULL);
		add_calls(recording, node, parts->later);
	}
	if (parts->shell[0]) {
		node = recording_node(recording, (uint32_t)root, NODE_START_exec, 0, "/bin/sh",
				      NULL);
		add_calls(recording, node, parts->shell);
	}
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	return recording;
}

static struct recording *sides[NR_COMPARISON_SIDES];

static struct comparison compared(struct recording *old, struct recording *new)
{
	struct comparison comparison;

	sides[COMPARISON_OLD] = old;
	sides[COMPARISON_NEW] = new;
	assert_int_equal(comparison_make(old, new, &comparison), 0);
	return comparison;
}

static void done(struct comparison *comparison)
{
	comparison_free(comparison);
	recording_free(sides[COMPARISON_OLD]);
	recording_free(sides[COMPARISON_NEW]);
}

/* The calls of a side of PART are EXPECTED, in words of a blank each. */
static void assert_only(const struct comparison_part *part, enum comparison_side side,
			const char *expected)
{
	char text[256] = "";

	for (size_t i = 0; i < part->only[side].nr; i++) {
		size_t used = strlen(text);
		const struct recording_call *call = &part->only[side].list[i];

		snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
			 syscall_name((enum syscall_arch)call->arch, call->nr));
	}
	assert_string_equal(text, expected);
}

static void test_same_calls_are_no_difference(void **state)
{
	struct recording *old = made_parts(&(struct parts){ 1, "p", { 1, 2 }, { 3 }, { 4 } });
	struct recording *new = made_parts(&(struct parts){ 2, "p", { 1, 2 }, { 3 }, { 4 } });
	struct comparison comparison;

	(void)state;
	/* how often is none */
	made_call(new, 0, 1, 1000, 1000);
	comparison = compared(old, new);
	assert_false(comparison_differs(&comparison));
	assert_int_equal(comparison.nr_phases, 2);
	assert_int_equal(comparison.nr_programs, 2);
	done(&comparison);
}

static void test_calls_of_one_side_are_listed(void **state)
{
	struct comparison comparison =
		compared(MADE_OF(1, 1, 2, 20, 40), MADE_OF(2, 0, 2, 20, 41, 42));

	(void)state;
	assert_true(comparison_differs(&comparison));
	assert_only(&comparison.all, COMPARISON_OLD, "write sendfile");
	assert_only(&comparison.all, COMPARISON_NEW, "read socket connect");
	assert_only(&comparison.phases[0], COMPARISON_NEW, "read socket connect");
	assert_string_equal(comparison.programs[0].names[COMPARISON_OLD], "/bin/prog");
	assert_only(&comparison.programs[0], COMPARISON_OLD, "write sendfile");
	done(&comparison);
}

static void test_same_number_of_another_architecture_is_another_call(void **state)
{
	struct recording *new = MADE_OF(2, 1);
	const struct recording_call call = { .nr = 20, .arch = SYSCALL_ARCH_i386, .count = 1 };
	struct comparison comparison;

	(void)state;
	assert_int_equal(recording_add(new, 0, &call), 0);
	comparison = compared(MADE_OF(1, 1, 20), new);
	assert_only(&comparison.all, COMPARISON_OLD, "writev");
	assert_only(&comparison.all, COMPARISON_NEW, "getpid");
	done(&comparison);
}

/* In all there is no difference: the call has moved. */
static void test_call_in_another_phase_is_a_difference(void **state)
{
	struct comparison comparison =
		compared(made_parts(&(struct parts){ 1, "p", { 1, 2 }, { 3 }, { 0 } }),
			 made_parts(&(struct parts){ 2, "p", { 1 }, { 3, 2 }, { 0 } }));

	(void)state;
	assert_true(comparison_differs(&comparison));
	assert_false(comparison_part_differs(&comparison.all));
	assert_only(&comparison.phases[0], COMPARISON_OLD, "open");
	assert_only(&comparison.phases[0], COMPARISON_NEW, "");
	assert_only(&comparison.phases[1], COMPARISON_NEW, "open");
	done(&comparison);
}

static void test_call_of_another_program_is_a_difference(void **state)
{
	struct comparison comparison =
		compared(made_parts(&(struct parts){ 1, NULL, { 1, 2 }, { 0 }, { 3 } }),
			 made_parts(&(struct parts){ 2, NULL, { 1 }, { 0 }, { 3, 2 } }));

	(void)state;
	assert_true(comparison_differs(&comparison));
	assert_false(comparison_part_differs(&comparison.all));
	assert_int_equal(comparison.nr_programs, 2);
	assert_only(&comparison.programs[0], COMPARISON_OLD, "open");
	assert_only(&comparison.programs[1], COMPARISON_NEW, "open");
	assert_string_equal(comparison.programs[1].names[COMPARISON_NEW], "/bin/sh");
	done(&comparison);
}

static void test_phase_and_program_of_one_side_are_told(void **state)
{
	struct comparison comparison =
		compared(made_parts(&(struct parts){ 1, "p", { 1 }, { 3 }, { 0 } }),
			 made_parts(&(struct parts){ 2, "q", { 1 }, { 3 }, { 3 } }));

	(void)state;
	assert_int_equal(comparison.nr_phases, 3);
	assert_string_equal(comparison.phases[1].names[COMPARISON_OLD], "p");
	assert_false(comparison.phases[1].is_in[COMPARISON_NEW]);
	assert_only(&comparison.phases[1], COMPARISON_OLD, "close");
	assert_string_equal(comparison.phases[2].names[COMPARISON_NEW], "q");
	assert_int_equal(comparison.nr_programs, 2);
	assert_null(comparison.programs[1].names[COMPARISON_OLD]);
	assert_only(&comparison.programs[1], COMPARISON_NEW, "close");
	assert_true(comparison_differs(&comparison));
	done(&comparison);
}

static void test_same_point_twice_is_two_phases(void **state)
{
	struct recording *old = MADE_OF(1, 1), *new = MADE_OF(2, 1);
	struct comparison comparison;

	(void)state;
	for (int i = 0; i < 2; i++) {
		recording_add_phase(old, "signal:USR1");
		recording_add_phase(new, "signal:USR1");
	}
	recording_add_phase(new, "signal:USR1");
	comparison = compared(old, new);
	assert_int_equal(comparison.nr_phases, 4);
	assert_true(comparison.phases[2].is_in[COMPARISON_OLD]);
	assert_true(comparison.phases[2].is_in[COMPARISON_NEW]);
	assert_false(comparison.phases[3].is_in[COMPARISON_OLD]);
	done(&comparison);
}

/* Two versions, or two libcs, are two files. */
static void test_programs_of_command_are_compared_whatever_their_path(void **state)
{
	struct recording *old = made_new(), *new = MADE_OF(2, 1, 3);
	const struct recording_run run = made_run(1);
	int root = recording_node(old, RECORDING_NONE, NODE_START_command, 0, "/old/prog", NULL);
	struct comparison comparison;

	(void)state;
	old->exe = "/old/prog";
	made_call(old, root, 1, 1, 0);
	assert_int_equal(recording_add_run(old, &run, old), 0);
	comparison = compared(old, new);
	assert_int_equal(comparison.nr_programs, 1);
	assert_string_equal(comparison.programs[0].names[COMPARISON_OLD], "/old/prog");
	assert_string_equal(comparison.programs[0].names[COMPARISON_NEW], "/bin/prog");
	assert_only(&comparison.programs[0], COMPARISON_NEW, "close");
	done(&comparison);
}

/* The new COMMAND was a child of the old one: it is compared with itself. */
static void test_program_that_both_have_is_compared_with_itself(void **state)
{
	struct recording *old = made_parts(&(struct parts){ 1, NULL, { 1 }, { 0 }, { 2 } });
	struct recording *new = made_new();
	const struct recording_run run = made_run(2);
	int root = recording_node(new, RECORDING_NONE, NODE_START_command, 0, "/bin/sh", NULL);
	struct comparison comparison;

	(void)state;
	new->exe = "/bin/sh";
	made_call(new, root, 2, 1, 0);
	assert_int_equal(recording_add_run(new, &run, new), 0);
	comparison = compared(old, new);
	assert_int_equal(comparison.nr_programs, 2);
	assert_string_equal(comparison.programs[0].names[COMPARISON_OLD], "/bin/prog");
	assert_false(comparison.programs[0].is_in[COMPARISON_NEW]);
	assert_false(comparison_part_differs(&comparison.programs[1]));
	done(&comparison);
}

static void test_notes_say_what_may_mislead(void **state)
{
	struct comparison comparison = compared(MADE_OF(1, 1), MADE_OF(2, 1));
	char note[COMPARISON_NOTE_MAX];

	(void)state;
	sides[COMPARISON_OLD]->runs[0].lost = 2;
	sides[COMPARISON_NEW]->engine = "ptrace";
	assert_true(comparison_note(&comparison, 0, note));
	assert_string_equal(note, "old: 2 calls were lost: others than those shown may be among "
				  "them");
	assert_true(comparison_note(&comparison, 1, note));
	assert_true(comparison_note(&comparison, 2, note));
	assert_string_equal(note, "new: a single run: calls that are made now and then may not be "
				  "in it");
	assert_true(comparison_note(&comparison, 3, note));
	assert_string_equal(note, "they were recorded by different engines");
	assert_false(comparison_note(&comparison, 4, note));
	done(&comparison);
}

static char *printed(const struct comparison *comparison, bool has_color)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	comparison_print(comparison, out, has_color);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_text_of_one_phase_and_program(void **state)
{
	struct comparison comparison = compared(MADE_OF(1, 1, 2), MADE_OF(2, 0, 1));
	char *text = printed(&comparison, false);

	(void)state;
	assert_string_equal(text,
			    "old: /bin/prog, 1 run, glibc 2.36, 6.1.0\n"
			    "new: /bin/prog, 1 run, glibc 2.36, 6.1.0\n"
			    "note: old: a single run: calls that are made now and then may not be "
			    "in it\n"
			    "note: new: a single run: calls that are made now and then may not be "
			    "in it\n"
			    "\nIn all\n"
			    "  + read                         1 time, in 1 of 1 run\n"
			    "  - open                         1 time, in 1 of 1 run\n"
			    "\n1 new, 1 gone\n");
	free(text);
	text = printed(&comparison, true);
	assert_non_null(strstr(text, "\033[32m  + read"));
	assert_non_null(strstr(text, "\033[31m  - open"));
	free(text);
	done(&comparison);
}

static void test_text_of_phases_and_programs(void **state)
{
	struct recording *old = made_parts(&(struct parts){ 1, "p", { 1, 2 }, { 3 }, { 5, 6 } });
	struct recording *new = made_parts(&(struct parts){ 2, "p", { 1 }, { 3, 2 }, { 0 } });
	struct comparison comparison = compared(old, new);
	char *text = printed(&comparison, false);

	(void)state;
	assert_string_equal(strstr(text, "\n\n"),
			    "\n\nIn all\n"
			    "  - fstat                        1 time, in 1 of 1 run\n"
			    "  - lstat                        1 time, in 1 of 1 run\n"
			    "\nPhase from the start\n"
			    "  - open                         1 time, in 1 of 1 run\n"
			    "  - fstat                        1 time, in 1 of 1 run\n"
			    "  - lstat                        1 time, in 1 of 1 run\n"
			    "\nPhase from p\n"
			    "  + open                         1 time, in 1 of 1 run\n"
			    "\nProgram /bin/sh: old only, 2 calls\n"
			    "\n0 new, 2 gone\n");
	free(text);
	done(&comparison);
}

static void test_text_of_no_difference(void **state)
{
	struct comparison comparison = compared(MADE_OF(1, 1), MADE_OF(2, 1));
	char *text = printed(&comparison, false);

	(void)state;
	assert_string_equal(strstr(text, "\n\n"), "\n\nno differences\n");
	free(text);
	done(&comparison);
}

static void test_document_has_all_parts(void **state)
{
	static char buffer[1 << 16];
	static const struct {
		const char *path;
		const char *value;
	} cases[] = {
		{ "syscalls_diff_version", "1.0" },
		{ "old.exe", "/bin/prog" },
		{ "new.runs", "1" },
		{ "old.libc", "glibc 2.36" },
		{ "calls.new", "[]" },
		{ "calls.gone.0.name", "fstat" },
		{ "calls.gone.0.nr", "5" },
		{ "calls.gone.0.arch", "x86_64" },
		{ "calls.gone.0.count", "1" },
		{ "calls.gone.0.runs", "1" },
		{ "phases.0.in", "both" },
		{ "phases.0.gone.0.name", "open" },
		{ "phases.1.point", "p" },
		{ "phases.1.new.0.name", "open" },
		{ "programs.0.exe", "/bin/prog" },
		{ "programs.0.in", "both" },
		{ "programs.1.exe", "/bin/sh" },
		{ "programs.1.in", "old" },
		{ "programs.1.gone.1.name", "lstat" },
		{ "summary.new", "0" },
		{ "summary.gone", "2" },
	};
	struct comparison comparison =
		compared(made_parts(&(struct parts){ 1, "p", { 1, 2 }, { 3 }, { 5, 6 } }),
			 made_parts(&(struct parts){ 2, "p", { 1 }, { 3, 2 }, { 0 } }));
	struct json json;

	(void)state;
	json_init(&json, buffer, sizeof(buffer) - 1, JSON_COMPACT, NULL, NULL);
	comparison_write(&comparison, &json);
	assert_int_equal(json_error(&json), 0);
	assert_int_equal(parsed_count(buffer, json_pending(&json)), 1);
	buffer[json_pending(&json)] = '\0';
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *value = parsed_value(buffer, cases[i].path);

		if (!value || strcmp(value, cases[i].value) != 0)
			fail_msg("%s is %s", cases[i].path, value ? value : "not there");
	}
	done(&comparison);
}

/* Whatever is compared: 80 columns, and the other way round the same. */
static void test_sides_can_be_swapped(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < 10; seed++) {
		struct recording *old = made_random_run(seed), *new = made_random_run(seed + 1);
		struct comparison one, other;
		char *text;

		assert_int_equal(comparison_make(old, new, &one), 0);
		assert_int_equal(comparison_make(new, old, &other), 0);
		assert_true(comparison_differs(&one));
		assert_int_equal(one.nr_programs, other.nr_programs);
		for (int side = 0; side < NR_COMPARISON_SIDES; side++)
			assert_int_equal(one.all.only[side].nr, other.all.only[!side].nr);
		text = printed(&one, false);
		for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
			assert_true(columns_count(line, (size_t)(end - line)) <= 80);
		free(text);
		comparison_free(&one);
		comparison_free(&other);
		recording_free(old);
		recording_free(new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_calls_are_no_difference),
		cmocka_unit_test(test_calls_of_one_side_are_listed),
		cmocka_unit_test(test_same_number_of_another_architecture_is_another_call),
		cmocka_unit_test(test_call_in_another_phase_is_a_difference),
		cmocka_unit_test(test_call_of_another_program_is_a_difference),
		cmocka_unit_test(test_phase_and_program_of_one_side_are_told),
		cmocka_unit_test(test_same_point_twice_is_two_phases),
		cmocka_unit_test(test_programs_of_command_are_compared_whatever_their_path),
		cmocka_unit_test(test_program_that_both_have_is_compared_with_itself),
		cmocka_unit_test(test_notes_say_what_may_mislead),
		cmocka_unit_test(test_text_of_one_phase_and_program),
		cmocka_unit_test(test_text_of_phases_and_programs),
		cmocka_unit_test(test_text_of_no_difference),
		cmocka_unit_test(test_document_has_all_parts),
		cmocka_unit_test(test_sides_can_be_swapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
