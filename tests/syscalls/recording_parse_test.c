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

#include "support/guard.h"
#include "syscalls/made_recording.h"

/* What is wrong with the SIZE bytes at TEXT, whose last one is the last that may be read. */
static const char *fault_of(const char *text, size_t size)
{
	const void *bytes = guard_copy(text, size);
	struct recording *recording = NULL;
	const char *what = NULL;
	int err = recording_parse(bytes, size, &recording, &what);

	guard_free(bytes, size);
	if (!err) {
		recording_free(recording);
		return "nothing";
	}
	assert_int_equal(err, -EBADMSG);
	assert_null(recording);
	assert_non_null(what);
	return what;
}

/* A good document, small enough to be read. */
static char *good(void)
{
	struct recording *recording = made_new();
	const struct recording_run run = made_run(1);
	int root = made_root(recording), child;
	char *text;

	recording_add_phase(recording, "aeMain");
	child = recording_node(recording, (uint32_t)root, NODE_START_thread, 1, "/bin/prog", "e");
	made_call(recording, root, 1, 10, 2);
	made_call(recording, root, 2, 10, 2);
	made_call(recording, child, 3, 10, 2);
	memset(recording->exe_sha256, 'a', 64);
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	text = made_text(recording);
	recording_free(recording);
	return text;
}

/* The good document with the first FROM made TO is refused, and said to be WHAT. */
static void assert_refused(const char *from, const char *to, const char *what)
{
	char *text = good(), *changed = calloc(1, strlen(text) + strlen(to) + 1);
	const char *at = strstr(text, from), *fault;

	assert_non_null(changed);
	if (!at)
		fail_msg("the document has no %s", from);
	snprintf(changed, strlen(text) + strlen(to) + 1, "%.*s%s%s", (int)(at - text), text, to,
		 at + strlen(from));
	fault = fault_of(changed, strlen(changed));
	if (strcmp(fault, what) != 0)
		fail_msg("%s instead of %s: %s, not %s", to, from, fault, what);
	free(text);
	free(changed);
}

static void test_what_was_rendered_is_read_as_it_was(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < 20; seed++) {
		struct recording *recording = made_random_run(seed), *read;
		char *text = made_text(recording), *again;

		read = made_parsed(text);
		again = made_text(read);
		assert_string_equal(again, text);
		recording_free(recording);
		recording_free(read);
		free(text);
		free(again);
	}
}

static void test_every_field_is_read(void **state)
{
	char *text = good();
	struct recording *read = made_parsed(text);

	(void)state;
	free(text);
	assert_string_equal(read->engine, "bpf");
	assert_string_equal(read->exe, "/bin/prog");
	assert_null(read->build_id);
	assert_int_equal(strlen(read->exe_sha256), 64);
	assert_int_equal(read->nr_phases, 2);
	assert_string_equal(read->phases[1].point, "aeMain");
	assert_int_equal(read->nr_nodes, 2);
	assert_int_equal(read->nodes[0].parent, RECORDING_NONE);
	assert_int_equal(read->nodes[0].nr_instances, 1);
	assert_int_equal(read->nodes[1].start, NODE_START_thread);
	assert_int_equal(read->nodes[1].phase, 1);
	assert_string_equal(read->nodes[1].entry, "e");
	assert_int_equal(read->nodes[0].calls[1].nr, 2);
	assert_int_equal(read->nodes[0].calls[1].count, 10);
	assert_int_equal(read->nodes[0].calls[1].errors, 2);
	assert_int_equal(read->nodes[0].calls[1].nr_runs, 1);
	assert_int_equal(read->nodes[0].calls[1].first_seen_ns, 2000);
	assert_int_equal(read->nr_runs, 1);
	assert_true(read->runs[0].started_ns == UINT64_C(1795251601123456000));
	assert_true(read->runs[0].is_complete);
	assert_int_equal(read->runs[0].nr_calls, 3);
	recording_free(read);
}

static void test_large_numbers_are_kept(void **state)
{
	struct recording *recording = made_new(), *read;
	struct recording_run run = made_run(1);
	char *text;

	(void)state;
	made_call(recording, made_root(recording), 1, UINT64_MAX, UINT64_MAX - 1);
	run.duration_ns = UINT64_MAX;
	run.lost = UINT64_MAX;
	run.status = INT32_MIN;
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	text = made_text(recording);
	read = made_parsed(text);
	assert_true(read->nodes[0].calls[0].count == UINT64_MAX);
	assert_true(read->nodes[0].calls[0].errors == UINT64_MAX - 1);
	assert_true(read->runs[0].lost == UINT64_MAX);
	assert_true(read->runs[0].status == INT32_MIN);
	free(text);
	recording_free(recording);
	recording_free(read);
}

/* A later version may add to it. */
static void test_what_is_not_known_is_passed_over(void **state)
{
	char *text = good(), *changed = calloc(1, strlen(text) + 64);
	const char *at = strstr(text, "\"kernel\"");

	(void)state;
	assert_non_null(changed);
	snprintf(changed, strlen(text) + 64, "%.*s\"new\":[{\"a\":null}],%s", (int)(at - text),
		 text, at);
	assert_string_equal(fault_of(changed, strlen(changed)), "nothing");
	free(text);
	free(changed);
}

static void test_name_of_a_newer_call_is_passed_over(void **state)
{
	struct recording *recording = MADE_OF(1, 1000);
	char *text = made_text(recording), *at = strstr(text, "\"name\":null");

	(void)state;
	assert_non_null(at);
	memcpy(at, "\"name\":\"ab\"", 11);
	assert_string_equal(fault_of(text, strlen(text)), "nothing");
	free(text);
	recording_free(recording);
}

static void test_other_documents_are_named(void **state)
{
	static const struct {
		const char *text;
		const char *what;
	} cases[] = {
		{ "", "not a recording: it is not JSON" },
		{ "#!/bin/sh\n", "not a recording: it is not JSON" },
		{ "{", "not a recording: it is not JSON" },
		{ "null\n", "not a recording" },
		{ "[]", "not a recording" },
		{ "{}", "not a recording" },
		{ "\"recording_version\"", "not a recording" },
		{ "{\"policy_version\":\"1.0\"}", "not a recording: it is a policy" },
		{ "{\"snapshot_version\":\"1.0\"}", "not a recording: it is a snapshot" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}",
		  "not a recording: it is a seccomp profile" },
		{ "{\"syscalls_diff_version\":\"1.0\"}",
		  "not a recording: it is a comparison of two" },
		{ "{\"recording_version\":\"2.0\"}", "a recording of another version than 1.0" },
		{ "{\"recording_version\":1}", "not a recording" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(fault_of(cases[i].text, strlen(cases[i].text)), cases[i].what);
}

/* Cut anywhere it is not JSON, but for the newline at its end. */
static void test_cut_document_is_refused(void **state)
{
	char *text = good();

	(void)state;
	for (size_t size = 0; size + 1 < strlen(text); size++)
		assert_string_equal(fault_of(text, size), "not a recording: it is not JSON");
	free(text);
}

static void test_wrong_facts_are_refused(void **state)
{
	(void)state;
	assert_refused("\"engine\":\"bpf\"", "\"engine\":1", "'engine' is not text");
	assert_refused("\"exe\":\"/bin/prog\",\"build", "\"exe\":\"a\\u0000b\",\"build",
		       "'exe' is not text");
	assert_refused("\"command\":[]", "\"command\":[1]", "'command' is not a list of words");
	assert_refused("\"command\":[]", "\"command\":[null]", "'command' is not a list of words");
	assert_refused("\"command\":[]", "\"c\":[]", "'command' is not a list of words");
	assert_refused("\"is_mixed\":false", "\"is_mixed\":0", "'is_mixed' is not true or false");
	assert_refused("\"exe_sha256\":\"aaaa", "\"exe_sha256\":\"aaa",
		       "'exe_sha256' is not 64 hexadecimal digits");
	assert_refused("\"exe_sha256\":\"a", "\"exe_sha256\":\"A",
		       "'exe_sha256' is not 64 hexadecimal digits");
	assert_refused("\"runs\":1,\"growth\"", "\"runs\":2,\"growth\"",
		       "'runs' is not how many 'each_run' has");
	assert_refused("\"runs\":1,\"growth\"", "\"growth\"", "'runs' is not a number of runs");
}

static void test_wrong_phases_are_refused(void **state)
{
	(void)state;
	assert_refused("\"phase\":1,\"point\"", "\"phase\":2,\"point\"",
		       "a phase is not in its place");
	assert_refused("\"phase\":1,\"point\"", "\"phase\":0,\"point\"",
		       "a phase is not in its place");
	assert_refused("\"point\":\"aeMain\"", "\"point\":null",
		       "a phase without a point that begins it");
	assert_refused("\"point\":null", "\"point\":\"x\"",
		       "a phase without a point that begins it");
	assert_refused("\"hits\":0", "\"hits\":-1", "a phase's 'hits' is no number");
	assert_refused("\"phases\":[", "\"phases\":[],\"x\":[", "there are no 'phases'");
	assert_refused("\"phases\":[", "\"phases\":{},\"x\":[",
		       "'phases' is not a list of at most 65");
}

static void test_wrong_nodes_are_refused(void **state)
{
	(void)state;
	assert_refused("\"id\":1,\"parent\":0", "\"id\":0,\"parent\":0",
		       "a node's 'id' is not its place");
	assert_refused("\"id\":1,\"parent\":0", "\"id\":1,\"parent\":1",
		       "a node's 'parent' does not come before it");
	assert_refused("\"id\":0,\"parent\":null", "\"id\":0,\"parent\":0",
		       "a node without its 'parent', or a command with one");
	assert_refused("\"id\":1,\"parent\":0", "\"id\":1,\"parent\":null",
		       "a node without its 'parent', or a command with one");
	assert_refused("\"start\":\"thread\"", "\"start\":\"clone\"",
		       "a 'start' that is not known");
	assert_refused("\"start\":\"thread\"", "\"start\":7", "a 'start' is not text");
	assert_refused("\"entry\":\"e\"", "\"entry\":7", "a node's 'entry' is not text");
	assert_refused("\"phase\":1,\"instances\"", "\"phase\":2,\"instances\"",
		       "a node's 'phase' is not one of 'phases'");
	assert_refused("\"instances\":0,\"runs\":1", "\"instances\":0,\"runs\":10001",
		       "a node's 'runs' is not a number of runs");
	assert_refused("\"instances\":0,\"runs\":1", "\"instances\":0,\"runs\":2",
		       "a node was in more 'runs' than there are");
	assert_refused("\"id\":0,\"parent\":null,\"exe\":\"/bin/prog\"",
		       "\"id\":0,\"parent\":null,\"exe\":null", "a node without its 'exe'");
	assert_refused("\"nodes\":[", "\"nodes\":[7,", "a 'start' is not text");
	assert_refused("\"nodes\":[", "\"nodes\":7,\"x\":[",
		       "'nodes' is not a list of at most 4096");
}

static void test_wrong_calls_are_refused(void **state)
{
	(void)state;
	assert_refused("\"name\":\"write\"", "\"name\":\"read\"",
		       "a call's 'name' is not that of its 'nr'");
	assert_refused("\"name\":\"write\"", "\"name\":1", "a call's 'name' is not text");
	assert_refused("\"nr\":1,", "\"nr\":1024,", "a call's 'nr' is not a number below 1024");
	assert_refused("\"nr\":1,", "\"nr\":1.5,", "a call's 'nr' is not a number below 1024");
	assert_refused("\"nr\":1,", "\"nr\":\"1\",", "a call's 'nr' is not a number below 1024");
	assert_refused("\"nr\":1,\"arch\":\"x86_64\"", "\"nr\":1,\"arch\":\"vax\"",
		       "an 'arch' that is not known");
	assert_refused("\"nr\":1,\"arch\":\"x86_64\"", "\"nr\":1", "an 'arch' is not text");
	assert_refused("\"count\":10", "\"count\":0", "a call that was never made");
	assert_refused("\"count\":10", "\"count\":1", "a call has more 'errors' than its 'count'");
	assert_refused("\"count\":10", "\"count\":-1", "a call's 'count' is not a number");
	assert_refused("\"first_seen_ns\":1000", "\"first_seen_ns\":null",
		       "a call's 'first_seen_ns' is not a number");
	assert_refused("\"first_seen_ns\":1000,\"runs\":1", "\"first_seen_ns\":1000,\"runs\":2",
		       "a call was in more 'runs' than there are");
	assert_refused("\"name\":\"open\",\"nr\":2,", "\"name\":\"write\",\"nr\":1,",
		       "a call is there twice in a node");
}

static void test_wrong_runs_are_refused(void **state)
{
	(void)state;
	assert_refused("\"id\":\"0000", "\"id\":\"000",
		       "a run's 'id' is not 32 hexadecimal digits");
	assert_refused("\"id\":\"0000", "\"id\":\"000g",
		       "a run's 'id' is not 32 hexadecimal digits");
	assert_refused("\"status\":0", "\"status\":2147483648",
		       "a run's 'status' is not an exit status");
	assert_refused("\"lost\":0", "\"lost\":\"0\"", "a run's 'lost' is not a number");
	assert_refused("\"is_complete\":true", "\"is_complete\":1",
		       "a run's 'is_complete' is not true or false");
	assert_refused("\"io_uring_calls\":0", "\"io_uring_calls\":-1",
		       "a run's 'io_uring_calls' is not a number");
	assert_refused("\"nr\":[1,2]", "\"nr\":[1,1024]",
		       "a run's 'nr' has what is not a number below 1024");
	assert_refused("\"nr\":[1,2]", "\"nr\":[1,null]",
		       "a run's 'nr' has what is not a number below 1024");
	assert_refused("\"nr\":[1,2]", "\"nr\":12", "a run's 'nr' is not a list of numbers");
	assert_refused("\"nr\":[1,2]", "\"nr\":[1]",
		       "the calls of the runs are not those of the nodes");
	assert_refused("\"nr\":[1,2]", "\"nr\":[1,2,9]",
		       "the calls of the runs are not those of the nodes");
	assert_refused("\"phase\":1,\"arch\"", "\"phase\":2,\"arch\"",
		       "a run's 'phase' is not one of 'phases'");
	assert_refused("\"each_run\":[", "\"each_run\":[],\"x\":[",
		       "the calls of the runs are not those of the nodes");
}

static void test_wrong_times_are_refused(void **state)
{
	static const char *const times[] = {
		"",
		"2026-11-21",
		"2026-11-21T09:00:01.123456",
		"2026-11-21T09:00:01.123456+",
		"2026-11-21 09:00:01.123456Z",
		"2026-13-21T09:00:01.123456Z",
		"2026-00-21T09:00:01.123456Z",
		"2026-11-32T09:00:01.123456Z",
		"2026-11-00T09:00:01.123456Z",
		"2026-11-21T24:00:01.123456Z",
		"2026-11-21T09:60:01.123456Z",
		"2026-11-21T09:00:60.123456Z",
		"2026-11-21T09:00:01.12345xZ",
		"1969-12-31T23:59:59.999999Z",
		"2500-01-01T00:00:00.000000Z",
		"-026-11-21T09:00:01.123456Z",
		"2026-11-21T09:00:01.1234567Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_refused("2026-11-21T09:00:01.123456Z", times[i],
			       "a run's 'started_at' is not a time");
}

static void test_extreme_times_are_kept(void **state)
{
	static const char *const times[] = {
		"1970-01-01T00:00:00.000000Z",
		"2024-02-29T23:59:59.999999Z",
		"2499-12-31T23:59:59.999999Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		char *text = good(), *again;
		struct recording *read;

		memcpy(strstr(text, "2026-11-21T09:00:01.123456Z"), times[i], strlen(times[i]));
		read = made_parsed(text);
		again = made_text(read);
		assert_string_equal(again, text);
		recording_free(read);
		free(text);
		free(again);
	}
}

static void test_run_that_is_there_twice_is_refused(void **state)
{
	char *text = good(), *changed = calloc(2, strlen(text) + 1);
	const char *run = strstr(text, "{\"id\":\"0000"), *end = strstr(run, "}]}]}");

	(void)state;
	assert_non_null(changed);
	assert_non_null(end);
	snprintf(changed, 2 * strlen(text), "%.*s,%s", (int)(end + 3 - text), text, run);
	assert_string_equal(fault_of(changed, strlen(changed)), "a run is there twice");
	free(text);
	free(changed);
}

static void test_node_that_is_there_twice_is_refused(void **state)
{
	struct recording *recording = made_new();
	char *text, *at;

	(void)state;
	made_root(recording);
	recording_node(recording, 0, NODE_START_thread, 0, "/bin/prog", "e1");
	recording_node(recording, 0, NODE_START_thread, 0, "/bin/prog", "e2");
	text = made_text(recording);
	assert_string_equal(fault_of(text, strlen(text)), "nothing");
	at = strstr(text, "\"e2\"");
	at[2] = '1';
	assert_string_equal(fault_of(text, strlen(text)), "a node is there twice");
	free(text);
	recording_free(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_rendered_is_read_as_it_was),
		cmocka_unit_test(test_every_field_is_read),
		cmocka_unit_test(test_large_numbers_are_kept),
		cmocka_unit_test(test_what_is_not_known_is_passed_over),
		cmocka_unit_test(test_name_of_a_newer_call_is_passed_over),
		cmocka_unit_test(test_other_documents_are_named),
		cmocka_unit_test(test_cut_document_is_refused),
		cmocka_unit_test(test_wrong_facts_are_refused),
		cmocka_unit_test(test_wrong_phases_are_refused),
		cmocka_unit_test(test_wrong_nodes_are_refused),
		cmocka_unit_test(test_wrong_calls_are_refused),
		cmocka_unit_test(test_wrong_runs_are_refused),
		cmocka_unit_test(test_wrong_times_are_refused),
		cmocka_unit_test(test_extreme_times_are_kept),
		cmocka_unit_test(test_run_that_is_there_twice_is_refused),
		cmocka_unit_test(test_node_that_is_there_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
