/* SPDX-License-Identifier: MIT */
/*
 * usage: sys_untraced CALLS
 *
 * Makes children by clone(2) and clone3(2) that ask not to be traced, and looks whether these calls
 * leave registers and memory as they were.
 */
#include "calls.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>

static long nr_calls;

/* clone(2) without a stack of its own; the flags are to be in their register still. */
static long clone_raw(unsigned long *flags)
{
	long result;

#ifdef __x86_64__
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;

	__asm__ volatile("syscall"
			 : "=a"(result), "+D"(*flags)
			 : "a"(SYS_clone), "S"(0L), "d"(0L), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
#else
	result = syscall(SYS_clone, *flags, 0L, 0L, 0L, 0L);
#endif
	return result;
}

static void child(int is_kept)
{
	if (!is_kept)
		_exit(9);
	make_calls(CALL_FORK, nr_calls);
	_exit(0);
}

static void must_end_well(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		_exit(2);
}

int main(int argc, char **argv)
{
	const unsigned long wanted = CLONE_UNTRACED | SIGCHLD;
	struct clone_args args = { .flags = CLONE_UNTRACED, .exit_signal = SIGCHLD };
	unsigned long flags = wanted;
	long pid;

	nr_calls = argc > 1 ? atol(argv[1]) : 5;
	pid = clone_raw(&flags);
	if (pid == 0)
		child(flags == wanted);
	if (flags != wanted)
		return 3;
	must_end_well((pid_t)pid);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child(args.flags == CLONE_UNTRACED);
	if (args.flags != CLONE_UNTRACED)
		return 4;
	must_end_well((pid_t)pid);
	printf("fork getpgid %ld\n", 2 * nr_calls);
	return 0;
}
