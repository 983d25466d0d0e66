/* SPDX-License-Identifier: MIT */
#include "made_certificate.h"

#include <ctype.h>
#include <openssl/err.h>

#include "catalogue/files.h"
#include "inspect/x509.h"

static const char authorities[] = "/etc/ssl/certs/ca-certificates.crt";

/* TEXT without colons, in lower case. */
static char *plain_hex(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from != ':')
			*to++ = (char)tolower((unsigned char)*from);
	*to = '\0';
	return text;
}

/* What `openssl x509 OPTIONS` prints of cert.pem behind its first '='. */
static char *told(const char *options)
{
	char script[256];
	char *output, *value;

	snprintf(script, sizeof(script), "openssl x509 -in cert.pem -noout %s", options);
	output = sample_output(script);
	value = strchr(output, '=');
	assert_non_null(value);
	memmove(output, value + 1, strlen(value));
	return output;
}

static void expect_told(const char *options, const char *seen)
{
	char *expected = told(options);

	assert_string_equal(seen, expected);
	free(expected);
}

static void expect_hex(const char *options, const char *seen)
{
	char *expected = plain_hex(told(options));

	assert_string_equal(seen, expected);
	free(expected);
}

/* ISO 8601 of openssl: "2026-01-02 03:04:05Z". */
static void expect_time(const char *options, uint64_t ns)
{
	char *expected = told(options);
	time_t seconds = (time_t)(ns / 1000000000ULL);
	char seen[32];

	strftime(seen, sizeof(seen), "%Y-%m-%d %H:%M:%SZ", gmtime(&seconds));
	assert_string_equal(seen, expected);
	free(expected);
}

static void expect_same_as_openssl(const struct content *content)
{
	const struct certificate *it = sample_certificate(content, 0);

	assert_int_equal(content->certificates.count, 1);
	expect_told("-subject -nameopt RFC2253,-esc_msb", it->subject);
	expect_told("-issuer -nameopt RFC2253,-esc_msb", it->issuer);
	expect_hex("-serial", it->serial);
	expect_hex("-fingerprint -sha256", it->fingerprint_sha256);
	expect_time("-startdate -dateopt iso_8601", it->not_before_ns);
	expect_time("-enddate -dateopt iso_8601", it->not_after_ns);
}

static void expect_key(const struct content *content, const char *type, const char *curve,
		       uint32_t bits, const char *signature)
{
	const struct certificate *it = sample_certificate(content, 0);

	assert_string_equal(it->key_type, type);
	assert_int_equal(it->key_bits, bits);
	if (curve)
		assert_string_equal(it->curve, curve);
	else
		assert_null(it->curve);
	assert_string_equal(it->signature_algorithm, signature);
}

static void test_facts_equal_what_openssl_prints(void **state)
{
	static const struct {
		const char *options, *type, *curve;
		uint32_t bits;
		const char *signature;
	} rows[] = {
		{ "-newkey rsa:2048 -sha256", "RSA", NULL, 2048, "RSA-SHA256" },
		{ "-newkey rsa:1536 -sha512", "RSA", NULL, 1536, "RSA-SHA512" },
		{ "-newkey rsa:2048 -sha256 -sigopt rsa_padding_mode:pss", "RSA", NULL, 2048,
		  "RSASSA-PSS" },
		{ "-newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384", "EC", "P-384", 384,
		  "ECDSA-SHA384" },
		{ "-newkey ed25519", "Ed25519", NULL, 256, "Ed25519" },
		{ "-newkey ed448", "Ed448", NULL, 456, "Ed448" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char script[512];

		snprintf(script, sizeof(script),
			 "openssl req -x509 -nodes -utf8 %s -days 90 -keyout key.pem -out cert.pem "
			 "-subj '/C=DE/O=B\xc3\xbc"
			 "cher, \\+ Co/OU=a#b/CN= leading \"quoted\"'",
			 rows[i].options);

		struct content *content = sample_make("cert.pem", script);

		expect_same_as_openssl(content);
		expect_key(content, rows[i].type, rows[i].curve, rows[i].bits, rows[i].signature);
		assert_true(sample_certificate(content, 0)->is_self_signed);
		assert_true(sample_certificate(content, 0)->is_ca);
		/* 90 within the second in which it was made. */
		assert_in_range(sample_certificate(content, 0)->days_left, 89, 90);
		assert_int_equal(content->type, FILE_TYPE_certificate);
		assert_int_equal(content->kind, FILE_KIND_certificate);
		assert_null(content->note);
		content_free(content);
	}
}

static void test_alternative_names_are_listed(void **state)
{
	static const char expected[] = "DNS:a.example\0DNS:*.b.example\0IP:192.0.2.1\0"
				       "IP:2001:db8::1\0email:x@c.example\0"
				       "URI:https://d.example/\0othername";
	struct content *content = sample_make(
		"cert.pem",
		"openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 9"
		" -keyout key.pem -out cert.pem -subj /CN=x -addext 'subjectAltName=DNS:a.example,"
		"DNS:*.b.example,IP:192.0.2.1,IP:2001:db8::1,email:x@c.example,"
		"URI:https://d.example/,otherName:1.2.3.4;UTF8:secret'");
	const struct certificate *it = sample_certificate(content, 0);

	(void)state;
	assert_int_equal(it->sans_size, sizeof(expected) - 1);
	assert_memory_equal(it->sans, expected, sizeof(expected) - 1);
	content_free(content);
}

static void test_every_authority_of_the_system_is_told(void **state)
{
	struct content *content;
	char *expected, *at;
	size_t count = 0;

	(void)state;
	if (access(authorities, R_OK) != 0)
		skip();
	content = sample_inspect(authorities);
	/* Each certificate by itself through openssl; one line each. */
	expected =
		sample_output("csplit -sz -f part -b %03d "
			      "/etc/ssl/certs/ca-certificates.crt '/BEGIN CERT/' '{*}';"
			      "for f in part*; do openssl x509 -in $f -noout -fingerprint -sha256 "
			      "-subject -nameopt RFC2253,-esc_msb; done");
	at = expected;
	assert_int_equal(content->kind, FILE_KIND_ca_bundle);
	assert_true(content->certificates.count > 50);
	while (at && *at) {
		const struct certificate *it = sample_certificate(content, count++);
		char *fingerprint = strsep(&at, "\n");
		char *subject = strsep(&at, "\n");

		assert_string_equal(it->fingerprint_sha256,
				    plain_hex(strchr(fingerprint, '=') + 1));
		assert_string_equal(it->subject, strchr(subject, '=') + 1);
		assert_string_equal(it->chain, "root");
		assert_true(it->is_self_signed);
		assert_non_null(it->key_type);
		assert_true(it->key_bits > 0);
	}
	assert_int_equal(count, content->certificates.count);
	for (size_t i = 0; i < content->findings.count; i++)
		assert_true(((const struct finding *)content->findings.items)[i].severity <=
			    SEVERITY_low);
	free(expected);
	content_free(content);
}

static void test_own_name_with_another_key_is_not_self_signed(void **state)
{
	struct content *content;

	(void)state;
	assert_int_equal(
		sample_run("openssl req -x509 -nodes -newkey rsa:1024 -subj /CN=x -keyout a.key"
			   " -out a.pem; openssl req -new -nodes -newkey rsa:1024 -subj /CN=x"
			   " -keyout b.key -out b.csr; openssl x509 -req -in b.csr -CA a.pem"
			   " -CAkey a.key -CAcreateserial -out cert.pem"),
		0);
	content = sample_inspect("cert.pem");
	assert_string_equal(sample_certificate(content, 0)->subject, "CN=x");
	assert_string_equal(sample_certificate(content, 0)->issuer, "CN=x");
	assert_false(sample_certificate(content, 0)->is_self_signed);
	assert_string_equal(sample_certificate(content, 0)->chain, "alone");
	content_free(content);
}

static void test_dates_beyond_the_range_are_cut(void **state)
{
	struct made made = { .subject = "x",
			     .digest = "SHA256",
			     .curve = "P-256",
			     .begin_days = -30000,
			     .end_days = 2000000 };
	struct content *content = made_judge(&made, NULL);
	const struct certificate *it = sample_certificate(content, 0);

	(void)state;
	assert_true(it->not_before_ns == 1);
	assert_true(it->not_after_ns == UINT64_MAX);
	assert_int_equal(it->days_left, 2000000);
	assert_string_equal(it->serial, "1234");
	content_free(content);
}

/* Days throughout 150 years, as libcrypto writes them. */
static void test_every_date_is_read(void **state)
{
	X509 *x509 = made_certificate(
		&(struct made){ .subject = "x", .digest = "SHA256", .curve = "P-256" });

	(void)state;
	for (time_t day = 1; day < 55000; day += 97) {
		unsigned char *der = NULL;
		struct content *content;
		int size;

		ASN1_TIME_set(X509_getm_notAfter(x509), day * 86400 + day % 86400);
		size = i2d_re_X509_tbs(x509, &der);
		OPENSSL_free(der);
		der = NULL;
		size = i2d_X509(x509, &der);
		assert_true(size > 0);
		content = sample_judge(der, (size_t)size, NULL);
		assert_true(sample_certificate(content, 0)->not_after_ns ==
			    (uint64_t)(day * 86400 + day % 86400) * 1000000000ULL);
		content_free(content);
		OPENSSL_free(der);
	}
	X509_free(x509);
}

static void test_name_that_is_no_text_is_damage(void **state)
{
	X509 *x509 = made_certificate(
		&(struct made){ .subject = "x", .digest = "SHA256", .curve = "P-256" });
	X509_NAME *name = X509_get_subject_name(x509);
	unsigned char *der = NULL;
	struct content *content;
	int size;

	(void)state;
	X509_NAME_add_entry_by_txt(name, "O", V_ASN1_UTF8STRING, (const unsigned char *)"\xff\xfe",
				   2, -1, 0);
	size = i2d_re_X509_tbs(x509, &der);
	OPENSSL_free(der);
	der = NULL;
	size = i2d_X509(x509, &der);
	assert_true(size > 0);
	content = sample_judge(der, (size_t)size, NULL);
	assert_int_equal(content->certificates.count, 0);
	assert_string_equal(content->note, "damaged: a certificate cannot be read");
	OPENSSL_free(der);
	X509_free(x509);
	content_free(content);
}

static void test_errors_of_libcrypto_are_not_left_behind(void **state)
{
	static const uint8_t damaged[] = { 0x30, 0x03, 0x02, 0x01, 0x01 };
	struct content *content = sample_judge(damaged, sizeof(damaged), NULL);

	(void)state;
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(content->kind, FILE_KIND_unknown);
	content_free(content);
}

static void test_prepare_may_be_called_again(void **state)
{
	(void)state;
	assert_int_equal(x509_prepare(), 0);
	assert_int_equal(content_prepare(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts_equal_what_openssl_prints),
		cmocka_unit_test(test_alternative_names_are_listed),
		cmocka_unit_test(test_every_authority_of_the_system_is_told),
		cmocka_unit_test(test_own_name_with_another_key_is_not_self_signed),
		cmocka_unit_test(test_dates_beyond_the_range_are_cut),
		cmocka_unit_test(test_every_date_is_read),
		cmocka_unit_test(test_name_that_is_no_text_is_damage),
		cmocka_unit_test(test_errors_of_libcrypto_are_not_left_behind),
		cmocka_unit_test(test_prepare_may_be_called_again),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
