/* SPDX-License-Identifier: MIT */
#include "proc/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proc/container.h"

/* Entries are found by index, so that growing may move them; 0 is "none". */
#define FIRST_CAPACITY 1024

struct processes {
	struct process **entries; /* slot 0 unused; blocks never move */
	uint32_t *buckets;
	uint32_t mask; /* buckets - 1 */
	uint32_t max;
	uint32_t capacity;
	uint32_t used; /* slots ever used */
	uint32_t free; /* head of the list of free slots */
	uint32_t count;
	uint32_t exited_now; /* ended in this pass, in the one before */
	uint32_t exited_before;
	uint64_t refused;
	bool is_selective;
	struct containers *containers;
};

static uint32_t bucket_of(const struct processes *processes, uint32_t pid)
{
	/* Pids are dense; multiplying spreads runs of them over the buckets (Knuth, 6.4). */
	return (pid * 2654435761U) >> 7 & processes->mask;
}

int processes_new(struct processes **ret, uint32_t max, bool is_selective)
{
	struct processes *processes = calloc(1, sizeof(*processes));
	uint32_t buckets = 1024;

	if (!processes)
		return -ENOMEM;
	while (buckets < max && buckets < 1U << 16)
		buckets *= 2;
	processes->mask = buckets - 1;
	processes->max = max;
	processes->is_selective = is_selective;
	processes->used = 1;
	processes->buckets = calloc(buckets, sizeof(*processes->buckets));
	if (!processes->buckets || containers_new(&processes->containers) < 0) {
		processes_free(processes);
		return -ENOMEM;
	}
	*ret = processes;
	return 0;
}

void processes_free(struct processes *processes)
{
	if (!processes)
		return;
	for (uint32_t i = 1; i < processes->used; i++) {
		free(processes->entries[i]->libraries);
		free(processes->entries[i]);
	}
	free(processes->entries);
	free(processes->buckets);
	containers_free(processes->containers);
	free(processes);
}

struct process *processes_find(struct processes *processes, uint32_t pid)
{
	uint32_t slot = processes->buckets[bucket_of(processes, pid)];

	while (slot && processes->entries[slot]->pid != pid)
		slot = processes->entries[slot]->next;
	return slot ? processes->entries[slot] : NULL;
}

/* A slot whose entry is allocated but not in use; 0 when there is no room. */
static uint32_t slot_take(struct processes *processes)
{
	uint32_t slot = processes->free;

	if (slot) {
		processes->free = processes->entries[slot]->next;
		return slot;
	}
	if (processes->used > processes->max)
		return 0;
	if (processes->used >= processes->capacity) {
		uint32_t capacity = processes->capacity ? processes->capacity * 2 : FIRST_CAPACITY;
		void *entries = realloc(processes->entries, capacity * sizeof(struct process *));

		if (!entries)
			return 0;
		processes->entries = entries;
		processes->capacity = capacity;
	}
	slot = processes->used;
	processes->entries[slot] = calloc(1, sizeof(struct process));
	if (!processes->entries[slot])
		return 0;
	processes->used++;
	return slot;
}

void process_fill(const struct process *process, struct event_hdr *hdr)
{
	hdr->start_ns = process->start_ns;
	hdr->cgroup = process->cgroup;
	hdr->ppid = process->ppid;
	hdr->uid = process->uid;
	hdr->gid = process->gid;
	memcpy(hdr->comm, process->comm, COMM_SIZE);
	memcpy(hdr->thread, process->comm, COMM_SIZE);
}

int processes_each(const struct processes *processes,
		   int (*take)(void *ctx, const struct process *process), void *ctx)
{
	int result = 0;

	for (uint32_t i = 0; !result && i <= processes->mask; i++)
		for (uint32_t slot = processes->buckets[i]; !result && slot;
		     slot = processes->entries[slot]->next)
			if (!processes->entries[slot]->has_exited)
				result = take(ctx, processes->entries[slot]);
	return result;
}

struct process *processes_add(struct processes *processes, uint32_t pid, uint64_t start_ns)
{
	struct process *process = processes_find(processes, pid);

	if (process && process->start_ns == start_ns)
		return process;
	if (process)
		processes_remove(processes, process);

	uint32_t slot = slot_take(processes);

	if (!slot) {
		processes->refused++;
		return NULL;
	}

	uint32_t *bucket = &processes->buckets[bucket_of(processes, pid)];

	process = processes->entries[slot];
	*process = (struct process){ .pid = pid, .start_ns = start_ns, .next = *bucket };
	*bucket = slot;
	processes->count++;
	return process;
}

/* Takes PROCESS out of its bucket. Returns its slot, 0 when it was not in one. */
static uint32_t unlink_entry(struct processes *processes, const struct process *process)
{
	uint32_t *link = &processes->buckets[bucket_of(processes, process->pid)];

	while (*link && processes->entries[*link] != process)
		link = &processes->entries[*link]->next;

	uint32_t slot = *link;

	if (slot) {
		*link = process->next;
		processes->count--;
	}
	return slot;
}

static void slot_free(struct processes *processes, uint32_t slot)
{
	struct process *process = processes->entries[slot];

	free(process->libraries);
	*process = (struct process){ .next = processes->free };
	processes->free = slot;
}

void processes_remove(struct processes *processes, struct process *process)
{
	uint32_t slot = unlink_entry(processes, process);

	/* One that has exited is on the list of its pass, which frees it. */
	if (slot && !process->has_exited)
		slot_free(processes, slot);
}

bool processes_exit(struct processes *processes, struct process *process)
{
	uint32_t slot = processes->buckets[bucket_of(processes, process->pid)];

	if (process->has_exited)
		return false;
	while (processes->entries[slot] != process)
		slot = processes->entries[slot]->next;
	process->has_exited = true;
	process->exit_next = processes->exited_now;
	processes->exited_now = slot;
	return true;
}

void processes_expire(struct processes *processes)
{
	uint32_t slot = processes->exited_before;

	while (slot) {
		uint32_t next = processes->entries[slot]->exit_next;

		unlink_entry(processes, processes->entries[slot]);
		slot_free(processes, slot);
		slot = next;
	}
	processes->exited_before = processes->exited_now;
	processes->exited_now = 0;
}

void processes_exec(struct process *process)
{
	process->nr_libraries = 0;
}

bool processes_map(struct process *process, uint64_t key)
{
	for (uint16_t i = 0; i < process->nr_libraries; i++)
		if (process->libraries[i] == key)
			return false;
	if (process->nr_libraries == PROCESS_LIBRARIES_MAX)
		return true;
	/* Grown in powers of two: most processes map two or three. */
	if ((process->nr_libraries & (process->nr_libraries - 1)) == 0) {
		size_t capacity = process->nr_libraries ? process->nr_libraries * 2U : 1;
		void *libraries = realloc(process->libraries, capacity * sizeof(uint64_t));

		if (!libraries)
			return true;
		process->libraries = libraries;
	}
	process->libraries[process->nr_libraries++] = key;
	return true;
}

const struct container *processes_container(struct processes *processes, const char *name,
					    size_t size)
{
	return containers_intern(processes->containers, name, size);
}

bool processes_is_selective(const struct processes *processes)
{
	return processes->is_selective;
}

uint32_t processes_count(const struct processes *processes)
{
	return processes->count;
}

uint64_t processes_refused(const struct processes *processes)
{
	return processes->refused;
}
