/* SPDX-License-Identifier: MIT */
#include "datagrams.h"

#include "proto/dtls.h"

RECORDING(dtls_openssl);
RECORDING(dtls_gnutls);

static struct dtls_flow flow;

static int setup(void **state)
{
	(void)state;
	memset(&flow, 0, sizeof(flow));
	return 0;
}

static void expect_messages(enum flow_direction direction, const char *wanted)
{
	assert_string_equal(messages_text(dtls_streams(&flow).from[direction]), wanted);
}

static void take_all(const struct recording *recording)
{
	for (size_t i = 0; i < recording->count; i++)
		dtls_take(&flow, recording->list[i].end, recording->list[i].bytes,
			  recording->list[i].size);
}

static void test_openssl_with_small_fragments_is_read(void **state)
{
	struct recording recording;

	(void)state;
	recording_read(&recording, dtls_openssl);
	take_all(&recording);
	assert_true(flow.hello_verify);
	assert_true(dtls_is_established(&flow));
	expect_messages(FLOW_CLIENT, "1(179) 11(787) 16(33) 15(260)");
	expect_messages(FLOW_SERVER, "2(61) 11(787) 12(296) 13(48) 14(0) 4(966)");
	recording_free(&recording);
}

static void test_gnutls_is_read(void **state)
{
	struct recording recording;

	(void)state;
	recording_read(&recording, dtls_gnutls);
	take_all(&recording);
	assert_true(flow.hello_verify);
	assert_true(dtls_is_established(&flow));
	expect_messages(FLOW_CLIENT, "1(193) 11(3) 16(66)");
	expect_messages(FLOW_SERVER, "2(97) 11(787) 12(329) 13(39) 14(0) 4(396)");
	recording_free(&recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_openssl_with_small_fragments_is_read, setup),
		cmocka_unit_test_setup(test_gnutls_is_read, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
