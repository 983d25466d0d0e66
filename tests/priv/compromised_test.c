/* SPDX-License-Identifier: MIT */
/*
 * Plays a worker that somebody has taken over: speaks to the broker of a real run of the tool over
 * the worker's own socket, which pidfd_getfd(2) gives to root. What the filters leave to the worker
 * is in tests/cmd/sandbox.bats.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "priv/broker_wire.h"
#include "priv/opened.h"
#include "proc/packages.h"
#include "trace/cpus.h"

#define BEGIN_MS 60000

static pid_t worker;

/* The tool, which lies beside the tests. */
static const char *tool_path(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(n > 0);
	path[n] = '\0';
	assert_non_null(strstr(path, "/tests/priv/"));
	memcpy(strstr(path, "/tests/priv/"), "/crypto-tracer", sizeof("/crypto-tracer"));
	return path;
}

static pid_t tool_start(const char *output)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(tool_path(), "crypto-tracer", "monitor", "--name", "no-such-name", "--quiet",
		      "--output", output, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static void wait_for_start(const char *output)
{
	for (int i = 0; i < BEGIN_MS / 20; i++) {
		struct stat st;

		if (stat(output, &st) == 0 && st.st_size > 0)
			return;
		assert_int_equal(waitpid(worker, NULL, WNOHANG), 0);
		usleep(20000);
	}
	fail_msg("the tool did not begin");
}

/* The one socket of the worker that keeps packets whole is the broker's. */
static int take_socket(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, worker, 0);

	assert_true(pidfd >= 0);
	for (int i = 3; i < 256; i++) {
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);
		socklen_t size = sizeof(int);
		int type = 0;

		if (fd < 0)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
		    type == SOCK_SEQPACKET) {
			close(pidfd);
			return fd;
		}
		close(fd);
	}
	close(pidfd);
	return -1;
}

static int take_over(void **state)
{
	struct timeval patience = { .tv_sec = 20 };

	files_begin(state);
	if (geteuid() != 0)
		return 0;
	worker = tool_start(files_path("out"));
	wait_for_start(files_path("out"));
	/* It must not read the answers that are for this. */
	assert_int_equal(kill(worker, SIGSTOP), 0);
	broker = (struct broker){ .fd = take_socket() };
	assert_true(broker.fd >= 0);
	setsockopt(broker.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

static int let_go(void **state)
{
	if (geteuid() == 0) {
		close(broker.fd);
		kill(worker, SIGKILL);
		assert_int_equal(waitpid(worker, NULL, 0), worker);
	}
	return files_end(state);
}

static bool is_skipped(void)
{
	if (geteuid() == 0)
		return false;
	print_message("needs root\n");
	skip();
	return true;
}

/* What asking for FILE gives; a descriptor is closed. */
static int try_file(const struct broker_file *file)
{
	int fd = broker_open(&broker, file);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int try_name(const char *path)
{
	struct broker_file file = file_at(path);

	return try_file(&file);
}

/* That the socket is the right one, and the broker answers: else every refusal would be worthless.
 */
static void test_broker_opens_what_it_is_for(void **state)
{
	(void)state;
	if (is_skipped())
		return;
	file_put(files_path("k.pem"), "key", 0600);
	assert_int_equal(try_name(files_path("k.pem")), 0);
	close(broker_open_text(&broker, (uint32_t)getpid(), BROKER_TEXT_status));
}

static void test_broker_opens_no_other_file(void **state)
{
	static const char *const refused[] = {
		"/etc/shadow",
		"etc/shadow",
		"/etc/passwd",
		"/proc/1/mem",
		"/proc/1/environ",
		"/proc/kcore",
		"/dev/mem",
		"/dev/kmsg",
		"/root/.bash_history",
		"/etc/sudoers",
		"/",
		"",
		".",
		"/sys/kernel/debug",
		"/proc/self/environ",
	};

	(void)state;
	if (is_skipped())
		return;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(try_name(refused[i]), -EACCES);
}

static void test_broker_follows_no_link_to_a_secret(void **state)
{
	(void)state;
	if (is_skipped())
		return;
	file_put(files_path("secret"), "secret", 0600);
	assert_int_equal(symlink("secret", files_path("a.pem")), 0);
	assert_int_equal(symlink("/etc/shadow", files_path("b.pem")), 0);
	assert_int_equal(symlink("/proc/1/root/etc/shadow", files_path("c.pem")), 0);
	assert_int_equal(try_name(files_path("a.pem")), -EACCES);
	assert_int_equal(try_name(files_path("b.pem")), -EACCES);
	assert_true(try_name(files_path("c.pem")) < 0);
}

static void test_broker_looks_at_no_other_process_than_meant(void **state)
{
	struct broker_file file;

	(void)state;
	if (is_skipped())
		return;
	file_put(files_path("k.pem"), "key", 0600);
	file = file_at(files_path("k.pem"));
	file.start_ns = start_ns_of(getpid());
	assert_int_equal(try_file(&file), 0);
	file.start_ns += NS_PER_SECOND;
	assert_int_equal(try_file(&file), -ESRCH);
	file.kind = BROKER_FILE_EXE;
	assert_int_equal(try_file(&file), -ESRCH);
}

static void test_broker_opens_no_descriptor_of_another_name(void **state)
{
	struct broker_file file = { .kind = BROKER_FILE_FD, .pid = (uint32_t)getpid() };
	int own;

	(void)state;
	if (is_skipped())
		return;
	own = open_file("/etc/shadow");
	file.fd = (uint32_t)own;
	assert_int_equal(try_file(&file), -EACCES);
	close(own);
}

static void test_other_verbs_do_not_reach_further(void **state)
{
	const struct broker_file file = file_at("/etc/shadow");
	const struct broker_file command = { .kind = BROKER_FILE_COMMAND };
	const struct broker_file netns = { .kind = BROKER_FILE_NETNS, .pid = 1 };
	struct package_query query = { .path = "/bin/sh" };
	uint32_t failed;

	(void)state;
	if (is_skipped())
		return;
	assert_int_equal(broker_open_package(&broker, 1, "etc/shadow"), -EACCES);
	assert_int_equal(broker_open_loader(&broker, 1, "etc/shadow"), -EACCES);
	assert_int_equal(broker_open_text(&broker, 1, NR_BROKER_TEXTS), -EINVAL);
	assert_int_equal(try_file(&netns), -EINVAL);
	assert_int_equal(broker_probe(&broker, &file, NULL, 0, &failed), -EACCES);
	/* There is no COMMAND in this run, and no rpm. */
	assert_int_equal(try_file(&command), -EACCES);
	assert_int_equal(broker_ask_rpm(&broker, &query, 1), -EACCES);
}

/* What it hands over can be read, and nothing else done with it. */
static void test_directories_lead_nowhere(void **state)
{
	int proc;

	(void)state;
	if (is_skipped())
		return;
	proc = broker_open_tasks(&broker, 1);
	assert_true(proc >= 0);
	/* This test is root; for the worker openat(2) is refused (tests/cmd/sandbox.bats). */
	assert_int_equal(fcntl(proc, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(proc);
}

/* How many descriptors the broker, the one child of the worker, has open. */
static size_t broker_descriptors(void)
{
	char path[64];
	char text[32] = "";
	size_t nr = 0;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", worker, worker);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/fd", atoi(text));
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

/* Each hook that is attached is a tax on all system calls of the host. */
static void test_hook_for_32_bit_programs_is_attached_once(void **state)
{
	size_t nr;

	(void)state;
	if (is_skipped())
		return;
	/* Where file_open has a hook that sees those there is nothing to attach: an error each
	 * time. */
	int err = broker_attach(&broker);

	nr = broker_descriptors();
	assert_true(nr > 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(broker_attach(&broker), err);
	assert_int_equal(broker_descriptors(), nr);
}

/*
 * Each CPU has its ring, of which there is one that is on, whoever asks: each is a tax on whatever
 * maps files there. What else an event may tell nobody can ask for.
 */
static void test_no_second_ring_is_opened(void **state)
{
	struct broker_ring ring;
	size_t nr;

	(void)state;
	if (is_skipped())
		return;
	nr = broker_descriptors();
	for (int i = 0; i < 3; i++)
		assert_int_equal(broker_open_ring(&broker, BROKER_RING_MAPPINGS, 0, &ring),
				 -EEXIST);
	assert_int_equal(broker_open_ring(&broker, BROKER_RING_MAPPINGS, CPUS_MAX, &ring), -EINVAL);
	assert_int_equal(broker_open_ring(&broker, BROKER_RING_MAPPINGS, UINT32_MAX, &ring),
			 -EINVAL);
	/* No programs for old kernels run, and other rings there are none. */
	assert_int_equal(broker_open_ring(&broker, BROKER_RING_RECORDS, 0, &ring), -ENOSYS);
	assert_int_equal(broker_open_ring(&broker, BROKER_RING_RECORDS + 1, 0, &ring), -ENOSYS);
	/* There is no such CPU. */
	assert_true(broker_open_ring(&broker, BROKER_RING_MAPPINGS, CPUS_MAX - 1, &ring) < 0);
	assert_int_equal(broker_descriptors(), nr);
}

/* Verbs that do not exist are refused, and the broker goes on. */
static void test_unknown_verbs_are_refused(void **state)
{
	(void)state;
	if (is_skipped())
		return;
	for (uint32_t verb = BROKER_OPEN_RING + 1; verb < BROKER_OPEN_RING + 40; verb++) {
		struct broker_request request = { .verb = verb };
		struct broker_answer answer;
		ssize_t n;

		assert_true(send(broker.fd, &request,
				 offsetof(struct broker_request, file.path) + 1, 0) > 0);
		n = recv(broker.fd, &answer, sizeof(answer), 0);
		assert_true(n >= (ssize_t)offsetof(struct broker_answer, text));
		assert_int_equal(answer.err, -ENOSYS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broker_opens_what_it_is_for),
		cmocka_unit_test(test_broker_opens_no_other_file),
		cmocka_unit_test(test_broker_follows_no_link_to_a_secret),
		cmocka_unit_test(test_broker_looks_at_no_other_process_than_meant),
		cmocka_unit_test(test_broker_opens_no_descriptor_of_another_name),
		cmocka_unit_test(test_other_verbs_do_not_reach_further),
		cmocka_unit_test(test_directories_lead_nowhere),
		cmocka_unit_test(test_hook_for_32_bit_programs_is_attached_once),
		cmocka_unit_test(test_no_second_ring_is_opened),
		cmocka_unit_test(test_unknown_verbs_are_refused),
	};

	return cmocka_run_group_tests(tests, take_over, let_go);
}
