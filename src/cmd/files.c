/* SPDX-License-Identifier: MIT */
/* `files`: crypto files as they are opened, or those that are open now. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/monitor.h"
#include "cmd/take.h"
#include "lib/file.h"
#include "lib/stop.h"
#include "pipeline/coverage.h"
#include "pipeline/pipeline.h"
#include "sources/file_open/content.h"
#include "sources/file_open/file_open.h"

static int watch(const struct options *options)
{
	struct options stream = *options;

	stream.filter.wanted = 1U << SOURCE_file_open;
	return monitor_run(&stream);
}

/* As many as the kernel side looks at. */
#define ANCESTORS_MAX 64

/* One pass over the inventory as a stream. */
struct listing {
	struct take *take;
	struct pipeline pipeline;
	const struct inventory_object *object; /* that the present event is about */
	uint64_t now_ns;		       /* boot time */
	uint64_t nr_events;
};

static void tell_content(void *ctx, struct record *record)
{
	const struct listing *listing = ctx;

	if (listing->object->content)
		file_open_set_content(record, listing->object->content, true);
}

/* The event that would have been reported, had it been seen to be opened. */
static int list_use(struct listing *listing, const struct inventory_process *process,
		    const struct inventory_use *use)
{
	const struct inventory_object *object = use->object;
	struct {
		struct file_open_event event;
		char name[BROKER_PATH_MAX];
	} record = {
		.event = {
			.hdr = {
				.version = WIRE_VERSION,
				.source = SOURCE_file_open,
				.ts_ns = listing->now_ns,
				.start_ns = process->start_ns,
				.tgid = process->pid,
				.tid = process->pid,
				.ppid = process->ppid,
				.uid = process->uid,
				.gid = process->gid,
			},
			.flags = use->open_flags & FILE_ACCMODE,
			.inode = object->inode,
			.dev_major = object->dev_major,
			.dev_minor = object->dev_minor,
			.marks = OPEN_BEFORE | (object->is_deleted ? OPEN_DELETED : 0),
		},
	};
	size_t size = object->path_size < sizeof(record.name) ? object->path_size
							      : sizeof(record.name) - 1;

	memcpy(record.event.hdr.comm, process->comm, COMM_SIZE);
	memcpy(record.event.hdr.thread, process->comm, COMM_SIZE);
	memcpy(record.name, object->path, size);
	record.event.name = (struct tail){
		.off = (uint16_t)sizeof(record.event),
		.size = (uint16_t)size,
	};
	record.event.hdr.size = (uint32_t)(sizeof(record.event) + size);
	listing->object = object;
	listing->nr_events++;
	return pipeline_record(&listing->pipeline, &record, record.event.hdr.size);
}

/* Whether PROCESS itself is what --pid or --name name; without both every process is. */
static bool is_root(const struct options *options, const struct inventory_process *process)
{
	bool is_named = options->nr_pids == 0;

	for (size_t i = 0; i < options->nr_pids; i++)
		is_named |= options->pids[i] == process->pid;
	return is_named && (!options->name || inventory_is_called(process, options->name));
}

/* The parent of PROCESS, NULL where it is not known. Processes are sorted by pid. */
static const struct inventory_process *parent_of(const struct inventory *inventory,
						 const struct inventory_process *process)
{
	size_t first = 0;
	size_t last = inventory->nr_processes;

	while (first < last) {
		size_t middle = first + (last - first) / 2;

		if (inventory->processes[middle]->pid < process->ppid)
			first = middle + 1;
		else
			last = middle;
	}
	return first < inventory->nr_processes && inventory->processes[first]->pid == process->ppid
		       ? inventory->processes[first]
		       : NULL;
}

/* As the kernel would select for a stream (bpf/set.bpf.h). */
static bool is_selected(const struct take *take, const struct inventory_process *process)
{
	const struct options *options = take->options;
	const struct inventory_process *at = process;
	bool has_uid = options->nr_uids == 0;

	for (size_t i = 0; i < options->nr_uids; i++)
		has_uid |= options->uids[i] == process->uid;
	if (!has_uid)
		return false;
	for (int i = 0; at && i < ANCESTORS_MAX; i++) {
		if (is_root(options, at))
			return true;
		at = options->follow_children ? parent_of(take->inventory, at) : NULL;
	}
	return false;
}

static int list_all(struct listing *listing)
{
	const struct inventory *inventory = listing->take->inventory;
	int err = 0;

	for (size_t i = 0; !err && i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];
		struct process *entry;

		if (!process->nr_uses || !is_selected(listing->take, process))
			continue;
		entry = processes_add(listing->pipeline.processes, process->pid, process->start_ns);
		if (entry)
			entry->container = process->container;
		for (uint32_t j = 0; !err && j < process->nr_uses; j++)
			if (process->uses[j].is_open)
				err = list_use(listing, process, &process->uses[j]);
	}
	return err;
}

static int write_document(struct listing *listing, const void *document,
			  const struct fields *fields)
{
	struct record record = { .bytes = document, .arena = &listing->pipeline.arena };

	listing->pipeline.arena.used = 0;
	return writer_record(listing->pipeline.writer, &record, &fields, 1);
}

static int write_start(struct listing *listing)
{
	const struct options *options = listing->take->options;
	const struct stream_start start = {
		.schema_version = SCHEMA_VERSION,
		.tool = "crypto-tracer " VERSION,
		.host = listing->take->hostname,
		.kernel = listing->take->kernel,
		.unix_ns = listing->take->source.now_ns,
		.options = options->command_line,
		.options_size = options->command_line_size,
	};

	return write_document(listing, &start, &start_fields);
}

static int write_coverage(struct listing *listing)
{
	static struct coverage coverage;
	const struct document_source *source = &listing->take->source;
	const struct inventory *inventory = source->inventory;
	const struct source_counters counters = {
		.hit = listing->nr_events,
		.sent = listing->nr_events,
	};

	coverage_init(&coverage, boot_clock_unix(&listing->take->clock, boot_clock_now()), true);
	coverage_add_source(&coverage, &file_open_source, true, source->reason, &counters,
			    &listing->pipeline.fates[SOURCE_file_open]);
	coverage_name_hook(&coverage,
			   strcmp(source->method, "bpf") == 0 ? "iter/task_file" : "/proc");
	if (inventory->nr_hidden)
		coverage_add_gap(&coverage, "files of processes of other users",
				 "needs root, or CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
				 inventory->nr_hidden);
	coverage_add_some(&coverage, "processes or files",
			  "more than are kept; see --max-processes", inventory->nr_refused);
	if (source->counts.nr_failed)
		coverage_add_gap(&coverage, "content of open files",
				 "gone meanwhile, no permission, or no descriptor for it",
				 source->counts.nr_failed);
	return write_document(listing, &coverage, &coverage_fields);
}

static int write_stream(struct take *take, int *ret_err)
{
	static struct listing listing;
	const struct options *options = take->options;
	int err;

	listing.take = take;
	listing.now_ns = boot_clock_now();
	listing.pipeline.filter = options->filter;
	listing.pipeline.filter.wanted = 1U << SOURCE_file_open;
	listing.pipeline.max_events = options->max_events;
	listing.pipeline.clock = take->clock;
	listing.pipeline.handlers[SOURCE_file_open] =
		(struct pipeline_handler){ .handle = tell_content, .ctx = &listing };
	err = processes_new(&listing.pipeline.processes, options->max_processes, false);
	if (!err)
		err = writer_new(&listing.pipeline.writer, options->sink, &take->output,
				 take->redactor, take->has_color);
	if (err)
		return report_error("cannot take the inventory", err);
	err = write_start(&listing);
	if (!err)
		err = list_all(&listing);
	if (err == -ECANCELED) /* --max-events: as it should be */
		err = 0;
	if (!err)
		err = write_coverage(&listing);
	if (!err)
		err = writer_end(listing.pipeline.writer);
	*ret_err = err;
	writer_free(listing.pipeline.writer);
	processes_free(listing.pipeline.processes);
	return 0;
}

static int files_run(const struct options *options)
{
	static struct take take;
	int status;
	int err = 0;

	if (!options->open_now)
		return watch(options);
	status = take_begin(&take, options, false);
	if (!status)
		status = take_inventory(&take, TAKE_FILES);
	if (!status)
		status = write_stream(&take, &err);
	return take_end(&take, status, err);
}

const struct command files_command = {
	.name = "files",
	.help = "stream accesses to certificates and keys",
	.synopsis = "[OPTIONS]",
	.details = "Reports every certificate, key, keystore and crypto configuration that is\n"
		   "opened, or that could not be, and what it contains. With --open: those\n"
		   "that are open now.\n",
	.examples = "crypto-tracer files --duration 60\n"
		    "crypto-tracer files --path '/etc/ssl/*'\n"
		    "crypto-tracer files --open --format text\n",
	.tables = { &files_options, &select_options, &limit_options, &output_options,
		    &resource_options, &hook_options, &general_options },
	.run = files_run,
};
