/* SPDX-License-Identifier: MIT */
#include "proc/container.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"

/* Container ids are SHA-256 in hexadecimal: opencontainers/runtime-spec leaves it to the engines.
 */
#define ID_SIZE 64
#define BUCKETS 256

struct entry {
	struct container container;
	struct entry *next;
	size_t key_size;
	char text[]; /* the group's name, then the container's id or name, both NUL-terminated */
};

struct containers {
	size_t count;
	struct entry *buckets[BUCKETS];
};

/* Where in a group's name the id or name of the container is. */
struct match {
	const char *bytes;
	size_t size;
	bool is_name;
};

int containers_new(struct containers **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void containers_free(struct containers *containers)
{
	if (!containers)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (containers->buckets[i]) {
			struct entry *entry = containers->buckets[i];

			containers->buckets[i] = entry->next;
			free(entry);
		}
	}
	free(containers);
}

static bool strip(struct match *match, const char *prefix, const char *suffix)
{
	size_t before = strlen(prefix);
	size_t after = strlen(suffix);

	if (match->size <= before + after || memcmp(match->bytes, prefix, before) != 0 ||
	    memcmp(match->bytes + match->size - after, suffix, after) != 0)
		return false;
	match->bytes += before;
	match->size -= before + after;
	return true;
}

static bool is_id(const struct match *match)
{
	if (match->size != ID_SIZE)
		return false;
	for (size_t i = 0; i < ID_SIZE; i++)
		if (!strchr("0123456789abcdef", match->bytes[i]))
			return false;
	return true;
}

/*
 * With systemd the engines name a scope (docker-ID.scope, libpod-ID.scope, crio-ID.scope,
 * cri-containerd-ID.scope), without it the group is the id itself, Podman's and CRI-O's with their
 * prefix. LXC and nspawn use names. bpf/cgroup.bpf.h has to let all of these through.
 */
static bool match_name(struct match *match)
{
	static const char *const ids[][2] = {
		{ "docker-", ".scope" }, { "libpod-", ".scope" },	  { "libpod-", "" },
		{ "crio-", ".scope" },	 { "cri-containerd-", ".scope" }, { "crio-", "" },
	};
	static const char *const names[][2] = {
		{ "lxc.payload.", "" },
		{ "machine-", ".scope" },
		{ "systemd-nspawn@", ".service" },
	};

	if (is_id(match))
		return true;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strip(match, ids[i][0], ids[i][1]))
			return is_id(match);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strip(match, names[i][0], names[i][1])) {
			match->is_name = true;
			return true;
		}
	}
	return false;
}

static struct entry *entry_new(const char *name, size_t size, const struct match *match)
{
	struct entry *entry = calloc(1, sizeof(*entry) + size + match->size + 2);

	if (!entry)
		return NULL;
	memcpy(entry->text, name, size);
	memcpy(entry->text + size + 1, match->bytes, match->size);
	entry->key_size = size;
	entry->container.id = entry->text + size + 1;
	if (match->is_name)
		entry->container.name = entry->container.id;
	return entry;
}

const struct container *containers_intern(struct containers *containers, const char *name,
					  size_t size)
{
	struct match match = { .bytes = name, .size = size };
	size_t hash = 0;

	if (size == 0 || size > CONTAINER_NAME_MAX || memchr(name, '\0', size))
		return NULL;
	for (size_t i = 0; i < size; i++)
		hash = hash * 31 + (unsigned char)name[i];

	struct entry **bucket = &containers->buckets[hash % BUCKETS];

	for (struct entry *entry = *bucket; entry; entry = entry->next)
		if (entry->key_size == size && memcmp(entry->text, name, size) == 0)
			return &entry->container;
	if (containers->count == CONTAINERS_MAX || !match_name(&match))
		return NULL;

	struct entry *entry = entry_new(name, size, &match);

	if (!entry)
		return NULL;
	entry->next = *bucket;
	*bucket = entry;
	containers->count++;
	return &entry->container;
}

/*
 * In PATH (SIZE bytes), "/a/b", the name of the innermost control group that is a container's, else
 * of the innermost. NULL: it has none.
 */
static const char *innermost_name(const char *path, size_t size, size_t *ret_size)
{
	const char *found = NULL;
	const char *slash;

	for (const char *end = path + size; (slash = memrchr(path, '/', (size_t)(end - path)));
	     end = slash) {
		struct match match = { .bytes = slash + 1, .size = (size_t)(end - slash) - 1 };
		size_t name_size = match.size;
		bool is_container = match_name(&match);

		if (name_size > 0 && (is_container || !found)) {
			found = slash + 1;
			*ret_size = name_size;
		}
		if (is_container)
			break;
	}
	return found;
}

/* The path in LINE (SIZE bytes) of /proc/PID/cgroup, if that is of cgroup2 or of pids, or NULL. */
static const char *group_path(const char *line, size_t size, bool *ret_is_unified)
{
	const char *path = memmem(line, size, ":pids:/", strlen(":pids:/"));

	*ret_is_unified = bytes_begin(line, size, "0::/");
	if (*ret_is_unified)
		return line + strlen("0::");
	return path ? path + strlen(":pids:") : NULL;
}

const char *container_cgroup(const char *text, size_t size, size_t *ret_size)
{
	const char *end = text + size;
	const char *found = NULL;
	const char *stop;

	for (const char *line = text; line < end; line = stop + 1) {
		const char *path, *name = NULL;
		bool is_unified;

		stop = memchr(line, '\n', (size_t)(end - line));
		stop = stop ? stop : end;
		path = group_path(line, (size_t)(stop - line), &is_unified);
		if (path && (is_unified || !found))
			name = innermost_name(path, (size_t)(stop - path), ret_size);
		found = name ? name : found;
		if (name && is_unified)
			break;
	}
	return found;
}
