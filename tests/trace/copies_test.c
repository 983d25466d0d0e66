/* SPDX-License-Identifier: MIT */
/* Where copies of a library are found before anything is called in them. */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "trace/copies.h"
#include "trace/probed.h"

#define CHILDREN_MAX 4

/* A process that calls a function of the library once for each byte that it is sent. */
struct child {
	pid_t pid;
	int to;
	int from;
};

static struct child children[CHILDREN_MAX];
static size_t nr_children;
static struct broker broker;
static struct probes *probes;

static int copies_begin(void **state)
{
	files_begin(state);
	session = (struct session){ .places = { .tracefs = -1, .cgroup = -1 } };
	why_not = geteuid() ? "needs root" : NULL;
	nr_children = 0;
	if (!why_not && !made_library(files_path("libssl.so.3")))
		why_not = "there is no compiler";
	return 0;
}

static int copies_end(void **state)
{
	for (size_t i = 0; i < nr_children; i++) {
		kill(children[i].pid, SIGKILL);
		waitpid(children[i].pid, NULL, 0);
		close(children[i].to);
		close(children[i].from);
	}
	if (broker.pid)
		broker_stop(&broker);
	probes_free(probes);
	probes = NULL;
	close_session();
	return files_end(state);
}

static void copy_file(const char *from, const char *to)
{
	_cleanup_(cleanup_fd) int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_(cleanup_fd) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	char bytes[4096];
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
}

/* Loads the library at PATH of its own root, now or, with LATER, at the first byte; then serves. */
static void __attribute__((noreturn)) serve(const char *path, bool is_later)
{
	char byte = 0;

	if (!is_later)
		made_load(path, &made);
	for (;;) {
		if (write(STDOUT_FILENO, &byte, 1) != 1 || read(STDIN_FILENO, &byte, 1) != 1)
			_exit(0);
		if (is_later)
			made_load(path, &made);
		is_later = false;
		made.SSL_CTX_set_cipher_list(NULL, "called");
	}
}

static void await(const struct child *child)
{
	char byte;

	assert_int_equal(read(child->from, &byte, 1), 1);
}

/* Makes a child that does RUN with ARG, which serves, and waits until it does. */
static const struct child *child_begin(void (*run)(void *arg), void *arg)
{
	struct child *child = &children[nr_children++];
	int in[2], out[2];

	assert_true(nr_children <= CHILDREN_MAX);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	child->pid = fork();
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		run(arg);
		_exit(1);
	}
	close(in[0]);
	close(out[1]);
	child->to = in[1];
	child->from = out[0];
	return child;
}

static void call(const struct child *child)
{
	assert_int_equal(write(child->to, "x", 1), 1);
	await(child);
}

/* Starts the session of the children, and has the copies probed that they may use. */
static void probe_copies(void)
{
	struct broker_config config = { .command = -1 };
	uint32_t roots[CHILDREN_MAX];

	for (size_t i = 0; i < nr_children; i++)
		roots[i] = (uint32_t)children[i].pid;
	assert_int_equal(open_session_of(roots, nr_children), 0);
	uprobes_offer(&uprobes, &config);
	assert_int_equal(broker_start(&broker, &config), 0);
	assert_int_equal(probes_new(&probes, &uprobes, &broker, API_GROUP_default), 0);
	copies_probe(probes, &broker, &session, processes);
}

/* The call of CHILD is told once, as one in the file PATH, or one whose name begins so. */
static void check_told(const struct child *child, const char *path)
{
	const struct api_function *function;
	const struct probed_file *file;

	collect();
	call(child);
	assert_int_equal(collect(), 1);
	assert_int_equal(events[0].fixed.hdr.tgid, child->pid);
	check_text(&events[0], events[0].fixed.texts[0], "called");
	assert_true(probes_at(probes, events[0].fixed.slot, &function, &file));
	assert_string_equal(function->name, "SSL_CTX_set_cipher_list");
	assert_true(strncmp(file->path, path, strlen(path)) == 0);
	assert_int_equal(file->family, LIBRARY_FAMILY_openssl);
}

static void run_mapped(void *arg)
{
	serve(arg, false);
}

static void test_library_that_a_process_has_mapped_is_probed(void **state)
{
	const struct child *child;

	(void)state;
	need_probes();
	child = child_begin(run_mapped, (void *)files_path("libssl.so.3"));
	await(child);
	probe_copies();
	check_told(child, files_path("libssl.so.3"));
	/* What is known is not looked at again. */
	copies_probe(probes, &broker, &session, processes);
	check_told(child, files_path("libssl.so.3"));
	assert_int_equal(probes_counts(probes)->failed, 0);
}

static void test_deleted_library_is_probed(void **state)
{
	const struct child *child;
	const char *path = files_path("libssl.so.3");

	(void)state;
	need_probes();
	child = child_begin(run_mapped, (void *)path);
	await(child);
	assert_int_equal(unlink(path), 0);
	probe_copies();
	check_told(child, path);
}

static void test_library_under_another_name_is_not_known(void **state)
{
	const struct child *child;

	(void)state;
	need_probes();
	assert_int_equal(rename(files_path("libssl.so.3"), files_path("libother.so.3")), 0);
	child = child_begin(run_mapped, (void *)files_path("libother.so.3"));
	await(child);
	probe_copies();
	call(child);
	assert_int_equal(collect(), 0);
}

/* Mounts a file system of its own on ARG, and uses a copy in it. */
static void run_in_namespace(void *arg)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/libcrypto.so.3", (const char *)arg);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", arg, "tmpfs", 0, NULL))
		_exit(1);
	copy_file(files_path("libssl.so.3"), path);
	serve(path, false);
}

static void test_library_in_a_mount_namespace_is_probed(void **state)
{
	const struct child *child;
	const char *dir = files_path("mnt");

	(void)state;
	need_probes();
	assert_int_equal(mkdir(dir, 0755), 0);
	child = child_begin(run_in_namespace, (void *)dir);
	await(child);
	assert_int_not_equal(access(files_path("mnt/libcrypto.so.3"), F_OK), 0);
	probe_copies();
	check_told(child, files_path("mnt/libcrypto.so.3"));
}

/* A root directory with the library in DIR of it. */
static const char *make_root(const char *dir)
{
	char path[256];

	assert_int_equal(mkdir(files_path("root"), 0755), 0);
	snprintf(path, sizeof(path), "%s/%s", files_path("root"), dir);
	for (char *slash = path + strlen(files_path("root")) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/libssl.so.3", files_path("root"), dir);
	copy_file(files_path("libssl.so.3"), path);
	return files_path("root");
}

/* Removes what the test made below the root, the deepest first. */
static void remove_root(const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", files_path("root"), names[i]);
		assert_int_equal(remove(path), 0);
	}
}

static void run_in_root(void *arg)
{
	if (chroot(arg) || chdir("/"))
		_exit(1);
	serve("/usr/lib/libssl.so.3", true);
}

/* Nobody has it mapped yet: the first call is told. */
static void test_library_in_another_root_is_probed_before_it_is_mapped(void **state)
{
	static const char *const names[] = { "usr/lib/libssl.so.3", "usr/lib", "usr" };
	const struct child *child;

	(void)state;
	need_probes();
	child = child_begin(run_in_root, (void *)make_root("usr/lib"));
	await(child);
	probe_copies();
	check_told(child, "/usr/lib/libssl.so.3");
	remove_root(names, ARRAY_SIZE(names));
}

static void run_in_root_opt(void *arg)
{
	if (chroot(arg) || chdir("/"))
		_exit(1);
	serve("/opt/made/libssl.so.3", true);
}

/* Runs ldconfig(8) for DIR in ROOT. Returns false where there is none. */
static bool run_ldconfig(const char *root, const char *dir)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/sbin/ldconfig", "ldconfig", "-r", root, dir, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void test_library_in_the_cache_of_the_linker_is_probed(void **state)
{
	static const char *const names[] = { "etc/ld.so.cache", "etc", "opt/made/libssl.so.3",
					     "opt/made", "opt" };
	const struct child *child;
	const char *root;

	(void)state;
	need_probes();
	root = make_root("opt/made");
	assert_int_equal(mkdir(files_path("root/etc"), 0755), 0);
	if (!run_ldconfig(root, "/opt/made")) {
		print_message("no ldconfig\n");
		skip();
	}
	child = child_begin(run_in_root_opt, (void *)files_path("root"));
	await(child);
	probe_copies();
	check_told(child, "/opt/made/libssl.so.3");
	remove(files_path("root/var/cache/ldconfig/aux-cache"));
	remove(files_path("root/var/cache/ldconfig"));
	remove(files_path("root/var/cache"));
	remove(files_path("root/var"));
	remove_root(names, ARRAY_SIZE(names));
}

static void test_links_to_one_file_are_one_copy(void **state)
{
	const struct child *child;
	const struct child *other;

	(void)state;
	need_probes();
	assert_int_equal(link(files_path("libssl.so.3"), files_path("libssl.so.1.1")), 0);
	child = child_begin(run_mapped, (void *)files_path("libssl.so.3"));
	await(child);
	other = child_begin(run_mapped, (void *)files_path("libssl.so.1.1"));
	await(other);
	probe_copies();
	check_told(child, files_path("libssl.so."));
	check_told(other, files_path("libssl.so."));
}

/* Shows the files of the test in another place, too, and uses them from there. */
static void run_bound(void *arg)
{
	char path[128];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(files_dir(), arg, NULL, MS_BIND, NULL))
		_exit(1);
	snprintf(path, sizeof(path), "%s/libssl.so.3", (const char *)arg);
	serve(path, false);
}

static void test_file_behind_two_mounts_is_one_copy(void **state)
{
	const struct child *child;
	const struct child *other;

	(void)state;
	need_probes();
	assert_int_equal(mkdir(files_path("mnt"), 0755), 0);
	child = child_begin(run_mapped, (void *)files_path("libssl.so.3"));
	await(child);
	other = child_begin(run_bound, (void *)files_path("mnt"));
	await(other);
	probe_copies();
	/* It is called as the one names it that was found first. */
	check_told(child, files_path(""));
	check_told(other, files_path(""));
}

static void run_program(void *arg)
{
	/* As the others it says once that it is there. */
	if (write(STDOUT_FILENO, "", 1) == 1)
		execl(arg, arg, (char *)NULL);
	_exit(1);
}

static void test_program_with_a_library_inside_is_probed(void **state)
{
	const struct probed_file *file;
	const struct child *child;

	(void)state;
	need_probes();
	assert_true(made_program(files_path("inside")));
	child = child_begin(run_program, (void *)files_path("inside"));
	await(child);
	/* It is the program by now. */
	call(child);
	probe_copies();
	call(child);
	assert_int_equal(collect(), 1);
	assert_int_equal(events[0].fixed.hdr.tgid, child->pid);
	check_text(&events[0], events[0].fixed.texts[0], "program");
	file = copies_probe_program(probes, &broker, (uint32_t)child->pid);
	assert_non_null(file);
	assert_int_equal(file->family, LIBRARY_FAMILY_openssl);
	assert_string_equal(file->path, files_path("inside"));
}

static void test_program_without_has_no_probes(void **state)
{
	const struct probed_file *file;
	const struct child *child;
	uint64_t files;

	(void)state;
	need_probes();
	child = child_begin(run_mapped, (void *)files_path("libssl.so.3"));
	await(child);
	probe_copies();
	files = probes_counts(probes)->files;
	file = copies_probe_program(probes, &broker, (uint32_t)child->pid);
	assert_non_null(file);
	assert_int_equal(file->family, LIBRARY_FAMILY_none);
	assert_int_equal(file->set, -1);
	assert_int_equal(probes_counts(probes)->files, files);
}

/* What is mapped, the program, and at each place of libraries: none of it can be opened. */
static void check_counted_without_descriptors(const struct child *child)
{
	struct rlimit before, none;
	size_t nr_paths;

	assert_int_equal(probes_counts(probes)->unlooked, 0);
	broker_loader_paths(&nr_paths);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	copies_probe_mapped(probes, &broker, (uint32_t)child->pid);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(probes_counts(probes)->unlooked, 1);
	setrlimit(RLIMIT_NOFILE, &none);
	copies_probe(probes, &broker, &session, processes);
	setrlimit(RLIMIT_NOFILE, &before);
	/* Not those that are not there. */
	assert_true(probes_counts(probes)->unlooked > 3);
	assert_true(probes_counts(probes)->unlooked <= 1 + nr_paths + 1 + CHILDREN_MAX);
}

static void test_process_that_has_ended_has_no_program_and_is_not_counted(void **state)
{
	const struct child *child;
	uint64_t unlooked;

	(void)state;
	need_probes();
	child = child_begin(run_mapped, (void *)files_path("libssl.so.3"));
	await(child);
	probe_copies();
	check_counted_without_descriptors(child);
	unlooked = probes_counts(probes)->unlooked;
	kill(child->pid, SIGKILL);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
	assert_null(copies_probe_program(probes, &broker, (uint32_t)child->pid));
	/* In the table it is still. */
	copies_probe(probes, &broker, &session, processes);
	assert_int_equal(probes_counts(probes)->failed, 0);
	assert_int_equal(probes_counts(probes)->unlooked, unlooked);
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, copies_begin, copies_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_library_that_a_process_has_mapped_is_probed),
		TEST(test_deleted_library_is_probed),
		TEST(test_library_under_another_name_is_not_known),
		TEST(test_library_in_a_mount_namespace_is_probed),
		TEST(test_library_in_another_root_is_probed_before_it_is_mapped),
		TEST(test_library_in_the_cache_of_the_linker_is_probed),
		TEST(test_links_to_one_file_are_one_copy),
		TEST(test_file_behind_two_mounts_is_one_copy),
		TEST(test_program_with_a_library_inside_is_probed),
		TEST(test_program_without_has_no_probes),
		TEST(test_process_that_has_ended_has_no_program_and_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
