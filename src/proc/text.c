/* SPDX-License-Identifier: MIT */
#include "proc/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define CHILDREN_SIZE 4096

ssize_t proc_text(pid_t pid, const char *name, char *text, size_t size)
{
	_cleanup_(cleanup_fd) int fd = -1;
	char path[NAME_MAX + 64];
	ssize_t n;

	if (snprintf(path, sizeof(path), "/proc/%d/%s", pid, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n;
}

size_t proc_children(pid_t pid, pid_t tid, pid_t *ret, size_t max)
{
	char name[64], text[CHILDREN_SIZE], *at = text;
	size_t nr = 0;

	snprintf(name, sizeof(name), "task/%d/children", tid);
	if (proc_text(pid, name, text, sizeof(text)) < 0)
		return 0;
	while (nr < max) {
		char *end;
		long child = strtol(at, &end, 10);

		/* a blank is behind each: without it the last one is cut */
		if (end == at || *end != ' ')
			break;
		ret[nr++] = (pid_t)child;
		at = end;
	}
	return nr;
}
