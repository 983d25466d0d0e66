/* SPDX-License-Identifier: MIT */
#include "priv/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/file.h"

/*
 * What all of them need: memory, time, signals, the descriptors they have, and what a file is,
 * which glibc before 2.33 and musl ask by the older names of newfstatat(2).
 */
/* clang-format off */
static const int common_calls[] = {
	SCMP_SYS(read),	     SCMP_SYS(write),	      SCMP_SYS(close),	   SCMP_SYS(brk),
	SCMP_SYS(munmap),    SCMP_SYS(mremap),	      SCMP_SYS(madvise),   SCMP_SYS(futex),
	SCMP_SYS(exit),	     SCMP_SYS(exit_group),    SCMP_SYS(getpid),	   SCMP_SYS(gettid),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(restart_syscall), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
	SCMP_SYS(lstat),
};
/* clang-format on */

/* The reader's own: waiting, the output and its end, COMMAND's end, asking the broker. */
/* clang-format off */
static const int reader_calls[] = {
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(lseek),      SCMP_SYS(ftruncate),   SCMP_SYS(fdatasync), SCMP_SYS(wait4),
	SCMP_SYS(timer_settime), SCMP_SYS(pread64),  SCMP_SYS(getdents64), SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),    SCMP_SYS(getrandom),   SCMP_SYS(fstatfs),
};
/* clang-format on */

static int allow(scmp_filter_ctx filter, const int *calls, size_t nr_calls)
{
	for (size_t i = 0; i < nr_calls; i++) {
		int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);

		/* A call that this architecture does not have needs no rule. */
		if (err && err != -EDOM)
			return err;
	}
	return 0;
}

/* Memory may be had, but never made executable. */
static int allow_memory(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Signals of abort(3) to itself; a number that is taken by others later is none of its own. */
static int allow_own_signals(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid()));
}

/* Allows CALL where its argument number ARGUMENT is one of VALUES. */
static int allow_values(scmp_filter_ctx filter, int call, unsigned int argument,
			const uint64_t *values, size_t nr_values)
{
	int err = 0;

	for (size_t i = 0; !err && i < nr_values; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				       SCMP_CMP32(argument, SCMP_CMP_EQ, (uint32_t)values[i]));
	return err;
}

#ifdef __SANITIZE_ADDRESS__
/*
 * What the runtime of the sanitizers calls (compiler-rt, lib/sanitizer_common): for the stacks of
 * threads, for its reports, and at the end, where a thread of its own stops the others by ptrace(2)
 * and looks for leaks. Such a build is for tests alone; those of the filter itself skip there.
 */
static int allow_sanitizers(scmp_filter_ctx filter)
{
	/* clang-format off */
	static const int calls[] = {
		SCMP_SYS(clone),       SCMP_SYS(ptrace),      SCMP_SYS(prctl),
		SCMP_SYS(wait4),       SCMP_SYS(getppid),     SCMP_SYS(sigaltstack),
		SCMP_SYS(mprotect),    SCMP_SYS(open),        SCMP_SYS(openat),
		SCMP_SYS(readlink),    SCMP_SYS(readlinkat),  SCMP_SYS(stat),
		SCMP_SYS(fstat),       SCMP_SYS(newfstatat),  SCMP_SYS(lseek),
		SCMP_SYS(getdents),    SCMP_SYS(getdents64),  SCMP_SYS(sched_yield),
		SCMP_SYS(getrlimit),   SCMP_SYS(prlimit64),   SCMP_SYS(sched_getaffinity),
		SCMP_SYS(gettimeofday), SCMP_SYS(process_vm_readv),
	};
	/* clang-format on */

	return allow(filter, calls, sizeof(calls) / sizeof(calls[0]));
}
#else
static int allow_sanitizers(scmp_filter_ctx filter)
{
	(void)filter;
	return 0;
}
#endif

/* With what MORE adds for USES. Returns 0 or a negative errno. */
static int enter(int (*more)(scmp_filter_ctx filter, unsigned int uses), unsigned int uses)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (!filter)
		return -ENOMEM;
	err = allow(filter, common_calls, sizeof(common_calls) / sizeof(common_calls[0]));
	if (!err)
		err = allow_memory(filter);
	if (!err)
		err = allow_own_signals(filter);
	if (!err)
		err = more(filter, uses);
	if (!err)
		err = allow_sanitizers(filter);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

/* Not F_SETOWN and F_SETSIG, by which a descriptor sends signals to whom it is told (fcntl(2)). */
static int allow_fcntl(scmp_filter_ctx filter)
{
	static const uint64_t commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC };

	return allow_values(filter, SCMP_SYS(fcntl), 1, commands,
			    sizeof(commands) / sizeof(commands[0]));
}

static int reader_rules(scmp_filter_ctx filter, unsigned int uses)
{
	/* Counters of programs it already holds; nothing can be loaded, made or attached. */
	static const uint64_t commands[] = { BPF_OBJ_GET_INFO_BY_FD };
	int err = allow_values(filter, SCMP_SYS(bpf), 0, commands, 1);

	(void)uses;
	if (!err)
		err = allow_fcntl(filter);
	/* To where a socket is connected, not to an address. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1,
				       SCMP_A4(SCMP_CMP_EQ, 0));
	return err ? err
		   : allow(filter, reader_calls, sizeof(reader_calls) / sizeof(reader_calls[0]));
}

/* What the broker opens things with, and how it hands them over. */
/* clang-format off */
static const int broker_calls[] = {
	SCMP_SYS(openat2),  SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),	SCMP_SYS(sendmsg),
	SCMP_SYS(lseek),    SCMP_SYS(getdents64),
	/* Of threads, which let go of probes. */
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
};
/* clang-format on */

/* Threads, and no processes. Of clone3(2) the flags are in memory: glibc then takes the other. */
static int allow_threads(scmp_filter_ctx filter)
{
	int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				   SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

/*
 * Files for reading, as far as a filter sees it: of openat2(2), which is not among these, the flags
 * are in memory.
 */
static int allow_reading(scmp_filter_ctx filter)
{
	const uint64_t changes = FILE_ACCMODE | O_CREAT | O_TRUNC;
	int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, changes, O_RDONLY));

	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, changes, O_RDONLY));
	return err == -EDOM ? 0 : err;
}

/*
 * Events of all processes on one CPU, alone or with the ring of another event: its attributes, in
 * memory, no filter sees.
 */
static int allow_perf_events(scmp_filter_ctx filter)
{
	const uint64_t with_ring =
		PERF_FLAG_FD_CLOEXEC | PERF_FLAG_FD_NO_GROUP | PERF_FLAG_FD_OUTPUT;
	int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(perf_event_open), 3,
				   SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, UINT32_MAX),
				   SCMP_A3(SCMP_CMP_MASKED_EQ, UINT32_MAX, UINT32_MAX),
				   SCMP_A4(SCMP_CMP_EQ, PERF_FLAG_FD_CLOEXEC));

	return err ? err
		   : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(perf_event_open), 2,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, UINT32_MAX),
				      SCMP_A4(SCMP_CMP_EQ, with_ring));
}

/* A ring is open twice, here and there. */
static int allow_rings(scmp_filter_ctx filter)
{
	static const uint64_t commands[] = { F_DUPFD_CLOEXEC };

	return allow_values(filter, SCMP_SYS(fcntl), 1, commands, 1);
}

static int allow_maps(scmp_filter_ctx filter)
{
	static const uint64_t commands[] = { BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM };

	return allow_values(filter, SCMP_SYS(bpf), 0, commands,
			    sizeof(commands) / sizeof(commands[0]));
}

static int broker_rules(scmp_filter_ctx filter, unsigned int uses)
{
	static const uint64_t commands[] = { BPF_LINK_CREATE, BPF_RAW_TRACEPOINT_OPEN };
	int err = allow_values(filter, SCMP_SYS(bpf), 0, commands,
			       sizeof(commands) / sizeof(commands[0]));

	if (!err && uses & (SANDBOX_PROBES | SANDBOX_RINGS))
		err = allow_perf_events(filter);
	if (!err && uses & SANDBOX_RINGS)
		err = allow_rings(filter);
	if (!err && uses & SANDBOX_MAPS)
		err = allow_maps(filter);
	if (!err)
		err = allow_reading(filter);
	if (!err)
		err = allow_threads(filter);
	return err ? err
		   : allow(filter, broker_calls, sizeof(broker_calls) / sizeof(broker_calls[0]));
}

/*
 * The recorder's own: waiting, its maps, telling the keeper, which gets recordings in memory, and
 * ending the processes that it recorded. What it reads are the programs that were run.
 */
/* clang-format off */
static const int recorder_calls[] = {
	SCMP_SYS(poll),	   SCMP_SYS(ppoll),
	SCMP_SYS(lseek),   SCMP_SYS(pread64),	 SCMP_SYS(readlink),	 SCMP_SYS(readlinkat),
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),	 SCMP_SYS(memfd_create), SCMP_SYS(wait4),
	SCMP_SYS(ftruncate), SCMP_SYS(fdatasync), SCMP_SYS(timer_settime), SCMP_SYS(getrandom),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(access),	 SCMP_SYS(faccessat),	 SCMP_SYS(faccessat2),
	SCMP_SYS(getcwd),
};
/* clang-format on */

static int recorder_rules(scmp_filter_ctx filter, unsigned int uses)
{
	static const uint64_t commands[] = {
		BPF_MAP_LOOKUP_ELEM,	BPF_MAP_UPDATE_ELEM,  BPF_MAP_DELETE_ELEM,
		BPF_MAP_GET_NEXT_KEY,	BPF_MAP_LOOKUP_BATCH, BPF_ITER_CREATE,
		BPF_OBJ_GET_INFO_BY_FD,
	};
	int err = allow_values(filter, SCMP_SYS(bpf), 0, commands,
			       sizeof(commands) / sizeof(commands[0]));

	(void)uses;
	if (!err)
		err = allow_fcntl(filter);
	if (!err)
		err = allow_reading(filter);
	return err ? err
		   : allow(filter, recorder_calls,
			   sizeof(recorder_calls) / sizeof(recorder_calls[0]));
}

/*
 * The parser's own: asking for files, reading them, writing the output. Where a file is it may ask
 * as `nobody`, for the libraries that a program needs.
 */
/* clang-format off */
static const int parser_calls[] = {
	SCMP_SYS(poll),	     SCMP_SYS(ppoll),
	SCMP_SYS(lseek),     SCMP_SYS(pread64),	   SCMP_SYS(pwrite64),	SCMP_SYS(ftruncate),
	SCMP_SYS(fdatasync), SCMP_SYS(sendmsg),	   SCMP_SYS(recvmsg),	SCMP_SYS(getrandom),
	SCMP_SYS(fgetxattr), SCMP_SYS(access),	   SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),  SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
};
/* clang-format on */

static int parser_rules(scmp_filter_ctx filter, unsigned int uses)
{
	int err = allow_fcntl(filter);

	(void)uses;
	return err ? err
		   : allow(filter, parser_calls, sizeof(parser_calls) / sizeof(parser_calls[0]));
}

int sandbox_enter_parser(void)
{
	return enter(parser_rules, 0);
}

int sandbox_enter_recorder(void)
{
	return enter(recorder_rules, 0);
}

int sandbox_enter_reader(void)
{
	return enter(reader_rules, 0);
}

int sandbox_enter_broker(unsigned int uses)
{
	return enter(broker_rules, uses);
}
