/* SPDX-License-Identifier: MIT */
/*
 * A process that enters and leaves the selection `--name chosen`: by prctl(2), by exec, with a
 * second thread that is never called so, with children. Prints the opens that must be reported.
 *
 * usage: selected DIR
 */
#include "../support/trigger.h"

#include <limits.h>
#include <pthread.h>

static const char *dir;
static char path[PATH_MAX];
static pthread_barrier_t barrier;
static const char *next_open;

static const char *file(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
	return path;
}

static void expect(const char *process, const char *thread)
{
	line_begin("file_open", getpid(), getppid(), getuid(), process);
	if (thread)
		line_str("thread", thread);
	line_str("file", path);
	line_add(",\"flags\":\"O_RDONLY\",\"result\":\"ENOENT\"");
	line_add(",\"file_type\":\"certificate\",\"file_kind\":\"certificate\"");
	line_end();
}

static void open_file(const char *name)
{
	if (open(file(name), O_RDONLY) >= 0 || errno != ENOENT)
		die("open of '%s' was to fail", path);
}

/* Opens what the first thread says, between two meetings. */
static void *second_thread(void *unused)
{
	must(prctl(PR_SET_NAME, "second"));
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (!next_open)
			return unused;
		open_file(next_open);
		pthread_barrier_wait(&barrier);
	}
}

static void open_in_second(const char *name)
{
	next_open = name;
	pthread_barrier_wait(&barrier);
	if (name)
		pthread_barrier_wait(&barrier);
}

static void open_in_child(const char *name, const char *process)
{
	pid_t child = (pid_t)must(fork());

	if (child == 0) {
		open_file(name);
		if (process)
			expect(process, NULL);
		_exit(0);
	}
	wait_good(child);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2)
		return 2;
	dir = argv[1];
	case_name = "selected";
	if (argc == 3) {
		/* After exec: called as the file is, "chosen too" or not at all. */
		open_file(argv[2]);
		if (strstr(own_name(), "chosen"))
			expect(own_name(), NULL);
		return 0;
	}
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, second_thread, NULL))
		die("pthread_create");
	open_file("before");
	open_in_second("second before");
	open_in_child("child before", NULL);

	must(prctl(PR_SET_NAME, "is Chosen now"));
	open_file("inside");
	expect("is Chosen now", NULL);
	open_in_second("second inside");
	expect("is Chosen now", "second");
	open_in_child("child inside", "is Chosen now");

	must(prctl(PR_SET_NAME, "not any more"));
	open_file("after");
	open_in_second("second after");
	open_in_child("child after", NULL);

	must(prctl(PR_SET_NAME, "chosen again"));
	open_file("again");
	expect("chosen again", NULL);
	open_in_second("second again");
	expect("chosen again", "second");
	open_in_second(NULL);
	pthread_join(thread, NULL);

	if (must(fork()) == 0) {
		/* Leaves by exec, in one that was selected. */
		must(execl("/proc/self/exe", "x", dir, "by another name", NULL));
	}
	wait(NULL);
	snprintf(path, sizeof(path), "%s/chosen too", dir);
	must(execl(path, "x", dir, "by its name", NULL));
	return 1;
}
