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
#include "lib/utf8.h"
#include "syscalls/made_recording.h"
#include "syscalls/show.h"

/* RECORDING as it is shown; for the caller to free. */
static char *shown(const struct recording *recording, bool has_color)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(recording_print(recording, out, has_color), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_shown(const struct recording *recording, const char *expected)
{
	char *text = shown(recording, false);

	assert_string_equal(text, expected);
	free(text);
}

/* No line is wider than 80 columns, nothing in it acts on a terminal. */
static void assert_tame(const char *text)
{
	const char *line = text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		if (columns_count(line, (size_t)(end - line)) > 80)
			fail_msg("too wide: %.*s", (int)(end - line), line);
		for (const char *at = line; at < end;) {
			uint32_t rune = 0;

			at += utf8_decode(at, (size_t)(end - at), &rune);
			assert_true(rune != UTF8_INVALID && !utf8_is_control(rune));
		}
	}
	assert_int_equal(*line, '\0');
}

static void test_single_run_of_one_program(void **state)
{
	static const char *const words[] = { "prog", "-l", "/tmp" };
	struct recording *recording = made_new();
	const struct recording_run run = made_run(1);
	int root = made_root(recording);

	(void)state;
	recording->command = (const char **)words;
	recording->nr_command = 3;
	recording->build_id = "00ff";
	made_call(recording, root, 1, 10, 2);
	made_call(recording, root, 0, 100, 0);
	made_call(recording, root, 999, 1, 0);
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	assert_shown(recording,
		     "Recording\n"
		     "  program    /bin/prog\n"
		     "  command    prog -l /tmp\n"
		     "  build id   00ff\n"
		     "  libc       glibc 2.36\n"
		     "  kernel     6.1.0\n"
		     "  engine     bpf\n"
		     "  runs       1, at 2026-11-21T09:00:01Z, took 12.3 ms, status 0\n"
		     "\nWarnings\n"
		     "  - a single run: calls that are made now and then may not be in it\n"
		     "  - 1 call with a number that has no name here\n"
		     "\nSystem calls: 3 calls, made 111 times\n"
		     "  CALL               COUNT  ERRORS  FIRST SEEN\n"
		     "  read                 100       0        0 ns\n"
		     "  write                 10       2      1.0 us\n"
		     "  x86_64 number 999      1       0    999.0 us\n"
		     "\nProcesses and threads\n"
		     "  PART       TIMES  CALLS  COUNT\n"
		     "  /bin/prog      1      3    111\n");
	recording_free(recording);
}

static void test_phases_tree_support_and_growth(void **state)
{
	struct recording *both = NULL;

	(void)state;
	for (unsigned int i = 1; i <= 2; i++) {
		struct recording *recording = made_new();
		struct recording_run run = made_run(i);
		uint32_t root = (uint32_t)made_root(recording);
		int later, node;

		recording_add_phase(recording, "aeMain");
		recording->phases[1].nr_hits = 1;
		recording->phases[1].reason = "it waited";
		later = recording_node(recording, root, NODE_START_phase, 1, "/bin/prog", NULL);
		node = recording_node(recording, root, NODE_START_thread, 0, "/bin/prog",
				      "/bin/prog+0x10");
		recording->nodes[node].nr_instances = 4;
		made_call(recording, (int)root, 1, 10, 0);
		made_call(recording, node, 1, 10, 0);
		made_call(recording, later, 1, 5, 0);
		if (i == 2) {
			node = recording_node(recording, (uint32_t)later, NODE_START_fork, 1,
					      "/bin/prog", NULL);
			node = recording_node(recording, (uint32_t)node, NODE_START_exec, 1,
					      "/bin/sh", NULL);
			made_call(recording, node, 0, 7, 0);
			run.status = 1;
		}
		assert_int_equal(recording_add_run(recording, &run, recording), 0);
		if (!both) {
			both = recording;
			continue;
		}
		assert_int_equal(recording_merge(both, recording), 0);
		recording_free(recording);
	}
	assert_shown(both, "Recording\n"
			   "  program    /bin/prog\n"
			   "  libc       glibc 2.36\n"
			   "  kernel     6.1.0\n"
			   "  engine     bpf\n"
			   "  runs       2 from 2026-11-21T09:00:01Z on, 12.3 ms at most, 1 with "
			   "status 0\n"
			   "\nPhase 0, from the start: 1 call, made 40 times\n"
			   "  CALL   COUNT  ERRORS  FIRST SEEN  IN RUNS\n"
			   "  write     40       0      1.0 us   2 of 2\n"
			   "\nPhase 1, from 'aeMain' on: 2 calls, made 17 times\n"
			   "  it waited\n"
			   "  CALL   COUNT  ERRORS  FIRST SEEN  IN RUNS\n"
			   "  write     10       0      1.0 us   2 of 2\n"
			   "  read       7       0        0 ns   1 of 2\n"
			   "\nProcesses and threads\n"
			   "  PART                   TIMES  CALLS  COUNT  PHASE\n"
			   "  /bin/prog                  2      1     20      0\n"
			   "    thread at prog+0x10      8      1     20      0\n"
			   "    from aeMain on           0      1     10      1\n"
			   "      fork                   0      0      0      1\n"
			   "        exec /bin/sh         0      1      7      1\n"
			   "\nThe last run added 1 of 3 calls.\n");
	recording_free(both);
}

static void test_growth_is_told_of_the_last_runs(void **state)
{
	struct recording *recording = MADE_OF(1, 1);
	char *text;

	(void)state;
	for (unsigned int i = 2; i <= 9; i++) {
		struct recording *next = MADE_OF(i, i < 6 ? i : 1, 1);

		assert_int_equal(recording_merge(recording, next), 0);
		recording_free(next);
	}
	text = shown(recording, false);
	assert_non_null(strstr(text, "\nThe last 5 runs added 1 of 5 calls.\n"));
	free(text);
	recording_free(recording);
}

static void test_color_marks_titles_and_what_is_unusual(void **state)
{
	struct recording *recording = MADE_OF(1, 1, 2), *second = MADE_OF(2, 1);
	char *text;

	(void)state;
	made_call(recording, 0, 2, 3, 0);
	made_call(second, 0, 1, 3, 0);
	assert_int_equal(recording_merge(recording, second), 0);
	recording_free(second);
	text = shown(recording, true);
	assert_non_null(strstr(text, "\033[1mRecording\033[0m\n"));
	assert_non_null(strstr(text, "\033[33mopen"));
	assert_null(strstr(text, "\033[33mwrite"));
	free(text);
	text = shown(recording, false);
	assert_null(strchr(text, '\033'));
	free(text);
	recording_free(recording);
}

static void test_empty_recording_is_shown(void **state)
{
	struct recording *recording = NULL;

	(void)state;
	assert_int_equal(recording_new(&recording), 0);
	assert_shown(recording, "Recording\n"
				"  program    not the same in all runs\n"
				"  runs       none\n"
				"\nSystem calls: 0 calls, made 0 times\n");
	recording_free(recording);
}

/* Everything foreign and as long as it can be. */
static void test_lines_are_tame_whatever_is_in_them(void **state)
{
	static char longest[5000];
	const char *words[3] = { "\033]0;title\007", longest, "a\nb\xff" };
	struct recording *recording = made_new();
	struct recording_run run = made_run(1);
	uint32_t parent;
	char *text;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	recording->command = words;
	recording->nr_command = 3;
	recording->exe = recording->kernel = recording->libc = recording->build_id = longest;
	recording_add_phase(recording, longest);
	recording_add_phase(recording, "\033[31m\n");
	recording->phases[1].reason = longest;
	recording->phases[2].reason = "\xe2\x80\xae \033[1m";
	parent = (uint32_t)made_root(recording);
	for (int i = 0; i < 300; i++) {
		char entry[64];

		snprintf(entry, sizeof(entry), "\033[%dm\t\xe4\xb8\xad\xe6\x96\x87+0x10", i);
		parent =
			(uint32_t)recording_node(recording, parent, NODE_START_thread,
						 (uint32_t)i % 3, longest, i % 2 ? entry : longest);
		recording->nodes[parent].nr_instances = UINT64_MAX;
		made_call(recording, (int)parent, (uint32_t)i, UINT64_MAX, UINT64_MAX);
	}
	run.duration_ns = run.lost = UINT64_MAX;
	run.status = INT32_MIN;
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	text = shown(recording, false);
	assert_tame(text);
	assert_non_null(strstr(text, "\n  and 101 more: see --format json\n"));
	free(text);
	recording_free(recording);
}

/* Deep in the tree names are cut, not what says how a part came to be. */
static void test_deep_parts_say_what_they_are(void **state)
{
	static const char exe[] = "/opt/some/long/path/to/versions/3.11.7/bin/python3.11";
	struct recording *recording = made_new();
	uint32_t parent = (uint32_t)made_root(recording);
	char *text;

	(void)state;
	for (int i = 0; i < 12; i++)
		parent = (uint32_t)recording_node(recording, parent, NODE_START_exec, 0, exe, NULL);
	recording_node(recording, parent, NODE_START_thread, 0, exe,
		       "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0+0x2a8f40");
	text = shown(recording, false);
	assert_tame(text);
	assert_non_null(strstr(text, "\n                      exec /opt/"));
	assert_non_null(strstr(text, "\n                      thread at libpy"));
	assert_non_null(strstr(text, "+0x2a8f40 "));
	assert_non_null(strstr(text, "/python3.11 "));
	free(text);
	recording_free(recording);
}

static void test_failing_output_is_an_error(void **state)
{
	struct recording *recording = made_random_run(1);
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(recording_print(recording, out, false), -EIO);
	fclose(out);
	recording_free(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single_run_of_one_program),
		cmocka_unit_test(test_phases_tree_support_and_growth),
		cmocka_unit_test(test_growth_is_told_of_the_last_runs),
		cmocka_unit_test(test_color_marks_titles_and_what_is_unusual),
		cmocka_unit_test(test_empty_recording_is_shown),
		cmocka_unit_test(test_lines_are_tame_whatever_is_in_them),
		cmocka_unit_test(test_deep_parts_say_what_they_are),
		cmocka_unit_test(test_failing_output_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
