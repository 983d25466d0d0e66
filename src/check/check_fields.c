/* SPDX-License-Identifier: MIT */
/* The shape of the document. */
#include <string.h>

#include "check/check.h"
#include "inventory/document_fields.h"

#define FEATURE_AT(member) offsetof(struct check_feature, member)
#define HOST(member)	   offsetof(struct check_host, member)
#define SUMMARY(member)	   offsetof(struct check_summary, member)
#define DOCUMENT(member)   offsetof(struct check, member)

static const struct code_entry status_entries[] = {
	{ CHECK_WORKS, "works", NULL },
	{ CHECK_LIMITED, "limited", NULL },
	{ CHECK_UNAVAILABLE, "unavailable", NULL },
};
const struct code_table check_status_codes = { "check_status", status_entries,
					       ARRAY_SIZE(status_entries) };

static const struct code_entry cause_entries[] = {
	{ CHECK_PRIVILEGES, "privileges", NULL },
	{ CHECK_ENVIRONMENT, "environment", NULL },
	{ CHECK_KERNEL, "kernel", NULL },
};
static const struct code_table cause_codes = { "check_cause", cause_entries,
					       ARRAY_SIZE(cause_entries) };

/* A char array, terminated; an empty one has no value. */
static void get_buffer(const struct record *record, const struct field *field, struct value *ret)
{
	const char *text = (const char *)record->bytes + field->at;

	if (*text)
		value_set_constant(ret, text);
}

static void get_cause(const struct record *record, const struct field *field, struct value *ret)
{
	get_u32(record, field, ret);
	ret->present = ret->u != CHECK_NOTHING;
}

static void get_setting(const struct record *record, const struct field *field, struct value *ret)
{
	get_s32(record, field, ret);
	ret->present = ret->s != CHECK_UNKNOWN;
}

/* clang-format off */
#define BUFFER(key, offset, kind, what)                                                            \
	{ NAMED(key), .type = FIELD_STR, .class = (kind), .get = get_buffer, .at = (offset),       \
	  .help = (what) }
#define SETTING(key, offset, what)                                                                 \
	{ NAMED(key), .type = FIELD_S64, .class = CLASS_PUBLIC, .get = get_setting,                \
	  .at = (offset), .help = (what) }
#define FLAG(key, offset, what)                                                                    \
	{ NAMED(key), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,                  \
	  .at = (offset), .help = (what) }

static const struct field feature_table[] = {
	TEXT("name", FEATURE_AT(name), CLASS_PUBLIC, "an event, a command or a part of one"),
	{ NAMED("status"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = FEATURE_AT(verdict.status), .codes = &check_status_codes,
	  .help = "works, limited (not all of it) or unavailable" },
	TEXT("hook", FEATURE_AT(hook), CLASS_PUBLIC, "by what it is done here"),
	{ NAMED("cause"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_cause,
	  .at = FEATURE_AT(verdict.cause), .codes = &cause_codes,
	  .help = "what is in the way: privileges of this process, its environment (a setting, "
		  "a container) or the kernel" },
	BUFFER("why", FEATURE_AT(verdict.why), CLASS_PUBLIC, "why it does not work, or not wholly"),
	BUFFER("remedy", FEATURE_AT(verdict.remedy), CLASS_PUBLIC, "what to do about it"),
	BUFFER("command", FEATURE_AT(verdict.command), CLASS_PUBLIC, "what to type for that"),
	TEXT("description", FEATURE_AT(help), CLASS_PUBLIC, "what the feature is"),
};
static const struct fields feature_fields = FIELDS(feature_table);

static const struct field host_table[] = {
	TEXT("arch", HOST(arch), CLASS_PUBLIC, "machine, as uname(2) has it"),
	{ NAMED("uid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32, .at = HOST(uid),
	  .help = "real user id of this process" },
	FLAG("btf", HOST(has_btf), "whether the kernel's type information can be read"),
	BUFFER("tracefs", HOST(tracefs), CLASS_PUBLIC, "the tracing file system: where, or why not"),
	BUFFER("cgroup2", HOST(cgroup2), CLASS_PUBLIC, "control groups v2: where, or why not"),
	BUFFER("proc", HOST(proc), CLASS_PUBLIC, "which processes /proc has"),
	BUFFER("lockdown", HOST(lockdown), CLASS_PUBLIC, "kernel lockdown in force"),
	SETTING("unprivileged_bpf_disabled", HOST(unprivileged_bpf_disabled),
		"sysctl kernel.unprivileged_bpf_disabled"),
	SETTING("perf_event_paranoid", HOST(perf_event_paranoid),
		"sysctl kernel.perf_event_paranoid"),
	SETTING("ptrace_scope", HOST(ptrace_scope), "sysctl kernel.yama.ptrace_scope"),
	FLAG("seccomp_filter", HOST(has_filter), "whether this process was started under a filter"),
	FLAG("user_namespace", HOST(has_user_namespace), "whether it is in a user namespace"),
	FLAG("pid_namespace", HOST(has_pid_namespace), "whether it is in a pid namespace"),
	FLAG("cgroup_namespace", HOST(has_cgroup_namespace),
	     "whether it is in a control group namespace"),
	TEXT("container", HOST(container), CLASS_PUBLIC, "who made the container that it is in"),
	TEXTS("capabilities", HOST(effective_names), CLASS_PUBLIC, "effective capabilities"),
	TEXTS("capabilities_missing", HOST(missing_names), CLASS_PUBLIC,
	      "those for want of which a feature is not whole"),
};
static const struct fields host_fields = FIELDS(host_table);

static const struct field summary_table[] = {
	COUNT("works", SUMMARY(works), "features that work"),
	COUNT("limited", SUMMARY(limited), "features of which not all works"),
	COUNT("unavailable", SUMMARY(unavailable), "features that do not work"),
};
static const struct fields summary_fields = FIELDS(summary_table);

static const struct field check_table[] = {
	{ NAMED("schema_version"), .type = FIELD_STR, .class = CLASS_PUBLIC,
	  .get = get_schema_version, .help = "version of these names and shapes" },
	{ NAMED("check_version"), .type = FIELD_STR, .class = CLASS_PUBLIC,
	  .get = get_document_version, .help = "version of this document" },
	{ NAMED("tool"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_tool,
	  .help = "name and version of this tool" },
	TIME("generated_at", DOCUMENT(now_ns), "when it was tried, UTC"),
	TEXT("hostname", DOCUMENT(hostname), CLASS_HOST, "name of the host"),
	TEXT("kernel", DOCUMENT(kernel), CLASS_PUBLIC, "release of its kernel"),
	{ NAMED("host"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = DOCUMENT(host), .sub = &host_fields, .help = "facts of the host and this process" },
	LIST("features", DOCUMENT(features), &feature_fields, "what was tried"),
	{ NAMED("summary"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = DOCUMENT(summary), .sub = &summary_fields, .help = "counts" },
};
/* clang-format on */

const struct fields check_fields = FIELDS(check_table);
