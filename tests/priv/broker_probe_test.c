/* SPDX-License-Identifier: MIT */
/* Probes that the worker asks for, what it may see of the dynamic linker, and what threads cost. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "priv/broker_wire.h"
#include "priv/opened.h"
#include "priv/trials.h"

/* What the broker, another process, was asked for. */
struct asked {
	unsigned int nr_probed;
	unsigned int nr_unprobed;
	uint64_t inode;
	int flags; /* of the descriptor */
	uint32_t set;
	size_t nr_probes;
	struct broker_probe probes[BROKER_PROBES_MAX];
	/* What it is to answer, and how many probes it says were refused. */
	int answer;
	uint32_t nr_failed;
	bool is_trial; /* trials_run() instead */
	int errors[NR_TRIALS];
};

static struct asked *asked;
static struct broker_config config;

static int on_probe(void *ctx, int fd, const struct broker_probe *probes, size_t nr_probes,
		    uint32_t *ret_failed)
{
	struct stat st = { .st_ino = 0 };

	if (ctx != asked || nr_probes > BROKER_PROBES_MAX)
		return -ERANGE;
	if (asked->is_trial)
		trials_run(asked->errors);
	fstat(fd, &st);
	asked->inode = st.st_ino;
	asked->nr_probed++;
	asked->nr_probes = nr_probes;
	memcpy(asked->probes, probes, nr_probes * sizeof(*probes));
	*ret_failed = asked->nr_failed;
	return asked->answer;
}

static int on_unprobe(void *ctx, uint32_t set)
{
	if (ctx != asked)
		return -ERANGE;
	asked->nr_unprobed++;
	asked->set = set;
	return asked->answer;
}

static int begin(void **state)
{
	files_begin(state);
	asked = mmap(NULL, sizeof(*asked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (asked == MAP_FAILED)
		return -1;
	config = (struct broker_config){
		.probe = on_probe,
		.unprobe = on_unprobe,
		.probe_ctx = asked,
	};
	file_put(files_path("libssl.so.3"), "library", 0600);
	return broker_start(&broker, &config);
}

static int end(void **state)
{
	broker_stop(&broker);
	munmap(asked, sizeof(*asked));
	return files_end(state);
}

/* Another one, of CONFIG as it is now. */
static void restart(void)
{
	broker_stop(&broker);
	memset(asked, 0, sizeof(*asked));
	assert_int_equal(broker_start(&broker, &config), 0);
}

static const struct broker_probe one[] = { { .offset = 1 } };

/* What probing FILE gives; it does not get as far as attaching unless that is 0 or more. */
static int try_file(const struct broker_file *file)
{
	unsigned int before = asked->nr_probed;
	uint32_t nr_failed = 99;
	int set = broker_probe(&broker, file, one, 1, &nr_failed);

	assert_int_equal(asked->nr_probed, before + (set >= 0));
	assert_true(set >= 0 || nr_failed == 99);
	return set;
}

static int try_name(const char *name)
{
	struct broker_file file = file_at(files_path(name));

	return try_file(&file);
}

static void probes_fill(struct broker_probe *probes, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		probes[i] = (struct broker_probe){
			.offset = 0x1000 + 16 * i,
			.cookie = 0xabcdef0123456789 ^ i,
			.is_return = i % 3 == 0,
		};
}

/* NR probes in the file NAME arrive as they are. */
static void check_arrival(const char *name, size_t nr)
{
	static struct broker_probe probes[BROKER_PROBES_MAX];
	struct broker_file file = file_at(files_path(name));
	uint32_t nr_failed = 99;

	probes_fill(probes, nr);
	file.inode = stat_of(file.path).st_ino;
	asked->answer = 7 + (int)nr;
	asked->nr_failed = (uint32_t)nr / 2;
	memset(asked->probes, 0xff, sizeof(asked->probes));
	assert_int_equal(broker_probe(&broker, &file, probes, nr, &nr_failed), 7 + nr);
	assert_int_equal(nr_failed, nr / 2);
	assert_int_equal(asked->inode, file.inode);
	assert_int_equal(asked->nr_probes, nr);
	assert_memory_equal(asked->probes, probes, nr * sizeof(probes[0]));
}

static void test_probes_arrive_as_they_are(void **state)
{
	/* Paths of other lengths: the probes are behind them. */
	static const char *const names[] = { "libssl.so.3", "libssl.so.3.0", "libssl.so.3.0.1" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		file_put(files_path(names[i]), names[i], 0644);
		check_arrival(names[i], 1);
		check_arrival(names[i], 2);
		check_arrival(names[i], 117);
		check_arrival(names[i], BROKER_PROBES_MAX);
	}
	assert_int_equal(asked->nr_probed, 12);
}

static void test_what_attaching_returns_is_returned(void **state)
{
	struct broker_file file = file_at(files_path("libssl.so.3"));
	uint32_t nr_failed = 99;

	(void)state;
	asked->answer = 0;
	assert_int_equal(try_name("libssl.so.3"), 0);
	asked->answer = 1023;
	assert_int_equal(try_name("libssl.so.3"), 1023);
	asked->answer = -EINVAL;
	asked->nr_failed = 3;
	assert_int_equal(broker_probe(&broker, &file, one, 1, &nr_failed), -EINVAL);
	assert_int_equal(nr_failed, 99);
	assert_int_equal(asked->nr_probed, 3);
}

static void test_more_probes_than_there_is_room_for_are_not_sent(void **state)
{
	static struct broker_probe probes[BROKER_PROBES_MAX + 1];
	struct broker_file file = file_at(files_path("libssl.so.3"));
	uint32_t nr_failed;

	(void)state;
	assert_int_equal(broker_probe(&broker, &file, probes, BROKER_PROBES_MAX + 1, &nr_failed),
			 -E2BIG);
	assert_int_equal(broker_probe(&broker, &file, probes, SIZE_MAX, &nr_failed), -E2BIG);
	assert_int_equal(broker_probe(&broker, &file, probes, 1UL << 32 | 1, &nr_failed), -E2BIG);
	assert_int_equal(asked->nr_probed, 0);
	assert_int_equal(try_name("libssl.so.3"), 0);
}

static void test_file_that_may_not_be_opened_has_no_probes(void **state)
{
	struct broker_file file;

	(void)state;
	file_put(files_path("notes.txt"), "text", 0644);
	assert_int_equal(mkdir(files_path("libcrypto.so.3"), 0700), 0);
	assert_int_equal(mkfifo(files_path("libgnutls.so.30"), 0600), 0);
	assert_int_equal(try_name("notes.txt"), -EACCES);
	assert_int_equal(try_name("none.txt"), -EACCES);
	assert_int_equal(try_name("libssl.so.1.1"), -ENOENT);
	assert_int_equal(try_name("libcrypto.so.3"), -EINVAL);
	assert_int_equal(try_name("libgnutls.so.30"), -EINVAL);
	file = file_at("/proc/self/exe");
	assert_int_equal(try_file(&file), -EACCES);
	file = file_at("");
	assert_int_equal(try_file(&file), -EACCES);
}

static void test_other_file_or_process_than_meant_has_no_probes(void **state)
{
	struct broker_file file = file_at(files_path("libssl.so.3"));

	(void)state;
	file.inode = stat_of(file.path).st_ino + 1;
	assert_int_equal(try_file(&file), -ESTALE);
	file.inode--;
	assert_int_equal(try_file(&file), 0);
	file.ctime_ns = ctime_of(file.path) + 1;
	assert_int_equal(try_file(&file), -ESTALE);
	file.ctime_ns = 0;
	file.start_ns = start_ns_of(getpid()) + NS_PER_SECOND;
	file.inode = 0;
	assert_true(try_file(&file) < 0);
	file.pid = (uint32_t)ended_pid();
	file.start_ns = 0;
	assert_true(try_file(&file) < 0);
}

static void test_program_has_probes_whatever_its_name(void **state)
{
	const struct broker_file file = { .kind = BROKER_FILE_EXE, .pid = (uint32_t)getpid() };

	(void)state;
	assert_int_equal(try_file(&file), 0);
	assert_int_equal(asked->inode, stat_of("/proc/self/exe").st_ino);
}

static void test_command_is_the_one_that_was_given(void **state)
{
	const struct broker_file file = { .kind = BROKER_FILE_COMMAND };
	struct broker_file other = file;

	(void)state;
	assert_int_equal(try_file(&file), -EACCES);
	config.command = open_file("/proc/self/exe");
	restart();
	close(config.command);
	assert_int_equal(try_file(&file), 0);
	assert_int_equal(asked->inode, stat_of("/proc/self/exe").st_ino);
	other.inode = asked->inode + 1;
	assert_int_equal(try_file(&other), -ESTALE);
}

static void test_nothing_is_attached_where_there_is_nothing_to(void **state)
{
	(void)state;
	config = (struct broker_config){ 0 };
	restart();
	assert_int_equal(try_name("libssl.so.3"), -ENOSYS);
	assert_int_equal(broker_unprobe(&broker, 0), -ENOSYS);
}

static void test_sets_are_let_go_of(void **state)
{
	(void)state;
	asked->answer = 0;
	assert_int_equal(broker_unprobe(&broker, 5), 0);
	assert_int_equal(asked->set, 5);
	asked->answer = -ENOENT;
	assert_int_equal(broker_unprobe(&broker, UINT32_MAX), -ENOENT);
	assert_int_equal(asked->set, UINT32_MAX);
	assert_int_equal(asked->nr_unprobed, 2);
}

static void test_without_broker_probes_are_epipe(void **state)
{
	struct broker_file file = file_at(files_path("libssl.so.3"));
	uint32_t nr_failed;

	(void)state;
	kill(broker.pid, SIGKILL);
	assert_int_equal(waitpid(broker.pid, NULL, 0), broker.pid);
	broker.pid = 0;
	assert_int_equal(broker_probe(&broker, &file, one, 1, &nr_failed), -EPIPE);
	assert_int_equal(broker_unprobe(&broker, 0), -EPIPE);
	assert_int_equal(broker_open_loader(&broker, 1, "lib"), -EPIPE);
}

/* A request as it goes over the wire. */
static struct {
	struct broker_request request;
	uint8_t more[BROKER_PROBES_SIZE + 1000];
} wire;

/* Begins one for the library, with NR probes. Returns its size without them. */
static size_t wire_begin(uint32_t nr)
{
	const char *path = files_path("libssl.so.3");

	memset(&wire, 0, sizeof(wire));
	wire.request.verb = BROKER_PROBE;
	wire.request.nr_probes = nr;
	wire.request.file.kind = BROKER_FILE_PATH;
	wire.request.file.pid = (uint32_t)getpid();
	memcpy(wire.request.file.path, path, strlen(path) + 1);
	return offsetof(struct broker_request, file.path) + strlen(path) + 1;
}

/* Sends the first SIZE bytes. Returns the error of the answer, or 1 when the broker is gone. */
static int say(size_t size)
{
	struct broker_answer answer = { .err = 2 };

	assert_int_equal(send(broker.fd, &wire, size, MSG_NOSIGNAL), size);
	return recv(broker.fd, &answer, sizeof(answer), 0) <= 0 ? 1 : answer.err;
}

/* That ends the broker. */
static void check_end(size_t size)
{
	assert_int_equal(say(size), 1);
	broker_stop(&broker);
	assert_int_equal(asked->nr_probed, 0);
	restart();
}

static void test_malformed_requests_end_the_broker(void **state)
{
	const size_t probe = sizeof(struct broker_probe);
	size_t size = wire_begin(1);

	(void)state;
	assert_int_equal(say(size + probe), 0);
	assert_int_equal(asked->nr_probes, 1);
	restart();
	/* The probe is not there, not whole, or in the place of the path. */
	check_end(offsetof(struct broker_request, file.path) + probe);
	check_end(offsetof(struct broker_request, file.path) + 1);
	wire_begin(2);
	check_end(offsetof(struct broker_request, file.path) + probe);
	wire_begin(BROKER_PROBES_MAX + 1);
	check_end(sizeof(wire.request) + BROKER_PROBES_SIZE);
	wire_begin(UINT32_MAX);
	check_end(size + probe);
	/* Times their size that is 16. */
	wire_begin(0xaaaaaab);
	check_end(size + 16);
	/* More than belongs to it. */
	wire_begin(0);
	check_end(sizeof(wire.request) + 1);
	wire_begin(1);
	check_end(sizeof(wire.request) + probe + 1);
}

/* What is behind the path are probes, whatever it is. */
static void test_path_without_an_end_is_cut(void **state)
{
	const size_t probe = sizeof(struct broker_probe);
	size_t size = wire_begin(1);

	(void)state;
	/* Its NUL belongs to the probe: what is left of the path is another name. */
	assert_int_equal(say(size - 1 + probe), -EACCES);
	memset(wire.request.file.path, 'a', sizeof(wire.request.file.path));
	memset(wire.more, 'a', sizeof(wire.more));
	assert_int_equal(say(sizeof(wire.request) + probe), -EACCES);
	wire.request.nr_probes = BROKER_PROBES_MAX;
	assert_int_equal(say(sizeof(wire.request) + BROKER_PROBES_SIZE), -EACCES);
	assert_int_equal(asked->nr_probed, 0);
}

static void test_probes_of_other_requests_are_ignored(void **state)
{
	size_t size = wire_begin(3);

	(void)state;
	wire.request.verb = BROKER_UNPROBE;
	wire.request.text = 11;
	assert_int_equal(say(size + 3 * sizeof(struct broker_probe)), 0);
	assert_int_equal(asked->set, 11);
	assert_int_equal(asked->nr_probed, 0);
}

/* What opening PATH of the dynamic linker's in the root of PID gives. */
static int try_loader(pid_t pid, const char *path)
{
	int fd = broker_open_loader(&broker, (uint32_t)pid, path);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void test_directories_of_libraries_are_opened(void **state)
{
	size_t nr;
	const char *const *paths = broker_loader_paths(&nr);

	(void)state;
	assert_true(nr > 4);
	for (size_t i = 0; i < nr; i++) {
		char own[64];
		struct stat st;
		int fd = broker_open_loader(&broker, (uint32_t)getpid(), paths[i]);

		snprintf(own, sizeof(own), "/%s", paths[i]);
		if (stat(own, &st)) {
			assert_int_equal(fd, -ENOENT);
			continue;
		}
		assert_true(fd >= 0);
		assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_ino, stat_of(own).st_ino);
		assert_true(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode));
		close(fd);
	}
	assert_int_equal(try_loader(ended_pid(), paths[0]), -ENOENT);
}

static void test_nothing_but_these_is_opened_as_such(void **state)
{
	static const char *const paths[] = {
		"",
		"/lib",
		"lib/",
		"./lib",
		"lib/..",
		"etc",
		"etc/passwd",
		"/etc/ld.so.cache",
		"etc//ld.so.cache",
		"usr/lib/../../etc",
		"proc",
		"usr/lib/ssl",
		"lib/libssl.so.3",
		"LIB",
		"etc/ld.so.cach",
		"lib64/x",
		"etc/ld.so.cache ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(try_loader(getpid(), paths[i]), -EACCES);
}

static int enter_root(void *arg)
{
	return chroot(arg) || chdir("/") ? errno : 0;
}

static void test_linker_of_another_root_is_that_of_the_process(void **state)
{
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("chroot(2) is not allowed\n");
		skip();
	}
	assert_int_equal(mkdir(files_path("root"), 0755), 0);
	assert_int_equal(mkdir(files_path("root/etc"), 0755), 0);
	assert_int_equal(mkdir(files_path("root/usr"), 0755), 0);
	file_put(files_path("root/etc/ld.so.cache"), "its own cache", 0644);
	/* Out of the root, and in it. */
	assert_int_equal(symlink("../../../../usr/lib", files_path("root/lib")), 0);
	assert_int_equal(mkfifo(files_path("root/lib64"), 0644), 0);
	pid = child_start(enter_root, (void *)files_path("root"));
	assert_reads(broker_open_loader(&broker, (uint32_t)pid, "etc/ld.so.cache"),
		     "its own cache");
	assert_int_equal(try_loader(pid, "lib"), -ENOENT);
	assert_int_equal(try_loader(pid, "lib64"), -EINVAL);
	assert_int_equal(mkdir(files_path("root/usr/lib"), 0755), 0);
	assert_int_equal(try_loader(pid, "lib"), 0);
	child_end(pid);
	rmdir(files_path("root/usr/lib"));
	rmdir(files_path("root/usr"));
	unlink(files_path("root/lib"));
	unlink(files_path("root/lib64"));
	unlink(files_path("root/etc/ld.so.cache"));
	rmdir(files_path("root/etc"));
}

static int no_ring(void *ctx, uint32_t kind, uint32_t cpu, struct broker_ring *ret)
{
	(void)ctx;
	(void)kind;
	(void)cpu;
	(void)ret;
	return -ENODEV;
}

static void check_trials(bool is_one_by_one, bool has_rings)
{
	config.probes_one_by_one = is_one_by_one;
	config.open_ring = has_rings ? no_ring : NULL;
	restart();
	asked->is_trial = true;
	assert_int_equal(try_name("libssl.so.3"), 0);
	assert_int_equal(asked->errors[TRIAL_thread], 0);
	for (int i = TRIAL_thread + 1; i < NR_TRIALS; i++) {
		if (i == TRIAL_clone3)
			assert_int_equal(asked->errors[i], ENOSYS);
		else if (i == TRIAL_perf && (is_one_by_one || has_rings))
			assert_int_not_equal(asked->errors[i], EPERM);
		else
			assert_int_equal(asked->errors[i], EPERM);
	}
}

static void test_broker_makes_threads_and_no_processes(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	print_message("the sanitizer's threads make calls of their own\n");
	skip();
#endif
	check_trials(false, false);
	check_trials(true, false);
	check_trials(false, true);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_probes_arrive_as_they_are),
		TEST(test_what_attaching_returns_is_returned),
		TEST(test_more_probes_than_there_is_room_for_are_not_sent),
		TEST(test_file_that_may_not_be_opened_has_no_probes),
		TEST(test_other_file_or_process_than_meant_has_no_probes),
		TEST(test_program_has_probes_whatever_its_name),
		TEST(test_command_is_the_one_that_was_given),
		TEST(test_nothing_is_attached_where_there_is_nothing_to),
		TEST(test_sets_are_let_go_of),
		TEST(test_without_broker_probes_are_epipe),
		TEST(test_malformed_requests_end_the_broker),
		TEST(test_path_without_an_end_is_cut),
		TEST(test_probes_of_other_requests_are_ignored),
		TEST(test_directories_of_libraries_are_opened),
		TEST(test_nothing_but_these_is_opened_as_such),
		TEST(test_linker_of_another_root_is_that_of_the_process),
		TEST(test_broker_makes_threads_and_no_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
