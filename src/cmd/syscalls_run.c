/* SPDX-License-Identifier: MIT */
/* `syscalls run`: COMMAND, and the filters of its policy. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/policies.h"
#include "lib/cleanup.h"
#include "lib/exit_status.h"
#include "lib/log.h"
#include "syscalls/executable.h"
#include "syscalls/filter.h"
#include "syscalls/launch.h"
#include "syscalls/phrases.h"
#include "syscalls/kill_log.h"
#include "syscalls/tracee.h"

#define USE_VERIFY "Solution: `crypto-tracer syscalls verify` lists every call that is refused."

struct runner {
	const struct options *options;
	struct policy *policy;
	struct executable program;
	struct points points;
	struct launch_phase phases[LAUNCH_PHASES_MAX];
	struct launch_config config;
	int log; /* of the kernel; -1: it may not be read */
};

static int report_usage(const char *what)
{
	error_report(what, NULL, "Try: crypto-tracer syscalls run --help", NULL);
	return EXIT_USAGE;
}

static int read_policy(struct runner *runner)
{
	const struct options *options = runner->options;
	int status = policies_read(options, &runner->policy);

	if (status)
		return status;
	if (runner->policy->action == POLICY_NOTIFY)
		return policies_refuse(options,
				       "Its action is notify, and nobody is there to answer.",
				       "Solution: use `crypto-tracer syscalls verify`, or give "
				       "another --action.");
	if (runner->policy->native != syscall_arch_native())
		return policies_refuse(options,
				       "It is for another architecture than this machine's.",
				       "Solution: record the command on this one.");
	return 0;
}

/* Whether TEXT is FILE:0xOFFSET: it says nothing in another version of the file. */
static bool is_offset(const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon && colon[1] == '0' && (colon[2] | 0x20) == 'x';
}

/* Whether the program is the one that was recorded. */
static int check_program(const struct runner *runner)
{
	const struct policy *policy = runner->policy;
	_cleanup_(cleanup_fd) int fd = open(runner->program.path, O_RDONLY | O_CLOEXEC);
	char quoted[LOG_QUOTE_SIZE];

	if (fd < 0 || policy_is_of(policy, fd) != 0)
		return 0;
	for (size_t i = 0; i < runner->points.nr; i++)
		if (runner->points.list[i].kind == POINT_CODE &&
		    is_offset(runner->points.list[i].text) &&
		    strcmp(runner->points.list[i].path, runner->program.path) == 0)
			return policies_refuse(
				runner->options,
				"It was made for another version of this program, and "
				"has a point at an offset in it.",
				"Solution: record the program as it is now, and make "
				"a policy of that.");
	log_warn("the policy was made for another program than '%s', or for another version of it",
		 log_quote(quoted, runner->program.path));
	return 0;
}

static int add_points(struct runner *runner)
{
	char what[POINT_WHAT_SIZE], quoted[LOG_QUOTE_SIZE],
		why[POINT_WHAT_SIZE + LOG_QUOTE_SIZE + 64];

	for (size_t i = 1; i < runner->policy->nr_phases; i++) {
		const char *text = runner->policy->phases[i].point;

		if (!points_add(&runner->points, text, runner->program.path, what))
			continue;
		snprintf(why, sizeof(why), "Phase %zu begins at '%s': %s.", i,
			 log_quote(quoted, text), what);
		return policies_refuse(runner->options, why,
				       "Solution: record the program as it is now.");
	}
	return check_program(runner);
}

static bool allows(const struct policy *policy, size_t phase, const char *name)
{
	int nr = syscall_number(policy->native, name);

	return nr >= 0 && policy_allows(policy, phase, policy->native, (uint32_t)nr) &&
	       !policy_has_rule(policy, policy->native, (uint32_t)nr);
}

/* Whether this process has CAP_SYS_ADMIN, with which filters go without no_new_privs. */
static bool is_admin(void)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t own = cap_get_proc();

	if (own) {
		cap_get_flag(own, CAP_SYS_ADMIN, CAP_EFFECTIVE, &value);
		cap_free(own);
	}
	return value == CAP_SET;
}

/* What several phases take: ptrace(2), and filters that let the next one be installed. */
static int prepare_phases(struct runner *runner, bool *ret_installs)
{
	int err = tracee_probe();

	*ret_installs = false;
	if (err) {
		error_report("A policy with several phases cannot be run here",
			     "Following a program to its points takes ptrace(2), which this user "
			     "may not use here.",
			     "Solution: run it as root, or make a policy with one phase.", NULL);
		return err == -ENOSYS ? EXIT_KERNEL : EXIT_PRIVILEGES;
	}
	runner->config.suspends = tracee_probe_suspend() == 0;
	if (runner->config.suspends)
		return 0;
	*ret_installs = true;
	for (size_t i = 0; i + 1 < runner->policy->nr_phases; i++)
		if (!allows(runner->policy, i, "seccomp")) {
			log_warn(
				"all phases but the last one also allow seccomp(2), with which the "
				"next one is installed: root needs no such thing");
			break;
		}
	return 0;
}

static int compile(struct runner *runner, bool installs_itself)
{
	const struct filter_config config = { .action = -1, .installs_itself = installs_itself };
	const struct policy *policy = runner->policy;
	static struct sock_filter code[FILTER_MAX];

	for (size_t i = 0; i < policy->nr_phases; i++) {
		struct launch_phase *phase = &runner->phases[i];
		int nr = filter_compile(policy, i, &config, code);

		if (nr < 0)
			return report_error("cannot make a filter of the policy", nr);
		phase->filter.filter = malloc((size_t)nr * sizeof(*code));
		if (!phase->filter.filter)
			return report_error("cannot make a filter of the policy", -ENOMEM);
		memcpy(phase->filter.filter, code, (size_t)nr * sizeof(*code));
		phase->filter.len = (unsigned short)nr;
		phase->allows_memory = allows(policy, i, "mmap") && allows(policy, i, "munmap");
		phase->allows_prctl = allows(policy, i, "prctl");
	}
	return 0;
}

static void tell(void *ctx, const char *sentence)
{
	(void)ctx;
	error_report(sentence, "The process is ended: it does not go on with fewer limits.", NULL,
		     NULL);
}

/* Everything before COMMAND. Returns 0 or an exit status, having said why. */
static int prepare(struct runner *runner)
{
	const struct options *options = runner->options;
	bool installs_itself = false;
	int status = read_policy(runner);
	int err;

	if (status)
		return status;
	err = executable_find(options->command[0], &runner->program);
	if (err)
		return report_command(options->command[0], err);
	status = add_points(runner);
	if (!status && options->syscalls.no_nnp && !is_admin()) {
		error_report("Without no_new_privs a filter takes CAP_SYS_ADMIN",
			     "This process does not have it.",
			     "Solution: run it as root, or without --no-nnp.", NULL);
		return EXIT_PRIVILEGES;
	}
	if (!status && runner->policy->nr_phases > 1)
		status = prepare_phases(runner, &installs_itself);
	return status ? status : compile(runner, installs_itself);
}

/* COMMAND was killed by a filter. */
static void report_killed(const struct runner *runner, pid_t pid)
{
	char phrase[PHRASE_SIZE], what[PHRASE_SIZE + 128];
	struct killed_call call;

	if (runner->log >= 0 && kill_log_find(runner->log, pid, &call))
		snprintf(what, sizeof(what),
			 "COMMAND was killed: it called %s, which the policy does not allow",
			 phrase_call(phrase, call.arch, call.nr));
	else
		snprintf(what, sizeof(what),
			 "COMMAND was killed by SIGSYS: it made a call that the policy does not "
			 "allow");
	error_report(what, NULL, USE_VERIFY, NULL);
}

/* Points that nobody came to: what is behind them was never in force. */
static void report_points(const struct runner *runner, const struct launch_result *result)
{
	char quoted[LOG_QUOTE_SIZE];

	for (size_t i = 0; i < runner->points.nr; i++)
		if (!result->hits[i])
			log_warn("no process came to '%s': the limits of phase %zu were not in "
				 "force",
				 log_quote(quoted, runner->points.list[i].text), i + 1);
}

/* Why COMMAND was not executed. Returns the exit status. */
static int report_start(const struct runner *runner, const struct launch_result *result, int err)
{
	char quoted[LOG_QUOTE_SIZE], what[LOG_QUOTE_SIZE + 64];

	if (!result->has_filter)
		return report_error("cannot install the filter", err);
	if (err == -ENOENT || err == -EACCES || err == -ENOEXEC)
		return report_command(runner->options->command[0], err);
	snprintf(what, sizeof(what), "Cannot execute '%s'",
		 log_quote(quoted, runner->options->command[0]));
	error_report(what, strerror(-err),
		     allows(runner->policy, 0, "execve") ? NULL
							 : "The policy does not allow execve(2).",
		     NULL);
	return 126;
}

static int launch(struct runner *runner)
{
	struct launch_result result;
	int err = launch_run(&runner->config, &result);

	if (err)
		return report_start(runner, &result, err);
	if (WIFSIGNALED(result.status) && WTERMSIG(result.status) == SIGSYS)
		report_killed(runner, result.pid);
	report_points(runner, &result);
	if (result.status == 0 && result.has_failed)
		return EXIT_ERROR;
	return exit_status(result.status);
}

static int run_run(const struct options *options)
{
	struct runner runner = { .options = options, .log = -1 };
	int status;

	if (!options->command)
		return report_usage("there is nothing to run: give COMMAND after --");
	if (!options->syscalls.policy)
		return report_usage("there is no policy: --policy FILE");
	status = prepare(&runner);
	if (!status) {
		runner.config.command = options->command;
		runner.config.points = &runner.points;
		runner.config.phases = runner.phases;
		runner.config.nr_phases = runner.policy->nr_phases;
		runner.config.sets_nnp = !options->syscalls.no_nnp;
		runner.config.tell = tell;
		runner.log = kill_log_open();
		status = launch(&runner);
	}
	cleanup_fd(&runner.log);
	for (size_t i = 0; i < LAUNCH_PHASES_MAX; i++)
		free(runner.phases[i].filter.filter);
	points_free(&runner.points);
	policy_free(runner.policy);
	return status;
}

const struct command syscalls_run_command = {
	.name = "syscalls run",
	.help = "run a command under a policy",
	.synopsis = "--policy FILE [OPTIONS] -- COMMAND [ARG...]",
	.details = "Executes COMMAND under the filter of the policy's first phase. Where there\n"
		   "are more, COMMAND and its children are followed to each point, where the\n"
		   "next filter is added, and let go in their last phase. The exit status is\n"
		   "COMMAND's, or 128 and the signal that killed it. INT, TERM, HUP and QUIT\n"
		   "are passed on to it.\n",
	.examples = "crypto-tracer syscalls run --policy ls.policy -- ls -l\n"
		    "crypto-tracer syscalls run --policy redis.policy --action kill \\\n"
		    "    -- redis-server\n",
	.tables = { &syscalls_run_options, &general_options },
	.takes_command = true,
	.run = run_run,
};
