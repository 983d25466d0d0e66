/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_SSH_SESSIONS_H
#define TESTS_SUPPORT_SSH_SESSIONS_H

/* Comparing what src/proto/ssh.h says, for support/recorded.h. */

#include <stdbool.h>
#include <string.h>

#include "proto/ssh.h"
#include "support/recorded.h"

static inline bool session_texts_equal(const struct flow_text *a, const struct flow_text *b)
{
	return a->bytes == b->bytes && a->size == b->size;
}

static inline bool session_peers_equal(const struct ssh_peer *a, const struct ssh_peer *b)
{
	for (size_t i = 0; i < NR_SSH_LISTS; i++)
		if (!session_texts_equal(&a->lists[i], &b->lists[i]))
			return false;
	return session_texts_equal(&a->ident, &b->ident) && a->cookie == b->cookie &&
	       a->has_new_keys == b->has_new_keys && a->is_strict == b->is_strict &&
	       a->has_guessed == b->has_guessed && a->is_guess_wrong == b->is_guess_wrong;
}

static inline bool sessions_equal(const void *left, const void *right)
{
	const struct ssh_session *a = left, *b = right;

	for (size_t i = 0; i < NR_SSH_LISTS; i++)
		if (!session_texts_equal(&a->chosen[i], &b->chosen[i]))
			return false;
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		if (!session_peers_equal(&a->peer[i], &b->peer[i]) ||
		    a->is_mac_implicit[i] != b->is_mac_implicit[i])
			return false;
	return a->outcome == b->outcome && a->failure == b->failure &&
	       a->failed_list == b->failed_list && a->version == b->version &&
	       a->is_post_quantum == b->is_post_quantum && a->is_strict == b->is_strict &&
	       memcmp(&a->group, &b->group, sizeof(a->group)) == 0 && a->rsa_bits == b->rsa_bits &&
	       session_texts_equal(&a->host_key_blob, &b->host_key_blob) &&
	       session_texts_equal(&a->host_key.type, &b->host_key.type) &&
	       a->host_key.bits == b->host_key.bits &&
	       session_texts_equal(&a->signature, &b->signature) &&
	       a->disconnect.is_there == b->disconnect.is_there &&
	       a->disconnect.from == b->disconnect.from &&
	       a->disconnect.reason == b->disconnect.reason &&
	       session_texts_equal(&a->disconnect.description, &b->disconnect.description);
}

static inline enum flow_state session_parse(const struct flow *flow, void *ret,
					    struct flow_needs *ret_needs)
{
	return ssh_parse(flow, ret, ret_needs);
}

static const struct flow_parser session_parser = {
	.parse = session_parse,
	.are_equal = sessions_equal,
	.ret_size = sizeof(struct ssh_session),
};

#endif /* TESTS_SUPPORT_SSH_SESSIONS_H */
