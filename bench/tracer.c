/* SPDX-License-Identifier: MIT */
/*
 * Runs a tracer for the bench and answers what it costs:
 *
 *	tracer CPU OUTPUT NEEDLE PROBE TERM|INT COMMAND...
 *
 * starts COMMAND on CPU with its standard output to OUTPUT (its errors to OUTPUT.err) and opens
 * the file PROBE every 2 ms until NEEDLE stands in OUTPUT. All answers are lines on
 * standard output:
 *
 *	ready MS		NEEDLE was seen, this long after the start
 *	usage CPU_NS AT_NS RSS_KB VSZ_KB MAPS_BYTES PEAK_KB
 *				on each SIGUSR1, of COMMAND and its descendants: processor time used
 *				until AT_NS, memory resident now, most ever mapped, BPF maps; of
 *				COMMAND alone the most that was ever resident
 *	stopped MS		on SIGTERM: the time from the signal that was asked for to the end
 *	failed			it ended by itself, or was never ready
 *
 * COMMAND never outlives this program, except when that is killed with SIGKILL after COMMAND
 * changed its user.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PROBE_GAP_NS  (2 * NS_PER_MS)
#define READY_NS      (20 * NS_PER_SEC)
#define STOP_NS	      (20 * NS_PER_SEC)
#define MAX_PROCESSES 64
#define MAX_MAPS      1024
#define MAX_NEEDLE    256

struct usage {
	unsigned long long cpu_ns;
	unsigned long long rss_kb;
	unsigned long long peak_kb; /* of the first process, since it started */
	unsigned long long vsz_kb;
	unsigned long long maps_bytes;
	unsigned int map_ids[MAX_MAPS];
	size_t nr_maps;
};

/* Where in the output the search for the needle goes on. */
struct search {
	const char *path;
	const char *needle;
	off_t offset;
};

static sigset_t signals;

/* Reads a small file of /proc as text; false where the process is gone. */
static bool text_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t nr_read;

	if (fd < 0)
		return false;
	nr_read = read(fd, text, size - 1);
	close(fd);
	text[nr_read > 0 ? nr_read : 0] = '\0';
	return nr_read > 0;
}

/* The number after @key, 0 where it is not there. */
static unsigned long long value_find(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return text_read(path, text, sizeof(text)) ? (pid_t)value_find(text, "\nPPid:") : 0;
}

static bool is_listed(const pid_t *pids, size_t nr_pids, pid_t pid)
{
	for (size_t i = 0; i < nr_pids; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

/*
 * Fills @pids with @root and its descendants, returns how many. Passes over /proc until one
 * finds nothing new: /proc/PID/task/TID/children is not in every kernel.
 */
static size_t descendants_find(pid_t root, pid_t pids[MAX_PROCESSES])
{
	size_t nr_pids = 1, nr_before = 0;

	pids[0] = root;
	while (nr_pids > nr_before) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		nr_before = nr_pids;
		while (proc != NULL && (entry = readdir(proc)) != NULL) {
			pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

			if (pid > 0 && nr_pids < MAX_PROCESSES && !is_listed(pids, nr_pids, pid) &&
			    is_listed(pids, nr_pids, parent_of(pid)))
				pids[nr_pids++] = pid;
		}
		if (proc != NULL)
			closedir(proc);
	}
	return nr_pids;
}

/* fdinfo of a BPF map: "memlock:" and "map_id:" (kernel/bpf/syscall.c, bpf_map_show_fdinfo). */
static void map_add(struct usage *usage, const char *fdinfo)
{
	unsigned int id = (unsigned int)value_find(fdinfo, "map_id:");

	if (id == 0 || usage->nr_maps == MAX_MAPS)
		return;
	for (size_t i = 0; i < usage->nr_maps; i++) {
		if (usage->map_ids[i] == id)
			return;
	}
	usage->map_ids[usage->nr_maps++] = id;
	usage->maps_bytes += value_find(fdinfo, "memlock:");
}

static void maps_add(struct usage *usage, pid_t pid)
{
	char path[PATH_MAX], text[4096];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, entry->d_name);
		if (entry->d_name[0] != '.' && text_read(path, text, sizeof(text)))
			map_add(usage, text);
	}
	if (dir != NULL)
		closedir(dir);
}

static void process_add(struct usage *usage, pid_t pid)
{
	char path[64], text[4096];
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) == 0)
		usage->cpu_ns += clock_ns(clock);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (text_read(path, text, sizeof(text))) {
		usage->rss_kb += value_find(text, "VmRSS:");
		if (usage->peak_kb == 0)
			usage->peak_kb = value_find(text, "VmHWM:");
		usage->vsz_kb += value_find(text, "VmPeak:");
	}
	maps_add(usage, pid);
}

static void usage_print(pid_t root)
{
	struct usage usage = { 0 };
	pid_t pids[MAX_PROCESSES];
	uint64_t at_ns = clock_ns(CLOCK_MONOTONIC);
	size_t nr_pids = descendants_find(root, pids);

	for (size_t i = 0; i < nr_pids; i++)
		process_add(&usage, pids[i]);
	printf("usage %llu %llu %llu %llu %llu %llu\n", usage.cpu_ns, (unsigned long long)at_ns,
	       usage.rss_kb, usage.vsz_kb, usage.maps_bytes, usage.peak_kb);
	fflush(stdout);
}

/* Whether the needle stands in what was written since the last call, or across the edge. */
static bool needle_find(struct search *search)
{
	char text[65536];
	size_t length = strlen(search->needle);
	int fd = open(search->path, O_RDONLY | O_CLOEXEC);
	ssize_t size;
	bool found = false;

	if (fd < 0)
		return false;
	while (!found && (size = pread(fd, text, sizeof(text), search->offset)) > 0) {
		found = memmem(text, (size_t)size, search->needle, length) != NULL;
		if ((size_t)size < sizeof(text))
			break; /* the next call reads these bytes again, with what follows */
		search->offset += size - (ssize_t)length;
	}
	close(fd);
	return found;
}

/* Waits at most @for_ns for one of our signals; returns it, 0 when none came. */
static int signal_wait(uint64_t for_ns)
{
	const struct timespec timeout = {
		.tv_sec = (time_t)(for_ns / NS_PER_SEC),
		.tv_nsec = (long)(for_ns % NS_PER_SEC),
	};
	int sig = sigtimedwait(&signals, NULL, &timeout);

	return sig > 0 ? sig : 0;
}

static _Noreturn void fail(void)
{
	puts("failed");
	fflush(stdout);
	exit(1);
}

/* Ends the tracer and this program; a tracer that does not end is killed, its time printed. */
static _Noreturn void stop(pid_t pid, int sig)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	uint64_t spent_ns = 0;

	kill(pid, sig);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		spent_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
		if (spent_ns < STOP_NS)
			signal_wait(STOP_NS - spent_ns);
		else
			kill(pid, SIGKILL);
	}
	spent_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
	printf("stopped %.1f\n", (double)spent_ns / (double)NS_PER_MS);
	fflush(stdout);
	exit(0);
}

static pid_t tracer_spawn(char **argv)
{
	char err_path[PATH_MAX];
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork", errno);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	snprintf(err_path, sizeof(err_path), "%s.err", argv[2]);
	if (freopen("/dev/null", "r", stdin) == NULL || freopen(argv[2], "w", stdout) == NULL ||
	    freopen(err_path, "w", stderr) == NULL)
		_exit(1);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
	cpu_pin(argv[1]);
	execvp(argv[6], argv + 6);
	die(argv[6], errno);
}

/* Opens the probe until the tracer tells of it. */
static void ready_wait(pid_t pid, const char *probe, struct search *search, int stop_sig)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	uint64_t spent_ns = 0;

	while (spent_ns < READY_NS) {
		int fd = openat(AT_FDCWD, probe, O_RDONLY | O_CLOEXEC);
		int sig = signal_wait(PROBE_GAP_NS);

		if (fd >= 0)
			close(fd);
		if (sig == SIGCHLD && waitpid(pid, NULL, WNOHANG) == pid)
			fail();
		if (sig == SIGTERM)
			stop(pid, stop_sig);
		spent_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
		if (needle_find(search)) {
			printf("ready %.1f\n", (double)spent_ns / (double)NS_PER_MS);
			fflush(stdout);
			return;
		}
	}
	fprintf(stderr, "bench: '%s' is not in '%s'\n", search->needle, search->path);
	stop(pid, stop_sig);
}

int main(int argc, char **argv)
{
	const int handled[] = { SIGCHLD, SIGTERM, SIGUSR1 };
	struct search search = { 0 };
	int stop_sig;
	pid_t pid;

	if (argc < 7 || strlen(argv[3]) > MAX_NEEDLE)
		die("usage: tracer CPU OUTPUT NEEDLE PROBE TERM|INT COMMAND...", EINVAL);
	search.path = argv[2];
	search.needle = argv[3];
	stop_sig = strcmp(argv[5], "INT") == 0 ? SIGINT : SIGTERM;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaddset(&signals, handled[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGINT, SIG_IGN); /* an interrupted bench tells us by SIGTERM */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);

	unlink(search.path); /* what a tracer before it wrote */
	pid = tracer_spawn(argv);
	ready_wait(pid, argv[4], &search, stop_sig);
	for (;;) {
		int sig = signal_wait(READY_NS);

		if (sig == SIGUSR1)
			usage_print(pid);
		else if (sig == SIGTERM)
			stop(pid, stop_sig);
		else if (sig == SIGCHLD && waitpid(pid, NULL, WNOHANG) == pid)
			fail();
	}
}
