/* SPDX-License-Identifier: MIT */
#include "trace/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "trace/detached.h"

/* kernfs numbers the root of a hierarchy 1 (fs/kernfs/dir.c, kernfs_create_root()). */
#define ROOT_INODE 1

static int open_place(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs statfs;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &statfs) < 0 || statfs.f_type != CGROUP2_SUPER_MAGIC) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

int cgroup_open(void)
{
	/* The second where systemd uses both. */
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open_place(places[i]);

		if (fd >= 0)
			return fd;
	}
	return detached_open("cgroup2");
}

bool cgroup_is_whole(int cgroup)
{
	struct stat st;

	return fstat(cgroup, &st) == 0 && st.st_ino == ROOT_INODE;
}
