/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "inventory/host_private.h"
#include "support/guard.h"

static struct host_crypto host;

static bool has_string(const char *bytes, size_t size, const char *text)
{
	for (size_t at = 0; at < size; at += strlen(bytes + at) + 1)
		if (strcmp(bytes + at, text) == 0)
			return true;
	return false;
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_count_is_found_in_the_answer),
		cmocka_unit_test(test_damaged_answers_are_refused),
		cmocka_unit_test(test_an_error_of_the_kernel_is_returned),
		cmocka_unit_test(test_ipsec_is_counted),
		cmocka_unit_test(test_ipsec_needs_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
