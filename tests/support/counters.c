/* SPDX-License-Identifier: MIT */

/*
 * For `make coverage`: what a child executes counts although it may write no file. gcc has counters
 * in memory, which a program adds to its .gcda files when it ends, and a broker, a keeper or a
 * trial of a filter ends by _exit(2) or a signal, as nobody, behind a filter. So the counters,
 * which counters.ld gathers, are shared with every child from the start, and the test program
 * writes them. In other builds there are none, and this does nothing.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Their first byte, and the first one after them: both at the beginning of a page. */
extern char counters_begin[] __attribute__((weak));
extern char counters_end[] __attribute__((weak));

static void __attribute__((constructor)) share_counters(void)
{
	size_t size = (size_t)(counters_end - counters_begin);
	void *so_far;

	if (size == 0)
		return;
	so_far = malloc(size);
	if (so_far)
		memcpy(so_far, counters_begin, size);
	if (!so_far || mmap(counters_begin, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
		perror("share_counters");
		abort();
	}
	memcpy(counters_begin, so_far, size);
	free(so_far);
}
