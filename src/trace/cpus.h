/* SPDX-License-Identifier: MIT */
#ifndef TRACE_CPUS_H
#define TRACE_CPUS_H

/*
 * The CPUs that come online while the tool runs. BPF programs run on them from the first moment;
 * perf rings are opened for the CPUs that are online at start, and that of a CPU that goes offline
 * stays silent when it comes back. So what these rings tell is not told of such CPUs, which
 * coverage says. Looked at once a second; one that goes and comes back in between is not noticed,
 * unless that is because the machine was suspended: then the rings themselves are asked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUS_MAX 8192 /* NR_CPUS of x86_64 and arm64, at most */

/* A bit for each. */
struct cpu_set_bits {
	uint64_t words[CPUS_MAX / 64];
};

struct cpus {
	int fd;		       /* the list of those online; -1: there is none */
	uint64_t due_ns;       /* of the next look, boot time */
	uint64_t suspended_ns; /* so long the machine was, as of the last look */
	struct cpu_set_bits ringed;
	struct cpu_set_bits late; /* online without a ring that tells, now or before */
};

/*
 * Reads TEXT, SIZE bytes as of /sys/devices/system/cpu/online: "0-3,5\n". Returns 0 with *RET set,
 * or -EINVAL. Pure.
 */
int cpus_parse(const char *text, size_t size, struct cpu_set_bits *ret);

/* Takes those online for the ones that have rings; before the rings are opened. */
void cpus_open(struct cpus *cpus);
void cpus_close(struct cpus *cpus);

/*
 * Looks for others when NOW_NS, boot time, is a second after the last look. Returns whether the
 * machine was suspended since, so that CPUs may have been offline.
 */
bool cpus_look(struct cpus *cpus, uint64_t now_ns);

/* Those of SILENT have no ring that tells any more. */
void cpus_silence(struct cpus *cpus, const struct cpu_set_bits *silent);

/* The same for the list in TEXT, SIZE bytes; what cannot be read is ignored. */
void cpus_compare(struct cpus *cpus, const char *text, size_t size);

/* How many came online so far. */
size_t cpus_nr_late(const struct cpus *cpus);

#endif /* TRACE_CPUS_H */
