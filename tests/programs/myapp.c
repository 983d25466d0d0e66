/* SPDX-License-Identifier: MIT */
/*
 * The application of the troubleshooting example: looks for its certificate in a place where it is
 * not, finds it in another, and may not read the key.
 *
 * usage: myapp DIR
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char *const names[] = { "cert.pem", "server.crt", "server.key" };
	char path[PATH_MAX];
	int fd = -1;

	if (argc != 2)
		return 2;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			perror(path);
		else
			close(fd);
	}
	return fd < 0;
}
