/* SPDX-License-Identifier: MIT */
#include "inventory/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "inventory/connections.h"
#include "priv/broker.h"

#define PROCESS_BUCKETS 4096U /* powers of two */
#define OBJECT_BUCKETS	8192U
#define NONE		UINT32_MAX

int inventory_new(struct inventory **ret, uint32_t max_processes)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));

	if (!inventory)
		return -ENOMEM;
	inventory->max_processes = max_processes;
	inventory->process_buckets = malloc(PROCESS_BUCKETS * sizeof(uint32_t));
	inventory->object_buckets = malloc(OBJECT_BUCKETS * sizeof(uint32_t));
	if (!inventory->process_buckets || !inventory->object_buckets ||
	    containers_new(&inventory->containers)) {
		inventory_free(inventory);
		return -ENOMEM;
	}
	memset(inventory->process_buckets, 0xff, PROCESS_BUCKETS * sizeof(uint32_t));
	memset(inventory->object_buckets, 0xff, OBJECT_BUCKETS * sizeof(uint32_t));
	*ret = inventory;
	return 0;
}

/* Ends OBJECT with all that was found out about it. */
static void object_free(struct inventory_object *object)
{
	program_free(object->program);
	content_free(object->content);
	free(object->disk_version);
	free(object->inferred_version);
	free(object->package);
	free(object->path);
	free(object);
}

static void process_free(struct inventory_process *process)
{
	connections_free(process);
	free(process->uses);
	free(process);
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	for (size_t i = 0; i < inventory->nr_processes; i++)
		process_free(inventory->processes[i]);
	for (size_t i = 0; i < inventory->nr_objects; i++)
		object_free(inventory->objects[i]);
	free(inventory->processes);
	free(inventory->objects);
	free(inventory->process_buckets);
	free(inventory->object_buckets);
	free(inventory->listeners);
	if (inventory->containers)
		containers_free(inventory->containers);
	free(inventory);
}

/*
 * Makes room for one more item behind the NR_ITEMS of *ITEMS, SIZE bytes each. Their room is a
 * power of two. Returns 0 or -ENOMEM.
 */
static int make_room(void *items, size_t nr_items, size_t size)
{
	void **array = items;
	void *larger;

	if (nr_items & (nr_items - 1) || (nr_items > 0 && nr_items < 4))
		return 0;
	larger = reallocarray(*array, nr_items ? 2 * nr_items : 4, size);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	return 0;
}

struct inventory_process *inventory_find(const struct inventory *inventory, uint32_t pid,
					 uint64_t start_ns)
{
	uint32_t at = inventory->process_buckets[pid % PROCESS_BUCKETS];

	for (; at != NONE; at = inventory->processes[at]->next) {
		struct inventory_process *process = inventory->processes[at];

		if (process->pid == pid && (!start_ns || process->start_ns == start_ns))
			return process;
	}
	return NULL;
}

static void *no_memory(struct inventory *inventory)
{
	inventory->is_short = true;
	return NULL;
}

struct inventory_process *inventory_add(struct inventory *inventory, uint32_t pid,
					uint64_t start_ns)
{
	struct inventory_process *process = inventory_find(inventory, pid, start_ns);
	uint32_t *bucket = &inventory->process_buckets[pid % PROCESS_BUCKETS];

	if (process)
		return process;
	if (inventory->nr_processes >= inventory->max_processes) {
		inventory->nr_refused++;
		return NULL;
	}
	if (make_room(&inventory->processes, inventory->nr_processes, sizeof(void *)))
		return no_memory(inventory);
	process = calloc(1, sizeof(*process));
	if (!process)
		return no_memory(inventory);
	process->pid = pid;
	process->task = pid;
	process->start_ns = start_ns;
	process->next = *bucket;
	*bucket = (uint32_t)inventory->nr_processes;
	inventory->processes[inventory->nr_processes++] = process;
	return process;
}

/* What the broker compares; a thread began at a time of its own. */
static uint64_t start_of(const struct inventory_process *process)
{
	return process->task == process->pid ? process->start_ns : 0;
}

static struct inventory_handle handle_of_use(const struct inventory_process *process,
					     const struct inventory_use *use)
{
	return (struct inventory_handle){
		.kind = use->is_open ? BROKER_FILE_FD : BROKER_FILE_MAP,
		.pid = process->task,
		.start_ns = start_of(process),
		.fd = use->fd,
		.from = use->from,
		.to = use->to,
	};
}

/* How the program of PROCESS is opened. */
static struct inventory_handle handle_of_exe(const struct inventory_process *process)
{
	return (struct inventory_handle){
		.kind = BROKER_FILE_EXE,
		.pid = process->task,
		.start_ns = start_of(process),
	};
}

/* Whether use AT of PROCESS is of an object that it has, in the same way, by an earlier one. */
static bool has_use_before(const struct inventory_process *process, uint32_t at)
{
	for (uint32_t i = 0; i < at; i++)
		if (process->uses[i].object == process->uses[at].object &&
		    process->uses[i].is_open == process->uses[at].is_open)
			return true;
	return false;
}

void inventory_remove(struct inventory *inventory, uint32_t pid)
{
	struct inventory_process *process = inventory_find(inventory, pid, 0);
	uint32_t *link = &inventory->process_buckets[pid % PROCESS_BUCKETS];
	size_t last = inventory->nr_processes - 1;
	uint32_t at;

	if (!process)
		return;
	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (!has_use_before(process, i))
			process->uses[i].object->nr_users--;
	while (inventory->processes[*link] != process)
		link = &inventory->processes[*link]->next;
	at = *link;
	*link = process->next;
	/* The last one takes its place. */
	if (at != last) {
		link = &inventory->process_buckets[inventory->processes[last]->pid %
						   PROCESS_BUCKETS];
		while (*link != last)
			link = &inventory->processes[*link]->next;
		*link = at;
		inventory->processes[at] = inventory->processes[last];
	}
	inventory->nr_processes--;
	inventory->nr_hidden -= process->is_hidden;
	process_free(process);
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		struct inventory_object *object = inventory->objects[i];

		if (object->handle.pid != pid)
			continue;
		object->handle = (struct inventory_handle){ 0 };
		if (!inventory_next_handle(inventory, object))
			object->is_program = false;
	}
}

/* Counts the users of all objects anew, and finds out through whom they are opened. */
static void recount(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		inventory->objects[i]->nr_users = 0;
		inventory->objects[i]->is_program = false;
		inventory->objects[i]->handle = (struct inventory_handle){ 0 };
	}
	for (size_t i = 0; i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];

		for (uint32_t j = 0; j < process->nr_uses; j++) {
			struct inventory_object *object = process->uses[j].object;

			if (has_use_before(process, j))
				continue;
			if (!object->nr_users++)
				object->handle = handle_of_use(process, &process->uses[j]);
		}
		if (!process->exe)
			continue;
		process->exe->is_program = true;
		if (!process->exe->handle.pid)
			process->exe->handle = handle_of_exe(process);
	}
}

void inventory_keep_wanted(struct inventory *inventory)
{
	size_t nr_kept = 0;

	memset(inventory->process_buckets, 0xff, PROCESS_BUCKETS * sizeof(uint32_t));
	for (size_t i = 0; i < inventory->nr_processes; i++) {
		struct inventory_process *process = inventory->processes[i];
		uint32_t *bucket = &inventory->process_buckets[process->pid % PROCESS_BUCKETS];

		if (!process->is_wanted) {
			inventory->nr_hidden -= process->is_hidden;
			process_free(process);
			continue;
		}
		process->next = *bucket;
		*bucket = (uint32_t)nr_kept;
		inventory->processes[nr_kept++] = process;
	}
	inventory->nr_processes = nr_kept;
	recount(inventory);
}

/* The size of PATH without the mark of a file that has no name any more. */
static size_t without_mark(const char *path, size_t size, bool *ret_is_deleted)
{
	static const char mark[] = " (deleted)";
	size_t mark_size = sizeof(mark) - 1;

	*ret_is_deleted = size > mark_size && memcmp(path + size - mark_size, mark, mark_size) == 0;
	return *ret_is_deleted ? size - mark_size : size;
}

struct inventory_object *inventory_object(struct inventory *inventory, const char *path,
					  size_t size, uint32_t dev_major, uint32_t dev_minor,
					  uint64_t inode)
{
	bool is_deleted;

	size = without_mark(path, size, &is_deleted);
	return inventory_named(inventory, path, size, is_deleted, dev_major, dev_minor, inode);
}

struct inventory_object *inventory_named(struct inventory *inventory, const char *path, size_t size,
					 bool is_deleted, uint32_t dev_major, uint32_t dev_minor,
					 uint64_t inode)
{
	const struct library_class *library;
	struct inventory_object *object;
	uint32_t *bucket;

	bucket = &inventory->object_buckets[(inode ^ size ^ dev_minor) % OBJECT_BUCKETS];
	for (uint32_t at = *bucket; at != NONE; at = object->next) {
		object = inventory->objects[at];
		if (object->inode == inode && object->dev_major == dev_major &&
		    object->dev_minor == dev_minor && object->path_size == size &&
		    object->is_deleted == is_deleted && memcmp(object->path, path, size) == 0)
			return object;
	}
	if (inventory->nr_objects >= INVENTORY_OBJECTS_MAX) {
		inventory->nr_refused++;
		return NULL;
	}
	if (make_room(&inventory->objects, inventory->nr_objects, sizeof(void *)))
		return no_memory(inventory);
	object = calloc(1, sizeof(*object));
	if (!object)
		return no_memory(inventory);
	object->path = strndup(path, size);
	if (!object->path) {
		free(object);
		return no_memory(inventory);
	}
	library = library_classify(path, size);
	*object = (struct inventory_object){
		.path = object->path,
		.path_size = strlen(object->path),
		.dev_major = dev_major,
		.dev_minor = dev_minor,
		.inode = inode,
		.is_deleted = is_deleted,
		.family = library ? library->family : LIBRARY_FAMILY_none,
		.class = file_classify(path, size),
		.next = *bucket,
	};
	*bucket = (uint32_t)inventory->nr_objects;
	inventory->objects[inventory->nr_objects++] = object;
	return object;
}

/* Returns 1, 0 when there are too many, or -ENOMEM. */
static int add_use(struct inventory *inventory, struct inventory_process *process,
		   const struct inventory_use *use)
{
	if (process->nr_uses >= INVENTORY_USES_MAX) {
		inventory->nr_refused++;
		return 0;
	}
	if (make_room(&process->uses, process->nr_uses, sizeof(*use)))
		return -ENOMEM;
	process->uses[process->nr_uses++] = *use;
	return 1;
}

/* Whether PROCESS has OBJECT already, in the same way. */
static bool has_use(const struct inventory_process *process, const struct inventory_object *object,
		    bool is_open)
{
	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (process->uses[i].object == object && process->uses[i].is_open == is_open)
			return true;
	return false;
}

int inventory_map(struct inventory *inventory, struct inventory_process *process,
		  struct inventory_object *object, uint64_t from, uint64_t to)
{
	const struct inventory_use use = { .object = object, .from = from, .to = to };
	int result;

	if (has_use(process, object, false))
		return 0;
	result = add_use(inventory, process, &use);
	if (result <= 0)
		return result;
	if (!object->nr_users++)
		object->handle = handle_of_use(process, &use);
	return 0;
}

void inventory_run(struct inventory_process *process, struct inventory_object *object)
{
	if (process->exe)
		return;
	process->exe = object;
	if (!object->handle.pid)
		object->handle = handle_of_exe(process);
	object->is_program = true;
}

int inventory_open(struct inventory *inventory, struct inventory_process *process,
		   struct inventory_object *object, uint32_t fd, uint32_t open_flags)
{
	const struct inventory_use use = {
		.object = object,
		.fd = fd,
		.open_flags = open_flags,
		.is_open = true,
	};
	bool is_known = has_use(process, object, true);
	int result = add_use(inventory, process, &use);

	if (result <= 0)
		return result;
	if (!is_known && !object->nr_users++)
		object->handle = handle_of_use(process, &use);
	return 0;
}

/* How PROCESS has OBJECT; a pid of 0: not at all. */
static struct inventory_handle handle_in(const struct inventory_process *process,
					 const struct inventory_object *object)
{
	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (process->uses[i].object == object)
			return handle_of_use(process, &process->uses[i]);
	if (process->exe == object)
		return handle_of_exe(process);
	return (struct inventory_handle){ 0 };
}

bool inventory_next_handle(const struct inventory *inventory, struct inventory_object *object)
{
	struct inventory_handle next = { 0 };

	for (size_t i = 0; i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];

		if (process->pid <= object->handle.pid || (next.pid && process->pid > next.pid))
			continue;

		struct inventory_handle handle = handle_in(process, object);

		if (handle.pid)
			next = handle;
	}
	if (next.pid)
		object->handle = next;
	return next.pid != 0;
}

bool inventory_is_called(const struct inventory_process *process, const char *name)
{
	char comm[COMM_SIZE + 1] = { 0 };

	memcpy(comm, process->comm, COMM_SIZE);
	return strcasestr(comm, name) != NULL;
}

const char *inventory_version(const struct inventory_object *object)
{
	if (object->program && object->program->version)
		return object->program->version;
	return object->inferred_version;
}

static int compare_processes(const void *left, const void *right)
{
	const struct inventory_process *a = *(struct inventory_process *const *)left;
	const struct inventory_process *b = *(struct inventory_process *const *)right;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static int compare_objects(const void *left, const void *right)
{
	const struct inventory_object *a = *(struct inventory_object *const *)left;
	const struct inventory_object *b = *(struct inventory_object *const *)right;
	int order = strcmp(a->path, b->path);

	return order ? order : a->inode < b->inode ? -1 : a->inode > b->inode;
}

static int compare_uses(const void *left, const void *right)
{
	const struct inventory_use *a = left;
	const struct inventory_use *b = right;
	int order = strcmp(a->object->path, b->object->path);

	return order ? order : a->fd < b->fd ? -1 : a->fd > b->fd;
}

void inventory_sort(struct inventory *inventory)
{
	connections_sort(inventory);
	for (size_t i = 0; i < inventory->nr_processes; i++) {
		struct inventory_process *process = inventory->processes[i];

		if (process->nr_uses)
			qsort(process->uses, process->nr_uses, sizeof(process->uses[0]),
			      compare_uses);
	}
	if (inventory->nr_processes)
		qsort(inventory->processes, inventory->nr_processes, sizeof(void *),
		      compare_processes);
	if (inventory->nr_objects)
		qsort(inventory->objects, inventory->nr_objects, sizeof(void *), compare_objects);
	for (size_t i = 0; i < inventory->nr_objects; i++)
		inventory->objects[i]->position = (uint32_t)i;
	/* Positions have changed: nothing can be looked up any more. */
	memset(inventory->process_buckets, 0xff, PROCESS_BUCKETS * sizeof(uint32_t));
	memset(inventory->object_buckets, 0xff, OBJECT_BUCKETS * sizeof(uint32_t));
}
