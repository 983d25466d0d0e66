/* SPDX-License-Identifier: MIT */
#include "trace/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "trace/detached.h"

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

int tracefs_event_id(int tracefs, const char *event)
{
	char path[256];
	char text[16] = "";
	int n = snprintf(path, sizeof(path), "events/%s/id", event);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;

	_cleanup_(cleanup_fd) int fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		return -EIO;

	int id = atoi(text);

	return id > 0 ? id : -EIO;
}
