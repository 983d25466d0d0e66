/* SPDX-License-Identifier: MIT */
#include "support/capture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char text[CAPTURE_SIZE + 1];
static int captured_fd;
static int saved_fd;
static int read_fd;

static void die(const char *what)
{
	perror(what);
	abort();
}

void capture_begin(int fd)
{
	int ends[2];

	/* A pipe, so that limits on files and full disks do not matter. */
	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[1], F_SETPIPE_SZ, CAPTURE_SIZE) < 0)
		die("capture: pipe");
	fflush(NULL);
	saved_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (saved_fd < 0 || dup2(ends[1], fd) < 0)
		die("capture: dup");
	close(ends[1]);
	captured_fd = fd;
	read_fd = ends[0];
}

const char *capture_end(size_t *ret_size)
{
	size_t size = 0;
	ssize_t n;

	fflush(NULL);
	if (dup2(saved_fd, captured_fd) < 0)
		die("capture: dup");
	close(saved_fd);
	/* Others may hold the writing end still: what is there now is all. */
	if (fcntl(read_fd, F_SETFL, O_NONBLOCK) < 0)
		die("capture: fcntl");
	while ((n = read(read_fd, text + size, CAPTURE_SIZE - size)) > 0)
		size += (size_t)n;
	close(read_fd);
	text[size] = '\0';
	if (ret_size)
		*ret_size = size;
	return text;
}
