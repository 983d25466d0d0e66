/* SPDX-License-Identifier: MIT */
#include "syscalls/record_tree.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"

#define PASS_NS	   5000000L
#define PASSES_MAX 1000 /* 5 s */

struct record_state *record_map_state(const struct record_fds *fds)
{
	void *memory = mmap(NULL, sizeof(struct record_state), PROT_READ | PROT_WRITE, MAP_SHARED,
			    fds->fd[RECORD_FD_state], 0);

	return memory == MAP_FAILED ? NULL : memory;
}

struct record_node *record_map_nodes(const struct record_fds *fds)
{
	void *memory = mmap(NULL, RECORD_NODES_MAX * sizeof(struct record_node),
			    PROT_READ | PROT_WRITE, MAP_SHARED, fds->fd[RECORD_FD_nodes], 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Sends SIGNAL to process PID if it is of the tree; its number may be another's by now. */
static int signal_one(const struct record_fds *fds, pid_t pid, int signal)
{
	_cleanup_(cleanup_fd) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct record_thread thread;

	if (pidfd < 0)
		return errno == ESRCH ? 0 : -errno;
	if (bpf_map_lookup_elem(fds->fd[RECORD_FD_threads], &pidfd, &thread) < 0)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 && errno != ESRCH)
		return -errno;
	return 0;
}

/* Sends SIGNAL to what is alive. Returns whether there was anything, or a negative errno. */
static int signal_pass(const struct record_fds *fds, int signal)
{
	_cleanup_(cleanup_fd) int fd = bpf_iter_create(fds->fd[RECORD_FD_alive]);
	__s32 pids[256];
	bool has_any = false;
	ssize_t n;
	int first_err = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, pids, sizeof(pids))) != 0) {
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		for (size_t i = 0; i < (size_t)n / sizeof(pids[0]); i++) {
			int err = signal_one(fds, pids[i], signal);

			if (err && !first_err)
				first_err = err;
		}
		has_any = true;
	}
	return first_err ? first_err : has_any;
}

int record_tree_kill(const struct record_fds *fds, struct record_state *state)
{
	const struct timespec pause = { .tv_nsec = PASS_NS };
	int result = 1;

	/* As long as the programs are there no call of the tree's goes on. */
	__atomic_store_n(&state->kills, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < PASSES_MAX && result > 0; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		result = signal_pass(fds, SIGKILL);
	}
	return result > 0 ? -ETIMEDOUT : result;
}

int record_tree_tell(const struct record_fds *fds)
{
	int result = signal_pass(fds, SIGTERM);

	return result < 0 ? result : 0;
}

int record_tree_flush(const struct record_fds *fds)
{
	_cleanup_(cleanup_fd) int fd = bpf_iter_create(fds->fd[RECORD_FD_flush]);
	char byte;
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* It writes nothing: one read goes over all. */
	do
		n = read(fd, &byte, sizeof(byte));
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n < 0 ? -errno : 0;
}

uint64_t record_tree_age(const struct record_state *state)
{
	uint64_t began_ns = __atomic_load_n(&state->began_ns, __ATOMIC_RELAXED);

	return began_ns ? clock_ns(CLOCK_BOOTTIME) - began_ns : 0;
}
