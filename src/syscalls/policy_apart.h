/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_POLICY_APART_H
#define SYSCALLS_POLICY_APART_H

#include "syscalls/policy.h"

/*
 * As policy_read(), for a process that has rights to lose: a child without any parses, and what
 * comes of that is checked. Its warnings are not there. -ECHILD: the child was ended.
 */
int policy_read_apart(int fd, struct policy **ret, char ret_what[static POLICY_WHAT_SIZE]);

#endif /* SYSCALLS_POLICY_APART_H */
