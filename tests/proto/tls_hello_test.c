/* SPDX-License-Identifier: MIT */
#include "made_tls.h"

#include "proto/tls_hello.h"

static struct made made;
static struct tls_client_hello hello;

static void begin(void)
{
	made.size = 0;
	made_client_hello(&made, 0x0303);
}

/* What is read lies there until the next one. */
static void read_made(void)
{
	static struct tls_message message;

	if (message.bytes)
		guard_free(message.bytes, message.size);
	message = made_guarded(&made, TLS_MESSAGE_client_hello);
	tls_client_hello_read(&message, false, &hello);
}

/* One extension of DATA alone behind the rest. */
static void read_extension(uint16_t code, const void *data, size_t size)
{
	size_t block, extension;

	begin();
	block = made_begin(&made, 2);
	extension = made_extension(&made, code);
	made_bytes(&made, data, size);
	made_end(&made, extension, 2);
	made_end(&made, block, 2);
	read_made();
}

#define READ_EXTENSION(code, data) read_extension(code, data, sizeof(data) - 1)

static void test_hello_without_extensions_is_read(void **state)
{
	(void)state;
	begin();
	read_made();
	assert_true(hello.is_there);
	assert_false(hello.has_extensions || hello.is_malformed || hello.is_cut);
	assert_int_equal(hello.legacy_version, 0x0303);
	assert_int_equal(hello.random.size, 32);
	made_expect_text(hello.session_id, "session");
	EXPECT_CODES(&hello.ciphers, 0x1301, 0xc02f, 0x002f);
	assert_int_equal(hello.extensions.nr, 0);
	assert_false(hello.offers_compression || hello.has_grease);
	/* with a block, though an empty one */
	made_number(&made, 2, 0);
	read_made();
	assert_true(hello.has_extensions);
	assert_false(hello.is_malformed);
}

static void test_signs_among_suites_are_seen(void **state)
{
	(void)state;
	made.size = 0;
	made_number(&made, 2, 0x0301);
	made_fill(&made, 1, 32);
	made_vector(&made, 1, "", 0);
	MADE_CODES(&made, 2, 0x002f, 0x00ff, 0x5600);
	made_vector(&made, 1, "\1\0", 2);
	read_made();
	assert_true(hello.has_renegotiation_info && hello.has_fallback);
	assert_true(hello.offers_compression);
	assert_int_equal(hello.session_id.size, 0);
	assert_false(hello.is_malformed);
}

static void test_lists_of_extensions_are_read(void **state)
{
	(void)state;
	READ_EXTENSION(TLS_EXTENSION_supported_groups, "\0\4\x11\xec\0\x1d");
	EXPECT_CODES(&hello.groups, 0x11ec, 0x001d);
	READ_EXTENSION(TLS_EXTENSION_signature_algorithms, "\0\4\4\3\x09\5");
	EXPECT_CODES(&hello.signatures, 0x0403, 0x0905);
	READ_EXTENSION(TLS_EXTENSION_signature_algorithms_cert, "\0\2\2\1");
	EXPECT_CODES(&hello.certificate_signatures, 0x0201);
	READ_EXTENSION(TLS_EXTENSION_supported_versions, "\4\3\4\3\3");
	EXPECT_CODES(&hello.versions, 0x0304, 0x0303);
	READ_EXTENSION(TLS_EXTENSION_compress_certificate, "\4\0\2\0\3");
	EXPECT_CODES(&hello.compressions, 2, 3);
	READ_EXTENSION(TLS_EXTENSION_ec_point_formats, "\2\0\1");
	assert_int_equal(hello.point_formats.nr, 2);
	assert_int_equal(hello.point_formats.bytes[1], 1);
	READ_EXTENSION(TLS_EXTENSION_psk_key_exchange_modes, "\2\1\0");
	assert_int_equal(hello.psk_modes.nr, 2);
	assert_int_equal(hello.psk_modes.bytes[0], 1);
	assert_false(hello.is_malformed);
	EXPECT_CODES(&hello.extensions, TLS_EXTENSION_psk_key_exchange_modes);
}

static void test_flags_of_extensions_are_seen(void **state)
{
	(void)state;
	READ_EXTENSION(TLS_EXTENSION_extended_master_secret, "");
	assert_true(hello.has_extended_master_secret && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_encrypt_then_mac, "");
	assert_true(hello.has_encrypt_then_mac && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_renegotiation_info, "\0");
	assert_true(hello.has_renegotiation_info && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_early_data, "");
	assert_true(hello.has_early_data && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_session_ticket, "");
	assert_true(hello.has_session_ticket && !hello.offers_ticket && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_session_ticket, "ticket");
	assert_true(hello.has_session_ticket && hello.offers_ticket && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_encrypted_client_hello, "\0whatever");
	assert_true(hello.server_name_is_outer && !hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_pre_shared_key, "\0\7\0\1x\0\0\0\0\0\3\2bb");
	assert_true(hello.offers_psk && !hello.is_malformed);
	READ_EXTENSION(0xabcd, "of no meaning");
	EXPECT_CODES(&hello.extensions, 0xabcd);
	assert_false(hello.is_malformed);
}

static void test_first_host_name_is_the_name(void **state)
{
	(void)state;
	READ_EXTENSION(TLS_EXTENSION_server_name, "\0\6\0\0\3a.b");
	made_expect_text(hello.server_name, "a.b");
	READ_EXTENSION(TLS_EXTENSION_server_name, "\0\x0f\7\0\2xx\0\0\2ab\0\0\2cd");
	made_expect_text(hello.server_name, "ab");
	assert_false(hello.is_malformed);
	READ_EXTENSION(TLS_EXTENSION_server_name, "\0\7\0\0\4\"\0\xff\n");
	assert_int_equal(hello.server_name.size, 4);
	READ_EXTENSION(TLS_EXTENSION_server_name, "\0\3\0\0\0");
	assert_int_equal(hello.server_name.size, 0);
	READ_EXTENSION(TLS_EXTENSION_server_name, "");
	assert_int_equal(hello.server_name.size, 0);
	assert_true(hello.is_malformed);
}

static void test_protocols_and_key_shares_are_read(void **state)
{
	(void)state;
	READ_EXTENSION(TLS_EXTENSION_application_layer_protocol_negotiation,
		       "\0\x0c\2h2\x08http/1.1");
	assert_int_equal(hello.nr_alpn, 2);
	made_expect_text(hello.alpn[0], "h2");
	made_expect_text(hello.alpn[1], "http/1.1");
	READ_EXTENSION(TLS_EXTENSION_key_share, "\0\x0b\x11\xec\0\3abc\0\x1d\0\0");
	assert_int_equal(hello.nr_key_shares, 2);
	assert_int_equal(hello.key_shares[0].group, 0x11ec);
	assert_int_equal(hello.key_shares[0].size, 3);
	assert_int_equal(hello.key_shares[1].size, 0);
	/* none yet: the client waits for HelloRetryRequest */
	READ_EXTENSION(TLS_EXTENSION_key_share, "\0\0");
	assert_int_equal(hello.nr_key_shares, 0);
	assert_false(hello.is_malformed);
}

/* RFC 8701 section 3.1: wherever a client may put them. */
static void test_grease_is_left_out(void **state)
{
	size_t block, extension;

	(void)state;
	READ_EXTENSION(TLS_EXTENSION_supported_groups, "\0\4\x3a\x3a\0\x1d");
	EXPECT_CODES(&hello.groups, 0x001d);
	assert_true(hello.has_grease);
	READ_EXTENSION(TLS_EXTENSION_supported_versions, "\4\x4a\x4a\3\4");
	EXPECT_CODES(&hello.versions, 0x0304);
	READ_EXTENSION(TLS_EXTENSION_signature_algorithms, "\0\4\x5a\x5a\4\3");
	EXPECT_CODES(&hello.signatures, 0x0403);
	READ_EXTENSION(TLS_EXTENSION_key_share, "\0\x0a\x6a\x6a\0\1x\0\x1d\0\1y");
	assert_int_equal(hello.nr_key_shares, 1);
	READ_EXTENSION(TLS_EXTENSION_application_layer_protocol_negotiation, "\0\6\2\x7a\x7a\2h2");
	assert_int_equal(hello.nr_alpn, 1);
	READ_EXTENSION(TLS_EXTENSION_psk_key_exchange_modes, "\2\x2a\1");
	assert_int_equal(hello.psk_modes.nr, 1);
	assert_true(hello.has_grease);
	READ_EXTENSION(0x8a8a, "x");
	assert_int_equal(hello.extensions.nr, 0);
	assert_true(hello.has_grease && hello.has_extensions && !hello.is_malformed);
	made.size = 0;
	made_number(&made, 2, 0x0303);
	made_fill(&made, 1, 32);
	made_vector(&made, 1, "", 0);
	MADE_CODES(&made, 2, 0xfafa, 0x1301);
	made_vector(&made, 1, "", 1);
	block = made_begin(&made, 2);
	/* twice the same is no fault here */
	for (size_t i = 0; i < 2; i++) {
		extension = made_extension(&made, 0x0a0a);
		made_end(&made, extension, 2);
	}
	made_end(&made, block, 2);
	read_made();
	EXPECT_CODES(&hello.ciphers, 0x1301);
	assert_true(hello.has_grease && !hello.is_malformed);
}

static void test_lengths_that_do_not_fit_are_marked(void **state)
{
	static const struct {
		uint16_t code;
		const char *data;
		size_t size;
	} wrong[] = {
		{ TLS_EXTENSION_supported_groups, "\0\5\0\x1d\0\x17\0", 7 }, /* half a number */
		{ TLS_EXTENSION_supported_groups, "\0\x08\0\x1d", 4 },	     /* beyond the body */
		{ TLS_EXTENSION_supported_groups, "\0\2\0\x1d\0\x17", 6 },   /* left over */
		{ TLS_EXTENSION_supported_groups, "\0", 1 },
		{ TLS_EXTENSION_supported_groups, "", 0 },
		{ TLS_EXTENSION_supported_versions, "\3\3\4\3", 4 },
		{ TLS_EXTENSION_supported_versions, "\4\3\4", 3 },
		{ TLS_EXTENSION_application_layer_protocol_negotiation, "\0\3\5h2", 5 },
		{ TLS_EXTENSION_key_share, "\0\5\0\x1d\0\2x", 7 },
		{ TLS_EXTENSION_key_share, "\0\3\0\x1d\0", 5 },
		{ TLS_EXTENSION_server_name, "\0\5\0\0\5ab", 7 },
		{ TLS_EXTENSION_ec_point_formats, "\3\0", 2 },
		{ TLS_EXTENSION_psk_key_exchange_modes, "\1\1\0", 3 },
		{ TLS_EXTENSION_extended_master_secret, "x", 1 },
		{ TLS_EXTENSION_renegotiation_info, "\5a", 2 },
		{ TLS_EXTENSION_pre_shared_key, "\0\1", 2 },
		{ TLS_EXTENSION_compress_certificate, "\5\0", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		read_extension(wrong[i].code, wrong[i].data, wrong[i].size);
		if (!hello.is_malformed)
			fail_msg("case %zu is not marked", i);
		EXPECT_CODES(&hello.ciphers, 0x1301, 0xc02f, 0x002f);
	}
	/* bytes behind the block */
	READ_EXTENSION(TLS_EXTENSION_early_data, "");
	made_number(&made, 1, 0);
	read_made();
	assert_true(hello.is_malformed && hello.has_early_data);
	/* a block beyond the message */
	begin();
	made_number(&made, 2, 5);
	made_number(&made, 4, 0);
	read_made();
	assert_true(hello.is_malformed);
	/* suites beyond the message */
	made.size = 35;
	made_number(&made, 2, 4);
	made_number(&made, 2, 0x1301);
	read_made();
	assert_true(hello.is_malformed && hello.is_there);
}

static void test_lists_of_nothing_are_empty(void **state)
{
	(void)state;
	READ_EXTENSION(TLS_EXTENSION_supported_groups, "\0\0");
	assert_int_equal(hello.groups.nr, 0);
	READ_EXTENSION(TLS_EXTENSION_supported_versions, "\0");
	assert_int_equal(hello.versions.nr, 0);
	READ_EXTENSION(TLS_EXTENSION_application_layer_protocol_negotiation, "\0\0");
	assert_int_equal(hello.nr_alpn, 0);
	assert_false(hello.is_malformed);
	made.size = 0;
	made_number(&made, 2, 0x0303);
	made_fill(&made, 0, 32);
	made_vector(&made, 1, "", 0);
	made_vector(&made, 2, "", 0);
	made_vector(&made, 1, "", 0);
	read_made();
	assert_int_equal(hello.ciphers.nr, 0);
	assert_false(hello.is_malformed);
	made.size = 0;
	read_made();
	assert_true(hello.is_malformed && hello.is_there);
}

static void test_of_two_the_first_counts(void **state)
{
	size_t block, extension;

	(void)state;
	begin();
	block = made_begin(&made, 2);
	for (uint8_t i = 0; i < 2; i++) {
		extension = made_extension(&made, TLS_EXTENSION_supported_versions);
		made_number(&made, 1, 2);
		made_number(&made, 2, 0x0303 + i);
		made_end(&made, extension, 2);
	}
	made_end(&made, block, 2);
	read_made();
	EXPECT_CODES(&hello.versions, 0x0303);
	assert_true(hello.is_malformed);
	assert_int_equal(hello.extensions.nr, 2);
}

static void test_long_lists_are_cut_and_say_so(void **state)
{
	size_t block, extension, list;

	(void)state;
	made.size = 0;
	made_number(&made, 2, 0x0303);
	made_fill(&made, 0, 32);
	made_vector(&made, 1, "", 0);
	list = made_begin(&made, 2);
	for (size_t i = 0; i < TLS_CODES_MAX + 10; i++)
		made_number(&made, 2, 0xc000 + i);
	made_end(&made, list, 2);
	made_vector(&made, 1, "", 1);
	block = made_begin(&made, 2);
	extension = made_extension(&made, TLS_EXTENSION_key_share);
	list = made_begin(&made, 2);
	for (size_t i = 0; i < TLS_KEY_SHARES_MAX + 1; i++) {
		made_number(&made, 2, i);
		made_vector(&made, 2, "x", 1);
	}
	made_end(&made, list, 2);
	made_end(&made, extension, 2);
	extension = made_extension(&made, TLS_EXTENSION_application_layer_protocol_negotiation);
	list = made_begin(&made, 2);
	for (size_t i = 0; i < TLS_ALPN_MAX + 1; i++)
		made_vector(&made, 1, "x", 1);
	made_end(&made, list, 2);
	made_end(&made, extension, 2);
	extension = made_extension(&made, TLS_EXTENSION_ec_point_formats);
	made_vector(&made, 1, "\0\1\2\3\4\5\6\7\x08", 9);
	made_end(&made, extension, 2);
	made_end(&made, block, 2);
	read_made();
	assert_int_equal(hello.ciphers.nr, TLS_CODES_MAX);
	assert_true(hello.ciphers.is_cut);
	assert_int_equal(hello.ciphers.codes[TLS_CODES_MAX - 1], 0xc000 + TLS_CODES_MAX - 1);
	assert_int_equal(hello.nr_key_shares, TLS_KEY_SHARES_MAX);
	assert_true(hello.key_shares_are_cut);
	assert_int_equal(hello.nr_alpn, TLS_ALPN_MAX);
	assert_true(hello.alpn_is_cut);
	assert_int_equal(hello.point_formats.nr, TLS_BYTES_MAX);
	assert_true(hello.point_formats.is_cut);
	assert_false(hello.is_malformed || hello.is_cut);
}

/* Wherever the flow ends, what came before is told and nothing is called wrong. */
static void test_cut_hello_is_read_as_far_as_it_goes(void **state)
{
	struct tls_message whole;

	(void)state;
	READ_EXTENSION(TLS_EXTENSION_server_name, "\0\6\0\0\3a.b");
	whole = made_guarded(&made, TLS_MESSAGE_client_hello);
	for (size_t size = 0; size < whole.size; size++) {
		struct tls_message cut = {
			.type = TLS_MESSAGE_client_hello,
			.is_cut = true,
			.bytes = guard_copy(whole.bytes, size),
			.size = size,
		};

		tls_client_hello_read(&cut, false, &hello);
		if (!hello.is_cut || hello.is_malformed)
			fail_msg("at %zu of %zu bytes: malformed", size, whole.size);
		if (size >= 44 + 2 * 2)
			assert_true(hello.ciphers.nr >= 2);
		assert_int_equal(hello.server_name.size, 0);
		guard_free(cut.bytes, size);
	}
	assert_int_equal(hello.ciphers.nr, 3);
	guard_free(whole.bytes, whole.size);
}

/* RFC 6347 section 4.2.1. */
static void test_hello_of_dtls_has_a_cookie(void **state)
{
	struct tls_message message;

	(void)state;
	made.size = 0;
	made_number(&made, 2, 0xfefd);
	made_fill(&made, 0, 32);
	made_vector(&made, 1, "", 0);
	made_vector(&made, 1, "cookie", 6);
	MADE_CODES(&made, 2, 0xc02f);
	made_vector(&made, 1, "", 1);
	message = made_guarded(&made, TLS_MESSAGE_client_hello);
	tls_client_hello_read(&message, true, &hello);
	made_expect_text(hello.cookie, "cookie");
	EXPECT_CODES(&hello.ciphers, 0xc02f);
	assert_false(hello.is_malformed);
	guard_free(message.bytes, message.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello_without_extensions_is_read),
		cmocka_unit_test(test_signs_among_suites_are_seen),
		cmocka_unit_test(test_lists_of_extensions_are_read),
		cmocka_unit_test(test_flags_of_extensions_are_seen),
		cmocka_unit_test(test_first_host_name_is_the_name),
		cmocka_unit_test(test_protocols_and_key_shares_are_read),
		cmocka_unit_test(test_grease_is_left_out),
		cmocka_unit_test(test_lengths_that_do_not_fit_are_marked),
		cmocka_unit_test(test_lists_of_nothing_are_empty),
		cmocka_unit_test(test_of_two_the_first_counts),
		cmocka_unit_test(test_long_lists_are_cut_and_say_so),
		cmocka_unit_test(test_cut_hello_is_read_as_far_as_it_goes),
		cmocka_unit_test(test_hello_of_dtls_has_a_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
