/* SPDX-License-Identifier: MIT */
/*
 * {"syscalls_verify_version", "schema_version", "tool", "policy", "command": [WORD...], "status",
 *  "duration_ns", "phases": [{"phase", "point"}...], "notes": [TEXT...],
 *  "refused": [{"process", "exe", "pid", "phase", "name", "nr", "arch", "error", "by_argument",
 *	"file", "offset", "at", "symbol", "count", "first_seen_ns"}...],
 *  "summary": {"calls", "kinds", "not_listed"}}
 *
 * A line is a refusal.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "syscalls/refusals.h"

#define VERIFY_VERSION "1.0"
#define SCHEMA_VERSION "1.0"
#define TEXT_SIZE      (WHERE_SYMBOL_SIZE + 32)

static void write_arch(struct json *json, const struct refusal *refusal)
{
	char text[16];

	if (refusal->arch < NR_SYSCALL_ARCHES) {
		json_cstring(json, syscall_arch_name((enum syscall_arch)refusal->arch));
		return;
	}
	snprintf(text, sizeof(text), "0x%" PRIx32, refusal->audit);
	json_cstring(json, text);
}

static void write_place(struct json *json, const struct refusal *refusal)
{
	_cleanup_(cleanup_free) char *at = NULL;
	char symbol[TEXT_SIZE];

	JSON_KEY(json, "file");
	json_cstring(json, refusal->file);
	JSON_KEY(json, "offset");
	json_id64(json, refusal->offset);
	JSON_KEY(json, "at");
	if (asprintf(&at, "%s%s0x%" PRIx64, refusal->file ? refusal->file : "",
		     refusal->file ? "+" : "", refusal->offset) < 0)
		at = NULL;
	json_cstring(json, at);
	snprintf(symbol, sizeof(symbol), "%s+0x%" PRIx64, refusal->symbol ? refusal->symbol : "",
		 refusal->into);
	JSON_KEY(json, "symbol");
	json_cstring(json, refusal->symbol ? symbol : NULL);
}

static void write_refusal(struct json *json, const struct refusal *refusal)
{
	json_newline(json);
	json_object_begin(json);
	JSON_KEY(json, "process");
	json_cstring(json, refusal->process);
	JSON_KEY(json, "exe");
	json_cstring(json, refusal->exe);
	JSON_KEY(json, "pid");
	json_s64(json, refusal->pid);
	JSON_KEY(json, "phase");
	json_u64(json, refusal->phase);
	JSON_KEY(json, "name");
	json_cstring(json, refusal->arch < NR_SYSCALL_ARCHES
				   ? syscall_name((enum syscall_arch)refusal->arch, refusal->nr)
				   : NULL);
	JSON_KEY(json, "nr");
	json_u64(json, refusal->nr);
	JSON_KEY(json, "arch");
	write_arch(json, refusal);
	JSON_KEY(json, "error");
	json_cstring(json, refusal->error ? refusal_error(refusal->error) : NULL);
	JSON_KEY(json, "by_argument");
	json_bool(json, refusal->by_argument);
	write_place(json, refusal);
	JSON_KEY(json, "count");
	json_u64(json, refusal->count);
	JSON_KEY(json, "first_seen_ns");
	json_u64(json, refusal->first_ns);
	json_object_end(json);
}

static void write_run(struct json *json, const struct refusals_run *run)
{
	JSON_KEY(json, "policy");
	json_cstring(json, run->policy);
	JSON_KEY(json, "command");
	json_array_begin(json);
	for (size_t i = 0; run->command[i]; i++)
		json_cstring(json, run->command[i]);
	json_array_end(json);
	JSON_KEY(json, "status");
	json_s64(json, run->status);
	JSON_KEY(json, "duration_ns");
	json_u64(json, run->duration_ns);
	JSON_KEY(json, "phases");
	json_array_begin(json);
	for (size_t i = 0; i < run->nr_phases; i++) {
		json_object_begin(json);
		JSON_KEY(json, "phase");
		json_u64(json, i);
		JSON_KEY(json, "point");
		json_cstring(json, run->points[i]);
		json_object_end(json);
	}
	json_array_end(json);
	JSON_KEY(json, "notes");
	json_array_begin(json);
	for (size_t i = 0; i < run->nr_notes; i++)
		json_cstring(json, run->notes[i]);
	json_array_end(json);
}

static void write_all(struct json *json, const struct refusals *refusals,
		      const struct refusals_run *run)
{
	json_object_begin(json);
	JSON_KEY(json, "syscalls_verify_version");
	json_cstring(json, VERIFY_VERSION);
	JSON_KEY(json, "schema_version");
	json_cstring(json, SCHEMA_VERSION);
	JSON_KEY(json, "tool");
	json_cstring(json, "crypto-tracer " VERSION);
	write_run(json, run);
	JSON_KEY(json, "refused");
	json_array_begin(json);
	for (size_t i = 0; i < refusals->nr; i++)
		write_refusal(json, refusals->list[i]);
	json_array_end(json);
	JSON_KEY(json, "summary");
	json_object_begin(json);
	JSON_KEY(json, "calls");
	json_u64(json, refusals->total);
	JSON_KEY(json, "kinds");
	json_u64(json, refusals->nr);
	JSON_KEY(json, "not_listed");
	json_u64(json, refusals->nr_other);
	json_object_end(json);
	json_object_end(json);
	json_newline(json);
}

int refusals_render(const struct refusals *refusals, const struct refusals_run *run, char **ret,
		    size_t *ret_size)
{
	struct memory_json memory;

	if (memory_json_begin(&memory, JSON_COMPACT))
		return -ENOMEM;
	write_all(&memory.json, refusals, run);
	return memory_json_end(&memory, 0, ret, ret_size);
}
