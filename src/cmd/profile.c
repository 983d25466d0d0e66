/* SPDX-License-Identifier: MIT */
/* `profile`: what one process, or a tree, does with cryptography. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/run.h"
#include "cmd/take.h"
#include "inventory/profile.h"
#include "lib/log.h"
#include "lib/scarce.h"
#include "lib/stop.h"

#define DURATION_MS 30000
/* As much of a command line as an exec tells. */
#define PROFILE_CMDLINE_MAX 16384

/* One run as a document. Members that were never opened are safe to close. */
struct profiling {
	struct run run;
	struct take take;
	struct profiles *profiles;
	struct coverage coverage;
	uint64_t nr_events; /* taken in */
	int err;	    /* of taking in an event */
	uint64_t nr_cmdlines_short;
	bool has_failed; /* there are findings that --fail-on asks for */
};

static void take_event(void *ctx, struct record *record)
{
	struct profiling *profiling = ctx;
	const struct options *options = profiling->run.options;
	/* The kernel selects: what it reports of an unknown process is of one that --name names. */
	int err;

	if (options->max_events && profiling->nr_events >= options->max_events)
		return;
	profiling->nr_events += source_id(record->source) != SOURCE_process_fork;
	err = profiles_take(profiling->profiles, record, options->name && !options->nr_pids);
	if (err && !profiling->err)
		profiling->err = err;
}

/* Whether PROCESS is what the user named, or COMMAND's. */
static bool is_target(const struct profiling *profiling, const struct inventory_process *process)
{
	const struct options *options = profiling->run.options;
	bool has_uid = options->nr_uids == 0;

	if (options->command)
		return process->pid == (uint32_t)profiling->run.child.pid;
	for (size_t i = 0; i < options->nr_uids; i++)
		has_uid |= options->uids[i] == process->uid;
	if (!has_uid)
		return false;
	for (size_t i = 0; i < options->nr_pids; i++)
		if (options->pids[i] == process->pid)
			return true;
	return options->nr_pids == 0 && options->name &&
	       inventory_is_called(process, options->name);
}

/* Marks the processes that belong to a profile, descendants where they are followed. */
static void want_targets(struct profiling *profiling)
{
	const struct inventory *inventory = profiling->take.inventory;
	bool is_more = profiling->run.options->follow_children || profiling->run.options->command;

	for (size_t i = 0; i < inventory->nr_processes; i++) {
		struct inventory_process *process = inventory->processes[i];

		process->is_wanted = is_target(profiling, process);
		process->is_root = process->is_wanted;
	}
	/* A child may have a smaller pid than its parent: until nothing is added any more. */
	while (is_more) {
		is_more = false;
		for (size_t i = 0; i < inventory->nr_processes; i++) {
			struct inventory_process *process = inventory->processes[i];
			const struct inventory_process *parent =
				inventory_find(inventory, process->ppid, 0);

			if (!parent || !parent->is_wanted)
				continue;
			/* Below another one that matches it is part of that one's tree. */
			is_more |= !process->is_wanted;
			process->is_wanted = true;
			process->is_root = false;
		}
	}
}

/* The command line of PROCESS, which the inventory does not have. */
static int tell_cmdline(struct profiling *profiling, const struct inventory_process *process)
{
	static char text[PROFILE_CMDLINE_MAX];
	ssize_t n = broker_read_text(&profiling->run.broker, process->pid, BROKER_TEXT_cmdline,
				     text, sizeof(text));

	profiling->nr_cmdlines_short += is_scarce((int)n);
	return n > 0 ? profiles_set_cmdline(profiling->profiles, process->pid, text, (size_t)n) : 0;
}

/* Targets first, then their descendants, whatever the order of their pids. */
static int add_processes(struct profiling *profiling)
{
	const struct inventory *inventory = profiling->take.inventory;
	size_t nr_left = inventory->nr_processes;
	int err = 0;

	for (size_t i = 0; !err && i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];

		if (!process->is_root)
			continue;
		err = profiles_add_target(profiling->profiles, process);
		if (!err)
			err = tell_cmdline(profiling, process);
	}
	/* As often as there are processes: each pass adds a generation at least. */
	for (; !err && nr_left > 0; nr_left--) {
		size_t before = profiles_count_members(profiling->profiles);

		for (size_t i = 0; !err && i < inventory->nr_processes; i++)
			err = profiles_add_descendant(profiling->profiles, inventory->processes[i]);
		if (profiles_count_members(profiling->profiles) == before)
			break;
	}
	return err;
}

/* COMMAND has not been executed yet: what its process has is this tool's. */
static void forget_uses(struct profiling *profiling)
{
	struct inventory_process *process =
		inventory_find(profiling->take.inventory, (uint32_t)profiling->run.child.pid, 0);

	if (!process)
		return;
	process->nr_uses = 0;
	process->exe = NULL;
}

/* There is nothing to profile. Returns the exit status, having said so. */
static int no_match(const struct options *options)
{
	char quoted[LOG_QUOTE_SIZE];
	char what[LOG_QUOTE_SIZE + 64];

	if (!options->name || options->nr_pids) {
		error_report("the process has ended", NULL,
			     "Solution: see `ps -e` for those that run, or select by --name.",
			     NULL);
		return EXIT_ERROR;
	}
	snprintf(what, sizeof(what), "No process whose name contains '%s'",
		 log_quote(quoted, options->name));
	error_report(what, NULL,
		     "Solution: see `ps -e` for those that run, or give a command after --.", NULL);
	return EXIT_ERROR;
}

/* What is there at the start. Returns 0 or an exit status, having said why. */
static int take_start(struct profiling *profiling)
{
	struct take *take = &profiling->take;
	int err;

	take->broker = &profiling->run.broker;
	err = take_scan(take);
	profiles_set_scan(profiling->profiles, boot_clock_now());
	if (!err) {
		want_targets(profiling);
		if (profiling->run.child.pid)
			forget_uses(profiling);
		inventory_keep_wanted(take->inventory);
		err = take_examine(take, TAKE_ALL);
	}
	if (!err)
		err = add_processes(profiling);
	if (stop_signal())
		return 128 + stop_signal();
	if (err)
		return report_error("cannot take the inventory", err);
	return profiles_count(profiling->profiles) ? 0 : no_match(profiling->run.options);
}

/* Content first: the profile keeps what the event has been told of it. */
static void look_and_take(void *ctx, struct record *record)
{
	struct profiling *profiling = ctx;

	if (profiling->run.inspector)
		run_look_into(&profiling->run, record);
	take_event(profiling, record);
}

/* Certificates first, likewise. */
static void look_at_chain_and_take(void *ctx, struct record *record)
{
	struct profiling *profiling = ctx;

	run_look_at_chain(&profiling->run, record);
	take_event(profiling, record);
}

/* A run without COMMAND ends with its last process. */
static int tick(void *ctx, uint64_t now_ns)
{
	struct profiling *profiling = ctx;

	(void)now_ns;
	const struct options *options = profiling->run.options;

	if ((profiles_have_ended(profiling->profiles) && !options->command) ||
	    (options->max_events && profiling->nr_events >= options->max_events))
		profiling->run.has_ended = true;
	return profiling->err;
}

static void set_handlers(struct profiling *profiling)
{
	struct pipeline *pipeline = &profiling->run.pipeline;

	for (size_t i = 0; i < NR_SOURCES; i++) {
		pipeline->handlers[i].handle = take_event;
		pipeline->handlers[i].ctx = profiling;
	}
	pipeline->handlers[SOURCE_file_open].handle = look_and_take;
	pipeline->handlers[SOURCE_tls_handshake].handle = look_at_chain_and_take;
	profiling->run.tick = tick;
	profiling->run.ctx = profiling;
}

/* Finds out the versions of libraries. Returns 0 or a negative errno. */
static int find_versions(struct profiling *profiling)
{
	uint64_t nr_short;
	int err = profiles_find_versions(profiling->profiles, &profiling->run.broker, &nr_short);

	if (!err)
		coverage_add_some(&profiling->coverage, "versions of libraries",
				  "no memory or descriptor for it", nr_short);
	return err;
}

/* Writes the document. Returns 0 or a negative errno. */
static int write_document(struct profiling *profiling)
{
	struct run *run = &profiling->run;
	struct take *take = &profiling->take;
	uint64_t now_ns = boot_clock_now();
	/* Where --duration counts from, too: to attach the probes takes some of it. */
	uint64_t looked_ns = now_ns - run->pipeline.filter.since_ns;
	struct profile_heading heading = {
		.now_ns = boot_clock_unix(&run->pipeline.clock, now_ns),
		.hostname = take->hostname,
		.kernel = take->kernel,
		.coverage = &profiling->coverage,
	};
	struct profile_document document;
	uint64_t nr_before;
	int err;

	run_cover(run, &profiling->coverage, true);
	if (profiles_count_refused(profiling->profiles))
		coverage_add_gap(
			&profiling->coverage, "files, libraries, programs, processes or sessions",
			"more than a profile holds", profiles_count_refused(profiling->profiles));
	nr_before = profiles_count_before(profiling->profiles);
	coverage_add_some(&profiling->coverage, "handshakes of connections that were there before",
			  "they are over; see origin and negotiated of the sessions", nr_before);
	if (strcmp(take->source.method, "proc") == 0)
		coverage_add_some(&profiling->coverage, "which connections were there before",
				  "without BPF iterators some of the first moment are among them",
				  nr_before);
	coverage_add_some(&profiling->coverage, "command lines of processes",
			  "no memory or descriptor for it", profiling->nr_cmdlines_short);
	err = run->options->no_inspect ? 0 : find_versions(profiling);
	if (err)
		return err;
	err = profiles_document(profiling->profiles, &heading, looked_ns / 1000000, &document);
	if (err)
		return err;
	profiling->has_failed =
		run->options->fail_on >= 0 &&
		profile_count_findings(&document, (uint32_t)run->options->fail_on) > 0;
	if (document.profiles.count == 1)
		return take_write(take, document.profiles.items, &profile_fields);
	return take_write(take, &document, &profiles_fields);
}

/* From the first event to the document. Returns the exit status; *RET_ERR is the output's. */
static int profile_targets(struct profiling *profiling, int *ret_err)
{
	struct run *run = &profiling->run;
	int status;

	set_handlers(profiling);
	status = take_start(profiling);
	if (status)
		return status;
	log_info("profiling started (%zu processes)", profiles_count_members(profiling->profiles));
	status = run_release_command(run);
	/* What there would be to tell is this tool's own. */
	if (status)
		return status;
	run_loop(run);
	run_drain(run);
	if (run->err == -ECANCELED) /* --max-events: as it should be */
		run->err = 0;
	*ret_err = run->err ? run->err : write_document(profiling);
	if (!status && profiling->has_failed)
		status = EXIT_FINDINGS;
	return status;
}

static int check_options(struct options *options)
{
	if (!options->nr_pids && !options->name && !options->command) {
		error_report("nothing to profile", NULL, "Try: crypto-tracer profile --help", NULL);
		return EXIT_USAGE;
	}
	if (!options->duration_ms && !options->has_duration && !options->command)
		options->duration_ms = DURATION_MS;
	options->filter.wanted |= 1U << SOURCE_process_fork;
	return 0;
}

static int profile_run(const struct options *given)
{
	static struct profiling profiling; /* too much for the stack */
	struct run *run = &profiling.run;
	struct options options = *given;
	int status = check_options(&options);
	int err = 0;

	if (status)
		return status;
	profiling.take.output.fd = -1;
	status = run_init(run, &options, !options.output);
	if (!status)
		status = run_check(run);
	if (!status)
		status = take_open(&profiling.take, &options);
	if (!status)
		status = run_open(run);
	if (!status)
		take_open_iterators(&profiling.take, tap_sockets(&run->session));
	if (!status &&
	    profiles_new(&profiling.profiles, options.follow_children || options.command != NULL,
			 &run->pipeline.clock))
		status = report_error("cannot start", -ENOMEM);
	if (!status)
		status = run_start(run);
	/* Forks are no events of the document: the limit is ours to keep. */
	run->pipeline.max_events = 0;
	if (!status)
		status = profile_targets(&profiling, &err);
	status = run_exit_status(run, take_end(&profiling.take, status, err));
	run_close(run);
	profiles_free(profiling.profiles);
	return status;
}

const struct command profile_command = {
	.name = "profile",
	.help = "tell what a process does with cryptography",
	.synopsis = "[OPTIONS] [-- COMMAND [ARG...]]",
	.details = "Puts together what a process has when the run begins and what it does until\n"
		   "it ends: crypto libraries, files it opens or cannot open, what these\n"
		   "contain, programs it executes. By default for 30 seconds; with COMMAND\n"
		   "until it ends, with all its descendants.\n",
	.examples = "crypto-tracer profile --pid 1234 --duration 10\n"
		    "crypto-tracer profile --name nginx --follow-children\n"
		    "crypto-tracer profile -o curl.json -- curl https://localhost/\n",
	.tables = { &select_options, &profile_options, &limit_options, &profile_output_options,
		    &resource_options, &hook_options, &general_options },
	.takes_command = true,
	.run = profile_run,
};
