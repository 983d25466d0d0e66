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

#include <sys/resource.h>

#include "syscalls/ledger.h"
#include "syscalls/made_recording.h"
#include "syscalls/serving.h"

#define NATIVE syscall_arch_native()

static struct ledger ledger;

static int begin(void **state)
{
	(void)state;
	return ledger_init(&ledger);
}

static int end(void **state)
{
	(void)state;
	ledger_done(&ledger);
	return 0;
}

static uint32_t enter(uint32_t parent, enum node_start start, uint32_t phase, const char *entry)
{
	return ledger_enter(&ledger, parent, start, phase, "/bin/prog", entry);
}

/* What LEDGER says, in a recording with the points P1, P2..., which may be NULL. */
static struct recording *exported(const char *p1, const char *p2, struct recording_run *run)
{
	struct recording *recording = made_new();

	if (p1)
		assert_true(recording_add_phase(recording, p1) > 0);
	if (p2)
		assert_true(recording_add_phase(recording, p2) > 0);
	*run = made_run(1);
	run->lost = run->nr_io_uring = 0;
	assert_int_equal(ledger_export(&ledger, recording, run), 0);
	return recording;
}

static void test_who_is_alike_is_one_node(void **state)
{
	uint32_t root = enter(LEDGER_NONE, NODE_START_command, 0, NULL);
	uint32_t child = enter(root, NODE_START_fork, 0, NULL);

	(void)state;
	assert_int_equal(enter(root, NODE_START_fork, 0, NULL), child);
	assert_int_not_equal(enter(root, NODE_START_vfork, 0, NULL), child);
	assert_int_not_equal(enter(root, NODE_START_fork, 1, NULL), child);
	assert_int_not_equal(enter(root, NODE_START_fork, 0, "/lib/x+0x10"), child);
	assert_int_not_equal(enter(child, NODE_START_fork, 0, NULL), child);
	assert_int_not_equal(ledger_enter(&ledger, root, NODE_START_fork, 0, "/bin/other", NULL),
			     child);
	assert_string_equal(ledger_exe(&ledger, child), "/bin/prog");
	assert_int_equal(ledger.nr_nodes, 7);
}

static void test_beyond_its_nodes_it_counts_in_the_parent(void **state)
{
	uint32_t node = enter(LEDGER_NONE, NODE_START_command, 0, NULL);

	(void)state;
	for (uint32_t i = 1; i < RECORDING_NODES_MAX; i++)
		node = enter(node, NODE_START_fork, 0, NULL);
	assert_int_equal(ledger.nr_nodes, RECORDING_NODES_MAX);
	assert_int_equal(enter(node, NODE_START_fork, 0, NULL), node);
	assert_int_equal(enter(5, NODE_START_vfork, 0, NULL), 5);
	assert_int_equal(ledger.nr_nodes, RECORDING_NODES_MAX);
}

/* More calls than it begins with room for. */
static void test_every_call_is_counted_where_it_was_made(void **state)
{
	uint32_t root = enter(LEDGER_NONE, NODE_START_command, 0, NULL);
	uint32_t child = enter(root, NODE_START_fork, 0, NULL);
	struct recording *recording;
	struct recording_run run;

	(void)state;
	for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++)
		for (uint32_t i = 0; i <= nr % 3; i++) {
			ledger_count(&ledger, root, SYSCALL_ARCH_x86_64, nr, 1000 + nr + i);
			ledger_count(&ledger, child, SYSCALL_ARCH_i386, nr, 5000);
		}
	ledger_fail(&ledger, root, SYSCALL_ARCH_x86_64, 2);
	/* one that was never made */
	ledger_fail(&ledger, root, SYSCALL_ARCH_arm64, 2);
	recording = exported(NULL, NULL, &run);
	assert_int_equal(recording->nr_nodes, 2);
	assert_int_equal(recording->nodes[0].nr_calls, SYSCALLS_MAX);
	assert_int_equal(recording->nodes[1].nr_calls, SYSCALLS_MAX);
	for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++) {
		const struct recording_call *call = &recording->nodes[0].calls[nr];

		assert_int_equal(call->nr, nr);
		assert_int_equal(call->arch, SYSCALL_ARCH_x86_64);
		assert_int_equal(call->count, nr % 3 + 1);
		assert_int_equal(call->errors, nr == 2);
		assert_int_equal(call->first_seen_ns, 1000 + nr);
		assert_int_equal(recording->nodes[1].calls[nr].arch, SYSCALL_ARCH_i386);
	}
	assert_int_equal(run.lost, 0);
	/* io_uring_enter, number 426, of both */
	assert_int_equal(run.nr_io_uring, 2);
	recording_free(recording);
}

static void test_what_is_lost_is_told(void **state)
{
	struct recording_run run;

	(void)state;
	enter(LEDGER_NONE, NODE_START_command, 0, NULL);
	ledger.lost = 3;
	recording_free(exported(NULL, NULL, &run));
	assert_int_equal(run.lost, 3);
}

static void test_phases_are_those_of_the_points(void **state)
{
	uint32_t root = enter(LEDGER_NONE, NODE_START_command, 0, NULL);
	uint32_t second = ledger_enter_phase(&ledger, root, LEDGER_PHASE(1));
	struct recording *recording;
	struct recording_run run;

	(void)state;
	ledger.hits[0] = 4;
	ledger.hits[1] = 7;
	ledger_count(&ledger, second, NATIVE, 0, 1);
	recording = exported("first", "second", &run);
	assert_int_equal(recording->nr_nodes, 2);
	assert_int_equal(recording->nodes[1].phase, 2);
	assert_int_equal(recording->nodes[1].start, NODE_START_phase);
	assert_int_equal(recording->nodes[1].parent, 0);
	assert_int_equal(recording->phases[1].nr_hits, 4);
	assert_int_equal(recording->phases[2].nr_hits, 7);
	recording_free(recording);
}

/* A run in which NR_WAITS calls of a process, without listening, were made in the place of `auto`.
 */
static struct recording *waited(uint64_t nr_waits, uint64_t nr_hits)
{
	uint32_t root = enter(LEDGER_NONE, NODE_START_command, 0, NULL);
	uint32_t waiting = ledger_enter_phase(&ledger, root, LEDGER_TENTATIVE(0));
	int nr = syscall_number(NATIVE, "ppoll");
	struct recording_run run;

	for (uint64_t i = 0; i < nr_waits; i++)
		ledger_count(&ledger, waiting, NATIVE, (uint32_t)nr, i);
	ledger.nr_tentative = 1;
	ledger.hits[0] = nr_hits;
	ledger.wait[0] = (struct ledger_wait){ .is_there = true, .nr = (uint32_t)nr };
	return exported("auto", NULL, &run);
}

static void test_auto_is_where_processes_wait_again_and_again(void **state)
{
	struct recording *recording = waited(SERVING_MIN, 0);

	(void)state;
	assert_int_equal(recording->nr_nodes, 2);
	assert_int_equal(recording->nodes[1].phase, 1);
	assert_int_equal(recording->phases[1].nr_hits, 1);
	assert_non_null(recording->phases[1].reason);
	recording_free(recording);
}

static void test_auto_is_not_where_one_waits_now_and_then(void **state)
{
	struct recording *recording = waited(SERVING_MIN - 1, 0);

	(void)state;
	assert_int_equal(recording->nr_nodes, 1);
	assert_int_equal(recording->nodes[0].nr_calls, 1);
	assert_int_equal(recording->phases[1].nr_hits, 0);
	assert_null(recording->phases[1].reason);
	recording_free(recording);
}

static void test_auto_is_not_there_where_one_listens(void **state)
{
	struct recording *recording = waited(100, 1);

	(void)state;
	assert_int_equal(recording->nr_nodes, 1);
	assert_int_equal(recording->phases[1].nr_hits, 1);
	recording_free(recording);
}

/* Threads and executions come by the million: each asks for the same few texts again. */
static void test_texts_are_kept_once_and_bounded(void **state)
{
	const char *first = ledger_text(&ledger, "/usr/bin/program");
	size_t nr_kept = 0;
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "/usr/bin/%s", "program");
	assert_ptr_equal(ledger_text(&ledger, text), first);
	assert_string_equal(first, "/usr/bin/program");
	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "/usr/bin/%d", i);
		nr_kept += *ledger_text(&ledger, text) != '\0';
	}
	assert_true(nr_kept >= RECORDING_NODES_MAX && nr_kept <= 2 * RECORDING_NODES_MAX);
	assert_ptr_equal(ledger_text(&ledger, "/usr/bin/program"), first);
}

#ifndef __SANITIZE_ADDRESS__
/* Without memory for a name it is no recording, rather than one of a program without a name. */
static void test_a_text_without_memory_is_an_error(void **state)
{
	static char text[16U << 20];
	struct recording *recording = made_new();
	struct recording_run run = made_run(1);
	struct rlimit limit;
	const char *kept;
	rlim_t before;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = 1; /* what there is stays */
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	kept = ledger_text(&ledger, text);
	limit.rlim_cur = before;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	assert_string_equal(kept, "");
	assert_int_equal(ledger_export(&ledger, recording, &run), -ENOMEM);
	recording_free(recording);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_is_alike_is_one_node),
		TEST(test_beyond_its_nodes_it_counts_in_the_parent),
		TEST(test_every_call_is_counted_where_it_was_made),
		TEST(test_what_is_lost_is_told),
		TEST(test_phases_are_those_of_the_points),
		TEST(test_auto_is_where_processes_wait_again_and_again),
		TEST(test_auto_is_not_where_one_waits_now_and_then),
		TEST(test_auto_is_not_there_where_one_listens),
		TEST(test_texts_are_kept_once_and_bounded),
#ifndef __SANITIZE_ADDRESS__
		TEST(test_a_text_without_memory_is_an_error),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
