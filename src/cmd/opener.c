/* SPDX-License-Identifier: MIT */
#include "cmd/opener.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "lib/cleanup.h"
#include "lib/exit_status.h"
#include "lib/file.h"
#include "lib/log.h"
#include "priv/parser.h"
#include "syscalls/keeper_wire.h"

#define WHAT "cannot read the files in a process without rights"

enum opener_verb {
	OPENER_FILE,
	OPENER_POLICY,
	OPENER_OUTPUT,
};

struct opener {
	const struct options *options;
	opener_serve *serve;
	void *ctx;
};

/* Of the child, to the first process; -1: this is no such child. */
static int to_opener = -1;

static int take_fd(int fd, int *ret_fd)
{
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static int serve_output(const struct options *options, struct opener_answer *answer, int *ret_fd)
{
	struct output output;
	int err = output_open(&output, options->output, NULL);

	if (err)
		return err;
	_Static_assert(sizeof(output) <= OPENER_BYTES_MAX, "it fits");
	memcpy(answer->bytes, &output, sizeof(output));
	*ret_fd = output.fd;
	return 0;
}

static int serve_one(const struct opener *opener, const struct opener_request *request,
		     struct opener_answer *answer, int *ret_fd)
{
	const struct options *options = opener->options;

	switch (request->verb) {
	case OPENER_FILE:
		return request->number < options->nr_files
			       ? take_fd(file_open(options->files[request->number]), ret_fd)
			       : -EINVAL;
	case OPENER_POLICY:
		return options->syscalls.policy
			       ? take_fd(file_open(options->syscalls.policy), ret_fd)
			       : -EINVAL;
	case OPENER_OUTPUT:
		return serve_output(options, answer, ret_fd);
	default:
		return opener->serve ? opener->serve(opener->ctx, request, answer, ret_fd)
				     : -ENOSYS;
	}
}

/* Serves until the child has ended. */
static void serve(int socket, const struct opener *opener)
{
	struct opener_request request;
	size_t nr;
	int err = 0;

	while (!err && keeper_receive(socket, &request, sizeof(request), NULL, 0, &nr) == 0) {
		struct opener_answer answer = { 0 };
		_cleanup_(cleanup_fd) int fd = -1;

		request.path[sizeof(request.path) - 1] = '\0';
		answer.err = serve_one(opener, &request, &answer, &fd);
		err = keeper_send(socket, &answer, sizeof(answer), &fd, fd >= 0);
	}
}

/* Waits for the child. Returns its exit status. */
static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* A pipe that is closed is no news. */
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGPIPE) {
		char detail[128];

		snprintf(detail, sizeof(detail), "The process that reads the files was ended: %s.",
			 strsignal(WTERMSIG(status)));
		error_report(WHAT, detail,
			     "Solution: if nobody ended it, please report it, with the files.",
			     NULL);
	}
	return exit_status(status);
}

bool opener_enter(const struct options *options, opener_serve *more, void *ctx, int *ret_status)
{
	const struct opener opener = { .options = options, .serve = more, .ctx = ctx };
	pid_t parent = getpid();
	int ends[2];
	pid_t pid;
	int err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		*ret_status = report_error(WHAT, -errno);
		return false;
	}
	pid = fork();
	if (pid < 0) {
		*ret_status = report_error(WHAT, -errno);
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	if (pid > 0) {
		close(ends[1]);
		serve(ends[0], &opener);
		close(ends[0]);
		*ret_status = reap(pid);
		return false;
	}
	close(ends[0]);
	err = parser_confine(parent);
	if (err)
		_exit(report_error(WHAT, err));
	to_opener = ends[1];
	return true;
}

bool opener_has_entered(void)
{
	return to_opener >= 0;
}

int opener_ask(uint32_t verb, uint32_t number, const char *path, struct opener_answer *answer,
	       int *ret_fd)
{
	struct opener_request request = { .verb = verb, .number = number };
	_cleanup_(cleanup_fd) int fd = -1;
	size_t nr;
	int err;

	if (path && strlen(path) >= sizeof(request.path))
		return -ENAMETOOLONG;
	if (path)
		memcpy(request.path, path, strlen(path) + 1);
	err = keeper_send(to_opener, &request, sizeof(request), NULL, 0);
	if (!err)
		err = keeper_receive(to_opener, answer, sizeof(*answer), &fd, 1, &nr);
	if (err == -ECONNRESET)
		err = -EPIPE;
	if (!err)
		err = answer->err;
	if (!err && ret_fd)
		*ret_fd = steal_fd(&fd);
	return err;
}

/* The descriptor that VERB gives for NUMBER, or a negative errno. */
static int ask_fd(enum opener_verb verb, uint32_t number)
{
	struct opener_answer answer;
	int fd = -1;
	int err = opener_ask(verb, number, NULL, &answer, &fd);

	if (err)
		return err;
	return fd < 0 ? -EMFILE : fd;
}

int opener_file(const struct options *options, size_t i)
{
	return to_opener < 0 ? file_open(options->files[i]) : ask_fd(OPENER_FILE, (uint32_t)i);
}

int opener_policy(const struct options *options)
{
	return to_opener < 0 ? file_open(options->syscalls.policy) : ask_fd(OPENER_POLICY, 0);
}

int opener_output(const struct options *options, struct output *ret)
{
	struct opener_answer answer;
	int fd = -1;
	int err;

	if (to_opener < 0)
		return output_open(ret, options->output, NULL);
	err = opener_ask(OPENER_OUTPUT, 0, NULL, &answer, &fd);
	if (err)
		return err;
	if (fd < 0)
		return -EMFILE;
	memcpy(ret, answer.bytes, sizeof(*ret));
	ret->fd = fd;
	return 0;
}
