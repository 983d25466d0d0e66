/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/parse.h"

/* What an output holds that was not touched. */
#define UNTOUCHED 0x5a5a5a5aU

struct number_case {
	const char *text;
	int err;
	uint64_t value;
};

static void check_number(int err, uint64_t value, const struct number_case *expected)
{
	if (err != expected->err)
		print_error("'%s'\n", expected->text);
	assert_int_equal(err, expected->err);
	assert_true(value == (err ? UNTOUCHED : expected->value));
}

static void test_u64_takes_whole_decimal_numbers_only(void **state)
{
	static const struct number_case cases[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1 },
		{ "007", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18446744073709551625", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "184467440737095516150", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ " ", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1\n", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "1.0", -EINVAL, 0 },
		{ "1,2", -EINVAL, 0 },
		{ "ten", -EINVAL, 0 },
		{ "\xd9\xa1", -EINVAL, 0 }, /* a digit, but not one of ours */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = UNTOUCHED;
		int err = parse_u64(cases[i].text, 0, UINT64_MAX, &value);

		check_number(err, value, &cases[i]);
	}
}

static void test_u64_keeps_to_its_bounds(void **state)
{
	static const struct number_case cases[] = {
		{ "9", -ERANGE, 0 }, { "10", 0, 10 },	   { "15", 0, 15 },
		{ "20", 0, 20 },     { "21", -ERANGE, 0 }, { "18446744073709551615", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = UNTOUCHED;
		int err = parse_u64(cases[i].text, 10, 20, &value);

		check_number(err, value, &cases[i]);
	}
}

static void test_size_knows_units(void **state)
{
	static const struct number_case cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "1k", 0, 1024 },
		{ "1K", 0, 1024 },
		{ "3m", 0, 3U << 20 },
		{ "3M", 0, 3U << 20 },
		{ "2g", 0, 2ULL << 30 },
		{ "2G", 0, 2ULL << 30 },
		{ "0G", 0, 0 },
		{ "18014398509481983K", 0, UINT64_MAX - 1023 },
		{ "18014398509481984K", -ERANGE, 0 },
		{ "17179869183G", 0, 17179869183ULL << 30 },
		{ "17179869184G", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "1 K", -EINVAL, 0 },
		{ "1KB", -EINVAL, 0 },
		{ "1Ki", -EINVAL, 0 },
		{ "1KK", -EINVAL, 0 },
		{ "1T", -EINVAL, 0 },
		{ "1.5M", -EINVAL, 0 },
		{ "-1K", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = UNTOUCHED;
		int err = parse_size(cases[i].text, 0, UINT64_MAX, &value);

		check_number(err, value, &cases[i]);
	}
}

static void test_size_applies_bounds_to_bytes(void **state)
{
	uint64_t value = UNTOUCHED;

	(void)state;
	assert_int_equal(parse_size("63K", 64U << 10, 64U << 20, &value), -ERANGE);
	assert_int_equal(parse_size("65M", 64U << 10, 64U << 20, &value), -ERANGE);
	assert_int_equal(value, UNTOUCHED);
	assert_int_equal(parse_size("64K", 64U << 10, 64U << 20, &value), 0);
	assert_int_equal(value, 65536);
	assert_int_equal(parse_size("64M", 64U << 10, 64U << 20, &value), 0);
	assert_int_equal(value, 67108864);
}

static void test_seconds_are_read_to_the_millisecond(void **state)
{
	static const struct number_case cases[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1000 },
		{ "60", 0, 60000 },
		{ "1.5", 0, 1500 },
		{ "0.25", 0, 250 },
		{ "0.125", 0, 125 },
		{ "0.001", 0, 1 },
		{ "0.000", 0, 0 },
		{ "316224000", 0, 316224000000 }, /* ten years of 366 days */
		{ "316224001", -ERANGE, 0 },
		{ "18446744073709551615", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ ".5", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "1.2345", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "1s", -EINVAL, 0 },
		{ "1,5", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1.-5", -EINVAL, 0 },
		{ "1.5.5", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 },
		{ "nan", -EINVAL, 0 },
		{ "1e2", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = UNTOUCHED;
		int err = parse_seconds(cases[i].text, &value);

		check_number(err, value, &cases[i]);
	}
}

static void test_user_is_found_by_name_and_number(void **state)
{
	const struct passwd *root = getpwuid(0);
	uid_t uid = UNTOUCHED;
	gid_t gid = UNTOUCHED;

	(void)state;
	if (!root) {
		print_message("uid 0 has no name here\n");
		skip();
	}
	assert_int_equal(parse_user(root->pw_name, &uid, &gid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, root->pw_gid);
	uid = gid = UNTOUCHED;
	assert_int_equal(parse_user("0", &uid, &gid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, root->pw_gid);
}

/* A number that nobody has. */
static uid_t unused_uid(void)
{
	uid_t uid = 3000000001U;

	while (getpwuid(uid))
		uid++;
	return uid;
}

static void test_user_may_be_a_number_without_account(void **state)
{
	uid_t expected = unused_uid();
	char text[16];
	uid_t uid = UNTOUCHED;
	gid_t gid = UNTOUCHED;

	(void)state;
	snprintf(text, sizeof(text), "%u", expected);
	assert_int_equal(parse_user(text, &uid, &gid), 0);
	assert_int_equal(uid, expected);
	assert_int_equal(gid, expected);
	/* (uid_t)-1 means "no change" to the kernel: the last user is one below. */
	assert_int_equal(parse_user("4294967294", &uid, &gid), 0);
	assert_true(uid == 4294967294U);
}

static void test_user_that_does_not_exist_is_refused(void **state)
{
	static const char *const users[] = { "",	   "no such user", "-1", "4294967295",
					     "4294967296", "0x0",	   "0 ", ":",
					     "root:x" };

	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		uid_t uid = UNTOUCHED;
		gid_t gid = UNTOUCHED;

		assert_int_equal(parse_user(users[i], &uid, &gid), -ESRCH);
		assert_int_equal(uid, UNTOUCHED);
		assert_int_equal(gid, UNTOUCHED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64_takes_whole_decimal_numbers_only),
		cmocka_unit_test(test_u64_keeps_to_its_bounds),
		cmocka_unit_test(test_size_knows_units),
		cmocka_unit_test(test_size_applies_bounds_to_bytes),
		cmocka_unit_test(test_seconds_are_read_to_the_millisecond),
		cmocka_unit_test(test_user_is_found_by_name_and_number),
		cmocka_unit_test(test_user_may_be_a_number_without_account),
		cmocka_unit_test(test_user_that_does_not_exist_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
