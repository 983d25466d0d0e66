/* SPDX-License-Identifier: MIT */
#include "cmd/patch_files.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/opener.h"
#include "lib/cleanup.h"
#include "syscalls/loader.h"
#include "syscalls/object.h"

enum patch_verb {
	PATCH_PROGRAM = OPENER_VERB_OWN,
	PATCH_OBJECT,
	PATCH_COPY,
	PATCH_PUBLISH,
};

/* In the first process. */
struct patch_files {
	const struct options *options;
	int program; /* -1: not yet */
	struct patch_output output;
	bool has_output;
};

static int open_plainly(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static int duplicate(int fd, int *ret_fd)
{
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *ret_fd < 0 ? -errno : 0;
}

static int serve_program(struct patch_files *files, struct opener_answer *answer, int *ret_fd)
{
	const char *path = files->options->files[0];
	_cleanup_(cleanup_free) char *real = NULL;
	int fd = open_plainly(path);

	if (fd < 0)
		return fd;
	close_fd(&files->program);
	files->program = fd;
	real = realpath(path, NULL);
	if (!real)
		return -errno;
	if (strlen(real) >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(answer->bytes, real, strlen(real) + 1);
	return duplicate(fd, ret_fd);
}

/* Nothing but programs, libraries and the cache is handed over, whatever the path. */
static int serve_object(const char *path, int *ret_fd)
{
	_cleanup_(cleanup_fd) int fd = open_plainly(path);
	char magic[SELFMAG];
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	if (strcmp(path, LOADER_CACHE_PATH) != 0 &&
	    (pread(fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
	     memcmp(magic, ELFMAG, SELFMAG) != 0))
		return -ENOEXEC;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int serve_copy(struct patch_files *files, int *ret_fd)
{
	int err;

	if (files->has_output)
		return -EBUSY;
	err = patch_output_open(&files->output, files->options->output, false);
	if (err)
		return err;
	files->has_output = true;
	return duplicate(files->output.fd, ret_fd);
}

static int serve_publish(struct patch_files *files, struct opener_answer *answer)
{
	struct patch_files_result result = { 0 };
	struct patch_output *output = &files->output;
	int err;

	_Static_assert(sizeof(result) <= OPENER_BYTES_MAX, "it fits");
	if (!files->has_output || files->program < 0)
		return -EINVAL;
	err = patch_output_keep(output, files->program, result.what);
	if (!err) {
		result.what[0] = '\0';
		err = patch_output_publish(output);
	}
	result.lost_owner = output->lost_owner;
	result.lost_attributes = output->lost_attributes;
	result.lost_signature = output->lost_signature;
	memcpy(answer->bytes, &result, sizeof(result));
	return err;
}

static int serve(void *ctx, const struct opener_request *request, struct opener_answer *answer,
		 int *ret_fd)
{
	switch (request->verb) {
	case PATCH_PROGRAM:
		return serve_program(ctx, answer, ret_fd);
	case PATCH_OBJECT:
		return serve_object(request->path, ret_fd);
	case PATCH_COPY:
		return serve_copy(ctx, ret_fd);
	case PATCH_PUBLISH:
		return serve_publish(ctx, answer);
	default:
		return -ENOSYS;
	}
}

/* What VERB gives for PATH, in ANSWER. Returns the descriptor or a negative errno. */
static int ask_fd(enum patch_verb verb, const char *path, struct opener_answer *answer)
{
	int fd = -1;
	int err = opener_ask(verb, 0, path, answer, &fd);

	if (err)
		return err;
	return fd < 0 ? -EMFILE : fd;
}

static int ask_object(const char *path)
{
	struct opener_answer answer;

	return ask_fd(PATCH_OBJECT, path, &answer);
}

bool patch_files_enter(const struct options *options, int *ret_status)
{
	struct patch_files files = { .options = options, .program = -1 };

	if (opener_enter(options, serve, &files, ret_status)) {
		object_opener = ask_object;
		return true;
	}
	cleanup_fd(&files.program);
	if (files.has_output)
		patch_output_close(&files.output);
	return false;
}

int patch_files_program(char ret_path[static PATH_MAX])
{
	struct opener_answer answer;
	int fd = ask_fd(PATCH_PROGRAM, NULL, &answer);

	if (fd < 0)
		return fd;
	memcpy(ret_path, answer.bytes, PATH_MAX);
	return fd;
}

int patch_files_copy(void)
{
	struct opener_answer answer;

	return ask_fd(PATCH_COPY, NULL, &answer);
}

int patch_files_publish(struct patch_files_result *ret)
{
	struct opener_answer answer = { 0 };
	int err = opener_ask(PATCH_PUBLISH, 0, NULL, &answer, NULL);

	memcpy(ret, answer.bytes, sizeof(*ret));
	return err;
}
