/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "inventory/host_private.h"
#include "support/files.h"
#include "support/guard.h"

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

static void expect_ktls(const char *text, bool is_known, uint64_t tx, uint64_t rx)
{
	put("proc/net/protocols", PROTOCOLS, NULL);
	if (text)
		put("proc/net/tls_stat", text, NULL);
	read_tree();
	assert_int_equal(host.has_ktls, is_known);
	assert_int_equal(host.ktls_tx, tx);
	assert_int_equal(host.ktls_rx, rx);
	expect_not_seen("kTLS: /proc/net/tls_stat cannot be read", !is_known);
	host_crypto_free(&host);
}

static void test_ktls_sockets_are_those_of_software_and_devices(void **state)
{
	(void)state;
	/* the tls module is not there: nobody can use it */
	expect_ktls(NULL, true, 0, 0);
	expect_ktls("TlsCurrTxSw                     \t3\nTlsCurrRxSw                     \t4\n"
		    "TlsCurrTxDevice                 \t50\nTlsCurrRxDevice                 \t60\n"
		    "TlsTxSw                         \t1000\nTlsDecryptError                 \t9\n",
		    true, 53, 64);
	expect_ktls("TlsCurrTxSw 3\nTlsCurrRxSw 4\n", false, 0, 0);
	expect_ktls("TlsCurrTxSw x\nTlsCurrRxSw 1\nTlsCurrTxDevice 1\nTlsCurrRxDevice 1\n", false,
		    0, 0);
	expect_ktls("", false, 0, 0);
}

static void expect_af_alg(const char *line, bool is_known, uint64_t sockets)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", PROTOCOLS, line);
	put("proc/net/protocols", text, NULL);
	read_tree();
	assert_int_equal(host.has_af_alg, is_known);
	assert_int_equal(host.af_alg_sockets, sockets);
	expect_not_seen("AF_ALG: this kernel does not count the sockets", !is_known);
	host_crypto_free(&host);
}

static void test_af_alg_sockets_are_told_where_the_kernel_counts_them(void **state)
{
	(void)state;
	expect_af_alg("", true, 0);
	expect_af_alg("ALG       1040      0      -1   NI       0   no   af_alg      n  n\n", false,
		      0);
	expect_af_alg("ALG       1040      3      -1   NI       0   no   af_alg      n  n\n", true,
		      3);
	expect_af_alg("ALGX      1040      3      -1   NI       0   no   af_alg      n  n\n", true,
		      0);
	expect_af_alg("ALG       1040\n", false, 0);
	put("proc/net/protocols", "ALG 1 2 3\n", NULL);
	read_tree();
	assert_false(host.has_af_alg);
	expect_not_seen("AF_ALG: /proc/net/protocols cannot be read", true);
	host_crypto_free(&host);
}

#define CRYPTO                                                                                     \
	"name         : rfc4106(gcm(aes))\ndriver       : rfc4106-gcm-aesni\n"                     \
	"module       : aesni_intel\npriority     : 400\nrefcnt       : 3\n"                       \
	"selftest     : passed\ninternal     : no\ntype         : aead\nasync        : no\n\n"     \
	"name         : sha256\ndriver       : sha256-lib\nmodule       : kernel\n"                \
	"priority     : 100\nrefcnt       : 1\nselftest     : passed\ninternal     : no\n"         \
	"type         : shash\n\n"                                                                 \
	"name         : what\ndriver       : what-larval\nmodule       : kernel\n"                 \
	"refcnt       : 5\nselftest     : unknown\ntype         : larval\nflags        : 0x10\n\n" \
	"name         : a: b\nrefcnt       : 2\nselftest     : unknown"

static const struct kernel_algorithm *algorithm(size_t i)
{
	assert_true(i < host.in_use.count);
	assert_int_equal(host.in_use.stride, sizeof(struct kernel_algorithm));
	return (const struct kernel_algorithm *)host.in_use.items + i;
}

static void test_algorithms_with_users_are_told(void **state)
{
	(void)state;
	put("proc/crypto", CRYPTO, NULL);
	read_tree();
	assert_true(host.has_algorithms);
	assert_int_equal(host.nr_algorithms, 3);
	assert_int_equal(host.in_use.count, 2);
	assert_string_equal(algorithm(0)->name, "rfc4106(gcm(aes))");
	assert_string_equal(algorithm(0)->driver, "rfc4106-gcm-aesni");
	assert_string_equal(algorithm(0)->module, "aesni_intel");
	assert_string_equal(algorithm(0)->type, "aead");
	assert_int_equal(algorithm(0)->refcnt, 3);
	assert_true(algorithm(0)->passed_selftest);
	assert_string_equal(algorithm(1)->name, "a: b");
	assert_null(algorithm(1)->driver);
	assert_false(algorithm(1)->passed_selftest);
	host_crypto_free(&host);
}

static void test_more_algorithms_than_fit_are_counted(void **state)
{
	enum {
		COUNT = HOST_ITEMS_MAX + 5,
		ITEM = 2048
	};
	char *text = malloc(COUNT * ITEM);
	size_t at = 0;

	(void)state;
	/* names far too long, so that a cut one is tried too */
	for (int i = 0; i < COUNT; i++)
		at += (size_t)snprintf(text + at, ITEM,
				       "name : %0400d\ndriver : %0400d\nmodule : %0400d\n"
				       "type : %0400d\nrefcnt : 2\n\n",
				       i, i, i, i);
	put("proc/crypto", text, NULL);
	free(text);
	read_tree();
	assert_int_equal(host.nr_algorithms, COUNT);
	assert_int_equal(host.in_use.count, HOST_ITEMS_MAX);
	assert_true(host.in_use.truncated);
	assert_int_equal(strlen(algorithm(HOST_ITEMS_MAX - 1)->type), HOST_NAME_SIZE - 1);
	expect_not_seen("algorithms: more are in use", true);
	host_crypto_free(&host);
}

static int parse_netlink(const char *text)
{
	static struct host_reader reader;
	int fd = memfd_create("netlink", MFD_CLOEXEC), n;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	lines_begin(&reader.lines, fd, HOST_FILE_MAX);
	n = host_parse_netlink(&reader);
	close(fd);
	return n;
}

static void test_xfrm_is_asked_only_where_the_kernel_has_it(void **state)
{
	(void)state;
	assert_int_equal(parse_netlink("sk Eth Pid Groups\n000 0 0 0\n000 6 0 0\n"), 1);
	assert_int_equal(parse_netlink("sk Eth Pid Groups\n000 0 0 0\n000 6 123 0\n0 16 0\n"), 0);
	assert_int_equal(parse_netlink("6 6\n6\n"), 0);
	assert_int_equal(parse_netlink(""), 0);
}

struct answer {
	struct nlmsghdr header;
	uint32_t flags;
	struct nlattr first;
	uint8_t first_value[8]; /* 5 of them, and what pads them */
	struct nlattr second;
	uint32_t second_value;
};

static const struct answer whole = {
	.header = { .nlmsg_len = sizeof(struct answer), .nlmsg_type = XFRM_MSG_NEWSADINFO },
	.first = { .nla_len = sizeof(struct nlattr) + 5, .nla_type = XFRMA_SAD_HINFO },
	.second = { .nla_len = sizeof(struct nlattr) + 4, .nla_type = XFRMA_SAD_CNT },
	.second_value = 42,
};

static int parse_xfrm(const void *answer, size_t size, uint32_t *ret)
{
	const void *bytes = guard_copy(answer, size);
	int err =
		host_parse_xfrm(bytes, size, XFRM_MSG_NEWSADINFO, XFRMA_SAD_CNT, ret, sizeof(*ret));

	guard_free(bytes, size);
	return err;
}

static void test_the_count_is_found_in_the_answer(void **state)
{
	uint32_t count = 0;

	(void)state;
	assert_int_equal(parse_xfrm(&whole, sizeof(whole), &count), 0);
	assert_int_equal(count, 42);
}

static void test_damaged_answers_are_refused(void **state)
{
	uint32_t count = 7;
	struct answer answer;

	(void)state;
	for (size_t size = 0; size < sizeof(whole); size++) {
		answer = whole;
		assert_int_equal(parse_xfrm(&answer, size, &count), -EBADMSG);
		answer.header.nlmsg_len = (uint32_t)size;
		assert_int_equal(parse_xfrm(&answer, size, &count), -EBADMSG);
	}
	answer = whole;
	answer.header.nlmsg_type = XFRM_MSG_NEWSPDINFO;
	assert_int_equal(parse_xfrm(&answer, sizeof(answer), &count), -EBADMSG);
	answer = whole;
	answer.first.nla_len = 3;
	assert_int_equal(parse_xfrm(&answer, sizeof(answer), &count), -EBADMSG);
	answer = whole;
	answer.first.nla_len = 0xffff;
	assert_int_equal(parse_xfrm(&answer, sizeof(answer), &count), -EBADMSG);
	answer = whole;
	answer.second.nla_len = sizeof(struct nlattr) + 3;
	assert_int_equal(parse_xfrm(&answer, sizeof(answer), &count), -EBADMSG);
	assert_int_equal(count, 7);
}

static void test_an_error_of_the_kernel_is_returned(void **state)
{
	struct {
		struct nlmsghdr header;
		int32_t error;
	} answer = { .header = { .nlmsg_len = sizeof(answer), .nlmsg_type = NLMSG_ERROR } };
	uint32_t count;

	(void)state;
	answer.error = -EPERM;
	assert_int_equal(parse_xfrm(&answer, sizeof(answer), &count), -EPERM);
	/* an acknowledgement nobody asked for, and what is no errno */
	answer.error = 0;
	assert_int_equal(parse_xfrm(&answer, sizeof(answer), &count), -EBADMSG);
	answer.error = INT32_MIN;
	assert_int_equal(parse_xfrm(&answer, sizeof(answer), &count), -EBADMSG);
	answer.error = 5;
	assert_int_equal(parse_xfrm(&answer, sizeof(answer), &count), -EBADMSG);
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

/* The exit status of a child that runs BODY. */
static int in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

enum {
	SKIPPED = 77
};

static int run_ip(const char *const *arguments)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, "ip", &actions, NULL, (char *const *)arguments, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

/*
 * In a network namespace of its own, an association and two policies that ip(8) makes. The
 * association is one that still waits for its key, so that the kernel needs no ESP for it.
 */
static int count_ipsec(void)
{
	static const char *const add_state[] = {
		"ip",  "xfrm",	    "state", "allocspi", "src",	 "192.0.2.1",
		"dst", "192.0.2.2", "proto", "esp",	 "mode", "tunnel",
		"min", "256",	    "max",   "512",	 NULL,
	};
	static const char *const add_in[] = {
		"ip",  "xfrm", "policy", "add", "src", "192.0.2.0/24", "dst", "198.51.100.0/24",
		"dir", "in",   NULL,
	};
	static const char *const add_out[] = {
		"ip",  "xfrm", "policy", "add", "src", "192.0.2.0/24", "dst", "198.51.100.0/24",
		"dir", "out",  NULL,
	};

	if (unshare(CLONE_NEWNET) < 0)
		return SKIPPED;
	read_host();
	if (!host.has_ipsec)
		return SKIPPED;
	if (host.ipsec_states != 0 || host.ipsec_policies != 0)
		return 1;
	host_crypto_free(&host);
	if (run_ip(add_in) || run_ip(add_out) || run_ip(add_state))
		return SKIPPED;
	read_host();
	if (!host.has_ipsec || host.ipsec_states != 1 || host.ipsec_policies != 2)
		return 2;
	host_crypto_free(&host);
	return 0;
}

static void test_ipsec_is_counted(void **state)
{
	int status = in_child(count_ipsec);

	(void)state;
	if (status == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

static int ask_without_rights(void)
{
	cap_t none = cap_init();

	read_host();
	if (!host.has_ipsec)
		return SKIPPED;
	host_crypto_free(&host);
	if (!none || cap_set_proc(none) < 0)
		return SKIPPED;
	cap_free(none);
	read_host();
	if (host.has_ipsec ||
	    !has_string(host.not_seen, host.not_seen_size, "IPsec: needs CAP_NET_ADMIN"))
		return 1;
	host_crypto_free(&host);
	return 0;
}

static void test_ipsec_needs_rights(void **state)
{
	int status = in_child(ask_without_rights);

	(void)state;
	if (status == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

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
		TEST(test_ktls_sockets_are_those_of_software_and_devices),
		TEST(test_af_alg_sockets_are_told_where_the_kernel_counts_them),
		TEST(test_algorithms_with_users_are_told),
		TEST(test_more_algorithms_than_fit_are_counted),
		cmocka_unit_test(test_xfrm_is_asked_only_where_the_kernel_has_it),
		cmocka_unit_test(test_the_count_is_found_in_the_answer),
		cmocka_unit_test(test_damaged_answers_are_refused),
		cmocka_unit_test(test_an_error_of_the_kernel_is_returned),
		cmocka_unit_test(test_this_kernel_is_understood),
		cmocka_unit_test(test_ipsec_is_counted),
		cmocka_unit_test(test_ipsec_needs_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
