/* SPDX-License-Identifier: MIT */
/* Protocols of messages with their sizes in front: LDAP, databases, RDP. */
#include <string.h>

#include "proto/reader.h"
#include "proto/starttls_private.h"

/* LDAP: tags of BER (RFC 4511 section 4.2 and appendix B). */
enum {
	BER_INTEGER = 0x02,
	BER_ENUMERATED = 0x0a,
	BER_SEQUENCE = 0x30,
	LDAP_UNBIND = 0x42,
	LDAP_EXTENDED_REQUEST = 0x77,
	LDAP_EXTENDED_RESPONSE = 0x78,
	LDAP_REQUEST_NAME = 0x80,
	BER_LONG = 0x80, /* and how many bytes the length has */
};

#define LDAP_STARTTLS "1.3.6.1.4.1.1466.20037"

/* PostgreSQL (its manual, Message Formats): the size and a number, both of 4 bytes. */
#define PG_REQUEST_SIZE 8
#define PG_REQUESTS_MAX 4
#define PG_SSL		80877103
#define PG_GSSENC	80877104

/* MySQL (its manual, Connection Phase Packets). */
#define MY_HEADER_SIZE	4
#define MY_PROTOCOL	10
#define MY_SALT_SIZE	8
#define MY_CLIENT_SSL	0x0800
#define MY_SSL_REQUEST	32
#define MY_SSL_SEQUENCE 1

/* TDS ([MS-TDS] 2.2.3.1 and 2.2.6.5). */
enum {
	TDS_HEADER = 8,
	TDS_RESPONSE = 0x04,
	TDS_PRELOGIN = 0x12,
	TDS_END_OF_MESSAGE = 0x01,
	TDS_ENCRYPTION = 0x01,
	TDS_TERMINATOR = 0xff,
	TDS_NOT_SUPPORTED = 0x02,
	TLS_HANDSHAKE = 0x16,
};

/* RDP ([MS-RDPBCGR] 2.2.1.1 and 2.2.1.2): TPKT, X.224, a negotiation at its end. */
enum {
	TPKT_VERSION = 3,
	TPKT_HEADER = 4,
	X224_FIXED = 7, /* length, code, two references, class */
	X224_REQUEST = 0xe0,
	X224_CONFIRM = 0xd0,
	RDP_NEGOTIATION = 8,
	RDP_NEG_REQUEST = 1,
	RDP_NEG_RESPONSE = 2,
	RDP_CORRELATION_PRESENT = 0x08, /* a flag of the request: behind it there are */
	RDP_CORRELATION = 36,
};

/* A message of LDAP. */
struct ldap_message {
	struct flow_text id;
	uint8_t operation; /* its tag */
	struct reader body;
};

/*
 * The size of what follows, in *RET. Returns how many bytes it takes, 0 where more must be there,
 * -1 where it is of no use. BYTES begin behind the tag.
 */
static int ber_length(const uint8_t *bytes, size_t size, size_t *ret)
{
	size_t count, length = 0;

	if (!size)
		return 0;
	if (bytes[0] < BER_LONG) {
		*ret = bytes[0];
		return 1;
	}
	count = bytes[0] - BER_LONG;
	if (!count || count > 4)
		return -1;
	if (count >= size)
		return 0;
	for (size_t i = 0; i < count; i++)
		length = length << 8 | bytes[1 + i];
	*ret = length;
	return length <= STARTTLS_SEARCH_MAX ? (int)count + 1 : -1;
}

/* Takes the value with TAG off READER. */
static struct reader ber_value(struct reader *reader, uint8_t tag)
{
	size_t size = 0;
	bool is_right = reader_u8(reader) == tag;
	int skipped = ber_length(reader->at, reader->left, &size);

	if (!is_right || skipped <= 0) {
		reader->is_short = true;
		return (struct reader){ .is_short = true };
	}
	reader_skip(reader, (size_t)skipped);
	return reader_part(reader, size);
}

static bool ldap_read(struct talk *talk, enum flow_direction from, struct ldap_message *ret)
{
	struct talk_side *side = &talk->side[from];
	const uint8_t *bytes;
	struct reader message, id;
	size_t size = 0;
	int skipped;

	if (!talk_look(talk, from, 2, &bytes))
		return false;
	if (bytes[0] != BER_SEQUENCE)
		return talk_refuse(talk);
	skipped = ber_length(bytes + 1, side->size - side->at - 1, &size);
	if (skipped < 0)
		return talk_refuse(talk);
	if (skipped == 0)
		return talk_wait(talk, from, side->size + 1);
	if (!talk_take(talk, from, 1 + (size_t)skipped + size, &bytes))
		return false;
	message = reader_of(bytes + 1 + skipped, size);
	id = ber_value(&message, BER_INTEGER);
	if (id.is_short || !message.left)
		return talk_refuse(talk);
	ret->id = (struct flow_text){ id.at, id.left };
	ret->operation = message.at[0];
	ret->body = ber_value(&message, ret->operation);
	return ret->body.is_short ? talk_refuse(talk) : true;
}

static bool is_starttls(struct ldap_message *message)
{
	struct reader name = ber_value(&message->body, LDAP_REQUEST_NAME);

	return message->operation == LDAP_EXTENDED_REQUEST && !name.is_short &&
	       name.left == sizeof(LDAP_STARTTLS) - 1 &&
	       memcmp(name.at, LDAP_STARTTLS, name.left) == 0;
}

/* The answer to the extended request with ID: others may come before it. */
static bool ldap_answer(struct talk *talk, const struct flow_text *id, bool *ret_is_ok)
{
	struct ldap_message message;
	struct reader code;

	do {
		if (!ldap_read(talk, FLOW_SERVER, &message))
			return false;
	} while (message.operation != LDAP_EXTENDED_RESPONSE || message.id.size != id->size ||
		 memcmp(message.id.bytes, id->bytes, id->size) != 0);
	code = ber_value(&message.body, BER_ENUMERATED);
	*ret_is_ok = code.left == 1 && code.at[0] == 0;
	return true;
}

bool starttls_read_ldap(struct talk *talk, enum starttls_protocol *protocol)
{
	struct ldap_message message;
	bool is_ok = false;

	(void)protocol;
	while (!is_ok) {
		if (!ldap_read(talk, FLOW_CLIENT, &message))
			return false;
		if (message.operation == LDAP_UNBIND)
			return talk_refuse(talk);
		if (is_starttls(&message) && !ldap_answer(talk, &message.id, &is_ok))
			return false;
	}
	return true;
}

/* A client may ask for GSSAPI first, and for TLS when that is refused. */
bool starttls_read_postgresql(struct talk *talk, enum starttls_protocol *protocol)
{
	(void)protocol;
	for (int i = 0; i < PG_REQUESTS_MAX; i++) {
		const uint8_t *bytes, *answer;
		struct reader request;
		uint32_t number;

		if (!talk_take(talk, FLOW_CLIENT, PG_REQUEST_SIZE, &bytes))
			return false;
		request = reader_of(bytes, PG_REQUEST_SIZE);
		if (reader_u32(&request) != PG_REQUEST_SIZE)
			return talk_refuse(talk);
		number = reader_u32(&request);
		if (number != PG_SSL && number != PG_GSSENC)
			return talk_refuse(talk);
		if (!talk_take(talk, FLOW_SERVER, 1, &answer))
			return false;
		if (answer[0] == 'S' && number == PG_SSL)
			return true;
		if (answer[0] != 'N')
			return talk_refuse(talk);
	}
	return talk_refuse(talk);
}

/* A packet: its size in 3 bytes that begin with the lowest, its number. */
static bool mysql_read(struct talk *talk, enum flow_direction from, uint8_t *ret_number,
		       struct flow_text *ret)
{
	const uint8_t *head;
	size_t size;

	if (!talk_look(talk, from, MY_HEADER_SIZE, &head))
		return false;
	size = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
	if (!talk_take(talk, from, MY_HEADER_SIZE + size, &head))
		return false;
	*ret_number = head[3];
	*ret = (struct flow_text){ head + MY_HEADER_SIZE, size };
	return true;
}

/* Whether the server's first packet offers TLS. */
static bool mysql_offers(const struct flow_text *greeting)
{
	struct reader reader = reader_of(greeting->bytes, greeting->size);
	const uint8_t *end;
	uint8_t low, high;

	if (reader_u8(&reader) != MY_PROTOCOL || !reader.left)
		return false;
	end = memchr(reader.at, '\0', reader.left);
	if (!end)
		return false;
	reader_skip(&reader, (size_t)(end - reader.at) + 1);
	reader_u32(&reader); /* the connection's number */
	reader_skip(&reader, MY_SALT_SIZE + 1);
	low = reader_u8(&reader);
	high = reader_u8(&reader);
	return !reader.is_short && (low | high << 8) & MY_CLIENT_SSL;
}

bool starttls_read_mysql(struct talk *talk, enum starttls_protocol *protocol)
{
	struct flow_text packet;
	const uint8_t *head;
	uint8_t number;

	(void)protocol;
	if (!mysql_read(talk, FLOW_SERVER, &number, &packet))
		return false;
	if (number != 0 || !mysql_offers(&packet))
		return talk_refuse(talk);
	/* A longer packet logs in without TLS. */
	if (!talk_look(talk, FLOW_CLIENT, MY_HEADER_SIZE, &head))
		return false;
	if (head[0] != MY_SSL_REQUEST || head[1] || head[2] || head[3] != MY_SSL_SEQUENCE)
		return talk_refuse(talk);
	if (!mysql_read(talk, FLOW_CLIENT, &number, &packet))
		return false;
	return (packet.bytes[0] | packet.bytes[1] << 8) & MY_CLIENT_SSL ? true : talk_refuse(talk);
}

/* A message of TYPE in one packet; what is in it is in *RET. */
static bool tds_read(struct talk *talk, enum flow_direction from, uint8_t type,
		     struct flow_text *ret)
{
	const uint8_t *head;
	size_t size;

	if (!talk_look(talk, from, TDS_HEADER, &head))
		return false;
	size = (size_t)head[2] << 8 | head[3];
	if (head[0] != type || !(head[1] & TDS_END_OF_MESSAGE) || size < TDS_HEADER)
		return talk_refuse(talk);
	if (!talk_take(talk, from, size, &head))
		return false;
	*ret = (struct flow_text){ head + TDS_HEADER, size - TDS_HEADER };
	return true;
}

/* Whether PRELOGIN says that its sender can encrypt. */
static bool tds_encrypts(const struct flow_text *prelogin)
{
	struct reader options = reader_of(prelogin->bytes, prelogin->size);

	for (;;) {
		uint8_t option = reader_u8(&options);
		size_t at = reader_u16(&options);
		size_t size = reader_u16(&options);

		if (options.is_short || option == TDS_TERMINATOR)
			return false;
		if (option != TDS_ENCRYPTION)
			continue;
		return size >= 1 && at < prelogin->size && prelogin->bytes[at] != TDS_NOT_SUPPORTED;
	}
}

/* Unless a peer cannot encrypt, at least the login is encrypted. */
bool starttls_read_mssql(struct talk *talk, enum starttls_protocol *protocol)
{
	struct flow_text prelogin;
	const uint8_t *head;

	(void)protocol;
	if (!tds_read(talk, FLOW_CLIENT, TDS_PRELOGIN, &prelogin))
		return false;
	if (!tds_encrypts(&prelogin))
		return talk_refuse(talk);
	if (!tds_read(talk, FLOW_SERVER, TDS_RESPONSE, &prelogin))
		return false;
	if (!tds_encrypts(&prelogin))
		return talk_refuse(talk);
	if (!talk_look(talk, FLOW_CLIENT, TDS_HEADER + 1, &head))
		return false;
	return head[0] == TDS_PRELOGIN && head[TDS_HEADER] == TLS_HANDSHAKE ? true
									    : talk_refuse(talk);
}

/*
 * The negotiation of TYPE at the end of a message of SIZE bytes, or NULL: RDP of old negotiates
 * nothing. In front of it there may be a cookie.
 */
static const uint8_t *rdp_negotiation(const uint8_t *message, size_t size, uint8_t type)
{
	static const size_t behind[] = { 0, RDP_CORRELATION };

	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
		const uint8_t *at;

		if (size < TPKT_HEADER + X224_FIXED + RDP_NEGOTIATION + behind[i])
			break;
		at = message + size - RDP_NEGOTIATION - behind[i];
		if (at[0] == type && at[2] == RDP_NEGOTIATION && at[3] == 0 &&
		    (!behind[i] || at[1] & RDP_CORRELATION_PRESENT))
			return at;
	}
	return NULL;
}

/* What is negotiated with message CODE, its protocols in *RET. */
static bool rdp_read(struct talk *talk, enum flow_direction from, uint8_t code, uint8_t type,
		     uint32_t *ret)
{
	const uint8_t *head, *negotiation;
	size_t size;

	if (!talk_look(talk, from, TPKT_HEADER + 2, &head))
		return false;
	size = (size_t)head[2] << 8 | head[3];
	if (head[0] != TPKT_VERSION || head[TPKT_HEADER + 1] != code ||
	    size < TPKT_HEADER + X224_FIXED)
		return talk_refuse(talk);
	if (!talk_take(talk, from, size, &head))
		return false;
	negotiation = rdp_negotiation(head, size, type);
	if (!negotiation)
		return talk_refuse(talk);
	*ret = (uint32_t)negotiation[4] | (uint32_t)negotiation[5] << 8 |
	       (uint32_t)negotiation[6] << 16 | (uint32_t)negotiation[7] << 24;
	return true;
}

/* Protocol 0 is the one of old, all others are over TLS. */
bool starttls_read_rdp(struct talk *talk, enum starttls_protocol *protocol)
{
	uint32_t wanted, chosen;

	(void)protocol;
	if (!rdp_read(talk, FLOW_CLIENT, X224_REQUEST, RDP_NEG_REQUEST, &wanted) ||
	    !rdp_read(talk, FLOW_SERVER, X224_CONFIRM, RDP_NEG_RESPONSE, &chosen))
		return false;
	return chosen && (chosen & wanted) ? true : talk_refuse(talk);
}
