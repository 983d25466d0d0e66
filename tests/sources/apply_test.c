/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sources/apply.h"

static const struct event_hdr hdr = {
	.start_ns = 1000,
	.cgroup = 77,
	.tgid = 7,
	.tid = 9,
	.ppid = 3,
	.uid = 1000,
	.gid = 100,
	.comm = "leader",
	.thread = "worker",
};

static void check_is_hdr(const struct process *process)
{
	assert_int_equal(process->pid, 7);
	assert_int_equal(process->start_ns, 1000);
	assert_int_equal(process->cgroup, 77);
	assert_int_equal(process->ppid, 3);
	assert_int_equal(process->uid, 1000);
	assert_int_equal(process->gid, 100);
	assert_string_equal(process->comm, "leader");
}

static void test_process_is_entered_as_its_head_says(void **state)
{
	struct processes *processes;
	struct process *process;

	(void)state;
	assert_int_equal(processes_new(&processes, 4, false), 0);
	process = process_enter(processes, &hdr);
	assert_ptr_equal(processes_find(processes, 7), process);
	check_is_hdr(process);
	assert_null(processes_find(processes, 9));
	processes_free(processes);
}

static void test_known_process_is_brought_up_to_date(void **state)
{
	struct processes *processes;
	struct process *process;
	struct event_hdr later = hdr;

	(void)state;
	assert_int_equal(processes_new(&processes, 4, false), 0);
	process = process_enter(processes, &hdr);
	later.uid = 0;
	later.ppid = 1;
	memcpy(later.comm, "renamed", 8);
	assert_ptr_equal(process_enter(processes, &later), process);
	assert_int_equal(process->uid, 0);
	assert_int_equal(process->ppid, 1);
	assert_string_equal(process->comm, "renamed");
	assert_int_equal(processes_count(processes), 1);
	process_update(process, &hdr);
	check_is_hdr(process);
	processes_free(processes);
}

static void test_full_table_gives_null(void **state)
{
	struct processes *processes;
	struct event_hdr other = hdr;

	(void)state;
	assert_int_equal(processes_new(&processes, 1, false), 0);
	assert_non_null(process_enter(processes, &hdr));
	other.tgid = 8;
	assert_null(process_enter(processes, &other));
	assert_int_equal(processes_refused(processes), 1);
	processes_free(processes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process_is_entered_as_its_head_says),
		cmocka_unit_test(test_known_process_is_brought_up_to_date),
		cmocka_unit_test(test_full_table_gives_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
