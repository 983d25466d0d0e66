/* SPDX-License-Identifier: MIT */
/*
 * Many processes at a time that each do the same things in the same order: open a.pem, map LIBRARY,
 * open b.pem, execute this program again, open c.pem, map LIBRARY, open d.pem, end. Prints their
 * pids.
 *
 * usage: order DIR LIBRARY NR_WORKERS NR_ROUNDS
 */
#include "../support/trigger.h"

#include <limits.h>
#include <sys/mman.h>

static const char *dir;
static const char *library;

static void open_file(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	close((int)must(open(path, O_RDONLY | O_CREAT, 0600)));
}

static void map_library(void)
{
	int fd = (int)must(open(library, O_RDONLY));

	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		die("mmap");
	close(fd);
}

static void __attribute__((noreturn)) first_half(void)
{
	line_pid(getpid());
	open_file("a.pem");
	map_library();
	open_file("b.pem");
	must(execl("/proc/self/exe", "order", dir, library, NULL));
	_exit(1);
}

static int second_half(void)
{
	open_file("c.pem");
	map_library();
	open_file("d.pem");
	return 0;
}

static void work(long nr_rounds)
{
	for (long i = 0; i < nr_rounds; i++) {
		pid_t child = (pid_t)must(fork());

		if (child == 0)
			first_half();
		wait_good(child);
	}
}

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	if (argc != 3 && argc != 5)
		return 2;
	dir = argv[1];
	library = argv[2];
	if (argc == 3)
		return second_half();
	for (long i = atol(argv[3]); i > 0; i--) {
		if (must(fork()) == 0) {
			work(atol(argv[4]));
			_exit(0);
		}
	}
	while ((pid = wait(&status)) > 0)
		if (status)
			die("worker %d ended with 0x%x", pid, status);
	return 0;
}
