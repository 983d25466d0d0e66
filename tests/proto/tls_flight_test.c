/* SPDX-License-Identifier: MIT */
#include "made_tls.h"

#include "proto/tls_flight.h"

static struct made made;
static struct tls_session session;

/* ServerKeyExchange as it was made, of a session with VERSION and CIPHER. */
static void read_made(uint16_t version, uint16_t cipher)
{
	struct tls_message message = made_guarded(&made, TLS_MESSAGE_server_key_exchange);

	session = (struct tls_session){ .version = version, .cipher = cipher };
	tls_key_exchange_read(&message, &session);
	guard_free(message.bytes, message.size);
}

static void make_curve(uint16_t group)
{
	made.size = 0;
	made_number(&made, 1, 3);
	made_number(&made, 2, group);
	made_vector(&made, 1, "point", 5);
}

static void make_signature(uint16_t scheme)
{
	made_number(&made, 2, scheme);
	made_vector(&made, 2, "signature", 9);
}

static void make_dh(const void *begin, size_t begin_size, size_t size)
{
	size_t prime = made_begin(&made, 2);

	made_bytes(&made, begin, begin_size);
	made_fill(&made, 0xff, size - begin_size);
	made_end(&made, prime, 2);
	made_vector(&made, 2, "\2", 1);
	made_vector(&made, 2, "public", 6);
}

static void test_named_curve_and_signature_are_read(void **state)
{
	(void)state;
	make_curve(0x001d);
	make_signature(0x0804);
	read_made(0x0303, 0xc02f);
	assert_int_equal(session.group, 0x001d);
	assert_int_equal(session.group_known, TLS_KNOWN_yes);
	assert_int_equal(session.signature, 0x0804);
	assert_int_equal(session.signature_known, TLS_KNOWN_yes);
	assert_int_equal(session.dh_bits, 0);
}

/* Before TLS 1.2 what follows is the signature itself. */
static void test_older_versions_name_no_signature(void **state)
{
	(void)state;
	make_curve(0x0017);
	made_vector(&made, 2, "signature", 9);
	read_made(0x0301, 0xc013);
	assert_int_equal(session.group, 0x0017);
	assert_int_equal(session.signature, 0);
	assert_int_equal(session.signature_known, TLS_KNOWN_not_seen);
	read_made(0xfeff, 0xc013);
	assert_int_equal(session.signature, 0);
	make_signature(0x0403);
	read_made(0xfefd, 0xc02b);
	assert_int_equal(session.signature_known, TLS_KNOWN_yes);
}

static void test_anonymous_suites_are_not_signed(void **state)
{
	(void)state;
	make_curve(0x0017);
	read_made(0x0303, 0xc018);
	assert_int_equal(session.group, 0x0017);
	assert_int_equal(session.signature_known, TLS_KNOWN_not_seen);
}

static void test_explicit_curve_is_any_curve(void **state)
{
	(void)state;
	made.size = 0;
	made_number(&made, 1, 1);
	made_fill(&made, 4, 100);
	read_made(0x0303, 0xc02f);
	assert_int_equal(session.group, 0xff01);
	assert_int_equal(session.signature, 0);
	made.bytes[0] = 2;
	read_made(0x0303, 0xc02f);
	assert_int_equal(session.group, 0xff02);
	made.bytes[0] = 77;
	read_made(0x0303, 0xc02f);
	assert_int_equal(session.group_known, TLS_KNOWN_not_seen);
}

static void test_bits_of_the_prime_are_counted(void **state)
{
	static const struct {
		const char *begin;
		size_t size;
		uint16_t bits;
	} cases[] = {
		{ "\xff", 256, 2048 }, { "\x80", 128, 1024 }, { "\x7f", 128, 1023 },
		{ "\0\1", 64, 497 },   { "\0\0", 2, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		made.size = 0;
		make_dh(cases[i].begin, cases[i].begin[0] ? 1 : 2, cases[i].size);
		make_signature(0x0401);
		read_made(0x0303, 0x009e);
		assert_int_equal(session.dh_bits, cases[i].bits);
		assert_int_equal(session.group_known, TLS_KNOWN_no_such);
		assert_int_equal(session.signature, 0x0401);
	}
}

/* RFC 7919 appendix A; a prime of RFC 3526 begins with the digits of pi. */
static void test_groups_of_rfc_7919_are_told(void **state)
{
	static const char begin[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xad\xf8\x54\x58"
				    "\xa2\xbb\x4a\x9a\xaf\xdc\x56\x20\x27\x3d\x3c\xf1";
	static const char other[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xc9\x0f\xda\xa2"
				    "\x21\x68\xc2\x34\xc4\xc6\x62\x8b\x80\xdc\x1c\xd1";
	static const struct {
		size_t size;
		uint16_t group;
	} cases[] = { { 256, 0x0100 }, { 384, 0x0101 },	 { 512, 0x0102 },
		      { 768, 0x0103 }, { 1024, 0x0104 }, { 300, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		made.size = 0;
		make_dh(begin, sizeof(begin) - 1, cases[i].size);
		read_made(0x0303, 0x009e);
		assert_int_equal(session.group, cases[i].group);
		assert_int_equal(session.dh_bits, 8 * cases[i].size);
	}
	made.size = 0;
	make_dh(other, sizeof(other) - 1, 256);
	read_made(0x0303, 0x009e);
	assert_int_equal(session.group, 0);
}

static void test_hint_of_a_shared_secret_is_passed_over(void **state)
{
	static struct made curve;

	(void)state;
	make_curve(0x0018);
	curve = made;
	made.size = 0;
	made_vector(&made, 2, "hint", 4);
	made_bytes(&made, curve.bytes, curve.size);
	read_made(0x0303, 0xc037);
	assert_int_equal(session.group, 0x0018);
	assert_int_equal(session.signature_known, TLS_KNOWN_not_seen);
	made.size = 0;
	made_vector(&made, 2, "", 0);
	make_dh("\xff", 1, 128);
	read_made(0x0303, 0x00aa);
	assert_int_equal(session.dh_bits, 1024);
	/* a hint alone */
	made.size = 0;
	made_vector(&made, 2, "hint", 4);
	read_made(0x0303, 0x00a8);
	assert_int_equal(session.group_known, TLS_KNOWN_not_seen);
}

static void test_short_key_of_export_suites_is_read(void **state)
{
	static uint8_t modulus[64] = { 0x80 };

	(void)state;
	made.size = 0;
	made_vector(&made, 2, modulus, sizeof(modulus));
	made_vector(&made, 2, "\1\0\1", 3);
	read_made(0x0301, 0x0003);
	assert_int_equal(session.rsa_bits, 512);
	assert_int_equal(session.dh_bits, 0);
}

static void test_parameters_of_srp_are_passed_over(void **state)
{
	(void)state;
	made.size = 0;
	made_vector(&made, 2, "N", 1);
	made_vector(&made, 2, "g", 1);
	made_vector(&made, 1, "s", 1);
	made_vector(&made, 2, "B", 1);
	make_signature(0x0401);
	read_made(0x0303, 0xc01e);
	assert_int_equal(session.signature, 0x0401);
}

static void test_unknown_suites_are_not_guessed_at(void **state)
{
	(void)state;
	make_curve(0x001d);
	make_signature(0x0401);
	read_made(0x0303, 0xabcd);
	assert_int_equal(session.group_known, TLS_KNOWN_not_seen);
	/* static RSA sends none */
	read_made(0x0303, 0x009c);
	assert_int_equal(session.group_known, TLS_KNOWN_not_seen);
	assert_int_equal(session.signature_known, TLS_KNOWN_not_seen);
}

/* Wherever it ends, nothing is made up. */
static void test_cut_parameters_tell_what_is_whole(void **state)
{
	size_t whole;

	(void)state;
	make_curve(0x001d);
	make_signature(0x0804);
	whole = made.size;
	for (made.size = 0; made.size < whole; made.size++) {
		read_made(0x0303, 0xc02f);
		assert_int_equal(session.group, made.size >= 3 ? 0x001d : 0);
		assert_int_equal(session.signature, made.size >= 11 ? 0x0804 : 0);
	}
}

static struct tls_certificates read_certificates(size_t nr, size_t size, bool is_cut, size_t max)
{
	struct tls_certificates certificates;
	struct tls_message message;
	size_t list;

	made.size = 0;
	list = made_begin(&made, 3);
	for (size_t i = 0; i < nr; i++)
		made_vector(&made, 3, "der", 3);
	made_end(&made, list, 3);
	made.size -= size;
	message = made_guarded(&made, TLS_MESSAGE_certificate);
	message.is_cut = is_cut;
	tls_certificates_read(&message, max, &certificates);
	return certificates;
}

static void test_certificates_are_borrowed(void **state)
{
	struct tls_certificates certificates = read_certificates(3, 0, false, 10);

	(void)state;
	assert_int_equal(certificates.known, TLS_KNOWN_yes);
	assert_int_equal(certificates.nr, 3);
	assert_false(certificates.is_cut);
	for (size_t i = 0; i < 3; i++)
		made_expect_text(certificates.der[i], "der");
	certificates = read_certificates(0, 0, false, 10);
	assert_int_equal(certificates.known, TLS_KNOWN_no_such);
	assert_false(certificates.is_cut);
}

static void test_certificates_have_a_limit(void **state)
{
	struct tls_certificates certificates = read_certificates(4, 0, false, 4);

	(void)state;
	assert_int_equal(certificates.nr, 4);
	assert_false(certificates.is_cut);
	certificates = read_certificates(5, 0, false, 4);
	assert_int_equal(certificates.nr, 4);
	assert_true(certificates.is_cut);
}

static void test_only_whole_certificates_are_told(void **state)
{
	struct tls_certificates certificates = read_certificates(2, 1, true, 10);

	(void)state;
	assert_int_equal(certificates.nr, 1);
	assert_true(certificates.is_cut);
	certificates = read_certificates(1, 2, true, 10);
	assert_int_equal(certificates.nr, 0);
	assert_int_equal(certificates.known, TLS_KNOWN_not_seen);
	/* it says more than there is, and nothing was cut */
	certificates = read_certificates(2, 1, false, 10);
	assert_int_equal(certificates.nr, 1);
	assert_true(certificates.is_cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named_curve_and_signature_are_read),
		cmocka_unit_test(test_older_versions_name_no_signature),
		cmocka_unit_test(test_anonymous_suites_are_not_signed),
		cmocka_unit_test(test_explicit_curve_is_any_curve),
		cmocka_unit_test(test_bits_of_the_prime_are_counted),
		cmocka_unit_test(test_groups_of_rfc_7919_are_told),
		cmocka_unit_test(test_hint_of_a_shared_secret_is_passed_over),
		cmocka_unit_test(test_short_key_of_export_suites_is_read),
		cmocka_unit_test(test_parameters_of_srp_are_passed_over),
		cmocka_unit_test(test_unknown_suites_are_not_guessed_at),
		cmocka_unit_test(test_cut_parameters_tell_what_is_whole),
		cmocka_unit_test(test_certificates_are_borrowed),
		cmocka_unit_test(test_certificates_have_a_limit),
		cmocka_unit_test(test_only_whole_certificates_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
