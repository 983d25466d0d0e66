/* SPDX-License-Identifier: MIT */
#include "lib/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void lines_begin(struct lines *lines, int fd, uint64_t limit)
{
	/* the bytes are left as they are: clearing them would cost more than many a file */
	lines->fd = fd;
	lines->is_end = false;
	lines->is_long = false;
	lines->is_cut = false;
	lines->nr_long = 0;
	lines->left = limit;
	lines->at = 0;
	lines->end = 0;
}

/* Reads what fits behind what is there. Returns 0 or a negative errno. */
static int fill(struct lines *lines)
{
	size_t room = LINES_SIZE - lines->end;
	ssize_t n;

	if (lines->left == 0) {
		char byte;

		lines->is_cut = read(lines->fd, &byte, 1) == 1;
		lines->is_end = true;
		return 0;
	}
	if (room > lines->left)
		room = (size_t)lines->left;
	do {
		n = read(lines->fd, lines->bytes + lines->end, room);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	lines->is_end = n == 0;
	lines->left -= (uint64_t)n;
	lines->end += (size_t)n;
	return 0;
}

/* Makes room for more of a line that is not complete. */
static void make_room(struct lines *lines)
{
	size_t size = lines->end - lines->at;

	if (lines->is_long || size == LINES_SIZE) {
		lines->nr_long += !lines->is_long;
		lines->is_long = true;
		size = 0;
	} else if (lines->at > 0) {
		memmove(lines->bytes, lines->bytes + lines->at, size);
	}
	lines->at = 0;
	lines->end = size;
}

/* The line that ends at END, of which the next one begins at NEXT. False: it is to be skipped. */
static bool hand_out(struct lines *lines, size_t end, size_t next, const char **ret,
		     size_t *ret_size)
{
	bool is_long = lines->is_long;

	if (!is_long) {
		*ret = lines->bytes + lines->at;
		*ret_size = end - lines->at;
	}
	lines->at = next;
	lines->is_long = false;
	return !is_long;
}

int lines_next(struct lines *lines, const char **ret, size_t *ret_size)
{
	size_t searched = 0; /* bytes behind AT that hold no newline */

	for (;;) {
		size_t from = lines->at + searched;
		const char *newline = memchr(lines->bytes + from, '\n', lines->end - from);

		if (newline) {
			size_t end = (size_t)(newline - lines->bytes);

			searched = 0;
			if (hand_out(lines, end, end + 1, ret, ret_size))
				return 1;
			continue;
		}
		if (lines->is_end) {
			bool is_there = lines->at < lines->end &&
					hand_out(lines, lines->end, lines->end, ret, ret_size);

			return is_there;
		}
		make_room(lines);
		searched = lines->end;

		int err = fill(lines);

		if (err)
			return err;
	}
}
