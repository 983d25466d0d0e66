/* SPDX-License-Identifier: MIT */
#include "lib/window.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* Small pieces are read with what follows them: headers and tables lie together. */
#define WINDOW_STEP (16U << 10)

int window_open(struct window *window, int fd, uint64_t size, uint64_t budget)
{
	uint8_t *buffer = malloc(WINDOW_SIZE);

	if (!buffer)
		return -ENOMEM;
	*window = (struct window){
		.fd = fd,
		.size = size,
		.budget = budget,
		.buffer = buffer,
	};
	return 0;
}

void window_memory(struct window *window, const void *bytes, size_t size)
{
	*window = (struct window){ .fd = -1, .bytes = bytes, .size = size };
}

void window_close(struct window *window)
{
	free(window->buffer);
	*window = (struct window){ .fd = -1 };
}

/* Fills the buffer from OFFSET with WANTED bytes, or with what the file and the budget have. */
static void window_fill(struct window *window, uint64_t offset, size_t wanted)
{
	uint64_t left = window->size - offset;

	if (wanted > left)
		wanted = (size_t)left;
	if (wanted > window->budget)
		wanted = (size_t)window->budget;
	window->at = offset;
	window->filled = 0;
	while (window->filled < wanted) {
		ssize_t got = pread(window->fd, window->buffer + window->filled,
				    wanted - window->filled, (off_t)(offset + window->filled));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		window->filled += (size_t)got;
		window->budget -= (uint64_t)got;
	}
}

static bool window_holds(const struct window *window, uint64_t offset, size_t size)
{
	return offset >= window->at && offset - window->at <= window->filled &&
	       size <= window->filled - (offset - window->at);
}

const void *window_get(struct window *window, uint64_t offset, size_t size)
{
	if (size > WINDOW_SIZE || offset >= window->size || size > window->size - offset)
		return NULL;
	if (window->bytes)
		return window->bytes + offset;
	if (!window->buffer)
		return NULL;
	if (!window_holds(window, offset, size))
		window_fill(window, offset, size < WINDOW_STEP ? WINDOW_STEP : size);
	return window_holds(window, offset, size) ? window->buffer + (offset - window->at) : NULL;
}

const void *window_some(struct window *window, uint64_t offset, size_t *ret_size)
{
	if (offset >= window->size)
		return NULL;

	uint64_t left = window->size - offset;
	size_t size = left < WINDOW_SIZE ? (size_t)left : WINDOW_SIZE;

	if (window->bytes) {
		*ret_size = size;
		return window->bytes + offset;
	}
	if (!window->buffer)
		return NULL;
	if (!window_holds(window, offset, size)) {
		window_fill(window, offset, size);
		size = window->filled;
	}
	if (!size)
		return NULL;
	*ret_size = size;
	return window->buffer + (offset - window->at);
}
