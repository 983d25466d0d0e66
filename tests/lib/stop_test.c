/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/stop.h"

/* What a child says when nothing else is said. */
#define AS_EXPECTED 77
#define UNEXPECTED  78

/* Runs BODY in a process of its own. Returns its wait status. */
static int run(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return status;
}

static void check_exits(int (*body)(void), int expected)
{
	int status = run(body);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

static int nothing_happens(void)
{
	if (stop_install() || stop_signal() || stop_give_up)
		return UNEXPECTED;
	return AS_EXPECTED;
}

static void test_nothing_is_asked_at_first(void **state)
{
	(void)state;
	check_exits(nothing_happens, AS_EXPECTED);
}

static int first_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			if (stop_install() || raise(signals[i]))
				_exit(UNEXPECTED);
			_exit(stop_signal() == signals[i] ? AS_EXPECTED : UNEXPECTED);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != AS_EXPECTED)
			return UNEXPECTED;
	}
	return AS_EXPECTED;
}

static void test_first_signal_asks(void **state)
{
	(void)state;
	check_exits(first_signals, AS_EXPECTED);
}

/* Longer than what counts as the same moment. */
static void wait_a_moment(void)
{
	struct timespec left = { .tv_nsec = 200000000 };

	while (nanosleep(&left, &left) < 0)
		;
}

static int second_signal(void)
{
	if (stop_install() || raise(SIGTERM) || stop_signal() != SIGTERM)
		return UNEXPECTED;
	wait_a_moment();
	raise(SIGTERM);
	return UNEXPECTED;
}

static int other_second_signal(void)
{
	if (stop_install() || raise(SIGINT))
		return UNEXPECTED;
	wait_a_moment();
	raise(SIGTERM);
	return UNEXPECTED;
}

static void test_second_signal_exits_with_the_first(void **state)
{
	(void)state;
	check_exits(second_signal, 128 + SIGTERM);
	check_exits(other_second_signal, 128 + SIGINT);
}

static int signals_at_once(void)
{
	sigset_t ticks;

	/* However long this process has to wait for a CPU between two of them. */
	sigemptyset(&ticks);
	sigaddset(&ticks, SIGALRM);
	if (stop_install() || sigprocmask(SIG_BLOCK, &ticks, NULL) || raise(SIGTERM) ||
	    raise(SIGTERM) || raise(SIGINT))
		return UNEXPECTED;
	return stop_signal() == SIGTERM ? AS_EXPECTED : UNEXPECTED;
}

/* As timeout(1) sends them: the end is written all the same. */
static void test_signals_at_once_are_one(void **state)
{
	(void)state;
	check_exits(signals_at_once, AS_EXPECTED);
}

static int inherited_ignored(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (stop_install() || raise(SIGINT))
		return UNEXPECTED;
	return stop_signal() == SIGINT ? AS_EXPECTED : UNEXPECTED;
}

/* A shell's background jobs have SIGINT and SIGQUIT ignored. */
static void test_signal_inherited_ignored_is_taken(void **state)
{
	(void)state;
	check_exits(inherited_ignored, AS_EXPECTED);
}

static int inherited_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (stop_install() || raise(SIGTERM))
		return UNEXPECTED;
	return stop_signal() == SIGTERM ? AS_EXPECTED : UNEXPECTED;
}

static void test_signal_inherited_blocked_is_taken(void **state)
{
	(void)state;
	check_exits(inherited_blocked, AS_EXPECTED);
}

static int closed_pipe(void)
{
	int ends[2];

	if (stop_install() || pipe(ends) || close(ends[0]))
		return UNEXPECTED;
	return write(ends[1], "x", 1) < 0 && errno == EPIPE ? AS_EXPECTED : UNEXPECTED;
}

static void test_closed_pipe_is_an_error_and_no_signal(void **state)
{
	(void)state;
	check_exits(closed_pipe, AS_EXPECTED);
}

static int file_limit(void)
{
	const struct rlimit limit = { .rlim_cur = 1, .rlim_max = 1 };
	char path[] = "/tmp/stop_test_XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) || stop_install() || setrlimit(RLIMIT_FSIZE, &limit) ||
	    write(fd, "x", 1) != 1)
		return UNEXPECTED;
	return write(fd, "x", 1) < 0 && errno == EFBIG ? AS_EXPECTED : UNEXPECTED;
}

/* Else `ulimit -f` kills in the middle of a line. */
static void test_file_limit_is_an_error_and_no_signal(void **state)
{
	(void)state;
	check_exits(file_limit, AS_EXPECTED);
}

static int interrupted_wait(void)
{
	/* Longer than any test may take: only a signal ends it. */
	const struct timespec day = { .tv_sec = 86400 };

	if (stop_install())
		return UNEXPECTED;
	stop_begin();
	if (nanosleep(&day, NULL) == 0 || errno != EINTR)
		return UNEXPECTED;
	while (!stop_give_up)
		nanosleep(&day, NULL);
	return stop_signal() == 0 ? AS_EXPECTED : UNEXPECTED;
}

static void test_end_interrupts_waits_until_it_gives_up(void **state)
{
	(void)state;
	check_exits(interrupted_wait, AS_EXPECTED);
}

static int blocked_write(void)
{
	static char bytes[1 << 16];
	int ends[2];

	if (stop_install() || pipe(ends) || raise(SIGTERM))
		return UNEXPECTED;
	/* Nobody reads: sooner or later write() blocks, and the timer ends it. */
	while (write(ends[1], bytes, sizeof(bytes)) > 0)
		;
	return errno == EINTR ? AS_EXPECTED : UNEXPECTED;
}

static void test_first_signal_interrupts_a_write_that_blocks(void **state)
{
	(void)state;
	check_exits(blocked_write, AS_EXPECTED);
}

/* The timer's ticks, without the time between them. */
static void tick_for_ms(unsigned int ms)
{
	for (unsigned int i = 0; i < ms / 50; i++)
		raise(SIGALRM);
}

static int gives_up_in_time(void)
{
	if (stop_install())
		return UNEXPECTED;
	tick_for_ms(STOP_DRAIN_MS - 50);
	if (stop_give_up)
		return UNEXPECTED;
	tick_for_ms(50);
	return stop_give_up ? AS_EXPECTED : UNEXPECTED;
}

static void test_draining_gives_up_after_its_time(void **state)
{
	(void)state;
	check_exits(gives_up_in_time, AS_EXPECTED);
}

static int watchdog_without_signal(void)
{
	if (stop_install())
		return UNEXPECTED;
	tick_for_ms(STOP_WATCHDOG_MS);
	return UNEXPECTED;
}

static int watchdog_after_signal(void)
{
	if (stop_install() || raise(SIGHUP))
		return UNEXPECTED;
	tick_for_ms(STOP_WATCHDOG_MS);
	return UNEXPECTED;
}

/* Its standard error is a pipe. */
static int watchdog_says_so(void)
{
	char text[256] = "";
	int ends[2];
	int status;
	pid_t pid;

	if (pipe(ends))
		return UNEXPECTED;
	pid = fork();
	if (pid == 0)
		_exit(dup2(ends[1], STDERR_FILENO) < 0 ? UNEXPECTED : watchdog_without_signal());
	if (waitpid(pid, &status, 0) != pid || read(ends[0], text, sizeof(text) - 1) <= 0)
		return UNEXPECTED;
	return strstr(text, "Error: cut short") ? AS_EXPECTED : UNEXPECTED;
}

static int before_the_watchdog(void)
{
	if (stop_install())
		return UNEXPECTED;
	tick_for_ms(STOP_WATCHDOG_MS - 50);
	return AS_EXPECTED;
}

static void test_watchdog_ends_the_program(void **state)
{
	(void)state;
	check_exits(before_the_watchdog, AS_EXPECTED);
	check_exits(watchdog_without_signal, 1);
	check_exits(watchdog_after_signal, 128 + SIGHUP);
}

static void test_watchdog_says_that_it_did(void **state)
{
	(void)state;
	check_exits(watchdog_says_so, AS_EXPECTED);
}

static int errno_kept(void)
{
	if (stop_install())
		return UNEXPECTED;
	errno = ENOTTY;
	raise(SIGTERM);
	return errno == ENOTTY ? AS_EXPECTED : UNEXPECTED;
}

static void test_handler_keeps_errno(void **state)
{
	(void)state;
	check_exits(errno_kept, AS_EXPECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_asked_at_first),
		cmocka_unit_test(test_first_signal_asks),
		cmocka_unit_test(test_second_signal_exits_with_the_first),
		cmocka_unit_test(test_signals_at_once_are_one),
		cmocka_unit_test(test_signal_inherited_ignored_is_taken),
		cmocka_unit_test(test_signal_inherited_blocked_is_taken),
		cmocka_unit_test(test_closed_pipe_is_an_error_and_no_signal),
		cmocka_unit_test(test_file_limit_is_an_error_and_no_signal),
		cmocka_unit_test(test_end_interrupts_waits_until_it_gives_up),
		cmocka_unit_test(test_first_signal_interrupts_a_write_that_blocks),
		cmocka_unit_test(test_draining_gives_up_after_its_time),
		cmocka_unit_test(test_watchdog_ends_the_program),
		cmocka_unit_test(test_watchdog_says_that_it_did),
		cmocka_unit_test(test_handler_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
