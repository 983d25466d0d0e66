/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "proc/text.h"
#include "syscalls/verify.h"

#define LIST_MAX 512 /* children at a time: there is another round for more */

/* More generations than anybody makes on purpose; who makes them faster than that is left. */
#define ROUNDS_MAX 1000

/* Kills the children of thread TID of this process. Returns how many there were. */
static size_t kill_children_of(pid_t tid, pid_t spared)
{
	pid_t list[LIST_MAX];
	size_t nr = proc_children(getpid(), tid, list, LIST_MAX), nr_killed = 0;

	for (size_t i = 0; i < nr; i++) {
		if (list[i] == spared)
			continue;
		kill(list[i], SIGKILL);
		nr_killed++;
	}
	return nr_killed;
}

static size_t kill_once(pid_t spared)
{
	_cleanup_(cleanup_dir) DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;
	size_t nr = 0;

	while (tasks && (task = readdir(tasks)))
		if (task->d_name[0] != '.')
			nr += kill_children_of((pid_t)strtol(task->d_name, NULL, 10), spared);
	return nr;
}

void verify_kill_children(pid_t spared)
{
	for (int i = 0; i < ROUNDS_MAX && kill_once(spared) > 0; i++)
		while (waitpid(-1, NULL, 0) < 0 && errno == EINTR)
			;
}
