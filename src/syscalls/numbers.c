/* SPDX-License-Identifier: MIT */
#include "syscalls/numbers.h"

#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <string.h>

#if defined(__aarch64__)
#define NATIVE SYSCALL_ARCH_arm64
#elif defined(__i386__)
#define NATIVE SYSCALL_ARCH_i386
#elif defined(__ILP32__)
#define NATIVE SYSCALL_ARCH_x32
#else
#define NATIVE SYSCALL_ARCH_x86_64
#endif

#define SYSCALL(nr, name) [nr] = #name,
static const char *const x86_64_names[] = {
#include "syscalls/syscalls_x86_64.def"
};

#define SYSCALL(nr, name) [nr] = #name,
static const char *const i386_names[] = {
#include "syscalls/syscalls_i386.def"
};

#define SYSCALL(nr, name) [nr] = #name,
static const char *const x32_names[] = {
#include "syscalls/syscalls_x32.def"
};

#define SYSCALL(nr, name) [nr] = #name,
static const char *const arm64_names[] = {
#include "syscalls/syscalls_arm64.def"
};

#define NR_OF(names) (sizeof(names) / sizeof((names)[0]))

static const struct {
	const char *name;
	const char *const *names; /* NULL: a number that is not used */
	uint32_t nr_names;
	uint32_t audit;
} arches[NR_SYSCALL_ARCHES] = {
	[SYSCALL_ARCH_x86_64] = { "x86_64", x86_64_names, NR_OF(x86_64_names), AUDIT_ARCH_X86_64 },
	[SYSCALL_ARCH_i386] = { "i386", i386_names, NR_OF(i386_names), AUDIT_ARCH_I386 },
	[SYSCALL_ARCH_x32] = { "x32", x32_names, NR_OF(x32_names), AUDIT_ARCH_X86_64 },
	[SYSCALL_ARCH_arm64] = { "arm64", arm64_names, NR_OF(arm64_names), AUDIT_ARCH_AARCH64 },
};

_Static_assert(NR_OF(x86_64_names) <= SYSCALLS_MAX && NR_OF(i386_names) <= SYSCALLS_MAX &&
		       NR_OF(x32_names) <= SYSCALLS_MAX && NR_OF(arm64_names) <= SYSCALLS_MAX,
	       "SYSCALLS_MAX is for all tables");

const char *syscall_arch_name(enum syscall_arch arch)
{
	return arches[arch].name;
}

enum syscall_arch syscall_arch_native(void)
{
	return NATIVE;
}

int syscall_arch_find(const char *name)
{
	for (int i = 0; i < NR_SYSCALL_ARCHES; i++)
		if (strcmp(arches[i].name, name) == 0)
			return i;
	return -ENOENT;
}

uint32_t syscall_arch_audit(enum syscall_arch arch)
{
	return arches[arch].audit;
}

int syscall_arch_of(uint32_t audit, uint32_t *nr)
{
	if (audit == AUDIT_ARCH_X86_64 && *nr & SYSCALL_X32_BIT && *nr != UINT32_MAX) {
		*nr &= ~SYSCALL_X32_BIT;
		return SYSCALL_ARCH_x32;
	}
	/* x86_64 comes before x32 */
	for (int i = 0; i < NR_SYSCALL_ARCHES; i++)
		if (arches[i].audit == audit)
			return i;
	return -ENOENT;
}

const char *syscall_name(enum syscall_arch arch, uint32_t nr)
{
	return nr < arches[arch].nr_names ? arches[arch].names[nr] : NULL;
}

int syscall_number(enum syscall_arch arch, const char *name)
{
	for (uint32_t nr = 0; nr < arches[arch].nr_names; nr++)
		if (arches[arch].names[nr] && strcmp(arches[arch].names[nr], name) == 0)
			return (int)nr;
	return -ENOENT;
}

uint32_t syscall_last(enum syscall_arch arch)
{
	return arches[arch].nr_names - 1;
}
