/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_NUMBERS_H
#define SYSCALLS_NUMBERS_H

/*
 * Names and numbers of system calls: tables made from kernel headers by tools/update-syscalls. A
 * call is an architecture and a number: what `int $0x80` asks for on x86_64 is a call of i386.
 */

#include <stdbool.h>
#include <stdint.h>

enum syscall_arch {
	SYSCALL_ARCH_x86_64,
	SYSCALL_ARCH_i386,
	SYSCALL_ARCH_x32, /* numbers without SYSCALL_X32_BIT */
	SYSCALL_ARCH_arm64,
	NR_SYSCALL_ARCHES,
};

/* In the numbers that programs and filters see, arch/x86/include/uapi/asm/unistd.h */
#define SYSCALL_X32_BIT 0x40000000U

/* No table has so many; x32 has its own from 512 on. Numbers from here on are counted, not kept. */
#define SYSCALLS_MAX 1024

/* As in recordings: "x86_64"; of the machine this program was built for. */
const char *syscall_arch_name(enum syscall_arch arch);
enum syscall_arch syscall_arch_native(void);

/* The architecture called NAME, or -ENOENT. */
int syscall_arch_find(const char *name);

/* AUDIT_ARCH_*, linux/audit.h: what filters see; x32 has that of x86_64. */
uint32_t syscall_arch_audit(enum syscall_arch arch);

/*
 * The architecture of call *NR of AUDIT, as filters and tracers see both; of x32 the bit is taken
 * out of *NR. The number of no call at all, -1, has all bits and stays what it is. -ENOENT: none
 * that is known.
 */
int syscall_arch_of(uint32_t audit, uint32_t *nr);

/* The name of call NR, without "sys_", or NULL. */
const char *syscall_name(enum syscall_arch arch, uint32_t nr);

/* The number of the call NAME, or -ENOENT. */
int syscall_number(enum syscall_arch arch, const char *name);

/* The highest number that the table has: newer calls come after it. */
uint32_t syscall_last(enum syscall_arch arch);

#endif /* SYSCALLS_NUMBERS_H */
