/* SPDX-License-Identifier: MIT */
#include "syscalls/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "syscalls/keeper_wire.h"

union fds_message {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(KEEPER_FDS_MAX * sizeof(int))];
};

int keeper_send(int socket, const void *bytes, size_t size, const int *fds, size_t nr_fds)
{
	struct iovec part = { .iov_base = (void *)bytes, .iov_len = size };
	union fds_message control = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (nr_fds > KEEPER_FDS_MAX)
		return -E2BIG;
	if (nr_fds > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, nr_fds * sizeof(int));
	}
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Takes the descriptors of MESSAGE over; those beyond MAX are closed. */
static void take_fds(struct msghdr *message, int *ret_fds, size_t max, size_t *ret_nr)
{
	*ret_nr = 0;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head;
	     head = CMSG_NXTHDR(message, head)) {
		size_t nr = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(head) + i * sizeof(fd), sizeof(fd));
			if (*ret_nr < max)
				ret_fds[(*ret_nr)++] = fd;
			else
				close(fd);
		}
	}
}

int keeper_receive(int socket, void *bytes, size_t size, int *ret_fds, size_t max, size_t *ret_nr)
{
	struct iovec part = { .iov_base = bytes, .iov_len = size };
	union fds_message control;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_fds(&message, ret_fds, max, ret_nr);
	if (n == 0)
		return -EPIPE;
	return (size_t)n == size && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ? 0 : -EBADMSG;
}

int keeper_start(struct keeper *keeper, const struct keeper_config *config)
{
	int ends[2];
	pid_t pid;

	*keeper = (struct keeper){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (pid == 0) {
		close(ends[0]);
		keeper_serve(ends[1], config);
	}
	close(ends[1]);
	*keeper = (struct keeper){ .pid = pid, .fd = ends[0] };
	return 0;
}

void keeper_stop(struct keeper *keeper)
{
	const struct keeper_request request = { .verb = KEEPER_STOP };

	if (!keeper->pid)
		return;
	keeper_send(keeper->fd, &request, sizeof(request), NULL, 0);
	close(keeper->fd);
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*keeper = (struct keeper){ .fd = -1 };
}

/* Asks, and waits for the answer. *RET_FD, which may be NULL, is a descriptor of it or -1. */
static int ask(struct keeper *keeper, const struct keeper_request *request, const int *fds,
	       size_t nr_fds, struct keeper_answer *answer, int *ret_fd)
{
	int fd = -1;
	size_t nr;
	int err = keeper->pid ? keeper_send(keeper->fd, request, sizeof(*request), fds, nr_fds)
			      : -EPIPE;

	if (!err)
		err = keeper_receive(keeper->fd, answer, sizeof(*answer), &fd, 1, &nr);
	if (err == -ECONNRESET)
		err = -EPIPE;
	if (!err)
		err = answer->err;
	if (ret_fd && !err)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return err;
}

int keeper_make(struct keeper *keeper, enum keeper_program program, pid_t command_pid,
		pid_t *ret_pid, int *ret_pidfd)
{
	const struct keeper_request request = {
		.verb = KEEPER_MAKE,
		.program = program,
		.command_pid = command_pid,
	};
	struct keeper_answer answer;
	int fd = -1;
	int err = ask(keeper, &request, NULL, 0, &answer, &fd);

	if (!err && fd < 0)
		err = -EBADMSG;
	if (err)
		return err;
	*ret_pid = answer.pid;
	*ret_pidfd = fd;
	return 0;
}

int keeper_release(struct keeper *keeper, enum keeper_program program)
{
	const struct keeper_request request = { .verb = KEEPER_RELEASE, .program = program };
	struct keeper_answer answer;

	return ask(keeper, &request, NULL, 0, &answer, NULL);
}

int keeper_reap(struct keeper *keeper, enum keeper_program program, int *ret_status)
{
	const struct keeper_request request = { .verb = KEEPER_REAP, .program = program };
	struct keeper_answer answer;
	int err = ask(keeper, &request, NULL, 0, &answer, NULL);

	if (!err)
		*ret_status = answer.status;
	return err;
}

/* RECORDING as the content of a descriptor, or a negative errno. */
static int to_memory(const struct recording *recording)
{
	_cleanup_(cleanup_fd) int fd = memfd_create("recording", MFD_CLOEXEC);
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size = 0;
	int err;

	if (fd < 0)
		return -errno;
	err = recording_render(recording, &text, &size);
	if (err)
		return err;
	err = file_write_fd(fd, text, size);
	return err ? err : steal_fd(&fd);
}

/* Asks with RECORDING behind the NR_FDS descriptors FDS. */
static int ask_about(struct keeper *keeper, const struct keeper_request *request, const int *fds,
		     size_t nr_fds, const struct recording *recording)
{
	_cleanup_(cleanup_fd) int memory = to_memory(recording);
	int all[KEEPER_FDS_MAX] = { 0 };
	struct keeper_answer answer;

	if (memory < 0)
		return memory;
	if (nr_fds > 0)
		memcpy(all, fds, nr_fds * sizeof(*fds));
	all[nr_fds] = memory;
	return ask(keeper, request, all, nr_fds + 1, &answer, NULL);
}

int keeper_guard(struct keeper *keeper, const struct keeper_guard *guard)
{
	struct keeper_request request = {
		.verb = KEEPER_GUARD,
		.kills = guard->kills,
		.started_ns = guard->run.started_ns,
		.was_filtered = guard->run.was_filtered,
	};
	int fds[NR_RECORD_FDS + RECORD_LINKS_MAX];

	memcpy(request.id, guard->run.id, sizeof(request.id));
	memcpy(fds, guard->fds.fd, sizeof(guard->fds.fd));
	memcpy(fds + NR_RECORD_FDS, guard->fds.links, guard->fds.nr_links * sizeof(*fds));
	return ask_about(keeper, &request, fds, NR_RECORD_FDS + guard->fds.nr_links,
			 guard->recording);
}

int keeper_relieve(struct keeper *keeper)
{
	const struct keeper_request request = { .verb = KEEPER_RELIEVE };
	struct keeper_answer answer;

	return ask(keeper, &request, NULL, 0, &answer, NULL);
}

int keeper_save(struct keeper *keeper, const struct recording *recording)
{
	const struct keeper_request request = { .verb = KEEPER_SAVE };

	return ask_about(keeper, &request, NULL, 0, recording);
}

int keeper_write(struct keeper *keeper, const struct recording *recording)
{
	const struct keeper_request request = { .verb = KEEPER_WRITE };

	return ask_about(keeper, &request, NULL, 0, recording);
}
