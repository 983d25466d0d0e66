/* SPDX-License-Identifier: MIT */
#ifndef TRACE_CPU_RINGS_H
#define TRACE_CPU_RINGS_H

/*
 * Perf rings of CPUs that come online while the tool runs (cpus.h). By then this process may open
 * none: the broker (priv/broker.h) opens it for the CPU whose number it is told, as at the start,
 * and hands it over. The ring of a CPU that went is read to its end and closed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "priv/broker.h"
#include "trace/session.h"

/* What a look has found: lists of CPUs as of cpus_print(), empty where there is none. */
struct cpu_rings_news {
	char gone[CPUS_TEXT_SIZE];   /* had one, and went, or came back without */
	char opened[CPUS_TEXT_SIZE]; /* have a ring now */
	char failed[CPUS_TEXT_SIZE]; /* have none, for the first time */
	int err;		     /* why not, a negative errno */
};

/* Makes the broker of CONFIG open rings for SESSION, open already. Before broker_start(). */
void cpu_rings_offer(struct session *session, struct broker_config *config);
/* In the broker, first: of the rings that there are only the events are left to it. */
void cpu_rings_leave(struct session *session);

/*
 * Looks, once a second, which CPUs have come and gone, and has BROKER open rings for those without.
 * NOW_NS is boot time. With NULL for a broker it only notes which they are. Returns whether it
 * looked, with *RET filled in.
 */
bool cpu_rings_look(struct session *session, struct broker *broker, uint64_t now_ns,
		    struct cpu_rings_news *ret);

#endif /* TRACE_CPU_RINGS_H */
