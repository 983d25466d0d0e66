/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "lib/memory.h"
#include "support/policies.h"
#include "support/verdicts.h"
#include "syscalls/format.h"

static void test_formats_are_found_by_name(void **state)
{
	static const char *const names[] = { "json", "c",	"bpf",	   "bpf-text",
					     "oci",  "systemd", "minijail" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_ptr_equal(policy_format_at(i), policy_format_find(names[i]));
		assert_string_equal(policy_format_at(i)->name, names[i]);
		assert_true(strlen(policy_format_at(i)->help) > 10);
	}
	assert_null(policy_format_at(sizeof(names) / sizeof(names[0])));
	assert_null(policy_format_find("xml"));
	assert_null(policy_format_find(""));
}

static char *text_of(const char *foreign)
{
	struct memory_text page;
	char *text;
	size_t size;

	assert_int_equal(memory_text_begin(&page), 0);
	format_text(page.out, foreign);
	assert_int_equal(memory_text_end(&page, 0, &text, &size), 0);
	assert_int_equal(strlen(text), size);
	return text;
}

static void test_foreign_text_cannot_end_a_comment(void **state)
{
	char *text = text_of("a*/b\nc\\\n\x1b[31m\x7f\xc3\xa4# d");

	(void)state;
	assert_string_equal(text, "a?/b?c???[31m???# d");
	free(text);
}

static char *head_of(const struct policy *policy, size_t phase)
{
	struct memory_text page;
	char *text;
	size_t size;

	assert_int_equal(memory_text_begin(&page), 0);
	format_head(page.out, policy, phase, "# ");
	assert_int_equal(memory_text_end(&page, 0, &text, &size), 0);
	return text;
}

static void test_the_head_says_what_it_is(void **state)
{
	struct policy *policy = verdicts_sample(5);
	char *text = head_of(policy, 1);

	(void)state;
	policy_note(&policy->warnings, "a\nwarning");
	assert_non_null(strstr(text, "# action errno, from 1 run of /usr/bin/program\n"));
	assert_non_null(strstr(text, "# phase 1 of 3, from main on; this format has one phase\n"));
	assert_non_null(strstr(text, "# warning: a single run"));
	free(text);
	text = head_of(policy, SIZE_MAX);
	assert_null(strstr(text, "this format has one phase"));
	assert_non_null(strstr(text, "# warning: a?warning\n"));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		assert_int_equal(strncmp(line, "# ", 2), 0);
	free(text);
	policy_free(policy);
}

static struct format_names names, others;

static void test_names_are_of_all_architectures_and_sorted(void **state)
{
	struct policy *policy = policy_made("write read execve i386:read i386:getuid32");
	struct policy_notes notes = { 0 };

	(void)state;
	format_names(policy, 0, &notes, &names);
	for (size_t i = 1; i < names.nr; i++)
		assert_true(strcmp(names.list[i - 1], names.list[i]) < 0);
	assert_true(format_has(&names, "read"));
	assert_true(format_has(&names, "getuid32"));
	assert_true(format_has(&names, "exit_group"));
	assert_false(format_has(&names, "open"));
	assert_true(notes_say(&notes, "i386:write"));
	assert_false(notes_say(&notes, "getuid32"));
	policy_notes_free(&notes);
	policy_free(policy);
}

/* Each name that there is, is in one of the two. */
static void test_others_are_the_rest_of_what_is_known(void **state)
{
	struct policy *policy = policy_made("write read");
	struct policy_notes notes = { 0 };

	(void)state;
	format_names(policy, 0, &notes, &names);
	format_others(policy, 0, &others);
	assert_int_equal(notes.nr, 0);
	assert_true(names.nr + others.nr > 340);
	for (size_t i = 0; i < others.nr; i++)
		assert_false(format_has(&names, others.list[i]));
	assert_true(format_has(&others, "open"));
	assert_true(format_has(&others, "ptrace"));
	policy_free(policy);
}

static void test_rules_are_those_of_the_name(void **state)
{
	struct policy *policy = policy_made("ioctl lseek");
	const struct policy_rule *rules[POLICY_RULES_MAX];
	char what[POLICY_WHAT_SIZE];

	(void)state;
	assert_int_equal(policy_add_rule(policy, "lseek:1=5", what), 0);
	assert_int_equal(policy_add_rule(policy, "ioctl:1=7", what), 0);
	assert_int_equal(policy_add_rule(policy, "lseek:2=6", what), 0);
	assert_int_equal(format_rules(policy, "lseek", rules), 2);
	assert_int_equal(rules[0]->values[0], 5);
	assert_int_equal(rules[1]->values[0], 6);
	assert_int_equal(format_rules(policy, "read", rules), 0);
	assert_int_equal(format_rules(policy, "nosuchcall", rules), 0);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats_are_found_by_name),
		cmocka_unit_test(test_foreign_text_cannot_end_a_comment),
		cmocka_unit_test(test_the_head_says_what_it_is),
		cmocka_unit_test(test_names_are_of_all_architectures_and_sorted),
		cmocka_unit_test(test_others_are_the_rest_of_what_is_known),
		cmocka_unit_test(test_rules_are_those_of_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
