/* SPDX-License-Identifier: MIT */
#include "sources/apply.h"

#include <string.h>

struct process *process_update(struct processes *processes, const struct event_hdr *hdr)
{
	struct process *process = processes_add(processes, hdr->tgid, hdr->start_ns);

	if (!process)
		return NULL;
	process->ppid = hdr->ppid;
	process->uid = hdr->uid;
	process->gid = hdr->gid;
	process->cgroup = hdr->cgroup;
	memcpy(process->comm, hdr->comm, COMM_SIZE);
	return process;
}
