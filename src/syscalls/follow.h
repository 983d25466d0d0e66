/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_FOLLOW_H
#define SYSCALLS_FOLLOW_H

/*
 * Follows COMMAND and all its descendants under ptrace(2): who there is, which calls they make,
 * which points (points.h) they reach. What that is good for, counting or putting filters in place,
 * is the business of the functions that it is given.
 *
 * Everything happens in the thread that called follow_start(), in follow_wait(): nothing is heard
 * of between two calls of it, and each thread that has something to tell stands still meanwhile.
 * Other children of this process are left alone, their ends can be waited for as ever.
 *
 * Signals, stops and ends of the processes are what they would be without. What cannot be so:
 * set-user-id programs get no more rights than whoever follows them has (ptrace(2), execve(2)).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/breakpoints.h"
#include "syscalls/points.h"
#include "syscalls/tracee.h"

/* Threads at a time; those beyond are let go or killed at once (needs_all), and counted. */
#define FOLLOW_THREADS_MAX 65536

#define FOLLOW_COMM_SIZE   16

struct follow;

struct follow_process {
	pid_t pid;
	uint32_t phase;	   /* the point that it reached last, plus 1 */
	uint64_t reached;  /* a bit for each point, those of its ancestors included */
	bool has_listened; /* or an ancestor of it */
	bool is_released;  /* its threads are let go as they stop */
	bool wants_stop;   /* stopped() is to be called as soon as it can be, of any thread */
	/* For whoever follows: what the parent has, at first. */
	uint32_t mark;
	/* Private. */
	uint32_t nr_threads;
	bool needs_calls; /* a point may be a call, or the file of one is yet to be mapped */
	bool must_wait;	  /* to be released when nobody else needs breakpoints in its memory */
	struct breakpoints *breakpoints;
	struct follow_process *next;
};

struct follow_thread {
	pid_t tid;
	struct follow_process *process; /* NULL: not known yet */
	/* The call that it is in. */
	bool is_in_call;
	bool is_again; /* it is about to make it once more, which does not count */
	struct tracee_call call;
	/* For whoever follows: as it was in the thread that made it, until begun() changes it. */
	uint32_t node;
	uint32_t mark;
	uint32_t call_node;
	char comm[FOLLOW_COMM_SIZE];
	/* Private. */
	bool has_maker; /* the thread that made it has told of it */
	bool has_begun;
	bool is_stopped;
	bool is_interrupted; /* it was asked to stop */
	bool is_left;	     /* it sleeps, and is let go when this program's thread ends */
	bool is_in_vfork;    /* it waits for its child: no code of it runs */
	bool is_changed;     /* its call had CLONE_UNTRACED, which was taken from it */
	bool has_status;     /* seen, not looked at yet */
	int status;
	uint64_t flags;	       /* of the clone that made it */
	unsigned int nr_waits; /* for the one that made it to tell */
	struct follow_thread *next;
	struct follow_thread *next_status;
};

/* Where a thread has stopped, when something can be done with it. */
enum follow_stop {
	FOLLOW_AT_ENTRY, /* of the call thread->call, which it has not made yet */
	FOLLOW_AT_EXIT,
	FOLLOW_ELSEWHERE,
};

/* How a thread came to be. */
enum follow_start {
	FOLLOW_COMMAND,
	FOLLOW_FORK,
	FOLLOW_VFORK,
	FOLLOW_THREAD,
};

/* Any may be NULL. */
struct follow_ops {
	/* MAKER has made another thread or process, which is to get its node and mark. */
	void (*made)(void *ctx, struct follow_thread *maker);
	/* THREAD, stopped, is new: how it was made. */
	void (*begun)(void *ctx, struct follow_thread *thread, enum follow_start start);
	/* It executes another program now: the only thread of its process. */
	void (*executed)(void *ctx, struct follow_thread *thread);
	/*
	 * It makes thread->call, before the points that this is are reached and, entered(), after;
	 * it has made it: RESULT.
	 */
	void (*enters)(void *ctx, struct follow_thread *thread);
	void (*entered)(void *ctx, struct follow_thread *thread);
	void (*returned)(void *ctx, struct follow_thread *thread, int64_t result);
	/*
	 * Its process is at POINT for the first time. IS_LATE: it is in a later phase already.
	 * Otherwise process->phase has changed.
	 */
	void (*reached)(void *ctx, struct follow_thread *thread, size_t point, bool is_late);
	/*
	 * It has stopped and is about to go on. *RET_SIGNAL is the stop signal of its process, 0
	 * for none, if it was let run meanwhile, and is now in a PTRACE_EVENT_STOP. Its process is
	 * killed where this returns a negative errno.
	 */
	int (*stopped)(void *ctx, struct follow_thread *thread, enum follow_stop stop,
		       int *ret_signal);
	/* It is no more; STATUS is as wait(2) has it. */
	void (*ended)(void *ctx, struct follow_thread *thread, int status);
	/* A breakpoint could not be set in its process. */
	void (*failed)(void *ctx, struct follow_thread *thread, int err);
};

struct follow_config {
	char *const *command;	     /* argv, NULL at its end */
	const struct points *points; /* may have none */
	bool kills;		     /* whatever ends this process ends all that it follows */
	bool wants_calls;	     /* entered() and returned() are called */
	bool needs_all;		     /* who cannot be followed is killed, not let go */
	/*
	 * Threads that are to be let go but sleep in a call stay attached until the calling thread
	 * ends, which detaches them without waking them: stopped for it they would make that call
	 * again, under filters that are there by now. Then KILLS is for first threads alone.
	 */
	bool leaves_sleepers;
	/*
	 * In the child that becomes COMMAND, right before that; it may not allocate or lock. A
	 * negative errno keeps it from being executed.
	 */
	int (*prepare)(void *prepare_ctx);
	void *prepare_ctx;
	const struct follow_ops *ops;
	void *ctx;
};

/*
 * Starts COMMAND and returns when it has been executed: 0, or the negative errno for which it could
 * not be, or be followed. *RET_STATUS is then what a shell ends with in the first case, 126 or 127,
 * and 0 in the second. follow_free() ends it in any case of success.
 */
int follow_start(struct follow **ret, const struct follow_config *config, int *ret_status);

/* The process that COMMAND began as, and, once it has ended, its status as wait(2) has it. */
pid_t follow_root(const struct follow *follow);
bool follow_has_ended(const struct follow *follow, int *ret_status);

/*
 * Looks after what has happened, waiting for it at most some 50 ms. Returns 1; 0 when there was
 * nothing, or a while has passed; -ECHILD: nobody is followed any more, but for those sleepers.
 */
int follow_wait(struct follow *follow);

/* Sends SIGNAL to all processes. */
void follow_signal(struct follow *follow, int signal);

/* Lets all go on alone; follow_wait() until -ECHILD then sees it through. */
void follow_release(struct follow *follow);

/*
 * Lets the threads of PROCESS go, and takes all breakpoints from it: later, where another process
 * shares its memory and needs them.
 */
void follow_release_process(struct follow *follow, struct follow_process *process);

/* The next process behind AFTER, or the first one for NULL; NULL at the end. */
struct follow_process *follow_next(const struct follow *follow, struct follow_process *after);

/* How many threads were not followed, since there were too many or no memory. */
uint64_t follow_unseen(const struct follow *follow);

/* Has THREAD's process reach POINT, as if it had been told. */
void follow_reach(struct follow *follow, struct follow_thread *thread, size_t point);

/* Frees; whoever is still followed, and was not to be let go, is killed. */
void follow_free(struct follow *follow);

#endif /* SYSCALLS_FOLLOW_H */
