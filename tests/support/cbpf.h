/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_CBPF_H
#define TESTS_SUPPORT_CBPF_H

/*
 * Classic BPF as seccomp(2) runs it, written from Documentation/networking/filter.rst and
 * seccomp(2), for tests: an emulator, an assembler, and what the kernel's own look at a filter
 * says. A filter that the kernel would not take ends the test program.
 */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What FILTER answers: SECCOMP_RET_*. *RET_READS, unless NULL: a bit for each byte it loaded. */
uint32_t cbpf_run(const struct sock_filter *filter, size_t nr, const struct seccomp_data *data,
		  uint64_t *ret_reads);

/*
 * Whether the kernel remembers that FILTER allows call NUMBER of ARCH whatever its arguments, so
 * that it does not run it: the rules of seccomp_is_const_allow() in kernel/seccomp.c, Linux 5.11.
 */
bool cbpf_is_remembered(const struct sock_filter *filter, size_t nr, uint32_t arch,
			uint32_t number);

/*
 * Assembles TEXT, in the language of tools/bpf/bpf_asm as far as filters of seccomp use it. Returns
 * how many instructions; text that is none of it ends the test program.
 */
size_t cbpf_assemble(const char *text, struct sock_filter ret[static BPF_MAXINSNS]);

#endif /* TESTS_SUPPORT_CBPF_H */
