/* SPDX-License-Identifier: MIT */
/* The versions of libraries that were mapped during a run, as a broker lets them be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "inventory/made_profile.h"
#include "priv/broker.h"
#include "support/few_descriptors.h"
#include "support/own_libcrypto.h"

static struct broker broker;

static int begin(void **state)
{
	const struct broker_config config = { 0 };

	return broker_start(&broker, &config) || begin_alone(state);
}

static int end(void **state)
{
	broker_stop(&broker);
	return end_profiles(state);
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* What profiles_find_versions() says with SPARE descriptors to be had. */
static int find(rlim_t spare, uint64_t *ret_short)
{
	struct rlimit before = descriptors_leave(spare);
	int err;

	err = profiles_find_versions(profiles, &broker, ret_short);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	return err;
}

static void test_version_that_no_descriptor_is_left_for_is_counted(void **state)
{
	uint32_t self = (uint32_t)getpid();
	uint64_t nr_short = 0;

	(void)state;
	if (!own_libcrypto()) {
		print_message("without a libcrypto of its own\n");
		skip();
	}
	made_target(made_process(self, "web"));
	made_load(self, own_libcrypto(), inode_of(own_libcrypto()));
	assert_int_equal(find(0, &nr_short), 0);
	assert_int_equal(nr_short, 1);
	assert_null(library_at(made_profile(0), 0)->version);
	assert_int_equal(find(8, &nr_short), 0);
	assert_int_equal(nr_short, 0);
	assert_string_equal(library_at(made_profile(0), 0)->version,
			    OpenSSL_version(OPENSSL_VERSION_STRING));
}

static void test_library_that_is_gone_is_not_counted(void **state)
{
	uint32_t self = (uint32_t)getpid();
	uint64_t nr_short = 1;

	(void)state;
	made_target(made_process(self, "web"));
	made_load(self, "/nonexistent/libcrypto.so.3", 4711);
	assert_int_equal(find(8, &nr_short), 0);
	assert_int_equal(nr_short, 0);
	assert_null(library_at(made_profile(0), 0)->version);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_version_that_no_descriptor_is_left_for_is_counted, begin, end),
		cmocka_unit_test_setup_teardown(test_library_that_is_gone_is_not_counted, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
