/* SPDX-License-Identifier: MIT */
/*
 * usage: calls_storm PROCESSES CALLS
 *
 * Processes that call as fast as they can at the same time, all of them the same part of the tree.
 */
#include "calls.h"

int main(int argc, char **argv)
{
	long nr = argc > 1 ? atol(argv[1]) : 2;
	long nr_calls = argc > 2 ? atol(argv[2]) : 1000000;
	int gate[2];
	char byte;

	if (pipe(gate) < 0)
		fail("pipe");
	for (long i = 0; i < nr; i++) {
		if (fork() != 0)
			continue;
		close(gate[1]);
		/* All at once: end of file when the gate is closed. */
		while (read(gate[0], &byte, 1) > 0)
			;
		make_calls(CALL_FORK, nr_calls);
		_exit(0);
	}
	close(gate[0]);
	close(gate[1]);
	reap(-1);
	printf("fork getpgid %ld\n", nr * nr_calls);
	return 0;
}
