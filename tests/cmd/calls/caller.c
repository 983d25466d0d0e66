/* SPDX-License-Identifier: MIT */
/*
 * Calls functions of a library. Its arguments say what, one after the other:
 *
 *	load:PATH        the library that is called from then on
 *	list:TEXT        SSL_CTX_set_cipher_list(TEXT)
 *	file:TEXT        SSL_CTX_load_verify_locations(TEXT)
 *	verify:RESULT    X509_verify_cert(), which returns RESULT
 *	read:N write:N   SSL_read() or SSL_write(), so many times
 *	storm:MS         SSL_CTX_set_cipher_list() as often as it can in so much CPU time
 *	sum:MS           the same with SSL_read(); then a checksum, and how many calls that were
 *	sleep:MS
 *	await:PATH       until that is there
 *	fork:WORD        what follows until WORD is done by a child, which is waited for
 *	wait             says "ready" and waits for a line
 *	exec:PROGRAM     becomes it, with the arguments that follow
 *	tell:TEXT        prints it
 *
 * At the end it prints how often it called SSL_CTX_set_cipher_list(), and ends with status 0.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
	int (*list)(void *context, const char *text);
	int (*file)(void *context, const char *file, const char *dir);
	int (*read)(void *ssl);
	int (*write)(void *ssl);
	int (*verify)(void *context, int result);
} library;

static unsigned long lists;

static void *find(void *handle, const char *name)
{
	void *function = dlsym(handle, name);

	if (!function) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return function;
}

static void load(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	*(void **)&library.list = find(handle, "SSL_CTX_set_cipher_list");
	*(void **)&library.file = find(handle, "SSL_CTX_load_verify_locations");
	*(void **)&library.read = find(handle, "SSL_read");
	*(void **)&library.write = find(handle, "SSL_write");
	*(void **)&library.verify = find(handle, "X509_verify_cert");
}

static long ms_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How long it has run: the time in which it waits for a CPU does not count. */
static long run_ms(void)
{
	return ms_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void call_list(const char *text)
{
	library.list(NULL, text);
	lists++;
}

static void storm(long ms)
{
	for (long end = run_ms() + ms; run_ms() < end;)
		for (int i = 0; i < 1000; i++)
			call_list("STORM");
}

/* Whatever is done to the program meanwhile, it counts right. */
static void sum(long ms)
{
	unsigned long rounds = 0;
	unsigned long total = 0;
	long began = ms_of(CLOCK_MONOTONIC);

	for (long end = run_ms() + ms; run_ms() < end; rounds++)
		for (int i = 0; i < 1000; i++)
			total += (unsigned long)library.read(NULL) + (unsigned long)i;
	printf("sum %s\n", total == rounds * (1000 + 499500) ? "right" : "wrong");
	printf("calls: %lu\n", rounds * 1000);
	printf("a second: %lu\n",
	       rounds * 1000000 / (unsigned long)(ms_of(CLOCK_MONOTONIC) - began + 1));
}

static void wait_for_line(void)
{
	char line[64];

	printf("ready\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

/* Does what follows in a child. Returns the argument behind that. */
static char **do_forked(char **argv, const char *end);

static char **do_one(char **argv)
{
	char *value = strchr(*argv, ':');
	size_t size = value ? (size_t)(value - *argv) : strlen(*argv);
	long number = value ? atol(value + 1) : 0;

#define IS(word) (size == sizeof(word) - 1 && memcmp(*argv, word, size) == 0)
	if (IS("load"))
		load(value + 1);
	else if (IS("list"))
		call_list(value + 1);
	else if (IS("file"))
		library.file(NULL, value + 1, NULL);
	else if (IS("verify"))
		library.verify(NULL, (int)number);
	else if (IS("read"))
		while (number-- > 0)
			library.read(NULL);
	else if (IS("write"))
		while (number-- > 0)
			library.write(NULL);
	else if (IS("storm"))
		storm(number);
	else if (IS("sum"))
		sum(number);
	else if (IS("sleep"))
		usleep((useconds_t)number * 1000);
	else if (IS("await"))
		while (access(value + 1, F_OK) != 0)
			usleep(10000);
	else if (IS("fork"))
		return do_forked(argv + 1, value + 1);
	else if (IS("wait"))
		wait_for_line();
	else if (IS("exec"))
		execv(value + 1, argv);
	else if (IS("tell"))
		printf("%s\n", value + 1);
	else
		exit(2);
	fflush(stdout);
	return argv + 1;
}

static char **do_forked(char **argv, const char *end)
{
	pid_t pid = fork();

	while (*argv && strcmp(*argv, end) != 0)
		argv = pid ? argv + 1 : do_one(argv);
	if (pid == 0)
		exit(0);
	waitpid(pid, NULL, 0);
	return *argv ? argv + 1 : argv;
}

int main(int argc, char **argv)
{
	(void)argc;
	for (argv++; *argv;)
		argv = do_one(argv);
	printf("%lu\n", lists);
	return 0;
}
