/* SPDX-License-Identifier: MIT */
/*
 * A process that does what its standard input says, one command a line, and answers each with a
 * line, so that a test knows when the act is done and by which pid. Words are separated by spaces;
 * "%41" stands for the byte 0x41.
 *
 *	open PATH               opens and closes: "success" or the name of the error
 *	openat DIR PATH         the same, with DIR opened before
 *	burst N PATH            opens PATH so many times
 *	series N DIR            opens DIR/1.pem to DIR/N.pem
 *	chdir DIR
 *	name NAME               the name of the process
 *	thread NAME PATH        a thread of that name opens PATH
 *	map FILE                maps it executable, as the dynamic linker does with a library
 *	run PROGRAM ARG...      runs it: its exit status, 128 + signal
 *	exec PROGRAM [ARG...]   becomes it; a puppet says "ready" again
 *	fork IN OUT             makes a child that serves these two FIFOs: its pid
 *	setuid UID
 *	alg TYPE NAME           binds an AF_ALG socket, or where the kernel has none another one
 *	                        that refuses such an address
 *	ktls VERSION CIPHER [rx] gives the kernel's TLS a key of zeros, for sending or receiving
 *	exit STATUS             no answer
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <linux/tls.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_SIZE (128U << 10)
#define WORDS_MAX     300

static const char *error_name(int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ 0, "success" },	{ ENOENT, "ENOENT" },
		{ EACCES, "EACCES" },	{ EPERM, "EPERM" },
		{ ELOOP, "ELOOP" },	{ ENOTDIR, "ENOTDIR" },
		{ EISDIR, "EISDIR" },	{ ENAMETOOLONG, "ENAMETOOLONG" },
		{ ENOEXEC, "ENOEXEC" },
	};
	static char number[16];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].err == err)
			return names[i].name;
	snprintf(number, sizeof(number), "%d", err);
	return number;
}

/* Reads one line without its end. Byte by byte: what follows may be for the program it becomes. */
static bool line_read(int fd, char *line)
{
	size_t size = 0;

	for (;;) {
		ssize_t n = read(fd, line + size, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || size == LINE_MAX_SIZE - 1)
			return false;
		if (line[size] == '\n') {
			line[size] = '\0';
			return true;
		}
		size++;
	}
}

static int digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static void decode(char *word)
{
	char *out = word;

	for (; *word; out++, word++) {
		*out = *word;
		if (*word == '%' && word[1] && word[2]) {
			*out = (char)(digit(word[1]) << 4 | digit(word[2]));
			word += 2;
		}
	}
	*out = '\0';
}

static size_t split(char *line, char *words[static WORDS_MAX])
{
	size_t count = 0;
	char *rest = line;
	char *word;

	while ((word = strsep(&rest, " ")) && count < WORDS_MAX - 1) {
		decode(word);
		words[count++] = word;
	}
	words[count] = NULL;
	return count;
}

static int open_once(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int open_below(const char *dir, const char *path)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = open_once(fd, path);
	close(fd);
	return err;
}

/* Returns 0, also where there are no such files. */
static int open_series(int count, const char *dir)
{
	char path[4096];

	for (int i = 1; i <= count; i++) {
		snprintf(path, sizeof(path), "%s/%d.pem", dir, i);
		open_once(AT_FDCWD, path);
	}
	return 0;
}

static int map_executable(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *memory;

	if (fd < 0)
		return errno;
	memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? errno : 0;
}

static void *thread_main(void *ctx)
{
	char **words = ctx;

	prctl(PR_SET_NAME, words[1], 0, 0, 0);
	open_once(AT_FDCWD, words[2]);
	return NULL;
}

static int run_thread(char **words)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, thread_main, words);

	return err ? err : pthread_join(thread, NULL);
}

static int run_program(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The child goes on in serve() with the FIFOs; opening them waits for the other side. */
static pid_t fork_puppet(const char *in, const char *out, int *fds)
{
	pid_t pid = fork();

	if (pid == 0) {
		fds[0] = open(in, O_RDONLY);
		fds[1] = open(out, O_WRONLY);
		if (fds[0] < 0 || fds[1] < 0)
			_exit(1);
	}
	return pid;
}

static int bind_algorithm(const char *type, const char *name)
{
	/* Since 4.12 a name may be longer than there is room for in struct sockaddr_alg. */
	union {
		struct sockaddr_alg alg;
		char bytes[128];
	} address = { .alg = { .salg_family = AF_ALG } };
	size_t name_at = offsetof(struct sockaddr_alg, salg_name);
	size_t size = name_at + strlen(name) + 1;
	int fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	snprintf((char *)address.alg.salg_type, sizeof(address.alg.salg_type), "%s", type);
	snprintf(address.bytes + name_at, sizeof(address) - name_at, "%s", name);
	if (size < sizeof(address.alg))
		size = sizeof(address.alg);
	if (size > sizeof(address))
		size = sizeof(address);
	if (bind(fd, (struct sockaddr *)&address, (socklen_t)size))
		err = errno;
	close(fd);
	return err;
}

static int give_key(const char *version, const char *cipher, int direction)
{
	struct tls12_crypto_info_aes_gcm_256 key = {
		.info = { .version = (uint16_t)strtoul(version, NULL, 0),
			  .cipher_type = (uint16_t)strtoul(cipher, NULL, 0) },
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return errno;
	if (setsockopt(fd, SOL_TLS, direction, &key, sizeof(key)))
		err = errno;
	close(fd);
	return err;
}

/* Commands that answer with "success" or an error. Returns the error, -1 for an unknown command. */
static int act(char **words, size_t nr_words)
{
	const char *verb = words[0];

	if (strcmp(verb, "open") == 0 && nr_words == 2)
		return open_once(AT_FDCWD, words[1]);
	if (strcmp(verb, "openat") == 0 && nr_words == 3)
		return open_below(words[1], words[2]);
	if (strcmp(verb, "chdir") == 0 && nr_words == 2)
		return chdir(words[1]) ? errno : 0;
	if (strcmp(verb, "name") == 0 && nr_words == 2)
		return prctl(PR_SET_NAME, words[1], 0, 0, 0) ? errno : 0;
	if (strcmp(verb, "thread") == 0 && nr_words == 3)
		return run_thread(words);
	if (strcmp(verb, "map") == 0 && nr_words == 2)
		return map_executable(words[1]);
	if (strcmp(verb, "setuid") == 0 && nr_words == 2)
		return setuid((uid_t)atoi(words[1])) ? errno : 0;
	if (strcmp(verb, "burst") == 0 && nr_words == 3) {
		for (int i = atoi(words[1]); i > 0; i--)
			open_once(AT_FDCWD, words[2]);
		return 0;
	}
	if (strcmp(verb, "series") == 0 && nr_words == 3)
		return open_series(atoi(words[1]), words[2]);
	if (strcmp(verb, "alg") == 0 && nr_words == 3)
		return bind_algorithm(words[1], words[2]);
	if (strcmp(verb, "ktls") == 0 && nr_words == 3)
		return give_key(words[1], words[2], TLS_TX);
	if (strcmp(verb, "ktls") == 0 && nr_words == 4 && strcmp(words[3], "rx") == 0)
		return give_key(words[1], words[2], TLS_RX);
	if (strcmp(verb, "exec") == 0 && nr_words >= 2) {
		execvp(words[1], words + 1);
		return errno;
	}
	return -1;
}

static void serve(int fds[2])
{
	static char line[LINE_MAX_SIZE];
	char *words[WORDS_MAX];

	dprintf(fds[1], "ready %d\n", getpid());
	while (line_read(fds[0], line)) {
		size_t nr_words = split(line, words);
		int err;

		if (strcmp(words[0], "exit") == 0) {
			_exit(nr_words > 1 ? atoi(words[1]) : 0);
		} else if (strcmp(words[0], "run") == 0 && nr_words > 1) {
			dprintf(fds[1], "%d\n", run_program(words + 1));
		} else if (strcmp(words[0], "fork") == 0 && nr_words == 3) {
			int out = fds[1];
			pid_t pid = fork_puppet(words[1], words[2], fds);

			dprintf(pid ? out : fds[1], pid ? "%d\n" : "ready %d\n",
				pid ? pid : getpid());
		} else {
			err = act(words, nr_words);
			dprintf(fds[1], "%s\n", err < 0 ? "what?" : error_name(err));
		}
	}
}

int main(void)
{
	int fds[2] = { STDIN_FILENO, STDOUT_FILENO };

	serve(fds);
	return 0;
}
