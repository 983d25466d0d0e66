/* SPDX-License-Identifier: MIT */
#ifndef LIB_STOP_H
#define LIB_STOP_H

/*
 * How the program ends when it is told to. The first INT, TERM, HUP or QUIT asks: the main loop
 * sees stop_signal() and has 0.3 s to write what is there; a second, unless it comes within the
 * same 50 ms, ends the program at once; so does the watchdog after 5 s. From the first signal on a
 * timer interrupts blocking calls, so that a reader that does not read holds up nothing.
 */

#include <signal.h>

#define STOP_DRAIN_MS	 300
#define STOP_WATCHDOG_MS 5000

/*
 * Installs the handlers, also for signals that a shell made us inherit ignored, and ignores PIPE
 * and XFSZ: a closed pipe and a file at its limit are errors of write(2). Returns 0 or a negative
 * errno.
 */
int stop_install(void);

/*
 * Puts signals back as they were before stop_install(), for a child that is about to execute
 * another program: a signal that is ignored stays so over an execve. Async-signal-safe.
 */
void stop_undo(void);

/* Starts the drain time and the watchdog without a signal: the run has ended by itself. */
void stop_begin(void);

/* The signal that asked the program to end, 0 for none yet. */
int stop_signal(void);

/* Set once the time for draining is over: pending writes give up. */
extern volatile sig_atomic_t stop_give_up;

#endif /* LIB_STOP_H */
