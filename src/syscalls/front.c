/* SPDX-License-Identifier: MIT */
#include "syscalls/front.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/status.h"
#include "proc/text.h"
#include "syscalls/tracee.h"

struct kept {
	pid_t pid; /* 0: free */
	uint32_t nr;
	uint64_t start_ticks; /* tells it from a later process of that number */
	struct {
		uint64_t address;
		uint8_t original[TRACEE_BREAK_SIZE];
	} list[FRONT_BREAKPOINTS_MAX];
};

/* Shared with the process in front, or NULL. */
static struct kept *kept;
static pid_t group;
static volatile pid_t worker; /* 0: none, or its number may soon be another's */

static void on_signal(int number)
{
	int err = errno;

	if (worker > 0)
		kill(worker, number);
	errno = err;
}

static bool start_of(pid_t pid, uint64_t *ret)
{
	char text[STATUS_TEXT_MAX];
	ssize_t size = proc_text(pid, "stat", text, sizeof(text));

	return size > 0 && stat_start_ticks(text, (size_t)size, ret) == 0;
}

/* Takes out of memory what is still there. */
static void repair(const struct kept *process)
{
	uint64_t start;

	if (!start_of(process->pid, &start) || start != process->start_ticks)
		return;
	for (uint32_t i = 0; i < process->nr && i < FRONT_BREAKPOINTS_MAX; i++) {
		uint8_t bytes[TRACEE_BREAK_SIZE];

		if (tracee_read(process->pid, process->list[i].address, bytes, sizeof(bytes)) ==
			    0 &&
		    memcmp(bytes, tracee_break, sizeof(bytes)) == 0)
			tracee_write(process->pid, process->list[i].address,
				     process->list[i].original, sizeof(bytes));
	}
}

/* Waits for the worker. Returns its exit status. */
static int wait_in_front(void)
{
	static const int passed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	const pid_t pid = worker;
	siginfo_t info;
	int status = 0;

	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		sigaction(passed[i], &action, NULL);
	/* As long as it is not waited for its number is its own: signals are passed until then. */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	worker = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	for (size_t i = 0; i < FRONT_PROCESSES_MAX; i++)
		if (kept[i].pid)
			repair(&kept[i]);
	return 128 + WTERMSIG(status);
}

bool front_enter(int *ret_status)
{
	pid_t front = getpid(), parent;

	group = getpgrp();
	kept = mmap(NULL, FRONT_PROCESSES_MAX * sizeof(*kept), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (kept == MAP_FAILED) {
		kept = NULL;
		return true;
	}
	worker = fork();
	if (worker > 0) {
		*ret_status = wait_in_front();
		return false;
	}
	if (worker < 0)
		return true;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* It may have gone before that. A filter that is in force may refuse to tell. */
	parent = getppid();
	if (parent >= 0 && parent != front)
		raise(SIGTERM);
	return true;
}

void front_join(void)
{
	if (group)
		setpgid(0, group);
}

static struct kept *find(pid_t pid)
{
	for (size_t i = 0; i < FRONT_PROCESSES_MAX; i++)
		if (kept[i].pid == pid)
			return &kept[i];
	return NULL;
}

void front_keep(pid_t pid, const struct breakpoints *breakpoints)
{
	struct kept *process;
	uint32_t nr = 0;

	if (!kept)
		return;
	process = find(pid);
	if (!process)
		process = find(0);
	if (!process || !start_of(pid, &process->start_ticks))
		return;
	for (size_t i = 0; i < breakpoints->nr && nr < FRONT_BREAKPOINTS_MAX; i++) {
		const struct breakpoint *breakpoint = &breakpoints->list[i];

		if (!breakpoint->is_set)
			continue;
		process->list[nr].address = breakpoint->address;
		memcpy(process->list[nr].original, breakpoint->original,
		       sizeof(breakpoint->original));
		nr++;
	}
	process->nr = nr;
	process->pid = nr ? pid : 0;
}

void front_forget(pid_t pid)
{
	struct kept *process = kept && pid ? find(pid) : NULL;

	if (process)
		process->pid = 0;
}
