/* SPDX-License-Identifier: MIT */
#include "trace/gaps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "trace/reduced.h"

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

/* What an old kernel's programs cannot see, and what /proc did not tell in time. */
static void add_reduced(struct coverage *coverage, const struct session *session)
{
	const struct life_gaps *gaps = reduced_gaps(session->reduced);

	coverage_add_gap(coverage, "TLS and SSH handshakes, calls of crypto functions",
			 "the kernel is too old or lacks type information (docs/requirements.md)",
			 0);
	coverage_add_gap(coverage, "opens by 32-bit programs and io_uring",
			 "the kernel is too old for their hooks", 0);
	if (session->config.pidns_inode)
		coverage_add_gap(coverage, "working directories, parents, files' identity",
				 "in a pid namespace /proc has other pids", 0);
	coverage_add_some(coverage, "executed programs as /proc names them",
			  "gone, or another program by then: as asked for", gaps->images);
	coverage_add_some(coverage, "directories of relative names",
			  "the process was gone, or elsewhere, before /proc was read",
			  gaps->directories);
	coverage_add_some(coverage, "changes of directories and roots",
			  "lost: names before may have the directory of after",
			  reduced_lost_moves(session->reduced));
	coverage_add_some(coverage, "device and inode of opened files",
			  "closed before /proc was read, or renamed", gaps->files);
	coverage_add_some(coverage, "exit codes", "the kernel did not tell in time", gaps->ends);
	coverage_add_some(coverage, "start times of processes", "gone before /proc was read",
			  gaps->beginnings);
	coverage_add_some(coverage, "new parents of orphans", "gone before /proc was read",
			  gaps->parents);
	coverage_add_some(coverage, "records of the kernel that could not be read",
			  "they were skipped", gaps->malformed);
	coverage_add_some(coverage, "processes of the host", "more than 65,536", gaps->refused);
}

/* Opens that pass no system call: whether they are seen, and which of them were not. */
static void add_uring(struct coverage *coverage, const struct session *session)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(
		session->states[SOURCE_file_open].object, "file_open_uring_done");

	if (!program || !bpf_program__autoload(program))
		coverage_add_gap(coverage, "io_uring opens", "no hook tells name and result", 0);
	else
		coverage_add_some(coverage, "io_uring opens",
				  "not said to be complete, too many at a time, or too long a name",
				  session->control->uring_opens);
}

/* What the rings of CPUs would have told that came online later, while they had none. */
static void add_late_cpus(struct coverage *coverage, const struct session *session,
			  const struct boot_clock *clock)
{
	const struct cpus *cpus = &session->cpus;
	struct coverage_gap gap = {
		.what = session->reduced ? "events on CPUs that came online later"
					 : "libraries mapped on CPUs that came online later",
	};

	if (!session->reduced && !session->states[SOURCE_lib_load].is_attached)
		return;
	for (size_t i = 0; i < cpus->nr_gaps; i++) {
		gap.why = "until they had a ring, or went; counted are CPUs";
		gap.count = cpus->gaps[i].nr;
		gap.cpus = cpus->gaps[i].text;
		gap.from_unix_ns = boot_clock_unix(clock, cpus->gaps[i].from_ns);
		gap.to_unix_ns = boot_clock_unix(clock, cpus->gaps[i].to_ns);
		coverage_add(coverage, &gap);
	}
	if (!cpus->waiting_ns)
		return;
	gap.why = "they have no ring; counted are CPUs";
	gap.count = cpus_count(&cpus->waiting);
	gap.cpus = cpus->waiting_text;
	gap.from_unix_ns = boot_clock_unix(clock, cpus->waiting_ns);
	gap.to_unix_ns = 0;
	coverage_add(coverage, &gap);
}

void gaps_add(struct coverage *coverage, const struct session *session, const struct late *late,
	      const struct pipeline *pipeline)
{
	struct source_counters opens;

	session_counters(session, SOURCE_file_open, &opens);
	if (session->reduced)
		add_reduced(coverage, session);
	else if (session->states[SOURCE_file_open].is_attached)
		add_uring(coverage, session);
	if (late->is_asked)
		coverage_add_gap(coverage, "32-bit opens before the hook for them",
				 late->is_attached ? "attached when the first such program ran"
						   : "could not be attached",
				 1);
	coverage_add_some(coverage, "names of opened files", "their memory could not be read",
			  opens.faults);
	coverage_add_some(coverage, "opens by openat2", "too many in the middle of others",
			  session->control->opens_without_space);
	coverage_add_some(coverage, "events while another program ran on their CPU",
			  "the kernel skips the hook then", count_skipped(session));
	add_late_cpus(coverage, session, &pipeline->clock);
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
