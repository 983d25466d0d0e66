/* SPDX-License-Identifier: MIT */
/* Which functions of which files have probes, attached by a broker, and which are taken off. */
#include <elf.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "trace/probed.h"
#include "trace/probes.h"

static struct broker broker;
static struct probes *probes;

static int probes_begin(void **state)
{
	struct broker_config config = { .command = -1 };
	int err;

	library_begin(state);
	if (why_not)
		return 0;
	err = open_session();
	uprobes_offer(&uprobes, &config);
	if (!err)
		err = broker_start(&broker, &config);
	if (!err)
		err = probes_new(&probes, &uprobes, &broker, API_GROUP_default);
	return err;
}

static int probes_end(void **state)
{
	if (!why_not)
		broker_stop(&broker);
	probes_free(probes);
	probes = NULL;
	close_session();
	return library_end(state);
}

/* Has the file PATH probed, as this process names it. */
static const struct probed_file *add(const char *path)
{
	struct broker_file file = { .kind = BROKER_FILE_PATH, .pid = (uint32_t)getpid() };

	assert_true(strlen(path) < sizeof(file.path));
	memcpy(file.path, path, strlen(path) + 1);
	return probes_add(probes, &file, path, strlen(path));
}

/*
 * Whether the broker may attach: one by one that takes CAP_SYS_ADMIN since Linux commit
 * ba677dbe77af.
 */
static bool may_attach(void)
{
	char path[64];
	const char *text;

	if (kernel == KERNEL_now)
		return true;
	assert_int_equal(broker_wait(&broker), 0);
	snprintf(path, sizeof(path), "/proc/%d/status", broker.pid);
	text = strstr(file_text(path), "\nCapEff:\t");
	assert_non_null(text);
	return strtoull(text + 9, NULL, 16) & 1ULL << CAP_SYS_ADMIN;
}

static const struct probed_file *add_library(void)
{
	const struct probed_file *file;

	if (!may_attach()) {
		print_message("the broker lacks CAP_SYS_ADMIN\n");
		skip();
	}
	file = add(files_path("libssl.so.3"));
	assert_non_null(file);
	assert_int_equal(file->err, 0);
	return file;
}

/* The slot of function NAME in FILE; it has one. */
static uint32_t slot_of(const struct probed_file *file, const char *name)
{
	const struct api_function *function;
	const struct probed_file *of;

	for (uint32_t slot = 0; probes_at(probes, slot, &function, &of); slot++)
		if (of == file && strcmp(function->name, name) == 0)
			return slot;
	fail_msg("%s has no slot", name);
	return 0;
}

/* How many functions of the library are in the catalogue, to be told. */
static uint32_t count_functions(void)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < NR_SLOTS_HERE; i++) {
		const struct api_function *function = api_find(
			LIBRARY_FAMILY_openssl, functions[i].name, strlen(functions[i].name));

		nr += function && plan_wants(function, API_GROUP_default);
	}
	return nr;
}

/* How many events of function NAME there are among those that were collected. */
static size_t count_told(const char *name)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_events; i++) {
		const struct api_function *function;
		const struct probed_file *file;

		assert_true(probes_at(probes, events[i].fixed.slot, &function, &file));
		nr += strcmp(function->name, name) == 0;
	}
	return nr;
}

static void test_functions_of_a_library_are_probed(void **state)
{
	const struct probed_file *file;
	struct stat st;

	(void)state;
	need_probes();
	file = add_library();
	assert_int_equal(stat(files_path("libssl.so.3"), &st), 0);
	assert_int_equal(file->family, LIBRARY_FAMILY_openssl);
	assert_int_equal(file->inode, st.st_ino);
	assert_int_equal(makedev(file->dev_major, file->dev_minor), st.st_dev);
	assert_string_equal(file->path, files_path("libssl.so.3"));
	assert_int_equal(probes_counts(probes)->files, 1);
	assert_int_equal(probes_counts(probes)->probes, count_functions());
	made.SSL_CTX_set_cipher_list(NULL, "HIGH");
	made.X509_verify_cert(NULL, NULL, 3);
	made.SSL_read(NULL);
	assert_int_equal(collect(), 2);
	assert_int_equal(events[0].fixed.slot, slot_of(file, "SSL_CTX_set_cipher_list"));
	check_text(&events[0], events[0].fixed.texts[0], "HIGH");
	assert_int_equal(events[1].fixed.slot, slot_of(file, "X509_verify_cert"));
	assert_int_equal(events[1].fixed.result, 3);
}

static void test_function_for_callers_outside_knows_its_file(void **state)
{
	(void)state;
	need_probes();
	add_library();
	made.X509_get_ext_d2i(NULL, 85);
	made.made_get_ext(NULL, 85);
	assert_int_equal(collect(), 1);
	assert_int_equal(count_told("X509_get_ext_d2i"), 1);
}

static void test_all_functions_where_all_are_asked_for(void **state)
{
	const struct probed_file *file;
	uint32_t slot;

	(void)state;
	need_probes();
	probes_free(probes);
	assert_int_equal(probes_new(&probes, &uprobes, &broker, API_GROUP_all), 0);
	file = add_library();
	slot = slot_of(file, "SSL_read");
	for (int i = 0; i < 5; i++)
		made.SSL_read(NULL);
	made.SSL_CTX_set_cipher_list(NULL, "HIGH");
	assert_int_equal(collect(), 1);
	for (size_t i = 0; i < API_COUNTS_MAX; i++)
		if (uprobes.counts[i].key) {
			assert_int_equal(uprobes.counts[i].key,
					 ((uint64_t)getpid() << 32 | slot) + 1);
			assert_int_equal(uprobes.counts[i].count, 5);
		}
}

static void test_file_has_its_probes_once(void **state)
{
	const struct probed_file *file;

	(void)state;
	need_probes();
	file = add_library();
	assert_int_equal(link(files_path("libssl.so.3"), files_path("libssl.so.1.1")), 0);
	assert_int_equal(symlink("libssl.so.1.1", files_path("libssl.so")), 0);
	assert_ptr_equal(add(files_path("libssl.so.3")), file);
	assert_ptr_equal(add(files_path("libssl.so.1.1")), file);
	assert_ptr_equal(add(files_path("libssl.so")), file);
	assert_ptr_equal(probes_find(probes, file->dev_major, file->dev_minor, file->inode, 0),
			 file);
	assert_int_equal(probes_counts(probes)->files, 1);
	made.SSL_CTX_set_cipher_list(NULL, "HIGH");
	assert_int_equal(collect(), 1);
}

/* Copies the library to PATH. Returns a loaded one. */
static void *load_copy(const char *path, struct made_functions *ret)
{
	char bytes[4096];
	int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ssize_t n;

	assert_true(to >= 0);
	assert_int_equal(lseek(library, 0, SEEK_SET), 0);
	while ((n = read(library, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(to, bytes, (size_t)n), n);
	close(to);
	return made_load(path, ret);
}

static void test_copies_are_told_apart(void **state)
{
	const struct probed_file *file;
	const struct probed_file *copy;
	struct made_functions other;
	void *loaded;

	(void)state;
	need_probes();
	loaded = load_copy(files_path("libcrypto.so.3"), &other);
	file = add_library();
	copy = add(files_path("libcrypto.so.3"));
	assert_non_null(copy);
	assert_ptr_not_equal(copy, file);
	assert_int_equal(probes_counts(probes)->files, 2);
	other.SSL_CTX_set_cipher_list(NULL, "A");
	made.SSL_CTX_set_cipher_list(NULL, "B");
	assert_int_equal(collect(), 2);
	assert_int_equal(events[0].fixed.slot, slot_of(copy, "SSL_CTX_set_cipher_list"));
	assert_int_equal(events[1].fixed.slot, slot_of(file, "SSL_CTX_set_cipher_list"));
	dlclose(loaded);
}

static void test_what_is_no_library_has_no_probes(void **state)
{
	const struct probed_file *file;

	(void)state;
	need_probes();
	file_put(files_path("libgnutls.so.30"), "#!/bin/sh\n", 0755);
	file_put(files_path("libcrypto.so.1"), "", 0644);
	file = add(files_path("libgnutls.so.30"));
	assert_non_null(file);
	assert_int_equal(file->err, 0);
	assert_int_equal(file->set, -1);
	assert_ptr_equal(add(files_path("libgnutls.so.30")), file);
	assert_non_null(add(files_path("libcrypto.so.1")));
	assert_int_equal(probes_counts(probes)->files, 0);
	assert_int_equal(probes_counts(probes)->failed, 0);
}

/* Its inode is that of another file now, or has other bytes. */
static void test_file_that_has_become_a_library_is_probed(void **state)
{
	const struct probed_file *file;
	char bytes[4096];
	ssize_t n;
	int to;

	(void)state;
	need_probes();
	file_put(files_path("libssl.so.4"), "nothing", 0644);
	file = add(files_path("libssl.so.4"));
	assert_non_null(file);
	assert_int_equal(file->set, -1);
	to = open(files_path("libssl.so.4"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(lseek(library, 0, SEEK_SET), 0);
	while ((n = read(library, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(to, bytes, (size_t)n), n);
	close(to);
	assert_ptr_equal(add(files_path("libssl.so.4")), file);
	assert_true(file->set >= 0);
	assert_int_equal(probes_counts(probes)->files, 1);
}

static void test_what_is_not_there_is_no_failure(void **state)
{
	(void)state;
	need_probes();
	assert_null(add(files_path("libssl.so.9")));
	assert_null(add(files_path("none/libssl.so.3")));
	assert_null(add(files_path("libssl.so.3/libssl.so.3")));
	assert_int_equal(probes_counts(probes)->failed, 0);
	/* That of a name which the broker opens for nobody is. */
	assert_null(add("/etc/passwd"));
	assert_int_equal(probes_counts(probes)->failed, 1);
}

static void test_library_for_another_machine_is_counted_as_such(void **state)
{
	uint16_t machine = EM_SPARCV9;
	struct made_functions other;
	int fd;

	(void)state;
	need_probes();
	dlclose(load_copy(files_path("libcrypto.so.3"), &other));
	fd = open(files_path("libcrypto.so.3"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, &machine, sizeof(machine), offsetof(Elf64_Ehdr, e_machine)),
			 sizeof(machine));
	close(fd);
	assert_non_null(add(files_path("libcrypto.so.3")));
	assert_int_equal(probes_counts(probes)->files, 0);
	assert_int_equal(probes_counts(probes)->foreign, 1);
	assert_int_equal(probes_counts(probes)->failed, 0);
}

static void test_slot_that_is_not_taken_is_of_nothing(void **state)
{
	const struct api_function *function;
	const struct probed_file *file;

	(void)state;
	need_probes();
	assert_false(probes_at(probes, 0, &function, &file));
	add_library();
	assert_true(probes_at(probes, count_functions() - 1, &function, &file));
	assert_false(probes_at(probes, count_functions(), &function, &file));
	assert_false(probes_at(probes, API_SLOTS_MAX, &function, &file));
	assert_false(probes_at(probes, UINT32_MAX, &function, &file));
	assert_null(probes_lapse(probes, 0));
}

static void call_all(int nr)
{
	for (int i = 0; i < nr; i++) {
		made.SSL_CTX_set_cipher_list(NULL, "HIGH");
		made.SSL_CTX_load_verify_locations(NULL, "/a", NULL);
		made.X509_verify_cert(NULL, NULL, i);
	}
}

/* A link of the broker's set for each call of functions that are taken off. */
static void test_function_that_is_called_too_often_is_taken_off(void **state)
{
	const struct probed_file *file;
	const struct probe_lapse *lapse;
	int set;

	(void)state;
	need_probes();
	file = add_library();
	set = file->set;
	probes_police(probes);
	assert_int_equal(file->set, set);
	uprobes.slots[slot_of(file, "SSL_CTX_set_cipher_list")].limit = 20;
	call_all(200);
	collect();
	assert_true(count_told("SSL_CTX_set_cipher_list") < 100);
	assert_int_equal(count_told("SSL_CTX_load_verify_locations"), 200);
	probes_police(probes);
	assert_int_not_equal(file->set, set);
	assert_int_equal(probes_counts(probes)->lapsed, 1);
	lapse = probes_lapse(probes, 0);
	assert_non_null(lapse);
	assert_string_equal(lapse->function->name, "SSL_CTX_set_cipher_list");
	assert_ptr_equal(lapse->file, file);
	assert_null(probes_lapse(probes, 1));
	/* The others go on being told: once, with their results. */
	call_all(10);
	assert_int_equal(collect(), 20);
	assert_int_equal(count_told("SSL_CTX_load_verify_locations"), 10);
	assert_int_equal(count_told("X509_verify_cert"), 10);
	set = file->set;
	probes_police(probes);
	assert_int_equal(file->set, set);
	assert_int_equal(probes_counts(probes)->lapsed, 1);
}

static void test_functions_may_be_taken_off_one_after_the_other(void **state)
{
	static const char *const names[] = { "SSL_CTX_set_cipher_list",
					     "SSL_CTX_load_verify_locations", "X509_verify_cert" };
	const struct probed_file *file;

	(void)state;
	need_probes();
	file = add_library();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uprobes.slots[slot_of(file, names[i])].limit = 2;
		call_all(20);
		collect();
		probes_police(probes);
		assert_int_equal(probes_counts(probes)->lapsed, i + 1);
		assert_string_equal(probes_lapse(probes, i)->function->name, names[i]);
		call_all(1);
		assert_int_equal(collect(), ARRAY_SIZE(names) - 1 - i);
	}
}

static void test_all_functions_may_be_taken_off(void **state)
{
	const struct probed_file *file;

	(void)state;
	need_probes();
	file = add_library();
	for (uint32_t slot = 0; slot < count_functions(); slot++)
		uprobes.slots[slot].is_off = 1;
	probes_police(probes);
	assert_int_equal(file->set, -1);
	assert_int_equal(probes_counts(probes)->lapsed, count_functions());
	call_all(10);
	assert_int_equal(collect(), 0);
	/* It is known, and has none. */
	assert_ptr_equal(add(files_path("libssl.so.3")), file);
	probes_police(probes);
	call_all(1);
	assert_int_equal(collect(), 0);
}

/* A broker that is gone: nothing is attached, and that is counted. */
static void test_without_broker_files_fail(void **state)
{
	(void)state;
	need_probes();
	broker_stop(&broker);
	assert_null(add(files_path("libssl.so.3")));
	assert_int_equal(probes_counts(probes)->failed, 1);
	probes_police(probes);
	call_all(1);
	assert_int_equal(collect(), 0);
}

static void test_end_of_the_broker_leaves_no_probe(void **state)
{
	(void)state;
	need_probes();
	add_library();
	call_all(1);
	assert_int_equal(collect(), 3);
	broker_stop(&broker);
	call_all(1);
	assert_int_equal(collect(), 0);
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, probes_begin, probes_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_functions_of_a_library_are_probed),
		TEST(test_function_for_callers_outside_knows_its_file),
		TEST(test_all_functions_where_all_are_asked_for),
		TEST(test_file_has_its_probes_once),
		TEST(test_copies_are_told_apart),
		TEST(test_what_is_no_library_has_no_probes),
		TEST(test_file_that_has_become_a_library_is_probed),
		TEST(test_what_is_not_there_is_no_failure),
		TEST(test_library_for_another_machine_is_counted_as_such),
		TEST(test_slot_that_is_not_taken_is_of_nothing),
		TEST(test_function_that_is_called_too_often_is_taken_off),
		TEST(test_functions_may_be_taken_off_one_after_the_other),
		TEST(test_all_functions_may_be_taken_off),
		TEST(test_without_broker_files_fail),
		TEST(test_end_of_the_broker_leaves_no_probe),
	};
	/* The broker makes a link for each of them then. */
	const struct CMUnitTest again[] = {
		TEST(test_functions_of_a_library_are_probed),
		TEST(test_function_that_is_called_too_often_is_taken_off),
		TEST(test_end_of_the_broker_leaves_no_probe),
	};
	int nr_failed = cmocka_run_group_tests_name("this kernel", tests, NULL, NULL);

	kernel = KERNEL_before_multi;
	return nr_failed + cmocka_run_group_tests_name("without links for many", again, NULL, NULL);
}
