/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_RECORD_TREE_H
#define SYSCALLS_RECORD_TREE_H

/*
 * The tree of processes as the kernel side has it: which are alive, and what all have done. Needs
 * the descriptors alone, so that it works for who has been given them when the tool is gone.
 */

#include <stddef.h>
#include <stdint.h>

#include "syscalls/record_object.h"
#include "syscalls/recording.h"

/* What is in mapped memory of FDS. NULL: it could not be mapped. */
struct record_state *record_map_state(const struct record_fds *fds);
struct record_node *record_map_nodes(const struct record_fds *fds);

/*
 * Kills all processes of the tree, also those that they make meanwhile, and waits for their end.
 * Returns 0, -ETIMEDOUT when one has not ended after 5 s (it hangs in the kernel), or another
 * negative errno. By pidfds that are seen to belong to the tree: no other process can be hit.
 */
int record_tree_kill(const struct record_fds *fds, struct record_state *state);

/* Sends SIGTERM to all processes of the tree, each once. Returns 0 or a negative errno. */
int record_tree_tell(const struct record_fds *fds);

/*
 * Counts what threads that have not ended have made; once the programs are detached. Returns 0 or a
 * negative errno.
 */
int record_tree_flush(const struct record_fds *fds);

/*
 * Enters what the run did into RECORDING, new but for its phases, which are those of the points;
 * and into RUN what is lost, and nr_io_uring. Returns 0 or a negative errno.
 */
int record_tree_export(const struct record_fds *fds, const struct record_state *state,
		       const struct record_node *nodes, struct recording *recording,
		       struct recording_run *run);

/* How long ago COMMAND was executed, nanoseconds; 0: it was not yet. */
uint64_t record_tree_age(const struct record_state *state);

#endif /* SYSCALLS_RECORD_TREE_H */
