/* SPDX-License-Identifier: MIT */
#ifndef CMD_MONITOR_H
#define CMD_MONITOR_H

#include "cmd/options.h"

/*
 * Streams events until told to stop: `monitor`, and with other defaults `files` and `libs --watch`.
 * Returns the exit status.
 */
int monitor_run(const struct options *options);

#endif /* CMD_MONITOR_H */
