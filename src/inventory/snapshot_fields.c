/* SPDX-License-Identifier: MIT */
#include "inventory/document_fields.h"
#include "inventory/snapshot.h"
#include "pipeline/record.h"

#include <string.h>

#define PROCESS(member)	 offsetof(struct snapshot_process, member)
#define STALE(member)	 offsetof(struct snapshot_stale, member)
#define OPEN(member)	 offsetof(struct snapshot_connection, member)
#define CERT(member)	 offsetof(struct snapshot_certificate, member)
#define KEY(member)	 offsetof(struct snapshot_key, member)
#define SUMMARY(member)	 offsetof(struct snapshot_summary, member)
#define DOCUMENT(member) offsetof(struct snapshot, member)

static void get_container_id(const struct record *record, const struct field *field,
			     struct value *ret)
{
	const struct snapshot_process *process = (const void *)record->bytes;

	(void)field;
	if (!process->container)
		return;
	ret->str.bytes = process->container->id;
	ret->str.size = strlen(ret->str.bytes);
	ret->present = true;
}

static void get_role(const struct record *record, const struct field *field, struct value *ret)
{
	const struct snapshot_connection *connection = (const void *)record->bytes;

	(void)field;
	value_set_constant(ret, connection->is_server ? "server" : "client");
}

static void get_negotiated(const struct record *record, const struct field *field,
			   struct value *ret)
{
	(void)record;
	(void)field;
	value_set_constant(ret, CONNECTION_UNKNOWN);
}

/* Left out when it is not so, or not known. */
static void get_true(const struct record *record, const struct field *field, struct value *ret)
{
	get_bool(record, field, ret);
	ret->present = ret->b;
}

/* A char array, NUL-terminated, which is empty where nothing is known. */
static void get_array(const struct record *record, const struct field *field, struct value *ret)
{
	ret->str.bytes = (const char *)record->bytes + field->at;
	ret->str.size = strlen(ret->str.bytes);
	ret->present = ret->str.size > 0;
}

/* A list that is left out when it is empty. */
static void get_some(const struct record *record, const struct field *field, struct value *ret)
{
	get_texts(record, field, ret);
	ret->present = ret->str.size > 0;
}

/* A list that is not known, with --no-inspect, instead of empty. */
static void get_known(const struct record *record, const struct field *field, struct value *ret)
{
	get_list(record, field, ret);
	ret->present = ret->list.items != NULL;
}

/* clang-format off */
static const struct field stale_table[] = {
	TEXT("path", STALE(path), CLASS_PATH, "the library"),
	TEXT("version", STALE(version), CLASS_PUBLIC, "version in use, from the file itself"),
	TEXT("disk_version", STALE(disk_version), CLASS_PUBLIC,
	     "version of the file that has its place now"),
};
static const struct fields stale_fields = FIELDS(stale_table);

static const struct field connection_table[] = {
	{ NAMED("local"), .type = FIELD_STR, .class = CLASS_ADDR, .get = get_array,
	  .at = OPEN(local), .help = "address and port of this end" },
	{ NAMED("peer"), .type = FIELD_STR, .class = CLASS_ADDR, .get = get_array,
	  .at = OPEN(peer), .help = "address and port of the other" },
	{ NAMED("role"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_role,
	  .help = "server where somebody listens on the local port, else client" },
	{ NAMED("ktls"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_true, .at = OPEN(is_ktls), .help = "the kernel encrypts it" },
	{ NAMED("negotiated"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_negotiated,
	  .help = "that it is not known what it agreed on, if on anything: " CONNECTION_UNKNOWN },
};
static const struct fields connection_fields = FIELDS(connection_table);

static const struct field process_table[] = {
	{ NAMED("pid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PROCESS(pid), .help = "process id" },
	{ NAMED("ppid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PROCESS(ppid), .help = "process id of its parent" },
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_comm,
	  .at = PROCESS(name), .help = "its name" },
	TEXT("exe", PROCESS(exe), CLASS_PATH, "the program it runs"),
	{ NAMED("start_time"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = PROCESS(start_ns), .help = "when it was made, UTC, to 10 ms" },
	TEXT("running_as", PROCESS(running_as), CLASS_USER, "the user"),
	{ NAMED("container"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_container_id, .help = "the container it runs in" },
	TEXTS("libraries", PROCESS(libraries), CLASS_PUBLIC, "names of mapped crypto libraries"),
	TEXTS("library_paths", PROCESS(library_paths), CLASS_PATH, "their paths"),
	LIST("stale_libraries", PROCESS(stale_libraries), &stale_fields,
	     "libraries that were deleted or replaced on disk since"),
	TEXTS("open_crypto_files", PROCESS(open_crypto_files), CLASS_PATH,
	      "certificates, keys and the like that it has open"),
	TEXTS("deleted_files", PROCESS(deleted_files), CLASS_PATH,
	      "those of them that were deleted"),
	LIST("connections", PROCESS(connections), &connection_fields,
	     "its TCP connections, 1,024 at most, by address"),
	COUNT("connection_count", PROCESS(nr_connections), "how many there are"),
	LIST("crypto_providers", PROCESS(providers), &provider_fields,
	     "implementations of cryptography in it"),
	{ NAMED("kernel_crypto"), .type = FIELD_STRV, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_some, .at = PROCESS(kernel_crypto),
	  .help = "kernel crypto that its sockets use: AF_ALG, kTLS" },
	{ NAMED("fips_evidence"), .type = FIELD_STRV, .class = CLASS_TEXT, .presence = SOMETIMES,
	  .get = get_some, .at = PROCESS(fips_evidence),
	  .help = "what speaks for FIPS mode; no proof of validation" },
};
static const struct fields process_fields = FIELDS(process_table);

static const struct field certificate_table[] = {
	TEXT("file", CERT(file), CLASS_PATH, "where it is"),
	LIST("processes", CERT(processes), &process_name_fields, "who has it open"),
};
static const struct fields certificate_item = FIELDS_AFTER(&certificate_fields, certificate_table);

static const struct field key_table[] = {
	TEXT("file", KEY(file), CLASS_PATH, "where it is"),
	{ NAMED("mode"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_array,
	  .at = KEY(mode), .help = "permissions of the file, octal" },
	TEXT("owner", KEY(owner), CLASS_USER, "its owner"),
	LIST("processes", KEY(processes), &process_name_fields, "who has it open"),
};
static const struct fields key_item = FIELDS_AFTER(&key_fields, key_table);

static const struct field summary_table[] = {
	COUNT("total_processes", SUMMARY(total_processes), "processes that use cryptography"),
	COUNT("total_libraries", SUMMARY(total_libraries),
	      "mapped crypto libraries, counted once for each process"),
	COUNT("unique_libraries", SUMMARY(unique_libraries), "different ones"),
	COUNT("total_files", SUMMARY(total_files),
	      "open crypto files, counted once for each process"),
	COUNT("unique_files", SUMMARY(unique_files), "different ones"),
	COUNT("certificates", SUMMARY(certificates), "certificates in them"),
	COUNT("keys", SUMMARY(keys), "keys in them"),
	COUNT("findings", SUMMARY(findings), "findings"),
	COUNT("connections", SUMMARY(connections),
	      "different TCP connections of these processes"),
};
static const struct fields summary_fields = FIELDS(summary_table);

static const struct field snapshot_table[] = {
	{ NAMED("schema_version"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_schema_version,
	  .help = "version of these names and shapes" },
	{ NAMED("snapshot_version"), .type = FIELD_STR, .class = CLASS_PUBLIC,
	  .get = get_document_version, .help = "version of this document" },
	{ NAMED("generated_at"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = DOCUMENT(now_ns), .help = "when it was taken, UTC" },
	{ NAMED("tool"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_tool,
	  .help = "name and version" },
	TEXT("hostname", DOCUMENT(hostname), CLASS_HOST, "name of the host"),
	TEXT("kernel", DOCUMENT(kernel), CLASS_PUBLIC, "release of its kernel"),
	LIST("processes", DOCUMENT(processes), &process_fields,
	     "processes that use cryptography, by process id"),
	{ NAMED("certificates"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_known,
	  .at = DOCUMENT(certificates), .sub = &certificate_item,
	  .help = "certificates in files that are open; null with --no-inspect" },
	{ NAMED("keys"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_known,
	  .at = DOCUMENT(keys), .sub = &key_item,
	  .help = "keys in files that are open; null with --no-inspect" },
	LIST("findings", DOCUMENT(findings), &finding_fields,
	     "what somebody should look at, the worst first"),
	{ NAMED("host_crypto"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_pointer,
	  .at = DOCUMENT(host), .sub = &host_crypto_fields,
	  .help = "users of cryptography that are no process" },
	{ NAMED("summary"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = DOCUMENT(summary), .sub = &summary_fields, .help = "counts" },
	{ NAMED("coverage"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = DOCUMENT(coverage), .sub = &document_coverage_fields,
	  .help = "what was and was not looked into" },
};
/* clang-format on */

const struct fields snapshot_fields = FIELDS(snapshot_table);
