/* SPDX-License-Identifier: MIT */
#ifndef TRACE_CPUS_H
#define TRACE_CPUS_H

/*
 * The CPUs that come online while the tool runs. BPF programs run on them from the first moment;
 * perf rings are opened for the CPUs that are online at start, and that of a CPU that goes offline
 * stays silent when it comes back. So each that comes needs a ring of its own (cpu_rings.h), and
 * what rings tell is not told of it until it has one, which coverage says. Looked at once a second,
 * or when a BPF program tells of a CPU without a ring; one that goes and comes back between two
 * looks is not noticed, unless that is because the machine was suspended: then the rings
 * themselves are asked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUS_MAX 8192 /* NR_CPUS of x86_64 and arm64, at most */

/*
 * How many CPUs the kernel has room for, online or not: as many values has a lookup in a per-CPU
 * map. Where /sys is not mounted, it is counted in one. Returns a negative errno: -EPERM or -EACCES
 * without CAP_BPF.
 */
int cpus_possible(void);

/* A bit for each. */
struct cpu_set_bits {
	uint64_t words[CPUS_MAX / 64];
};

#define CPUS_GAPS_MAX  16
#define CPUS_TEXT_SIZE 64

/* For so long, boot time, these CPUs were online and had no ring. */
struct cpus_gap {
	uint64_t from_ns; /* they were not yet, or still had one */
	uint64_t to_ns;
	size_t nr;
	struct cpu_set_bits set;
	char text[CPUS_TEXT_SIZE]; /* cpus_print() */
};

struct cpus {
	int fd;		       /* the list of those online; -1: there is none */
	uint64_t due_ns;       /* of the next look, boot time */
	uint64_t looked_ns;    /* of the last one */
	uint64_t before_ns;    /* and of the one before */
	uint64_t suspended_ns; /* so long the machine was, as of the last look */
	struct cpu_set_bits ringed;
	struct cpu_set_bits waiting; /* online without a ring that tells */
	uint64_t waiting_ns; /* boot time since when, of the first of them; 0: there is none */
	char waiting_text[CPUS_TEXT_SIZE];
	size_t nr_gaps;
	struct cpus_gap gaps[CPUS_GAPS_MAX]; /* with more the last has all the rest */
};

/*
 * Reads TEXT, SIZE bytes as of /sys/devices/system/cpu/online: "0-3,5\n". Returns 0 with *RET set,
 * or -EINVAL. Pure.
 */
int cpus_parse(const char *text, size_t size, struct cpu_set_bits *ret);

/* Writes SET in the same form to OUT, which ends in "..." where there is no room for all of it. */
void cpus_print(const struct cpu_set_bits *set, char out[static CPUS_TEXT_SIZE]);

static inline bool cpus_has(const struct cpu_set_bits *set, uint32_t cpu)
{
	return cpu < CPUS_MAX && set->words[cpu / 64] & 1ULL << (cpu % 64);
}

size_t cpus_count(const struct cpu_set_bits *set);

/* Takes those online for the ones that have rings; before the rings are opened. */
void cpus_open(struct cpus *cpus);
void cpus_close(struct cpus *cpus);

/* Something happens on CPU: one that is not known makes the next look due. */
static inline void cpus_saw(struct cpus *cpus, uint32_t cpu)
{
	if (cpus->fd >= 0 && !cpus_has(&cpus->ringed, cpu) && !cpus_has(&cpus->waiting, cpu))
		cpus->due_ns = 0;
}

/* What a look has found. */
struct cpus_news {
	bool was_suspended;	  /* since the last look, so that CPUs may have been offline */
	struct cpu_set_bits gone; /* had a ring, which is told nothing any more */
};

/*
 * Looks for others when NOW_NS, boot time, is a second after the last look: they are among the
 * waiting then. Returns whether it did, with *RET filled in.
 */
bool cpus_look(struct cpus *cpus, uint64_t now_ns, struct cpus_news *ret);

/* The same for the list in TEXT, SIZE bytes; what cannot be read is ignored. */
void cpus_compare(struct cpus *cpus, const char *text, size_t size, uint64_t now_ns,
		  struct cpu_set_bits *ret_gone);

/*
 * Those of SILENT that have a ring have none that tells any more, since the look before the last:
 * they wait, and are added to *RET_GONE.
 */
void cpus_silence(struct cpus *cpus, const struct cpu_set_bits *silent,
		  struct cpu_set_bits *ret_gone);

/* Those of SET, which were waiting, have a ring since NOW_NS: notes the gap. */
void cpus_served(struct cpus *cpus, const struct cpu_set_bits *set, uint64_t now_ns);

#endif /* TRACE_CPUS_H */
