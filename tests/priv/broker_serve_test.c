/* SPDX-License-Identifier: MIT */
/* What the broker opens, and what it does not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "priv/broker_wire.h"
#include "priv/opened.h"

/* What opening NAME in the test's directory gives; a descriptor is closed. */
static int try_path(const char *name)
{
	struct broker_file file = file_at(files_path(name));
	int fd = broker_open(&broker, &file);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int try_fd(int fd)
{
	const struct broker_file file = { .kind = BROKER_FILE_FD,
					  .pid = (uint32_t)getpid(),
					  .fd = (uint32_t)fd };
	int opened = broker_open(&broker, &file);

	if (opened >= 0)
		close(opened);
	return opened < 0 ? opened : 0;
}

static void test_open_crypto_file_is_opened_again_for_reading(void **state)
{
	struct broker_file file = { .kind = BROKER_FILE_FD, .pid = (uint32_t)getpid() };
	int own, fd;

	(void)state;
	file_put(files_path("k.pem"), "secret", 0600);
	own = open_file(files_path("k.pem"));
	lseek(own, 3, SEEK_SET);
	file.fd = (uint32_t)own;
	file.start_ns = start_ns_of(getpid());
	file.inode = stat_of(files_path("k.pem")).st_ino;
	file.ctime_ns = ctime_of(files_path("k.pem"));
	fd = broker_open(&broker, &file);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* From its start: the offset is not shared. */
	assert_reads(fd, "secret");
	assert_int_equal(lseek(own, 0, SEEK_CUR), 3);
	close(own);
}

/* What sendmsg(2) fails with, once, in the process of that number, the broker; 0: nothing. */
struct refusal {
	pid_t pid;
	int err;
};

static struct refusal *refusal;

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (refusal && refusal->err && refusal->pid == getpid()) {
		errno = refusal->err;
		refusal->err = 0;
		return -1;
	}
	return syscall(SYS_sendmsg, fd, message, flags);
}

/* The broker goes on, and says of what there was not enough. */
static void test_answer_that_cannot_be_sent_is_a_refusal(void **state)
{
	static const struct {
		int err, told;
	} all[] = { { ETOOMANYREFS, -EMFILE }, { ENOBUFS, -ENOMEM }, { ENOMEM, -ENOMEM } };

	(void)state;
	refusal = mmap(NULL, sizeof(*refusal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	assert_true(refusal != MAP_FAILED);
	broker_stop(&broker);
	assert_int_equal(broker_start(&broker, &(struct broker_config){ 0 }), 0);
	file_put(files_path("k.pem"), "secret", 0600);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		*refusal = (struct refusal){ broker.pid, all[i].err };
		assert_int_equal(try_path("k.pem"), all[i].told);
		assert_int_equal(refusal->err, 0);
		assert_int_equal(try_path("k.pem"), 0);
	}
	/* And who asks, where its question cannot be sent. */
	*refusal = (struct refusal){ getpid(), ENOBUFS };
	assert_int_equal(try_path("k.pem"), -ENOMEM);
	munmap(refusal, sizeof(*refusal));
	refusal = NULL;
}

static void test_deleted_crypto_file_is_opened_by_its_descriptor(void **state)
{
	struct broker_file file = { .kind = BROKER_FILE_FD, .pid = (uint32_t)getpid() };
	int own;

	(void)state;
	file_put(files_path("k.pem"), "secret", 0600);
	own = open_file(files_path("k.pem"));
	assert_int_equal(unlink(files_path("k.pem")), 0);
	file.fd = (uint32_t)own;
	assert_reads(broker_open(&broker, &file), "secret");
	assert_int_equal(try_path("k.pem"), -ENOENT);
	close(own);
}

static void test_file_is_opened_by_its_path(void **state)
{
	struct broker_file file;

	(void)state;
	file_put(files_path("k.pem"), "secret", 0600);
	file = file_at(files_path("k.pem"));
	file.inode = stat_of(files_path("k.pem")).st_ino;
	file.ctime_ns = ctime_of(files_path("k.pem"));
	file.start_ns = start_ns_of(getpid());
	assert_reads(broker_open(&broker, &file), "secret");
}

static void test_program_is_opened_whatever_its_name(void **state)
{
	const struct broker_file file = { .kind = BROKER_FILE_EXE, .pid = (uint32_t)getpid() };
	int fd = broker_open(&broker, &file);
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_ino, stat_of("/proc/self/exe").st_ino);
	close(fd);
}

static struct broker_file map_file(const char *path, void **ret)
{
	int fd = open_file(path);
	struct broker_file file = { .kind = BROKER_FILE_MAP, .pid = (uint32_t)getpid() };

	*ret = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(*ret, MAP_FAILED);
	close(fd);
	file.from = (uintptr_t)*ret;
	file.to = file.from + 4096;
	return file;
}

static void test_mapped_library_is_opened_by_its_addresses(void **state)
{
	struct broker_file file;
	void *memory;

	(void)state;
	if (geteuid() != 0)
		skip(); /* CAP_CHECKPOINT_RESTORE, proc_pid_map_files(5) */
	file_put(files_path("libcrypto.so.3"), "library", 0600);
	file = map_file(files_path("libcrypto.so.3"), &memory);
	assert_int_equal(unlink(files_path("libcrypto.so.3")), 0);
	assert_reads(broker_open(&broker, &file), "library");
	file.to += 4096;
	assert_int_equal(broker_open(&broker, &file), -ENOENT);
	munmap(memory, 4096);
}

static void test_mapped_file_of_another_name_is_refused(void **state)
{
	struct broker_file file;
	void *memory;

	(void)state;
	file_put(files_path("notes.txt"), "text", 0644);
	file = map_file(files_path("notes.txt"), &memory);
	assert_int_equal(broker_open(&broker, &file), geteuid() == 0 ? -EACCES : -EPERM);
	munmap(memory, 4096);
}

static void test_file_of_another_name_is_refused(void **state)
{
	int own;

	(void)state;
	file_put(files_path("notes.txt"), "text", 0644);
	file_put(files_path("gone.txt"), "text", 0644);
	assert_int_equal(try_path("notes.txt"), -EACCES);
	assert_int_equal(try_path("none.txt"), -EACCES);
	own = open_file(files_path("notes.txt"));
	assert_int_equal(try_fd(own), -EACCES);
	close(own);
	own = open_file(files_path("gone.txt"));
	assert_int_equal(unlink(files_path("gone.txt")), 0);
	assert_int_equal(try_fd(own), -EACCES);
	close(own);
}

static void test_other_process_than_meant_is_refused(void **state)
{
	struct broker_file file;

	(void)state;
	file_put(files_path("k.pem"), "secret", 0600);
	file = file_at(files_path("k.pem"));
	file.start_ns = start_ns_of(getpid()) + NS_PER_SECOND;
	assert_true(broker_open(&broker, &file) < 0);
	file.kind = BROKER_FILE_EXE;
	assert_int_equal(broker_open(&broker, &file), -ESRCH);
	file.start_ns = start_ns_of(getpid());
	file.pid = (uint32_t)ended_pid();
	assert_int_equal(broker_open(&broker, &file), -ENOENT);
	file.kind = BROKER_FILE_PATH;
	assert_true(broker_open(&broker, &file) < 0);
	file.kind = BROKER_FILE_FD;
	assert_int_equal(broker_open(&broker, &file), -ENOENT);
}

static void test_other_file_than_meant_is_refused(void **state)
{
	struct broker_file file;

	(void)state;
	file_put(files_path("k.pem"), "secret", 0600);
	file = file_at(files_path("k.pem"));
	file.inode = stat_of(files_path("k.pem")).st_ino + 1;
	assert_int_equal(broker_open(&broker, &file), -ESTALE);
	file.inode--;
	file.ctime_ns = ctime_of(files_path("k.pem")) - 1;
	assert_int_equal(broker_open(&broker, &file), -ESTALE);
}

/* Nothing but regular files, and none of these may block. */
static void test_what_is_no_regular_file_is_refused(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkfifo(files_path("fifo.pem"), 0600), 0);
	assert_int_equal(mkdir(files_path("dir.pem"), 0700), 0);
	assert_int_equal(symlink("/dev/null", files_path("null.pem")), 0);
	assert_int_equal(try_path("fifo.pem"), -EINVAL);
	assert_int_equal(try_path("dir.pem"), -EINVAL);
	assert_int_equal(try_path("null.pem"), -EINVAL);
	fd = open(files_path("fifo.pem"), O_RDWR | O_CLOEXEC);
	assert_int_equal(try_fd(fd), -EINVAL);
	close(fd);
	fd = open_file(files_path("dir.pem"));
	assert_int_equal(try_fd(fd), -EINVAL);
	close(fd);
	fd = open_file("/dev/null");
	assert_int_equal(try_fd(fd), -EACCES);
	close(fd);
}

static void test_device_with_the_name_of_a_key_is_refused(void **state)
{
	int fd;

	(void)state;
	if (mknod(files_path("dev.pem"), S_IFCHR | 0600, makedev(1, 3)))
		skip();
	fd = open(files_path("dev.pem"), O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		assert_int_equal(try_fd(fd), -EINVAL);
	close(fd);
	assert_int_equal(try_path("dev.pem"), -EINVAL);
}

static void test_links_are_followed_but_not_those_of_proc(void **state)
{
	struct broker_file file;
	char target[64];
	int own;

	(void)state;
	file_put(files_path("notes.txt"), "text", 0644);
	assert_int_equal(symlink("notes.txt", files_path("link.pem")), 0);
	file = file_at(files_path("link.pem"));
	assert_reads(broker_open(&broker, &file), "text");
	own = open_file(files_path("notes.txt"));
	snprintf(target, sizeof(target), "/proc/%d/fd/%d", getpid(), own);
	assert_int_equal(symlink(target, files_path("magic.pem")), 0);
	assert_int_equal(try_path("magic.pem"), -ELOOP);
	close(own);
}

/* Whoever may make a link in some directory must not thereby choose what is read. */
static void test_link_leads_to_a_secret_only_by_a_name_of_the_catalogue(void **state)
{
	(void)state;
	file_put(files_path("secret"), "secret", 0640);
	assert_int_equal(symlink("secret", files_path("link.pem")), 0);
	assert_int_equal(try_path("link.pem"), -EACCES);
	file_put(files_path("own.key"), "key", 0600);
	assert_int_equal(symlink("own.key", files_path("other.pem")), 0);
	assert_int_equal(try_path("other.pem"), 0);
	/* Likewise where it is not a link but a directory that leads there. */
	assert_int_equal(mkdir(files_path("d.pem"), 0755), 0);
	assert_int_equal(symlink("d.pem/../secret", files_path("up.pem")), 0);
	assert_int_equal(try_path("up.pem"), -EACCES);
}

static int enter_root(void *arg)
{
	return chroot(arg) || chdir("/") ? errno : 0;
}

static void check_inside(pid_t pid, const char *name, const char *expected)
{
	struct broker_file file = file_at(name);
	int fd;

	file.pid = (uint32_t)pid;
	fd = broker_open(&broker, &file);
	if (expected)
		assert_reads(fd, expected);
	else
		assert_int_equal(fd, -ENOENT);
}

static void test_link_does_not_lead_out_of_the_root_of_the_process(void **state)
{
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip(); /* chroot(2) */
	assert_int_equal(mkdir(files_path("root"), 0755), 0);
	file_put(files_path("outside.pem"), "outside", 0644);
	file_put(files_path("root/inside.pem"), "inside", 0644);
	assert_int_equal(symlink("../outside.pem", files_path("root/up.pem")), 0);
	assert_int_equal(symlink(files_path("outside.pem"), files_path("root/away.pem")), 0);
	assert_int_equal(symlink("/inside.pem", files_path("root/own.pem")), 0);
	pid = child_start(enter_root, (void *)files_path("root"));
	check_inside(pid, "/inside.pem", "inside");
	check_inside(pid, "/own.pem", "inside");
	check_inside(pid, "/up.pem", NULL);
	check_inside(pid, "/away.pem", NULL);
	check_inside(pid, "/../outside.pem", NULL);
	check_inside(pid, files_path("outside.pem"), NULL);
	child_end(pid);
	unlink(files_path("root/inside.pem"));
	unlink(files_path("root/up.pem"));
	unlink(files_path("root/away.pem"));
	unlink(files_path("root/own.pem"));
}

/* The event comes when the process may be gone; that it is the same file has to be sure. */
static void test_parent_has_the_file_of_a_process_that_is_gone(void **state)
{
	struct broker_file file;

	(void)state;
	file_put(files_path("k.pem"), "secret", 0600);
	file = file_at(files_path("k.pem"));
	file.pid = (uint32_t)ended_pid();
	file.ppid = (uint32_t)getpid();
	assert_true(broker_open(&broker, &file) < 0);
	file.inode = stat_of(files_path("k.pem")).st_ino;
	assert_true(broker_open(&broker, &file) < 0);
	file.ctime_ns = ctime_of(files_path("k.pem"));
	assert_reads(broker_open(&broker, &file), "secret");
	/* The host's root, which the broker has itself. */
	file.ppid = 0;
	assert_reads(broker_open(&broker, &file), "secret");
	file.ctime_ns++;
	assert_int_equal(broker_open(&broker, &file), -ESTALE);
}

static void test_access_time_is_not_changed(void **state)
{
	const struct timespec times[] = { { .tv_sec = 1000000000 }, { .tv_nsec = UTIME_OMIT } };
	struct broker_file file;
	int own;

	(void)state;
	file_put(files_path("k.pem"), "secret", 0600);
	assert_int_equal(utimensat(AT_FDCWD, files_path("k.pem"), times, 0), 0);
	file = file_at(files_path("k.pem"));
	assert_reads(broker_open(&broker, &file), "secret");
	own = open_file(files_path("k.pem"));
	file.kind = BROKER_FILE_FD;
	file.fd = (uint32_t)own;
	assert_reads(broker_open(&broker, &file), "secret");
	close(own);
	assert_int_equal(stat_of(files_path("k.pem")).st_atim.tv_sec, 1000000000);
}

/*
 * Without root a library of somebody else's cannot be opened by its mapping: by its name everybody
 * may, but not with O_NOATIME (open(2)).
 */
static int open_library_of_root(void)
{
	const struct broker_config config = { 0 };
	struct broker_file file;
	int fd;

	if (geteuid() == 0 && (setgid(12345) || setuid(12345) || prctl(PR_SET_DUMPABLE, 1)))
		return 101;
	if (broker_start(&broker, &config))
		return 102;
	file = file_at(own_libcrypto());
	if (stat_of(file.path).st_uid == geteuid())
		return 0;
	fd = broker_open(&broker, &file);
	return fd >= 0 ? 0 : -fd;
}

static void test_library_of_another_user_is_opened_by_its_name(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (!own_libcrypto())
		skip();
	pid = fork();
	if (pid == 0)
		_exit(open_library_of_root());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* PATH cannot be named as a package database. */
static void check_no_package(const char *path)
{
	assert_int_equal(broker_open_package(&broker, (uint32_t)getpid(), path), -EACCES);
}

static void test_nothing_but_package_databases_is_opened_as_such(void **state)
{
	(void)state;
	check_no_package("");
	check_no_package("etc/passwd");
	check_no_package("/etc/passwd");
	check_no_package("/var/lib/dpkg/status");
	check_no_package("./var/lib/dpkg/status");
	check_no_package("var/lib/dpkg/../dpkg/status");
	check_no_package("var/lib/dpkg/info/../../../../etc/x.list");
	check_no_package("var/lib/dpkg/info/a/b.list");
	check_no_package("var/lib/dpkg/info/.list");
	check_no_package("var/lib/dpkg/info/bash.md5sums");
	check_no_package("var/lib/dpkg/info/");
	check_no_package("var/lib/dpkg/info");
}

static void test_package_database_is_one_that_everybody_may_read(void **state)
{
	const char *const folders[] = { "root", "root/var", "root/var/lib", "root/var/lib/dpkg" };
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip(); /* chroot(2) */
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		assert_int_equal(mkdir(files_path(folders[i]), 0755), 0);
	file_put(files_path("root/shadow"), "secret", 0640);
	assert_int_equal(symlink("/shadow", files_path("root/var/lib/dpkg/status")), 0);
	pid = child_start(enter_root, (void *)files_path("root"));
	assert_int_equal(broker_open_package(&broker, (uint32_t)pid, "var/lib/dpkg/status"),
			 -EACCES);
	assert_int_equal(chmod(files_path("root/shadow"), 0644), 0);
	assert_reads(broker_open_package(&broker, (uint32_t)pid, "var/lib/dpkg/status"), "secret");
	child_end(pid);
	unlink(files_path("root/var/lib/dpkg/status"));
	unlink(files_path("root/shadow"));
	for (size_t i = sizeof(folders) / sizeof(folders[0]); i-- > 1;)
		rmdir(files_path(folders[i]));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, opened_begin, opened_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open_crypto_file_is_opened_again_for_reading),
		TEST(test_answer_that_cannot_be_sent_is_a_refusal),
		TEST(test_deleted_crypto_file_is_opened_by_its_descriptor),
		TEST(test_file_is_opened_by_its_path),
		TEST(test_program_is_opened_whatever_its_name),
		TEST(test_mapped_library_is_opened_by_its_addresses),
		TEST(test_mapped_file_of_another_name_is_refused),
		TEST(test_file_of_another_name_is_refused),
		TEST(test_other_process_than_meant_is_refused),
		TEST(test_other_file_than_meant_is_refused),
		TEST(test_what_is_no_regular_file_is_refused),
		TEST(test_device_with_the_name_of_a_key_is_refused),
		TEST(test_links_are_followed_but_not_those_of_proc),
		TEST(test_link_leads_to_a_secret_only_by_a_name_of_the_catalogue),
		TEST(test_link_does_not_lead_out_of_the_root_of_the_process),
		TEST(test_parent_has_the_file_of_a_process_that_is_gone),
		TEST(test_access_time_is_not_changed),
		TEST(test_library_of_another_user_is_opened_by_its_name),
		TEST(test_nothing_but_package_databases_is_opened_as_such),
		TEST(test_package_database_is_one_that_everybody_may_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
