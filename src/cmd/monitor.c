/* SPDX-License-Identifier: MIT */
/* `monitor`: a stream of events as they happen. */
#include "cmd/monitor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/run.h"
#include "lib/log.h"
#include "lib/stop.h"

#define COVERAGE_EVERY_NS (60ULL * 1000000000)

/* One run as a stream. Members that were never opened are safe to close. */
struct monitor {
	struct run run;
	struct output output;
	struct redactor *redactor;
	struct coverage coverage;
	uint64_t coverage_due_ns;
	bool has_fallen_back; /* and it was said */
};

static int write_document(struct monitor *monitor, const void *document,
			  const struct fields *fields)
{
	struct pipeline *pipeline = &monitor->run.pipeline;
	struct record record = { .bytes = document, .arena = &pipeline->arena };

	pipeline->arena.used = 0;
	return writer_record(pipeline->writer, &record, &fields, 1);
}

static int write_start(struct monitor *monitor)
{
	const struct options *options = monitor->run.options;
	const struct pipeline *pipeline = &monitor->run.pipeline;
	struct stream_start start = {
		.schema_version = SCHEMA_VERSION,
		.tool = "crypto-tracer " VERSION,
		.unix_ns = boot_clock_unix(&pipeline->clock, pipeline->filter.since_ns),
		.options = options->command_line,
		.options_size = options->command_line_size,
		.host = monitor->run.host.nodename,
		.kernel = monitor->run.host.release,
	};

	log_debug("crypto-tracer %s on kernel %s", VERSION, start.kernel);
	return write_document(monitor, &start, &start_fields);
}

static int write_coverage(struct monitor *monitor, bool is_final)
{
	run_cover(&monitor->run, &monitor->coverage, is_final);
	return write_document(monitor, &monitor->coverage, &coverage_fields);
}

static int open_output(struct monitor *monitor)
{
	const struct options *options = monitor->run.options;
	struct redact_options redact = { .paths = !options->no_redact,
					 .peers = options->redact_sni };
	int err = output_open(&monitor->output, options->output, &stop_give_up);

	if (err == -EINTR && stop_signal()) /* while waiting for the reader of a FIFO */
		return 128 + stop_signal();
	if (err)
		return report_output(options->output, err, false);
	err = redactor_new(&monitor->redactor, &redact);
	if (!err)
		err = writer_new(&monitor->run.pipeline.writer, options->sink, &monitor->output,
				 monitor->redactor, output_wants_color(&monitor->output));
	return err ? report_error("cannot start", err) : 0;
}

/* Says, once and at once, that standard output took the place of the named output. */
static void note_fallback(struct monitor *monitor)
{
	if (!monitor->output.failed || monitor->has_fallen_back)
		return;
	monitor->has_fallen_back = true;
	report_output(monitor->run.options->output, monitor->output.error, true);
}

/* After each pass, also an empty one: the start line and coverage are to be seen at once. */
static int tick(void *ctx, uint64_t now_ns)
{
	struct monitor *monitor = ctx;
	int err = 0;

	if (now_ns >= monitor->coverage_due_ns && monitor->run.ends_ns == RUN_FOREVER) {
		monitor->coverage_due_ns = now_ns + COVERAGE_EVERY_NS;
		err = write_coverage(monitor, false);
	}
	if (!err)
		err = writer_flush(monitor->run.pipeline.writer);
	note_fallback(monitor);
	return err;
}

/* Ends the output before anything is detached. Returns the exit status. */
static int finish(struct monitor *monitor)
{
	struct run *run = &monitor->run;
	int err;

	run_drain(run);
	if (run->err == -ECANCELED) /* --max-events: as it should be */
		run->err = 0;
	if (!run->err)
		run->err = write_coverage(monitor, true);
	if (!run->err)
		run->err = writer_end(run->pipeline.writer);
	err = output_close(&monitor->output);
	if (!run->err)
		run->err = err;
	note_fallback(monitor);
	if (run->err == -EPIPE)
		return EXIT_PIPE_CLOSED;
	log_info("monitoring stopped, %" PRIu64 " events written", run->pipeline.nr_written);
	/* A reader that did not read in time; coverage could not be written either. */
	if (run->err == -EINTR && stop_signal())
		run->err = 0;
	if (run->err)
		return report_output(run->options->output, run->err, false);
	return monitor->output.failed ? EXIT_ERROR : 0;
}

/* Begins the stream. Returns 0 or an exit status, having said why. */
static int begin(struct monitor *monitor)
{
	struct run *run = &monitor->run;
	int status = run_start(run);
	int err;

	if (status)
		return status;
	err = write_start(monitor);
	if (err)
		return report_error("cannot start tracing", err);
	run->tick = tick;
	run->ctx = monitor;
	monitor->coverage_due_ns = run->pipeline.filter.since_ns + COVERAGE_EVERY_NS;
	log_info("monitoring started (%d processes)", run->session.nr_seeds);
	return 0;
}

int monitor_run(const struct options *options)
{
	static struct monitor monitor; /* 150 KiB: too much for the stack */
	struct run *run = &monitor.run;
	int status;

	monitor.output.fd = -1;
	status = run_init(run, options, !options->output);
	/* Before the output is made: these are errors of the command line. */
	if (!status)
		status = run_check(run);
	if (!status)
		status = open_output(&monitor);
	if (!status)
		status = run_open(run);
	if (!status)
		status = begin(&monitor);
	if (!status) {
		int failure = run_release_command(run);
		int end;

		/* The stream is whole also when there is nothing to trace. */
		if (!failure)
			run_loop(run);
		end = finish(&monitor);
		status = failure ? failure : end;
	}
	status = run_exit_status(run, status);
	run_close(run);
	writer_free(run->pipeline.writer);
	redactor_free(monitor.redactor);
	output_close(&monitor.output);
	return status;
}

const struct command monitor_command = {
	.name = "monitor",
	.help = "stream crypto events as they happen",
	.synopsis = "[OPTIONS] [-- COMMAND [ARG...]]",
	.details = "Reports executed programs, opened certificates and keys, loaded crypto\n"
		   "libraries, TLS and SSH handshakes and ended processes, as JSON lines. The\n"
		   "first line tells how the stream was made, the last one what was seen,\n"
		   "dropped and lost. With COMMAND only it and its descendants are watched,\n"
		   "until it ends.\n",
	.examples = "crypto-tracer monitor --duration 60\n"
		    "crypto-tracer monitor --name nginx --format text\n"
		    "crypto-tracer monitor --event tls_handshake --format text\n"
		    "crypto-tracer monitor --file '/etc/ssl/*' --output opens.json\n"
		    "crypto-tracer monitor -o curl.json -- curl https://localhost/\n",
	.tables = { &select_options, &report_options, &limit_options, &output_options,
		    &resource_options, &hook_options, &general_options },
	.takes_command = true,
	.run = monitor_run,
};
