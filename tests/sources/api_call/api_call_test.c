/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/objects.h>

#include "sources/api_call/made_event.h"
#include "support/parsed.h"
#include "support/scene.h"

#define AT(member) offsetof(struct api_call_event, member)
#define HEAD                                                                                       \
	"{\"event_type\":\"api_call\",\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,"  \
	"\"ppid\":1,\"uid\":1000,\"process\":\"demo\","

static struct scene scene;

/* What the records are of; see resolve_it(). */
static struct {
	const struct api_function *function; /* NULL: it is not known */
	const char *library;
	uint32_t family;
	bool is_server;
} it;

static int resolve_it(void *ctx, struct record *of)
{
	assert_ptr_equal(ctx, &it);
	if (!it.function)
		return STAGE_MALFORMED;
	return api_call_resolve(of, it.function, it.library, it.family, it.is_server);
}

static void open_scene(const char *format, bool is_redacted)
{
	scene_open(&scene, format, is_redacted);
	scene.pipeline.handlers[SOURCE_api_call].resolve = resolve_it;
	scene.pipeline.handlers[SOURCE_api_call].resolve_ctx = &it;
}

static int begin(void **state)
{
	(void)state;
	open_scene("json-lines", true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	scene_close(&scene);
	return 0;
}

static const char *taken(void)
{
	assert_int_equal(scene_take(&scene, &raw), 0);
	return scene_text(&scene);
}

static void begin_call(enum library_family family, const char *function)
{
	it.function = known(family, function);
	it.library = "/usr/lib/x86_64-linux-gnu/libcrypto.so.3";
	it.family = family;
	it.is_server = false;
	event_begin();
}

static void test_call_has_all_its_fields(void **state)
{
	(void)state;
	begin_call(LIBRARY_FAMILY_openssl, "EVP_CipherInit_ex");
	event_value(0, NID_aes_256_gcm);
	event_value(1, 1);
	assert_string_equal(taken(),
			    HEAD "\"function_name\":\"EVP_CipherInit_ex\","
				 "\"library\":\"/usr/lib/x86_64-linux-gnu/libcrypto.so.3\","
				 "\"family\":\"openssl\",\"kind\":\"cipher\","
				 "\"algorithm\":\"AES-256-GCM\","
				 "\"arguments\":{\"cipher\":\"AES-256-GCM\",\"encrypt\":\"1\"}}\n");
}

static void test_call_with_a_finding_has_it(void **state)
{
	(void)state;
	begin_call(LIBRARY_FAMILY_openssl, "X509_verify_cert");
	event_result(0);
	assert_string_equal(
		taken(),
		HEAD "\"function_name\":\"X509_verify_cert\","
		     "\"library\":\"/usr/lib/x86_64-linux-gnu/libcrypto.so.3\","
		     "\"family\":\"openssl\",\"kind\":\"verify\",\"algorithm\":null,\"result\":0,"
		     "\"findings\":[{\"rule\":\"certificate_rejected\",\"severity\":\"medium\","
		     "\"why\":\"a certificate was not accepted\","
		     "\"evidence\":\"X509_verify_cert\",\"processes\":[]}]}\n");
}

static void test_counted_calls_have_their_count(void **state)
{
	(void)state;
	begin_call(LIBRARY_FAMILY_openssl, "SSL_read");
	event->marks = API_COUNTED;
	event->count = 123456789012;
	assert_string_equal(taken(),
			    HEAD "\"function_name\":\"SSL_read\","
				 "\"library\":\"/usr/lib/x86_64-linux-gnu/libcrypto.so.3\","
				 "\"family\":\"openssl\",\"kind\":\"operation\","
				 "\"algorithm\":null,\"count\":123456789012}\n");
	/* one call is no count */
	begin_call(LIBRARY_FAMILY_openssl, "SSL_read");
	assert_null(parsed_value(taken(), "count"));
}

static void test_marks_say_what_is_missing(void **state)
{
	static const struct {
		uint32_t marks;
		const char *truncated, *unreadable;
	} cases[] = {
		{ 0, NULL, NULL },
		{ API_CUT, "true", NULL },
		{ API_FAULT, NULL, "true" },
		{ API_CUT | API_FAULT, "true", "true" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *fields[] = { cases[i].truncated, cases[i].unreadable };
		static const char *const names[] = { "truncated", "unreadable" };
		char text[2048];

		begin_call(LIBRARY_FAMILY_openssl, "SSL_new");
		event->marks |= cases[i].marks;
		snprintf(text, sizeof(text), "%s", taken());
		for (size_t k = 0; k < 2; k++) {
			const char *value = parsed_value(text, names[k]);

			if (fields[k])
				assert_string_equal(value, fields[k]);
			else
				assert_null(value);
		}
	}
}

static void test_result_is_there_when_it_is_known(void **state)
{
	(void)state;
	begin_call(LIBRARY_FAMILY_openssl, "SSL_do_handshake");
	assert_null(parsed_value(taken(), "result"));
	event_result(0xffffffff);
	assert_string_equal(parsed_value(taken(), "result"), "-1");
	begin_call(LIBRARY_FAMILY_openssl, "SSL_new");
	event_result(0x7f0012345678);
	assert_string_equal(parsed_value(taken(), "result"), "1");
}

static void test_kind_and_family_have_names(void **state)
{
	char text[2048];

	(void)state;
	begin_call(LIBRARY_FAMILY_gnutls, "gnutls_handshake");
	snprintf(text, sizeof(text), "%s", taken());
	assert_string_equal(parsed_value(text, "family"), "gnutls");
	assert_string_equal(parsed_value(text, "kind"), "handshake");
	/* that of the file, and not of the table that the function is in */
	begin_call(LIBRARY_FAMILY_boringssl, "SSL_connect");
	it.family = LIBRARY_FAMILY_aws_lc;
	assert_string_equal(parsed_value(taken(), "family"), "aws_lc");
	it.family = LIBRARY_FAMILY_none;
	assert_non_null(strstr(taken(), "\"family\":null"));
}

static void test_calls_of_the_kernel_are_calls(void **state)
{
	char text[2048];

	(void)state;
	it.function = api_kernel_function(API_KERNEL_bind_cipher);
	it.library = "kernel";
	it.family = LIBRARY_FAMILY_kernel;
	event_begin();
	event->slot = API_SLOT_KERNEL;
	event->function = API_KERNEL_bind;
	event_text(0, "skcipher");
	event_text(1, "cbc(aes)");
	event_result(0);
	snprintf(text, sizeof(text), "%s", taken());
	assert_string_equal(parsed_value(text, "function_name"), "bind");
	assert_string_equal(parsed_value(text, "library"), "kernel");
	assert_string_equal(parsed_value(text, "family"), "kernel");
	assert_string_equal(parsed_value(text, "algorithm"), "AES-CBC");
	assert_string_equal(parsed_value(text, "arguments.type"), "skcipher");
	assert_string_equal(parsed_value(text, "arguments.name"), "cbc(aes)");
}

/* Names of files and what programs set are theirs: people and secrets in them are not shown. */
static void test_paths_and_arguments_are_redacted(void **state)
{
	char text[2048];

	(void)state;
	begin_call(LIBRARY_FAMILY_openssl, "SSL_CTX_use_PrivateKey_file");
	it.library = "/home/bob/openssl/libssl.so.3";
	event_text(0, "/home/bob/key.pem");
	snprintf(text, sizeof(text), "%s", taken());
	assert_string_equal(parsed_value(text, "library"), "/home/USER/openssl/libssl.so.3");
	assert_string_equal(parsed_value(text, "arguments.file"), "/home/USER/key.pem");
	assert_null(strstr(text, "bob"));
	/* the name of an algorithm is what a program gave */
	begin_call(LIBRARY_FAMILY_botan, "botan_hash_init");
	event_text(0, "/home/bob/\"\n\xff");
	snprintf(text, sizeof(text), "%s", taken());
	assert_null(strstr(text, "bob"));
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_int_equal(strchr(text, '\n') - text, strlen(text) - 1);
}

static void test_text_is_for_people(void **state)
{
	(void)state;
	scene_close(&scene);
	open_scene("text", true);
	begin_call(LIBRARY_FAMILY_openssl, "SSL_CTX_set_verify");
	event_value(0, 0);
	assert_string_equal(taken(),
			    "09:00:05.123456 demo[100] api_call SSL_CTX_set_verify openssl "
			    "mode=0\n"
			    "  findings: verification_off high evidence=SSL_CTX_set_verify\n");
	begin_call(LIBRARY_FAMILY_openssl, "EVP_DigestFinal_ex");
	event_value(0, NID_sha256);
	assert_string_equal(taken(),
			    "09:00:05.123456 demo[100] api_call EVP_DigestFinal_ex openssl "
			    "SHA-256 hash=SHA-256\n");
}

static void test_call_that_nobody_knows_is_malformed(void **state)
{
	(void)state;
	begin_call(LIBRARY_FAMILY_openssl, "SSL_new");
	it.function = NULL;
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_api_call].malformed, 1);
}

/* A recording that is read without its probes, say. */
static void test_call_that_is_not_resolved_is_written_all_the_same(void **state)
{
	(void)state;
	begin_call(LIBRARY_FAMILY_openssl, "SSL_new");
	scene.pipeline.handlers[SOURCE_api_call].resolve = NULL;
	event_value(0, 1);
	event_text(1, "text");
	event_result(1);
	assert_string_equal(taken(), HEAD "\"function_name\":null,\"library\":null,\"family\":null,"
					  "\"kind\":null,\"algorithm\":null}\n");
}

static const size_t tails[] = { AT(texts[0]), AT(texts[1]), AT(texts[2]), AT(method) };

/* Every string has to lie in the record, behind its fixed part. */
static void test_strings_outside_the_record_are_malformed(void **state)
{
	static const struct tail bad[] = {
		{ .off = sizeof(struct api_call_event), .size = 9 },
		{ .off = sizeof(struct api_call_event) + 8, .size = 1 },
		{ .off = sizeof(struct api_call_event) - 1, .size = 1 },
		{ .off = 0, .size = 8 },
		{ .off = UINT16_MAX, .size = UINT16_MAX },
		{ .off = sizeof(struct api_call_event), .size = UINT16_MAX },
	};
	uint64_t nr_malformed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
			begin_call(LIBRARY_FAMILY_openssl, "EVP_Q_mac");
			raw_tail_text(&raw, tails[i], "HMACHMAC");
			assert_true(*taken() != '\0');
			memcpy(raw.bytes + tails[i], &bad[k], sizeof(bad[k]));
			assert_string_equal(taken(), "");
			nr_malformed++;
			assert_int_equal(scene.pipeline.fates[SOURCE_api_call].malformed,
					 nr_malformed);
		}
}

/* Up to the last byte, and the same bytes as two strings. */
static void test_strings_at_the_bounds_of_the_record_are_whole(void **state)
{
	static char longest[API_TEXT_MAX + 1];
	char text[4096];

	(void)state;
	memset(longest, 'x', API_TEXT_MAX);
	begin_call(LIBRARY_FAMILY_openssl, "SSL_CONF_cmd");
	event_text(0, longest);
	event->texts[1] = event->texts[0];
	snprintf(text, sizeof(text), "%s", taken());
	assert_string_equal(parsed_value(text, "arguments.command"), longest);
	assert_string_equal(parsed_value(text, "arguments.value"), longest);
}

static void test_short_records_are_malformed(void **state)
{
	(void)state;
	begin_call(LIBRARY_FAMILY_openssl, "SSL_new");
	raw.size = sizeof(struct api_call_event) - 8;
	raw_hdr(&raw)->size = (uint32_t)raw.size;
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_api_call].malformed, 1);
}

static void test_full_arena_is_malformed_and_no_crash(void **state)
{
	const struct api_function *function = known(LIBRARY_FAMILY_openssl, "SSL_new");

	(void)state;
	event_begin();
	assert_int_equal(record_decode(&record, &arena, raw.bytes, raw.size), STAGE_NEXT);
	arena.used = sizeof(arena.bytes) - 8;
	assert_int_equal(api_call_resolve(&record, function, MADE_LIBRARY, function->family, false),
			 STAGE_MALFORMED);
	assert_null(api_call_of(&record));
}

/* --redact-sni: who is asked for is an argument, too; what else is set stays. */
static void test_names_of_hosts_are_hidden_on_request(void **state)
{
	(void)state;
	event_begin();
	event_text(0, "secret.example");
	resolved(known(LIBRARY_FAMILY_gnutls, "gnutls_x509_crt_check_hostname2"));
	api_call_hide_hosts(&record);
	assert_int_equal(api_call_of(&record)->argument[0].size, 3);
	assert_memory_equal(api_call_of(&record)->argument[0].text, "***", 3);
	event_begin();
	event_value(0, 98);
	event_text(1, "ECDSA+SHA256");
	resolved(known(LIBRARY_FAMILY_openssl, "SSL_ctrl"));
	api_call_hide_hosts(&record);
	assert_memory_equal(api_call_of(&record)->argument[0].text, "ECDSA+SHA256", 12);
	/* A call that nobody knows has nothing to hide. */
	event_begin();
	assert_int_equal(record_decode(&record, &arena, raw.bytes, raw.size), STAGE_NEXT);
	api_call_hide_hosts(&record);
	assert_null(api_call_of(&record));
}

/* It is there when it is asked for: it costs more than others. */
static void test_source_is_on_demand(void **state)
{
	(void)state;
	assert_true(api_call_source.is_on_demand);
	assert_false(api_call_source.is_internal);
	assert_int_equal(api_call_source.min_size, sizeof(struct api_call_event));
	assert_int_equal(api_call_source.nr_tails, sizeof(tails) / sizeof(tails[0]));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_call_has_all_its_fields),
		TEST(test_call_with_a_finding_has_it),
		TEST(test_counted_calls_have_their_count),
		TEST(test_marks_say_what_is_missing),
		TEST(test_result_is_there_when_it_is_known),
		TEST(test_kind_and_family_have_names),
		TEST(test_calls_of_the_kernel_are_calls),
		TEST(test_paths_and_arguments_are_redacted),
		TEST(test_text_is_for_people),
		TEST(test_call_that_nobody_knows_is_malformed),
		TEST(test_call_that_is_not_resolved_is_written_all_the_same),
		TEST(test_strings_outside_the_record_are_malformed),
		TEST(test_strings_at_the_bounds_of_the_record_are_whole),
		TEST(test_short_records_are_malformed),
		TEST(test_full_arena_is_malformed_and_no_crash),
		TEST(test_names_of_hosts_are_hidden_on_request),
		TEST(test_source_is_on_demand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
