/* SPDX-License-Identifier: MIT */
/* What where.c says is compared with what the dynamic loader knows, dladdr(3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/files.h"
#include "syscalls/where.h"

static pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static void test_functions_of_libraries_are_named(void **state)
{
	static const char *const names[] = { "mkdir", "getppid", "chroot", "unlink", "sysinfo" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t address = (uintptr_t)dlsym(RTLD_NEXT, names[i]);
		char file[PATH_MAX];
		struct where where;
		Dl_info info;

		assert_true(address != 0);
		assert_true(dladdr((void *)(uintptr_t)address, &info) != 0);
		assert_non_null(realpath(info.dli_fname, file));
		where_is(own_tid(), address + 3, &where);
		assert_string_equal(where.symbol, names[i]);
		assert_int_equal(where.into, 3);
		assert_string_equal(where.file, file);
		/* the first segments of a library are at the beginning of its file */
		assert_true(where.offset > 0 && where.offset < (UINT64_C(1) << 24));
	}
}

/* One that the compiler must not merge with others. */
static __attribute__((noinline)) int a_function_of_this_test(int value)
{
	return value * 31 + (int)syscall(SYS_getppid);
}

static void test_own_functions_are_found_at_their_offset(void **state)
{
	uint64_t address = (uintptr_t)a_function_of_this_test;
	uint8_t bytes[16], *code = (uint8_t *)(uintptr_t)address;
	char exe[PATH_MAX] = "";
	struct where where;
	int fd;

	(void)state;
	assert_true(a_function_of_this_test(1) != 0);
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	where_is(own_tid(), address, &where);
	assert_string_equal(where.file, exe);
	assert_string_equal(where.symbol, "a_function_of_this_test");
	assert_int_equal(where.into, 0);
	/* it is a place in the file's bytes: they are what is executed */
	fd = open(exe, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), (off_t)where.offset), sizeof(bytes));
	assert_memory_equal(bytes, code, sizeof(bytes));
	close(fd);
}

static void test_memory_of_no_file_is_an_address(void **state)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct where where;

	(void)state;
	where_is(own_tid(), (uintptr_t)page + 5, &where);
	assert_string_equal(where.file, "");
	assert_string_equal(where.symbol, "");
	assert_true(where.offset == (uintptr_t)page + 5);
	where_is(own_tid(), 1, &where);
	assert_string_equal(where.file, "");
	assert_int_equal(where.offset, 1);
	munmap(page, 4096);
}

static void test_another_process_is_looked_into(void **state)
{
	uint64_t address = (uintptr_t)dlsym(RTLD_NEXT, "mkdir");
	pid_t pid = fork();
	struct where where;

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	where_is(pid, address, &where);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(where.symbol, "mkdir");
	/* and when it is gone nothing is known */
	where_is(pid, address, &where);
	assert_string_equal(where.file, "");
	assert_true(where.offset == address);
}

static void test_a_file_that_is_deleted_is_still_read(void **state)
{
	struct where where;
	uint64_t address;
	void *library;
	char *copy;
	FILE *file, *out;
	int byte;
	Dl_info info;

	(void)state;
	assert_true(dladdr(dlsym(RTLD_NEXT, "dlopen"), &info) != 0);
	/* any small library will do */
	file = fopen("/lib/x86_64-linux-gnu/libcmocka.so.0", "r");
	if (!file)
		file = fopen("/usr/lib/x86_64-linux-gnu/libcmocka.so.0", "r");
	if (!file) {
		print_message("there is no libcmocka.so.0 where it is on Debian\n");
		skip();
	}
	copy = strdup(files_path("copy.so"));
	out = fopen(copy, "w");
	assert_non_null(out);
	while ((byte = fgetc(file)) != EOF)
		fputc(byte, out);
	fclose(out);
	fclose(file);
	library = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
	assert_non_null(library);
	address = (uintptr_t)dlsym(library, "cmocka_set_message_output");
	assert_true(address != 0);
	where_is(own_tid(), address + 1, &where);
	assert_string_equal(where.file, copy);
	assert_string_equal(where.symbol, "cmocka_set_message_output");
	assert_int_equal(unlink(copy), 0);
	where_is(own_tid(), address + 1, &where);
	assert_int_equal(strncmp(where.file, copy, strlen(copy)), 0);
	if (geteuid() == 0)
		assert_string_equal(where.symbol, "cmocka_set_message_output");
	dlclose(library);
	free(copy);
}

static void test_files_of_any_kind_are_no_error(void **state)
{
	char name[WHERE_SYMBOL_SIZE];
	uint64_t into;
	int fd;

	(void)state;
	file_put(files_path("text"), "no ELF file", 0600);
	fd = open(files_path("text"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(where_symbol(fd, 3, name, &into), -ENOEXEC);
	close(fd);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(where_symbol(fd, UINT64_MAX, name, &into), -ENOENT);
	/* the ELF header is loaded, and no function */
	assert_int_equal(where_symbol(fd, 0, name, &into), -ENOENT);
	close(fd);
	assert_int_equal(where_symbol(-1, 0, name, &into), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_of_libraries_are_named),
		cmocka_unit_test(test_own_functions_are_found_at_their_offset),
		cmocka_unit_test(test_memory_of_no_file_is_an_address),
		cmocka_unit_test(test_another_process_is_looked_into),
		cmocka_unit_test_setup_teardown(test_a_file_that_is_deleted_is_still_read,
						files_begin, files_end),
		cmocka_unit_test_setup_teardown(test_files_of_any_kind_are_no_error, files_begin,
						files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
