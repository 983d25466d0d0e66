/* SPDX-License-Identifier: MIT */
/* The worker's end. */
#include "priv/broker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "priv/broker_wire.h"
#include "proc/packages.h"
#include "proc/sockets.h"

/* An answer without text. */
#define ANSWER_MIN ((ssize_t)offsetof(struct broker_answer, text))

int broker_start(struct broker *broker, const struct broker_config *config)
{
	int fds[2];

	*broker = (struct broker){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	broker->pid = fork();
	if (broker->pid < 0) {
		int err = -errno;

		broker->pid = 0;
		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (broker->pid == 0) {
		close(fds[0]);
		broker_serve(fds[1], config);
	}
	close(fds[1]);
	broker->fd = fds[0];
	return 0;
}

void broker_stop(struct broker *broker)
{
	if (broker->fd >= 0)
		close(broker->fd);
	if (broker->pid > 0)
		while (waitpid(broker->pid, NULL, 0) < 0 && errno == EINTR)
			;
	*broker = (struct broker){ .fd = -1 };
}

/* Sends REQUEST as far as its path goes, and PROBES. Returns 0 or a negative errno. */
static int send_request(const struct broker *broker, const struct broker_request *request,
			const struct broker_probe *probes)
{
	struct iovec parts[] = {
		{ (void *)request,
		  offsetof(struct broker_request, file.path) + strlen(request->file.path) + 1 },
		{ (void *)probes, request->nr_probes * sizeof(*probes) },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t n;

	do
		n = sendmsg(broker->fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ENOBUFS ? -ENOMEM : -errno;
	return 0;
}

/*
 * Returns the size of the answer, or a negative errno: -EMFILE when this process cannot have what
 * came. *RET_FD is -1 when none came.
 */
static ssize_t receive(const struct broker *broker, struct broker_answer *answer, int *ret_fd)
{
	struct iovec part = { .iov_base = answer, .iov_len = sizeof(*answer) };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const struct cmsghdr *head;
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(broker->fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(head), sizeof(int));
	/* The descriptor came, and there was no number left for it (unix(7)). */
	if (*ret_fd < 0 && message.msg_flags & MSG_CTRUNC)
		return -EMFILE;
	return n;
}

/* Whether ANSWER of SIZE bytes, or a negative errno, is a good one. Returns 0 or what is wrong. */
static int check_answer(const struct broker_answer *answer, ssize_t size)
{
	/* One that ends before it has read the question resets the connection (unix(7)). */
	if (size == -ECONNRESET || (size >= 0 && size < ANSWER_MIN))
		return -EPIPE;
	if (size < 0)
		return (int)size;
	if (answer->err)
		return answer->err;
	return answer->size > (size_t)(size - ANSWER_MIN) ? -EPROTO : 0;
}

/*
 * Asks and waits. Returns the descriptor, or 0 where none is WANTED, or a negative errno. ANSWER is
 * filled in.
 */
static int ask_with(const struct broker *broker, const struct broker_request *request,
		    const struct broker_probe *probes, bool is_wanted, struct broker_answer *answer)
{
	int fd = -1;
	int err = broker->fd < 0 ? -EPIPE : send_request(broker, request, probes);

	if (err)
		return err;
	err = check_answer(answer, receive(broker, answer, &fd));
	if (!err && is_wanted)
		return fd >= 0 ? fd : -EPROTO;
	if (fd >= 0)
		close(fd);
	return err;
}

static int ask(const struct broker *broker, const struct broker_request *request, bool is_wanted,
	       struct broker_answer *answer)
{
	return ask_with(broker, request, NULL, is_wanted, answer);
}

/* Asks for something of PID that a path or the kind of TEXT names. Returns as ask(). */
static int ask_about(const struct broker *broker, enum broker_verb verb, uint32_t pid,
		     uint32_t text, const char *path)
{
	struct broker_request request = { .verb = verb, .text = text, .file = { .pid = pid } };
	struct broker_answer answer;

	if (path) {
		if (strlen(path) >= sizeof(request.file.path))
			return -ENAMETOOLONG;
		memcpy(request.file.path, path, strlen(path) + 1);
	}
	return ask(broker, &request, verb != BROKER_ATTACH, &answer);
}

int broker_wait(struct broker *broker)
{
	struct broker_link link;
	int err = broker_look(broker, (uint32_t)broker->pid, -1, &link);

	return err == -EPIPE ? err : 0;
}

int broker_attach(struct broker *broker)
{
	return ask_about(broker, BROKER_ATTACH, 0, 0, NULL);
}

int broker_open(struct broker *broker, const struct broker_file *file)
{
	struct broker_request request = { .verb = BROKER_OPEN, .file = *file };
	struct broker_answer answer;

	return ask(broker, &request, true, &answer);
}

int broker_open_text(struct broker *broker, uint32_t pid, enum broker_text text)
{
	return ask_about(broker, BROKER_OPEN_TEXT, pid, text, NULL);
}

ssize_t broker_read_text(struct broker *broker, uint32_t pid, enum broker_text text, char *out,
			 size_t size)
{
	_cleanup_(cleanup_fd) int fd = broker_open_text(broker, pid, text);

	return fd < 0 ? fd : file_fill(fd, out, size);
}

int broker_list_processes(struct broker *broker, uint64_t *cursor,
			  uint32_t ret[static BROKER_PIDS_MAX])
{
	struct broker_request request = { .verb = BROKER_LIST_PROCESSES, .file.from = *cursor };
	struct broker_answer answer;
	struct broker_list list;
	size_t head = offsetof(struct broker_list, pids);
	int err = ask(broker, &request, false, &answer);

	if (err)
		return err;
	if (answer.size < head || answer.size > sizeof(list) ||
	    (answer.size - head) % sizeof(*ret) != 0)
		return -EPROTO;
	memcpy(&list, answer.text, answer.size);
	memcpy(ret, list.pids, answer.size - head);
	*cursor = list.next;
	return (int)((answer.size - head) / sizeof(*ret));
}

int broker_open_fds(struct broker *broker, uint32_t pid)
{
	return ask_about(broker, BROKER_OPEN_FDS, pid, 0, NULL);
}

int broker_open_tasks(struct broker *broker, uint32_t pid)
{
	return ask_about(broker, BROKER_OPEN_TASKS, pid, 0, NULL);
}

int broker_open_package(struct broker *broker, uint32_t pid, const char *path)
{
	return ask_about(broker, BROKER_OPEN_PACKAGE, pid, 0, path);
}

int broker_open_loader(struct broker *broker, uint32_t pid, const char *path)
{
	return ask_about(broker, BROKER_OPEN_LOADER, pid, 0, path);
}

/*
 * ld.so(8): the cache, the default directories, and those that distributions add in
 * /etc/ld.so.conf, for where there is no cache (musl has its own list, /etc/ld-musl-*.path, with
 * these).
 */
const char *const *broker_loader_paths(size_t *ret_nr)
{
	static const char *const paths[] = {
		"etc/ld.so.cache",
		"lib",
		"lib64",
		"usr/lib",
		"usr/lib64",
		"usr/local/lib",
		"usr/local/lib64",
		"lib/x86_64-linux-gnu",
		"usr/lib/x86_64-linux-gnu",
		"usr/local/lib/x86_64-linux-gnu",
		"lib/aarch64-linux-gnu",
		"usr/lib/aarch64-linux-gnu",
		"usr/local/lib/aarch64-linux-gnu",
	};

	*ret_nr = sizeof(paths) / sizeof(paths[0]);
	return paths;
}

int broker_open_package_lists(struct broker *broker, uint32_t pid)
{
	return ask_about(broker, BROKER_OPEN_LISTS, pid, 0, NULL);
}

/* Has a link of PID looked at. Returns 0 or a negative errno. */
static int look(const struct broker *broker, enum broker_file_kind kind, uint32_t pid, uint32_t fd,
		struct broker_answer *answer)
{
	struct broker_request request = {
		.verb = BROKER_LOOK,
		.file = { .kind = kind, .pid = pid, .fd = fd },
	};

	return ask(broker, &request, false, answer);
}

int broker_look_netns(struct broker *broker, uint32_t pid, uint32_t *ret)
{
	struct broker_answer answer;
	uint64_t number;
	int err = look(broker, BROKER_FILE_NETNS, pid, 0, &answer);

	if (err)
		return err;
	if (answer.size >= sizeof(answer.text))
		return -EPROTO;
	answer.text[answer.size] = '\0';
	if (!sockets_link(answer.text, "net:[", &number) || number > UINT32_MAX)
		return -EPROTO;
	*ret = (uint32_t)number;
	return 0;
}

/* Looks at a link of PID and makes *RET of the answer. Returns 0 or a negative errno. */
static int look_at(const struct broker *broker, enum broker_file_kind kind, uint32_t pid,
		   uint32_t fd, struct broker_link *ret)
{
	struct broker_answer answer;
	int err = look(broker, kind, pid, fd, &answer);

	if (err)
		return err;
	memcpy(ret->path, answer.text, answer.size);
	ret->path[answer.size] = '\0';
	ret->inode = answer.inode;
	ret->ctime_ns = answer.ctime_ns;
	ret->dev_major = answer.dev_major;
	ret->dev_minor = answer.dev_minor;
	ret->mode = answer.mode;
	ret->open_flags = answer.open_flags;
	ret->is_deleted = answer.is_deleted;
	return 0;
}

int broker_look(struct broker *broker, uint32_t pid, int fd, struct broker_link *ret)
{
	return look_at(broker, fd < 0 ? BROKER_FILE_EXE : BROKER_FILE_FD, pid, (uint32_t)fd, ret);
}

int broker_look_cwd(struct broker *broker, uint32_t pid, struct broker_link *ret)
{
	return look_at(broker, BROKER_FILE_CWD, pid, 0, ret);
}

int broker_probe(struct broker *broker, const struct broker_file *file,
		 const struct broker_probe *probes, size_t nr_probes, uint32_t *ret_failed)
{
	struct broker_request request = {
		.verb = BROKER_PROBE,
		.nr_probes = (uint32_t)nr_probes,
		.file = *file,
	};
	struct broker_answer answer;
	int err = nr_probes > BROKER_PROBES_MAX
			  ? -E2BIG
			  : ask_with(broker, &request, probes, false, &answer);

	if (err)
		return err;
	*ret_failed = answer.nr_failed;
	return (int)answer.set;
}

int broker_open_ring(struct broker *broker, enum broker_ring_kind kind, uint32_t cpu,
		     struct broker_ring *ret)
{
	struct broker_request request = {
		.verb = BROKER_OPEN_RING,
		.text = cpu,
		.file = { .kind = kind },
	};
	struct broker_answer answer;
	int fd = ask(broker, &request, true, &answer);

	if (fd >= 0)
		*ret = answer.ring;
	return fd;
}

int broker_unprobe(struct broker *broker, uint32_t set)
{
	struct broker_request request = { .verb = BROKER_UNPROBE, .text = set };
	struct broker_answer answer;

	return ask(broker, &request, false, &answer);
}

int broker_ask_rpm(struct broker *broker, struct package_query *queries, size_t nr_queries)
{
	for (size_t i = 0; i < nr_queries; i++) {
		struct broker_request request = { .verb = BROKER_ASK_RPM };
		struct broker_answer answer;
		size_t size = strlen(queries[i].path);
		int err;

		if (size >= sizeof(request.file.path))
			continue;
		memcpy(request.file.path, queries[i].path, size + 1);
		err = ask(broker, &request, false, &answer);
		if (err)
			return err;
		if (answer.size >= sizeof(queries[i].package))
			continue;
		memcpy(queries[i].package, answer.text, answer.size);
		queries[i].package[answer.size] = '\0';
	}
	return 0;
}
