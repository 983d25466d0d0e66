/* SPDX-License-Identifier: MIT */
#ifndef PROTO_SSH_NAMES_H
#define PROTO_SSH_NAMES_H

/*
 * Name-lists (RFC 4251 section 5: names with commas between) and what two peers agree on by theirs
 * (RFC 4253 section 7.1). Results borrow the lists.
 */

#include <stdbool.h>
#include <stddef.h>

#include "catalogue/ssh.h"
#include "proto/flow.h"

/* Of a longer list the rest is as if it were not there: comparing grows with the square. */
#define SSH_NAMES_MAX 128

/* Takes the first name off LIST, empty where two commas meet. Returns false when there is none. */
bool ssh_names_next(struct flow_text *list, struct flow_text *ret);

/* Whether NAME is in LIST. */
bool ssh_names_have(struct flow_text list, const struct flow_text *name);

/* Whether the pseudo-algorithm of TRAIT is in LIST. */
bool ssh_names_have_pseudo(struct flow_text list, enum ssh_trait trait);

/* The first name of CLIENT that is in SERVER too. Returns false, *RET untouched, without one. */
bool ssh_names_choose(struct flow_text client, struct flow_text server, struct flow_text *ret);

/* The lists that agreeing on a kex needs. */
struct ssh_offer {
	struct flow_text kex;
	struct flow_text host_key;
};

/*
 * The same for the kex, which needs a host key that can do what it needs: sign, except in those of
 * GSS-API, which may have none (RFC 4462 section 5). Pseudo-algorithms are passed over.
 */
bool ssh_names_choose_kex(const struct ssh_offer *client, const struct ssh_offer *server,
			  struct flow_text *ret);

#endif /* PROTO_SSH_NAMES_H */
