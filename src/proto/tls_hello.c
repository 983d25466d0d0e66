/* SPDX-License-Identifier: MIT */
#include "proto/tls_hello.h"

#include "catalogue/tls.h"
#include "lib/array.h"
#include "proto/reader.h"

#define RANDOM_SIZE 32
#define HOST_NAME   0 /* NameType (RFC 6066 section 3) */

/* The rest of READER as text. */
static struct flow_text rest_of(const struct reader *reader)
{
	return (struct flow_text){ reader->left ? reader->at : NULL, reader->left };
}

/* Adds all of LIST to CODES. Half a number at the end makes the list short. */
static void codes_read(struct reader *list, struct tls_codes *codes, bool *has_grease)
{
	while (list->left > 0) {
		uint16_t code = reader_u16(list);

		if (list->is_short)
			return;
		if (tls_is_grease(code))
			*has_grease = true;
		else
			tls_codes_add(codes, code);
	}
}

static void bytes_add(struct tls_bytes *bytes, uint8_t byte)
{
	if (bytes->nr < TLS_BYTES_MAX)
		bytes->bytes[bytes->nr++] = byte;
	else
		bytes->is_cut = true;
}

/* A list with its size in front, a number of SIZE_SIZE bytes. */
static void codes_vector(struct reader *reader, size_t size_size, struct tls_codes *codes,
			 struct tls_client_hello *hello)
{
	struct reader list = reader_vector(reader, size_size);

	codes_read(&list, codes, &hello->has_grease);
	reader->is_short |= list.is_short;
}

/* RFC 6066 section 3. */
static void read_server_name(struct reader *data, struct tls_client_hello *hello)
{
	struct reader list = reader_vector(data, 2);

	while (list.left > 0) {
		uint8_t type = reader_u8(&list);
		struct reader name = reader_vector(&list, 2);

		if (type == HOST_NAME && !name.is_short && !hello->server_name.bytes)
			hello->server_name = rest_of(&name);
	}
	data->is_short |= list.is_short;
}

static void read_groups(struct reader *data, struct tls_client_hello *hello)
{
	codes_vector(data, 2, &hello->groups, hello);
}

static void read_point_formats(struct reader *data, struct tls_client_hello *hello)
{
	struct reader list = reader_vector(data, 1);

	while (list.left > 0)
		bytes_add(&hello->point_formats, reader_u8(&list));
	data->is_short |= list.is_short;
}

static void read_signatures(struct reader *data, struct tls_client_hello *hello)
{
	codes_vector(data, 2, &hello->signatures, hello);
}

static void read_certificate_signatures(struct reader *data, struct tls_client_hello *hello)
{
	codes_vector(data, 2, &hello->certificate_signatures, hello);
}

/* RFC 7301 section 3.1; GREASE of it is two bytes of RFC 8701 section 2. */
static void read_alpn(struct reader *data, struct tls_client_hello *hello)
{
	struct reader list = reader_vector(data, 2);

	while (list.left > 0) {
		struct reader name = reader_vector(&list, 1);

		if (name.is_short)
			break;
		if (name.left == 2 && tls_is_grease((uint16_t)(name.at[0] << 8 | name.at[1])))
			hello->has_grease = true;
		else if (hello->nr_alpn < TLS_ALPN_MAX)
			hello->alpn[hello->nr_alpn++] = rest_of(&name);
		else
			hello->alpn_is_cut = true;
	}
	data->is_short |= list.is_short;
}

static void read_extended_master_secret(struct reader *data, struct tls_client_hello *hello)
{
	(void)data;
	hello->has_extended_master_secret = true;
}

static void read_encrypt_then_mac(struct reader *data, struct tls_client_hello *hello)
{
	(void)data;
	hello->has_encrypt_then_mac = true;
}

static void read_compressions(struct reader *data, struct tls_client_hello *hello)
{
	codes_vector(data, 1, &hello->compressions, hello);
}

/* RFC 5077 section 3.2: empty, or the ticket as it is. */
static void read_session_ticket(struct reader *data, struct tls_client_hello *hello)
{
	hello->has_session_ticket = true;
	hello->offers_ticket = data->left > 0;
	reader_skip(data, data->left);
}

/* RFC 8446 section 4.2.11: identities, then binders. */
static void read_psk(struct reader *data, struct tls_client_hello *hello)
{
	struct reader identities = reader_vector(data, 2);

	hello->offers_psk = identities.left > 0;
	reader_vector(data, 2);
}

static void read_early_data(struct reader *data, struct tls_client_hello *hello)
{
	(void)data;
	hello->has_early_data = true;
}

static void read_versions(struct reader *data, struct tls_client_hello *hello)
{
	codes_vector(data, 1, &hello->versions, hello);
}

static void read_psk_modes(struct reader *data, struct tls_client_hello *hello)
{
	struct reader list = reader_vector(data, 1);

	while (list.left > 0) {
		uint8_t mode = reader_u8(&list);

		if (tls_is_grease_mode(mode))
			hello->has_grease = true;
		else
			bytes_add(&hello->psk_modes, mode);
	}
	data->is_short |= list.is_short;
}

/* RFC 8446 section 4.2.8. */
static void read_key_shares(struct reader *data, struct tls_client_hello *hello)
{
	struct reader list = reader_vector(data, 2);

	while (list.left > 0) {
		uint16_t group = reader_u16(&list);
		struct reader share = reader_vector(&list, 2);

		if (share.is_short)
			break;
		if (tls_is_grease(group))
			hello->has_grease = true;
		else if (hello->nr_key_shares < TLS_KEY_SHARES_MAX)
			hello->key_shares[hello->nr_key_shares++] =
				(struct tls_key_share){ group, (uint16_t)share.left };
		else
			hello->key_shares_are_cut = true;
	}
	data->is_short |= list.is_short;
}

static void read_ech(struct reader *data, struct tls_client_hello *hello)
{
	hello->server_name_is_outer = true;
	reader_skip(data, data->left);
}

static void read_renegotiation_info(struct reader *data, struct tls_client_hello *hello)
{
	hello->has_renegotiation_info = true;
	reader_vector(data, 1);
}

/* The extensions that are read; the rest only has its place in the list. */
static const struct {
	uint16_t code;
	void (*read)(struct reader *data, struct tls_client_hello *hello);
} client_extensions[] = {
	{ TLS_EXTENSION_server_name, read_server_name },
	{ TLS_EXTENSION_supported_groups, read_groups },
	{ TLS_EXTENSION_ec_point_formats, read_point_formats },
	{ TLS_EXTENSION_signature_algorithms, read_signatures },
	{ TLS_EXTENSION_application_layer_protocol_negotiation, read_alpn },
	{ TLS_EXTENSION_encrypt_then_mac, read_encrypt_then_mac },
	{ TLS_EXTENSION_extended_master_secret, read_extended_master_secret },
	{ TLS_EXTENSION_compress_certificate, read_compressions },
	{ TLS_EXTENSION_session_ticket, read_session_ticket },
	{ TLS_EXTENSION_pre_shared_key, read_psk },
	{ TLS_EXTENSION_early_data, read_early_data },
	{ TLS_EXTENSION_supported_versions, read_versions },
	{ TLS_EXTENSION_psk_key_exchange_modes, read_psk_modes },
	{ TLS_EXTENSION_signature_algorithms_cert, read_certificate_signatures },
	{ TLS_EXTENSION_key_share, read_key_shares },
	{ TLS_EXTENSION_encrypted_client_hello, read_ech },
	{ TLS_EXTENSION_renegotiation_info, read_renegotiation_info },
};

/* Reads extension CODE if it is one of ours. Returns whether its lengths are right. */
static bool client_extension_read(uint16_t code, struct reader data, struct tls_client_hello *hello)
{
	for (size_t i = 0; i < ARRAY_SIZE(client_extensions); i++) {
		if (client_extensions[i].code != code)
			continue;
		client_extensions[i].read(&data, hello);
		return !data.is_short && data.left == 0;
	}
	return true;
}

/* Of an extension that is there twice the first one counts. */
static void client_extensions_read(struct reader *block, struct tls_client_hello *hello)
{
	while (block->left > 0) {
		uint16_t code = reader_u16(block);
		struct reader data = reader_vector(block, 2);

		if (data.is_short)
			break;
		if (tls_is_grease(code)) {
			hello->has_grease = true;
			continue;
		}
		if (tls_codes_have(&hello->extensions, code) ||
		    !client_extension_read(code, data, hello))
			hello->is_malformed = true;
		tls_codes_add(&hello->extensions, code);
	}
}

void tls_client_hello_judge_ciphers(struct tls_client_hello *hello)
{
	if (tls_codes_have(&hello->ciphers, 0x00ff)) /* TLS_EMPTY_RENEGOTIATION_INFO_SCSV */
		hello->has_renegotiation_info = true;
	if (tls_codes_have(&hello->ciphers, 0x5600)) /* TLS_FALLBACK_SCSV */
		hello->has_fallback = true;
}

void tls_client_hello_read(const struct tls_message *message, bool is_dtls,
			   struct tls_client_hello *ret)
{
	struct reader reader = reader_of(message->bytes, message->size);
	struct reader part;

	*ret = (struct tls_client_hello){ .is_there = true, .is_cut = message->is_cut };
	ret->legacy_version = reader_u16(&reader);
	part = reader_part(&reader, RANDOM_SIZE);
	ret->random = rest_of(&part);
	part = reader_vector(&reader, 1);
	ret->session_id = rest_of(&part);
	if (is_dtls) {
		part = reader_vector(&reader, 1);
		ret->cookie = rest_of(&part);
	}
	part = tls_vector_cut(&reader, 2, message->is_cut);
	codes_read(&part, &ret->ciphers, &ret->has_grease);
	ret->is_malformed |= part.is_short && !message->is_cut;
	tls_client_hello_judge_ciphers(ret);
	for (part = reader_vector(&reader, 1); part.left > 0;)
		ret->offers_compression |= reader_u8(&part) != 0;
	if (reader.left > 0) {
		ret->has_extensions = true;
		part = tls_vector_cut(&reader, 2, message->is_cut);
		client_extensions_read(&part, ret);
		reader.is_short |= part.is_short;
	}
	ret->is_malformed |= !message->is_cut && (reader.is_short || reader.left > 0);
}
