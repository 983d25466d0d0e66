/* SPDX-License-Identifier: MIT */
#include "trace/libbpf_log.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/utf8.h"

/* libbpf has one print function for the whole program, hence this one piece of state. */
#define LOG_SIZE (64U << 10)
static char log_text[LOG_SIZE];
static size_t log_size;
static bool has_verdict;

/* A verifier's log comes in one piece, of megabytes at times. */
static void log_lines(const char *format, va_list args)
{
	_cleanup_(cleanup_free) char *text = NULL;
	char *rest;
	char *line;

	if (vasprintf(&text, format, args) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_debug("%s", line);
}

static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	va_list copy;

	if (level == LIBBPF_DEBUG)
		return 0;
	/* libbpf.c, bpf_object_load_prog(): said only where the verifier wrote something */
	if (strstr(format, "BEGIN PROG LOAD LOG"))
		has_verdict = true;
	if (log_size > LOG_SIZE / 2) {
		/* The end of a verifier log is what tells. */
		memmove(log_text, log_text + log_size / 2, log_size - log_size / 2);
		log_size -= log_size / 2;
	}
	va_copy(copy, args);
	log_size += text_vformat(log_text + log_size, LOG_SIZE - log_size, format, copy);
	va_end(copy);
	if (log_get_level() >= LOG_DEBUG)
		log_lines(format, args);
	return 0;
}

void libbpf_log_start(void)
{
	libbpf_set_print(keep_log);
}

const char *libbpf_log_text(void)
{
	return log_text;
}

int libbpf_log_error(int err)
{
	bool is_verdict = has_verdict;

	has_verdict = false;
	return err == -EACCES && is_verdict ? -EINVAL : err;
}

const char *libbpf_log_strerror(int err)
{
	return err == -ESRCH ? "no type information (BTF)" : strerror(-err);
}
