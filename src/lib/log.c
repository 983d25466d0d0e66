/* SPDX-License-Identifier: MIT */
#include "lib/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/utf8.h"

static enum log_level max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
}

enum log_level log_get_level(void)
{
	return max_level;
}

/* One write(2) a message: lines of several processes do not mix. */
static void write_all(const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDERR_FILENO, bytes, size);

		if (n <= 0)
			return;
		bytes += n;
		size -= (size_t)n;
	}
}

void log_message(enum log_level level, const char *format, ...)
{
	static const char *const names[] = {
		[LOG_ERROR] = "ERROR",
		[LOG_WARN] = "WARN",
		[LOG_INFO] = "INFO",
		[LOG_DEBUG] = "DEBUG",
	};
	char line[1024];
	struct timespec now;
	va_list args;
	struct tm tm;

	if (level > max_level)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);

	size_t used = strftime(line, sizeof(line), "[%Y-%m-%dT%H:%M:%S", &tm);
	int n = snprintf(line + used, sizeof(line) - used, ".%06ldZ] %s: ", now.tv_nsec / 1000,
			 names[level]);

	if (n > 0)
		used += (size_t)n;
	va_start(args, format);
	n = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	if (n > 0)
		used += (size_t)n < sizeof(line) - used - 1 ? (size_t)n : sizeof(line) - used - 2;
	line[used++] = '\n';
	write_all(line, used);
}

void error_report(const char *what, const char *detail, const char *action, const char *more)
{
	char text[72U << 10]; /* what libbpf and the verifier say has up to 64 KiB */
	size_t used = 0;
	const char *const parts[] = { what, detail, action, more };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		static const char *const leads[] = { "Error: ", "\n", "\n",
						     "\nFor more information: " };

		if (!parts[i])
			continue;

		int n = snprintf(text + used, sizeof(text) - used, "%s%s\n", leads[i], parts[i]);

		if (n < 0)
			break;
		used += (size_t)n;
		if (used >= sizeof(text)) {
			used = sizeof(text) - 1;
			break;
		}
	}
	write_all(text, used);
}

const char *log_quote(char out[static LOG_QUOTE_SIZE], const char *text)
{
	text_escape(out, LOG_QUOTE_SIZE, text, strlen(text));
	return out;
}
