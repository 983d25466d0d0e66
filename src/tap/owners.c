/* SPDX-License-Identifier: MIT */
#include "tap/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "lib/cleanup.h"
#include "proc/maps.h"
#include "sources/lib_load/lib_load.h"

struct owner {
	uint64_t start_ns;
	uint32_t pid;  /* 0: none */
	bool is_whole; /* nothing was mapped that is not here */
	uint8_t nr;
	uint16_t libraries[OWNER_LIBRARIES_MAX]; /* numbers of paths */
};

struct owners {
	struct broker *broker;
	struct owners_counts counts;
	size_t nr_paths;
	char *paths[OWNERS_LIBRARIES_MAX];
	struct owner owners[OWNERS_MAX];
};

/* The place of (PID, START_NS), taken from whoever has it. */
static struct owner *enter(struct owners *owners, uint32_t pid, uint64_t start_ns)
{
	struct owner *owner = &owners->owners[pid & (OWNERS_MAX - 1)];

	if (owner->pid != pid || owner->start_ns != start_ns)
		*owner = (struct owner){ .pid = pid, .start_ns = start_ns };
	return owner;
}

/* The number of PATH, or OWNERS_LIBRARIES_MAX when there is no more room. */
static size_t number_of(struct owners *owners, const char *path, size_t size)
{
	size_t i = 0;

	while (i < owners->nr_paths &&
	       (strlen(owners->paths[i]) != size || memcmp(owners->paths[i], path, size) != 0))
		i++;
	if (i < owners->nr_paths || i == OWNERS_LIBRARIES_MAX)
		return i;
	owners->paths[i] = strndup(path, size);
	if (!owners->paths[i])
		return OWNERS_LIBRARIES_MAX;
	owners->nr_paths++;
	return i;
}

static void note(struct owners *owners, struct owner *owner, const char *path, size_t size)
{
	size_t number;

	if (!library_speaks_tls(path, size) || memchr(path, '\0', size))
		return;
	/* One that is replaced is the same still. */
	size = library_path_size(path, size);
	number = number_of(owners, path, size);
	for (size_t i = 0; i < owner->nr; i++)
		if (owner->libraries[i] == number)
			return;
	if (number < OWNERS_LIBRARIES_MAX && owner->nr < OWNER_LIBRARIES_MAX)
		owner->libraries[owner->nr++] = (uint16_t)number;
	else
		owners->counts.left_out++;
}

void owners_mapped(struct owners *owners, const struct record *record)
{
	const struct lib_load_event *event = (const void *)record->bytes;

	if (!record->hdr->start_ns)
		return;
	note(owners, enter(owners, record->hdr->tgid, record->hdr->start_ns),
	     (const char *)record->bytes + event->path.off, event->path.size);
}

void owners_executed(struct owners *owners, const struct record *record)
{
	struct owner *owner = enter(owners, record->hdr->tgid, record->hdr->start_ns);

	owner->nr = 0;
	owner->is_whole = true;
}

struct reading {
	struct owners *owners;
	struct owner *owner;
	bool is_there; /* a process that ends has no mappings any more, a zombie neither */
};

static int take_map(void *ctx, const struct map *map)
{
	struct reading *reading = ctx;

	reading->is_there = true;
	if (map->is_executable && map->path)
		note(reading->owners, reading->owner, map->path, map->path_size);
	return 0;
}

/* Returns whether /proc told. */
static bool read_maps(struct owners *owners, struct owner *owner)
{
	struct reading reading = { owners, owner, false };
	_cleanup_(cleanup_fd) int fd =
		broker_open_text(owners->broker, owner->pid, BROKER_TEXT_maps);

	return fd >= 0 && maps_each(fd, take_map, &reading, NULL) == 0 && reading.is_there;
}

/* The place of (PID, START_NS), with all that can be known in it. */
static struct owner *look_up(struct owners *owners, uint32_t pid, uint64_t start_ns)
{
	struct owner *owner = enter(owners, pid, start_ns);

	if (!owner->is_whole)
		owner->is_whole = read_maps(owners, owner);
	return owner;
}

size_t owners_libraries(struct owners *owners, uint32_t pid, uint64_t start_ns,
			const struct process *parent, const char *ret[static OWNER_LIBRARIES_MAX])
{
	const struct owner *owner = look_up(owners, pid, start_ns);

	/* It was forked, did its work and is gone: what it had, its parent had. */
	if (!owner->is_whole && !owner->nr && parent)
		owner = look_up(owners, parent->pid, parent->start_ns);
	owners->counts.unread += !owner->is_whole && !owner->nr;
	for (size_t i = 0; i < owner->nr; i++)
		ret[i] = owners->paths[owner->libraries[i]];
	return owner->nr;
}

const struct owners_counts *owners_counts(const struct owners *owners)
{
	return &owners->counts;
}

int owners_new(struct owners **ret, struct broker *broker)
{
	struct owners *owners = calloc(1, sizeof(*owners));

	if (!owners)
		return -ENOMEM;
	owners->broker = broker;
	*ret = owners;
	return 0;
}

void owners_free(struct owners *owners)
{
	if (!owners)
		return;
	for (size_t i = 0; i < owners->nr_paths; i++)
		free(owners->paths[i]);
	free(owners);
}
