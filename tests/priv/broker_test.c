/* SPDX-License-Identifier: MIT */
/* The worker's end, and what both ends say to each other. What is opened: broker_serve_test.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "priv/broker_wire.h"
#include "priv/opened.h"
#include "proc/packages.h"

/* Waits at most five seconds for the broker to end. Returns its status, or -1. */
static int wait_for_end(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int status = -1;

	for (int i = 0; i < 500; i++) {
		if (waitpid(broker.pid, &status, WNOHANG) == broker.pid) {
			broker.pid = 0;
			return status;
		}
		nanosleep(&pause, NULL);
	}
	return -1;
}

static void assert_ended_well(int status)
{
	assert_true(WIFEXITED(status));
#ifndef __SANITIZE_ADDRESS__ /* it calls sigaltstack(2) before _exit(2), which the broker may not  \
			      */
	assert_int_equal(WEXITSTATUS(status), 0);
#endif
}

static void test_broker_ends_with_the_worker(void **state)
{
	(void)state;
	assert_int_equal(waitpid(broker.pid, NULL, WNOHANG), 0);
	close(broker.fd);
	broker.fd = -1;
	assert_ended_well(wait_for_end());
}

static void test_stop_is_safe_twice_and_on_none(void **state)
{
	struct broker none = { .fd = -1 };
	pid_t pid = broker.pid;

	(void)state;
	broker_stop(&broker);
	assert_int_equal(broker.fd, -1);
	assert_int_equal(broker.pid, 0);
	assert_int_equal(kill(pid, 0), -1);
	broker_stop(&broker);
	broker_stop(&none);
}

static void test_without_broker_everything_is_epipe(void **state)
{
	const struct broker_file file = { .kind = BROKER_FILE_EXE, .pid = (uint32_t)getpid() };
	struct broker_link link;

	(void)state;
	kill(broker.pid, SIGKILL);
	assert_true(WIFSIGNALED(wait_for_end()));
	assert_int_equal(broker_open(&broker, &file), -EPIPE);
	assert_int_equal(broker_open_tasks(&broker, 1), -EPIPE);
	close(broker.fd);
	broker.fd = -1;
	assert_int_equal(broker_attach(&broker), -EPIPE);
	assert_int_equal(broker_open(&broker, &file), -EPIPE);
	assert_int_equal(broker_look(&broker, 1, -1, &link), -EPIPE);
	assert_int_equal(broker_open_package_lists(&broker, 1), -EPIPE);
}

static void test_broker_that_has_begun_is_waited_for(void **state)
{
	(void)state;
	assert_int_equal(broker_wait(&broker), 0);
	assert_int_equal(broker_wait(&broker), 0);
	kill(broker.pid, SIGKILL);
	assert_true(WIFSIGNALED(wait_for_end()));
	assert_int_equal(broker_wait(&broker), -EPIPE);
}

/* Then there is a question in its socket that nobody will read (unix(7), ECONNRESET). */
static void test_broker_that_dies_before_it_answers_is_epipe(void **state)
{
	pid_t pid;

	(void)state;
	close(broker_open_tasks(&broker, 1));
	kill(broker.pid, SIGSTOP);
	pid = fork();
	if (pid == 0) {
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
		kill(broker.pid, SIGKILL);
		_exit(0);
	}
	assert_int_equal(broker_attach(&broker), -EPIPE);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* They are for the worker, which then closes the socket. */
static void test_signals_to_the_group_do_not_end_it(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM };
	int fd = broker_open_tasks(&broker, 1);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		kill(broker.pid, signals[i]);
	fd = broker_open_tasks(&broker, 1);
	assert_true(fd >= 0);
	close(fd);
}

static void test_rights_are_given_up(void **state)
{
	char path[64];
	const char *text;

	(void)state;
	close(broker_open_tasks(&broker, 1));
	snprintf(path, sizeof(path), "/proc/%d/status", broker.pid);
	text = file_text(path);
	assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
	assert_non_null(strstr(text, "\nSeccomp:\t2\n"));
	if (geteuid() == 0)
		assert_non_null(strstr(text, "\nCapBnd:\t0000000000000000\n"));
	assert_null(strstr(text, "\nUid:\t0"));
}

static int calls;

/* Returns what CTX says of the first call, then of the second. */
static int next_result(void *ctx)
{
	return ((const int *)ctx)[calls++];
}

/* What the results of PREPARE, where it IS_PREPARED, and of attaching come to. */
static void check_attach(const int *results, bool is_prepared, int first, int second)
{
	const struct broker_config config = {
		.prepare = is_prepared ? next_result : NULL,
		.attach = next_result,
		.ctx = (void *)results,
	};
	struct broker other;

	assert_int_equal(broker_start(&other, &config), 0);
	assert_int_equal(broker_attach(&other), first);
	assert_int_equal(broker_attach(&other), second);
	broker_stop(&other);
	/* It was called there, not here. */
	assert_int_equal(calls, 0);
}

static void test_attach_returns_what_was_configured(void **state)
{
	(void)state;
	check_attach((const int[]){ 0, -EBUSY }, false, 0, -EBUSY);
	check_attach((const int[]){ -EBUSY, 0 }, false, -EBUSY, 0);
	check_attach((const int[]){ 0, -EPERM, 0 }, true, -EPERM, 0);
	/* What could not be prepared is not attached. */
	check_attach((const int[]){ -ENOENT, 0, 0 }, true, -ENOENT, -ENOENT);
	assert_int_equal(broker_attach(&broker), -ENOSYS);
}

static void test_text_of_a_process_is_opened(void **state)
{
	static const char *const begins[NR_BROKER_TEXTS] = {
		[BROKER_TEXT_status] = "Name:\t",
		[BROKER_TEXT_tcp] = "  sl  local_address rem_address ",
		[BROKER_TEXT_tcp6] = "  sl  local_address    ",
	};
	uint32_t pid = (uint32_t)getpid();
	char text[STATUS_TEXT_MAX];

	(void)state;
	for (uint32_t kind = 0; kind < NR_BROKER_TEXTS; kind++) {
		int fd = broker_open_text(&broker, pid, kind);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		/* Without IPv6 it has no sockets of that either. */
		if (kind == BROKER_TEXT_tcp6 && fd == -ENOENT)
			continue;
		assert_true(n > 0);
		close(fd);
		/* The same as a text, cut where there is no room. */
		n = broker_read_text(&broker, pid, kind, text, sizeof(text) - 1);
		assert_true(n > 0);
		text[n] = '\0';
		assert_int_equal(broker_read_text(&broker, pid, kind, text, 1), 1);
		assert_true(!begins[kind] ||
			    strncmp(text, begins[kind], strlen(begins[kind])) == 0);
		if (kind == BROKER_TEXT_stat)
			assert_int_equal(strtol(text, NULL, 10), pid);
	}
	assert_int_equal(broker_open_text(&broker, pid, NR_BROKER_TEXTS), -EINVAL);
	assert_int_equal(broker_open_text(&broker, pid, (enum broker_text)UINT32_MAX), -EINVAL);
	assert_int_equal(broker_open_text(&broker, (uint32_t)ended_pid(), BROKER_TEXT_stat),
			 -ENOENT);
	assert_int_equal(broker_read_text(&broker, (uint32_t)ended_pid(), BROKER_TEXT_stat, text,
					  sizeof(text)),
			 -ENOENT);
}

static void test_network_namespace_is_looked_at_and_not_opened(void **state)
{
	struct broker_file file = { .kind = BROKER_FILE_NETNS, .pid = (uint32_t)getpid() };
	uint32_t netns = 1;
	struct stat st = stat_of("/proc/self/ns/net");

	(void)state;
	assert_int_equal(broker_look_netns(&broker, (uint32_t)getpid(), &netns), 0);
	assert_int_equal(netns, st.st_ino);
	assert_int_equal(broker_look_netns(&broker, (uint32_t)ended_pid(), &netns), -ENOENT);
	assert_int_equal(netns, st.st_ino);
	assert_int_equal(broker_open(&broker, &file), -EINVAL);
	file.kind = UINT32_MAX;
	assert_int_equal(broker_open(&broker, &file), -EINVAL);
}

static void test_directories_of_proc_are_opened(void **state)
{
	int fd = broker_open_tasks(&broker, 1);
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_ino, stat_of("/proc/1/task").st_ino);
	close(fd);
	fd = broker_open_fds(&broker, (uint32_t)getpid());
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(broker_open_fds(&broker, (uint32_t)ended_pid()), -ENOENT);
}

static void test_processes_are_listed(void **state)
{
	uint32_t pids[BROKER_PIDS_MAX];
	bool has_own = false, has_init = false;
	uint32_t last = 0;
	uint64_t cursor = 0;
	int nr;

	(void)state;
	while ((nr = broker_list_processes(&broker, &cursor, pids)) > 0)
		for (int i = 0; i < nr; i++) {
			/* each once: /proc has them in this order */
			assert_true(pids[i] > last);
			last = pids[i];
			has_own |= pids[i] == (uint32_t)getpid();
			has_init |= pids[i] == 1;
		}
	assert_int_equal(nr, 0);
	assert_true(has_own && has_init);
	/* what the worker may say is no place */
	cursor = UINT64_MAX;
	assert_true(broker_list_processes(&broker, &cursor, pids) <= 0);
}

static void check_look(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	struct broker_link link;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(broker_look(&broker, (uint32_t)getpid(), fd, &link), 0);
	assert_string_equal(link.path, path);
	assert_int_equal(link.inode, st.st_ino);
	assert_int_equal(link.dev_major, major(st.st_dev));
	assert_int_equal(link.dev_minor, minor(st.st_dev));
	assert_int_equal(link.mode, st.st_mode);
	assert_int_equal(link.open_flags, flags);
	close(fd);
}

static void test_descriptors_and_programs_are_looked_at(void **state)
{
	struct broker_link link;
	int ends[2];

	(void)state;
	file_put(files_path("k.pem"), "", 0640);
	check_look(files_path("k.pem"), O_RDONLY);
	check_look(files_path("k.pem"), O_WRONLY);
	check_look(files_path("k.pem"), O_RDWR);
	check_look("/dev/null", O_RDWR);
	assert_int_equal(broker_look(&broker, (uint32_t)getpid(), -1, &link), 0);
	assert_int_equal(link.inode, stat_of("/proc/self/exe").st_ino);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(broker_look(&broker, (uint32_t)getpid(), ends[0], &link), 0);
	assert_memory_equal(link.path, "pipe:[", 6);
	assert_int_equal(link.inode, 0);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(broker_look(&broker, (uint32_t)getpid(), ends[0], &link), -ENOENT);
	assert_int_equal(broker_look(&broker, (uint32_t)ended_pid(), -1, &link), -ENOENT);
}

static void test_rpm_is_not_run_unless_configured(void **state)
{
	struct package_query query = { .path = "/usr/lib/libcrypto.so.3" };

	(void)state;
	assert_int_equal(broker_ask_rpm(&broker, &query, 1), -EACCES);
	assert_string_equal(query.package, "");
	assert_int_equal(broker_ask_rpm(&broker, NULL, 0), 0);
}

static void test_path_too_long_is_not_sent(void **state)
{
	static char path[BROKER_PATH_MAX + 1];

	(void)state;
	memset(path, 'a', BROKER_PATH_MAX);
	assert_int_equal(broker_open_package(&broker, 1, path), -ENAMETOOLONG);
	path[BROKER_PATH_MAX - 1] = '\0';
	assert_int_equal(broker_open_package(&broker, 1, path), -EACCES);
}

/* Sends SIZE bytes as they are. Returns the error of the answer, or 1 when the broker is gone. */
static int say(const void *bytes, size_t size)
{
	struct broker_answer answer = { .err = 2 };
	ssize_t n;

	assert_int_equal(send(broker.fd, bytes, size, MSG_NOSIGNAL), size);
	n = recv(broker.fd, &answer, sizeof(answer), 0);
	if (n <= 0)
		return 1;
	assert_int_equal(answer.size, n - (ssize_t)offsetof(struct broker_answer, text));
	return answer.err;
}

static void test_request_without_a_path_ends_the_broker(void **state)
{
	const struct broker_request request = { .verb = BROKER_OPEN_TASKS };

	(void)state;
	assert_int_equal(say(&request, offsetof(struct broker_request, file.path)), 1);
	assert_ended_well(wait_for_end());
}

static void test_request_of_one_byte_ends_the_broker(void **state)
{
	(void)state;
	assert_int_equal(say("x", 1), 1);
	assert_ended_well(wait_for_end());
}

static void test_request_longer_than_a_path_ends_the_broker(void **state)
{
	static struct {
		struct broker_request request;
		char more;
	} bytes;

	(void)state;
	assert_int_equal(say(&bytes, sizeof(bytes)), 1);
	assert_ended_well(wait_for_end());
}

static void test_malformed_requests_are_refused(void **state)
{
	static struct broker_request whole;
	struct broker_request *request = &whole;
	size_t size = offsetof(struct broker_request, file.path) + 1;

	(void)state;
	request->file.pid = (uint32_t)getpid();
	request->verb = 77;
	assert_int_equal(say(request, size), -ENOSYS);
	request->verb = UINT32_MAX;
	assert_int_equal(say(request, size), -ENOSYS);
	request->verb = BROKER_OPEN_TEXT;
	request->text = UINT32_MAX;
	assert_int_equal(say(request, size), -EINVAL);
	request->verb = BROKER_OPEN;
	request->file.kind = UINT32_MAX;
	assert_true(say(request, size) < 0);
	/* No NUL. */
	request->file.kind = BROKER_FILE_PATH;
	memset(request->file.path, 'a', sizeof(request->file.path));
	assert_int_equal(say(request, sizeof(*request)), -EACCES);
	memcpy(request->file.path, "/-/-/k.pem", 10);
	assert_int_equal(say(request, size + 9), -EACCES);
	assert_int_equal(say(request, size + 10), -ENOENT);
	/* What an earlier request left behind is not part of a path. */
	request->verb = BROKER_OPEN_PACKAGE;
	assert_int_equal(say(request, size), -EACCES);
}

static void test_opens_beyond_the_burst_are_put_off(void **state)
{
	const struct broker_file file = { .kind = BROKER_FILE_PATH, .path = "/x" };
	struct timespec before, after;
	uint64_t n = 0;
	int err;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	do {
		err = broker_open(&broker, &file);
		n += err == -EACCES;
		clock_gettime(CLOCK_MONOTONIC, &after);
	} while (err == -EACCES && after.tv_sec - before.tv_sec < 120);
	if (err == -EACCES) {
		print_message("fewer requests a second than are allowed\n");
		skip();
	}
	assert_int_equal(err, -EAGAIN);
	assert_true(n >= BROKER_BURST);
	assert_true(n <= BROKER_BURST +
				 BROKER_PER_SECOND * (uint64_t)(after.tv_sec - before.tv_sec + 1));
	/* Other requests are not files. */
	close(broker_open_tasks(&broker, 1));
	/* And a second later there are some more. */
	nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 100000000 }, NULL);
	assert_int_equal(broker_open(&broker, &file), -EACCES);
}

/* Puts ANSWER of SIZE bytes, with FD where that is not -1, before the worker asks. */
static void prepare_answer(int socket, const void *answer, size_t size, int fd)
{
	struct iovec part = { .iov_base = (void *)answer, .iov_len = size };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(socket, &message, 0), size);
}

static int next_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void test_answers_are_not_trusted_to_be_whole(void **state)
{
	const size_t head = offsetof(struct broker_answer, text);
	struct broker_answer answer = { 0 };
	struct broker fake = { 0 };
	struct broker_link link;
	int fds[2], free_fd;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	fake.fd = fds[0];
	free_fd = next_fd();
	prepare_answer(fds[1], &answer, head - 1, -1);
	assert_int_equal(broker_open_tasks(&fake, 1), -EPIPE);
	/* Success without a descriptor. */
	prepare_answer(fds[1], &answer, head, -1);
	assert_int_equal(broker_open_tasks(&fake, 1), -EPROTO);
	/* Text that is not there. */
	answer.size = 10;
	prepare_answer(fds[1], &answer, head + 9, -1);
	assert_int_equal(broker_look(&fake, 1, -1, &link), -EPROTO);
	answer.size = UINT32_MAX;
	prepare_answer(fds[1], &answer, sizeof(answer), -1);
	assert_int_equal(broker_look(&fake, 1, -1, &link), -EPROTO);
	/* A descriptor that nobody asked for, or with an error, is closed. */
	answer.size = 0;
	prepare_answer(fds[1], &answer, head, 0);
	assert_int_equal(broker_attach(&fake), 0);
	assert_int_equal(next_fd(), free_fd);
	answer.err = -EACCES;
	prepare_answer(fds[1], &answer, head, 0);
	assert_int_equal(broker_open_tasks(&fake, 1), -EACCES);
	assert_int_equal(next_fd(), free_fd);
	/* The longest link that there is. */
	answer = (struct broker_answer){ .size = BROKER_PATH_MAX };
	memset(answer.text, 'a', sizeof(answer.text));
	prepare_answer(fds[1], &answer, sizeof(answer), -1);
	assert_int_equal(broker_look(&fake, 1, -1, &link), 0);
	assert_int_equal(strlen(link.path), BROKER_PATH_MAX);
	close(fds[0]);
	close(fds[1]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, opened_begin, opened_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_broker_ends_with_the_worker),
		TEST(test_stop_is_safe_twice_and_on_none),
		TEST(test_without_broker_everything_is_epipe),
		TEST(test_broker_that_has_begun_is_waited_for),
		TEST(test_broker_that_dies_before_it_answers_is_epipe),
		TEST(test_signals_to_the_group_do_not_end_it),
		TEST(test_rights_are_given_up),
		TEST(test_attach_returns_what_was_configured),
		TEST(test_text_of_a_process_is_opened),
		TEST(test_network_namespace_is_looked_at_and_not_opened),
		TEST(test_processes_are_listed),
		TEST(test_directories_of_proc_are_opened),
		TEST(test_descriptors_and_programs_are_looked_at),
		TEST(test_rpm_is_not_run_unless_configured),
		TEST(test_path_too_long_is_not_sent),
		TEST(test_request_without_a_path_ends_the_broker),
		TEST(test_request_of_one_byte_ends_the_broker),
		TEST(test_request_longer_than_a_path_ends_the_broker),
		TEST(test_malformed_requests_are_refused),
		TEST(test_opens_beyond_the_burst_are_put_off),
		TEST(test_answers_are_not_trusted_to_be_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
