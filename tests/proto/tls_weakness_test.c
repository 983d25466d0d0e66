/* SPDX-License-Identifier: MIT */
#include "made_tls.h"
#include "recording.h"

#include "proto/tls_verdict.h"

static struct tls_session session;
static struct tls_verdict verdict;

/* Sessions without a weakness but that quantum computers may open them. */
static void begin(uint16_t version, uint16_t cipher)
{
	session = (struct tls_session){ .version = version, .cipher = cipher };
	session.client.is_there = true;
	session.client.legacy_version = 0x0303;
	session.client.ciphers.nr = 1;
	session.client.ciphers.codes[0] = 0x1301;
	session.server.is_there = true;
	session.server.version = version;
	session.server.has_extended_master_secret = true;
	session.server.has_encrypt_then_mac = true;
	session.server.has_renegotiation_info = true;
	session.server.has_key_share = version == 0x0304;
	session.group = 0x001d;
	session.group_known = TLS_KNOWN_yes;
}

static const struct tls_finding *find(enum tls_rule rule)
{
	for (size_t i = 0; i < verdict.nr_findings; i++)
		if (strcmp(verdict.findings[i].rule, tls_rules[rule].name) == 0)
			return &verdict.findings[i];
	return NULL;
}

/* RULE is found with EVIDENCE, and NR weaknesses in all. */
static void expect(enum tls_rule rule, const char *evidence, size_t nr)
{
	const struct tls_finding *finding;

	tls_verdict_reach(&session, &verdict);
	finding = find(rule);
	if (!finding)
		fail_msg("'%s' is not found", tls_rules[rule].name);
	assert_string_equal(finding->evidence, evidence);
	assert_string_equal(finding->why, tls_rules[rule].why);
	assert_string_equal(finding->policy, tls_rules[rule].policy);
	assert_int_equal(finding->severity, tls_rules[rule].severity);
	assert_int_equal(verdict.nr_findings, nr);
}

static void test_good_sessions_have_none_but_the_quantum_one(void **state)
{
	(void)state;
	begin(0x0304, 0x1301);
	expect(TLS_RULE_no_post_quantum, "x25519", 1);
	begin(0x0303, 0xc02f);
	expect(TLS_RULE_no_post_quantum, "x25519", 1);
	begin(0x0304, 0x1302);
	session.group = 0x11ed;
	tls_verdict_reach(&session, &verdict);
	assert_int_equal(verdict.nr_findings, 0);
	session.server.is_there = false;
	tls_verdict_reach(&session, &verdict);
	assert_int_equal(verdict.nr_findings, 0);
}

static void test_versions_are_judged(void **state)
{
	(void)state;
	begin(0x0301, 0xc013);
	expect(TLS_RULE_old_version, "TLSv1.0", 2);
	assert_string_equal(find(TLS_RULE_old_version)->policy, "RFC 8996");
	begin(0x0302, 0xc013);
	expect(TLS_RULE_old_version, "TLSv1.1", 2);
	begin(0xfeff, 0xc013);
	expect(TLS_RULE_old_version, "DTLSv1.0", 2);
	begin(0xfefd, 0xc02f);
	expect(TLS_RULE_no_post_quantum, "x25519", 1);
	begin(0x0300, 0xc013);
	session.server.has_extended_master_secret = false; /* it has no extensions */
	expect(TLS_RULE_sslv3, "SSLv3", 2);
	begin(0x0002, 0);
	session.group = 0;
	expect(TLS_RULE_sslv2, "SSLv2", 2);
	begin(0x0303, 0xc02f);
	session.client.versions.nr = 1;
	session.client.versions.codes[0] = 0x0304;
	session.server.has_downgrade_sentinel = true;
	expect(TLS_RULE_downgraded, "TLSv1.2", 2);
}

static void test_suites_are_judged(void **state)
{
	static const struct {
		uint16_t cipher;
		enum tls_rule rule;
		size_t nr; /* with no_post_quantum, and what else is wrong with it */
	} cases[] = {
		{ 0xc010, TLS_RULE_null_encryption, 2 },
		{ 0x0003, TLS_RULE_export_cipher, 3 },
		{ 0x0065, TLS_RULE_export_cipher, 2 },
		{ 0x0015, TLS_RULE_des, 2 },
		{ 0xc011, TLS_RULE_rc4, 2 },
		{ 0xc012, TLS_RULE_triple_des, 2 },
		{ 0x009a, TLS_RULE_legacy_cipher, 2 },
		{ 0x006c, TLS_RULE_anonymous, 2 },
		{ 0xc018, TLS_RULE_anonymous, 2 },
		{ 0x009c, TLS_RULE_no_forward_secrecy, 2 },
		{ 0x00a8, TLS_RULE_no_forward_secrecy, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(0x0303, cases[i].cipher);
		expect(cases[i].rule, code_name(&tls_cipher_codes, cases[i].cipher), cases[i].nr);
	}
	/* a suite of TLS 1.3 that encrypts nothing (RFC 9150) */
	begin(0x0304, 0xc0b4);
	expect(TLS_RULE_null_encryption, "TLS_SHA256_SHA256", 2);
	/* one that is not known is not judged */
	begin(0x0303, 0xabcd);
	expect(TLS_RULE_no_post_quantum, "x25519", 1);
}

static void test_protections_that_are_missing_are_told(void **state)
{
	(void)state;
	begin(0x0303, 0xc013);
	session.server.has_encrypt_then_mac = false;
	expect(TLS_RULE_mac_then_encrypt, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 2);
	begin(0x0303, 0xc02f);
	session.server.has_extended_master_secret = false;
	expect(TLS_RULE_no_extended_master_secret, "TLSv1.2", 2);
	begin(0x0303, 0xc02f);
	session.server.has_renegotiation_info = false;
	expect(TLS_RULE_insecure_renegotiation, "TLSv1.2", 2);
	begin(0x0303, 0xc02f);
	session.server.compression = 1;
	expect(TLS_RULE_record_compression, "method 1", 2);
	/* TLS 1.3 has them always, and says so nowhere */
	begin(0x0304, 0x1301);
	session.server.has_extended_master_secret = false;
	session.server.has_renegotiation_info = false;
	expect(TLS_RULE_no_post_quantum, "x25519", 1);
}

static void test_key_exchange_is_judged(void **state)
{
	(void)state;
	begin(0x0303, 0x009e);
	session.group = 0;
	session.dh_bits = 2048;
	expect(TLS_RULE_no_post_quantum, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 1);
	session.dh_bits = 2047;
	expect(TLS_RULE_dh_short, "2047 bits", 2);
	session.dh_bits = 1024;
	expect(TLS_RULE_dh_broken, "1024 bits", 2);
	begin(0x0303, 0xc02f);
	session.group = 0x0013;
	expect(TLS_RULE_curve_short, "secp192r1", 2);
	session.group = 0xff01;
	expect(TLS_RULE_no_post_quantum, "arbitrary_explicit_prime_curves", 1);
	begin(0x0303, 0xc02f);
	session.signature = 0x0201;
	expect(TLS_RULE_sha1_handshake, "rsa_pkcs1_sha1", 2);
	session.signature = 0x0101;
	expect(TLS_RULE_md5_handshake, "rsa_pkcs1_md5", 2);
	session.signature = 0x0807;
	expect(TLS_RULE_no_post_quantum, "x25519", 1);
	begin(0x0304, 0x1301);
	session.server.has_key_share = false;
	session.group = 0;
	expect(TLS_RULE_no_forward_secrecy, "TLS_AES_128_GCM_SHA256", 2);
}

static void test_post_quantum_groups_name_the_policy(void **state)
{
	(void)state;
	begin(0x0304, 0x1302);
	session.group = 0x11ec;
	expect(TLS_RULE_below_cnsa2, "X25519MLKEM768", 1);
	assert_string_equal(find(TLS_RULE_below_cnsa2)->policy, "CNSA 2.0");
	assert_int_equal(find(TLS_RULE_below_cnsa2)->severity, SEVERITY_info);
	session.group = 0x6399;
	expect(TLS_RULE_draft_group, "X25519Kyber768Draft00", 2);
	/* ML-KEM-1024 with AES-128 */
	session.group = 0x11ed;
	session.cipher = 0x1301;
	expect(TLS_RULE_below_cnsa2, "SecP384r1MLKEM1024", 1);
}

static void test_offers_are_judged(void **state)
{
	(void)state;
	begin(0x0304, 0x1302);
	session.group = 0x11ed;
	session.client.versions.nr = 3;
	session.client.versions.codes[0] = 0x0304;
	session.client.versions.codes[1] = 0x0302;
	session.client.versions.codes[2] = 0x0301;
	expect(TLS_RULE_offers_old_version, "TLSv1.0", 1);
	session.client.versions.nr = 0;
	session.client.legacy_version = 0x0300;
	expect(TLS_RULE_offers_old_version, "SSLv3", 1);
	begin(0x0304, 0x1302);
	session.group = 0x11ed;
	session.client.ciphers.nr = 3;
	session.client.ciphers.codes[1] = 0x00ff; /* a sign, which is no suite */
	session.client.ciphers.codes[2] = 0x0005;
	expect(TLS_RULE_offers_broken_cipher, "TLS_RSA_WITH_RC4_128_SHA", 1);
	session.client.ciphers.codes[2] = 0x00a6;
	expect(TLS_RULE_offers_broken_cipher, "TLS_DH_anon_WITH_AES_128_GCM_SHA256", 1);
	session.client.ciphers.codes[2] = 0x000a;
	session.client.has_early_data = true;
	expect(TLS_RULE_early_data, "early_data", 1);
	/* nobody answered: what was offered is known all the same */
	session.server.is_there = false;
	session.client.ciphers.codes[2] = 0x0005;
	expect(TLS_RULE_offers_broken_cipher, "TLS_RSA_WITH_RC4_128_SHA", 2);
}

static void test_worst_is_first_and_all_have_room(void **state)
{
	(void)state;
	begin(0x0301, 0x0003);
	session.group = 0x0001;
	session.dh_bits = 512;
	session.signature = 0x0101;
	session.server = (struct tls_server_hello){
		.is_there = true,
		.version = 0x0301,
		.compression = 1,
		.has_downgrade_sentinel = true,
	};
	session.client.has_early_data = true;
	session.client.versions.nr = 2;
	session.client.versions.codes[0] = 0x0304;
	session.client.versions.codes[1] = 0x0300;
	session.client.ciphers.codes[0] = 0x0001;
	tls_verdict_reach(&session, &verdict);
	assert_in_range(verdict.nr_findings, 14, NR_TLS_RULES);
	for (size_t i = 1; i < verdict.nr_findings; i++) {
		const struct tls_finding *finding = &verdict.findings[i];

		assert_true(finding->severity <= finding[-1].severity);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(finding->rule, verdict.findings[k].rule);
	}
}

static void judge_recording(const char *name)
{
	static struct tls_scratch scratch;
	struct recording *recording = recording_read(name);
	struct flow flow = recording_flow(recording, recording->size[0], recording->size[1]);
	struct flow_needs needs;

	assert_int_equal(tls_parse(&flow, NULL, &scratch, &session, &needs), FLOW_DECIDED);
	tls_verdict_reach(&session, &verdict);
	recording_flow_free(&flow);
	free(recording);
}

static void test_real_sessions_are_judged(void **state)
{
	static const struct {
		const char *name;
		enum tls_rule rule;
		const char *evidence;
	} cases[] = {
		{ "tls12_static_rsa", TLS_RULE_no_forward_secrecy, "TLS_RSA_WITH_AES_128_CBC_SHA" },
		{ "tls12_dhe_1024", TLS_RULE_dh_broken, "1024 bits" },
		{ "tls12_sha1", TLS_RULE_sha1_handshake, "rsa_pkcs1_sha1" },
		{ "tls12_dss", TLS_RULE_sha1_handshake, "dsa_sha1" },
		{ "tls12_null", TLS_RULE_null_encryption, "TLS_ECDHE_RSA_WITH_NULL_SHA" },
		{ "tls12_anon", TLS_RULE_anonymous, "TLS_DH_anon_WITH_AES_128_CBC_SHA" },
		{ "tls10", TLS_RULE_old_version, "TLSv1.0" },
		{ "tls13", TLS_RULE_no_post_quantum, "x25519" },
		{ "tls13", TLS_RULE_offers_old_version, "TLSv1.0" },
		{ "gnutls_psk_ke", TLS_RULE_no_forward_secrecy, "TLS_CHACHA20_POLY1305_SHA256" },
		{ "tls13_early_data", TLS_RULE_early_data, "early_data" },
		{ "pq_hybrid", TLS_RULE_below_cnsa2, "X25519MLKEM768" },
		{ "pq_retry", TLS_RULE_below_cnsa2, "X25519MLKEM768" },
		{ "pq_server_classical", TLS_RULE_no_post_quantum, "x25519" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		judge_recording(cases[i].name);
		if (!find(cases[i].rule))
			fail_msg("%s: '%s' is not found", cases[i].name,
				 tls_rules[cases[i].rule].name);
		assert_string_equal(find(cases[i].rule)->evidence, cases[i].evidence);
	}
	judge_recording("tls12_sentinel");
	assert_int_equal(verdict.why_not_tls13, TLS_WHY_NOT_TLS13_client_never_offered);
	assert_true(verdict.server_has_tls13);
	judge_recording("tls12_downgraded");
	assert_int_equal(verdict.why_not_tls13, TLS_WHY_NOT_TLS13_server_chose_lower);
	judge_recording("pq_hybrid");
	assert_int_equal(verdict.post_quantum, TLS_ANSWER_yes);
	assert_int_equal(verdict.cnsa2, TLS_ANSWER_no);
	judge_recording("pq_server_classical");
	assert_int_equal(verdict.why_not_pq, TLS_WHY_NOT_PQ_server_chose_classical);
	judge_recording("pq_named_only");
	assert_int_equal(verdict.why_not_pq, TLS_WHY_NOT_PQ_client_offered_without_key_share);
	judge_recording("pq_cnsa_group");
	assert_int_equal(verdict.post_quantum, TLS_ANSWER_yes);
	assert_int_equal(verdict.cnsa2, TLS_ANSWER_unknown);
	assert_int_equal(verdict.nr_findings, 0);
	judge_recording("gnutls_psk_ke");
	assert_int_equal(verdict.why_not_pq, TLS_WHY_NOT_PQ_resumed_without_key_share);
	assert_int_equal(verdict.forward_secrecy, TLS_ANSWER_no);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_sessions_have_none_but_the_quantum_one),
		cmocka_unit_test(test_versions_are_judged),
		cmocka_unit_test(test_suites_are_judged),
		cmocka_unit_test(test_protections_that_are_missing_are_told),
		cmocka_unit_test(test_key_exchange_is_judged),
		cmocka_unit_test(test_post_quantum_groups_name_the_policy),
		cmocka_unit_test(test_offers_are_judged),
		cmocka_unit_test(test_worst_is_first_and_all_have_room),
		cmocka_unit_test(test_real_sessions_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
