/* SPDX-License-Identifier: MIT */
#include "trace/late.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "priv/privileges.h"
#include "priv/sandbox.h"
#include "trace/attach.h"

static bool is_waiting(const struct session *session)
{
	for (size_t i = 0; i < NR_SOURCES; i++)
		if (session->states[i].late)
			return true;
	return false;
}

/* Attaches what waits; the links live as long as this process. */
static int attach_all(struct session *session)
{
	int err = 0;

	for (size_t i = 0; i < NR_SOURCES; i++) {
		struct source_state *state = &session->states[i];

		if (!state->late)
			continue;
		err = program_attach(state->late, session->tracefs,
				     &state->links[state->nr_links]);
		if (err)
			return err;
		state->nr_links++;
	}
	return 0;
}

static void __attribute__((noreturn)) child_main(struct session *session, int fd)
{
	static const int kept[] = { CAP_BPF, CAP_PERFMON };
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM };
	signed char answer;
	char byte;

	/* The end of the parent closes the socket; signals to the group are for the parent. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "crypto-tracer:a", 0, 0, 0);
	if (privileges_drop(kept, sizeof(kept) / sizeof(kept[0])) || sandbox_enter_attacher())
		_exit(1);
	while (read(fd, &byte, 1) == 1) {
		answer = (signed char)attach_all(session);
		if (write(fd, &answer, 1) != 1)
			break;
	}
	_exit(0);
}

int late_start(struct late *late, struct session *session)
{
	int fds[2];

	*late = (struct late){ .fd = -1 };
	if (!is_waiting(session))
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	late->pid = fork();
	if (late->pid < 0) {
		int err = -errno;

		late->pid = 0;
		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (late->pid == 0) {
		close(fds[0]);
		child_main(session, fds[1]);
	}
	close(fds[1]);
	late->fd = fds[0];
	return 0;
}

int late_attach_now(struct late *late, struct session *session)
{
	int err;

	*late = (struct late){ .fd = -1, .is_asked = true };
	err = attach_all(session);
	late->is_attached = !err;
	return err;
}

int late_attach(struct late *late)
{
	signed char answer;

	if (late->is_asked || late->fd < 0)
		return 0;
	late->is_asked = true;
	if (write(late->fd, "a", 1) != 1)
		return -errno;
	if (read(late->fd, &answer, 1) != 1)
		return -EIO;
	late->is_attached = answer == 0;
	return answer;
}

void late_stop(struct late *late)
{
	if (late->fd >= 0)
		close(late->fd);
	if (late->pid > 0)
		while (waitpid(late->pid, NULL, 0) < 0 && errno == EINTR)
			;
	*late = (struct late){ .fd = -1 };
}
