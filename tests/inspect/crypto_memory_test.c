/* SPDX-License-Identifier: MIT */
/* Certificates where there is no memory for them: whole, or it is said. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "inspect/crypto_memory.h"
#include "samples.h"
#include "support/short_memory.h"

static void test_failure_is_told_once(void **state)
{
	void *memory;

	(void)state;
	need_failures();
	crypto_memory_was_short();
	memory = OPENSSL_malloc(16);
	assert_non_null(memory);
	assert_false(crypto_memory_was_short());
	fails_at = 1;
	assert_null(OPENSSL_malloc(16));
	assert_true(crypto_memory_was_short());
	assert_false(crypto_memory_was_short());
	fails_at = 1;
	assert_null(OPENSSL_realloc(memory, 1 << 20));
	assert_true(crypto_memory_was_short());
	/* Nothing was asked for. */
	assert_null(OPENSSL_malloc(0));
	assert_null(OPENSSL_realloc(memory, 0));
	OPENSSL_free(NULL);
	assert_false(crypto_memory_was_short());
}

static void expect_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void expect_same(const struct content *content, const struct content *whole)
{
	const struct certificate *a, *b;

	assert_int_equal(content->kind, whole->kind);
	assert_int_equal(content->certificates.count, whole->certificates.count);
	assert_int_equal(content->findings.count, whole->findings.count);
	expect_text(content->note, whole->note);
	a = sample_certificate(content, 0);
	b = sample_certificate(whole, 0);
	expect_text(a->subject, b->subject);
	expect_text(a->issuer, b->issuer);
	expect_text(a->serial, b->serial);
	expect_text(a->key_type, b->key_type);
	expect_text(a->curve, b->curve);
	expect_text(a->signature_algorithm, b->signature_algorithm);
	expect_text(a->fingerprint_sha256, b->fingerprint_sha256);
	assert_int_equal(a->sans_size, b->sans_size);
	assert_memory_equal(a->sans, b->sans, b->sans_size);
	assert_int_equal(a->not_after_ns, b->not_after_ns);
	assert_int_equal(a->is_self_signed, b->is_self_signed);
	assert_int_equal(a->is_ca, b->is_ca);
}

/* Has each allocation of it fail, one after the other. */
static void test_certificate_is_whole_or_missing_memory_is_said(void **state)
{
	unsigned int nr_failed = 0;
	struct content *whole;
	uint64_t now_ns = sample_now_ns();
	size_t size;
	char *text;

	(void)state;
	need_failures();
	whole = sample_make("cert.pem",
			    "openssl req -x509 -nodes -newkey ec -pkeyopt "
			    "ec_paramgen_curve:P-256 -days 9 -keyout key.pem -out cert.pem -subj "
			    "/CN=x -addext subjectAltName=DNS:a.example,IP:192.0.2.1");
	text = sample_read("cert.pem", &size);
	for (unsigned int nr = 1;; nr++) {
		struct content *content = NULL;
		bool is_short;
		int err;

		fails_at = nr;
		err = content_inspect(text, size, false, "cert.pem", NULL, now_ns, &content);
		is_short = !fails_at;
		fails_at = 0;
		if (err) {
			assert_true(is_short);
			assert_int_equal(err, -ENOMEM);
			assert_null(content);
			nr_failed++;
			continue;
		}
		expect_same(content, whole);
		content_free(content);
		if (!is_short)
			break;
	}
	assert_true(nr_failed > 100);
	/* Of that nothing is left. */
	content_free(sample_inspect("cert.pem"));
	free(text);
	content_free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failure_is_told_once),
		cmocka_unit_test(test_certificate_is_whole_or_missing_memory_is_said),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
