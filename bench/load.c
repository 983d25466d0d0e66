/* SPDX-License-Identifier: MIT */
/*
 * The loads that a tracer is measured under, one verb each:
 *
 *	load loop CPU DIR TURNS OPS	"KIND NS" a line: ns per operation of each kind of
 *					loop; last "wait PERCENT"
 *	load burst CPU FILE COUNT	opens FILE as fast as it can: "OPS_PER_SECOND"
 *	load rate CPU FILE RATE MS	opens FILE evenly: "OPS_PER_SECOND" that were reached
 *	load stamp CPU DIR RATE MS	opens names that tell the time of their opening
 *	load calls CPU OPS		makes 40 different calls, eight before each of point_1
 *					to point_5, then calls getppid: "NS" a call, lower
 *					quartile of 100 blocks
 *	load quiet MS			does nothing: "BUSY", the percentage of one CPU that all
 *					others used or the hypervisor took meanwhile
 *	load spin CPU MS		only computes: "NS" a round, lower quartile of blocks
 *	load busy			"BUSY_MS NOW_MS": processor time used on all CPUs since
 *					the start of the system, hypervisor included, and the
 *					time
 *	load cpu PID			"MS" of processor time that process PID has used
 *	load time COUNT COMMAND...	"NS": lower quartile of how long COUNT runs of COMMAND took
 *	load cpus			"FIRST LAST" CPU that we may use
 *
 * "wait" is the share of the time in which the loop could have run and another process had
 * its CPU: a comparison of two runs with different shares says nothing about a tracer.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/*
 * A loop is measured in blocks of some 0.2 ms, a few of each kind in turn, and the lower quartile
 * of them counts: a machine that is slow for some milliseconds then changes no figure.
 */
#define BLOCKS_PER_TURN 10
#define MAX_TURNS	256
#define MAX_RUNS	1000
#define MAX_OPS		100000000ULL
#define MAX_RATE	1000000ULL
#define MAX_MS		600000ULL
#define SPIN_ROUNDS	20000 /* some 30 us */
#define SPIN_BLOCKS	4096

/* A loop: opening and closing @file from @dir (below DIR), or getppid where there is no file. */
struct kind {
	const char *name;
	const char *dir;
	const char *file;
	bool absolute;
	uint64_t factor; /* more operations a block where one is short */
};

/*
 * DIR itself is two levels deep (/tmp/NAME), thus "3" is the third level. Only relative names
 * cost more the deeper the working directory is.
 */
static const struct kind kinds[] = {
	{ .name = "txt", .dir = ".", .file = "a.txt", .absolute = true, .factor = 1 },
	{ .name = "pem", .dir = ".", .file = "a.pem", .absolute = true, .factor = 1 },
	{ .name = "rel3", .dir = "3", .file = "a.pem", .factor = 1 },
	{ .name = "rel8", .dir = "3/4/5/6/7/8", .file = "a.pem", .factor = 1 },
	{ .name = "getppid", .dir = ".", .factor = 4 },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/*
 * The system call that every tracepoint here is on: open(3) of some C libraries uses another.
 * A file that does not exist is fine where @missing.
 */
static void file_open_close(const char *path, bool missing)
{
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	else if (!missing)
		die(path, errno);
}

/* Time in which this process could have run and did not, ns; 0 where the kernel does not tell. */
static uint64_t wait_ns(void)
{
	unsigned long long ran, waited = 0;
	FILE *file = fopen("/proc/self/schedstat", "re");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu %llu", &ran, &waited) != 2)
		waited = 0;
	fclose(file);
	return waited;
}

static uint64_t block_run(const char *path, uint64_t nr_ops)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);

	if (path != NULL) {
		for (uint64_t i = 0; i < nr_ops; i++)
			file_open_close(path, false);
	} else {
		for (uint64_t i = 0; i < nr_ops; i++)
			syscall(SYS_getppid);
	}
	return clock_ns(CLOCK_MONOTONIC) - start_ns;
}

static int ns_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* One turn of a kind: BLOCKS_PER_TURN blocks, their times to @block_ns. */
static void kind_run(const struct kind *kind, const char *dir, uint64_t nr_ops, uint64_t *block_ns)
{
	char path[PATH_MAX];
	const char *name = kind->file;

	snprintf(path, sizeof(path), "%s/%s", dir, kind->dir);
	if (chdir(path) != 0)
		die(path, errno);
	if (kind->absolute) {
		snprintf(path, sizeof(path), "%s/%s", dir, kind->file);
		name = path;
	}
	for (size_t i = 0; i < BLOCKS_PER_TURN; i++)
		block_ns[i] = block_run(name, nr_ops);
}

static int cmd_loop(char **argv)
{
	static uint64_t block_ns[NR_KINDS][MAX_TURNS * BLOCKS_PER_TURN];
	uint64_t nr_turns = number_parse(argv[2], MAX_TURNS);
	uint64_t nr_blocks = nr_turns * BLOCKS_PER_TURN;
	uint64_t nr_ops = number_parse(argv[3], MAX_OPS);
	uint64_t start_ns, waited_ns;

	cpu_pin(argv[0]);
	start_ns = clock_ns(CLOCK_MONOTONIC);
	waited_ns = wait_ns();
	for (uint64_t turn = 0; turn < nr_turns; turn++) {
		for (size_t i = 0; i < NR_KINDS; i++)
			kind_run(&kinds[i], argv[1], nr_ops * kinds[i].factor,
				 &block_ns[i][turn * BLOCKS_PER_TURN]);
	}
	for (size_t i = 0; i < NR_KINDS; i++) {
		qsort(block_ns[i], nr_blocks, sizeof(block_ns[i][0]), ns_compare);
		printf("%s %.2f\n", kinds[i].name,
		       (double)block_ns[i][nr_blocks / 4] / (double)(nr_ops * kinds[i].factor));
	}
	printf("wait %.1f\n", 100.0 * (double)(wait_ns() - waited_ns) /
				      (double)(clock_ns(CLOCK_MONOTONIC) - start_ns));
	return 0;
}

static void rate_print(uint64_t nr_ops, uint64_t start_ns)
{
	printf("%.0f\n", (double)nr_ops * (double)NS_PER_SEC /
				 (double)(clock_ns(CLOCK_MONOTONIC) - start_ns));
}

static int cmd_burst(char **argv)
{
	uint64_t nr_ops = number_parse(argv[2], MAX_OPS);
	uint64_t start_ns;

	cpu_pin(argv[0]);
	start_ns = clock_ns(CLOCK_MONOTONIC);
	block_run(argv[1], nr_ops);
	rate_print(nr_ops, start_ns);
	return 0;
}

static void sleep_until(uint64_t when_ns)
{
	struct timespec when = {
		.tv_sec = (time_t)(when_ns / NS_PER_SEC),
		.tv_nsec = (long)(when_ns % NS_PER_SEC),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		;
}

/* Both verbs that open at a rate; with @stamped, argv[1] is a folder and each name is new. */
static int rate_run(char **argv, bool stamped)
{
	uint64_t rate = number_parse(argv[2], MAX_RATE);
	uint64_t nr_ops = rate * number_parse(argv[3], MAX_MS) / 1000;
	uint64_t gap_ns = NS_PER_SEC / rate;
	uint64_t start_ns;
	char path[PATH_MAX];

	cpu_pin(argv[0]);
	snprintf(path, sizeof(path), "%s", argv[1]);
	start_ns = clock_ns(CLOCK_MONOTONIC);
	for (uint64_t i = 0; i < nr_ops; i++) {
		sleep_until(start_ns + i * gap_ns);
		if (stamped)
			snprintf(path, sizeof(path), "%s/stamp%019llu.pem", argv[1],
				 (unsigned long long)clock_ns(CLOCK_REALTIME));
		file_open_close(path, stamped);
	}
	rate_print(nr_ops, start_ns);
	return 0;
}

static int cmd_rate(char **argv)
{
	return rate_run(argv, false);
}

static int cmd_stamp(char **argv)
{
	return rate_run(argv, true);
}

/* Ticks of all CPUs together that were not idle, from the first line of /proc/stat (proc(5)). */
static uint64_t busy_ticks(void)
{
	unsigned long long user, nice, sys, idle, iowait, irq, softirq, steal;
	FILE *file = fopen("/proc/stat", "re");

	if (file == NULL)
		die("/proc/stat", errno);
	if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &sys, &idle,
		   &iowait, &irq, &softirq, &steal) != 8)
		die("/proc/stat", EPROTO);
	fclose(file);
	return user + nice + sys + irq + softirq + steal;
}

/* Where phases of a policy begin. The asm keeps them apart. */
#define POINT(nr)                                                                                  \
	__attribute__((noinline)) static void point_##nr(void)                                     \
	{                                                                                          \
		__asm__ volatile("nop # " #nr);                                                    \
	}
POINT(1)
POINT(2)
POINT(3)
POINT(4)
POINT(5)

#define CALLS_PER_PHASE 8

/* They do nothing, or fail, when all arguments are -1. Each phase has its own. */
static const struct phase {
	void (*point)(void);
	long calls[CALLS_PER_PHASE];
} phases[] = {
	{ point_1,
	  { SYS_getuid, SYS_getgid, SYS_geteuid, SYS_getegid, SYS_getsid, SYS_getpgid,
	    SYS_getgroups, SYS_getresuid } },
	{ point_2,
	  { SYS_getresgid, SYS_times, SYS_uname, SYS_sysinfo, SYS_getrusage, SYS_getpriority,
	    SYS_getitimer, SYS_getcwd } },
	{ point_3,
	  { SYS_sched_yield, SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_getaffinity,
	    SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_capget, SYS_sigaltstack } },
	{ point_4,
	  { SYS_lseek, SYS_fcntl, SYS_dup, SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_fchmod,
	    SYS_fchown } },
	{ point_5,
	  { SYS_listen, SYS_bind, SYS_shutdown, SYS_getsockname, SYS_getpeername, SYS_getsockopt,
	    SYS_setsockopt, SYS_accept4 } },
};

#define CALL_BLOCKS 100

static int cmd_calls(char **argv)
{
	static uint64_t block_ns[CALL_BLOCKS];
	uint64_t nr_ops = number_parse(argv[1], MAX_OPS) / CALL_BLOCKS + 1;

	cpu_pin(argv[0]);
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		for (size_t j = 0; j < CALLS_PER_PHASE; j++)
			syscall(phases[i].calls[j], -1, -1, -1, -1, -1, -1);
		phases[i].point();
	}
	for (size_t i = 0; i < CALL_BLOCKS; i++)
		block_ns[i] = block_run(NULL, nr_ops);
	qsort(block_ns, CALL_BLOCKS, sizeof(block_ns[0]), ns_compare);
	printf("%.2f\n", (double)block_ns[CALL_BLOCKS / 4] / (double)nr_ops);
	return 0;
}

static int cmd_quiet(char **argv)
{
	uint64_t span_ns = number_parse(argv[0], MAX_MS) * NS_PER_MS;
	uint64_t before = busy_ticks();
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	double seconds;

	sleep_until(start_ns + span_ns);
	seconds = (double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / (double)NS_PER_SEC;
	printf("%.0f\n",
	       100.0 * (double)(busy_ticks() - before) / (seconds * (double)sysconf(_SC_CLK_TCK)));
	return 0;
}

/* Rounds of an xorshift generator (Marsaglia 2003): no memory, nothing to foresee. */
static uint64_t spin_block(uint64_t *state)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC), x = *state;

	for (int i = 0; i < SPIN_ROUNDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	*state = x;
	return clock_ns(CLOCK_MONOTONIC) - start_ns;
}

static int cmd_spin(char **argv)
{
	static uint64_t block_ns[SPIN_BLOCKS];
	uint64_t end_ns, nr_blocks = 0, state = 88172645463325252ULL;

	cpu_pin(argv[0]);
	end_ns = clock_ns(CLOCK_MONOTONIC) + number_parse(argv[1], MAX_MS) * NS_PER_MS;
	do
		block_ns[nr_blocks++] = spin_block(&state);
	while (nr_blocks < SPIN_BLOCKS && clock_ns(CLOCK_MONOTONIC) < end_ns);
	qsort(block_ns, nr_blocks, sizeof(block_ns[0]), ns_compare);
	/* The state is part of the condition, so that the rounds are not left out. */
	if (state == 0)
		die("spin", ERANGE);
	printf("%.4f\n", (double)block_ns[nr_blocks / 4] / SPIN_ROUNDS);
	return 0;
}

static int cmd_busy(char **argv)
{
	(void)argv;
	printf("%llu %llu\n",
	       (unsigned long long)(busy_ticks() * 1000 / (uint64_t)sysconf(_SC_CLK_TCK)),
	       (unsigned long long)(clock_ns(CLOCK_MONOTONIC) / NS_PER_MS));
	return 0;
}

static int cmd_cpu(char **argv)
{
	clockid_t clock;
	int err = clock_getcpuclockid((pid_t)number_parse(argv[0], INT_MAX), &clock);

	if (err != 0)
		die(argv[0], err);
	printf("%llu\n", (unsigned long long)(clock_ns(clock) / NS_PER_MS));
	return 0;
}

/* Ends the program where the command fails. */
static uint64_t command_run(char **argv)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork", errno);
	if (pid == 0) {
		execvp(argv[0], argv);
		die(argv[0], errno);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid", errno);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die(argv[0], ECANCELED);
	return clock_ns(CLOCK_MONOTONIC) - start_ns;
}

static int cmd_time(char **argv)
{
	static uint64_t run_ns[MAX_RUNS];
	uint64_t nr_runs = number_parse(argv[0], MAX_RUNS);

	for (uint64_t i = 0; i < nr_runs; i++)
		run_ns[i] = command_run(argv + 1);
	qsort(run_ns, nr_runs, sizeof(run_ns[0]), ns_compare);
	printf("%llu\n", (unsigned long long)run_ns[nr_runs / 4]);
	return 0;
}

static int cmd_cpus(char **argv)
{
	int first = -1, last = -1;
	cpu_set_t set;

	(void)argv;
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		die("sched_getaffinity", errno);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((unsigned int)cpu, &set))
			continue;
		first = first < 0 ? cpu : first;
		last = cpu;
	}
	printf("%d %d\n", first, last);
	return 0;
}

struct verb {
	const char *name;
	int nr_args; /* at least */
	int (*run)(char **argv);
};

static const struct verb verbs[] = {
	{ .name = "loop", .nr_args = 4, .run = cmd_loop },
	{ .name = "burst", .nr_args = 3, .run = cmd_burst },
	{ .name = "rate", .nr_args = 4, .run = cmd_rate },
	{ .name = "stamp", .nr_args = 4, .run = cmd_stamp },
	{ .name = "calls", .nr_args = 2, .run = cmd_calls },
	{ .name = "quiet", .nr_args = 1, .run = cmd_quiet },
	{ .name = "spin", .nr_args = 2, .run = cmd_spin },
	{ .name = "busy", .nr_args = 0, .run = cmd_busy },
	{ .name = "cpu", .nr_args = 1, .run = cmd_cpu },
	{ .name = "time", .nr_args = 2, .run = cmd_time },
	{ .name = "cpus", .nr_args = 0, .run = cmd_cpus },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0 && argc - 2 >= verbs[i].nr_args)
			return verbs[i].run(argv + 2);
	}
	fprintf(stderr, "usage: load loop|burst|rate|stamp|calls|quiet|spin|busy|cpu|time|cpus "
			"ARGUMENT...\n");
	return 2;
}
