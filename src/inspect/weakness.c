/* SPDX-License-Identifier: MIT */
#include "inspect/weakness.h"

#include <inttypes.h>
#include <string.h>

#include "inspect/oid.h"

/* NIST SP 800-131A revision 2, tables 2 and 3; below RSA_BROKEN factoring is within reach. */
#define RSA_BITS_MIN 2048
#define RSA_BROKEN   1024
#define EC_BITS_MIN  224

#define OTHERS_READ  0004
#define OTHERS_WRITE 0002

static bool is_named(const char *type, const char *name)
{
	return type && strncmp(type, name, strlen(name)) == 0;
}

static bool is_factored_kind(const char *type)
{
	return is_named(type, "RSA") || is_named(type, "DSA");
}

/* The rule about the size of a key, or NR_FINDING_RULES. */
static enum finding_rule size_rule(const char *type, uint32_t bits)
{
	if (!bits)
		return NR_FINDING_RULES;
	if (is_factored_kind(type) && bits < RSA_BROKEN)
		return FINDING_rsa_key_broken;
	if (is_factored_kind(type) && bits < RSA_BITS_MIN)
		return FINDING_rsa_key_short;
	if (is_named(type, "EC") && bits < EC_BITS_MIN)
		return FINDING_ec_key_short;
	return NR_FINDING_RULES;
}

/* "RSA-1024", "EC P-192", and the subject behind it if there is one. */
static const char *key_evidence(struct judge *judge, const char *type, uint32_t bits,
				const char *curve, const char *subject)
{
	const char *comma = subject ? ", " : "";

	if (!subject)
		subject = "";
	if (curve)
		return judge_format(judge, "%s %s%s%s", type, curve, comma, subject);
	if (bits)
		return judge_format(judge, "%s-%" PRIu32 "%s%s", type, bits, comma, subject);
	return judge_format(judge, "%s%s%s", type, comma, subject);
}

static void find_date(struct judge *judge, const struct certificate *it,
		      const struct judge_side *side, bool is_trust)
{
	const char *subject = it->subject ? it->subject : "";

	if (side->has_no_dates)
		return;
	if (it->days_left < 0) {
		const char *evidence = judge_format(judge, "%" PRId64 " days past its end, %s",
						    -it->days_left, subject);

		judge_add_finding(judge,
				  is_trust ? FINDING_ca_certificate_expired
					   : FINDING_certificate_expired,
				  evidence);
		return;
	}
	/* A collection is renewed as a whole: what will end, or begin, is its maker's business. */
	if (is_trust)
		return;
	if (side->is_soon_over)
		judge_add_finding(
			judge, FINDING_certificate_expires_soon,
			judge_format(judge, "%" PRId64 " days left, %s", it->days_left, subject));
	if (side->is_early)
		judge_add_finding(judge, FINDING_certificate_not_yet_valid, it->subject);
}

static void find_signature(struct judge *judge, const struct certificate *it,
			   const struct judge_side *side, bool is_trust)
{
	/* Who trusts a root trusts its key: nobody checks the signature. */
	bool is_root = it->is_self_signed && side->is_ca_like;
	enum finding_rule rule = FINDING_md5_signature;

	if (side->weakness == SIGNATURE_WEAKNESS_none)
		return;
	if (is_root && (is_trust || side->weakness == SIGNATURE_WEAKNESS_sha1))
		return;
	if (is_trust)
		rule = FINDING_ca_signature_weak;
	else if (side->weakness == SIGNATURE_WEAKNESS_sha1)
		rule = FINDING_sha1_signature;
	judge_add_finding(judge, rule,
			  judge_format(judge, "%s, %s", it->signature_algorithm,
				       it->subject ? it->subject : ""));
}

static void find_certificate_key(struct judge *judge, const struct certificate *it, bool is_trust)
{
	enum finding_rule rule = size_rule(it->key_type, it->key_bits);

	if (rule != NR_FINDING_RULES)
		judge_add_finding(
			judge, is_trust ? FINDING_ca_key_short : rule,
			key_evidence(judge, it->key_type, it->key_bits, it->curve, it->subject));
	if (is_named(it->key_type, "DSA") && !is_trust)
		judge_add_finding(
			judge, FINDING_dsa_key,
			key_evidence(judge, it->key_type, it->key_bits, NULL, it->subject));
}

static void find_key(struct judge *judge, const struct key *key)
{
	enum finding_rule rule = size_rule(key->type, key->bits);

	if (rule != NR_FINDING_RULES)
		judge_add_finding(judge, rule,
				  key_evidence(judge, key->type, key->bits, key->curve, NULL));
	if (is_named(key->type, "DSA"))
		judge_add_finding(judge, FINDING_dsa_key,
				  key_evidence(judge, key->type, key->bits, NULL, NULL));
}

static void find_access(struct judge *judge, const struct content_stat *stat)
{
	bool has_private = false, has_plain = false;
	const char *evidence;

	for (uint32_t i = 0; i < judge->nr_keys; i++) {
		has_private |= judge->keys[i].is_private;
		has_plain |= judge->keys[i].is_private && !judge->keys[i].is_encrypted;
	}
	if (!has_private || !stat->is_public_place)
		return;
	evidence = judge_format(judge, "mode %04" PRIo32, stat->mode & 07777);
	if (stat->mode & OTHERS_WRITE)
		judge_add_finding(judge, FINDING_private_key_writable, evidence);
	if (has_plain && stat->mode & OTHERS_READ)
		judge_add_finding(judge, FINDING_private_key_readable, evidence);
}

void weakness_find(struct judge *judge, bool is_trust, const struct content_stat *stat)
{
	/* First what is worst, as the number of findings is limited. */
	if (stat)
		find_access(judge, stat);
	for (uint32_t i = 0; i < judge->nr_certificates; i++) {
		const struct certificate *it = &judge->certificates[i];

		find_date(judge, it, &judge->sides[i], is_trust);
		find_signature(judge, it, &judge->sides[i], is_trust);
		find_certificate_key(judge, it, is_trust);
	}
	for (uint32_t i = 0; i < judge->nr_keys; i++)
		find_key(judge, &judge->keys[i]);
}
