/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "inventory/host_private.h"
#include "support/files.h"

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	return where->level == 0 ? 0 : remove(path);
}

static int tree_end(void **state)
{
	nftw(files_dir(), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return files_end(state);
}

/* Puts TEXT, or with TARGET a link to that, at PATH below the test's directory. */
static void put(const char *path, const char *text, const char *target)
{
	char full[512];

	snprintf(full, sizeof(full), "%s/%s", files_dir(), path);
	for (char *at = full + strlen(files_dir()) + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
	}
	if (target)
		assert_int_equal(symlink(target, full), 0);
	else
		file_put(full, text, 0600);
}

static struct host_crypto host;

static void read_tree(void)
{
	int fd = open(files_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(host_crypto_read(fd, false, &host), 0);
	close(fd);
}

static bool has_string(const char *bytes, size_t size, const char *text)
{
	for (size_t at = 0; at < size; at += strlen(bytes + at) + 1)
		if (strcmp(bytes + at, text) == 0)
			return true;
	return false;
}

static void expect_not_seen(const char *text, bool is_there)
{
	assert_int_equal(has_string(host.not_seen, host.not_seen_size, text), is_there);
}

#define PROTOCOLS                                                                                  \
	"protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh\n"   \
	"PACKET    1600      0      -1   NI       0   no   kernel      n  n  n  n  n  n  n  n\n"   \
	"TCP       2304      7     327   no     192   yes  kernel      y  y  y  y  y  y  y  y\n"

static void test_an_empty_root_tells_what_it_does_not_know(void **state)
{
	(void)state;
	read_tree();
	assert_false(host.has_fips || host.has_dm_crypt || host.has_wireguard || host.has_ipsec ||
		     host.has_ktls || host.has_af_alg || host.has_algorithms);
	expect_not_seen("dm-crypt: /sys/block cannot be read", true);
	expect_not_seen("WireGuard: /sys/class/net cannot be read", true);
	expect_not_seen("IPsec: not asked for", true);
	expect_not_seen("kTLS: /proc/net/tls_stat cannot be read", true);
	expect_not_seen("AF_ALG: /proc/net/protocols cannot be read", true);
	expect_not_seen("algorithms: /proc/crypto cannot be read", true);
	host_crypto_free(&host);
	assert_null(host.memory);
	host_crypto_free(&host);
}

static void expect_fips(const char *text, bool has_fips, bool is_enabled)
{
	put("proc/sys/crypto/fips_enabled", text, NULL);
	read_tree();
	assert_int_equal(host.has_fips, has_fips);
	assert_int_equal(host.fips_enabled, is_enabled);
	expect_not_seen("FIPS mode: /proc/sys/crypto/fips_enabled cannot be read", !has_fips);
	host_crypto_free(&host);
}

static void test_the_fips_flag_is_told(void **state)
{
	(void)state;
	expect_fips("1\n", true, true);
	expect_fips("0\n", true, false);
	expect_fips("", false, false);
	expect_fips("10\n", false, false);
	expect_fips("x\n", false, false);
}

static const struct dm_crypt_device *device(size_t i)
{
	assert_true(i < host.dm_crypt.count);
	assert_int_equal(host.dm_crypt.stride, sizeof(struct dm_crypt_device));
	return (const struct dm_crypt_device *)host.dm_crypt.items + i;
}

static void test_devices_of_cryptsetup_are_told_in_order(void **state)
{
	(void)state;
	put("sys/devices/virtual/block/dm-10/dm/uuid", "CRYPT-PLAIN-swap\n", NULL);
	put("sys/devices/virtual/block/dm-10/dm/name", "swap\n", NULL);
	put("sys/devices/virtual/block/dm-2/dm/uuid",
	    "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-luks-home\n", NULL);
	put("sys/devices/virtual/block/dm-2/dm/name", "luks-home\n", NULL);
	put("sys/block/dm-10", NULL, "../devices/virtual/block/dm-10");
	put("sys/block/dm-2", NULL, "../devices/virtual/block/dm-2");
	/* not cryptsetup's, no device mapper's, gone */
	put("sys/block/dm-3/dm/uuid", "LVM-abcdef\n", NULL);
	put("sys/block/vda/dm/uuid", "CRYPT-LUKS1-x\n", NULL);
	put("sys/block/dm-4", NULL, "../devices/virtual/block/dm-4");
	put("sys/block/dm-5/dm/uuid", "CRYPT-VERITY", NULL);
	read_tree();
	assert_true(host.has_dm_crypt);
	assert_int_equal(host.dm_crypt.count, 3);
	assert_string_equal(device(0)->device, "dm-2");
	assert_string_equal(device(0)->type, "LUKS2");
	assert_string_equal(device(0)->name, "luks-home");
	assert_string_equal(device(1)->device, "dm-5");
	assert_string_equal(device(1)->type, "VERITY");
	assert_null(device(1)->name);
	assert_string_equal(device(2)->device, "dm-10");
	assert_string_equal(device(2)->type, "PLAIN");
	expect_not_seen("dm-crypt: there are devices without a uuid", false);
	host_crypto_free(&host);
}

static void test_devices_that_cannot_be_told_are_said(void **state)
{
	(void)state;
	put("sys/block/dm-0/dm/uuid", "\n", NULL);
	put("sys/block/dm-1/dm/elsewhere", "CRYPT-LUKS2-a-b\n", NULL);
	put("sys/block/dm-1/dm/uuid", NULL, "elsewhere");
	read_tree();
	/* neither without a uuid nor with one that is a link, which sysfs has none of */
	assert_int_equal(host.dm_crypt.count, 0);
	expect_not_seen("dm-crypt: there are devices without a uuid", true);
	host_crypto_free(&host);
}

static void test_more_devices_than_fit_are_said(void **state)
{
	char path[64], uuid[300];

	(void)state;
	snprintf(uuid, sizeof(uuid), "CRYPT-%0200d-x", 0);
	for (int i = 0; i <= HOST_ITEMS_MAX; i++) {
		snprintf(path, sizeof(path), "sys/block/dm-%d/dm/uuid", i);
		put(path, uuid, NULL);
	}
	read_tree();
	assert_int_equal(host.dm_crypt.count, HOST_ITEMS_MAX);
	assert_true(host.dm_crypt.truncated);
	assert_int_equal(strlen(device(HOST_ITEMS_MAX - 1)->type), HOST_NAME_SIZE - 1);
	expect_not_seen("dm-crypt: there are more devices", true);
	host_crypto_free(&host);
}

static void test_wireguard_interfaces_are_told_in_order(void **state)
{
	(void)state;
	put("sys/devices/virtual/net/wg10/uevent", "DEVTYPE=wireguard\nINTERFACE=wg10\nIFINDEX=7\n",
	    NULL);
	put("sys/class/net/wg10", NULL, "../../devices/virtual/net/wg10");
	put("sys/class/net/wg2/uevent", "INTERFACE=wg2\nDEVTYPE=wireguard", NULL);
	put("sys/class/net/br0/uevent", "DEVTYPE=bridge\nINTERFACE=br0\n", NULL);
	put("sys/class/net/no1/uevent", "DEVTYPE=wireguards\n", NULL);
	put("sys/class/net/no2/uevent", "XDEVTYPE=wireguard\n", NULL);
	put("sys/class/net/no3/uevent", "", NULL);
	put("sys/class/net/bonding_masters", "DEVTYPE=wireguard\n", NULL);
	put("sys/class/net/name-of-sixteen-/uevent", "DEVTYPE=wireguard\n", NULL);
	read_tree();
	assert_true(host.has_wireguard);
	assert_int_equal(host.wireguard_size, sizeof("wg2\0wg10"));
	assert_memory_equal(host.wireguard, "wg2\0wg10", sizeof("wg2\0wg10"));
	host_crypto_free(&host);
}

#define ALG "ALG       1040      0      -1   NI       0   no   af_alg      n  n\n"
#define TLS_STAT                                                                                   \
	"TlsCurrTxSw   \t3\nTlsCurrRxSw   \t4\nTlsCurrTxDevice \t50\nTlsCurrRxDevice \t60\n"

static void test_sockets_that_there_cannot_be_are_none(void **state)
{
	(void)state;
	/* neither module is there */
	put("proc/net/protocols", PROTOCOLS, NULL);
	read_tree();
	assert_true(host.has_ktls && host.ktls_tx == 0 && host.ktls_rx == 0);
	assert_true(host.has_af_alg && host.af_alg_sockets == 0);
	assert_false(has_string(host.not_seen, host.not_seen_size,
				"kTLS: /proc/net/tls_stat cannot be read"));
	host_crypto_free(&host);
}

static void test_sockets_are_read_or_said(void **state)
{
	(void)state;
	put("proc/net/protocols", PROTOCOLS ALG, NULL);
	put("proc/net/tls_stat", TLS_STAT, NULL);
	read_tree();
	assert_true(host.has_ktls && host.ktls_tx == 53 && host.ktls_rx == 64);
	assert_false(host.has_af_alg);
	expect_not_seen("AF_ALG: this kernel does not count the sockets", true);
	host_crypto_free(&host);
	put("proc/net/tls_stat", "", NULL);
	read_tree();
	assert_false(host.has_ktls);
	expect_not_seen("kTLS: /proc/net/tls_stat cannot be read", true);
	host_crypto_free(&host);
}

static void test_more_algorithms_than_fit_are_said(void **state)
{
	char text[(HOST_ITEMS_MAX + 1) * 32];
	const struct kernel_algorithm *last;
	size_t at = 0;

	(void)state;
	for (int i = 0; i <= HOST_ITEMS_MAX; i++)
		at += (size_t)snprintf(text + at, 32, "name : n%d\nrefcnt : 2\n\n", i);
	put("proc/crypto", text, NULL);
	read_tree();
	assert_true(host.has_algorithms);
	assert_int_equal(host.in_use.count, HOST_ITEMS_MAX);
	last = (const struct kernel_algorithm *)host.in_use.items + HOST_ITEMS_MAX - 1;
	assert_string_equal(last->name, "n255");
	expect_not_seen("algorithms: more are in use", true);
	host_crypto_free(&host);
}

static void read_host(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(host_crypto_read(fd, true, &host), 0);
	close(fd);
}

/* How often TEXT begins a line of the file PATH; -1 when there is no such file. */
static int count_lines(const char *path, const char *text)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	int nr = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		nr += strncmp(line, text, strlen(text)) == 0;
	fclose(file);
	return nr;
}

static void test_this_kernel_is_understood(void **state)
{
	int nr_algorithms = count_lines("/proc/crypto", "name ");
	int nr_larvals = count_lines("/proc/crypto", "type         : larval");
	int nr_fips = count_lines("/proc/sys/crypto/fips_enabled", "1");

	(void)state;
	read_host();
	assert_int_equal(host.has_algorithms, nr_algorithms >= 0);
	if (nr_algorithms >= 0)
		assert_int_equal(host.nr_algorithms, nr_algorithms - nr_larvals);
	assert_int_equal(host.has_fips, nr_fips >= 0);
	assert_int_equal(host.fips_enabled, nr_fips == 1);
	assert_true(host.has_dm_crypt && host.has_wireguard && host.has_ktls);
	host_crypto_free(&host);
}

enum {
	SKIPPED = 77
};

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, files_begin, tree_end)
	const struct CMUnitTest tests[] = {
		TEST(test_an_empty_root_tells_what_it_does_not_know),
		TEST(test_the_fips_flag_is_told),
		TEST(test_devices_of_cryptsetup_are_told_in_order),
		TEST(test_devices_that_cannot_be_told_are_said),
		TEST(test_more_devices_than_fit_are_said),
		TEST(test_wireguard_interfaces_are_told_in_order),
		TEST(test_sockets_that_there_cannot_be_are_none),
		TEST(test_sockets_are_read_or_said),
		TEST(test_more_algorithms_than_fit_are_said),
		cmocka_unit_test(test_this_kernel_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
