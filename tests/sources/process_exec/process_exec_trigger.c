/* SPDX-License-Identifier: MIT */
/*
 * Executes itself in all sorts of ways. The image that comes out of it prints what has to be
 * reported: its own arguments, and what /proc and the C library say of it. What these cannot say
 * (there is no /proc behind chroot(2)) the case says, in the environment.
 *
 * usage: process_exec_trigger DIR [CASE...]     DIR/root is a root for chroot(2) with this program
 *                                               as /bin/trigger
 */
#include "../../support/trigger.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* What is reported of longer argument lists, bytes, the NUL behind each counted. */
#define ARGUMENTS_SIZE 16383

static const char *dir;
static char self[PATH_MAX];

extern char **environ;

/* "DIR/NAME". */
static const char *in_dir(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return path;
}

/* The arguments as a JSON list, and joined, both cut as the tool does it. */
static void add_arguments(int argc, char **argv)
{
	static char joined[ARGUMENTS_SIZE];
	size_t left = ARGUMENTS_SIZE;
	size_t size = 0;
	bool is_cut = false;

	line_add(",\"argv\":[");
	for (int i = 0; i < argc && left > 0; i++) {
		size_t whole = strlen(argv[i]);
		size_t taken = whole < left ? whole : left;

		line_add(i ? "," : "");
		line_add_string(argv[i], taken);
		if (i)
			joined[size++] = ' ';
		memcpy(joined + size, argv[i], taken);
		size += taken;
		left -= taken;
		/* Its NUL. */
		if (left == 0)
			is_cut = true;
		else
			left--;
		if (left == 0 && i + 1 < argc)
			is_cut = true;
	}
	line_add("],\"cmdline\":");
	line_add_string(joined, size);
	line_add(",\"truncated\":%s", is_cut || getenv("EXPECT_CUT") ? "true" : "false");
}

static const char *link_of(const char *proc)
{
	static char path[PATH_MAX];
	long n = must(readlink(proc, path, sizeof(path) - 1));

	path[n] = '\0';
	return path;
}

/* The image: says what it is. */
static int image(int argc, char **argv)
{
	const char *exe = getenv("EXPECT_EXE");
	const char *cwd = getenv("EXPECT_CWD");
	const char *again = getenv("AGAIN");

	case_name = getenv("CASE");
	line_begin("process_exec", getpid(), getppid(), getuid(), own_name());
	line_str("exe", exe ? exe : link_of("/proc/self/exe"));
	line_str("cwd", cwd ? cwd : link_of("/proc/self/cwd"));
	add_arguments(argc, argv);
	line_end();
	if (again) {
		unsetenv("AGAIN");
		must(execl(again, "again", "and again", NULL));
	}
	return 0;
}

static char *const one[] = { (char[]){ "one" }, NULL };

static void exec_self(char *const argv[])
{
	must(execve(self, argv, environ));
}

static void no_argument(void)
{
	/* Since Linux 5.18 the kernel puts an empty one in its place. */
	char *const none[] = { NULL };

	exec_self(none);
}

static void one_argument(void)
{
	exec_self(one);
}

static void thousand_arguments(void)
{
	static char text[1000][12];
	static char *argv[1001];

	for (int i = 0; i < 1000; i++) {
		snprintf(text[i], sizeof(text[i]), "number %d", i);
		argv[i] = text[i];
	}
	exec_self(argv);
}

static void empty_strings(void)
{
	char *const argv[] = { (char[]){ "" }, (char[]){ "" },	(char[]){ "x" },
			       (char[]){ "" }, (char[]){ "y" }, NULL };

	exec_self(argv);
}

static void empty_at_the_end(void)
{
	char *const argv[] = { (char[]){ "x" }, (char[]){ "" }, (char[]){ "" }, NULL };

	exec_self(argv);
}

/* Arguments of SIZE bytes in all, each with its NUL. */
static void exec_sized(size_t size)
{
	static char bytes[64U << 10];
	char *argv[200] = { bytes };
	size_t argc = 1;

	memset(bytes, 'a', size);
	for (size_t at = 999; at < size - 1; at += 1000) {
		bytes[at] = '\0';
		argv[argc++] = bytes + at + 1;
	}
	bytes[size - 1] = '\0';
	exec_self(argv);
}

static void as_long_as_possible(void)
{
	exec_sized(ARGUMENTS_SIZE);
}

static void one_byte_too_long(void)
{
	exec_sized(ARGUMENTS_SIZE + 1);
}

static void far_too_long(void)
{
	exec_sized(60000);
}

static void one_huge_argument(void)
{
	static char huge[100000];
	char *const argv[] = { huge, NULL };

	memset(huge, 'h', sizeof(huge) - 1);
	exec_self(argv);
}

static void any_bytes(void)
{
	char all[256];
	char *const argv[] = { (char[]){ "\xff\xfe" },
			       all,
			       (char[]){ "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91" },
			       (char[]){ "\"quoted\" \\ and\nlines\ttabs" },
			       (char[]){ "\xff" },
			       NULL };

	for (int i = 0; i < 127; i++)
		all[i] = (char)(i + 1);
	all[127] = '\0';
	exec_self(argv);
}

static void by_symlink(void)
{
	must(symlink(self, in_dir("a link")));
	must(execve(in_dir("a link"), one, environ));
}

static void script_write(const char *path, const char *interpreter)
{
	FILE *file = fopen(path, "w");

	if (!file || fprintf(file, "#!%s with words\n", interpreter) < 0 || fclose(file) ||
	    chmod(path, 0755))
		die("cannot write '%s'", path);
}

static void by_script(void)
{
	script_write(in_dir("script.sh"), self);
	must(execve(in_dir("script.sh"), one, environ));
}

static void by_script_of_a_script(void)
{
	script_write(in_dir("inner"), self);
	script_write(in_dir("outer"), in_dir("inner"));
	must(execve(in_dir("outer"), one, environ));
}

static void any_directory(void)
{
	const char *path = in_dir("gr\xc3\xbc\xc3\x9f \xff \"q\"\n");

	must(mkdir(path, 0755));
	must(chdir(path));
	exec_self(one);
}

static void root_directory(void)
{
	must(chdir("/"));
	exec_self(one);
}

static void deleted_directory(void)
{
	const char *path = in_dir("gone");

	must(mkdir(path, 0755));
	must(chdir(path));
	must(rmdir(path));
	setenv("EXPECT_CWD", path, 1);
	exec_self(one);
}

/* Goes NR directories down. Returns where that is. */
static const char *descend(int nr)
{
	static char path[PATH_MAX];
	size_t size = (size_t)snprintf(path, sizeof(path), "%s", dir);

	must(chdir(dir));
	for (int i = 0; i < nr; i++) {
		char name[16];

		snprintf(name, sizeof(name), "d%d", i);
		if (mkdir(name, 0755) && errno != EEXIST)
			die("mkdir '%s'", name);
		must(chdir(name));
		size += (size_t)snprintf(path + size, sizeof(path) - size, "/%s", name);
	}
	return path;
}

static void deep_directory(void)
{
	descend(40);
	exec_self(one);
}

/* Only the end of it is reported: compared by the test. */
static void too_deep_directory(void)
{
	setenv("EXPECT_CWD", descend(100), 1);
	setenv("EXPECT_CUT", "1", 1);
	exec_self(one);
}

static void *exec_in_thread(void *unused)
{
	must(prctl(PR_SET_NAME, "second"));
	exec_self(one);
	return unused;
}

static void by_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec_in_thread, NULL))
		die("pthread_create");
	pthread_join(thread, NULL);
}

static void by_execveat(void)
{
	int fd = (int)must(open(dir, O_PATH | O_DIRECTORY));

	must(symlink(self, in_dir("at a directory")));
	must(syscall(SYS_execveat, fd, "at a directory", one, environ, 0));
}

static void by_descriptor(void)
{
	int fd = (int)must(open(self, O_PATH));

	must(syscall(SYS_execveat, fd, "", one, environ, AT_EMPTY_PATH));
}

/* Copies this program to TO. */
static void copy_self(int to)
{
	char bytes[8192];
	int from = (int)must(open(self, O_RDONLY));
	long n;

	while ((n = must(read(from, bytes, sizeof(bytes)))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			die("write");
	close(from);
}

static void by_memfd(void)
{
	int fd = (int)must(memfd_create("in memory", 0));

	copy_self(fd);
	setenv("EXPECT_EXE", "/memfd:in memory", 1);
	must(fexecve(fd, one, environ));
}

static void deleted_program(void)
{
	const char *path = in_dir("short-lived");
	int fd = (int)must(open(path, O_RDWR | O_CREAT, 0755));

	copy_self(fd);
	close(fd);
	fd = (int)must(open(path, O_PATH));
	must(unlink(path));
	setenv("EXPECT_EXE", path, 1);
	must(fexecve(fd, one, environ));
}

static void long_name(void)
{
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	must(link(self, in_dir(name)));
	must(execve(in_dir(name), one, environ));
}

static void in_path(void)
{
	char path[3 * PATH_MAX];

	snprintf(path, sizeof(path), "/nonexistent:/etc:%s/root:%s", dir, dir);
	must(symlink(self, in_dir("in PATH")));
	setenv("PATH", path, 1);
	must(execvp("in PATH", one));
}

static void expect_failure(const char *path, char *const *argv, int number)
{
	if (execve(path, argv, environ) == 0 || errno != number)
		die("exec of '%s' was to fail with %d", path, number);
}

static void failing(void)
{
	static char big[200000];
	char *const too_big[] = { big, NULL };

	memset(big, 'b', sizeof(big) - 1);
	expect_failure(in_dir("absent"), one, ENOENT);
	expect_failure(dir, one, EACCES);
	close((int)must(open(in_dir("not executable"), O_WRONLY | O_CREAT, 0644)));
	expect_failure(in_dir("not executable"), one, EACCES);
	close((int)must(open(in_dir("empty"), O_WRONLY | O_CREAT, 0755)));
	expect_failure(in_dir("empty"), one, ENOEXEC);
	script_write(in_dir("no interpreter"), "/nonexistent");
	expect_failure(in_dir("no interpreter"), one, ENOENT);
	expect_failure(self, too_big, E2BIG);
}

static void behind_chroot(void)
{
	must(chdir(in_dir("root")));
	must(chroot("."));
	must(chdir("/bin"));
	setenv("EXPECT_EXE", "/bin/trigger", 1);
	setenv("EXPECT_CWD", "/bin", 1);
	must(execve("/bin/trigger", one, environ));
}

/* The working directory is where the new root does not reach: named as the host names it. */
static void outside_chroot(void)
{
	must(chdir(dir));
	must(chroot(in_dir("root")));
	setenv("EXPECT_EXE", "/bin/trigger", 1);
	setenv("EXPECT_CWD", dir, 1);
	must(execve("/bin/trigger", one, environ));
}

static void behind_mounts(void)
{
	must(unshare(CLONE_NEWNS));
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mkdir(in_dir("mnt"), 0755) && errno != EEXIST)
		die("mkdir");
	must(mount("none", in_dir("mnt"), "tmpfs", 0, NULL));
	must(mkdir(in_dir("mnt/bind"), 0755));
	must(mount(in_dir("root"), in_dir("mnt/bind"), NULL, MS_BIND, NULL));
	must(chdir(in_dir("mnt/bind/bin")));
	must(execve("trigger", one, environ));
}

static void twice(void)
{
	setenv("AGAIN", self, 1);
	exec_self(one);
}

static void another_user(void)
{
	must(setresuid(65534, 65534, 65534));
	exec_self(one);
}

static void by_spawn(void)
{
	pid_t child;

	if (posix_spawn(&child, self, NULL, NULL, one, environ))
		die("posix_spawn");
	line_pid(child);
	wait_good(child);
}

/* Its parent ends before it executes anything: it then belongs to another. */
static void orphan(void)
{
	int ends[2];
	char byte;
	pid_t parent = getpid();

	must(pipe(ends));
	if (must(fork()) == 0) {
		const struct timespec pause = { .tv_nsec = 1000000 };

		close(ends[0]);
		while (getppid() == parent)
			nanosleep(&pause, NULL);
		/* Its own pid belongs to the case from here on. */
		line_pid(getpid());
		exec_self(one);
	}
	(void)byte;
}

static const struct test_case cases[] = {
	{ "no argument", no_argument },
	{ "one argument", one_argument },
	{ "1000 arguments", thousand_arguments },
	{ "empty strings", empty_strings },
	{ "empty at the end", empty_at_the_end },
	{ "as long as possible", as_long_as_possible },
	{ "one byte too long", one_byte_too_long },
	{ "far too long", far_too_long },
	{ "one huge argument", one_huge_argument },
	{ "any bytes", any_bytes },
	{ "symlink", by_symlink },
	{ "script", by_script },
	{ "script of a script", by_script_of_a_script },
	{ "any directory", any_directory },
	{ "root directory", root_directory },
	{ "deleted directory", deleted_directory },
	{ "deep directory", deep_directory },
	{ "too deep directory", too_deep_directory },
	{ "by a thread", by_a_thread },
	{ "execveat", by_execveat },
	{ "descriptor", by_descriptor },
	{ "memfd", by_memfd },
	{ "deleted program", deleted_program },
	{ "long name", long_name },
	{ "PATH", in_path },
	{ "failing", failing },
	{ "chroot", behind_chroot },
	{ "outside chroot", outside_chroot },
	{ "mounts", behind_mounts },
	{ "twice", twice },
	{ "another user", another_user },
	{ "posix_spawn", by_spawn },
	{ "orphan", orphan },
};

/* The image of the orphan outlives its case: this program waits for it too. */
int main(int argc, char **argv)
{
	if (getenv("CASE"))
		return image(argc, argv);
	if (argc < 2)
		return 2;
	dir = argv[1];
	snprintf(self, sizeof(self), "%s", link_of("/proc/self/exe"));
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *const only[] = { (char *)cases[i].name, NULL };

		if (!is_asked(cases[i].name, argv + 2))
			continue;
		setenv("CASE", cases[i].name, 1);
		cases_run(cases, ARRAY_SIZE(cases), (char **)only);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}
