/* SPDX-License-Identifier: MIT */
/* `syscalls verify`: what a policy refuses of a run, all of it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/policies.h"
#include "cmd/recordings.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/exit_status.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/stop.h"
#include "syscalls/drive.h"
#include "syscalls/executable.h"
#include "syscalls/front.h"
#include "syscalls/keeper.h"
#include "syscalls/ready.h"
#include "syscalls/verify.h"
#include "syscalls/waiting.h"

/* A run, from its policy to what is said of it. */
struct verification {
	const struct options *options;
	struct policy *policy;
	struct points points;
	struct executable program;
	struct policy_notes notes;
	struct verify_result result;
	/* --drive */
	struct keeper keeper;
	char *drive_text;
	char *drive_words[DRIVE_WORDS_MAX + 1];
	struct drive drive;
	struct ready ready;
	uint64_t began_ns;
	bool was_overdue;      /* COMMAND did not end when its driver had */
	bool is_in_background; /* it ended before it could be driven, and left processes */
};

static int report_usage(const char *what)
{
	error_report(what, NULL, "Try: crypto-tracer syscalls verify --help", NULL);
	return EXIT_USAGE;
}

/* Finds the program; that it is another than the policy's is to be known. Returns 0 or an exit
 * status. */
static int find_program(struct verification *verification)
{
	const char *name = verification->options->command[0];
	_cleanup_(cleanup_fd) int fd = -1;
	int err = executable_find(name, &verification->program);

	if (err)
		return report_command(name, err);
	fd = open(verification->program.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && policy_is_of(verification->policy, fd) == 0)
		policy_note(&verification->notes,
			    "'%s' is not the program that the policy was made for",
			    verification->program.path);
	return 0;
}

static void note_policy(struct verification *verification)
{
	const struct policy *policy = verification->policy;

	if (policy->action == POLICY_KILL)
		policy_note(&verification->notes,
			    "under the policy itself the first refused call kills: it got an error "
			    "here, so that the others are seen");
	else if (policy->action == POLICY_LOG)
		policy_note(&verification->notes,
			    "the policy only logs: what it would refuse was let through");
}

/* Whether a call was refused for its architecture. */
static bool has_foreign(const struct verification *verification)
{
	const struct refusals *refusals = &verification->result.refusals;

	for (size_t i = 0; i < refusals->nr; i++)
		if (refusals->list[i]->arch >= NR_SYSCALL_ARCHES ||
		    !verification->policy->has_arch[refusals->list[i]->arch])
			return true;
	return false;
}

static void note_result(struct verification *verification)
{
	const struct verify_result *result = &verification->result;

	if (verification->policy->action != POLICY_KILL && has_foreign(verification))
		policy_note(&verification->notes,
			    "under the policy itself a call of another architecture kills: it got "
			    "an error here, so that the others are seen");

	for (size_t i = 0; i < verification->points.nr; i++)
		if (result->hits[i] == 0)
			policy_note(&verification->notes, "no process reached the point '%s'",
				    verification->points.list[i].text);
	if (result->nr_unseen > 0)
		policy_note(&verification->notes,
			    "%llu threads could not be followed, and were taken for phase 0",
			    (unsigned long long)result->nr_unseen);
}

/* Finds the points of the policy's phases in the program. Returns 0 or an exit status. */
static int find_points(struct verification *verification)
{
	const struct policy *policy = verification->policy;
	char what[POINT_WHAT_SIZE];

	for (size_t i = 1; i < policy->nr_phases; i++)
		if (points_add(&verification->points, policy->phases[i].point,
			       verification->program.path, what)) {
			char quoted[LOG_QUOTE_SIZE];
			char title[LOG_QUOTE_SIZE + 64];

			snprintf(title, sizeof(title), "cannot find the policy's point '%s'",
				 log_quote(quoted, policy->phases[i].point));
			error_report(title, what, NULL, NULL);
			return EXIT_ERROR;
		}
	return 0;
}

/* What drives COMMAND is made by a process that is there before this one changes of itself. */
static int start_keeper(struct verification *verification)
{
	struct keeper_config config = { 0 };
	const char *text = verification->options->syscalls.drive;
	int err;

	if (!text)
		return 0;
	verification->drive_text = strdup(text);
	if (!verification->drive_text)
		return report_error("cannot start", -ENOMEM);
	if (drive_split(verification->drive_text, verification->drive_words) < 0)
		return report_usage("--drive needs a command of 1 to 256 words");
	config.programs[KEEPER_DRIVE] = verification->drive_words;
	err = keeper_start(&verification->keeper, &config);
	drive_begin(&verification->drive, &verification->keeper);
	return err ? report_error("cannot start", err) : 0;
}

static bool should_stop(void *ctx, pid_t root)
{
	struct verification *verification = ctx;
	struct drive *drive = &verification->drive;

	if (stop_signal())
		return true;
	if (!verification->drive_text)
		return false;
	if (!verification->began_ns)
		verification->began_ns = clock_ns(CLOCK_MONOTONIC);
	if (!drive->was_started && !root) {
		verification->is_in_background = true;
		return true;
	}
	if (!drive->was_started && ready_now(&verification->ready, false, waiting_for_work(root),
					     clock_ns(CLOCK_MONOTONIC) - verification->began_ns))
		drive_start(drive, root);
	verification->was_overdue = drive_is_overdue(drive);
	return verification->was_overdue;
}

/* What became of what drives COMMAND. Returns 0, or EXIT_ERROR where it failed. */
static int end_drive(struct verification *verification)
{
	char quoted[LOG_QUOTE_SIZE], title[LOG_QUOTE_SIZE + 64], detail[128];
	int err;

	if (!verification->drive_text)
		return 0;
	err = drive_end(&verification->drive);
	keeper_stop(&verification->keeper);
	if (verification->was_overdue)
		policy_note(&verification->notes,
			    "the command did not end within 10 s of SIGTERM and was killed");
	/* it was told to */
	if (!err && verification->drive.was_told &&
	    (verification->was_overdue || (WIFSIGNALED(verification->result.status) &&
					   WTERMSIG(verification->result.status) == SIGTERM)))
		verification->result.status = 0;
	if (stop_signal() || (!err && verification->drive.status == 0))
		return 0;
	if (verification->is_in_background)
		snprintf(detail, sizeof(detail),
			 "The command went into the background before it could be driven.\n"
			 "Solution: have it stay in the foreground.");
	else if (err)
		snprintf(detail, sizeof(detail), "%s",
			 err == -ECHILD || err == -ECANCELED ? "The command ended before it did."
							     : strerror(-err));
	else
		snprintf(detail, sizeof(detail), "Its exit status is %d.",
			 verification->drive.status);
	snprintf(title, sizeof(title), "the driver '%s' failed",
		 log_quote(quoted, verification->options->syscalls.drive));
	error_report(title, detail, NULL, NULL);
	return EXIT_ERROR;
}

/* Renders what was refused, in the format that was asked for. Returns 0 or a negative errno. */
static int render(const struct verification *verification, bool is_json, bool has_color, char **ret,
		  size_t *ret_size)
{
	const struct policy *policy = verification->policy;
	const char *points[RECORDING_PHASES_MAX];
	const struct refusals_run run = {
		.command = verification->options->command,
		.policy = verification->options->syscalls.policy,
		.notes = verification->notes.list,
		.nr_notes = verification->notes.nr,
		.nr_phases = policy->nr_phases,
		.points = points,
		.duration_ns = verification->result.duration_ns,
		.status = exit_status(verification->result.status),
	};
	struct memory_text text;

	for (size_t i = 0; i < policy->nr_phases; i++)
		points[i] = policy->phases[i].point;
	if (is_json)
		return refusals_render(&verification->result.refusals, &run, ret, ret_size);
	if (memory_text_begin(&text))
		return -ENOMEM;
	return memory_text_end(
		&text, refusals_print(&verification->result.refusals, &run, text.out, has_color),
		ret, ret_size);
}

/* Writes what was refused. Returns the exit status. */
static int tell(const struct verification *verification, bool is_json, struct output *output)
{
	int status = exit_status(verification->result.status);
	char *text = NULL;
	size_t size = 0;
	int err = render(verification, is_json, output_wants_color(output), &text, &size);

	if (verification->result.refusals.total > 0)
		status = EXIT_FINDINGS;
	if (stop_signal())
		status = 128 + stop_signal();
	if (err) {
		free(text);
		return report_error("cannot tell what was refused", err);
	}
	err = recordings_end(verification->options, output, text, size, 0);
	free(text);
	return err ? err : status;
}

static int run_command(struct verification *verification)
{
	const struct verify_config config = {
		.policy = verification->policy,
		.points = &verification->points,
		.command = verification->options->command,
		.should_stop = should_stop,
		.ctx = verification,
		.spared = verification->keeper.pid,
	};
	int command;
	int err = verify_run(&config, &verification->result, &command);

	if (err == -ENOEXEC && command)
		return report_command(config.command[0], command);
	if (err == -EBUSY)
		error_report("cannot listen for refused calls",
			     "This process is under a filter with a listener itself, as in some "
			     "containers.",
			     NULL, NULL);
	else if (err)
		report_error("cannot run the command under the policy", err);
	return err ? EXIT_ERROR : 0;
}

static int verify(struct verification *verification)
{
	const struct options *options = verification->options;
	struct output output;
	bool is_json;
	int status = recordings_format(options, &is_json);
	int failure;

	if (!status)
		status = start_keeper(verification);
	if (status)
		return status;
	status = find_program(verification);
	if (!status)
		status = find_points(verification);
	note_policy(verification);
	if (status)
		return status;
	if (stop_install() < 0)
		return report_error("cannot handle signals", -errno);
	status = output_open(&output, options->output ? options->output : "/dev/stderr", NULL);
	if (status)
		return report_output(options->output, status, false);
	status = run_command(verification);
	failure = end_drive(verification);
	if (status)
		return recordings_end(options, &output, NULL, 0, status);
	note_result(verification);
	status = tell(verification, is_json, &output);
	return status ? status : failure;
}

static int verify_main(const struct options *options)
{
	struct verification verification = { .options = options };
	int status;

	if (!options->syscalls.policy)
		return report_usage("syscalls verify needs --policy");
	if (!options->command)
		return report_usage("syscalls verify needs a command behind --");
	/* Who is killed leaves its children: so that somebody is there to end them, and report. */
	if (!front_enter(&status))
		return status;
	status = policies_read(options, &verification.policy);
	if (status)
		return status;
	if (verification.policy->native == syscall_arch_native())
		status = verify(&verification);
	else
		status = policies_refuse(options,
					 "It is for another architecture than this machine's.",
					 "Solution: record the command on this one.");
	keeper_stop(&verification.keeper);
	free(verification.drive_text);
	points_free(&verification.points);
	policy_notes_free(&verification.notes);
	refusals_free(&verification.result.refusals);
	policy_free(verification.policy);
	return status;
}

const struct command syscalls_verify_command = {
	.name = "syscalls verify",
	.help = "run a command, tell what a policy refuses",
	.synopsis = "--policy FILE [OPTIONS] -- COMMAND [ARG...]",
	.details = "Lists every call that the policy refuses, by process, phase and place in the\n"
		   "code. COMMAND gets the errors that it would get under the policy. The exit\n"
		   "status is 10 when something was refused, else that of COMMAND.\n",
	.examples = "crypto-tracer syscalls verify --policy ls.policy -- ls -l /\n"
		    "crypto-tracer syscalls verify -p ls.policy --format json -o out.json -- ls\n",
	.tables = { &syscalls_verify_options, &general_options },
	.takes_command = true,
	.run = verify_main,
};
