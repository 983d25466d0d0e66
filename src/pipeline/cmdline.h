/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_CMDLINE_H
#define PIPELINE_CMDLINE_H

/*
 * Copies a command line, or any text, without its secrets and, if asked, without the names of
 * people in its paths. One pass from left to right: time grows with the size of the input, never
 * faster, and nothing is allocated. Everything is borrowed for the time of the call.
 *
 * A secret becomes "***". Where its end is not clear the rest of the argument counts as secret.
 */

#include <stddef.h>

#include "pipeline/accounts.h"
#include "pipeline/appender.h"

/*
 * ARGV is NUL-separated; its NULs stay where they are, so that argument N is argument N of the
 * output. ACCOUNTS NULL: paths stay as they are.
 */
void cmdline_redact_args(const struct accounts *accounts, struct appender *to, const char *argv,
			 size_t size);

/* The same for text of any origin, such as a log line. */
void cmdline_redact_text(const struct accounts *accounts, struct appender *to, const char *text,
			 size_t size);

#endif /* PIPELINE_CMDLINE_H */
