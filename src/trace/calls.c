/* SPDX-License-Identifier: MIT */
#include "trace/calls.h"

#include <stdio.h>
#include <string.h>

#include "catalogue/api_sites.h"
#include "catalogue/libraries.h"
#include "pipeline/clock.h"
#include "sources/api_call/call.h"
#include "sources/lib_load/lib_load.h"
#include "trace/copies.h"
#include "trace/libbpf_log.h"

#define POLICE_EVERY_NS 200000000ULL

void calls_open(struct calls *calls, struct session *session)
{
	struct source_state *state = &session->states[SOURCE_api_call];
	int err = uprobes_load(&calls->uprobes, session);

	calls->session = session;
	if (err) {
		uprobes_close(&calls->uprobes);
		state->is_attached = false;
		state->err = err;
		snprintf(state->reason, sizeof(state->reason), "load: %s",
			 libbpf_log_strerror(err));
	} else if (!calls->uprobes.is_multi && !state->reason[0]) {
		/* Says less than what is there already: all the calls are told. */
		snprintf(state->reason, sizeof(state->reason),
			 "attached one by one, as the kernel refused uprobe_multi");
	}
}

void calls_offer(struct calls *calls, struct broker_config *config)
{
	if (calls->uprobes.object)
		uprobes_offer(&calls->uprobes, config);
}

int calls_start(struct calls *calls, struct broker *broker, const struct processes *processes,
		enum api_group group)
{
	int err;

	if (!calls->uprobes.object)
		return 0;
	calls->broker = broker;
	err = probes_new(&calls->probes, &calls->uprobes, broker, group);
	if (err)
		return err;
	copies_probe(calls->probes, broker, calls->session, processes);
	calls->session->states[SOURCE_api_call].is_attached = true;
	calls->session->has_sites = probes_counts(calls->probes)->sites;
	return 0;
}

void calls_probe_command(struct calls *calls, const char *path)
{
	const struct broker_file how = { .kind = BROKER_FILE_COMMAND };

	if (calls->probes)
		probes_add(calls->probes, &how, path, strlen(path));
}

static struct calls_role *role_of(struct calls *calls, uint32_t pid)
{
	return &calls->roles[pid & (CALLS_ROLES_MAX - 1)];
}

/* Remembers the part that a process takes in TLS, as far as it says so. */
static bool is_server(struct calls *calls, uint32_t pid, const struct api_function *function)
{
	static const struct {
		const char *name;
		bool is_server;
	} signs[] = {
		{ "TLS_server_method", true },	  { "TLS_client_method", false },
		{ "SSL_set_accept_state", true }, { "SSL_set_connect_state", false },
		{ "SSL_accept", true },		  { "SSL_connect", false },
	};
	struct calls_role *role = role_of(calls, pid);

	if (function->kind == API_KIND_context || function->kind == API_KIND_handshake)
		for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
			if (strcmp(function->name, signs[i].name) == 0)
				*role = (struct calls_role){ pid, signs[i].is_server };
	return role->pid == pid && role->is_server;
}

/* Of the kernel's own calls; NULL when there is no such. */
static const struct api_function *kernel_function(const struct record *record)
{
	const struct api_call_event *event = (const void *)record->bytes;
	const char *bytes = (const char *)record->bytes;
	struct tail type = event->texts[0];
	struct tail name = event->texts[1];

	if (event->function != API_KERNEL_bind)
		return api_kernel_function(event->function);
	return api_kernel_bind(bytes + type.off, type.size,
			       algorithm_by_kernel_name(bytes + name.off, name.size));
}

/*
 * What the context of EVENT is, which says so itself at first, by the key "name". NULL when it is
 * nothing that is told.
 */
static const struct api_function *site_function(struct calls *calls,
						const struct api_call_event *event)
{
	const char *key = (const char *)event + event->texts[0].off;
	size_t size = event->texts[0].size;
	uint64_t context = event->values[2];
	uint32_t pid = event->hdr.tgid;
	struct calls_context *known =
		&calls->contexts[((context >> 4) * 0x9e3779b1U ^ pid) & (CALLS_CONTEXTS_MAX - 1)];

	if (size == strlen("name") && memcmp(key, "name", size) == 0) {
		*known = (struct calls_context){
			.function = api_site_function((const char *)event + event->texts[1].off,
						      event->texts[1].size),
			.context = context,
			.pid = pid,
		};
		return known->function;
	}
	if (!api_key_find(key, size))
		return NULL;
	return known->context == context && known->pid == pid && known->function
		       ? known->function
		       : api_site_function("", 0);
}

int calls_resolve(void *ctx, struct record *record)
{
	struct calls *calls = ctx;
	const struct api_call_event *event = (const void *)record->bytes;
	const struct api_function *function;
	const struct probed_file *file;

	if (event->slot == API_SLOT_KERNEL) {
		function = kernel_function(record);
		return function ? api_call_resolve(record, function, "kernel",
						   LIBRARY_FAMILY_kernel, false)
				: STAGE_MALFORMED;
	}
	if (!calls->probes || !probes_at(calls->probes, event->slot, &function, &file))
		return STAGE_MALFORMED;
	if (event->marks & API_OF_SITE)
		function = site_function(calls, event);
	if (!function)
		return STAGE_DROP;
	return api_call_resolve(record, function, file->path, file->family,
				is_server(calls, event->hdr.tgid, function));
}

/* The process has run without probes in FILE since SINCE_NS. */
static void note_late(struct calls *calls, const struct record *record,
		      const struct probed_file *file)
{
	struct coverage_late *late;

	if (calls->nr_late++ >= COVERAGE_LATE_MAX)
		return;
	late = &calls->late[calls->nr_late - 1];
	*late = (struct coverage_late){
		.pid = record->hdr->tgid,
		.library = file->path,
		.ms = (boot_clock_now() - record->hdr->ts_ns + 500000) / 1000000,
	};
	memcpy(late->process, record->hdr->comm, sizeof(late->process));
}

int calls_mapped(void *ctx, struct record *record)
{
	struct calls *calls = ctx;
	const struct lib_load_event *event = (const void *)record->bytes;
	struct broker_file how = {
		.kind = BROKER_FILE_PATH,
		.pid = event->hdr.tgid,
		.ppid = event->hdr.ppid,
		.inode = event->inode,
	};
	const struct probed_file *file;
	uint64_t before;

	if (!calls->probes || event->path.size >= sizeof(how.path) ||
	    probes_find(calls->probes, event->dev_major, event->dev_minor, event->inode, 0))
		return STAGE_NEXT;
	memcpy(how.path, record->bytes + event->path.off, event->path.size);
	before = probes_counts(calls->probes)->files;
	file = probes_add(calls->probes, &how, how.path, event->path.size);
	if (!file) {
		/* Its name is gone, or another one's: the mapping leads to it. */
		copies_probe_mapped(calls->probes, calls->broker, event->hdr.tgid);
		file = probes_find(calls->probes, event->dev_major, event->dev_minor, event->inode,
				   0);
	}
	if (file && probes_counts(calls->probes)->files > before)
		note_late(calls, record, file);
	return STAGE_NEXT;
}

int calls_executed(void *ctx, struct record *record)
{
	struct calls *calls = ctx;
	const struct probed_file *file;
	uint64_t before;

	if (!calls->probes)
		return STAGE_NEXT;
	/* Another program, with another part. */
	role_of(calls, record->hdr->tgid)->pid = 0;
	before = probes_counts(calls->probes)->files;
	file = copies_probe_program(calls->probes, calls->broker, record->hdr->tgid);
	if (file && probes_counts(calls->probes)->files > before)
		note_late(calls, record, file);
	return STAGE_NEXT;
}

void calls_tick(struct calls *calls, uint64_t now_ns)
{
	if (calls->probes)
		calls->session->has_sites = probes_counts(calls->probes)->sites;
	if (!calls->probes || now_ns - calls->police_ns < POLICE_EVERY_NS)
		return;
	calls->police_ns = now_ns;
	probes_police(calls->probes);
}

/* Makes a record of COUNT, of time TS_NS. Returns as pipeline_record(). */
static int tell_count(struct calls *calls, struct pipeline *pipeline, struct api_count *count,
		      uint64_t ts_ns)
{
	uint64_t key = count->key - 1;
	uint32_t pid = (uint32_t)(key >> 32);
	const struct process *process = processes_find(pipeline->processes, pid);
	struct api_call_event event = {
		.hdr = { .version = WIRE_VERSION,
			 .source = SOURCE_api_call,
			 .size = sizeof(event),
			 .ts_ns = ts_ns,
			 .start_ns = count->start_ns,
			 .tgid = pid,
			 .tid = pid },
		.count = __atomic_exchange_n(&count->count, 0, __ATOMIC_SEQ_CST),
		.slot = (uint32_t)key & API_COOKIE_SLOT_MASK,
		.marks = API_COUNTED,
	};

	if (process && process->start_ns == count->start_ns)
		process_fill(process, &event.hdr);
	if (!event.count)
		return 0;
	calls->nr_made++;
	return pipeline_record(pipeline, &event, sizeof(event));
}

int calls_tell_counts(struct calls *calls, struct pipeline *pipeline, uint32_t pid, uint64_t ts_ns)
{
	struct api_count *counts = calls->uprobes.counts;
	int err = 0;

	if (!calls->probes)
		return 0;
	for (size_t i = 0; !err && i < API_COUNTS_MAX; i++) {
		uint64_t key = __atomic_load_n(&counts[i].key, __ATOMIC_SEQ_CST);

		if (!key || (pid && (key - 1) >> 32 != pid))
			continue;
		err = tell_count(calls, pipeline, &counts[i], ts_ns);
		/* Its process has ended: nobody adds to it any more. */
		if (pid)
			__atomic_store_n(&counts[i].key, 0, __ATOMIC_SEQ_CST);
	}
	return err;
}

void calls_cover(const struct calls *calls, struct coverage *coverage)
{
	const struct probe_counts *counts;
	const struct api_shared *shared = calls->uprobes.shared;

	if (!calls->probes)
		return;
	counts = probes_counts(calls->probes);
	coverage_set_late(coverage, calls->late, calls->nr_late);
	if (calls->nr_late > COVERAGE_LATE_MAX)
		coverage_add_some(coverage, "libraries in late_attach", "more than are named",
				  calls->nr_late - COVERAGE_LATE_MAX);
	if (counts->lapsed > COVERAGE_LAPSES_MAX)
		coverage_add_some(coverage, "functions in detached", "more than are named",
				  counts->lapsed - COVERAGE_LAPSES_MAX);
	coverage_add_some(coverage, "calls in a library", "it could not be opened or probed",
			  counts->failed);
	coverage_add_some(coverage, "calls in libraries of a directory, cache or process",
			  "no memory or descriptor to look for them", counts->unlooked);
	coverage_add_some(coverage, "calls in a library",
			  "it is for another machine, or 32-bit programs", counts->foreign);
	coverage_add_some(coverage, "calls of functions", "the kernel refused the probe",
			  counts->single);
	coverage_add_some(coverage, "static probes of libraries",
			  "with a counter of those who look, or arguments in an unknown form",
			  counts->sites_refused);
	coverage_add_some(coverage, "calls in a library", "more copies than there is room for",
			  counts->refused);
	coverage_add_some(coverage, "calls in containers",
			  "more root directories than are looked at",
			  calls->session->nr_roots_refused);
	for (size_t i = 0; probes_lapse(calls->probes, i); i++)
		coverage_add_lapse(coverage, probes_lapse(calls->probes, i)->function->name,
				   probes_lapse(calls->probes, i)->file->path);
	coverage_add_some(coverage, "calls of functions that are counted",
			  "more than there is room for", shared->counts_lost);
	coverage_add_some(coverage, "results of calls", "nested too deeply", shared->frames_lost);
	coverage_add_some(coverage, "arguments of calls", "their memory could not be read",
			  shared->faults);
}

void calls_close(struct calls *calls)
{
	probes_free(calls->probes);
	uprobes_close(&calls->uprobes);
	calls->probes = NULL;
}
