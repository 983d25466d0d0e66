/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "inventory/examine.h"
#include "priv/opened.h"

#define GIB   (1LL << 30)
#define ALL   (EXAMINE_LIBRARIES | EXAMINE_PROGRAMS | EXAMINE_FILES)
#define KEY   "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"
#define PAGES 4096

static struct inventory *inventory;
static struct inventory_process *process;

static int begin(void **state)
{
	if (opened_begin(state) || inventory_new(&inventory, 10))
		return -1;
	process = inventory_add(inventory, (uint32_t)getpid(), start_ns_of(getpid()));
	return process ? 0 : -1;
}

static int end(void **state)
{
	inventory_free(inventory);
	return opened_end(state);
}

static struct inventory_object *object_at(const char *path, const char *mark)
{
	struct stat st = stat_of(path);
	char text[512];
	int n = snprintf(text, sizeof(text), "%s%s", path, mark);
	struct inventory_object *object =
		inventory_object(inventory, text, (size_t)n, 0, 0, st.st_ino);

	assert_non_null(object);
	return object;
}

/* Maps the start of PATH, and enters that. Stays mapped. */
static struct inventory_object *map_library(const char *path, const char *mark)
{
	struct inventory_object *object = object_at(path, mark);
	int fd = open_file(path);
	char *at = mmap(NULL, PAGES, PROT_READ, MAP_PRIVATE, fd, 0);

	assert_ptr_not_equal(at, MAP_FAILED);
	close(fd);
	assert_int_equal(
		inventory_map(inventory, process, object, (uintptr_t)at, (uintptr_t)at + PAGES), 0);
	return object;
}

/* Opens PATH and enters that. Stays open. */
static struct inventory_object *hold_file(const char *path)
{
	struct inventory_object *object = object_at(path, "");

	assert_int_equal(inventory_open(inventory, process, object, (uint32_t)open_file(path), 0),
			 0);
	return object;
}

static struct examine_counts examine(unsigned int what)
{
	const struct examine_options options = { .what = what, .now_ns = 1795251600000000000ULL };
	struct examine_counts counts = { .nr_examined = 99 };

	assert_int_equal(examine_run(&broker, inventory, &options, &counts), 0);
	return counts;
}

static void assert_counts(struct examine_counts counts, size_t nr_examined, size_t nr_failed)
{
	assert_int_equal(counts.nr_examined, nr_examined);
	assert_int_equal(counts.nr_failed, nr_failed);
}

/* Copies this process's libcrypto to PATH with its version, VERSION, spelled as NEW instead. */
static void copy_libcrypto(const char *path, const char *version, const char *new)
{
	struct stat st = stat_of(own_libcrypto());
	int from = open_file(own_libcrypto());
	int to = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t size = (size_t)st.st_size;
	char *source = mmap(NULL, size, PROT_READ, MAP_PRIVATE, from, 0);
	char *copy, *at;

	assert_int_equal(ftruncate(to, st.st_size), 0);
	copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	assert_true(source != MAP_FAILED && copy != MAP_FAILED);
	memcpy(copy, source, size);
	at = copy;
	while ((at = memmem(at, size - (size_t)(at - copy), version, strlen(version)))) {
		memcpy(at, new, strlen(new));
		at += strlen(new);
	}
	munmap(copy, size);
	munmap(source, size);
	close(from);
	close(to);
}

/* The version of this process's libcrypto, and one that is not it, of the same length. */
static void versions(char *version, char *other, size_t cap)
{
	snprintf(version, cap, "%s", OpenSSL_version(OPENSSL_VERSION_STRING));
	snprintf(other, cap, "%s", version);
	other[0] = other[0] == '9' ? '8' : '9';
}

static void test_library_tells_its_version(void **state)
{
	struct inventory_object *object;
	char version[64], other[64];

	(void)state;
	if (!own_libcrypto())
		skip();
	versions(version, other, sizeof(version));
	copy_libcrypto(files_path("libcrypto.so.3"), version, other);
	object = map_library(files_path("libcrypto.so.3"), "");
	assert_counts(examine(ALL), 1, 0);
	assert_string_equal(object->program->version, other);
	assert_true(object->program->is_elf);
	assert_null(object->note);
	assert_null(object->disk_version);
	assert_null(object->content);
}

/* libssl has the version of the libcrypto of the same name in the same directory. */
static void test_libssl_has_the_version_of_libcrypto_beside_it(void **state)
{
	struct inventory_object *ssl, *elsewhere, *other_name;
	char version[64], other[64];

	(void)state;
	if (!own_libcrypto())
		skip();
	versions(version, other, sizeof(version));
	copy_libcrypto(files_path("libcrypto.so.3"), version, version);
	file_put(files_path("libssl.so.3"), "does not tell", 0600);
	file_put(files_path("libssl.so.1.1"), "does not tell", 0600);
	assert_int_equal(mkdir(files_path("dir"), 0700), 0);
	file_put(files_path("dir/libssl.so.3"), "does not tell", 0600);
	ssl = map_library(files_path("libssl.so.3"), "");
	other_name = map_library(files_path("libssl.so.1.1"), "");
	elsewhere = map_library(files_path("dir/libssl.so.3"), "");
	map_library(files_path("libcrypto.so.3"), "");
	assert_counts(examine(ALL), 4, 0);
	unlink(files_path("dir/libssl.so.3"));
	assert_null(ssl->program->version);
	assert_string_equal(ssl->inferred_version, version);
	assert_string_equal(inventory_version(ssl), version);
	assert_null(other_name->inferred_version);
	assert_null(elsewhere->inferred_version);
}

static void test_replaced_library_has_the_version_on_disk_too(void **state)
{
	struct inventory_object *object;
	char version[64], other[64];

	(void)state;
	if (!own_libcrypto() || geteuid() != 0)
		skip(); /* who is not root cannot open it by its mapping */
	versions(version, other, sizeof(version));
	copy_libcrypto(files_path("libcrypto.so.3"), version, version);
	object = map_library(files_path("libcrypto.so.3"), " (deleted)");
	assert_int_equal(unlink(files_path("libcrypto.so.3")), 0);
	copy_libcrypto(files_path("libcrypto.so.3"), version, other);
	assert_counts(examine(ALL), 1, 0);
	assert_string_equal(object->program->version, version);
	assert_string_equal(object->disk_version, other);
}

/* There is a descriptor for the one that is mapped, and none for the one on disk. */
static void test_replacement_that_cannot_be_opened_is_said(void **state)
{
	struct inventory_object *object;
	struct rlimit before, limit;
	char version[64], other[64];
	int fd;

	(void)state;
	if (!own_libcrypto() || geteuid() != 0)
		skip();
	versions(version, other, sizeof(version));
	copy_libcrypto(files_path("libcrypto.so.3"), version, version);
	object = map_library(files_path("libcrypto.so.3"), " (deleted)");
	assert_int_equal(unlink(files_path("libcrypto.so.3")), 0);
	copy_libcrypto(files_path("libcrypto.so.3"), version, other);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	fd = dup(0);
	assert_true(fd >= 0);
	close(fd);
	limit = (struct rlimit){ (rlim_t)fd + 1, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_counts(examine(ALL), 1, 0);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_string_equal(object->program->version, version);
	assert_null(object->disk_version);
	assert_string_equal(object->note, "what is in its place now could not be opened");
}

static void test_removed_library_has_no_version_on_disk(void **state)
{
	struct inventory_object *object;

	(void)state;
	if (geteuid() != 0)
		skip();
	file_put(files_path("libcrypto.so.3"), "library", 0600);
	object = map_library(files_path("libcrypto.so.3"), " (deleted)");
	assert_int_equal(unlink(files_path("libcrypto.so.3")), 0);
	assert_counts(examine(ALL), 1, 0);
	assert_null(object->disk_version);
	assert_null(object->program->version);
	/* Nothing is in its place. */
	assert_null(object->note);
}

static void test_file_is_judged_by_its_content(void **state)
{
	struct inventory_object *object;
	const struct key *key;

	(void)state;
	file_put(files_path("k.pem"), KEY, 0640);
	object = hold_file(files_path("k.pem"));
	/* It is the open file that counts. */
	assert_int_equal(unlink(files_path("k.pem")), 0);
	assert_counts(examine(ALL), 1, 0);
	assert_non_null(object->content);
	assert_true(object->has_stat);
	assert_int_equal(object->stat.mode, 0640);
	assert_int_equal(object->stat.uid, geteuid());
	assert_int_equal(object->content->keys.count, 1);
	key = object->content->keys.items;
	assert_true(key->is_private);
	assert_null(object->program);
}

static void test_program_is_looked_into(void **state)
{
	struct inventory_object *object = object_at("/proc/self/exe", "");

	(void)state;
	inventory_run(process, object);
	assert_counts(examine(ALL), 1, 0);
	assert_true(object->program->is_elf);
}

static void test_only_what_is_asked_for_is_examined(void **state)
{
	struct inventory_object *file, *library, *program, *unused;

	(void)state;
	file_put(files_path("k.pem"), KEY, 0600);
	file_put(files_path("unused.pem"), KEY, 0600);
	file_put(files_path("libssl.so.3"), "library", 0600);
	file = hold_file(files_path("k.pem"));
	library = map_library(files_path("libssl.so.3"), "");
	program = object_at("/proc/self/exe", "");
	unused = object_at(files_path("unused.pem"), "");
	inventory_run(process, program);
	assert_counts(examine(0), 0, 0);
	assert_counts(examine(EXAMINE_FILES), 1, 0);
	assert_true(file->content && !library->program && !program->program);
	assert_counts(examine(EXAMINE_LIBRARIES), 1, 0);
	assert_true(library->program && !program->program);
	assert_counts(examine(EXAMINE_PROGRAMS), 1, 0);
	assert_non_null(program->program);
	assert_null(unused->content);
}

static void test_what_cannot_be_opened_has_a_note(void **state)
{
	struct inventory_object *gone, *other, *fifo;
	uint32_t fd;

	(void)state;
	file_put(files_path("gone.pem"), KEY, 0600);
	file_put(files_path("other.pem"), KEY, 0600);
	gone = hold_file(files_path("gone.pem"));
	close((int)gone->handle.fd);
	other = hold_file(files_path("other.pem"));
	other->inode++;
	assert_int_equal(mkfifo(files_path("fifo.pem"), 0600), 0);
	fifo = object_at(files_path("fifo.pem"), "");
	fd = (uint32_t)open(files_path("fifo.pem"), O_RDWR | O_CLOEXEC);
	assert_int_equal(inventory_open(inventory, process, fifo, fd, 0), 0);
	/* Its number is free, and taken by the next. */
	close((int)other->handle.fd);
	other->handle.fd = (uint32_t)open_file(files_path("other.pem"));
	gone->handle.fd = 999;
	assert_counts(examine(ALL), 0, 3);
	assert_string_equal(gone->note, "gone");
	assert_string_equal(other->note, "gone");
	assert_string_equal(fifo->note, "not a regular file");
	assert_null(other->content);
	assert_false(other->has_stat);
}

static void test_process_that_is_another_now_has_a_note(void **state)
{
	struct inventory_object *file;

	(void)state;
	file_put(files_path("k.pem"), KEY, 0600);
	file = hold_file(files_path("k.pem"));
	file->handle.start_ns += NS_PER_SECOND;
	assert_counts(examine(ALL), 0, 1);
	assert_string_equal(file->note, "gone");
}

static int stay(void *arg)
{
	(void)arg;
	return 0;
}

/* Two children that have what this process has; the first has ended when it is looked into. */
static struct examine_counts examine_after_an_end(struct inventory_object *object,
						  const struct inventory_handle *handle,
						  bool has_second)
{
	pid_t pids[] = { child_start(stay, NULL), child_start(stay, NULL) };
	struct examine_counts counts;

	for (size_t i = 0; i < (has_second ? 2 : 1); i++) {
		struct inventory_process *child =
			inventory_add(inventory, (uint32_t)pids[i], start_ns_of(pids[i]));
		int err =
			handle->kind == BROKER_FILE_MAP
				? inventory_map(inventory, child, object, handle->from, handle->to)
				: inventory_open(inventory, child, object, handle->fd, 0);

		assert_int_equal(err, 0);
	}
	child_end(pids[0]);
	counts = examine(ALL);
	child_end(pids[1]);
	return counts;
}

static void test_file_is_opened_through_another_process_when_one_ends(void **state)
{
	struct inventory_handle handle = { .kind = BROKER_FILE_FD };
	struct inventory_object *object;

	(void)state;
	file_put(files_path("k.pem"), KEY, 0600);
	handle.fd = (uint32_t)open_file(files_path("k.pem"));
	object = object_at(files_path("k.pem"), "");
	assert_counts(examine_after_an_end(object, &handle, true), 1, 0);
	assert_null(object->note);
	assert_int_equal(object->content->keys.count, 1);
}

static struct inventory_object *map_only(struct inventory_handle *handle)
{
	void *at;
	int fd;

	file_put(files_path("libcrypto.so.3"), "library", 0600);
	fd = open_file(files_path("libcrypto.so.3"));
	at = mmap(NULL, PAGES, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	close(fd);
	*handle = (struct inventory_handle){
		.kind = BROKER_FILE_MAP,
		.from = (uintptr_t)at,
		.to = (uintptr_t)at + PAGES,
	};
	return object_at(files_path("libcrypto.so.3"), "");
}

static void test_library_is_opened_through_another_process_when_one_ends(void **state)
{
	struct inventory_handle handle;
	struct inventory_object *object = map_only(&handle);

	(void)state;
	assert_counts(examine_after_an_end(object, &handle, true), 1, 0);
	assert_null(object->note);
	assert_non_null(object->program);
}

/* By its name: the inode tells that it is the same. */
static void test_library_of_a_process_that_ended_is_looked_into(void **state)
{
	struct inventory_handle handle;
	struct inventory_object *object = map_only(&handle);

	(void)state;
	assert_counts(examine_after_an_end(object, &handle, false), 1, 0);
	assert_null(object->note);
	assert_non_null(object->program);
}

static void test_library_that_ended_with_its_process_is_gone(void **state)
{
	struct inventory_handle handle;
	struct inventory_object *object = map_only(&handle);

	(void)state;
	assert_int_equal(unlink(files_path("libcrypto.so.3")), 0);
	assert_counts(examine_after_an_end(object, &handle, false), 0, 1);
	assert_string_equal(object->note, "gone");
}

/* Read to the end these would take minutes. */
static void test_huge_sparse_files_are_read_in_part(void **state)
{
	struct inventory_object *file, *library;

	(void)state;
	file_put(files_path("k.pem"), KEY, 0600);
	file_put(files_path("libcrypto.so.3"),
		 "\x7f"
		 "ELF\2\1\1",
		 0600);
	assert_int_equal(truncate(files_path("k.pem"), GIB), 0);
	assert_int_equal(truncate(files_path("libcrypto.so.3"), GIB), 0);
	file = hold_file(files_path("k.pem"));
	library = map_library(files_path("libcrypto.so.3"), "");
	assert_counts(examine(ALL), 2, 0);
	assert_int_equal(file->content->keys.count, 1);
	assert_null(library->program->version);
}

static void test_file_of_nothing_has_nothing(void **state)
{
	struct inventory_object *file;

	(void)state;
	file_put(files_path("k.pem"), "", 0600);
	file = hold_file(files_path("k.pem"));
	assert_counts(examine(ALL), 1, 0);
	assert_int_equal(file->content->keys.count, 0);
	assert_int_equal(file->content->certificates.count, 0);
}

/* In a child: makes the file longer and shorter until it is killed. */
static void keep_changing(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	for (off_t size = CONTENT_SIZE_MAX;; size ^= 1)
		if (ftruncate(fd, size))
			_exit(1);
}

/* What was read may be of two versions: nothing is told of it. */
static void test_file_that_changes_while_it_is_read_is_not_told(void **state)
{
	char path[64];
	int err = 0;
	pid_t pid;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s", files_path("k.pem"));
	file_put(path, KEY, 0600);
	fd = open_file(path);
	pid = fork();
	if (pid == 0)
		keep_changing(path);
	for (int i = 0; i < 5000 && !err; i++) {
		struct content *content = NULL;
		struct content_stat st;

		err = examine_content(fd, path, 0, &st, &content);
		assert_int_equal(!content, err != 0);
		content_free(content);
	}
	child_end(pid);
	close(fd);
	assert_int_equal(err, -ESTALE);
}

static void test_descriptor_that_cannot_be_read_is_an_error(void **state)
{
	struct content *content = NULL;
	struct content_stat st;
	int fd = open(files_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(examine_content(-1, "x.pem", 0, &st, &content), -EBADF);
	assert_int_equal(examine_content(fd, "x.pem", 0, &st, &content), -EISDIR);
	assert_null(content);
	close(fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_library_tells_its_version),
		TEST(test_libssl_has_the_version_of_libcrypto_beside_it),
		TEST(test_replaced_library_has_the_version_on_disk_too),
		TEST(test_replacement_that_cannot_be_opened_is_said),
		TEST(test_removed_library_has_no_version_on_disk),
		TEST(test_file_is_judged_by_its_content),
		TEST(test_program_is_looked_into),
		TEST(test_only_what_is_asked_for_is_examined),
		TEST(test_what_cannot_be_opened_has_a_note),
		TEST(test_process_that_is_another_now_has_a_note),
		TEST(test_file_is_opened_through_another_process_when_one_ends),
		TEST(test_library_is_opened_through_another_process_when_one_ends),
		TEST(test_library_of_a_process_that_ended_is_looked_into),
		TEST(test_library_that_ended_with_its_process_is_gone),
		TEST(test_huge_sparse_files_are_read_in_part),
		TEST(test_file_of_nothing_has_nothing),
		TEST(test_file_that_changes_while_it_is_read_is_not_told),
		TEST(test_descriptor_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
