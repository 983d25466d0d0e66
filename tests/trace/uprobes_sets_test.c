/* SPDX-License-Identifier: MIT */
/* What is attached, counted, beyond a limit and let go of. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "trace/probed.h"

#define THREADS 4

static void test_variant_is_what_the_kernel_has(void **state)
{
	(void)state;
	need_probes();
	assert_true(kernel == KERNEL_now || !uprobes.is_multi);
	assert_int_equal(uprobes.nr_sets, 1);
	/* One link for the functions, one for their returns; or one each. */
	if (uprobes.is_multi)
		assert_int_equal(uprobes.sets[0].nr_links, 2);
	else
		assert_true(uprobes.sets[0].nr_links > NR_SLOTS_HERE);
}

static void test_nothing_is_told_while_it_is_off(void **state)
{
	(void)state;
	need_probes();
	session.control->on = 0;
	made.SSL_CTX_set_cipher_list(NULL, "A");
	assert_int_equal(collect(), 0);
	session.control->on = 1;
	session.control->worker = (uint32_t)getpid();
	made.SSL_CTX_set_cipher_list(NULL, "A");
	made.SSL_read(NULL);
	assert_int_equal(collect(), 0);
	assert_int_equal(uprobes.counts[0].key, 0);
}

static void test_probe_of_another_generation_does_not_tell(void **state)
{
	(void)state;
	need_probes();
	uprobes.slots[SLOT_list].generation = 1;
	made.SSL_CTX_set_cipher_list(NULL, "A");
	assert_int_equal(collect(), 0);
	uprobes.slots[SLOT_list].generation = 0;
	made.SSL_CTX_set_cipher_list(NULL, "A");
	told(SLOT_list);
}

static void test_function_beyond_its_limit_is_off_and_no_other(void **state)
{
	size_t nr;

	(void)state;
	need_probes();
	uprobes.slots[SLOT_list].limit = 100;
	uprobes.slots[SLOT_rsa].limit = 100;
	for (int i = 0; i < 1000; i++)
		made.SSL_CTX_set_cipher_list(NULL, "A");
	nr = collect();
	assert_true(uprobes.slots[SLOT_list].is_off);
	assert_true(nr >= 100);
	assert_true(nr <= 300);
	made.SSL_CTX_set_cipher_list(NULL, "A");
	assert_int_equal(collect(), 0);
	made.RSA_generate_key_ex(NULL, 1);
	told(SLOT_rsa);
	assert_false(uprobes.slots[SLOT_rsa].is_off);
}

/* So many calls that a limit of so many a second is not passed. */
static void test_limit_is_one_of_calls_in_a_second(void **state)
{
	(void)state;
	need_probes();
	uprobes.slots[SLOT_list].limit = 5;
	for (int i = 0; i < 13; i++) {
		made.SSL_CTX_set_cipher_list(NULL, "A");
		usleep(210000);
	}
	assert_false(uprobes.slots[SLOT_list].is_off);
	assert_int_equal(collect(), 13);
}

static uint64_t counted(uint32_t pid, uint32_t slot)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < API_COUNTS_MAX; i++)
		if (uprobes.counts[i].key == ((uint64_t)pid << 32 | slot) + 1)
			sum += uprobes.counts[i].count;
	return sum;
}

static void *read_often(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < 5000; i++)
		made.SSL_read(NULL);
	return NULL;
}

static void test_counted_calls_are_counted_and_not_told(void **state)
{
	pthread_t threads[THREADS];
	int status;
	pid_t pid;

	(void)state;
	need_probes();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_often, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 7; i++)
		made.SSL_write(NULL);
	pid = fork();
	if (pid == 0) {
		made.SSL_read(NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(counted((uint32_t)getpid(), SLOT_read), THREADS * 5000);
	assert_int_equal(counted((uint32_t)getpid(), SLOT_write), 7);
	assert_int_equal(counted((uint32_t)pid, SLOT_read), 1);
	assert_int_equal(collect(), 0);
	assert_int_equal(uprobes.shared->counts_lost, 0);
}

static void test_counts_without_room_are_counted_as_lost(void **state)
{
	(void)state;
	need_probes();
	for (size_t i = 0; i < API_COUNTS_MAX; i++)
		uprobes.counts[i].key = 1;
	for (int i = 0; i < 12; i++)
		made.SSL_read(NULL);
	assert_int_equal(counted((uint32_t)getpid(), SLOT_read), 0);
	assert_int_equal(uprobes.shared->counts_lost, 12);
}

/* hit == rejected + ring_full + sent, and what is sent arrives. */
static void test_every_call_is_accounted_for(void **state)
{
	struct source_counters before;
	struct source_counters after;

	(void)state;
	need_probes();
	session_counters(&session, SOURCE_api_call, &before);
	for (int i = 0; i < 20000; i++)
		made.SSL_CTX_set_cipher_list(NULL, "0123456789012345678901234567890123456789");
	session_counters(&session, SOURCE_api_call, &after);
	assert_int_equal(after.hit - before.hit, 20000);
	assert_int_equal(after.rejected, before.rejected);
	assert_true(after.ring_full > before.ring_full);
	assert_int_equal(after.sent - before.sent + after.ring_full - before.ring_full, 20000);
	assert_int_equal(collect(), after.sent - before.sent);
}

static int next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* Nothing of PROBES can be attached to the file behind FD. */
static void check_no_attach(int fd, const struct broker_probe *probes, size_t nr_probes)
{
	size_t nr_sets = uprobes.nr_sets;
	uint32_t nr_failed = 77;

	assert_true(uprobes_attach(&uprobes, fd, probes, nr_probes, &nr_failed) < 0);
	assert_int_equal(nr_failed, 77);
	assert_int_equal(uprobes.nr_sets, nr_sets);
}

static void test_what_cannot_be_attached_leaves_nothing(void **state)
{
	const struct broker_probe probe = { .offset = made_offset((void *)made.SSL_read) };
	const struct broker_probe beyond[] = { { .offset = 1UL << 40 }, { .offset = 1UL << 41 } };
	_cleanup_(cleanup_fd) int dir = open("/", O_RDONLY | O_CLOEXEC);
	_cleanup_(cleanup_fd) int device = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int free_fd = next_fd();

	(void)state;
	need_probes();
	check_no_attach(dir, &probe, 1);
	check_no_attach(device, &probe, 1);
	check_no_attach(12345, &probe, 1);
	check_no_attach(library, beyond, 2);
	check_no_attach(library, NULL, 0);
	assert_int_equal(next_fd(), free_fd);
}

/* The kernel refuses all of a link for one of them: the others are attached all the same. */
static void test_others_than_the_refused_are_attached(void **state)
{
	const struct broker_probe probes[] = {
		{ .offset = 1UL << 40, .cookie = SLOT_rsa },
		{ .offset = made_offset((void *)made.SSL_read), .cookie = SLOT_rsa },
		{ .offset = 1UL << 41, .cookie = SLOT_rsa },
		{ .offset = made_offset((void *)made.SSL_write), .cookie = SLOT_rsa },
		{ .offset = made_offset((void *)made.SSL_write), .is_return = 1 },
	};
	uint32_t nr_failed = 77;
	int free_fd = next_fd();
	int set;

	(void)state;
	need_probes();
	set = uprobes_attach(&uprobes, library, probes, 5, &nr_failed);
	assert_true(set > 0);
	assert_int_equal(nr_failed, 2);
	made.SSL_read(NULL);
	made.SSL_write(NULL);
	assert_int_equal(collect(), 2);
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)set), 0);
	made.SSL_read(NULL);
	assert_int_equal(collect(), 0);
	assert_int_equal(next_fd(), free_fd);
}

/* A set of one function, which is in no other, with the cookie of X509_verify_cert(). */
static int attach_call(uint64_t generation)
{
	uint64_t offset = made_offset((void *)made.made_call);
	uint64_t cookie = cookie_of(SLOT_verify) | generation << API_COOKIE_GENERATION;
	const struct broker_probe probes[] = {
		{ .offset = offset, .cookie = cookie },
		{ .offset = offset, .cookie = cookie, .is_return = 1 },
	};
	uint32_t nr_failed;

	return uprobes_attach(&uprobes, library, probes, 2, &nr_failed);
}

static void test_set_that_is_let_go_of_tells_no_more(void **state)
{
	int set = attach_call(0);

	(void)state;
	need_probes();
	assert_true(set > 0);
	made.made_call(NULL, NULL, 1);
	told(SLOT_verify);
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)set + 1), -ENOENT);
	assert_int_equal(uprobes_detach(&uprobes, UINT32_MAX), -ENOENT);
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)set), 0);
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)set), -ENOENT);
	made.made_call(NULL, NULL, 2);
	assert_int_equal(collect(), 0);
	/* Others are not concerned. */
	made.X509_verify_cert(NULL, NULL, 3);
	told(SLOT_verify);
}

/* As a function of the file is taken off: the others are attached anew before. */
static void renew_set(void *ctx)
{
	int *set = ctx;
	int old = *set;

	*set = attach_call(1);
	assert_true(*set > 0 && *set != old);
	uprobes.slots[SLOT_verify].generation = 1;
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)old), 0);
}

static void test_call_under_way_outlives_its_set(void **state)
{
	int set = attach_call(0);
	size_t nr;

	(void)state;
	need_probes();
	assert_true(set > 0);
	made.made_call(renew_set, &set, 8);
	/* Since Linux 6.13 a perf event tells no return of a call that began before it was there.
	 */
	nr = collect();
	assert_true(nr == 1 || (nr == 0 && !uprobes.is_multi));
	assert_true(nr == 0 || events[0].fixed.result == 8);
	made.made_call(NULL, NULL, 9);
	assert_int_equal((int)told(SLOT_verify)->fixed.result, 9);
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)set), 0);
}

/* As a file's probes that are attached anew, again and again. */
static void test_number_of_a_set_is_used_again(void **state)
{
	const struct broker_probe beyond = { .offset = 1UL << 40 };
	int first = attach_call(0);
	int second = attach_call(1);
	size_t nr_sets = uprobes.nr_sets;

	(void)state;
	need_probes();
	assert_true(first > 0 && second > 0 && second != first);
	for (int i = 0; i < 3; i++) {
		made.made_call(NULL, NULL, 1);
		told(SLOT_verify);
		assert_int_equal(uprobes_detach(&uprobes, (uint32_t)first), 0);
		made.made_call(NULL, NULL, 2);
		assert_int_equal(collect(), 0);
		/* What cannot be attached does not take it. */
		check_no_attach(library, &beyond, 1);
		assert_int_equal(attach_call(0), first);
		assert_int_equal(uprobes.nr_sets, nr_sets);
	}
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)first), 0);
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)second), 0);
	assert_int_equal(attach_call(0), first);
	assert_int_equal(uprobes_detach(&uprobes, (uint32_t)first), 0);
}

static void test_sets_beyond_the_limit_are_refused(void **state)
{
	size_t nr_sets = uprobes.nr_sets;
	int taken;
	int last;
	int beyond;

	(void)state;
	need_probes();
	for (size_t i = 0; i < UPROBES_SETS_MAX - 1; i++)
		if (!uprobes.sets[i].links)
			uprobes.sets[i].links = &taken;
	uprobes.nr_sets = UPROBES_SETS_MAX - 1;
	last = attach_call(0);
	beyond = attach_call(0);
	uprobes_detach(&uprobes, UPROBES_SETS_MAX - 1);
	for (size_t i = 0; i < UPROBES_SETS_MAX - 1; i++)
		if (uprobes.sets[i].links == &taken)
			uprobes.sets[i].links = NULL;
	uprobes.nr_sets = nr_sets;
	assert_int_equal(last, UPROBES_SETS_MAX - 1);
	assert_int_equal(beyond, -ENOSPC);
}

/* As for the first test of all. */
static int again_begin(void **state)
{
	kernel = KERNEL_now;
	return group_begin(state);
}

/* A kernel before cookies: that is said, and nothing is left. */
static void test_kernel_without_cookies_is_refused(void **state)
{
	(void)state;
	need_probes();
	group_end(state);
	kernel = KERNEL_before_cookie;
	files_begin(state);
	assert_true(open_session() < 0);
	assert_false(uprobes.is_multi);
	assert_int_equal(uprobes_attach(&uprobes, 0, NULL, 0, NULL), -EOPNOTSUPP);
	uprobes_close(&uprobes);
	uprobes_close(&uprobes);
}

/* Where memory is short that is said, and no older way is tried, which takes more of it. */
static void test_want_of_memory_is_not_taken_for_an_old_kernel(void **state)
{
	(void)state;
	need_probes();
	group_end(state);
	kernel = KERNEL_short;
	files_begin(state);
	assert_int_equal(open_session(), -ENOMEM);
	assert_null(uprobes.object);
}

/* Nor where our programs for links of many do not load, which has other causes. */
static void test_failure_to_load_is_not_taken_for_an_old_kernel(void **state)
{
	(void)state;
	need_probes();
	group_end(state);
	kernel = KERNEL_odd;
	files_begin(state);
	assert_int_equal(open_session(), -EINVAL);
	assert_null(uprobes.object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_variant_is_what_the_kernel_has),
		TEST(test_nothing_is_told_while_it_is_off),
		TEST(test_probe_of_another_generation_does_not_tell),
		TEST(test_function_beyond_its_limit_is_off_and_no_other),
		TEST(test_counted_calls_are_counted_and_not_told),
		TEST(test_counts_without_room_are_counted_as_lost),
		TEST(test_every_call_is_accounted_for),
		TEST(test_what_cannot_be_attached_leaves_nothing),
		TEST(test_others_than_the_refused_are_attached),
		TEST(test_set_that_is_let_go_of_tells_no_more),
		TEST(test_call_under_way_outlives_its_set),
		TEST(test_number_of_a_set_is_used_again),
		TEST(test_sets_beyond_the_limit_are_refused),
	};
	const struct CMUnitTest slow[] = {
		TEST(test_limit_is_one_of_calls_in_a_second),
	};
	const struct CMUnitTest old[] = {
		cmocka_unit_test_setup_teardown(test_kernel_without_cookies_is_refused, group_begin,
						group_end),
		cmocka_unit_test_setup_teardown(test_want_of_memory_is_not_taken_for_an_old_kernel,
						again_begin, group_end),
		cmocka_unit_test_setup_teardown(test_failure_to_load_is_not_taken_for_an_old_kernel,
						again_begin, group_end),
	};
	int nr_failed = run_on_kernels(tests, KERNEL_before_multi);

	kernel = KERNEL_now;
	nr_failed += cmocka_run_group_tests_name("once", slow, group_begin, group_end);
	return nr_failed + cmocka_run_group_tests_name("without cookies", old, NULL, NULL);
}
