/* SPDX-License-Identifier: MIT */
/*
 * What the programs of the bench share: a clock, pinning to a CPU, bounded numbers from the
 * command line. Each program is one file and ends at its first failure, so that no figure
 * is printed that was measured under other conditions than it says.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_SEC 1000000000ULL
#define NS_PER_MS  1000000ULL

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

/* Says what failed and why (@err, a positive errno), and ends the program with status 1. */
static inline _Noreturn void die(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(err));
	exit(1);
}

/* Binds the calling thread to @cpu; "-" leaves it where the scheduler puts it. */
static inline void cpu_pin(const char *cpu)
{
	cpu_set_t set;

	if (strcmp(cpu, "-") == 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned int)strtoul(cpu, NULL, 10), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		die("cannot bind to the CPU", errno);
}

/* A number between 1 and @max; anything else ends the program. */
static inline uint64_t number_parse(const char *text, uint64_t max)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value == 0 || value > max)
		die(text, EINVAL);
	return value;
}

#endif
