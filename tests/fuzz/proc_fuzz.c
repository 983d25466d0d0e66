/* SPDX-License-Identifier: MIT */
/*
 * src/proc/: names of control groups are read within their bounds and give the same container
 * again; the process table, after any calls in any order, holds what a plain array would.
 *
 * The input is a list of calls: a byte for which one, a byte for the process, and for a container a
 * byte of size and the name.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proc/container.h"
#include "proc/processes.h"

#define INPUT_MAX 8192
#define NR_PIDS	  12
#define TABLE_MAX 8

/* What is known of each pid. The entry is the table's own. */
struct expected {
	struct process *process; /* NULL: not in the table */
	uint64_t start_ns;
	bool has_exited;
	unsigned int passes; /* since its end */
};

struct model {
	struct processes *processes;
	struct expected pids[NR_PIDS];
};

static void check(int condition)
{
	if (!condition)
		abort();
}

static void check_container(struct processes *processes, const uint8_t *bytes, size_t size)
{
	char *name = malloc(size);
	const struct container *container;

	if (size)
		memcpy(name, bytes, size);
	container = processes_container(processes, name, size);
	if (container) {
		size_t id_size = strlen(container->id);

		check(id_size > 0 && id_size <= size && memmem(name, size, container->id, id_size));
		check(container->name ? container->name == container->id : id_size == 64);
		check(processes_container(processes, name, size) == container);
	}
	free(name);
}

static void add(struct model *model, uint32_t pid, uint64_t start_ns)
{
	struct expected *expected = &model->pids[pid];
	uint64_t refused = processes_refused(model->processes);
	struct process *process = processes_add(model->processes, pid, start_ns);

	if (!process) {
		check(processes_refused(model->processes) == refused + 1);
		*expected = (struct expected){ 0 };
		return;
	}
	check(process->pid == pid && process->start_ns == start_ns);
	if (expected->process && expected->start_ns == start_ns)
		check(process == expected->process);
	else
		*expected = (struct expected){ .process = process, .start_ns = start_ns };
}

static void leave(struct model *model, struct expected *expected)
{
	bool is_news = processes_exit(model->processes, expected->process);

	check(is_news == !expected->has_exited);
	expected->has_exited = true;
}

static void expire(struct model *model)
{
	processes_expire(model->processes);
	for (uint32_t pid = 0; pid < NR_PIDS; pid++) {
		struct expected *expected = &model->pids[pid];

		if (expected->has_exited && ++expected->passes == 2)
			*expected = (struct expected){ 0 };
	}
}

static void call(struct model *model, uint8_t what, uint8_t which)
{
	uint32_t pid = which % NR_PIDS;
	struct expected *expected = &model->pids[pid];

	if (what == 0 || !expected->process) {
		add(model, pid, which / NR_PIDS);
		return;
	}
	switch (what) {
	case 1:
		leave(model, expected);
		break;
	case 2:
		processes_remove(model->processes, expected->process);
		*expected = (struct expected){ 0 };
		break;
	case 3:
		processes_exec(expected->process);
		check(processes_map(expected->process, which));
		check(!processes_map(expected->process, which));
		break;
	default:
		for (uint64_t key = 0; key < which; key++)
			processes_map(expected->process, key);
		break;
	}
}

static void check_table(const struct model *model)
{
	uint32_t count = 0;

	for (uint32_t pid = 0; pid < NR_PIDS; pid++) {
		check(processes_find(model->processes, pid) == model->pids[pid].process);
		count += model->pids[pid].process != NULL;
	}
	check(processes_count(model->processes) == count && count <= TABLE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model model = { 0 };

	if (size > INPUT_MAX)
		return 0;
	check(processes_new(&model.processes, TABLE_MAX, false) == 0);
	while (size >= 2) {
		uint8_t what = data[0] % 7, which = data[1];

		data += 2;
		size -= 2;
		if (what == 6) {
			size_t taken = which < size ? which : size;

			check_container(model.processes, data, taken);
			data += taken;
			size -= taken;
		} else if (what == 5) {
			expire(&model);
		} else {
			call(&model, what, which);
		}
		check_table(&model);
	}
	processes_free(model.processes);
	return 0;
}
