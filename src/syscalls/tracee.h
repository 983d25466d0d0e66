/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_TRACEE_H
#define SYSCALLS_TRACEE_H

/*
 * One thread under ptrace(2): its registers, its memory, its system calls. Nothing is kept here;
 * who is traced, and what for, is follow.h's business. All of it needs the thread to be in a stop
 * that the caller's thread has seen with waitpid(2), and returns -ESRCH where it is not, or was
 * killed meanwhile: its end is then still to be waited for.
 *
 * Threads are attached with PTRACE_SEIZE alone (Linux 3.4): with it a group-stop is told from a
 * signal, and a thread can be stopped without sending it one. Every fork, vfork, clone and execve
 * is followed, always: a child that nobody traces would run into the breakpoints that it has
 * copied, and die of SIGTRAP.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "syscalls/numbers.h"

/* The registers of a stopped thread; the struct is the machine's, its fields are for tracee_*.c. */
struct tracee_regs {
	struct user_regs_struct user;
	/* arm64, where these are no registers of that set: */
	int call;	 /* the number of the call that it is in; -1: none */
	uint64_t thread; /* tpidr_el0 */
};

#ifdef __x86_64__
#define TRACEE_BREAK_SIZE 1
#else
#define TRACEE_BREAK_SIZE 4
#endif

/* The instruction of a breakpoint. */
extern const uint8_t tracee_break[TRACEE_BREAK_SIZE];

/* How system calls are made in a thread as it is now: an x86_64 process can be of 32 bits. */
struct tracee_abi {
	enum syscall_arch arch;
	uint8_t insn[4]; /* the instruction that makes one, of INSN_SIZE bytes */
	size_t insn_size;
	uint32_t nr_mmap, nr_munmap, nr_prctl, nr_seccomp;
	size_t word_size;  /* of a pointer, bytes */
	uint64_t red_zone; /* bytes below the stack pointer that are in use */
};

enum tracee_moment {
	TRACEE_NO_CALL, /* it is in no call: the stop is another one */
	TRACEE_ENTRY,
	TRACEE_EXIT,
};

/* What PTRACE_GET_SYSCALL_INFO says of a stop. */
struct tracee_call {
	enum tracee_moment moment;
	enum syscall_arch arch; /* an `int $0x80` of a 64-bit program is i386 */
	bool is_known;		/* ARCH is one of numbers.h */
	uint32_t nr;		/* on entry; x32 without its bit */
	uint64_t args[6];	/* on entry */
	int64_t result;		/* on exit */
};

enum tracee_how {
	TRACEE_CONTINUE,
	TRACEE_CALLS, /* up to the next system call, or the end of this one */
	TRACEE_STEP,  /* one instruction */
};

/* Whether this user may trace here, and the kernel tells of calls: 0, -EPERM, -ENOSYS, ... */
int tracee_probe(void);

/* Whether it may suspend seccomp filters (tracee_set()): 0, -EPERM, -EINVAL (not built in). */
int tracee_probe_suspend(void);

/*
 * Attaches to TID, which need not be stopped and goes on. KILLS: it is killed when the caller ends,
 * however that comes. Returns 0 or a negative errno.
 */
int tracee_seize(pid_t tid, bool kills);

/* Changes that, and whether its seccomp filters are off (needs CAP_SYS_ADMIN: -EPERM). */
int tracee_set(pid_t tid, bool kills, bool suspends_seccomp);

/* Lets it go on with SIGNAL, 0 for none. */
int tracee_resume(pid_t tid, enum tracee_how how, int signal);

/* It stays stopped, as its whole process is, but tells when that is over. */
int tracee_listen(pid_t tid);

/* Has it stop as soon as it can; it need not be stopped. */
int tracee_interrupt(pid_t tid);

/* Lets it go on with SIGNAL, and lets go of it. */
int tracee_detach(pid_t tid, int signal);

/* The number that came with a PTRACE_EVENT_*: a pid. */
int tracee_message(pid_t tid, uint64_t *ret);

/* What the stop has to do with a system call. */
int tracee_call_get(pid_t tid, struct tracee_call *ret);

/* All signals that it has blocked, a bit each, and that it will have. */
int tracee_signal_mask(pid_t tid, uint64_t *ret);
int tracee_set_signal_mask(pid_t tid, uint64_t mask);

/*
 * Reads SIZE bytes at ADDRESS, all or none. The one that writes does so also where the process
 * itself may not. Return 0, -EFAULT, -ESRCH or another negative errno.
 */
int tracee_read(pid_t tid, uint64_t address, void *bytes, size_t size);
int tracee_write(pid_t tid, uint64_t address, const void *bytes, size_t size);

/* What clone flags the call has that a thread stopped for PTRACE_EVENT_FORK, VFORK, CLONE is in. */
int tracee_clone_flags(pid_t tid, uint64_t *ret);

/*
 * Has a call made again that failed with EINTR only since it was traced: the tracer had the thread
 * stop, or a signal came that it ignores, which without a tracer never wakes anybody. epoll_wait
 * and others fail then (signal(7)), and a program may take that for a signal. Nothing is changed
 * where one is to come. Returns 1 when it is made again, 0 or a negative errno.
 */
int tracee_restart(pid_t tid);

/*
 * Whether a signal waits to be delivered to it, and is neither blocked nor ignored; SIGNAL: that
 * one, 0: any.
 */
bool tracee_has_pending(pid_t tid, int signal);

/* Whether SIGNAL does nothing in its process, by its own choice or by default. */
bool tracee_ignores(pid_t tid, int signal);

/* The first character of its state in /proc, 'R', 'S', ...; 0: it is gone. */
char tracee_state(pid_t tid);

/* Of the machine: tracee_x86.c, tracee_arm64.c. */

int tracee_regs_get(pid_t tid, struct tracee_regs *ret);
int tracee_regs_put(pid_t tid, const struct tracee_regs *regs);
void tracee_regs_abi(const struct tracee_regs *regs, struct tracee_abi *ret);
uint64_t tracee_regs_pc(const struct tracee_regs *regs);
void tracee_regs_set_pc(struct tracee_regs *regs, uint64_t pc);
uint64_t tracee_regs_sp(const struct tracee_regs *regs);
/* The thread pointer, by which the C library finds its own data; 0: not known. */
uint64_t tracee_regs_thread(const struct tracee_regs *regs);
/* Where the breakpoint is that it has just run into. */
uint64_t tracee_regs_break(const struct tracee_regs *regs);
/* The first argument of the call of ARCH that it is in, and that call's number. */
uint64_t tracee_regs_argument(const struct tracee_regs *regs, enum syscall_arch arch);
int64_t tracee_regs_nr(const struct tracee_regs *regs);
void tracee_regs_set_argument(struct tracee_regs *regs, enum syscall_arch arch, uint64_t value);
/* What it has returned, or is to return. */
int64_t tracee_regs_result(const struct tracee_regs *regs);
/* Makes it execute the instruction at INSN, which makes the call NR; it is in none now. */
void tracee_regs_call(struct tracee_regs *regs, uint64_t insn, uint32_t nr, const uint64_t *args);
/* The same for a thread that has entered a call and is to make this one instead. */
void tracee_regs_replace(struct tracee_regs *regs, uint32_t nr, const uint64_t *args);
/* Makes it execute again the instruction whose call it is in: as if it had not begun. */
void tracee_regs_again(struct tracee_regs *regs);

#endif /* SYSCALLS_TRACEE_H */
