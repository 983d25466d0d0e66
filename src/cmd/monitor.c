/* SPDX-License-Identifier: MIT */
/* `monitor`: a stream of events as they happen. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/child.h"
#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/monitor.h"
#include "cmd/select.h"
#include "inventory/inspector.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "pipeline/coverage.h"
#include "pipeline/pipeline.h"
#include "priv/privileges.h"
#include "priv/sandbox.h"
#include "sources/file_open/content.h"
#include "trace/gaps.h"
#include "trace/late.h"
#include "trace/libbpf_log.h"
#include "trace/session.h"
#include "trace/stream.h"

#define COVERAGE_EVERY_NS (60ULL * 1000000000)
#define LOSS_EVERY_NS	  1000000000ULL
#define FOREVER		  UINT64_MAX

/* One run. Members that were never opened are safe to close. */
struct monitor {
	const struct options *options;
	struct trace_config config;
	struct session session;
	struct stream stream;
	struct pipeline pipeline;
	struct late late;
	struct broker broker;
	struct child child;
	struct output output;
	struct redactor *redactor;
	struct inspector *inspector; /* NULL: --no-inspect */
	struct coverage coverage;
	uint64_t ends_ns; /* boot time; FOREVER */
	uint64_t coverage_due_ns;
	uint64_t loss_due_ns;
	uint64_t lost; /* as of the last warning */
	int err;       /* for which the stream ended early */
	bool has_ended;
	bool has_fallen_back; /* and it was said */
};

static int on_record(void *ctx, const void *bytes, size_t size)
{
	return pipeline_record(ctx, bytes, size);
}

/* Tells of a file that was opened what it contains. */
static void look_into(void *ctx, struct record *record)
{
	struct monitor *monitor = ctx;
	struct file_open_subject subject;
	const struct content *content;
	bool is_news;

	if (!file_open_subject(record, &subject))
		return;

	const struct inspector_file file = {
		.pid = record->hdr->tgid,
		.ppid = record->hdr->ppid,
		.start_ns = record->hdr->start_ns,
		.dev_major = subject.dev_major,
		.dev_minor = subject.dev_minor,
		.inode = subject.inode,
		.ctime_ns = subject.ctime_ns,
		.path = subject.path,
		.path_size = subject.path_size,
	};

	content = inspector_look(monitor->inspector, &file, record->unix_ns, &is_news);
	if (content)
		file_open_set_content(record, content, is_news);
}

static int write_document(struct monitor *monitor, const void *document,
			  const struct fields *fields)
{
	struct record record = { .bytes = document, .arena = &monitor->pipeline.arena };

	monitor->pipeline.arena.used = 0;
	return writer_record(monitor->pipeline.writer, &record, &fields, 1);
}

static int write_start(struct monitor *monitor)
{
	struct utsname host;
	struct stream_start start = {
		.schema_version = SCHEMA_VERSION,
		.tool = "crypto-tracer " VERSION,
		.unix_ns = boot_clock_unix(&monitor->pipeline.clock,
					   monitor->pipeline.filter.since_ns),
		.options = monitor->options->command_line,
		.options_size = monitor->options->command_line_size,
	};

	uname(&host);
	log_debug("crypto-tracer %s on kernel %s", VERSION, host.release);
	start.host = host.nodename;
	start.kernel = host.release;
	return write_document(monitor, &start, &start_fields);
}

/* Files that were opened, and not looked into. */
static void add_uninspected(struct coverage *coverage, const struct inspector_counts *counts)
{
	if (counts->nr_failed)
		coverage_add_gap(coverage, "content of opened files",
				 "gone or changed before it was read, or no permission",
				 counts->nr_failed);
	if (counts->nr_throttled)
		coverage_add_gap(coverage, "content of opened files",
				 "more than 200 new ones in a second", counts->nr_throttled);
}

static int write_coverage(struct monitor *monitor, bool is_final)
{
	struct coverage *coverage = &monitor->coverage;
	const struct session *session = &monitor->session;

	coverage_init(coverage, boot_clock_unix(&monitor->pipeline.clock, boot_clock_now()),
		      is_final);
	for (size_t i = 0; i < NR_SOURCES; i++) {
		struct source_counters counters;

		session_counters(session, (enum source_id)i, &counters);
		coverage_add_source(coverage, sources[i], session->states[i].is_attached,
				    session->states[i].reason, &counters,
				    &monitor->pipeline.fates[i]);
	}
	gaps_add(coverage, session, &monitor->late, &monitor->pipeline);
	if (monitor->inspector)
		add_uninspected(coverage, inspector_counts(monitor->inspector));
	return write_document(monitor, coverage, &coverage_fields);
}

/* The records lost so far, by all sources. */
static uint64_t count_lost(const struct monitor *monitor)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < NR_SOURCES; i++) {
		struct source_counters counters;

		session_counters(&monitor->session, (enum source_id)i, &counters);
		lost += counters.ring_full;
	}
	return lost;
}

static void warn_of_loss(struct monitor *monitor, uint64_t now_ns)
{
	uint64_t lost;

	if (now_ns < monitor->loss_due_ns)
		return;
	monitor->loss_due_ns = now_ns + LOSS_EVERY_NS;
	lost = count_lost(monitor);
	if (lost > monitor->lost)
		log_warn("%" PRIu64 " events lost: the buffer was full; see --buffer-size", lost);
	monitor->lost = lost;
}

/* On a terminal, unless the environment asks for none (https://no-color.org). */
static bool wants_color(const struct monitor *monitor)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(monitor->output.fd) == 1 && !(no_color && *no_color);
}

static int open_output(struct monitor *monitor)
{
	const struct options *options = monitor->options;
	struct redact_options redact = { .paths = !options->no_redact };
	int err = output_open(&monitor->output, options->output, &stop_give_up);

	if (err == -EINTR && stop_signal()) /* while waiting for the reader of a FIFO */
		return 128 + stop_signal();
	if (err)
		return report_output(options->output, err, false);
	err = redactor_new(&monitor->redactor, &redact);
	if (!err)
		err = writer_new(&monitor->pipeline.writer, options->sink, &monitor->output,
				 monitor->redactor, wants_color(monitor));
	if (!err)
		err = processes_new(&monitor->pipeline.processes, options->max_processes,
				    select_is_narrow(options));
	return err ? report_error("cannot start", err) : 0;
}

/* Everything that needs rights. Returns 0 or an exit status, having said why. */
static int open_session(struct monitor *monitor)
{
	int err = session_open(&monitor->session, &monitor->config, stream_on_bpf_record,
			       &monitor->stream);

	if (err)
		return report_load(err, libbpf_log_text(), monitor->options->verbose);
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct source_state *state = &monitor->session.states[i];

		if (state->reason[0])
			log_warn("%s: %s", sources[i]->name, state->reason);
		else
			log_debug("%s: attached to %s", sources[i]->name, sources[i]->hook);
	}
	for (size_t i = 0; !err && i < monitor->options->nr_pids; i++)
		err = session_add_root(&monitor->session, monitor->options->pids[i]);
	if (!err && monitor->child.pid)
		err = session_add_root(&monitor->session, (uint32_t)monitor->child.pid);
	if (!err)
		err = stream_init(&monitor->stream, &monitor->session);
	if (!err && monitor->child.pid)
		err = stream_watch(&monitor->stream, monitor->child.pidfd);
	return err ? report_error("cannot prepare tracing", err) : 0;
}

static int start_inspector(struct monitor *monitor)
{
	int err = content_prepare();

	if (!err)
		err = inspector_new(&monitor->inspector, &monitor->broker);
	if (!err)
		monitor->pipeline.handlers[SOURCE_file_open] =
			(struct pipeline_handler){ .handle = look_into, .ctx = monitor };
	return err;
}

/* The broker loads its hook while this process goes on. */
static int start_broker(struct monitor *monitor)
{
	struct broker_config config = { 0 };
	int err;

	late_init(&monitor->late, &monitor->session, &config);
	err = broker_start(&monitor->broker, &config);
	if (err)
		return err;
	monitor->session.control->broker = (uint32_t)monitor->broker.pid;
	return monitor->options->no_inspect ? 0 : start_inspector(monitor);
}

/* Begins reporting and gives up all rights. Returns 0 or an exit status. */
static int start(struct monitor *monitor)
{
	struct session *session = &monitor->session;
	int err = start_broker(monitor);

	monitor->stream.on_record = on_record;
	monitor->stream.ctx = &monitor->pipeline;
	boot_clock_init(&monitor->pipeline.clock);
	if (!err)
		err = session_start(session, monitor->pipeline.processes);
	/* From here on nothing is missed; what came before is not whole and not shown. */
	monitor->pipeline.filter.since_ns = boot_clock_now();
	if (!err)
		err = write_start(monitor);
	if (!err)
		err = privileges_drop(NULL, 0);
	if (!err)
		err = sandbox_enter_reader();
	/* What waits for it later lets records pile up. */
	if (!err)
		err = broker_wait(&monitor->broker);
	if (err)
		return report_error("cannot start tracing", err);

	uint64_t now_ns = boot_clock_now();

	monitor->coverage_due_ns = now_ns + COVERAGE_EVERY_NS;
	monitor->ends_ns = monitor->options->duration_ms
				   ? now_ns + monitor->options->duration_ms * 1000000
				   : FOREVER;
	log_info("monitoring started (%d processes)", session->nr_seeds);
	return 0;
}

/* Lets COMMAND start, if there is one. Returns 0, or the exit status if it cannot be executed. */
static int release_command(struct monitor *monitor)
{
	int err = monitor->child.pid ? child_release(&monitor->child) : 0;

	return err ? report_command(monitor->options->command[0], err) : 0;
}

/* What has to be done between two passes. */
static void keep_house(struct monitor *monitor, uint64_t now_ns)
{
	struct session *session = &monitor->session;

	processes_expire(monitor->pipeline.processes);
	boot_clock_update(&monitor->pipeline.clock, now_ns);
	warn_of_loss(monitor, now_ns);
	if ((session->control->compat_seen || session->has_compat) && !monitor->late.is_asked) {
		int err = late_attach(&monitor->late, &monitor->broker);

		if (err)
			log_warn("cannot attach the hook for 32-bit programs: %s", strerror(-err));
	}
	if (now_ns >= monitor->coverage_due_ns && monitor->ends_ns == FOREVER) {
		monitor->coverage_due_ns = now_ns + COVERAGE_EVERY_NS;
		monitor->err = write_coverage(monitor, false);
	}
	child_poll(&monitor->child);
	monitor->has_ended =
		stop_signal() || now_ns >= monitor->ends_ns || monitor->child.has_ended;
}

/* Says, once and at once, that standard output took the place of the named output. */
static void note_fallback(struct monitor *monitor)
{
	if (!monitor->output.failed || monitor->has_fallen_back)
		return;
	monitor->has_fallen_back = true;
	report_output(monitor->options->output, monitor->output.error, true);
}

static int wait_ms(const struct monitor *monitor, uint64_t now_ns)
{
	uint64_t left = monitor->ends_ns - now_ns;

	if (monitor->ends_ns == FOREVER || left > STREAM_IDLE_MS * 1000000ULL)
		return STREAM_IDLE_MS;
	return (int)(left / 1000000) + 1;
}

static void loop(struct monitor *monitor)
{
	while (!monitor->has_ended && !monitor->err) {
		int n = stream_pass(&monitor->stream);
		uint64_t now_ns = boot_clock_now();

		if (n < 0) {
			monitor->err = n;
			break;
		}
		keep_house(monitor, now_ns);
		/* Also after an empty pass: the start line and coverage are to be seen at once. */
		if (!monitor->err)
			monitor->err = writer_flush(monitor->pipeline.writer);
		note_fallback(monitor);
		if (!monitor->has_ended && !monitor->err)
			stream_wait(&monitor->stream, n, wait_ms(monitor, now_ns));
	}
}

/* Reads what is left in the buffers, as long as there is time for it. */
static void drain(struct monitor *monitor)
{
	stop_begin();
	session_stop(&monitor->session);
	while (!monitor->err && !stop_give_up) {
		int n = stream_pass(&monitor->stream);

		if (n < 0)
			monitor->err = n;
		if (n <= 0)
			break;
	}
}

/* Ends the output before anything is detached. Returns the exit status. */
static int finish(struct monitor *monitor)
{
	int err;

	drain(monitor);
	if (monitor->err == -ECANCELED) /* --max-events: as it should be */
		monitor->err = 0;
	if (!monitor->err)
		monitor->err = write_coverage(monitor, true);
	if (!monitor->err)
		monitor->err = writer_end(monitor->pipeline.writer);
	err = output_close(&monitor->output);
	if (!monitor->err)
		monitor->err = err;
	note_fallback(monitor);
	if (monitor->err == -EPIPE)
		return EXIT_PIPE_CLOSED;
	log_info("monitoring stopped, %" PRIu64 " events written", monitor->pipeline.nr_written);
	/* A reader that did not read in time; coverage could not be written either. */
	if (monitor->err == -EINTR && stop_signal())
		monitor->err = 0;
	if (monitor->err)
		return report_output(monitor->options->output, monitor->err, false);
	return monitor->output.failed ? EXIT_ERROR : 0;
}

static int exit_status_of(const struct monitor *monitor, int status)
{
	int command = monitor->child.has_ended ? child_exit_status(&monitor->child) : 0;

	if (command)
		return command;
	if (status)
		return status;
	return stop_signal() ? 128 + stop_signal() : 0;
}

static void close_all(struct monitor *monitor)
{
	/* The broker holds COMMAND's release too, which has to be closed for COMMAND to give up. */
	broker_stop(&monitor->broker);
	inspector_free(monitor->inspector);
	child_done(&monitor->child);
	stream_done(&monitor->stream);
	session_close(&monitor->session);
	writer_free(monitor->pipeline.writer);
	processes_free(monitor->pipeline.processes);
	redactor_free(monitor->redactor);
	output_close(&monitor->output);
}

int monitor_run(const struct options *options)
{
	static struct monitor monitor; /* 150 KiB: too much for the stack */
	int status = 0;
	int err;

	monitor.options = options;
	monitor.pipeline.filter = options->filter;
	monitor.pipeline.max_events = options->max_events;
	monitor.stream.epoll = -1;
	monitor.broker.fd = -1;
	monitor.output.fd = -1;
	monitor.child = (struct child){ .release = -1, .failure = -1, .pidfd = -1 };
	err = options->command ? child_start(&monitor.child, options, !options->output) : 0;
	if (err)
		return report_error("cannot prepare COMMAND", err);
	err = stop_install();
	if (err)
		status = report_error("cannot install signal handlers", err);
	if (!status)
		status = check_privileges();
	/* Before the output is emptied: these are errors of the command line. */
	if (!status)
		status = select_config(options, &monitor.config);
	if (!status)
		status = open_output(&monitor);
	if (!status)
		status = open_session(&monitor);
	if (!status)
		status = start(&monitor);
	if (!status) {
		int failure = release_command(&monitor);
		int end;

		/* The stream is whole also when there is nothing to trace. */
		if (!failure)
			loop(&monitor);
		end = finish(&monitor);
		status = failure ? failure : end;
	}
	status = exit_status_of(&monitor, status);
	close_all(&monitor);
	return status;
}

const struct command monitor_command = {
	.name = "monitor",
	.help = "stream crypto events as they happen",
	.synopsis = "[OPTIONS] [-- COMMAND [ARG...]]",
	.details = "Reports executed programs, opened certificates and keys, loaded crypto\n"
		   "libraries and ended processes, as JSON lines. The first line tells how the\n"
		   "stream was made, the last one what was seen, dropped and lost. With\n"
		   "COMMAND only it and its descendants are watched, until it ends.\n",
	.examples = "crypto-tracer monitor --duration 60\n"
		    "crypto-tracer monitor --name nginx --format text\n"
		    "crypto-tracer monitor --file '/etc/ssl/*' --output opens.json\n"
		    "crypto-tracer monitor -o curl.json -- curl https://localhost/\n",
	.tables = { &select_options, &report_options, &limit_options, &output_options,
		    &resource_options, &general_options },
	.takes_command = true,
	.run = monitor_run,
};
