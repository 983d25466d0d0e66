/* SPDX-License-Identifier: MIT */
#include "proto/tls_sslv2.h"

#include "catalogue/tls.h"
#include "proto/reader.h"
#include "proto/tls_hello.h"

#define CLIENT_HELLO 1
#define SERVER_HELLO 4

/* MSG-CLIENT-HELLO as far as TLS_BEGIN_SIZE. */
struct client_hello {
	size_t size;
	uint8_t type;
	uint16_t version;
	size_t ciphers_size;
	size_t session_id_size;
	size_t challenge_size;
};

static struct client_hello begin_read(struct reader *reader)
{
	struct client_hello hello;

	hello.size = reader_u16(reader) & 0x7fff;
	hello.type = reader_u8(reader);
	hello.version = reader_u16(reader);
	hello.ciphers_size = reader_u16(reader);
	hello.session_id_size = reader_u16(reader);
	hello.challenge_size = reader_u16(reader);
	return hello;
}

/* Sizes as in RFC 5246 appendix E.2. */
bool tls_sslv2_begins(const uint8_t bytes[static TLS_BEGIN_SIZE])
{
	struct reader reader = reader_of(bytes, TLS_BEGIN_SIZE);
	struct client_hello hello = begin_read(&reader);
	bool has_version = hello.version == TLS_VERSION_SSL2 ||
			   (hello.version >> 8 == 3 && (hello.version & 0xff) <= 3);

	return (bytes[0] & 0x80) && hello.type == CLIENT_HELLO && has_version &&
	       hello.ciphers_size > 0 && hello.ciphers_size % 3 == 0 &&
	       hello.session_id_size <= 32 && hello.challenge_size >= 16 &&
	       hello.challenge_size <= 32 &&
	       hello.size == 9 + hello.ciphers_size + hello.session_id_size + hello.challenge_size;
}

size_t tls_sslv2_size(const uint8_t bytes[static TLS_SSLV2_HEADER_SIZE])
{
	return TLS_SSLV2_HEADER_SIZE + ((size_t)(bytes[0] & 0x7f) << 8 | bytes[1]);
}

static struct flow_text text_of(struct reader *reader, size_t size)
{
	struct reader part = reader_part(reader, size);

	return (struct flow_text){ part.left ? part.at : NULL, part.left };
}

/* Suites have three bytes; those of SSL 3.0 and TLS begin with 0. */
void tls_sslv2_client_hello_read(const uint8_t *bytes, size_t size, struct tls_client_hello *ret)
{
	struct reader reader = reader_of(bytes, size);
	struct client_hello hello = begin_read(&reader);
	struct reader ciphers = reader_part(&reader, hello.ciphers_size);

	*ret = (struct tls_client_hello){ .is_there = true, .is_sslv2 = true };
	ret->legacy_version = hello.version;
	while (ciphers.left > 0) {
		uint32_t cipher = reader_u24(&ciphers);

		if (!ciphers.is_short && cipher <= UINT16_MAX)
			tls_codes_add(&ret->ciphers, (uint16_t)cipher);
	}
	tls_client_hello_judge_ciphers(ret);
	ret->session_id = text_of(&reader, hello.session_id_size);
	ret->random = text_of(&reader, hello.challenge_size);
	ret->is_cut = reader.is_short;
}

/* The version stands where the client's hello has its suites. */
bool tls_sslv2_answer_read(const struct flow_bytes *server, struct tls_session *session)
{
	struct reader reader = reader_of(server->bytes, server->size);
	bool is_sslv2 = reader_u16(&reader) & 0x8000;
	uint8_t type = reader_u8(&reader);
	uint16_t version;

	reader_u16(&reader); /* whether the session is known, the type of the certificate */
	version = reader_u16(&reader);
	if (reader.is_short || !is_sslv2 || type != SERVER_HELLO || version != TLS_VERSION_SSL2)
		return false;
	session->server = (struct tls_server_hello){
		.is_there = true,
		.legacy_version = version,
		.version = version,
	};
	session->version = version;
	session->group_known = TLS_KNOWN_no_such;
	session->signature_known = TLS_KNOWN_no_such;
	session->alpn_known = TLS_KNOWN_no_such;
	return true;
}
