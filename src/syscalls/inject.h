/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_INJECT_H
#define SYSCALLS_INJECT_H

/*
 * System calls that a stopped thread is made to make. It executes an instruction for them that is
 * in its memory already, in the vDSO as a rule: nothing is written over code that other threads may
 * be running. All signals wait meanwhile, and what the thread was at, a call that was interrupted
 * included, goes on afterwards as if nothing had been: its registers are put back in a stop on the
 * kernel's way out, before signals are looked after and calls restarted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/tracee.h"

struct injection {
	pid_t tid;
	struct tracee_abi abi;
	struct tracee_regs before; /* as it was */
	/* Private. */
	struct tracee_regs after; /* as it is to be: the call that it was entering begins again */
	uint64_t mask;
	uint64_t insn;
	bool is_at_entry; /* of a call of its own, in place of which the first one is made */
	bool has_run;
	bool stops; /* SIGSTOP came, to be sent again */
};

/*
 * Begins with thread TID, which is in a stop: at the entry of a call of its own (ENTRY, from
 * tracee_call_get(), else NULL), at the end of one, for a signal that it is not given, or in a
 * PTRACE_EVENT_STOP. Returns 0; -EAGAIN: not in this stop; -ESRCH; -ENOENT: it has no code that
 * makes calls.
 */
int inject_begin(struct injection *injection, pid_t tid, const struct tracee_call *entry);

/* Makes the call NR of abi.arch. Returns 0 with what the kernel said, or -ESRCH, -EFAULT. */
int inject_call(struct injection *injection, uint32_t nr, const uint64_t args[static 6],
		int64_t *ret_result);

/*
 * Puts all back. The thread is then in a PTRACE_EVENT_STOP, and *RET_SIGNAL is the signal that its
 * process is stopped by, 0 for none; or, where no call was made, where it was, and that is -1.
 */
int inject_end(struct injection *injection, pid_t process, int *ret_signal);

#endif /* SYSCALLS_INJECT_H */
