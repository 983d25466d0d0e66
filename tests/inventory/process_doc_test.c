/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inspect/program.h"
#include "inventory/made_inventory.h"
#include "inventory/process_doc.h"

#define CRYPTO "/usr/lib/libcrypto.so.3"
#define SSL    "/usr/lib/libssl.so.3"
#define TICK   10000000ULL

static struct pool pool;
static struct inventory_process *process;
static struct snapshot_process item;

static int begin(void **state)
{
	int err = made_begin(state);

	process = made_process(7, "web");
	return err;
}

static int end(void **state)
{
	pool_free(&pool);
	return made_end(state);
}

static void make(void)
{
	inventory_sort(inventory);
	assert_int_equal(process_doc_make(&pool, &source, process, &item), 0);
}

static const struct provider *provider_at(size_t i)
{
	assert_true(i < item.providers.count);
	return (const struct provider *)item.providers.items + i;
}

static void test_process_without_anything_uses_no_crypto(void **state)
{
	(void)state;
	made_exe(process, "/usr/bin/web", 1);
	assert_false(process_uses_crypto(process));
	made_program(process->exe, NULL);
	assert_false(process_uses_crypto(process));
}

static void test_library_file_socket_or_builtin_is_use(void **state)
{
	static const struct provider builtin[] = { { .name = "go" } };
	struct inventory_process *file = made_process(8, "file");
	struct inventory_process *socket = made_process(9, "socket");
	struct inventory_process *program = made_process(10, "program");

	(void)state;
	made_library(process, CRYPTO, 1);
	made_file(file, "/k.key", 2, 3);
	socket->sockets = INVENTORY_SOCKET_KTLS;
	made_program(made_exe(program, "/usr/bin/go", 4), NULL)->providers = ITEMS(builtin);
	assert_true(process_uses_crypto(process));
	assert_true(process_uses_crypto(file));
	assert_true(process_uses_crypto(socket));
	assert_true(process_uses_crypto(program));
}

static void test_process_is_described(void **state)
{
	(void)state;
	process->uid = 33;
	made_exe(process, "/usr/bin/web", 1);
	make();
	assert_int_equal(item.pid, 7);
	assert_int_equal(item.ppid, 1);
	assert_string_equal(item.name, "web");
	assert_string_equal(item.exe, "/usr/bin/web");
	assert_string_equal(item.running_as, "33");
	assert_null(item.container);
	/* As coarse as /proc has it. */
	assert_int_equal(item.start_ns, MADE_OFFSET_NS + (MADE_START_NS + 7) / TICK * TICK);
	assert_int_equal(item.kernel_crypto.size, 0);
	assert_int_equal(item.fips_evidence.size, 0);
	assert_int_equal(item.providers.count, 0);
}

static void test_program_that_is_not_known_is_null(void **state)
{
	(void)state;
	make();
	assert_null(item.exe);
}

static void test_libraries_are_told_by_name_and_path_each_once(void **state)
{
	(void)state;
	made_library(process, SSL, 2);
	made_library(process, CRYPTO, 1);
	made_library(process, "/opt/lib/libcrypto.so.3", 3);
	made_library(process, CRYPTO, 4);
	make();
	ASSERT_TEXTS(item.libraries, "libcrypto.so.3\0libssl.so.3");
	ASSERT_TEXTS(item.library_paths, "/opt/lib/libcrypto.so.3\0" CRYPTO "\0" SSL);
	assert_int_equal(item.open_crypto_files.size, 0);
	/* Different files, even where they have the same path. */
	assert_int_equal(process_count_libraries(process), 4);
	assert_int_equal(process_count_files(process), 0);
}

static void test_files_are_told_each_once_and_deleted_ones_again(void **state)
{
	(void)state;
	made_file(process, "/b.key", 2, 3);
	made_file(process, "/a.key", 1, 9);
	made_file(process, "/b.key", 2, 4);
	made_file(process, "/b.key (deleted)", 5, 2);
	made_file(process, "/b.key (deleted)", 5, 6);
	made_file(process, "/c.key (deleted)", 6, 7);
	make();
	ASSERT_TEXTS(item.open_crypto_files, "/a.key\0/b.key\0/c.key");
	ASSERT_TEXTS(item.deleted_files, "/b.key\0/c.key");
	assert_int_equal(item.libraries.size, 0);
	assert_int_equal(process_count_files(process), 4);
	assert_int_equal(item.stale_libraries.count, 0);
}

static void test_replaced_library_is_stale(void **state)
{
	const struct snapshot_stale *stale;
	struct inventory_object *gone;

	(void)state;
	made_library(process, CRYPTO, 1);
	gone = made_library(process, SSL " (deleted)", 2);
	made_program(gone, "3.0.1");
	gone->disk_version = strdup("3.0.2");
	made_library(process, "/opt/libtls.so.26 (deleted)", 3);
	make();
	stale = item.stale_libraries.items;
	assert_int_equal(item.stale_libraries.count, 2);
	assert_string_equal(stale[0].path, "/opt/libtls.so.26");
	assert_null(stale[0].version);
	assert_null(stale[0].disk_version);
	assert_string_equal(stale[1].path, SSL);
	assert_string_equal(stale[1].version, "3.0.1");
	assert_string_equal(stale[1].disk_version, "3.0.2");
	assert_int_equal(item.deleted_files.size, 0);
}

static void test_files_of_one_project_and_version_are_one_provider(void **state)
{
	(void)state;
	/* By path: libcrypto, without a version, comes first. */
	made_library(process, CRYPTO, 1);
	made_program(made_library(process, SSL, 2), "3.0.1");
	made_program(made_library(process, "/usr/lib/ossl-modules/legacy.so", 3), NULL);
	make();
	assert_int_equal(item.providers.count, 1);
	assert_string_equal(provider_at(0)->name, "openssl");
	assert_string_equal(provider_at(0)->version, "3.0.1");
	assert_int_equal(provider_at(0)->linkage, LINKAGE_dynamic);
	assert_int_equal(provider_at(0)->confidence, CONFIDENCE_high);
	assert_int_equal(provider_at(0)->evidence_size, sizeof("mapped"));
	assert_string_equal(provider_at(0)->evidence, "mapped");
}

static void test_two_versions_are_two_providers(void **state)
{
	(void)state;
	made_program(made_library(process, "/a/libcrypto.so.3", 1), "3.0.1");
	made_program(made_library(process, "/b/libcrypto.so.3", 2), "3.2.0");
	made_program(made_library(process, "/c/libcrypto.so.3", 3), "3.0.1");
	made_library(process, "/d/libgnutls.so.30", 4);
	make();
	assert_int_equal(item.providers.count, 3);
	assert_string_equal(provider_at(0)->version, "3.0.1");
	assert_string_equal(provider_at(1)->version, "3.2.0");
	assert_string_equal(provider_at(2)->name, "gnutls");
	assert_null(provider_at(2)->version);
}

static void test_builtin_providers_follow(void **state)
{
	static const struct provider builtin[] = { { .name = "go", .version = "1.22" },
						   { .name = "openssl" } };

	(void)state;
	made_library(process, CRYPTO, 1);
	made_program(made_exe(process, "/usr/bin/web", 2), NULL)->providers = ITEMS(builtin);
	make();
	assert_int_equal(item.providers.count, 3);
	assert_string_equal(provider_at(0)->name, "openssl");
	assert_string_equal(provider_at(1)->name, "go");
	assert_string_equal(provider_at(1)->version, "1.22");
	assert_string_equal(provider_at(2)->name, "openssl");
	assert_null(provider_at(2)->evidence);
}

static void test_kernel_crypto_is_told(void **state)
{
	(void)state;
	process->sockets = INVENTORY_SOCKET_AF_ALG;
	make();
	ASSERT_TEXTS(item.kernel_crypto, "AF_ALG");
	process->sockets = INVENTORY_SOCKET_KTLS;
	make();
	ASSERT_TEXTS(item.kernel_crypto, "kTLS");
	process->sockets = INVENTORY_SOCKET_KTLS | INVENTORY_SOCKET_AF_ALG;
	make();
	ASSERT_TEXTS(item.kernel_crypto, "AF_ALG\0kTLS");
}

static void test_fips_mode_of_the_kernel_is_evidence(void **state)
{
	(void)state;
	host.fips_enabled = true;
	make();
	assert_int_equal(item.fips_evidence.size, 0);
	host.has_fips = true;
	make();
	ASSERT_TEXTS(item.fips_evidence, "kernel: fips_enabled is 1");
	host.fips_enabled = false;
	make();
	assert_int_equal(item.fips_evidence.size, 0);
}

static void test_fips_evidence_is_modules_files_and_settings(void **state)
{
	static const char settings[] = "GOFIPS140=v1.0.0\0CGO_ENABLED=1\0GOEXPERIMENT=BoringCrypto";
	const struct provider builtin[] = {
		{ .name = "go", .settings = settings, .settings_size = sizeof(settings) },
	};

	(void)state;
	host.has_fips = host.fips_enabled = true;
	made_library(process, "/usr/lib/ossl-modules/fips.so", 1);
	made_library(process, "/usr/lib/ossl-modules/legacy.so", 2);
	made_file(process, "/etc/ssl/fipsmodule.cnf", 3, 4);
	made_file(process, "/etc/k.key", 4, 5);
	made_program(made_exe(process, "/usr/bin/web", 5), NULL)->providers = ITEMS(builtin);
	make();
	ASSERT_TEXTS(item.fips_evidence, "kernel: fips_enabled is 1\0"
					 "configuration open: /etc/ssl/fipsmodule.cnf\0"
					 "provider mapped: /usr/lib/ossl-modules/fips.so\0"
					 "built with GOFIPS140=v1.0.0\0"
					 "built with GOEXPERIMENT=BoringCrypto");
}

/* A library of another project, and a file of that name that is no module. */
static void test_name_alone_is_no_fips_module(void **state)
{
	(void)state;
	made_library(process, "/usr/lib/gnutls/libgnutls.so.30", 1);
	made_library(process, "/usr/lib/ossl-modules/nofips.so", 2);
	make();
	assert_int_equal(item.fips_evidence.size, 0);
}

static void test_file_open_twice_is_evidence_once(void **state)
{
	(void)state;
	made_file(process, "/etc/ssl/fipsmodule.cnf", 3, 4);
	made_file(process, "/etc/ssl/fipsmodule.cnf", 3, 5);
	make();
	ASSERT_TEXTS(item.fips_evidence, "configuration open: /etc/ssl/fipsmodule.cnf");
}

static void test_connections_are_told_with_their_role(void **state)
{
	const struct snapshot_connection *connections;

	(void)state;
	made_connection(process, 5, 50000, 9, 443);
	made_connection(process, 6, 443, 8, 50001);
	process->connections[1].is_ktls = true;
	process->nr_more_connections = 3;
	assert_int_equal(connections_listen(inventory, MADE_NETNS, 443), 0);
	make();
	assert_int_equal(item.connections.count, 2);
	assert_true(item.connections.truncated);
	assert_int_equal(item.nr_connections, 5);
	connections = item.connections.items;
	assert_string_equal(connections[0].local, "192.0.2.1:443");
	assert_string_equal(connections[0].peer, "198.51.100.8:50001");
	assert_true(connections[0].is_server);
	assert_true(connections[0].is_ktls);
	assert_string_equal(connections[1].peer, "198.51.100.9:443");
	assert_false(connections[1].is_server);
	assert_false(connections[1].is_ktls);
	/* To talk to somebody is no use of cryptography. */
	assert_false(process_uses_crypto(process));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_process_without_anything_uses_no_crypto),
		TEST(test_library_file_socket_or_builtin_is_use),
		TEST(test_process_is_described),
		TEST(test_program_that_is_not_known_is_null),
		TEST(test_libraries_are_told_by_name_and_path_each_once),
		TEST(test_files_are_told_each_once_and_deleted_ones_again),
		TEST(test_replaced_library_is_stale),
		TEST(test_files_of_one_project_and_version_are_one_provider),
		TEST(test_two_versions_are_two_providers),
		TEST(test_builtin_providers_follow),
		TEST(test_kernel_crypto_is_told),
		TEST(test_fips_mode_of_the_kernel_is_evidence),
		TEST(test_fips_evidence_is_modules_files_and_settings),
		TEST(test_name_alone_is_no_fips_module),
		TEST(test_file_open_twice_is_evidence_once),
		TEST(test_connections_are_told_with_their_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
