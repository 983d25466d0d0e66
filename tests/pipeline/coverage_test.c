/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/coverage.h"
#include "support/parsed.h"
#include "support/scene.h"

static struct coverage coverage;

static const struct source_counters counters = {
	.hit = 1000,
	.rejected = 700,
	.ring_full = 40,
	.sent = 260,
	.faults = 3,
};

static const struct fate fate = {
	.malformed = 1,
	.filtered = 20,
	.throttled = 30,
	.sink_failed = 4,
	.written = 200,
};

/* seen == rejected + lost.ring_full + sent, and where SENT went. */
static void check_identities(const struct coverage_source *it)
{
	assert_int_equal(it->seen, it->rejected + it->lost.ring_full + it->sent);
	assert_int_equal(it->sent, it->malformed + it->filtered + it->throttled + it->written +
					   it->pending + it->lost.sink_failed +
					   it->lost.left_at_exit);
}

static void test_new_coverage_is_empty(void **state)
{
	(void)state;
	memset(&coverage, 0xff, sizeof(coverage));
	coverage_init(&coverage, 5, true);
	assert_int_equal(coverage.unix_ns, 5);
	assert_true(coverage.is_final);
	assert_int_equal(coverage.sources.count, 0);
	assert_int_equal(coverage.not_seen.count, 0);
	assert_int_equal(coverage.late.count, 0);
	assert_int_equal(coverage.lapses.count, 0);
	assert_false(coverage.late.truncated || coverage.lapses.truncated);
}

static void test_source_has_all_its_counts(void **state)
{
	const struct coverage_source *it = &coverage.source[0];

	(void)state;
	coverage_init(&coverage, 0, true);
	coverage_add_source(&coverage, &file_open_source, true, NULL, &counters, &fate);
	assert_int_equal(coverage.sources.count, 1);
	assert_string_equal(it->name, "file_open");
	assert_string_equal(it->hook, file_open_source.hooks[0].name);
	coverage_name_hook(&coverage, "tp/one/other");
	assert_string_equal(it->hook, "tp/one/other");
	assert_true(it->attached);
	assert_null(it->reason);
	assert_int_equal(it->seen, 1000);
	assert_int_equal(it->rejected, 700);
	assert_int_equal(it->sent, 260);
	assert_int_equal(it->malformed, 1);
	assert_int_equal(it->filtered, 20);
	assert_int_equal(it->throttled, 30);
	assert_int_equal(it->written, 200);
	assert_int_equal(it->lost.ring_full, 40);
	assert_int_equal(it->lost.sink_failed, 4);
	check_identities(it);
}

static void test_rest_is_pending_until_the_end_and_lost_then(void **state)
{
	(void)state;
	coverage_init(&coverage, 0, false);
	coverage_add_source(&coverage, &file_open_source, true, NULL, &counters, &fate);
	assert_int_equal(coverage.source[0].pending, 5);
	assert_int_equal(coverage.source[0].lost.left_at_exit, 0);
	check_identities(&coverage.source[0]);
	coverage_init(&coverage, 0, true);
	coverage_add_source(&coverage, &file_open_source, true, NULL, &counters, &fate);
	assert_int_equal(coverage.source[0].pending, 0);
	assert_int_equal(coverage.source[0].lost.left_at_exit, 5);
	check_identities(&coverage.source[0]);
}

static void test_identities_hold_for_any_counts(void **state)
{
	uint32_t seed = 99;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t n[8];
		struct source_counters some;
		struct fate what;

		for (int j = 0; j < 8; j++) {
			seed = seed * 1664525U + 1013904223U;
			n[j] = seed >> 12;
		}
		what = (struct fate){ n[0], n[1], n[2], n[3], n[4] };
		some = (struct source_counters){
			.rejected = n[5],
			.ring_full = n[6],
			.sent = fate_total(&what) + n[7],
		};
		some.hit = some.rejected + some.ring_full + some.sent;
		coverage_init(&coverage, 0, i % 2);
		coverage_add_source(&coverage, &file_open_source, true, NULL, &some, &what);
		check_identities(&coverage.source[0]);
	}
}

/* Counters are read while programs run: fewer sent than taken must not become 2^64. */
static void test_counters_read_too_early_give_no_huge_rest(void **state)
{
	const struct source_counters early = { .hit = 250, .sent = 250 };

	(void)state;
	coverage_init(&coverage, 0, true);
	coverage_add_source(&coverage, &file_open_source, true, NULL, &early, &fate);
	assert_int_equal(coverage.source[0].lost.left_at_exit, 0);
	assert_int_equal(coverage.source[0].pending, 0);
}

static void test_empty_reason_is_no_reason(void **state)
{
	(void)state;
	coverage_init(&coverage, 0, true);
	coverage_add_source(&coverage, &file_open_source, false, "", &counters, &fate);
	coverage_add_source(&coverage, &lib_load_source, false, "no right", &counters, &fate);
	assert_null(coverage.source[0].reason);
	assert_false(coverage.source[0].attached);
	assert_string_equal(coverage.source[1].reason, "no right");
}

static void test_gaps_are_kept_up_to_their_maximum(void **state)
{
	(void)state;
	coverage_init(&coverage, 0, true);
	for (uint64_t i = 0; i < COVERAGE_GAPS_MAX + 3; i++)
		coverage_add_gap(&coverage, "what", "why", i);
	assert_int_equal(coverage.not_seen.count, COVERAGE_GAPS_MAX);
	assert_true(coverage.not_seen.truncated);
	assert_int_equal(coverage.gap[COVERAGE_GAPS_MAX - 1].count, COVERAGE_GAPS_MAX - 1);
}

static void test_libraries_that_were_late_are_told_up_to_their_maximum(void **state)
{
	static const struct coverage_late late[COVERAGE_LATE_MAX] = { { .ms = 3 } };

	(void)state;
	for (size_t nr = 0; nr < COVERAGE_LATE_MAX + 3; nr++) {
		coverage_init(&coverage, 0, true);
		coverage_set_late(&coverage, late, nr);
		assert_ptr_equal(coverage.late.items, late);
		assert_int_equal(coverage.late.stride, sizeof(late[0]));
		assert_int_equal(coverage.late.count,
				 nr < COVERAGE_LATE_MAX ? nr : COVERAGE_LATE_MAX);
		assert_int_equal(coverage.late.truncated, nr > COVERAGE_LATE_MAX);
	}
}

static void test_lapses_are_kept_up_to_their_maximum(void **state)
{
	static const char *const functions[] = { "SSL_read", "EVP_DigestFinal_ex" };

	(void)state;
	coverage_init(&coverage, 0, true);
	for (size_t i = 0; i < COVERAGE_LAPSES_MAX + 3; i++) {
		assert_int_equal(coverage.lapses.truncated, i > COVERAGE_LAPSES_MAX);
		coverage_add_lapse(&coverage, functions[i % 2], "/lib/libcrypto.so.3");
	}
	assert_int_equal(coverage.lapses.count, COVERAGE_LAPSES_MAX);
	assert_ptr_equal(coverage.lapses.items, coverage.lapse);
	assert_int_equal(coverage.lapses.stride, sizeof(coverage.lapse[0]));
	assert_string_equal(coverage.lapse[COVERAGE_LAPSES_MAX - 1].function,
			    functions[(COVERAGE_LAPSES_MAX - 1) % 2]);
}

static const char late_text[] =
	"{\"event_type\":\"coverage\",\"timestamp\":\"2026-11-21T09:00:00.000000Z\",\"final\":"
	"false,"
	"\"sources\":[],\"not_seen\":[],"
	"\"late_attach\":[{\"pid\":77,\"process\":\"node\","
	"\"library\":\"/home/USER/lib/libssl.so.3\",\"ms\":12},"
	"{\"pid\":78,\"process\":\"0123456789abcdef\",\"library\":\"/usr/bin/node\",\"ms\":0}],"
	"\"detached\":[{\"function_name\":\"EVP_DigestFinal_ex\","
	"\"library\":\"/home/USER/lib/libcrypto.so.3\"}]}\n";

static void test_what_was_not_watched_all_the_time_is_written(void **state)
{
	static const struct coverage_late late[] = {
		{ .library = "/home/bob/lib/libssl.so.3", .ms = 12, .pid = 77, .process = "node" },
		/* a name may fill its place */
		{ .library = "/usr/bin/node", .pid = 78, .process = "0123456789abcdef" },
	};
	struct scene scene;

	(void)state;
	scene_open(&scene, "json-lines", true);
	coverage_init(&coverage, SCENE_BOOT_S * 1000000000ULL, false);
	coverage_set_late(&coverage, late, 2);
	coverage_add_lapse(&coverage, "EVP_DigestFinal_ex", "/home/bob/lib/libcrypto.so.3");
	assert_int_equal(scene_document(&scene, &coverage, &coverage_fields), 0);
	assert_string_equal(scene_text(&scene), late_text);
	scene_close(&scene);
}

static const char coverage_text[] =
	"{\"event_type\":\"coverage\",\"timestamp\":\"2026-11-21T09:00:00.000000Z\",\"final\":true,"
	"\"sources\":[{\"name\":\"process_exit\",\"hook\":\"tp_btf/sched_process_exit\","
	"\"attached\":true,\"reason\":null,\"seen\":1000,\"rejected\":700,\"sent\":260,"
	"\"malformed\":1,\"filtered\":20,\"throttled\":30,\"written\":200,\"pending\":0,"
	"\"lost\":{\"ring_full\":40,\"sink_failed\":4,\"left_at_exit\":5}},"
	"{\"name\":\"lib_load\",\"hook\":\"perf/PERF_RECORD_MMAP2\",\"attached\":false,"
	"\"reason\":\"no right\",\"seen\":0,\"rejected\":0,\"sent\":0,\"malformed\":0,"
	"\"filtered\":0,\"throttled\":0,\"written\":0,\"pending\":0,"
	"\"lost\":{\"ring_full\":0,\"sink_failed\":0,\"left_at_exit\":0}}],"
	"\"not_seen\":[{\"what\":\"io_uring opens\",\"why\":\"no hook\",\"count\":7},"
	"{\"what\":\"names\",\"why\":\"gone\",\"count\":2},"
	"{\"what\":\"events\",\"why\":\"no ring\",\"count\":3,\"cpus\":\"1,4-5\","
	"\"from\":\"2026-11-21T09:00:01.000000Z\",\"to\":\"2026-11-21T09:00:02.000000Z\"},"
	"{\"what\":\"events\",\"why\":\"no ring\",\"count\":1,\"cpus\":\"6\","
	"\"from\":\"2026-11-21T09:00:02.000000Z\"}]}\n";

static void test_coverage_is_written_as_a_document(void **state)
{
	const struct source_counters none = { 0 };
	const struct fate nothing = { 0 };
	struct coverage_gap gap = {
		.what = "events",
		.why = "no ring",
		.count = 3,
		.cpus = "1,4-5",
		.from_unix_ns = (SCENE_BOOT_S + 1) * 1000000000ULL,
		.to_unix_ns = (SCENE_BOOT_S + 2) * 1000000000ULL,
	};
	struct scene scene;

	(void)state;
	scene_open(&scene, "json-lines", true);
	coverage_init(&coverage, SCENE_BOOT_S * 1000000000ULL, true);
	coverage_add_source(&coverage, &process_exit_source, true, NULL, &counters, &fate);
	coverage_add_source(&coverage, &lib_load_source, false, "no right", &none, &nothing);
	coverage_add_gap(&coverage, "io_uring opens", "no hook", 7);
	coverage_add_some(&coverage, "what did not happen", "not told", 0);
	coverage_add_some(&coverage, "names", "gone", 2);
	coverage_add(&coverage, &gap);
	/* It is so still. */
	gap = (struct coverage_gap){
		.what = "events",
		.why = "no ring",
		.count = 1,
		.cpus = "6",
		.from_unix_ns = gap.to_unix_ns,
	};
	coverage_add(&coverage, &gap);
	assert_int_equal(scene_document(&scene, &coverage, &coverage_fields), 0);
	assert_string_equal(scene_text(&scene), coverage_text);
	scene_close(&scene);
}

/* The largest there can be, as the last line of a stream has to come whole. */
static void test_full_coverage_is_written(void **state)
{
	static struct coverage_late late[COVERAGE_LATE_MAX];
	struct scene scene;
	const char *text;
	char path[64];
	char expected[16];

	(void)state;
	scene_open(&scene, "json-pretty", true);
	coverage_init(&coverage, UINT64_MAX, true);
	for (size_t i = 0; i < NR_SOURCES; i++)
		coverage_add_source(&coverage, sources[i], true, NULL, &counters, &fate);
	for (size_t i = 0; i < COVERAGE_GAPS_MAX; i++)
		coverage_add(&coverage,
			     &(struct coverage_gap){
				     .what = "libraries mapped on CPUs that came online "
					     "later",
				     .why = "until they had a ring, or went; counted are "
					    "CPUs",
				     .count = i,
				     .cpus = "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,"
					     "30,32,34,36,38,40,...",
				     .from_unix_ns = 1,
				     .to_unix_ns = 2,
			     });
	for (size_t i = 0; i < COVERAGE_LATE_MAX; i++)
		late[i] = (struct coverage_late){ .library = "/lib/libssl.so.3", .ms = i };
	coverage_set_late(&coverage, late, COVERAGE_LATE_MAX);
	for (size_t i = 0; i < COVERAGE_LAPSES_MAX; i++)
		coverage_add_lapse(&coverage, sources[i % NR_SOURCES]->name, "/lib/libssl.so.3");
	assert_int_equal(scene_document(&scene, &coverage, &coverage_fields), 0);
	text = scene_text(&scene);
	snprintf(path, sizeof(path), "sources.%d.name", NR_SOURCES - 1);
	assert_string_equal(parsed_value(text, path), sources[NR_SOURCES - 1]->name);
	snprintf(path, sizeof(path), "not_seen.%d.count", COVERAGE_GAPS_MAX - 1);
	snprintf(expected, sizeof(expected), "%d", COVERAGE_GAPS_MAX - 1);
	assert_string_equal(parsed_value(text, path), expected);
	snprintf(path, sizeof(path), "late_attach.%d.ms", COVERAGE_LATE_MAX - 1);
	snprintf(expected, sizeof(expected), "%d", COVERAGE_LATE_MAX - 1);
	assert_string_equal(parsed_value(text, path), expected);
	snprintf(path, sizeof(path), "detached.%d.function_name", COVERAGE_LAPSES_MAX - 1);
	assert_string_equal(parsed_value(text, path),
			    sources[(COVERAGE_LAPSES_MAX - 1) % NR_SOURCES]->name);
	scene_close(&scene);
}

static void write_start(struct scene *scene)
{
	static const char options[] = "monitor\0--file\0/home/bob/*.pem\0--\0curl\0--user\0bob:pw";
	const struct stream_start start = {
		.schema_version = SCHEMA_VERSION,
		.tool = "crypto-tracer 1.2.3",
		.host = "web1",
		.kernel = "6.1.0",
		.unix_ns = SCENE_BOOT_S * 1000000000ULL,
		.options = options,
		.options_size = sizeof(options),
	};

	assert_int_equal(scene_document(scene, &start, &start_fields), 0);
}

static void test_start_is_written_as_a_document(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "json-lines", true);
	write_start(&scene);
	assert_string_equal(
		scene_text(&scene),
		"{\"event_type\":\"start\",\"schema_version\":\"1.0\","
		"\"timestamp\":\"2026-11-21T09:00:00.000000Z\","
		"\"tool\":\"crypto-tracer 1.2.3\",\"host\":\"web1\",\"kernel\":\"6.1.0\","
		"\"options\":[\"monitor\",\"--file\",\"/home/USER/*.pem\",\"--\","
		"\"curl\",\"--user\",\"bob:***\"]}\n");
	scene_close(&scene);
}

static void test_secrets_of_the_options_stay_hidden_without_redaction(void **state)
{
	struct scene scene;
	const char *text;

	(void)state;
	scene_open(&scene, "json-lines", false);
	write_start(&scene);
	text = scene_text(&scene);
	assert_string_equal(parsed_value(text, "options.2"), "/home/bob/*.pem");
	assert_string_equal(parsed_value(text, "options.6"), "bob:***");
	assert_null(strstr(text, "pw"));
	scene_close(&scene);
}

static void test_start_without_options_has_an_empty_list(void **state)
{
	const struct stream_start start = { .schema_version = SCHEMA_VERSION };
	struct scene scene;
	const char *text;

	(void)state;
	scene_open(&scene, "json-lines", true);
	assert_int_equal(scene_document(&scene, &start, &start_fields), 0);
	text = scene_text(&scene);
	assert_string_equal(parsed_value(text, "options"), "[]");
	assert_string_equal(parsed_value(text, "schema_version"), "1.0");
	assert_non_null(strstr(text, "\"host\":null"));
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_coverage_is_empty),
		cmocka_unit_test(test_source_has_all_its_counts),
		cmocka_unit_test(test_rest_is_pending_until_the_end_and_lost_then),
		cmocka_unit_test(test_identities_hold_for_any_counts),
		cmocka_unit_test(test_counters_read_too_early_give_no_huge_rest),
		cmocka_unit_test(test_empty_reason_is_no_reason),
		cmocka_unit_test(test_gaps_are_kept_up_to_their_maximum),
		cmocka_unit_test(test_libraries_that_were_late_are_told_up_to_their_maximum),
		cmocka_unit_test(test_lapses_are_kept_up_to_their_maximum),
		cmocka_unit_test(test_what_was_not_watched_all_the_time_is_written),
		cmocka_unit_test(test_coverage_is_written_as_a_document),
		cmocka_unit_test(test_full_coverage_is_written),
		cmocka_unit_test(test_start_is_written_as_a_document),
		cmocka_unit_test(test_secrets_of_the_options_stay_hidden_without_redaction),
		cmocka_unit_test(test_start_without_options_has_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
