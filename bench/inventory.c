/* SPDX-License-Identifier: MIT */
/*
 * The measures of `snapshot`. "crowd N" starts N processes, says "ready", and ends them at the end
 * of its input. "bare" prints the nanoseconds of one pass of the iterators whose records nobody
 * looks at. "programs DIR" prints "COLD WARM": nanoseconds to look for built-in crypto in 150
 * programs of DIR, with their pages dropped from memory before, and again. "run COMMAND..." runs it
 * without output and prints "NS KB": its time, and the most memory that it and its children had
 * together.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "inspect/program.h"
#include "inventory/iterate.h"

#define CROWD_MAX 10000
#define PIDS_MAX  8
#define LOOK_NS	  1000000
/* As many different programs as a desktop runs at a time. */
#define PROGRAMS  150
#define FILES_MAX 8192

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int crowd(size_t nr)
{
	static pid_t pids[CROWD_MAX];
	static char name[] = "sleep", seconds[] = "100000";
	char *const sleep_args[] = { name, seconds, NULL };
	size_t started = 0;
	char byte;

	for (; started < nr && started < CROWD_MAX; started++)
		if (posix_spawnp(&pids[started], "sleep", NULL, NULL, sleep_args, environ))
			break;
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (size_t i = 0; i < started; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return started == nr ? 0 : 1;
}

static int bare(void)
{
	static char buffer[64 << 10];
	struct iterate iterate;
	uint64_t began;

	if (iterate_open(&iterate, -1)) {
		fprintf(stderr, "inventory: no iterators\n");
		return 1;
	}
	began = now_ns();

	const int fds[] = { iterate.tasks, iterate.maps, iterate.files };

	for (size_t i = 0; i < 3; i++)
		while (read(fds[i], buffer, sizeof(buffer)) > 0)
			;
	printf("%llu\n", (unsigned long long)(now_ns() - began));
	iterate_close(&iterate);
	return 0;
}

static bool is_program(int fd)
{
	char magic[SELFMAG];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       pread(fd, magic, SELFMAG, 0) == SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

/* Opens the programs of DIR, at most FILES_MAX. Returns how many. */
static size_t programs_open(const char *dir, int *fds)
{
	DIR *handle = opendir(dir);
	const struct dirent *entry;
	size_t nr_fds = 0;

	while (handle && nr_fds < FILES_MAX && (entry = readdir(handle))) {
		int fd = openat(dirfd(handle), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

		if (fd >= 0 && is_program(fd))
			fds[nr_fds++] = fd;
		else if (fd >= 0)
			close(fd);
	}
	if (handle)
		closedir(handle);
	return nr_fds;
}

static void look_into(int fd)
{
	struct program *program = NULL;
	struct window window;
	struct stat st;

	if (fstat(fd, &st) || window_open(&window, fd, (uint64_t)st.st_size, PROGRAM_BUDGET))
		return;
	program_inspect(&window, PROGRAM_USUAL, LIBRARY_FAMILY_none, &program);
	program_free(program);
	window_close(&window);
}

static int programs(const char *dir)
{
	static int fds[FILES_MAX];
	struct rlimit limit;
	size_t nr_fds;
	size_t step;
	uint64_t ns[2];

	/* All of them are open at a time. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	nr_fds = programs_open(dir, fds);
	step = nr_fds > PROGRAMS ? nr_fds / PROGRAMS : 1;
	for (size_t i = 0; i < nr_fds; i += step)
		posix_fadvise(fds[i], 0, 0, POSIX_FADV_DONTNEED);
	for (size_t pass = 0; pass < 2; pass++) {
		uint64_t began = now_ns();

		for (size_t i = 0, n = 0; i < nr_fds && n < PROGRAMS; i += step, n++)
			look_into(fds[i]);
		ns[pass] = now_ns() - began;
	}
	printf("%llu %llu\n", (unsigned long long)ns[0], (unsigned long long)ns[1]);
	return nr_fds >= PROGRAMS ? 0 : 1;
}

/* The most memory that PID has had, KiB; 0 when it is gone. */
static unsigned long peak_of(pid_t pid)
{
	char path[64];
	char line[256];
	unsigned long kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %lu", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

/* Enters the children of PID behind the NR_PIDS of PIDS. Returns how many there are then. */
static size_t add_children(pid_t pid, pid_t *pids, size_t nr_pids)
{
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "r");
	while (file && nr_pids < PIDS_MAX && fscanf(file, "%d", &child) == 1) {
		bool is_known = false;

		for (size_t i = 0; i < nr_pids; i++)
			is_known |= pids[i] == child;
		if (!is_known)
			pids[nr_pids++] = child;
	}
	if (file)
		fclose(file);
	return nr_pids;
}

static int run(char **args)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	posix_spawn_file_actions_t actions;
	pid_t pids[PIDS_MAX];
	unsigned long peaks[PIDS_MAX] = { 0 };
	unsigned long sum = 0;
	size_t nr_pids = 1;
	uint64_t began = now_ns();
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pids[0], args[0], &actions, NULL, args, environ))
		return 1;
	while (waitpid(pids[0], &status, WNOHANG) == 0) {
		nr_pids = add_children(pids[0], pids, nr_pids);
		for (size_t i = 0; i < nr_pids; i++) {
			unsigned long kb = peak_of(pids[i]);

			if (kb > peaks[i])
				peaks[i] = kb;
		}
		nanosleep(&pause, NULL);
	}
	for (size_t i = 0; i < nr_pids; i++)
		sum += peaks[i];
	printf("%llu %lu\n", (unsigned long long)(now_ns() - began), sum);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "crowd") == 0)
		return crowd(strtoul(argv[2], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "bare") == 0)
		return bare();
	if (argc == 3 && strcmp(argv[1], "programs") == 0)
		return programs(argv[2]);
	if (argc > 2 && strcmp(argv[1], "run") == 0)
		return run(argv + 2);
	fprintf(stderr, "usage: inventory crowd N | bare | programs DIR | run COMMAND...\n");
	return 2;
}
