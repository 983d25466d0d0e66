/* SPDX-License-Identifier: MIT */
#include "trace/copies.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "catalogue/api.h"
#include "catalogue/libraries.h"
#include "lib/cleanup.h"
#include "lib/scarce.h"
#include "proc/ldcache.h"
#include "proc/maps.h"

/* Hosts with hundreds of libraries have caches of 200 KB. */
#define CACHE_SIZE_MAX (4U << 20)
/* Directories and caches that were read: mount namespaces share most of them. */
#define SEEN_MAX 4096

struct copies {
	struct probes *probes;
	struct broker *broker;
	uint32_t pid;	 /* whose root is looked at */
	const char *dir; /* of it */
	struct seen {
		dev_t dev;
		ino_t inode;
	} * seen;
	size_t nr_seen;
};

/* Whether PATH is that of a library with functions in the catalogue. */
static bool is_probed(const char *path, size_t size)
{
	const struct library_class *class = library_classify(path, size);
	size_t nr;

	return class && api_functions(class->family, &nr);
}

static void probe_path(struct copies *copies, const char *path)
{
	struct broker_file file = { .kind = BROKER_FILE_PATH, .pid = copies->pid };
	size_t size = strlen(path);

	if (size >= sizeof(file.path) || !is_probed(path, size))
		return;
	memcpy(file.path, path, size + 1);
	probes_add(copies->probes, &file, path, size);
}

/* Whether the file of ST was not seen before. */
static bool is_news(struct copies *copies, const struct stat *st)
{
	for (size_t i = 0; i < copies->nr_seen; i++)
		if (copies->seen[i].inode == st->st_ino && copies->seen[i].dev == st->st_dev)
			return false;
	if (copies->nr_seen < SEEN_MAX)
		copies->seen[copies->nr_seen++] = (struct seen){ st->st_dev, st->st_ino };
	return true;
}

static int cached(void *ctx, const char *path)
{
	probe_path(ctx, path);
	return 0;
}

static void read_cache(struct copies *copies, int fd, size_t size)
{
	_cleanup_(cleanup_free) char *bytes = size <= CACHE_SIZE_MAX ? malloc(size) : NULL;
	size_t filled = 0;

	if (!bytes) {
		probes_count_unlooked(copies->probes);
		return;
	}
	while (filled < size) {
		ssize_t n = read(fd, bytes + filled, size - filled);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		filled += (size_t)n;
	}
	ldcache_parse(bytes, filled, cached, copies);
}

/* A name in a directory: regular files only, links lead to what is found elsewhere. */
static void probe_entry_of(struct copies *copies, const struct dirent64 *entry)
{
	char path[BROKER_PATH_MAX];
	int n;

	if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN)
		return;
	n = snprintf(path, sizeof(path), "/%s/%s", copies->dir, entry->d_name);
	if (n > 0 && n < (int)sizeof(path))
		probe_path(copies, path);
}

static void read_names(struct copies *copies, int fd)
{
	_Alignas(struct dirent64) char buffer[32768];
	long n;

	while ((n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		const struct dirent64 *entry;

		for (long at = 0; at < n; at += entry->d_reclen) {
			entry = (const void *)(buffer + at);
			probe_entry_of(copies, entry);
		}
	}
}

static void probe_root(struct copies *copies, uint32_t pid)
{
	size_t nr_paths;
	const char *const *paths = broker_loader_paths(&nr_paths);

	copies->pid = pid;
	for (size_t i = 0; i < nr_paths; i++) {
		_cleanup_(cleanup_fd) int fd = broker_open_loader(copies->broker, pid, paths[i]);
		struct stat st;

		if (is_scarce(fd))
			probes_count_unlooked(copies->probes);
		if (fd < 0 || fstat(fd, &st) < 0 || !is_news(copies, &st))
			continue;
		copies->dir = paths[i];
		if (S_ISDIR(st.st_mode))
			read_names(copies, fd);
		else
			read_cache(copies, fd, (size_t)st.st_size);
	}
}

static int probe_map(void *ctx, const struct map *map)
{
	struct copies *copies = ctx;
	struct broker_file file = {
		.kind = BROKER_FILE_MAP,
		.pid = copies->pid,
		.inode = map->inode,
		.from = map->start,
		.to = map->end,
	};

	if (!map->is_executable || !map->path || !is_probed(map->path, map->path_size) ||
	    probes_find(copies->probes, map->dev_major, map->dev_minor, map->inode, 0))
		return 0;
	probes_add(copies->probes, &file, map->path, map->path_size);
	return 0;
}

const struct probed_file *copies_probe_program(struct probes *probes, struct broker *broker,
					       uint32_t pid)
{
	struct broker_file file = { .kind = BROKER_FILE_EXE, .pid = pid };
	struct broker_link link;
	const struct probed_file *known;
	int err = broker_look(broker, pid, -1, &link);

	if (is_scarce(err))
		probes_count_unlooked(probes);
	if (err)
		return NULL;
	known = probes_find(probes, link.dev_major, link.dev_minor, link.inode, link.ctime_ns);
	if (known)
		return known;
	file.inode = link.inode;
	return probes_add(probes, &file, link.path, strlen(link.path));
}

void copies_probe_mapped(struct probes *probes, struct broker *broker, uint32_t pid)
{
	struct copies copies = { .probes = probes, .broker = broker, .pid = pid };
	_cleanup_(cleanup_fd) int fd = broker_open_text(broker, pid, BROKER_TEXT_maps);

	int err = fd < 0 ? fd : maps_each(fd, probe_map, &copies, NULL);

	if (is_scarce(err))
		probes_count_unlooked(probes);
}

static int probe_process(void *ctx, const struct process *process)
{
	struct copies *copies = ctx;

	copies_probe_mapped(copies->probes, copies->broker, process->pid);
	copies_probe_program(copies->probes, copies->broker, process->pid);
	return 0;
}

void copies_probe(struct probes *probes, struct broker *broker, const struct session *session,
		  const struct processes *processes)
{
	struct copies copies = { .probes = probes, .broker = broker };

	copies.seen = calloc(SEEN_MAX, sizeof(*copies.seen));
	if (!copies.seen) {
		probes_count_unlooked(probes);
		return;
	}
	for (size_t i = 0; i < session->nr_roots; i++)
		probe_root(&copies, session->roots[i].pid);
	/* None is selected yet: those to come use what is installed here most likely. */
	if (session->nr_roots == 0)
		probe_root(&copies, (uint32_t)getpid());
	processes_each(processes, probe_process, &copies);
	free(copies.seen);
}
