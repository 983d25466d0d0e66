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

EMBED_OBJECT(file_open_compat);

static void __attribute__((noreturn)) child_main(struct session *session, int fd)
{
	static const int kept[] = { CAP_BPF, CAP_PERFMON };
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM };
	size_t size = object_size(file_open_compat_object, file_open_compat_object_end);
	struct bpf_object *object = NULL;
	struct bpf_link *link;
	signed char answer;
	char byte;

	/* The end of the parent closes the socket; signals to the group are for the parent. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "crypto-tracer:a", 0, 0, 0);
	answer = (signed char)session_load(session, "compat", file_open_compat_object, size, NULL,
					   false, &object);
	if (privileges_drop(kept, sizeof(kept) / sizeof(kept[0])) || sandbox_enter_attacher())
		_exit(1);
	if (read(fd, &byte, 1) != 1)
		_exit(0);
	if (!answer)
		answer = (signed char)program_attach(bpf_object__next_program(object, NULL), NULL,
						     -1, &link);
	/* The hook lives as long as this process: until the other end is closed. */
	if (write(fd, &answer, 1) == 1)
		while (read(fd, &byte, 1) > 0)
			;
	_exit(0);
}

int late_start(struct late *late, struct session *session)
{
	int fds[2];

	*late = (struct late){ .fd = -1 };
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
