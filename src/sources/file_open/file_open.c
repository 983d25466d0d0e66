/* SPDX-License-Identifier: MIT */
#include "sources/file_open/content.h"
#include "sources/file_open/file_open.h"

#include <string.h>

#include "catalogue/codes.h"
#include "catalogue/files.h"
#include "lib/path.h"
#include "sources/source.h"

EMBED_OBJECT(file_open);

enum {
	SLOT_PATH = SLOT_OWN,
	SLOT_TYPE,
	SLOT_KIND,
	SLOT_CONTENT,
};

#define RESULT_TEXT_SIZE sizeof("errno 4294967295")
#define AT(member)	 offsetof(struct file_open_event, member)

static const struct file_open_event *event_of(const struct record *record)
{
	return (const void *)record->bytes;
}

static void get_result(const struct record *record, const struct field *field, struct value *ret)
{
	int32_t result = event_of(record)->result;
	const char *name = "success";
	char *number;

	(void)field;
	if (result < 0) {
		name = code_name(&errno_codes, (uint64_t) - (int64_t)result);
		number = name ? NULL : arena_take(record->arena, RESULT_TEXT_SIZE);
		if (number)
			snprintf(number, RESULT_TEXT_SIZE, "errno %u", -(uint32_t)result);
		if (!name)
			name = number;
	}
	ret->str.bytes = name;
	ret->str.size = name ? strlen(name) : 0;
	ret->present = name != NULL;
}

static void get_inode(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->u = event_of(record)->inode;
	ret->present = ret->u != 0;
}

static void get_truncated(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->b = true;
	ret->present = event_of(record)->marks & (OPEN_NAME_CUT | OPEN_DIR_CUT);
}

static const struct content *content_of(const struct record *record)
{
	return record->slots[SLOT_CONTENT].present ? record->slots[SLOT_CONTENT].obj : NULL;
}

/* The first FILE_OPEN_ITEMS_MAX of LIST. */
static void get_some(const struct item_list *list, struct value *ret)
{
	if (!list || !list->count)
		return;
	ret->list.items = list->items;
	ret->list.count = list->count < FILE_OPEN_ITEMS_MAX ? list->count : FILE_OPEN_ITEMS_MAX;
	ret->list.stride = list->stride;
	ret->list.truncated = list->count > FILE_OPEN_ITEMS_MAX;
	ret->present = true;
}

static void get_certificates(const struct record *record, const struct field *field,
			     struct value *ret)
{
	const struct content *content = content_of(record);

	(void)field;
	/* Hundreds of CAs, in every event of the bundle, tell nobody anything. */
	if (content && content->kind != FILE_KIND_ca_bundle)
		get_some(&content->certificates, ret);
}

static void get_certificate_count(const struct record *record, const struct field *field,
				  struct value *ret)
{
	const struct content *content = content_of(record);

	(void)field;
	ret->u = content ? content->certificates.count : 0;
	ret->present = ret->u > 0;
}

static void get_keys(const struct record *record, const struct field *field, struct value *ret)
{
	const struct content *content = content_of(record);

	(void)field;
	get_some(content ? &content->keys : NULL, ret);
}

static void get_findings(const struct record *record, const struct field *field, struct value *ret)
{
	const struct content *content = content_of(record);

	(void)field;
	get_some(content ? &content->findings : NULL, ret);
}

static void get_origin(const struct record *record, const struct field *field, struct value *ret)
{
	static const char origin[] = "snapshot";

	(void)field;
	ret->str.bytes = origin;
	ret->str.size = sizeof(origin) - 1;
	ret->present = event_of(record)->marks & OPEN_BEFORE;
}

static void get_deleted(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->b = true;
	ret->present = event_of(record)->marks & OPEN_DELETED;
}

/* clang-format off */
static const struct field file_open_fields[] = {
	{ NAMED("file"), .type = FIELD_STR, .class = CLASS_PATH, .role = ROLE_FILE,
	  .get = get_slot, .at = SLOT_PATH, .text = TEXT_BARE,
	  .help = "the file as the process names it, made absolute" },
	{ NAMED("flags"), .type = FIELD_FLAGS, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = AT(flags), .format = open_flags_format, .text = TEXT_BARE,
	  .help = "flags of open(2)" },
	{ NAMED("result"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_result,
	  .text = TEXT_BARE,
	  .help = "success, or the name of the error" },
	{ NAMED("file_type"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_slot,
	  .at = SLOT_TYPE, .codes = &file_type_codes, .text = TEXT_HIDDEN,
	  .help = "what it is, by its content where that was looked into, else by its name" },
	{ NAMED("file_kind"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_slot,
	  .at = SLOT_KIND, .codes = &file_kind_codes, .text = TEXT_BARE,
	  .help = "the same, finer" },
	{ NAMED("dev"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_dev, .at = AT(dev_major), .text = TEXT_HIDDEN,
	  .help = "device of the opened file, major:minor" },
	{ NAMED("inode"), .type = FIELD_ID64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_inode, .text = TEXT_HIDDEN, .help = "its inode there" },
	{ NAMED("real_path"), .type = FIELD_STR, .class = CLASS_PATH, .presence = SOMETIMES,
	  .role = ROLE_FILE, .get = get_tail, .at = AT(real), .text = TEXT_HIDDEN,
	  .help = "the opened file with symbolic links resolved (--resolve)" },
	{ NAMED("truncated"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_truncated, .help = "the beginning of the path, or the end of the name, is missing" },
	{ NAMED("origin"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_origin, .text = TEXT_HIDDEN,
	  .help = "snapshot: it was found open, not seen to be opened" },
	{ NAMED("deleted"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_deleted, .help = "it was found open, and has no name any more" },
	{ NAMED("certificate_count"), .type = FIELD_U64, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_certificate_count, .text = TEXT_HIDDEN,
	  .help = "certificates in it" },
	{ NAMED("certificates"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_certificates, .sub = &certificate_fields, .text = TEXT_HIDDEN,
	  .help = "the first 4 of them, unless it is a CA bundle" },
	{ NAMED("keys"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_keys, .sub = &key_fields, .text = TEXT_HIDDEN,
	  .help = "the first 4 keys in it: what they are, never a byte of them" },
	{ NAMED("findings"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_findings, .sub = &finding_fields,
	  .help = "what somebody should look at" },
};
/* clang-format on */

/* Joins directory and name, and collapses what the kernel would. */
static int join(struct record *record)
{
	const struct file_open_event *event = event_of(record);
	const char *bytes = (const char *)record->bytes;
	char *path = arena_take(record->arena, (size_t)event->dir.size + event->name.size + 2);

	if (event->name.size == 0 || !path)
		return STAGE_MALFORMED;

	size_t size = 0;

	if (event->dir.size > 0) {
		memcpy(path, bytes + event->dir.off, event->dir.size);
		size = event->dir.size;
		path[size++] = '/';
	}
	memcpy(path + size, bytes + event->name.off, event->name.size);
	size = path_collapse(path, size + event->name.size);
	slot_set_str(record, SLOT_PATH, path, size);
	return STAGE_NEXT;
}

static int file_open_decode(struct record *record)
{
	int result = join(record);
	const struct value *path = &record->slots[SLOT_PATH];

	if (result != STAGE_NEXT)
		return result;

	/* The kernel lets a few names through that only look alike, and those of --file. */
	const struct file_class *class = file_classify(path->str.bytes, path->str.size);

	slot_set_u64(record, SLOT_TYPE, class ? class->type : FILE_TYPE_unknown);
	slot_set_u64(record, SLOT_KIND, class ? class->kind : FILE_KIND_unknown);
	return STAGE_NEXT;
}

bool file_open_subject(const struct record *record, struct file_open_subject *ret)
{
	const struct file_open_event *event = event_of(record);
	const struct value *path = &record->slots[SLOT_PATH];

	/* What is left of a name may be that of another file. */
	bool is_whole = !(event->marks & (OPEN_NAME_CUT | OPEN_DIR_CUT | OPEN_OUTSIDE));

	if (event->result < 0 || !content_is_told((uint32_t)record->slots[SLOT_KIND].u))
		return false;
	*ret = (struct file_open_subject){
		.path = path->str.bytes,
		.path_size = path->str.size,
		.inode = is_whole ? event->inode : 0,
		.ctime_ns = event->ctime_ns,
		.dev_major = event->dev_major,
		.dev_minor = event->dev_minor,
	};
	return true;
}

void file_open_set_content(struct record *record, const struct content *content, bool is_whole)
{
	record->slots[SLOT_CONTENT].present = is_whole;
	record->slots[SLOT_CONTENT].obj = content;
	if (content->kind == FILE_KIND_unknown)
		return;
	slot_set_u64(record, SLOT_TYPE, content->type);
	slot_set_u64(record, SLOT_KIND, content->kind);
}

const struct content *file_open_content(const struct record *record)
{
	return record->slots[SLOT_CONTENT].obj;
}

static const size_t file_open_tails[] = { AT(name), AT(dir), AT(real) };

/* What sees the opens that pass no system call; with any hook. */
#define SEE_URING                                                                                  \
	{ .name = "file_open_uring",                                                               \
	  .use = PROGRAM_OPTIONAL,                                                                 \
	  .event = "io_uring/io_uring_submit_req" },                                               \
		{ .name = "file_open_uring_sqe",                                                   \
		  .use = PROGRAM_OPTIONAL,                                                         \
		  .event = "io_uring/io_uring_submit_sqe" },                                       \
	{                                                                                          \
		.name = "file_open_uring_done", .use = PROGRAM_OPTIONAL,                           \
		.event = "io_uring/io_uring_complete"                                              \
	}

static const struct source_program fexit_programs[] = {
	{ .name = "file_open_exit", .use = PROGRAM_REQUIRED },
	{ .name = "file_open_exit_openat2", .use = PROGRAM_REQUIRED },
	SEE_URING,
};

static const struct source_program multi_programs[] = {
	{ .name = "file_open_multi", .use = PROGRAM_REQUIRED },
	{ .name = "file_open_multi_openat2", .use = PROGRAM_REQUIRED },
	SEE_URING,
};

static const struct source_program kretprobe_programs[] = {
	{ .name = "file_open_return", .use = PROGRAM_REQUIRED },
	{ .name = "file_open_return_openat2", .use = PROGRAM_REQUIRED },
	SEE_URING,
};

static const struct source_program tp_programs[] = {
	{ .name = "file_open_done", .use = PROGRAM_REQUIRED },
	{ .name = "file_open_done",
	  .use = PROGRAM_OPTIONAL,
	  .hook = "tp/syscalls/sys_exit_openat2" },
	{ .name = "file_open_done", .use = PROGRAM_OPTIONAL, .hook = "tp/syscalls/sys_exit_open" },
	{ .name = "file_open_done", .use = PROGRAM_OPTIONAL, .hook = "tp/syscalls/sys_exit_creat" },
	SEE_URING,
};

static const struct source_program any_programs[] = {
	{ .name = "file_open_any", .use = PROGRAM_REQUIRED },
	SEE_URING,
};

/* Absent where kprobes are: libbpf finds out only after having loaded the programs. */
#define KPROBES		"/sys/bus/event_source/devices/kprobe"

#define PROGRAMS(array) .programs = (array), .nr_programs = ARRAY_SIZE(array)

/*
 * In the order of what they lose, then of what they cost (docs/design.md). The programs of fexit
 * and, since 7.0, of tracepoints can be preempted, and the kernel skips a program that another
 * process has begun on the same CPU. The tracepoints are a tax on every system call of the host.
 */
static const struct source_hook file_open_hooks[] = {
	{ .name = "kretprobe.multi/do_sys_openat2",
	  PROGRAMS(multi_programs),
	  .is_preempted = true,
	  .needs = KPROBES,
	  .sees_compat = true },
	{ .name = "fexit/do_sys_openat2",
	  PROGRAMS(fexit_programs),
	  .is_preempted = true,
	  .sees_compat = true },
	{ .name = "tp/syscalls/sys_exit_openat", PROGRAMS(tp_programs) },
	{ .name = "kretprobe/do_sys_openat2",
	  PROGRAMS(kretprobe_programs),
	  .needs = KPROBES,
	  .sees_compat = true },
	{ .name = "tp_btf/sys_exit", PROGRAMS(any_programs), .sees_compat = true },
};

const struct source file_open_source = {
	.name = "file_open",
	.help = "a certificate, key, keystore or crypto configuration was opened, or could not be",
	.fields = FIELDS(file_open_fields),
	.min_size = sizeof(struct file_open_event),
	.tails = file_open_tails,
	.nr_tails = ARRAY_SIZE(file_open_tails),
	/* It sees that a library will be mapped, and by whom. */
	.serves = 1U << SOURCE_lib_load | 1U << SOURCE_api_call,
	.object = file_open_object,
	.object_end = file_open_object_end,
	.hooks = file_open_hooks,
	.nr_hooks = ARRAY_SIZE(file_open_hooks),
	.decode = file_open_decode,
};
