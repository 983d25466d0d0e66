/* SPDX-License-Identifier: MIT */
#ifndef CMD_SELECT_H
#define CMD_SELECT_H

/* From options to the configuration of the kernel side. */

#include <stdbool.h>

#include "cmd/options.h"
#include "control.h"

/* Whether only some processes are watched. */
bool select_is_narrow(const struct options *options);

/*
 * Fills *RET. Returns 0, or EXIT_ERROR for a process that does not exist, having said so. A name
 * longer than the kernel keeps is cut, with a warning.
 */
int select_config(const struct options *options, struct trace_config *ret);

/*
 * The literal end of the shell PATTERN from its last slash or wildcard on, at most 8 bytes, as
 * match.h lays out the last bytes of a name. Returns false when there is none.
 */
bool select_tail(const char *pattern, uint64_t *ret_last, uint64_t *ret_mask);

#endif /* CMD_SELECT_H */
