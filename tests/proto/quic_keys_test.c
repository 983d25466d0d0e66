/* SPDX-License-Identifier: MIT */
#include "datagrams.h"

#include <openssl/err.h>

#include "proto/quic_keys.h"
#include "quic_samples.h"
#include "support/quic_made.h"

static int prepare(void **state)
{
	(void)state;
	return quic_keys_prepare();
}

static int release(void **state)
{
	(void)state;
	quic_keys_release();
	return 0;
}

static void expect_bytes(const uint8_t *bytes, size_t size, const char *hex)
{
	struct datagram wanted = datagram_text(hex);

	assert_int_equal(size, wanted.size);
	assert_memory_equal(bytes, wanted.bytes, size);
	guard_free(wanted.bytes, wanted.size);
}

static void keys_of(uint32_t version, struct quic_keys keys[NR_FLOW_DIRECTIONS])
{
	struct datagram cid = datagram_text(quic_sample_cid);

	assert_true(quic_keys_make(quic_version_index(version),
				   (struct flow_text){ cid.bytes, cid.size }, keys));
	guard_free(cid.bytes, cid.size);
}

static void expect_keys(const struct quic_keys *keys, const char *key, const char *iv,
			const char *mask_key)
{
	expect_bytes(keys->key, sizeof(keys->key), key);
	expect_bytes(keys->iv, sizeof(keys->iv), iv);
	expect_bytes(keys->mask_key, sizeof(keys->mask_key), mask_key);
}

/* RFC 9001 appendix A.1. */
static void test_keys_of_version_1_are_those_of_the_rfc(void **state)
{
	struct quic_keys keys[NR_FLOW_DIRECTIONS];

	(void)state;
	keys_of(QUIC_VERSION_1, keys);
	expect_keys(&keys[FLOW_CLIENT], "1f369613dd76d5467730efcbe3b1a22d",
		    "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2");
	expect_keys(&keys[FLOW_SERVER], "cf3a5331653c364c88f0f379b6067e37",
		    "0ac1493ca1905853b0bba03e", "c206b8d9b9f0f37644430b490eeaa314");
}

/* RFC 9369 appendix A.1. */
static void test_keys_of_version_2_are_those_of_the_rfc(void **state)
{
	struct quic_keys keys[NR_FLOW_DIRECTIONS];

	(void)state;
	keys_of(QUIC_VERSION_2, keys);
	expect_keys(&keys[FLOW_CLIENT], "8b1a0bc121284290a29e0971b5cd045d",
		    "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9");
	expect_keys(&keys[FLOW_SERVER], "82db637861d55e1d011f19ea71d5d2a7",
		    "dd13c276499c0249d3310652", "edf6d05c83121201b436e16877593c3a");
}

static void test_other_versions_have_no_keys(void **state)
{
	(void)state;
	assert_int_equal(quic_version_index(0), -1);
	assert_int_equal(quic_version_index(0xff00001d), -1);
	assert_int_equal(quic_version_index(QUIC_VERSION_2 + 1), -1);
}

static void expect_open(const char *hex, uint32_t version, enum flow_direction direction,
			uint64_t number, const char *payload_hex)
{
	struct datagram datagram = datagram_text(hex), wanted = datagram_text(payload_hex);
	struct reader reader = reader_of(datagram.bytes, datagram.size);
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	struct quic_packet packet;
	struct flow_text payload;
	uint64_t found;

	keys_of(version, keys);
	assert_true(quic_packet_read(&reader, &packet));
	assert_true(quic_packet_open(&packet, &keys[direction], 0, &payload, &found));
	assert_int_equal(found, number);
	assert_true(payload.size >= wanted.size);
	assert_memory_equal(payload.bytes, wanted.bytes, wanted.size);
	for (size_t i = wanted.size; i < payload.size; i++)
		assert_int_equal(payload.bytes[i], 0);
	assert_false(quic_packet_open(&packet, &keys[!direction], 0, &payload, &found));
	assert_int_equal(ERR_peek_error(), 0);
	guard_free(datagram.bytes, datagram.size);
	guard_free(wanted.bytes, wanted.size);
}

static void test_sample_packets_are_opened(void **state)
{
	(void)state;
	expect_open(quic_sample_client, QUIC_VERSION_1, FLOW_CLIENT, 2, quic_sample_hello);
	expect_open(quic_sample_server, QUIC_VERSION_1, FLOW_SERVER, 1, quic_sample_answer);
	expect_open(quic_sample_client_2, QUIC_VERSION_2, FLOW_CLIENT, 2, quic_sample_hello);
	expect_open(quic_sample_server_2, QUIC_VERSION_2, FLOW_SERVER, 1, quic_sample_answer);
}

static bool retry_is_authentic(const char *hex, const char *cid_hex, size_t changed)
{
	struct datagram datagram = datagram_text(hex), cid = datagram_text(cid_hex);
	struct reader reader = reader_of(datagram.bytes, datagram.size);
	struct quic_packet packet;
	bool is_authentic;

	if (changed < datagram.size)
		((uint8_t *)datagram.bytes)[changed] ^= 1;
	is_authentic = quic_packet_read(&reader, &packet) && packet.type == QUIC_PACKET_RETRY &&
		       quic_retry_is_authentic(&packet, (struct flow_text){ cid.bytes, cid.size });
	guard_free(datagram.bytes, datagram.size);
	guard_free(cid.bytes, cid.size);
	return is_authentic;
}

static void test_tag_of_retry_is_checked(void **state)
{
	(void)state;
	assert_true(retry_is_authentic(quic_sample_retry, quic_sample_cid, SIZE_MAX));
	assert_true(retry_is_authentic(quic_sample_retry_2, quic_sample_cid, SIZE_MAX));
	assert_false(retry_is_authentic(quic_sample_retry, "8394c8f03e515709", SIZE_MAX));
	assert_false(retry_is_authentic(quic_sample_retry, "", SIZE_MAX));
	for (size_t i = 0; i < (sizeof(quic_sample_retry) - 1) / 2; i++)
		assert_false(retry_is_authentic(quic_sample_retry, quic_sample_cid, i));
	assert_int_equal(ERR_peek_error(), 0);
}

/* A packet number is sent by its last bytes: RFC 9000 section 17.1 and appendix A.3. */
static void expect_number(uint64_t number, unsigned size, uint64_t next, bool is_found)
{
	static const uint8_t cid[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct quic_made made = { .version = QUIC_VERSION_1,
				  .destination = { cid, sizeof(cid) },
				  .number = number,
				  .number_size = size };
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	uint8_t bytes[QUIC_MADE_MAX];
	struct quic_packet packet;
	struct flow_text payload;
	struct reader reader;
	uint64_t found = 0;

	assert_true(quic_keys_make(0, made.destination, keys));
	reader = reader_of(bytes, quic_make(&made, keys, bytes));
	assert_true(quic_packet_read(&reader, &packet));
	assert_int_equal(reader.left, 0);
	assert_int_equal(quic_packet_open(&packet, keys, next, &payload, &found), is_found);
	if (is_found)
		assert_int_equal(found, number);
}

static void test_packet_numbers_are_made_whole(void **state)
{
	(void)state;
	expect_number(0, 1, 0, true);
	expect_number(255, 1, 0, true);
	expect_number(256, 1, 200, true);
	expect_number(256, 1, 0, false);
	expect_number(0xfffffffe, 4, 0, true);
	expect_number(0x1ff, 1, 0x204, true);
	expect_number(0x203, 1, 0x1ff, true);
	expect_number(0xffffff, 2, 0x1000002, true);
	/* As far from what is expected as it may be, and one further. */
	expect_number(512, 1, 384, true);
	expect_number(257, 1, 384, true);
	expect_number(256, 1, 384, false);
	expect_number(384, 1, 256, true);
	expect_number(129, 1, 256, true);
	expect_number(385, 1, 256, false);
	/* The RFC's own: 0xa82f30eb was the largest, 0x9b32 is sent. */
	expect_number(0xa82f9b32, 2, 0xa82f30eb, true);
	expect_number(0x3fffffffffffffff, 1, 0x3fffffffffffffff, true);
	expect_number(0, 1, 0x3fffffffffffffff, false);
}

static void test_packet_without_room_for_a_sample_is_refused(void **state)
{
	uint8_t bytes[64] = { 0xc0, 0, 0, 0, 1, 0, 0, 0, 0 };
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	struct flow_text payload;
	uint64_t number;

	(void)state;
	keys_of(QUIC_VERSION_1, keys);
	for (size_t size = 0; size < 40; size++) {
		struct quic_packet packet = { .version = QUIC_VERSION_1 };
		const uint8_t *copy;

		bytes[8] = (uint8_t)size;
		copy = guard_copy(bytes, 9 + size);
		packet.bytes = copy;
		packet.size = 9 + size;
		packet.number_at = 9;
		assert_false(quic_packet_open(&packet, keys, 0, &payload, &number));
		guard_free(copy, 9 + size);
	}
}

static void test_nothing_is_done_before_preparation(void **state)
{
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	struct flow_text cid = { (const uint8_t *)"12345678", 8 };

	(void)state;
	quic_keys_release();
	assert_false(quic_keys_make(0, cid, keys));
	assert_false(retry_is_authentic(quic_sample_retry, quic_sample_cid, SIZE_MAX));
	quic_keys_release();
	assert_int_equal(quic_keys_prepare(), 0);
	assert_int_equal(quic_keys_prepare(), 0);
	assert_true(quic_keys_make(0, cid, keys));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_of_version_1_are_those_of_the_rfc),
		cmocka_unit_test(test_keys_of_version_2_are_those_of_the_rfc),
		cmocka_unit_test(test_other_versions_have_no_keys),
		cmocka_unit_test(test_sample_packets_are_opened),
		cmocka_unit_test(test_tag_of_retry_is_checked),
		cmocka_unit_test(test_packet_numbers_are_made_whole),
		cmocka_unit_test(test_packet_without_room_for_a_sample_is_refused),
		cmocka_unit_test(test_nothing_is_done_before_preparation),
	};

	return cmocka_run_group_tests(tests, prepare, release);
}
