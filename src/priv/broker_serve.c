/* SPDX-License-Identifier: MIT */
/* The broker's end: what it agrees to open. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "catalogue/files.h"
#include "catalogue/libraries.h"
#include "lib/cleanup.h"
#include "lib/close_all.h"
#include "lib/file.h"
#include "lib/leaks.h"
#include "priv/broker_look.h"
#include "priv/broker_wire.h"
#include "priv/privileges.h"
#include "priv/sandbox.h"
#include "proc/packages.h"
#include "proc/status.h"

#define NS_PER_SECOND 1000000000ULL
#define STAT_SIZE     4096
#define PACKAGE_LISTS "var/lib/dpkg/info"

/* Opens that may still be served, refilled with time. */
struct budget {
	uint64_t left;
	time_t second;
};

static int open_proc(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens a file of /proc for reading, or as a handle for what it links to. */
static int open_proc_as(int flags, const char *format, va_list args)
{
	char path[64];
	int fd;

	if (vsnprintf(path, sizeof(path), format, args) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int open_proc(const char *format, ...)
{
	va_list args;
	int fd;

	va_start(args, format);
	fd = open_proc_as(O_RDONLY, format, args);
	va_end(args);
	return fd;
}

static int __attribute__((format(printf, 1, 2))) open_handle(const char *format, ...)
{
	va_list args;
	int fd;

	va_start(args, format);
	fd = open_proc_as(O_PATH, format, args);
	va_end(args);
	return fd;
}

/* Whether PID still is the process that began at START_NS; 0: any. */
static bool is_same_process(uint32_t pid, uint64_t start_ns)
{
	_cleanup_(cleanup_fd) int fd = -1;
	char text[STAT_SIZE];
	uint64_t ticks;
	ssize_t n;

	if (!start_ns)
		return true;
	fd = open_proc("/proc/%u/stat", pid);
	n = fd < 0 ? -1 : file_fill(fd, text, sizeof(text));
	if (n <= 0 || stat_start_ticks(text, (size_t)n, &ticks))
		return false;
	return start_ns / (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK)) == ticks;
}

/* Whether PATH is one that may be opened, with or without the kernel's mark of a deleted file. */
static bool is_catalogued(const char *path)
{
	static const char mark[] = " (deleted)";
	size_t size = strlen(path);

	if (library_classify(path, size) || file_classify(path, size))
		return true;
	return size > sizeof(mark) && strcmp(path + size - (sizeof(mark) - 1), mark) == 0 &&
	       file_classify(path, size - (sizeof(mark) - 1));
}

/* Where the link that the handle of /proc stands for points to. */
static bool is_link_catalogued(const char *link)
{
	char target[BROKER_PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	return is_catalogued(target);
}

/*
 * Opens what HANDLE stands for, if it is the regular file that is meant. A program or library may
 * have its access time changed where it belongs to somebody else; a crypto file may not.
 */
static int reopen(int handle, const struct broker_file *file)
{
	bool is_program = file->kind == BROKER_FILE_EXE || file->kind == BROKER_FILE_COMMAND ||
			  file->kind == BROKER_FILE_MAP ||
			  (file->kind == BROKER_FILE_PATH &&
			   library_classify(file->path, strlen(file->path)));
	int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	struct stat st;
	char path[64];
	int fd;

	if (fstat(handle, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((file->inode && st.st_ino != file->inode) ||
	    (file->ctime_ns && broker_file_time(&st.st_ctim) != file->ctime_ns))
		return -ESTALE;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	fd = open(path, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM && is_program)
		fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

/* PATH below the root of PID, links followed as that process would, never out of the root. */
static int open_below(uint32_t pid, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_(cleanup_fd) int root = open_handle("/proc/%u/root", pid);
	int fd;

	if (root < 0)
		return root;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

/*
 * Whether what HANDLE stands for may be opened by a name that links lead to it from: anybody can
 * make a link called key.pem to the file of somebody else. So that file has a name of the catalogue
 * too, or is one that everybody may read.
 */
static bool may_link_to(int handle)
{
	struct stat st;
	char link[64];

	if (fstat(handle, &st) == 0 && st.st_mode & S_IROTH)
		return true;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", handle);
	return is_link_catalogued(link);
}

/*
 * The process may be gone: its parent has the same root as a rule, and the host mostly. That it is
 * the same file is seen from inode and change time.
 */
static int open_path(const struct broker_file *file)
{
	const uint32_t pids[] = { file->pid, file->ppid, (uint32_t)getpid() };
	/* Libraries are no secret: for them the inode is enough. */
	bool is_known =
		file->inode && (file->ctime_ns || library_classify(file->path, strlen(file->path)));
	size_t nr_tries = is_known ? 3 : 1;
	int err = -ESRCH;

	if (!is_catalogued(file->path))
		return -EACCES;
	for (size_t i = 0; i < nr_tries; i++) {
		_cleanup_(cleanup_fd) int handle = -1;
		int fd;

		if (!pids[i] || (i == 0 && !is_same_process(file->pid, file->start_ns)))
			continue;
		handle = open_below(pids[i], file->path);
		if (handle < 0)
			fd = handle;
		else
			fd = may_link_to(handle) ? reopen(handle, file) : -EACCES;
		if (fd >= 0)
			return fd;
		err = fd;
	}
	return err;
}

/*
 * Opens what a link of /proc leads to: the very file that the process has, also when it has no name
 * any more or lies in another mount namespace. Returns a descriptor or a negative errno.
 */
static int open_link(const struct broker_file *file)
{
	_cleanup_(cleanup_fd) int handle = -1;
	char link[80];

	if (file->kind == BROKER_FILE_EXE)
		snprintf(link, sizeof(link), "/proc/%u/exe", file->pid);
	else if (file->kind == BROKER_FILE_FD)
		snprintf(link, sizeof(link), "/proc/%u/fd/%u", file->pid, file->fd);
	else
		snprintf(link, sizeof(link), "/proc/%u/map_files/%lx-%lx", file->pid,
			 (unsigned long)file->from, (unsigned long)file->to);
	handle = open_handle("%s", link);
	if (handle < 0)
		return handle;
	/* After the handle, so that it is known to be this process's. */
	if (!is_same_process(file->pid, file->start_ns))
		return -ESRCH;
	if (file->kind != BROKER_FILE_EXE && !is_link_catalogued(link))
		return -EACCES;
	return reopen(handle, file);
}

/* Opens FILE, COMMAND's program for one kind, while there is budget for it. Returns a descriptor or
 * a negative errno. */
static int open_file(struct budget *budget, const struct broker_file *file, int command)
{
	struct timespec now;

	if (file->kind > BROKER_FILE_COMMAND)
		return -EINVAL;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != budget->second) {
		uint64_t add = (uint64_t)(now.tv_sec - budget->second) * BROKER_PER_SECOND;

		budget->left =
			budget->left + add > BROKER_BURST ? BROKER_BURST : budget->left + add;
		budget->second = now.tv_sec;
	}
	if (!budget->left)
		return -EAGAIN;
	budget->left--;
	if (file->kind == BROKER_FILE_COMMAND)
		return command > 0 ? reopen(command, file) : -EACCES;
	return file->kind == BROKER_FILE_PATH ? open_path(file) : open_link(file);
}

static int open_text(uint32_t pid, uint32_t text)
{
	static const char *const names[NR_BROKER_TEXTS] = {
		[BROKER_TEXT_maps] = "maps",	   [BROKER_TEXT_status] = "status",
		[BROKER_TEXT_stat] = "stat",	   [BROKER_TEXT_cgroup] = "cgroup",
		[BROKER_TEXT_cmdline] = "cmdline", [BROKER_TEXT_tcp] = "net/tcp",
		[BROKER_TEXT_tcp6] = "net/tcp6",
	};

	return text < NR_BROKER_TEXTS ? open_proc("/proc/%u/%s", pid, names[text]) : -EINVAL;
}

/* One of the databases, or a list of dpkg's. */
static bool is_package_path(const char *path)
{
	static const char lists[] = PACKAGE_LISTS "/";
	const char *const *paths;
	size_t nr_paths;
	size_t size = strlen(path);

	paths = packages_database_paths(&nr_paths);
	for (size_t i = 0; i < nr_paths; i++)
		if (strcmp(path, paths[i]) == 0)
			return true;
	return strncmp(path, lists, sizeof(lists) - 1) == 0 &&
	       !strchr(path + sizeof(lists) - 1, '/') && size > sizeof(lists) + 4 &&
	       strcmp(path + size - 5, ".list") == 0;
}

static bool is_loader_path(const char *path)
{
	size_t nr_paths;
	const char *const *paths = broker_loader_paths(&nr_paths);

	for (size_t i = 0; i < nr_paths; i++)
		if (strcmp(path, paths[i]) == 0)
			return true;
	return false;
}

/* A directory below the root of PID, or a regular file there that everybody may read. */
static int open_public(uint32_t pid, const char *path, int flags)
{
	_cleanup_(cleanup_fd) int handle = open_below(pid, path);
	struct stat st;
	char again[64];
	int fd;

	if (handle < 0)
		return handle;
	if (fstat(handle, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -EINVAL;
	/* In a root of its own a process has what it likes under these names. */
	if (S_ISREG(st.st_mode) && !(st.st_mode & S_IROTH))
		return -EACCES;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", handle);
	fd = open(again, O_RDONLY | O_NONBLOCK | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

static int ask_rpm(const struct broker_file *file, struct broker_answer *answer)
{
	struct package_query query = { .path = file->path };
	int err = packages_ask_rpm(&query, 1);

	if (err)
		return err;
	answer->size = (uint32_t)strlen(query.package);
	memcpy(answer->text, query.package, answer->size);
	return 0;
}

/* Attaches PROBES to the file of REQUEST. Returns 0 or a negative errno. */
static int probe(const struct broker_config *config, struct budget *budget,
		 const struct broker_request *request, const struct broker_probe *probes,
		 struct broker_answer *answer)
{
	_cleanup_(cleanup_fd) int fd = -1;
	int set;

	if (!config->probe)
		return -ENOSYS;
	fd = open_file(budget, &request->file, config->command);
	if (fd < 0)
		return fd;
	set = config->probe(config->probe_ctx, fd, probes, request->nr_probes, &answer->nr_failed);
	answer->set = (uint32_t)set;
	return set < 0 ? set : 0;
}

/* Does what REQUEST asks and no descriptor answers. Returns 0 or a negative errno. */
static int act(const struct broker_config *config, struct budget *budget,
	       const struct broker_request *request, const struct broker_probe *probes,
	       struct broker_answer *answer)
{
	switch (request->verb) {
	case BROKER_ATTACH:
		return config->attach ? config->attach(config->ctx) : -ENOSYS;
	case BROKER_LOOK:
		return broker_look_at(&request->file, answer);
	case BROKER_LIST_PROCESSES:
		return broker_list(request->file.from, answer);
	case BROKER_ASK_RPM:
		return config->may_execute ? ask_rpm(&request->file, answer) : -EACCES;
	case BROKER_PROBE:
		return probe(config, budget, request, probes, answer);
	case BROKER_UNPROBE:
		return config->unprobe ? config->unprobe(config->probe_ctx, request->text)
				       : -ENOSYS;
	default:
		return -ENOSYS;
	}
}

/* Does what REQUEST asks. Returns a negative errno, or a descriptor, or NO_FD. */
#define NO_FD INT32_MAX
static int serve(const struct broker_config *config, struct budget *budget,
		 const struct broker_request *request, const struct broker_probe *probes,
		 struct broker_answer *answer)
{
	const struct broker_file *file = &request->file;
	int err;

	switch (request->verb) {
	case BROKER_OPEN:
		return open_file(budget, file, config->command);
	case BROKER_OPEN_TEXT:
		return open_text(file->pid, request->text);
	case BROKER_OPEN_FDS:
		return open_proc("/proc/%u/fd", file->pid);
	case BROKER_OPEN_TASKS:
		return open_proc("/proc/%u/task", file->pid);
	case BROKER_OPEN_PACKAGE:
		return is_package_path(file->path) ? open_public(file->pid, file->path, 0)
						   : -EACCES;
	case BROKER_OPEN_LOADER:
		return is_loader_path(file->path) ? open_public(file->pid, file->path, 0) : -EACCES;
	case BROKER_OPEN_RING:
		return config->open_ring ? config->open_ring(config->ring_ctx, file->kind,
							     request->text, &answer->ring)
					 : -ENOSYS;
	case BROKER_OPEN_LISTS:
		return open_public(file->pid, PACKAGE_LISTS, O_DIRECTORY);
	default:
		err = act(config, budget, request, probes, answer);
		return err ? err : NO_FD;
	}
}

static int send_answer(int socket, struct broker_answer *answer, int fd)
{
	struct iovec part = {
		.iov_base = answer,
		.iov_len = offsetof(struct broker_answer, text) + answer->size,
	};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* A request as it arrives: after the path, of any length, the probes. */
union packet {
	struct broker_request request;
	uint8_t bytes[sizeof(struct broker_request) + BROKER_PROBES_SIZE];
};

/*
 * Takes the next request, whose path is NUL-terminated then, and copies its probes to PROBES.
 * Returns false when the worker is gone or has sent no request.
 */
static bool receive(int socket, union packet *packet, struct broker_probe *probes)
{
	struct broker_request *request = &packet->request;
	size_t least = offsetof(struct broker_request, file.path) + 1;
	size_t probes_size;
	ssize_t n;

	do
		n = recv(socket, packet, sizeof(*packet), 0);
	while (n < 0 && errno == EINTR);
	if (n < (ssize_t)least || request->nr_probes > BROKER_PROBES_MAX)
		return false;
	probes_size = request->nr_probes * sizeof(*probes);
	if ((size_t)n < least + probes_size || (size_t)n - probes_size > sizeof(*request))
		return false;
	memcpy(probes, packet->bytes + n - probes_size, probes_size);
	packet->bytes[(size_t)n - probes_size - 1] = '\0';
	return true;
}

/* Gives up what is not needed to serve. Returns 0 or a negative errno. */
static int confine(const struct broker_config *config)
{
	/*
	 * bpf(2) to attach, the rest to look into other processes; and the last for uprobes by
	 * perf_event_open(2), which took CAP_PERFMON before Linux commit ba677dbe77af, of 2025 and
	 * in all series, and for rings where that takes it.
	 */
	static const int kept[] = { CAP_BPF,	    CAP_PERFMON,
				    CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH,
				    CAP_FOWNER,	    CAP_CHECKPOINT_RESTORE,
				    CAP_SYS_ADMIN };
	/* Before 5.8 that was the right for all of bpf(2). */
	bool is_old = config->uses_maps && cap_get_bound(CAP_BPF) < 0;
	bool is_strict = config->open_ring && privileges_perf_takes_admin();
	bool needs_admin = config->probes_one_by_one || is_old || is_strict;
	size_t nr_kept = sizeof(kept) / sizeof(kept[0]) - (needs_admin ? 0 : 1);
	unsigned int uses = (config->probes_one_by_one ? SANDBOX_PROBES : 0) |
			    (config->uses_maps ? SANDBOX_MAPS : 0) |
			    (config->open_ring ? SANDBOX_RINGS : 0);
	int err = privileges_drop(kept, nr_kept);

	return err || config->may_execute ? err : sandbox_enter_broker(uses);
}

/*
 * Sends ANSWER, or that there was no room for it: in memory, or for one more descriptor on its way,
 * of which a user may have so many in all processes (unix(7), ETOOMANYREFS). Returns 0, or a
 * negative errno when nobody reads it.
 */
static int send_or_refuse(int socket, struct broker_answer *answer, int fd)
{
	int err = send_answer(socket, answer, fd);

	if (err != -ETOOMANYREFS && err != -ENOBUFS && err != -ENOMEM)
		return err;
	answer->err = err == -ETOOMANYREFS ? -EMFILE : -ENOMEM;
	answer->size = 0;
	return send_answer(socket, answer, -1);
}

/* Answers one request. Returns 0, or a negative errno when nobody reads the answer. */
static int answer_request(int socket, const struct broker_config *config, int prepared,
			  struct budget *budget, const struct broker_request *request,
			  const struct broker_probe *probes)
{
	static struct broker_answer answer;
	bool is_unprepared = request->verb == BROKER_ATTACH && prepared;
	int result;
	int err;

	/* Not the text, of which only what is set is sent. */
	memset(&answer, 0, offsetof(struct broker_answer, text));
	result = is_unprepared ? prepared : serve(config, budget, request, probes, &answer);
	answer.err = result < 0 ? result : 0;
	if (result != NO_FD)
		answer.size = 0;
	err = send_or_refuse(socket, &answer, result == NO_FD ? -1 : result);
	if (result >= 0 && result != NO_FD)
		close(result);
	return err;
}

/* One by one, probes take a descriptor each: 1,024 are those of ten libraries. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void broker_serve(int socket, const struct broker_config *config)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM };
	struct budget budget = { .left = BROKER_BURST };
	static struct broker_probe probes[BROKER_PROBES_MAX];
	static union packet packet;
	int prepared;

	/* The end of the worker closes the socket; signals to the group are for the worker. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "crypto-tracer:b", 0, 0, 0);
	/* The worker waits for it, and records pile up meanwhile. Not everybody may do this. */
	setpriority(PRIO_PROCESS, 0, -20);
	raise_descriptors();
	if (config->leave)
		config->leave(config->leave_ctx);
	prepared = config->prepare ? config->prepare(config->ctx) : 0;
	if (confine(config))
		_exit(1);
	while (receive(socket, &packet, probes))
		if (answer_request(socket, config, prepared, &budget, &packet.request, probes))
			break;
	/* The links of the worker, too, which it has let go of: see session_detach(). */
	close_all(STDERR_FILENO + 1);
	leaks_check();
	_exit(0);
}
