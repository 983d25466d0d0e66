/* SPDX-License-Identifier: MIT */
#include "syscalls/recording_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/hash.h"
#include "lib/utf8.h"

/* Twice as many as there are nodes, a power of two. */
#define INDEX_SIZE	 ((size_t)2 * RECORDING_NODES_MAX)

#define REPLACEMENT	 "\xef\xbf\xbd" /* U+FFFD */
#define REPLACEMENT_SIZE 3

int recording_new(struct recording **ret)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (!recording)
		return -ENOMEM;
	recording->nr_phases = 1;
	recording->index = pool_take(&recording->pool, INDEX_SIZE * sizeof(*recording->index));
	if (!recording->index) {
		recording_free(recording);
		return -ENOMEM;
	}
	*ret = recording;
	return 0;
}

void recording_free(struct recording *recording)
{
	if (!recording)
		return;
	pool_free(&recording->pool);
	free(recording);
}

const char *recording_text(struct recording *recording, const char *text, size_t size)
{
	size_t length = strnlen(text, size), room = 0, used = 0;
	uint32_t rune = 0;
	char *copy;

	for (size_t at = 0; at < length;) {
		size_t step = utf8_decode(text + at, length - at, &rune);

		room += rune == UTF8_INVALID ? REPLACEMENT_SIZE : step;
		at += step;
	}
	copy = pool_take(&recording->pool, room + 1);
	if (!copy)
		return NULL;
	for (size_t at = 0; at < length;) {
		size_t step = utf8_decode(text + at, length - at, &rune);
		size_t added = rune == UTF8_INVALID ? REPLACEMENT_SIZE : step;

		memcpy(copy + used, rune == UTF8_INVALID ? REPLACEMENT : text + at, added);
		used += added;
		at += step;
	}
	return copy;
}

int recording_add_phase(struct recording *recording, const char *point)
{
	const char *copy;

	if (recording->nr_phases == RECORDING_PHASES_MAX)
		return -E2BIG;
	copy = recording_text(recording, point, strlen(point));
	if (!copy)
		return -ENOMEM;
	recording->phases[recording->nr_phases] = (struct recording_phase){ .point = copy };
	return (int)recording->nr_phases++;
}

void *recording_grow(struct pool *pool, void *array, size_t nr, size_t size, size_t *cap)
{
	size_t larger = *cap ? 2 * *cap : 16;
	void *copy;

	if (nr < *cap)
		return array;
	copy = pool_take(pool, larger * size);
	if (!copy)
		return NULL;
	if (nr > 0)
		memcpy(copy, array, nr * size);
	*cap = larger;
	return copy;
}

static uint32_t hash_node(const struct recording_node *node)
{
	uint32_t hash = hash_number(HASH_BEGIN, node->parent);

	hash = hash_number(hash, node->start);
	hash = hash_number(hash, node->phase);
	hash = hash_text(hash, node->exe);
	return hash_text(hash, node->entry);
}

static bool is_same_node(const struct recording_node *a, const struct recording_node *b)
{
	return a->parent == b->parent && a->start == b->start && a->phase == b->phase &&
	       text_equal(a->entry, b->entry) && strcmp(a->exe, b->exe) == 0;
}

/* The place in the index of the node that is as WANTED, or of the free slot where it belongs. */
static uint32_t *index_find(const struct recording *recording, const struct recording_node *wanted)
{
	size_t slot = hash_node(wanted) % INDEX_SIZE;

	/* never full, so that it ends */
	while (recording->index[slot] &&
	       !is_same_node(&recording->nodes[recording->index[slot] - 1], wanted))
		slot = (slot + 1) % INDEX_SIZE;
	return &recording->index[slot];
}

int recording_find(const struct recording *recording, uint32_t parent,
		   const struct recording_node *like)
{
	struct recording_node wanted = *like;
	uint32_t slot;

	wanted.parent = parent;
	slot = *index_find(recording, &wanted);
	return slot ? (int)slot - 1 : -ENOENT;
}

/* Enters NODE, whose strings are the recording's, in the free SLOT. Returns its id or -ENOMEM. */
static int node_add(struct recording *recording, const struct recording_node *node, uint32_t *slot)
{
	struct recording_node *nodes =
		recording_grow(&recording->pool, recording->nodes, recording->nr_nodes,
			       sizeof(*nodes), &recording->cap_nodes);

	if (!nodes)
		return -ENOMEM;
	recording->nodes = nodes;
	nodes[recording->nr_nodes] = *node;
	nodes[recording->nr_nodes].id = (uint32_t)recording->nr_nodes;
	*slot = (uint32_t)recording->nr_nodes + 1;
	return (int)recording->nr_nodes++;
}

int recording_node(struct recording *recording, uint32_t parent, enum node_start start,
		   uint32_t phase, const char *exe, const char *entry)
{
	struct recording_node node = { .parent = parent, .start = start, .phase = phase };
	uint32_t *slot;

	if (parent != RECORDING_NONE && parent >= recording->nr_nodes)
		return -EINVAL;
	if (phase >= recording->nr_phases || (unsigned int)start >= NR_NODE_STARTS)
		return -EINVAL;
	node.exe = exe;
	node.entry = entry;
	slot = index_find(recording, &node);
	if (*slot)
		return (int)*slot - 1;
	/* again with what is kept: text that is not UTF-8 is another one then */
	node.exe = recording_text(recording, exe, strlen(exe));
	if (entry)
		node.entry = recording_text(recording, entry, strlen(entry));
	if (!node.exe || (entry && !node.entry))
		return -ENOMEM;
	slot = index_find(recording, &node);
	if (*slot)
		return (int)*slot - 1;
	if (recording->nr_nodes == RECORDING_NODES_MAX)
		return -E2BIG;
	return node_add(recording, &node, slot);
}

/* Where the call (ARCH, NR) is in CALLS, or belongs. */
static size_t call_place(const struct recording_node *node, uint32_t arch, uint32_t nr)
{
	const uint32_t wanted = RECORDING_KEY(0, arch, nr);
	size_t low = 0, high = node->nr_calls;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct recording_call *call = &node->calls[middle];

		if (RECORDING_KEY(0, call->arch, call->nr) < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_call_at(const struct recording_node *node, size_t at, uint32_t arch, uint32_t nr)
{
	return at < node->nr_calls && node->calls[at].arch == arch && node->calls[at].nr == nr;
}

bool recording_has_call(const struct recording_node *node, uint32_t arch, uint32_t nr)
{
	return is_call_at(node, call_place(node, arch, nr), arch, nr);
}

int recording_add_with_runs(struct recording *recording, uint32_t id,
			    const struct recording_call *call)
{
	struct recording_node *node;
	struct recording_call *calls, *into;
	size_t at;

	if (id >= recording->nr_nodes || call->nr >= SYSCALLS_MAX ||
	    call->arch >= NR_SYSCALL_ARCHES)
		return -EINVAL;
	node = &recording->nodes[id];
	at = call_place(node, call->arch, call->nr);
	if (is_call_at(node, at, call->arch, call->nr)) {
		into = &node->calls[at];
		into->count = recording_sum(into->count, call->count);
		into->errors = recording_sum(into->errors, call->errors);
		into->nr_runs += call->nr_runs;
		if (call->first_seen_ns < into->first_seen_ns)
			into->first_seen_ns = call->first_seen_ns;
		return 0;
	}
	if (recording->nr_calls == RECORDING_CALLS_MAX)
		return -E2BIG;
	calls = recording_grow(&recording->pool, node->calls, node->nr_calls, sizeof(*calls),
			       &node->cap_calls);
	if (!calls)
		return -ENOMEM;
	node->calls = calls;
	memmove(&calls[at + 1], &calls[at], (node->nr_calls - at) * sizeof(*calls));
	calls[at] = *call;
	node->nr_calls++;
	recording->nr_calls++;
	return 0;
}

int recording_add(struct recording *recording, uint32_t node, const struct recording_call *call)
{
	struct recording_call added = *call;

	added.nr_runs = 0;
	if (added.count == 0)
		return 0;
	return recording_add_with_runs(recording, node, &added);
}

/* A node and its recording, for qsort(3). */
struct sorted {
	const struct recording_node *node;
};

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* By parent, RECORDING_NONE last; then as siblings. */
static int compare_nodes(const void *left, const void *right)
{
	const struct recording_node *a = ((const struct sorted *)left)->node;
	const struct recording_node *b = ((const struct sorted *)right)->node;
	int order;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	order = strcmp(a->exe, b->exe);
	return order ? order : compare_texts(a->entry, b->entry);
}

/* The first of NR sorted nodes whose parent is PARENT, or where it would be. */
static size_t children_of(const struct sorted *sorted, size_t nr, uint32_t parent)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sorted[middle].node->parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Puts the children of PARENT on the stack, the first one on top. Returns the new height. */
static size_t push_children(const struct sorted *sorted, size_t nr, uint32_t parent,
			    uint32_t *stack, size_t height)
{
	size_t first = children_of(sorted, nr, parent), end = first;

	while (end < nr && sorted[end].node->parent == parent)
		end++;
	while (end > first)
		stack[height++] = sorted[--end].node->id;
	return height;
}

int recording_order(const struct recording *recording, uint32_t *ret)
{
	size_t nr = recording->nr_nodes, height, taken = 0;
	_cleanup_(cleanup_free) struct sorted *sorted = calloc(nr + 1, sizeof(*sorted));
	_cleanup_(cleanup_free) uint32_t *stack = calloc(nr + 1, sizeof(*stack));

	if (!sorted || !stack)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		sorted[i].node = &recording->nodes[i];
	qsort(sorted, nr, sizeof(*sorted), compare_nodes);
	height = push_children(sorted, nr, RECORDING_NONE, stack, 0);
	while (height > 0) {
		uint32_t id = stack[--height];

		ret[taken++] = id;
		height = push_children(sorted, nr, id, stack, height);
	}
	return 0;
}
