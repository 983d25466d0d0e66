/* SPDX-License-Identifier: MIT */
#ifndef PRIV_BROKER_LOOK_H
#define PRIV_BROKER_LOOK_H

/* What the broker tells of a link of /proc without opening what it leads to. */

#include <stdint.h>
#include <time.h>

#include "priv/broker_wire.h"

/*
 * Fills ANSWER with the text of the link of /proc that FILE names, and where that is a path with
 * what stat(2) has of the file. Returns 0 or a negative errno.
 */
int broker_look_at(const struct broker_file *file, struct broker_answer *answer);

/*
 * Fills ANSWER with a struct broker_list of the processes from FROM on, none at the end. Returns 0
 * or a negative errno.
 */
int broker_list(uint64_t from, struct broker_answer *answer);

/* TIME, such as a file's change time, in nanoseconds since the epoch. */
uint64_t broker_file_time(const struct timespec *time);

#endif /* PRIV_BROKER_LOOK_H */
