/* SPDX-License-Identifier: MIT */
#include "proto/tls_hello.h"

#include <string.h>

#include "catalogue/tls.h"
#include "lib/array.h"
#include "proto/reader.h"

#define RANDOM_SIZE 32

/* SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3). */
static const uint8_t retry_random[RANDOM_SIZE] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

bool tls_server_hello_is_retry(const struct tls_server_hello *hello)
{
	return hello->random.size == RANDOM_SIZE &&
	       memcmp(hello->random.bytes, retry_random, RANDOM_SIZE) == 0;
}

/* The last bytes of the random of a server of TLS 1.3 that chose less: "DOWNGRD", and 0 or 1. */
static bool has_sentinel(const struct tls_server_hello *hello)
{
	static const char text[] = "DOWNGRD";
	const uint8_t *end = hello->random.bytes + RANDOM_SIZE - sizeof(text);

	return memcmp(end, text, sizeof(text) - 1) == 0 && end[sizeof(text) - 1] <= 1;
}

static void read_alpn(struct reader *data, struct tls_server_hello *hello)
{
	struct reader list = reader_vector(data, 2);
	struct reader name = reader_vector(&list, 1);

	if (name.left > 0)
		hello->alpn = (struct flow_text){ name.at, name.left };
	data->is_short |= list.is_short || name.is_short;
}

static void read_encrypt_then_mac(struct reader *data, struct tls_server_hello *hello)
{
	(void)data;
	hello->has_encrypt_then_mac = true;
}

static void read_extended_master_secret(struct reader *data, struct tls_server_hello *hello)
{
	(void)data;
	hello->has_extended_master_secret = true;
}

static void read_session_ticket(struct reader *data, struct tls_server_hello *hello)
{
	(void)data;
	hello->has_session_ticket = true;
}

static void read_psk(struct reader *data, struct tls_server_hello *hello)
{
	hello->has_psk = true;
	reader_u16(data);
}

static void read_version(struct reader *data, struct tls_server_hello *hello)
{
	uint16_t version = reader_u16(data);

	if (!data->is_short)
		hello->version = version;
}

/* HelloRetryRequest names the group alone. */
static void read_key_share(struct reader *data, struct tls_server_hello *hello)
{
	hello->has_key_share = true;
	hello->key_share_group = reader_u16(data);
	if (data->left > 0) {
		struct reader share = reader_vector(data, 2);

		hello->key_share_size = (uint16_t)share.left;
	}
}

static void read_renegotiation_info(struct reader *data, struct tls_server_hello *hello)
{
	hello->has_renegotiation_info = true;
	reader_vector(data, 1);
}

/* The extensions that are read; the rest only has its place in the list. */
static const struct {
	uint16_t code;
	void (*read)(struct reader *data, struct tls_server_hello *hello);
} server_extensions[] = {
	{ TLS_EXTENSION_application_layer_protocol_negotiation, read_alpn },
	{ TLS_EXTENSION_encrypt_then_mac, read_encrypt_then_mac },
	{ TLS_EXTENSION_extended_master_secret, read_extended_master_secret },
	{ TLS_EXTENSION_session_ticket, read_session_ticket },
	{ TLS_EXTENSION_pre_shared_key, read_psk },
	{ TLS_EXTENSION_supported_versions, read_version },
	{ TLS_EXTENSION_key_share, read_key_share },
	{ TLS_EXTENSION_renegotiation_info, read_renegotiation_info },
};

/* Of an extension that is there twice the first one counts. */
static void server_extensions_read(struct reader *block, struct tls_server_hello *hello)
{
	while (block->left > 0) {
		uint16_t code = reader_u16(block);
		struct reader data = reader_vector(block, 2);

		if (data.is_short)
			break;
		if (tls_codes_have(&hello->extensions, code)) {
			hello->is_malformed = true;
			continue;
		}
		tls_codes_add(&hello->extensions, code);
		for (size_t i = 0; i < ARRAY_SIZE(server_extensions); i++) {
			if (server_extensions[i].code != code)
				continue;
			server_extensions[i].read(&data, hello);
			hello->is_malformed |= data.is_short || data.left > 0;
		}
	}
}

void tls_server_hello_read(const struct tls_message *message, struct tls_server_hello *ret)
{
	struct reader reader = reader_of(message->bytes, message->size);
	struct reader part;

	*ret = (struct tls_server_hello){ .is_there = true, .is_cut = message->is_cut };
	ret->legacy_version = reader_u16(&reader);
	ret->version = ret->legacy_version;
	part = reader_part(&reader, RANDOM_SIZE);
	ret->random = (struct flow_text){ part.left ? part.at : NULL, part.left };
	part = reader_vector(&reader, 1);
	ret->session_id = (struct flow_text){ part.left ? part.at : NULL, part.left };
	ret->cipher = reader_u16(&reader);
	ret->compression = reader_u8(&reader);
	ret->is_there = !reader.is_short;
	if (reader.left > 0) {
		part = tls_vector_cut(&reader, 2, message->is_cut);
		server_extensions_read(&part, ret);
		reader.is_short |= part.is_short;
	}
	ret->is_malformed |= !message->is_cut && (reader.is_short || reader.left > 0);
	if (ret->random.size == RANDOM_SIZE)
		ret->has_downgrade_sentinel = has_sentinel(ret);
	/* What is missing may have been the version. */
	if (message->is_cut && ret->version == ret->legacy_version)
		ret->is_there = false;
}
