/* SPDX-License-Identifier: MIT */
/*
 * What a busy host does, evenly, for as long as it is asked to:
 *
 *	mixed CPU DIR RATE MS	RATE events a second: "OPENS EXECS MS", the opens below DIR and the
 *				programs run (each an exec and an exit) that there were, and the
 *				time they took
 *
 * Of 100 events 98 are opens and two a program that begins and ends. Most opens are of files
 * that are there; some of names that nobody has used before, which are not there; a few of a new
 * file that is made, read and removed: no table that keeps names or inodes can know all of them.
 * It counts what it has done, not what it was asked for: a slow machine makes it do less.
 */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define MAX_RATE 100000ULL
#define MAX_MS	 (7ULL * 24 * 60 * 60 * 1000)
#define CYCLE	 100 /* events */
/* Of a cycle: two opens of a new file, so many of new names, one program at its end. */
#define NEW_FILE  0
#define NEW_NAMES 8
#define PROGRAM	  98
#define BATCH_MS  4 /* what is due is done so often */

static const char *const names[] = { "a.pem", "b.crt", "c.key", "d.p12", "e.jks" };
static const char pem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

struct load {
	const char *dir;
	uint64_t nr_opens;
	uint64_t nr_execs;
};

/* Counts whatever becomes of it; a failure other than @allowed ends the program. */
static int file_open(struct load *load, const char *name, int flags, int allowed)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", load->dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0 && errno != allowed)
		die(path, errno);
	load->nr_opens++;
	return fd;
}

static void known_open(struct load *load)
{
	const size_t nr_names = sizeof(names) / sizeof(names[0]);

	close(file_open(load, names[load->nr_opens % nr_names], O_RDONLY, 0));
}

static void new_name_open(struct load *load)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "missing-%llu.pem", (unsigned long long)load->nr_opens);
	fd = file_open(load, name, O_RDONLY, ENOENT);
	if (fd >= 0)
		die(name, EEXIST);
}

static void new_file_open(struct load *load)
{
	char name[64], path[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "new/%llu.pem", (unsigned long long)load->nr_opens);
	fd = file_open(load, name, O_WRONLY | O_CREAT | O_EXCL, 0);
	if (write(fd, pem, sizeof(pem) - 1) != (ssize_t)sizeof(pem) - 1)
		die(name, errno);
	close(fd);
	close(file_open(load, name, O_RDONLY, 0));
	snprintf(path, sizeof(path), "%s/%s", load->dir, name);
	if (unlink(path) != 0)
		die(path, errno);
}

static void program_run(struct load *load)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };
	char *const envp[] = { NULL };
	int status, err;
	pid_t pid;

	err = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, envp);
	if (err != 0)
		die("/bin/true", err);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die("/bin/true", ECHILD);
	load->nr_execs++;
}

/* Does event @nr of all, and returns how many that were. */
static uint64_t event_do(struct load *load, uint64_t nr)
{
	switch (nr % CYCLE) {
	case NEW_FILE:
		new_file_open(load);
		return 2;
	case PROGRAM:
		program_run(load);
		return 2;
	default:
		if (nr % CYCLE < NEW_NAMES)
			new_name_open(load);
		else
			known_open(load);
		return 1;
	}
}

int main(int argc, char **argv)
{
	struct load load = { 0 };
	uint64_t start_ns, now_ns, span_ns, rate, nr = 0;

	if (argc != 5) {
		fprintf(stderr, "usage: mixed CPU DIR RATE MS\n");
		return 2;
	}
	cpu_pin(argv[1]);
	load.dir = argv[2];
	rate = number_parse(argv[3], MAX_RATE);
	span_ns = number_parse(argv[4], MAX_MS) * NS_PER_MS;
	start_ns = clock_ns(CLOCK_MONOTONIC);
	while ((now_ns = clock_ns(CLOCK_MONOTONIC)) < start_ns + span_ns) {
		/* A day at the highest rate is below 2^64 / 10^9 events: in microseconds it fits.
		 */
		uint64_t due = (now_ns - start_ns) / 1000 * rate / 1000000;
		const struct timespec pause = { 0, BATCH_MS * (long)NS_PER_MS };

		if (nr < due)
			nr += event_do(&load, nr);
		else
			nanosleep(&pause, NULL);
	}
	printf("%llu %llu %llu\n", (unsigned long long)load.nr_opens,
	       (unsigned long long)load.nr_execs,
	       (unsigned long long)((clock_ns(CLOCK_MONOTONIC) - start_ns) / NS_PER_MS));
	return 0;
}
