/* SPDX-License-Identifier: MIT */
/*
 * usage: calls_deep DEPTH CALLS
 *
 * A child of a child of a child, DEPTH times, each a part of its own.
 */
#include "calls.h"

int main(int argc, char **argv)
{
	long depth = argc > 1 ? atol(argv[1]) : 20;
	long nr_calls = argc > 2 ? atol(argv[2]) : 3;
	pid_t pid = 0;

	printf("command getppid %ld\n", nr_calls);
	printf("fork getpgid %ld\n", depth * nr_calls);
	printf("depth %ld\n", depth);
	fflush(stdout);
	make_calls(CALL_COMMAND, nr_calls);
	for (long i = 0; i < depth && pid == 0; i++) {
		pid = fork();
		if (pid == 0)
			make_calls(CALL_FORK, nr_calls);
	}
	if (pid > 0)
		reap(pid);
	_exit(0);
}
