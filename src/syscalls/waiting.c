/* SPDX-License-Identifier: MIT */
#include "syscalls/waiting.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "proc/text.h"
#include "syscalls/points.h"

#define TEXT_SIZE     256 /* of a call: its number, its arguments and two addresses */
#define PROCESSES_MAX 256

/* Processes that were found, and are looked at one after the other. */
struct found {
	pid_t list[PROCESSES_MAX];
	size_t nr;
};

/* "232 0x5 0x7ffe...", or "running" */
static bool is_in_wait(pid_t pid, pid_t tid)
{
	char name[64], text[TEXT_SIZE], *end;
	unsigned long nr;

	snprintf(name, sizeof(name), "task/%d/syscall", tid);
	if (proc_text(pid, name, text, sizeof(text)) < 0 || *text < '0' || *text > '9')
		return false;
	nr = strtoul(text, &end, 10);
	return *end == ' ' && point_is_wait((uint32_t)nr);
}

bool waiting_for_work(pid_t root)
{
	struct found found = { .list = { root }, .nr = 1 };

	for (size_t i = 0; i < found.nr; i++) {
		_cleanup_(cleanup_dir) DIR *tasks = NULL;
		const struct dirent *task;
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/task", found.list[i]);
		tasks = opendir(path);
		while (tasks && (task = readdir(tasks))) {
			pid_t tid = (pid_t)strtol(task->d_name, NULL, 10);

			/* "." and ".." */
			if (tid == 0)
				continue;
			if (is_in_wait(found.list[i], tid))
				return true;
			found.nr += proc_children(found.list[i], tid, found.list + found.nr,
						  PROCESSES_MAX - found.nr);
		}
	}
	return false;
}
