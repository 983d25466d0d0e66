/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "syscalls/points.h"

/* A function of this program to be a point. */
__attribute__((noinline, used)) int point_function(int a);
int point_function(int a)
{
	return a * 77777 + 1;
}

#ifdef __x86_64__
/* One whose first instruction has five bytes, whatever the compiler is asked for. */
void point_wide(void);
__asm__(".text\n"
	".type point_wide, @function\n"
	"point_wide:\n"
	"	movl $77777, %eax\n"
	"	ret\n"
	".size point_wide, . - point_wide\n");
#endif

static struct points points;
static char what[POINT_WHAT_SIZE];
static char self[PATH_MAX];

static int begin(void **state)
{
	(void)state;
	points = (struct points){ 0 };
	return realpath("/proc/self/exe", self) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	points_free(&points);
	return 0;
}

static const struct point *add(const char *text)
{
	int err = points_add(&points, text, self, what);

	if (err)
		fail_msg("'%s': %s", text, what);
	assert_string_equal(what, "");
	assert_string_equal(points.list[points.nr - 1].text, text);
	return &points.list[points.nr - 1];
}

static void refuse(const char *text, int err, const char *why)
{
	size_t nr = points.nr;

	assert_int_equal(points_add(&points, text, self, what), err);
	if (!strstr(what, why))
		fail_msg("'%s': '%s' does not say '%s'", text, what, why);
	assert_int_equal(points.nr, nr);
}

static bool has_call(const struct point *point, const char *name)
{
	for (size_t i = 0; i < point->nr_calls; i++)
		if (point->calls[i] == (uint32_t)syscall_number(syscall_arch_native(), name))
			return true;
	return false;
}

static void test_events_are_named(void **state)
{
	(void)state;
	assert_int_equal(add("first:fork")->kind, POINT_FORK);
	assert_int_equal(add("first:thread")->kind, POINT_THREAD);
	assert_int_equal(add("first:exec")->kind, POINT_EXEC);
	assert_int_equal(add("auto")->kind, POINT_AUTO);
	refuse("auto", -EINVAL, "the same as 'auto'");
	refuse("first:fork", -EINVAL, "the same as");
}

static void test_a_call_stands_for_its_variants(void **state)
{
	const struct point *point;

	(void)state;
	point = add("first:accept");
	assert_int_equal(point->kind, POINT_SYSCALL);
	assert_true(has_call(point, "accept") && has_call(point, "accept4"));
	assert_int_equal(point->nr_calls, 2);
	point = add("first:epoll_wait");
	assert_true(has_call(point, "epoll_pwait") && has_call(point, "epoll_pwait2"));
	point = add("first:listen");
	assert_int_equal(point->nr_calls, 1);
	refuse("first:accept4", -EINVAL, "the same as 'first:accept'");
	refuse("first:nosuch", -ENOENT, "no such system call");
	refuse("first:", -ENOENT, "no such system call");
	/* A call of another machine. */
	refuse(syscall_arch_native() == SYSCALL_ARCH_x86_64 ? "first:sigreturn"
							    : "first:arch_prctl",
	       -EINVAL, "this machine has no such");
}

static void test_waits_and_listens(void **state)
{
	enum syscall_arch native = syscall_arch_native();

	(void)state;
	assert_true(point_is_wait((uint32_t)syscall_number(native, "epoll_pwait")));
	assert_true(point_is_wait((uint32_t)syscall_number(native, "ppoll")));
	assert_true(point_is_wait((uint32_t)syscall_number(native, "accept4")));
	assert_false(point_is_wait((uint32_t)syscall_number(native, "read")));
	assert_false(point_is_wait((uint32_t)syscall_number(native, "listen")));
	assert_true(point_is_listen((uint32_t)syscall_number(native, "listen")));
	/* A socket that was handed over. */
	assert_true(point_is_listen((uint32_t)syscall_number(native, "accept")));
	assert_false(point_is_listen((uint32_t)syscall_number(native, "bind")));
	assert_false(point_is_wait(5000));
}

static void test_signals_by_name_and_number(void **state)
{
	(void)state;
	assert_int_equal(add("signal:USR1")->signal, SIGUSR1);
	assert_int_equal(add("signal:SIGHUP")->signal, SIGHUP);
	assert_int_equal(add("signal:12")->signal, SIGUSR2);
	assert_int_equal(add("signal:sigterm")->signal, SIGTERM);
	assert_int_equal(add("signal:RTMIN")->signal, 34);
	assert_int_equal(add("signal:SIGRTMIN+30")->signal, 64);
	assert_int_equal(points.list[0].kind, POINT_SIGNAL);
	refuse("signal:10", -EINVAL, "the same as 'signal:USR1'");
	refuse("signal:KILL", -EINVAL, "no program goes on");
	refuse("signal:19", -EINVAL, "no program goes on");
	refuse("signal:0", -ENOENT, "no such signal");
	refuse("signal:65", -ENOENT, "no such signal");
	refuse("signal:RTMIN+31", -ENOENT, "no such signal");
	refuse("signal:SIG", -ENOENT, "no such signal");
	refuse("signal:", -ENOENT, "no such signal");
}

/* Where in its file the code at ADDRESS is, as the kernel says. */
static uint64_t offset_by_maps(uintptr_t address)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uint64_t start, stop, offset, found = 0;
	char line[4400];

	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start, &stop, &offset) ==
			    3 &&
		    address >= start && address < stop)
			found = offset + (address - start);
	fclose(maps);
	return found;
}

static void test_a_function_of_the_program(void **state)
{
	uint64_t want = offset_by_maps((uintptr_t)point_function);
	char text[PATH_MAX + 64];
	const struct point *point = add("point_function");

	(void)state;
	assert_int_equal(point->kind, POINT_CODE);
	assert_int_equal(point->offset, want);
	assert_string_equal(point->path, self);
	assert_true(fcntl(point->fd, F_GETFD) & FD_CLOEXEC);
	/* The same place by another name. */
	snprintf(text, sizeof(text), "%s:point_function", strrchr(self, '/') + 1);
	refuse(text, -EINVAL, "the same as 'point_function'");
	snprintf(text, sizeof(text), "%s:0x%" PRIx64, self, want);
	refuse(text, -EINVAL, "the same as 'point_function'");
}

static void test_a_function_of_a_library(void **state)
{
	/* nothing that a sanitizer has, too */
	const struct point *by_name = add("clearerr"), *by_file;

	(void)state;
	assert_non_null(strstr(by_name->path, "libc.so"));
	by_file = add("libc.so.6:rewind");
	assert_string_equal(points.list[0].path, by_file->path);
	refuse("libc.so.6:clearerr", -EINVAL, "the same as 'clearerr'");
}

static void test_what_is_near_is_told(void **state)
{
	(void)state;
	refuse("point_functoin", -ENOENT, "near it: point_function");
	refuse("libc.so.6:getpidd", -ENOENT, "getpid");
	refuse("qqqqqqqqqqqqqqqqq", -ENOENT, "no such function");
	/* Data is no code. */
	refuse("libc.so.6:environ", -ENOENT, "no such function");
}

static void test_what_is_no_code_is_refused(void **state)
{
	char text[PATH_MAX + 64];

	(void)state;
	snprintf(text, sizeof(text), "%s:0x10", self);
	refuse(text, -EINVAL, "no offset of code");
	snprintf(text, sizeof(text), "%s:0xffffffffffffffff", self);
	refuse(text, -EINVAL, "no offset of code");
	snprintf(text, sizeof(text), "%s:0xffffffffffffffff0", self);
	refuse(text, -ENOENT, "no such function");
	refuse("0x1000", -EINVAL, "FILE:0xOFFSET");
	refuse("/etc/passwd:main", -ENOEXEC, "ELF");
	refuse("/no/such/file:main", -ENOENT, "No such file");
	refuse("libnosuch.so:main", -ENOENT, "neither a path nor a library");
	refuse(":main", -EINVAL, "not FUNCTION");
	refuse("libc.so.6:", -EINVAL, "not FUNCTION");
	refuse("", -EINVAL, "1 to 255 bytes");
	memset(text, 'x', POINT_TEXT_SIZE);
	text[POINT_TEXT_SIZE] = '\0';
	refuse(text, -EINVAL, "1 to 255 bytes");
#ifdef __x86_64__
	snprintf(text, sizeof(text), "%s:0x%" PRIx64, self,
		 offset_by_maps((uintptr_t)point_wide) + 1);
	refuse(text, -EINVAL, "inside an instruction");
#endif
}

static void test_there_may_be_64(void **state)
{
	char text[32];

	(void)state;
	for (int i = 1; i <= 64; i++) {
		if (i == SIGKILL || i == SIGSTOP)
			continue;
		snprintf(text, sizeof(text), "signal:%d", i);
		add(text);
	}
	add("auto");
	add("first:fork");
	assert_int_equal(points.nr, POINTS_MAX);
	refuse("first:exec", -E2BIG, "64 points");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_events_are_named),	      TEST(test_a_call_stands_for_its_variants),
		TEST(test_waits_and_listens),	      TEST(test_signals_by_name_and_number),
		TEST(test_a_function_of_the_program), TEST(test_a_function_of_a_library),
		TEST(test_what_is_near_is_told),      TEST(test_what_is_no_code_is_refused),
		TEST(test_there_may_be_64),
	};

	if (point_function(1) == 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
