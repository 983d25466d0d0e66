/* SPDX-License-Identifier: MIT */
#include "sources/apply.h"

#include <string.h>

void process_update(struct process *process, const struct event_hdr *hdr)
{
	process->ppid = hdr->ppid;
	process->uid = hdr->uid;
	process->gid = hdr->gid;
	process->cgroup = hdr->cgroup;
	memcpy(process->comm, hdr->comm, COMM_SIZE);
}

struct process *process_enter(struct processes *processes, const struct event_hdr *hdr)
{
	struct process *process = processes_add(processes, hdr->tgid, hdr->start_ns);

	if (process)
		process_update(process, hdr);
	return process;
}
