/* SPDX-License-Identifier: MIT */
/*
 * apk's database of installed packages: paragraphs of one-letter fields, of which P is the name, V
 * the version, F a directory and R a file in it:
 * https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/cleanup.h"
#include "proc/packages_private.h"

struct apk {
	struct package_index *index;
	char name[PACKAGE_TEXT_MAX];
	char text[PACKAGE_TEXT_MAX]; /* empty: name or version are not known */
	char path[PATH_MAX];	     /* the directory with a slash before and behind it */
	size_t directory_size;	     /* of that; 0: none */
};

static void take_name(struct apk *apk, const char *value, size_t size)
{
	if (size >= sizeof(apk->name) || memchr(value, '\0', size))
		size = 0;
	memcpy(apk->name, value, size);
	apk->name[size] = '\0';
	apk->text[0] = '\0';
}

static void take_version(struct apk *apk, const char *value, size_t size)
{
	packages_text(apk->text, apk->name, strlen(apk->name), value, size);
}

static void take_directory(struct apk *apk, const char *value, size_t size)
{
	apk->directory_size = 0;
	if (size + 2 > sizeof(apk->path))
		return;
	apk->path[0] = '/';
	memcpy(apk->path + 1, value, size);
	apk->directory_size = size + 1;
	if (size > 0)
		apk->path[apk->directory_size++] = '/';
}

static void take_file(struct apk *apk, const char *value, size_t size)
{
	if (apk->directory_size == 0 || !apk->text[0] ||
	    size > sizeof(apk->path) - apk->directory_size)
		return;
	memcpy(apk->path + apk->directory_size, value, size);
	package_index_offer(apk->index, apk->path, apk->directory_size + size, apk->text);
}

static void take_line(struct apk *apk, const char *line, size_t size)
{
	if (size == 0) {
		take_name(apk, "", 0);
		apk->directory_size = 0;
		return;
	}
	if (size < 2 || line[1] != ':')
		return;
	switch (line[0]) {
	case 'P':
		take_name(apk, line + 2, size - 2);
		break;
	case 'V':
		take_version(apk, line + 2, size - 2);
		break;
	case 'F':
		take_directory(apk, line + 2, size - 2);
		break;
	case 'R':
		take_file(apk, line + 2, size - 2);
		break;
	default:
		break;
	}
}

int packages_find_apk(const struct package_root *root, struct package_index *index,
		      struct lines *lines)
{
	_cleanup_(cleanup_fd) int fd = root->open(root->ctx, PACKAGES_APK_INSTALLED);
	struct apk apk = { .index = index };
	const char *line;
	size_t size;
	int n;

	if (fd == -ENOENT)
		fd = root->open(root->ctx, PACKAGES_APK_INSTALLED3);
	if (fd < 0)
		return fd;
	lines_begin(lines, fd, PACKAGES_FILE_MAX);
	while ((n = packages_line(lines, &line, &size)) > 0)
		take_line(&apk, line, size);
	return n;
}
