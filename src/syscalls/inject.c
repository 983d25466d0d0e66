/* SPDX-License-Identifier: MIT */
#include "syscalls/inject.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "proc/maps.h"

/* More than any vDSO has; and what of other code is looked at. */
#define VDSO_SIZE 16384
#define CODE_MAX  (4U << 20)

#define PIECE	  4096

/* Looks for the instruction in SIZE bytes at ADDRESS. Returns where it is, or 0. */
static uint64_t search(const struct injection *injection, uint64_t address, uint64_t size)
{
	uint8_t piece[PIECE];

	for (uint64_t at = 0; at + PIECE <= size; at += PIECE) {
		const uint8_t *found;

		if (tracee_read(injection->tid, address + at, piece, sizeof(piece)) < 0)
			return 0;
		found = memmem(piece, sizeof(piece), injection->abi.insn, injection->abi.insn_size);
		if (found)
			return address + at + (uint64_t)(found - piece);
	}
	return 0;
}

/* The address of the vDSO, or 0; auxv is a list of pairs of words. */
static uint64_t vdso_of(const struct injection *injection)
{
	_cleanup_(cleanup_fd) int fd = -1;
	uint8_t bytes[1024];
	char path[64];
	size_t word = injection->abi.word_size;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/auxv", injection->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	for (size_t at = 0; size > 0 && at + 2 * word <= (size_t)size; at += 2 * word) {
		uint64_t type = 0;
		uint64_t value = 0;

		/* Little endian, as both machines are. */
		memcpy(&type, bytes + at, word);
		memcpy(&value, bytes + at + word, word);
		if (type == AT_SYSINFO_EHDR)
			return value;
	}
	return 0;
}

static int search_map(void *ctx, const struct map *map)
{
	struct injection *injection = ctx;
	uint64_t size = map->end - map->start;

	if (!map->is_executable || !map->is_readable)
		return 0;
	injection->insn = search(injection, map->start, size < CODE_MAX ? size : CODE_MAX);
	return injection->insn != 0;
}

/* Finds an instruction that makes a call. Returns 0 or -ENOENT. */
static int find_insn(struct injection *injection)
{
	uint64_t vdso = vdso_of(injection);

	if (vdso)
		injection->insn = search(injection, vdso, VDSO_SIZE);
	if (injection->insn)
		return 0;
	maps_each_of(injection->tid, search_map, injection);
	return injection->insn ? 0 : -ENOENT;
}

int inject_begin(struct injection *injection, pid_t tid, const struct tracee_call *entry)
{
	int err;

	*injection = (struct injection){ .tid = tid, .is_at_entry = entry != NULL };
	err = tracee_regs_get(tid, &injection->before);
	if (err)
		return err;
	tracee_regs_abi(&injection->before, &injection->abi);
	/* A call through another door, `int $0x80` in 64-bit code: what replaced it would be too.
	 */
	if (entry && entry->arch != injection->abi.arch)
		return -EAGAIN;
	injection->after = injection->before;
	if (entry)
		tracee_regs_again(&injection->after);
	err = find_insn(injection);
	if (!err)
		err = tracee_signal_mask(tid, &injection->mask);
	if (!err)
		err = tracee_set_signal_mask(tid, ~0ULL);
	return err;
}

/* Waits for the next stop. Its end is left for whoever waits for all: -ESRCH. */
static int await(struct injection *injection, int *ret_status)
{
	siginfo_t info = { 0 };
	int status;

	while (waitid(P_PID, (id_t)injection->tid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL) <
	       0)
		if (errno != EINTR)
			return -ESRCH;
	/* Another thread that executes a program takes its number, and its place. */
	if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
	    info.si_code == CLD_DUMPED || info.si_status >> 8 == PTRACE_EVENT_EXEC)
		return -ESRCH;
	if (waitpid(injection->tid, &status, __WALL) != injection->tid)
		return -ESRCH;
	*ret_status = status;
	return 0;
}

/* Lets it go on to the next stop that is one of its call: 0, or a negative errno. */
static int to_call(struct injection *injection)
{
	int status;
	int err;

	for (;;) {
		err = tracee_resume(injection->tid, TRACEE_CALLS, 0);
		if (!err)
			err = await(injection, &status);
		if (err)
			return err;
		if (status >> 16 == 0 && WSTOPSIG(status) == (SIGTRAP | 0x80))
			return 0;
		if (status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP)
			injection->stops = true;
		else if (status >> 16 != PTRACE_EVENT_STOP)
			return -EFAULT;
	}
}

int inject_call(struct injection *injection, uint32_t nr, const uint64_t args[static 6],
		int64_t *ret_result)
{
	struct tracee_regs regs = injection->before;
	bool is_first = injection->is_at_entry && !injection->has_run;
	struct tracee_call call;
	int err;

	if (is_first)
		tracee_regs_replace(&regs, nr, args);
	else
		tracee_regs_call(&regs, injection->insn, nr, args);
	err = tracee_regs_put(injection->tid, &regs);
	injection->has_run = true;
	if (!err && !is_first)
		err = to_call(injection);
	if (!err)
		err = to_call(injection);
	if (!err)
		err = tracee_call_get(injection->tid, &call);
	if (err)
		return err;
	if (call.moment != TRACEE_EXIT)
		return -EFAULT;
	*ret_result = call.result;
	return 0;
}

/* Takes it to a PTRACE_EVENT_STOP and puts its registers back there. */
static int put_back(struct injection *injection, int *ret_signal)
{
	int status = 0;
	int err = tracee_interrupt(injection->tid);

	while (!err && status >> 16 != PTRACE_EVENT_STOP) {
		if (status && status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP)
			injection->stops = true;
		err = tracee_resume(injection->tid, TRACEE_CONTINUE, 0);
		if (!err)
			err = await(injection, &status);
	}
	if (err)
		return err;
	*ret_signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
	return tracee_regs_put(injection->tid, &injection->after);
}

int inject_end(struct injection *injection, pid_t process, int *ret_signal)
{
	int err = 0;

	*ret_signal = -1;
	if (injection->has_run)
		err = put_back(injection, ret_signal);
	if (!err)
		err = tracee_set_signal_mask(injection->tid, injection->mask);
	if (injection->stops)
		syscall(SYS_tgkill, process, injection->tid, SIGSTOP);
	return err;
}
