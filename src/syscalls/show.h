/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_SHOW_H
#define SYSCALLS_SHOW_H

/*
 * A recording for people: what was recorded, what to beware of, the calls of each phase, the tree
 * of processes and threads, how much the last runs added. At most 80 columns, readable without
 * colour; foreign text cannot act on the terminal.
 */

#include <stdbool.h>
#include <stdio.h>

#include "syscalls/recording.h"

/* Prints RECORDING to OUT. Returns 0, -ENOMEM, or -EIO where OUT failed. */
int recording_print(const struct recording *recording, FILE *out, bool has_color);

#endif /* SYSCALLS_SHOW_H */
