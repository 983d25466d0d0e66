/* SPDX-License-Identifier: MIT */
/* What is left of the kernel's types for the relocations of one object. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "trace/core_types.h"

/* An object that has NAME as a structure, which is all that counts. */
static struct btf *object_with(const char *name)
{
	struct btf *object = btf__new_empty();

	assert_non_null(object);
	assert_true(btf__add_struct(object, name, 0) > 0);
	return object;
}

static const struct btf_type *find(const struct btf *btf, const char *name, __u32 kind)
{
	int id = btf__find_by_name_kind(btf, name, kind);

	return id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
}

/* The same names at the same places, with the same sizes. */
static void must_have_same_members(const struct btf *a, const struct btf *b,
				   const struct btf_type *one, const struct btf_type *other)
{
	assert_int_equal(btf_vlen(one), btf_vlen(other));
	assert_int_equal(one->size, other->size);
	for (__u32 i = 0; i < btf_vlen(one); i++) {
		const struct btf_member *first = btf_members(one) + i;
		const struct btf_member *second = btf_members(other) + i;

		assert_string_equal(btf__name_by_offset(a, first->name_off),
				    btf__name_by_offset(b, second->name_off));
		assert_int_equal(first->offset, second->offset);
		assert_true(btf__resolve_size(a, first->type) ==
			    btf__resolve_size(b, second->type));
	}
}

/* That, and what is in them likewise. */
static void must_be_alike(const struct btf *a, const struct btf *b, const struct btf_type *one,
			  const struct btf_type *other)
{
	must_have_same_members(a, b, one, other);
	for (__u32 i = 0; i < btf_vlen(one); i++) {
		const struct btf_type *in_one = btf__type_by_id(a, btf_members(one)[i].type);
		const struct btf_type *in_other = btf__type_by_id(b, btf_members(other)[i].type);

		if (btf_is_composite(in_one))
			must_have_same_members(a, b, in_one, in_other);
	}
}

/* What is left of KERNEL's types for OBJECT. */
static struct btf *reduced(const struct btf *kernel, const struct btf *object)
{
	struct type_index index = { 0 };
	struct btf *small;

	assert_int_equal(type_index_open(&index, kernel), 0);
	small = core_types_reduce(&index, object);
	type_index_close(&index);
	assert_null(index.first);
	assert_non_null(small);
	return small;
}

static struct btf *kernel_types(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();

	if (!kernel) {
		print_message("the kernel has no BTF\n");
		skip();
	}
	return kernel;
}

static void test_kernel(void **state)
{
	struct btf *kernel = kernel_types();
	struct btf *object = object_with("task_struct");
	struct btf *small;

	(void)state;
	assert_true(btf__add_struct(object, "file___of_old", 0) > 0);
	assert_true(btf__add_struct(object, "no_such_thing", 0) > 0);
	small = reduced(kernel, object);
	must_be_alike(kernel, small, find(kernel, "task_struct", BTF_KIND_STRUCT),
		      find(small, "task_struct", BTF_KIND_STRUCT));
	must_be_alike(kernel, small, find(kernel, "file", BTF_KIND_STRUCT),
		      find(small, "file", BTF_KIND_STRUCT));
	assert_null(find(small, "no_such_thing", BTF_KIND_STRUCT));
	/* only pointed at */
	assert_non_null(find(kernel, "super_block", BTF_KIND_STRUCT));
	assert_null(find(small, "super_block", BTF_KIND_STRUCT));
	assert_true(btf__type_cnt(small) < btf__type_cnt(kernel) / 20);
	btf__free(small);
	btf__free(object);
	btf__free(kernel);
}

/*
 * typedef int number; struct inner { number n; }; enum kind { A }; typedef void action(void);
 * struct outer___2 { const struct inner in[3]; enum kind kind; action *act; struct outer___2 *up; }
 */
static struct btf *made_types(void)
{
	struct btf *made = btf__new_empty();
	int integer = btf__add_int(made, "int", 4, BTF_INT_SIGNED);
	int number = btf__add_typedef(made, "number", integer);
	int inner = btf__add_struct(made, "inner", 4);
	int constant, array, kind, proto, action, act, outer;

	assert_int_equal(btf__add_field(made, "n", number, 0, 0), 0);
	constant = btf__add_const(made, inner);
	array = btf__add_array(made, integer, constant, 3);
	kind = btf__add_enum(made, "kind", 4);
	assert_int_equal(btf__add_enum_value(made, "A", 0), 0);
	proto = btf__add_func_proto(made, 0);
	action = btf__add_typedef(made, "action", proto);
	act = btf__add_ptr(made, action);
	outer = btf__add_struct(made, "outer___2", 32);
	assert_int_equal(btf__add_field(made, "in", array, 0, 0), 0);
	assert_int_equal(btf__add_field(made, "kind", kind, 96, 0), 0);
	assert_int_equal(btf__add_field(made, "act", act, 128, 0), 0);
	assert_int_equal(btf__add_field(made, "up", outer + 1, 192, 0), 0);
	assert_int_equal(btf__add_ptr(made, outer), outer + 1);
	assert_true(btf__add_struct(made, "apart", 0) > 0);
	return made;
}

static const struct btf_type *member(const struct btf *btf, const struct btf_type *type, __u32 i)
{
	return btf__type_by_id(btf, btf_members(type)[i].type);
}

static void test_made(void **state)
{
	struct btf *made = made_types();
	struct btf *object = object_with("outer");
	struct btf *small;
	const struct btf_type *outer;
	const struct btf_type *type;

	(void)state;
	assert_true(btf__add_typedef(object, "action", 0) > 0);
	small = reduced(made, object);
	outer = find(small, "outer___2", BTF_KIND_STRUCT);
	assert_non_null(outer);
	must_be_alike(made, small, find(made, "outer___2", BTF_KIND_STRUCT), outer);
	type = member(small, outer, 0);
	assert_true(btf_is_array(type));
	assert_int_equal(btf_array(type)->nelems, 3);
	type = btf__type_by_id(small, btf_array(type)->type);
	assert_true(btf_is_const(type));
	assert_string_equal(
		btf__name_by_offset(small, btf__type_by_id(small, type->type)->name_off), "inner");
	type = member(small, outer, 1);
	assert_string_equal(btf__name_by_offset(small, btf_enum(type)->name_off), "A");
	for (__u32 i = 2; i < 4; i++) {
		assert_true(btf_is_ptr(member(small, outer, i)));
		assert_int_equal(member(small, outer, i)->type, 0);
	}
	/* A function is nothing that has a size. */
	assert_int_equal(find(small, "action", BTF_KIND_TYPEDEF)->type, 0);
	assert_null(find(small, "apart", BTF_KIND_STRUCT));
	btf__free(small);
	btf__free(object);
	btf__free(made);
}

/* Only what has a letter on both sides of three underscores is a flavor. */
static void test_names(void **state)
{
	static const char *const taken[] = { "ab", "ab___1", "ab___old_one" };
	static const char *const left[] = { "ab___", "ab____1", "ab__1",     "abc",
					    "a",     "___ab",	"ab___x___y" };
	struct btf *made = btf__new_empty();
	struct btf *object = object_with("ab___mine");
	struct btf *small;

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		assert_true(btf__add_struct(made, taken[i], 0) > 0);
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		assert_true(btf__add_struct(made, left[i], 0) > 0);
	small = reduced(made, object);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		assert_non_null(find(small, taken[i], BTF_KIND_STRUCT));
	/* The last of these is a flavor of "ab___x". */
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		assert_null(find(small, left[i], BTF_KIND_STRUCT));
	assert_int_equal(btf__type_cnt(small), 4);
	btf__free(small);
	btf__free(object);
	btf__free(made);
}

/* One object's after another's in the same file. */
static void test_file(void **state)
{
	static const char *const names[] = { "task_struct", "qstr" };
	struct core_types types = { 0 };
	const char *path;

	(void)state;
	assert_null(core_types_path(&types));
	if (core_types_open(&types) == -ESRCH) {
		print_message("the kernel has no BTF\n");
		skip();
	}
	path = core_types_path(&types);
	assert_non_null(path);
	for (size_t i = 0; i < 2; i++) {
		struct btf *object = object_with(names[i]);
		struct btf *read;

		assert_int_equal(core_types_fill(&types, object), 0);
		read = btf__parse(path, NULL);
		assert_non_null(read);
		assert_non_null(find(read, names[i], BTF_KIND_STRUCT));
		assert_null(find(read, names[1 - i], BTF_KIND_STRUCT));
		assert_int_equal(core_types_open(&types), 0);
		assert_ptr_equal(core_types_path(&types), path);
		btf__free(read);
		btf__free(object);
	}
	core_types_close(&types);
	assert_null(types.kernel);
	/* Without a path nothing is to be done. */
	assert_int_equal(core_types_fill(&types, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
