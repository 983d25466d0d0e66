/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_LEDGER_H
#define SYSCALLS_LEDGER_H

/*
 * What a run has done so far, counted in this process: the nodes of the tree, and the calls of
 * each. It becomes a recording at the end, since only then is known what `auto` means.
 *
 * Phases inside: point I begins phase 2 * I + 2. Phase 2 * I + 1 is what `auto` as point I begins
 * where a process waits that does not listen; that counts where nobody listened in the whole run.
 */

#include <stdbool.h>
#include <stdint.h>

#include "syscalls/points.h"
#include "syscalls/recording.h"

#define LEDGER_NONE		UINT32_MAX
#define LEDGER_CALLS_MAX	(1U << 18) /* of all nodes; calls beyond are lost, and counted */
#define LEDGER_COMM_SIZE	16

#define LEDGER_PHASE(point)	(2 * (uint32_t)(point) + 2)
#define LEDGER_TENTATIVE(point) (2 * (uint32_t)(point) + 1)

/* The first hit of `auto`. */
struct ledger_wait {
	bool is_there;
	uint32_t nr; /* native */
	char comm[LEDGER_COMM_SIZE];
};

struct ledger {
	struct ledger_node *nodes;
	uint32_t nr_nodes;
	uint32_t *children; /* nodes by a hash of their identity: slot + 1 */
	struct ledger_call *calls;
	uint32_t nr_calls, cap_calls;
	const char **texts; /* by hash, each once: threads come and go, texts stay */
	uint32_t nr_texts;
	struct pool pool; /* of texts */
	/* Processes that came to the phase of a point, and that did for `auto` without listening.
	 */
	uint64_t hits[POINTS_MAX];
	uint64_t nr_tentative;
	struct ledger_wait wait[2]; /* the same two of `auto` */
	uint64_t lost;
	bool has_no_memory; /* for a text */
};

/* Returns 0 or -ENOMEM. */
int ledger_init(struct ledger *ledger);
void ledger_done(struct ledger *ledger);

/*
 * TEXT as it lives as long as LEDGER, the same pointer for the same text; "" where there is no
 * memory, which ledger_export() says, or where it is one of more texts than nodes can have.
 */
const char *ledger_text(struct ledger *ledger, const char *text);

/*
 * The node of that identity, in which one more thread is from now on; PARENT where there is no room
 * for it. EXE and ENTRY (which may be NULL) are ledger_text()s.
 */
uint32_t ledger_enter(struct ledger *ledger, uint32_t parent, enum node_start start, uint32_t phase,
		      const char *exe, const char *entry);

/* The same node in a later PHASE. */
uint32_t ledger_enter_phase(struct ledger *ledger, uint32_t slot, uint32_t phase);

/* The program of the node SLOT. */
const char *ledger_exe(const struct ledger *ledger, uint32_t slot);

/* A call of the node SLOT, NOW_NS after the run began; and that it has failed. */
void ledger_count(struct ledger *ledger, uint32_t slot, enum syscall_arch arch, uint32_t nr,
		  uint64_t now_ns);
void ledger_fail(struct ledger *ledger, uint32_t slot, enum syscall_arch arch, uint32_t nr);

/*
 * Enters all of it into RECORDING, new but for its phases, which are those of the points, and into
 * RUN what is lost and nr_io_uring. Returns 0 or a negative errno.
 */
int ledger_export(const struct ledger *ledger, struct recording *recording,
		  struct recording_run *run);

#endif /* SYSCALLS_LEDGER_H */
