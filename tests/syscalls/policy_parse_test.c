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

#include "lib/file.h"
#include "support/files.h"
#include "support/guard.h"
#include "support/parsed.h"
#include "support/policies.h"
#include "support/verdicts.h"

#define TEXT_SIZE 8192

/* Parses TEXT. *RET_WHAT is what is wrong. */
static int parse(const char *text, struct policy **ret, const char **ret_what)
{
	size_t size = strlen(text);
	const void *bytes = guard_copy(text, size);
	int err;

	*ret_what = NULL;
	err = policy_parse(bytes, size, ret, ret_what);
	guard_free(bytes, size);
	return err;
}

static struct policy *parsed(const char *text)
{
	struct policy *policy;
	const char *what;

	if (parse(text, &policy, &what))
		fail_msg("%s", what ? what : "no memory");
	return policy;
}

static void assert_same(const struct policy *a, const struct policy *b)
{
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->nr_runs, b->nr_runs);
	assert_int_equal(a->native, b->native);
	assert_string_equal(a->exe, b->exe);
	assert_string_equal(a->exe_sha256, b->exe_sha256);
	assert_int_equal(a->nr_phases, b->nr_phases);
	for (size_t i = 0; i < NR_SYSCALL_ARCHES; i++) {
		assert_int_equal(a->has_arch[i], b->has_arch[i]);
		if (a->has_arch[i])
			assert_int_equal(a->last[i], b->last[i]);
	}
	for (size_t i = 0; i < a->nr_phases; i++) {
		assert_memory_equal(&a->phases[i].allowed, &b->phases[i].allowed,
				    sizeof(a->phases[i].allowed));
		assert_memory_equal(&a->phases[i].seen, &b->phases[i].seen,
				    sizeof(a->phases[i].seen));
		if (i > 0)
			assert_string_equal(a->phases[i].point, b->phases[i].point);
	}
	assert_int_equal(a->nr_rules, b->nr_rules);
	assert_memory_equal(a->rules, b->rules, a->nr_rules * sizeof(a->rules[0]));
	assert_int_equal(a->warnings.nr, b->warnings.nr);
	for (size_t i = 0; i < a->warnings.nr; i++)
		assert_string_equal(a->warnings.list[i], b->warnings.list[i]);
}

/* 0, 0, 1: who edits a file, or puts two together, means something else by it. */
static void test_phases_are_counted_without_gaps(void **state)
{
	static const char *const numbers[] = { "\"phase\":0", "\"phase\":1", "\"phase\":2" };
	struct policy *policy = verdicts_sample(5);
	char *text = verdicts_render(policy, "json", 0, NULL);
	const char *what = NULL;
	struct policy *read;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *at = strstr(text, numbers[i]) + strlen("\"phase\":");
		char was = *at;

		for (*at = '0'; *at <= '3'; ++*at) {
			if (*at == was)
				continue;
			assert_int_equal(policy_parse(text, strlen(text), &read, &what), -EBADMSG);
			assert_string_equal(what, "a phase is not in its place");
		}
		*at = was;
	}
	assert_int_equal(policy_parse(text, strlen(text), &read, &what), 0);
	policy_free(read);
	policy_free(policy);
	free(text);
}

static void test_what_is_written_is_read(void **state)
{
	struct policy *policy;
	size_t nr = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++, nr++) {
		char what[POLICY_WHAT_SIZE], *text;
		struct policy *again;

		if (i == 0)
			assert_int_equal(
				policy_add_rule(policy, "ioctl:2=-1,9007199254740993,5", what), 0);
		text = verdicts_render(policy, "json", 0, NULL);
		assert_int_equal(parsed_count(text, strlen(text)), 1);
		again = parsed(text);
		assert_same(policy, again);
		policy_free(again);
		policy_free(policy);
		free(text);
	}
	assert_int_equal(nr, 11);
}

static void test_each_format_of_what_was_read_is_the_same(void **state)
{
	struct policy *policy = verdicts_sample(5);
	char *text = verdicts_render(policy, "json", 0, NULL);
	struct policy *again = parsed(text);

	(void)state;
	for (size_t i = 0; policy_format_at(i); i++)
		for (size_t phase = 0; phase < 3; phase++) {
			size_t sizes[2];
			char *texts[2] = {
				verdicts_render(policy, policy_format_at(i)->name, phase,
						&sizes[0]),
				verdicts_render(again, policy_format_at(i)->name, phase, &sizes[1]),
			};

			assert_int_equal(sizes[0], sizes[1]);
			assert_memory_equal(texts[0], texts[1], sizes[0]);
			free(texts[0]);
			free(texts[1]);
		}
	free(text);
	policy_free(again);
	policy_free(policy);
}

static void test_programs_can_read_it(void **state)
{
	struct policy *policy = verdicts_sample(5);
	char *text = verdicts_render(policy, "json", 0, NULL);

	(void)state;
	assert_string_equal(parsed_value(text, "policy_version"), "1.0");
	assert_string_equal(parsed_value(text, "action"), "errno");
	assert_string_equal(parsed_value(text, "native"), "x86_64");
	assert_string_equal(parsed_value(text, "architectures.0.arch"), "x86_64");
	assert_string_equal(parsed_value(text, "phases.0.allowed.0.seen.0"), "read");
	assert_string_equal(parsed_value(text, "phases.2.point"), "first:epoll_wait");
	free(text);
	policy_free(policy);
}

#define HEAD                                                                                       \
	"{\"policy_version\":\"1.0\",\"exe\":null,\"runs\":1,\"action\":\"errno\","                \
	"\"native\":\"x86_64\",\"architectures\":[{\"arch\":\"x86_64\",\"last\":456}],"
#define PHASE_0                                                                                    \
	"{\"phase\":0,\"point\":null,\"allowed\":[{\"arch\":\"x86_64\",\"seen\":[\"read\"],"       \
	"\"added\":[\"write\",600]}]}"
#define TAIL "\"rules\":[],\"warnings\":[]}"

static void test_what_was_edited_by_hand_is_read(void **state)
{
	struct policy *policy =
		parsed(HEAD "\"phases\":[" PHASE_0 "],\"comment\":{\"a\":[]}," TAIL);

	(void)state;
	assert_true(policy_takes(policy, 0, "read"));
	assert_true(policy_takes(policy, 0, "write"));
	assert_true(policy_takes(policy, 0, "#600"));
	assert_false(policy_takes(policy, 0, "open"));
	assert_true(policy_set_has(&policy->phases[0].seen, SYSCALL_ARCH_x86_64, 0));
	assert_false(policy_set_has(&policy->phases[0].seen, SYSCALL_ARCH_x86_64, 1));
	assert_null(policy->exe);
	policy_free(policy);
}

/* Edits, and what is said of them. */
static const struct {
	const char *from, *to, *what;
} edits[] = {
	{ "\"policy_version\":\"1.0\"", "\"policy_version\":\"2.0\"",
	  "a policy of another version" },
	{ "\"policy_version\":\"1.0\"", "\"a\":1", "not a policy" },
	{ "\"policy_version\":\"1.0\"", "\"recording_version\":\"1.0\"", "it is a recording" },
	{ "\"policy_version\":\"1.0\"", "\"defaultAction\":\"x\"", "it is a seccomp profile" },
	{ "\"action\":\"errno\"", "\"action\":\"allow\"", "'action' is not errno" },
	{ "\"action\":\"errno\"", "\"action\":1", "'action' is not text" },
	{ "\"runs\":1", "\"runs\":-1", "'runs' is not a number" },
	{ "\"native\":\"x86_64\"", "\"native\":\"vax\"", "'native' is not an architecture" },
	{ "\"native\":\"x86_64\"", "\"native\":\"x32\"", "'native' is not an architecture" },
	{ "\"native\":\"x86_64\"", "\"native\":\"arm64\"", "'architectures' lack the native" },
	{ "\"exe\":null", "\"exe\":5", "'exe' is not text" },
	{ "\"exe\":null", "\"exe\":\"a\\u0000b\"", "'exe' is not text" },
	{ "\"exe\":null", "\"exe_sha256\":\"xyz\"", "64 hexadecimal digits" },
	{ "\"last\":456", "\"last\":1024", "not a number below 1024" },
	{ "\"last\":456}]", "\"last\":456},{\"arch\":\"x86_64\",\"last\":1}]", "there twice" },
	{ "\"phase\":0", "\"phase\":1", "a phase is not in its place" },
	{ "\"point\":null", "\"point\":\"x\"", "a phase without a point" },
	{ "[\"read\"]", "[\"reed\"]", "a call that its architecture does not have" },
	{ "[\"read\"]", "[1024]", "a call that its architecture does not have" },
	{ "[\"read\"]", "[-1]", "a call that its architecture does not have" },
	{ "[\"read\"]", "[null]", "a call that its architecture does not have" },
	{ "[\"read\"]", "\"read\"", "a phase's calls are not a list" },
	{ "[{\"arch\":\"x86_64\",\"seen\"", "[{\"arch\":\"i386\",\"seen\"", "none of 'architec" },
	{ "\"allowed\":[", "\"allowed\":5,\"x\":[", "a phase's 'allowed' is not a list" },
	{ "\"phases\":[", "\"phases\":[],\"x\":[", "there are no 'phases'" },
	{ "\"phases\":[", "\"phase\":[", "'phases' is not a list" },
	{ "\"rules\":[]", "\"rules\":{}", "'rules' is not a list" },
	{ "\"rules\":[]", "\"rules\":[5]", "a rule's 'values' are not a list" },
	{ "\"rules\":[]",
	  "\"rules\":[{\"arch\":\"x86_64\",\"call\":\"read\",\"argument\":6,"
	  "\"values\":[1]}]",
	  "a rule's 'argument' is not 0 to 5" },
	{ "\"rules\":[]",
	  "\"rules\":[{\"arch\":\"x86_64\",\"call\":\"open\",\"argument\":0,"
	  "\"values\":[1]}]",
	  "a rule of a call that is not allowed" },
	{ "\"rules\":[]",
	  "\"rules\":[{\"arch\":\"x86_64\",\"call\":\"read\",\"argument\":0,"
	  "\"values\":[]}]",
	  "a rule without values" },
	{ "\"rules\":[]",
	  "\"rules\":[{\"arch\":\"x86_64\",\"call\":\"read\",\"argument\":0,"
	  "\"values\":[-1]}]",
	  "a value of a rule is not a number" },
	{ "\"rules\":[]",
	  "\"rules\":[{\"arch\":\"x86_64\",\"call\":\"read\",\"argument\":0,"
	  "\"values\":[null]}]",
	  "a value of a rule is not a number" },
	{ "\"rules\":[]",
	  "\"rules\":[{\"arch\":\"x86_64\",\"call\":\"read\",\"argument\":0,"
	  "\"values\":[1]},{\"arch\":\"x86_64\",\"call\":\"read\",\"argument\":0,"
	  "\"values\":[2]}]",
	  "two rules for the same argument" },
	{ "\"warnings\":[]", "\"warnings\":[5]", "a warning is not text" },
	{ "\"warnings\":[]}", "\"warnings\":[]} x", "not JSON" },
	{ "\"warnings\":[]}", "\"warnings\":[]", "not JSON" },
};

static void test_what_is_wrong_is_said(void **state)
{
	static const char good[] = HEAD "\"phases\":[" PHASE_0 "]," TAIL;

	(void)state;
	policy_free(parsed(good));
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		const char *at = strstr(good, edits[i].from);
		char text[TEXT_SIZE];
		struct policy *policy;
		const char *what;
		int err;

		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, edits[i].to,
			 at + strlen(edits[i].from));
		err = parse(text, &policy, &what);
		if (err != -EBADMSG && err != -ENOMSG)
			fail_msg("'%s': %d", edits[i].to, err);
		if (!strstr(what, edits[i].what))
			fail_msg("'%s': %s", edits[i].to, what);
	}
}

static void test_later_phases_cannot_allow_more(void **state)
{
	struct policy *policy;
	const char *what;

	(void)state;
	assert_int_equal(parse(HEAD
			       "\"phases\":[" PHASE_0
			       ",{\"phase\":1,\"point\":\"main\",\"allowed\":[{\"arch\":"
			       "\"x86_64\",\"seen\":[\"read\",\"open\"],\"added\":[]}]}]," TAIL,
			       &policy, &what),
			 -EBADMSG);
	assert_string_equal(what,
			    "a phase allows what the one before does not: filters only take away");
}

static void test_other_documents_are_told_apart(void **state)
{
	static const char *const texts[] = { "",
					     "null",
					     "5",
					     "[]",
					     "{}",
					     "\"policy_version\"",
					     "{\"policy_version\":null}",
					     "not JSON" };
	struct policy *policy;
	const char *what;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(texts[i], &policy, &what), -ENOMSG);
		assert_non_null(what);
	}
}

static void test_files_are_read(void **state)
{
	struct policy *policy;
	char what[POLICY_WHAT_SIZE];

	(void)state;
	file_put(files_path("good"), HEAD "\"phases\":[" PHASE_0 "]," TAIL, 0600);
	assert_int_equal(policy_read(file_open(files_path("good")), &policy, what), 0);
	policy_free(policy);
	file_put(files_path("bad"), "{}", 0600);
	assert_int_equal(policy_read(file_open(files_path("bad")), &policy, what), -ENOMSG);
	assert_string_equal(what, "not a policy");
	assert_int_equal(policy_read(file_open(files_path("absent")), &policy, what), -ENOENT);
	assert_string_equal(what, "No such file or directory");
	assert_int_equal(policy_read(file_open(files_dir()), &policy, what), -EISDIR);
	assert_int_equal(policy_read(file_open("/dev/zero"), &policy, what), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_each_format_of_what_was_read_is_the_same),
		cmocka_unit_test(test_programs_can_read_it),
		cmocka_unit_test(test_what_was_edited_by_hand_is_read),
		cmocka_unit_test(test_what_is_wrong_is_said),
		cmocka_unit_test(test_later_phases_cannot_allow_more),
		cmocka_unit_test(test_other_documents_are_told_apart),
		cmocka_unit_test(test_phases_are_counted_without_gaps),
		cmocka_unit_test_setup_teardown(test_files_are_read, files_begin, files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
