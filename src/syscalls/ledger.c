/* SPDX-License-Identifier: MIT */
#include "syscalls/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/hash.h"
#include "syscalls/serving.h"

#define CHILDREN_SIZE (2UL * RECORDING_NODES_MAX)
#define CALLS_MIN     1024U
/* Texts: a node has two at most. The table is at most half full. */
#define TEXTS_MAX (2UL * RECORDING_NODES_MAX)
#define TEXTS_CAP (2UL * TEXTS_MAX)

struct ledger_node {
	uint32_t parent;
	uint32_t start;
	uint32_t phase;
	const char *exe;
	const char *entry;
	uint64_t nr_instances;
};

/* Open addressing by key, at most half full; a count of 0: free. */
struct ledger_call {
	uint64_t key;
	uint64_t count;
	uint64_t errors;
	uint64_t first_ns;
};

#define CALL_KEY(slot, arch, nr) ((uint64_t)(slot) << 32 | (uint64_t)(arch) << 16 | (nr))

int ledger_init(struct ledger *ledger)
{
	*ledger = (struct ledger){ .cap_calls = CALLS_MIN };
	ledger->nodes = calloc(RECORDING_NODES_MAX, sizeof(*ledger->nodes));
	ledger->children = calloc(CHILDREN_SIZE, sizeof(*ledger->children));
	ledger->calls = calloc(ledger->cap_calls, sizeof(*ledger->calls));
	ledger->texts = calloc(TEXTS_CAP, sizeof(*ledger->texts));
	if (ledger->nodes && ledger->children && ledger->calls && ledger->texts)
		return 0;
	ledger_done(ledger);
	return -ENOMEM;
}

void ledger_done(struct ledger *ledger)
{
	free(ledger->nodes);
	free(ledger->children);
	free(ledger->calls);
	free(ledger->texts);
	pool_free(&ledger->pool);
	*ledger = (struct ledger){ 0 };
}

const char *ledger_text(struct ledger *ledger, const char *text)
{
	size_t at = hash_text(HASH_BEGIN, text) % TEXTS_CAP;

	while (ledger->texts[at] && strcmp(ledger->texts[at], text) != 0)
		at = (at + 1) % TEXTS_CAP;
	/* beyond that many there is no node with room for it either */
	if (!ledger->texts[at] && ledger->nr_texts < TEXTS_MAX) {
		ledger->texts[at] = pool_text(&ledger->pool, text, strlen(text));
		ledger->nr_texts += ledger->texts[at] != NULL;
		ledger->has_no_memory |= !ledger->texts[at];
	}
	return ledger->texts[at] ? ledger->texts[at] : "";
}

static uint32_t hash_node(const struct ledger_node *node)
{
	uint32_t hash = hash_number(HASH_BEGIN, node->parent);

	hash = hash_number(hash, node->start);
	hash = hash_number(hash, node->phase);
	hash = hash_text(hash, node->exe);
	return hash_text(hash, node->entry);
}

static bool is_same(const struct ledger_node *a, const struct ledger_node *b)
{
	return a->parent == b->parent && a->start == b->start && a->phase == b->phase &&
	       strcmp(a->exe, b->exe) == 0 && text_equal(a->entry, b->entry);
}

uint32_t ledger_enter(struct ledger *ledger, uint32_t parent, enum node_start start, uint32_t phase,
		      const char *exe, const char *entry)
{
	const struct ledger_node node = {
		.parent = parent,
		.start = start,
		.phase = phase,
		.exe = exe,
		.entry = entry,
	};
	size_t at = hash_node(&node) % CHILDREN_SIZE;

	while (ledger->children[at] && !is_same(&ledger->nodes[ledger->children[at] - 1], &node))
		at = (at + 1) % CHILDREN_SIZE;
	if (!ledger->children[at]) {
		if (ledger->nr_nodes == RECORDING_NODES_MAX)
			return parent;
		ledger->nodes[ledger->nr_nodes] = node;
		ledger->children[at] = ++ledger->nr_nodes;
	}
	ledger->nodes[ledger->children[at] - 1].nr_instances++;
	return ledger->children[at] - 1;
}

uint32_t ledger_enter_phase(struct ledger *ledger, uint32_t slot, uint32_t phase)
{
	const struct ledger_node *node = &ledger->nodes[slot];

	return ledger_enter(ledger, slot, NODE_START_phase, phase, node->exe, node->entry);
}

const char *ledger_exe(const struct ledger *ledger, uint32_t slot)
{
	return ledger->nodes[slot].exe;
}

/* The place of KEY in CALLS of CAP, or the free one where it belongs. */
static struct ledger_call *find_call(struct ledger_call *calls, uint32_t cap, uint64_t key)
{
	/* Fibonacci hashing: Knuth, The Art of Computer Programming, 6.4 */
	uint64_t at = (key * 0x9e3779b97f4a7c15ULL) >> 32;

	while (calls[at & (cap - 1)].count && calls[at & (cap - 1)].key != key)
		at++;
	return &calls[at & (cap - 1)];
}

/* Makes room for one more. False where there is none. */
static bool grow(struct ledger *ledger)
{
	uint32_t cap = 2 * ledger->cap_calls;
	struct ledger_call *calls;

	if (ledger->nr_calls < ledger->cap_calls / 2)
		return true;
	if (ledger->nr_calls >= LEDGER_CALLS_MAX)
		return false;
	calls = calloc(cap, sizeof(*calls));
	if (!calls)
		return false;
	for (uint32_t i = 0; i < ledger->cap_calls; i++)
		if (ledger->calls[i].count)
			*find_call(calls, cap, ledger->calls[i].key) = ledger->calls[i];
	free(ledger->calls);
	ledger->calls = calls;
	ledger->cap_calls = cap;
	return true;
}

void ledger_count(struct ledger *ledger, uint32_t slot, enum syscall_arch arch, uint32_t nr,
		  uint64_t now_ns)
{
	uint64_t key = CALL_KEY(slot, arch, nr);
	struct ledger_call *call = find_call(ledger->calls, ledger->cap_calls, key);

	if (!call->count) {
		if (!grow(ledger)) {
			ledger->lost++;
			return;
		}
		call = find_call(ledger->calls, ledger->cap_calls, key);
		*call = (struct ledger_call){ .key = key, .first_ns = now_ns };
		ledger->nr_calls++;
	}
	call->count++;
}

void ledger_fail(struct ledger *ledger, uint32_t slot, enum syscall_arch arch, uint32_t nr)
{
	struct ledger_call *call =
		find_call(ledger->calls, ledger->cap_calls, CALL_KEY(slot, arch, nr));

	if (call->count)
		call->errors++;
}

/* A ledger on its way into a recording. */
struct exporter {
	const struct ledger *ledger;
	struct recording *recording;
	size_t auto_phase; /* that `auto` begins; 0: no such point */
	bool counts_tentative;
	uint32_t *ids; /* of the recording's nodes, by slot */
};

/* The phase outside for PHASE inside. */
static uint32_t phase_of(const struct exporter *exporter, uint32_t phase)
{
	return phase / 2 + (phase % 2 && exporter->counts_tentative);
}

/* The node in SLOT, after its parent. One whose phase does not count is the node before. */
static int export_node(const struct exporter *exporter, uint32_t slot)
{
	const struct ledger_node *node = &exporter->ledger->nodes[slot];
	uint32_t phase = phase_of(exporter, node->phase);
	uint32_t parent = RECORDING_NONE;
	int id;

	if (node->parent != LEDGER_NONE)
		parent = exporter->ids[node->parent];
	if (node->start == NODE_START_phase && exporter->recording->nodes[parent].phase == phase) {
		exporter->ids[slot] = parent;
		return 0;
	}
	id = recording_node(exporter->recording, parent, node->start, phase, node->exe,
			    node->entry);
	if (id < 0)
		return id;
	exporter->ids[slot] = (uint32_t)id;
	exporter->recording->nodes[id].nr_instances += node->nr_instances;
	return 0;
}

static int export_calls(const struct exporter *exporter, struct recording_run *run)
{
	int err = 0;

	for (uint32_t i = 0; i < exporter->ledger->cap_calls && !err; i++) {
		const struct ledger_call *from = &exporter->ledger->calls[i];
		const struct recording_call call = {
			.nr = (uint32_t)from->key & 0xffff,
			.arch = from->key >> 16 & 0xffff,
			.count = from->count,
			.errors = from->errors,
			.first_seen_ns = from->first_ns,
		};

		if (!from->count)
			continue;
		recording_run_count(run, &call);
		err = recording_add(exporter->recording, exporter->ids[from->key >> 32], &call);
	}
	return err;
}

/* Whether `auto` is at what processes wait in that do not listen. */
static bool judge_tentative(const struct exporter *exporter)
{
	const struct ledger *ledger = exporter->ledger;
	uint64_t nr_waits = 0;

	if (!exporter->auto_phase || ledger->hits[exporter->auto_phase - 1] ||
	    !ledger->nr_tentative)
		return false;
	for (uint32_t i = 0; i < ledger->cap_calls; i++) {
		const struct ledger_call *call = &ledger->calls[i];

		if (call->count && (call->key >> 16 & 0xffff) == syscall_arch_native() &&
		    point_is_wait((uint32_t)call->key & 0xffff) &&
		    ledger->nodes[call->key >> 32].phase ==
			    LEDGER_TENTATIVE(exporter->auto_phase - 1))
			nr_waits += call->count;
	}
	return nr_waits >= SERVING_MIN * ledger->nr_tentative;
}

static int export_phases(const struct exporter *exporter)
{
	const struct ledger *ledger = exporter->ledger;
	struct recording *recording = exporter->recording;
	const struct ledger_wait *wait = &ledger->wait[!exporter->counts_tentative];
	struct serving serving = {
		.phase = (uint32_t)exporter->auto_phase,
		.listens = !exporter->counts_tentative,
	};

	for (size_t i = 1; i < recording->nr_phases; i++)
		recording->phases[i].nr_hits = ledger->hits[i - 1];
	if (!exporter->auto_phase)
		return 0;
	if (exporter->counts_tentative)
		recording->phases[exporter->auto_phase].nr_hits = ledger->nr_tentative;
	if (!wait->is_there || recording->phases[exporter->auto_phase].nr_hits == 0)
		return 0;
	serving.nr = wait->nr;
	memcpy(serving.name, wait->comm, sizeof(wait->comm));
	return serving_explain(recording, &serving);
}

int ledger_export(const struct ledger *ledger, struct recording *recording,
		  struct recording_run *run)
{
	struct exporter exporter = { .ledger = ledger, .recording = recording };
	int err = 0;

	if (ledger->has_no_memory)
		return -ENOMEM;
	exporter.ids = calloc(ledger->nr_nodes + 1, sizeof(*exporter.ids));
	if (!exporter.ids)
		return -ENOMEM;
	exporter.auto_phase = serving_phase(recording);
	exporter.counts_tentative = judge_tentative(&exporter);
	for (uint32_t slot = 0; !err && slot < ledger->nr_nodes; slot++)
		err = export_node(&exporter, slot);
	if (!err)
		err = export_calls(&exporter, run);
	if (!err)
		err = export_phases(&exporter);
	run->lost += ledger->lost;
	free(exporter.ids);
	return err;
}
