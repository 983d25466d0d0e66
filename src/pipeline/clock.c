/* SPDX-License-Identifier: MIT */
#include "pipeline/clock.h"

#include <stdlib.h>
#include <time.h>

#define NS	1000000000ULL
#define STEP_NS 1000000
#define TRIES	3

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

uint64_t boot_clock_now(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

uint64_t boot_clock_suspended(void)
{
	uint64_t before_ns = boot_clock_now();
	uint64_t monotonic_ns = read_clock(CLOCK_MONOTONIC);
	uint64_t after_ns = boot_clock_now();

	/* Never suspended: both are the same clock, and all else would be noise. */
	return monotonic_ns >= before_ns && monotonic_ns <= after_ns ? 0 : before_ns - monotonic_ns;
}

/* The reading between two others of the other clock that lay closest together. */
static int64_t measure(void)
{
	uint64_t best = UINT64_MAX;
	int64_t offset = 0;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = boot_clock_now();
		uint64_t unix_ns = read_clock(CLOCK_REALTIME);
		uint64_t took = boot_clock_now() - before;

		if (took < best) {
			best = took;
			offset = (int64_t)(unix_ns - before - took / 2);
		}
	}
	return offset;
}

void boot_clock_init(struct boot_clock *clock)
{
	*clock = (struct boot_clock){
		.offset_ns = measure(),
		.measured_ns = boot_clock_now(),
	};
}

void boot_clock_update(struct boot_clock *clock, uint64_t now_ns)
{
	if (now_ns - clock->measured_ns < NS)
		return;

	int64_t offset = measure();
	int64_t step = offset - clock->offset_ns;

	if (llabs(step) > STEP_NS) {
		clock->steps++;
		if (llabs(step) > llabs(clock->largest_step_ns))
			clock->largest_step_ns = step;
	}
	clock->offset_ns = offset;
	clock->measured_ns = now_ns;
}
