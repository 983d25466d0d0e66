/* SPDX-License-Identifier: MIT */
#include "syscalls/ready.h"

bool ready_now(struct ready *ready, bool listens, bool waits, uint64_t now_ns)
{
	if (ready->is_told)
		return false;
	if (waits && !ready->waits_since_ns)
		ready->waits_since_ns = now_ns ? now_ns : 1;
	ready->is_told = listens || now_ns >= READY_LATEST_NS ||
			 (waits && now_ns >= ready->waits_since_ns + READY_WAITED_NS);
	return ready->is_told;
}
