/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_VERIFY_H
#define SYSCALLS_VERIFY_H

/*
 * Runs COMMAND as it would run under a policy, and writes down what that refuses: notify.h answers
 * for the kernel. For a policy of several phases COMMAND is followed (follow.h), so that it is
 * known in which phase each process is.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/points.h"
#include "syscalls/policy.h"
#include "syscalls/refusals.h"

struct verify_config {
	const struct policy *policy;
	const struct points *points; /* one less than the policy has phases */
	char *const *command;
	/*
	 * Called every 100 ms and less, ROOT being COMMAND's process, or 0 where that has ended and
	 * has left others; true: the run is to end.
	 */
	bool (*should_stop)(void *ctx, pid_t root);
	void *ctx;
	pid_t spared; /* a child of this process that has nothing to do with the run, or 0 */
};

struct verify_result {
	struct refusals refusals; /* refusals_free() */
	uint64_t duration_ns;
	int status;		   /* of COMMAND, as wait(2) has it */
	uint64_t hits[POINTS_MAX]; /* processes that reached each point */
	uint64_t nr_unseen;	   /* threads that could not be followed: taken for phase 0 */
};

/*
 * Runs COMMAND until nobody is left under the policy. When it is told to stop COMMAND may end by
 * itself, then it is told to, then all are killed. Returns 0; -ENOEXEC with *RET_COMMAND, the
 * negative errno for which COMMAND could not be executed; or another one. RET has what there is in
 * any case.
 */
int verify_run(const struct verify_config *config, struct verify_result *ret, int *ret_command);

/* Kills all children of this process, now and those that become its own by that, but SPARED. */
void verify_kill_children(pid_t spared);

#endif /* SYSCALLS_VERIFY_H */
