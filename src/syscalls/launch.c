/* SPDX-License-Identifier: MIT */
#include "syscalls/launch_private.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/spawn.h"
#include "syscalls/filter.h"
#include "syscalls/tracee.h"

static const int passed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

#define NR_PASSED (sizeof(passed) / sizeof(passed[0]))

/* What the child that becomes COMMAND shares with this process. */
struct start {
	int err; /* why it did not */
	bool has_filter;
};

static struct start *start;
static volatile sig_atomic_t receiver;
static volatile sig_atomic_t unsent;
static sigset_t old_mask;
static struct sigaction old_actions[NR_PASSED];
static struct sigaction old_child;

static void on_signal(int number, siginfo_t *info, void *context)
{
	int err = errno;

	(void)context;
	/* A terminal sends it to its whole foreground group: COMMAND has it already. */
	if (info->si_code == SI_KERNEL)
		return;
	if (receiver)
		kill(receiver, number);
	else
		unsent = number;
	errno = err;
}

void launch_pass_to(pid_t pid)
{
	receiver = pid;
}

int launch_signal(void)
{
	int number = unsent;

	unsent = 0;
	return number;
}

/* They wait until there is somebody to pass them to. */
static void hold_signals(void)
{
	struct sigaction child = { .sa_handler = SIG_DFL };
	sigset_t held;

	/* Ignored, which whoever started this may have left, children end unseen. */
	sigaction(SIGCHLD, &child, &old_child);

	sigemptyset(&held);
	for (size_t i = 0; i < NR_PASSED; i++) {
		sigaddset(&held, passed[i]);
		sigaction(passed[i], NULL, &old_actions[i]);
	}
	sigprocmask(SIG_BLOCK, &held, &old_mask);
}

void launch_pass_signals(pid_t pid)
{
	const struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	sigset_t mask = old_mask;

	launch_pass_to(pid);
	/* What is ignored stays so: COMMAND ignores it, too. */
	for (size_t i = 0; i < NR_PASSED; i++) {
		if (old_actions[i].sa_handler != SIG_IGN)
			sigaction(passed[i], &action, NULL);
		sigdelset(&mask, passed[i]);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void restore_signals(void)
{
	for (size_t i = 0; i < NR_PASSED; i++)
		sigaction(passed[i], &old_actions[i], NULL);
	sigaction(SIGCHLD, &old_child, NULL);
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
}

int launch_prepare(void *ctx)
{
	const struct launch_config *config = ctx;
	const struct sock_fprog *filter = &config->phases[0].filter;
	int err;

	restore_signals();
	if (config->sets_nnp && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	err = filter_install(filter->filter, filter->len, config->flags);
	start->has_filter = !err;
	return err;
}

/* In the child: becomes COMMAND, or leaves word why not: the filter may refuse to write one. */
static void __attribute__((noreturn)) child_main(const struct launch_config *config)
{
	start->err = launch_prepare((void *)(uintptr_t)config);
	if (!start->err) {
		execvp(config->command[0], config->command);
		start->err = -errno;
	}
	_exit(spawn_failed(start->err));
}

int launch_wait(pid_t pid, int *ret_status)
{
	siginfo_t info;

	/* Its number stays its own until nothing is passed on to it any more. */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
		if (errno != EINTR)
			return -errno;
	launch_pass_to(0);
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int run_single(const struct launch_config *config, struct launch_result *ret)
{
	pid_t pid = fork();
	int err;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_main(config);
	ret->pid = pid;
	launch_pass_signals(pid);
	err = launch_wait(pid, &ret->status);
	/* What the memory says is this program's own only if it ended as it does then. */
	return !err && WIFEXITED(ret->status) ? start->err : err;
}

int launch_run(const struct launch_config *config, struct launch_result *ret)
{
	int err;

	*ret = (struct launch_result){ 0 };
	start = mmap(NULL, sizeof(*start), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (start == MAP_FAILED)
		return -errno;
	*start = (struct start){ 0 };
	launch_pass_to(0);
	launch_signal();
	hold_signals();
	err = config->nr_phases == 1 ? run_single(config, ret) : launch_run_phases(config, ret);
	restore_signals();
	ret->has_filter = start->has_filter;
	munmap(start, sizeof(*start));
	return err;
}
