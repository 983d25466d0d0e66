/* SPDX-License-Identifier: MIT */
#ifndef PROTO_SSH_VERDICT_H
#define PROTO_SSH_VERDICT_H

/*
 * What is to be said against what an SSH connection agreed on: the rules of
 * catalogue/ssh_algorithms.def. What was offered and not chosen is not judged.
 */

#include <stdint.h>

#include "catalogue/ssh.h"
#include "proto/ssh.h"

struct ssh_rule_info {
	const char *name;   /* "ssh_terrapin"; NULL for SSH_RULE_none */
	const char *why;    /* one short sentence for people */
	const char *policy; /* who says so */
	uint32_t severity;  /* enum severity of inspect/finding.h */
};

extern const struct ssh_rule_info ssh_rules[NR_SSH_RULES];

#define SSH_EVIDENCE_SIZE 112

struct ssh_verdict {
	const struct ssh_rule_info *rule;
	char evidence[SSH_EVIDENCE_SIZE]; /* text of ours: "3des-cbc", "ssh-rsa, 1024 bits" */
};

/* Each rule once, but for those about what is chosen for each direction. */
#define SSH_VERDICTS_MAX 16

struct ssh_verdicts {
	struct ssh_verdict list[SSH_VERDICTS_MAX];
	uint32_t nr;
};

/* Judges SESSION, from ssh_parse(), as far as it came. */
void ssh_verdict(const struct ssh_session *session, struct ssh_verdicts *ret);

#endif /* PROTO_SSH_VERDICT_H */
