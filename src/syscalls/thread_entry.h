/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_THREAD_ENTRY_H
#define SYSCALLS_THREAD_ENTRY_H

/*
 * Where a thread begins: glibc keeps the start routine that pthread_create(3) was given in its
 * descriptor of the thread, and tells debuggers where in it (nptl_db, _thread_db_pthread_*).
 */

#include <stdint.h>

/*
 * Where the address of the start routine is in memory, in bytes from the thread pointer, in a
 * process of PROGRAM, a path. 0: not known, as with other C libraries and in static programs.
 */
int32_t thread_entry_place(const char *program);

#endif /* SYSCALLS_THREAD_ENTRY_H */
