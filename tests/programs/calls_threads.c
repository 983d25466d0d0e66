/* SPDX-License-Identifier: MIT */
/*
 * usage: calls_threads THREADS CALLS
 *
 * Makes threads with two start routines, half of them from other threads, each of which makes
 * calls, and says where the routines begin: ENTRY FILE+0xOFFSET COUNT, by its own mappings.
 */
#include "calls.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

static long nr_calls;

static void *leaf(void *unused)
{
	make_calls(CALL_THREAD, nr_calls);
	return unused;
}

static void *branch(void *unused)
{
	pthread_t thread;

	make_calls(CALL_THREAD, nr_calls);
	if (pthread_create(&thread, NULL, leaf, NULL))
		fail("pthread_create");
	pthread_join(thread, NULL);
	return unused;
}

/* Prints where ADDRESS is in its file. */
static void say_entry(uintptr_t address, long count)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uintptr_t start, end;
	unsigned long offset;
	char line[4400], path[4096];

	if (!maps)
		fail("maps");
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %lx %*s %*s %4095[^\n]", &start,
			   &end, &offset, path) == 4 &&
		    address >= start && address < end)
			printf("entry %s+0x%lx %ld\n", path + strspn(path, " "),
			       offset + (address - start), count);
	fclose(maps);
}

int main(int argc, char **argv)
{
	long nr_threads = argc > 1 ? atol(argv[1]) : 4;
	pthread_t *threads = calloc((size_t)nr_threads, sizeof(*threads));

	nr_calls = argc > 2 ? atol(argv[2]) : 10;
	make_calls(CALL_COMMAND, nr_calls);
	for (long i = 0; i < nr_threads; i++)
		if (pthread_create(&threads[i], NULL, branch, NULL))
			fail("pthread_create");
	for (long i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
	printf("command getppid %ld\n", nr_calls);
	printf("thread getpriority %ld\n", 2 * nr_threads * nr_calls);
	say_entry((uintptr_t)branch, nr_threads);
	say_entry((uintptr_t)leaf, nr_threads);
	free(threads);
	return 0;
}
