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

#define NR_MERGED 5

static void merge(struct recording *into, struct recording *from)
{
	assert_int_equal(recording_merge(into, from), 0);
}

/* What the five are, merged in the order of PERMUTATION, one after the other. */
static char *merged_in_order(const unsigned int *permutation)
{
	struct recording *merged = made_random_run(1 + permutation[0]);
	char *text;

	for (unsigned int i = 1; i < NR_MERGED; i++) {
		struct recording *next = made_random_run(1 + permutation[i]);

		merge(merged, next);
		recording_free(next);
	}
	text = made_text(merged);
	recording_free(merged);
	return text;
}

static void swap(unsigned int *a, unsigned int *b)
{
	unsigned int kept = *a;

	*a = *b;
	*b = kept;
}

/* The next permutation in the order of the dictionary; false after the last. */
static bool next_permutation(unsigned int *at)
{
	int i = NR_MERGED - 2, k = NR_MERGED - 1;

	while (i >= 0 && at[i] > at[i + 1])
		i--;
	if (i < 0)
		return false;
	while (at[k] < at[i])
		k--;
	swap(&at[i], &at[k]);
	for (int low = i + 1, high = NR_MERGED - 1; low < high; low++, high--)
		swap(&at[low], &at[high]);
	return true;
}

static void test_every_order_gives_the_same_bytes(void **state)
{
	unsigned int permutation[NR_MERGED] = { 0, 1, 2, 3, 4 };
	char *expected = merged_in_order(permutation);
	size_t nr_orders = 1;

	(void)state;
	assert_true(strlen(expected) > 20000);
	while (next_permutation(permutation)) {
		char *text = merged_in_order(permutation);

		assert_string_equal(text, expected);
		free(text);
		nr_orders++;
	}
	assert_int_equal(nr_orders, 120);
	free(expected);
}

/* (a b) (c (d e)), by way of files, is the same as a b c d e. */
static void test_groups_give_the_same_bytes(void **state)
{
	const unsigned int permutation[NR_MERGED] = { 0, 1, 2, 3, 4 };
	struct recording *all[NR_MERGED];
	char *expected = merged_in_order(permutation), *left, *right, *text;
	struct recording *a, *b;

	(void)state;
	for (unsigned int i = 0; i < NR_MERGED; i++)
		all[i] = made_random_run(1 + i);
	merge(all[1], all[0]);
	merge(all[4], all[3]);
	merge(all[2], all[4]);
	left = made_text(all[1]);
	right = made_text(all[2]);
	a = made_parsed(left);
	b = made_parsed(right);
	merge(b, a);
	text = made_text(b);
	assert_string_equal(text, expected);
	for (unsigned int i = 0; i < NR_MERGED; i++)
		recording_free(all[i]);
	recording_free(a);
	recording_free(b);
	free(expected);
	free(left);
	free(right);
	free(text);
}

static void test_counts_are_summed_and_runs_counted(void **state)
{
	struct recording *into = MADE_OF(1, 5, 6), *from = MADE_OF(2, 6, 7);
	const struct recording_node *root;

	(void)state;
	merge(into, from);
	recording_free(from);
	assert_int_equal(into->nr_nodes, 1);
	root = &into->nodes[0];
	assert_int_equal(root->nr_instances, 2);
	assert_int_equal(root->nr_runs, 2);
	assert_int_equal(root->nr_calls, 3);
	assert_int_equal(root->calls[1].nr, 6);
	assert_int_equal(root->calls[1].count, 2);
	assert_int_equal(root->calls[1].nr_runs, 2);
	assert_int_equal(root->calls[2].nr_runs, 1);
	recording_free(into);
}

/* A run that is known in all it did is added in place, a group of them anew. */
static void test_one_by_one_and_in_groups_give_the_same_bytes(void **state)
{
	struct recording *singly = MADE_OF(1, 0, 1, 3), *groups = MADE_OF(1, 0, 1, 3);
	char *texts[2];

	(void)state;
	for (unsigned int id = 2; id < 100; id += 7) {
		struct recording *group = made_new();

		for (unsigned int i = id; i < id + 7; i++) {
			/* each tenth has something new */
			struct recording *one = i % 10 ? MADE_OF(i, 0, 3) : MADE_OF(i, 1, i);

			assert_int_equal(recording_merge(singly, one), 0);
			assert_int_equal(recording_merge(group, one), 0);
			assert_int_equal(recording_merge(singly, one), -EEXIST);
			recording_free(one);
		}
		assert_int_equal(recording_merge(groups, group), 0);
		recording_free(group);
	}
	assert_int_equal(singly->nr_runs, 99);
	texts[0] = made_text(singly);
	texts[1] = made_text(groups);
	assert_string_equal(texts[0], texts[1]);
	free(texts[0]);
	free(texts[1]);
	recording_free(singly);
	recording_free(groups);
}

static void test_children_follow_their_parents(void **state)
{
	struct recording *into = made_new(), *from = made_new();
	const struct recording_run runs[] = { made_run(1), made_run(2) };
	int root = made_root(into), child;

	(void)state;
	recording_node(into, (uint32_t)root, NODE_START_thread, 0, "/bin/prog", "other");
	recording_add_run(into, &runs[0], into);
	root = made_root(from);
	child = recording_node(from, (uint32_t)root, NODE_START_fork, 0, "/bin/prog", NULL);
	child = recording_node(from, (uint32_t)child, NODE_START_exec, 0, "/bin/sh", NULL);
	made_call(from, child, 9, 3, 1);
	recording_add_run(from, &runs[1], from);
	merge(into, from);
	assert_int_equal(into->nr_nodes, 4);
	assert_string_equal(into->nodes[3].exe, "/bin/sh");
	assert_int_equal(into->nodes[3].parent, 2);
	assert_int_equal(into->nodes[2].parent, 0);
	assert_int_equal(into->nodes[3].calls[0].count, 3);
	recording_free(into);
	recording_free(from);
}

static void test_what_they_disagree_on_is_mixed_or_gone(void **state)
{
	static const char *const words[] = { "prog", "-l" };
	struct recording *into = MADE_OF(1, 5), *from = MADE_OF(2, 5);

	(void)state;
	into->command = from->command = (const char **)words;
	into->nr_command = 1;
	from->nr_command = 2;
	from->engine = "ptrace";
	from->libc = NULL;
	into->build_id = "aa";
	from->build_id = "bb";
	memset(into->exe_sha256, 'a', 64);
	memset(from->exe_sha256, 'b', 64);
	merge(into, from);
	assert_string_equal(into->engine, "mixed");
	assert_string_equal(into->libc, "mixed");
	assert_string_equal(into->kernel, "6.1.0");
	assert_string_equal(into->exe, "/bin/prog");
	assert_null(into->build_id);
	assert_string_equal(into->exe_sha256, "");
	assert_int_equal(into->nr_command, 0);
	assert_true(into->is_mixed);
	recording_free(into);
	recording_free(from);
}

static void test_what_they_agree_on_stays(void **state)
{
	static const char *const words[] = { "prog", "-l" };
	struct recording *into = MADE_OF(1, 5), *from = MADE_OF(2, 5);

	(void)state;
	into->command = from->command = (const char **)words;
	into->nr_command = from->nr_command = 2;
	into->build_id = from->build_id = "aa";
	memset(into->exe_sha256, 'a', 64);
	memset(from->exe_sha256, 'a', 64);
	merge(into, from);
	recording_free(from);
	assert_false(into->is_mixed);
	assert_string_equal(into->build_id, "aa");
	assert_int_equal(strlen(into->exe_sha256), 64);
	assert_int_equal(into->nr_command, 2);
	assert_string_equal(into->command[1], "-l");
	recording_free(into);
}

static void test_other_phases_are_refused(void **state)
{
	struct recording *into = MADE_OF(1, 5), *from = MADE_OF(2, 5), *third = MADE_OF(3, 5);
	char *before, *after;

	(void)state;
	before = made_text(into);
	recording_add_phase(from, "aeMain");
	recording_add_phase(third, "main");
	assert_int_equal(recording_merge(into, from), -EXDEV);
	assert_int_equal(recording_merge(from, into), -EXDEV);
	assert_int_equal(recording_merge(third, from), -EXDEV);
	after = made_text(into);
	assert_string_equal(after, before);
	free(before);
	free(after);
	recording_free(into);
	recording_free(from);
	recording_free(third);
}

static void test_run_in_both_is_refused_and_nothing_changes(void **state)
{
	struct recording *into = MADE_OF(1, 5), *second = MADE_OF(2, 6), *from = MADE_OF(1, 7);
	char *before, *after;

	(void)state;
	merge(into, second);
	before = made_text(into);
	merge(second, from);
	assert_int_equal(recording_merge(into, second), -EEXIST);
	assert_int_equal(recording_merge(into, into), -EEXIST);
	after = made_text(into);
	assert_string_equal(after, before);
	free(before);
	free(after);
	recording_free(into);
	recording_free(second);
	recording_free(from);
}

static void test_too_much_is_refused_and_nothing_changes(void **state)
{
	struct recording *into = MADE_OF(1, 5), *from = MADE_OF(2, 5);
	char entry[32], *before, *after;

	(void)state;
	before = made_text(into);
	for (unsigned int i = 1; i < RECORDING_NODES_MAX; i++) {
		snprintf(entry, sizeof(entry), "%u", i);
		recording_node(from, 0, NODE_START_thread, 0, "/bin/prog", entry);
	}
	recording_node(into, 0, NODE_START_fork, 0, "/bin/prog", NULL);
	free(before);
	before = made_text(into);
	assert_int_equal(recording_merge(into, from), -E2BIG);
	after = made_text(into);
	assert_string_equal(after, before);
	free(before);
	free(after);
	recording_free(into);
	recording_free(from);
}

static void test_one_that_says_nothing_counts_for_nothing(void **state)
{
	struct recording *empty = made_new(), *from = made_random_run(1);
	char *before = made_text(from), *after;

	(void)state;
	empty->kernel = "other";
	merge(from, empty);
	after = made_text(from);
	assert_string_equal(after, before);
	free(after);
	merge(empty, from);
	after = made_text(empty);
	assert_string_equal(after, before);
	free(after);
	free(before);
	recording_free(empty);
	recording_free(from);
}

/* What is merged is a copy: the other one may be freed first. */
static void test_merged_one_stands_alone(void **state)
{
	struct recording *into = made_new(), *from = made_random_run(3);
	char *expected = made_text(from), *text;

	(void)state;
	merge(into, from);
	recording_free(from);
	text = made_text(into);
	assert_string_equal(text, expected);
	free(text);
	free(expected);
	recording_free(into);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order_gives_the_same_bytes),
		cmocka_unit_test(test_groups_give_the_same_bytes),
		cmocka_unit_test(test_counts_are_summed_and_runs_counted),
		cmocka_unit_test(test_children_follow_their_parents),
		cmocka_unit_test(test_what_they_disagree_on_is_mixed_or_gone),
		cmocka_unit_test(test_what_they_agree_on_stays),
		cmocka_unit_test(test_other_phases_are_refused),
		cmocka_unit_test(test_run_in_both_is_refused_and_nothing_changes),
		cmocka_unit_test(test_too_much_is_refused_and_nothing_changes),
		cmocka_unit_test(test_one_that_says_nothing_counts_for_nothing),
		cmocka_unit_test(test_merged_one_stands_alone),
		cmocka_unit_test(test_one_by_one_and_in_groups_give_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
