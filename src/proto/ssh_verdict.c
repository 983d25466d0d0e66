/* SPDX-License-Identifier: MIT */
#include "proto/ssh_verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "inspect/finding.h"

/* NIST SP 800-131A revision 2, sections 3 and 5; RFC 8270; factoring reaches what is shorter. */
#define BITS_MIN    2048
#define BITS_BROKEN 1024

const struct ssh_rule_info ssh_rules[NR_SSH_RULES] = {
#define SSH_RULE(rule, level, reason, source)                                                      \
	[SSH_RULE_##rule] = { #rule, reason, source, SEVERITY_##level },
#include "catalogue/ssh_algorithms.def"
};

/* Adds a verdict, unless the same was said before: both directions often choose alike. */
__attribute__((format(printf, 3, 4))) static void add(struct ssh_verdicts *verdicts,
						      enum ssh_rule rule, const char *format, ...)
{
	struct ssh_verdict verdict = { .rule = &ssh_rules[rule] };
	va_list args;

	if (rule == SSH_RULE_none || verdicts->nr == SSH_VERDICTS_MAX)
		return;
	va_start(args, format);
	vsnprintf(verdict.evidence, sizeof(verdict.evidence), format, args);
	va_end(args);
	for (uint32_t i = 0; i < verdicts->nr; i++)
		if (verdicts->list[i].rule == verdict.rule &&
		    strcmp(verdicts->list[i].evidence, verdict.evidence) == 0)
			return;
	verdicts->list[verdicts->nr++] = verdict;
}

static const struct ssh_algorithm *find(enum ssh_kind kind, const struct flow_text *name)
{
	return name->size ? ssh_algorithm_find(kind, name->bytes, name->size) : NULL;
}

/* Those of GSS-API are named by how they begin: what follows is the peer's. */
static void judge_kex(const struct ssh_session *session, struct ssh_verdicts *ret)
{
	const struct ssh_algorithm *kex = find(SSH_KIND_kex, &session->chosen[SSH_LIST_kex]);
	uint32_t bits = session->group.bits;

	if (!kex)
		return;
	add(ret, kex->rule, "%s", kex->name);
	if (kex->rule == SSH_RULE_ssh_kex_1024)
		return;
	if (bits && bits < BITS_MIN)
		add(ret, SSH_RULE_ssh_group_short, "%s, %" PRIu32 " bits", kex->name, bits);
	if (session->rsa_bits && session->rsa_bits < BITS_MIN)
		add(ret, SSH_RULE_ssh_group_short, "%s, %" PRIu32 " bits", kex->name,
		    session->rsa_bits);
}

/*
 * The key, and how it signed. What signed is what counts: a server may have chosen an algorithm and
 * signed by another, as old ones do that know "ssh-rsa" only.
 */
static void judge_host_key(const struct ssh_session *session, struct ssh_verdicts *ret)
{
	const struct ssh_algorithm *chosen =
		find(SSH_KIND_host_key, &session->chosen[SSH_LIST_host_key]);
	const struct ssh_algorithm *signature = find(SSH_KIND_host_key, &session->signature);
	const struct ssh_algorithm *type = find(SSH_KIND_host_key, &session->host_key.type);
	uint32_t bits = session->host_key.bits;

	if (signature || chosen)
		add(ret, signature ? signature->rule : chosen->rule, "%s",
		    signature ? signature->name : chosen->name);
	/* What is to be said of DSA is said. */
	if (!type || !bits || type->trait != SSH_TRAIT_rsa)
		return;
	if (bits < BITS_BROKEN)
		add(ret, SSH_RULE_ssh_host_key_broken, "%s, %" PRIu32 " bits", type->name, bits);
	else if (bits < BITS_MIN)
		add(ret, SSH_RULE_ssh_host_key_short, "%s, %" PRIu32 " bits", type->name, bits);
}

/*
 * Terrapin (CVE-2023-48795) needs a cipher whose state does not depend on what was cut away:
 * ChaCha20-Poly1305, or CBC with a MAC of what is encrypted.
 */
static void judge_terrapin(const struct ssh_session *session, const struct ssh_algorithm *cipher,
			   const struct ssh_algorithm *mac, struct ssh_verdicts *ret)
{
	if (session->is_strict)
		return;
	if (cipher->trait == SSH_TRAIT_chacha)
		add(ret, SSH_RULE_ssh_terrapin, "%s without strict key exchange", cipher->name);
	else if (cipher->trait == SSH_TRAIT_cbc && mac && mac->trait == SSH_TRAIT_etm)
		add(ret, SSH_RULE_ssh_terrapin, "%s and %s without strict key exchange",
		    cipher->name, mac->name);
}

static void judge_direction(const struct ssh_session *session, enum flow_direction direction,
			    struct ssh_verdicts *ret)
{
	const struct ssh_algorithm *cipher =
		find(SSH_KIND_cipher, &session->chosen[SSH_LIST_cipher_c2s + direction]);
	const struct ssh_algorithm *mac =
		find(SSH_KIND_mac, &session->chosen[SSH_LIST_mac_c2s + direction]);

	if (cipher) {
		add(ret, cipher->rule, "%s", cipher->name);
		judge_terrapin(session, cipher, mac, ret);
	}
	if (mac)
		add(ret, mac->rule, "%s", mac->name);
}

void ssh_verdict(const struct ssh_session *session, struct ssh_verdicts *ret)
{
	ret->nr = 0;
	/* Nothing was agreed on then, though some lists had something in common. */
	if (session->failure == SSH_FAILURE_no_common)
		return;
	if (session->version == 1)
		add(ret, SSH_RULE_ssh_protocol_1, "SSH 1");
	judge_kex(session, ret);
	judge_host_key(session, ret);
	for (enum flow_direction i = 0; i < NR_FLOW_DIRECTIONS; i++)
		judge_direction(session, i, ret);
}
