/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proc/processes.h"

#define MANY 100000U

static struct processes *make(uint32_t max)
{
	struct processes *processes;

	assert_int_equal(processes_new(&processes, max, false), 0);
	return processes;
}

static void test_new_table_is_empty(void **state)
{
	struct processes *processes = make(10);

	(void)state;
	assert_int_equal(processes_count(processes), 0);
	assert_int_equal(processes_refused(processes), 0);
	assert_null(processes_find(processes, 0));
	assert_null(processes_find(processes, 1));
	processes_free(processes);
	processes_free(NULL);
}

static void test_selective_is_remembered(void **state)
{
	struct processes *processes = make(10);

	(void)state;
	assert_false(processes_is_selective(processes));
	processes_free(processes);
	assert_int_equal(processes_new(&processes, 10, true), 0);
	assert_true(processes_is_selective(processes));
	processes_free(processes);
}

static void test_added_process_is_found(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);

	(void)state;
	assert_non_null(process);
	assert_int_equal(process->pid, 7);
	assert_int_equal(process->start_ns, 1000);
	assert_null(process->container);
	assert_ptr_equal(processes_find(processes, 7), process);
	assert_null(processes_find(processes, 8));
	assert_int_equal(processes_count(processes), 1);
	processes_free(processes);
}

static void test_adding_the_same_process_again_keeps_its_entry(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);

	(void)state;
	process->ppid = 3;
	assert_ptr_equal(processes_add(processes, 7, 1000), process);
	assert_int_equal(process->ppid, 3);
	assert_int_equal(processes_count(processes), 1);
	processes_free(processes);
}

/* A pid that is used again: nothing of the process before may be left. */
static void test_record_is_filled_from_the_table(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);
	struct event_hdr hdr = { .tgid = 7 };

	(void)state;
	process->cgroup = 2;
	process->ppid = 3;
	process->uid = 4;
	process->gid = 5;
	snprintf(process->comm, sizeof(process->comm), "nginx");
	process_fill(process, &hdr);
	assert_int_equal(hdr.tgid, 7);
	assert_int_equal(hdr.start_ns, 1000);
	assert_int_equal(hdr.cgroup, 2);
	assert_int_equal(hdr.ppid, 3);
	assert_int_equal(hdr.uid, 4);
	assert_int_equal(hdr.gid, 5);
	assert_string_equal(hdr.comm, "nginx");
	assert_string_equal(hdr.thread, "nginx");
	processes_free(processes);
}

static void test_new_process_of_a_pid_replaces_the_old(void **state)
{
	struct processes *processes = make(10);
	struct process *old = processes_add(processes, 7, 1000);
	struct process *new;

	(void)state;
	old->ppid = 3;
	old->uid = 4;
	memcpy(old->comm, "old", 4);
	assert_true(processes_map(old, 42));
	new = processes_add(processes, 7, 2000);
	assert_non_null(new);
	assert_int_equal(new->start_ns, 2000);
	assert_int_equal(new->ppid, 0);
	assert_int_equal(new->uid, 0);
	assert_string_equal(new->comm, "");
	assert_true(processes_map(new, 42));
	assert_ptr_equal(processes_find(processes, 7), new);
	assert_int_equal(processes_count(processes), 1);
	processes_free(processes);
}

static void test_new_process_replaces_one_that_has_just_ended(void **state)
{
	struct processes *processes = make(10);
	struct process *old = processes_add(processes, 7, 1000);
	struct process *new;

	(void)state;
	assert_true(processes_exit(processes, old));
	new = processes_add(processes, 7, 2000);
	assert_ptr_equal(processes_find(processes, 7), new);
	assert_int_equal(processes_count(processes), 1);
	/* The old one's entry is given back without touching the new one. */
	for (int i = 0; i < 3; i++)
		processes_expire(processes);
	assert_ptr_equal(processes_find(processes, 7), new);
	assert_int_equal(new->start_ns, 2000);
	assert_int_equal(processes_count(processes), 1);
	processes_free(processes);
}

static void test_ended_process_is_found_for_two_passes(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);

	(void)state;
	assert_true(processes_exit(processes, process));
	assert_ptr_equal(processes_find(processes, 7), process);
	processes_expire(processes);
	assert_ptr_equal(processes_find(processes, 7), process);
	processes_expire(processes);
	assert_null(processes_find(processes, 7));
	assert_int_equal(processes_count(processes), 0);
	processes_free(processes);
}

static void test_second_exit_is_a_duplicate(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);

	(void)state;
	assert_true(processes_exit(processes, process));
	assert_false(processes_exit(processes, process));
	processes_expire(processes);
	assert_false(processes_exit(processes, process));
	processes_expire(processes);
	processes_expire(processes);
	assert_int_equal(processes_count(processes), 0);
	processes_free(processes);
}

static void test_removed_process_is_gone(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);

	(void)state;
	processes_remove(processes, process);
	assert_null(processes_find(processes, 7));
	assert_int_equal(processes_count(processes), 0);
	/* its place is used again, and it comes back as new */
	assert_ptr_equal(processes_add(processes, 7, 1000), process);
	assert_int_equal(processes_count(processes), 1);
	processes_free(processes);
}

static void test_removed_after_its_end_is_freed_once(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);

	(void)state;
	assert_true(processes_map(process, 1));
	assert_true(processes_exit(processes, process));
	processes_remove(processes, process);
	assert_null(processes_find(processes, 7));
	for (int i = 0; i < 3; i++)
		processes_expire(processes);
	assert_int_equal(processes_count(processes), 0);
	assert_non_null(processes_add(processes, 8, 1));
	assert_non_null(processes_add(processes, 9, 1));
	assert_ptr_not_equal(processes_find(processes, 8), processes_find(processes, 9));
	processes_free(processes);
}

static void test_full_table_refuses_and_counts(void **state)
{
	struct processes *processes = make(3);
	struct process *process;

	(void)state;
	for (uint32_t pid = 1; pid <= 3; pid++)
		assert_non_null(processes_add(processes, pid, 1));
	assert_null(processes_add(processes, 4, 1));
	assert_null(processes_add(processes, 5, 1));
	assert_int_equal(processes_refused(processes), 2);
	assert_int_equal(processes_count(processes), 3);
	/* one that is there is no new one, and a reused pid takes its own place */
	assert_non_null(processes_add(processes, 3, 1));
	assert_non_null(processes_add(processes, 3, 2));
	assert_int_equal(processes_refused(processes), 2);
	/* whose end is waited for still has its place */
	process = processes_find(processes, 1);
	processes_exit(processes, process);
	assert_null(processes_add(processes, 4, 1));
	processes_expire(processes);
	processes_expire(processes);
	assert_non_null(processes_add(processes, 4, 1));
	assert_int_equal(processes_count(processes), 3);
	assert_int_equal(processes_refused(processes), 3);
	processes_free(processes);
}

static void test_hundred_thousand_processes_are_found(void **state)
{
	struct processes *processes = make(MANY);

	(void)state;
	for (uint32_t pid = 1; pid <= MANY; pid++) {
		struct process *process = processes_add(processes, pid, pid * 10ULL);

		assert_non_null(process);
		process->ppid = pid - 1;
	}
	assert_int_equal(processes_count(processes), MANY);
	assert_null(processes_add(processes, MANY + 1, 1));
	for (uint32_t pid = 1; pid <= MANY; pid++) {
		const struct process *process = processes_find(processes, pid);

		assert_non_null(process);
		assert_int_equal(process->start_ns, pid * 10ULL);
		assert_int_equal(process->ppid, pid - 1);
	}
	for (uint32_t pid = 1; pid <= MANY; pid += 2)
		assert_true(processes_exit(processes, processes_find(processes, pid)));
	processes_expire(processes);
	processes_expire(processes);
	assert_int_equal(processes_count(processes), MANY / 2);
	for (uint32_t pid = 1; pid <= MANY; pid++)
		assert_int_equal(processes_find(processes, pid) != NULL, pid % 2 == 0);
	processes_free(processes);
}

/* Many more processes than places, as on a host that runs for months. */
static void test_places_are_used_again(void **state)
{
	struct processes *processes = make(64);

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct process *process = processes_add(processes, 1 + i % 32768, i);

		assert_non_null(process);
		assert_true(processes_map(process, i));
		assert_true(processes_exit(processes, process));
		if (i % 16 == 15)
			processes_expire(processes);
	}
	assert_int_equal(processes_refused(processes), 0);
	processes_expire(processes);
	processes_expire(processes);
	assert_int_equal(processes_count(processes), 0);
	processes_free(processes);
}

static void test_largest_pids_are_kept_apart(void **state)
{
	static const uint32_t pids[] = { 0, 1, 4194304, 2147483647, 2147483648U, UINT32_MAX };
	struct processes *processes = make(10);

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_non_null(processes_add(processes, pids[i], i));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(processes_find(processes, pids[i])->start_ns, i);
	processes_free(processes);
}

static void test_library_is_new_once(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);
	struct process *other = processes_add(processes, 8, 1000);

	(void)state;
	assert_true(processes_map(process, 1));
	assert_false(processes_map(process, 1));
	assert_true(processes_map(process, 2));
	assert_true(processes_map(process, 0));
	assert_false(processes_map(process, 0));
	assert_false(processes_map(process, 2));
	assert_true(processes_map(other, 1));
	processes_free(processes);
}

static void test_exec_forgets_libraries(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint64_t key = 0; key < 20; key++) {
			assert_true(processes_map(process, key));
			assert_false(processes_map(process, key));
		}
		processes_exec(process);
	}
	processes_free(processes);
}

static void test_libraries_beyond_the_maximum_are_always_new(void **state)
{
	struct processes *processes = make(10);
	struct process *process = processes_add(processes, 7, 1000);

	(void)state;
	for (uint64_t key = 0; key < PROCESS_LIBRARIES_MAX; key++)
		assert_true(processes_map(process, key));
	for (uint64_t key = 0; key < PROCESS_LIBRARIES_MAX; key++)
		assert_false(processes_map(process, key));
	for (int i = 0; i < 3; i++)
		assert_true(processes_map(process, PROCESS_LIBRARIES_MAX));
	processes_free(processes);
}

static void test_container_is_told_by_its_group(void **state)
{
	static const char group[] = "lxc.payload.web";
	struct processes *processes = make(10);
	const struct container *container =
		processes_container(processes, group, sizeof(group) - 1);

	(void)state;
	assert_non_null(container);
	assert_string_equal(container->name, "web");
	assert_null(processes_container(processes, "user.slice", 10));
	processes_free(processes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_table_is_empty),
		cmocka_unit_test(test_selective_is_remembered),
		cmocka_unit_test(test_added_process_is_found),
		cmocka_unit_test(test_adding_the_same_process_again_keeps_its_entry),
		cmocka_unit_test(test_record_is_filled_from_the_table),
		cmocka_unit_test(test_new_process_of_a_pid_replaces_the_old),
		cmocka_unit_test(test_new_process_replaces_one_that_has_just_ended),
		cmocka_unit_test(test_ended_process_is_found_for_two_passes),
		cmocka_unit_test(test_second_exit_is_a_duplicate),
		cmocka_unit_test(test_removed_process_is_gone),
		cmocka_unit_test(test_removed_after_its_end_is_freed_once),
		cmocka_unit_test(test_full_table_refuses_and_counts),
		cmocka_unit_test(test_hundred_thousand_processes_are_found),
		cmocka_unit_test(test_places_are_used_again),
		cmocka_unit_test(test_largest_pids_are_kept_apart),
		cmocka_unit_test(test_library_is_new_once),
		cmocka_unit_test(test_exec_forgets_libraries),
		cmocka_unit_test(test_libraries_beyond_the_maximum_are_always_new),
		cmocka_unit_test(test_container_is_told_by_its_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
