/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "inventory/host_private.h"

static struct host_crypto host;
static struct host_memory memory;

/* What PARSER returns for TEXT; what it finds is in host. */
static int parse(int (*parser)(struct host_reader *reader), const char *text)
{
	static struct host_reader reader;
	int fd = memfd_create("file", MFD_CLOEXEC), n;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	memset(&memory, 0, sizeof(memory));
	host = (struct host_crypto){
		.in_use = { .items = memory.in_use, .stride = sizeof(memory.in_use[0]) },
	};
	reader.host = &host;
	reader.memory = &memory;
	lines_begin(&reader.lines, fd, HOST_FILE_MAX);
	n = parser(&reader);
	close(fd);
	return n;
}

static void expect_ktls(const char *text, int err, uint64_t tx, uint64_t rx)
{
	assert_int_equal(parse(host_parse_ktls, text), err);
	assert_int_equal(host.has_ktls, !err);
	assert_int_equal(host.ktls_tx, tx);
	assert_int_equal(host.ktls_rx, rx);
}

static void test_ktls_sockets_are_those_of_software_and_devices(void **state)
{
	(void)state;
	expect_ktls("TlsCurrTxSw                     \t3\nTlsCurrRxSw                     \t4\n"
		    "TlsCurrTxDevice                 \t50\nTlsCurrRxDevice                 \t60\n"
		    "TlsTxSw                         \t1000\nTlsDecryptError                 \t9\n",
		    0, 53, 64);
	expect_ktls("TlsCurrTxSw 3\nTlsCurrRxSw 4\n", -EBADMSG, 0, 0);
	expect_ktls("TlsCurrTxSw x\nTlsCurrRxSw 1\nTlsCurrTxDevice 1\nTlsCurrRxDevice 1\n",
		    -EBADMSG, 0, 0);
	expect_ktls("", -EBADMSG, 0, 0);
}

#define PROTOCOLS                                                                                  \
	"protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh\n"   \
	"PACKET    1600      0      -1   NI       0   no   kernel      n  n  n  n  n  n  n  n\n"   \
	"TCP       2304      7     327   no     192   yes  kernel      y  y  y  y  y  y  y  y\n"

static void expect_af_alg(const char *line, bool is_known, uint64_t sockets)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", PROTOCOLS, line);
	assert_int_equal(parse(host_parse_protocols, text), 0);
	assert_int_equal(host.has_af_alg, is_known);
	assert_int_equal(host.af_alg_sockets, sockets);
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
	assert_int_equal(parse(host_parse_protocols, "ALG 1 2 3\n"), -EBADMSG);
	assert_int_equal(parse(host_parse_protocols, ""), -EBADMSG);
	assert_false(host.has_af_alg);
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
	assert_int_equal(parse(host_parse_algorithms, CRYPTO), 0);
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
	assert_int_equal(parse(host_parse_algorithms, text), 0);
	free(text);
	assert_int_equal(host.nr_algorithms, COUNT);
	assert_int_equal(host.in_use.count, HOST_ITEMS_MAX);
	assert_true(host.in_use.truncated);
	assert_int_equal(strlen(algorithm(HOST_ITEMS_MAX - 1)->type), HOST_NAME_SIZE - 1);
}

static void test_xfrm_is_asked_only_where_the_kernel_has_it(void **state)
{
	(void)state;
	assert_int_equal(parse(host_parse_netlink, "sk Eth Pid Groups\n000 0 0 0\n000 6 0 0\n"), 1);
	assert_int_equal(
		parse(host_parse_netlink, "sk Eth Pid Groups\n000 0 0 0\n000 6 123 0\n0 16 0\n"),
		0);
	assert_int_equal(parse(host_parse_netlink, "6 6\n6\n"), 0);
	assert_int_equal(parse(host_parse_netlink, ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ktls_sockets_are_those_of_software_and_devices),
		cmocka_unit_test(test_af_alg_sockets_are_told_where_the_kernel_counts_them),
		cmocka_unit_test(test_algorithms_with_users_are_told),
		cmocka_unit_test(test_more_algorithms_than_fit_are_counted),
		cmocka_unit_test(test_xfrm_is_asked_only_where_the_kernel_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
