/* SPDX-License-Identifier: MIT */
#ifndef PRIV_PARSER_H
#define PRIV_PARSER_H

/* A process that parses what somebody else may have written, for another that has rights. */

#include <sys/types.h>

/*
 * In a child of PARENT: gives up all rights, ends with PARENT, and can do no more than read what it
 * has open, and write. Where the kernel has no system call filters that is said, and not done.
 * Returns 0 or a negative errno; then the caller ends the process.
 */
int parser_confine(pid_t parent);

#endif /* PRIV_PARSER_H */
