/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_VERDICT_H
#define PROTO_TLS_VERDICT_H

/*
 * What is thought of a TLS session by the two hellos and what followed in clear: why it is not
 * better, and its weaknesses with the policy that calls them so. The catalogue is tls_verdict.def.
 * Nothing is said of what was not seen.
 */

#include "catalogue/codes.h"
#include "inspect/finding.h"
#include "proto/tls.h"

enum tls_why_not_tls13 {
#define TLS_WHY_NOT_TLS13(id, why) TLS_WHY_NOT_TLS13_##id,
#include "proto/tls_verdict.def"
};

enum tls_why_not_pq {
#define TLS_WHY_NOT_PQ(id, why) TLS_WHY_NOT_PQ_##id,
#include "proto/tls_verdict.def"
};

enum tls_rule {
#define TLS_RULE(rule, severity, why, policy) TLS_RULE_##rule,
#include "proto/tls_verdict.def"
	NR_TLS_RULES
};

extern const struct code_table tls_why_not_tls13_codes;
extern const struct code_table tls_why_not_pq_codes;

struct tls_rule_info {
	const char *name;   /* "old_version" */
	uint32_t severity;  /* enum severity */
	const char *why;    /* one short sentence for people */
	const char *policy; /* who says so: "RFC 8996" */
};

extern const struct tls_rule_info tls_rules[NR_TLS_RULES];

#define TLS_EVIDENCE_SIZE 64

/* One weakness, ready to be written: strings are static but for the evidence. */
struct tls_finding {
	const char *rule;
	uint32_t severity; /* enum severity */
	const char *why;
	const char *policy;
	char evidence[TLS_EVIDENCE_SIZE]; /* what was seen, of ours: "TLSv1.0", "1024 bits" */
};

struct tls_verdict {
	uint8_t why_not_tls13; /* enum tls_why_not_tls13 */
	uint8_t why_not_pq;    /* enum tls_why_not_pq */
	/*
	 * enum tls_answer. Forward secrecy of a session that was resumed up to TLS 1.2 is unknown
	 * where its suite has it: a ticket is as secret as the server's key for tickets.
	 */
	uint8_t forward_secrecy;
	uint8_t post_quantum; /* enum tls_answer: of the key exchange, by any ML-KEM */
	/*
	 * enum tls_answer. Whether key exchange and suite are those of CNSA 2.0. Never yes: the
	 * signature is encrypted; unknown where all that is seen fits.
	 */
	uint8_t cnsa2;
	bool server_has_tls13; /* it said so while it chose less (RFC 8446 section 4.1.3) */
	uint8_t nr_findings;
	struct tls_finding findings[NR_TLS_RULES]; /* the worst first, each rule once */
};

void tls_verdict_reach(const struct tls_session *session, struct tls_verdict *ret);

#endif /* PROTO_TLS_VERDICT_H */
