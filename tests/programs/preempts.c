/* SPDX-License-Identifier: MIT */
/*
 * Threads of different priorities on each CPU, which take it from one another in the middle of
 * whatever they do: those with one wake up at any moment and do NR rounds, the one without works
 * all the time until they have done so, and does a quarter of that at least. They are in the midst
 *of a program of the tool then, now and again, where the kernel can be preempted there.
 *
 *	processes NR	a round makes a process, which ends with some status; those of the thread
 *			without a priority execute a program before, with arguments of any length
 *	opens NR	a round opens a file of the working directory that is not there: with a
 *			priority by openat2(2), else by openat(2)
 *
 * Prints what must be reported.
 *
 * usage: preempts processes|opens NR
 */
#include "../support/trigger.h"

#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#define THREADS_PER_CPU 3
#define CPUS_MAX	8
#define PADDING_MAX	2000

struct worker {
	unsigned int number;
	unsigned int cpu;
	int priority;		/* 0: none */
	unsigned int nr_rounds; /* with a priority */
	void (*round)(const struct worker *worker, unsigned int round);
	uint32_t random;
	pthread_t thread;
};

static unsigned int nr_working; /* of those with a priority */

/* Numerical Recipes, 7.1: as good as needed, and the same at each run. */
static uint32_t random_next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Different for each record, so that bytes of another one show. */
static const char *padding(unsigned int number, unsigned int round)
{
	static __thread char text[PADDING_MAX + 1];
	size_t size = (number * 997 + round * 131) % PADDING_MAX;

	memset(text, 'a' + (int)((number * 7 + round) % 26), size);
	text[size] = '\0';
	return text;
}

/* The image that a round executes: preempts image STATUS PADDING. */
static int image(int argc, char **argv)
{
	char cwd[PATH_MAX];

	line_begin("process_exec", getpid(), getppid(), getuid(), own_name());
	line_str("exe", realpath("/proc/self/exe", (char[PATH_MAX]){ 0 }));
	line_str("cwd", getcwd(cwd, sizeof(cwd)));
	line_add(",\"argv\":[");
	for (int i = 0; i < argc; i++) {
		line_add(i ? "," : "");
		line_add_string(argv[i], strlen(argv[i]));
	}
	line_add("],\"cmdline\":\"%s %s %s %s\",\"truncated\":false", argv[0], argv[1], argv[2],
		 argv[3]);
	line_end();
	return atoi(argv[2]);
}

static void round_of_processes(const struct worker *worker, unsigned int round)
{
	const char *text = padding(worker->number, round);
	bool executes = worker->priority == 0;
	char status[12];
	pid_t pid;
	int ended;

	snprintf(status, sizeof(status), "%u", (worker->number * 41 + round) % 256);
	pid = (pid_t)must(fork());
	if (pid == 0) {
		if (executes)
			execl("/proc/self/exe", "preempts", "image", status, text, NULL);
		_exit(executes ? 1 : atoi(status));
	}
	ended = wait_status(pid);
	if (!WIFEXITED(ended) || WEXITSTATUS(ended) != atoi(status))
		die("process %d ended with 0x%x", pid, ended);
	/* It was called like the thread that made it. */
	line_begin("process_fork", pid, getpid(), getuid(), own_name());
	line_end();
	line_begin("process_exit", pid, getpid(), getuid(), executes ? "exe" : own_name());
	line_u64("exit_code", (uint64_t)WEXITSTATUS(ended));
	line_end();
}

static void round_of_opens(const struct worker *worker, unsigned int round)
{
	static const struct open_how how = { .flags = O_RDONLY };
	char name[NAME_MAX + 1];
	char cwd[PATH_MAX];
	char path[2 * PATH_MAX];
	long fd;

	snprintf(name, sizeof(name), "%.200s-%u-%u.pem", padding(worker->number, round),
		 worker->number, round);
	fd = worker->priority ? syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how))
			      : openat(AT_FDCWD, name, O_RDONLY);
	if (fd >= 0 || errno != ENOENT)
		die("openat");
	snprintf(path, sizeof(path), "%s/%s", getcwd(cwd, sizeof(cwd)), name);
	line_begin("file_open", getpid(), getppid(), getuid(), "preempts");
	line_str("thread", own_name());
	line_str("file", path);
	line_str("file_type", "certificate");
	line_str("file_kind", "certificate");
	line_str("flags", "O_RDONLY");
	line_str("result", "ENOENT");
	line_end();
}

/*
 * Whether another ROUND of WORKER follows, of which the last took LAST_NS. A thread with a priority
 * sleeps before, mostly for longer than that: there has to be time for the others.
 */
static bool goes_on(struct worker *worker, unsigned int round, uint64_t last_ns)
{
	uint64_t ns = random_next(&worker->random) % (6 * last_ns + 100000);
	struct timespec some = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	if (worker->priority == 0)
		return __atomic_load_n(&nr_working, __ATOMIC_RELAXED) > 0 ||
		       round < worker->nr_rounds / 4;
	nanosleep(&some, NULL);
	return round < worker->nr_rounds;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	uint64_t last_ns = 0;
	char name[16];

	snprintf(name, sizeof(name), "worker %u", worker->number);
	must(prctl(PR_SET_NAME, name));
	for (unsigned int i = 0; goes_on(worker, i, last_ns); i++) {
		uint64_t begin_ns = now_ns(CLOCK_MONOTONIC);

		worker->round(worker, i);
		last_ns = now_ns(CLOCK_MONOTONIC) - begin_ns;
	}
	if (worker->priority)
		__atomic_fetch_sub(&nr_working, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void worker_start(struct worker *worker)
{
	struct sched_param param = { .sched_priority = worker->priority };
	pthread_attr_t attr;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(worker->cpu, &cpus);
	if (pthread_attr_init(&attr) || pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus) ||
	    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED) ||
	    pthread_attr_setschedpolicy(&attr, worker->priority ? SCHED_FIFO : SCHED_OTHER) ||
	    pthread_attr_setschedparam(&attr, &param) ||
	    pthread_create(&worker->thread, &attr, work, worker))
		die("pthread_create");
	pthread_attr_destroy(&attr);
}

int main(int argc, char **argv)
{
	static struct worker workers[CPUS_MAX * THREADS_PER_CPU];
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t nr_workers = (size_t)nr_cpus * THREADS_PER_CPU;

	if (argc == 4 && strcmp(argv[1], "image") == 0)
		return image(argc, argv);
	if (argc != 3 || nr_workers > ARRAY_SIZE(workers))
		die("usage: preempts processes|opens NR");
	nr_working = (unsigned int)nr_cpus * (THREADS_PER_CPU - 1);
	for (size_t i = 0; i < nr_workers; i++) {
		workers[i].number = (unsigned int)i;
		workers[i].cpu = (unsigned int)i / THREADS_PER_CPU;
		workers[i].priority = (int)(i % THREADS_PER_CPU) * 10;
		workers[i].nr_rounds = (unsigned int)atoi(argv[2]);
		workers[i].random = (uint32_t)i;
		workers[i].round =
			strcmp(argv[1], "opens") == 0 ? round_of_opens : round_of_processes;
		worker_start(&workers[i]);
	}
	for (size_t i = 0; i < nr_workers; i++)
		pthread_join(workers[i].thread, NULL);
	return 0;
}
