/* SPDX-License-Identifier: MIT */
/*
 * arm64. The number of the call that a thread is in is not a register: it has a set of its own,
 * NT_ARM_SYSTEM_CALL. Numbers: include/uapi/asm-generic/unistd.h. Processes of 32 bits are told by
 * the size of their registers, and refused.
 */
#ifdef __aarch64__

#include "syscalls/tracee.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define INSN_SIZE 4

/* brk #0 */
const uint8_t tracee_break[TRACEE_BREAK_SIZE] = { 0x00, 0x00, 0x20, 0xd4 };

static const struct tracee_abi abi = {
	.arch = SYSCALL_ARCH_arm64,
	.insn = { 0x01, 0x00, 0x00, 0xd4 }, /* svc #0 */
	.insn_size = INSN_SIZE,
	.nr_mmap = 222,
	.nr_munmap = 215,
	.nr_prctl = 167,
	.nr_seccomp = 277,
	.word_size = 8,
};

int tracee_regs_get(pid_t tid, struct tracee_regs *ret)
{
	struct tracee_regs regs;
	struct iovec user = { &regs.user, sizeof(regs.user) };
	struct iovec call = { &regs.call, sizeof(regs.call) };
	struct iovec thread = { &regs.thread, sizeof(regs.thread) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &user) < 0)
		return -errno;
	if (user.iov_len != sizeof(regs.user))
		return -EOPNOTSUPP;
	if (ptrace(PTRACE_GETREGSET, tid, NT_ARM_SYSTEM_CALL, &call) < 0 ||
	    ptrace(PTRACE_GETREGSET, tid, NT_ARM_TLS, &thread) < 0)
		return -errno;
	*ret = regs;
	return 0;
}

int tracee_regs_put(pid_t tid, const struct tracee_regs *regs)
{
	struct tracee_regs copy = *regs;
	struct iovec user = { &copy.user, sizeof(copy.user) };
	struct iovec call = { &copy.call, sizeof(copy.call) };

	if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &user) < 0 ||
	    ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &call) < 0)
		return -errno;
	return 0;
}

void tracee_regs_abi(const struct tracee_regs *regs, struct tracee_abi *ret)
{
	(void)regs;
	*ret = abi;
}

uint64_t tracee_regs_pc(const struct tracee_regs *regs)
{
	return regs->user.pc;
}

void tracee_regs_set_pc(struct tracee_regs *regs, uint64_t pc)
{
	regs->user.pc = pc;
}

uint64_t tracee_regs_sp(const struct tracee_regs *regs)
{
	return regs->user.sp;
}

uint64_t tracee_regs_thread(const struct tracee_regs *regs)
{
	return regs->thread;
}

/* The program counter stays at a brk. */
uint64_t tracee_regs_break(const struct tracee_regs *regs)
{
	return regs->user.pc;
}

uint64_t tracee_regs_argument(const struct tracee_regs *regs, enum syscall_arch arch)
{
	(void)arch;
	return regs->user.regs[0];
}

void tracee_regs_set_argument(struct tracee_regs *regs, enum syscall_arch arch, uint64_t value)
{
	(void)arch;
	regs->user.regs[0] = value;
}

int64_t tracee_regs_nr(const struct tracee_regs *regs)
{
	return regs->call;
}

int64_t tracee_regs_result(const struct tracee_regs *regs)
{
	return (int64_t)regs->user.regs[0];
}

void tracee_regs_call(struct tracee_regs *regs, uint64_t insn, uint32_t nr, const uint64_t *args)
{
	memcpy(regs->user.regs, args, 6 * sizeof(*args));
	regs->user.regs[8] = nr;
	regs->user.pc = insn;
	regs->call = -1;
}

void tracee_regs_replace(struct tracee_regs *regs, uint32_t nr, const uint64_t *args)
{
	memcpy(regs->user.regs, args, 6 * sizeof(*args));
	regs->user.regs[8] = nr;
	regs->call = (int)nr;
}

void tracee_regs_again(struct tracee_regs *regs)
{
	regs->user.regs[8] = (uint64_t)regs->call;
	regs->user.pc -= INSN_SIZE;
	regs->call = -1;
}

#endif /* __aarch64__ */
