/* SPDX-License-Identifier: MIT */
#include "inventory/profile_connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "inspect/program.h"
#include "inventory/document.h"
#include "inventory/profile_private.h"
#include "lib/array.h"

/* OpenSSH (from 9.8 and 10.0 on in several programs) and Dropbear, whatever else they map. */
static const char *const ssh_programs[] = { "ssh",	 "sshd",     "sshd-session",
					    "sshd-auth", "dropbear", "dbclient" };

/* Implementations of TLS that may be built into a program: names of providers. */
static const char *const tls_providers[] = {
	"openssl", "libressl", "boringssl", "aws_lc", "s2n",	"gnutls",      "nss",
	"mbedtls", "wolfssl",  "botan",	    "gmssl",  "rustls", "webrtc-dtls", "tls13",
};

static const char *const ssh_providers[] = { "libssh", "libssh2", "russh", "thrussh" };

static bool is_among(const char *name, const char *const *names, size_t nr_names)
{
	for (size_t i = 0; name && i < nr_names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Whether PROVIDER, built into a program of Go, has package NAME for a part. */
static bool has_package(const struct provider *provider, const char *name)
{
	for (size_t at = 0; at < provider->evidence_size; at += strlen(provider->evidence + at) + 1)
		if (strcmp(provider->evidence + at, name) == 0)
			return true;
	return false;
}

/* Whether the program of PROCESS contains one of NAMES, or the package GO. */
static bool has_builtin(const struct inventory_process *process, const char *const *names,
			size_t nr_names, const char *go)
{
	const struct program *program = process->exe ? process->exe->program : NULL;
	const struct provider *providers = program ? program->providers.items : NULL;

	for (size_t i = 0; providers && i < program->providers.count; i++)
		if (is_among(providers[i].name, names, nr_names) || has_package(&providers[i], go))
			return true;
	return false;
}

static bool maps_tls(const struct inventory_object *object)
{
	return library_speaks_tls(object->path, object->path_size);
}

static bool maps_ssh(const struct inventory_object *object)
{
	return object->family == LIBRARY_FAMILY_libssh || object->family == LIBRARY_FAMILY_libssh2;
}

/* Whether PROCESS maps a library for which IS_IT is true. */
static bool maps(const struct inventory_process *process,
		 bool (*is_it)(const struct inventory_object *object))
{
	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (!process->uses[i].is_open && is_it(process->uses[i].object))
			return true;
	return false;
}

enum profile_protocol profile_protocol_of(const struct inventory_process *process)
{
	const char *exe = process->exe ? document_base_name(process->exe) : NULL;

	if (is_among(exe, ssh_programs, ARRAY_SIZE(ssh_programs)))
		return PROFILE_PROTOCOL_ssh;
	/* What has both, as curl, mostly speaks TLS. */
	if (maps(process, maps_tls) ||
	    has_builtin(process, tls_providers, ARRAY_SIZE(tls_providers), "crypto/tls"))
		return PROFILE_PROTOCOL_tls;
	if (maps(process, maps_ssh) ||
	    has_builtin(process, ssh_providers, ARRAY_SIZE(ssh_providers),
			"golang.org/x/crypto/ssh"))
		return PROFILE_PROTOCOL_ssh;
	return PROFILE_PROTOCOL_none;
}

static bool has_socket(const struct profile_connections *connections, uint64_t inode)
{
	for (size_t i = 0; i < connections->nr_items; i++)
		if (connections->items[i].inode == inode)
			return true;
	return false;
}

int profile_connections_take(struct profile_connections *connections,
			     const struct inventory_process *process)
{
	enum profile_protocol protocol = profile_protocol_of(process);

	if (protocol == PROFILE_PROTOCOL_none)
		return 0;
	connections->nr_more[protocol] += process->nr_more_connections;
	for (uint32_t i = 0; i < process->nr_connections; i++) {
		const struct inventory_connection *from = &process->connections[i];
		struct profile_connection *item;

		if (has_socket(connections, from->inode))
			continue;
		if (connections->nr_items >= PROFILE_CONNECTIONS_MAX) {
			connections->nr_more[protocol]++;
			continue;
		}
		item = profile_grow(&connections->items, &connections->nr_items, sizeof(*item));
		if (!item)
			return -ENOMEM;
		*item = (struct profile_connection){
			.inode = from->inode,
			.local = from->local,
			.peer = from->peer,
			.protocol = (uint8_t)protocol,
			.is_server = from->is_server,
			.is_ktls = from->is_ktls,
		};
	}
	return 0;
}

static bool is_same(const struct address *a, const struct address *b)
{
	return a->port == b->port && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

void profile_connections_forget(struct profile_connections *connections,
				const struct address *local, const struct address *peer,
				uint64_t began_ns, uint64_t scan_ns)
{
	size_t nr_kept = 0;

	if (began_ns >= scan_ns)
		return;
	for (size_t i = 0; i < connections->nr_items; i++) {
		const struct profile_connection *item = &connections->items[i];

		if (!is_same(&item->local, local) || !is_same(&item->peer, peer))
			connections->items[nr_kept++] = *item;
	}
	connections->nr_items = nr_kept;
}

uint64_t profile_connections_count(const struct profile_connections *connections)
{
	uint64_t n = connections->nr_items;

	for (size_t i = 0; i < NR_PROFILE_PROTOCOLS; i++)
		n += connections->nr_more[i];
	return n;
}

void profile_connections_free(struct profile_connections *connections)
{
	free(connections->items);
	*connections = (struct profile_connections){ 0 };
}
