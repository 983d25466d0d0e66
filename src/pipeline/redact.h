/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_REDACT_H
#define PIPELINE_REDACT_H

/*
 * What may be shown of a value, by its class. Names of people in paths are replaced unless the user
 * asked for them (--no-redact); secrets in command lines and in text are replaced always.
 *
 *	PATH	redact_path()
 *	ARGS	redact_args(): before a byte of them is shown or stored
 *	TEXT	redact_text(): log lines, evidence, certificate subjects
 *	USER	redact_user()
 *	PEER	redact_peer(): hidden on request (--redact-sni)
 *	HOST, ADDR, PUBLIC	shown as they are
 *
 * A redactor is constant once made. Output never exceeds its buffer: what does not fit is left out
 * at the end. All functions write at most CAP bytes, a NUL at the end included, and return the
 * length without it; none writes anything when CAP is 0. Output is bytes, as the input is: whoever
 * prints it escapes it. It may be longer than the input: a home of one letter becomes "USER".
 */

#include <stdbool.h>
#include <stddef.h>

struct redactor;

struct redact_options {
	bool paths;		 /* false: only secrets are replaced */
	bool peers;		 /* names of other hosts are replaced, too */
	const char *passwd_path; /* for homes in unusual places; NULL is /etc/passwd */
};

/*
 * Makes a redactor, with .paths from the accounts of .passwd_path, which need not exist. Returns 0
 * or a negative errno.
 */
int redactor_new(struct redactor **ret, const struct redact_options *options);

void redactor_free(struct redactor *redactor);

/* How many accounts were skipped because of the limits in pipeline/accounts.h. */
size_t redactor_nr_skipped(const struct redactor *redactor);

/*
 * A path in one spelling, without the home directory's owner: see accounts_judge(). Unchanged when
 * paths are shown.
 */
size_t redact_path(const struct redactor *redactor, const char *path, size_t size, char *out,
		   size_t cap);

/*
 * ARGV is NUL-separated, and so is the output, argument by argument. RET_TRUNCATED tells that not
 * all fitted.
 */
size_t redact_args(const struct redactor *redactor, const char *argv, size_t size, char *out,
		   size_t cap, bool *ret_truncated);

/* Any text: paths and secrets in it. */
size_t redact_text(const struct redactor *redactor, const char *text, size_t size, char *out,
		   size_t cap);

/*
 * A user name: "USER", except numbers and the system's own accounts of the passwd file (root,
 * www-data), which name no person.
 */
size_t redact_user(const struct redactor *redactor, const char *name, size_t size, char *out,
		   size_t cap);

/* The name of a host that somebody talks to: "***" where that is asked for. */
size_t redact_peer(const struct redactor *redactor, const char *name, size_t size, char *out,
		   size_t cap);

#endif /* PIPELINE_REDACT_H */
