/* SPDX-License-Identifier: MIT */
#include "inventory/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/codes.h"
#include "catalogue/libraries.h"
#include "inventory/profile_private.h"
#include "sources/file_open/content.h"
#include "sources/file_open/file_open.h"
#include "sources/lib_load/lib_load.h"
#include "sources/source.h"

int profiles_new(struct profiles **ret, bool follows, const struct boot_clock *clock)
{
	struct profiles *profiles = calloc(1, sizeof(*profiles));

	if (!profiles)
		return -ENOMEM;
	profiles->follows = follows;
	profiles->clock = clock;
	memset(profiles->buckets, 0xff, sizeof(profiles->buckets));
	*ret = profiles;
	return 0;
}

void profiles_free(struct profiles *profiles)
{
	if (!profiles)
		return;
	for (size_t i = 0; i < profiles->nr_entries; i++) {
		struct profile_entry *entry = profiles->entries[i];

		for (size_t j = 0; j < entry->nr_files; j++)
			content_free((struct content *)entry->files[j].content);
		free(entry->files);
		free(entry->libraries);
		free(entry->programs);
		free(entry->cmdline);
		free(entry);
	}
	free(profiles->entries);
	free(profiles->members);
	pool_free(&profiles->pool);
	free(profiles);
}

size_t profiles_count(const struct profiles *profiles)
{
	return profiles->nr_entries;
}

size_t profiles_count_members(const struct profiles *profiles)
{
	return profiles->nr_members;
}

bool profiles_have_ended(const struct profiles *profiles)
{
	return profiles->nr_members > 0 && profiles->nr_alive == 0;
}

/*
 * Room for one more behind the NR_ITEMS of *ITEMS, SIZE bytes each. Their room is a power of two.
 * Returns the new one, zeroed, or NULL.
 */
static void *grow(void *items, size_t *nr_items, size_t size)
{
	void **array = items;

	if ((*nr_items & (*nr_items - 1)) == 0) {
		void *larger = reallocarray(*array, *nr_items ? 2 * *nr_items : 1, size);

		if (!larger)
			return NULL;
		*array = larger;
	}

	void *item = (char *)*array + (*nr_items)++ * size;

	memset(item, 0, size);
	return item;
}

/* The member PID that began at BOOT_NS, 0: any that is alive; NULL: none. */
static struct profile_member *find_member(struct profiles *profiles, uint32_t pid, uint64_t boot_ns)
{
	uint32_t at = profiles->buckets[pid % PROFILE_BUCKETS];

	for (; at != PROFILE_NONE; at = profiles->members[at].next) {
		struct profile_member *member = &profiles->members[at];

		if (member->pid == pid &&
		    (boot_ns ? member->boot_ns == boot_ns : !member->has_ended))
			return member;
	}
	return NULL;
}

/* Enters a process like LIKE into PROFILE, alive. NULL: no room. */
static struct profile_member *add_member(struct profiles *profiles, uint32_t profile,
					 const struct profile_member *like)
{
	uint32_t *bucket = &profiles->buckets[like->pid % PROFILE_BUCKETS];
	struct profile_member *member;

	if (profiles->nr_members >= PROFILE_MEMBERS_MAX) {
		profiles->nr_refused++;
		return NULL;
	}
	member = grow(&profiles->members, &profiles->nr_members, sizeof(*member));
	if (!member)
		return NULL;
	*member = *like;
	member->profile = profile;
	member->start_ns = boot_clock_unix(profiles->clock, like->boot_ns);
	member->next = *bucket;
	*bucket = (uint32_t)(member - profiles->members);
	profiles->nr_alive++;
	return member;
}

/* Begins a profile of the process that LIKE is. Returns NULL where there is no room. */
static struct profile_entry *add_entry(struct profiles *profiles, const struct profile_member *like)
{
	struct profile_entry **slot;
	struct profile_entry *entry;

	if (profiles->nr_entries >= PROFILES_MAX) {
		profiles->nr_refused++;
		return NULL;
	}
	slot = grow(&profiles->entries, &profiles->nr_entries, sizeof(void *));
	entry = slot ? calloc(1, sizeof(*entry)) : NULL;
	if (!entry) {
		profiles->nr_entries -= slot != NULL;
		return NULL;
	}
	*slot = entry;
	memset(entry->file_buckets, 0xff, sizeof(entry->file_buckets));
	entry->profile.process.pid = like->pid;
	entry->profile.process.ppid = like->ppid;
	entry->profile.process.start_ns = boot_clock_unix(profiles->clock, like->boot_ns);
	memcpy(entry->profile.process.name, like->name, COMM_SIZE);
	return add_member(profiles, (uint32_t)(profiles->nr_entries - 1), like) ? entry : NULL;
}

/* A copy that lives as long as the profiles; NULL: no memory. */
static char *keep(struct profiles *profiles, const char *bytes, size_t size)
{
	return pool_text(&profiles->pool, bytes, size);
}

/* The library PATH (SIZE bytes) of ENTRY; NULL: it has none such. */
static struct profile_library *find_library(struct profile_entry *entry, const char *path,
					    size_t size)
{
	for (size_t i = 0; i < entry->nr_libraries; i++)
		if (strlen(entry->libraries[i].path) == size &&
		    memcmp(entry->libraries[i].path, path, size) == 0)
			return &entry->libraries[i];
	return NULL;
}

/*
 * Enters a library, mapped at NS. Returns 0, with *RET NULL where there are too many, or -ENOMEM.
 */
static int add_library(struct profiles *profiles, struct profile_entry *entry, const char *path,
		       size_t size, uint64_t ns, struct profile_library **ret)
{
	struct profile_library *library = find_library(entry, path, size);
	const struct library_class *class = library_classify(path, size);
	const char *slash;

	*ret = library;
	if (library) {
		library->load_ns = ns < library->load_ns ? ns : library->load_ns;
		return 0;
	}
	if (entry->nr_libraries >= PROFILE_LIBRARIES_MAX) {
		profiles->nr_refused++;
		return 0;
	}
	library = grow(&entry->libraries, &entry->nr_libraries, sizeof(*library));
	if (!library)
		return -ENOMEM;
	library->path = keep(profiles, path, size);
	if (!library->path) {
		entry->nr_libraries--;
		return -ENOMEM;
	}
	slash = strrchr(library->path, '/');
	library->name = slash ? slash + 1 : library->path;
	library->family = class ? class->family : LIBRARY_FAMILY_none;
	library->load_ns = ns;
	*ret = library;
	return 0;
}

static uint64_t hash_of(const char *bytes, size_t size)
{
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211ULL;
	return hash;
}

/* The file PATH (SIZE bytes) of ENTRY; NULL: it has none such. */
static struct profile_file *find_file(const struct profile_entry *entry, uint64_t hash,
				      const char *path, size_t size)
{
	uint32_t at = entry->file_buckets[hash % PROFILE_BUCKETS];

	for (; at != PROFILE_NONE; at = entry->files[at].next) {
		struct profile_file *file = &entry->files[at];

		if (file->hash == hash && strlen(file->path) == size &&
		    memcmp(file->path, path, size) == 0)
			return file;
	}
	return NULL;
}

/*
 * The entry for a file that is of interest at NS, made when there is none. Returns 0, with *RET
 * NULL where there are too many, or -ENOMEM.
 */
static int add_file(struct profiles *profiles, struct profile_entry *entry, const char *path,
		    size_t size, uint64_t ns, struct profile_file **ret)
{
	uint64_t hash = hash_of(path, size);
	struct profile_file *file = find_file(entry, hash, path, size);

	*ret = file;
	if (file) {
		/* Descendants come in any order. */
		file->first_ns = ns < file->first_ns ? ns : file->first_ns;
		return 0;
	}
	if (entry->nr_files >= PROFILE_FILES_MAX) {
		profiles->nr_refused++;
		return 0;
	}
	file = grow(&entry->files, &entry->nr_files, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->path = keep(profiles, path, size);
	if (!file->path) {
		entry->nr_files--;
		return -ENOMEM;
	}
	file->hash = hash;
	file->first_ns = ns;
	file->next = entry->file_buckets[hash % PROFILE_BUCKETS];
	entry->file_buckets[hash % PROFILE_BUCKETS] = (uint32_t)(file - entry->files);
	*ret = file;
	return 0;
}

/* One access more to FILE at NS: what for, and what it contains. */
static void note_access(struct profile_file *file, uint64_t ns, uint64_t open_flags,
			const struct content *content)
{
	static const uint32_t modes[] = {
		[O_RDONLY] = PROFILE_read,
		[O_WRONLY] = PROFILE_write,
		[O_RDWR] = PROFILE_read_write,
		[O_ACCMODE] = PROFILE_none,
	};

	file->access_count++;
	file->last_ns = ns > file->last_ns ? ns : file->last_ns;
	file->mode |= modes[open_flags & O_ACCMODE];
	if (!content || content == file->content)
		return;
	content_free((struct content *)file->content);
	file->content = content_keep(content);
}

/* A file that was open when the run began. */
static int take_open_before(struct profiles *profiles, struct profile_entry *entry,
			    const struct inventory_use *use, uint64_t since_ns)
{
	const struct inventory_object *object = use->object;
	struct profile_file *file;
	int err = add_file(profiles, entry, object->path, object->path_size, since_ns, &file);

	if (err || !file)
		return err;
	file->was_before = true;
	file->before_count++;
	file->type = object->content ? object->content->type : object->class->type;
	file->kind = object->content ? object->content->kind : object->class->kind;
	note_access(file, since_ns, use->open_flags, object->content);
	return 0;
}

/* What a process of the inventory has: mapped or open, since it began at SINCE_NS. */
static int take_use(struct profiles *profiles, struct profile_entry *entry,
		    const struct inventory_use *use, uint64_t since_ns)
{
	const struct inventory_object *object = use->object;
	struct profile_library *library;
	int err;

	if (use->is_open)
		return take_open_before(profiles, entry, use, since_ns);
	err = add_library(profiles, entry, object->path, object->path_size, since_ns, &library);
	if (err || !library)
		return err;
	library->was_before = true;
	library->is_stale = object->is_deleted;
	if (inventory_version(object) && !library->version)
		library->version = keep(profiles, inventory_version(object),
					strlen(inventory_version(object)));
	return 0;
}

/* PROCESS of an inventory as a member, of no profile yet. */
static struct profile_member member_of(const struct inventory_process *process)
{
	struct profile_member member = {
		.pid = process->pid,
		.ppid = process->ppid,
		.boot_ns = process->start_ns,
	};

	memcpy(member.name, process->comm, COMM_SIZE);
	return member;
}

/* All that PROCESS has at the start of the run. Returns 0 or -ENOMEM. */
static int take_uses(struct profiles *profiles, struct profile_entry *entry,
		     const struct document_source *source, const struct inventory_process *process)
{
	uint64_t since_ns = process->start_ns + (uint64_t)source->offset_ns;
	int err = 0;

	for (uint32_t i = 0; !err && i < process->nr_uses; i++)
		err = take_use(profiles, entry, &process->uses[i], since_ns);
	return err;
}

int profiles_add_target(struct profiles *profiles, const struct document_source *source,
			const struct inventory_process *process)
{
	const struct profile_member like = member_of(process);
	struct profile_entry *entry;

	if (find_member(profiles, process->pid, process->start_ns))
		return 0;
	entry = add_entry(profiles, &like);
	if (!entry)
		return -ENOMEM;
	entry->profile.process.uid = process->uid;
	entry->profile.process.gid = process->gid;
	entry->profile.process.container = process->container;
	entry->exe = process->exe;
	if (process->exe)
		entry->profile.process.exe =
			keep(profiles, process->exe->path, process->exe->path_size);
	return take_uses(profiles, entry, source, process);
}

int profiles_add_descendant(struct profiles *profiles, const struct document_source *source,
			    const struct inventory_process *process)
{
	const struct profile_member like = member_of(process);
	const struct profile_member *parent = find_member(profiles, process->ppid, 0);
	uint32_t profile;

	if (!profiles->follows || !parent || find_member(profiles, process->pid, process->start_ns))
		return 0;
	profile = parent->profile;
	if (!add_member(profiles, profile, &like))
		return -ENOMEM;
	return take_uses(profiles, profiles->entries[profile], source, process);
}

/* The text of RECORD's field NAME; false where it has none. */
static bool text_of(const struct record *record, const char *name, struct value *ret)
{
	const struct fields *table = &record->source->fields;

	ret->present = false;
	for (size_t i = 0; i < table->nr_fields; i++)
		if (strcmp(table->fields[i].name, name) == 0)
			field_get(record, &table->fields[i], ret);
	return ret->present;
}

/*
 * Whether the open that RECORD tells of is one that was found at the start: it came after the hooks
 * and before the scan.
 */
static bool is_found_before(const struct profiles *profiles, struct profile_file *file,
			    const struct record *record)
{
	if (record->hdr->ts_ns >= profiles->scan_ns || !file->before_count)
		return false;
	file->before_count--;
	file->was_before = false;
	return true;
}

/* A file was opened, or could not be. Returns 0 or -ENOMEM. */
static int take_open(struct profiles *profiles, struct profile_entry *entry,
		     const struct record *record)
{
	const struct file_open_event *event = (const void *)record->bytes;
	struct profile_file *file;
	struct value value;
	int err;

	if (!text_of(record, "file", &value))
		return 0;
	err = add_file(profiles, entry, value.str.bytes, value.str.size, record->unix_ns, &file);
	if (err || !file)
		return err;
	if (text_of(record, "file_type", &value))
		file->type = (uint32_t)value.u;
	if (text_of(record, "file_kind", &value))
		file->kind = (uint32_t)value.u;
	if (event->result == 0) {
		if (is_found_before(profiles, file, record))
			file->access_count--;
		note_access(file, record->unix_ns, event->flags, file_open_content(record));
		return 0;
	}
	file->failures++;
	file->last_ns = record->unix_ns > file->last_ns ? record->unix_ns : file->last_ns;
	file->last_error = code_name(&errno_codes, (uint64_t) - (int64_t)event->result);
	return 0;
}

/* A library was mapped; its version is found out at the end. Returns 0 or -ENOMEM. */
static int take_load(struct profiles *profiles, struct profile_entry *entry,
		     const struct record *record)
{
	const struct lib_load_event *event = (const void *)record->bytes;
	struct profile_library *library;
	struct value value;
	int err;

	if (!text_of(record, "library", &value))
		return 0;
	err = add_library(profiles, entry, value.str.bytes, value.str.size, record->unix_ns,
			  &library);
	if (err || !library || library->inode)
		return err;
	library->inode = event->inode;
	library->pid = record->hdr->tgid;
	library->ppid = record->hdr->ppid;
	return 0;
}

/* The arguments of the target, in the place of those of an earlier image. 0 or -ENOMEM. */
static int set_cmdline(struct profile_entry *entry, const char *bytes, size_t size)
{
	struct profile_process *process = &entry->profile.process;
	char *copy = malloc(size ? size : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, size);
	free(entry->cmdline);
	entry->cmdline = copy;
	process->cmdline = copy;
	process->cmdline_size = size;
	return 0;
}

int profiles_set_cmdline(struct profiles *profiles, uint32_t pid, const char *bytes, size_t size)
{
	const struct profile_member *member = find_member(profiles, pid, 0);

	return member ? set_cmdline(profiles->entries[member->profile], bytes, size) : 0;
}

void profiles_set_scan(struct profiles *profiles, uint64_t scan_ns)
{
	profiles->scan_ns = scan_ns;
}

uint64_t profiles_count_refused(const struct profiles *profiles)
{
	return profiles->nr_refused;
}

/* A new image of the target: what it is called, runs, and as whom, from now on. */
static int become(struct profile_entry *entry, const struct record *record, const char *exe)
{
	struct profile_process *process = &entry->profile.process;
	struct value value;

	process->exe = exe;
	process->uid = record->hdr->uid;
	process->gid = record->hdr->gid;
	memcpy(process->name, record->hdr->comm, COMM_SIZE);
	entry->exe = NULL;
	return text_of(record, "argv", &value) ? set_cmdline(entry, value.str.bytes, value.str.size)
					       : 0;
}

/* A program was executed. Returns 0 or -ENOMEM. */
static int take_exec(struct profiles *profiles, struct profile_entry *entry,
		     const struct record *record)
{
	struct profile_program *program;
	struct value value;
	char *exe;

	if (!text_of(record, "exe", &value))
		return 0;
	if (entry->nr_programs >= PROFILE_PROGRAMS_MAX) {
		profiles->nr_refused++;
		return 0;
	}
	exe = keep(profiles, value.str.bytes, value.str.size);
	program = exe ? grow(&entry->programs, &entry->nr_programs, sizeof(*program)) : NULL;
	if (!program)
		return -ENOMEM;
	*program = (struct profile_program){ .exe = exe, .at_ns = record->unix_ns };
	return record->hdr->tgid == entry->profile.process.pid ? become(entry, record, exe) : 0;
}

/* MEMBER has ended: the profile has when it was the target itself. */
static void take_exit(struct profiles *profiles, struct profile_entry *entry,
		      struct profile_member *member, const struct record *record)
{
	struct value value;

	if (member->has_ended)
		return;
	member->has_ended = true;
	profiles->nr_alive--;
	if (member->pid != entry->profile.process.pid)
		return;
	entry->profile.process.has_ended = true;
	if (text_of(record, "exit_code", &value))
		entry->profile.process.exit_code = (int32_t)value.u;
}

/* The member that RECORD is of, which may become one by it. NULL: it is of no interest. */
static struct profile_member *member_for(struct profiles *profiles, const struct record *record,
					 bool is_target)
{
	const struct event_hdr *hdr = record->hdr;
	struct profile_member like = {
		.pid = hdr->tgid,
		.ppid = hdr->ppid,
		.boot_ns = hdr->start_ns,
	};
	struct profile_member *member = find_member(profiles, hdr->tgid, hdr->start_ns);
	const struct profile_member *parent = NULL;

	if (member)
		return member;
	memcpy(like.name, hdr->comm, COMM_SIZE);
	if (profiles->follows)
		parent = find_member(profiles, hdr->ppid, 0);
	if (parent)
		return add_member(profiles, parent->profile, &like);
	/* A child that is made is called like its parent, and may become anything. */
	if (!is_target || source_id(record->source) == SOURCE_process_fork ||
	    !add_entry(profiles, &like))
		return NULL;
	member = find_member(profiles, hdr->tgid, hdr->start_ns);
	profiles->entries[member->profile]->profile.process.uid = hdr->uid;
	profiles->entries[member->profile]->profile.process.gid = hdr->gid;
	return member;
}

int profiles_take(struct profiles *profiles, const struct record *record, bool is_target)
{
	enum source_id source = source_id(record->source);
	struct profile_member *member = member_for(profiles, record, is_target);
	struct profile_entry *entry;

	if (!member || source == SOURCE_process_fork)
		return 0;
	entry = profiles->entries[member->profile];
	member->events++;
	entry->profile.statistics.total_events++;
	memcpy(member->name, record->hdr->comm, COMM_SIZE);
	switch (source) {
	case SOURCE_file_open:
		return take_open(profiles, entry, record);
	case SOURCE_lib_load:
		return take_load(profiles, entry, record);
	case SOURCE_process_exec:
		entry->profile.statistics.programs_executed++;
		return take_exec(profiles, entry, record);
	case SOURCE_process_exit:
		take_exit(profiles, entry, member, record);
		return 0;
	default:
		return 0;
	}
}
