/* SPDX-License-Identifier: MIT */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define ROOM_MIN (64U << 10)

/* How much room to begin with for what FD is, or a negative errno. */
static ssize_t room_of(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		return ROOM_MIN;
	if (!S_ISREG(st.st_mode))
		return -ENODEV;
	if (st.st_size > 0 && (size_t)st.st_size > max)
		return -EFBIG;
	/* those of /proc say 0; one more shows the end without growing */
	return st.st_size > 0 ? (ssize_t)st.st_size + 1 : ROOM_MIN;
}

/* Reads up to ROOM bytes, waiting for some. Returns how many, 0 at the end, or a negative errno. */
static ssize_t read_some(int fd, char *bytes, size_t room)
{
	for (;;) {
		ssize_t n = read(fd, bytes, room);

		if (n >= 0)
			return n;
		/* whoever shares standard input may have made it non-blocking */
		if (errno == EAGAIN)
			poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
		else if (errno != EINTR)
			return -errno;
	}
}

/* Reads to the end of FD. Returns 0 or a negative errno; *BYTES, of ROOM, may have been moved. */
static int read_all(int fd, size_t max, char **bytes, size_t room, size_t *ret_size)
{
	size_t size = 0;

	for (;;) {
		ssize_t n;

		if (size == room) {
			char *larger = realloc(*bytes, 2 * room + 1);

			if (!larger)
				return -ENOMEM;
			*bytes = larger;
			room *= 2;
		}
		n = read_some(fd, *bytes + size, room - size);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > max)
			return -EFBIG;
	}
	(*bytes)[size] = '\0';
	*ret_size = size;
	return 0;
}

int file_read_fd(int fd, size_t max, char **ret, size_t *ret_size)
{
	ssize_t room = room_of(fd, max);
	char *bytes;
	int err;

	if (room < 0)
		return (int)room;
	bytes = malloc((size_t)room + 1);
	if (!bytes)
		return -ENOMEM;
	err = read_all(fd, max, &bytes, (size_t)room, ret_size);
	if (err) {
		free(bytes);
		return err;
	}
	*ret = bytes;
	return 0;
}

int file_open(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_size)
{
	_cleanup_(cleanup_fd) int fd = file_open(path);

	return fd < 0 ? fd : file_read_fd(fd, max, ret, ret_size);
}

/* OFFSET below 0: from where FD stands. */
static ssize_t fill(int fd, char *out, size_t size, off_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = offset < 0 ? read(fd, out + done, size - done)
				       : pread(fd, out + done, size - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t file_fill(int fd, void *out, size_t size)
{
	return fill(fd, out, size, -1);
}

ssize_t file_fill_at(int fd, void *out, size_t size, uint64_t offset)
{
	return fill(fd, out, size, (off_t)offset);
}

int file_write_fd(int fd, const void *bytes, size_t size)
{
	for (size_t written = 0; written < size;) {
		ssize_t n = write(fd, (const char *)bytes + written, size - written);

		if (n < 0 && errno != EINTR)
			return -errno;
		written += n > 0 ? (size_t)n : 0;
	}
	return 0;
}
