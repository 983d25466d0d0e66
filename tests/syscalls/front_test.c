/* SPDX-License-Identifier: MIT */
/*
 * The process in front of the one that traces: what becomes of either, and of COMMAND, which is
 * this program again, when one of them is killed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscalls/acted.h"
#include "syscalls/engine.h"
#include "syscalls/front.h"

#define FROM_COMMAND 60 /* descriptors that it is given */
#define TO_COMMAND   61

static char self[PATH_MAX];
static pid_t *worker; /* shared */

/* COMMAND: says that it is there, and goes on when it is told. */
static int act(void)
{
	char byte = 'a';

	if (write(FROM_COMMAND, &byte, 1) != 1 || read(TO_COMMAND, &byte, 1) != 1)
		leave(1);
	begin_work();
	if (write(FROM_COMMAND, "b", 1) != 1)
		leave(1);
	leave(0);
}

/* A process that front_enter() splits; the one behind calls BEHIND. Returns the one in front. */
static pid_t start(void (*behind)(void))
{
	int status = 255;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (!front_enter(&status))
		leave(status);
	*worker = getpid();
	behind();
	leave(99);
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void leave_with_five(void)
{
	leave(5);
}

static void test_status_is_that_of_the_one_behind(void **state)
{
	int status = status_of(start(leave_with_five));

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 5);
}

static int ends[2];

/* Tells that it has begun, and waits for a signal. */
static void wait_behind(void)
{
	close(ends[0]);
	if (write(ends[1], "w", 1) != 1)
		leave(1);
	for (;;)
		pause();
}

/* Starts it, and returns when it waits. */
static pid_t start_waiting(void)
{
	char byte;
	pid_t front;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	front = start(wait_behind);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	return front;
}

static void test_killed_one_behind_is_told_as_by_a_shell(void **state)
{
	pid_t front = start_waiting();
	int status;

	(void)state;
	assert_int_equal(kill(*worker, SIGTERM), 0);
	status = status_of(front);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
	close(ends[0]);
}

static void test_the_one_behind_ends_with_the_one_in_front(void **state)
{
	pid_t front = start_waiting();
	char byte;

	(void)state;
	assert_int_equal(kill(front, SIGKILL), 0);
	assert_true(WIFSIGNALED(status_of(front)));
	/* Nobody has the other end any more. */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static int from[2], to[2];

static void trace(void)
{
	char *command[] = { self, (char *)"act", NULL };
	struct recording_run run = { .id = "00000000000000000000000000000001" };
	char what[POINT_WHAT_SIZE];
	struct points points = { .nr = 0 };
	const struct engine_config config = {
		.command = command,
		.program = self,
		.points = &points,
	};
	struct recording *recording;

	if (dup2(from[1], FROM_COMMAND) < 0 || dup2(to[0], TO_COMMAND) < 0 ||
	    points_add(&points, "begin_work", self, what) || recording_new(&recording) ||
	    recording_add_phase(recording, "begin_work") < 0)
		leave(98);
	engine_ptrace.run(&config, recording, &run);
	leave(97);
}

/* Nobody answers for the breakpoint any more: it is taken out, or COMMAND would die of it. */
static void test_killed_tracer_leaves_no_breakpoint(void **state)
{
	pid_t front;
	int status;
	char byte;

	(void)state;
	if (engine_ptrace.probe()) {
		print_message("ptrace(2) does not work here\n");
		skip();
		return;
	}
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	front = start(trace);
	close(from[1]);
	close(to[0]);
	assert_int_equal(read(from[0], &byte, 1), 1);
	assert_int_equal(byte, 'a');
	assert_int_equal(kill(*worker, SIGKILL), 0);
	status = status_of(front);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGKILL);
	assert_int_equal(write(to[1], "g", 1), 1);
	assert_int_equal(read(from[0], &byte, 1), 1);
	assert_int_equal(byte, 'b');
	close(from[0]);
	close(to[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_is_that_of_the_one_behind),
		cmocka_unit_test(test_killed_one_behind_is_told_as_by_a_shell),
		cmocka_unit_test(test_the_one_behind_ends_with_the_one_in_front),
		cmocka_unit_test(test_killed_tracer_leaves_no_breakpoint),
	};

	(void)argv;
	if (argc == 2)
		return act();
	worker = mmap(NULL, sizeof(*worker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (worker == MAP_FAILED || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
