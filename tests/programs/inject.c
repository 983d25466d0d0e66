/* SPDX-License-Identifier: MIT */
/*
 * Makes another process try system calls, and prints what the kernel answered it: "open EPERM".
 * What a process can not do any more is asked of the process itself. `inject PID [OTHER]`; it goes
 * on afterwards as if nothing had been. With OTHER, what a filter allows with some arguments only,
 * OTHER being the process that it would be done to.
 *
 * The process is stopped inside a system call: the instruction before its program counter, which
 * makes system calls, is run again with other registers (ptrace(2)).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 5000 /* a millisecond each */

struct attempt {
	const char *name;
	long number;
	unsigned long args[6];
};

/*
 * With these arguments none of them does anything where it is allowed: bad pointers, flags that
 * exclude each other, sizes of nothing. What they answer then is not EPERM, except for "bpf",
 * "mount", "setuid" and "reboot", which may be refused for want of rights too.
 */
static const struct attempt attempts[] = {
	{ "getpid", SYS_getpid, { 0 } },
	{ "openat", SYS_openat, { 0, 0, 0, 0, 0, 0 } },
	{ "openat_write", SYS_openat, { 0, 0, O_WRONLY, 0, 0, 0 } },
	{ "execve", SYS_execve, { 0 } },
	{ "clone", SYS_clone, { 0x800 } }, /* CLONE_SIGHAND without CLONE_VM: EINVAL */
	{ "socket", SYS_socket, { 9999, 1, 0 } },
	{ "connect", SYS_connect, { (unsigned long)-1 } },
	{ "ptrace", SYS_ptrace, { 9999, 0 } },
	{ "process_vm_readv", SYS_process_vm_readv, { 0 } },
	{ "kill", SYS_kill, { 0x3fffffff, 0 } },
	{ "unlinkat", SYS_unlinkat, { 0 } },
	{ "renameat2", SYS_renameat2, { 0 } },
	{ "linkat", SYS_linkat, { 0 } },
	{ "mkdirat", SYS_mkdirat, { 0 } },
	{ "fchmod", SYS_fchmod, { (unsigned long)-1, 0 } },
	{ "memfd_create", SYS_memfd_create, { 0, 0xffff } },
	{ "mmap_exec", SYS_mmap, { 0, 0, PROT_EXEC, 0, (unsigned long)-1, 0 } },
	{ "mprotect", SYS_mprotect, { 1, 0, PROT_EXEC } },
	{ "perf_event_open", SYS_perf_event_open, { 0 } },
	{ "io_uring_setup", SYS_io_uring_setup, { 0 } },
	{ "prctl", SYS_prctl, { 9999 } },
	{ "ioctl", SYS_ioctl, { (unsigned long)-1 } },
	{ "bpf", SYS_bpf, { 5, 0, 0 } }, /* BPF_PROG_LOAD */
	{ "mount", SYS_mount, { 0 } },
	{ "setuid", SYS_setuid, { 0 } },
	{ "reboot", SYS_reboot, { 0 } },
};

#if defined(__x86_64__)
#define SYSCALL_SIZE 2 /* bytes of the `syscall` instruction */
#define SYSCALL_CODE 0x050fUL
#define SYSCALL_MASK 0xffffUL

static void registers_fill(struct user_regs_struct *regs, const struct attempt *attempt)
{
	regs->rip -= SYSCALL_SIZE;
	regs->rax = (unsigned long)attempt->number;
	/* No restart of the call it was stopped in: arch/x86/kernel/signal.c looks at orig_rax. */
	regs->orig_rax = (unsigned long)-1;
	regs->rdi = attempt->args[0];
	regs->rsi = attempt->args[1];
	regs->rdx = attempt->args[2];
	regs->r10 = attempt->args[3];
	regs->r8 = attempt->args[4];
	regs->r9 = attempt->args[5];
}

static unsigned long counter_of(const struct user_regs_struct *regs)
{
	return regs->rip;
}

static long result_of(const struct user_regs_struct *regs)
{
	return (long)regs->rax;
}
#elif defined(__aarch64__)
#define SYSCALL_SIZE 4 /* `svc #0` */
#define SYSCALL_CODE 0xd4000001UL
#define SYSCALL_MASK 0xffffffffUL

static void registers_fill(struct user_regs_struct *regs, const struct attempt *attempt)
{
	regs->pc -= SYSCALL_SIZE;
	regs->regs[8] = (unsigned long)attempt->number;
	for (int i = 0; i < 6; i++)
		regs->regs[i] = attempt->args[i];
}

static unsigned long counter_of(const struct user_regs_struct *regs)
{
	return regs->pc;
}

static long result_of(const struct user_regs_struct *regs)
{
	return (long)regs->regs[0];
}
#else
#error "this architecture's registers are not known"
#endif

/* BPF_MAP_UPDATE_ELEM; F_SETOWN of no descriptor; signal 0 does nothing. */
static size_t narrow_attempts(pid_t pid, pid_t other, struct attempt *ret)
{
	const struct attempt narrow[] = {
		{ "tgkill_other", SYS_tgkill, { (unsigned long)other, (unsigned long)other, 0 } },
		{ "tgkill_self", SYS_tgkill, { (unsigned long)pid, (unsigned long)pid, 0 } },
		{ "fcntl_setown", SYS_fcntl, { (unsigned long)-1, F_SETOWN, 0 } },
		{ "sendto_address", SYS_sendto, { (unsigned long)-1, 0, 0, 0, 8, 16 } },
		{ "bpf_map_update", SYS_bpf, { 2, 0, 0 } },
	};

	memcpy(ret, narrow, sizeof(narrow));
	return sizeof(narrow) / sizeof(narrow[0]);
}

static const char *describe(long result)
{
	static char text[32];

	if (result == -EPERM)
		return "EPERM";
	if (result < 0 && result > -4096)
		snprintf(text, sizeof(text), "error %ld", -result);
	else
		snprintf(text, sizeof(text), "allowed");
	return text;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void wait_for_stop(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		fail("waitpid");
}

/* Stops PID; its registers are in SAVED. Returns whether that is inside a system call. */
static bool stop(pid_t pid, struct user_regs_struct *saved)
{
	struct iovec area = { .iov_base = saved, .iov_len = sizeof(*saved) };
	unsigned long word;

	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		fail("PTRACE_INTERRUPT");
	wait_for_stop(pid);
	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &area) < 0)
		fail("PTRACE_GETREGSET");
	errno = 0;
	word = (unsigned long)ptrace(PTRACE_PEEKTEXT, pid,
				     (void *)(counter_of(saved) - SYSCALL_SIZE), NULL);
	return !errno && (word & SYSCALL_MASK) == SYSCALL_CODE;
}

/* It may be at work just then, which does not last. */
static void stop_in_call(pid_t pid, struct user_regs_struct *saved)
{
	for (int i = 0; i < TRIES; i++) {
		if (stop(pid, saved))
			return;
		if (ptrace(PTRACE_CONT, pid, NULL, NULL) < 0)
			fail("PTRACE_CONT");
		usleep(1000);
	}
	fprintf(stderr, "process %d makes no system call\n", pid);
	exit(1);
}

/* Without following a signal handler: SIGALRM may be pending, so it is kept out meanwhile. */
static long attempt_run(pid_t pid, const struct user_regs_struct *saved,
			const struct attempt *attempt)
{
	struct user_regs_struct regs = *saved;
	struct iovec area = { .iov_base = &regs, .iov_len = sizeof(regs) };

	registers_fill(&regs, attempt);
	if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &area) < 0)
		fail("PTRACE_SETREGSET");
	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0)
		fail("PTRACE_SINGLESTEP");
	wait_for_stop(pid);
	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &area) < 0)
		fail("PTRACE_GETREGSET");
	return result_of(&regs);
}

static void try_all(pid_t pid, const struct user_regs_struct *saved,
		    const struct attempt *attempted, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		printf("%s %s\n", attempted[i].name,
		       describe(attempt_run(pid, saved, &attempted[i])));
}

int main(int argc, char **argv)
{
	struct attempt narrow[8];
	struct user_regs_struct saved;
	struct iovec area = { .iov_base = &saved, .iov_len = sizeof(saved) };
	uint64_t all = ~UINT64_C(0);
	uint64_t mask;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = atoi(argv[1]);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		fail("PTRACE_SEIZE");
	stop_in_call(pid, &saved);
	if (ptrace(PTRACE_GETSIGMASK, pid, (void *)sizeof(mask), &mask) < 0 ||
	    ptrace(PTRACE_SETSIGMASK, pid, (void *)sizeof(all), &all) < 0)
		fail("ptrace");
	if (argc > 2)
		try_all(pid, &saved, narrow, narrow_attempts(pid, atoi(argv[2]), narrow));
	else
		try_all(pid, &saved, attempts, sizeof(attempts) / sizeof(attempts[0]));
	/* The registers are those of an interrupted call: going on with them restarts it. */
	if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &area) < 0 ||
	    ptrace(PTRACE_SETSIGMASK, pid, (void *)sizeof(mask), &mask) < 0 ||
	    ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0)
		fail("PTRACE_DETACH");
	return 0;
}
