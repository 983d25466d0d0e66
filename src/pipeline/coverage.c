/* SPDX-License-Identifier: MIT */
#include "pipeline/coverage.h"

#include <string.h>

#include "sources/source.h"

#define LOST(member)	 offsetof(struct coverage_lost, member)
#define SRC(member)	 offsetof(struct coverage_source, member)
#define GAP(member)	 offsetof(struct coverage_gap, member)
#define LATE(member)	 offsetof(struct coverage_late, member)
#define LAPSE(member)	 offsetof(struct coverage_lapse, member)
#define COVERAGE(member) offsetof(struct coverage, member)
#define START(member)	 offsetof(struct stream_start, member)

#define COUNT(key, offset, what)                                                                   \
	{                                                                                          \
		NAMED(key), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,              \
			    .at = (offset), .text = TEXT_NONZERO, .help = (what)                   \
	}

/* clang-format off */
static const struct field lost_item[] = {
	COUNT("ring_full", LOST(ring_full), "records for which the buffer had no room"),
	COUNT("sink_failed", LOST(sink_failed), "records that the output did not take"),
	COUNT("left_at_exit", LOST(left_at_exit), "records still unread at the end"),
};
/* clang-format on */

static const struct fields lost_fields = FIELDS(lost_item);

/* clang-format off */
static const struct field source_item[] = {
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = SRC(name), .text = TEXT_BARE, .help = "the source: an event type" },
	{ NAMED("hook"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = SRC(hook), .text = TEXT_HIDDEN, .help = "where in the kernel it is seen" },
	{ NAMED("attached"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = SRC(attached), .text = TEXT_HIDDEN, .help = "whether the hook is in place" },
	{ NAMED("reason"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = SRC(reason), .help = "why not, or why not wholly" },
	COUNT("seen", SRC(seen), "times the hook ran"),
	COUNT("rejected", SRC(rejected), "of no interest, dropped in the kernel"),
	COUNT("sent", SRC(sent), "records handed to user space"),
	COUNT("malformed", SRC(malformed), "records that could not be read"),
	COUNT("filtered", SRC(filtered), "records that were not asked for"),
	COUNT("throttled", SRC(throttled), "records beyond --max-events"),
	COUNT("written", SRC(written), "events in the output"),
	COUNT("pending", SRC(pending), "records on their way at this moment"),
	{ NAMED("lost"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = SRC(lost), .sub = &lost_fields, .help = "records lost, by cause" },
};
/* clang-format on */

static const struct fields source_fields = FIELDS(source_item);

static void get_known_time(const struct record *record, const struct field *field,
			   struct value *ret)
{
	get_u64(record, field, ret);
	ret->present = ret->u != 0;
}

/* clang-format off */
static const struct field gap_item[] = {
	{ NAMED("what"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = GAP(what), .text = TEXT_BARE, .help = "what was not seen" },
	{ NAMED("why"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = GAP(why), .help = "for what reason" },
	COUNT("count", GAP(count), "how often, as far as it could be counted"),
	{ NAMED("cpus"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_text, .at = GAP(cpus), .help = "on which CPUs" },
	{ NAMED("from"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_known_time, .at = GAP(from_unix_ns), .help = "since when, UTC, at the earliest" },
	{ NAMED("to"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_known_time, .at = GAP(to_unix_ns),
	  .help = "until when; where there is a \"from\" and no \"to\" it is so still" },
};
/* clang-format on */

static const struct fields gap_fields = FIELDS(gap_item);

/* clang-format off */
static const struct field late_item[] = {
	{ NAMED("pid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32, .at = LATE(pid),
	  .help = "process id" },
	{ NAMED("process"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_comm,
	  .at = LATE(process), .help = "its name" },
	{ NAMED("library"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_text,
	  .at = LATE(library), .text = TEXT_BARE, .help = "the file that it had mapped" },
	COUNT("ms", LATE(ms), "for so long before its calls were seen, milliseconds"),
};

static const struct field lapse_item[] = {
	{ NAMED("function_name"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = LAPSE(function), .text = TEXT_BARE, .help = "the function" },
	{ NAMED("library"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_text,
	  .at = LAPSE(library), .help = "the file that it is in" },
};
/* clang-format on */

static const struct fields late_fields = FIELDS(late_item);
static const struct fields lapse_fields = FIELDS(lapse_item);

static void get_some(const struct record *record, const struct field *field, struct value *ret)
{
	get_list(record, field, ret);
	ret->present = ret->list.count > 0;
}

static void get_coverage_type(const struct record *record, const struct field *field,
			      struct value *ret)
{
	(void)record;
	(void)field;
	ret->present = true;
	ret->str.bytes = "coverage";
	ret->str.size = strlen("coverage");
}

/* clang-format off */
static const struct field coverage_table[] = {
	{ NAMED("event_type"), .type = FIELD_STR, .class = CLASS_PUBLIC, .text = TEXT_BARE,
	  .get = get_coverage_type, .help = "coverage" },
	{ NAMED("timestamp"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = COVERAGE(unix_ns), .text = TEXT_HIDDEN, .help = "when it was taken, UTC" },
	{ NAMED("final"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = COVERAGE(is_final), .text = TEXT_HIDDEN,
	  .help = "whether it is the last line of the stream" },
	{ NAMED("sources"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = COVERAGE(sources), .sub = &source_fields, .help = "each source of events" },
	{ NAMED("not_seen"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = COVERAGE(not_seen), .sub = &gap_fields,
	  .help = "what this run could not see, or did not see whole" },
	{ NAMED("late_attach"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_some, .at = COVERAGE(late), .sub = &late_fields,
	  .help = "libraries whose calls were not seen from their first mapping on" },
	{ NAMED("detached"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_some, .at = COVERAGE(lapses), .sub = &lapse_fields,
	  .help = "functions that were called so often that they are no longer watched" },
};
/* clang-format on */

const struct fields coverage_fields = FIELDS(coverage_table);

static void get_start_type(const struct record *record, const struct field *field,
			   struct value *ret)
{
	(void)record;
	(void)field;
	ret->present = true;
	ret->str.bytes = "start";
	ret->str.size = strlen("start");
}

static void get_options(const struct record *record, const struct field *field, struct value *ret)
{
	const struct stream_start *start = (const void *)record->bytes;

	(void)field;
	ret->present = true;
	ret->str.bytes = start->options;
	ret->str.size = start->options_size;
}

/* clang-format off */
static const struct field start_table[] = {
	{ NAMED("event_type"), .type = FIELD_STR, .class = CLASS_PUBLIC, .text = TEXT_BARE,
	  .get = get_start_type, .help = "start" },
	{ NAMED("schema_version"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = START(schema_version), .text = TEXT_HIDDEN,
	  .help = "version of these names and shapes" },
	{ NAMED("timestamp"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = START(unix_ns), .text = TEXT_BARE, .help = "when reporting began, UTC" },
	{ NAMED("tool"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = START(tool), .text = TEXT_BARE, .help = "name and version" },
	{ NAMED("host"), .type = FIELD_STR, .class = CLASS_HOST, .get = get_text,
	  .at = START(host), .help = "name of the host" },
	{ NAMED("kernel"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = START(kernel), .help = "release of its kernel" },
	{ NAMED("options"), .type = FIELD_STRV, .class = CLASS_ARGS, .get = get_options,
	  .text = TEXT_HIDDEN, .help = "the command line of this run" },
};
/* clang-format on */

const struct fields start_fields = FIELDS(start_table);

void coverage_init(struct coverage *coverage, uint64_t unix_ns, bool is_final)
{
	*coverage = (struct coverage){
		.unix_ns = unix_ns,
		.is_final = is_final,
		.sources = { .items = coverage->source, .stride = sizeof(coverage->source[0]) },
		.not_seen = { .items = coverage->gap, .stride = sizeof(coverage->gap[0]) },
	};
}

void coverage_add_source(struct coverage *coverage, const struct source *source, bool is_attached,
			 const char *reason, const struct source_counters *counters,
			 const struct fate *fate)
{
	uint64_t done = fate_total(fate);
	uint64_t left = counters->sent > done ? counters->sent - done : 0;

	coverage->source[coverage->sources.count++] = (struct coverage_source){
		.name = source->name,
		.hook = source->hooks[0].name,
		.attached = is_attached,
		.reason = reason && *reason ? reason : NULL,
		.seen = counters->hit,
		.rejected = counters->rejected,
		.sent = counters->sent,
		.malformed = fate->malformed,
		.filtered = fate->filtered,
		.throttled = fate->throttled,
		.written = fate->written,
		.pending = coverage->is_final ? 0 : left,
		.lost = {
			.ring_full = counters->ring_full,
			.sink_failed = fate->sink_failed,
			.left_at_exit = coverage->is_final ? left : 0,
		},
	};
}

void coverage_name_hook(struct coverage *coverage, const char *hook)
{
	coverage->source[coverage->sources.count - 1].hook = hook;
}

void coverage_add(struct coverage *coverage, const struct coverage_gap *gap)
{
	if (coverage->not_seen.count < COVERAGE_GAPS_MAX)
		coverage->gap[coverage->not_seen.count++] = *gap;
	else
		coverage->not_seen.truncated = true;
}

void coverage_add_gap(struct coverage *coverage, const char *what, const char *why, uint64_t count)
{
	coverage_add(coverage, &(struct coverage_gap){ .what = what, .why = why, .count = count });
}

void coverage_add_some(struct coverage *coverage, const char *what, const char *why, uint64_t count)
{
	if (count)
		coverage_add_gap(coverage, what, why, count);
}

void coverage_set_late(struct coverage *coverage, const struct coverage_late *late, size_t nr)
{
	coverage->late = (struct item_list){
		.items = late,
		.count = nr < COVERAGE_LATE_MAX ? nr : COVERAGE_LATE_MAX,
		.stride = sizeof(*late),
		.truncated = nr > COVERAGE_LATE_MAX,
	};
}

void coverage_add_lapse(struct coverage *coverage, const char *function, const char *library)
{
	if (coverage->lapses.count == COVERAGE_LAPSES_MAX) {
		coverage->lapses.truncated = true;
		return;
	}
	coverage->lapse[coverage->lapses.count++] = (struct coverage_lapse){ function, library };
	coverage->lapses.items = coverage->lapse;
	coverage->lapses.stride = sizeof(coverage->lapse[0]);
}
