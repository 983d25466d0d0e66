/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "catalogue/libraries.h"
#include "inventory/document_fields.h"
#include "inventory/profile.h"
#include "pipeline/record.h"

#define PROCESS(member)	   offsetof(struct profile_process, member)
#define LIBRARY(member)	   offsetof(struct profile_library, member)
#define FILE_AT(member)	   offsetof(struct profile_file, member)
#define MEMBER(member)	   offsetof(struct profile_member, member)
#define PROGRAM(member)	   offsetof(struct profile_program, member)
#define FUNCTION(member)   offsetof(struct profile_function, member)
#define ALGORITHM(member)  offsetof(struct profile_algorithm, member)
#define STATISTICS(member) offsetof(struct profile_statistics, member)
#define PROFILE(member)	   offsetof(struct profile, member)
#define DOCUMENT(member)   offsetof(struct profile_document, member)
#define HEADING(member)	   offsetof(struct profile_heading, member)
#define CERT(member)	   offsetof(struct snapshot_certificate, member)
#define KEY(member)	   offsetof(struct snapshot_key, member)

#define MAP(key, offset, table, what)                                                              \
	{                                                                                          \
		NAMED(key), .type = FIELD_MAP, .class = CLASS_PUBLIC, .get = get_list,             \
			    .at = (offset), .sub = (table), .help = (what)                         \
	}

/* Whether it was there before the run, or came during it. */
static void get_origin(const struct record *record, const struct field *field, struct value *ret)
{
	bool was_before;

	memcpy(&was_before, record->bytes + field->at, sizeof(was_before));
	value_set_constant(ret, was_before ? "snapshot" : "event");
}

static void get_mode(const struct record *record, const struct field *field, struct value *ret)
{
	static const char *const modes[] = { NULL, "read", "write", "read_write" };
	uint32_t mode;

	memcpy(&mode, record->bytes + field->at, sizeof(mode));
	if (mode > PROFILE_none && mode <= PROFILE_read_write)
		value_set_constant(ret, modes[mode]);
}

static void get_cmdline(const struct record *record, const struct field *field, struct value *ret)
{
	const struct profile_process *process = (const void *)record->bytes;

	(void)field;
	ret->str.bytes = process->cmdline;
	ret->str.size = process->cmdline_size;
	ret->present = process->cmdline != NULL;
}

static void get_container_id(const struct record *record, const struct field *field,
			     struct value *ret)
{
	const struct profile_process *process = (const void *)record->bytes;

	(void)field;
	if (process->container)
		value_set_constant(ret, process->container->id);
}

/* Only of a process that has ended. */
static void get_exit_code(const struct record *record, const struct field *field, struct value *ret)
{
	const struct profile_process *process = (const void *)record->bytes;

	(void)field;
	ret->s = process->exit_code;
	ret->present = process->has_ended;
}

static void get_members(const struct record *record, const struct field *field, struct value *ret)
{
	const struct profile *profile = (const void *)record->bytes;

	get_list(record, field, ret);
	ret->present = profile->has_members;
}

/* Whether a list is not whole. */
static void get_truncated(const struct record *record, const struct field *field, struct value *ret)
{
	struct item_list list;

	memcpy(&list, record->bytes + field->at, sizeof(list));
	ret->present = list.truncated;
	ret->b = true;
}

static void get_seconds(const struct record *record, const struct field *field, struct value *ret)
{
	uint64_t ms;

	memcpy(&ms, record->bytes + field->at, sizeof(ms));
	/* Rounded: a run of 10 s lasts a moment longer. */
	ret->u = (ms + 500) / 1000;
	ret->present = true;
}

/* clang-format off */
static const struct field process_table[] = {
	{ NAMED("pid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PROCESS(pid), .help = "process id" },
	{ NAMED("ppid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PROCESS(ppid), .help = "process id of its parent" },
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_comm,
	  .at = PROCESS(name), .help = "its name" },
	TEXT("exe", PROCESS(exe), CLASS_PATH, "the program it runs, or ran last"),
	{ NAMED("cmdline"), .type = FIELD_CMDLINE, .class = CLASS_ARGS, .get = get_cmdline,
	  .help = "its arguments" },
	{ NAMED("uid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PROCESS(uid), .help = "real user id" },
	{ NAMED("gid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PROCESS(gid), .help = "real group id" },
	TIME("start_time", PROCESS(start_ns), "when it was made, UTC"),
	{ NAMED("container"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_container_id, .help = "the container it runs in" },
	{ NAMED("exit_code"), .type = FIELD_S64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_exit_code, .help = "how it ended during the run; 128 + n by signal n" },
};
static const struct fields process_fields = FIELDS(process_table);

static const struct field library_table[] = {
	TEXT("name", LIBRARY(name), CLASS_PUBLIC, "name of the file"),
	TEXT("path", LIBRARY(path), CLASS_PATH, "the file"),
	{ NAMED("family"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = LIBRARY(family), .codes = &library_family_codes,
	  .help = "the project it belongs to" },
	TEXT("version", LIBRARY(version), CLASS_PUBLIC, "its version, from the file itself"),
	TIME("load_time", LIBRARY(load_ns),
	     "when it was mapped; the start of the process for what was there before"),
	{ NAMED("origin"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_origin,
	  .at = LIBRARY(was_before),
	  .help = "snapshot: it was there before the run; event: it was seen" },
	{ NAMED("stale"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = LIBRARY(is_stale), .help = "whether it was deleted or replaced on disk since" },
};
static const struct fields library_fields = FIELDS(library_table);

static const struct field file_table[] = {
	TEXT("path", FILE_AT(path), CLASS_PATH, "the file"),
	{ NAMED("type"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = FILE_AT(type), .codes = &file_type_codes, .help = "what it is" },
	{ NAMED("kind"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = FILE_AT(kind), .codes = &file_kind_codes, .help = "the same, finer" },
	COUNT("access_count", FILE_AT(access_count), "times it was opened"),
	COUNT("failures", FILE_AT(failures), "times it could not be"),
	{ NAMED("last_error"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_text, .at = FILE_AT(last_error), .help = "error of the last failure" },
	TIME("first_access", FILE_AT(first_ns), "when it was opened first, or was not"),
	TIME("last_access", FILE_AT(last_ns), "when it was opened last, or was not"),
	{ NAMED("mode"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_mode,
	  .at = FILE_AT(mode), .help = "what for: read, write, read_write" },
	{ NAMED("origin"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_origin,
	  .at = FILE_AT(was_before),
	  .help = "snapshot: it was open before the run; event: it was seen" },
};
static const struct fields file_fields = FIELDS(file_table);

static const struct field function_table[] = {
	TEXT("function", FUNCTION(name), CLASS_PUBLIC, "the function"),
	COUNT("count", FUNCTION(count), "how often it was called"),
};
static const struct fields function_fields = FIELDS(function_table);

static const struct field algorithm_table[] = {
	TEXT("name", ALGORITHM(name), CLASS_TEXT, "the algorithm, or what the program calls it"),
	COUNT("count", ALGORITHM(count), "calls with it"),
	TEXTS("functions", ALGORITHM(functions), CLASS_PUBLIC, "the functions that were called"),
};
static const struct fields algorithm_fields = FIELDS(algorithm_table);

static const struct field program_table[] = {
	TEXT("exe", PROGRAM(exe), CLASS_PATH, "the program"),
	TIME("at", PROGRAM(at_ns), "when it was executed"),
};
static const struct fields program_fields = FIELDS(program_table);

static const struct field certificate_table[] = {
	TEXT("file", CERT(file), CLASS_PATH, "where it is"),
};
static const struct fields certificate_item = FIELDS_AFTER(&certificate_fields, certificate_table);

static const struct field key_table[] = {
	TEXT("file", KEY(file), CLASS_PATH, "where it is"),
};
static const struct fields key_item = FIELDS_AFTER(&key_fields, key_table);

static const struct field member_table[] = {
	{ NAMED("pid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = MEMBER(pid), .help = "process id" },
	{ NAMED("ppid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = MEMBER(ppid), .help = "process id of its parent" },
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_comm,
	  .at = MEMBER(name), .help = "its name" },
	TIME("start_time", MEMBER(start_ns), "when it was made, UTC"),
	COUNT("events", MEMBER(events), "events of it during the run"),
	{ NAMED("ended"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = MEMBER(has_ended), .help = "whether it ended during the run" },
};
static const struct fields member_fields = FIELDS(member_table);

static const struct field statistics_table[] = {
	COUNT("total_events", STATISTICS(total_events), "events during the run"),
	COUNT("libraries_loaded", STATISTICS(libraries_loaded), "different crypto libraries"),
	COUNT("files_accessed", STATISTICS(files_accessed), "different crypto files"),
	COUNT("file_accesses", STATISTICS(file_accesses), "times that one was opened"),
	COUNT("failed_accesses", STATISTICS(failed_accesses), "times that one could not be"),
	COUNT("api_calls_made", STATISTICS(api_calls_made), "calls of crypto functions"),
	COUNT("tls_handshakes", STATISTICS(tls_handshakes), "handshakes of TLS"),
	COUNT("ssh_handshakes", STATISTICS(ssh_handshakes), "handshakes of SSH"),
	COUNT("connections_before", STATISTICS(connections_before),
	      "connections before the run, of processes that have code of TLS or SSH"),
	COUNT("processes", STATISTICS(processes), "processes"),
	COUNT("programs_executed", STATISTICS(programs_executed),
	      "programs executed during the run"),
};
static const struct fields statistics_fields = FIELDS(statistics_table);

static const struct field profile_table[] = {
	{ NAMED("duration_seconds"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_seconds,
	  .at = PROFILE(duration_ms), .help = "how long was looked" },
	{ NAMED("process"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = PROFILE(process), .sub = &process_fields, .help = "the process" },
	{ NAMED("processes"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_members, .at = PROFILE(members), .sub = &member_fields,
	  .help = "it and its descendants, with --follow-children" },
	LIST("programs", PROFILE(programs), &program_fields, "programs executed during the run"),
	LIST("libraries", PROFILE(libraries), &library_fields, "crypto libraries, by path"),
	LIST("files_accessed", PROFILE(files), &file_fields, "crypto files, by path"),
	MAP("api_calls", PROFILE(api_calls), &function_fields,
	    "calls of crypto functions, by name"),
	MAP("algorithms", PROFILE(algorithms), &algorithm_fields,
	    "algorithms that these calls used, by name"),
	LIST("crypto_providers", PROFILE(providers), &provider_fields,
	     "implementations of cryptography in it"),
	LIST("certificates", PROFILE(certificates), &certificate_item,
	     "certificates in files it opened, but for CA bundles"),
	LIST("keys", PROFILE(keys), &key_item, "keys in files it opened"),
	LIST("tls_sessions", PROFILE(tls_sessions), &tls_session_fields,
	     "handshakes of TLS, those that agreed on the same with the same peer as one"),
	{ NAMED("tls_sessions_truncated"), .type = FIELD_BOOL, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_truncated, .at = PROFILE(tls_sessions),
	  .help = "there were more than 1,024 different ones" },
	LIST("ssh_sessions", PROFILE(ssh_sessions), &ssh_session_fields, "the same of SSH"),
	{ NAMED("ssh_sessions_truncated"), .type = FIELD_BOOL, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_truncated, .at = PROFILE(ssh_sessions),
	  .help = "there were more than 1,024 different ones" },
	LIST("findings", PROFILE(findings), &finding_fields,
	     "what somebody should look at, the worst first"),
	{ NAMED("statistics"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = PROFILE(statistics), .sub = &statistics_fields, .help = "counts" },
};
static const struct fields profile_item = FIELDS(profile_table);

static const struct field heading_table[] = {
	{ NAMED("schema_version"), .type = FIELD_STR, .class = CLASS_PUBLIC,
	  .get = get_schema_version, .help = "version of these names and shapes" },
	{ NAMED("profile_version"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_document_version,
	  .help = "version of this document" },
	TIME("generated_at", HEADING(now_ns), "when it was made, UTC"),
	TEXT("hostname", HEADING(hostname), CLASS_HOST, "name of the host"),
	TEXT("kernel", HEADING(kernel), CLASS_PUBLIC, "release of its kernel"),
};
static const struct fields heading_fields = FIELDS(heading_table);

static const struct field coverage_table[] = {
	{ NAMED("coverage"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_pointer,
	  .at = HEADING(coverage), .sub = &coverage_fields,
	  .help = "what was and was not seen" },
};

static const struct field profiles_table[] = {
	LIST("profiles", DOCUMENT(profiles), &profile_item, "one for each process that was meant"),
	{ NAMED("summary"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = DOCUMENT(summary), .sub = &statistics_fields, .help = "the sums of their counts" },
};
/* clang-format on */

/* Both begin with a struct profile_heading, the last member of which comes at the end. */
static const struct fields profile_head = FIELDS_AFTER(&heading_fields, profile_table);
static const struct fields profiles_head = FIELDS_AFTER(&heading_fields, profiles_table);

const struct fields profile_fields = FIELDS_AFTER(&profile_head, coverage_table);
const struct fields profiles_fields = FIELDS_AFTER(&profiles_head, coverage_table);
