/* SPDX-License-Identifier: MIT */
#include "made_tls.h"

#include "proto/tls_evidence.h"

#define RECORDS_MAX 8

/* Records of both sides in TLS_AES_128_GCM_SHA256, ended by 0: an alert has 19, Finished 53. */
struct handshake {
	const char *what;
	size_t client[RECORDS_MAX];
	size_t server[RECORDS_MAX];
	bool may_be_early;
	bool has_ended;
	enum tls_proof proof;
};

static struct tls_evidence evidence_of(const size_t *sizes_of_records, uint16_t cipher)
{
	struct tls_sizes sizes = tls_sizes_of(cipher);
	struct tls_evidence evidence = { .nr = 0 };

	for (size_t i = 0; i < RECORDS_MAX && sizes_of_records[i]; i++)
		tls_evidence_add(&evidence, &sizes, sizes_of_records[i]);
	return evidence;
}

static void expect(const struct handshake *cases, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct tls_evidence client = evidence_of(cases[i].client, 0x1301);
		struct tls_evidence server = evidence_of(cases[i].server, 0x1301);
		enum tls_proof proof = tls_evidence_judge(&client, &server, cases[i].may_be_early,
							  cases[i].has_ended);

		if (proof != cases[i].proof)
			fail_msg("%s: %d", cases[i].what, proof);
	}
}

static void test_sizes_are_those_of_the_suite(void **state)
{
	static const struct {
		uint16_t cipher;
		size_t alert, finished;
	} cases[] = {
		{ 0x1301, 19, 53 }, { 0x1302, 19, 69 }, { 0x1303, 19, 53 }, { 0x1305, 11, 45 },
		{ 0x00c6, 19, 53 }, { 0x1306, 19, 85 }, { 0xc0b4, 35, 69 }, { 0xabcd, 19, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tls_sizes sizes = tls_sizes_of(cases[i].cipher);

		assert_int_equal(sizes.alert, cases[i].alert);
		assert_int_equal(sizes.finished, cases[i].finished);
		assert_int_equal(sizes.end_of_early_data, sizes.alert + 2);
	}
}

static void test_finished_alone_is_enough(void **state)
{
	static const struct handshake cases[] = {
		{ "both", { 53 }, { 23, 800, 280, 53 }, .proof = TLS_PROOF_established },
		{ "one record", { 53 }, { 1156 }, .proof = TLS_PROOF_established },
		{ "data at once", { 53, 100 }, { 23, 53 }, .proof = TLS_PROOF_established },
		{ "padded by Java", { 69 }, { 23, 800, 280, 69 }, .proof = TLS_PROOF_established },
		{ "no answer", { 0 }, { 23, 800, 280, 53 }, .proof = TLS_PROOF_none },
		{ "no answer ever", { 0 }, { 23, 53 }, .has_ended = true, .proof = TLS_PROOF_none },
		{ "server not seen", { 53 }, { 0 }, .proof = TLS_PROOF_none },
		{ "unknown", { 40 }, { 23, 53 }, .proof = TLS_PROOF_none },
	};

	(void)state;
	expect(cases, ARRAY_SIZE(cases));
}

static void test_alert_is_no_finished(void **state)
{
	static const struct handshake cases[] = {
		{ "client", { 19 }, { 23, 800, 280, 53 }, .proof = TLS_PROOF_client_alert },
		{ "Java", { 35 }, { 23, 800, 280, 69 }, .proof = TLS_PROOF_client_alert },
		{ "server", { 0 }, { 19 }, .proof = TLS_PROOF_server_alert },
		{ "server, client goes on", { 53 }, { 19 }, .proof = TLS_PROOF_server_alert },
		{ "closed after it", { 53, 19 }, { 23, 53, 19 }, .proof = TLS_PROOF_established },
	};

	(void)state;
	expect(cases, ARRAY_SIZE(cases));
}

/* What the client sends is longer: its certificate, or that it has none. */
static void test_certificate_of_the_client_waits_for_the_server(void **state)
{
	static const struct handshake cases[] = {
		{ "not yet", { 800, 280, 53 }, { 23, 60, 800, 280, 53 }, .proof = TLS_PROOF_none },
		{ "accepted",
		  { 800, 280, 53 },
		  { 23, 60, 800, 280, 53, 250 },
		  .proof = TLS_PROOF_established },
		{ "refused",
		  { 800, 280, 53 },
		  { 23, 60, 800, 280, 53, 19 },
		  .proof = TLS_PROOF_server_alert },
		{ "refused by Java",
		  { 800, 280, 53 },
		  { 65, 800, 297, 69, 35 },
		  .proof = TLS_PROOF_server_alert },
		{ "none, accepted",
		  { 25, 53 },
		  { 23, 60, 800, 53, 250 },
		  .proof = TLS_PROOF_established },
		{ "none, refused",
		  { 25, 53 },
		  { 23, 60, 800, 53, 19 },
		  .proof = TLS_PROOF_server_alert },
		{ "the first as long as Finished",
		  { 800, 280, 53 },
		  { 53, 60, 800, 280, 53, 19 },
		  .proof = TLS_PROOF_server_alert },
		{ "one record each, accepted",
		  { 1100 },
		  { 1200, 250 },
		  .proof = TLS_PROOF_established },
		{ "one record each, refused",
		  { 1100 },
		  { 1200, 19 },
		  .proof = TLS_PROOF_server_alert },
		{ "one flight of many records",
		  { 1100 },
		  { 16401, 900, 19 },
		  .proof = TLS_PROOF_server_alert },
		{ "nothing more came",
		  { 800, 280, 53 },
		  { 23, 60, 800, 280, 53 },
		  .has_ended = true,
		  .proof = TLS_PROOF_established },
		{ "certificate alone, then the end",
		  { 800 },
		  { 23, 60, 800, 280, 53 },
		  .has_ended = true,
		  .proof = TLS_PROOF_none },
	};

	(void)state;
	expect(cases, ARRAY_SIZE(cases));
}

/* What comes before Finished may be of any size, that of an alert too. */
static void test_early_data_says_nothing(void **state)
{
	static const struct handshake cases[] = {
		{ "early data", { 137 }, { 23, 53 }, true, .proof = TLS_PROOF_none },
		{ "like an alert", { 19 }, { 23, 53 }, true, .proof = TLS_PROOF_none },
		{ "end of it", { 137, 21 }, { 23, 53 }, true, .proof = TLS_PROOF_none },
		{ "Finished", { 137, 21, 53 }, { 23, 53 }, true, .proof = TLS_PROOF_established },
		{ "more than Finished",
		  { 137, 21, 90 },
		  { 23, 53 },
		  true,
		  .proof = TLS_PROOF_established },
		{ "the server goes on",
		  { 137 },
		  { 23, 53, 250 },
		  true,
		  .proof = TLS_PROOF_established },
		{ "the server refuses",
		  { 137 },
		  { 23, 53, 19 },
		  true,
		  .proof = TLS_PROOF_server_alert },
	};

	(void)state;
	expect(cases, ARRAY_SIZE(cases));
}

/* A suite that is not known: what its Finished measures is not either. */
static void test_unknown_suite_waits_for_the_server(void **state)
{
	static const size_t flight[RECORDS_MAX] = { 23, 100 };
	static const size_t answer[RECORDS_MAX] = { 60 };
	static const size_t alert[RECORDS_MAX] = { 19 };
	struct tls_evidence client = evidence_of(answer, 0xabcd);
	struct tls_evidence server = evidence_of(flight, 0xabcd);

	(void)state;
	assert_int_equal(tls_evidence_judge(&client, &server, false, false), TLS_PROOF_established);
	client = evidence_of(alert, 0xabcd);
	assert_int_equal(tls_evidence_judge(&client, &server, false, false),
			 TLS_PROOF_client_alert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_are_those_of_the_suite),
		cmocka_unit_test(test_finished_alone_is_enough),
		cmocka_unit_test(test_alert_is_no_finished),
		cmocka_unit_test(test_certificate_of_the_client_waits_for_the_server),
		cmocka_unit_test(test_early_data_says_nothing),
		cmocka_unit_test(test_unknown_suite_waits_for_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
