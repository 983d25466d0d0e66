/* SPDX-License-Identifier: MIT */
#include "proc/ldcache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/bytes.h"

#define OLD_MAGIC "ld.so-1.7.0"		 /* libc5 and glibc until 2.1 */
#define NEW_MAGIC "glibc-ld.so.cache1.1" /* glibc from 2.2, with the version */

struct old_header {
	char magic[12]; /* the last byte is padding */
	uint32_t nr_entries;
};

struct old_entry {
	int32_t flags;
	uint32_t key; /* offset of the name */
	uint32_t path_offset;
};

struct new_header {
	char magic[20];
	uint32_t nr_entries;
	uint32_t strings_size;
	uint8_t order; /* from glibc 2.33, zero before */
	uint8_t unused[3];
	uint32_t extension_offset;
	uint32_t unused_too[3];
};

struct new_entry {
	struct old_entry old;
	uint32_t osversion;
	uint64_t hwcap;
};

_Static_assert(sizeof(struct old_header) == 16, "the old header");
_Static_assert(sizeof(struct old_entry) == 12, "an old entry");
_Static_assert(sizeof(struct new_header) == 48, "the new header");
_Static_assert(sizeof(struct new_entry) == 24, "a new entry");

/* As the linker reads the byte: zero as a whole is unknown, else the lowest bits count. */
#define ORDER_UNKNOWN 0
#define ORDER_MASK    3
#define ORDER_OURS    (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 2 : 3)

/* What both formats come to. */
struct table {
	const char *entries;
	size_t entry_size; /* both kinds begin alike */
	size_t nr_entries;
	const char *strings; /* what the offsets count from */
	size_t strings_size; /* from there to the end of the cache */
};

static bool has_room(size_t size, size_t entry_size, uint32_t nr_entries)
{
	return nr_entries <= LDCACHE_ENTRIES_MAX && nr_entries <= size / entry_size;
}

/* The new table, whose header is at BYTES. */
static int find_new(const char *bytes, size_t size, struct table *ret)
{
	struct new_header header;

	if (size < sizeof(header) || !bytes_begin(bytes, size, NEW_MAGIC))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	if (header.order != ORDER_UNKNOWN && (header.order & ORDER_MASK) != ORDER_OURS)
		return -EBADMSG;
	if (!has_room(size - sizeof(header), sizeof(struct new_entry), header.nr_entries))
		return -EBADMSG;
	*ret = (struct table){
		.entries = bytes + sizeof(header),
		.entry_size = sizeof(struct new_entry),
		.nr_entries = header.nr_entries,
		.strings = bytes,
		.strings_size = size,
	};
	return 0;
}

/*
 * Where a new header is behind an old table that ends at END, or SIZE when there is none. It is
 * aligned as the machine that wrote it aligns 64 bits in a struct: to 8, on i386 to 4, to which END
 * is anyway.
 */
static size_t find_embedded(const char *bytes, size_t size, size_t end)
{
	const size_t starts[] = { end, (end + 7) / 8 * 8 };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (starts[i] < size && size - starts[i] >= sizeof(struct new_header) &&
		    bytes_begin(bytes + starts[i], size - starts[i], NEW_MAGIC))
			return starts[i];
	return size;
}

/* The old table at BYTES, or the new one behind it. */
static int find_old(const char *bytes, size_t size, struct table *ret)
{
	struct old_header header;
	size_t end, embedded;

	if (size < sizeof(header) || !bytes_begin(bytes, size, OLD_MAGIC))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	if (!has_room(size - sizeof(header), sizeof(struct old_entry), header.nr_entries))
		return -EBADMSG;
	end = sizeof(header) + header.nr_entries * sizeof(struct old_entry);
	embedded = find_embedded(bytes, size, end);
	if (embedded < size)
		return find_new(bytes + embedded, size - embedded, ret);
	*ret = (struct table){
		.entries = bytes + sizeof(header),
		.entry_size = sizeof(struct old_entry),
		.nr_entries = header.nr_entries,
		.strings = bytes + end,
		.strings_size = size - end,
	};
	return 0;
}

/* The path of entry INDEX, or NULL when it has none that can be told. */
static const char *path_of(const struct table *table, size_t index)
{
	struct old_entry entry;
	const char *path;
	size_t left;

	/* copied, as BYTES need not be aligned */
	memcpy(&entry, table->entries + index * table->entry_size, sizeof(entry));
	if (entry.path_offset >= table->strings_size)
		return NULL;
	path = table->strings + entry.path_offset;
	left = table->strings_size - entry.path_offset;
	if (left > LDCACHE_PATH_MAX + 1)
		left = LDCACHE_PATH_MAX + 1;
	return path[0] == '/' && memchr(path, '\0', left) ? path : NULL;
}

int ldcache_parse(const void *bytes, size_t size, int (*found)(void *ctx, const char *path),
		  void *ctx)
{
	struct table table;
	int err = find_new(bytes, size, &table);

	/* a new table that is damaged has not the old one's magic either */
	if (err)
		err = find_old(bytes, size, &table);
	for (size_t i = 0; !err && i < table.nr_entries; i++) {
		const char *path = path_of(&table, i);

		if (path)
			err = found(ctx, path);
	}
	return err;
}
