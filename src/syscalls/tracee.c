/* SPDX-License-Identifier: MIT */
#include "syscalls/tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "proc/status.h"
#include "proc/text.h"

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE)

/* arch/x86/entry/syscalls/syscall_32.tbl */
#define I386_CLONE 120
#define I386_VFORK 190

static unsigned long options_of(bool kills, bool suspends_seccomp)
{
	return OPTIONS | (kills ? PTRACE_O_EXITKILL : 0) |
	       (suspends_seccomp ? PTRACE_O_SUSPEND_SECCOMP : 0);
}

/* ptrace(2) with a number as its last argument. WHAT is an enumeration in glibc, a number in musl.
 */
static int request(int what, pid_t tid, unsigned long data)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): that is how it takes numbers */
	return ptrace(what, tid, NULL, (void *)data) < 0 ? -errno : 0;
}

int tracee_seize(pid_t tid, bool kills)
{
	return request(PTRACE_SEIZE, tid, options_of(kills, false));
}

int tracee_set(pid_t tid, bool kills, bool suspends_seccomp)
{
	return request(PTRACE_SETOPTIONS, tid, options_of(kills, suspends_seccomp));
}

int tracee_resume(pid_t tid, enum tracee_how how, int signal)
{
	static const int requests[] = {
		[TRACEE_CONTINUE] = PTRACE_CONT,
		[TRACEE_CALLS] = PTRACE_SYSCALL,
		[TRACEE_STEP] = PTRACE_SINGLESTEP,
	};

	return request(requests[how], tid, (unsigned long)signal);
}

int tracee_listen(pid_t tid)
{
	return request(PTRACE_LISTEN, tid, 0);
}

int tracee_interrupt(pid_t tid)
{
	return request(PTRACE_INTERRUPT, tid, 0);
}

int tracee_detach(pid_t tid, int signal)
{
	return request(PTRACE_DETACH, tid, (unsigned long)signal);
}

int tracee_message(pid_t tid, uint64_t *ret)
{
	unsigned long message = 0;

	if (ptrace(PTRACE_GETEVENTMSG, tid, NULL, &message) < 0)
		return -errno;
	*ret = message;
	return 0;
}

/* Names the call NR of AUDIT, an AUDIT_ARCH_*, as numbers.h does. */
static void name_call(struct tracee_call *call, uint32_t audit, uint64_t nr)
{
	int arch;

	call->nr = (uint32_t)nr;
	arch = syscall_arch_of(audit, &call->nr);
	call->is_known = arch >= 0;
	if (call->is_known)
		call->arch = (enum syscall_arch)arch;
}

int tracee_call_get(pid_t tid, struct tracee_call *ret)
{
	struct __ptrace_syscall_info info = { 0 };
	struct tracee_call call = { .moment = TRACEE_NO_CALL };

	/* The size is the address argument: Linux 5.3, kernel/ptrace.c. */
	/* NOLINTNEXTLINE(performance-no-int-to-ptr) */
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) < 0)
		return -errno;
	/* The architecture is that of the last call in any stop. */
	name_call(&call, info.arch, info.op == PTRACE_SYSCALL_INFO_ENTRY ? info.entry.nr : 0);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		call.moment = TRACEE_ENTRY;
		memcpy(call.args, info.entry.args, sizeof(call.args));
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		call.moment = TRACEE_EXIT;
		call.result = info.exit.rval;
	}
	*ret = call;
	return 0;
}

static int try_suspend(pid_t child)
{
	return request(PTRACE_SEIZE, child, options_of(true, true));
}

static int try_calls(pid_t child)
{
	struct tracee_call call;
	int status;
	int err = tracee_seize(child, true);

	if (!err)
		err = tracee_interrupt(child);
	if (err)
		return err;
	while (waitpid(child, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	err = WIFSTOPPED(status) ? tracee_call_get(child, &call) : -ECHILD;
	/* EIO: no such request, before Linux 5.3. */
	return err == -EIO ? -ENOSYS : err;
}

/* Makes a child for TRY, and returns what that does. */
static int probe(int (*try)(pid_t child))
{
	pid_t child = fork();
	int err;

	if (child < 0)
		return -errno;
	if (child == 0) {
		for (;;)
			pause();
	}
	err = try(child);
	kill(child, SIGKILL);
	while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		;
	return err;
}

int tracee_probe(void)
{
	return probe(try_calls);
}

int tracee_probe_suspend(void)
{
	return probe(try_suspend);
}

int tracee_signal_mask(pid_t tid, uint64_t *ret)
{
	uint64_t mask = 0;

	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the size */
	if (ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof(mask), &mask) < 0)
		return -errno;
	*ret = mask;
	return 0;
}

int tracee_set_signal_mask(pid_t tid, uint64_t mask)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the size */
	return ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(mask), &mask) < 0 ? -errno : 0;
}

static int open_memory(pid_t tid, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int peek(pid_t tid, uint64_t address, uint8_t *bytes, size_t size)
{
	while (size > 0) {
		uint64_t at = address & ~(uint64_t)7;
		size_t skip = address - at;
		size_t part = sizeof(long) - skip < size ? sizeof(long) - skip : size;
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tid, at, NULL);
		if (errno)
			return -errno;
		memcpy(bytes, (const uint8_t *)&word + skip, part);
		address += part;
		bytes += part;
		size -= part;
	}
	return 0;
}

static int poke(pid_t tid, uint64_t address, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		uint64_t at = address & ~(uint64_t)7;
		size_t skip = address - at;
		size_t part = sizeof(long) - skip < size ? sizeof(long) - skip : size;
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tid, at, NULL);
		if (errno)
			return -errno;
		memcpy((uint8_t *)&word + skip, bytes, part);
		if (ptrace(PTRACE_POKEDATA, tid, at, word) < 0)
			return -errno;
		address += part;
		bytes += part;
		size -= part;
	}
	return 0;
}

int tracee_read(pid_t tid, uint64_t address, void *bytes, size_t size)
{
	struct iovec to = { bytes, size };
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): of another process */
	struct iovec from = { (void *)(uintptr_t)address, size };
	_cleanup_(cleanup_fd) int fd = -1;

	if (process_vm_readv(tid, &to, 1, &from, 1, 0) == (ssize_t)size)
		return 0;
	fd = open_memory(tid, O_RDONLY);
	if (fd >= 0 && pread(fd, bytes, size, (off_t)address) == (ssize_t)size)
		return 0;
	return peek(tid, address, bytes, size);
}

int tracee_write(pid_t tid, uint64_t address, const void *bytes, size_t size)
{
	_cleanup_(cleanup_fd) int fd = open_memory(tid, O_WRONLY);

	/* process_vm_writev() cannot write to code. */
	if (fd >= 0 && pwrite(fd, bytes, size, (off_t)address) == (ssize_t)size)
		return 0;
	return poke(tid, address, bytes, size);
}

int tracee_clone_flags(pid_t tid, uint64_t *ret)
{
	struct tracee_regs regs = { .call = -1 };
	struct tracee_call call = { .moment = TRACEE_NO_CALL };
	bool is_i386;
	int64_t nr;
	int err = tracee_call_get(tid, &call);

	if (!err)
		err = tracee_regs_get(tid, &regs);
	if (err)
		return err;
	is_i386 = call.arch == SYSCALL_ARCH_i386;
	nr = tracee_regs_nr(&regs) & ~(int64_t)SYSCALL_X32_BIT;
	*ret = 0;
	if (nr == SYS_clone3) /* 435 everywhere */
		return tracee_read(tid, tracee_regs_argument(&regs, call.arch), ret, sizeof(*ret));
	if (nr == (is_i386 ? I386_CLONE : SYS_clone))
		*ret = (uint32_t)tracee_regs_argument(&regs, call.arch);
#ifdef SYS_vfork
	else if (nr == (is_i386 ? I386_VFORK : SYS_vfork))
		*ret = CLONE_VM | CLONE_VFORK;
#endif
	return 0;
}

/*
 * Whether CALL can be made again after EINTR without a signal. Of a socket with a timeout
 * (SO_RCVTIMEO) nothing was taken yet.
 */
static bool is_repeatable(enum syscall_arch arch, int64_t nr)
{
	static const char *const names[] = {
		"epoll_wait",
		"epoll_pwait",
		"epoll_pwait2",
		"rt_sigtimedwait",
		"semop",
		"semtimedop",
		"io_getevents",
		"io_pgetevents",
		"read",
		"io_uring_enter",
		"recvfrom",
		"recvmsg",
		"accept",
		"accept4",
		"rt_sigtimedwait_time64",
		"semtimedop_time64",
	};
	const char *name = nr < 0 ? NULL : syscall_name(arch, (uint32_t)nr & ~SYSCALL_X32_BIT);

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

int tracee_restart(pid_t tid)
{
	struct tracee_regs regs = { .call = -1 };
	struct tracee_call call = { .moment = TRACEE_NO_CALL };
	int err = tracee_regs_get(tid, &regs);

	if (err)
		return err;
	if (tracee_regs_result(&regs) != -EINTR || tracee_regs_nr(&regs) < 0)
		return 0;
	err = tracee_call_get(tid, &call);
	if (err)
		return err;
	if (!is_repeatable(call.arch, tracee_regs_nr(&regs)) || tracee_has_pending(tid, 0))
		return 0;
	tracee_regs_again(&regs);
	err = tracee_regs_put(tid, &regs);
	return err ? err : 1;
}

/* The number, hexadecimal, of the line NAME, or 0. */
static uint64_t mask_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 16) : 0;
}

#define BIT(signal) (1ULL << ((signal)-1))

/* Those that do nothing without a function for them: signal(7). */
#define HARMLESS (BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH))

/* The signals that have no effect in the process whose status is TEXT. */
static uint64_t ignored_of(const char *text)
{
	return mask_of(text, "\nSigIgn:") | (HARMLESS & ~mask_of(text, "\nSigCgt:"));
}

bool tracee_has_pending(pid_t tid, int signal)
{
	char text[STATUS_TEXT_MAX];
	uint64_t pending;

	if (proc_text(tid, "status", text, sizeof(text)) < 0)
		return false;
	/* The name, which is the process's own, is in one line, and has no newlines in it. */
	pending = (mask_of(text, "\nSigPnd:") | mask_of(text, "\nShdPnd:")) &
		  ~mask_of(text, "\nSigBlk:") & ~ignored_of(text);
	return signal ? pending & BIT(signal) : pending != 0;
}

bool tracee_ignores(pid_t tid, int signal)
{
	char text[STATUS_TEXT_MAX];

	return proc_text(tid, "status", text, sizeof(text)) > 0 && ignored_of(text) & BIT(signal);
}

char tracee_state(pid_t tid)
{
	char text[STATUS_TEXT_MAX];
	const char *at;

	if (proc_text(tid, "stat", text, sizeof(text)) < 0)
		return 0;
	/* Behind the name, which may have any bytes in it. */
	at = strrchr(text, ')');
	return (char)(at && at[1] == ' ' ? at[2] : '\0');
}
