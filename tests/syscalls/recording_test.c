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

#include "syscalls/made_recording.h"
#include "syscalls/recording_private.h"

static int node_of(struct recording *recording, uint32_t parent, enum node_start start,
		   const char *entry)
{
	int node = recording_node(recording, parent, start, 0, "/bin/prog", entry);

	assert_true(node >= 0);
	return node;
}

static void test_new_recording_has_phase_0_alone(void **state)
{
	struct recording *recording = NULL;

	(void)state;
	assert_int_equal(recording_new(&recording), 0);
	assert_int_equal(recording->nr_phases, 1);
	assert_null(recording->phases[0].point);
	assert_int_equal(recording->nr_nodes, 0);
	assert_int_equal(recording->nr_runs, 0);
	recording_free(recording);
	recording_free(NULL);
}

static void test_same_identity_is_the_same_node(void **state)
{
	struct recording *recording = made_new();
	char exe[] = "/bin/prog";
	int root = recording_node(recording, RECORDING_NONE, NODE_START_command, 0, exe, NULL);
	int thread = node_of(recording, (uint32_t)root, NODE_START_thread, "/bin/prog+0x10");

	(void)state;
	/* what was given may be gone */
	exe[0] = 'x';
	assert_string_equal(recording->nodes[root].exe, "/bin/prog");
	assert_int_equal(recording->nodes[root].parent, RECORDING_NONE);
	assert_int_equal(made_root(recording), root);
	assert_int_equal(node_of(recording, (uint32_t)root, NODE_START_thread, "/bin/prog+0x10"),
			 thread);
	assert_int_equal(recording->nr_nodes, 2);
	recording_free(recording);
}

static void test_each_part_of_the_identity_counts(void **state)
{
	struct recording *recording = made_new();
	uint32_t root = (uint32_t)made_root(recording);
	int first = node_of(recording, root, NODE_START_fork, NULL);

	(void)state;
	assert_int_equal(recording_add_phase(recording, "p"), 1);
	assert_int_not_equal(node_of(recording, root, NODE_START_vfork, NULL), first);
	assert_int_not_equal(node_of(recording, root, NODE_START_fork, ""), first);
	assert_int_not_equal(node_of(recording, (uint32_t)first, NODE_START_fork, NULL), first);
	assert_int_not_equal(recording_node(recording, root, NODE_START_fork, 1, "/bin/prog", NULL),
			     first);
	assert_int_not_equal(recording_node(recording, root, NODE_START_fork, 0, "/bin/pro", NULL),
			     first);
	assert_int_equal(node_of(recording, root, NODE_START_fork, NULL), first);
	assert_int_equal(recording->nr_nodes, 7);
	recording_free(recording);
}

static void test_nodes_are_refused_that_cannot_be(void **state)
{
	struct recording *recording = made_new();

	(void)state;
	assert_int_equal(recording_node(recording, 0, NODE_START_fork, 0, "/x", NULL), -EINVAL);
	made_root(recording);
	assert_int_equal(recording_node(recording, 0, NODE_START_fork, 1, "/x", NULL), -EINVAL);
	assert_int_equal(recording_node(recording, 1, NODE_START_fork, 0, "/x", NULL), -EINVAL);
	assert_int_equal(recording_node(recording, 0, NR_NODE_STARTS, 0, "/x", NULL), -EINVAL);
	assert_int_equal(recording->nr_nodes, 1);
	recording_free(recording);
}

static void test_nodes_have_a_maximum(void **state)
{
	struct recording *recording = made_new();
	char entry[32];

	(void)state;
	made_root(recording);
	for (unsigned int i = 1; i < RECORDING_NODES_MAX; i++) {
		snprintf(entry, sizeof(entry), "/bin/prog+0x%x", i);
		assert_int_equal(node_of(recording, 0, NODE_START_thread, entry), i);
	}
	assert_int_equal(recording_node(recording, 0, NODE_START_thread, 0, "/bin/prog", "more"),
			 -E2BIG);
	/* all of them are still found */
	for (unsigned int i = 1; i < RECORDING_NODES_MAX; i++) {
		snprintf(entry, sizeof(entry), "/bin/prog+0x%x", i);
		assert_int_equal(node_of(recording, 0, NODE_START_thread, entry), i);
	}
	recording_free(recording);
}

static void test_text_is_kept_as_utf8(void **state)
{
	struct recording *recording = made_new();
	uint32_t root = (uint32_t)made_root(recording);
	int node = recording_node(recording, root, NODE_START_exec, 0, "/\xff/\xc3\xa9\xc3", NULL);

	(void)state;
	assert_string_equal(recording->nodes[node].exe, "/\xef\xbf\xbd/\xc3\xa9\xef\xbf\xbd");
	assert_int_equal(
		recording_node(recording, root, NODE_START_exec, 0, "/\xff/\xc3\xa9\xc3", NULL),
		node);
	assert_string_equal(recording_text(recording, "ab\0cd", 5), "ab");
	assert_string_equal(recording_text(recording, "abcd", 2), "ab");
	assert_string_equal(recording_text(recording, "", 0), "");
	recording_free(recording);
}

static void test_phases_have_a_maximum(void **state)
{
	struct recording *recording = made_new();

	(void)state;
	for (int i = 1; i < RECORDING_PHASES_MAX; i++)
		assert_int_equal(recording_add_phase(recording, "p"), i);
	assert_int_equal(recording_add_phase(recording, "p"), -E2BIG);
	recording_free(recording);
}

static void test_calls_are_sorted_and_summed(void **state)
{
	static const uint32_t order[] = { 5, 1, 1023, 0, 5, 7, 5 };
	struct recording *recording = made_new();
	int root = made_root(recording);
	struct recording_call call = { .count = 2, .errors = 1, .first_seen_ns = 50, .nr_runs = 9 };
	const struct recording_node *node;

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		call.nr = order[i];
		call.arch = SYSCALL_ARCH_i386;
		call.first_seen_ns--;
		assert_int_equal(recording_add(recording, (uint32_t)root, &call), 0);
	}
	call.nr = 5;
	call.arch = SYSCALL_ARCH_x86_64;
	assert_int_equal(recording_add(recording, (uint32_t)root, &call), 0);
	node = &recording->nodes[root];
	assert_int_equal(node->nr_calls, 6);
	assert_int_equal(recording->nr_calls, 6);
	assert_int_equal(node->calls[0].arch, SYSCALL_ARCH_x86_64);
	for (size_t i = 2; i < node->nr_calls; i++)
		assert_true(node->calls[i - 1].nr < node->calls[i].nr);
	assert_int_equal(node->calls[3].nr, 5);
	assert_int_equal(node->calls[3].count, 6);
	assert_int_equal(node->calls[3].errors, 3);
	assert_int_equal(node->calls[3].first_seen_ns, 43);
	/* that is for recording_add_run() */
	assert_int_equal(node->calls[3].nr_runs, 0);
	recording_free(recording);
}

static void test_sums_stay_at_the_maximum(void **state)
{
	struct recording *recording = made_new();
	int root = made_root(recording);

	(void)state;
	made_call(recording, root, 1, UINT64_MAX - 1, UINT64_MAX - 2);
	made_call(recording, root, 1, 5, 5);
	assert_true(recording->nodes[root].calls[0].count == UINT64_MAX);
	assert_true(recording->nodes[root].calls[0].errors == UINT64_MAX);
	recording_free(recording);
}

static void test_calls_are_refused_that_cannot_be(void **state)
{
	struct recording *recording = made_new();
	uint32_t root = (uint32_t)made_root(recording);
	struct recording_call call = { .nr = SYSCALLS_MAX, .count = 1 };

	(void)state;
	assert_int_equal(recording_add(recording, root, &call), -EINVAL);
	call.nr = 1;
	call.arch = NR_SYSCALL_ARCHES;
	assert_int_equal(recording_add(recording, root, &call), -EINVAL);
	call.arch = 0;
	assert_int_equal(recording_add(recording, root + 1, &call), -EINVAL);
	call.count = 0;
	assert_int_equal(recording_add(recording, root, &call), 0);
	assert_int_equal(recording->nr_calls, 0);
	recording_free(recording);
}

static void test_calls_have_a_maximum(void **state)
{
	struct recording *recording = made_new();
	struct recording_call call = { .nr = 0, .count = 1 };
	char entry[32];

	(void)state;
	made_root(recording);
	for (unsigned int i = 0; i < RECORDING_CALLS_MAX / SYSCALLS_MAX; i++) {
		int node;

		snprintf(entry, sizeof(entry), "%u", i);
		node = node_of(recording, 0, NODE_START_thread, entry);
		for (call.nr = 0; call.nr < SYSCALLS_MAX; call.nr++)
			assert_int_equal(recording_add(recording, (uint32_t)node, &call), 0);
	}
	call.nr = 0;
	assert_int_equal(recording_add(recording, 0, &call), -E2BIG);
	assert_int_equal(recording_add(recording, 1, &call), 0);
	recording_free(recording);
}

/* However the tree was made: parents first, siblings by phase, start, exe, entry. */
static void test_order_is_that_of_the_identities(void **state)
{
	static const char *const expected[] = { NULL, "b", "a", "c", "x", "a" };
	struct recording *recording = made_new();
	uint32_t root = (uint32_t)made_root(recording), order[6];
	int fork_x, thread_b;

	(void)state;
	fork_x = node_of(recording, root, NODE_START_thread, "x");
	node_of(recording, (uint32_t)fork_x, NODE_START_fork, "a");
	thread_b = node_of(recording, root, NODE_START_fork, "b");
	node_of(recording, (uint32_t)thread_b, NODE_START_thread, "c");
	node_of(recording, (uint32_t)thread_b, NODE_START_thread, "a");
	assert_int_equal(recording_order(recording, order), 0);
	for (size_t i = 0; i < 6; i++) {
		const char *entry = recording->nodes[order[i]].entry;

		assert_string_equal(entry ? entry : "", expected[i] ? expected[i] : "");
	}
	recording_free(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_recording_has_phase_0_alone),
		cmocka_unit_test(test_same_identity_is_the_same_node),
		cmocka_unit_test(test_each_part_of_the_identity_counts),
		cmocka_unit_test(test_nodes_are_refused_that_cannot_be),
		cmocka_unit_test(test_nodes_have_a_maximum),
		cmocka_unit_test(test_text_is_kept_as_utf8),
		cmocka_unit_test(test_phases_have_a_maximum),
		cmocka_unit_test(test_calls_are_sorted_and_summed),
		cmocka_unit_test(test_sums_stay_at_the_maximum),
		cmocka_unit_test(test_calls_are_refused_that_cannot_be),
		cmocka_unit_test(test_calls_have_a_maximum),
		cmocka_unit_test(test_order_is_that_of_the_identities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
