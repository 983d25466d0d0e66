/* SPDX-License-Identifier: MIT */
/* From records of the tap to events, with the connections of real programs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replayed.h"

#define SECOND_NS 1000000000ULL

static size_t nr_checked;

static void check_recording(const char *name, struct recording *recording)
{
	for (int i = 0; i < 4; i++) {
		bool is_server = i & 1;
		const char *text;

		begin(false);
		talk_begin(77, is_server, i & 2 ? 100 : SIZE_MAX);
		replay(recording, false);
		text = the_event(name);
		expect(name, text, "role", is_server ? "server" : "client");
		expect_facts(name, text, recording);
		expect_forgotten();
		assert_int_equal(decided.cookies[77], 77);
		end();
		nr_checked++;
	}
}

static void test_recordings_are_told_as_their_programs_saw_them(void **state)
{
	size_t nr;

	(void)state;
	nr_checked = 0;
	nr = streams_each(check_recording);
	assert_true(nr >= 40);
	assert_int_equal(nr_checked, 4 * nr);
}

static void test_process_that_is_not_selected_is_not_told(void **state)
{
	struct recording *recording = recording_read("tls13");

	(void)state;
	begin(true);
	talk_begin(77, true, SIZE_MAX);
	replay(recording, false);
	the_event("selected");
	end();
	begin(true);
	processes_remove(scene.pipeline.processes, processes_find(scene.pipeline.processes, OWNER));
	talk_begin(77, true, SIZE_MAX);
	replay(recording, false);
	expect_nothing("not selected");
	assert_int_equal(tap.nr_made[SOURCE_tls_handshake], 0);
	assert_int_equal(tap.nr_unowned, 0);
	expect_forgotten();
	end();
	free(recording);
}

/* Another process of that pid, made later, is not meant. */
static void test_pid_alone_selects_nobody(void **state)
{
	struct recording *recording = recording_read("tls13");
	struct processes *processes;

	(void)state;
	begin(true);
	processes = scene.pipeline.processes;
	processes_remove(processes, processes_find(processes, OWNER));
	assert_non_null(processes_add(processes, OWNER, OWNER_NS + 1));
	talk_begin(77, true, SIZE_MAX);
	replay(recording, false);
	expect_nothing("another process");
	end();
	free(recording);
}

/* What is not known of it is left out; no user 0, no parent 0. */
static void test_process_that_is_not_known_has_its_pid_only(void **state)
{
	struct recording *recording = recording_read("tls13");
	const char *text;

	(void)state;
	begin(false);
	processes_remove(scene.pipeline.processes, processes_find(scene.pipeline.processes, OWNER));
	talk_begin(77, true, SIZE_MAX);
	replay(recording, false);
	text = the_event("not known");
	expect("not known", text, "pid", "100");
	expect("not known", text, "process", "");
	expect("not known", text, "uid", NULL);
	expect("not known", text, "ppid", NULL);
	expect("not known", text, "outcome", "established");
	assert_int_equal(tap.nr_unowned, 0);
	assert_int_equal(processes_count(scene.pipeline.processes), 0);
	end();
	free(recording);
}

/* The gap called WHAT of COVERAGE, or -1. */
static long gap_of(const struct coverage *coverage, const char *what, const char *why)
{
	const struct coverage_gap *gaps = coverage->not_seen.items;

	for (size_t i = 0; i < coverage->not_seen.count; i++)
		if (strcmp(gaps[i].what, what) == 0 && strcmp(gaps[i].why, why) == 0)
			return (long)gaps[i].count;
	return -1;
}

static struct coverage covered(void)
{
	struct coverage coverage;

	coverage_init(&coverage, 0, true);
	tap_cover(&tap, &coverage);
	return coverage;
}

static void test_handshake_of_nobody_is_told_and_counted(void **state)
{
	struct recording *recording = recording_read("tls13");
	static struct raw raw;
	struct coverage coverage;
	const char *text;

	(void)state;
	begin(false);
	for (int i = 0; i < 2; i++) {
		struct tap_event *event = event_of(&raw, 5, TAP_SEGMENT);

		event->hdr.tgid = 0;
		event->owner_ns = 0;
		event->role = TAP_SERVER;
		event->is_received = i == FLOW_CLIENT;
		event->base = BASE;
		event->sequence = BASE;
		raw_tail(&raw, offsetof(struct tap_event, payload), recording->bytes[i],
			 recording->size[i]);
		take(&raw);
	}
	text = the_event("nobody");
	expect("nobody", text, "pid", "0");
	expect("nobody", text, "process", "");
	expect("nobody", text, "uid", NULL);
	expect("nobody", text, "library", NULL);
	expect("nobody", text, "outcome", "established");
	coverage = covered();
	assert_int_equal(
		gap_of(&coverage, "the process of handshakes", "nobody had read from the socket"),
		1);
	end();
	free(recording);
}

static void add_worker(void)
{
	struct process *worker = processes_add(scene.pipeline.processes, 200, 2000);

	snprintf(worker->comm, sizeof(worker->comm), "worker");
}

static void test_owner_is_the_last_that_read(void **state)
{
	struct recording *recording = recording_read("tls13");
	size_t hello = recording->pieces[0].size;
	static struct raw raw;
	struct tap_event *event;
	const char *text;

	(void)state;
	begin(false);
	add_worker();
	send(9, true, true, 0, recording->bytes[0], hello);
	own(9, 200, 2000);
	event = event_of(&raw, 9, TAP_CLOSE);
	event->hdr.tgid = 200;
	event->owner_ns = 2000;
	take(&raw);
	text = the_event("closed");
	expect("closed", text, "outcome", "reset");
	expect("closed", text, "pid", "200");
	expect("closed", text, "process", "worker");
	end();
	free(recording);
}

/* Nobody but who has it now: the listener may not be selected, and the worker be. */
static void test_selection_is_of_who_has_it_in_the_end(void **state)
{
	struct recording *recording = recording_read("tls13");
	size_t hello = recording->pieces[0].size;

	(void)state;
	for (int is_worker = 0; is_worker < 2; is_worker++) {
		begin(true);
		add_worker();
		if (is_worker)
			processes_remove(scene.pipeline.processes,
					 processes_find(scene.pipeline.processes, OWNER));
		else
			processes_remove(scene.pipeline.processes,
					 processes_find(scene.pipeline.processes, 200));
		send(9, true, true, 0, recording->bytes[0], hello);
		own(9, 200, 2000);
		finish();
		if (is_worker)
			expect("worker", the_event("worker"), "process", "worker");
		else
			expect_nothing("listener");
		end();
	}
	free(recording);
}

static void test_first_segment_may_come_before_its_socket(void **state)
{
	struct recording *recording = recording_read("tls13");
	size_t hello = recording->pieces[0].size;
	const char *text;

	(void)state;
	begin(false);
	send_with(TAP_AT_LISTENER | TAP_IS_LISTENERS, 0, true, true, 0, recording->bytes[0], hello);
	assert_int_equal(tap_connections_count(tap.connections), 1);
	send(9, true, false, 0, recording->bytes[1], recording->size[1]);
	send(9, true, true, (uint32_t)hello, recording->bytes[0] + hello,
	     recording->size[0] - hello);
	text = the_event("early");
	expect("early", text, "outcome", "established");
	expect_forgotten();
	end();
	free(recording);
}

static void test_records_behind_a_decision_make_no_second_event(void **state)
{
	struct recording *recording = recording_read("tls13");

	(void)state;
	begin(false);
	talk_begin(77, true, SIZE_MAX);
	replay(recording, false);
	send(77, true, true, 0, recording->bytes[0], recording->size[0]);
	own(77, 200, 2000);
	close_it(77);
	the_event("decided");
	expect_forgotten();
	end();
	free(recording);
}

/* A socket that takes the slot of another's decision is told like any. */
static void test_connections_of_one_slot_are_told_each(void **state)
{
	struct recording *recording = recording_read("tls13");
	const char *text;

	(void)state;
	begin(false);
	for (uint64_t i = 1; i <= 3; i++) {
		talk_begin(77 + i * TAP_DECIDED_MAX, true, SIZE_MAX);
		replay(recording, false);
		assert_int_equal(decided.cookies[77], 77 + i * TAP_DECIDED_MAX);
	}
	text = scene_text(&scene);
	assert_int_equal(parsed_count(text, strlen(text)), 3);
	end();
	free(recording);
}

static void test_what_takes_too_long_is_told_as_it_is(void **state)
{
	struct recording *recording = recording_read("tls13");
	const char *text;

	(void)state;
	begin(false);
	send(5, true, true, 0, recording->bytes[0], recording->pieces[0].size);
	send(6, true, true, 0, recording->bytes[0], 5);
	assert_int_equal(tap_tick(&tap, now_ns + 29 * SECOND_NS), 0);
	expect_nothing("in time");
	assert_int_equal(tap_tick(&tap, now_ns + 31 * SECOND_NS), 0);
	text = the_event("overdue");
	expect("overdue", text, "outcome", "incomplete");
	expect("overdue", text, "server_name", "localhost");
	expect("overdue", text, "version", NULL);
	expect("overdue", text, "not_known.group", "no ServerHello was seen");
	/* Time that passed with nothing happening is not the handshake's. */
	expect("overdue", text, "duration_us", "0");
	/* The other one may have become anything. */
	assert_int_equal(tap_connections_counts(tap.connections)->overdue, 1);
	expect_forgotten();
	end();
	free(recording);
}

/* What is known of it is told; of the others, which are no hellos yet, nothing is. */
static void test_oldest_is_given_up_beyond_the_budget(void **state)
{
	static uint8_t bytes[TAP_STREAM_MAX];
	struct recording *recording = recording_read("tls13");
	struct coverage coverage;
	uint64_t cookie = 1;

	(void)state;
	begin(false);
	send(cookie++, true, true, 0, recording->bytes[0], recording->pieces[0].size);
	/* The begin of a hello that offers nothing and goes on for 32 KiB. */
	memcpy(bytes, "\x16\x03\x01\x3f\x00\x01\x00\x7f\xfc\x03\x03", 11);
	while (cookie < 4000) {
		send(cookie++, true, true, 0, bytes, sizeof(bytes));
		assert_true(tap_connections_held(tap.connections) <=
			    TAP_BUDGET + 2 * TAP_STREAM_MAX);
	}
	assert_true(tap_connections_count(tap.connections) < 3000);
	expect("given up", the_event("given up"), "outcome", "incomplete");
	coverage = covered();
	assert_true(gap_of(&coverage, "handshakes",
			   "more connections at a time than there is room for") > 1000);
	end();
	free(recording);
}

/* Of others than the selected nothing is missing. */
static void test_what_is_not_selected_is_not_counted_as_missing(void **state)
{
	static const char greeting[] = "220 mx ESMTP\r\n";

	(void)state;
	for (int is_selected = 0; is_selected < 2; is_selected++) {
		struct processes *processes;

		begin(true);
		processes = scene.pipeline.processes;
		if (!is_selected)
			processes_remove(processes, processes_find(processes, OWNER));
		send(5, true, false, 0, greeting, sizeof(greeting) - 1);
		send_with(TAP_HAS_HOLE, 6, true, false, 0, greeting, sizeof(greeting) - 1);
		assert_int_equal(tap_tick(&tap, now_ns + 31 * SECOND_NS), 0);
		assert_int_equal(tap_connections_counts(tap.connections)->overdue, is_selected);
		assert_int_equal(tap_connections_counts(tap.connections)->holes, is_selected);
		expect_forgotten();
		end();
	}
}

static void test_limit_of_events_ends_it(void **state)
{
	struct recording *recording = recording_read("tls13");
	static struct raw raw;
	struct tap_event *event;

	(void)state;
	begin(false);
	scene.pipeline.max_events = 1;
	send(5, true, true, 0, recording->bytes[0], recording->pieces[0].size);
	send(6, true, true, 0, recording->bytes[0], recording->pieces[0].size);
	event = event_of(&raw, 5, TAP_CLOSE);
	raw_hdr(&raw)->size = (uint32_t)raw.size;
	assert_int_equal(event->cookie, 5);
	assert_int_equal(tap_record(&tap, raw.bytes, raw.size), -ECANCELED);
	assert_int_equal(tap_finish(&tap, now_ns), -ECANCELED);
	the_event("the only one");
	end();
	free(recording);
}

/* Of no field that others wrote is a byte read beyond the record. */
static void test_record_that_is_none_is_counted_and_passed_over(void **state)
{
	static struct raw raw;
	struct tap_event *event;

	(void)state;
	begin(false);
	event = event_of(&raw, 5, TAP_SEGMENT);
	event->payload = (struct tail){ .off = sizeof(*event), .size = 1 };
	take(&raw);
	assert_int_equal(scene.pipeline.fates[SOURCE_tap].malformed, 1);
	expect_forgotten();
	end();
}

static void test_control_group_that_is_not_the_root_is_a_gap(void **state)
{
	struct coverage coverage;

	(void)state;
	begin(false);
	coverage = covered();
	assert_int_equal(coverage.not_seen.count, 0);
	tap.is_whole = false;
	coverage = covered();
	assert_int_equal(coverage.not_seen.count, 1);
	end();
}

/* Where the kernel has no tap there is nothing to do, and nothing is missing. */
static void test_closed_tap_does_nothing(void **state)
{
	struct coverage coverage;

	(void)state;
	tap = (struct tap){ 0 };
	assert_int_equal(tap_tick(&tap, 1), 0);
	assert_int_equal(tap_finish(&tap, 1), 0);
	coverage = covered();
	assert_int_equal(coverage.not_seen.count, 0);
	tap_close(&tap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recordings_are_told_as_their_programs_saw_them),
		cmocka_unit_test(test_process_that_is_not_selected_is_not_told),
		cmocka_unit_test(test_pid_alone_selects_nobody),
		cmocka_unit_test(test_process_that_is_not_known_has_its_pid_only),
		cmocka_unit_test(test_handshake_of_nobody_is_told_and_counted),
		cmocka_unit_test(test_owner_is_the_last_that_read),
		cmocka_unit_test(test_selection_is_of_who_has_it_in_the_end),
		cmocka_unit_test(test_first_segment_may_come_before_its_socket),
		cmocka_unit_test(test_records_behind_a_decision_make_no_second_event),
		cmocka_unit_test(test_connections_of_one_slot_are_told_each),
		cmocka_unit_test(test_what_takes_too_long_is_told_as_it_is),
		cmocka_unit_test(test_oldest_is_given_up_beyond_the_budget),
		cmocka_unit_test(test_what_is_not_selected_is_not_counted_as_missing),
		cmocka_unit_test(test_limit_of_events_ends_it),
		cmocka_unit_test(test_record_that_is_none_is_counted_and_passed_over),
		cmocka_unit_test(test_control_group_that_is_not_the_root_is_a_gap),
		cmocka_unit_test(test_closed_tap_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
