/* SPDX-License-Identifier: MIT */
#include "sources/lib_load/lib_load.h"

#include <string.h>

#include "catalogue/libraries.h"
#include "proc/processes.h"
#include "sources/source.h"

enum {
	SLOT_FAMILY = SLOT_OWN,
};

#define AT(member) offsetof(struct lib_load_event, member)

static const struct lib_load_event *event_of(const struct record *record)
{
	return (const void *)record->bytes;
}

static void get_library_name(const struct record *record, const struct field *field,
			     struct value *ret)
{
	struct tail path = event_of(record)->path;
	const char *bytes = (const char *)record->bytes + path.off;
	const char *slash = memrchr(bytes, '/', path.size);
	size_t skip = slash ? (size_t)(slash + 1 - bytes) : 0;

	(void)field;
	ret->str.bytes = bytes + skip;
	ret->str.size = path.size - skip;
	ret->present = true;
}

/* clang-format off */
static const struct field lib_load_fields[] = {
	{ NAMED("library"), .type = FIELD_STR, .class = CLASS_PATH, .role = ROLE_LIBRARY,
	  .get = get_tail, .at = AT(path), .text = TEXT_BARE,
	  .help = "the file that was mapped, as the process's root has it" },
	{ NAMED("library_name"), .type = FIELD_STR, .class = CLASS_PUBLIC,
	  .get = get_library_name, .text = TEXT_HIDDEN, .help = "its base name" },
	{ NAMED("family"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_slot,
	  .at = SLOT_FAMILY, .codes = &library_family_codes, .text = TEXT_BARE,
	  .help = "the project it belongs to" },
	{ NAMED("dev"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_dev, .at = AT(dev_major),
	  .text = TEXT_HIDDEN, .help = "device of the file, major:minor" },
	{ NAMED("inode"), .type = FIELD_ID64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = AT(inode), .text = TEXT_HIDDEN, .help = "its inode there" },
	{ NAMED("build_id"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_tail, .at = AT(build_id), .text = TEXT_HIDDEN,
	  .help = "the linker's build id, hexadecimal, where the file could be read" },
};
/* clang-format on */

static int lib_load_decode(struct record *record)
{
	struct tail path = event_of(record)->path;
	const struct library_class *class;

	if (path.size == 0)
		return STAGE_MALFORMED;
	class = library_classify((const char *)record->bytes + path.off, path.size);
	if (!class)
		return STAGE_DROP;
	slot_set_u64(record, SLOT_FAMILY, class->family);
	return STAGE_NEXT;
}

/* A mapping comes with no more than pid and tid: the process table knows the rest. */
static int lib_load_apply(struct processes *processes, struct record *record)
{
	const struct lib_load_event *event = event_of(record);
	struct process *process = processes_find(processes, event->hdr.tgid);
	/* Inodes are unique on their device only; the multiplier keeps both apart (Knuth, 6.4). */
	uint64_t dev = (uint64_t)event->dev_major << 20 | event->dev_minor;
	uint64_t key = event->inode ^ dev * 0x9e3779b97f4a7c15ULL;
	struct lib_load_event *copy;

	if (!process)
		return processes_is_selective(processes) ? STAGE_DROP : STAGE_NEXT;
	if (!processes_map(process, key))
		return STAGE_DROP;
	copy = (void *)arena_take(record->arena, record->size);
	if (!copy)
		return STAGE_MALFORMED;
	memcpy(copy, record->bytes, record->size);
	process_fill(process, &copy->hdr);
	record->bytes = (const uint8_t *)copy;
	record->hdr = &copy->hdr;
	return STAGE_NEXT;
}

static const size_t lib_load_tails[] = { AT(path), AT(build_id) };

static const struct source_hook lib_load_hooks[] = { { .name = "perf/PERF_RECORD_MMAP2" } };

const struct source lib_load_source = {
	.name = "lib_load",
	.help = "a crypto library was mapped into a process",
	.serves = 1U << SOURCE_api_call | 1U << SOURCE_tls_handshake,
	.fields = FIELDS(lib_load_fields),
	.min_size = sizeof(struct lib_load_event),
	.tails = lib_load_tails,
	.nr_tails = ARRAY_SIZE(lib_load_tails),
	.hooks = lib_load_hooks,
	.nr_hooks = ARRAY_SIZE(lib_load_hooks),
	.decode = lib_load_decode,
	.apply = lib_load_apply,
};
