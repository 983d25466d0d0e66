/* SPDX-License-Identifier: MIT */
/* What a parser has given up; cmd/sandbox reads its filter back and compares it with the docs. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "priv/parser.h"

/* Runs TRY in a child of this process. Returns its exit status, or 128 + signal. */
static int in_child(int (*try)(pid_t parent, int fd), int fd)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(try(parent, fd));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool is_refused(int result)
{
	return result == -1 && errno == EPERM;
}

static int try_all(pid_t parent, int fd)
{
	char byte;

	if (parser_confine(parent))
		return 1;
	/* What it has open it may read, and memory it may have. */
	if (pread(fd, &byte, 1, 0) != 1)
		return 2;
	if (!is_refused(open("/proc/self/status", O_RDONLY | O_CLOEXEC)))
		return 3;
	if (!is_refused(socket(AF_UNIX, SOCK_STREAM, 0)))
		return 4;
	if (!is_refused(kill(parent, 0)))
		return 5;
	if (!is_refused(fork()))
		return 6;
	return 0;
}

static void test_it_reads_what_it_has_and_no_more(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
#ifdef __SANITIZE_ADDRESS__
	close(fd);
	print_message("the sanitizers' runtime may do more (src/priv/sandbox.c)\n");
	skip();
#endif
	assert_int_equal(in_child(try_all, fd), 0);
	close(fd);
}

/* It says when it has confined itself, and waits to be looked at. */
static int try_wait(pid_t parent, int fd)
{
	char byte = 'x';

	if (parser_confine(parent) || write(fd, &byte, 1) != 1)
		return 1;
	return read(fd, &byte, 1) == 0 ? 0 : 2;
}

/* Whether the status of PID (proc_pid_status(5)) has LINE. */
static bool has_line(pid_t pid, const char *line)
{
	char path[64];
	char text[256];
	bool is_there = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(text, sizeof(text), file))
		is_there |= strncmp(text, line, strlen(line)) == 0;
	fclose(file);
	return is_there;
}

static void test_it_has_no_rights(void **state)
{
	char user[64];
	int ends[2];
	int status;
	char byte;
	pid_t parent = getpid();
	pid_t pid;
	uid_t uid = getuid() ? getuid() : getpwnam("nobody")->pw_uid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(try_wait(parent, ends[1]));
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	snprintf(user, sizeof(user), "Uid:\t%u\t%u\t%u\t%u\n", uid, uid, uid, uid);
	assert_true(has_line(pid, user));
	assert_true(has_line(pid, "CapPrm:\t0000000000000000\n"));
	assert_true(has_line(pid, "CapEff:\t0000000000000000\n"));
	assert_true(has_line(pid, "NoNewPrivs:\t1\n"));
	assert_true(has_line(pid, "Seccomp:\t2\n"));
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int try_orphan(pid_t parent, int fd)
{
	(void)fd;
	return -parser_confine(parent + 1);
}

/* Its parent has ended in between: nobody would end it. */
static void test_child_of_another_is_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_orphan, -1), ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_reads_what_it_has_and_no_more),
		cmocka_unit_test(test_it_has_no_rights),
		cmocka_unit_test(test_child_of_another_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
