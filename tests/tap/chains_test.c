/* SPDX-License-Identifier: MIT */
#include "../inspect/made_certificate.h"

#include "proto/tls.h"
#include "sources/tls_handshake/tls_handshake.h"
#include "support/raw.h"
#include "support/short_memory.h"
#include "tap/chains.h"

#define HOUR_NS (3600ULL * 1000000000)
#define DAY_NS	(24 * HOUR_NS)

static struct chains *chains;
static struct raw raw;
static uint64_t now_ns;

struct der {
	uint8_t *bytes;
	size_t size;
};

static int begin(void **state)
{
	(void)state;
	now_ns = sample_now_ns();
	return chains_new(&chains);
}

static int end(void **state)
{
	(void)state;
	chains_free(chains);
	return 0;
}

static struct der make(const char *subject, const char *issuer)
{
	const struct made made = { .subject = subject,
				   .issuer = issuer,
				   .digest = "SHA256",
				   .curve = "P-256",
				   .end_days = 90 };
	X509 *x509 = made_certificate(&made);
	struct der der = { 0 };
	int size = i2d_X509(x509, &der.bytes);

	assert_true(size > 0);
	der.size = (size_t)size;
	X509_free(x509);
	return der;
}

/* What the certificates of a handshake at UNIX_NS, whose tail is the SIZE BYTES, contain. */
static const struct content *look_at(const uint8_t *bytes, size_t size, uint64_t unix_ns)
{
	struct record record = { .unix_ns = unix_ns };

	raw_begin(&raw, SOURCE_tls_handshake);
	raw_tail(&raw, offsetof(struct tls_handshake_event, certificates), bytes, size);
	record.hdr = raw_hdr(&raw);
	record.bytes = raw.bytes;
	return chains_look(chains, &record);
}

static const struct content *look(const struct der *ders, size_t nr, uint64_t unix_ns)
{
	static uint8_t bytes[60000];
	size_t at = 0;

	for (size_t i = 0; i < nr; i++) {
		uint32_t size = (uint32_t)ders[i].size;

		assert_true(at + sizeof(size) + size <= sizeof(bytes));
		memcpy(bytes + at, &size, sizeof(size));
		memcpy(bytes + at + sizeof(size), ders[i].bytes, size);
		at += sizeof(size) + size;
	}
	return look_at(bytes, at, unix_ns);
}

static void expect_subjects(const struct content *content, const char *first, const char *second)
{
	assert_non_null(content);
	assert_int_equal(content->certificates.count, second ? 2 : 1);
	assert_string_equal(sample_certificate(content, 0)->subject, first);
	if (second)
		assert_string_equal(sample_certificate(content, 1)->subject, second);
}

static void test_certificates_are_told_in_their_order(void **state)
{
	struct der ders[2] = { make("host", "middle"), make("middle", "top") };

	(void)state;
	expect_subjects(look(ders, 2, now_ns), "CN=host", "CN=middle");
	expect_subjects(look(ders, 1, now_ns), "CN=host", NULL);
	expect_subjects(look(ders + 1, 1, now_ns), "CN=middle", NULL);
	OPENSSL_free(ders[0].bytes);
	OPENSSL_free(ders[1].bytes);
}

static void test_handshake_without_certificates_has_no_content(void **state)
{
	(void)state;
	assert_null(look(NULL, 0, now_ns));
	/* Nor has what is cut: a size alone, and a certificate that is shorter than it says. */
	assert_null(look_at((const uint8_t *)"\1\0\0", 3, now_ns));
	assert_null(look_at((const uint8_t *)"\2\0\0\0x", 5, now_ns));
	assert_null(look_at((const uint8_t *)"\xff\xff\xff\xffx", 5, now_ns));
}

static void test_same_certificates_are_looked_at_once(void **state)
{
	struct der der = make("host", NULL);
	const struct content *first = look(&der, 1, now_ns);

	(void)state;
	assert_non_null(first);
	assert_ptr_equal(look(&der, 1, now_ns), first);
	assert_ptr_equal(look(&der, 1, now_ns + HOUR_NS - 1), first);
	OPENSSL_free(der.bytes);
}

static int64_t days_left(const struct content *content)
{
	return sample_certificate(content, 0)->days_left;
}

/* What is left of their time grows old. */
static void test_certificates_are_looked_at_anew_after_an_hour(void **state)
{
	struct der der = make("host", NULL);
	const struct content *content = look(&der, 1, now_ns);

	(void)state;
	assert_int_equal(days_left(content), 90);
	assert_null(sample_finding(content, "certificate_expired"));
	content = look(&der, 1, now_ns + 40 * DAY_NS);
	assert_int_equal(days_left(content), 50);
	content = look(&der, 1, now_ns + 91 * DAY_NS);
	assert_non_null(sample_finding(content, "certificate_expired"));
	/* Somebody has put the clock back. */
	assert_int_equal(days_left(look(&der, 1, now_ns + DAY_NS)), 89);
	OPENSSL_free(der.bytes);
}

static void test_oldest_gives_way(void **state)
{
	struct der first = make("first", NULL);
	struct der last;
	const struct content *content;
	char name[16];

	(void)state;
	expect_subjects(look(&first, 1, now_ns), "CN=first", NULL);
	for (int i = 0; i < CHAINS_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		last = make(name, NULL);
		assert_non_null(look(&last, 1, now_ns));
		if (i + 1 < CHAINS_MAX)
			OPENSSL_free(last.bytes);
	}
	content = look(&last, 1, now_ns);
	expect_subjects(content, "CN=63", NULL);
	/* It is looked at again, and nothing else is mistaken for it. */
	expect_subjects(look(&first, 1, now_ns + 40 * DAY_NS), "CN=first", NULL);
	assert_int_equal(days_left(look(&first, 1, now_ns + 40 * DAY_NS)), 50);
	assert_ptr_equal(look(&last, 1, now_ns), content);
	OPENSSL_free(first.bytes);
	OPENSSL_free(last.bytes);
}

/*
 * Where one certificate ends and the next begins is part of what a server shows: another server
 * must not be able to have its own nonsense remembered for somebody's chain.
 */
static void test_same_bytes_in_other_pieces_are_other_certificates(void **state)
{
	struct der ders[2] = { make("host", "middle"), make("middle", "top") };
	struct der joined = { .size = ders[0].size + ders[1].size };
	const struct content *content;

	(void)state;
	joined.bytes = malloc(joined.size);
	memcpy(joined.bytes, ders[0].bytes, ders[0].size);
	memcpy(joined.bytes + ders[0].size, ders[1].bytes, ders[1].size);
	content = look(&joined, 1, now_ns);
	assert_true(!content || content->certificates.count != 2);
	expect_subjects(look(ders, 2, now_ns), "CN=host", "CN=middle");
	free(joined.bytes);
	OPENSSL_free(ders[0].bytes);
	OPENSSL_free(ders[1].bytes);
}

static void test_bytes_that_are_no_certificate_are_none(void **state)
{
	struct der der = { (uint8_t[]){ 0x30, 0x03, 0x02, 0x01, 0x00 }, 5 };
	const struct content *content = look(&der, 1, now_ns);

	(void)state;
	assert_true(!content || content->certificates.count == 0);
	der.size = 0;
	content = look(&der, 1, now_ns);
	assert_true(!content || content->certificates.count == 0);
}

static void test_further_certificates_are_left_out(void **state)
{
	struct der der = make("host", NULL);
	struct der ders[TLS_SERVER_CERTIFICATES_MAX + 5];

	(void)state;
	for (size_t i = 0; i < sizeof(ders) / sizeof(ders[0]); i++)
		ders[i] = der;
	assert_int_equal(look(ders, sizeof(ders) / sizeof(ders[0]), now_ns)->certificates.count,
			 TLS_SERVER_CERTIFICATES_MAX);
	OPENSSL_free(der.bytes);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

/* What there was no memory for is counted, and looked at the next time. */
static void test_chain_without_memory_is_counted(void **state)
{
	const struct content *content = NULL;
	uint64_t nr_short = 0;
	struct der der;

	(void)state;
	need_failures();
	der = make("a.example", NULL);
	for (unsigned int nr = 1; !content; nr += 10) {
		fails_at = nr;
		content = look(&der, 1, now_ns);
		fails_at = 0;
		nr_short += !content;
		assert_int_equal(chains_count_short(chains), nr_short);
	}
	assert_true(nr_short > 5);
	assert_int_equal(content->certificates.count, 1);
	OPENSSL_free(der.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_certificates_are_told_in_their_order),
		TEST(test_handshake_without_certificates_has_no_content),
		TEST(test_same_certificates_are_looked_at_once),
		TEST(test_certificates_are_looked_at_anew_after_an_hour),
		TEST(test_oldest_gives_way),
		TEST(test_same_bytes_in_other_pieces_are_other_certificates),
		TEST(test_bytes_that_are_no_certificate_are_none),
		TEST(test_further_certificates_are_left_out),
		TEST(test_chain_without_memory_is_counted),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
