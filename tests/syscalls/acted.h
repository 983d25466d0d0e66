/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SYSCALLS_ACTED_H
#define TESTS_SYSCALLS_ACTED_H

/* For test programs that are COMMAND themselves: where a point is, and how they end. */

#include <sys/syscall.h>
#include <unistd.h>

/* A point, where a phase begins or a breakpoint is. */
void begin_work(void);

__attribute__((noinline)) void begin_work(void)
{
	static volatile int hits;

	hits++;
}

/* Without what the C library or a sanitizer does at the end of a program. */
static void __attribute__((noreturn)) leave(int status)
{
	syscall(SYS_exit_group, status);
	__builtin_trap();
}

#endif /* TESTS_SYSCALLS_ACTED_H */
