/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The kernel's own values, as codes.c has them; fcntl.h may not come in with it. */
#include <asm/fcntl.h>

#include "catalogue/codes.h"
#include "catalogue/files.h"
#include "catalogue/libraries.h"
#include "lib/array.h"

static void test_tables_are_in_order_and_answer_for_each_entry(void **state)
{
	static const struct code_table *const tables[] = {
		&errno_codes,	  &signal_codes,	 &file_type_codes,
		&file_kind_codes, &library_family_codes,
	};

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		const struct code_table *table = tables[t];

		assert_true(table->nr_entries > 0);
		for (size_t i = 0; i < table->nr_entries; i++) {
			const struct code_entry *entry = &table->entries[i];

			if (i && entry[-1].code >= entry->code)
				fail_msg("%s: '%s' is out of order", table->name, entry->name);
			assert_ptr_equal(code_name(table, entry->code), entry->name);
		}
		assert_null(code_name(table, UINT64_MAX));
		assert_null(code_name(table, 1000000));
	}
	assert_null(code_name(&errno_codes, 0));
}

static void test_names_within_a_table_differ(void **state)
{
	static const struct code_table *const tables[] = { &file_kind_codes,
							   &library_family_codes };

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		const struct code_table *table = tables[t];

		for (size_t i = 0; i < table->nr_entries; i++) {
			assert_true(table->entries[i].help && table->entries[i].help[0]);
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(table->entries[i].name,
							table->entries[j].name);
		}
	}
}

static void test_errno_names_are_those_of_the_c_library(void **state)
{
	(void)state;
	for (int number = 1; number <= 133; number++) {
		const char *expected = strerrorname_np(number);
		const char *name = code_name(&errno_codes, (uint64_t)number);

		if (!expected) {
			assert_null(name);
			continue;
		}
		assert_non_null(name);
		assert_string_equal(name, expected);
	}
	assert_string_equal(code_name(&errno_codes, 512), "ERESTARTSYS");
	assert_string_equal(code_name(&errno_codes, 524), "ENOTSUPP");
	assert_null(code_name(&errno_codes, 520));
}

static void test_signal_names_are_those_of_the_c_library(void **state)
{
	char buf[16];

	(void)state;
	for (int sig = 1; sig < 32; sig++) {
		const char *name = signal_name(sig, buf);
		/* One number, two names: glibc calls it POLL, everybody else IO. */
		const char *expected = sig == SIGIO ? "IO" : sigabbrev_np(sig);

		assert_memory_equal(name, "SIG", 3);
		assert_string_equal(name + 3, expected);
	}
}

static void test_real_time_and_unknown_signals_have_a_text(void **state)
{
	char buf[16];

	(void)state;
	assert_int_equal(SIGRTMIN, 34);
	assert_int_equal(SIGRTMAX, 64);
	assert_string_equal(signal_name(34, buf), "SIGRTMIN");
	assert_string_equal(signal_name(35, buf), "SIGRTMIN+1");
	assert_string_equal(signal_name(64, buf), "SIGRTMIN+30");
	assert_string_equal(signal_name(32, buf), "SIG32");
	assert_string_equal(signal_name(65, buf), "SIG65");
	assert_string_equal(signal_name(0, buf), "SIG0");
	assert_string_equal(signal_name(INT32_MIN, buf), "SIG-2147483648");
}

/* What strace 6.1 printed on x86-64 for openat(2) with these flags. */
static const struct {
	uint64_t flags;
	const char *text;
} opens[] = {
	{ 0, "O_RDONLY" },
	{ 1, "O_WRONLY" },
	{ 2, "O_RDWR" },
	{ 3, "O_ACCMODE" },
	{ O_CLOEXEC, "O_RDONLY|O_CLOEXEC" },
	{ O_WRONLY | O_CREAT | O_TRUNC, "O_WRONLY|O_CREAT|O_TRUNC" },
	{ O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	  "O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC" },
	{ O_WRONLY | O_APPEND | O_SYNC, "O_WRONLY|O_APPEND|O_SYNC" },
	{ O_WRONLY | O_DSYNC, "O_WRONLY|O_DSYNC" },
	{ O_RDWR | O_TMPFILE, "O_RDWR|O_TMPFILE" },
	{ O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, "O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY" },
	{ O_PATH | O_CLOEXEC, "O_RDONLY|O_CLOEXEC|O_PATH" },
	{ O_PATH | O_DIRECTORY | O_NOFOLLOW, "O_RDONLY|O_NOFOLLOW|O_PATH|O_DIRECTORY" },
	{ O_LARGEFILE, "O_RDONLY|O_LARGEFILE" },
	{ O_DIRECT | O_NOATIME, "O_RDONLY|O_DIRECT|O_NOATIME" },
	{ FASYNC | O_NOCTTY | O_RDWR, "O_RDWR|O_NOCTTY|FASYNC" },
	{ 0x40000000, "O_RDONLY|0x40000000" },
	{ 0x80000000 | O_WRONLY | O_CREAT, "O_WRONLY|O_CREAT|0x80000000" },
	{ __O_SYNC, "O_RDONLY|__O_SYNC" },
	{ __O_TMPFILE | O_RDWR, "O_RDWR|__O_TMPFILE" },
	{ 0x28, "O_RDONLY|0x28" },
	{ 0xffffffff, "O_ACCMODE|O_CREAT|O_EXCL|O_NOCTTY|O_TRUNC|O_APPEND|O_NONBLOCK|O_SYNC|"
		      "O_DIRECT|O_LARGEFILE|O_NOFOLLOW|O_NOATIME|O_CLOEXEC|O_PATH|O_TMPFILE|FASYNC|"
		      "0xff80003c" },
};

static void test_open_flags_read_as_strace_prints_them(void **state)
{
	char text[OPEN_FLAGS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(opens); i++) {
		size_t size = open_flags_format(opens[i].flags, text, sizeof(text));

		assert_string_equal(text, opens[i].text);
		assert_int_equal(size, strlen(text));
	}
}

static void test_open_flags_fit_the_stated_maximum(void **state)
{
	char text[OPEN_FLAGS_TEXT_MAX];
	unsigned int seed = 7;

	(void)state;
	assert_true(open_flags_format(UINT64_MAX, text, sizeof(text)) < sizeof(text));
	/* Without the flags that swallow others the text is longer. */
	assert_true(open_flags_format(~(uint64_t)__O_SYNC & ~(uint64_t)__O_TMPFILE, text,
				      sizeof(text)) < sizeof(text));
	for (unsigned int round = 0; round < 10000; round++) {
		uint64_t flags = (uint64_t)rand_r(&seed) << 32 ^ (uint64_t)rand_r(&seed) << 8;

		assert_true(open_flags_format(flags, text, sizeof(text)) < sizeof(text));
	}
}

static void test_open_flags_are_cut_to_their_room(void **state)
{
	const uint64_t flags = O_RDWR | O_CREAT | O_CLOEXEC;
	const char whole[] = "O_RDWR|O_CREAT|O_CLOEXEC";

	(void)state;
	for (size_t cap = 0; cap <= sizeof(whole) + 1; cap++) {
		char text[sizeof(whole) + 2];
		size_t kept = cap < sizeof(whole) ? cap : sizeof(whole);

		memset(text, '#', sizeof(text));
		assert_int_equal(open_flags_format(flags, text, cap), strlen(whole));
		if (kept) {
			assert_memory_equal(text, whole, kept - 1);
			assert_int_equal(text[kept - 1], '\0');
		}
		for (size_t i = kept; i < sizeof(text); i++)
			assert_int_equal(text[i], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_are_in_order_and_answer_for_each_entry),
		cmocka_unit_test(test_names_within_a_table_differ),
		cmocka_unit_test(test_errno_names_are_those_of_the_c_library),
		cmocka_unit_test(test_signal_names_are_those_of_the_c_library),
		cmocka_unit_test(test_real_time_and_unknown_signals_have_a_text),
		cmocka_unit_test(test_open_flags_read_as_strace_prints_them),
		cmocka_unit_test(test_open_flags_fit_the_stated_maximum),
		cmocka_unit_test(test_open_flags_are_cut_to_their_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
