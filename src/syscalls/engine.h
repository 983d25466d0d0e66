/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_ENGINE_H
#define SYSCALLS_ENGINE_H

/*
 * What follows one run of COMMAND and all its descendants and counts their system calls, into a
 * recording. There are two that give the same: `bpf` (root) and `ptrace` (any user).
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/points.h"
#include "syscalls/recording.h"

struct keeper;

/* A call that has returned, or will not: --live. */
struct engine_call {
	uint64_t ts_ns; /* since the run began */
	pid_t pid, tid;
	const char *comm;
	enum syscall_arch arch;
	uint32_t nr;
	uint64_t args[6];
	bool has_result; /* exit has none */
	int64_t result;
};

/* What is to become of a run. */
enum engine_will {
	ENGINE_GO_ON,
	ENGINE_TELL, /* all processes that are left get SIGTERM, once */
	ENGINE_STOP, /* it is to end now, as kills_at_exit then says */
};

struct engine_config {
	char *const *command;	     /* argv, NULL at its end */
	const char *program;	     /* that it is: see executable.h */
	const struct points *points; /* may have none */
	/* --on-exit: what becomes of the processes when the tool is told to end, or is killed. */
	bool kills_at_exit;
	/* --live; NULL: none. */
	void (*live)(void *ctx, const struct engine_call *call);
	/*
	 * Called once, when COMMAND, which is process ROOT, can be driven: ready_now(), ready.h.
	 * ROOT is 0 where it has ended, and others of the run go on. NULL: not.
	 */
	void (*ready)(void *ctx, pid_t root);
	/* Called every 100 ms and less. NULL: it goes on. */
	enum engine_will (*should_stop)(void *ctx);
	/* Something for people to know of this run, a sentence without its full stop; NULL: not. */
	void (*warn)(void *ctx, const char *sentence);
	void *ctx;
	/* Makes COMMAND for an engine that gives up its rights; ptrace does it itself. */
	struct keeper *keeper;
};

struct engine {
	const char *name;
	/* Whether it works for this user here: 0, or -EPERM, -ENOSYS, ... */
	int (*probe)(void);
	/*
	 * Runs COMMAND once, until all its processes have ended or it is told to stop, and enters
	 * what they did into RECORDING, which is new but for its phases and what is said of
	 * COMMAND, and into *RET_RUN, whose id and was_filtered are the caller's. Returns 0;
	 * -ECANCELED: told to stop, all that was counted is there; the negative errno of an exec
	 * that failed, with 126 or 127 as the run's status; or another one, status 0.
	 */
	int (*run)(const struct engine_config *config, struct recording *recording,
		   struct recording_run *ret_run);
};

extern const struct engine engine_bpf;
extern const struct engine engine_ptrace;

#endif /* SYSCALLS_ENGINE_H */
