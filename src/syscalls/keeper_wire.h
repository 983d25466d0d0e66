/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_KEEPER_WIRE_H
#define SYSCALLS_KEEPER_WIRE_H

/* What the tool and its keeper say to each other, over a socket pair that keeps messages whole. */

#include <stdint.h>

#include "syscalls/keeper.h"

enum keeper_verb {
	KEEPER_MAKE,
	KEEPER_RELEASE,
	KEEPER_REAP,
	KEEPER_GUARD, /* with the descriptors, and a recording */
	KEEPER_RELIEVE,
	KEEPER_SAVE,  /* with a recording */
	KEEPER_WRITE, /* likewise */
	KEEPER_STOP,
};

/* A recording is the content of the last descriptor that comes along. */
struct keeper_request {
	uint32_t verb;
	uint32_t program;
	int32_t command_pid;
	uint32_t kills;
	uint64_t started_ns;
	uint32_t was_filtered;
	char id[sizeof(((struct recording_run *)0)->id)];
};

#define KEEPER_FDS_MAX (NR_RECORD_FDS + RECORD_LINKS_MAX + 1)

/* With a descriptor where KEEPER_MAKE succeeded. */
struct keeper_answer {
	int32_t err;
	int32_t pid;
	int32_t status;
};

/* Sends SIZE bytes at BYTES with NR_FDS descriptors. Returns 0 or a negative errno. */
int keeper_send(int socket, const void *bytes, size_t size, const int *fds, size_t nr_fds);

/*
 * Receives exactly SIZE bytes, and at most MAX descriptors into RET_FDS, *RET_NR of them. Returns
 * 0, -EPIPE when the other side is gone, -EBADMSG for anything else, or a negative errno.
 */
int keeper_receive(int socket, void *bytes, size_t size, int *ret_fds, size_t max, size_t *ret_nr);

/* The keeper: answers until the other side of SOCKET is gone, then ends the process. */
void keeper_serve(int socket, const struct keeper_config *config) __attribute__((noreturn));

#endif /* SYSCALLS_KEEPER_WIRE_H */
