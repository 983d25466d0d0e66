/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_RECORDING_PRIVATE_H
#define SYSCALLS_RECORDING_PRIVATE_H

/* What the files of recording.h share, and nobody else needs. */

#include "lib/json.h"
#include "syscalls/recording.h"

/* Of "recording_version" in the files; docs: the parser refuses others. */
#define RECORDING_VERSION "1.0"

/* All the calls that there could be. */
#define RECORDING_KEYS_MAX ((size_t)RECORDING_PHASES_MAX * NR_SYSCALL_ARCHES * SYSCALLS_MAX)

/* A set of calls: 33 KiB. */
struct recording_set {
	uint64_t words[RECORDING_KEYS_MAX / 64];
};

/* Adds the call of KEY. Returns whether it is new. */
bool recording_set_add(struct recording_set *set, uint32_t key);
bool recording_set_has(const struct recording_set *set, uint32_t key);

/* Writes the keys of SET, ascending, to OUT unless that is NULL. Returns how many there are. */
size_t recording_set_keys(const struct recording_set *set, uint32_t *out);

/* Adds the calls of all nodes to SET. */
void recording_set_nodes(struct recording_set *set, const struct recording *recording);

/* A + B, or UINT64_MAX. */
static inline uint64_t recording_sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Room for one more of an array of NR elements of SIZE, or NULL. The old memory stays the pool's.
 */
void *recording_grow(struct pool *pool, void *array, size_t nr, size_t size, size_t *cap);

/* As recording_add(), and CALL's runs are added too. */
int recording_add_with_runs(struct recording *recording, uint32_t node,
			    const struct recording_call *call);

/*
 * Adds RUN with the NR_CALLS keys CALLS, ascending; all is copied. Returns 0, -EEXIST, -E2BIG or
 * -ENOMEM.
 */
int recording_insert_run(struct recording *recording, const struct recording_run *run,
			 const uint32_t *calls, size_t nr_calls);

/* The same, where it is known that the run is not there yet. Returns 0, -E2BIG or -ENOMEM. */
int recording_place_run(struct recording *recording, const struct recording_run *run,
			const uint32_t *calls, size_t nr_calls);

/*
 * The node of RECORDING with the identity of LIKE, another recording's, below PARENT. Returns its
 * id or -ENOENT.
 */
int recording_find(const struct recording *recording, uint32_t parent,
		   const struct recording_node *like);

/* Whether NODE, of any recording, has the call (ARCH, NR). */
bool recording_has_call(const struct recording_node *node, uint32_t arch, uint32_t nr);

/* Writes CALL as an object of a document, with "first_seen_ns" or without. */
void recording_write_call(struct json *json, const struct recording_call *call,
			  bool has_first_seen);

/*
 * Writes the ids of all nodes to RET, which has room for them, in an order that depends on the
 * identities alone: each node before its children, siblings sorted. Returns 0 or -ENOMEM.
 */
int recording_order(const struct recording *recording, uint32_t *ret);

#endif /* SYSCALLS_RECORDING_PRIVATE_H */
