/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INVENTORY_MADE_INVENTORY_H
#define TESTS_INVENTORY_MADE_INVENTORY_H

/*
 * An inventory made by hand, what a document is made from, and the text of the document. For tests
 * of one program, after cmocka.h: has state.
 */

#include <stdlib.h>
#include <string.h>

#include "inventory/connections.h"
#include "inventory/document.h"
#include "support/parsed.h"
#include "support/scene.h"

#define MADE_START_NS  123456789012ULL
#define MADE_OFFSET_NS (SCENE_BOOT_S * 1000000000)
#define MADE_OBJECTS   64

static struct inventory *inventory;
static struct host_crypto host;
static struct document_source source;
/* What objects are said to contain; not theirs. */
static struct content contents[MADE_OBJECTS];
static struct program programs[MADE_OBJECTS];
static size_t nr_contents, nr_programs;

static inline int made_begin(void **state)
{
	(void)state;
	host = (struct host_crypto){ 0 };
	nr_contents = nr_programs = 0;
	if (inventory_new(&inventory, 1000))
		return -1;
	source = (struct document_source){
		.inventory = inventory,
		.host = &host,
		.hostname = "web-01",
		.kernel = "6.1.0",
		.method = "bpf",
		.now_ns = MADE_OFFSET_NS + 1000000000,
		.offset_ns = MADE_OFFSET_NS,
		.is_inspected = true,
	};
	return 0;
}

static inline int made_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		inventory->objects[i]->content = NULL;
		inventory->objects[i]->program = NULL;
	}
	inventory_free(inventory);
	return 0;
}

static inline struct inventory_process *made_process(uint32_t pid, const char *comm)
{
	struct inventory_process *process = inventory_add(inventory, pid, MADE_START_NS + pid);

	assert_non_null(process);
	for (size_t i = 0; i < COMM_SIZE - 1 && comm[i]; i++)
		process->comm[i] = comm[i];
	process->ppid = 1;
	return process;
}

static inline struct inventory_object *made_object(const char *path, uint64_t inode)
{
	struct inventory_object *object =
		inventory_object(inventory, path, strlen(path), 8, 1, inode);

	assert_non_null(object);
	return object;
}

static inline struct inventory_object *made_library(struct inventory_process *process,
						    const char *path, uint64_t inode)
{
	struct inventory_object *object = made_object(path, inode);

	assert_int_equal(inventory_map(inventory, process, object, 0x1000, 0x2000), 0);
	return object;
}

static inline struct inventory_object *made_file(struct inventory_process *process,
						 const char *path, uint64_t inode, uint32_t fd)
{
	struct inventory_object *object = made_object(path, inode);

	assert_int_equal(inventory_open(inventory, process, object, fd, 0), 0);
	return object;
}

#define MADE_NETNS 4026531840U

/* A connection of socket INODE between two ports of 192.0.2.1 and 198.51.100.LAST. */
static inline struct inventory_connection made_ends(uint64_t inode, uint16_t local_port,
						    uint8_t last, uint16_t peer_port)
{
	return (struct inventory_connection){
		.inode = inode,
		.netns = MADE_NETNS,
		.local = { .ip = { [10] = 0xff, 0xff, 192, 0, 2, 1 }, .port = local_port },
		.peer = { .ip = { [10] = 0xff, 0xff, 198, 51, 100, last }, .port = peer_port },
	};
}

static inline void made_connection(struct inventory_process *process, uint64_t inode,
				   uint16_t local_port, uint8_t last, uint16_t peer_port)
{
	const struct inventory_connection connection =
		made_ends(inode, local_port, last, peer_port);

	assert_int_equal(connections_add(process, &connection), 0);
}

static inline struct inventory_object *made_exe(struct inventory_process *process, const char *path,
						uint64_t inode)
{
	struct inventory_object *object = made_object(path, inode);

	inventory_run(process, object);
	return object;
}

/* What OBJECT is said to contain, empty. */
static inline struct content *made_content(struct inventory_object *object)
{
	assert_true(nr_contents < MADE_OBJECTS);
	contents[nr_contents] = (struct content){ 0 };
	object->content = &contents[nr_contents++];
	return object->content;
}

static inline struct program *made_program(struct inventory_object *object, const char *version)
{
	assert_true(nr_programs < MADE_OBJECTS);
	programs[nr_programs] = (struct program){ .version = version, .is_elf = true };
	object->program = &programs[nr_programs++];
	return object->program;
}

#define ITEMS(array)                                                                               \
	((struct item_list){ .items = (array),                                                     \
			     .count = sizeof(array) / sizeof((array)[0]),                          \
			     .stride = sizeof((array)[0]) })

static inline void assert_texts(const struct text_list *list, const char *expected, size_t size)
{
	assert_int_equal(list->size, size);
	if (size)
		assert_memory_equal(list->bytes, expected, size);
}

/* LIST is the strings of LITERAL, separated by NULs. */
#define ASSERT_TEXTS(list, literal) assert_texts(&(list), literal, sizeof(literal))

/* DOCUMENT as one line of JSON, with homes replaced; valid until scene_close(). */
static inline const char *made_json(struct scene *scene, const void *document,
				    const struct fields *table)
{
	const char *text;

	scene_open(scene, "json-lines", true);
	assert_int_equal(scene_document(scene, document, table), 0);
	text = scene_end(scene);
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	return text;
}

#endif /* TESTS_INVENTORY_MADE_INVENTORY_H */
