/* SPDX-License-Identifier: MIT */
/*
 * Reading what recording_render.c writes, from a file that may be anything. What is not known is
 * passed over, so that a later version may add to it; all that is read has to be there, of the
 * right kind and in its bounds, and the parts have to agree.
 */
#include "syscalls/reading.h"

#include <errno.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "lib/json_document.h"
#include "syscalls/recording_private.h"

#define COMMAND_MAX (64U << 10) /* words */

static void read_command(struct reading *reading, struct json_object *document)
{
	static const char what[] = "'command' is not a list of words";
	struct recording *recording = reading->recording;
	struct json_object *list = reading_list(reading, document, "command", COMMAND_MAX, what);
	size_t nr = reading_length(list);
	const char **words = pool_take(&recording->pool, nr * sizeof(*words));

	if (!words) {
		reading_fail(reading, -ENOMEM, NULL);
		return;
	}
	for (size_t i = 0; i < nr && !reading->err; i++)
		words[i] = reading_keep(reading, json_object_array_get_idx(list, i), what);
	recording->command = words;
	recording->nr_command = reading->err ? 0 : nr;
}

static void read_facts(struct reading *reading, struct json_object *document)
{
	struct recording *recording = reading->recording;
	const char *sha256;

	recording->engine = reading_kept(reading, document, "engine", "'engine' is not text");
	recording->kernel = reading_kept(reading, document, "kernel", "'kernel' is not text");
	recording->libc = reading_kept(reading, document, "libc", "'libc' is not text");
	recording->exe = reading_kept(reading, document, "exe", "'exe' is not text");
	recording->build_id = reading_kept(reading, document, "build_id", "'build_id' is not text");
	recording->is_mixed =
		reading_bool(reading, document, "is_mixed", "'is_mixed' is not true or false");
	sha256 = reading_kept(reading, document, "exe_sha256", "'exe_sha256' is not text");
	if (sha256 && !reading_is_hex(sha256, sizeof(recording->exe_sha256) - 1))
		reading_fail(reading, -EBADMSG, "'exe_sha256' is not 64 hexadecimal digits");
	else if (sha256)
		memcpy(recording->exe_sha256, sha256, sizeof(recording->exe_sha256));
	read_command(reading, document);
}

static void read_phase(struct reading *reading, struct json_object *object, size_t at)
{
	struct recording *recording = reading->recording;
	const char *point = reading_kept(reading, object, "point", "a phase's 'point' is not text");
	int phase;

	if (reading_number(reading, object, "phase", at, "a phase is not in its place") != at)
		reading_fail(reading, -EBADMSG, "a phase is not in its place");
	if ((at == 0) != (point == NULL))
		reading_fail(reading, -EBADMSG, "a phase without a point that begins it");
	if (reading->err)
		return;
	phase = at == 0 ? 0 : recording_add_phase(recording, point);
	if (phase < 0) {
		reading_fail(reading, phase, NULL);
		return;
	}
	recording->phases[phase].reason =
		reading_kept(reading, object, "reason", "a phase's 'reason' is not text");
	recording->phases[phase].nr_hits = reading_number(reading, object, "hits", UINT64_MAX,
							  "a phase's 'hits' is no number");
}

static void read_phases(struct reading *reading, struct json_object *document)
{
	struct json_object *list = reading_list(reading, document, "phases", RECORDING_PHASES_MAX,
						"'phases' is not a list of at most 65");

	if (reading_length(list) == 0)
		reading_fail(reading, -EBADMSG, "there are no 'phases'");
	for (size_t i = 0; i < reading_length(list) && !reading->err; i++)
		read_phase(reading, json_object_array_get_idx(list, i), i);
}

/* A number is what counts; a name that is another one's tells that something is wrong. */
static void check_name(struct reading *reading, struct json_object *object,
		       const struct recording_call *call)
{
	struct json_object *value = reading_member(object, "name");
	const char *name =
		value ? reading_text(reading, value, "a call's 'name' is not text") : NULL;
	const char *known = syscall_name((enum syscall_arch)call->arch, call->nr);

	if (name && known && strcmp(name, known) != 0)
		reading_fail(reading, -EBADMSG, "a call's 'name' is not that of its 'nr'");
}

static void read_call(struct reading *reading, uint32_t node, struct json_object *object)
{
	struct recording_call call = {
		.nr = (uint32_t)reading_number(reading, object, "nr", SYSCALLS_MAX - 1,
					       "a call's 'nr' is not a number below 1024"),
		.arch = reading_arch(reading, object),
		.count = reading_number(reading, object, "count", UINT64_MAX,
					"a call's 'count' is not a number"),
		.errors = reading_number(reading, object, "errors", UINT64_MAX,
					 "a call's 'errors' is not a number"),
		.first_seen_ns = reading_number(reading, object, "first_seen_ns", UINT64_MAX,
						"a call's 'first_seen_ns' is not a number"),
		.nr_runs = (uint32_t)reading_number(reading, object, "runs", RECORDING_RUNS_MAX,
						    "a call's 'runs' is not a number of runs"),
	};
	int err;

	check_name(reading, object, &call);
	if (call.count == 0)
		reading_fail(reading, -EBADMSG, "a call that was never made");
	if (call.errors > call.count)
		reading_fail(reading, -EBADMSG, "a call has more 'errors' than its 'count'");
	if (reading->err)
		return;
	err = recording_add_with_runs(reading->recording, node, &call);
	if (err)
		reading_fail(reading, err == -E2BIG ? -EBADMSG : err,
			     "more calls than a recording has");
}

static enum node_start read_start(struct reading *reading, struct json_object *object)
{
	const char *name =
		reading_text(reading, reading_member(object, "start"), "a 'start' is not text");

	for (int i = 0; name && i < NR_NODE_STARTS; i++)
		if (strcmp(name, node_start_name((enum node_start)i)) == 0)
			return (enum node_start)i;
	reading_fail(reading, -EBADMSG, "a 'start' that is not known");
	return NODE_START_command;
}

/* The id of the parent, which has to come before node AT. */
static uint32_t read_parent(struct reading *reading, struct json_object *object, size_t at)
{
	if (!reading_member(object, "parent"))
		return RECORDING_NONE;
	return (uint32_t)reading_number(reading, object, "parent", at ? at - 1 : 0,
					"a node's 'parent' does not come before it");
}

static void read_node(struct reading *reading, struct json_object *object, size_t at)
{
	struct recording *recording = reading->recording;
	const char *exe = reading_kept(reading, object, "exe", "a node's 'exe' is not text");
	const char *entry = reading_kept(reading, object, "entry", "a node's 'entry' is not text");
	uint32_t parent = read_parent(reading, object, at);
	enum node_start start = read_start(reading, object);
	uint64_t phase = reading_number(reading, object, "phase", recording->nr_phases - 1,
					"a node's 'phase' is not one of 'phases'");
	uint64_t instances = reading_number(reading, object, "instances", UINT64_MAX,
					    "a node's 'instances' is not a number");
	uint64_t runs = reading_number(reading, object, "runs", RECORDING_RUNS_MAX,
				       "a node's 'runs' is not a number of runs");
	struct json_object *calls = reading_list(reading, object, "calls", RECORDING_CALLS_MAX,
						 "a node's 'calls' is not a list of calls");
	int id;

	if (reading_number(reading, object, "id", at, "a node's 'id' is not its place") != at)
		reading_fail(reading, -EBADMSG, "a node's 'id' is not its place");
	if (!exe)
		reading_fail(reading, -EBADMSG, "a node without its 'exe'");
	if ((parent == RECORDING_NONE) != (start == NODE_START_command) || (at == 0 && parent == 0))
		reading_fail(reading, -EBADMSG,
			     "a node without its 'parent', or a command with one");
	if (reading->err)
		return;
	id = recording_node(recording, parent, start, (uint32_t)phase, exe, entry);
	if (id != (int)at) {
		reading_fail(reading, id < 0 ? id : -EBADMSG, "a node is there twice");
		return;
	}
	recording->nodes[id].nr_instances = instances;
	recording->nodes[id].nr_runs = (uint32_t)runs;
	for (size_t i = 0; i < reading_length(calls) && !reading->err; i++)
		read_call(reading, (uint32_t)id, json_object_array_get_idx(calls, i));
	if (!reading->err && recording->nodes[id].nr_calls != reading_length(calls))
		reading_fail(reading, -EBADMSG, "a call is there twice in a node");
}

static void read_nodes(struct reading *reading, struct json_object *document)
{
	struct json_object *list = reading_list(reading, document, "nodes", RECORDING_NODES_MAX,
						"'nodes' is not a list of at most 4096");

	for (size_t i = 0; i < reading_length(list) && !reading->err; i++)
		read_node(reading, json_object_array_get_idx(list, i), i);
}

/* What else of ours or others' the document is, by a key that it has. */
static const struct {
	const char *key;
	const char *what;
} others[] = {
	{ "policy_version", "not a recording: it is a policy" },
	{ "syscalls_diff_version", "not a recording: it is a comparison of two" },
	{ "snapshot_version", "not a recording: it is a snapshot" },
	{ "profile_version", "not a recording: it is a profile" },
	{ "defaultAction", "not a recording: it is a seccomp profile" },
};

static void read_version(struct reading *reading, struct json_object *document)
{
	struct json_object *version = reading_member(document, "recording_version");

	for (size_t i = 0; !version && i < sizeof(others) / sizeof(others[0]); i++)
		if (reading_member(document, others[i].key))
			reading_fail(reading, -EBADMSG, others[i].what);
	if (!json_object_is_type(version, json_type_string))
		reading_fail(reading, -EBADMSG, "not a recording");
	else if (strcmp(json_object_get_string(version), RECORDING_VERSION) != 0)
		reading_fail(reading, -EBADMSG, "a recording of another version than 1.0");
}

static void read_document(struct reading *reading, struct json_object *document)
{
	read_version(reading, document);
	if (!reading->err)
		read_facts(reading, document);
	if (!reading->err)
		read_phases(reading, document);
	if (!reading->err)
		read_nodes(reading, document);
	if (!reading->err)
		reading_runs(reading, document);
}

int recording_parse(const char *bytes, size_t size, struct recording **ret, const char **ret_what)
{
	static const char *const faults[] = {
		[JSON_FAULT_size] = "larger than 256 MiB",
		[JSON_FAULT_values] = "more values than a recording has",
		[JSON_FAULT_syntax] = "not a recording: it is not JSON",
	};
	struct json_object *document = NULL;
	enum json_fault fault = json_document_parse(bytes, size, &document);
	struct reading reading = { 0 };

	if (fault == JSON_FAULT_memory)
		return -ENOMEM;
	if (fault) {
		*ret_what = faults[fault];
		return -EBADMSG;
	}
	reading.err = recording_new(&reading.recording);
	if (!reading.err)
		read_document(&reading, document);
	json_object_put(document);
	if (reading.err) {
		recording_free(reading.recording);
		if (reading.err != -EBADMSG)
			return -ENOMEM;
		*ret_what = reading.what;
		return -EBADMSG;
	}
	*ret = reading.recording;
	return 0;
}
