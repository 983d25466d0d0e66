/* SPDX-License-Identifier: MIT */
/* Packages of libraries, from a package database in a root of this test's own and the host's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "inventory/inventory.h"
#include "inventory/origins.h"
#include "priv/opened.h"

#define STATUS                                                                                     \
	"Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.1-2\n"  \
	"\n"                                                                                       \
	"Package: other\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7\n\n"

static const char *const dirs[] = { "usr",     "usr/lib",      "var",
				    "var/lib", "var/lib/dpkg", "var/lib/dpkg/info" };
static const char *const files[] = { "usr/lib/libcrypto.so.3",
				     "usr/lib/libssl.so.3",
				     "usr/lib/libfoo.so.3",
				     "var/lib/dpkg/status",
				     "var/lib/dpkg/info/libssl3.list",
				     "var/lib/dpkg/info/libssl3.md5sums" };
static struct inventory *inventory;

static int begin(void **state)
{
	if (opened_begin(state) || inventory_new(&inventory, 10))
		return -1;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(mkdir(files_path(dirs[i]), 0755), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		file_put(files_path(files[i]), "x", 0644);
	file_put(files_path("var/lib/dpkg/status"), STATUS, 0644);
	file_put(files_path("var/lib/dpkg/info/libssl3.list"),
		 "/.\n/usr\n/usr/lib\n/usr/lib/libcrypto.so.3\n/usr/lib/libssl.so.3\n", 0644);
	return 0;
}

static int end(void **state)
{
	inventory_free(inventory);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files_path(files[i]));
	for (size_t i = sizeof(dirs) / sizeof(dirs[0]); i > 0; i--)
		rmdir(files_path(dirs[i - 1]));
	return opened_end(state);
}

static int enter_root(void *arg)
{
	(void)arg;
	return chroot(files_dir()) || chdir("/") ? 1 : 0;
}

static int stay(void *arg)
{
	(void)arg;
	return 0;
}

/* A library that the process, of PID, maps as PATH; INODE is that of the very file. */
static struct inventory_object *add(pid_t pid, const char *path, uint64_t inode)
{
	struct inventory_process *process =
		inventory_add(inventory, (uint32_t)pid, start_ns_of(pid));
	struct inventory_object *object =
		inventory_object(inventory, path, strlen(path), 0, 0, inode);

	assert_int_equal(inventory_map(inventory, process, object, 0x1000, 0x2000), 0);
	return object;
}

static uint64_t inode_of(const char *name)
{
	return stat_of(files_path(name)).st_ino;
}

static void test_package_is_that_of_the_root_of_the_process(void **state)
{
	struct inventory_object *crypto, *ssl, *foo;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip(); /* chroot(2) */
	pid = child_start(enter_root, NULL);
	crypto = add(pid, "/usr/lib/libcrypto.so.3", inode_of("usr/lib/libcrypto.so.3"));
	ssl = add(pid, "/usr/lib/libssl.so.3", inode_of("usr/lib/libssl.so.3"));
	foo = add(pid, "/usr/lib/libgnutls.so.30", 4711);
	assert_int_equal(origins_find(&broker, inventory), 0);
	child_end(pid);
	assert_non_null(crypto->package);
	assert_string_equal(crypto->package, "libssl3 3.0.1-2");
	assert_non_null(ssl->package);
	assert_string_equal(ssl->package, "libssl3 3.0.1-2");
	assert_null(foo->package);
}

static void test_library_that_nobody_has_is_not_asked_about(void **state)
{
	struct inventory_object *unused, *program;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = child_start(enter_root, NULL);
	add(pid, "/usr/lib/libcrypto.so.3", inode_of("usr/lib/libcrypto.so.3"));
	unused = inventory_object(inventory, "/usr/lib/libssl.so.3", 20, 0, 0, 5);
	program = inventory_object(inventory, "/usr/lib/libfoo.so.3", 20, 0, 0, 6);
	inventory_run(inventory->processes[0], program);
	assert_int_equal(origins_find(&broker, inventory), 0);
	child_end(pid);
	assert_null(unused->package);
	assert_null(program->package);
}

/* A library of each of two roots, of which one has a database that cannot be read. */
static void test_database_that_cannot_be_read_is_counted(void **state)
{
	struct inventory_object *crypto;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = child_start(enter_root, NULL);
	crypto = add(pid, "/usr/lib/libcrypto.so.3", inode_of("usr/lib/libcrypto.so.3"));
	add(pid, "/usr/lib/libgnutls.so.30", 4711);
	assert_int_equal(chmod(files_path("var/lib/dpkg/info/libssl3.list"), 0600), 0);
	assert_int_equal(origins_find(&broker, inventory), 0);
	assert_null(crypto->package);
	assert_int_equal(inventory->nr_unasked, 2);
	inventory->nr_unasked = 0;
	assert_int_equal(chmod(files_path("var/lib/dpkg/info/libssl3.list"), 0644), 0);
	assert_int_equal(origins_find(&broker, inventory), 0);
	child_end(pid);
	assert_string_equal(crypto->package, "libssl3 3.0.1-2");
	/* That the other is of no package is known now. */
	assert_int_equal(inventory->nr_unasked, 0);
}

/* Where the process is gone, so is its root: no package, and no failure. */
static void test_root_that_is_gone_has_no_packages(void **state)
{
	struct inventory_object *object;
	pid_t pid = child_start(stay, NULL);

	(void)state;
	object = add(pid, "/opt/none/libcrypto.so.3", 1);
	child_end(pid);
	assert_int_equal(origins_find(&broker, inventory), 0);
	assert_null(object->package);
	assert_int_equal(inventory->nr_unasked, 0);
}

static void test_inventory_of_nothing_has_no_packages(void **state)
{
	(void)state;
	assert_int_equal(origins_find(&broker, inventory), 0);
}

static void test_library_of_the_host_is_in_its_database(void **state)
{
	struct inventory_object *object;

	(void)state;
	if (!own_libcrypto() || access("/var/lib/dpkg/status", R_OK) ||
	    strncmp(own_libcrypto(), "/usr/lib/", 9) != 0)
		skip();
	object = add(getpid(), own_libcrypto(), stat_of(own_libcrypto()).st_ino);
	assert_int_equal(origins_find(&broker, inventory), 0);
	assert_non_null(object->package);
	assert_memory_equal(object->package, "libssl", 6);
	/* Name and version. */
	assert_non_null(strchr(object->package, ' '));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_package_is_that_of_the_root_of_the_process),
		TEST(test_library_that_nobody_has_is_not_asked_about),
		TEST(test_database_that_cannot_be_read_is_counted),
		TEST(test_root_that_is_gone_has_no_packages),
		TEST(test_inventory_of_nothing_has_no_packages),
		TEST(test_library_of_the_host_is_in_its_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
