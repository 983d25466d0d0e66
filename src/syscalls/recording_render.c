/* SPDX-License-Identifier: MIT */
/*
 * A recording as a document:
 *
 * {"recording_version", "schema_version", "engine", "kernel", "libc", "command": [WORD...], "exe",
 *  "build_id", "exe_sha256", "is_mixed",
 *  "runs": N, "growth": {"runs", "added", "calls"}, "warnings": [TEXT...],
 *  "phases": [{"phase", "point", "reason", "hits"}...],
 *  "nodes": [{"id", "parent", "exe", "start", "entry", "phase", "instances", "runs",
 *	"calls": [{"name", "nr", "arch", "count", "errors", "first_seen_ns", "runs"}...]}...],
 *  "each_run": [{"id", "started_at", "duration_ns", "status", "lost", "is_complete",
 *	"was_filtered", "io_uring_calls", "calls": [{"phase", "arch", "nr": [NR...]}...]}...]}
 *
 * "growth" and "warnings" are worked out and not read again. A line is a node, a call or a run.
 */
#include "syscalls/recording_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "syscalls/warnings.h"

#define SCHEMA_VERSION "1.0"

const char *node_start_name(enum node_start start)
{
	static const char *const names[NR_NODE_STARTS] = {
		[NODE_START_command] = "command", [NODE_START_fork] = "fork",
		[NODE_START_vfork] = "vfork",	  [NODE_START_thread] = "thread",
		[NODE_START_exec] = "exec",	  [NODE_START_phase] = "phase",
	};

	return names[start];
}

static void write_facts(struct json *json, const struct recording *recording)
{
	JSON_KEY(json, "engine");
	json_cstring(json, recording->engine);
	JSON_KEY(json, "kernel");
	json_cstring(json, recording->kernel);
	JSON_KEY(json, "libc");
	json_cstring(json, recording->libc);
	JSON_KEY(json, "command");
	json_array_begin(json);
	for (size_t i = 0; i < recording->nr_command; i++)
		json_cstring(json, recording->command[i]);
	json_array_end(json);
	JSON_KEY(json, "exe");
	json_cstring(json, recording->exe);
	JSON_KEY(json, "build_id");
	json_cstring(json, recording->build_id);
	JSON_KEY(json, "exe_sha256");
	json_cstring(json, recording->exe_sha256[0] ? recording->exe_sha256 : NULL);
	JSON_KEY(json, "is_mixed");
	json_bool(json, recording->is_mixed);
}

static void write_derived(struct json *json, const struct recording *recording)
{
	size_t last = recording_growth_runs(recording);
	char warning[RECORDING_WARNING_MAX];

	JSON_KEY(json, "runs");
	json_u64(json, recording->nr_runs);
	JSON_KEY(json, "growth");
	json_object_begin(json);
	JSON_KEY(json, "runs");
	json_u64(json, last);
	JSON_KEY(json, "added");
	json_u64(json, recording_growth(recording, last));
	JSON_KEY(json, "calls");
	json_u64(json, recording_growth(recording, recording->nr_runs));
	json_object_end(json);
	JSON_KEY(json, "warnings");
	json_array_begin(json);
	for (size_t i = 0; recording_warning(recording, i, warning); i++)
		json_cstring(json, warning);
	json_array_end(json);
}

static void write_phases(struct json *json, const struct recording *recording)
{
	JSON_KEY(json, "phases");
	json_array_begin(json);
	for (size_t i = 0; i < recording->nr_phases; i++) {
		const struct recording_phase *phase = &recording->phases[i];

		json_newline(json);
		json_object_begin(json);
		JSON_KEY(json, "phase");
		json_u64(json, i);
		JSON_KEY(json, "point");
		json_cstring(json, phase->point);
		JSON_KEY(json, "reason");
		json_cstring(json, phase->reason);
		JSON_KEY(json, "hits");
		json_u64(json, phase->nr_hits);
		json_object_end(json);
	}
	json_array_end(json);
}

void recording_write_call(struct json *json, const struct recording_call *call, bool has_first_seen)
{
	json_newline(json);
	json_object_begin(json);
	JSON_KEY(json, "name");
	json_cstring(json, syscall_name((enum syscall_arch)call->arch, call->nr));
	JSON_KEY(json, "nr");
	json_u64(json, call->nr);
	JSON_KEY(json, "arch");
	json_cstring(json, syscall_arch_name((enum syscall_arch)call->arch));
	JSON_KEY(json, "count");
	json_u64(json, call->count);
	JSON_KEY(json, "errors");
	json_u64(json, call->errors);
	if (has_first_seen) {
		JSON_KEY(json, "first_seen_ns");
		json_u64(json, call->first_seen_ns);
	}
	JSON_KEY(json, "runs");
	json_u64(json, call->nr_runs);
	json_object_end(json);
}

/* PLACES says where in the document each node is. */
static void write_node(struct json *json, const struct recording_node *node, const uint32_t *places)
{
	json_newline(json);
	json_object_begin(json);
	JSON_KEY(json, "id");
	json_u64(json, places[node->id]);
	JSON_KEY(json, "parent");
	if (node->parent == RECORDING_NONE)
		json_null(json);
	else
		json_u64(json, places[node->parent]);
	JSON_KEY(json, "exe");
	json_cstring(json, node->exe);
	JSON_KEY(json, "start");
	json_cstring(json, node_start_name((enum node_start)node->start));
	JSON_KEY(json, "entry");
	json_cstring(json, node->entry);
	JSON_KEY(json, "phase");
	json_u64(json, node->phase);
	JSON_KEY(json, "instances");
	json_u64(json, node->nr_instances);
	JSON_KEY(json, "runs");
	json_u64(json, node->nr_runs);
	JSON_KEY(json, "calls");
	json_array_begin(json);
	for (size_t i = 0; i < node->nr_calls; i++)
		recording_write_call(json, &node->calls[i], true);
	json_array_end(json);
	json_object_end(json);
}

/* Returns 0 or -ENOMEM. */
static int write_nodes(struct json *json, const struct recording *recording)
{
	_cleanup_(cleanup_free) uint32_t *order = calloc(recording->nr_nodes + 1, sizeof(*order));
	_cleanup_(cleanup_free) uint32_t *places = calloc(recording->nr_nodes + 1, sizeof(*places));
	int err = order && places ? recording_order(recording, order) : -ENOMEM;

	if (err)
		return err;
	for (size_t i = 0; i < recording->nr_nodes; i++)
		places[order[i]] = (uint32_t)i;
	JSON_KEY(json, "nodes");
	json_array_begin(json);
	for (size_t i = 0; i < recording->nr_nodes; i++)
		write_node(json, &recording->nodes[order[i]], places);
	json_array_end(json);
	return 0;
}

/* Lists of numbers, one for each phase and architecture. */
static void write_keys(struct json *json, const uint32_t *keys, size_t nr_keys)
{
	json_array_begin(json);
	for (size_t i = 0; i < nr_keys;) {
		const uint32_t first = keys[i];

		json_object_begin(json);
		JSON_KEY(json, "phase");
		json_u64(json, RECORDING_KEY_PHASE(first));
		JSON_KEY(json, "arch");
		json_cstring(json, syscall_arch_name((enum syscall_arch)RECORDING_KEY_ARCH(first)));
		JSON_KEY(json, "nr");
		json_array_begin(json);
		for (; i < nr_keys && keys[i] >> 12 == first >> 12; i++)
			json_u64(json, RECORDING_KEY_NR(keys[i]));
		json_array_end(json);
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_run(struct json *json, const struct recording_run *run)
{
	json_newline(json);
	json_object_begin(json);
	JSON_KEY(json, "id");
	json_cstring(json, run->id);
	JSON_KEY(json, "started_at");
	json_time(json, run->started_ns);
	JSON_KEY(json, "duration_ns");
	json_u64(json, run->duration_ns);
	JSON_KEY(json, "status");
	json_s64(json, run->status);
	JSON_KEY(json, "lost");
	json_u64(json, run->lost);
	JSON_KEY(json, "is_complete");
	json_bool(json, run->is_complete);
	JSON_KEY(json, "was_filtered");
	json_bool(json, run->was_filtered);
	JSON_KEY(json, "io_uring_calls");
	json_u64(json, run->nr_io_uring);
	JSON_KEY(json, "calls");
	write_keys(json, run->calls, run->nr_calls);
	json_object_end(json);
}

static int write_recording(struct json *json, const struct recording *recording)
{
	int err;

	json_object_begin(json);
	JSON_KEY(json, "recording_version");
	json_cstring(json, RECORDING_VERSION);
	JSON_KEY(json, "schema_version");
	json_cstring(json, SCHEMA_VERSION);
	write_facts(json, recording);
	write_derived(json, recording);
	write_phases(json, recording);
	err = write_nodes(json, recording);
	if (err)
		return err;
	JSON_KEY(json, "each_run");
	json_array_begin(json);
	for (size_t i = 0; i < recording->nr_runs; i++)
		write_run(json, &recording->runs[i]);
	json_array_end(json);
	json_object_end(json);
	json_newline(json);
	return 0;
}

int recording_render(const struct recording *recording, char **ret, size_t *ret_size)
{
	struct memory_json memory;

	if (memory_json_begin(&memory, JSON_COMPACT))
		return -ENOMEM;
	return memory_json_end(&memory, write_recording(&memory.json, recording), ret, ret_size);
}
