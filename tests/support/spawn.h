/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_SPAWN_H
#define TESTS_SUPPORT_SPAWN_H

#include <stdbool.h>

/*
 * Runs ARGV, found as execvp(3) does, to its end, with its standard output and standard error in
 * the file OUT. Returns its exit status, or 128 + signal. Failure to run it ends the test program.
 */
int spawn_wait(const char *const argv[], const char *out);

/* Whether there is a program called NAME. */
bool spawn_has(const char *name);

#endif /* TESTS_SUPPORT_SPAWN_H */
