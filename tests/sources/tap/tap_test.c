/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sources/tap/tap.h"
#include "support/parsed.h"
#include "support/stage.h"

static struct tap_event *const event = (void *)raw.bytes;

/* A record as the programs for packets make it: of the process they know only the number. */
static void make(enum tap_record type, const char *payload)
{
	raw_begin(&raw, SOURCE_tap);
	*raw_hdr(&raw) = (struct event_hdr){
		.version = WIRE_VERSION,
		.source = SOURCE_tap,
		.type = (uint16_t)type,
		.size = sizeof(*event),
		.ts_ns = RAW_TS_NS,
		.tgid = RAW_PID,
		.tid = RAW_PID,
	};
	event->cookie = 1234567890123;
	if (payload)
		raw_tail_text(&raw, offsetof(struct tap_event, payload), payload);
}

static void test_record_is_told_without_its_bytes(void **state)
{
	(void)state;
	make(TAP_SEGMENT, "a secret of somebody's");
	assert_string_equal(taken(), "{\"event_type\":\"tap\","
				     "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,"
				     "\"process\":\"\",\"record\":\"segment\","
				     "\"cookie\":1234567890123,\"size_bytes\":22}\n");
}

static void test_kinds_have_names(void **state)
{
	static const char *const names[] = {
		[TAP_SEGMENT] = "segment",
		[TAP_DATAGRAM] = "datagram",
		[TAP_OWNER] = "owner",
		[TAP_CLOSE] = "close",
	};

	(void)state;
	for (enum tap_record type = TAP_SEGMENT; type <= TAP_CLOSE; type++) {
		make(type, NULL);
		assert_string_equal(parsed_value(taken(), "record"), names[type]);
	}
	assert_int_equal(scene.pipeline.fates[SOURCE_tap].malformed, 0);
}

static void test_record_may_have_more_room(void **state)
{
	(void)state;
	make(TAP_DATAGRAM, "bytes");
	raw.size = 1024;
	assert_string_equal(parsed_value(taken(), "size_bytes"), "5");
}

static void test_payload_outside_is_malformed(void **state)
{
	(void)state;
	make(TAP_SEGMENT, "bytes");
	event->payload.size++;
	assert_string_equal(taken(), "");
	make(TAP_SEGMENT, "bytes");
	event->payload.off--;
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_tap].malformed, 2);
}

/* It is no event of its own: who watches all events is not shown it. */
static void test_source_is_internal(void **state)
{
	(void)state;
	assert_true(tap_source.is_internal);
	assert_true(tap_source.is_on_demand);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_record_is_told_without_its_bytes),
		TEST(test_kinds_have_names),
		TEST(test_record_may_have_more_room),
		TEST(test_payload_outside_is_malformed),
		TEST(test_source_is_internal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
