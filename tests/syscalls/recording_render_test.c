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

#include "support/parsed.h"
#include "syscalls/made_recording.h"

static void assert_value(const char *text, const char *path, const char *expected)
{
	const char *value = parsed_value(text, path);

	if (!value || strcmp(value, expected) != 0)
		fail_msg("%s is %s, not %s", path, value ? value : "not there", expected);
}

static void test_recording_is_one_document(void **state)
{
	struct recording *recording = made_random_run(2);
	char *text = made_text(recording);

	(void)state;
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
	recording_free(recording);
}

static void test_document_has_what_was_recorded(void **state)
{
	static const char *const words[] = { "prog", "a \"b\"" };
	struct recording *recording = made_new();
	struct recording_run run = made_run(7);
	int root = made_root(recording), thread;
	char *text;

	(void)state;
	recording_add_phase(recording, "aeMain");
	recording->phases[1].nr_hits = 2;
	recording->phases[1].reason = "it waited";
	recording->command = (const char **)words;
	recording->nr_command = 2;
	recording->build_id = "abcd";
	thread = recording_node(recording, (uint32_t)root, NODE_START_thread, 1, "/bin/prog",
				"/bin/prog+0x10");
	recording->nodes[thread].nr_instances = 4;
	made_call(recording, root, 1, 10, 2);
	made_call(recording, thread, 202, 3, 0);
	run.lost = 5;
	run.status = -3;
	run.was_filtered = true;
	run.nr_io_uring = 6;
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	text = made_text(recording);
	assert_value(text, "recording_version", "1.0");
	assert_value(text, "schema_version", "1.0");
	assert_value(text, "engine", "bpf");
	assert_value(text, "kernel", "6.1.0");
	assert_value(text, "libc", "glibc 2.36");
	assert_value(text, "command.1", "a \"b\"");
	assert_value(text, "exe", "/bin/prog");
	assert_value(text, "build_id", "abcd");
	assert_value(text, "is_mixed", "false");
	assert_value(text, "runs", "1");
	assert_value(text, "phases.1.point", "aeMain");
	assert_value(text, "phases.1.reason", "it waited");
	assert_value(text, "phases.1.hits", "2");
	assert_value(text, "nodes.0.start", "command");
	assert_value(text, "nodes.0.calls.0.name", "write");
	assert_value(text, "nodes.0.calls.0.nr", "1");
	assert_value(text, "nodes.0.calls.0.arch", "x86_64");
	assert_value(text, "nodes.0.calls.0.count", "10");
	assert_value(text, "nodes.0.calls.0.errors", "2");
	assert_value(text, "nodes.0.calls.0.first_seen_ns", "1000");
	assert_value(text, "nodes.0.calls.0.runs", "1");
	assert_value(text, "nodes.1.id", "1");
	assert_value(text, "nodes.1.parent", "0");
	assert_value(text, "nodes.1.exe", "/bin/prog");
	assert_value(text, "nodes.1.start", "thread");
	assert_value(text, "nodes.1.entry", "/bin/prog+0x10");
	assert_value(text, "nodes.1.phase", "1");
	assert_value(text, "nodes.1.instances", "4");
	assert_value(text, "each_run.0.id", "00000000000000000000000000000007");
	assert_value(text, "each_run.0.started_at", "2026-11-21T09:00:07.123456Z");
	assert_value(text, "each_run.0.duration_ns", "12345678");
	assert_value(text, "each_run.0.status", "-3");
	assert_value(text, "each_run.0.lost", "5");
	assert_value(text, "each_run.0.is_complete", "true");
	assert_value(text, "each_run.0.was_filtered", "true");
	assert_value(text, "each_run.0.io_uring_calls", "6");
	assert_value(text, "each_run.0.calls.0.nr", "[1]");
	assert_value(text, "each_run.0.calls.1.phase", "1");
	assert_value(text, "each_run.0.calls.1.nr", "[202]");
	assert_value(text, "growth.calls", "2");
	assert_value(text, "warnings.0",
		     "5 calls were lost: others than those shown may be among them");
	free(text);
	recording_free(recording);
}

/* Nodes made in another order are the same recording. */
static void test_order_of_making_does_not_matter(void **state)
{
	const struct recording_run run = made_run(1);
	char *texts[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct recording *recording = made_new();
		int root = made_root(recording), fork, thread, child;

		if (i == 0)
			recording_node(recording, (uint32_t)root, NODE_START_thread, 0, "/b", "x");
		fork = recording_node(recording, (uint32_t)root, NODE_START_fork, 0, "/b", NULL);
		thread = recording_node(recording, (uint32_t)root, NODE_START_thread, 0, "/b", "x");
		child = recording_node(recording, (uint32_t)thread, NODE_START_exec, 0, "/c", NULL);
		made_call(recording, fork, 5, 1, 0);
		made_call(recording, thread, 6, 1, 0);
		made_call(recording, child, 7, 1, 0);
		assert_int_equal(recording_add_run(recording, &run, recording), 0);
		texts[i] = made_text(recording);
		recording_free(recording);
	}
	assert_string_equal(texts[0], texts[1]);
	free(texts[0]);
	free(texts[1]);
}

static void test_unknown_number_has_no_name(void **state)
{
	struct recording *recording = MADE_OF(1, 1000);
	char *text = made_text(recording);

	(void)state;
	assert_value(text, "nodes.0.calls.0.nr", "1000");
	assert_non_null(strstr(text, "{\"name\":null,\"nr\":1000,"));
	free(text);
	recording_free(recording);
}

static void test_empty_recording_has_all_members(void **state)
{
	struct recording *recording = NULL;
	char *text;

	(void)state;
	assert_int_equal(recording_new(&recording), 0);
	text = made_text(recording);
	assert_value(text, "runs", "0");
	assert_value(text, "nodes", "[]");
	assert_value(text, "each_run", "[]");
	assert_value(text, "growth.calls", "0");
	assert_value(text, "command", "[]");
	assert_non_null(strstr(text, "\"exe\":null,\"build_id\":null,\"exe_sha256\":null"));
	free(text);
	recording_free(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recording_is_one_document),
		cmocka_unit_test(test_document_has_what_was_recorded),
		cmocka_unit_test(test_order_of_making_does_not_matter),
		cmocka_unit_test(test_unknown_number_has_no_name),
		cmocka_unit_test(test_empty_recording_has_all_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
