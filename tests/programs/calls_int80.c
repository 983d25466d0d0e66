/* SPDX-License-Identifier: MIT */
/*
 * usage: calls_int80 CALLS [PROGRAM]
 *
 * A 64-bit program that makes calls of i386, which are other calls with the same numbers: 20 is
 * getpid there and writev here. It executes PROGRAM in the same way. With x32's bit in its number a
 * call is one of x32, which few kernels have.
 */
#include "calls.h"

#include <string.h>
#include <sys/mman.h>

#ifdef __x86_64__
static long int80(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

/* What is passed has to be where 32 bits reach. */
static char *low_copy(const char *text)
{
	static char *at;
	char *copy;

	if (!at)
		at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (at == MAP_FAILED)
		fail("mmap");
	copy = at;
	memcpy(copy, text, strlen(text) + 1);
	at += (strlen(text) + 16) & ~15UL;
	return copy;
}

int main(int argc, char **argv)
{
	long nr_calls = argc > 1 ? atol(argv[1]) : 7;
	long result = 0;

	for (long i = 0; i < nr_calls; i++)
		result = int80(20, 0, 0, 0);
	if (result != getpid()) {
		/* A kernel without 32-bit programs. */
		printf("none\n");
		return 77;
	}
	make_calls(CALL_COMMAND, nr_calls);
	make_calls(0x40000000 | CALL_FORK, nr_calls);
	printf("i386 getpid %ld\n", nr_calls);
	printf("x86_64 getppid %ld\n", nr_calls);
	printf("x32 getpgid %ld\n", nr_calls);
	fflush(stdout);
	if (argc > 2) {
		unsigned int *words = (unsigned int *)(void *)low_copy("argument vector");
		char *program = low_copy(argv[2]);

		words[0] = (unsigned int)(unsigned long)program;
		words[1] = 0;
		int80(11, (long)program, (long)words, (long)(words + 1));
		fail("execve");
	}
	return 0;
}
#else
int main(void)
{
	printf("none\n");
	return 77;
}
#endif
