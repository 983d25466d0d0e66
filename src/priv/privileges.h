/* SPDX-License-Identifier: MIT */
#ifndef PRIV_PRIVILEGES_H
#define PRIV_PRIVILEGES_H

/*
 * Rights: root, or the capabilities that tracing needs, for the milliseconds of start-up, then
 * none.
 */

#include <stdbool.h>
#include <stddef.h>

/* What is needed, each found out by trying. A set bit is missing. */
#define MISSING_BPF	0x1  /* CAP_BPF: load programs and make maps */
#define MISSING_PERFMON 0x2  /* CAP_PERFMON: attach them, follow mappings */
#define MISSING_TRACEFS 0x4  /* CAP_DAC_READ_SEARCH: read tracepoint numbers */
#define MISSING_SUPPORT 0x8  /* the kernel has no BPF at all */
#define MISSING_MOUNT	0x10 /* CAP_SYS_ADMIN: mount tracefs, which is nowhere */

/* What came of trying each: 0 or a negative errno. */
struct privileges_trial {
	int bpf;     /* to make a map */
	int perf;    /* to open an event for all processes */
	int tracefs; /* to read the number of a tracepoint */
};

/* Tries what monitoring needs. */
void privileges_try(struct privileges_trial *ret);

/* The same. Returns MISSING_* bits, 0 when all is there. */
unsigned int privileges_missing(void);

/*
 * Whether this process may open perf events, and only with CAP_SYS_ADMIN: as kernels of Ubuntu and
 * Debian have it, which restrict them further (kernel.perf_event_paranoid above 2).
 * Tries it without.
 */
bool privileges_perf_takes_admin(void);

/*
 * Gives up everything: as root becomes the user `nobody` and empties the bounding set, otherwise
 * stays the user it is; drops all capabilities but those of KEPT (a list of CAP_*, NR_KEPT long)
 * that it has, sets no_new_privs, is not dumpable. Returns 0 or a negative errno; on failure the
 * caller ends the program. The capabilities before and after are logged at LOG_DEBUG.
 */
int privileges_drop(const int *kept, size_t nr_kept);

/*
 * The same for who needs none, and works without: where root cannot become `nobody` (a container
 * without CAP_SETUID, a user namespace with one user) it stays, without capabilities.
 */
int privileges_leave(void);

#endif /* PRIV_PRIVILEGES_H */
