/* SPDX-License-Identifier: MIT */
#include "pipeline/redact.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/bytes.h"
#include "pipeline/accounts.h"
#include "pipeline/appender.h"
#include "pipeline/cmdline.h"

struct redactor {
	struct accounts *accounts; /* NULL: paths and names are shown */
	bool hides_peers;
};

int redactor_new(struct redactor **ret, const struct redact_options *options)
{
	struct redactor *redactor = calloc(1, sizeof(*redactor));
	int err = 0;

	if (!redactor)
		return -ENOMEM;
	redactor->hides_peers = options->peers;
	if (options->paths)
		err = accounts_read(&redactor->accounts,
				    options->passwd_path ? options->passwd_path : "/etc/passwd");
	if (err) {
		free(redactor);
		return err;
	}
	*ret = redactor;
	return 0;
}

void redactor_free(struct redactor *redactor)
{
	if (!redactor)
		return;
	accounts_free(redactor->accounts);
	free(redactor);
}

size_t redactor_nr_skipped(const struct redactor *redactor)
{
	return redactor->accounts ? accounts_nr_skipped(redactor->accounts) : 0;
}

size_t redact_path(const struct redactor *redactor, const char *path, size_t size, char *out,
		   size_t cap)
{
	struct appender to = appender_make(out, cap);
	struct judged_path judged;

	if (!redactor->accounts || !size) {
		append(&to, path, size);
	} else {
		accounts_judge(redactor->accounts, path, size, true, &judged);
		judged_path_append(&judged, &to);
	}
	return to.size;
}

size_t redact_args(const struct redactor *redactor, const char *argv, size_t size, char *out,
		   size_t cap, bool *ret_truncated)
{
	struct appender to = appender_make(out, cap);

	cmdline_redact_args(redactor->accounts, &to, argv, size);
	*ret_truncated = to.is_truncated;
	return to.size;
}

/*
 * Whether TEXT may hold a path or a secret: a path has a slash, and every form of a secret one of
 * the other bytes. Most names of processes have none.
 */
static bool is_suspect(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		switch (text[i]) {
		case '/':
		case '=':
		case ':':
		case '@':
		case '-':
		case ' ':
			return true;
		default:
			break;
		}
	}
	return false;
}

size_t redact_text(const struct redactor *redactor, const char *text, size_t size, char *out,
		   size_t cap)
{
	struct appender to = appender_make(out, cap);

	if (size < cap && !is_suspect(text, size)) {
		memcpy(out, text, size);
		out[size] = '\0';
		return size;
	}
	cmdline_redact_text(redactor->accounts, &to, text, size);
	return to.size;
}

size_t redact_user(const struct redactor *redactor, const char *name, size_t size, char *out,
		   size_t cap)
{
	struct appender to = appender_make(out, cap);

	if (!redactor->accounts || !size || bytes_are_digits(name, size) ||
	    accounts_is_system(redactor->accounts, name, size))
		append(&to, name, size);
	else
		append_text(&to, "USER");
	return to.size;
}

size_t redact_peer(const struct redactor *redactor, const char *name, size_t size, char *out,
		   size_t cap)
{
	struct appender to = appender_make(out, cap);

	if (redactor->hides_peers && size)
		append_text(&to, "***");
	else
		append(&to, name, size);
	return to.size;
}
