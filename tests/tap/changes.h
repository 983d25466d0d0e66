/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TAP_CHANGES_H
#define TESTS_TAP_CHANGES_H

/*
 * How many changes of sockets' states the kernel has made without running the tap's program. That
 * happens where one interrupts another on the same CPU, as no program runs inside itself, and in
 * interrupts of processes for which a kernel runs none. After tapped.h.
 */

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "trace/tracefs.h"

#define CHANGES_CPUS_MAX 64

/* Of all processes and interrupts of this host. */
struct changes {
	int made[CHANGES_CPUS_MAX]; /* perf's counters: no program is needed for them */
	size_t nr_cpus;
	int program;	/* the session's */
	int statistics; /* while it is open the kernel counts how often programs run */
	uint64_t runs;	/* before */
};

static inline uint64_t changes_runs(const struct changes *changes)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	must(bpf_obj_get_info_by_fd(changes->program, &info, &size));
	return info.run_cnt;
}

/* Begins to count. */
static inline void changes_begin(struct changes *changes)
{
	int tracefs = (int)must(tracefs_open());
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (__u64)must(tracefs_event_id(tracefs, "sock/inet_sock_set_state")),
	};

	close(tracefs);
	changes->nr_cpus = (size_t)must(sysconf(_SC_NPROCESSORS_ONLN));
	assert_in_range(changes->nr_cpus, 1, CHANGES_CPUS_MAX);
	for (size_t i = 0; i < changes->nr_cpus; i++)
		changes->made[i] = (int)must(
			syscall(SYS_perf_event_open, &attr, -1, i, -1, PERF_FLAG_FD_CLOEXEC));
	changes->statistics = (int)must(bpf_enable_stats(BPF_STATS_RUN_TIME));
	changes->program = (int)must(bpf_program__fd(bpf_object__find_program_by_name(
		tapped.session.states[SOURCE_tap].object, "tap_state")));
	changes->runs = changes_runs(changes);
}

/* Ends it. Returns how many changes were not seen, with those that others made just now. */
static inline uint64_t changes_unseen(const struct changes *changes)
{
	uint64_t seen = changes_runs(changes) - changes->runs;
	uint64_t made = 0;

	for (size_t i = 0; i < changes->nr_cpus; i++) {
		uint64_t value;

		must(read(changes->made[i], &value, sizeof(value)));
		made += value;
		close(changes->made[i]);
	}
	close(changes->statistics);
	assert_true(seen > 0 && made >= seen);
	return made - seen;
}

#endif /* TESTS_TAP_CHANGES_H */
