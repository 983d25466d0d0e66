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

static struct cpu_set_bits gone;

static void compare_at(struct cpus *cpus, const char *text, uint64_t now_ns)
{
	cpus_compare(cpus, text, strlen(text), now_ns, &gone);
}

static struct cpu_set_bits set_of(const char *text)
{
	struct cpu_set_bits set;

	assert_int_equal(parse(text, &set), 0);
	return set;
}

static void serve(struct cpus *cpus, const char *text, uint64_t now_ns)
{
	struct cpu_set_bits set = set_of(text);

	cpus_served(cpus, &set, now_ns);
}

/* SET is what TEXT says. */
static void assert_set(const struct cpu_set_bits *set, const char *text)
{
	char printed[CPUS_TEXT_SIZE];

	cpus_print(set, printed);
	assert_string_equal(printed, text);
}

static void assert_gap(const struct cpus_gap *gap, const char *text, uint64_t from_ns,
		       uint64_t to_ns)
{
	assert_string_equal(gap->text, text);
	assert_int_equal(gap->nr, cpus_count(&gap->set));
	assert_true(gap->from_ns == from_ns);
	assert_true(gap->to_ns == to_ns);
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

static void test_sets_are_printed_as_the_kernel_does(void **state)
{
	static const char *const texts[] = { "", "0", "0-3,5,63-64", "8191", "0-8191", "1,3,8190" };
	struct cpu_set_bits set = { { 0 } };
	char text[CPUS_TEXT_SIZE];

	(void)state;
	assert_set(&set, texts[0]);
	assert_int_equal(cpus_count(&set), 0);
	for (size_t i = 1; i < sizeof(texts) / sizeof(texts[0]); i++) {
		set = set_of(texts[i]);
		assert_set(&set, texts[i]);
	}
	/* Every other one: more than there is room for. */
	memset(&set, 0x55, sizeof(set));
	assert_int_equal(cpus_count(&set), CPUS_MAX / 2);
	cpus_print(&set, text);
	assert_string_equal(text, "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,...");
	assert_false(cpus_has(&set, CPUS_MAX));
	assert_false(cpus_has(&set, UINT32_MAX));
}

static void test_cpus_that_come_wait_until_they_are_served(void **state)
{
	struct cpus cpus = { .fd = -1, .looked_ns = 100 };

	(void)state;
	cpus.ringed = set_of("0-1");
	compare_at(&cpus, "0-1\n", 200);
	assert_int_equal(cpus_count(&cpus.waiting), 0);
	compare_at(&cpus, "0-3\n", 300);
	assert_set(&cpus.waiting, "2-3");
	assert_string_equal(cpus.waiting_text, "2-3");
	assert_int_equal(cpus_count(&gone), 0);
	/* Since the look at which they were not there yet. */
	assert_true(cpus.waiting_ns == 200);
	serve(&cpus, "2", 310);
	assert_set(&cpus.waiting, "3");
	assert_set(&cpus.ringed, "0-2");
	compare_at(&cpus, "0-3,70\n", 400);
	assert_set(&cpus.waiting, "3,70");
	serve(&cpus, "3,70", 410);
	assert_int_equal(cpus_count(&cpus.waiting), 0);
	assert_true(cpus.waiting_ns == 0);
	assert_int_equal(cpus.nr_gaps, 2);
	assert_gap(&cpus.gaps[0], "2", 200, 310);
	assert_gap(&cpus.gaps[1], "3,70", 200, 410);
	compare_at(&cpus, "0-4,70\n", 500);
	assert_true(cpus.waiting_ns == 400);
}

static void test_one_that_goes_and_comes_back_has_no_ring_any_more(void **state)
{
	struct cpus cpus = { .fd = -1, .looked_ns = 100 };

	(void)state;
	cpus.ringed = set_of("0-1");
	compare_at(&cpus, "0\n", 200);
	assert_set(&gone, "1");
	assert_int_equal(cpus_count(&cpus.waiting), 0);
	/* Of what cannot be read nothing is concluded. */
	compare_at(&cpus, "nonsense\n", 300);
	assert_int_equal(cpus_count(&gone), 0);
	compare_at(&cpus, "0-1\n", 400);
	assert_set(&cpus.waiting, "1");
	assert_true(cpus.waiting_ns == 200);
	/* And goes again without having had one. */
	compare_at(&cpus, "0\n", 500);
	assert_int_equal(cpus_count(&gone), 0);
	assert_int_equal(cpus_count(&cpus.waiting), 0);
	assert_gap(&cpus.gaps[0], "1", 200, 500);
}

static void test_rings_that_are_silent_are_of_cpus_that_wait(void **state)
{
	struct cpus cpus = { .fd = -1, .looked_ns = 100 };
	struct cpu_set_bits silent = set_of("1,3");

	(void)state;
	cpus.ringed = set_of("0-3");
	/* The machine was suspended between these two; CPU 3 did not come back. */
	compare_at(&cpus, "0-3\n", 200);
	compare_at(&cpus, "0-2\n", 300);
	cpus_silence(&cpus, &silent, &gone);
	assert_set(&gone, "1,3");
	assert_set(&cpus.waiting, "1");
	assert_set(&cpus.ringed, "0,2");
	assert_true(cpus.waiting_ns == 200);
	serve(&cpus, "1", 310);
	assert_gap(&cpus.gaps[0], "1", 200, 310);
	assert_set(&cpus.ringed, "0-2");
}

static void test_gaps_beyond_what_there_is_room_for_are_one(void **state)
{
	struct cpus cpus = { .fd = -1, .looked_ns = 100 };
	static const char *const online[] = { "0,2\n", "0,3\n" };

	(void)state;
	cpus.ringed = set_of("0");
	for (uint64_t i = 0; i < CPUS_GAPS_MAX + 8; i++) {
		compare_at(&cpus, online[i % 2], 200 + 100 * i);
		serve(&cpus, i % 2 ? "3" : "2", 250 + 100 * i);
	}
	assert_int_equal(cpus.nr_gaps, CPUS_GAPS_MAX);
	assert_gap(&cpus.gaps[0], "2", 100, 250);
	assert_gap(&cpus.gaps[CPUS_GAPS_MAX - 2], "2", 1500, 1650);
	assert_gap(&cpus.gaps[CPUS_GAPS_MAX - 1], "2-3", 1600, 2550);
}

static void test_what_happens_on_an_unknown_cpu_makes_a_look_due(void **state)
{
	struct cpus cpus = { .fd = 0, .due_ns = 5 };

	(void)state;
	cpus.ringed = set_of("0-1");
	cpus.waiting = set_of("2");
	cpus_saw(&cpus, 0);
	cpus_saw(&cpus, 1);
	cpus_saw(&cpus, 2);
	assert_true(cpus.due_ns == 5);
	cpus_saw(&cpus, 3);
	assert_true(cpus.due_ns == 0);
	/* There is no list of them. */
	cpus = (struct cpus){ .fd = -1, .due_ns = 5 };
	cpus_saw(&cpus, 3);
	assert_true(cpus.due_ns == 5);
}

static void test_this_host_brings_none_online_meanwhile(void **state)
{
	struct cpus_news news;
	struct cpus cpus;

	(void)state;
	cpus_open(&cpus);
	if (cpus.fd < 0) {
		print_message("no list of CPUs in /sys\n");
		skip();
	}
	assert_true(cpus.ringed.words[0] != 0);
	assert_true(cpus_look(&cpus, 1, &news));
	assert_false(news.was_suspended);
	assert_int_equal(cpus_count(&news.gone), 0);
	assert_true(cpus.due_ns == 1000000001);
	assert_false(cpus_look(&cpus, 1000000000, &news));
	assert_int_equal(cpus_count(&cpus.waiting), 0);
	cpus_close(&cpus);
	cpus_close(&cpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_of_the_kernel_are_read),
		cmocka_unit_test(test_what_is_no_list_is_refused),
		cmocka_unit_test(test_sets_are_printed_as_the_kernel_does),
		cmocka_unit_test(test_cpus_that_come_wait_until_they_are_served),
		cmocka_unit_test(test_one_that_goes_and_comes_back_has_no_ring_any_more),
		cmocka_unit_test(test_rings_that_are_silent_are_of_cpus_that_wait),
		cmocka_unit_test(test_gaps_beyond_what_there_is_room_for_are_one),
		cmocka_unit_test(test_what_happens_on_an_unknown_cpu_makes_a_look_due),
		cmocka_unit_test(test_this_host_brings_none_online_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
