/* SPDX-License-Identifier: MIT */
#include "lib/close_all.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define CLOSERS_MAX 8

/* What several threads close: each takes the next. */
struct closing {
	int next;
	int last;
};

/* The highest descriptor there is. */
static int highest(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int fd = 1023;

	if (!dir)
		return fd;
	/* That of the directory itself is gone by then. */
	for (fd = 0; (entry = readdir(dir)) != NULL;)
		if (atoi(entry->d_name) > fd)
			fd = atoi(entry->d_name);
	closedir(dir);
	return fd;
}

static void *close_some(void *ctx)
{
	struct closing *closing = ctx;

	for (;;) {
		int fd = __atomic_fetch_add(&closing->next, 1, __ATOMIC_RELAXED);

		if (fd > closing->last)
			return NULL;
		close(fd);
	}
}

void close_all(int first)
{
	struct closing closing = { .next = first, .last = highest() };
	pthread_t closers[CLOSERS_MAX - 1];
	size_t nr = 0;

	while (nr < CLOSERS_MAX - 1 &&
	       pthread_create(&closers[nr], NULL, close_some, &closing) == 0)
		nr++;
	close_some(&closing);
	for (size_t i = 0; i < nr; i++)
		pthread_join(closers[i], NULL);
}
