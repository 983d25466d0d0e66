/* SPDX-License-Identifier: MIT */
#ifndef TRACE_LIBBPF_LOG_H
#define TRACE_LIBBPF_LOG_H

/* What libbpf says, kept for an error report instead of written to the terminal at once. */

/* From here on it is kept; and shown, line by line, at LOG_DEBUG. */
void libbpf_log_start(void);

/* The end of what it said so far, NUL-terminated. */
const char *libbpf_log_text(void);

/*
 * ERR of bpf_object__load(), 0 or negative, as what it was. -EACCES is said where rights are
 * missing (by security modules), and by the verifier of a program that it does not take: then there
 * is a verifier's log since this was asked last, and -EINVAL is returned.
 */
int libbpf_log_error(int err);

/* ERR of loading, a negative errno, in words: -ESRCH is how libbpf says that it found no types. */
const char *libbpf_log_strerror(int err);

#endif /* TRACE_LIBBPF_LOG_H */
