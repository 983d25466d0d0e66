/* SPDX-License-Identifier: MIT */
#ifndef CMD_ERRORS_H
#define CMD_ERRORS_H

/* Errors that end a command: each says what to do and returns the exit status. */

#include <stdbool.h>

#include "sources/source.h"

/* Tries what tracing needs. Returns 0, EXIT_PRIVILEGES or EXIT_KERNEL, having said what is missing.
 */
int check_privileges(void);

/* WHAT failed with ERR, a negative errno. Returns EXIT_ERROR. */
int report_error(const char *what, int err);

/* The same where `check` tells more: tracing WHAT failed. Returns EXIT_ERROR. */
int report_tracing(const char *what, int err);

/*
 * The output PATH (NULL: standard output) failed. IS_REPLACED: what it did not take goes to
 * standard output. Returns EXIT_ERROR.
 */
int report_output(const char *path, int err, bool is_replaced);

/* Nothing could be loaded or attached. LOG is libbpf's; its end is shown, or all of it. */
int report_load(int err, const char *log, bool is_verbose);

/* Not even the programs for old kernels could be loaded; LOG as above. Returns EXIT_KERNEL. */
int report_old_kernel(const char *log);

/* The kernel did not take HOOK, which --hook gave SOURCE, because of WHY. Returns EXIT_LOAD. */
int report_hook(const struct source *source, const struct source_hook *hook, const char *why);

/* COMMAND could not be executed. Returns 126 or 127. */
int report_command(const char *command, int err);

#endif /* CMD_ERRORS_H */
