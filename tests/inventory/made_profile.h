/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INVENTORY_MADE_PROFILE_H
#define TESTS_INVENTORY_MADE_PROFILE_H

/*
 * Profiles of a made inventory and of records that went through a pipeline, one second after the
 * other. For tests of one program, after cmocka.h: has state.
 */

#include "inventory/made_inventory.h"
#include "inventory/profile_private.h"
#include "sources/file_open/content.h"
#include "sources/file_open/file_open.h"
#include "sources/lib_load/lib_load.h"
#include "sources/process_exec/process_exec.h"
#include "sources/process_exit/process_exit.h"
#include "sources/process_fork/process_fork.h"

#define SECOND_NS     1000000000ULL
#define MADE_FIRST_NS (200 * SECOND_NS) /* boot time of the first record */

/* Time since the epoch of the record NR, from 0. */
static inline uint64_t made_at(uint64_t nr)
{
	return MADE_FIRST_NS + nr * SECOND_NS + (uint64_t)MADE_OFFSET_NS;
}

static struct profiles *profiles;
static struct profile_document document;
static struct profile_heading heading;
static struct coverage coverage;
static struct scene scene;
static struct raw raw;
static uint64_t nr_taken;
/* What the files of file_open records contain; NULL: not looked into. */
static struct content *opened;
/* Whether what is not known becomes a target. */
static bool is_target;
static int take_err;

static void made_take(void *ctx, struct record *record)
{
	(void)ctx;
	if (record->hdr->source == SOURCE_file_open && opened)
		file_open_set_content(record, opened, true);
	take_err = profiles_take(profiles, record, is_target);
}

static int made_profiles_begin(bool follows)
{
	void *nothing = NULL;

	opened = NULL;
	is_target = false;
	nr_taken = 0;
	take_err = 0;
	if (made_begin(&nothing))
		return -1;
	scene_open(&scene, "json-lines", false);
	for (size_t i = 0; i < NR_SOURCES; i++)
		scene.pipeline.handlers[i].handle = made_take;
	coverage_init(&coverage, made_at(0), true);
	heading = (struct profile_heading){
		.now_ns = made_at(0),
		.hostname = "web-01",
		.kernel = "6.1.0",
		.coverage = &coverage,
	};
	return profiles_new(&profiles, follows, &scene.pipeline.clock);
}

static inline int begin_alone(void **state)
{
	(void)state;
	return made_profiles_begin(false);
}

static inline int begin_tree(void **state)
{
	(void)state;
	return made_profiles_begin(true);
}

static inline int end_profiles(void **state)
{
	profiles_free(profiles);
	scene_close(&scene);
	return made_end(state);
}

/* A record of process PID, made as made_process() makes it, ready to be changed. */
static inline struct event_hdr *made_record(enum source_id kind, uint32_t pid)
{
	struct event_hdr *hdr;

	raw_begin(&raw, kind);
	hdr = raw_hdr(&raw);
	hdr->tgid = pid;
	hdr->tid = pid;
	hdr->start_ns = MADE_START_NS + pid;
	hdr->ts_ns = MADE_FIRST_NS + nr_taken++ * SECOND_NS;
	return hdr;
}

static inline void taken(void)
{
	take_err = 1;
	assert_int_equal(scene_take(&scene, &raw), 0);
	assert_int_equal(take_err, 0);
}

static inline void made_fork(uint32_t pid, uint32_t ppid)
{
	made_record(SOURCE_process_fork, pid)->ppid = ppid;
	taken();
}

static inline void made_open(uint32_t pid, const char *path, uint64_t flags, int result)
{
	struct file_open_event *event = (void *)made_record(SOURCE_file_open, pid);

	event->flags = flags;
	event->result = result;
	raw_tail_text(&raw, offsetof(struct file_open_event, name), path);
	taken();
}

static inline void made_load(uint32_t pid, const char *path, uint64_t inode)
{
	struct lib_load_event *event = (void *)made_record(SOURCE_lib_load, pid);

	event->inode = inode;
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), path);
	taken();
}

/* ARGV is SIZE bytes, NUL-separated. */
static inline void made_exec(uint32_t pid, const char *exe, const char *argv, size_t size)
{
	made_record(SOURCE_process_exec, pid);
	raw_tail_text(&raw, offsetof(struct process_exec_event, exe), exe);
	raw_tail(&raw, offsetof(struct process_exec_event, argv), argv, size);
	taken();
}

static inline void made_exit(uint32_t pid, uint32_t status)
{
	((struct process_exit_event *)made_record(SOURCE_process_exit, pid))->status = status;
	taken();
}

static inline void made_target(const struct inventory_process *process)
{
	assert_int_equal(profiles_add_target(profiles, process), 0);
}

static inline void made_descendant(const struct inventory_process *process)
{
	assert_int_equal(profiles_add_descendant(profiles, process), 0);
}

/* The document as of now; profile NR of it. */
static inline const struct profile *made_profile(size_t nr)
{
	assert_int_equal(profiles_document(profiles, &heading, 1500, &document), 0);
	assert_true(nr < document.profiles.count);
	return (const struct profile *)document.profiles.items + nr;
}

static inline const struct profile_file *file_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->files.count);
	return (const struct profile_file *)profile->files.items + nr;
}

static inline const struct profile_library *library_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->libraries.count);
	return (const struct profile_library *)profile->libraries.items + nr;
}

static inline const struct profile_member *member_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->members.count);
	return (const struct profile_member *)profile->members.items + nr;
}

#define ALONE(function) cmocka_unit_test_setup_teardown(function, begin_alone, end_profiles)
#define TREE(function)	cmocka_unit_test_setup_teardown(function, begin_tree, end_profiles)

#endif /* TESTS_INVENTORY_MADE_PROFILE_H */
