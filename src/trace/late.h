/* SPDX-License-Identifier: MIT */
#ifndef TRACE_LATE_H
#define TRACE_LATE_H

/*
 * Attaching after the rights are gone. Where the hook of file_open does not see 32-bit programs,
 * another does, which taxes every system call of the host. So it is attached only when such a
 * program runs, and by then this process may not attach anything. The broker (priv/broker.h) loads
 * that hook while its parent goes on, and attaches it when asked.
 */

#include "priv/broker.h"
#include "trace/session.h"

struct late {
	struct session *session;
	struct bpf_object *object; /* in the broker alone, as the next */
	struct bpf_link *link;
	bool is_asked;
	bool is_attached;
};

/* Whether the hook of file_open in SESSION, open already, does not see 32-bit programs itself. */
bool late_is_needed(const struct session *session);

/* Makes LATE what the broker of CONFIG attaches. Call before broker_start(). */
void late_init(struct late *late, struct session *session, struct broker_config *config);

/* Asks the broker to attach, the first time; waits for it. Returns 0 or a negative errno. */
int late_attach(struct late *late, struct broker *broker);

#endif /* TRACE_LATE_H */
