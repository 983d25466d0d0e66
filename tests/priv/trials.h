/* SPDX-License-Identifier: MIT */
#ifndef PRIV_TRIALS_H
#define PRIV_TRIALS_H

/* What a process that is confined still can do: it tries. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void *answer_thread(void *ctx)
{
	*(int *)ctx = 17;
	return NULL;
}

static inline int thread_works(void)
{
	pthread_t thread;
	int answer = 0;
	int err = pthread_create(&thread, NULL, answer_thread, &answer);

	if (err)
		return err;
	pthread_join(thread, NULL);
	return answer == 17 ? 0 : -1;
}

static inline int error_of(long result)
{
	return result < 0 ? errno : 0;
}

/* System calls that are tried. */
enum trial {
	TRIAL_thread,
	TRIAL_fork,
	TRIAL_vfork,
	TRIAL_clone3,
	TRIAL_exec,
	TRIAL_socket,
	TRIAL_write,
	TRIAL_code,
	TRIAL_ptrace,
	TRIAL_kill,
	TRIAL_load,
	TRIAL_perf,
	TRIAL_perf_process,
	TRIAL_perf_group,
	NR_TRIALS,
};

/* Tries them; ERRORS, NR_TRIALS of them, tells the errno of each, 0 where it worked. */
static inline void trials_run(int *errors)
{
	/* Of no such type, but asked for as the broker does. */
	struct perf_event_attr attr = { .type = UINT32_MAX };
	char *const argv[] = { (char *)"/bin/true", NULL };

	errors[TRIAL_thread] = thread_works();
	/* As fork(2) does, without the C library's own; what is made by mistake ends at once. */
#define FORK(flags)                                                                                \
	({                                                                                         \
		long pid_ = syscall(SYS_clone, (flags) | SIGCHLD, 0, 0, 0, 0);                     \
		if (pid_ == 0)                                                                     \
			syscall(SYS_exit_group, 0);                                                \
		error_of(pid_);                                                                    \
	})
	errors[TRIAL_fork] = FORK(0);
	errors[TRIAL_vfork] = FORK(CLONE_VFORK);
#undef FORK
	errors[TRIAL_clone3] = error_of(syscall(SYS_clone3, NULL, 0));
	errors[TRIAL_socket] = error_of(socket(AF_INET, SOCK_STREAM, 0));
	errors[TRIAL_write] = error_of(open("/dev/null", O_WRONLY));
	errors[TRIAL_code] = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0) == MAP_FAILED
				     ? errno
				     : 0;
	errors[TRIAL_ptrace] = error_of(ptrace(PTRACE_ATTACH, getpid(), 0, 0));
	errors[TRIAL_kill] = error_of(kill(getpid(), 0));
	errors[TRIAL_load] = error_of(syscall(SYS_bpf, 5 /* BPF_PROG_LOAD */, NULL, 0));
#define PERF(pid, cpu, group, flags)                                                               \
	error_of(syscall(SYS_perf_event_open, &attr, (pid), (cpu), (group), (flags)))
	errors[TRIAL_perf] = PERF(-1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	errors[TRIAL_perf_process] = PERF(0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	errors[TRIAL_perf_group] = PERF(-1, 0, 0, PERF_FLAG_FD_CLOEXEC);
#undef PERF
	errors[TRIAL_exec] = error_of(execve(argv[0], argv, NULL));
}

#endif /* PRIV_TRIALS_H */
