/* SPDX-License-Identifier: MIT */
/*
 * Opens files by every call, with every outcome, from everywhere. Only system calls are used, so
 * that the same source makes a 32-bit program.
 *
 * usage: file_open_trigger DIR [CASE...]     DIR/root/sub is there for chroot(2)
 *        file_open_trigger DIR flags         all flags; what they are is for strace to say
 *        file_open_trigger DIR wait          one open, after SIGUSR1
 *        file_open_trigger DIR probe [CASE...]  opens DIR/probe.pem until DIR/go is there, then as
 *                                            without "probe"
 */
#include "../../support/trigger.h"

#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define NOBODY	   65534
#define NR_THREADS 8
#define NR_OPENS   50

static const char *dir;

/* What is expected besides file, flags and result. */
static const char *type = "certificate";
static const char *kind = "certificate";
static const char *thread_name;
static bool is_cut;

/* "DIR/NAME". */
static const char *in_dir(const char *name)
{
	static __thread char paths[4][2 * PATH_MAX];
	static __thread unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void make_file(const char *path, mode_t mode)
{
	int fd = (int)must(syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT, mode));

	must(fchmod(fd, mode));
	close(fd);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		die("mkdir '%s'", path);
}

/* Expects that FILE was opened with FLAGS and the outcome FD, which is closed, called RESULT. */
static void expect_result(const char *file, const char *flags, long fd, const char *result)
{
	struct stat st;

	line_begin("file_open", getpid(), getppid(), getuid(), "file_open_trigg");
	if (thread_name)
		line_str("thread", thread_name);
	line_str("file", file);
	line_str("flags", flags);
	line_str("result", result);
	line_str("file_type", type);
	line_str("file_kind", kind);
	if (is_cut)
		line_add(",\"truncated\":true");
	if (fd >= 0) {
		must(fstat((int)fd, &st));
		line_dev(st.st_dev);
		line_u64("inode", st.st_ino);
		close((int)fd);
	}
	line_end();
}

/* The same; what it is called is the errno. Must directly follow the call. */
static void expect_open(const char *file, const char *flags, long fd)
{
	expect_result(file, flags, fd, fd < 0 ? strerrorname_np(errno) : "success");
}

static long openat_read(int at, const char *name)
{
	return syscall(SYS_openat, at, name, O_RDONLY);
}

/* Opens FILE for reading: expects it as it is named, with the errno NUMBER, 0 for success. */
static void try_read(const char *file, int number)
{
	long fd = openat_read(AT_FDCWD, file);

	if ((fd < 0 ? errno : 0) != number)
		die("open of '%s' was to give %d", file, number);
	expect_open(file, "O_RDONLY", fd);
}

/* Opens NAME, relative to AT: expects FILE. */
static void try_relative(int at, const char *name, const char *file)
{
	expect_open(file, "O_RDONLY", openat_read(at, name));
}

static long openat2_call(int at, const char *name, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return syscall(SYS_openat2, at, name, &how, sizeof(how));
}

static void by_every_call(void)
{
	const char *file = in_dir("call.pem");

	expect_open(file, "O_WRONLY|O_CREAT",
		    syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT, 0644));
	expect_open(file, "O_RDONLY", syscall(SYS_openat, AT_FDCWD, file, O_RDONLY));
	expect_open(file, "O_RDWR|O_CLOEXEC", openat2_call(AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0));
#ifdef SYS_open
	expect_open(file, "O_WRONLY|O_APPEND", syscall(SYS_open, file, O_WRONLY | O_APPEND));
#endif
#ifdef SYS_creat
	expect_open(file, "O_WRONLY|O_CREAT|O_TRUNC", syscall(SYS_creat, file, 0600));
	expect_open(in_dir("created.pem"), "O_WRONLY|O_CREAT|O_TRUNC",
		    syscall(SYS_creat, in_dir("created.pem"), 0600));
#endif
	expect_open(
		in_dir("new.pem"), "O_RDWR|O_CREAT|O_EXCL",
		syscall(SYS_openat, AT_FDCWD, in_dir("new.pem"), O_RDWR | O_CREAT | O_EXCL, 0600));
	expect_open(file, "O_RDONLY|O_PATH", syscall(SYS_openat, AT_FDCWD, file, O_PATH));
}

static void by_fopen(void)
{
	FILE *stream = fopen(in_dir("stream.pem"), "we");

	if (!stream)
		die("fopen");
	expect_open(in_dir("stream.pem"), "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC", fileno(stream));
	stream = fopen(in_dir("stream.pem"), "r");
	if (!stream)
		die("fopen");
	expect_open(in_dir("stream.pem"), "O_RDONLY", fileno(stream));
	if (fopen(in_dir("no stream.pem"), "r"))
		die("fopen was to fail");
	errno = ENOENT;
	expect_open(in_dir("no stream.pem"), "O_RDONLY", -1);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Opens a pipe that no one writes to, until a signal comes. */
static void interrupted(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval soon = { .it_value.tv_usec = 20000, .it_interval.tv_usec = 20000 };
	const struct itimerval never = { 0 };

	must(sigaction(SIGALRM, &action, NULL));
	must(setitimer(ITIMER_REAL, &soon, NULL));

	long fd = openat_read(AT_FDCWD, in_dir("pipe.pem"));

	if (fd >= 0 || errno != EINTR)
		die("open was to fail with EINTR");
	must(setitimer(ITIMER_REAL, &never, NULL));
	/* Until a handler says otherwise the kernel means to begin again; strace shows the same. */
	expect_result(in_dir("pipe.pem"), "O_RDONLY", -1, "ERESTARTSYS");
}

static void out_of_descriptors(void)
{
	struct rlimit old;
	struct rlimit none;

	must(getrlimit(RLIMIT_NOFILE, &old));
	none = (struct rlimit){ 0, old.rlim_max };
	must(setrlimit(RLIMIT_NOFILE, &none));
	try_read(in_dir("plain.pem"), EMFILE);
	must(setrlimit(RLIMIT_NOFILE, &old));
}

static void fail_as_nobody(void)
{
	must(setresuid(NOBODY, NOBODY, NOBODY));
	try_read(in_dir("forbidden.pem"), EACCES);
	try_read(in_dir("closed/x.pem"), EACCES);
	expect_open(in_dir("plain.pem"), "O_RDONLY|O_NOATIME",
		    syscall(SYS_openat, AT_FDCWD, in_dir("plain.pem"), O_RDONLY | O_NOATIME));
}

static void with_every_error(void)
{
	char name[300];
	int file;

	try_read(in_dir("absent.pem"), ENOENT);
	try_read(in_dir("loop.pem"), ELOOP);
	try_read(in_dir("plain/x.pem"), ENOTDIR);
	memset(name, 'n', sizeof(name));
	strcpy(name + 290, ".pem");
	try_read(in_dir(name), ENAMETOOLONG);
	expect_open(in_dir("link.pem"), "O_RDONLY|O_NOFOLLOW",
		    syscall(SYS_openat, AT_FDCWD, in_dir("link.pem"), O_RDONLY | O_NOFOLLOW));
	expect_open(in_dir("directory.pem"), "O_WRONLY",
		    syscall(SYS_openat, AT_FDCWD, in_dir("directory.pem"), O_WRONLY));
	expect_open(in_dir("plain.pem"), "O_RDONLY|O_DIRECTORY",
		    syscall(SYS_openat, AT_FDCWD, in_dir("plain.pem"), O_RDONLY | O_DIRECTORY));
	expect_open(in_dir("plain.pem"), "O_RDWR|O_CREAT|O_EXCL",
		    syscall(SYS_openat, AT_FDCWD, in_dir("plain.pem"), O_RDWR | O_CREAT | O_EXCL,
			    0600));
	expect_open(in_dir("pipe.pem"), "O_WRONLY|O_NONBLOCK",
		    syscall(SYS_openat, AT_FDCWD, in_dir("pipe.pem"), O_WRONLY | O_NONBLOCK));
	expect_open(in_dir("plain.pem"), "O_RDONLY",
		    openat2_call(AT_FDCWD, in_dir("plain.pem"), O_RDONLY, 1ULL << 62));
	expect_open(in_dir("running.pem"), "O_WRONLY",
		    syscall(SYS_openat, AT_FDCWD, in_dir("running.pem"), O_WRONLY));
	interrupted();
	out_of_descriptors();
	/* A name whose beginning nobody knows, and one that begins at a file. */
	try_relative(999, "from nowhere.pem", "from nowhere.pem");
	file = (int)must(openat_read(AT_FDCWD, in_dir("plain")));
	try_relative(file, "x.pem", in_dir("plain/x.pem"));
	must(chdir(in_dir("closed")));
	expect_open(in_dir("plain.pem"), "O_RDONLY",
		    openat2_call(AT_FDCWD, "../plain.pem", O_RDONLY, RESOLVE_BENEATH));
	fail_as_nobody();
}

/* A name that cannot be read has no end that could match: it is counted. */
static void with_no_name(void)
{
	if (openat_read(AT_FDCWD, (const char *)1) >= 0 || errno != EFAULT)
		die("open was to fail with EFAULT");
	if (openat_read(AT_FDCWD, "") >= 0 || errno != ENOENT)
		die("open was to fail with ENOENT");
}

static void from_directories(void)
{
	int at;

	make_dir(in_dir("a"));
	make_dir(in_dir("a/b"));
	make_file(in_dir("a/b/file"), 0644);
	must(rename(in_dir("a/b/file"), in_dir("a/b/rel.pem")));
	must(chdir(in_dir("a")));
	try_relative(AT_FDCWD, "absent.pem", in_dir("a/absent.pem"));
	try_relative(AT_FDCWD, "b/rel.pem", in_dir("a/b/rel.pem"));
	try_relative(AT_FDCWD, "./b//./rel.pem", in_dir("a/b/rel.pem"));
	try_relative(AT_FDCWD, "b/../../a/b/rel.pem", in_dir("a/b/rel.pem"));
	try_relative(AT_FDCWD, in_dir("/a/.//b/../b/rel.pem"), in_dir("a/b/rel.pem"));
	at = (int)must(openat_read(AT_FDCWD, in_dir("a/b")));
	try_relative(at, "rel.pem", in_dir("a/b/rel.pem"));
	try_relative(at, "../b/rel.pem", in_dir("a/b/rel.pem"));
	/* Absolute: the directory does not matter. */
	try_relative(at, in_dir("a/b/rel.pem"), in_dir("a/b/rel.pem"));
	at = (int)must(syscall(SYS_openat, AT_FDCWD, in_dir("a/b"), O_PATH));
	try_relative(at, "rel.pem", in_dir("a/b/rel.pem"));
	must(symlink(in_dir("a/b"), in_dir("way")));
	must(chdir(in_dir("way")));
	try_relative(AT_FDCWD, "rel.pem", in_dir("a/b/rel.pem"));
	must(chdir("/"));
	try_relative(AT_FDCWD, in_dir("a/b/rel.pem") + 1, in_dir("a/b/rel.pem"));
	expect_open(in_dir("a/b/rel.pem"), "O_RDONLY|O_CLOEXEC",
		    openat2_call(at, "rel.pem", O_RDONLY | O_CLOEXEC, 0));
}

/* Goes NR directories down and opens a file from there. */
static void from_depth(int nr)
{
	char path[PATH_MAX];
	int size = snprintf(path, sizeof(path), "%s", dir);

	must(chdir(dir));
	for (int i = 0; i < nr; i++) {
		char name[16];

		snprintf(name, sizeof(name), "d%d", i);
		make_dir(name);
		must(chdir(name));
		size += snprintf(path + size, sizeof(path) - (size_t)size, "/%s", name);
	}
	snprintf(path + size, sizeof(path) - (size_t)size, "/deep.pem");
	is_cut = nr > 60;
	try_relative(AT_FDCWD, "deep.pem", path);
}

static void from_deep_directories(void)
{
	from_depth(3);
	from_depth(12);
	from_depth(40);
}

/* Only the end of it is reported: compared by the test. */
static void from_too_deep(void)
{
	from_depth(100);
}

static void from_a_deleted_directory(void)
{
	make_dir(in_dir("gone"));
	must(chdir(in_dir("gone")));
	must(rmdir(in_dir("gone")));
	try_relative(AT_FDCWD, "x.pem", in_dir("gone/x.pem"));
}

static void from_a_renamed_directory(void)
{
	make_dir(in_dir("old"));
	make_dir(in_dir("old/sub"));
	must(chdir(in_dir("old/sub")));
	must(rename(in_dir("old"), in_dir("renamed")));
	try_relative(AT_FDCWD, "x.pem", in_dir("renamed/sub/x.pem"));
}

static void behind_chroot(void)
{
	must(chroot(in_dir("root")));
	must(chdir("/sub"));
	try_relative(AT_FDCWD, "in.pem", "/sub/in.pem");
	try_relative(AT_FDCWD, "/sub/in.pem", "/sub/in.pem");
	must(chdir("/"));
	try_relative(AT_FDCWD, "sub/in.pem", "/sub/in.pem");
}

/* The working directory is where the root does not reach: named as the host names it. */
static void outside_chroot(void)
{
	must(chdir(dir));
	must(chroot(in_dir("root")));
	try_relative(AT_FDCWD, "plain.pem", in_dir("plain.pem"));
}

static void behind_mounts(void)
{
	must(unshare(CLONE_NEWNS));
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	make_dir(in_dir("mnt"));
	must(mount("none", in_dir("mnt"), "tmpfs", 0, NULL));
	make_dir(in_dir("mnt/bind"));
	must(mount(in_dir("root"), in_dir("mnt/bind"), NULL, MS_BIND, NULL));
	must(chdir(in_dir("mnt/bind/sub")));
	try_relative(AT_FDCWD, "in.pem", in_dir("mnt/bind/sub/in.pem"));
	must(chdir(in_dir("mnt")));
	try_relative(AT_FDCWD, "x.pem", in_dir("mnt/x.pem"));
	must(mount("none", in_dir("mnt"), NULL, MS_REMOUNT | MS_RDONLY, NULL));
	expect_open(in_dir("mnt/ro.pem"), "O_WRONLY|O_CREAT",
		    syscall(SYS_openat, AT_FDCWD, "ro.pem", O_WRONLY | O_CREAT, 0600));
}

/* Names of 4,095 bytes, the longest there are. */
static void long_names(void)
{
	static char name[PATH_MAX];
	static char joined[2 * PATH_MAX];
	size_t size = (size_t)snprintf(name, sizeof(name), "%s/", dir);

	/* One that leads to a file: most of it are "." */
	memset(name + size, '/', sizeof(name) - size);
	for (size_t at = size; at < sizeof(name) - 16; at += 2)
		name[at] = '.';
	strcpy(name + PATH_MAX - 1 - strlen("plain.pem"), "plain.pem");
	try_relative(AT_FDCWD, name, in_dir("plain.pem"));
	/* One that has to be reported whole. */
	memset(name + size, 'n', sizeof(name) - size);
	for (size_t at = size + 200; at < sizeof(name) - 16; at += 200)
		name[at] = '/';
	strcpy(name + PATH_MAX - 1 - strlen(".pem"), ".pem");
	try_read(name, ENOENT);
	/* And one that continues a directory. */
	must(chdir(dir));
	memset(name, 'n', size);
	snprintf(joined, sizeof(joined), "%s/%s", dir, name);
	try_relative(AT_FDCWD, name, joined);
}

static void any_name(void)
{
	try_read(in_dir("UPPER.PEM"), ENOENT);
	try_read(in_dir("MiXeD.PeM"), ENOENT);
	try_read(in_dir("gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91.pem"), ENOENT);
	try_read(in_dir("\xff\xfe.pem"), ENOENT);
	try_read(in_dir("\"a\\b\"\n\t\x01\x7f.pem"), ENOENT);
	try_read(in_dir(".pem"), ENOENT);
	type = "private_key";
	kind = "ssh_private_key";
	try_read(in_dir("Id_RSA"), ENOENT);
}

static void *open_in_thread(void *arg)
{
	char called[16];

	snprintf(called, sizeof(called), "opener %d", (int)(intptr_t)arg);
	must(prctl(PR_SET_NAME, called));
	for (int i = 0; i < NR_OPENS; i++) {
		char name[64];
		struct stat st;
		long fd;

		snprintf(name, sizeof(name), "thread%d-%02d.pem", (int)(intptr_t)arg, i);
		fd = must(syscall(SYS_openat, AT_FDCWD, in_dir(name), O_RDWR | O_CREAT, 0600));
		must(fstat((int)fd, &st));
		close((int)fd);
		line_begin("file_open", getpid(), getppid(), 0, "file_open_trigg");
		line_str("thread", called);
		line_str("file", in_dir(name));
		line_add(",\"flags\":\"O_RDWR|O_CREAT\",\"result\":\"success\"");
		line_add(",\"file_type\":\"certificate\",\"file_kind\":\"certificate\"");
		line_dev(st.st_dev);
		line_u64("inode", st.st_ino);
		line_end();
	}
	return NULL;
}

static void from_threads(void)
{
	pthread_t threads[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++)
		if (pthread_create(&threads[i], NULL, open_in_thread, (void *)(intptr_t)i))
			die("pthread_create");
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* A new name is reported at once; the user is the real one. */
static void renamed_and_another_user(void)
{
	must(setresuid((uid_t)-1, NOBODY, 0));
	try_read(in_dir("plain.pem"), 0);
	must(setresuid(NOBODY, NOBODY, NOBODY));
	try_read(in_dir("plain.pem"), 0);
}

static const struct test_case cases[] = {
	{ "calls", by_every_call },
	{ "fopen", by_fopen },
	{ "errors", with_every_error },
	{ "no name", with_no_name },
	{ "directories", from_directories },
	{ "deep", from_deep_directories },
	{ "too deep", from_too_deep },
	{ "deleted", from_a_deleted_directory },
	{ "renamed", from_a_renamed_directory },
	{ "chroot", behind_chroot },
	{ "outside chroot", outside_chroot },
	{ "mounts", behind_mounts },
	{ "long", long_names },
	{ "any name", any_name },
	{ "threads", from_threads },
	{ "another user", renamed_and_another_user },
};

/* Every flag alone and with every other, for every access mode; all of them; unknown ones. */
static void open_with_flags(void)
{
	static const int flags[] = { 0,		  O_CREAT,    O_EXCL,	 O_NOCTTY,  O_TRUNC,
				     O_APPEND,	  O_NONBLOCK, O_DSYNC,	 O_ASYNC,   O_DIRECT,
				     O_DIRECTORY, O_NOFOLLOW, O_NOATIME, O_CLOEXEC, O_SYNC,
				     O_PATH,	  O_TMPFILE,  0100000 /* O_LARGEFILE */ };
	static const unsigned int odd[] = { ~0U, 1U << 31, 020000000000, 1U << 23 | O_CREAT };
	const char *file = in_dir("flags.pem");

	for (int mode = 0; mode < 4; mode++)
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			for (size_t j = i; j < ARRAY_SIZE(flags); j++)
				close((int)syscall(SYS_openat, AT_FDCWD, file,
						   mode | flags[i] | flags[j], 0600));
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		close((int)syscall(SYS_openat, AT_FDCWD, file, odd[i], 0600));
}

/* What has to be there before. The names are not of the catalogue while they are made. */
static void prepare(void)
{
	char self[PATH_MAX];
	ssize_t n = must(readlink("/proc/self/exe", self, sizeof(self) - 1));

	self[n] = '\0';
	make_file(in_dir("plain"), 0644);
	must(link(in_dir("plain"), in_dir("plain.pem")));
	make_file(in_dir("forbidden"), 0);
	must(rename(in_dir("forbidden"), in_dir("forbidden.pem")));
	must(symlink("loop.pem", in_dir("loop.pem")));
	must(symlink("plain.pem", in_dir("link.pem")));
	must(mkdir(in_dir("directory.pem"), 0755));
	must(mkdir(in_dir("closed"), 0700));
	must(mkfifo(in_dir("pipe.pem"), 0600));
	must(link(self, in_dir("running.pem")));
}

static void open_when_told(void)
{
	sigset_t usr1;
	int number;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &usr1, NULL));
	case_name = "wait";
	line_pid(getpid());
	sigwait(&usr1, &number);
	try_read(in_dir("absent.pem"), ENOENT);
}

/* Until the test has seen one of the opens and says go. */
static void open_until_told(void)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	while (access(in_dir("go"), F_OK) < 0) {
		openat_read(AT_FDCWD, in_dir("probe.pem"));
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[2] : "";

	if (argc < 2)
		return 2;
	dir = argv[1];
	argv += 2;
	if (strcmp(mode, "flags") == 0) {
		open_with_flags();
		return 0;
	}
	if (strcmp(mode, "wait") == 0) {
		open_when_told();
		return 0;
	}
	if (strcmp(mode, "probe") == 0) {
		open_until_told();
		argv++;
	}
	prepare();
	cases_run(cases, ARRAY_SIZE(cases), argv);
	return 0;
}
