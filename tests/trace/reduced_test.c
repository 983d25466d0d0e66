/* SPDX-License-Identifier: MIT */
/* That the object for old kernels holds what Linux 4.15 loads, and that it loads here. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <linux/bpf.h>

#include "pipeline/clock.h"
#include "sources/file_open/file_open.h"
#include "sources/source.h"
#include "trace/reduced.h"
#include "trace/tracefs.h"

EMBED_OBJECT(reduced);

/* Of Linux 4.15, include/uapi/linux/bpf.h and kernel/bpf/verifier.c. */
#define INSTRUCTIONS_MAX 4096
static const int32_t known_helpers[] = {
	BPF_FUNC_map_lookup_elem,  BPF_FUNC_map_update_elem,	 BPF_FUNC_map_delete_elem,
	BPF_FUNC_probe_read,	   BPF_FUNC_ktime_get_ns,	 BPF_FUNC_get_current_pid_tgid,
	BPF_FUNC_get_current_comm, BPF_FUNC_get_current_uid_gid, BPF_FUNC_perf_event_output,
	BPF_FUNC_probe_read_str,
};
static const uint32_t known_maps[] = {
	BPF_MAP_TYPE_HASH,	   BPF_MAP_TYPE_ARRAY,	  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
	BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_HASH,
};

static struct bpf_object *object;

static int begin(void **state)
{
	(void)state;
	object = bpf_object__open_mem(reduced_object,
				      object_size(reduced_object, reduced_object_end), NULL);
	return object ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	bpf_object__close(object);
	return 0;
}

static bool is_known_helper(int32_t helper)
{
	for (size_t i = 0; i < sizeof(known_helpers) / sizeof(known_helpers[0]); i++)
		if (known_helpers[i] == helper)
			return true;
	return false;
}

/* Whether Linux 4.15 knows INSN: no 32-bit jumps, no calls of functions or of the kernel's own. */
static bool is_known(const struct bpf_insn *insn)
{
	uint8_t class = BPF_CLASS(insn->code);

	if (class == BPF_JMP32)
		return false;
	if (class == BPF_JMP && BPF_OP(insn->code) == BPF_CALL)
		return insn->src_reg == 0 && is_known_helper(insn->imm);
	/* Atomic operations other than a plain addition came in 5.12. */
	if (class == BPF_STX && BPF_MODE(insn->code) == BPF_XADD)
		return insn->imm == BPF_ADD;
	return true;
}

static void test_programs_are_such_as_4_15_loads(void **state)
{
	struct bpf_program *program;
	size_t nr_programs = 0;

	(void)state;
	bpf_object__for_each_program(program, object)
	{
		const struct bpf_insn *insns = bpf_program__insns(program);
		size_t count = bpf_program__insn_cnt(program);

		nr_programs++;
		assert_in_range(count, 2, INSTRUCTIONS_MAX);
		assert_int_equal(bpf_program__type(program), BPF_PROG_TYPE_TRACEPOINT);
		for (size_t i = 0; i < count; i++)
			if (!is_known(&insns[i]))
				fail_msg("%s: instruction %zu: code %#x, %d",
					 bpf_program__name(program), i, insns[i].code,
					 insns[i].imm);
	}
	assert_int_equal(nr_programs, 18);
}

static void test_maps_are_such_as_4_15_makes(void **state)
{
	const struct bpf_map *map;

	(void)state;
	bpf_object__for_each_map(map, object)
	{
		bool is_known_map = false;

		for (size_t i = 0; i < sizeof(known_maps) / sizeof(known_maps[0]); i++)
			is_known_map |= bpf_map__type(map) == known_maps[i];
		/* Global data is a map called .rodata, .data or .bss. */
		if (!is_known_map || strchr(bpf_map__name(map), '.'))
			fail_msg("map '%s' of type %d", bpf_map__name(map), bpf_map__type(map));
		assert_int_equal(bpf_map__map_flags(map), 0);
	}
}

/* The head of .BTF.ext, include/uapi/linux/btf.h and libbpf's btf_internal.h. */
struct btf_ext_head {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t size;
	uint32_t func_info_off, func_info_len;
	uint32_t line_info_off, line_info_len;
	uint32_t core_relo_off, core_relo_len;
};

static void test_nothing_is_to_be_relocated_by_the_kernels_types(void **state)
{
	const size_t size = object_size(reduced_object, reduced_object_end);
	struct btf_ext *ext = NULL;
	struct btf *btf;
	char path[] = "/tmp/reduced-XXXXXX";
	int fd = mkstemp(path);
	const struct btf_ext_head *head;
	uint32_t raw_size;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, reduced_object, size), size);
	close(fd);
	btf = btf__parse_elf(path, &ext);
	unlink(path);
	assert_non_null(btf);
	assert_non_null(ext);
	head = btf_ext__get_raw_data(ext, &raw_size);
	assert_true(head->size < sizeof(*head) || head->core_relo_len == 0);
	btf_ext__free(ext);
	btf__free(btf);
}

/* What came out of a run, of this process. */
struct seen {
	size_t nr_seeds;
	bool has_seed; /* of this process */
	size_t nr_opens;
	size_t nr_exits;
	uint64_t last_ns;
};

static void take_seed(void *ctx, const struct process_seed *seed)
{
	struct seen *seen = ctx;

	seen->nr_seeds++;
	seen->has_seed |= seed->tgid == (uint32_t)getpid();
}

static int take_record(void *ctx, const void *bytes, size_t size)
{
	const struct event_hdr *hdr = bytes;
	const struct file_open_event *event = bytes;
	struct seen *seen = ctx;

	assert_true(size >= sizeof(*hdr) && hdr->ts_ns >= seen->last_ns);
	seen->last_ns = hdr->ts_ns;
	seen->nr_exits += hdr->source == SOURCE_process_exit;
	if (hdr->source != SOURCE_file_open)
		return 0;
	assert_int_equal(hdr->tgid, getpid());
	assert_int_equal(event->result, -ENOENT);
	assert_int_equal(event->name.size, strlen("/nonexistent.pem"));
	assert_memory_equal((const char *)bytes + event->name.off, "/nonexistent.pem",
			    event->name.size);
	seen->nr_opens++;
	return 0;
}

static void live_in_a_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Without a broker, so that nothing is asked of /proc after the start. */
static void test_loads_and_attaches_here_and_tells_what_a_tree_does(void **state)
{
	const struct trace_config config = { .ring_size = 1U << 20,
					     .select = SELECT_TREE | SELECT_INHERIT,
					     .wanted = 1U << SOURCE_file_open };
	struct attach_places places = { .cgroup = -1 };
	struct source_counters counters = { 0 };
	struct reduced *reduced = NULL;
	struct seen seen = { 0 };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;
	uint64_t until_ns;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	places.tracefs = tracefs_open();
	assert_int_equal(reduced_open(&reduced, &config, &places), 0);
	for (size_t i = 0; i < NR_SOURCES; i++) {
		if (reduced_reason(reduced, i))
			fail_msg("%s: %s", sources[i]->name, reduced_reason(reduced, i));
		assert_true(reduced_has(reduced, i) == (i <= SOURCE_file_open));
	}
	assert_int_equal(reduced_add_root(reduced, (uint32_t)getpid()), 0);
	assert_int_equal(reduced_watch(reduced, epoll), 0);
	assert_int_equal(reduced_start(reduced, take_seed, &seen), 0);
	assert_true(seen.has_seed);
	assert_int_equal(chdir("."), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(open("/nonexistent.pem", O_RDONLY), -1);
	live_in_a_child();
	until_ns = boot_clock_now();
	assert_true(epoll_wait(epoll, &event, 1, 60000) > 0);
	while (reduced_pass(reduced, until_ns, 1000, take_record, &seen) == 1000)
		;
	assert_int_equal(seen.nr_opens, 10);
	assert_int_equal(seen.nr_exits, 1);
	reduced_counters(reduced, SOURCE_file_open, &counters);
	assert_int_equal(counters.sent, 10);
	assert_int_equal(counters.hit, counters.rejected + counters.ring_full + counters.sent);
	assert_int_equal(reduced_gaps(reduced)->malformed, 0);
	reduced_close(reduced);
	close(places.tracefs);
	close(epoll);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_programs_are_such_as_4_15_loads, begin, end),
		cmocka_unit_test_setup_teardown(test_maps_are_such_as_4_15_makes, begin, end),
		cmocka_unit_test(test_nothing_is_to_be_relocated_by_the_kernels_types),
		cmocka_unit_test(test_loads_and_attaches_here_and_tells_what_a_tree_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
