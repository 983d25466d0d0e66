/* SPDX-License-Identifier: MIT */
/*
 * usage: calls_filtered CALLS [PROGRAM ARG...]
 *
 * Has a seccomp filter refuse getpgid and getppid with EPERM; then makes the first of these calls,
 * or executes PROGRAM, which inherits the filter.
 */
#include "calls.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALL_FORK, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(rules) / sizeof(rules[0]), .filter = rules };
	long nr_calls = argc > 1 ? atol(argv[1]) : 5;

	make_calls(CALL_COMMAND, nr_calls);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		fail("seccomp");
	if (argc > 2) {
		execvp(argv[2], argv + 2);
		fail(argv[2]);
	}
	make_calls(CALL_FORK, nr_calls);
	printf("refused getpgid %ld\n", nr_calls);
	return 0;
}
