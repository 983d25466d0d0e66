/* SPDX-License-Identifier: MIT */
#include "proc/packages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "proc/packages_private.h"

static const char *const database_paths[] = {
	PACKAGES_DPKG_STATUS,
	PACKAGES_APK_INSTALLED,
	PACKAGES_APK_INSTALLED3,
};

const char *const *packages_database_paths(size_t *ret_nr)
{
	*ret_nr = sizeof(database_paths) / sizeof(database_paths[0]);
	return database_paths;
}

/*
 * How many bytes of PATH a merged /usr adds: paths that differ in these alone are one file there.
 * The directories are those of Debian's usrmerge.
 */
static size_t merged_prefix(const char *path, size_t size)
{
	static const char *const merged[] = {
		"/usr/lib/",   "/usr/bin/",   "/usr/sbin/",
		"/usr/lib64/", "/usr/lib32/", "/usr/libx32/",
	};

	for (size_t i = 0; i < sizeof(merged) / sizeof(merged[0]); i++)
		if (bytes_begin(path, size, merged[i]))
			return strlen("/usr");
	return 0;
}

/*
 * Of eight bytes at a time, as each of some hundred thousand paths is hashed. Both sides are files
 * of root: nobody gains from collisions.
 */
static uint64_t path_hash(const char *path, size_t size)
{
	uint64_t hash = size;
	uint64_t word;

	for (; size >= sizeof(word); path += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, path, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	word = 0;
	memcpy(&word, path, size);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

static void index_add(struct package_index *index, size_t query)
{
	const char *path = index->queries[query].path;
	size_t size = strlen(path);
	size_t skip = merged_prefix(path, size);
	uint64_t hash = path_hash(path + skip, size - skip);
	size_t at = hash & index->mask;

	while (index->slots[at].query)
		at = (at + 1) & index->mask;
	index->slots[at] = (struct package_slot){ .hash = hash, .query = (uint32_t)query + 1 };
}

int package_index_new(struct package_index *index, struct package_query *queries, size_t nr_queries)
{
	size_t nr_slots = 16;

	if (nr_queries > PACKAGE_QUERIES_MAX)
		return -E2BIG;
	while (nr_slots < 2 * nr_queries)
		nr_slots *= 2;
	*index = (struct package_index){
		.queries = queries,
		.nr_queries = nr_queries,
		.nr_open = nr_queries,
		.slots = calloc(nr_slots, sizeof(*index->slots)),
		.is_exact = calloc(nr_queries + 1, sizeof(*index->is_exact)),
		.mask = nr_slots - 1,
	};
	if (!index->slots || !index->is_exact) {
		package_index_done(index);
		return -ENOMEM;
	}
	for (size_t i = 0; i < nr_queries; i++) {
		queries[i].package[0] = '\0';
		if (queries[i].path[0] == '/')
			index_add(index, i);
		else
			index->nr_open--;
	}
	return 0;
}

void package_index_done(struct package_index *index)
{
	free(index->slots);
	free(index->is_exact);
	index->slots = NULL;
	index->is_exact = NULL;
}

static void answer(struct package_index *index, size_t number, bool is_exact, const char *text)
{
	struct package_query *query = &index->queries[number];

	/* of two packages the first has it, but for one that has the very path */
	if (index->is_exact[number] || (query->package[0] && !is_exact))
		return;
	memcpy(query->package, text, strlen(text) + 1);
	if (is_exact) {
		index->is_exact[number] = true;
		index->nr_open--;
	}
}

void package_index_offer(struct package_index *index, const char *path, size_t size,
			 const char *text)
{
	size_t skip = merged_prefix(path, size);
	uint64_t hash = path_hash(path + skip, size - skip);

	for (size_t at = hash & index->mask; index->slots[at].query; at = (at + 1) & index->mask) {
		const struct package_slot *slot = &index->slots[at];
		size_t number = slot->query - 1;
		const char *wanted = index->queries[number].path;
		size_t wanted_size, wanted_skip;

		if (slot->hash != hash)
			continue;
		wanted_size = strlen(wanted);
		wanted_skip = merged_prefix(wanted, wanted_size);
		if (wanted_size - wanted_skip == size - skip &&
		    memcmp(wanted + wanted_skip, path + skip, size - skip) == 0)
			answer(index, number, wanted_skip == skip, text);
	}
}

int packages_line(struct lines *lines, const char **ret, size_t *ret_size)
{
	int n = lines_next(lines, ret, ret_size);

	if (n > 0 && *ret_size > 0 && (*ret)[*ret_size - 1] == '\r')
		--*ret_size;
	return n;
}

/* Neither names nor versions have blanks: an answer can be split again. */
static bool is_word(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] <= ' ')
			return false;
	return size > 0;
}

bool packages_text(char out[static PACKAGE_TEXT_MAX], const char *name, size_t name_size,
		   const char *version, size_t version_size)
{
	out[0] = '\0';
	if (name_size >= PACKAGE_TEXT_MAX || version_size >= PACKAGE_TEXT_MAX ||
	    name_size + 1 + version_size >= PACKAGE_TEXT_MAX || !is_word(name, name_size) ||
	    !is_word(version, version_size))
		return false;
	memcpy(out, name, name_size);
	out[name_size] = ' ';
	memcpy(out + name_size + 1, version, version_size);
	out[name_size + 1 + version_size] = '\0';
	return true;
}

int packages_find(const struct package_root *root, struct package_query *queries, size_t nr_queries)
{
	_cleanup_(cleanup_free) struct lines *lines = malloc(sizeof(*lines));
	struct package_index index;
	int err, apk_err;

	if (!lines)
		return -ENOMEM;
	err = package_index_new(&index, queries, nr_queries);
	if (err)
		return err;
	err = packages_find_dpkg(root, &index, lines);
	apk_err = packages_find_apk(root, &index, lines);
	package_index_done(&index);
	/* that one of them is not there is nothing to tell of the other */
	if (err == -ENOENT || (!err && apk_err != -ENOENT))
		err = apk_err;
	return err;
}
