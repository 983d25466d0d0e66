/* SPDX-License-Identifier: MIT */
/* The keeper's side. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/json_document.h"
#include "lib/leaks.h"
#include "lib/spawn.h"
#include "syscalls/front.h"
#include "syscalls/keeper_wire.h"
#include "syscalls/record_tree.h"

#define PID_VARIABLE "CRYPTO_TRACER_PID"

struct keeping {
	const struct keeper_config *config;
	struct spawned children[NR_KEEPER_PROGRAMS];
	/* The run that is guarded. */
	bool is_guarding;
	bool kills;
	struct record_fds fds;
	struct recording_run run;
	int empty; /* its recording when it began; -1 */
	int saved; /* what was recorded before; -1 */
};

static int join(void *ctx)
{
	(void)ctx;
	front_join();
	return 0;
}

static int make(struct keeping *keeping, const struct keeper_request *request,
		struct keeper_answer *answer, int *ret_fd)
{
	struct spawned *child = &keeping->children[request->program];
	char text[16];
	int err;

	if (!keeping->config->programs[request->program])
		return -ENOENT;
	spawn_close(child);
	snprintf(text, sizeof(text), "%d", request->command_pid);
	if (request->command_pid && setenv(PID_VARIABLE, text, 1) < 0)
		return -errno;
	err = spawn(child, keeping->config->programs[request->program], join, NULL);
	if (request->command_pid)
		unsetenv(PID_VARIABLE);
	/* It is how its end is waited for. */
	if (!err && child->pidfd < 0) {
		spawn_close(child);
		err = -ENOSYS;
	}
	if (err)
		return err;
	answer->pid = child->pid;
	*ret_fd = child->pidfd;
	return 0;
}

/* Without the tool, which has them too, the programs are detached then. */
static void close_links(struct keeping *keeping)
{
	for (size_t i = 0; i < keeping->fds.nr_links; i++)
		close(keeping->fds.links[i]);
	keeping->fds.nr_links = 0;
}

static void relieve(struct keeping *keeping)
{
	close_links(keeping);
	if (keeping->is_guarding)
		for (size_t i = 0; i < NR_RECORD_FDS; i++)
			close(keeping->fds.fd[i]);
	close_fd(&keeping->empty);
	keeping->is_guarding = false;
}

static int guard(struct keeping *keeping, const struct keeper_request *request, int *fds,
		 size_t nr_fds)
{
	if (nr_fds < NR_RECORD_FDS + 1)
		return -EBADMSG;
	relieve(keeping);
	for (size_t i = 0; i < NR_RECORD_FDS; i++)
		keeping->fds.fd[i] = steal_fd(&fds[i]);
	for (size_t i = NR_RECORD_FDS; i + 1 < nr_fds; i++)
		keeping->fds.links[keeping->fds.nr_links++] = steal_fd(&fds[i]);
	keeping->empty = steal_fd(&fds[nr_fds - 1]);
	keeping->kills = request->kills;
	keeping->run = (struct recording_run){
		.started_ns = request->started_ns,
		.was_filtered = request->was_filtered,
	};
	memcpy(keeping->run.id, request->id, sizeof(request->id));
	keeping->run.id[sizeof(keeping->run.id) - 1] = '\0';
	keeping->is_guarding = true;
	return 0;
}

/* All that the tool wrote to FD, where it left the place behind it; for the caller to free. */
static int read_memory(int fd, char **ret, size_t *ret_size)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno
					  : file_read_fd(fd, JSON_DOCUMENT_MAX, ret, ret_size);
}

static int write_from(const struct keeping *keeping, int fd)
{
	_cleanup_(cleanup_free) char *bytes = NULL;
	size_t size = 0;
	int err = read_memory(fd, &bytes, &size);

	return err ? err : keeping->config->write(keeping->config->ctx, bytes, size);
}

static int save(struct keeping *keeping, int *fds, size_t nr_fds)
{
	if (nr_fds != 1)
		return -EBADMSG;
	close_fd(&keeping->saved);
	keeping->saved = steal_fd(&fds[0]);
	relieve(keeping);
	return 0;
}

static int act(struct keeping *keeping, const struct keeper_request *request, int *fds,
	       size_t nr_fds, struct keeper_answer *answer, int *ret_fd)
{
	switch (request->verb) {
	case KEEPER_MAKE:
		return make(keeping, request, answer, ret_fd);
	case KEEPER_RELEASE:
		return spawn_release(&keeping->children[request->program], &answer->status);
	case KEEPER_REAP:
		return spawn_reap(&keeping->children[request->program], &answer->status);
	case KEEPER_GUARD:
		return guard(keeping, request, fds, nr_fds);
	case KEEPER_RELIEVE:
		relieve(keeping);
		return 0;
	case KEEPER_SAVE:
		return save(keeping, fds, nr_fds);
	case KEEPER_WRITE:
		close_fd(&keeping->saved);
		return nr_fds == 1 ? write_from(keeping, fds[0]) : -EBADMSG;
	default:
		return -ENOSYS;
	}
}

static struct recording *parse(int fd)
{
	_cleanup_(cleanup_free) char *bytes = NULL;
	struct recording *recording;
	const char *what;
	size_t size = 0;

	if (fd < 0 || read_memory(fd, &bytes, &size) ||
	    recording_parse(bytes, size, &recording, &what))
		return NULL;
	return recording;
}

/* Writes what was recorded before, with ONE. False: it could not be put together. */
static bool write_with(const struct keeping *keeping, const struct recording *one)
{
	struct recording *all = parse(keeping->saved);
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size;
	bool is_there = keeping->saved < 0 || (all && recording_merge(all, one) == 0);

	is_there = is_there && recording_render(all ? all : one, &text, &size) == 0;
	if (is_there)
		keeping->config->write(keeping->config->ctx, text, size);
	recording_free(all);
	return is_there;
}

/* The tool is gone: what it would have done at the end of the run. */
static void do_will(struct keeping *keeping)
{
	struct record_state *state = record_map_state(&keeping->fds);
	struct record_node *nodes = record_map_nodes(&keeping->fds);
	struct recording *one = parse(keeping->empty);
	struct recording_run *run = &keeping->run;
	bool has_run;

	if (keeping->kills && state)
		record_tree_kill(&keeping->fds, state);
	if (keeping->kills && keeping->children[KEEPER_DRIVE].pid)
		kill(keeping->children[KEEPER_DRIVE].pid, SIGKILL);
	close_links(keeping);
	record_tree_flush(&keeping->fds);
	run->duration_ns = state ? record_tree_age(state) : 0;
	run->status = keeping->kills ? 128 + SIGKILL : 0;
	has_run = one && state && nodes &&
		  record_tree_export(&keeping->fds, state, nodes, one, run) == 0 &&
		  recording_add_run(one, run, one) == 0;
	/* this run may be lost, those before are not for that */
	if ((!has_run || !write_with(keeping, one)) && keeping->saved >= 0)
		write_from(keeping, keeping->saved);
	recording_free(one);
}

static void on_signal(int number)
{
	(void)number;
}

/*
 * The tool decides what a signal to both means. It is caught, not ignored, since what is ignored
 * would be in COMMAND too.
 */
static void catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction old;

	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
}

void keeper_serve(int socket, const struct keeper_config *config)
{
	struct keeping keeping = { .config = config, .empty = -1, .saved = -1 };
	struct keeper_request request;
	int fds[KEEPER_FDS_MAX];
	size_t nr_fds = 0;

	catch_signals();
	for (;;) {
		struct keeper_answer answer = { 0 };
		int fd = -1;

		if (keeper_receive(socket, &request, sizeof(request), fds, KEEPER_FDS_MAX, &nr_fds))
			break;
		if (request.verb == KEEPER_STOP)
			_exit(0);
		answer.err = request.program < NR_KEEPER_PROGRAMS
				     ? act(&keeping, &request, fds, nr_fds, &answer, &fd)
				     : -EINVAL;
		for (size_t i = 0; i < nr_fds; i++)
			close_fd(&fds[i]);
		if (keeper_send(socket, &answer, sizeof(answer), &fd, fd >= 0))
			break;
	}
	if (keeping.is_guarding)
		do_will(&keeping);
	else if (keeping.saved >= 0)
		write_from(&keeping, keeping.saved);
	leaks_check();
	_exit(0);
}
