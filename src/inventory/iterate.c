/* SPDX-License-Identifier: MIT */
#include "inventory/iterate.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "control.h"
#include "inventory/connections.h"
#include "inventory/wire.h"
#include "lib/cleanup.h"
#include "sources/source.h"
#include "trace/object.h"

/* As many as bpf/iterate.bpf.c remembers. */
#define KNOWN_MAX   16385
#define BUFFER_SIZE (64U << 10)

EMBED_OBJECT(iterate);

static int iterator_open(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	struct bpf_link *link = program ? bpf_program__attach_iter(program, NULL) : NULL;
	int fd;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		fd = -errno;
	/* The descriptor keeps link and program. */
	bpf_link__destroy(link);
	return fd;
}

/* Puts the map of a run in the place of the object's own. Returns 0 or a negative errno. */
static int share_map(void *ctx, struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, "tap_sockets");
	const int *tapped = ctx;

	if (*tapped < 0)
		return 0;
	return map ? bpf_map__reuse_fd(map, *tapped) : -ENOENT;
}

int iterate_open(struct iterate *iterate, int tapped)
{
	const struct object_file file = { "iterate", iterate_object, iterate_object_end };
	_cleanup_(core_types_close) struct core_types types = { 0 };
	struct bpf_object *object = NULL;
	int err;

	*iterate = (struct iterate){ .tasks = -1, .maps = -1, .files = -1 };
	err = object_load(&types, &file, share_map, &tapped, &object);
	if (!err) {
		iterate->tasks = iterator_open(object, "iterate_tasks");
		iterate->maps = iterator_open(object, "iterate_maps");
		iterate->files = iterator_open(object, "iterate_files");
		if (iterate->tasks < 0 || iterate->maps < 0 || iterate->files < 0) {
			err = iterate->tasks < 0  ? iterate->tasks
			      : iterate->maps < 0 ? iterate->maps
						  : iterate->files;
			iterate_close(iterate);
		}
	}
	bpf_object__close(object);
	return err;
}

void iterate_close(struct iterate *iterate)
{
	const int fds[] = { iterate->tasks, iterate->maps, iterate->files };

	for (size_t i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*iterate = (struct iterate){ .tasks = -1, .maps = -1, .files = -1 };
}

static ssize_t take_seeds(struct inventory *inventory, const void *bytes, size_t size)
{
	size_t at = 0;

	for (; size - at >= sizeof(struct process_seed); at += sizeof(struct process_seed)) {
		struct process_seed seed;
		struct inventory_process *process;

		memcpy(&seed, (const char *)bytes + at, sizeof(seed));
		process = inventory_add(inventory, seed.tgid, seed.start_ns);
		if (!process)
			continue;
		process->ppid = seed.ppid;
		process->uid = seed.uid;
		process->gid = seed.gid;
		process->task = seed.tid ? seed.tid : seed.tgid;
		memcpy(process->comm, seed.comm, COMM_SIZE);
		process->container =
			containers_intern(inventory->containers, seed.cgroup_name,
					  strnlen(seed.cgroup_name, sizeof(seed.cgroup_name)));
	}
	return (ssize_t)at;
}

/* The object of RECORD, by its path or by the id that it had before. */
static struct inventory_object *find_object(struct inventory *inventory,
					    struct inventory_object **known, size_t nr_known,
					    const struct inventory_record *record, const char *path)
{
	struct inventory_object *object;

	if (!record->path_size)
		return record->id && record->id < nr_known ? known[record->id] : NULL;
	object = record->flags & INVENTORY_DELETED
			 ? inventory_object(inventory, path, record->path_size, record->dev_major,
					    record->dev_minor, record->inode)
			 : inventory_named(inventory, path, record->path_size, false,
					   record->dev_major, record->dev_minor, record->inode);
	if (object && record->id && record->id < nr_known)
		known[record->id] = object;
	return object;
}

/* A socket of PROCESS, with ENDS: what it does with the kernel's crypto, whom it talks to. */
static int take_socket(struct inventory *inventory, struct inventory_process *process,
		       const struct inventory_record *record, const struct inventory_ends *ends)
{
	struct inventory_connection connection = {
		.inode = record->inode,
		.netns = ends->netns,
		.local = { .port = ends->local_port },
		.peer = { .port = ends->peer_port },
		.is_ktls = record->flags & INVENTORY_KTLS,
	};

	if (record->flags & INVENTORY_AF_ALG)
		process->sockets |= INVENTORY_SOCKET_AF_ALG;
	if (record->flags & INVENTORY_KTLS)
		process->sockets |= INVENTORY_SOCKET_KTLS;
	if (record->flags & INVENTORY_LISTENS)
		return connections_listen(inventory, ends->netns, ends->local_port);
	if (!(record->flags & INVENTORY_ESTABLISHED) || record->flags & INVENTORY_TAPPED)
		return 0;
	memcpy(connection.local.ip, ends->local, sizeof(ends->local));
	memcpy(connection.peer.ip, ends->peer, sizeof(ends->peer));
	return connections_add(process, &connection);
}

static int take_map(struct inventory *inventory, struct inventory_process *process,
		    struct inventory_object *object, const struct inventory_record *record)
{
	if (record->flags & INVENTORY_IS_EXE)
		inventory_run(process, object);
	if (object->family == LIBRARY_FAMILY_none)
		return 0;
	return inventory_map(inventory, process, object, record->map.from, record->map.to);
}

/* TAIL, a path or the ends of a socket, is what follows RECORD. */
static int take_record(struct inventory *inventory, struct inventory_object **known,
		       size_t nr_known, const struct inventory_record *record, const char *tail)
{
	struct inventory_ends ends = { 0 };
	struct inventory_process *process =
		inventory_find(inventory, record->tgid, record->start_ns);
	/* Also of a process that is not wanted: later records have its id alone. */
	struct inventory_object *object =
		record->kind == INVENTORY_SOCKET
			? NULL
			: find_object(inventory, known, nr_known, record, tail);

	/* One that began after the pass over the tasks is not of this moment. */
	if (!process)
		return 0;
	if (record->kind == INVENTORY_SOCKET) {
		memcpy(&ends, tail, sizeof(ends));
		return take_socket(inventory, process, record, &ends);
	}
	if (!object || (record->kind != INVENTORY_MAP && record->kind != INVENTORY_FILE))
		return 0;
	if (record->kind == INVENTORY_MAP)
		return take_map(inventory, process, object, record);
	/* The kernel lets a few names through that only look alike. */
	return object->class ? inventory_open(inventory, process, object, record->file.fd,
					      record->file.open_flags)
			     : 0;
}

/* Bytes that are at least behind RECORD. */
static size_t tail_size(const struct inventory_record *record)
{
	return record->kind == INVENTORY_SOCKET ? sizeof(struct inventory_ends) : record->path_size;
}

ssize_t iterate_records(struct inventory *inventory, struct inventory_object **known,
			size_t nr_known, const void *bytes, size_t size)
{
	size_t at = 0;

	while (size - at >= sizeof(struct inventory_record)) {
		struct inventory_record record;
		int err;

		memcpy(&record, (const char *)bytes + at, sizeof(record));
		if (record.size < sizeof(record) + tail_size(&record))
			return -EBADMSG;
		if (record.size > size - at)
			break;
		err = take_record(inventory, known, nr_known, &record,
				  (const char *)bytes + at + sizeof(record));
		if (err)
			return err;
		at += record.size;
	}
	return (ssize_t)at;
}

/* Reads FD to its end; KNOWN is NULL for the iterator over tasks. */
static int read_all(int fd, struct inventory *inventory, struct inventory_object **known)
{
	_cleanup_(cleanup_free) char *buffer = malloc(BUFFER_SIZE);
	size_t pending = 0;

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, buffer + pending, BUFFER_SIZE - pending);
		ssize_t taken;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		pending += (size_t)n;
		taken = known ? iterate_records(inventory, known, KNOWN_MAX, buffer, pending)
			      : take_seeds(inventory, buffer, pending);
		if (taken < 0)
			return (int)taken;
		pending -= (size_t)taken;
		memmove(buffer, buffer + taken, pending);
	}
}

int iterate_run(struct iterate *iterate, struct inventory *inventory)
{
	_cleanup_(cleanup_free) struct inventory_object **known =
		calloc(KNOWN_MAX, sizeof(struct inventory_object *));
	int err;

	if (!known)
		return -ENOMEM;
	err = read_all(iterate->tasks, inventory, NULL);
	if (!err)
		err = read_all(iterate->maps, inventory, known);
	/* Files are always named. */
	if (!err)
		err = read_all(iterate->files, inventory, known);
	return err || !inventory->is_short ? err : -ENOMEM;
}
