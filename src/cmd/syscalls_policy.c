/* SPDX-License-Identifier: MIT */
/* `syscalls policy`: recordings, or a policy, in; a policy out, in one of its formats. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/opener.h"
#include "cmd/recordings.h"
#include "lib/cleanup.h"
#include "lib/json_document.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/utf8.h"
#include "syscalls/policy.h"
#include "syscalls/recording.h"

#define WHAT_SIZE 512
#define NOTE_SIZE 1024 /* of a sentence, with the names of calls in it */

/* What the files hold: recordings, merged, or one policy. */
struct input {
	struct recording *recording;
	struct policy *policy;
};

/* FILE cannot be used, for WHY. Returns EXIT_ERROR. */
static int report_file(const char *path, const char *why)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];

	snprintf(what, sizeof(what), "cannot make a policy of '%s'",
		 log_quote(quoted, strcmp(path, "-") == 0 ? "standard input" : path));
	error_report(
		what, why,
		"Solution: give recordings, as `crypto-tracer syscalls record -o FILE` writes\n"
		"them, or one policy in the format json.",
		NULL);
	return EXIT_ERROR;
}

/* Reads the one file. Returns 0 or an exit status, having said why. */
static int read_one(const struct options *options, struct input *ret)
{
	const char *path = options->files[0];
	_cleanup_(cleanup_free) char *bytes = NULL;
	const char *what = NULL;
	size_t size;
	int err = json_document_read(opener_file(options, 0), &bytes, &size, &what);

	if (err)
		return report_file(path, what);
	err = policy_parse(bytes, size, &ret->policy, &what);
	if (err == -ENOMSG)
		err = recording_parse(bytes, size, &ret->recording, &what);
	if (err)
		return report_file(path, err == -ENOMEM ? strerror(ENOMEM) : what);
	return 0;
}

static int report_usage(const char *what, const char *detail)
{
	error_report(what, detail, "Solution: see `crypto-tracer syscalls policy --help`.", NULL);
	return EXIT_USAGE;
}

/* Whether RECORDING has any call. */
static bool has_calls(const struct recording *recording)
{
	for (size_t i = 0; i < recording->nr_nodes; i++)
		if (recording->nodes[i].nr_calls > 0)
			return true;
	return false;
}

/* Makes the policy that OPTIONS ask for. Returns 0 or an exit status. */
static int make_policy(const struct options *options, struct input *input, struct policy **ret)
{
	const struct syscalls_options *asked = &options->syscalls;
	const struct policy_config config = {
		.action = asked->action < 0 ? POLICY_ERRNO : (enum policy_action)asked->action,
		.is_exact = asked->exact,
		.is_portable = asked->portable,
	};
	int err;

	if (input->policy) {
		if (asked->exact || asked->portable)
			return report_usage("--exact and --portable are for recordings",
					    "What a policy allows is settled.");
		if (asked->action >= 0)
			policy_set_action(input->policy, (enum policy_action)asked->action);
		*ret = input->policy;
		input->policy = NULL;
		return 0;
	}
	if (!has_calls(input->recording))
		return report_file(options->files[0], "no calls were recorded");
	err = policy_make(input->recording, &config, ret);
	return err ? report_error("cannot make the policy", err) : 0;
}

static int add_rules(const struct options *options, struct policy *policy)
{
	for (size_t i = 0; i < options->syscalls.nr_rules; i++) {
		char what[POLICY_WHAT_SIZE];
		char quoted[LOG_QUOTE_SIZE];
		char line[WHAT_SIZE];

		if (policy_add_rule(policy, options->syscalls.rules[i], what) == 0)
			continue;
		snprintf(line, sizeof(line), "Cannot use --arg '%s'",
			 log_quote(quoted, options->syscalls.rules[i]));
		return report_usage(line, what);
	}
	if (options->syscalls.nr_rules > 0)
		policy_settle_rules(policy);
	return 0;
}

static void print_notes(const struct policy_notes *notes)
{
	for (size_t i = 0; i < notes->nr; i++) {
		char text[NOTE_SIZE];

		text_escape(text, sizeof(text), notes->list[i], strlen(notes->list[i]));
		log_warn("%s", text);
	}
}

/* What of PHASE was not seen. */
static void added_to(const struct policy_phase *phase, struct policy_set *ret)
{
	for (uint32_t i = 0; i < NR_SYSCALL_ARCHES * SYSCALLS_MAX; i++) {
		enum syscall_arch arch = (enum syscall_arch)(i / SYSCALLS_MAX);

		if (policy_set_has(&phase->allowed, arch, i % SYSCALLS_MAX) &&
		    !policy_set_has(&phase->seen, arch, i % SYSCALLS_MAX))
			policy_set_add(ret, arch, i % SYSCALLS_MAX);
	}
}

/* For each phase how much it allows, and what of that was not recorded. */
static void print_summary(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nr_phases; i++) {
		const struct policy_phase *phase = &policy->phases[i];
		struct policy_set added = { 0 };
		char point[LOG_QUOTE_SIZE], names[POLICY_NAMES_SIZE];

		added_to(phase, &added);
		policy_names(&added, policy->native, names);
		log_info("phase %zu%s%s%s: %zu calls seen, %zu added: %s", i,
			 phase->point ? " from '" : "",
			 phase->point ? log_quote(point, phase->point) : "",
			 phase->point ? "'" : "", policy_set_count(&phase->seen),
			 policy_set_count(&added), names);
	}
}

/* Writes POLICY in FORMAT to where OPTIONS say. Returns the exit status. */
static int write_policy(const struct options *options, const struct policy *policy,
			const struct policy_format *format)
{
	_cleanup_(cleanup_free) char *text = NULL;
	struct policy_notes notes = { 0 };
	struct output output;
	size_t size = 0;
	int status;
	int err = format->render(policy, options->syscalls.phase, &notes, &text, &size);

	if (err == -EOPNOTSUPP)
		return report_usage("The format cannot say that action",
				    "systemd and minijail have no notify, minijail no log.");
	if (err)
		return report_error("cannot write the policy", err);
	if (!format->has_phases && policy->nr_phases > 1)
		policy_note(&notes, "this format has one phase: it is phase %u of %zu, see --phase",
			    options->syscalls.phase, policy->nr_phases);
	print_notes(&notes);
	policy_notes_free(&notes);
	status = recordings_open(options, &output);
	return status ? status : recordings_end(options, &output, text, size, status);
}

static int report_format(void)
{
	char detail[WHAT_SIZE] = "Formats:";
	size_t size = strlen(detail);

	for (size_t i = 0; policy_format_at(i) && size < sizeof(detail); i++)
		size += (size_t)snprintf(detail + size, sizeof(detail) - size, "%s %s",
					 i ? "," : "", policy_format_at(i)->name);
	return report_usage("There is no such format", detail);
}

static int policy_run(const struct options *options)
{
	const char *name = options->syscalls.format ? options->syscalls.format : "json";
	const struct policy_format *format = policy_format_find(name);
	struct policy *policy = NULL;
	struct input input = { 0 };
	int status;

	if (!format)
		return report_format();
	if (!opener_enter(options, NULL, NULL, &status))
		return status;
	if (options->nr_files == 1)
		status = read_one(options, &input);
	else
		status = recordings_merge(options, "syscalls policy", 1, &input.recording);
	if (!status)
		status = make_policy(options, &input, &policy);
	if (!status && options->syscalls.phase >= policy->nr_phases)
		status = report_usage("There is no such phase", "Phases are counted from 0.");
	if (!status)
		status = add_rules(options, policy);
	if (!status) {
		print_notes(&policy->warnings);
		print_summary(policy);
		status = write_policy(options, policy, format);
	}
	policy_free(policy);
	policy_free(input.policy);
	recording_free(input.recording);
	return status;
}

const struct command syscalls_policy_command = {
	.name = "syscalls policy",
	.help = "make a seccomp policy of recordings",
	.synopsis = "[OPTIONS] FILE...",
	.details =
		"Several recordings are merged first. A policy in the format json is taken, too,\n"
		"to be written in another format. Warnings go to standard error.\n",
	.examples = "crypto-tracer syscalls policy ls.json -o ls.policy\n"
		    "crypto-tracer syscalls policy ls.policy --format c -o policy.c\n"
		    "crypto-tracer syscalls policy run*.json --arg ioctl:1=0x5401,0x5413\n",
	.tables = { &syscalls_policy_options, &general_options },
	.takes_files = true,
	.run = policy_run,
};
