/* SPDX-License-Identifier: MIT */
/*
 * Has things open and mapped until it is killed; says "ready" once it has them all.
 *
 *	open PATH       for reading: a file, a FIFO, a device or a directory
 *	write PATH      for writing
 *	map PATH        mapped executable, and not open
 *	data PATH       mapped for reading alone, and not open
 *	socket PATH     listens there
 *	unlink PATH
 *	chdir PATH
 *	root PATH       is its root from then on
 *
 * usage: hold [VERB PATH]...
 */
#include "../support/trigger.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static void map(const char *path, int protection)
{
	int fd = (int)must(open(path, O_RDONLY));

	if (mmap(NULL, 4096, protection, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		die("mmap %s", path);
	close(fd);
}

static void listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));

	if (strlen(path) >= sizeof(address.sun_path))
		die("too long: %s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	must(bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	must(listen(fd, 1));
}

static void act(const char *verb, const char *path)
{
	if (strcmp(verb, "open") == 0) {
		must(open(path, O_RDONLY | O_NONBLOCK));
	} else if (strcmp(verb, "write") == 0) {
		must(open(path, O_WRONLY | O_NONBLOCK));
	} else if (strcmp(verb, "map") == 0) {
		map(path, PROT_READ | PROT_EXEC);
	} else if (strcmp(verb, "data") == 0) {
		map(path, PROT_READ);
	} else if (strcmp(verb, "socket") == 0) {
		listen_at(path);
	} else if (strcmp(verb, "unlink") == 0) {
		must(unlink(path));
	} else if (strcmp(verb, "chdir") == 0) {
		must(chdir(path));
	} else if (strcmp(verb, "root") == 0) {
		must(chroot(path));
		must(chdir("/"));
	} else {
		die("what is %s?", verb);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2)
		act(argv[i], argv[i + 1]);
	printf("ready\n");
	fclose(stdout);
	for (;;)
		pause();
}
