/* SPDX-License-Identifier: MIT */
/* What is left of a source on a kernel that does not take all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "trace/session.h"

static struct session session;

/* Loads the object of SOURCE, REDUCED as after a refusal. */
static struct bpf_object *load(const struct source *source, bool reduced)
{
	struct bpf_object *object = NULL;

	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	session = (struct session){ .config = { .ring_size = 64U << 10 },
				    .places = { .tracefs = -1, .cgroup = -1 } };
	session.nr_cpus = (size_t)libbpf_num_possible_cpus();
	for (size_t i = 0; i < sizeof(session.maps) / sizeof(session.maps[0]); i++)
		session.maps[i] = -1;
	assert_int_equal(session_load_source(&session, source, reduced, &object), 0);
	return object;
}

static bool is_loaded(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	assert_non_null(program);
	return bpf_program__autoload(program) && bpf_program__fd(program) >= 0;
}

/*
 * A program that is required at one hook and optional at others stays: without it a kernel that
 * lacks another program reported no open at all, and called the source attached.
 */
static void test_reduced_source_keeps_what_is_required(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++) {
		const struct source *source = sources[i];
		struct bpf_object *object;

		if (!source->object)
			continue;
		object = load(source, true);
		for (size_t j = 0; j < source->nr_programs; j++)
			if (source->programs[j].use == PROGRAM_REQUIRED)
				assert_true(is_loaded(object, source->programs[j].name));
		bpf_object__close(object);
	}
}

static void test_reduced_source_lacks_what_is_optional(void **state)
{
	struct bpf_object *object = load(&file_open_source, true);

	(void)state;
	assert_false(is_loaded(object, "file_open_uring"));
	assert_false(is_loaded(object, "file_open_uring_sqe"));
	bpf_object__close(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reduced_source_keeps_what_is_required),
		cmocka_unit_test(test_reduced_source_lacks_what_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
