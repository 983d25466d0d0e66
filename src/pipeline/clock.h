/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_CLOCK_H
#define PIPELINE_CLOCK_H

/*
 * From the kernel's boot-time clock, which records carry, to the time of day. The difference moves
 * when the clock is set or slewed, so it is measured again every second of activity.
 */

#include <stdint.h>

struct boot_clock {
	int64_t offset_ns;	 /* time of day - boot time */
	uint64_t measured_ns;	 /* boot time of the last measurement */
	uint64_t steps;		 /* times the offset moved by more than 1 ms */
	int64_t largest_step_ns; /* by its absolute value */
};

/* Nanoseconds of CLOCK_BOOTTIME. */
uint64_t boot_clock_now(void);

/*
 * How far CLOCK_MONOTONIC is behind it, ns: the time that the host was suspended, less than it by
 * what reading two clocks takes; 0 where it never was.
 */
uint64_t boot_clock_suspended(void);

/* Measures the offset; nothing is a step yet. */
void boot_clock_init(struct boot_clock *clock);

/* Measures again when the last time is a second ago; notes a step. NOW_NS is boot time. */
void boot_clock_update(struct boot_clock *clock, uint64_t now_ns);

/* Boot time as time since the epoch. */
static inline uint64_t boot_clock_unix(const struct boot_clock *clock, uint64_t boot_ns)
{
	return boot_ns + (uint64_t)clock->offset_ns;
}

#endif /* PIPELINE_CLOCK_H */
