/* SPDX-License-Identifier: MIT */
/*
 * What a running program and its children hold, for a look at whether it grows:
 *
 *	entries PID	"RSS_KB FDS CPU_MS MAPS ENTRIES": memory resident, descriptors, processor
 *			time, BPF maps, and the entries of those maps that can get more
 *
 * Entries of hash maps are walked by their keys. The storage of tasks and of sockets cannot be;
 * a BPF iterator over the tasks, and one over the map, writes a byte for each that there is
 * (Documentation/bpf/bpf_iterators.rst of the kernel). Arrays and rings have no entries to grow.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "bench.h"

#define MAX_MAPS     256
#define MAX_KEY_SIZE 512

/* Offsets into struct bpf_iter__task and bpf_iter__bpf_sk_storage_map, of 64-bit members. */
#define ITER_META     0
#define ITER_TASK     8
#define ITER_SK_VALUE 24

struct held {
	unsigned long long rss_kb;
	unsigned long long nr_fds;
	unsigned long long cpu_ms;
	unsigned long long nr_entries;
	uint32_t map_ids[MAX_MAPS];
	size_t nr_maps;
};

#define LOAD(to, from, at)                                                                         \
	{                                                                                          \
		.code = BPF_LDX | BPF_DW | BPF_MEM, .dst_reg = (to), .src_reg = (from),            \
		.off = (at)                                                                        \
	}
#define SET(to, value)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value)               \
	}
#define COPY(to, from)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)            \
	}
#define CALL(helper)                                                                               \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .imm = (helper)                                        \
	}
#define UNLESS(reg, skipped)                                                                       \
	{                                                                                          \
		.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = (reg), .off = (skipped)              \
	}
/* bpf_seq_write(ctx->meta->seq, &byte, 1), then the end. Nine instructions. */
#define WRITE_BYTE_AND_EXIT                                                                        \
	LOAD(BPF_REG_1, BPF_REG_6, ITER_META), LOAD(BPF_REG_1, BPF_REG_1, 0),                      \
		{ .code = BPF_ST | BPF_B | BPF_MEM, .dst_reg = BPF_REG_10, .off = -1, .imm = 1 },  \
		COPY(BPF_REG_2, BPF_REG_10),                                                       \
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -1 },          \
		SET(BPF_REG_3, 1), CALL(BPF_FUNC_seq_write), SET(BPF_REG_0, 0),                    \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}
#define TO_EXIT 7 /* instructions of it that are skipped */

/* The bytes that an iterator of kind @kind with these instructions writes. */
static unsigned long long iterate(const char *kind, const struct bpf_insn *insns, size_t nr_insns,
				  uint32_t map_fd)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	LIBBPF_OPTS(bpf_link_create_opts, link_opts);
	union bpf_iter_link_info info = { .map = { .map_fd = map_fd } };
	unsigned long long nr = 0;
	char buffer[65536];
	int prog, link, iter, id = libbpf_find_vmlinux_btf_id(kind, BPF_TRACE_ITER);
	ssize_t size;

	if (id < 0)
		die(kind, -id);
	opts.attach_btf_id = (uint32_t)id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "bench_entries", "Dual MIT/GPL", insns,
			     nr_insns, &opts);
	if (prog < 0)
		die("cannot load the iterator", -prog);
	if (map_fd) {
		link_opts.iter_info = &info;
		link_opts.iter_info_len = sizeof(info);
	}
	link = bpf_link_create(prog, 0, BPF_TRACE_ITER, &link_opts);
	if (link < 0)
		die("cannot attach the iterator", -link);
	iter = bpf_iter_create(link);
	if (iter < 0)
		die("cannot create the iterator", -iter);
	while ((size = read(iter, buffer, sizeof(buffer))) > 0)
		nr += (unsigned long long)size;
	if (size < 0)
		die("iterator", errno);
	close(iter);
	close(link);
	close(prog);
	return nr;
}

static unsigned long long tasks_count(int map)
{
	const struct bpf_insn insns[] = {
		COPY(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_2, BPF_REG_6, ITER_TASK),
		UNLESS(BPF_REG_2, 6 + TO_EXIT),
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{ 0 },
		SET(BPF_REG_3, 0),
		SET(BPF_REG_4, 0),
		CALL(BPF_FUNC_task_storage_get),
		UNLESS(BPF_REG_0, TO_EXIT),
		WRITE_BYTE_AND_EXIT,
	};

	return iterate("task", insns, sizeof(insns) / sizeof(insns[0]), 0);
}

static unsigned long long sockets_count(int map)
{
	const struct bpf_insn insns[] = {
		COPY(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_2, BPF_REG_6, ITER_SK_VALUE),
		UNLESS(BPF_REG_2, TO_EXIT),
		WRITE_BYTE_AND_EXIT,
	};

	return iterate("bpf_sk_storage_map", insns, sizeof(insns) / sizeof(insns[0]),
		       (uint32_t)map);
}

static unsigned long long keys_count(int map, uint32_t key_size)
{
	uint8_t keys[2][MAX_KEY_SIZE];
	unsigned long long nr = 0;
	void *last = NULL;

	if (key_size > MAX_KEY_SIZE)
		die("a key of a map", E2BIG);
	while (bpf_map_get_next_key(map, last, keys[nr % 2]) == 0)
		last = keys[nr++ % 2];
	return nr;
}

static unsigned long long map_count(uint32_t id)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	unsigned long long nr = 0;
	int fd = bpf_map_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
		die("cannot look into a map", errno);
	if (info.type == BPF_MAP_TYPE_TASK_STORAGE)
		nr = tasks_count(fd);
	else if (info.type == BPF_MAP_TYPE_SK_STORAGE)
		nr = sockets_count(fd);
	else if (info.type == BPF_MAP_TYPE_HASH || info.type == BPF_MAP_TYPE_LRU_HASH)
		nr = keys_count(fd, info.key_size);
	close(fd);
	return nr;
}

/* The number behind @key in a file of /proc, 0 where there is none. */
static unsigned long long value_read(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	unsigned long long value = 0;
	char line[256];

	while (file != NULL && value == 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtoull(line + strlen(key), NULL, 10);
	}
	if (file != NULL)
		fclose(file);
	return value;
}

static void map_add(struct held *held, uint32_t id)
{
	for (size_t i = 0; i < held->nr_maps; i++) {
		if (held->map_ids[i] == id)
			return;
	}
	if (held->nr_maps == MAX_MAPS)
		die("maps", E2BIG);
	held->map_ids[held->nr_maps++] = id;
}

static void process_add(struct held *held, pid_t pid)
{
	char path[PATH_MAX];
	struct dirent *entry;
	clockid_t clock;
	DIR *dir;

	if (clock_getcpuclockid(pid, &clock) == 0)
		held->cpu_ms += clock_ns(clock) / NS_PER_MS;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	held->rss_kb += value_read(path, "VmRSS:");
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		die(path, errno);
	while ((entry = readdir(dir)) != NULL) {
		uint32_t id;

		if (entry->d_name[0] == '.')
			continue;
		held->nr_fds++;
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, entry->d_name);
		id = (uint32_t)value_read(path, "map_id:");
		if (id != 0)
			map_add(held, id);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	struct held held = { 0 };
	char path[64];
	FILE *children;
	pid_t pid;
	int child;

	if (argc != 2) {
		fprintf(stderr, "usage: entries PID\n");
		return 2;
	}
	pid = (pid_t)number_parse(argv[1], INT_MAX);
	process_add(&held, pid);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	children = fopen(path, "re");
	while (children != NULL && fscanf(children, "%d", &child) == 1)
		process_add(&held, (pid_t)child);
	if (children != NULL)
		fclose(children);
	for (size_t i = 0; i < held.nr_maps; i++)
		held.nr_entries += map_count(held.map_ids[i]);
	printf("%llu %llu %llu %zu %llu\n", held.rss_kb, held.nr_fds, held.cpu_ms, held.nr_maps,
	       held.nr_entries);
	return 0;
}
