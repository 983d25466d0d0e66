/* SPDX-License-Identifier: MIT */
/* Certificates of a handshake, and what was found in them. */
#include "made.h"

/* Reads the certificates of a tail of SIZE BYTES, which end at an unmapped page. Returns how many.
 */
static size_t count_certificates(const char *bytes, size_t size, size_t *ret_bytes)
{
	/* A record is aligned, so that the tail stands a bit behind the fixed part. */
	size_t whole = (sizeof(*event) + size + 7) / 8 * 8;
	uint8_t *guarded = guard_alloc(whole);
	struct record record = { .bytes = guarded };
	struct tail tail = { .off = (uint16_t)(whole - size), .size = (uint16_t)size };
	const uint8_t *der;
	size_t at = 0;
	size_t nr = 0;
	size_t der_size;

	memcpy(guarded + AT(certificates), &tail, sizeof(tail));
	memcpy(guarded + tail.off, bytes, size);
	*ret_bytes = 0;
	while (tls_handshake_certificate(&record, &at, &der, &der_size)) {
		for (size_t i = 0; i < der_size; i++)
			*ret_bytes += der[i] != 0;
		nr++;
	}
	guard_free(guarded, whole);
	return nr;
}

static void test_certificates_are_read_within_their_tail(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		size_t nr;
		size_t nr_bytes;
	} cases[] = {
		{ "", 0, 0, 0 },
		{ "\1\0\0\0a", 5, 1, 1 },
		{ "\1\0\0\0a\2\0\0\0bc", 11, 2, 3 },
		{ "\0\0\0\0\1\0\0\0a", 9, 2, 1 },
		{ "\1\0\0", 3, 0, 0 },
		{ "\2\0\0\0a", 5, 0, 0 },
		{ "\1\0\0\0a\xff\xff\xff\xff", 9, 1, 1 },
		{ "\1\0\0\0a\1\0\0", 8, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t nr_bytes;

		assert_int_equal(count_certificates(cases[i].bytes, cases[i].size, &nr_bytes),
				 cases[i].nr);
		assert_int_equal(nr_bytes, cases[i].nr_bytes);
	}
}

static const struct certificate certificates[6] = {
	{ .subject = "CN=host", .fingerprint_sha256 = "aa", .position = 0 },
	{ .subject = "CN=middle", .fingerprint_sha256 = "bb", .position = 1 },
};

static const struct finding finding = {
	.rule = "certificate_expired",
	.severity = SEVERITY_high,
	.why = "the certificate is no longer valid",
	.evidence = "notAfter 2025-01-01",
};

static struct content content;

static void set_content(void *ctx, struct record *record)
{
	(void)ctx;
	assert_null(tls_handshake_content(record));
	tls_handshake_set_content(record, &content);
	assert_ptr_equal(tls_handshake_content(record), &content);
	tls_handshake_set_certificate_file(record, "/home/bob/host.pem", 18);
}

static void test_content_of_certificates_is_told(void **state)
{
	(void)state;
	content = (struct content){
		.certificates = { certificates, 2, sizeof(certificates[0]), false },
		.findings = { &finding, 1, sizeof(finding), false },
	};
	scene.pipeline.handlers[SOURCE_tls_handshake].handle = set_content;
	make();
	expect("certificates.0.subject", "CN=host");
	expect("certificates.1.fingerprint_sha256", "bb");
	expect("certificates.2", NULL);
	expect("certificate_file", "/home/USER/host.pem");
	expect("findings.0.rule", "certificate_expired");
	expect("findings.0.severity", "high");
	expect("findings.0.evidence", "notAfter 2025-01-01");
	expect("findings.1", NULL);
}

static void test_four_certificates_are_told_at_most(void **state)
{
	(void)state;
	content = (struct content){
		.certificates = { certificates, 6, sizeof(certificates[0]), false },
	};
	scene.pipeline.handlers[SOURCE_tls_handshake].handle = set_content;
	make();
	expect("certificates.3.position", "0");
	expect("certificates.4", NULL);
	expect_null("findings", false);
}

static void test_content_without_certificates_is_none(void **state)
{
	(void)state;
	content = (struct content){ 0 };
	scene.pipeline.handlers[SOURCE_tls_handshake].handle = set_content;
	make();
	expect_null("certificates", false);
	expect_null("findings", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_certificates_are_read_within_their_tail),
		TEST(test_content_of_certificates_is_told),
		TEST(test_four_certificates_are_told_at_most),
		TEST(test_content_without_certificates_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
