/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_NOTIFY_PRIVATE_H
#define SYSCALLS_NOTIFY_PRIVATE_H

/* What becomes of a call that the kernel tells of, apart from how it is told. */

#include <linux/seccomp.h>

#include "syscalls/notify.h"

#define NOTIFY_COOKIE_SIZE 32

/* Where calls came from last: what is known of them needs not be looked up again. */
#define ANSWERS_KNOWN 256

struct answers_known {
	pid_t tid, pid; /* tid 0: none */
	uint64_t address;
	uint32_t audit;
	uint32_t nr;
	uint32_t phase;
	bool by_argument;
	size_t place;
};

struct answers {
	const struct notify_config *config;
	uint64_t began_ns;
	struct seccomp_notif *call;
	struct seccomp_notif_resp *response;
	size_t call_size, response_size; /* as the kernel has them */
	struct answers_known known[ANSWERS_KNOWN];
	/* Of the call that is answered now. */
	struct refusal refusal;
	struct where where;
	char exe[PATH_MAX];
};

enum answer_kind {
	ANSWER_ALLOWED,
	ANSWER_REFUSED,
	ANSWER_LOGGED, /* refused, but let through */
	ANSWER_GONE,   /* who asked is no more */
};

struct answer {
	enum answer_kind kind;
	int error;		     /* negative errno, of ANSWER_REFUSED */
	struct answers_known *known; /* where such a call came from before, or will have */
	bool is_new;
};

/* Returns 0, -ENOMEM, or the negative errno of asking the kernel. */
int answers_begin(struct answers *answers, const struct notify_config *config, uint64_t now_ns);
void answers_end(struct answers *answers);

/*
 * What answers->call gets. Who it is from is looked up in /proc; LISTENER tells whether it was
 * still there afterwards.
 */
void answer_find(struct answers *answers, int listener, struct answer *ret);

/* It was given. */
void answer_count(struct answers *answers, struct answer *answer);

#endif /* SYSCALLS_NOTIFY_PRIVATE_H */
