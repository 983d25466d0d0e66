/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "inventory/made_inventory.h"
#include "priv/broker.h"
#include "support/guard.h"

#define CRYPTO "/usr/lib/libcrypto.so.3"

static void test_new_inventory_is_empty(void **state)
{
	(void)state;
	assert_int_equal(inventory->nr_processes, 0);
	assert_int_equal(inventory->nr_objects, 0);
	assert_null(inventory_find(inventory, 1, 0));
	inventory_remove(inventory, 1);
	inventory_sort(inventory);
	inventory_free(NULL);
}

static void test_process_is_found_by_pid_and_start(void **state)
{
	struct inventory_process *process = inventory_add(inventory, 7, 100);

	(void)state;
	assert_int_equal(process->pid, 7);
	assert_int_equal(process->start_ns, 100);
	assert_ptr_equal(inventory_find(inventory, 7, 100), process);
	assert_ptr_equal(inventory_find(inventory, 7, 0), process);
	assert_null(inventory_find(inventory, 7, 101));
	assert_null(inventory_find(inventory, 8, 100));
	assert_ptr_equal(inventory_add(inventory, 7, 100), process);
	assert_int_equal(inventory->nr_processes, 1);
}

/* Pids 4096 apart share a bucket. */
static void test_many_processes_are_told_apart(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 900; i++)
		assert_non_null(inventory_add(inventory, 1 + 2048 * i, i + 1));
	for (uint32_t i = 0; i < 900; i++)
		assert_int_equal(inventory_find(inventory, 1 + 2048 * i, 0)->start_ns, i + 1);
	assert_int_equal(inventory->nr_processes, 900);
}

static void test_processes_beyond_the_limit_are_counted(void **state)
{
	struct inventory *small;

	(void)state;
	assert_int_equal(inventory_new(&small, 2), 0);
	assert_non_null(inventory_add(small, 1, 1));
	assert_non_null(inventory_add(small, 2, 1));
	assert_null(inventory_add(small, 3, 1));
	assert_null(inventory_add(small, 4, 1));
	/* One that is there is no new one. */
	assert_non_null(inventory_add(small, 2, 1));
	assert_int_equal(small->nr_refused, 2);
	assert_int_equal(small->nr_processes, 2);
	inventory_remove(small, 1);
	assert_non_null(inventory_add(small, 3, 1));
	inventory_free(small);
}

static void test_object_is_one_for_device_inode_and_path(void **state)
{
	struct inventory_object *object = inventory_object(inventory, CRYPTO, 23, 8, 1, 5);

	(void)state;
	assert_ptr_equal(inventory_object(inventory, CRYPTO, 23, 8, 1, 5), object);
	assert_ptr_not_equal(inventory_object(inventory, CRYPTO, 23, 9, 1, 5), object);
	assert_ptr_not_equal(inventory_object(inventory, CRYPTO, 23, 8, 2, 5), object);
	assert_ptr_not_equal(inventory_object(inventory, CRYPTO, 23, 8, 1, 6), object);
	assert_ptr_not_equal(inventory_object(inventory, "/opt/lib/libcrypto.so.3", 23, 8, 1, 5),
			     object);
	assert_int_equal(inventory->nr_objects, 5);
	assert_string_equal(object->path, CRYPTO);
	assert_int_equal(object->path_size, 23);
	assert_int_equal(object->dev_major, 8);
	assert_int_equal(object->dev_minor, 1);
	assert_int_equal(object->inode, 5);
}

static void test_object_is_classified_by_its_name(void **state)
{
	struct inventory_object *library = made_object(CRYPTO, 1);
	struct inventory_object *key = made_object("/etc/ssl/private/web.key", 2);
	struct inventory_object *other = made_object("/usr/bin/nginx", 3);

	(void)state;
	assert_int_equal(library->family, LIBRARY_FAMILY_openssl);
	assert_null(library->class);
	assert_int_equal(key->family, LIBRARY_FAMILY_none);
	assert_int_equal(key->class->kind, FILE_KIND_private_key);
	assert_int_equal(other->family, LIBRARY_FAMILY_none);
	assert_null(other->class);
}

static void test_mark_of_a_deleted_file_is_taken_off(void **state)
{
	struct inventory_object *alive = made_object("/etc/k.key", 5);
	struct inventory_object *gone = made_object("/etc/k.key (deleted)", 5);
	struct inventory_object *twice = made_object("/etc/k.key (deleted) (deleted)", 5);
	struct inventory_object *library = made_object(CRYPTO " (deleted)", 6);
	struct inventory_object *only = made_object(" (deleted)", 7);

	(void)state;
	assert_false(alive->is_deleted);
	assert_true(gone->is_deleted);
	assert_string_equal(gone->path, "/etc/k.key");
	assert_int_equal(gone->path_size, 10);
	assert_int_equal(gone->class->kind, FILE_KIND_private_key);
	assert_ptr_not_equal(gone, alive);
	assert_string_equal(twice->path, "/etc/k.key (deleted)");
	assert_string_equal(library->path, CRYPTO);
	assert_int_equal(library->family, LIBRARY_FAMILY_openssl);
	/* A name is not empty. */
	assert_string_equal(only->path, " (deleted)");
	assert_false(only->is_deleted);
}

static void test_path_is_read_within_its_size(void **state)
{
	const char *path = guard_copy("/etc/k.key (deleted)", 20);

	(void)state;
	assert_string_equal(inventory_object(inventory, path, 20, 1, 1, 1)->path, "/etc/k.key");
	assert_string_equal(inventory_object(inventory, path + 12, 8, 1, 1, 1)->path, "deleted)");
	assert_string_equal(inventory_object(inventory, path + 20, 0, 1, 1, 1)->path, "");
}

static void test_objects_beyond_the_limit_are_counted(void **state)
{
	char path[32];

	(void)state;
	for (int i = 0; i < INVENTORY_OBJECTS_MAX; i++) {
		int n = snprintf(path, sizeof(path), "/tmp/%d.key", i);

		assert_non_null(inventory_object(inventory, path, (size_t)n, 8, 1, (uint64_t)i));
	}
	assert_null(inventory_object(inventory, "/tmp/last.key", 13, 8, 1, 1));
	assert_int_equal(inventory->nr_refused, 1);
	/* Those that are there are found. */
	assert_non_null(inventory_object(inventory, "/tmp/77.key", 11, 8, 1, 77));
	assert_int_equal(inventory->nr_refused, 1);
	assert_int_equal(inventory->nr_objects, INVENTORY_OBJECTS_MAX);
}

static void test_library_is_a_use_once_and_opened_by_its_first_mapping(void **state)
{
	struct inventory_process *first = made_process(7, "first");
	struct inventory_process *second = made_process(8, "second");
	struct inventory_object *object = made_object(CRYPTO, 5);

	(void)state;
	assert_int_equal(inventory_map(inventory, first, object, 0x1000, 0x2000), 0);
	assert_int_equal(inventory_map(inventory, first, object, 0x3000, 0x4000), 0);
	assert_int_equal(inventory_map(inventory, second, object, 0x5000, 0x6000), 0);
	assert_int_equal(first->nr_uses, 1);
	assert_int_equal(second->nr_uses, 1);
	assert_ptr_equal(first->uses[0].object, object);
	assert_false(first->uses[0].is_open);
	assert_int_equal(object->nr_users, 2);
	assert_int_equal(object->handle.kind, BROKER_FILE_MAP);
	assert_int_equal(object->handle.pid, 7);
	assert_int_equal(object->handle.start_ns, MADE_START_NS + 7);
	assert_int_equal(object->handle.from, 0x1000);
	assert_int_equal(object->handle.to, 0x2000);
}

static void test_file_open_twice_has_one_user(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_object *object = made_object("/etc/k.key", 5);

	(void)state;
	assert_int_equal(inventory_open(inventory, process, object, 3, 1), 0);
	assert_int_equal(inventory_open(inventory, process, object, 9, 2), 0);
	assert_int_equal(process->nr_uses, 2);
	assert_int_equal(process->uses[0].fd, 3);
	assert_int_equal(process->uses[0].open_flags, 1);
	assert_int_equal(process->uses[1].fd, 9);
	assert_int_equal(process->uses[1].open_flags, 2);
	assert_true(process->uses[1].is_open);
	assert_int_equal(object->nr_users, 1);
	assert_int_equal(object->handle.kind, BROKER_FILE_FD);
	assert_int_equal(object->handle.fd, 3);
}

static void test_process_runs_one_program(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_object *exe = made_exe(process, "/usr/sbin/nginx", 5);

	(void)state;
	made_exe(process, "/usr/sbin/other", 6);
	assert_ptr_equal(process->exe, exe);
	assert_true(exe->is_program);
	assert_int_equal(exe->nr_users, 0);
	assert_int_equal(exe->handle.kind, BROKER_FILE_EXE);
	assert_int_equal(exe->handle.pid, 7);
	assert_false(made_object("/usr/sbin/other", 6)->is_program);
}

static void test_uses_beyond_the_limit_are_counted(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_object *object = made_object("/etc/k.key", 5);

	(void)state;
	for (uint32_t i = 0; i < INVENTORY_USES_MAX + 3; i++)
		assert_int_equal(inventory_open(inventory, process, object, i, 0), 0);
	assert_int_equal(process->nr_uses, INVENTORY_USES_MAX);
	assert_int_equal(inventory->nr_refused, 3);
	assert_int_equal(object->nr_users, 1);
}

/* Its mappings come one after the other: none of them is one more process. */
static void test_library_beyond_the_limit_has_no_users(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_object *object = made_object("/etc/k.key", 5);
	struct inventory_object *library = made_object(CRYPTO, 6);

	(void)state;
	for (uint32_t i = 0; i < INVENTORY_USES_MAX; i++)
		assert_int_equal(inventory_open(inventory, process, object, i, 0), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(inventory_map(inventory, process, library, i, i + 1), 0);
	assert_true(library->nr_users <= 1);
}

static void fill(uint32_t count)
{
	for (uint32_t pid = 1; pid <= count; pid++)
		made_library(made_process(pid, "x"), CRYPTO, 5);
}

static void check_removal(uint32_t count, uint32_t pid)
{
	struct inventory_object *object;

	fill(count);
	object = made_object(CRYPTO, 5);
	assert_int_equal(object->nr_users, count);
	inventory_remove(inventory, pid);
	assert_null(inventory_find(inventory, pid, 0));
	assert_int_equal(inventory->nr_processes, count - 1);
	assert_int_equal(object->nr_users, count - 1);
	for (uint32_t other = 1; other <= count; other++)
		if (other != pid)
			assert_int_equal(inventory_find(inventory, other, 0)->pid, other);
	for (uint32_t other = 1; other <= count; other++)
		inventory_remove(inventory, other);
	assert_int_equal(inventory->nr_processes, 0);
	assert_int_equal(object->nr_users, 0);
	/* What was removed can be entered again. */
	fill(count);
	assert_int_equal(object->nr_users, count);
}

static void test_first_process_is_removed(void **state)
{
	(void)state;
	check_removal(9, 1);
}

static void test_middle_process_is_removed(void **state)
{
	(void)state;
	check_removal(9, 5);
}

static void test_last_process_is_removed(void **state)
{
	(void)state;
	check_removal(9, 9);
}

static void test_only_process_is_removed(void **state)
{
	(void)state;
	check_removal(1, 1);
}

static void test_removal_in_a_shared_bucket_leaves_the_others(void **state)
{
	const uint32_t pids[] = { 5, 5 + 4096, 5 + 2 * 4096, 6, 5 + 3 * 4096 };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		made_process(pids[i], "x");
	for (size_t i = 0; i < 5; i++) {
		inventory_remove(inventory, pids[(i + 2) % 5]);
		for (size_t j = 0; j < 5; j++) {
			bool is_removed = (j + 3) % 5 <= i;

			assert_int_equal(!inventory_find(inventory, pids[j], 0), is_removed);
		}
	}
}

static void test_process_with_many_uses_of_a_file_is_one_user_less(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_object *object = made_file(process, "/etc/k.key", 5, 3);

	(void)state;
	made_file(process, "/etc/k.key", 5, 4);
	made_file(process, "/etc/k.key", 5, 5);
	made_file(made_process(8, "other"), "/etc/k.key", 5, 3);
	assert_int_equal(object->nr_users, 2);
	inventory_remove(inventory, 7);
	assert_int_equal(object->nr_users, 1);
}

/* The broker may not reach a file through the process that is not of interest. */
static void test_shared_object_is_opened_through_who_remains(void **state)
{
	struct inventory_object *library = made_library(made_process(7, "gone"), CRYPTO, 5);
	struct inventory_object *file = made_file(made_process(7, "gone"), "/etc/k.key", 6, 3);

	(void)state;
	made_library(made_process(8, "stays"), CRYPTO, 5);
	made_file(made_process(8, "stays"), "/etc/k.key", 6, 3);
	inventory_remove(inventory, 7);
	assert_int_equal(library->handle.pid, 8);
	assert_int_equal(file->handle.pid, 8);
}

static void test_program_of_a_removed_process_is_none_any_more(void **state)
{
	struct inventory_object *own = made_exe(made_process(7, "gone"), "/usr/bin/own", 5);
	struct inventory_object *shared = made_exe(made_process(7, "gone"), "/usr/bin/sh", 6);

	(void)state;
	made_exe(made_process(9, "gone"), "/usr/bin/sh", 6);
	made_exe(made_process(8, "stays"), "/usr/bin/sh", 6);
	shared = made_object("/usr/bin/sh", 6);
	inventory_remove(inventory, 7);
	inventory_remove(inventory, 9);
	assert_true(shared->is_program);
	assert_false(own->is_program);
}

static void test_next_process_of_an_object_is_the_next_by_pid(void **state)
{
	struct inventory_object *object = made_library(made_process(5, "first"), CRYPTO, 5);

	(void)state;
	made_process(6, "has nothing");
	made_file(made_process(30, "opens"), CRYPTO, 5, 77);
	made_exe(made_process(20, "runs"), CRYPTO, 5);
	assert_int_equal(object->handle.pid, 5);
	inventory_sort(inventory);
	assert_true(inventory_next_handle(inventory, object));
	assert_int_equal(object->handle.pid, 20);
	assert_int_equal(object->handle.kind, BROKER_FILE_EXE);
	assert_int_equal(object->handle.start_ns, MADE_START_NS + 20);
	assert_true(inventory_next_handle(inventory, object));
	assert_int_equal(object->handle.pid, 30);
	assert_int_equal(object->handle.kind, BROKER_FILE_FD);
	assert_int_equal(object->handle.fd, 77);
	assert_false(inventory_next_handle(inventory, object));
	assert_int_equal(object->handle.pid, 30);
}

static void test_removed_process_is_not_counted_as_hidden(void **state)
{
	(void)state;
	made_process(7, "gone")->is_hidden = true;
	made_process(8, "stays")->is_hidden = true;
	inventory->nr_hidden = 2;
	inventory_remove(inventory, 7);
	assert_int_equal(inventory->nr_hidden, 1);
}

static void test_sorting_orders_everything(void **state)
{
	struct inventory_process *process = made_process(30, "c");

	(void)state;
	made_process(10, "a");
	made_process(20, "b");
	made_file(process, "/z.key", 1, 5);
	made_file(process, "/a.key", 9, 7);
	made_file(process, "/z.key", 1, 4);
	made_object("/a.key", 3);
	inventory_sort(inventory);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(inventory->processes[i]->pid, 10 * (i + 1));
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(inventory->objects[i]->position, i);
	assert_int_equal(inventory->objects[0]->inode, 3);
	assert_int_equal(inventory->objects[1]->inode, 9);
	assert_string_equal(inventory->objects[2]->path, "/z.key");
	assert_int_equal(process->uses[0].fd, 7);
	assert_int_equal(process->uses[1].fd, 4);
	assert_int_equal(process->uses[2].fd, 5);
}

static void test_version_is_its_own_or_inferred(void **state)
{
	struct inventory_object *object = made_object(CRYPTO, 5);

	(void)state;
	assert_null(inventory_version(object));
	made_program(object, NULL);
	assert_null(inventory_version(object));
	object->inferred_version = strdup("3.0.1");
	assert_string_equal(inventory_version(object), "3.0.1");
	object->program->version = "3.0.2";
	assert_string_equal(inventory_version(object), "3.0.2");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, made_begin, made_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_inventory_is_empty),
		TEST(test_process_is_found_by_pid_and_start),
		TEST(test_many_processes_are_told_apart),
		TEST(test_processes_beyond_the_limit_are_counted),
		TEST(test_object_is_one_for_device_inode_and_path),
		TEST(test_object_is_classified_by_its_name),
		TEST(test_mark_of_a_deleted_file_is_taken_off),
		TEST(test_path_is_read_within_its_size),
		TEST(test_objects_beyond_the_limit_are_counted),
		TEST(test_library_is_a_use_once_and_opened_by_its_first_mapping),
		TEST(test_file_open_twice_has_one_user),
		TEST(test_process_runs_one_program),
		TEST(test_uses_beyond_the_limit_are_counted),
		TEST(test_library_beyond_the_limit_has_no_users),
		TEST(test_first_process_is_removed),
		TEST(test_middle_process_is_removed),
		TEST(test_last_process_is_removed),
		TEST(test_only_process_is_removed),
		TEST(test_removal_in_a_shared_bucket_leaves_the_others),
		TEST(test_process_with_many_uses_of_a_file_is_one_user_less),
		TEST(test_shared_object_is_opened_through_who_remains),
		TEST(test_program_of_a_removed_process_is_none_any_more),
		TEST(test_next_process_of_an_object_is_the_next_by_pid),
		TEST(test_removed_process_is_not_counted_as_hidden),
		TEST(test_sorting_orders_everything),
		TEST(test_version_is_its_own_or_inferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
