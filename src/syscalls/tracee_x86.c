/* SPDX-License-Identifier: MIT */
/*
 * x86-64, and its processes of 32 bits. PTRACE_GETREGS gives a tracer of 64 bits the registers of
 * 64 bits of both (arch/x86/kernel/ptrace.c, arch_ptrace()), and the code segment tells which it
 * is. Numbers: arch/x86/entry/syscalls/syscall_64.tbl and syscall_32.tbl.
 */
#ifdef __x86_64__

#include "syscalls/tracee.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

/* __USER32_CS, arch/x86/include/asm/segment.h */
#define CODE_32 0x23

const uint8_t tracee_break[TRACEE_BREAK_SIZE] = { 0xcc };

static const struct tracee_abi abi_64 = {
	.arch = SYSCALL_ARCH_x86_64,
	.insn = { 0x0f, 0x05 }, /* syscall */
	.insn_size = 2,
	.nr_mmap = 9,
	.nr_munmap = 11,
	.nr_prctl = 157,
	.nr_seccomp = 317,
	.word_size = 8,
	.red_zone = 128, /* System V ABI, AMD64 supplement, 3.2.2 */
};

static const struct tracee_abi abi_32 = {
	.arch = SYSCALL_ARCH_i386,
	.insn = { 0xcd, 0x80 }, /* int $0x80 */
	.insn_size = 2,
	.nr_mmap = 192, /* mmap2 */
	.nr_munmap = 91,
	.nr_prctl = 172,
	.nr_seccomp = 354,
	.word_size = 4,
};

int tracee_regs_get(pid_t tid, struct tracee_regs *ret)
{
	struct user_regs_struct user;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &user) < 0)
		return -errno;
	*ret = (struct tracee_regs){ .user = user };
	return 0;
}

int tracee_regs_put(pid_t tid, const struct tracee_regs *regs)
{
	return ptrace(PTRACE_SETREGS, tid, NULL, &regs->user) < 0 ? -errno : 0;
}

static bool is_32(const struct tracee_regs *regs)
{
	return regs->user.cs == CODE_32;
}

void tracee_regs_abi(const struct tracee_regs *regs, struct tracee_abi *ret)
{
	*ret = is_32(regs) ? abi_32 : abi_64;
}

uint64_t tracee_regs_pc(const struct tracee_regs *regs)
{
	return regs->user.rip;
}

void tracee_regs_set_pc(struct tracee_regs *regs, uint64_t pc)
{
	regs->user.rip = pc;
}

uint64_t tracee_regs_sp(const struct tracee_regs *regs)
{
	return regs->user.rsp;
}

uint64_t tracee_regs_thread(const struct tracee_regs *regs)
{
	return is_32(regs) ? 0 : regs->user.fs_base;
}

uint64_t tracee_regs_break(const struct tracee_regs *regs)
{
	return regs->user.rip - TRACEE_BREAK_SIZE;
}

uint64_t tracee_regs_argument(const struct tracee_regs *regs, enum syscall_arch arch)
{
	return arch == SYSCALL_ARCH_i386 ? (uint32_t)regs->user.rbx : regs->user.rdi;
}

void tracee_regs_set_argument(struct tracee_regs *regs, enum syscall_arch arch, uint64_t value)
{
	if (arch == SYSCALL_ARCH_i386)
		regs->user.rbx = value;
	else
		regs->user.rdi = value;
}

int64_t tracee_regs_nr(const struct tracee_regs *regs)
{
	return (int32_t)regs->user.orig_rax;
}

int64_t tracee_regs_result(const struct tracee_regs *regs)
{
	return is_32(regs) ? (int32_t)regs->user.rax : (int64_t)regs->user.rax;
}

static void set_arguments(struct user_regs_struct *user, bool is_short, const uint64_t *args)
{
	if (is_short) {
		user->rbx = args[0];
		user->rcx = args[1];
		user->rdx = args[2];
		user->rsi = args[3];
		user->rdi = args[4];
		user->rbp = args[5];
	} else {
		user->rdi = args[0];
		user->rsi = args[1];
		user->rdx = args[2];
		user->r10 = args[3];
		user->r8 = args[4];
		user->r9 = args[5];
	}
}

void tracee_regs_call(struct tracee_regs *regs, uint64_t insn, uint32_t nr, const uint64_t *args)
{
	set_arguments(&regs->user, is_32(regs), args);
	regs->user.rax = nr;
	/* Not the end of a call that was interrupted: nothing is to be made again for it. */
	regs->user.orig_rax = (unsigned long long)-1;
	regs->user.rip = insn;
}

void tracee_regs_replace(struct tracee_regs *regs, uint32_t nr, const uint64_t *args)
{
	set_arguments(&regs->user, is_32(regs), args);
	regs->user.orig_rax = nr;
}

/* All three instructions that make calls have two bytes; the kernel itself restarts them so. */
void tracee_regs_again(struct tracee_regs *regs)
{
	regs->user.rax = regs->user.orig_rax;
	regs->user.orig_rax = (unsigned long long)-1;
	regs->user.rip -= 2;
}

#endif /* __x86_64__ */
