/* SPDX-License-Identifier: MIT */
/* What the broker reads of links in /proc that change, or whose process ends, in the middle of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "priv/broker_look.h"
#include "support/files.h"

static pid_t child;
static int ends_before;	  /* which reading of a link; 0: none */
static int changes_after; /* as well */
static int from, to;	  /* descriptors: TO becomes FROM */

/* Ends CHILD before this one, or changes a descriptor after it. */
ssize_t readlink(const char *restrict path, char *restrict text, size_t size)
{
	if (ends_before > 0 && --ends_before == 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		child = 0;
	}

	long n = syscall(SYS_readlinkat, AT_FDCWD, path, text, size);

	if (changes_after > 0 && --changes_after == 0)
		dup2(from, to);
	return n;
}

static void wait_at_root(const char *root, const char *cwd, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chroot(root) == 0 && chdir(cwd) == 0 && write(ready, "", 1) == 1)
		pause();
	_exit(1);
}

/* Starts a process with another root, whose working directory is CWD there. */
static void begin_child(const char *cwd)
{
	char byte;
	int ready[2];

	ends_before = 0;
	if (geteuid() != 0) {
		print_message("chroot(2) is not allowed\n");
		skip();
	}
	mkdir(files_path("sub"), 0700);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		wait_at_root(files_dir(), cwd, ready[1]);
	assert_true(child > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static int end(void **state)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		child = 0;
	}
	rmdir(files_path("sub"));
	return files_end(state);
}

static int look_at_cwd(struct broker_answer *answer)
{
	const struct broker_file file = { .kind = BROKER_FILE_CWD, .pid = (uint32_t)child };

	return broker_look_at(&file, answer);
}

static void test_directory_is_named_as_its_process_names_it(void **state)
{
	static const char *const names[] = { "/sub", "/" };
	struct broker_answer answer = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin_child(names[i]);
		assert_int_equal(look_at_cwd(&answer), 0);
		assert_int_equal(answer.size, strlen(names[i]));
		assert_memory_equal(answer.text, names[i], answer.size);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		child = 0;
	}
}

/* Its path on the host is not what it would be taken for. */
static void test_directory_of_one_that_ends_meanwhile_is_not_told(void **state)
{
	struct broker_answer answer = { 0 };

	(void)state;
	for (int i = 1; i <= 2; i++) {
		begin_child("/sub");
		ends_before = i;
		assert_int_equal(look_at_cwd(&answer), -ENOENT);
		assert_int_equal(child, 0);
	}
}

/* Whether the path and the file that ANSWER tells are those of FD. */
static bool is_of(const struct broker_answer *answer, int fd, const char *path)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return answer->inode == st.st_ino && answer->size == strlen(path) &&
	       memcmp(answer->text, path, answer->size) == 0;
}

/* One file's path with another's inode would be a lie. */
static void test_descriptor_that_changes_meanwhile_is_one_or_the_other(void **state)
{
	const struct broker_file file = { .kind = BROKER_FILE_FD,
					  .pid = (uint32_t)getpid(),
					  .fd = 200 };
	struct broker_answer answer = { 0 };
	int one, other;

	(void)state;
	file_put(files_path("one"), "1", 0600);
	file_put(files_path("other"), "2", 0600);
	one = open(files_path("one"), O_RDONLY | O_CLOEXEC);
	other = open(files_path("other"), O_RDONLY | O_CLOEXEC);
	assert_true(one >= 0 && other >= 0);
	from = other;
	to = (int)file.fd;
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(dup2(one, to), to);
		changes_after = i;
		assert_int_equal(broker_look_at(&file, &answer), 0);
		assert_int_equal(changes_after, 0);
		assert_true(is_of(&answer, one, files_path("one")) ||
			    is_of(&answer, other, files_path("other")));
	}
	close(to);
	close(one);
	close(other);
	unlink(files_path("one"));
	unlink(files_path("other"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, files_begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_directory_is_named_as_its_process_names_it),
		TEST(test_descriptor_that_changes_meanwhile_is_one_or_the_other),
		TEST(test_directory_of_one_that_ends_meanwhile_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
