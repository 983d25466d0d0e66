/* SPDX-License-Identifier: MIT */
#include "made_tls.h"

#include <stdio.h>

#include "proto/tls_verdict.h"

static struct tls_session session;
static struct tls_verdict verdict;

#define LIST(...)                                                                                  \
	(struct tls_codes)                                                                         \
	{                                                                                          \
		.nr = sizeof((uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t), .codes = {           \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

/* A client of TLS 1.3 and 1.2 and a server that takes TLS 1.3 with x25519. */
static void begin_13(void)
{
	session = (struct tls_session){ .version = 0x0304, .cipher = 0x1301 };
	session.client.is_there = true;
	session.client.legacy_version = 0x0303;
	session.client.versions = LIST(0x0304, 0x0303);
	session.client.ciphers = LIST(0x1301, 0xc02f);
	session.client.groups = LIST(0x001d, 0x0017);
	session.client.key_shares[0] = (struct tls_key_share){ 0x001d, 32 };
	session.client.nr_key_shares = 1;
	session.server.is_there = true;
	session.server.version = 0x0304;
	session.server.has_key_share = true;
	session.group = 0x001d;
	session.group_known = TLS_KNOWN_yes;
}

/* A server that takes TLS 1.2 with CIPHER of a client that offers as much. */
static void begin_12(uint16_t cipher)
{
	begin_13();
	session.client.versions.nr = 0;
	session.server.has_key_share = false;
	session.server.has_extended_master_secret = true;
	session.server.has_renegotiation_info = true;
	session.version = session.server.version = 0x0303;
	session.cipher = cipher;
	session.resumed = TLS_ANSWER_no;
}

/* Adds X25519MLKEM768 to what the client offers. */
static void offer_pq(bool has_key_share)
{
	session.client.groups = LIST(0x11ec, 0x001d);
	if (has_key_share)
		session.client.key_shares[session.client.nr_key_shares++] =
			(struct tls_key_share){ 0x11ec, 1216 };
}

static void expect_why_not_tls13(uint8_t expected)
{
	tls_verdict_reach(&session, &verdict);
	assert_int_equal(verdict.why_not_tls13, expected);
}

static void expect_why_not_pq(uint8_t expected)
{
	tls_verdict_reach(&session, &verdict);
	assert_int_equal(verdict.why_not_pq, expected);
	assert_int_equal(verdict.post_quantum,
			 expected == TLS_WHY_NOT_PQ_none ? TLS_ANSWER_yes : TLS_ANSWER_no);
}

static void expect_forward_secrecy(uint8_t expected)
{
	tls_verdict_reach(&session, &verdict);
	assert_int_equal(verdict.forward_secrecy, expected);
}

static void test_reasons_for_less_than_tls13(void **state)
{
	(void)state;
	begin_13();
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_none);
	assert_true(verdict.server_has_tls13);
	session.version = 0x7f1c;
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_none);
	session.version = 0xfefc;
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_none);
	begin_12(0xc02f);
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_client_never_offered);
	assert_false(verdict.server_has_tls13);
	session.server.has_downgrade_sentinel = true;
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_client_never_offered);
	assert_true(verdict.server_has_tls13);
	session.client.has_fallback = true;
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_client_fell_back);
	begin_12(0xc02f);
	session.client.versions = LIST(0x0304, 0x0303);
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_server_chose_lower);
	session.server.has_downgrade_sentinel = true;
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_downgrade_sentinel);
	session.server.is_there = false;
	expect_why_not_tls13(TLS_WHY_NOT_TLS13_no_server_hello);
}

static void test_reasons_for_no_post_quantum_key_exchange(void **state)
{
	(void)state;
	begin_13();
	expect_why_not_pq(TLS_WHY_NOT_PQ_client_never_offered);
	offer_pq(false);
	expect_why_not_pq(TLS_WHY_NOT_PQ_client_offered_without_key_share);
	session.has_hello_retry = true;
	expect_why_not_pq(TLS_WHY_NOT_PQ_server_chose_classical);
	begin_13();
	offer_pq(true);
	expect_why_not_pq(TLS_WHY_NOT_PQ_server_chose_classical);
	session.group = 0x11ec;
	expect_why_not_pq(TLS_WHY_NOT_PQ_none);
	session.server.has_key_share = false;
	session.server.has_psk = true;
	session.group = 0;
	expect_why_not_pq(TLS_WHY_NOT_PQ_resumed_without_key_share);
	begin_12(0xc02f);
	offer_pq(true);
	expect_why_not_pq(TLS_WHY_NOT_PQ_not_tls13);
	session.server.is_there = false;
	tls_verdict_reach(&session, &verdict);
	assert_int_equal(verdict.why_not_pq, TLS_WHY_NOT_PQ_no_server_hello);
	assert_int_equal(verdict.post_quantum, TLS_ANSWER_unknown);
}

static void test_forward_secrecy_is_of_the_key_exchange(void **state)
{
	(void)state;
	begin_13();
	expect_forward_secrecy(TLS_ANSWER_yes);
	session.server.has_key_share = false;
	expect_forward_secrecy(TLS_ANSWER_no);
	begin_12(0xc02f);
	expect_forward_secrecy(TLS_ANSWER_yes);
	/* by a ticket, whose key may be kept for long */
	session.resumed = TLS_ANSWER_yes;
	expect_forward_secrecy(TLS_ANSWER_unknown);
	begin_12(0x009c);
	expect_forward_secrecy(TLS_ANSWER_no);
	session.resumed = TLS_ANSWER_yes;
	expect_forward_secrecy(TLS_ANSWER_no);
	begin_12(0xc031); /* the key of the certificate */
	expect_forward_secrecy(TLS_ANSWER_no);
	begin_12(0x009e);
	expect_forward_secrecy(TLS_ANSWER_yes);
	begin_12(0xabcd);
	expect_forward_secrecy(TLS_ANSWER_unknown);
	session.version = TLS_VERSION_SSL2;
	expect_forward_secrecy(TLS_ANSWER_no);
	session.server.is_there = false;
	expect_forward_secrecy(TLS_ANSWER_unknown);
}

/* Resisting quantum computers is not meeting the policy that asks for it. */
static void test_cnsa2_asks_for_more_than_post_quantum(void **state)
{
	static const struct {
		uint16_t group, cipher;
		uint8_t expected;
	} cases[] = {
		{ 0x001d, 0x1302, TLS_ANSWER_no },	{ 0x11ec, 0x1302, TLS_ANSWER_no },
		{ 0x11ed, 0x1301, TLS_ANSWER_no },	{ 0x11ed, 0x1302, TLS_ANSWER_unknown },
		{ 0x0202, 0x1302, TLS_ANSWER_unknown }, { 0x0201, 0x1302, TLS_ANSWER_no },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_13();
		session.group = cases[i].group;
		session.cipher = cases[i].cipher;
		tls_verdict_reach(&session, &verdict);
		assert_int_equal(verdict.cnsa2, cases[i].expected);
	}
	begin_12(0xc030);
	tls_verdict_reach(&session, &verdict);
	assert_int_equal(verdict.cnsa2, TLS_ANSWER_no);
	session.server.is_there = false;
	tls_verdict_reach(&session, &verdict);
	assert_int_equal(verdict.cnsa2, TLS_ANSWER_unknown);
}

static void test_catalogue_is_complete(void **state)
{
	(void)state;
	assert_string_equal(code_name(&tls_why_not_tls13_codes, TLS_WHY_NOT_TLS13_none), "none");
	assert_string_equal(code_name(&tls_why_not_pq_codes, TLS_WHY_NOT_PQ_not_tls13),
			    "not_tls13");
	for (size_t i = 0; i < NR_TLS_RULES; i++) {
		const struct tls_rule_info *rule = &tls_rules[i];

		assert_non_null(code_name(&severity_codes, rule->severity));
		assert_in_range(strlen(rule->why), 10, 79);
		assert_true(strlen(rule->policy) > 4);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rule->name, tls_rules[k].name);
		/* a reader may see both in one document */
		for (size_t k = 0; k < NR_FINDING_RULES; k++)
			assert_string_not_equal(rule->name, finding_rules[k].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons_for_less_than_tls13),
		cmocka_unit_test(test_reasons_for_no_post_quantum_key_exchange),
		cmocka_unit_test(test_forward_secrecy_is_of_the_key_exchange),
		cmocka_unit_test(test_cnsa2_asks_for_more_than_post_quantum),
		cmocka_unit_test(test_catalogue_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
