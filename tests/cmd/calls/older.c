/* SPDX-License-Identifier: MIT */
/* Preloaded: bpf(2) without links for many uprobes, as before Linux 6.6. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>

/* BPF_TRACE_UPROBE_MULTI, which older headers lack. */
#define MULTI 48

long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	long args[6];
	va_list list;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf && args[0] == BPF_LINK_CREATE &&
	    ((const union bpf_attr *)args[1])->link_create.attach_type == MULTI) {
		errno = EINVAL;
		return -1;
	}
	return real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
