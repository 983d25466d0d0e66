/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_SSH_LINES_H
#define INSPECT_SSH_LINES_H

/*
 * Text with a public key of SSH in each line: .pub files, authorized_keys and known_hosts, as in
 * sshd(8), AUTHORIZED_KEYS FILE FORMAT and SSH_KNOWN_HOSTS FILE FORMAT.
 */

#include <stdbool.h>
#include <stddef.h>

#include "inspect/judge.h"

/* Judges SIZE bytes of TEXT. Returns whether a line has a key. */
bool ssh_judge_lines(struct judge *judge, const char *text, size_t size);

#endif /* INSPECT_SSH_LINES_H */
