/* SPDX-License-Identifier: MIT */
/* `check`: what this host can do, why not, and what to do about it. */
#include "check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/host.h"
#include "check/syscalls.h"
#include "check/tracing.h"
#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/select.h"
#include "cmd/take.h"
#include "lib/log.h"
#include "lib/stop.h"

/* Whether the features that OPTIONS names are there. Returns 0 or EXIT_USAGE, having said. */
static int find_named(struct check *check, const struct options *options)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 32];

	for (size_t i = 0; i < options->nr_files; i++) {
		if (check_find(check, options->files[i]))
			continue;
		snprintf(what, sizeof(what), "no feature '%s'",
			 log_quote(quoted, options->files[i]));
		error_report(what, NULL, "Try: crypto-tracer check, which lists them", NULL);
		return EXIT_USAGE;
	}
	return 0;
}

/* Returns 0 or a negative errno of the output. */
static int write_check(struct take *take, const struct check *check)
{
	const struct options *options = take->options;
	char *text = NULL;
	size_t size;
	int err;

	if (options->format && !options->is_summary)
		return take_write(take, check, &check_fields);
	err = check_text(check, take->has_color, &text, &size);
	if (!err)
		err = take_print(take, text, size);
	free(text);
	return err;
}

static int exit_status_of(const struct check *check)
{
	if (check_is_hopeless(check))
		return EXIT_KERNEL;
	if (check_has_cause(check, CHECK_PRIVILEGES))
		return EXIT_PRIVILEGES;
	return check->summary.limited || check->summary.unavailable ? EXIT_ERROR : 0;
}

/*
 * The sources whose hooks have to be tried, the dearest of the trials, for what OPTIONS asks for: a
 * bit each.
 */
static uint32_t wanted_sources(struct check *check, const struct options *options)
{
	uint32_t all = (1U << NR_SOURCES) - 1;
	uint32_t wanted = 0;

	for (size_t i = 0; i < options->nr_files; i++) {
		const struct check_feature *feature = check_find(check, options->files[i]);

		if (check_is_event(feature))
			wanted |= 1U << (feature - check->all);
		else if (feature == &check->all[CHECK_FEATURE_monitor] ||
			 feature == &check->all[CHECK_FEATURE_profile])
			return all;
	}
	if (wanted & (1U << SOURCE_tls_handshake | 1U << SOURCE_ssh_handshake))
		wanted |= 1U << SOURCE_tap;
	return options->nr_files ? wanted : all;
}

/* All trials, in the order in which rights are needed. Returns 0 or an exit status. */
static int try_all(struct take *take, struct check *check)
{
	struct trace_config config;
	int status = select_config(take->options, &config);

	if (status)
		return status;
	check->now_ns = boot_clock_unix(&take->clock, boot_clock_now());
	check->hostname = take->hostname;
	check->kernel = take->kernel;
	check_host_read(&check->host);
	check_host_crypto(check, &take->host);
	check_syscalls(check);
	config.wanted = wanted_sources(check, take->options);
	check_tracing(check, &config);
	check_end(check, take->options->files, take->options->nr_files);
	return 0;
}

static int check_run(const struct options *options)
{
	static struct take take;
	static struct check check;
	int status;
	int err = stop_install();

	check_begin(&check);
	status = find_named(&check, options);
	if (status)
		return status;
	if (err)
		return report_error("cannot install signal handlers", err);
	status = take_open(&take, options);
	if (!status)
		status = try_all(&take, &check);
	if (!status) {
		err = write_check(&take, &check);
		status = exit_status_of(&check);
	}
	return take_end(&take, status, err);
}

const struct command check_command = {
	.name = "check",
	.help = "tell what works on this host, why not, what to do",
	.synopsis = "[OPTIONS] [FEATURE...]",
	.details = "Tries what the commands do, with their own code, and tells of each feature\n"
		   "(an event, a command) whether it works, by what, and if not, why, and what\n"
		   "to do. Nothing is left behind. With FEATURE only those are told of.\n"
		   "\n"
		   "Exit status: 0 all of them work, 1 something is unavailable or limited,\n"
		   "3 and that is for want of privileges, 4 and the kernel can give no event.\n",
	.examples = "crypto-tracer check\n"
		    "crypto-tracer check file_open api_call && echo ready\n"
		    "crypto-tracer check --format json | jq '.features[]|select(.why)'\n",
	.tables = { &trial_options, &general_options },
	.takes_files = true,
	.word_at = check_feature_name,
	.run = check_run,
};
