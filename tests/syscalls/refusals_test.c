/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>

#include "lib/columns.h"
#include "support/parsed.h"
#include "syscalls/refusals.h"

static char word[] = "program", option[] = "-x";
static char *command[] = { word, option, NULL };
static const char *const notes[] = { "'/usr/bin/program' is not the program that the policy was "
				     "made for, and this sentence is longer than a line" };
static const char *const points[] = { NULL, "main" };

static const struct refusals_run run = {
	.command = command,
	.policy = "p.json",
	.nr_phases = 2,
	.points = points,
	.duration_ns = 5,
	.status = 3,
};

static struct refusal made(uint32_t nr)
{
	return (struct refusal){
		.process = "prog",
		.exe = "/usr/bin/program",
		.pid = 7,
		.phase = 1,
		.audit = AUDIT_ARCH_X86_64,
		.arch = SYSCALL_ARCH_x86_64,
		.nr = nr,
		.error = EPERM,
		.file = "/usr/lib/libc.so.6",
		.offset = 0x1234,
		.symbol = "mkdir",
		.into = 7,
		.count = 1,
		.first_ns = 1000,
	};
}

static void test_what_is_alike_is_counted(void **state)
{
	struct refusals refusals = { 0 };
	struct refusal refusal = made(83);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(refusals_add(&refusals, &refusal), 0);
	/* when and by whom is of the first; how often counts */
	refusal.pid = 8;
	refusal.first_ns = 2000;
	refusal.count = 10;
	assert_int_equal(refusals_add(&refusals, &refusal), 0);
	refusals_again(&refusals, 0);
	assert_int_equal(refusals.nr, 1);
	assert_int_equal(refusals.total, 16);
	assert_int_equal(refusals.list[0]->count, 16);
	assert_int_equal(refusals.list[0]->pid, 7);
	assert_int_equal(refusals.list[0]->first_ns, 1000);
	refusals_free(&refusals);
	assert_int_equal(refusals.nr, 0);
}

static void test_what_differs_is_told_apart(void **state)
{
	struct refusals refusals = { 0 };
	struct refusal all[] = { made(83), made(84), made(83), made(83), made(83),
				 made(83), made(83), made(83), made(83) };

	(void)state;
	all[2].phase = 0;
	all[3].offset = 0x1235;
	all[4].file = "/usr/lib/libd.so.6";
	all[5].exe = NULL;
	all[6].arch = SYSCALL_ARCH_i386;
	all[7].by_argument = true;
	memcpy(all[8].process, "other", sizeof("other"));
	for (int i = 0; i < 9; i++)
		assert_int_equal(refusals_add(&refusals, &all[i]), i);
	for (int i = 0; i < 9; i++)
		assert_int_equal(refusals_add(&refusals, &all[i]), i);
	assert_int_equal(refusals.total, 18);
	refusals_free(&refusals);
}

static void test_strings_are_copied(void **state)
{
	struct refusals refusals = { 0 };
	char file[] = "/lib/a", symbol[] = "f", exe[] = "/bin/x";
	struct refusal refusal = made(83);

	(void)state;
	refusal.file = file;
	refusal.symbol = symbol;
	refusal.exe = exe;
	refusals_add(&refusals, &refusal);
	file[1] = symbol[0] = exe[1] = '?';
	assert_string_equal(refusals.list[0]->file, "/lib/a");
	assert_string_equal(refusals.list[0]->symbol, "f");
	assert_string_equal(refusals.list[0]->exe, "/bin/x");
	refusals_free(&refusals);
}

static void test_kinds_are_bounded_and_the_rest_is_counted(void **state)
{
	struct refusals refusals = { 0 };

	(void)state;
	for (uint64_t i = 0; i < REFUSALS_MAX + 100; i++) {
		struct refusal refusal = made(83);

		refusal.offset = i;
		assert_int_equal(refusals_add(&refusals, &refusal),
				 i < REFUSALS_MAX ? (int)i : -E2BIG);
	}
	assert_int_equal(refusals.nr, REFUSALS_MAX);
	assert_int_equal(refusals.total, REFUSALS_MAX + 100);
	assert_int_equal(refusals.nr_other, 100);
	refusals_free(&refusals);
}

static void test_counts_do_not_overflow(void **state)
{
	struct refusals refusals = { 0 };
	struct refusal refusal = made(83);

	(void)state;
	refusal.count = UINT64_MAX;
	refusals_add(&refusals, &refusal);
	refusals_add(&refusals, &refusal);
	refusals_again(&refusals, 0);
	assert_true(refusals.total == UINT64_MAX);
	assert_true(refusals.list[0]->count == UINT64_MAX);
	refusals_free(&refusals);
}

static char *rendered(const struct refusals *refusals)
{
	char *text, *terminated;
	size_t size;

	assert_int_equal(refusals_render(refusals, &run, &text, &size), 0);
	assert_int_equal(parsed_count(text, size), 1);
	terminated = realloc(text, size + 1);
	assert_non_null(terminated);
	terminated[size] = '\0';
	return terminated;
}

static void test_programs_can_read_it(void **state)
{
	struct refusals refusals = { 0 };
	struct refusal refusal = made(83);
	char *text;

	(void)state;
	refusals_add(&refusals, &refusal);
	refusals_again(&refusals, 0);
	refusal = (struct refusal){ .process = "x",
				    .audit = 0x1234,
				    .arch = NR_SYSCALL_ARCHES,
				    .nr = 5,
				    .offset = 0xabc,
				    .count = 1 };
	refusals_add(&refusals, &refusal);
	text = rendered(&refusals);
	assert_string_equal(parsed_value(text, "syscalls_verify_version"), "1.0");
	assert_string_equal(parsed_value(text, "status"), "3");
	assert_string_equal(parsed_value(text, "command.1"), "-x");
	assert_string_equal(parsed_value(text, "phases.1.point"), "main");
	assert_string_equal(parsed_value(text, "refused.0.process"), "prog");
	assert_string_equal(parsed_value(text, "refused.0.name"), "mkdir");
	assert_string_equal(parsed_value(text, "refused.0.arch"), "x86_64");
	assert_string_equal(parsed_value(text, "refused.0.error"), "EPERM");
	assert_string_equal(parsed_value(text, "refused.0.at"), "/usr/lib/libc.so.6+0x1234");
	assert_string_equal(parsed_value(text, "refused.0.symbol"), "mkdir+0x7");
	assert_string_equal(parsed_value(text, "refused.0.count"), "2");
	assert_string_equal(parsed_value(text, "refused.0.phase"), "1");
	assert_string_equal(parsed_value(text, "refused.1.arch"), "0x1234");
	assert_string_equal(parsed_value(text, "refused.1.at"), "0xabc");
	assert_string_equal(parsed_value(text, "summary.calls"), "3");
	assert_string_equal(parsed_value(text, "summary.kinds"), "2");
	free(text);
	refusals_free(&refusals);
}

static char *printed(const struct refusals *refusals, const struct refusals_run *of)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(refusals_print(refusals, of, out, false), 0);
	assert_int_equal(fclose(out), 0);
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		assert_true(columns_count(line, (size_t)(end - line)) <= 80);
	assert_null(strchr(text, '\x1b'));
	return text;
}

static void test_people_can_read_it(void **state)
{
	struct refusals refusals = { 0 };
	struct refusal refusal = made(83);
	char *text;

	(void)state;
	text = printed(&refusals, &run);
	assert_string_equal(text, "Nothing was refused.\n");
	free(text);
	refusals_add(&refusals, &refusal);
	refusal.nr = 257;
	refusal.count = 12;
	refusal.error = ENOSYS;
	refusals_add(&refusals, &refusal);
	refusal.nr = 16;
	refusal.count = 3;
	refusal.by_argument = true;
	refusals_add(&refusals, &refusal);
	text = printed(&refusals, &run);
	assert_non_null(strstr(text, "Refused: 16 calls, 3 kinds\n"));
	/* the most first */
	assert_true(strstr(text, "openat") < strstr(text, "ioctl (arguments)"));
	assert_true(strstr(text, "ioctl (arguments)") < strstr(text, "mkdir "));
	assert_non_null(strstr(text, "libc.so.6+0x1234 mkdir"));
	assert_non_null(strstr(text, "ENOSYS"));
	assert_non_null(strstr(text, "  phase 1 begins at main\n"));
	free(text);
	refusals_free(&refusals);
}

static void test_notes_come_first(void **state)
{
	struct refusals_run noted = run;
	struct refusals refusals = { 0 };
	char *text;

	(void)state;
	noted.notes = notes;
	noted.nr_notes = 1;
	text = printed(&refusals, &noted);
	assert_int_equal(strncmp(text, "Note: '/usr/bin/program' is not", 31), 0);
	assert_non_null(strstr(text, "\nNothing was refused.\n"));
	free(text);
}

/* Names of processes, files and functions are the program's own choice. */
static void test_foreign_text_cannot_act_on_the_terminal(void **state)
{
	struct refusals refusals = { 0 };
	struct refusal refusal = made(83);
	char long_name[5000];
	char *text;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	memcpy(refusal.process, "\x1b[31m\xff\n", 8);
	refusal.file = "/tmp/\x1b[2J\n/\x9b";
	refusal.symbol = "\x1b]0;x\x07";
	refusal.exe = "\xff\xfe";
	refusals_add(&refusals, &refusal);
	refusal.file = refusal.symbol = long_name;
	refusals_add(&refusals, &refusal);
	text = printed(&refusals, &run);
	free(text);
	text = rendered(&refusals);
	assert_null(strchr(text, '\x1b'));
	free(text);
	refusals_free(&refusals);
}

static void test_a_long_list_is_cut_for_people(void **state)
{
	struct refusals refusals = { 0 };
	char *text;

	(void)state;
	for (uint64_t i = 0; i < REFUSALS_MAX + 7; i++) {
		struct refusal refusal = made(83);

		refusal.offset = i;
		refusals_add(&refusals, &refusal);
	}
	text = printed(&refusals, &run);
	assert_non_null(strstr(text, "  and 1848 kinds more: see --format json\n"));
	assert_non_null(strstr(text, "  and 7 calls of other kinds, which are not kept\n"));
	free(text);
	text = rendered(&refusals);
	assert_string_equal(parsed_value(text, "summary.not_listed"), "7");
	assert_non_null(parsed_value(text, "refused.2047.at"));
	free(text);
	refusals_free(&refusals);
}

static void test_output_that_fails_is_an_error(void **state)
{
	FILE *out = fopen("/dev/full", "w");
	struct refusals refusals = { 0 };

	(void)state;
	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(refusals_print(&refusals, &run, out, false), -EIO);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_alike_is_counted),
		cmocka_unit_test(test_what_differs_is_told_apart),
		cmocka_unit_test(test_strings_are_copied),
		cmocka_unit_test(test_kinds_are_bounded_and_the_rest_is_counted),
		cmocka_unit_test(test_counts_do_not_overflow),
		cmocka_unit_test(test_programs_can_read_it),
		cmocka_unit_test(test_people_can_read_it),
		cmocka_unit_test(test_notes_come_first),
		cmocka_unit_test(test_foreign_text_cannot_act_on_the_terminal),
		cmocka_unit_test(test_a_long_list_is_cut_for_people),
		cmocka_unit_test(test_output_that_fails_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
