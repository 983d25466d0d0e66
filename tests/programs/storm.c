/* SPDX-License-Identifier: MIT */
/*
 * A storm of processes below this one, to see whether the tool, started in the middle of it, misses
 * a descendant. Every process opens DIR/N-a.pem as its first act, makes two children, and opens
 * DIR/N-b.pem as its last; none of these files is there. With "orphans" parents do not wait for
 * their children, so that most of them end up with another parent.
 *
 * The storm is a child of the program, its number in DIR/root. The program itself inherits the
 * orphans: an init that is slow to wait for them would run out of process numbers.
 *
 * The storm lasts until the file DIR/stop is there. It holds two times, ns since the epoch: when
 * the hooks were in place at the latest, and when the first event was reported. Then this prints
 * what must have been reported: "must FILE" for every open after the second by a process whose
 * ancestors were all alive at the first or made after it. Of others that may have been reported,
 * "may FILE".
 *
 * usage: storm DIR tree|orphans
 */
#include "../support/trigger.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

/*
 * Neither ends a storm of a test: that waits a minute for the tool's start and one for its events,
 * which the storm slows down, and kills the storm when it gives up.
 */
#define NODES_MAX   2000000
#define SECONDS_MAX 180 /* without a stop, and again for the last to end */
#define DEPTH	    4
#define ALIVE_MAX   48
/* They do nothing, but make the tool's look at all tasks longer. */
#define NR_IDLE_THREADS 500

struct node {
	uint32_t parent;    /* 0: this program */
	uint64_t forked_ns; /* not before its fork */
	uint64_t first_ns;  /* before its first open; 0: it has not come so far */
	uint64_t last_ns;   /* before its last */
	uint64_t exit_ns;   /* before its end */
};

static struct {
	uint32_t nr_nodes;
	int32_t nr_alive;
	struct node nodes[NODES_MAX];
} * shared;

static const char *dir;
static bool is_orphans;

static void open_marker(uint32_t number, char mark)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%u-%c.pem", dir, number, mark);
	open(path, O_RDONLY);
}

static void linger(uint32_t number)
{
	const struct timespec pause = { .tv_nsec = number * 2654435761U % 3000000 };

	nanosleep(&pause, NULL);
}

/* Makes a process below node PARENT. Returns its pid, 0 when there are enough. */
static pid_t node_make(uint32_t parent, int depth);

static void node_run(uint32_t number, int depth)
{
	struct node *node = &shared->nodes[number];
	pid_t children[2] = { 0 };

	node->first_ns = now_ns(CLOCK_REALTIME);
	open_marker(number, 'a');
	for (int i = 0; depth > 0 && i < 2; i++)
		children[i] = node_make(number, depth - 1);
	linger(number);
	node->last_ns = now_ns(CLOCK_REALTIME);
	open_marker(number, 'b');
	for (int i = 0; !is_orphans && i < 2; i++)
		if (children[i] > 0)
			wait_good(children[i]);
	node->exit_ns = now_ns(CLOCK_REALTIME);
	__atomic_fetch_sub(&shared->nr_alive, 1, __ATOMIC_SEQ_CST);
}

static pid_t node_make(uint32_t parent, int depth)
{
	uint32_t number = __atomic_add_fetch(&shared->nr_nodes, 1, __ATOMIC_SEQ_CST);
	pid_t pid;

	if (number >= NODES_MAX)
		return 0;
	shared->nodes[number].parent = parent;
	__atomic_fetch_add(&shared->nr_alive, 1, __ATOMIC_SEQ_CST);
	shared->nodes[number].forked_ns = now_ns(CLOCK_REALTIME);
	pid = (pid_t)must(fork());
	if (pid == 0) {
		node_run(number, depth);
		_exit(0);
	}
	return pid;
}

/* Whether every ancestor of NUMBER was alive at HOOKED_NS, or was made after it. */
static bool is_known(uint32_t number, uint64_t hooked_ns)
{
	for (uint32_t at = shared->nodes[number].parent; at; at = shared->nodes[at].parent)
		if (shared->nodes[at].forked_ns <= hooked_ns &&
		    shared->nodes[at].exit_ns <= hooked_ns)
			return false;
	return true;
}

static void print(uint32_t number, char mark, bool must_be)
{
	printf("%s %s/%u-%c.pem\n", must_be ? "must" : "may", dir, number, mark);
}

static void print_all(uint64_t hooked_ns, uint64_t on_ns)
{
	for (uint32_t i = 1; i <= shared->nr_nodes; i++) {
		const struct node *node = &shared->nodes[i];
		bool known = is_known(i, hooked_ns);

		print(i, 'a', known && node->first_ns > on_ns);
		print(i, 'b', known && node->last_ns > on_ns);
	}
}

static void *idle(void *unused)
{
	pause();
	return unused;
}

/* In a process that is no descendant of the storm: the tool sees it, the storm does not. */
static pid_t idlers_make(void)
{
	pid_t pid = (pid_t)must(fork());
	pthread_t thread;

	if (pid > 0)
		return pid;
	must(prctl(PR_SET_PDEATHSIG, SIGKILL));
	for (int i = 0; i < NR_IDLE_THREADS; i++)
		if (pthread_create(&thread, NULL, idle, NULL))
			die("pthread_create");
	pause();
	_exit(0);
}

static int storm(const char *stop)
{
	uint64_t until_ns = now_ns(CLOCK_BOOTTIME) + SECONDS_MAX * 1000000000ULL;
	const struct timespec pause = { .tv_nsec = 200000 };
	unsigned long long hooked_ns;
	unsigned long long on_ns;
	pid_t idlers = idlers_make();
	FILE *file;

	while (access(stop, F_OK) < 0 && now_ns(CLOCK_BOOTTIME) < until_ns &&
	       shared->nr_nodes < NODES_MAX - (2 << DEPTH)) {
		if (shared->nr_alive < ALIVE_MAX)
			node_make(0, DEPTH);
		else
			nanosleep(&pause, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	until_ns = now_ns(CLOCK_BOOTTIME) + SECONDS_MAX * 1000000000ULL;
	while (shared->nr_alive > 0 && now_ns(CLOCK_BOOTTIME) < until_ns)
		nanosleep(&pause, NULL);
	kill(idlers, SIGKILL);
	if (shared->nr_alive > 0)
		die("%d processes left", shared->nr_alive);
	if (access(stop, F_OK) < 0)
		die("over without a stop, after %u processes", shared->nr_nodes);
	file = fopen(stop, "r");
	if (!file || fscanf(file, "%llu %llu", &hooked_ns, &on_ns) != 2)
		die("cannot read '%s'", stop);
	fclose(file);
	print_all(hooked_ns, on_ns);
	return 0;
}

/* Before there is a storm, so that who sees one finds the file. */
static void root_tell(void)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/root", dir);
	file = fopen(path, "w");
	if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file) != 0)
		die("cannot write '%s'", path);
}

int main(int argc, char **argv)
{
	char stop[PATH_MAX];
	pid_t ended;
	pid_t root;
	int status;

	if (argc != 3)
		return 2;
	dir = argv[1];
	is_orphans = strcmp(argv[2], "orphans") == 0;
	snprintf(stop, sizeof(stop), "%s/stop", dir);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("mmap");
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	root = (pid_t)must(fork());
	if (root == 0) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL));
		root_tell();
		return storm(stop);
	}
	do
		ended = (pid_t)must(waitpid(-1, &status, 0));
	while (ended != root);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
