/* SPDX-License-Identifier: MIT */
/* XMPP: one document of XML in each direction, of which the tags are looked at. */
#include <string.h>

#include "lib/bytes.h"
#include "proto/starttls_private.h"

#define NAMESPACE "urn:ietf:params:xml:ns:xmpp-tls"

struct tag {
	struct flow_text name; /* without what is in front of its colon */
	bool is_closing;       /* "</name>" */
	bool is_empty;	       /* "<name/>" */
	bool is_for_tls;       /* names the namespace */
};

/* The end of the tag that begins at BYTES, its '>', or NULL: in quotes there may be one. */
static const uint8_t *tag_end(const uint8_t *bytes, size_t size)
{
	uint8_t quote = 0;

	for (size_t i = 0; i < size; i++) {
		if (quote) {
			quote = bytes[i] == quote ? 0 : quote;
			continue;
		}
		if (bytes[i] == '"' || bytes[i] == '\'')
			quote = bytes[i];
		if (bytes[i] == '>')
			return bytes + i;
	}
	return NULL;
}

/* Fills in the tag whose inside is TEXT, '<' and '>' left out. */
static struct tag tag_of(struct flow_text text)
{
	struct tag tag = { .is_for_tls = text.size && memmem(text.bytes, text.size, NAMESPACE,
							     sizeof(NAMESPACE) - 1) };
	size_t size = 0;
	const uint8_t *colon;

	if (text.size && text.bytes[0] == '/') {
		tag.is_closing = true;
		text.bytes++;
		text.size--;
	}
	if (text.size && text.bytes[text.size - 1] == '/') {
		tag.is_empty = true;
		text.size--;
	}
	while (size < text.size && !strchr(" \t\r\n/", text.bytes[size]))
		size++;
	colon = size ? memchr(text.bytes, ':', size) : NULL;
	tag.name = (struct flow_text){ text.bytes, size };
	if (colon) {
		tag.name.size -= (size_t)(colon + 1 - text.bytes);
		tag.name.bytes = colon + 1;
	}
	return tag;
}

/* The next tag of FROM; text in front of it is passed over. */
static bool tag_read(struct talk *talk, enum flow_direction from, struct tag *ret)
{
	struct talk_side *side = &talk->side[from];
	size_t left = side->size - side->at;
	const uint8_t *start = left ? memchr(side->bytes + side->at, '<', left) : NULL;
	const uint8_t *end;

	if (!start)
		return talk_wait(talk, from, side->size + 1);
	start++;
	end = tag_end(start, (size_t)(side->bytes + side->size - start));
	if (!end)
		return talk_wait(talk, from, side->size + 1);
	*ret = tag_of((struct flow_text){ start, (size_t)(end - start) });
	side->at = (size_t)(end + 1 - side->bytes);
	return true;
}

static bool is_tag(const struct tag *tag, const char *name)
{
	return bytes_equal((const char *)tag->name.bytes, tag->name.size, name);
}

/* Reads on to the end of the element that TAG opens, which holds no other. */
static bool element_end(struct talk *talk, enum flow_direction from, const struct tag *tag)
{
	struct tag end;

	if (tag->is_empty)
		return true;
	if (!tag_read(talk, from, &end))
		return false;
	return end.is_closing && end.name.size == tag->name.size ? true : talk_refuse(talk);
}

/* The client opens its stream, and asks before it says anything else (RFC 6120 section 5). */
static bool request_read(struct talk *talk)
{
	struct tag tag;

	do {
		if (!tag_read(talk, FLOW_CLIENT, &tag))
			return false;
	} while (is_tag(&tag, "?xml") || (is_tag(&tag, "stream") && !tag.is_closing));
	if (!is_tag(&tag, "starttls") || tag.is_closing || !tag.is_for_tls)
		return talk_refuse(talk);
	return element_end(talk, FLOW_CLIENT, &tag);
}

bool starttls_read_xmpp(struct talk *talk, enum starttls_protocol *protocol)
{
	struct tag tag;

	(void)protocol;
	if (!request_read(talk))
		return false;
	do {
		if (!tag_read(talk, FLOW_SERVER, &tag))
			return false;
		if (is_tag(&tag, "failure") || is_tag(&tag, "error") ||
		    (is_tag(&tag, "stream") && tag.is_closing))
			return talk_refuse(talk);
	} while (!is_tag(&tag, "proceed") || tag.is_closing || !tag.is_for_tls);
	return element_end(talk, FLOW_SERVER, &tag);
}
