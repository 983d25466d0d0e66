/* SPDX-License-Identifier: MIT */
#ifndef TAP_OWNERS_H
#define TAP_OWNERS_H

/*
 * Which TLS libraries a process has mapped, for the handshakes that it makes. Known from the
 * mappings of programs that were executed since the start, and of others from /proc, once. Holds
 * the last OWNERS_MAX processes that somebody asked about or that mapped such a library.
 */

#include <stddef.h>
#include <stdint.h>

#include "pipeline/record.h"
#include "priv/broker.h"
#include "proc/processes.h"

#define OWNERS_MAX	     4096 /* a power of two */
#define OWNER_LIBRARIES_MAX  4
#define OWNERS_LIBRARIES_MAX 256 /* different paths */

struct owners;

/* What could not be told. */
struct owners_counts {
	uint64_t unread;   /* times that a process was asked about and not known */
	uint64_t left_out; /* libraries of a process for which there was no memory, or no room */
};

/* BROKER is borrowed. Returns 0 or -ENOMEM. */
int owners_new(struct owners **ret, struct broker *broker);
void owners_free(struct owners *owners);

/* RECORD, a lib_load with its process known: notes a TLS library. */
void owners_mapped(struct owners *owners, const struct record *record);

/* RECORD, a process_exec: what was mapped is gone. */
void owners_executed(struct owners *owners, const struct record *record);

/*
 * The paths of the TLS libraries of PID, made at START_NS (boot time) by PARENT (NULL: not known),
 * whose are told when it has ended already. Returns how many, at most OWNER_LIBRARIES_MAX. The
 * strings live as long as OWNERS.
 */
size_t owners_libraries(struct owners *owners, uint32_t pid, uint64_t start_ns,
			const struct process *parent, const char *ret[static OWNER_LIBRARIES_MAX]);

const struct owners_counts *owners_counts(const struct owners *owners);

#endif /* TAP_OWNERS_H */
