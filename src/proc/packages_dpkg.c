/* SPDX-License-Identifier: MIT */
/*
 * dpkg's database, deb822 paragraphs and one list of paths for each package:
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html and dpkg-query(1), "Package
 * States".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "proc/packages_private.h"

#define NAME_MAX_SIZE 128 /* of a package, and of a list without its suffix */
#define ARCH_MAX_SIZE 31
#define LIST_SUFFIX   ".list"

/* A package whose files are there. */
struct dpkg_package {
	uint8_t name_size; /* TEXT begins with the name */
	char arch[ARCH_MAX_SIZE + 1];
	char text[PACKAGE_TEXT_MAX];
};

struct dpkg {
	const struct package_root *root;
	struct package_index *index;
	struct lines *lines;
	struct dpkg_package *packages; /* sorted by name once all are read */
	size_t nr_packages;
	size_t room;
	int err; /* of the first list that could not be read */
};

/* What a paragraph says so far; a value that does not fit counts as missing. */
struct paragraph {
	char name[NAME_MAX_SIZE + 1];
	char arch[ARCH_MAX_SIZE + 1];
	char version[NAME_MAX_SIZE + 1];
	bool has_files;
};

/* The value of LINE if it is that of FIELD ("Package:"), NULL when it is another. */
static const char *field_value(const char *line, size_t size, const char *field, size_t *ret_size)
{
	size_t at = strlen(field);

	if (!bytes_begin(line, size, field))
		return NULL;
	while (at < size && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (size > at && (line[size - 1] == ' ' || line[size - 1] == '\t'))
		size--;
	*ret_size = size - at;
	return line + at;
}

static void copy_value(char *out, size_t room, const char *value, size_t size)
{
	if (size >= room || memchr(value, '\0', size))
		size = 0;
	memcpy(out, value, size);
	out[size] = '\0';
}

/*
 * "WANTED FLAG STATE": a package has files in every state but not-installed and config-files. Of
 * one that is half installed it is as likely as not, and the file that is asked for is there.
 */
static bool state_has_files(const char *value, size_t size)
{
	static const char *const without[] = { "not-installed", "config-files" };
	const char *space = memrchr(value, ' ', size);

	if (!space)
		return false;
	size -= (size_t)(space + 1 - value);
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		if (bytes_equal(space + 1, size, without[i]))
			return false;
	return true;
}

static void take_field(struct paragraph *paragraph, const char *line, size_t size)
{
	const char *value;
	size_t value_size;

	if ((value = field_value(line, size, "Package:", &value_size)))
		copy_value(paragraph->name, sizeof(paragraph->name), value, value_size);
	else if ((value = field_value(line, size, "Architecture:", &value_size)))
		copy_value(paragraph->arch, sizeof(paragraph->arch), value, value_size);
	else if ((value = field_value(line, size, "Version:", &value_size)))
		copy_value(paragraph->version, sizeof(paragraph->version), value, value_size);
	else if ((value = field_value(line, size, "Status:", &value_size)))
		paragraph->has_files = state_has_files(value, value_size);
}

/* Ends a paragraph. Returns 0 or -ENOMEM. */
static int take_paragraph(struct dpkg *dpkg, struct paragraph *paragraph)
{
	struct paragraph done = *paragraph;
	struct dpkg_package *package;

	*paragraph = (struct paragraph){ 0 };
	if (!done.has_files || dpkg->nr_packages == PACKAGES_MAX)
		return 0;
	if (dpkg->nr_packages == dpkg->room) {
		size_t room = dpkg->room ? 2 * dpkg->room : 1024;
		void *packages = realloc(dpkg->packages, room * sizeof(*dpkg->packages));

		if (!packages)
			return -ENOMEM;
		dpkg->packages = packages;
		dpkg->room = room;
	}
	package = &dpkg->packages[dpkg->nr_packages];
	if (!packages_text(package->text, done.name, strlen(done.name), done.version,
			   strlen(done.version)))
		return 0;
	package->name_size = (uint8_t)strlen(done.name);
	memcpy(package->arch, done.arch, sizeof(package->arch));
	dpkg->nr_packages++;
	return 0;
}

static int name_compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int package_compare(const void *a, const void *b)
{
	const struct dpkg_package *x = a, *y = b;
	int order = name_compare(x->text, x->name_size, y->text, y->name_size);

	return order ? order : strcmp(x->arch, y->arch);
}

static int read_status(struct dpkg *dpkg)
{
	_cleanup_(cleanup_fd) int fd = dpkg->root->open(dpkg->root->ctx, PACKAGES_DPKG_STATUS);
	struct paragraph paragraph = { 0 };
	const char *line;
	size_t size;
	int n, err = 0;

	if (fd < 0)
		return fd;
	lines_begin(dpkg->lines, fd, PACKAGES_FILE_MAX);
	while (!err && (n = packages_line(dpkg->lines, &line, &size)) > 0) {
		if (size > 0)
			take_field(&paragraph, line, size);
		else
			err = take_paragraph(dpkg, &paragraph);
	}
	if (err || n < 0)
		return err ? err : n;
	err = take_paragraph(dpkg, &paragraph);
	if (!err && dpkg->nr_packages > 0)
		qsort(dpkg->packages, dpkg->nr_packages, sizeof(*dpkg->packages), package_compare);
	return err;
}

/* The package of the list "NAME" or "NAME:ARCH", or NULL when it has no files. */
static const struct dpkg_package *find_package(const struct dpkg *dpkg, const char *list,
					       size_t size)
{
	const char *colon = memchr(list, ':', size);
	size_t name_size = colon ? (size_t)(colon - list) : size;
	size_t arch_size = colon ? size - name_size - 1 : 0;
	size_t low = 0, high = dpkg->nr_packages;

	/* the first of that name */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct dpkg_package *package = &dpkg->packages[middle];

		if (name_compare(package->text, package->name_size, list, name_size) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < dpkg->nr_packages; low++) {
		const struct dpkg_package *package = &dpkg->packages[low];

		if (name_compare(package->text, package->name_size, list, name_size) != 0)
			return NULL;
		/* lists have the architecture in their name where there may be several */
		if (!colon || bytes_equal(colon + 1, arch_size, package->arch))
			return package;
	}
	return NULL;
}

static int read_list(struct dpkg *dpkg, const char *path, const struct dpkg_package *package)
{
	_cleanup_(cleanup_fd) int fd = dpkg->root->open(dpkg->root->ctx, path);
	const char *line;
	size_t size;
	int n;

	if (fd < 0)
		return fd;
	lines_begin(dpkg->lines, fd, PACKAGES_FILE_MAX);
	while ((n = packages_line(dpkg->lines, &line, &size)) > 0)
		package_index_offer(dpkg->index, line, size, package->text);
	return n;
}

/* Takes the list NAME. An error of one list does not keep the others from being read. */
static int take_list(void *arg, const char *name)
{
	struct dpkg *dpkg = arg;
	size_t size = strlen(name);
	size_t suffix = strlen(LIST_SUFFIX);
	char path[sizeof(PACKAGES_DPKG_INFO) + NAME_MAX_SIZE + ARCH_MAX_SIZE + sizeof(LIST_SUFFIX)];
	const struct dpkg_package *package;
	int err;

	if (dpkg->index->nr_open == 0 || size <= suffix || strchr(name, '/') ||
	    strcmp(name + size - suffix, LIST_SUFFIX) != 0)
		return 0;
	package = find_package(dpkg, name, size - suffix);
	if (!package || sizeof(PACKAGES_DPKG_INFO) + size > sizeof(path))
		return 0;
	memcpy(path, PACKAGES_DPKG_INFO, strlen(PACKAGES_DPKG_INFO));
	memcpy(path + strlen(PACKAGES_DPKG_INFO), name, size + 1);
	err = read_list(dpkg, path, package);
	/* a package that is removed at this moment is no error */
	if (err && err != -ENOENT && !dpkg->err)
		dpkg->err = err;
	return 0;
}

int packages_find_dpkg(const struct package_root *root, struct package_index *index,
		       struct lines *lines)
{
	struct dpkg dpkg = { .root = root, .index = index, .lines = lines };
	int err = read_status(&dpkg);

	if (!err)
		err = root->list(root->ctx, take_list, &dpkg);
	free(dpkg.packages);
	return err ? err : dpkg.err;
}
