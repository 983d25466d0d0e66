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
 * cri-containerd-ID.scope), without it the group is the id itself. LXC and nspawn use names.
 */
static bool match_name(struct match *match)
{
	static const char *const scopes[] = { "docker-", "libpod-", "crio-", "cri-containerd-" };
	static const char *const names[][2] = {
		{ "lxc.payload.", "" },
		{ "machine-", ".scope" },
		{ "systemd-nspawn@", ".service" },
	};

	if (is_id(match))
		return true;
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (strip(match, scopes[i], ".scope"))
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

const char *container_cgroup(const char *text, size_t size, size_t *ret_size)
{
	const char *end = text + size;
	const char *found = NULL;

	for (const char *line = text; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t line_size = (size_t)((stop ? stop : end) - line);
		bool is_unified = bytes_begin(line, line_size, "0::/");
		const char *slash = memrchr(line, '/', line_size);
		const char *pids = memmem(line, line_size, ":pids:/", 7);

		if (slash && slash + 1 < line + line_size && (is_unified || (pids && !found))) {
			found = slash + 1;
			*ret_size = (size_t)(line + line_size - found);
			if (is_unified)
				break;
		}
		if (!stop)
			break;
		line = stop + 1;
	}
	return found;
}
