/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/guard.h"
#include "trace/tracefs.h"

/* Of Linux 4.18 with the real-time patches of RHEL 8, where the common fields take more room. */
static const char format[] =
	"name: sys_enter_openat\nID: 630\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\tfield:unsigned char common_preempt_lazy_count;\toffset:9;\tsize:1;\tsigned:0;\n"
	"\n"
	"\tfield:int __syscall_nr;\toffset:12;\tsize:4;\tsigned:1;\n"
	"\tfield:int dfd;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:const char * filename;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:char comm[16];\toffset:40;\tsize:16;\tsigned:1;\n"
	"\tfield:__data_loc char[] name;\toffset:56;\tsize:4;\tsigned:1;\n"
	"\tfield:char *glued;\toffset:60;\tsize:8;\tsigned:0;\n"
	"\tfield:int far;\toffset:99999;\tsize:8;\tsigned:0;\n"
	"\nprint fmt: \"dfd: 0x%08lx, other: %d\", ((unsigned long)(REC->dfd))\n";

static int find(const char *field)
{
	return tracefs_parse_field(format, sizeof(format) - 1, field);
}

static void test_fields_are_found_by_their_name(void **state)
{
	(void)state;
	assert_int_equal(find("common_type"), 0);
	assert_int_equal(find("dfd"), 24);
	assert_int_equal(find("filename"), 32);
	assert_int_equal(find("comm"), 40);
	assert_int_equal(find("name"), 56);
	assert_int_equal(find("glued"), 60);
}

static void test_what_is_no_field_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(find("fd"), -ENODATA);
	assert_int_equal(find("pid"), -ENODATA);
	assert_int_equal(find("ID"), -ENODATA);
	assert_int_equal(find("int"), -ENODATA);
	assert_int_equal(find("far"), -ENODATA);
	assert_int_equal(tracefs_parse_field("", 0, "dfd"), -ENODATA);
}

static void test_text_that_ends_anywhere_is_read_within_its_end(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(format); size++) {
		const char *text = guard_copy(format, size);
		int offset = tracefs_parse_field(text, size, "glued");

		assert_true(offset == 60 || offset == 6 || offset == 0 || offset == -ENODATA);
		guard_free(text, size);
	}
}

static void test_this_kernel_tells_where_its_fields_are(void **state)
{
	int tracefs;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	tracefs = tracefs_open();
	assert_true(tracefs >= 0);
	assert_true(tracefs_event_field(tracefs, "syscalls/sys_exit_openat", "ret") >= 8);
	assert_true(tracefs_event_field(tracefs, "sched/sched_process_exec", "filename") >= 8);
	assert_int_equal(tracefs_event_field(tracefs, "sched/sched_process_exec", "none"),
			 -ENODATA);
	assert_int_equal(tracefs_event_field(tracefs, "sched/none", "pid"), -ENOENT);
	close(tracefs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_found_by_their_name),
		cmocka_unit_test(test_what_is_no_field_is_not_found),
		cmocka_unit_test(test_text_that_ends_anywhere_is_read_within_its_end),
		cmocka_unit_test(test_this_kernel_tells_where_its_fields_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
