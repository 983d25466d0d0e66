/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/guard.h"
#include "trace/cpus.h"

/* Parses TEXT where the next byte is unmapped. */
static int parse(const char *text, struct cpu_set_bits *ret)
{
	return cpus_parse(guard_copy(text, strlen(text)), strlen(text), ret);
}

static void compare(struct cpus *cpus, const char *text)
{
	cpus_compare(cpus, text, strlen(text));
}

static void test_lists_of_the_kernel_are_read(void **state)
{
	struct cpu_set_bits set;

	(void)state;
	assert_int_equal(parse("0\n", &set), 0);
	assert_true(set.words[0] == 1);
	assert_int_equal(parse("0-3,5,63-64\n", &set), 0);
	assert_true(set.words[0] == (0x2f | 1ULL << 63) && set.words[1] == 1);
	assert_int_equal(parse("8191", &set), 0);
	assert_true(set.words[127] == 1ULL << 63 && set.words[0] == 0);
}

static void test_what_is_no_list_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"-1\n",
		"3-1\n",
		"0-\n",
		"0,\n",
		",\n",
		"0 ",
		"a\n",
		"0-3x",
		"8192\n",
		"0-8192\n",
		"99999999999999999999",
	};
	struct cpu_set_bits set = { .words = { 7 } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(texts[i], &set), -EINVAL);
	assert_true(set.words[0] == 7);
}

static void test_cpus_that_come_are_counted_once(void **state)
{
	struct cpus cpus = { .fd = -1 };

	(void)state;
	assert_int_equal(parse("0-1\n", &cpus.ringed), 0);
	compare(&cpus, "0-1\n");
	assert_int_equal(cpus_nr_late(&cpus), 0);
	compare(&cpus, "0-3\n");
	compare(&cpus, "0-3\n");
	assert_int_equal(cpus_nr_late(&cpus), 2);
	compare(&cpus, "0-1\n");
	compare(&cpus, "0-2,70\n");
	assert_int_equal(cpus_nr_late(&cpus), 3);
}

static void test_one_that_goes_and_comes_back_has_no_ring_any_more(void **state)
{
	struct cpus cpus = { .fd = -1 };

	(void)state;
	assert_int_equal(parse("0-1\n", &cpus.ringed), 0);
	compare(&cpus, "0\n");
	assert_int_equal(cpus_nr_late(&cpus), 0);
	compare(&cpus, "nonsense\n");
	compare(&cpus, "0-1\n");
	assert_int_equal(cpus_nr_late(&cpus), 1);
}

static void test_rings_that_are_silent_are_of_late_cpus(void **state)
{
	struct cpus cpus = { .fd = -1 };
	struct cpu_set_bits silent = { { 0x2 } };

	(void)state;
	assert_int_equal(parse("0-1\n", &cpus.ringed), 0);
	cpus_silence(&cpus, &silent);
	assert_int_equal(cpus_nr_late(&cpus), 1);
	assert_true(cpus.ringed.words[0] == 1);
	/* They stay it. */
	compare(&cpus, "0-1\n");
	assert_int_equal(cpus_nr_late(&cpus), 1);
}

static void test_this_host_brings_none_online_meanwhile(void **state)
{
	struct cpus cpus;

	(void)state;
	cpus_open(&cpus);
	if (cpus.fd < 0) {
		print_message("no list of CPUs in /sys\n");
		skip();
	}
	assert_true(cpus.ringed.words[0] != 0);
	assert_false(cpus_look(&cpus, 1));
	assert_true(cpus.due_ns == 1000000001);
	assert_int_equal(cpus_nr_late(&cpus), 0);
	cpus_close(&cpus);
	cpus_close(&cpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_of_the_kernel_are_read),
		cmocka_unit_test(test_what_is_no_list_is_refused),
		cmocka_unit_test(test_cpus_that_come_are_counted_once),
		cmocka_unit_test(test_one_that_goes_and_comes_back_has_no_ring_any_more),
		cmocka_unit_test(test_rings_that_are_silent_are_of_late_cpus),
		cmocka_unit_test(test_this_host_brings_none_online_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
