/* SPDX-License-Identifier: MIT */
#include "check/syscalls.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/verdict.h"
#include "lib/cleanup.h"
#include "syscalls/engine.h"
#include "syscalls/filter.h"
#include "syscalls/notify.h"
#include "syscalls/policy.h"
#include "syscalls/record_object.h"
#include "syscalls/tracee.h"

/* Much longer than a trial takes: one that hangs is not to hang the rest. */
#define TRIAL_MS 20000
/* How often it is looked whether a verified child has ended. */
#define VERIFY_POLL_MS 5

static int on_told(void *ctx, void *bytes, size_t size)
{
	(void)ctx;
	(void)bytes;
	(void)size;
	return 0;
}

static int try_record_bpf(void)
{
	static struct record_object object;
	static const struct points no_points;
	const struct record_setup setup = { .points = &no_points, .on_told = on_told };
	int err = engine_bpf.probe();

	if (err)
		return err;
	err = record_object_open(&object, &setup);
	record_object_close(&object);
	return err;
}

static int try_record_ptrace(void)
{
	return engine_ptrace.probe();
}

/* A filter that allows everything, as the first one of a COMMAND is installed. */
static int try_run(void)
{
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	return filter_install(&allow, 1, 0);
}

/* The child of a verification: what its filter does not allow is answered by its parent. */
static void __attribute__((noreturn)) verified_main(struct notify *notify, pid_t parent)
{
	struct timespec interval;
	int err = 0;

	/* Who has the listener itself waits for an answer for ever. */
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL) < 0)
		err = -errno;
	if (getppid() != parent)
		err = -ESRCH;
	if (!err)
		err = notify_prepare(notify);
	if (!err && syscall(SYS_sched_rr_get_interval, 0, &interval) < 0)
		err = -errno;
	_exit(-err);
}

/* Waits for CHILD, which is ended where nobody answers it any more. Returns 0 or a negative errno.
 */
static int wait_verified(const struct notify *notify, pid_t child, int *ret_status)
{
	struct pollfd over = { .fd = notify_over(notify), .events = POLLIN };
	pid_t ended;

	while ((ended = waitpid(child, ret_status, over.fd < 0 ? 0 : WNOHANG)) != child) {
		if (ended < 0 && errno != EINTR)
			return -errno;
		if (ended == 0 && poll(&over, 1, VERIFY_POLL_MS) > 0) {
			kill(child, SIGKILL);
			over.fd = -1;
		}
	}
	return 0;
}

/* What verify does, with a child that makes one call instead of becoming a program. */
static int verify(struct notify *notify)
{
	pid_t parent = getpid();
	pid_t child;
	int status;
	int err = notify_start(notify);

	if (err)
		return err;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		verified_main(notify, parent);
	err = wait_verified(notify, child, &status);
	if (err)
		return err;
	err = notify_stop(notify);
	if (err)
		return err;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

static int try_verify(void)
{
	const struct policy_config config = { .action = POLICY_ERRNO, .is_exact = true };
	struct recording *recording = NULL;
	struct refusals refusals = { 0 };
	struct notify_config notified = { .refusals = &refusals };
	struct policy *policy = NULL;
	struct notify *notify = NULL;
	int err = recording_new(&recording);

	if (!err)
		err = policy_make(recording, &config, &policy);
	notified.policy = policy;
	if (!err)
		err = notify_new(&notify, &notified);
	if (!err)
		err = verify(notify);
	/* The process ends, and all of this with it. */
	return err;
}

/*
 * The result of TRY, 0 or a negative errno, in a process of its own, which may put itself under
 * filters and give up what it likes.
 */
static int in_child(int (*try)(void))
{
	_cleanup_(cleanup_fd) int pidfd = -1;
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL);
		_exit(-try());
	}
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	if (pidfd >= 0) {
		struct pollfd end = { .fd = pidfd, .events = POLLIN };

		if (poll(&end, 1, TRIAL_MS) == 0)
			kill(child, SIGKILL);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ETIMEDOUT;
}

static bool is_refusal(int err)
{
	return err == -EPERM || err == -EACCES;
}

/* FEATURE is done by HOOK, or by ERR was not to be had: CALL was refused, or is not there. */
static void judge(struct check *check, struct check_feature *feature, const char *hook, int err,
		  const char *call)
{
	char why[128];

	if (!err) {
		verdict_works(&feature->verdict);
		feature->hook = hook;
		return;
	}
	if (is_refusal(err) || (err == -ENOSYS && check->host.has_filter)) {
		verdict_refused(&feature->verdict, CHECK_UNAVAILABLE, &check->host, 0, call, err);
		return;
	}
	snprintf(why, sizeof(why), "%s: %s", call, strerror(-err));
	verdict_add(&feature->verdict, CHECK_UNAVAILABLE, CHECK_KERNEL, why,
		    verdict_kernel_remedy(false), NULL);
}

static void judge_record_bpf(struct check *check, int err)
{
	struct check_feature *feature = &check->all[CHECK_FEATURE_syscalls_record_bpf];
	uint64_t takes = CHECK_CAP(CAP_BPF) | CHECK_CAP(CAP_PERFMON);

	/* The engine says no more than that it is not to be had. */
	if (err == -ENOSYS && !check->host.has_btf)
		verdict_add(&feature->verdict, CHECK_UNAVAILABLE, CHECK_KERNEL,
			    "loading its programs: no type information (BTF)",
			    verdict_kernel_remedy(true), NULL);
	else if (is_refusal(err))
		verdict_refused(&feature->verdict, CHECK_UNAVAILABLE, &check->host, takes, "bpf(2)",
				err);
	else
		judge(check, feature, "tp_btf/sys_enter", err, "loading its programs");
}

static void judge_run(struct check *check, int run_err, int ptrace_err)
{
	struct check_feature *feature = &check->all[CHECK_FEATURE_syscalls_run];

	judge(check, feature, "seccomp(2)", run_err, "seccomp(2)");
	if (!run_err && ptrace_err)
		verdict_add(&feature->verdict, CHECK_LIMITED, CHECK_ENVIRONMENT,
			    "policies of several phases need ptrace(2), which does not work",
			    "use policies of one phase, or let the program install its filters: "
			    "syscalls patch",
			    NULL);
}

static void judge_patch(struct check *check)
{
	struct check_feature *feature = &check->all[CHECK_FEATURE_syscalls_patch];

	verdict_works(&feature->verdict);
	feature->hook = "ELF, x86-64";
#ifndef __x86_64__
	verdict_add(&feature->verdict, CHECK_LIMITED, CHECK_KERNEL,
		    "only programs for x86-64 can be patched", "use syscalls run", NULL);
#endif
}

void check_syscalls(struct check *check)
{
	int ptrace_err = in_child(try_record_ptrace);

	judge_record_bpf(check, in_child(try_record_bpf));
	judge(check, &check->all[CHECK_FEATURE_syscalls_record_ptrace], "ptrace(2)", ptrace_err,
	      "ptrace(2)");
	judge_run(check, in_child(try_run), ptrace_err);
	judge(check, &check->all[CHECK_FEATURE_syscalls_verify], "seccomp_unotify(2)",
	      in_child(try_verify), "seccomp_unotify(2)");
	judge_patch(check);
}
