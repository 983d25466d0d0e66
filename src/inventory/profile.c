/* SPDX-License-Identifier: MIT */
#include "inventory/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "inventory/profile_private.h"
#include "lib/file.h"

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
		profile_calls_free(&entry->calls);
		profile_sessions_free(&entry->tls);
		profile_sessions_free(&entry->ssh);
		profile_findings_free(&entry->findings);
		profile_connections_free(&entry->connections);
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

void *profile_grow(void *items, size_t *nr_items, size_t size)
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

static bool began_at(const struct profile_member *member, uint64_t boot_ns)
{
	return member->boot_ns == boot_ns ||
	       (boot_ns > member->boot_ns && boot_ns - member->boot_ns < member->boot_step_ns);
}

struct profile_member *profile_find_member(struct profiles *profiles, uint32_t pid,
					   uint64_t boot_ns)
{
	uint32_t at = profiles->buckets[pid % PROFILE_BUCKETS];

	for (; at != PROFILE_NONE; at = profiles->members[at].next) {
		struct profile_member *member = &profiles->members[at];

		if (member->pid == pid &&
		    (boot_ns ? began_at(member, boot_ns) : !member->has_ended))
			return member;
	}
	return NULL;
}

struct profile_member *profile_add_member(struct profiles *profiles, uint32_t profile,
					  const struct profile_member *like)
{
	uint32_t *bucket = &profiles->buckets[like->pid % PROFILE_BUCKETS];
	struct profile_member *member;

	if (profiles->nr_members >= PROFILE_MEMBERS_MAX) {
		profiles->nr_refused++;
		return NULL;
	}
	member = profile_grow(&profiles->members, &profiles->nr_members, sizeof(*member));
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

struct profile_entry *profile_add_entry(struct profiles *profiles,
					const struct profile_member *like)
{
	struct profile_entry **slot;
	struct profile_entry *entry;

	if (profiles->nr_entries >= PROFILES_MAX) {
		profiles->nr_refused++;
		return NULL;
	}
	slot = profile_grow(&profiles->entries, &profiles->nr_entries, sizeof(void *));
	entry = slot ? calloc(1, sizeof(*entry)) : NULL;
	if (!entry) {
		profiles->nr_entries -= slot != NULL;
		return NULL;
	}
	*slot = entry;
	memset(entry->file_buckets, 0xff, sizeof(entry->file_buckets));
	profile_sessions_init(&entry->tls);
	profile_sessions_init(&entry->ssh);
	entry->profile.process.pid = like->pid;
	entry->profile.process.ppid = like->ppid;
	entry->profile.process.start_ns = boot_clock_unix(profiles->clock, like->boot_ns);
	memcpy(entry->profile.process.name, like->name, COMM_SIZE);
	return profile_add_member(profiles, (uint32_t)(profiles->nr_entries - 1), like) ? entry
											: NULL;
}

char *profile_keep(struct profiles *profiles, const char *bytes, size_t size)
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

int profile_add_library(struct profiles *profiles, struct profile_entry *entry, const char *path,
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
	library = profile_grow(&entry->libraries, &entry->nr_libraries, sizeof(*library));
	if (!library)
		return -ENOMEM;
	library->path = profile_keep(profiles, path, size);
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

int profile_add_file(struct profiles *profiles, struct profile_entry *entry, const char *path,
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
	file = profile_grow(&entry->files, &entry->nr_files, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->path = profile_keep(profiles, path, size);
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

void profile_note_access(struct profile_file *file, uint64_t ns, uint64_t open_flags,
			 const struct content *content)
{
	static const uint32_t modes[] = {
		[O_RDONLY] = PROFILE_read,
		[O_WRONLY] = PROFILE_write,
		[O_RDWR] = PROFILE_read_write,
		[FILE_ACCMODE] = PROFILE_none,
	};

	file->access_count++;
	file->last_ns = ns > file->last_ns ? ns : file->last_ns;
	file->mode |= modes[open_flags & FILE_ACCMODE];
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
	int err =
		profile_add_file(profiles, entry, object->path, object->path_size, since_ns, &file);

	if (err || !file)
		return err;
	file->was_before = true;
	file->before_count++;
	file->type = object->content ? object->content->type : object->class->type;
	file->kind = object->content ? object->content->kind : object->class->kind;
	profile_note_access(file, since_ns, use->open_flags, object->content);
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
	err = profile_add_library(profiles, entry, object->path, object->path_size, since_ns,
				  &library);
	if (err || !library)
		return err;
	library->was_before = true;
	library->is_stale = object->is_deleted;
	if (inventory_version(object) && !library->version)
		library->version = profile_keep(profiles, inventory_version(object),
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
		.boot_step_ns = process->start_step_ns,
	};

	memcpy(member.name, process->comm, COMM_SIZE);
	return member;
}

/* All that PROCESS has at the start of the run. Returns 0 or -ENOMEM. */
static int take_uses(struct profiles *profiles, struct profile_entry *entry,
		     const struct inventory_process *process)
{
	/* By the clock of the profile's own start: another may be a microsecond off. */
	uint64_t since_ns = boot_clock_unix(profiles->clock, process->start_ns);
	int err = 0;

	for (uint32_t i = 0; !err && i < process->nr_uses; i++)
		err = take_use(profiles, entry, &process->uses[i], since_ns);
	return err ? err : profile_connections_take(&entry->connections, process);
}

int profiles_add_target(struct profiles *profiles, const struct inventory_process *process)
{
	const struct profile_member like = member_of(process);
	struct profile_entry *entry;

	if (profile_find_member(profiles, process->pid, process->start_ns))
		return 0;
	entry = profile_add_entry(profiles, &like);
	if (!entry)
		return -ENOMEM;
	entry->profile.process.uid = process->uid;
	entry->profile.process.gid = process->gid;
	entry->profile.process.container = process->container;
	entry->exe = process->exe;
	if (process->exe)
		entry->profile.process.exe =
			profile_keep(profiles, process->exe->path, process->exe->path_size);
	return take_uses(profiles, entry, process);
}

int profiles_add_descendant(struct profiles *profiles, const struct inventory_process *process)
{
	const struct profile_member like = member_of(process);
	const struct profile_member *parent = profile_find_member(profiles, process->ppid, 0);
	uint32_t profile;

	if (!profiles->follows || !parent ||
	    profile_find_member(profiles, process->pid, process->start_ns))
		return 0;
	profile = parent->profile;
	if (!profile_add_member(profiles, profile, &like))
		return -ENOMEM;
	return take_uses(profiles, profiles->entries[profile], process);
}
