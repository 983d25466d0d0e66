/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_FOLLOW_PRIVATE_H
#define SYSCALLS_FOLLOW_PRIVATE_H

/* What the parts of follow.h share: follow.c, follow_events.c, follow_table.c. */

#include <time.h>

#include "syscalls/follow.h"

#define FOLLOW_BUCKETS 4096 /* a power of two */

/* Calls one of the functions of whoever follows, if it is there. */
#define FOLLOW_CALL(follow, what, ...)                                                             \
	do {                                                                                       \
		if ((follow)->config.ops->what)                                                    \
			(follow)->config.ops->what((follow)->config.ctx, __VA_ARGS__);             \
	} while (0)

struct follow {
	struct follow_config config;
	struct breakpoint_files files;
	struct follow_thread *threads[FOLLOW_BUCKETS];
	struct follow_process *processes;
	uint32_t nr_threads;
	uint32_t nr_left; /* of those: is_left */
	pid_t root;
	bool has_root_ended;
	int root_status;
	uint64_t nr_unseen;
	timer_t ticks;
	/* Threads whose status was seen while something else was waited for, oldest first. */
	struct follow_thread *first_status;
	struct follow_thread *last_status;
};

/* follow_table.c */

struct follow_thread *thread_find(const struct follow *follow, pid_t tid);

/* Makes one that nothing is known of. Returns NULL where there is no room or memory. */
struct follow_thread *thread_make(struct follow *follow, pid_t tid);

/* Forgets it, and its process when it was the last of its threads. */
void thread_drop(struct follow *follow, struct follow_thread *thread);

/* Gives THREAD the number of the thread whose place it takes, which is forgotten. */
void thread_rename(struct follow *follow, struct follow_thread *thread, pid_t tid);

/* Forgets all threads of PROCESS but THREAD, telling that they have ended. */
void thread_drop_others(struct follow *follow, const struct follow_thread *thread);

/* Calls TAKE for each thread; it may drop that one. */
void thread_each(struct follow *follow,
		 void (*take)(struct follow *, struct follow_thread *, void *), void *ctx);

/* Makes THREAD one of a new process, which is like that of MAKER (NULL: the first one). */
int process_make(struct follow *follow, struct follow_thread *thread,
		 const struct follow_thread *maker);

/* Makes THREAD one more of PROCESS. */
void process_join(struct follow_process *process, struct follow_thread *thread);

/* Gives PROCESS a memory without breakpoints. Returns 0 or -ENOMEM. */
int process_renew_memory(struct follow *follow, struct follow_process *process);

/*
 * The points, a bit each, that have to be in PROCESS's memory, for its own sake and that of those
 * that share it; for those alone with OTHERS.
 */
uint64_t process_wanted(const struct follow *follow, const struct follow_process *process,
			bool others);

/* Keeps STATUS of THREAD for later. */
void status_keep(struct follow *follow, struct follow_thread *thread, int status);

/* The oldest that was kept, or NULL. */
struct follow_thread *status_take(struct follow *follow);

/* follow_events.c */

/* Looks after STATUS of TID, which waitpid(2) gave. */
void event_take(struct follow *follow, pid_t tid, int status);

/* THREAD is the one that COMMAND begins with, and has just been executed. */
void event_begin(struct follow *follow, struct follow_thread *thread);

/* Takes in threads whose maker does not tell of them, since it was killed meanwhile. */
void event_adopt(struct follow *follow);

/* follow_points.c */

/* Sets and takes away breakpoints in THREAD's process as it needs them now. */
void points_update(struct follow *follow, struct follow_thread *thread);

/* THREAD's process is at all points of KIND, in their order. */
void points_reach(struct follow *follow, struct follow_thread *thread, enum point_kind kind);

/* THREAD enters a call of the machine's own: a point, or what makes its process one that serves. */
void points_look_at_call(struct follow *follow, struct follow_thread *thread);

/* Whether CALL, which has succeeded, may have mapped code. */
bool call_maps_code(const struct tracee_call *call);

/* The breakpoint that THREAD has run into, if that is why it has got a SIGTRAP; or NULL. */
const struct breakpoint *break_find(struct follow_thread *thread, struct tracee_regs *ret);

/* Whether a SIGTRAP of a breakpoint waits for THREAD, which has stopped for something else. */
bool break_is_pending(struct follow_thread *thread);

/* follow_release.c */

/* One that stops the whole process. */
bool is_stop_signal(int signal);

/* THREAD, which has stopped, goes on alone from here, with SIGNAL, and is forgotten. */
void thread_let_go(struct follow *follow, struct follow_thread *thread, int signal);

/* THREAD goes on with SIGNAL. It may be forgotten, as with the next two. */
void thread_go_on(struct follow *follow, struct follow_thread *thread, int signal);

/* It has stopped with PTRACE_EVENT_STOP; SIGNAL is what its whole process is stopped by. */
void thread_go_on_from_event(struct follow *follow, struct follow_thread *thread, int signal);

/* The same, with a look before whether whoever follows wants to do something with it. */
void thread_look_and_go_on(struct follow *follow, struct follow_thread *thread,
			   enum follow_stop stop, int signal);

/* Lets PROCESS go if nobody else needs breakpoints in its memory. */
void process_release(struct follow *follow, struct follow_process *process);

/* Where others are still followed, those who were left asleep are stopped after all. */
void event_wake(struct follow *follow);

/* follow_untraced.c */

/* Takes CLONE_UNTRACED from the call that THREAD is about to make. */
void untraced_take(struct follow_thread *thread);

/* Puts it back where the program has it: in THREAD, which made that call or was made by it. */
void untraced_give(struct follow_thread *thread);

/* follow_step.c */

/*
 * Has THREAD, which stands at BREAKPOINT, execute the instruction that was there, with no other
 * thread of that memory running. It stands behind it then. Returns 0 or a negative errno.
 */
int step_over(struct follow *follow, struct follow_thread *thread,
	      const struct breakpoint *breakpoint);

#endif /* SYSCALLS_FOLLOW_PRIVATE_H */
