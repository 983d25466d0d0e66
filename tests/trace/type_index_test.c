/* SPDX-License-Identifier: MIT */
/* Types by their names: what is found, compared with a look through all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "trace/type_index.h"

static struct type_name named(const char *text)
{
	return (struct type_name){ text, strlen(text) };
}

/* Each of the kernel's types is found by its own name, once. */
static void test_kernel(void **state)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct type_index index = { 0 };
	size_t nr_named = 0;

	(void)state;
	if (!kernel) {
		print_message("the kernel has no BTF\n");
		skip();
	}
	assert_int_equal(type_index_open(&index, kernel), 0);
	for (__u32 id = 1; id < btf__type_cnt(kernel); id++) {
		const struct btf_type *type = btf__type_by_id(kernel, id);
		size_t nr_found = 0;
		__u32 found = 0;

		if (!type_is_named(type))
			continue;
		nr_named++;
		while ((found = type_index_find(&index, type_name(kernel, type), found)))
			nr_found += found == id;
		assert_int_equal(nr_found, 1);
	}
	assert_true(nr_named > 5000);
	type_index_close(&index);
	btf__free(kernel);
}

/* All that have a name, whatever their kinds and flavors, and nothing else. */
static void test_find(void **state)
{
	struct btf *made = btf__new_empty();
	struct type_index index = { 0 };
	int ids[4], nr = 0;
	__u32 id = 0;

	(void)state;
	assert_non_null(made);
	ids[nr++] = btf__add_struct(made, "file", 0);
	assert_true(btf__add_struct(made, "files", 0) > 0);
	ids[nr++] = btf__add_typedef(made, "file", ids[0]);
	ids[nr++] = btf__add_struct(made, "file___old", 0);
	assert_true(btf__add_struct(made, NULL, 0) > 0);
	ids[nr++] = btf__add_enum(made, "file", 4);
	/* A relocation never asks for a function. */
	assert_true(btf__add_func(made, "file", BTF_FUNC_STATIC, btf__add_func_proto(made, 0)) > 0);
	assert_int_equal(type_index_open(&index, made), 0);
	while ((id = type_index_find(&index, named("file"), id))) {
		assert_true(nr > 0);
		assert_int_equal(id, ids[--nr]);
	}
	assert_int_equal(nr, 0);
	assert_int_equal(type_index_find(&index, named("fil"), 0), 0);
	assert_int_equal(type_index_find(&index, named(""), 0), 0);
	/* A part of a longer text. */
	assert_true(type_index_find(&index, (struct type_name){ "files and more", 5 }, 0) > 0);
	type_index_close(&index);
	assert_null(index.first);
	type_index_close(&index);
	btf__free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
