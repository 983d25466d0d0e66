/* SPDX-License-Identifier: MIT */
#include "syscalls/record_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sources/source.h"
#include "syscalls/record_tree.h"
#include "trace/object.h"
#include "trace/libbpf_log.h"
#include "trace/uprobe_link.h"

EMBED_OBJECT(record);

/* Of the ring: words that wake, or all calls. */
#define RING_SIZE      (1U << 12)
#define RING_SIZE_LIVE (1U << 20)
/* PROC_PID_INIT_INO, include/linux/proc_ns.h */
#define FIRST_PID_NAMESPACE 0xeffffffcU

static const char *const map_names[NR_RECORD_FDS] = {
	[RECORD_FD_threads] = "threads", [RECORD_FD_counts] = "counts",
	[RECORD_FD_nodes] = "nodes",	 [RECORD_FD_children] = "children",
	[RECORD_FD_files] = "files",	 [RECORD_FD_paths] = "paths",
	[RECORD_FD_entries] = "entries", [RECORD_FD_state] = "state",
};

/* Attached in this order: calls are counted when all that tells whose they are is in place. */
static const char *const programs[] = {
	"record_end",	 "record_fork",	 "record_prepare_exec", "record_exec",
	"record_signal", "record_enter", "record_exit",
};

_Static_assert(RECORD_CALLS_MAX == SYSCALLS_MAX, "a row for each number");
_Static_assert(RECORD_POINTS_MAX == POINTS_MAX, "a counter for each point");
_Static_assert(ARRAY_SIZE(programs) <= RECORD_LINKS_MAX, "a link for each program");

/* What a point is to the programs; INDEX is its number. */
static void config_point(struct record_config *config, const struct point *point, size_t index)
{
	__u8 number = (__u8)(index + 1);

	switch (point->kind) {
	case POINT_SYSCALL:
		for (size_t i = 0; i < point->nr_calls; i++)
			if (point->calls[i] < RECORD_CALLS_MAX)
				config->calls[point->calls[i]] = number;
		break;
	case POINT_FORK:
		config->at_fork = number;
		break;
	case POINT_THREAD:
		config->at_thread = number;
		break;
	case POINT_EXEC:
		config->at_exec = number;
		break;
	case POINT_SIGNAL:
		if (point->signal > 0 && point->signal < RECORD_SIGNALS_MAX)
			config->signals[point->signal] = number;
		break;
	case POINT_AUTO:
		config->at_wait = number;
		break;
	case POINT_CODE:
		break;
	}
}

/* Whether it is to be known when a call begins. */
static bool wants_enter(const struct record_setup *setup)
{
	return setup->points->nr > 0 || setup->has_live || setup->has_ready;
}

static void config_fill(struct record_config *config, const struct record_setup *setup)
{
	struct stat st;

	*config = (struct record_config){
		.native = syscall_arch_native(),
		.compat = NR_SYSCALL_ARCHES,
		.x32 = NR_SYSCALL_ARCHES,
		.has_points = setup->points->nr > 0,
		.has_live = setup->has_live,
		.has_ready = setup->has_ready,
		.has_enter = wants_enter(setup),
		.start_routine = setup->start_routine,
	};
	if (config->native == SYSCALL_ARCH_x86_64) {
		config->compat = SYSCALL_ARCH_i386;
		config->x32 = SYSCALL_ARCH_x32;
	}
	for (size_t i = 0; i < setup->points->nr; i++)
		config_point(config, &setup->points->list[i], i);
	for (uint32_t nr = 0; nr < RECORD_CALLS_MAX; nr++)
		config->classes[nr] = (__u8)((point_is_wait(nr) ? RECORD_WAITS : 0) |
					     (point_is_listen(nr) ? RECORD_LISTENS : 0));
	if (stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != FIRST_PID_NAMESPACE) {
		config->pidns_dev = st.st_dev;
		config->pidns_inode = st.st_ino;
	}
}

static bool has_kind(const struct points *points, enum point_kind kind)
{
	for (size_t i = 0; i < points->nr; i++)
		if (points->list[i].kind == kind)
			return true;
	return false;
}

/* What not every kernel has. */
struct kernel_has {
	bool multi_probes; /* since Linux 6.6 */
	bool prepare_exec; /* since 6.10 */
};

static int programs_choose(struct bpf_object *object, const struct record_setup *setup,
			   const struct kernel_has *has)
{
	const struct {
		const char *name;
		bool is_wanted;
	} choices[] = {
		{ "record_enter", wants_enter(setup) },
		{ "record_code", has_kind(setup->points, POINT_CODE) },
		{ "record_prepare_exec", has->prepare_exec && !wants_enter(setup) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, choices[i].name);

		if (!program)
			return -ENOENT;
		bpf_program__set_autoload(program, choices[i].is_wanted);
	}
	if (has->multi_probes)
		bpf_program__set_expected_attach_type(
			bpf_object__find_program_by_name(object, "record_code"),
			(enum bpf_attach_type)UPROBE_MULTI);
	return 0;
}

static int object_adjust(struct bpf_object *object, const struct record_setup *setup)
{
	_cleanup_(cleanup_free) struct record_config *config = malloc(sizeof(*config));
	struct bpf_map *rodata = bpf_object__find_map_by_name(object, ".rodata.config");
	struct bpf_map *told = bpf_object__find_map_by_name(object, "told");
	int err;

	if (!rodata || !told)
		return -ENOENT;
	if (!config)
		return -ENOMEM;
	config_fill(config, setup);
	err = bpf_map__set_max_entries(told, setup->has_live ? RING_SIZE_LIVE : RING_SIZE);
	if (err)
		return err;
	return bpf_map__set_initial_value(rodata, config, sizeof(*config));
}

/* What an object is made to. */
struct making {
	const struct record_setup *setup;
	const struct kernel_has *has;
};

static int object_make(void *ctx, struct bpf_object *object)
{
	const struct making *making = ctx;
	int err = programs_choose(object, making->setup, making->has);

	return err ? err : object_adjust(object, making->setup);
}

/* Loads with all that this kernel has. */
static int object_load_best(struct record_object *record, const struct record_setup *setup,
			    struct kernel_has *has)
{
	const struct object_file file = { "record", record_object, record_object_end };
	_cleanup_(core_types_close) struct core_types types = { 0 };
	struct making making = { setup, has };
	int err = object_load(&types, &file, object_make, &making, &record->object);

	/* There is no such tracepoint. */
	if (err == -ENOENT && has->prepare_exec) {
		has->prepare_exec = false;
		err = object_load(&types, &file, object_make, &making, &record->object);
	}
	if (err == -EINVAL && has->multi_probes) {
		has->multi_probes = false;
		err = object_load(&types, &file, object_make, &making, &record->object);
	}
	return err;
}

static int programs_attach(struct record_object *record)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(record->object, programs[i]);
		struct bpf_link *link;

		if (!program || !bpf_program__autoload(program))
			continue;
		link = bpf_program__attach_trace(program);
		if (!link)
			return -errno;
		record->links[record->fds.nr_links] = link;
		record->fds.links[record->fds.nr_links++] = bpf_link__fd(link);
	}
	return 0;
}

/* Iterators over the processes: their links are what others make readers of. */
static int iterators_attach(struct record_object *record)
{
	static const struct {
		const char *name;
		enum record_fd fd;
	} iterators[] = {
		{ "record_alive", RECORD_FD_alive },
		{ "record_flush", RECORD_FD_flush },
	};

	for (size_t i = 0; i < ARRAY_SIZE(iterators); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(record->object, iterators[i].name);
		struct bpf_link *link = program ? bpf_program__attach_iter(program, NULL) : NULL;

		if (!link)
			return -errno;
		record->iterators[i] = link;
		record->fds.fd[iterators[i].fd] = bpf_link__fd(link);
	}
	return 0;
}

/* A link for POINT, the I-th, whose number is the cookie. */
static int probe_link(const struct bpf_program *program, bool is_multi, const struct point *point,
		      size_t i)
{
	const uint64_t offset = point->offset, cookie = i + 1;
	char path[32];
	const struct uprobe_batch batch = {
		.program = bpf_program__fd(program),
		.path = path,
		.offsets = &offset,
		.cookies = &cookie,
		.nr = 1,
	};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", point->fd);
	return is_multi ? uprobe_link_multi(&batch)
			: uprobe_link_single(&batch, 0, uprobe_perf_type());
}

static int probes_attach(struct record_object *record, const struct record_setup *setup,
			 bool is_multi)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(record->object, "record_code");

	for (size_t i = 0; i < setup->points->nr; i++) {
		const struct point *point = &setup->points->list[i];
		int link;

		if (point->kind != POINT_CODE)
			continue;
		link = probe_link(program, is_multi, point, i);
		if (link < 0)
			return link;
		record->probes[record->nr_probes++] = link;
	}
	return 0;
}

static int maps_find(struct record_object *record, const struct record_setup *setup)
{
	struct bpf_map *told = bpf_object__find_map_by_name(record->object, "told");

	for (size_t i = 0; i < NR_RECORD_FDS; i++) {
		if (!map_names[i])
			continue;

		struct bpf_map *map = bpf_object__find_map_by_name(record->object, map_names[i]);

		if (!map)
			return -ENOENT;
		record->fds.fd[i] = bpf_map__fd(map);
	}
	record->state = record_map_state(&record->fds);
	record->nodes = record_map_nodes(&record->fds);
	record->told = ring_buffer__new(bpf_map__fd(told), setup->on_told, setup->ctx, NULL);
	return record->state && record->nodes && record->told ? 0 : -ENOMEM;
}

int record_object_open(struct record_object *record, const struct record_setup *setup)
{
	struct kernel_has has = {
		.multi_probes = has_kind(setup->points, POINT_CODE) && !setup->is_single,
		.prepare_exec = true,
	};
	int err;

	*record = (struct record_object){ 0 };
	libbpf_log_start();
	err = object_load_best(record, setup, &has);
	if (!err)
		err = maps_find(record, setup);
	if (!err)
		err = iterators_attach(record);
	if (!err)
		err = probes_attach(record, setup, has.multi_probes);
	if (!err)
		err = programs_attach(record);
	return err;
}

/* Deletes all of a map whose keys have at most KEY_SIZE bytes. */
static int map_empty(int fd, void *key)
{
	while (bpf_map_get_next_key(fd, NULL, key) == 0)
		if (bpf_map_delete_elem(fd, key) < 0 && errno != ENOENT)
			return -errno;
	return errno == ENOENT ? 0 : -errno;
}

static uint64_t count_missed(const struct record_object *record)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(record->object, programs[i]);
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);

		if (program && bpf_program__autoload(program) &&
		    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0)
			nr += info.recursion_misses;
	}
	return nr;
}

int record_object_begin(struct record_object *record)
{
	struct record_entry_key entry;
	struct record_node_key node;
	struct record_count_key count;
	const struct record_state old = *record->state;
	int err = map_empty(record->fds.fd[RECORD_FD_counts], &count);

	if (!err)
		err = map_empty(record->fds.fd[RECORD_FD_children], &node);
	if (!err)
		err = map_empty(record->fds.fd[RECORD_FD_entries], &entry);
	if (err)
		return err;
	memset(record->nodes, 0, RECORD_NODES_MAX * sizeof(*record->nodes));
	/* Files keep their numbers. */
	*record->state = (struct record_state){
		.nr_files = old.nr_files,
		.paths_size = old.paths_size,
		.wait = { { .call = RECORD_NONE }, { .call = RECORD_NONE } },
	};
	record->nr_missed = count_missed(record);
	return 0;
}

int record_object_arm(const struct record_object *record, int pidfd)
{
	const struct record_thread thread = {
		.call = RECORD_NONE,
		.flags = THREAD_WAITS_FOR_EXEC,
	};

	if (bpf_map_update_elem(record->fds.fd[RECORD_FD_threads], &pidfd, &thread, BPF_ANY) < 0)
		return -errno;
	return 0;
}

uint64_t record_object_missed(const struct record_object *record)
{
	return count_missed(record) - record->nr_missed;
}

void record_object_detach(struct record_object *record)
{
	for (size_t i = 0; i < record->nr_probes; i++)
		close(record->probes[i]);
	for (size_t i = record->fds.nr_links; i > 0; i--)
		bpf_link__destroy(record->links[i - 1]);
	record->nr_probes = record->fds.nr_links = 0;
}

void record_object_close(struct record_object *record)
{
	record_object_detach(record);
	for (size_t i = 0; i < ARRAY_SIZE(record->iterators); i++)
		bpf_link__destroy(record->iterators[i]);
	if (record->state)
		munmap(record->state, sizeof(*record->state));
	if (record->nodes)
		munmap(record->nodes, RECORD_NODES_MAX * sizeof(*record->nodes));
	ring_buffer__free(record->told);
	bpf_object__close(record->object);
	*record = (struct record_object){ 0 };
}
