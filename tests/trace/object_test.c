/* SPDX-License-Identifier: MIT */
/* Loading an object: what its programs are attached to, and that the types are read once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "sources/source.h"
#include "trace/object.h"

EMBED_OBJECT(process_exit);
EMBED_OBJECT(seed);

static const struct object_file exit_file = { "exit", process_exit_object,
					      process_exit_object_end };
static const struct object_file seed_file = { "seed", seed_object, seed_object_end };

static void must_be_root(void)
{
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
}

/* What PROGRAM is attached to, as the kernel says. */
static __u32 target_of(const struct bpf_object *object, const char *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	int fd = bpf_program__fd(bpf_object__find_program_by_name(object, program));

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	assert_int_equal(info.type, BPF_PROG_TYPE_TRACING);
	return info.attach_btf_id;
}

/* How many bytes this process has read. */
static unsigned long bytes_read(void)
{
	_cleanup_(cleanup_file) FILE *file = fopen("/proc/self/io", "re");
	unsigned long bytes = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "rchar: %lu", &bytes), 1);
	return bytes;
}

static void test_targets(void **state)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct core_types types = { 0 };
	struct bpf_object *object = NULL;
	unsigned long bytes;

	(void)state;
	must_be_root();
	if (!kernel) {
		print_message("the kernel has no BTF\n");
		skip();
	}
	assert_int_equal(object_load(&types, &seed_file, NULL, NULL, &object), 0);
	assert_int_equal(target_of(object, "seed_task"),
			 btf__find_by_name_kind(kernel, "bpf_iter_task", BTF_KIND_FUNC));
	bpf_object__close(object);
	bytes = bytes_read();
	assert_int_equal(object_load(&types, &exit_file, NULL, NULL, &object), 0);
	/* The types of a kernel are 5 MB and more. */
	assert_true(bytes_read() - bytes < 1U << 20);
	assert_int_equal(
		target_of(object, "process_exit_done"),
		btf__find_by_name_kind(kernel, "btf_trace_sched_process_exit", BTF_KIND_TYPEDEF));
	bpf_object__close(object);
	core_types_close(&types);
	btf__free(kernel);
}

/* A tracepoint that no kernel has. */
static void test_no_target(void **state)
{
	static const char section[] = "tp_btf/sched_process_exit";
	size_t size = object_size(process_exit_object, process_exit_object_end);
	unsigned char *bytes = malloc(size);
	struct object_file file = { "none", bytes, bytes + size };
	struct core_types types = { 0 };
	struct bpf_object *object = NULL;
	unsigned char *name = bytes;
	size_t nr = 0;

	(void)state;
	must_be_root();
	assert_non_null(bytes);
	memcpy(bytes, process_exit_object, size);
	/* In the names of sections and in what is said about them. */
	while ((name = memmem(name, size - (size_t)(name - bytes), section, sizeof(section)))) {
		name[strlen(section) - 1] = 'X';
		nr++;
	}
	assert_true(nr >= 2);
	assert_int_equal(object_load(&types, &file, NULL, NULL, &object), -ENOENT);
	assert_null(object);
	core_types_close(&types);
	free(bytes);
}

static int refuse(void *ctx, struct bpf_object *object)
{
	assert_non_null(object);
	*(int *)ctx += 1;
	return -ENOTNAM;
}

static void test_adjust(void **state)
{
	struct core_types types = { 0 };
	struct bpf_object *object = NULL;
	int nr_calls = 0;

	(void)state;
	assert_int_equal(object_load(&types, &seed_file, refuse, &nr_calls, &object), -ENOTNAM);
	assert_int_equal(nr_calls, 1);
	assert_null(object);
	core_types_close(&types);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_no_target),
		cmocka_unit_test(test_adjust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
