/* SPDX-License-Identifier: MIT */
/* Connections that are older than a run: whose they are, and which handshakes do away with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inventory/made_handshake.h"

#define SSL    "/usr/lib/libssl.so.3"
#define CRYPTO "/usr/lib/libcrypto.so.3"
#define SSH    "/usr/lib/libssh.so.4"

static struct provider provider;

/* A program that has an implementation NAME built in, with EVIDENCE. */
static void made_builtin(struct inventory_process *process, const char *exe, const char *name,
			 const char *evidence, size_t size)
{
	struct program *program = made_program(made_exe(process, exe, 90), NULL);

	provider = (struct provider){ .name = name, .evidence = evidence, .evidence_size = size };
	program->providers = (struct item_list){ &provider, 1, sizeof(provider), false };
}

static void test_protocol_is_that_of_the_code(void **state)
{
	static const char go_tls[] = "buildinfo\0crypto/tls";
	static const char go_ssh[] = "buildinfo\0golang.org/x/crypto/ssh";
	static const char go[] = "buildinfo\0crypto/sha256";
	struct inventory_process *process = made_process(1, "a");

	(void)state;
	assert_int_equal(profile_protocol_of(process), PROFILE_PROTOCOL_none);
	made_library(process, CRYPTO, 1);
	/* A file of that name that is open is no code. */
	made_file(process, "/tmp/libssl.so.3", 2, 3);
	assert_int_equal(profile_protocol_of(process), PROFILE_PROTOCOL_none);
	made_library(process, SSL, 3);
	assert_int_equal(profile_protocol_of(process), PROFILE_PROTOCOL_tls);
	/* What has both. */
	made_library(process, SSH, 4);
	assert_int_equal(profile_protocol_of(process), PROFILE_PROTOCOL_tls);
	process = made_process(2, "b");
	made_library(process, SSH, 4);
	assert_int_equal(profile_protocol_of(process), PROFILE_PROTOCOL_ssh);
	process = made_process(3, "sshd");
	made_exe(process, "/usr/sbin/sshd", 5);
	made_library(process, SSL, 3);
	assert_int_equal(profile_protocol_of(process), PROFILE_PROTOCOL_ssh);
	process = made_process(4, "sshd");
	made_exe(process, "/usr/sbin/sshdx", 6);
	assert_int_equal(profile_protocol_of(process), PROFILE_PROTOCOL_none);
	made_builtin(made_process(5, "c"), "/c", "rustls", "", 1);
	assert_int_equal(profile_protocol_of(inventory_find(inventory, 5, 0)),
			 PROFILE_PROTOCOL_tls);
	provider.name = "libsodium";
	assert_int_equal(profile_protocol_of(inventory_find(inventory, 5, 0)),
			 PROFILE_PROTOCOL_none);
	provider.name = "libssh2";
	assert_int_equal(profile_protocol_of(inventory_find(inventory, 5, 0)),
			 PROFILE_PROTOCOL_ssh);
	made_builtin(made_process(6, "go"), "/go", "go", go_tls, sizeof(go_tls));
	assert_int_equal(profile_protocol_of(inventory_find(inventory, 6, 0)),
			 PROFILE_PROTOCOL_tls);
	provider.evidence = go_ssh;
	provider.evidence_size = sizeof(go_ssh);
	assert_int_equal(profile_protocol_of(inventory_find(inventory, 6, 0)),
			 PROFILE_PROTOCOL_ssh);
	provider.evidence = go;
	provider.evidence_size = sizeof(go);
	assert_int_equal(profile_protocol_of(inventory_find(inventory, 6, 0)),
			 PROFILE_PROTOCOL_none);
}

/* A process with code of TLS that has connections: to 198.51.100.7:443, and as a server. */
static struct inventory_process *made_old(uint32_t pid)
{
	struct inventory_process *process = made_process(pid, "web");

	made_library(process, SSL, 1);
	made_connection(process, 5, 50000, 7, 443);
	made_connection(process, 6, 50001, 7, 443);
	made_connection(process, 7, 8443, 9, 40000);
	made_connection(process, 8, 8443, 9, 40001);
	assert_int_equal(connections_listen(inventory, MADE_NETNS, 8443), 0);
	connections_sort(inventory);
	return process;
}

static void assert_old(const struct profile_session *session, int32_t role, const char *peer,
		       uint64_t count)
{
	assert_true(session->was_before);
	assert_int_equal(session->numbers[TLS_NUMBER_role], role);
	assert_said(session, TLS_TEXT_peer, peer);
	assert_int_equal(session->count, count);
	for (size_t i = 1; i < PROFILE_SESSION_NUMBERS_MAX; i++)
		assert_int_equal(session->numbers[i], -1);
	for (size_t i = 1; i < PROFILE_SESSION_TEXTS_MAX; i++)
		assert_null(session->texts[i].bytes);
}

static void test_connections_are_sessions_of_which_nothing_is_known(void **state)
{
	struct inventory_process *process = made_old(7);

	(void)state;
	process->connections[0].is_ktls = true;
	made_target(process);
	made_tls(7)->local_port = 60000;
	taken();
	assert_int_equal(made_profile(0)->tls_sessions.count, 4);
	/* First what was seen. */
	assert_false(tls_at(made_profile(0), 0)->was_before);
	assert_old(tls_at(made_profile(0), 1), FLOW_CLIENT, "198.51.100.7:443", 2);
	assert_old(tls_at(made_profile(0), 2), FLOW_SERVER, "198.51.100.9", 1);
	assert_false(tls_at(made_profile(0), 2)->is_ktls);
	assert_old(tls_at(made_profile(0), 3), FLOW_SERVER, "198.51.100.9", 1);
	assert_true(tls_at(made_profile(0), 3)->is_ktls);
	assert_int_equal(made_profile(0)->ssh_sessions.count, 0);
	assert_int_equal(made_profile(0)->statistics.connections_before, 4);
	assert_int_equal(made_profile(0)->statistics.tls_handshakes, 1);
	assert_int_equal(profiles_count_before(profiles), 4);
}

static void test_connections_of_ssh_are_sessions_of_ssh(void **state)
{
	struct inventory_process *process = made_process(7, "sshd");

	(void)state;
	made_exe(process, "/usr/sbin/sshd", 5);
	made_connection(process, 5, 22, 9, 40000);
	assert_int_equal(connections_listen(inventory, MADE_NETNS, 22), 0);
	connections_sort(inventory);
	made_target(process);
	assert_int_equal(made_profile(0)->tls_sessions.count, 0);
	assert_old(ssh_at(made_profile(0), 0), FLOW_SERVER, "198.51.100.9", 1);
	assert_int_equal(made_profile(0)->statistics.connections_before, 1);
}

static void test_processes_without_such_code_have_none(void **state)
{
	struct inventory_process *process = made_process(7, "shell");

	(void)state;
	made_library(process, CRYPTO, 1);
	made_connection(process, 5, 50000, 7, 443);
	process->nr_more_connections = 3;
	made_target(process);
	assert_int_equal(made_profile(0)->tls_sessions.count, 0);
	assert_int_equal(made_profile(0)->statistics.connections_before, 0);
	assert_int_equal(profiles_count_refused(profiles), 0);
}

/* A worker has the sockets of who has forked it. */
static void test_socket_of_several_is_told_once(void **state)
{
	struct inventory_process *parent = made_old(7);
	struct inventory_process *child = made_process(8, "web");

	(void)state;
	child->ppid = 7;
	made_library(child, SSL, 1);
	made_connection(child, 5, 50000, 7, 443);
	made_connection(child, 9, 50009, 7, 443);
	made_target(parent);
	assert_int_equal(profiles_add_descendant(profiles, child), 0);
	assert_int_equal(made_profile(0)->tls_sessions.count, 2);
	assert_old(tls_at(made_profile(0), 0), FLOW_CLIENT, "198.51.100.7:443", 3);
	assert_int_equal(made_profile(0)->statistics.connections_before, 5);
}

/* Found by a look that came after the hooks, and told by an event. */
static void test_handshake_that_began_before_the_look_is_not_told_twice(void **state)
{
	struct tls_handshake_event *event;

	(void)state;
	made_target(made_old(7));
	profiles_set_scan(profiles, MADE_FIRST_NS + SECOND_NS / 2);
	event = made_tls(7);
	taken();
	assert_int_equal(made_profile(0)->statistics.connections_before, 3);
	/* It ended after the look, and took longer. */
	event = made_tls(7);
	event->local_port = 50001;
	event->duration_ns = SECOND_NS;
	taken();
	assert_int_equal(made_profile(0)->statistics.connections_before, 2);
	assert_int_equal(made_profile(0)->tls_sessions.count, 2);
	assert_int_equal(tls_at(made_profile(0), 0)->count, 2);
	assert_old(tls_at(made_profile(0), 1), FLOW_SERVER, "198.51.100.9", 2);
}

/* The old one is closed, and its ports are used again: of that nothing is known still. */
static void test_later_handshake_on_the_same_ports_is_another_connection(void **state)
{
	struct ssh_handshake_event *event;

	(void)state;
	made_target(made_old(7));
	profiles_set_scan(profiles, MADE_FIRST_NS);
	made_tls(7)->duration_ns = 0;
	taken();
	assert_int_equal(made_profile(0)->statistics.connections_before, 4);
	/* Other ends, at any time. */
	profiles_set_scan(profiles, UINT64_MAX);
	made_tls(7)->peer_port = 444;
	taken();
	made_tls(7)->peer[15]++;
	taken();
	made_tls(7)->local_port = 1;
	taken();
	assert_int_equal(made_profile(0)->statistics.connections_before, 4);
	event = made_ssh(7);
	event->peer_port = 443;
	taken();
	assert_int_equal(made_profile(0)->statistics.connections_before, 3);
}

static void test_connections_beyond_the_limit_are_counted(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_process *other = made_process(8, "web");

	(void)state;
	made_library(process, SSL, 1);
	made_library(other, SSL, 1);
	for (uint32_t i = 0; i < INVENTORY_CONNECTIONS_MAX; i++) {
		made_connection(process, 1 + i, 443, (uint8_t)i, (uint16_t)(1 + i));
		made_connection(other, 100000 + i, 443, (uint8_t)i, (uint16_t)(5001 + i));
	}
	process->nr_more_connections = 10;
	made_target(process);
	other->ppid = 7;
	assert_int_equal(profiles_add_descendant(profiles, other), 0);
	assert_int_equal(made_profile(0)->tls_sessions.count, PROFILE_CONNECTIONS_MAX);
	assert_true(made_profile(0)->tls_sessions.truncated);
	assert_int_equal(made_profile(0)->statistics.connections_before,
			 2 * INVENTORY_CONNECTIONS_MAX + 10);
	assert_int_equal(profiles_count_refused(profiles), INVENTORY_CONNECTIONS_MAX + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_protocol_is_that_of_the_code),
		ALONE(test_connections_are_sessions_of_which_nothing_is_known),
		ALONE(test_connections_of_ssh_are_sessions_of_ssh),
		ALONE(test_processes_without_such_code_have_none),
		TREE(test_socket_of_several_is_told_once),
		ALONE(test_handshake_that_began_before_the_look_is_not_told_twice),
		ALONE(test_later_handshake_on_the_same_ports_is_another_connection),
		TREE(test_connections_beyond_the_limit_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
