/* SPDX-License-Identifier: MIT */
/* Of processes whose belongings are known: what /proc tells, and that iterators tell the same. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/magic.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "inventory/iterate.h"
#include "inventory/scan.h"
#include "priv/opened.h"
#include "support/few_descriptors.h"
#include "support/short_memory.h"

#define CONTAINER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TICK_NS	  (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK))

static struct inventory *inventory;
static pid_t held;		/* a child that the end of the test ends; 0: none */
static unsigned int fails_next; /* the allocation that fails in the next pass */

static int begin(void **state)
{
	return opened_begin(state) || inventory_new(&inventory, 65536);
}

static int end(void **state)
{
	fails_at = 0;
	/* The broker waits for it: it has its socket, too. */
	if (held)
		child_end(held);
	held = 0;
	inventory_free(inventory);
	return opened_end(state);
}

/* In the child: a key open for reading, one for both that is deleted, a file of no interest. */
static int hold(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "holds (x) \ny");
	if (open(files_path("a.pem"), O_RDONLY) < 0 || open(files_path("b.key"), O_RDWR) < 0 ||
	    open(files_path("c.txt"), O_RDONLY) < 0)
		return 1;
	return unlink(files_path("b.key")) ? 1 : 0;
}

static pid_t holder_start(void)
{
	file_put(files_path("a.pem"), "a", 0600);
	file_put(files_path("b.key"), "b", 0600);
	file_put(files_path("c.txt"), "c", 0600);
	return child_start(hold, NULL);
}

/* The use of PATH by PROCESS; NULL: none. */
static const struct inventory_use *use_of(const struct inventory_process *process, const char *path)
{
	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (strcmp(process->uses[i].object->path, path) == 0)
			return &process->uses[i];
	return NULL;
}

static void assert_is_file(const struct inventory_object *object, const struct stat *st)
{
	assert_int_equal(object->inode, st->st_ino);
	assert_int_equal(object->dev_major, major(st->st_dev));
	assert_int_equal(object->dev_minor, minor(st->st_dev));
}

static void check_files(const struct inventory_process *process, const struct stat *a,
			const struct stat *b)
{
	const struct inventory_use *use = use_of(process, files_path("a.pem"));

	assert_non_null(use);
	assert_true(use->is_open);
	assert_int_equal(use->open_flags & O_ACCMODE, O_RDONLY);
	assert_false(use->object->is_deleted);
	assert_is_file(use->object, a);
	assert_int_equal(use->object->nr_users, 1);
	assert_int_equal(use->object->handle.kind, BROKER_FILE_FD);
	assert_int_equal(use->object->handle.pid, process->pid);
	assert_int_equal(use->object->handle.fd, use->fd);
	use = use_of(process, files_path("b.key"));
	assert_non_null(use);
	assert_int_equal(use->open_flags & O_ACCMODE, O_RDWR);
	assert_true(use->object->is_deleted);
	assert_is_file(use->object, b);
	assert_null(use_of(process, files_path("c.txt")));
}

static void check_process(const struct inventory_process *process)
{
	struct stat st;

	assert_int_equal(process->ppid, getpid());
	assert_int_equal(process->uid, getuid());
	assert_int_equal(process->gid, getgid());
	assert_int_equal(process->start_ns / TICK_NS * TICK_NS, start_ns_of((pid_t)process->pid));
	assert_string_equal(process->comm, "holds (x) \ny");
	assert_false(process->is_hidden);
	assert_non_null(process->exe);
	st = stat_of("/proc/self/exe");
	assert_is_file(process->exe, &st);
	assert_true(process->exe->is_program);
	if (!own_libcrypto())
		return;
	st = stat_of(own_libcrypto());

	const struct inventory_use *use = use_of(process, own_libcrypto());

	assert_non_null(use);
	assert_false(use->is_open);
	assert_int_equal(use->object->family, LIBRARY_FAMILY_openssl);
	assert_is_file(use->object, &st);
}

/* PID is of holder_start(): all of it was told. */
static void check_holder(pid_t pid)
{
	const struct inventory_process *process = inventory_find(inventory, (uint32_t)pid, 0);
	struct stat a = stat_of(files_path("a.pem"));
	struct stat b;
	char path[64];

	assert_non_null(process);
	/* The file has no name any more, but the descriptor. */
	assert_non_null(use_of(process, files_path("b.key")));
	snprintf(path, sizeof(path), "/proc/%d/fd/%u", pid,
		 use_of(process, files_path("b.key"))->fd);
	b = stat_of(path);
	check_files(process, &a, &b);
	check_process(process);
}

static void test_processes_are_told_with_libraries_and_files(void **state)
{
	pid_t pid = holder_start();

	(void)state;
	assert_int_equal(scan_run(&broker, inventory), 0);
	check_holder(pid);
	child_end(pid);
}

static void test_this_process_and_its_broker_are_there(void **state)
{
	(void)state;
	assert_int_equal(scan_run(&broker, inventory), 0);
	assert_non_null(inventory_find(inventory, (uint32_t)getpid(), 0));
	assert_non_null(inventory_find(inventory, (uint32_t)broker.pid, 0));
	assert_int_equal(inventory->nr_refused, 0);
}

static void test_kernel_threads_and_zombies_are_not_told(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(scan_run(&broker, inventory), 0);
	assert_null(inventory_find(inventory, (uint32_t)pid, 0));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* kthreadd, where this is not a container. */
	if (access("/proc/2/exe", F_OK) != 0 && readlink("/proc/2/exe", (char[8]){ 0 }, 8) < 0 &&
	    errno == ENOENT)
		assert_null(inventory_find(inventory, 2, 0));
}

static void test_processes_beyond_the_limit_are_counted(void **state)
{
	struct inventory *small;

	(void)state;
	assert_int_equal(inventory_new(&small, 1), 0);
	assert_int_equal(scan_run(&broker, small), 0);
	assert_int_equal(small->nr_processes, 1);
	assert_true(small->nr_refused >= 2);
	inventory_free(small);
}

static void test_scan_without_broker_fails(void **state)
{
	(void)state;
	kill(broker.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)broker.pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(scan_run(&broker, inventory), -EPIPE);
	assert_int_equal(inventory->nr_processes, 0);
}

/* One scan with SPARE descriptors to be had. */
static int scan_with(rlim_t spare)
{
	struct rlimit before;
	int err;

	inventory_free(inventory);
	assert_int_equal(inventory_new(&inventory, 65536), 0);
	before = descriptors_leave(spare);
	err = scan_run(&broker, inventory);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	return err;
}

/* What is missing for want of a descriptor must not pass for what is not there. */
static void test_scan_without_descriptors_fails_or_tells_all(void **state)
{
	pid_t pid = holder_start();
	size_t nr_hidden;
	rlim_t spare = 0;

	(void)state;
	assert_int_equal(scan_run(&broker, inventory), 0);
	nr_hidden = inventory->nr_hidden;
	while (scan_with(spare) == -EMFILE && spare < 20)
		spare++;
	assert_true(spare > 1 && spare < 20);
	check_holder(pid);
	assert_int_equal(inventory->nr_hidden, nr_hidden);
	child_end(pid);
}

static int run_iterators(void)
{
	struct iterate iterate;
	int err = iterate_open(&iterate, -1);

	if (!err) {
		fails_at = fails_next;
		err = iterate_run(&iterate, inventory);
	}
	iterate_close(&iterate);
	return err;
}

static int run_scan(void)
{
	fails_at = fails_next;
	return scan_run(&broker, inventory);
}

/* What is missing for want of memory in a pass neither. */
static void check_without_memory(int (*run)(void))
{
	bool has_failed = true;
	unsigned int nr = 0;

	held = holder_start();
	/* The first ones each, of the later ones some: they are of one process after the other. */
	for (fails_next = 1; has_failed; fails_next += 1 + fails_next / 16) {
		int err;

		inventory_free(inventory);
		assert_int_equal(inventory_new(&inventory, 65536), 0);
		err = run();
		has_failed = fails_at == 0;
		fails_at = 0;
		if (err)
			assert_int_equal(err, -ENOMEM);
		else
			check_holder(held);
		nr += err != 0;
	}
	assert_true(nr > 10);
}

static void test_scan_without_memory_fails_or_tells_all(void **state)
{
	(void)state;
	need_failures();
	check_without_memory(run_scan);
}

static void test_iterators_without_memory_fail_or_tell_all(void **state)
{
	struct iterate iterate;
	int err = iterate_open(&iterate, -1);

	(void)state;
	iterate_close(&iterate);
	need_failures();
	if (err == -EPERM || err == -EACCES) {
		print_message("iterators take CAP_BPF and CAP_PERFMON\n");
		skip();
	}
	assert_int_equal(err, 0);
	check_without_memory(run_iterators);
}

/* In a child without rights: the processes of others can be seen, but not looked into. */
static int scan_as_nobody(pid_t pid)
{
	const struct broker_config config = { 0 };
	const struct inventory_process *process;

	if (setgid(12345) || setuid(12345) || broker_start(&broker, &config))
		return 1;
	if (scan_run(&broker, inventory))
		return 2;
	process = inventory_find(inventory, (uint32_t)pid, 0);
	if (!process || !process->is_hidden || process->nr_uses || process->exe)
		return 3;
	if (process->uid != 0 || memcmp(process->comm, "holds", 5) != 0)
		return 4;
	process = inventory_find(inventory, (uint32_t)getpid(), 0);
	if (!process)
		return 5;
	for (size_t i = 0; i < inventory->nr_processes; i++)
		inventory->nr_hidden -= inventory->processes[i]->is_hidden;
	return inventory->nr_hidden == 0 ? 0 : 6;
}

static void test_processes_of_others_are_hidden(void **state)
{
	pid_t holder, pid;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	holder = holder_start();
	pid = fork();
	if (pid == 0)
		_exit(scan_as_nobody(holder));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	child_end(holder);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool is_of_type(const char *path, long type)
{
	struct statfs st;

	return statfs(path, &st) == 0 && (long)st.f_type == type;
}

/* Puts PID into a control group that has the name of a container. Returns 0 or -1: not possible. */
static int enter_container(pid_t pid, char *dir, size_t cap)
{
	char path[512];
	FILE *file;
	int n;

	bool is_unified = is_of_type("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC);

	if (!is_unified && !is_of_type("/sys/fs/cgroup/pids", CGROUP_SUPER_MAGIC))
		return -1;
	snprintf(dir, cap, "/sys/fs/cgroup/%sdocker-%s.scope", is_unified ? "" : "pids/",
		 CONTAINER);
	if (mkdir(dir, 0755))
		return -1;
	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	file = fopen(path, "we");
	n = file ? fprintf(file, "%d", pid) : -1;
	if ((file && fclose(file)) || n < 0) {
		rmdir(dir);
		return -1;
	}
	return 0;
}

static void test_container_is_told_by_the_control_group(void **state)
{
	const struct inventory_process *process;
	pid_t pid = holder_start();
	char dir[256];

	(void)state;
	if (enter_container(pid, dir, sizeof(dir))) {
		child_end(pid);
		print_message("no control group can be made below /sys/fs/cgroup\n");
		skip();
	}
	assert_int_equal(scan_run(&broker, inventory), 0);
	child_end(pid);
	rmdir(dir);
	process = inventory_find(inventory, (uint32_t)pid, 0);
	assert_non_null(process->container);
	assert_string_equal(process->container->id, CONTAINER);
}

/* The one of OTHER that is the same as USE. */
static bool has_same_use(const struct inventory_process *other, const struct inventory_use *use)
{
	for (uint32_t i = 0; i < other->nr_uses; i++) {
		const struct inventory_use *at = &other->uses[i];

		if (strcmp(at->object->path, use->object->path) == 0 &&
		    at->object->inode == use->object->inode &&
		    at->object->dev_major == use->object->dev_major &&
		    at->object->dev_minor == use->object->dev_minor &&
		    at->object->is_deleted == use->object->is_deleted &&
		    at->object->family == use->object->family && at->is_open == use->is_open &&
		    at->fd == use->fd &&
		    (at->open_flags & O_ACCMODE) == (use->open_flags & O_ACCMODE))
			return true;
	}
	return false;
}

static void assert_same(const struct inventory_process *a, const struct inventory_process *b)
{
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(a->ppid, b->ppid);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->start_ns / TICK_NS, b->start_ns / TICK_NS);
	assert_string_equal(a->comm, b->comm);
	assert_non_null(a->exe);
	assert_non_null(b->exe);
	assert_string_equal(a->exe->path, b->exe->path);
	assert_int_equal(a->exe->inode, b->exe->inode);
	assert_int_equal(!a->container, !b->container);
	assert_int_equal(a->nr_uses, b->nr_uses);
	for (uint32_t i = 0; i < a->nr_uses; i++)
		assert_true(has_same_use(b, &a->uses[i]));
}

static void test_iterators_tell_the_same(void **state)
{
	struct iterate iterate;
	struct inventory *other;
	pid_t pid;
	int err = iterate_open(&iterate, -1);

	(void)state;
	if (err == -EPERM || err == -EACCES)
		skip();
	assert_int_equal(err, 0);
	pid = holder_start();
	assert_int_equal(inventory_new(&other, 65536), 0);
	assert_int_equal(scan_run(&broker, inventory), 0);
	assert_int_equal(iterate_run(&iterate, other), 0);
	iterate_close(&iterate);
	assert_same(inventory_find(inventory, (uint32_t)pid, 0),
		    inventory_find(other, (uint32_t)pid, 0));
	assert_same(inventory_find(inventory, (uint32_t)getpid(), 0),
		    inventory_find(other, (uint32_t)getpid(), 0));
	inventory_free(other);
	child_end(pid);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_processes_are_told_with_libraries_and_files),
		TEST(test_this_process_and_its_broker_are_there),
		TEST(test_kernel_threads_and_zombies_are_not_told),
		TEST(test_processes_beyond_the_limit_are_counted),
		TEST(test_scan_without_broker_fails),
		TEST(test_scan_without_descriptors_fails_or_tells_all),
		TEST(test_scan_without_memory_fails_or_tells_all),
		TEST(test_iterators_without_memory_fail_or_tell_all),
		TEST(test_processes_of_others_are_hidden),
		TEST(test_container_is_told_by_the_control_group),
		TEST(test_iterators_tell_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
