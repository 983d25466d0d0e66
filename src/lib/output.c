/* SPDX-License-Identifier: MIT */
#include "lib/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/parent.h"

/* The descriptor that /dev/stdout, /dev/fd/N or /proc/self/fd/N name, or -1. */
static int descriptor_of(const char *path)
{
	static const char *const dirs[] = { "/dev/fd/", "/proc/self/fd/" };

	if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		size_t size = strlen(dirs[i]);
		char *end;

		if (strncmp(path, dirs[i], size) != 0 || path[size] < '0' || path[size] > '9')
			continue;

		long fd = strtol(path + size, &end, 10);

		if (*end == '\0' && fd <= INT_MAX)
			return (int)fd;
	}
	return -1;
}

static int file_open_safely(const char *path)
{
	_cleanup_(cleanup_free) char *copy = strdup(path);
	bool is_ours = false;

	if (!copy)
		return -ENOMEM;

	_cleanup_(cleanup_fd) int dir = parent_open(path, O_PATH, &is_ours);

	if (dir < 0)
		return dir;

	const char *name = basename(copy);
	int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (is_ours ? 0 : O_NOFOLLOW);
	/* O_EXCL first: the mode of a new file is ours, that of an existing one is kept. */
	int fd = openat(dir, name, flags | O_CREAT | O_EXCL, 0600);

	if (fd < 0 && errno == EEXIST)
		fd = openat(dir, name, flags);
	if (fd < 0)
		return -errno;
	return fd;
}

int output_open(struct output *output, const char *path, const volatile sig_atomic_t *give_up)
{
	struct stat st;
	int fd = path ? descriptor_of(path) : STDOUT_FILENO;

	*output = (struct output){ .fd = -1, .give_up = give_up };
	if (path && *path == '\0')
		return -ENOENT;
	/* As open(2) has it; basename() would overlook the slash. */
	if (path && path[strlen(path) - 1] == '/')
		return -EISDIR;
	output->is_last = fd == STDOUT_FILENO;
	if (fd >= 0) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
	} else {
		fd = file_open_safely(path);
		if (fd < 0)
			return fd;
	}
	if (fstat(fd, &st) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	output->is_file = S_ISREG(st.st_mode);
	/* Now: who may not ask later still wants to know. */
	output->is_terminal = isatty(fd) == 1;
	/* A descriptor we were given may be appended to; a file we were named starts empty. */
	output->must_empty = output->is_file && path && descriptor_of(path) < 0;
	output->fd = fd;
	return 0;
}

bool output_wants_color(const struct output *output)
{
	const char *no_color = getenv("NO_COLOR");

	return output->is_terminal && !(no_color && *no_color);
}

void output_memory(struct output *output, struct output_text *text)
{
	*output = (struct output){ .fd = -1, .text = text };
}

static int text_add(struct output_text *text, const char *bytes, size_t size)
{
	if (size > text->cap - text->size) {
		size_t cap = 2 * (text->size + size);
		char *larger = realloc(text->bytes, cap);

		if (!larger)
			return -ENOMEM;
		text->bytes = larger;
		text->cap = cap;
	}
	if (size > 0)
		memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	return 0;
}

/* Writes what it can. Returns 0 or a negative errno; *RET_WRITTEN bytes are out in any case. */
static int write_all(struct output *output, const char *bytes, size_t size, size_t *ret_written)
{
	/* Whoever shares the descriptor may have made it non-blocking. */
	const struct timespec pause = { .tv_nsec = 1000000 };
	size_t written = 0;
	int err = 0;

	while (written < size) {
		ssize_t n = write(output->fd, bytes + written, size - written);

		if (n >= 0) {
			written += (size_t)n;
			continue;
		}
		if (errno == EAGAIN) {
			nanosleep(&pause, NULL);
		} else if (errno != EINTR) {
			err = -errno;
			break;
		}
		if (output->give_up && *output->give_up) {
			err = -EINTR;
			break;
		}
	}
	*ret_written = written;
	return err;
}

/* Takes WRITTEN bytes of a part back from the end of a file, which then stands alone. */
static void file_cut(struct output *output, size_t written)
{
	off_t at = output->is_file ? lseek(output->fd, 0, SEEK_CUR) : -1;
	size_t closed;

	if (at < (off_t)written || ftruncate(output->fd, at - (off_t)written) < 0)
		return;
	if (output->frame && lseek(output->fd, 0, SEEK_END) > 0)
		/* The room that was given back is enough for this. */
		write_all(output, output->frame->close, strlen(output->frame->close), &closed);
}

/*
 * Gives up the output, which took WRITTEN bytes of the present part and then said ERR: what follows
 * goes to standard output, unless that is what failed.
 */
static int fall_back(struct output *output, size_t written, int err)
{
	int fd;

	file_cut(output, written);
	fd = output->is_last ? -1 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err;
	close(output->fd);
	output->fd = fd;
	output->is_last = true;
	output->failed = true;
	output->error = err;
	output->is_file = false;
	return 0;
}

int output_write(struct output *output, const char *bytes, size_t size)
{
	size_t written;
	int err;

	if (output->text)
		return text_add(output->text, bytes, size);
	if (output->must_empty && ftruncate(output->fd, 0) < 0)
		return -errno;
	output->must_empty = false;
	err = write_all(output, bytes, size, &written);
	if (!err)
		output->has_parts = true;
	if (!err || err == -EPIPE || err == -EINTR)
		return err;
	err = fall_back(output, written, err);
	if (err)
		return err;
	/* The first part opens the frame itself. */
	if (output->frame && output->has_parts) {
		err = write_all(output, output->frame->open, strlen(output->frame->open), &written);
		if (err)
			return err;
		if (size > 0 && *bytes == output->frame->separator) {
			bytes++;
			size--;
		}
	}
	return write_all(output, bytes, size, &written);
}

int output_close(struct output *output)
{
	int err = 0;

	if (output->fd <= 2)
		return 0;
	if (output->is_file && fdatasync(output->fd) < 0 && errno != EINVAL && errno != EROFS)
		err = -errno;
	if (close(output->fd) < 0 && !err)
		err = -errno;
	output->fd = -1;
	return err;
}
