/* SPDX-License-Identifier: MIT */
#include "trace/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

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

/* fsopen(2) and fsmount(2) give a mount that is attached nowhere (since Linux 5.2). */
static int open_detached(void)
{
	_cleanup_(cleanup_fd) int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;

	int fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int tracefs_open(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open_dir(places[i]);

		if (fd >= 0)
			return fd;
	}
	return open_detached();
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
