/* SPDX-License-Identifier: MIT */
/*
 * The kernel side, without the command around it: probes of both kinds, and what becomes of one run
 * in the next.
 */
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

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "syscalls/record_object.h"
#include "syscalls/record_tree.h"
#include "lib/spawn.h"

static int begin(void **state)
{
	(void)state;
	return 0;
}

/* Ends the test where the kernel side cannot be loaded. */
static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("BPF needs root\n");
		skip();
	}
}

static int ignore(void *ctx, void *bytes, size_t size)
{
	(void)ctx;
	(void)bytes;
	(void)size;
	return 0;
}

static void open_record(struct record_object *record, const struct points *points, bool is_single)
{
	const struct record_setup setup = {
		.points = points,
		.is_single = is_single,
		.on_told = ignore,
	};
	int err = record_object_open(record, &setup);

	if (err)
		fail_msg("%s", strerror(-err));
}

/* Runs true(1) once and enters what it did. */
static void run(struct record_object *record, struct recording *recording,
		struct recording_run *ret_run)
{
	char *const argv[] = { (char *)"true", NULL };
	struct spawned spawned;
	struct pollfd ended;
	int status;

	*ret_run = (struct recording_run){ 0 };
	assert_int_equal(record_object_begin(record), 0);
	assert_int_equal(spawn(&spawned, argv, NULL, NULL), 0);
	assert_int_equal(record_object_arm(record, spawned.pidfd), 0);
	assert_int_equal(spawn_release(&spawned, &status), 0);
	ended = (struct pollfd){ .fd = spawned.pidfd, .events = POLLIN };
	assert_int_equal(poll(&ended, 1, -1), 1);
	assert_int_equal(spawn_reap(&spawned, &status), 0);
	spawn_close(&spawned);
	assert_int_equal(record->state->nr_alive, 0);
	assert_int_equal(
		record_tree_export(&record->fds, record->state, record->nodes, recording, ret_run),
		0);
	assert_int_equal(record_object_missed(record), 0);
	assert_int_equal(ret_run->lost, 0);
}

static uint64_t count_all(const struct recording *recording)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < recording->nr_nodes; i++)
		for (size_t k = 0; k < recording->nodes[i].nr_calls; k++)
			nr += recording->nodes[i].calls[k].count;
	return nr;
}

static void check_probe(bool is_single)
{
	struct recording *recording;
	struct record_object record;
	struct recording_run result;
	struct points points = { 0 };
	char what[POINT_WHAT_SIZE];

	/* What every program calls when main() has returned. */
	if (points_add(&points, "libc.so.6:exit", "/proc/self/exe", what))
		fail_msg("%s", what);
	open_record(&record, &points, is_single);
	assert_int_equal(recording_new(&recording), 0);
	assert_int_equal(recording_add_phase(recording, "exit"), 1);
	run(&record, recording, &result);
	assert_int_equal(recording->phases[1].nr_hits, 1);
	assert_int_equal(recording->nr_nodes, 2);
	assert_int_equal(recording->nodes[1].start, NODE_START_phase);
	/* exit_group at least. */
	assert_true(recording->nodes[1].nr_calls >= 1);
	assert_true(recording->nodes[0].nr_calls > 5);
	recording_free(recording);
	record_object_close(&record);
	record_object_close(&record);
	points_free(&points);
}

static void test_a_probe_by_a_link_for_many(void **state)
{
	(void)state;
	need_root();
	check_probe(false);
}

static void test_a_probe_by_a_link_of_its_own(void **state)
{
	(void)state;
	need_root();
	check_probe(true);
}

static void test_a_run_knows_nothing_of_the_one_before(void **state)
{
	struct record_object record;
	struct points points = { 0 };
	uint64_t first = 0;

	(void)state;
	need_root();
	open_record(&record, &points, false);
	for (int i = 0; i < 3; i++) {
		struct recording *recording;
		struct recording_run result;

		assert_int_equal(recording_new(&recording), 0);
		run(&record, recording, &result);
		assert_int_equal(recording->nr_nodes, 1);
		assert_int_equal(recording->nodes[0].nr_instances, 1);
		assert_string_equal(strrchr(recording->nodes[0].exe, '/'), "/true");
		first = first ? first : count_all(recording);
		assert_true(first > 10);
		assert_int_equal(count_all(recording), first);
		recording_free(recording);
	}
	record_object_close(&record);
}

/* A run that was counted is not told of as one that made no calls. */
static void test_counters_that_cannot_be_read_are_an_error(void **state)
{
	static const enum record_fd unread[] = { RECORD_FD_counts, RECORD_FD_files };
	struct recording *recording;
	struct record_object record;
	struct recording_run result;
	struct points points = { 0 };

	(void)state;
	need_root();
	open_record(&record, &points, false);
	assert_int_equal(recording_new(&recording), 0);
	run(&record, recording, &result);
	recording_free(recording);
	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++) {
		struct record_fds fds = record.fds;

		fds.fd[unread[i]] = -1;
		assert_int_equal(recording_new(&recording), 0);
		assert_int_equal(
			record_tree_export(&fds, record.state, record.nodes, recording, &result),
			-EBADF);
		recording_free(recording);
	}
	record_object_close(&record);
}

static void test_a_process_that_waits_for_nothing_is_killed(void **state)
{
	char *const argv[] = { (char *)"sleep", (char *)"1000", NULL };
	struct record_object record;
	struct points points = { 0 };
	struct spawned spawned;
	struct pollfd ended;
	int status;

	(void)state;
	need_root();
	open_record(&record, &points, false);
	assert_int_equal(record_object_begin(&record), 0);
	assert_int_equal(spawn(&spawned, argv, NULL, NULL), 0);
	assert_int_equal(record_object_arm(&record, spawned.pidfd), 0);
	assert_int_equal(spawn_release(&spawned, &status), 0);
	assert_int_equal(record_tree_kill(&record.fds, record.state), 0);
	ended = (struct pollfd){ .fd = spawned.pidfd, .events = POLLIN };
	assert_int_equal(poll(&ended, 1, -1), 1);
	assert_int_equal(spawn_reap(&spawned, &status), 0);
	assert_int_equal(status & 0x7f, 9);
	spawn_close(&spawned);
	record_object_close(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_probe_by_a_link_for_many),
		cmocka_unit_test(test_a_probe_by_a_link_of_its_own),
		cmocka_unit_test(test_a_run_knows_nothing_of_the_one_before),
		cmocka_unit_test(test_counters_that_cannot_be_read_are_an_error),
		cmocka_unit_test(test_a_process_that_waits_for_nothing_is_killed),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
