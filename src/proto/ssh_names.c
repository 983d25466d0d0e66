/* SPDX-License-Identifier: MIT */
#include "proto/ssh_names.h"

#include <string.h>

static bool names_equal(const struct flow_text *a, const struct flow_text *b)
{
	return a->size == b->size && (!a->size || memcmp(a->bytes, b->bytes, a->size) == 0);
}

static const struct ssh_algorithm *find(enum ssh_kind kind, const struct flow_text *name)
{
	return name->size ? ssh_algorithm_find(kind, name->bytes, name->size) : NULL;
}

bool ssh_names_next(struct flow_text *list, struct flow_text *ret)
{
	const uint8_t *comma;

	if (!list->size)
		return false;
	comma = memchr(list->bytes, ',', list->size);
	ret->bytes = list->bytes;
	ret->size = comma ? (size_t)(comma - list->bytes) : list->size;
	list->bytes += ret->size + (comma ? 1 : 0);
	list->size -= ret->size + (comma ? 1 : 0);
	return true;
}

bool ssh_names_have(struct flow_text list, const struct flow_text *name)
{
	struct flow_text one;

	for (int i = 0; i < SSH_NAMES_MAX && ssh_names_next(&list, &one); i++)
		if (name->size && names_equal(&one, name))
			return true;
	return false;
}

bool ssh_names_have_pseudo(struct flow_text list, enum ssh_trait trait)
{
	struct flow_text one;

	for (int i = 0; i < SSH_NAMES_MAX && ssh_names_next(&list, &one); i++) {
		const struct ssh_algorithm *pseudo = find(SSH_KIND_pseudo, &one);

		if (pseudo && pseudo->trait == trait)
			return true;
	}
	return false;
}

bool ssh_names_choose(struct flow_text client, struct flow_text server, struct flow_text *ret)
{
	struct flow_text one;

	for (int i = 0; i < SSH_NAMES_MAX && ssh_names_next(&client, &one); i++) {
		if (!ssh_names_have(server, &one))
			continue;
		*ret = one;
		return true;
	}
	return false;
}

/* Whether both peers have a host key that can sign. */
static bool can_sign(struct flow_text client, struct flow_text server)
{
	struct flow_text one;

	for (int i = 0; i < SSH_NAMES_MAX && ssh_names_next(&client, &one); i++) {
		const struct ssh_algorithm *key = find(SSH_KIND_host_key, &one);

		if ((!key || key->trait != SSH_TRAIT_null) && ssh_names_have(server, &one))
			return true;
	}
	return false;
}

bool ssh_names_choose_kex(const struct ssh_offer *client, const struct ssh_offer *server,
			  struct flow_text *ret)
{
	bool has_signature = can_sign(client->host_key, server->host_key);
	struct flow_text list = client->kex, one;

	for (int i = 0; i < SSH_NAMES_MAX && ssh_names_next(&list, &one); i++) {
		const struct ssh_algorithm *kex = find(SSH_KIND_kex, &one);
		bool needs_signature =
			!kex || (kex->trait != SSH_TRAIT_gss && kex->trait != SSH_TRAIT_gss_gex);

		if (find(SSH_KIND_pseudo, &one) || (needs_signature && !has_signature) ||
		    !ssh_names_have(server->kex, &one))
			continue;
		*ret = one;
		return true;
	}
	return false;
}
