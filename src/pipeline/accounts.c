/* SPDX-License-Identifier: MIT */
#include "pipeline/accounts.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "pipeline/pathname.h"

/* login.defs(5): people have UID_MIN, 1000, and above; 65534 is nobody. */
#define UID_FIRST_PERSON 1000
#define UID_NOBODY	 65534

struct name {
	char *bytes;
	size_t size;
};

struct name_list {
	struct name *names; /* sorted once all are read */
	size_t nr_names;
};

/* What is to be replaced in a path: bytes START up to END, by TEXT. */
struct home_span {
	size_t start;
	size_t end;
	const char *text;
};

struct accounts {
	struct name_list homes;
	struct name_list systems;
	size_t longest_home;
	size_t nr_skipped;
	bool has_home_at[256]; /* by the byte behind the first slash: tells most paths apart at once
				*/
};

enum part {
	PART_COMPONENT, /* what follows the prefix, up to the next slash */
	PART_PREFIX,	/* the prefix itself, as a whole component */
	PART_OWNER,	/* what follows the prefix, up to the first underscore */
};

/* clang-format off: a table */
static const struct place {
	const char *prefix;
	const char *text;
	enum part part;
} places[] = {
	{ "/home/", "USER", PART_COMPONENT },
	{ "/root", "/home/ROOT", PART_PREFIX },
	{ "/var/home/", "USER", PART_COMPONENT }, /* ostree systems: /home is a link to it */
	{ "/export/home/", "USER", PART_COMPONENT },
	{ "/Users/", "USER", PART_COMPONENT },
	{ "/run/user/", "UID", PART_COMPONENT },
	{ "/var/run/user/", "UID", PART_COMPONENT }, /* /var/run is a link to /run */
	{ "/run/media/", "USER", PART_COMPONENT },   /* udisks mounts below the user's name */
	{ "/var/lib/docker/volumes/", "USERID", PART_OWNER },
};
/* clang-format on */

/* Homes at or below these belong to services, whatever their uid. */
static const char *const system_trees[] = {
	"/bin",	    "/boot",	    "/dev",	  "/etc",	"/lib",	    "/lib32",
	"/lib64",   "/nonexistent", "/proc",	  "/run",	"/sbin",    "/sys",
	"/tmp",	    "/usr",	    "/var/cache", "/var/empty", "/var/lib", "/var/log",
	"/var/run", "/var/spool",   "/var/tmp",	  "/var/www",
};

/* Directories that hold the homes or files of many: replacing them would hide what is no home. */
static const char *const shared_directories[] = {
	"/", "/data", "/export", "/home", "/media", "/mnt", "/opt", "/srv", "/var",
};

/* Whether PATH is TREE or below it. */
static bool is_within(const char *path, size_t size, const char *tree)
{
	size_t tree_size = strlen(tree);

	return bytes_begin(path, size, tree) && (size == tree_size || path[tree_size] == '/');
}

static bool place_match(const struct place *place, const char *path, size_t size, bool is_rooted,
			struct home_span *ret)
{
	/* a path without its leading slash is compared without the prefix's */
	size_t skip = path[0] != '/';
	const char *prefix = place->prefix + skip, *end;
	size_t prefix_size = strlen(prefix), at;

	if (place->part == PART_PREFIX) {
		/* "root" is a usual name for a directory: only below a root it is the home */
		if (!is_rooted || !is_within(path, size, prefix))
			return false;
		*ret = (struct home_span){ 0, prefix_size, place->text };
		return true;
	}
	if (size <= prefix_size || memcmp(path, prefix, prefix_size) != 0)
		return false;
	end = memchr(path + prefix_size, '/', size - prefix_size);
	at = end ? (size_t)(end - path) : size;
	if (place->part == PART_OWNER) {
		end = memchr(path + prefix_size, '_', at - prefix_size);
		at = end ? (size_t)(end - path) : at;
	}
	if (bytes_equal(path + prefix_size, at - prefix_size, place->text) ||
	    bytes_equal(path + prefix_size, at - prefix_size, "ROOT"))
		return false;
	*ret = (struct home_span){ prefix_size, at, place->text };
	return true;
}

static bool places_find(const char *path, size_t size, bool is_rooted, struct home_span *ret)
{
	size_t second = path[0] == '/';

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (size > second && path[second] == places[i].prefix[1] &&
		    place_match(&places[i], path, size, is_rooted, ret))
			return true;
	return false;
}

static int name_compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int name_sort(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return name_compare(x->bytes, x->size, y->bytes, y->size);
}

/* Whether NAME is in LIST, the first SKIP bytes of whose names are not compared. */
static bool name_find(const struct name_list *list, const char *name, size_t size, size_t skip)
{
	size_t low = 0, high = list->nr_names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct name *entry = &list->names[middle];
		int order = name_compare(name, size, entry->bytes + skip, entry->size - skip);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* The longest home of the passwd file that PATH is in. */
static bool homes_find(const struct accounts *accounts, const char *path, size_t size,
		       struct home_span *ret)
{
	size_t skip = path[0] != '/', found = 0;

	if (size < 2 || !accounts->has_home_at[(unsigned char)path[1 - skip]])
		return false;
	for (size_t at = 1; at <= size && at + skip <= accounts->longest_home; at++)
		if ((at == size || path[at] == '/') && name_find(&accounts->homes, path, at, skip))
			found = at;
	if (!found)
		return false;
	*ret = (struct home_span){ 0, found, &"/home/USER"[skip] };
	return true;
}

void accounts_judge(const struct accounts *accounts, const char *path, size_t size, bool is_rooted,
		    struct judged_path *ret)
{
	struct home_span span;
	size_t base = 0;

	ret->bytes = path;
	ret->size = size;
	ret->has_person = false;
	if (!path_is_plain(path, size)) {
		struct pathname *normal = &ret->normal;

		path_normalise(normal, path, size);
		base = normal->base;
		is_rooted = normal->is_rooted && (is_rooted || base > 0);
		/* the cut may have gone through a home of the file */
		if (normal->is_truncated && normal->size - base <= ACCOUNTS_HOME_MAX)
			normal->size = base;
		ret->bytes = normal->bytes;
		ret->size = normal->size;
	}
	if (base == ret->size)
		return;
	path = ret->bytes + base;
	size = ret->size - base;
	if (homes_find(accounts, path, size, &span) || places_find(path, size, is_rooted, &span)) {
		ret->has_person = true;
		ret->start = base + span.start;
		ret->end = base + span.end;
		ret->text = span.text;
	}
}

void judged_path_append(const struct judged_path *path, struct appender *to)
{
	if (!path->has_person) {
		append(to, path->bytes, path->size);
		return;
	}
	append(to, path->bytes, path->start);
	append_text(to, path->text);
	append(to, path->bytes + path->end, path->size - path->end);
}

bool accounts_is_system(const struct accounts *accounts, const char *name, size_t size)
{
	return name_find(&accounts->systems, name, size, 0);
}

size_t accounts_nr_skipped(const struct accounts *accounts)
{
	return accounts->nr_skipped;
}

static bool is_service_home(const char *home, size_t size)
{
	for (size_t i = 0; i < sizeof(system_trees) / sizeof(system_trees[0]); i++)
		if (is_within(home, size, system_trees[i]))
			return true;
	for (size_t i = 0; i < sizeof(shared_directories) / sizeof(shared_directories[0]); i++)
		if (bytes_equal(home, size, shared_directories[i]))
			return true;
	return false;
}

/* Copies a name into LIST, which has room for ACCOUNTS_MAX. */
static int name_add(struct accounts *accounts, struct name_list *list, const char *bytes,
		    size_t size)
{
	char *copy;

	if (list->nr_names == ACCOUNTS_MAX) {
		accounts->nr_skipped++;
		return 0;
	}
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, size);
	copy[size] = '\0';
	list->names[list->nr_names++] = (struct name){ copy, size };
	return 0;
}

static int home_add(struct accounts *accounts, const char *path)
{
	struct home_span span;
	struct pathname home;
	size_t size;
	int err;

	if (path[0] != '/')
		return 0;
	path_normalise(&home, path, strlen(path));
	size = home.size;
	if (size > 1 && home.bytes[size - 1] == '/')
		size--;
	if (is_service_home(home.bytes, size))
		return 0;
	/* the usual places need no entry, unless the home is deeper: /home/example.com/x */
	if (places_find(home.bytes, size, true, &span) && span.end == size)
		return 0;
	if (size > ACCOUNTS_HOME_MAX) {
		accounts->nr_skipped++;
		return 0;
	}
	err = name_add(accounts, &accounts->homes, home.bytes, size);
	if (err)
		return err;
	accounts->has_home_at[(unsigned char)home.bytes[1]] = true;
	if (size > accounts->longest_home)
		accounts->longest_home = size;
	return 0;
}

/* Decimal digits only. Returns false for anything else: a line of NIS, a comment. */
static bool uid_parse(const char *text, uint32_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)value;
	return true;
}

/* passwd(5): name:password:UID:GID:GECOS:directory:shell. LINE is cut into its fields. */
static int line_take(struct accounts *accounts, char *line)
{
	char *fields[7] = { line };
	size_t nr_fields = 1;
	uint32_t uid;
	bool is_person;

	for (char *at = line; *at && nr_fields < 7; at++) {
		if (*at != ':')
			continue;
		*at = '\0';
		fields[nr_fields++] = at + 1;
	}
	if (nr_fields < 6 || !uid_parse(fields[2], &uid))
		return 0;
	is_person = uid >= UID_FIRST_PERSON && uid < UID_NOBODY;
	if (!is_person) {
		int err = name_add(accounts, &accounts->systems, line, strlen(line));

		if (err)
			return err;
	}
	return is_person || uid == 0 ? home_add(accounts, fields[5]) : 0;
}

/*
 * Reads one line without its newline, what a NUL cuts included. RET_IS_LONG tells that it did not
 * fit. Returns false at the end of the file.
 */
static bool line_read(FILE *file, char line[static ACCOUNTS_LINE_MAX + 1], bool *ret_is_long)
{
	size_t size = 0;
	int c = getc_unlocked(file);

	if (c == EOF)
		return false;
	for (*ret_is_long = false; c != EOF && c != '\n'; c = getc_unlocked(file)) {
		if (size < ACCOUNTS_LINE_MAX)
			line[size++] = (char)c;
		else
			*ret_is_long = true;
	}
	line[size] = '\0';
	return true;
}

static int file_read(struct accounts *accounts, FILE *file)
{
	char line[ACCOUNTS_LINE_MAX + 1];
	bool is_long;
	int err = 0;

	while (!err && line_read(file, line, &is_long)) {
		if (is_long)
			accounts->nr_skipped++;
		else
			err = line_take(accounts, line);
	}
	if (!err && ferror(file))
		err = -EIO;
	return err;
}

int accounts_read(struct accounts **ret, const char *passwd_path)
{
	_cleanup_(cleanup_file) FILE *file = NULL;
	struct accounts *accounts = calloc(1, sizeof(*accounts));
	int err = -ENOMEM;

	if (!accounts)
		return -ENOMEM;
	accounts->homes.names = calloc(ACCOUNTS_MAX, sizeof(struct name));
	accounts->systems.names = calloc(ACCOUNTS_MAX, sizeof(struct name));
	if (!accounts->homes.names || !accounts->systems.names)
		goto fail;
	file = fopen(passwd_path, "re");
	err = file || errno == ENOENT ? 0 : -errno;
	if (file)
		err = file_read(accounts, file);
	if (err)
		goto fail;
	qsort(accounts->homes.names, accounts->homes.nr_names, sizeof(struct name), name_sort);
	qsort(accounts->systems.names, accounts->systems.nr_names, sizeof(struct name), name_sort);
	*ret = accounts;
	return 0;
fail:
	accounts_free(accounts);
	return err;
}

static void list_done(struct name_list *list)
{
	for (size_t i = 0; i < list->nr_names; i++)
		free(list->names[i].bytes);
	free(list->names);
}

void accounts_free(struct accounts *accounts)
{
	if (!accounts)
		return;
	list_done(&accounts->homes);
	list_done(&accounts->systems);
	free(accounts);
}
