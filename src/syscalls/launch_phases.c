/* SPDX-License-Identifier: MIT */
/*
 * Several phases. The mark of a process (follow.h) is how many filters of later phases it has. What
 * it is to have, its phase, runs ahead of that until one of its threads stops where it can be made
 * to install what is missing; every other thread has it then, too (SECCOMP_FILTER_FLAG_TSYNC).
 */
#include "syscalls/launch_private.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "proc/maps.h"
#include "proc/status.h"
#include "proc/text.h"
#include "syscalls/follow.h"
#include "syscalls/inject.h"

/* struct sock_fprog, as a process of 64 or 32 bits has it, in front of the filter. */
#define HEAD_SIZE 16

struct launch {
	const struct launch_config *config;
	struct launch_result *result;
	struct follow *follow;
};

__attribute__((format(printf, 2, 3))) static void tell(struct launch *launch, const char *format,
						       ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	launch->config->tell(launch->config->ctx, text);
}

/* Memory of the process that a filter is put into for the time of the call. */
struct place {
	uint64_t address;
	size_t size;
	bool is_mapped;
	uint8_t *before; /* what was there; NULL where it was mapped for this */
};

/* Looks for the mapping that has an address in it. */
struct look {
	uint64_t address;
	uint64_t start; /* 0: none that can be written */
};

static int look_at_map(void *ctx, const struct map *map)
{
	struct look *look = ctx;

	if (look->address < map->start || look->address >= map->end)
		return 0;
	if (map->is_writable)
		look->start = map->start;
	return 1;
}

/*
 * Room below the stack pointer of the thread, and what the compiler may use below that. It has to
 * be of the same mapping: what is beyond that is somebody else's.
 */
static int take_stack(const struct injection *injection, struct place *place)
{
	uint64_t sp = tracee_regs_sp(&injection->before);
	uint64_t top = (sp - injection->abi.red_zone) & ~15ULL;
	struct look look = { .address = sp - 1 };
	int err = maps_each_of(injection->tid, look_at_map, &look);

	if (err < 0)
		return err;
	if (!look.start || top < look.start || top - look.start < place->size)
		return -ENOMEM;
	place->address = (top - place->size) & ~15ULL;
	place->before = malloc(place->size);
	if (!place->before)
		return -ENOMEM;
	err = tracee_read(injection->tid, place->address, place->before, place->size);
	if (err) {
		free(place->before);
		place->before = NULL;
	}
	return err;
}

static int take_map(struct injection *injection, struct place *place)
{
	const uint64_t args[6] = {
		0, place->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, UINT32_MAX, 0,
	};
	int64_t result = 0;
	int err = inject_call(injection, injection->abi.nr_mmap, args, &result);

	if (err)
		return err;
	if (result < 0 && result >= -4095)
		return (int)result;
	place->address = injection->abi.word_size == 4 ? (uint32_t)result : (uint64_t)result;
	place->is_mapped = true;
	return 0;
}

static int take_place(struct injection *injection, bool may_map, struct place *place)
{
	return may_map ? take_map(injection, place) : take_stack(injection, place);
}

/* Gives it back as it was. */
static int give_place(struct injection *injection, struct place *place)
{
	const uint64_t args[6] = { place->address, place->size };
	int64_t result;
	int err = 0;

	if (place->is_mapped)
		err = inject_call(injection, injection->abi.nr_munmap, args, &result);
	else if (place->before)
		err = tracee_write(injection->tid, place->address, place->before, place->size);
	free(place->before);
	return err;
}

/* Puts FILTER, its head included, to PLACE. */
static int put_filter(const struct injection *injection, const struct place *place,
		      const struct sock_fprog *filter)
{
	uint64_t address = place->address + HEAD_SIZE;
	uint8_t head[HEAD_SIZE] = { 0 };
	uint16_t nr = filter->len;
	int err;

	memcpy(head, &nr, sizeof(nr));
	/* The pointer is aligned to its own size. */
	memcpy(head + injection->abi.word_size, &address, injection->abi.word_size);
	err = tracee_write(injection->tid, place->address, head, sizeof(head));
	if (!err)
		err = tracee_write(injection->tid, address, filter->filter,
				   filter->len * sizeof(*filter->filter));
	return err;
}

/* What seccomp(2) says to the filter at ADDRESS, in *RET_RESULT. */
static int call_seccomp(struct launch *launch, struct injection *injection, uint64_t address,
			bool may_prctl, int64_t *ret_result)
{
	const uint64_t nnp[6] = { PR_SET_NO_NEW_PRIVS, 1 };
	const uint64_t args[6] = {
		SECCOMP_SET_MODE_FILTER,
		launch->config->flags | SECCOMP_FILTER_FLAG_TSYNC,
		address,
	};
	int err = inject_call(injection, injection->abi.nr_seccomp, args, ret_result);

	/* Without no_new_privs from the start, and the process has given up its rights. */
	if (err || *ret_result != -EACCES || !may_prctl)
		return err;
	err = inject_call(injection, injection->abi.nr_prctl, nnp, ret_result);
	return err ? err : inject_call(injection, injection->abi.nr_seccomp, args, ret_result);
}

/*
 * Has the kernel take the filter of phase TO for all threads of the process, which has that of the
 * one before. Returns 0 with what it said, or a negative errno.
 */
static int put_in(struct launch *launch, struct injection *injection, uint32_t to,
		  int64_t *ret_result)
{
	const struct launch_config *config = launch->config;
	const struct launch_phase *from = &config->phases[to - 1];
	const struct sock_fprog *filter = &config->phases[to].filter;
	struct place place = {
		.size = HEAD_SIZE + filter->len * sizeof(*filter->filter),
	};
	int given;
	int err = take_place(injection, config->suspends || from->allows_memory, &place);

	if (err)
		return err;
	err = put_filter(injection, &place, filter);
	if (!err)
		err = call_seccomp(launch, injection, place.address,
				   config->suspends || from->allows_prctl, ret_result);
	if (err == -ESRCH) {
		free(place.before);
		return err;
	}
	given = give_place(injection, &place);
	return err ? err : given;
}

/* The same, said where it failed. Returns 0 or a negative errno. */
static int install(struct launch *launch, struct injection *injection, pid_t pid, uint32_t to)
{
	int64_t result = 0;
	int err = put_in(launch, injection, to, &result);

	if (err == -ESRCH) /* it has ended, which is no failure */
		return err;
	if (!err && result == 0)
		return 0;
	/* With that flag it is no error but the number of the thread (seccomp(2)). */
	if (!err && result > 0) {
		tell(launch,
		     "phase %" PRIu32 " cannot begin in process %d: its thread %" PRId64
		     " has a filter of its own",
		     to, pid, result);
		return -EBUSY;
	}
	err = err ? err : (int)result;
	tell(launch, "phase %" PRIu32 " cannot begin in process %d: %s", to, pid, strerror(-err));
	return err;
}

/* Installs what PROCESS is to have, by THREAD, which has stopped. */
static int catch_up(struct launch *launch, struct follow_thread *thread, enum follow_stop stop,
		    int *ret_signal)
{
	const struct launch_config *config = launch->config;
	struct follow_process *process = thread->process;
	struct injection injection;
	/* A thread that is left asleep must not take its process along (follow.h). */
	bool kills = thread->tid == process->pid;
	int ended;
	int err = inject_begin(&injection, thread->tid,
			       stop == FOLLOW_AT_ENTRY ? &thread->call : NULL);

	if (err == -EAGAIN)
		return 0;
	if (!err && config->suspends)
		err = tracee_set(thread->tid, kills, true);
	if (err) {
		if (err != -ESRCH)
			tell(launch, "process %d cannot be given its next phase: %s", process->pid,
			     strerror(-err));
		return err;
	}
	while (!err && process->mark < process->phase) {
		err = install(launch, &injection, process->pid, process->mark + 1);
		if (!err)
			process->mark++;
	}
	ended = inject_end(&injection, process->pid, ret_signal);
	if (config->suspends)
		tracee_set(thread->tid, kills, false);
	return err ? err : ended;
}

static int on_stopped(void *ctx, struct follow_thread *thread, enum follow_stop stop,
		      int *ret_signal)
{
	struct launch *launch = ctx;
	struct follow_process *process = thread->process;
	int err = 0;

	if (process->mark < process->phase)
		err = catch_up(launch, thread, stop, ret_signal);
	if (err < 0 && err != -ESRCH)
		launch->result->has_failed = true;
	/* It was in a stop of the other kind: at the next one. */
	process->wants_stop = process->mark < process->phase;
	if (!err && process->mark == launch->config->nr_phases - 1)
		follow_release_process(launch->follow, process);
	return err;
}

/* How many filters a thread has; 0: not known, before Linux 5.9. */
static uint32_t nr_filters(pid_t tid)
{
	char text[STATUS_TEXT_MAX];
	const char *at;

	if (proc_text(tid, "status", text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, "\nSeccomp_filters:");
	return at ? (uint32_t)strtoul(at + strlen("\nSeccomp_filters:"), NULL, 10) : 0;
}

static void on_made(void *ctx, struct follow_thread *maker)
{
	(void)ctx;
	maker->node = nr_filters(maker->tid);
}

/*
 * A fork child has the filters that its parent had when it was made. Another thread may have been
 * given the next one before the parent could tell of the child.
 */
static void on_begun(void *ctx, struct follow_thread *thread, enum follow_start start)
{
	struct follow_process *process = thread->process;
	struct launch *launch = ctx;
	uint32_t maker = thread->node;
	uint32_t own;

	if ((start != FOLLOW_FORK && start != FOLLOW_VFORK) || process->mark == 0)
		return;
	own = nr_filters(thread->tid);
	if (maker > own)
		process->mark -= maker - own < process->mark ? maker - own : process->mark;
	/* Its parent may have been let go meanwhile. */
	if (process->mark < launch->config->nr_phases - 1)
		process->is_released = false;
}

static void on_reached(void *ctx, struct follow_thread *thread, size_t point, bool is_late)
{
	struct launch *launch = ctx;

	(void)thread;
	(void)is_late;
	launch->result->hits[point]++;
}

static void on_failed(void *ctx, struct follow_thread *thread, int err)
{
	struct launch *launch = ctx;

	tell(launch, "process %d cannot be followed to its next phase: %s", thread->process->pid,
	     strerror(-err));
	launch->result->has_failed = true;
	kill(thread->process->pid, SIGKILL);
}

static const struct follow_ops ops = {
	.made = on_made,
	.begun = on_begun,
	.reached = on_reached,
	.stopped = on_stopped,
	.failed = on_failed,
};

/* A signal that came when COMMAND had ended is for those that it has left. */
static void pass_on(struct launch *launch)
{
	int number = launch_signal();

	if (!number)
		return;
	for (struct follow_process *process = follow_next(launch->follow, NULL); process;
	     process = follow_next(launch->follow, process))
		kill(process->pid, number);
}

/* What the thread that follows has to do. */
struct job {
	const struct launch_config *config;
	struct launch_result *result;
	bool has_ended; /* COMMAND */
	int err;
};

static void *follow_main(void *ctx)
{
	struct job *job = ctx;
	struct launch launch = { .config = job->config, .result = job->result };
	const struct follow_config follow = {
		.command = job->config->command,
		.points = job->config->points,
		.kills = true,
		.needs_all = true,
		.leaves_sleepers = true,
		.prepare = launch_prepare,
		.prepare_ctx = (void *)(uintptr_t)job->config,
		.ops = &ops,
		.ctx = &launch,
	};
	int status;

	job->err = follow_start(&launch.follow, &follow, &status);
	if (job->err)
		return NULL;
	job->result->pid = follow_root(launch.follow);
	launch_pass_signals(job->result->pid);
	while (follow_wait(launch.follow) >= 0) {
		if (follow_has_ended(launch.follow, &job->result->status)) {
			launch_pass_to(0);
			pass_on(&launch);
		}
	}
	job->has_ended = follow_has_ended(launch.follow, &job->result->status);
	if (follow_unseen(launch.follow) > 0) {
		tell(&launch, "there were too many threads to follow: the processes were killed");
		job->result->has_failed = true;
	}
	follow_free(launch.follow);
	return NULL;
}

int launch_run_phases(const struct launch_config *config, struct launch_result *ret)
{
	struct job job = { .config = config, .result = ret };
	pthread_t thread;
	int err = pthread_create(&thread, NULL, follow_main, &job);

	if (err)
		return -err;
	/* Its end lets those go that are asleep; from then on nothing wakes this process. */
	pthread_join(thread, NULL);
	if (job.err || job.has_ended)
		return job.err;
	/* Signals went to that thread before. */
	launch_pass_signals(ret->pid);
	return launch_wait(ret->pid, &ret->status);
}
