/* SPDX-License-Identifier: MIT */
/*
 * Processes that end in all the ways there are. What has to be reported is what wait(2) tells of
 * them, and how long they lived at least and at most (min_ms, max_ms).
 *
 * usage: process_exit_trigger [CASE...]
 */
#include "../../support/trigger.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define NR_THREADS 50
#define NR_ROUNDS  200

/* A child, and when it was made. */
struct child {
	pid_t pid;
	uint64_t made_ns;
};

static uint64_t min_ms;
static const char *name = "process_exit_tr";
static const char *thread_name;
static uid_t uid;

static struct child child_make(void)
{
	struct child child = { .made_ns = now_ns(CLOCK_BOOTTIME) };

	min_ms = 0;
	name = "process_exit_tr";
	thread_name = NULL;
	uid = 0;
	child.pid = (pid_t)must(fork());
	return child;
}

static void add_signal(int number)
{
	char text[32];

	/* The C library calls it SIGPOLL, the kernel SIGIO. */
	if (number == SIGIO)
		snprintf(text, sizeof(text), "SIGIO");
	else if (number < SIGRTMIN)
		snprintf(text, sizeof(text), "SIG%s", sigabbrev_np(number));
	else if (number == SIGRTMIN)
		snprintf(text, sizeof(text), "SIGRTMIN");
	else
		snprintf(text, sizeof(text), "SIGRTMIN+%d", number - SIGRTMIN);
	line_str("signal", text);
}

static void expect_exit(const struct child *child, pid_t parent, int status)
{
	line_begin("process_exit", child->pid, parent, uid, name);
	if (thread_name)
		line_str("thread", thread_name);
	line_u64("exit_code",
		 (uint64_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)));
	if (WIFSIGNALED(status))
		add_signal(WTERMSIG(status));
	if (WCOREDUMP(status))
		line_add(",\"core_dumped\":true");
	line_u64("min_ms", min_ms);
	line_u64("max_ms", (now_ns(CLOCK_BOOTTIME) - child->made_ns) / 1000000 + 1);
	line_end();
}

static int child_end(const struct child *child)
{
	int status = wait_status(child->pid);

	expect_exit(child, getpid(), status);
	return status;
}

static void by_code(void)
{
	static const int codes[] = { 0, 1, 3, 127, 128, 255, 256 + 7 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct child child = child_make();

		if (child.pid == 0)
			_exit(codes[i]);
		if (WEXITSTATUS(child_end(&child)) != (codes[i] & 0xff))
			die("wrong status");
	}
}

/* Ends by signal NUMBER. */
static void __attribute__((noreturn)) end_by(int number)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	signal(number, SIG_DFL);
	kill(getpid(), number);
	pause();
	_exit(1);
}

static void by_signal(void)
{
	const int numbers[] = { SIGHUP,	      SIGINT,  SIGQUIT, SIGILL,	 SIGTRAP,   SIGABRT,
				SIGBUS,	      SIGFPE,  SIGKILL, SIGUSR1, SIGSEGV,   SIGUSR2,
				SIGPIPE,      SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ,   SIGVTALRM,
				SIGPROF,      SIGIO,   SIGPWR,	SIGSYS,	 SIGSTKFLT, SIGRTMIN,
				SIGRTMIN + 3, SIGRTMAX };
	const struct rlimit none = { 0, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct child child = child_make();
		int status;

		if (child.pid == 0) {
			must(setrlimit(RLIMIT_CORE, &none));
			end_by(numbers[i]);
		}
		status = child_end(&child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != numbers[i])
			die("signal %d gave status 0x%x", numbers[i], status);
	}
}

/* Whether a core is really dumped is for the host to decide; wait(2) tells. */
static void with_core(void)
{
	const struct rlimit much = { 64 << 20, 64 << 20 };
	struct child child = child_make();

	if (child.pid == 0) {
		must(setrlimit(RLIMIT_CORE, &much));
		end_by(SIGQUIT);
	}
	child_end(&child);
}

static pthread_barrier_t barrier;
static int round_nr;

static void *end_with_others(void *unused)
{
	pthread_barrier_wait(&barrier);
	if (round_nr % 3 == 1)
		_exit(round_nr % 100);
	if (round_nr % 3 == 2)
		syscall(SYS_exit, round_nr % 100);
	return unused;
}

/* All threads end at the same moment: by returning, by ending the process, by exit(2) alone. */
static void __attribute__((noreturn)) end_with_threads(void)
{
	pthread_barrier_init(&barrier, NULL, NR_THREADS + 1);
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, end_with_others, NULL))
			die("pthread_create");
	}
	end_with_others(NULL);
	syscall(SYS_exit, 0);
	__builtin_unreachable();
}

static void fifty_threads(void)
{
	for (round_nr = 0; round_nr < NR_ROUNDS; round_nr++) {
		struct child child = child_make();

		if (child.pid == 0)
			end_with_threads();
		child_end(&child);
	}
}

static void sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void *end_later(void *called)
{
	if (called)
		must(prctl(PR_SET_NAME, called));
	sleep_ms(30);
	return NULL;
}

/* The first thread is gone long before the process is. */
static void leader_first(void)
{
	struct child child = child_make();

	if (child.pid == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, end_later, NULL))
			die("pthread_create");
		pthread_exit(NULL);
	}
	min_ms = 30;
	child_end(&child);
}

static void last_is_another(void)
{
	struct child child = child_make();

	if (child.pid == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, end_later, (char[]){ "the last one" }))
			die("pthread_create");
		/* Whose status is the process's then depends on the kernel: wait(2) tells. */
		syscall(SYS_exit, 9);
	}
	min_ms = 30;
	thread_name = "the last one";
	child_end(&child);
}

static void *wait_forever(void *unused)
{
	pause();
	return unused;
}

static void with_threads_by_signal(void)
{
	struct child child = child_make();

	if (child.pid == 0) {
		pthread_t thread;

		for (int i = 0; i < NR_THREADS; i++)
			if (pthread_create(&thread, NULL, wait_forever, NULL))
				die("pthread_create");
		end_by(SIGKILL);
	}
	child_end(&child);
}

static void by_vfork(void)
{
	struct child child = { .made_ns = now_ns(CLOCK_BOOTTIME) };

	min_ms = 0;
	child.pid = (pid_t)must(vfork());
	if (child.pid == 0)
		_exit(4);
	child_end(&child);
}

static void lived(void)
{
	struct child child = child_make();
	uint64_t begun_ns = now_ns(CLOCK_BOOTTIME);

	if (child.pid == 0) {
		sleep_ms(150);
		_exit(0);
	}
	min_ms = 150;
	child_end(&child);
	if (now_ns(CLOCK_BOOTTIME) - begun_ns < 150000000)
		die("a short sleep");
}

static void after_exec(void)
{
	struct child child = child_make();

	if (child.pid == 0)
		must(execl("/bin/sh", "sh", "-c", "exit 5", NULL));
	name = "sh";
	if (WEXITSTATUS(child_end(&child)) != 5)
		die("wrong status");
}

static void renamed_and_another_user(void)
{
	struct child child = child_make();

	if (child.pid == 0) {
		must(prctl(PR_SET_NAME, "new name"));
		must(setresuid(65534, 65534, 65534));
		_exit(6);
	}
	name = "new name";
	uid = 65534;
	child_end(&child);
}

/* The parent ends first: the child then belongs to this program, a subreaper. */
static void orphan(void)
{
	struct child parent;
	struct child child;
	int ends[2];

	must(pipe(ends));
	parent = child_make();
	if (parent.pid == 0) {
		pid_t self = getpid();
		struct child own = child_make();

		if (own.pid == 0) {
			while (getppid() == self)
				sleep_ms(1);
			_exit(7);
		}
		if (write(ends[1], &own, sizeof(own)) != sizeof(own))
			die("write");
		_exit(0);
	}
	if (read(ends[0], &child, sizeof(child)) != sizeof(child))
		die("read");
	child_end(&parent);
	if (WEXITSTATUS(child_end(&child)) != 7)
		die("wrong status");
}

static const struct test_case cases[] = {
	{ "code", by_code },
	{ "signal", by_signal },
	{ "core", with_core },
	{ "fifty threads", fifty_threads },
	{ "leader first", leader_first },
	{ "last is another", last_is_another },
	{ "threads by signal", with_threads_by_signal },
	{ "vfork", by_vfork },
	{ "lived", lived },
	{ "exec", after_exec },
	{ "rename and setuid", renamed_and_another_user },
	{ "orphan", orphan },
};

int main(int argc, char **argv)
{
	struct child self = { .pid = getpid(), .made_ns = 0 };

	(void)argc;
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		case_name = cases[i].name;
		if (is_asked(case_name, argv + 1))
			cases[i].run();
	}
	case_name = "itself";
	name = "process_exit_tr";
	thread_name = NULL;
	uid = getuid();
	min_ms = 0;
	expect_exit(&self, getppid(), 0);
	return 0;
}
