/* SPDX-License-Identifier: MIT */
#include "trace/gaps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

/* The recursion misses of all programs (struct bpf_prog_info, since Linux 5.12). */
static uint64_t count_skipped(const struct session *session)
{
	uint64_t skipped = 0;

	for (size_t i = 0; i < NR_SOURCES; i++) {
		struct bpf_program *program;

		if (!session->states[i].object)
			continue;
		bpf_object__for_each_program(program, session->states[i].object)
		{
			struct bpf_prog_info info = { 0 };
			__u32 size = sizeof(info);
			int fd = bpf_program__fd(program);

			if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
				skipped += info.recursion_misses;
		}
	}
	return skipped;
}

void gaps_add(struct coverage *coverage, const struct session *session, const struct late *late,
	      const struct pipeline *pipeline)
{
	struct source_counters opens;

	session_counters(session, SOURCE_file_open, &opens);
	if (session->states[SOURCE_file_open].is_attached)
		coverage_add_gap(coverage, "io_uring opens", "no hook tells name and result",
				 session->control->uring_opens);
	if (late->is_asked)
		coverage_add_gap(coverage, "32-bit opens before the hook for them",
				 late->is_attached ? "attached when the first such program ran"
						   : "could not be attached",
				 1);
	coverage_add_some(coverage, "names of opened files", "their memory could not be read",
			  opens.faults);
	coverage_add_some(coverage, "events while another program ran on their CPU",
			  "the kernel skips the hook then", count_skipped(session));
	coverage_add_some(coverage, "processes in the selection",
			  "the kernel had no memory to mark them", session->control->set_lost);
	coverage_add_some(coverage, "names and containers of processes",
			  "more than --max-processes", processes_refused(pipeline->processes));
	coverage_add_some(coverage, "records of unknown kind", "they were skipped",
			  pipeline->nr_unknown);
	coverage_add_some(coverage, "mappings in records that could not be read",
			  "they were skipped",
			  session->mappings ? mappings_counts(session->mappings)->malformed : 0);
	coverage_add_some(coverage, "even timestamps",
			  "the clock was set, by more than 1 ms, this many times",
			  pipeline->clock.steps);
}
