/* SPDX-License-Identifier: MIT */
#include "syscalls/live.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "catalogue/codes.h"
#include "lib/stop.h"
#include "lib/utf8.h"
#include "syscalls/phrases.h"

/* SGR parameters, ECMA-48. */
#define COLOR_WHO   "36"
#define COLOR_NAME  "1"
#define COLOR_ERROR "31"

#define COMM_SIZE   16
/* A reader that does not read is waited for as one of a blocking descriptor is. */
#define WAIT_MS 1000
/* Of a comm when each byte is escaped. */
#define COMM_TEXT_SIZE (COMM_SIZE * 6 + 1)
#define MAX_ERRNO      4095

struct line {
	char *out;
	size_t size;
	bool has_color;
};

static void __attribute__((format(printf, 2, 3))) add(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->size +=
		text_vformat(line->out + line->size, LIVE_LINE_MAX - line->size, format, args);
	va_end(args);
}

static void add_colored(struct line *line, const char *color, const char *text)
{
	if (line->has_color)
		add(line, "\033[%sm%s\033[0m", color, text);
	else
		add(line, "%s", text);
}

/* "ipp": a 32-bit number and two pointers; or NULL. */
static const char *arguments_of(const char *name)
{
	static const struct {
		const char *name, *kinds;
	} table[] = {
#define ARGUMENTS(name, kinds) { #name, kinds },
#include "arguments.def"
#undef ARGUMENTS
	};
	size_t low = 0, high = sizeof(table) / sizeof(table[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, table[middle].name);

		if (order == 0)
			return table[middle].kinds;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static void add_arguments(struct line *line, const struct engine_call *call)
{
	const char *name = syscall_name(call->arch, call->nr);
	const char *kinds = name ? arguments_of(name) : NULL;
	size_t nr = kinds ? strlen(kinds) : 6;

	for (size_t i = 0; i < nr && i < 6; i++) {
		uint64_t value = call->args[i];

		/* The rest of the register is not part of the argument. */
		if (kinds && kinds[i] == 'i')
			value = (uint32_t)value;
		add(line, "%s0x%" PRIx64, i ? ", " : "", value);
	}
}

/* Of results that only tracers see: the call begins anew (include/linux/errno.h). */
static const char *restart_name(int64_t error)
{
	switch (error) {
	case 512:
		return "ERESTARTSYS";
	case 513:
		return "ERESTARTNOINTR";
	case 514:
		return "ERESTARTNOHAND";
	case 516:
		return "ERESTART_RESTARTBLOCK";
	default:
		return NULL;
	}
}

static void add_error(struct line *line, int64_t error)
{
	const char *name = code_name(&errno_codes, (uint64_t)error);
	char text[48];

	if (!name)
		name = restart_name(error);
	if (name)
		snprintf(text, sizeof(text), "-%s", name);
	else
		snprintf(text, sizeof(text), "-%" PRId64, error);
	add_colored(line, COLOR_ERROR, text);
}

static void add_result(struct line *line, const struct engine_call *call)
{
	if (!call->has_result)
		add(line, "?");
	else if (call->result < 0 && call->result >= -MAX_ERRNO)
		add_error(line, -call->result);
	else if (call->result > INT32_MAX || call->result < 0)
		add(line, "0x%" PRIx64, (uint64_t)call->result);
	else
		add(line, "%" PRId64, call->result);
}

size_t live_render(const struct engine_call *call, bool has_color, char out[static LIVE_LINE_MAX])
{
	struct line line = { .out = out, .has_color = has_color };
	char comm[COMM_TEXT_SIZE], who[COMM_TEXT_SIZE + 32], name[PHRASE_SIZE];

	text_escape(comm, sizeof(comm), call->comm, strnlen(call->comm, COMM_SIZE));
	if (call->tid == call->pid)
		snprintf(who, sizeof(who), "[%d %s]", call->pid, comm);
	else
		snprintf(who, sizeof(who), "[%d:%d %s]", call->pid, call->tid, comm);
	add_colored(&line, COLOR_WHO, who);
	add(&line, " ");
	add_colored(&line, COLOR_NAME, phrase_call(name, call->arch, call->nr));
	add(&line, "(");
	add_arguments(&line, call);
	add(&line, ") = ");
	add_result(&line, call);
	add(&line, "\n");
	return line.size;
}

void live_flush(struct live *live)
{
	for (size_t written = 0; written < live->size;) {
		ssize_t n = write(live->fd, live->buffer + written, live->size - written);

		/* whoever shares the descriptor may have made it non-blocking */
		if (n < 0 && errno == EAGAIN && !stop_signal())
			poll(&(struct pollfd){ .fd = live->fd, .events = POLLOUT }, 1, WAIT_MS);
		else if (n < 0 && errno != EINTR)
			break;
		written += n > 0 ? (size_t)n : 0;
	}
	live->size = 0;
}

void live_print(struct live *live, const struct engine_call *call)
{
	if (sizeof(live->buffer) - live->size < LIVE_LINE_MAX)
		live_flush(live);
	live->size += live_render(call, live->has_color, live->buffer + live->size);
}
