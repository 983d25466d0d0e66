/* SPDX-License-Identifier: MIT */
/* What carries a connection to somebody else: CONNECT of HTTP, the headers of the PROXY protocol.
 */
#include <string.h>

#include "lib/bytes.h"
#include "proto/starttls_private.h"

/* "PROXY TCP6 ..." with CR and LF (the specification of the PROXY protocol, section 2.1). */
#define PROXY_LINE_MAX 107
/* Signature, version and command, family, size (section 2.2). */
#define PROXY_HEAD_SIZE 16

bool starttls_read_proxy_v1(struct talk *talk, enum starttls_protocol *protocol)
{
	struct talk_side *client = &talk->side[FLOW_CLIENT];
	size_t start = client->at;
	struct flow_text line;

	(void)protocol;
	if (!talk_line(talk, FLOW_CLIENT, &line))
		return talk->state == FLOW_MORE && client->size - start >= PROXY_LINE_MAX
			       ? talk_refuse(talk)
			       : false;
	return client->at - start <= PROXY_LINE_MAX ? true : talk_refuse(talk);
}

bool starttls_read_proxy_v2(struct talk *talk, enum starttls_protocol *protocol)
{
	const uint8_t *head;

	(void)protocol;
	if (!talk_take(talk, FLOW_CLIENT, PROXY_HEAD_SIZE, &head))
		return false;
	if (memcmp(head, "\r\n\r\n\0\r\nQUIT\n", 12) != 0 || head[12] >> 4 != 2)
		return talk_refuse(talk);
	return talk_take(talk, FLOW_CLIENT, (size_t)head[14] << 8 | head[15], &head);
}

/* What the headers of HTTP say about a body. */
struct headers {
	size_t body_size;
	bool is_chunked;
};

/* A decimal number without anything else; SIZE_MAX: it is none, or beyond what is searched. */
static size_t number_of(const struct flow_text *text)
{
	size_t number = 0;

	if (!bytes_are_digits((const char *)text->bytes, text->size))
		return SIZE_MAX;
	for (size_t i = 0; i < text->size; i++) {
		number = number * 10 + (text->bytes[i] - '0');
		if (number > STARTTLS_SEARCH_MAX)
			return SIZE_MAX;
	}
	return number;
}

/* Reads lines up to an empty one. */
static bool headers_read(struct talk *talk, enum flow_direction from, struct headers *ret)
{
	struct flow_text line;

	*ret = (struct headers){ 0 };
	for (;;) {
		struct flow_text name;

		if (!talk_line(talk, from, &line))
			return false;
		if (!line.size)
			return true;
		name = talk_word(&line);
		if (talk_is(&name, "Content-Length:"))
			ret->body_size = number_of(&line);
		if (talk_is(&name, "Transfer-Encoding:"))
			ret->is_chunked = true;
	}
}

static bool request_read(struct talk *talk)
{
	struct flow_text line, method, target;
	struct headers headers;

	if (!talk_line(talk, FLOW_CLIENT, &line))
		return false;
	method = talk_word(&line);
	target = talk_word(&line);
	if (!bytes_equal((const char *)method.bytes, method.size, "CONNECT") || !target.size ||
	    !talk_begins(&line, "HTTP/1."))
		return talk_refuse(talk);
	return headers_read(talk, FLOW_CLIENT, &headers);
}

/* Reads an answer to CONNECT, whose status goes to *RET. One of success has no body (RFC 9110). */
static bool answer_read(struct talk *talk, unsigned int *ret)
{
	struct flow_text line, version, status;
	struct headers headers;
	const uint8_t *body;

	if (!talk_line(talk, FLOW_SERVER, &line))
		return false;
	version = talk_word(&line);
	status = talk_word(&line);
	if (!talk_begins(&version, "HTTP/1.") || status.size != 3 ||
	    !bytes_are_digits((const char *)status.bytes, status.size))
		return talk_refuse(talk);
	if (!headers_read(talk, FLOW_SERVER, &headers))
		return false;
	*ret = (unsigned int)number_of(&status);
	if (*ret < 300)
		return true;
	if (headers.is_chunked || headers.body_size == SIZE_MAX)
		return talk_refuse(talk);
	return talk_take(talk, FLOW_SERVER, headers.body_size, &body);
}

/* A proxy asks for a password with 407 (RFC 9110, 15.5.8), and is asked again. */
bool starttls_read_connect(struct talk *talk, enum starttls_protocol *protocol)
{
	unsigned int status;

	(void)protocol;
	do {
		if (!request_read(talk))
			return false;
		do {
			if (!answer_read(talk, &status))
				return false;
		} while (status < 200);
	} while (status == 407);
	return status < 300 ? true : talk_refuse(talk);
}
