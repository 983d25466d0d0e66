/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "pipeline/clock.h"

#define SECOND 1000000000LL
/* What two readings of the clocks may lie apart on a machine that is busy with other things. */
#define NEAR (60 * SECOND)

static int64_t read_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static int64_t true_offset(void)
{
	return read_ns(CLOCK_REALTIME) - read_ns(CLOCK_BOOTTIME);
}

static void test_now_is_boot_time(void **state)
{
	int64_t before = read_ns(CLOCK_BOOTTIME);
	int64_t now = (int64_t)boot_clock_now();
	int64_t after = read_ns(CLOCK_BOOTTIME);

	(void)state;
	assert_true(before <= now && now <= after);
}

static void test_init_measures_and_has_no_step(void **state)
{
	struct boot_clock clock = { .steps = 5, .largest_step_ns = 5 };
	uint64_t before = boot_clock_now();

	(void)state;
	boot_clock_init(&clock);
	assert_true(llabs(clock.offset_ns - true_offset()) < NEAR);
	assert_true(clock.measured_ns >= before && clock.measured_ns <= boot_clock_now());
	assert_int_equal(clock.steps, 0);
	assert_int_equal(clock.largest_step_ns, 0);
}

static void test_boot_time_becomes_time_of_day(void **state)
{
	struct boot_clock clock = { .offset_ns = 1795251600 * SECOND };

	(void)state;
	assert_int_equal(boot_clock_unix(&clock, 0), 1795251600 * SECOND);
	assert_int_equal(boot_clock_unix(&clock, 123456789), 1795251600 * SECOND + 123456789);
	/* A host whose clock says 1970 and that has been up for longer. */
	clock.offset_ns = -5 * SECOND;
	assert_int_equal(boot_clock_unix(&clock, 7 * SECOND), 2 * SECOND);
}

static void test_update_waits_for_a_second(void **state)
{
	struct boot_clock clock = { .offset_ns = 12345, .measured_ns = 10 * SECOND };

	(void)state;
	boot_clock_update(&clock, 10 * SECOND);
	boot_clock_update(&clock, 11 * SECOND - 1);
	assert_int_equal(clock.offset_ns, 12345);
	assert_int_equal(clock.measured_ns, 10 * SECOND);
	assert_int_equal(clock.steps, 0);
	boot_clock_update(&clock, 11 * SECOND);
	assert_true(llabs(clock.offset_ns - true_offset()) < NEAR);
	assert_int_equal(clock.measured_ns, 11 * SECOND);
}

/* Makes the clock step by BY against CLOCK's last measurement. */
static void step(struct boot_clock *clock, int64_t by)
{
	clock->offset_ns = true_offset() - by;
	boot_clock_update(clock, clock->measured_ns + SECOND);
}

static void test_steps_are_counted_and_the_largest_kept(void **state)
{
	struct boot_clock clock;

	(void)state;
	boot_clock_init(&clock);
	step(&clock, 1000 * SECOND);
	assert_int_equal(clock.steps, 1);
	assert_true(llabs(clock.largest_step_ns - 1000 * SECOND) < NEAR);
	step(&clock, -5000 * SECOND);
	assert_int_equal(clock.steps, 2);
	assert_true(llabs(clock.largest_step_ns + 5000 * SECOND) < NEAR);
	step(&clock, 2000 * SECOND);
	assert_int_equal(clock.steps, 3);
	assert_true(llabs(clock.largest_step_ns + 5000 * SECOND) < NEAR);
}

static void test_offset_follows_a_step(void **state)
{
	struct boot_clock clock;

	(void)state;
	boot_clock_init(&clock);
	step(&clock, 1000 * SECOND);
	assert_true(llabs(clock.offset_ns - true_offset()) < NEAR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_now_is_boot_time),
		cmocka_unit_test(test_init_measures_and_has_no_step),
		cmocka_unit_test(test_boot_time_becomes_time_of_day),
		cmocka_unit_test(test_update_waits_for_a_second),
		cmocka_unit_test(test_steps_are_counted_and_the_largest_kept),
		cmocka_unit_test(test_offset_follows_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
