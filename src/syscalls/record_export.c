/* SPDX-License-Identifier: MIT */
/* What the kernel side has counted, as a recording. */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/cleanup.h"
#include "syscalls/points.h"
#include "syscalls/record_tree.h"
#include "syscalls/serving.h"

/* "FILE+0x" and 16 digits */
#define ENTRY_SIZE (RECORD_PATH_MAX + 24)

struct exporter {
	const struct record_fds *fds;
	const struct record_state *state;
	const struct record_node *nodes;
	struct recording *recording;
	struct recording_run *run;
	uint32_t nr_nodes;
	char **paths; /* by number; NULL: not known */
	uint32_t nr_paths;
	uint32_t ids[RECORD_NODES_MAX]; /* of the recording's nodes, by slot */
	size_t auto_phase;		/* that `auto` begins; 0: no such point */
	bool counts_tentative;
	uint64_t nr_waits; /* in the phase that `auto` began where nobody listened */
};

static void export_done(struct exporter *exporter)
{
	for (uint32_t i = 0; exporter->paths && i < exporter->nr_paths; i++)
		free(exporter->paths[i]);
	free(exporter->paths);
}

/* The key of MAP behind LAST, or the first. Returns 1, 0 where there is none, or a negative errno.
 */
static int next_key(int map, const void *last, void *key)
{
	int err = bpf_map_get_next_key(map, last, key);

	if (err == -ENOENT)
		return 0;
	return err ? err : 1;
}

/* Takes over the path of the file KEY from ALL. Returns 0 or a negative errno. */
static int read_path(struct exporter *exporter, const struct record_file_key *key,
		     const struct record_paths *all)
{
	struct record_file file;
	char **path;
	int err = bpf_map_lookup_elem(exporter->fds->fd[RECORD_FD_files], key, &file);

	if (err)
		return err;
	if (file.id >= exporter->nr_paths || file.path >= RECORD_PATHS_SIZE ||
	    file.path_size > RECORD_PATH_MAX)
		return 0;
	path = &exporter->paths[file.id];
	free(*path);
	*path = file.path_size ? strndup(all->bytes + file.path, file.path_size) : strdup("/");
	return *path ? 0 : -ENOMEM;
}

static int read_paths(struct exporter *exporter)
{
	struct record_file_key key, *last = NULL;
	int map = exporter->fds->fd[RECORD_FD_files];
	struct record_paths *all = mmap(NULL, sizeof(*all), PROT_READ, MAP_SHARED,
					exporter->fds->fd[RECORD_FD_paths], 0);
	int err = all == MAP_FAILED ? -errno : 0;

	exporter->nr_paths = exporter->state->nr_files;
	exporter->paths = calloc(exporter->nr_paths + 1, sizeof(*exporter->paths));
	if (!exporter->paths)
		err = err ? err : -ENOMEM;
	while (!err && (err = next_key(map, last, &key)) > 0) {
		last = &key;
		err = read_path(exporter, &key, all);
	}
	if (all != MAP_FAILED)
		munmap(all, sizeof(*all));
	return err;
}

static const char *path_of(const struct exporter *exporter, uint32_t file)
{
	const char *path = file < exporter->nr_paths ? exporter->paths[file] : NULL;

	return path ? path : "(unknown)";
}

/* The phase outside for PHASE inside. */
static uint32_t phase_of(const struct exporter *exporter, uint32_t phase)
{
	uint32_t outside = phase / 2 + (phase % 2 && exporter->counts_tentative);

	return outside < exporter->recording->nr_phases ? outside : 0;
}

/*
 * Where the start routine of NODE is, in TEXT; NULL: not known. A thread that ended before it could
 * be found out has it from another one of the same program.
 */
static const char *entry_of(const struct exporter *exporter, const struct record_node *node,
			    char text[ENTRY_SIZE])
{
	for (uint32_t i = 0; node->entry_file == RECORD_LATER && i < exporter->nr_nodes; i++) {
		const struct record_node *other = &exporter->nodes[i];

		if (other->file == node->file && other->address == node->address &&
		    other->entry_file < RECORD_LATER)
			node = other;
	}
	if (node->entry_file >= RECORD_LATER)
		return NULL;
	snprintf(text, ENTRY_SIZE, "%s+0x%" PRIx64, path_of(exporter, node->entry_file),
		 (uint64_t)node->entry);
	return text;
}

/*
 * Enters the node in SLOT, after its parent. One that began with a phase which does not count is
 * the node before.
 */
static int export_node(struct exporter *exporter, uint32_t slot)
{
	const struct record_node *node = &exporter->nodes[slot];
	uint32_t phase = phase_of(exporter, node->phase);
	uint32_t parent = RECORDING_NONE;
	char text[ENTRY_SIZE];
	int id;

	exporter->ids[slot] = RECORDING_NONE;
	if (!node->is_used)
		return 0;
	if (node->parent != RECORD_NONE) {
		if (node->parent >= slot || exporter->ids[node->parent] == RECORDING_NONE)
			return 0;
		parent = exporter->ids[node->parent];
		if (node->start == NODE_START_phase &&
		    exporter->recording->nodes[parent].phase == phase) {
			exporter->ids[slot] = parent;
			return 0;
		}
	}
	id = recording_node(exporter->recording, parent, node->start, phase,
			    path_of(exporter, node->file), entry_of(exporter, node, text));
	if (id < 0)
		return id;
	exporter->ids[slot] = (uint32_t)id;
	exporter->recording->nodes[id].nr_instances += node->nr_instances;
	return 0;
}

/* Returns 0 or a negative errno. */
static int read_count(const struct exporter *exporter, const struct record_count_key *key,
		      struct recording_call *ret)
{
	struct record_count count;
	int err = bpf_map_lookup_elem(exporter->fds->fd[RECORD_FD_counts], key, &count);

	if (err)
		return err;
	*ret = (struct recording_call){
		.nr = key->nr,
		.arch = (uint8_t)key->arch,
		.count = count.count,
		.errors = count.errors,
		.first_seen_ns = count.first_ns - 1,
	};
	return 0;
}

/* Calls TAKE for each counter. Returns 0, what TAKE returned, or a negative errno. */
static int each_count(struct exporter *exporter,
		      int (*take)(struct exporter *exporter, uint32_t slot,
				  const struct recording_call *call))
{
	struct record_count_key key, *last = NULL;
	struct recording_call call;
	int err = 0;

	while (!err && (err = next_key(exporter->fds->fd[RECORD_FD_counts], last, &key)) > 0) {
		last = &key;
		err = read_count(exporter, &key, &call);
		if (!err && key.slot < exporter->nr_nodes && call.count)
			err = take(exporter, key.slot, &call);
	}
	return err;
}

static int take_call(struct exporter *exporter, uint32_t slot, const struct recording_call *call)
{
	if (exporter->ids[slot] == RECORDING_NONE) {
		exporter->run->lost += call->count;
		return 0;
	}
	recording_run_count(exporter->run, call);
	return recording_add(exporter->recording, exporter->ids[slot], call);
}

static int take_wait(struct exporter *exporter, uint32_t slot, const struct recording_call *call)
{
	if (call->arch == syscall_arch_native() && point_is_wait(call->nr) &&
	    exporter->nodes[slot].phase == RECORD_TENTATIVE(exporter->auto_phase - 1))
		exporter->nr_waits += call->count;
	return 0;
}

/* Whether `auto` is at what processes wait in that do not listen. */
static int judge_tentative(struct exporter *exporter)
{
	int err;

	if (!exporter->auto_phase || exporter->state->hits[exporter->auto_phase - 1] ||
	    !exporter->state->nr_tentative)
		return 0;
	err = each_count(exporter, take_wait);
	exporter->counts_tentative =
		exporter->nr_waits >= SERVING_MIN * exporter->state->nr_tentative;
	return err;
}

static int export_phases(struct exporter *exporter)
{
	struct recording *recording = exporter->recording;
	const struct record_wait *wait = &exporter->state->wait[exporter->counts_tentative ? 0 : 1];

	for (size_t i = 1; i < recording->nr_phases; i++)
		recording->phases[i].nr_hits = exporter->state->hits[i - 1];
	if (!exporter->auto_phase)
		return 0;
	if (exporter->counts_tentative)
		recording->phases[exporter->auto_phase].nr_hits = exporter->state->nr_tentative;
	if (wait->call == RECORD_NONE ||
	    (!exporter->counts_tentative && !exporter->state->hits[exporter->auto_phase - 1]))
		return 0;

	struct serving serving = {
		.phase = (uint32_t)exporter->auto_phase,
		.nr = wait->call & 0xffff,
		.listens = !exporter->counts_tentative,
	};

	memcpy(serving.name, wait->comm, sizeof(wait->comm));
	return serving_explain(recording, &serving);
}

int record_tree_export(const struct record_fds *fds, const struct record_state *state,
		       const struct record_node *nodes, struct recording *recording,
		       struct recording_run *run)
{
	_cleanup_(cleanup_free) struct exporter *exporter = calloc(1, sizeof(*exporter));
	int err;

	if (!exporter)
		return -ENOMEM;
	exporter->fds = fds;
	exporter->state = state;
	exporter->nodes = nodes;
	exporter->recording = recording;
	exporter->run = run;
	exporter->nr_nodes =
		state->nr_nodes < RECORD_NODES_MAX ? state->nr_nodes : RECORD_NODES_MAX;
	err = read_paths(exporter);
	exporter->auto_phase = serving_phase(recording);
	if (!err)
		err = judge_tentative(exporter);
	for (uint32_t slot = 0; !err && slot < exporter->nr_nodes; slot++)
		err = export_node(exporter, slot);
	if (!err)
		err = each_count(exporter, take_call);
	if (!err)
		err = export_phases(exporter);
	run->lost += state->nr_unknown + state->nr_uncounted + state->nr_unseen;
	export_done(exporter);
	return err;
}
