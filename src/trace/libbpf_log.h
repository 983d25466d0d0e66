/* SPDX-License-Identifier: MIT */
#ifndef TRACE_LIBBPF_LOG_H
#define TRACE_LIBBPF_LOG_H

/* What libbpf says, kept for an error report instead of written to the terminal at once. */

/* From here on it is kept; and shown, line by line, at LOG_DEBUG. */
void libbpf_log_start(void);

/* The end of what it said so far, NUL-terminated. */
const char *libbpf_log_text(void);

#endif /* TRACE_LIBBPF_LOG_H */
