/* SPDX-License-Identifier: MIT */
/*
 * src/inventory/: whatever the bytes of the iterators are, they are read within their bounds, the
 * tables hold together, and the documents of what came of them are rendered.
 *
 * The input is the bytes of the iterators over mappings and files, read in two pieces. There are
 * processes with the pids 1 to 8, which began at 1 to 8.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/iterate.h"
#include "inventory/libs.h"
#include "inventory/snapshot.h"
#include "sinks/sink.h"

#define INPUT_MAX 16384
#define NR_PIDS	  8
#define NR_KNOWN  16

static void check(bool condition)
{
	if (!condition)
		abort();
}

static ssize_t take(struct inventory *inventory, struct inventory_object **known,
		    const uint8_t *bytes, size_t size)
{
	/* A block of its own, so that a sanitizer sees its end. */
	uint8_t *copy = malloc(size ? size : 1);
	ssize_t taken;

	check(copy != NULL);
	if (size)
		memcpy(copy, bytes, size);
	taken = iterate_records(inventory, known, NR_KNOWN, copy, size);
	check(taken >= 0 ? (size_t)taken <= size : taken == -EBADMSG);
	free(copy);
	return taken;
}

/* As read(2) gives them: the rest of the first piece comes with the second. */
static void check_pieces(struct inventory *inventory, const uint8_t *bytes, size_t size)
{
	struct inventory_object *known[NR_KNOWN] = { 0 };
	size_t half = size / 2;
	ssize_t taken = take(inventory, known, bytes, half);

	if (taken >= 0)
		take(inventory, known, bytes + taken, size - (size_t)taken);
}

static void check_tables(const struct inventory *inventory)
{
	check(inventory->nr_processes == NR_PIDS - 1);
	check(inventory->nr_objects <= INVENTORY_OBJECTS_MAX);
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		const struct inventory_object *object = inventory->objects[i];

		check(object->position == i && strlen(object->path) == object->path_size);
		check(object->nr_users <= 2 * NR_PIDS);
		check(i == 0 || strcmp(inventory->objects[i - 1]->path, object->path) <= 0);
	}
	for (size_t i = 0; i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];

		check(process->nr_uses <= INVENTORY_USES_MAX);
		check(process->nr_connections <= INVENTORY_CONNECTIONS_MAX);
		for (uint32_t j = 1; j < process->nr_connections; j++)
			check(process->connections[j - 1].inode != process->connections[j].inode);
		for (uint32_t j = 0; j < process->nr_uses; j++)
			check(process->uses[j].object->nr_users > 0);
	}
}

static void render(const void *document, const struct fields *table)
{
	static struct arena arena;
	const struct redact_options options = { .paths = true, .passwd_path = "/dev/null" };
	const struct record record = { .bytes = document, .arena = &arena };
	static struct redactor *redactor;
	struct output_text text = { 0 };
	struct output memory;
	struct writer *writer;

	if (!redactor)
		check(redactor_new(&redactor, &options) == 0);
	output_memory(&memory, &text);
	arena.used = 0;
	check(writer_new(&writer, sink_find("json-lines"), &memory, redactor, false) == 0);
	check(writer_record(writer, &record, &table, 1) == 0 && writer_end(writer) == 0);
	writer_free(writer);
	check(text.size > 2 && text.bytes[0] == '{' && text.bytes[text.size - 1] == '\n');
	check(!memchr(text.bytes, '\n', text.size - 1) && !memchr(text.bytes, '\0', text.size));
	free(text.bytes);
}

static void check_documents(struct inventory *inventory)
{
	static const struct host_crypto host;
	const struct document_source source = {
		.inventory = inventory,
		.host = &host,
		.hostname = "h",
		.kernel = "k",
		.method = "bpf",
		.offset_ns = 1795251600000000000LL,
	};
	struct snapshot *snapshot;
	struct libs *libs;

	check(snapshot_new(&snapshot, &source) == 0);
	check(snapshot->summary.unique_files + snapshot->summary.unique_libraries <=
	      inventory->nr_objects);
	render(snapshot, &snapshot_fields);
	snapshot_free(snapshot);
	check(libs_new(&libs, &source, NULL, 0) == 0);
	render(libs, &libs_fields);
	libs_free(libs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inventory *inventory;

	if (size > INPUT_MAX)
		return 0;
	check(inventory_new(&inventory, NR_PIDS) == 0);
	for (uint32_t pid = 1; pid <= NR_PIDS; pid++)
		check(inventory_add(inventory, pid, pid) != NULL);
	check_pieces(inventory, data, size);
	inventory_remove(inventory, NR_PIDS / 2);
	inventory_sort(inventory);
	check_tables(inventory);
	check_documents(inventory);
	inventory_free(inventory);
	return 0;
}
