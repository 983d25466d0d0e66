/* SPDX-License-Identifier: MIT */
/* That a call is told once, with its own result, whatever it is called from and left by. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "trace/probed.h"

static void test_result_is_told_at_the_return(void **state)
{
	const struct event *event;

	(void)state;
	need_probes();
	assert_int_equal(made.X509_verify_cert(NULL, NULL, -7), -7);
	event = told(SLOT_verify);
	assert_int_equal(event->fixed.marks, API_HAS_RESULT);
	assert_int_equal((int)event->fixed.result, -7);
	assert_ptr_equal(made.SSL_CTX_new(&made), &made);
	event = told(SLOT_new);
	assert_ptr_equal(event->fixed.result, &made);
	assert_null(made.SSL_CTX_new(NULL));
	assert_int_equal(told(SLOT_new)->fixed.result, 0);
}

static void call_list(void *ctx)
{
	made.SSL_CTX_set_cipher_list(NULL, ctx);
}

static void call_twice(void *ctx)
{
	made.X509_digest(call_list, ctx, 6);
	call_list(ctx);
	made.X509_verify_cert(call_list, ctx, 7);
}

static void test_what_internal_functions_call_is_not_told(void **state)
{
	(void)state;
	need_probes();
	assert_int_equal(made.X509_digest(call_list, (void *)"inside", 5), 5);
	assert_int_equal(collect(), 0);
	/* The end of an inner one is not that of the outer one. */
	assert_int_equal(made.X509_digest(call_twice, (void *)"inside", 5), 5);
	assert_int_equal(collect(), 0);
	made.SSL_CTX_set_cipher_list(NULL, "outside");
	told(SLOT_list);
}

/* Whether it is one depends on who calls it. */
static void test_function_for_callers_outside(void **state)
{
	const struct event *event;

	(void)state;
	need_probes();
	made.X509_get_ext_d2i(NULL, 85);
	event = told(SLOT_ext);
	assert_int_equal(event->fixed.values[0], 85);
	made.X509_get_ext_d2i(NULL, 86);
	assert_int_equal(collect(), 0);
	made.made_get_ext(NULL, 85);
	assert_int_equal(collect(), 0);
}

static jmp_buf back;

static void jump(void *ctx)
{
	(void)ctx;
	longjmp(back, 1);
}

static void jump_out_of_inner(void *ctx)
{
	(void)ctx;
	if (!setjmp(back))
		made.X509_check_host(jump, NULL, 1);
}

static void test_call_that_is_left_by_a_jump_does_not_disturb_others(void **state)
{
	(void)state;
	need_probes();
	assert_int_equal(made.X509_verify_cert(jump_out_of_inner, NULL, 11), 11);
	assert_int_equal((int)told(SLOT_verify)->fixed.result, 11);
	if (!setjmp(back))
		made.X509_verify_cert(jump, NULL, 12);
	assert_int_equal(collect(), 0);
	made.X509_check_host(NULL, NULL, 13);
	assert_int_equal((int)told(SLOT_host)->fixed.result, 13);
	made.X509_verify_cert(NULL, NULL, 14);
	assert_int_equal((int)told(SLOT_verify)->fixed.result, 14);
	assert_int_equal(uprobes.shared->frames_lost, 0);
}

/* More often than there are frames: what was left behind is found out each time. */
static void test_many_jumps_do_not_fill_the_frames(void **state)
{
	(void)state;
	need_probes();
	for (int i = 0; i < 20; i++) {
		made.X509_verify_cert(jump_out_of_inner, NULL, i);
		assert_int_equal((int)told(SLOT_verify)->fixed.result, i);
	}
	assert_int_equal(uprobes.shared->frames_lost, 0);
}

/* The one ends in a jump to the other: both return at once. */
static void test_function_that_ends_in_another_has_its_own_result(void **state)
{
	(void)state;
	need_probes();
	assert_int_equal(made.X509_check_ip(NULL, NULL, 15), 15);
	assert_int_equal(collect(), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(events[i].fixed.slot, i ? SLOT_ip_of : SLOT_host);
		assert_int_equal(events[i].fixed.result, 15);
	}
}

static void test_internal_function_that_is_left_by_a_jump_ends(void **state)
{
	(void)state;
	need_probes();
	if (!setjmp(back))
		made.X509_digest(jump, NULL, 1);
	made.SSL_CTX_set_cipher_list(NULL, "behind");
	told(SLOT_list);
}

/* Calls itself through the library, DEPTH times more; each call has its depth as text and result.
 */
static void descend(void *text)
{
	int depth = atoi(text) - 1;
	char next[16];

	if (!depth)
		return;
	snprintf(next, sizeof(next), "%d", depth);
	assert_int_equal(made.X509_check_ip_asc(descend, next, depth), depth);
}

/* Every call that is told has the result that it had. Returns how many were told. */
static size_t check_descent(const char *depth)
{
	size_t nr;

	made.X509_check_ip_asc(descend, depth, atoi(depth));
	nr = collect();
	for (size_t i = 0; i < nr; i++) {
		struct tail text = events[i].fixed.texts[0];
		char own[4];

		assert_true(text.size < sizeof(own));
		memcpy(own, events[i].bytes + text.off, text.size);
		own[text.size] = '\0';
		assert_int_equal((int)events[i].fixed.result, atoi(own));
	}
	return nr;
}

static void test_results_of_a_recursion_are_those_of_its_calls(void **state)
{
	(void)state;
	need_probes();
	assert_int_equal(check_descent("1"), 1);
	assert_int_equal(check_descent("4"), 4);
	assert_int_equal(uprobes.shared->frames_lost, 0);
	/* Deeper than calls are kept: the outer ones are told, the others counted. */
	assert_int_equal(check_descent("9"), 4);
	assert_int_equal(uprobes.shared->frames_lost, 5);
	assert_int_equal(check_descent("4"), 4);
	assert_int_equal(uprobes.shared->frames_lost, 5);
}

#define THREADS	     4
#define THREAD_CALLS 200

struct caller {
	pthread_t thread;
	int number;
	pid_t tid;
};

static void *call_often(void *ctx)
{
	struct caller *caller = ctx;

	caller->tid = gettid();
	for (int i = 0; i < THREAD_CALLS; i++) {
		made.X509_verify_cert(NULL, NULL, caller->number * 1000 + i);
		made.SSL_CTX_set_cipher_list(NULL, caller->number % 2 ? "odd" : "even number");
	}
	return NULL;
}

/* What CALLER's thread was told to have done is what it has, in its order. */
static void check_caller(const struct caller *caller)
{
	int nr_results = 0;
	int nr_texts = 0;

	for (size_t i = 0; i < nr_events; i++) {
		const struct event *event = &events[i];

		if (event->fixed.hdr.tid != (uint32_t)caller->tid)
			continue;
		assert_int_equal(event->fixed.hdr.tgid, getpid());
		if (event->fixed.slot == SLOT_verify)
			assert_int_equal((int)event->fixed.result,
					 caller->number * 1000 + nr_results++);
		else
			check_text(event, event->fixed.texts[0],
				   caller->number % 2 ? "odd" : "even number");
		nr_texts += event->fixed.slot == SLOT_list;
	}
	assert_int_equal(nr_results, THREAD_CALLS);
	assert_int_equal(nr_texts, THREAD_CALLS);
}

static void test_threads_do_not_mix(void **state)
{
	struct caller callers[THREADS];

	(void)state;
	need_probes();
	for (int i = 0; i < THREADS; i++) {
		callers[i].number = i + 1;
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(callers[i].thread, NULL);
	assert_int_equal(collect(), 2 * THREADS * THREAD_CALLS);
	for (int i = 0; i < THREADS; i++)
		check_caller(&callers[i]);
}

/* Waits for PID, which must end with STATUS. */
static void wait_child(pid_t pid, int expected)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

static void test_calls_of_a_child_are_its_own(void **state)
{
	pid_t pid;

	(void)state;
	need_probes();
	made.X509_verify_cert(NULL, NULL, 1);
	pid = fork();
	if (pid == 0) {
		/* On the stack: of files a child has nothing in memory at first. */
		made.SSL_CTX_set_cipher_list(NULL, (char[]){ "child" });
		_exit(made.X509_verify_cert(NULL, NULL, 2));
	}
	wait_child(pid, 2);
	made.X509_verify_cert(NULL, NULL, 3);
	assert_int_equal(collect(), 4);
	assert_int_equal(events[0].fixed.hdr.tgid, getpid());
	assert_int_equal(events[1].fixed.hdr.tgid, pid);
	assert_int_equal(events[1].fixed.hdr.ppid, getpid());
	check_text(&events[1], events[1].fixed.texts[0], "child");
	assert_int_equal(events[2].fixed.hdr.tgid, pid);
	assert_int_equal(events[2].fixed.result, 2);
	assert_int_equal(events[3].fixed.hdr.tgid, getpid());
}

static void fork_inside(void *ctx)
{
	*(pid_t *)ctx = fork();
}

/* The child comes out of a call that it never entered. */
static void test_child_that_is_made_within_a_call(void **state)
{
	pid_t pid = -1;

	(void)state;
	need_probes();
	made.X509_verify_cert(fork_inside, &pid, 5);
	if (pid == 0)
		_exit(made.X509_check_host(NULL, NULL, 6));
	wait_child(pid, 6);
	assert_int_equal(collect(), 2);
	for (size_t i = 0; i < 2; i++) {
		bool is_child = events[i].fixed.hdr.tgid == (uint32_t)pid;

		assert_int_equal(events[i].fixed.slot, is_child ? SLOT_host : SLOT_verify);
		assert_int_equal(events[i].fixed.result, is_child ? 6 : 5);
	}
	assert_int_not_equal(events[0].fixed.hdr.tgid, events[1].fixed.hdr.tgid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_result_is_told_at_the_return),
		TEST(test_what_internal_functions_call_is_not_told),
		TEST(test_function_for_callers_outside),
		TEST(test_call_that_is_left_by_a_jump_does_not_disturb_others),
		TEST(test_many_jumps_do_not_fill_the_frames),
		TEST(test_function_that_ends_in_another_has_its_own_result),
		TEST(test_internal_function_that_is_left_by_a_jump_ends),
		TEST(test_results_of_a_recursion_are_those_of_its_calls),
		TEST(test_threads_do_not_mix),
		TEST(test_calls_of_a_child_are_its_own),
		TEST(test_child_that_is_made_within_a_call),
	};

	return run_on_kernels(tests, KERNEL_before_multi);
}
