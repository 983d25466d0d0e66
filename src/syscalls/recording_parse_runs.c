/* SPDX-License-Identifier: MIT */
/* The runs of a recording, read from a document: the last part of recording_parse.c. */
#include "syscalls/reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "lib/cleanup.h"
#include "syscalls/recording_private.h"

/* Two digits at TEXT, from MIN to MAX, else -1. */
static int digits_of(const char *text, int min, int max)
{
	int value = (text[0] - '0') * 10 + (text[1] - '0');

	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	return value >= min && value <= max ? value : -1;
}

/* "2026-11-21T09:00:00.123456Z" in nanoseconds since 1970. Returns 0 or -EINVAL. */
static int parse_time(const char *text, uint64_t *ret)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
	const int century = strlen(text) == sizeof(form) - 1 ? digits_of(text, 19, 24) : -1;
	struct tm tm;
	uint64_t us = 0;
	time_t seconds;

	if (century < 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return -EINVAL;
	tm = (struct tm){
		.tm_year = (century - 19) * 100 + digits_of(text + 2, 0, 99),
		.tm_mon = digits_of(text + 5, 1, 12) - 1,
		.tm_mday = digits_of(text + 8, 1, 31),
		.tm_hour = digits_of(text + 11, 0, 23),
		.tm_min = digits_of(text + 14, 0, 59),
		.tm_sec = digits_of(text + 17, 0, 59),
	};
	if (tm.tm_mon < 0 || tm.tm_mday < 0 || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0)
		return -EINVAL;
	seconds = timegm(&tm);
	if (seconds < 0)
		return -EINVAL;
	for (size_t i = 20; i < 26; i++)
		us = us * 10 + (uint64_t)(text[i] - '0');
	*ret = (uint64_t)seconds * UINT64_C(1000000000) + us * 1000;
	return 0;
}

static void read_started(struct reading *reading, struct json_object *object,
			 struct recording_run *run)
{
	const char *text = reading_text(reading, reading_member(object, "started_at"),
					"a run's 'started_at' is not text");

	if (text && parse_time(text, &run->started_ns))
		reading_fail(reading, -EBADMSG, "a run's 'started_at' is not a time");
}

static int32_t read_status(struct reading *reading, struct json_object *object)
{
	struct json_object *value = reading_member(object, "status");
	int64_t status = json_object_is_type(value, json_type_int) ? json_object_get_int64(value)
								   : INT64_MAX;

	if (status < INT32_MIN || status > INT32_MAX) {
		reading_fail(reading, -EBADMSG, "a run's 'status' is not an exit status");
		return 0;
	}
	return (int32_t)status;
}

/* Adds to SET what a run had in one phase, on one architecture. */
static void read_keys(struct reading *reading, struct json_object *object,
		      struct recording_set *set)
{
	uint64_t phase = reading_number(reading, object, "phase", reading->recording->nr_phases - 1,
					"a run's 'phase' is not one of 'phases'");
	uint8_t arch = reading_arch(reading, object);
	struct json_object *list = reading_list(reading, object, "nr", SYSCALLS_MAX,
						"a run's 'nr' is not a list of numbers");

	for (size_t i = 0; i < reading_length(list) && !reading->err; i++) {
		struct json_object *value = json_object_array_get_idx(list, i);
		int64_t nr = json_object_is_type(value, json_type_int)
				     ? json_object_get_int64(value)
				     : -1;

		if (nr < 0 || nr >= SYSCALLS_MAX)
			reading_fail(reading, -EBADMSG,
				     "a run's 'nr' has what is not a number below 1024");
		else
			recording_set_add(set, RECORDING_KEY(phase, arch, (uint32_t)nr));
	}
}

/* SET and KEYS are room for a run's calls. */
static void read_run(struct reading *reading, struct json_object *object, struct recording_set *set,
		     uint32_t *keys)
{
	struct recording_run run = {
		.duration_ns = reading_number(reading, object, "duration_ns", UINT64_MAX,
					      "a run's 'duration_ns' is not a number"),
		.status = read_status(reading, object),
		.lost = reading_number(reading, object, "lost", UINT64_MAX,
				       "a run's 'lost' is not a number"),
		.is_complete = reading_bool(reading, object, "is_complete",
					    "a run's 'is_complete' is not true or false"),
		.was_filtered = reading_bool(reading, object, "was_filtered",
					     "a run's 'was_filtered' is not true or false"),
		.nr_io_uring = reading_number(reading, object, "io_uring_calls", UINT64_MAX,
					      "a run's 'io_uring_calls' is not a number"),
	};
	const char *id =
		reading_text(reading, reading_member(object, "id"), "a run's 'id' is not text");
	struct json_object *calls =
		reading_list(reading, object, "calls", RECORDING_KEYS_MAX / SYSCALLS_MAX,
			     "a run's 'calls' is not a list of phases");
	int err;

	read_started(reading, object, &run);
	if (id && !reading_is_hex(id, sizeof(run.id) - 1))
		reading_fail(reading, -EBADMSG, "a run's 'id' is not 32 hexadecimal digits");
	memset(set, 0, sizeof(*set));
	for (size_t i = 0; i < reading_length(calls) && !reading->err; i++)
		read_keys(reading, json_object_array_get_idx(calls, i), set);
	if (reading->err || !id)
		return;
	memcpy(run.id, id, sizeof(run.id));
	err = recording_insert_run(reading->recording, &run, keys, recording_set_keys(set, keys));
	if (err)
		reading_fail(reading, err == -EEXIST ? -EBADMSG : err, "a run is there twice");
}

/* What the runs had is what the nodes have, or growth and support are of something else. */
static void check_calls(struct reading *reading, struct recording_set *of_runs,
			struct recording_set *of_nodes)
{
	const struct recording *recording = reading->recording;

	memset(of_runs, 0, sizeof(*of_runs));
	for (size_t i = 0; i < recording->nr_runs; i++)
		for (size_t k = 0; k < recording->runs[i].nr_calls; k++)
			recording_set_add(of_runs, recording->runs[i].calls[k]);
	recording_set_nodes(of_nodes, recording);
	if (memcmp(of_runs, of_nodes, sizeof(*of_runs)) != 0)
		reading_fail(reading, -EBADMSG, "the calls of the runs are not those of the nodes");
	for (size_t i = 0; i < recording->nr_nodes; i++) {
		const struct recording_node *node = &recording->nodes[i];

		if (node->nr_runs > recording->nr_runs)
			reading_fail(reading, -EBADMSG, "a node was in more 'runs' than there are");
		for (size_t k = 0; k < node->nr_calls; k++)
			if (node->calls[k].nr_runs > recording->nr_runs)
				reading_fail(reading, -EBADMSG,
					     "a call was in more 'runs' than there are");
	}
}

void reading_runs(struct reading *reading, struct json_object *document)
{
	struct json_object *list = reading_list(reading, document, "each_run", RECORDING_RUNS_MAX,
						"'each_run' is not a list of at most 10000");
	_cleanup_(cleanup_free) struct recording_set *sets = calloc(2, sizeof(*sets));
	_cleanup_(cleanup_free) uint32_t *keys = calloc(RECORDING_KEYS_MAX, sizeof(*keys));

	if (!sets || !keys) {
		reading_fail(reading, -ENOMEM, NULL);
		return;
	}
	for (size_t i = 0; i < reading_length(list) && !reading->err; i++)
		read_run(reading, json_object_array_get_idx(list, i), &sets[0], keys);
	if (!reading->err)
		check_calls(reading, &sets[0], &sets[1]);
	if (reading_number(reading, document, "runs", RECORDING_RUNS_MAX,
			   "'runs' is not a number of runs") != reading->recording->nr_runs)
		reading_fail(reading, -EBADMSG, "'runs' is not how many 'each_run' has");
}
