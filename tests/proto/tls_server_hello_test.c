/* SPDX-License-Identifier: MIT */
#include "made_tls.h"

#include "proto/tls_hello.h"

static struct made made;
static struct tls_server_hello hello;

/* What is read lies there until the next one. */
static void read_made(bool is_cut)
{
	static struct tls_message message;

	if (message.bytes)
		guard_free(message.bytes, message.size);
	message = made_guarded(&made, TLS_MESSAGE_server_hello);
	message.is_cut = is_cut;
	tls_server_hello_read(&message, &hello);
}

static void read_extension(uint16_t code, const void *data, size_t size)
{
	size_t block, extension;

	made.size = 0;
	made_server_hello(&made, 0x0303, 0xc02f);
	block = made_begin(&made, 2);
	extension = made_extension(&made, code);
	made_bytes(&made, data, size);
	made_end(&made, extension, 2);
	made_end(&made, block, 2);
	read_made(false);
}

#define READ_EXTENSION(code, data) read_extension(code, data, sizeof(data) - 1)

static void test_hello_without_extensions_is_read(void **state)
{
	(void)state;
	made.size = 0;
	made_server_hello(&made, 0x0300, 0x0005);
	read_made(false);
	assert_true(hello.is_there);
	assert_int_equal(hello.version, 0x0300);
	assert_int_equal(hello.cipher, 0x0005);
	assert_int_equal(hello.random.size, 32);
	made_expect_text(hello.session_id, "session");
	assert_false(hello.is_malformed || hello.has_downgrade_sentinel);
	assert_false(tls_server_hello_is_retry(&hello));
}

static void test_version_is_that_of_the_extension(void **state)
{
	(void)state;
	made.size = 0;
	made_server_hello_13(&made, 0x1301, 0x001d);
	read_made(false);
	assert_int_equal(hello.legacy_version, 0x0303);
	assert_int_equal(hello.version, 0x0304);
	assert_int_equal(hello.key_share_group, 0x001d);
	assert_int_equal(hello.key_share_size, 3);
	assert_true(hello.has_key_share && !hello.has_psk && !hello.is_malformed);
	EXPECT_CODES(&hello.extensions, TLS_EXTENSION_supported_versions, TLS_EXTENSION_key_share);
}

static void test_extensions_are_read(void **state)
{
	(void)state;
	READ_EXTENSION(TLS_EXTENSION_application_layer_protocol_negotiation, "\0\3\2h2");
	made_expect_text(hello.alpn, "h2");
	READ_EXTENSION(TLS_EXTENSION_extended_master_secret, "");
	assert_true(hello.has_extended_master_secret && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_encrypt_then_mac, "");
	assert_true(hello.has_encrypt_then_mac && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_session_ticket, "");
	assert_true(hello.has_session_ticket && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_renegotiation_info, "\0");
	assert_true(hello.has_renegotiation_info && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_pre_shared_key, "\0\0");
	assert_true(hello.has_psk && !hello.is_malformed);
}

static void test_wrong_lengths_are_marked(void **state)
{
	size_t block, extension;

	(void)state;
	READ_EXTENSION(TLS_EXTENSION_application_layer_protocol_negotiation, "\0\3\5h2");
	assert_true(hello.is_malformed);
	assert_int_equal(hello.alpn.size, 0);
	READ_EXTENSION(TLS_EXTENSION_supported_versions, "\3");
	assert_true(hello.is_malformed);
	assert_int_equal(hello.version, 0x0303);
	READ_EXTENSION(TLS_EXTENSION_extended_master_secret, "x");
	assert_true(hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_encrypt_then_mac, "");
	made_number(&made, 1, 0);
	read_made(false);
	assert_true(hello.is_malformed && hello.is_there);
	/* twice the same: the first counts */
	made.size = 0;
	made_server_hello(&made, 0x0303, 0xc02f);
	block = made_begin(&made, 2);
	for (uint8_t i = 4; i > 2; i--) {
		extension = made_extension(&made, TLS_EXTENSION_supported_versions);
		made_number(&made, 2, 0x0300 + i);
		made_end(&made, extension, 2);
	}
	made_end(&made, block, 2);
	read_made(false);
	assert_true(hello.is_malformed);
	assert_int_equal(hello.version, 0x0304);
}

/* Without all of its extensions there is no knowing whether it is TLS 1.3. */
static void test_cut_hello_tells_no_version(void **state)
{
	size_t whole, before_extensions;

	(void)state;
	made.size = 0;
	made_server_hello_13(&made, 0x1301, 0x001d);
	whole = made.size;
	before_extensions = 2 + 32 + 8 + 2 + 1;
	for (made.size = 0; made.size < whole; made.size++) {
		read_made(true);
		assert_false(hello.is_malformed);
		/* the extension that has it is whole */
		assert_int_equal(hello.is_there, made.size >= before_extensions + 2 + 6);
		assert_int_equal(hello.version == 0x0304, hello.is_there);
	}
}

static void test_retry_is_known_by_its_random(void **state)
{
	static const char random[] =
		"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
		"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
	size_t block, extension;

	(void)state;
	made.size = 0;
	made_server_hello(&made, 0x0303, 0x1301);
	memcpy(made.bytes + 2, random, 32);
	block = made_begin(&made, 2);
	extension = made_extension(&made, TLS_EXTENSION_key_share);
	made_number(&made, 2, 0x11ec);
	made_end(&made, extension, 2);
	made_end(&made, block, 2);
	read_made(false);
	assert_true(tls_server_hello_is_retry(&hello));
	assert_int_equal(hello.key_share_group, 0x11ec);
	assert_false(hello.is_malformed);
	made.bytes[33]++;
	read_made(false);
	assert_false(tls_server_hello_is_retry(&hello));
}

/* RFC 8446 section 4.1.3. */
static void test_sentinel_is_at_the_end_of_the_random(void **state)
{
	(void)state;
	made.size = 0;
	made_server_hello(&made, 0x0303, 0xc02f);
	memcpy(made.bytes + 2 + 24, "DOWNGRD\1", 8);
	read_made(false);
	assert_true(hello.has_downgrade_sentinel);
	made.bytes[2 + 31] = 0;
	read_made(false);
	assert_true(hello.has_downgrade_sentinel);
	made.bytes[2 + 31] = 2;
	read_made(false);
	assert_false(hello.has_downgrade_sentinel);
	made.bytes[2 + 31] = 1;
	made.bytes[2 + 24] = 'd';
	read_made(false);
	assert_false(hello.has_downgrade_sentinel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello_without_extensions_is_read),
		cmocka_unit_test(test_version_is_that_of_the_extension),
		cmocka_unit_test(test_extensions_are_read),
		cmocka_unit_test(test_wrong_lengths_are_marked),
		cmocka_unit_test(test_cut_hello_tells_no_version),
		cmocka_unit_test(test_retry_is_known_by_its_random),
		cmocka_unit_test(test_sentinel_is_at_the_end_of_the_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
