/* SPDX-License-Identifier: MIT */
#ifndef CMD_RECORD_REPORT_H
#define CMD_RECORD_REPORT_H

/* What `syscalls record` says when it could not do what was asked for, or not all of it. */

#include "syscalls/points.h"
#include "syscalls/recording.h"

/* CMD of --drive failed: with ERR, as drive_end() has it, or STATUS. Returns EXIT_ERROR. */
int record_report_drive(const char *cmd, int err, int status);

/* The process that keeps the rights of the tool is gone. Returns EXIT_ERROR. */
int record_report_keeper(void);

/* `--engine bpf` was asked for by who may not use it. Returns EXIT_PRIVILEGES. */
int record_report_rights(void);

/* Says which of POINTS no process of RECORDING came to. Returns 0: all were reached; EXIT_ERROR. */
int record_report_points(const struct points *points, const struct recording *recording);

#endif /* CMD_RECORD_REPORT_H */
