/* SPDX-License-Identifier: MIT */
#include "trace/detached.h"

#include <errno.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

int detached_open(const char *type)
{
	_cleanup_(cleanup_fd) int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;

	int fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}
