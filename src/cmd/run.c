/* SPDX-License-Identifier: MIT */
#include "cmd/run.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/select.h"
#include "inspect/content.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "priv/privileges.h"
#include "priv/sandbox.h"
#include "sources/api_call/call.h"
#include "sources/file_open/content.h"
#include "sources/tls_handshake/handshake.h"
#include "trace/cpu_rings.h"
#include "trace/gaps.h"
#include "trace/libbpf_log.h"
#include "trace/reduced.h"

#define LOSS_EVERY_NS	1000000000ULL
#define COUNTS_EVERY_NS (60ULL * 1000000000)

/* What was counted of a process comes before its end. */
static int on_record(void *ctx, const void *bytes, size_t size)
{
	struct run *run = ctx;
	const struct event_hdr *hdr = bytes;
	int err = 0;

	if (run->options->api == OPTION_API_all && size >= sizeof(*hdr) &&
	    hdr->source == SOURCE_process_exit)
		err = calls_tell_counts(&run->calls, &run->pipeline, hdr->tgid, hdr->ts_ns);
	if (err)
		return err;
	if (size >= sizeof(*hdr) && hdr->source == SOURCE_tap)
		return tap_record(&run->tap, bytes, size);
	return pipeline_record(&run->pipeline, bytes, size);
}

void run_look_at_chain(void *ctx, struct record *record)
{
	struct run *run = ctx;
	const struct content *content = run->chains ? chains_look(run->chains, record) : NULL;
	const char *path;

	if (!content)
		return;
	tls_handshake_set_content(record, content);
	path = tls_handshake_is_server(record)
		       ? opened_find(run->opened, record->hdr->tgid, record->hdr->ppid, content)
		       : NULL;
	if (path)
		tls_handshake_set_certificate_file(record, path, strlen(path));
}

void run_look_into(void *ctx, struct record *record)
{
	struct run *run = ctx;
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

	content = inspector_look(run->inspector, &file, record->unix_ns, &is_news);
	if (!content)
		return;
	file_open_set_content(record, content, is_news);
	if (run->opened)
		opened_add(run->opened, file.pid, content, file.path, file.path_size);
}

/* Files that were opened, and not looked into. */
static void add_uninspected(struct coverage *coverage, const struct inspector_counts *counts)
{
	coverage_add_some(coverage, "content of opened files",
			  "gone or changed before it was read, or no permission",
			  counts->nr_failed);
	coverage_add_some(coverage, "content of opened files", "not known which file it was",
			  counts->nr_unknown);
	coverage_add_some(coverage, "content of opened files", "no memory or descriptor for it",
			  counts->nr_short);
	coverage_add_some(coverage, "content of opened files", "more than 200 new ones in a second",
			  counts->nr_throttled);
}

/* Adds the events of SOURCE that were made in user space. */
static void add_made(const struct run *run, enum source_id source, struct source_counters *counters)
{
	uint64_t nr_made = run->tap.nr_made[source];

	if (source == SOURCE_api_call)
		nr_made = run->calls.nr_made;
	counters->hit += nr_made;
	counters->sent += nr_made;
}

void run_cover(const struct run *run, struct coverage *coverage, bool is_final)
{
	coverage_init(coverage, boot_clock_unix(&run->pipeline.clock, boot_clock_now()), is_final);
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct source_state *state = &run->session.states[i];
		struct source_counters counters;

		session_counters(&run->session, (enum source_id)i, &counters);
		add_made(run, (enum source_id)i, &counters);
		if (tap_makes((enum source_id)i))
			state = &run->session.states[SOURCE_tap];
		coverage_add_source(coverage, sources[i], state->is_attached, state->reason,
				    &counters, &run->pipeline.fates[i]);
		if (session_hook(&run->session, i))
			coverage_name_hook(coverage, session_hook(&run->session, i));
	}
	gaps_add(coverage, &run->session, &run->late, &run->pipeline);
	calls_cover(&run->calls, coverage);
	tap_cover(&run->tap, coverage);
	if (run->inspector)
		add_uninspected(coverage, inspector_counts(run->inspector));
	if (run->chains)
		coverage_add_some(coverage, "certificates of servers", "no memory for them",
				  chains_count_short(run->chains));
}

/* The records lost so far, by all sources. */
static uint64_t count_lost(const struct run *run)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < NR_SOURCES; i++) {
		struct source_counters counters;

		session_counters(&run->session, (enum source_id)i, &counters);
		lost += counters.ring_full;
	}
	return lost;
}

static void warn_of_loss(struct run *run)
{
	uint64_t lost = count_lost(run);

	if (lost > run->lost)
		log_warn("%" PRIu64 " events lost: the buffer was full; see --buffer-size", lost);
	run->lost = lost;
}

int run_init(struct run *run, const struct options *options, bool is_output_taken)
{
	int status = 0;
	int err;

	*run = (struct run){
		.options = options,
		.pipeline = { .filter = options->filter, .max_events = options->max_events },
		.stream = { .epoll = -1 },
		.broker = { .fd = -1 },
		.program = -1,
	};
	uname(&run->host);
	err = options->command ? child_start(&run->child, options, is_output_taken) : 0;
	if (err)
		return report_error("cannot prepare COMMAND", err);
	err = stop_install();
	if (err)
		status = report_error("cannot install signal handlers", err);
	return status;
}

int run_check(struct run *run)
{
	int status = check_privileges();

	return status ? status : select_config(run->options, &run->config);
}

static bool wants_calls(const struct run *run)
{
	return run->options->filter.wanted & 1U << SOURCE_api_call;
}

static void open_calls(struct run *run)
{
	if (!wants_calls(run) || run->session.reduced)
		return;
	calls_open(&run->calls, &run->session);
	if (run->options->command)
		run->program = child_open_program(run->options, run->program_path);
	if (run->program < 0)
		run->program_path[0] = '\0';
}

static void tell_sources(const struct run *run)
{
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct source_state *state = &run->session.states[i];

		/* That was said for all of them. */
		if (run->session.reduced && !state->is_attached && !reduced_hook((enum source_id)i))
			continue;
		if (state->reason[0])
			log_warn("%s: %s", sources[i]->name, state->reason);
		else if (state->is_attached)
			log_debug("%s: attached to %s", sources[i]->name,
				  session_hook(&run->session, i));
	}
}

/* A signal breaks what start-up is at, such as loading a program: then the signal is the reason. */
static int report_start(const char *what, int err)
{
	return stop_signal() ? 128 + stop_signal() : report_tracing(what, err);
}

/* Whether the hooks that --hook names are in use; says which is not. */
static bool has_forced_hooks(const struct run *run)
{
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct source_state *state = &run->session.states[i];

		if (!run->options->hooks[i] || (state->hook && state->is_attached))
			continue;
		if (!state->hook && !run->session.reduced)
			continue;
		report_hook(sources[i], run->options->hooks[i],
			    run->session.reduced ? "The kernel is too old, or has no type "
						   "information (BTF)."
						 : state->reason);
		return false;
	}
	return true;
}

int run_open(struct run *run)
{
	int err = processes_new(&run->pipeline.processes, run->options->max_processes,
				select_is_narrow(run->options));

	if (err)
		return report_error("cannot start", err);
	memcpy(run->session.forced, run->options->hooks, sizeof(run->session.forced));
	err = session_open(&run->session, &run->config, stream_on_bpf_record, &run->stream);
	if (err && stop_signal())
		return 128 + stop_signal();
	if (err == -EOPNOTSUPP)
		return report_old_kernel(libbpf_log_text());
	if (err)
		return report_load(err, libbpf_log_text(), run->options->verbose);
	if (!has_forced_hooks(run))
		return EXIT_LOAD;
	open_calls(run);
	tell_sources(run);
	err = tap_open(&run->tap, &run->session, &run->pipeline, &run->broker);
	for (size_t i = 0; !err && i < run->options->nr_pids; i++)
		err = session_add_root(&run->session, run->options->pids[i]);
	if (!err && run->child.pid)
		err = session_add_root(&run->session, (uint32_t)run->child.pid);
	if (!err)
		err = stream_init(&run->stream, &run->session);
	/* Where there is none its end is seen at the next turn of the loop: STREAM_IDLE_MS. */
	if (!err && run->child.spawned.pidfd >= 0 && run->child.pid)
		err = stream_watch(&run->stream, run->child.spawned.pidfd);
	return err ? report_start("cannot prepare tracing", err) : 0;
}

static int start_inspector(struct run *run)
{
	int err = content_prepare();

	if (!err)
		err = inspector_new(&run->inspector, &run->broker);
	if (!err && !run->options->redact_sni)
		err = chains_new(&run->chains);
	if (!err && run->chains)
		err = opened_new(&run->opened);
	if (err)
		return err;
	run->pipeline.handlers[SOURCE_file_open] =
		(struct pipeline_handler){ .handle = run_look_into, .ctx = run };
	run->pipeline.handlers[SOURCE_tls_handshake] =
		(struct pipeline_handler){ .handle = run_look_at_chain, .ctx = run };
	return 0;
}

static void close_program(struct run *run)
{
	if (run->program >= 0)
		close(run->program);
	run->program = -1;
}

/* The broker loads its hook while this process goes on. */
static int start_broker(struct run *run)
{
	struct broker_config config = { .command = run->program };
	int err;

	late_init(&run->late, &run->session, &config);
	session_offer(&run->session, &config);
	cpu_rings_offer(&run->session, &config);
	calls_offer(&run->calls, &config);
	session_loaded(&run->session);
	err = broker_start(&run->broker, &config);
	if (err)
		return err;
	close_program(run);
	session_serve(&run->session, &run->broker, (uint32_t)getpid());
	return run->options->no_inspect ? 0 : start_inspector(run);
}

/* What a process has mapped tells who makes its calls, and its handshakes. */
static int mapped(void *ctx, struct record *record)
{
	struct run *run = ctx;
	int result = calls_mapped(&run->calls, record);

	return result == STAGE_NEXT ? tap_mapped(&run->tap, record) : result;
}

static int executed(void *ctx, struct record *record)
{
	struct run *run = ctx;
	int result = calls_executed(&run->calls, record);

	return result == STAGE_NEXT ? tap_executed(&run->tap, record) : result;
}

static void watch_mappings(struct run *run)
{
	struct pipeline_handler *handlers = run->pipeline.handlers;

	handlers[SOURCE_lib_load].resolve = mapped;
	handlers[SOURCE_lib_load].resolve_ctx = run;
	handlers[SOURCE_process_exec].resolve = executed;
	handlers[SOURCE_process_exec].resolve_ctx = run;
}

static int resolve_call(void *ctx, struct record *record)
{
	struct run *run = ctx;
	int result = calls_resolve(&run->calls, record);

	if (result == STAGE_NEXT && run->options->redact_sni)
		api_call_hide_hosts(record);
	return result;
}

/* Calls are seen from here on, in what is there and in what comes. */
static int start_calls(struct run *run)
{
	struct pipeline_handler *handlers = run->pipeline.handlers;
	enum api_group group =
		run->options->api == OPTION_API_all ? API_GROUP_all : API_GROUP_default;
	int err;

	if (!wants_calls(run) || run->session.reduced)
		return 0;
	handlers[SOURCE_api_call].resolve = resolve_call;
	handlers[SOURCE_api_call].resolve_ctx = run;
	run->stream.window_ms = STREAM_WINDOW_SHORT_MS;
	err = calls_start(&run->calls, &run->broker, run->pipeline.processes, group);
	if (!err && run->program_path[0])
		calls_probe_command(&run->calls, run->program_path);
	return err;
}

int run_start(struct run *run)
{
	struct session *session = &run->session;
	int err = start_broker(run);
	uint64_t now_ns;

	run->stream.on_record = on_record;
	run->stream.ctx = run;
	boot_clock_init(&run->pipeline.clock);
	if (!err)
		err = session_start(session, run->pipeline.processes);
	/* From here on nothing is missed; what came before is not whole and not shown. */
	now_ns = boot_clock_now();
	run->pipeline.filter.since_ns = now_ns;
	if (!err)
		err = privileges_drop(NULL, 0);
	if (!err)
		err = sandbox_enter_reader();
	/* What waits for it later lets records pile up. */
	if (!err)
		err = broker_wait(&run->broker);
	watch_mappings(run);
	if (!err)
		err = start_calls(run);
	if (err)
		return report_start("cannot start tracing", err);
	run->ends_ns = run->options->duration_ms ? now_ns + run->options->duration_ms * 1000000
						 : RUN_FOREVER;
	return 0;
}

int run_release_command(struct run *run)
{
	int err = run->child.pid ? child_release(&run->child) : 0;

	return err ? report_command(run->options->command[0], err) : 0;
}

/* Looks for CPUs without rings; says which have one now, and which cannot. */
static void look_at_cpus(struct run *run, uint64_t now_ns)
{
	struct cpu_rings_news news;

	if (!cpu_rings_look(&run->session, &run->broker, now_ns, &news))
		return;
	if (news.gone[0])
		log_debug("CPUs %s went offline", news.gone);
	if (news.opened[0])
		log_info("CPUs %s came online: from now on they are traced, too; see 'not_seen' "
			 "in coverage",
			 news.opened);
	if (news.failed[0])
		log_warn("CPUs %s came online: not everything there is seen yet (%s); tried "
			 "again every second, see 'not_seen' in coverage",
			 news.failed, strerror(-news.err));
}

/* What has to be done between two passes. */
static void keep_house(struct run *run, uint64_t now_ns)
{
	struct session *session = &run->session;

	processes_expire(run->pipeline.processes);
	boot_clock_update(&run->pipeline.clock, now_ns);
	if (now_ns >= run->loss_due_ns) {
		run->loss_due_ns = now_ns + LOSS_EVERY_NS;
		warn_of_loss(run);
	}
	look_at_cpus(run, now_ns);
	if ((session->control->compat_seen || session->has_compat) && !run->late.is_asked &&
	    late_is_needed(session)) {
		int err = late_attach(&run->late, &run->broker);

		if (err)
			log_warn("cannot attach the hook for 32-bit programs: %s", strerror(-err));
	}
	calls_tick(&run->calls, now_ns);
	/* Records of before that moment have been handed over; it is not that late yet. */
	if (!run->err)
		run->err = tap_tick(&run->tap, run->stream.staged_until_ns);
	if (now_ns >= run->counts_due_ns) {
		if (run->counts_due_ns && !run->err)
			run->err = calls_tell_counts(&run->calls, &run->pipeline, 0,
						     run->stream.staged_until_ns);
		run->counts_due_ns = now_ns + COUNTS_EVERY_NS;
	}
	child_poll(&run->child);
	run->has_ended = stop_signal() || now_ns >= run->ends_ns || run->child.has_ended;
}

static int wait_ms(const struct run *run, uint64_t now_ns)
{
	uint64_t left = run->ends_ns - now_ns;

	if (run->ends_ns == RUN_FOREVER || left > STREAM_IDLE_MS * 1000000ULL)
		return STREAM_IDLE_MS;
	return (int)(left / 1000000) + 1;
}

void run_loop(struct run *run)
{
	while (!run->has_ended && !run->err) {
		int n = stream_pass(&run->stream);
		uint64_t now_ns = boot_clock_now();

		if (n < 0) {
			run->err = n;
			break;
		}
		keep_house(run, now_ns);
		if (!run->err)
			run->err = run->tick(run->ctx, now_ns);
		if (!run->has_ended && !run->err)
			stream_wait(&run->stream, n, wait_ms(run, now_ns));
	}
}

void run_drain(struct run *run)
{
	struct cpu_rings_news news;

	stop_begin();
	session_stop(&run->session);
	/* Once more: the last look may be a second ago. */
	run->session.cpus.due_ns = 0;
	cpu_rings_look(&run->session, NULL, boot_clock_now(), &news);
	while (!run->err && !stop_give_up) {
		int n = stream_pass(&run->stream);

		if (n < 0)
			run->err = n;
		if (n <= 0)
			break;
	}
	if (!run->err)
		run->err = calls_tell_counts(&run->calls, &run->pipeline, 0, boot_clock_now());
	if (!run->err)
		run->err = tap_finish(&run->tap, boot_clock_now());
	/* What was lost last the kernel tells only with what comes after. */
	warn_of_loss(run);
}

int run_exit_status(const struct run *run, int status)
{
	int command = run->child.has_ended ? child_exit_status(&run->child) : 0;

	if (command)
		return command;
	if (status)
		return status;
	return stop_signal() ? 128 + stop_signal() : 0;
}

void run_close(struct run *run)
{
	session_detach(&run->session);
	/* The broker holds COMMAND's release too, which has to be closed for COMMAND to give up. */
	broker_stop(&run->broker);
	inspector_free(run->inspector);
	calls_close(&run->calls);
	tap_close(&run->tap);
	chains_free(run->chains);
	opened_free(run->opened);
	close_program(run);
	child_done(&run->child);
	stream_done(&run->stream);
	session_close(&run->session);
	processes_free(run->pipeline.processes);
}
