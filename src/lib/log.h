/* SPDX-License-Identifier: MIT */
#ifndef LIB_LOG_H
#define LIB_LOG_H

/*
 * Messages to people, on standard error: "[2026-11-21T09:00:00.123456Z] INFO: text". A function
 * logs or returns its error, never both; only cmd/, main.c and trace/session.c log. Strings that
 * are not ours go through log_quote() first.
 */

#include <stdarg.h>
#include <stddef.h>

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG,
};

/* Messages above LEVEL are dropped. The default is LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_message(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)

/*
 * An error that ends the program, in the form every such error has: what happened, why, what to do
 * about it, where to read on. DETAIL, ACTION and MORE may be NULL. Not dropped by --quiet.
 */
void error_report(const char *what, const char *detail, const char *action, const char *more);

#define LOG_QUOTE_SIZE 256

/* Makes the foreign string TEXT safe for a terminal, in OUT. Returns OUT. */
const char *log_quote(char out[static LOG_QUOTE_SIZE], const char *text);

#endif /* LIB_LOG_H */
