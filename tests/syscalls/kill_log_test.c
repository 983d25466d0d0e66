/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/guard.h"
#include "syscalls/kill_log.h"

/* Of Linux 6.18, but for numbers. */
#define RECORD(pid, arch, nr, code)                                                                \
	"5,4711,123456789,-;audit: type=1326 audit(1763797522.954:77): auid=4294967295 uid=0 "     \
	"gid=0 "                                                                                   \
	"ses=4294967295 subj=unconfined pid=" pid                                                  \
	" comm=\"phased\" exe=\"/tmp/x y/phased\" sig=31 "                                         \
	"arch=" arch " syscall=" nr " compat=0 ip=0x7f5e6c1f2a3b code=" code "\n"

#define X86_64 "c000003e"
#define I386   "40000003"
#define KILLED "0x80000000"

static bool parse(const char *line, struct killed_call *ret)
{
	size_t size = strlen(line);
	const char *bytes = guard_copy(line, size);
	bool result = kill_log_parse(bytes, size, 1234, ret);

	guard_free(bytes, size);
	return result;
}

static void test_the_call_is_told(void **state)
{
	struct killed_call call = { 0 };

	(void)state;
	assert_true(parse(RECORD("1234", X86_64, "82", KILLED), &call));
	assert_int_equal(call.arch, SYSCALL_ARCH_x86_64);
	assert_int_equal(call.nr, 82);
	assert_true(call.address == 0x7f5e6c1f2a3b);
	assert_true(parse(RECORD("1234", I386, "38", KILLED), &call));
	assert_int_equal(call.arch, SYSCALL_ARCH_i386);
	assert_int_equal(call.nr, 38);
	/* x32 has a bit of its own in the number */
	assert_true(parse(RECORD("1234", X86_64, "1073741906", KILLED), &call));
	assert_int_equal(call.arch, SYSCALL_ARCH_x32);
	assert_int_equal(call.nr, 82);
}

static void test_other_records_are_passed_over(void **state)
{
	struct killed_call call = { .nr = 77 };
	char line[9000];

	(void)state;
	assert_false(parse("", &call));
	assert_false(parse("6,1,2,-;usb 1-1: new device\n", &call));
	/* of another process, another action, an architecture that is not known */
	assert_false(parse(RECORD("12345", X86_64, "82", KILLED), &call));
	assert_false(parse(RECORD("123", X86_64, "82", KILLED), &call));
	assert_false(parse(RECORD("1234", X86_64, "82", "0x7ffc0000"), &call));
	assert_false(parse(RECORD("1234", "c00000f3", "82", KILLED), &call));
	/* a number that is none */
	assert_false(parse(RECORD("1234", X86_64, "", KILLED), &call));
	assert_false(parse(RECORD("1234", X86_64, "8x", KILLED), &call));
	memset(line, ' ', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_false(parse(line, &call));
	assert_int_equal(call.nr, 77);
}

/* Whatever it is cut to, it is the call or nothing. */
static void test_records_that_are_cut_are_passed_over(void **state)
{
	static const char record[] = RECORD("1234", X86_64, "82", KILLED);
	const char *code = strstr(record, "code=");

	(void)state;
	for (size_t size = 0; size < (size_t)(code - record) + strlen("code=" KILLED); size++) {
		const char *bytes = guard_copy(record, size);
		struct killed_call call;

		if (kill_log_parse(bytes, size, 1234, &call))
			fail_msg("%zu bytes of it are enough", size);
		guard_free(bytes, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_call_is_told),
		cmocka_unit_test(test_other_records_are_passed_over),
		cmocka_unit_test(test_records_that_are_cut_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
