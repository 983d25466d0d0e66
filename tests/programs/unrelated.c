/* SPDX-License-Identifier: MIT */
/*
 * usage: unrelated BLOCKS CALLS
 *
 * Makes a system call that no source looks at. Prints what CALLS of them take, in ns, the least of
 * BLOCKS times: in a virtual machine whose clock counts instructions that is always the same.
 */
#include "../support/trigger.h"

#include <inttypes.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
	uint64_t least = UINT64_MAX;

	if (argc != 3)
		return 2;
	for (long blocks = atol(argv[1]); blocks > 0; blocks--) {
		uint64_t start = now_ns(CLOCK_MONOTONIC);
		uint64_t took;

		for (long left = atol(argv[2]); left > 0; left--)
			syscall(SYS_getppid);
		took = now_ns(CLOCK_MONOTONIC) - start;
		least = took < least ? took : least;
	}
	printf("%" PRIu64 "\n", least);
	return 0;
}
