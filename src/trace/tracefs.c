/* SPDX-License-Identifier: MIT */
#include "trace/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "trace/detached.h"

/* What tracepoints hand to programs is a page at most. */
#define OFFSET_MAX 4096

static int open_dir(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	/* Not faccessat(2): for an ordinary user it looks without that user's capabilities. */
	if (fstatat(fd, "events/syscalls", &st, 0) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

bool tracefs_is_mounted(void)
{
	struct statfs fs;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int err = statfs(places[i], &fs) < 0 ? errno : 0;

		if (err == EACCES || (!err && fs.f_type == TRACEFS_MAGIC))
			return true;
	}
	return false;
}

int tracefs_open(void)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open_dir(places[i]);

		if (fd >= 0)
			return fd;
	}
	return detached_open("tracefs");
}

/* Opens file NAME of EVENT for reading. Returns a descriptor or a negative errno. */
static int open_event(int tracefs, const char *event, const char *name)
{
	char path[256];
	int n = snprintf(path, sizeof(path), "events/%s/%s", event, name);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int tracefs_event_id(int tracefs, const char *event)
{
	_cleanup_(cleanup_fd) int fd = open_event(tracefs, event, "id");
	char text[16] = "";

	if (fd < 0)
		return fd;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		return -EIO;

	int id = atoi(text);

	return id > 0 ? id : -EIO;
}

/* Whether the declaration of SIZE bytes at TEXT, "char name[16]", is that of FIELD. */
static bool declares(const char *text, size_t size, const char *field)
{
	size_t want = strlen(field);
	const char *bracket;
	const char *begin;

	/* That of a "__data_loc char[] name" belongs to the type. */
	bracket = size ? memrchr(text, '[', size) : NULL;
	if (bracket && text[size - 1] == ']')
		size = (size_t)(bracket - text);
	if (size <= want)
		return false;
	begin = text + size - want;
	return memcmp(begin, field, want) == 0 && (begin[-1] == ' ' || begin[-1] == '*');
}

/* The number at TEXT. Returns it or -ENODATA. */
static int take_offset(const char *text, size_t size)
{
	int value = 0;

	for (size_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++) {
		value = value * 10 + (text[i] - '0');
		if (value >= OFFSET_MAX)
			return -ENODATA;
	}
	return value;
}

int tracefs_parse_field(const char *text, size_t size, const char *field)
{
	static const char before[] = "\tfield:";
	static const char at[] = "\toffset:";

	while (size > 0) {
		const char *newline = memchr(text, '\n', size);
		size_t line = newline ? (size_t)(newline - text) : size;
		const char *end = line ? memchr(text, ';', line) : NULL;
		const char *offset = line ? memmem(text, line, at, sizeof(at) - 1) : NULL;

		if (end && offset && line > sizeof(before) &&
		    memcmp(text, before, sizeof(before) - 1) == 0 &&
		    declares(text + sizeof(before) - 1, (size_t)(end - text) - sizeof(before) + 1,
			     field)) {
			offset += sizeof(at) - 1;
			return take_offset(offset, (size_t)(text + line - offset));
		}
		text += line + (newline != NULL);
		size -= line + (newline != NULL);
	}
	return -ENODATA;
}

int tracefs_event_field(int tracefs, const char *event, const char *field)
{
	_cleanup_(cleanup_fd) int fd = open_event(tracefs, event, "format");
	char text[8192];
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = read(fd, text + size, sizeof(text) - size)) > 0)
		size += (size_t)n;
	return n < 0 ? -errno : tracefs_parse_field(text, size, field);
}
