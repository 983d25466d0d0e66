/* SPDX-License-Identifier: MIT */
/*
 * rpm's database has had three formats, all private to librpm; its query tool is what is stable.
 *
 * `rpm -qf` answers path by path, in order, but with any number of lines: none on standard output
 * for a file that is not there, several for one that several packages have. So behind every path it
 * is asked for one that exists and that no package can have, and the line it says about that one
 * ends the answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/stop.h"
#include "proc/packages_private.h"

#define RPM	     "/usr/bin/rpm"
#define BATCH	     64	   /* paths of one call */
#define TIMEOUT_MS   10000 /* of all calls */
#define OUTPUT_MAX   (1U << 20)
#define MEMORY_MAX   (1UL << 30) /* of rpm; it maps its database */
#define WAKE_MS	     100	 /* how often a request to stop is looked for */
#define NOBODY	     65534
#define ANSWER_MARK  '='
#define QUERY_FORMAT "=%{NAME} %{VERSION}-%{RELEASE}\n"
#define SEPARATOR    "/proc/self"
/* lib/query.c of rpm, not translated with LC_ALL=C */
#define SEPARATOR_LINE "file " SEPARATOR " is not owned by any package"

/* Where the distributions that use rpm have its database: %_dbpath and its formats. */
static const char *const databases[] = {
	"/usr/lib/sysimage/rpm/rpmdb.sqlite", /* Fedora, openSUSE */
	"/usr/lib/sysimage/rpm/Packages.db",
	"/usr/lib/sysimage/rpm/Packages",
	"/var/lib/rpm/rpmdb.sqlite", /* RHEL and its kin */
	"/var/lib/rpm/Packages.db",
	"/var/lib/rpm/Packages",
	"/usr/share/rpm/rpmdb.sqlite", /* ostree systems */
	"/usr/share/rpm/Packages",
};

struct rpm_run {
	const char *program;
	uint64_t deadline_ms;
	uint64_t output_left; /* bytes */
	struct lines lines;
};

/* The questions of one call, in the order of their arguments. */
struct rpm_batch {
	struct package_query *queries[BATCH];
	size_t nr_queries;
	size_t nr_answered; /* separators seen */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void limit(int resource, rlim_t max)
{
	struct rlimit value;

	/* never above what this process may have */
	if (getrlimit(resource, &value) == 0 && value.rlim_max < max)
		max = value.rlim_max;
	value = (struct rlimit){ .rlim_cur = max, .rlim_max = max };
	setrlimit(resource, &value);
}

/* In the child: gives up what rpm does not need. Returns false where rights would remain. */
static bool confine(void)
{
	sigset_t none;

	/* a group of its own, so that what it starts can be ended with it */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	limit(RLIMIT_CPU, TIMEOUT_MS / 1000);
	limit(RLIMIT_AS, MEMORY_MAX);
	limit(RLIMIT_CORE, 0);
	if (chdir("/") < 0)
		return false;
	if (geteuid() == 0 || getuid() == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) < 0)
			return false;
		/* changing the uid clears it */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	/* the only capabilities that an ordinary program would be given */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static void __attribute__((noreturn))
child_main(const char *program, char *const *arguments, int output)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char locale[] = "LC_ALL=C";
	char *const environment[] = { path, locale, NULL };
	int null;

	/* both may be standard ones here, where this process was started without these */
	output = fcntl(output, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	null = open("/dev/null", O_RDWR);
	if (output < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		_exit(127);
	/* every descriptor of ours is close-on-exec: this is for those that were inherited */
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	if (confine())
		execve(program, arguments, environment);
	_exit(127);
}

/* Starts PROGRAM for BATCH. *RET_FD is its output, which does not block. Returns 0 or an errno. */
static int start(const char *program, const struct rpm_batch *batch, pid_t *ret_pid, int *ret_fd)
{
	/* execve(2) takes what it does not change as not const */
	const char *arguments[5 + 2 * BATCH + 1] = { "rpm", "-qf", "--queryformat", QUERY_FORMAT,
						     "--" };
	size_t nr = 5;
	int fds[2];
	pid_t pid;

	for (size_t i = 0; i < batch->nr_queries; i++) {
		arguments[nr++] = batch->queries[i]->path;
		arguments[nr++] = SEPARATOR;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		child_main(program, (char *const *)arguments, fds[1]);

	int err = pid < 0 ? -errno : 0;

	close(fds[1]);
	if (!err && fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		err = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (err) {
		close(fds[0]);
		return err;
	}
	setpgid(pid, pid); /* here too: it may not have come to it when it is to be ended */
	*ret_pid = pid;
	*ret_fd = fds[0];
	return 0;
}

static void take_answer(struct rpm_batch *batch, const char *line, size_t size)
{
	struct package_query *query;
	const char *space;

	if (batch->nr_answered == batch->nr_queries)
		return;
	query = batch->queries[batch->nr_answered];
	if (bytes_equal(line, size, SEPARATOR_LINE)) {
		batch->nr_answered++;
		return;
	}
	/* of several packages the first has it */
	if (size == 0 || line[0] != ANSWER_MARK || query->package[0])
		return;
	space = memchr(line, ' ', size);
	if (!space)
		return;
	packages_text(query->package, line + 1, (size_t)(space - line - 1), space + 1,
		      size - (size_t)(space + 1 - line));
}

/* Waits until FD has something. Returns 0, -ETIMEDOUT, -EINTR or another negative errno. */
static int wait_for(int fd, uint64_t deadline_ms)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ms();
		int n;

		if (stop_signal())
			return -EINTR;
		if (now >= deadline_ms)
			return -ETIMEDOUT;
		n = poll(&poll_fd, 1,
			 deadline_ms - now < WAKE_MS ? (int)(deadline_ms - now) : WAKE_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int read_answers(struct rpm_run *run, struct rpm_batch *batch, int fd)
{
	const char *line;
	size_t size;
	int n;

	lines_begin(&run->lines, fd, run->output_left);
	do {
		n = wait_for(fd, run->deadline_ms);
		if (n)
			break;
		while ((n = lines_next(&run->lines, &line, &size)) > 0)
			take_answer(batch, line, size);
	} while (n == -EAGAIN);
	run->output_left = run->lines.left;
	if (n)
		return n;
	if (run->lines.is_cut || run->output_left == 0)
		return -EFBIG;
	return batch->nr_answered == batch->nr_queries ? 0 : -EIO;
}

static int ask(struct rpm_run *run, struct rpm_batch *batch)
{
	_cleanup_(cleanup_fd) int fd = -1;
	pid_t pid = 0;
	int err = start(run->program, batch, &pid, &fd);

	if (err)
		return err;
	err = read_answers(run, batch, fd);
	/*
	 * It has closed its output, or is not to go on. Its group is ended while its pid is still
	 * taken, by itself at least.
	 */
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* Paths that rpm would take for something else, or that could forge an answer, are not asked for.
 */
static bool can_ask(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *at = path; *at; at++)
		if ((unsigned char)*at < ' ')
			return false;
	return true;
}

int packages_ask_rpm_program(const char *program, unsigned int timeout_ms,
			     struct package_query *queries, size_t nr_queries)
{
	_cleanup_(cleanup_free) struct rpm_run *run = NULL;
	size_t at = 0;
	int err = 0;

	if (nr_queries > PACKAGE_QUERIES_MAX)
		return -E2BIG;
	for (size_t i = 0; i < nr_queries; i++)
		queries[i].package[0] = '\0';
	if (access(program, X_OK) < 0)
		return -errno;
	run = malloc(sizeof(*run));
	if (!run)
		return -ENOMEM;
	run->program = program;
	run->deadline_ms = now_ms() + timeout_ms;
	run->output_left = OUTPUT_MAX;
	while (!err && at < nr_queries) {
		struct rpm_batch batch = { .nr_queries = 0 };

		for (; at < nr_queries && batch.nr_queries < BATCH; at++)
			if (can_ask(queries[at].path))
				batch.queries[batch.nr_queries++] = &queries[at];
		if (batch.nr_queries > 0)
			err = ask(run, &batch);
	}
	return err;
}

int packages_ask_rpm(struct package_query *queries, size_t nr_queries)
{
	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++)
		if (access(databases[i], R_OK) == 0)
			return packages_ask_rpm_program(RPM, TIMEOUT_MS, queries, nr_queries);
	for (size_t i = 0; i < nr_queries; i++)
		queries[i].package[0] = '\0';
	return -ENOENT;
}
