/* SPDX-License-Identifier: MIT */
#include "proc/status.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/bytes.h"

/* The first field of /proc/PID/stat behind the name. */
#define STAT_STATE 3

/* Takes the number before which there may be blanks, at most MAX, from *TEXT. */
static bool take_number(const char **text, size_t *size, uint64_t max, uint64_t *ret)
{
	const char *at = *text, *end = *text + *size;
	uint64_t value = 0;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == end || *at < '0' || *at > '9')
		return false;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*text = at;
	*size = (size_t)(end - at);
	*ret = value;
	return true;
}

/* COUNT numbers of 32 bits. */
static bool parse_numbers(const char *value, size_t size, uint32_t *ret, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t number;

		if (!take_number(&value, &size, UINT32_MAX, &number))
			return false;
		ret[i] = (uint32_t)number;
	}
	return true;
}

/* proc_task_name() of the kernel writes newline and backslash as "\n" and "\\", nothing else. */
static void parse_name(const char *value, size_t size, char out[static STATUS_NAME_MAX + 1])
{
	size_t written = 0;

	if (size > 0 && *value == '\t') {
		value++;
		size--;
	}
	for (size_t at = 0; at < size && written < STATUS_NAME_MAX; at++) {
		char c = value[at];

		if (c == '\\' && at + 1 < size && (value[at + 1] == 'n' || value[at + 1] == '\\'))
			c = value[++at] == 'n' ? '\n' : '\\';
		out[written++] = c;
	}
	out[written] = '\0';
}

enum {
	HAS_NAME = 1,
	HAS_PPID = 2,
	HAS_UID = 4,
	HAS_GID = 8,
	HAS_THREADS = 16,
	HAS_ALL = 31
};

/* Takes one line. Returns which field it was, 0 for another, or -EBADMSG. */
static int take_line(const char *line, size_t size, struct status *status)
{
	const char *colon = memchr(line, ':', size);
	size_t key = colon ? (size_t)(colon - line) : 0;
	const char *value = line + key + 1;
	size_t value_size = size - key - 1;
	uint32_t pair[2];

	if (!colon)
		return 0;
	if (bytes_equal(line, key, "Name")) {
		parse_name(value, value_size, status->name);
		return HAS_NAME;
	}
	if (bytes_equal(line, key, "PPid"))
		return parse_numbers(value, value_size, &status->ppid, 1) ? HAS_PPID : -EBADMSG;
	if (bytes_equal(line, key, "Threads"))
		return parse_numbers(value, value_size, &status->nr_threads, 1) ? HAS_THREADS
										: -EBADMSG;
	if (!bytes_equal(line, key, "Uid") && !bytes_equal(line, key, "Gid"))
		return 0;
	if (!parse_numbers(value, value_size, pair, 2))
		return -EBADMSG;
	if (line[0] == 'U') {
		status->uid = pair[0];
		status->euid = pair[1];
		return HAS_UID;
	}
	status->gid = pair[0];
	status->egid = pair[1];
	return HAS_GID;
}

int status_parse(const char *text, size_t size, struct status *ret)
{
	struct status status = { 0 };
	int seen = 0;

	while (size > 0 && seen != HAS_ALL) {
		const char *newline = memchr(text, '\n', size);
		size_t line = newline ? (size_t)(newline - text) : size;
		int what = line > 0 ? take_line(text, line, &status) : 0;

		if (what < 0)
			return what;
		seen |= what;
		text += line + (newline != NULL);
		size -= line + (newline != NULL);
	}
	if (seen != HAS_ALL)
		return -EBADMSG;
	*ret = status;
	return 0;
}

int stat_number(const char *text, size_t size, int number, uint64_t *ret)
{
	/* "PID (NAME) STATE ...": the name may hold anything, what follows no bracket */
	const char *at = size > 0 ? memrchr(text, ')', size) : NULL;
	const char *end = text + size;

	if (!at)
		return -EBADMSG;
	/* AT is the byte behind a field, then the space behind the next */
	for (int field = STAT_STATE - 1; field < number; field++) {
		at = memchr(at + 1, ' ', (size_t)(end - at) - 1);
		if (!at)
			return -EBADMSG;
	}
	size = (size_t)(end - at);
	return take_number(&at, &size, UINT64_MAX, ret) ? 0 : -EBADMSG;
}

int stat_start_ticks(const char *text, size_t size, uint64_t *ret)
{
	return stat_number(text, size, STAT_START, ret);
}

const char *stat_name(const char *text, size_t size, size_t *ret_size)
{
	const char *begin = size > 0 ? memchr(text, '(', size) : NULL;
	const char *end = size > 0 ? memrchr(text, ')', size) : NULL;

	if (!begin || !end || end < begin)
		return NULL;
	*ret_size = (size_t)(end - begin - 1);
	return begin + 1;
}
