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

#include "trace/hook.h"
#include "trace/libbpf_log.h"

static struct session session;

/* Whether this kernel loads what SOURCE has at HOOK, REDUCED as after a refusal. */
static bool load(const struct source *source, const struct source_hook *hook, bool reduced,
		 struct bpf_object **ret)
{
	int err;

	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	libbpf_log_start();
	session = (struct session){ .config = { .ring_size = 64U << 10 },
				    .places = { .tracefs = -1, .cgroup = -1 } };
	session.nr_cpus = (size_t)libbpf_num_possible_cpus();
	for (size_t i = 0; i < sizeof(session.maps) / sizeof(session.maps[0]); i++)
		session.maps[i] = -1;
	err = hook_load(&session, source, hook, reduced, ret);
	core_types_close(&session.types);
	return !err;
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
static void check_required(const struct source *source, const struct source_hook *hook)
{
	struct bpf_object *object;

	if (!load(source, hook, true, &object))
		return;
	for (size_t i = 0; i < hook->nr_programs; i++)
		if (hook->programs[i].use == PROGRAM_REQUIRED)
			assert_true(is_loaded(object, hook->programs[i].name));
	bpf_object__close(object);
}

static void test_reduced_source_keeps_what_is_required(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++)
		for (size_t j = 0; sources[i]->object && j < sources[i]->nr_hooks; j++)
			check_required(sources[i], &sources[i]->hooks[j]);
}

static void test_last_hook_of_every_source_loads(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SOURCES; i++) {
		struct bpf_object *object;

		if (!sources[i]->object)
			continue;
		assert_true(load(sources[i], &sources[i]->hooks[sources[i]->nr_hooks - 1], true,
				 &object));
		bpf_object__close(object);
	}
}

static void test_reduced_source_lacks_what_is_optional(void **state)
{
	const struct source_hook *hook = source_hook_find(&file_open_source, "tp");
	struct bpf_object *object;

	(void)state;
	assert_true(load(&file_open_source, hook, true, &object));
	assert_false(is_loaded(object, "file_open_uring"));
	assert_false(is_loaded(object, "file_open_uring_sqe"));
	bpf_object__close(object);
}

static void test_programs_of_other_hooks_are_left_out(void **state)
{
	const struct source_hook *hook = source_hook_find(&file_open_source, "tp_btf");
	struct bpf_object *object;

	(void)state;
	assert_true(load(&file_open_source, hook, true, &object));
	assert_true(is_loaded(object, "file_open_any"));
	assert_false(is_loaded(object, "file_open_done"));
	assert_false(is_loaded(object, "file_open_exit"));
	assert_false(is_loaded(object, "file_open_return"));
	bpf_object__close(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reduced_source_keeps_what_is_required),
		cmocka_unit_test(test_reduced_source_lacks_what_is_optional),
		cmocka_unit_test(test_last_hook_of_every_source_loads),
		cmocka_unit_test(test_programs_of_other_hooks_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
