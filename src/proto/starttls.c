/* SPDX-License-Identifier: MIT */
#include "proto/starttls.h"

#include <linux/stddef.h>
#include <linux/types.h>
#include <string.h>

#include "lib/array.h"
#include "proto/beginning.h"
#include "proto/starttls_private.h"

/* Tunnels in tunnels; more is nobody's. */
#define CARRIERS_MAX 4

#define WORD_SIZE    8

/* A packet of TDS: type, status, size in two bytes, process, number, window. */
#define TDS_HEADER_SIZE 8
#define TDS_PRELOGIN	0x12

static const struct code_entry protocol_entries[] = {
#define STARTTLS_PROTOCOL(id, name, help) { STARTTLS_##id, name, help },
#include "proto/starttls.def"
};

const struct code_table starttls_protocol_codes = { "starttls_protocol", protocol_entries,
						    ARRAY_SIZE(protocol_entries) };

/* What a row of starttls.def may begin besides a protocol. */
enum {
	STARTTLS_tls = ARRAY_SIZE(protocol_entries),
	STARTTLS_ssh,
};

#define SIDE_client FLOW_CLIENT
#define SIDE_server FLOW_SERVER

struct beginning {
	enum flow_direction side;
	unsigned int what; /* enum starttls_protocol, STARTTLS_tls or STARTTLS_ssh */
	uint64_t word;
	uint64_t mask;
};

static const struct beginning beginnings[] = {
#define BEGINNING(who, it, bytes, bits)                                                            \
	{ SIDE_##who, STARTTLS_##it, BEGINNING_WORD(bytes), BEGINNING_WORD(bits) },
#define BEGINNING_TEXT(who, it, text)                                                              \
	{ SIDE_##who, STARTTLS_##it, BEGINNING_WORD(text), BEGINNING_COVER(text) },
#include "proto/starttls.def"
};

/* The first SIZE bytes as proto/beginning.h takes them. */
static uint64_t word_of(const uint8_t *bytes, size_t size)
{
	uint64_t word = 0;

	for (size_t i = 0; i < size && i < WORD_SIZE; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

bool starttls_may_begin(const uint8_t *bytes, size_t size, bool from_server)
{
	__u32 known = size < WORD_SIZE ? (__u32)size : WORD_SIZE;
	uint64_t word = word_of(bytes, size);

	return from_server ? beginning_of_server(word, known) : beginning_of_client(word, known);
}

enum match {
	MATCH_NO,
	MATCH_MAYBE, /* too short to tell */
	MATCH_YES
};

/* What the unread bytes of a side begin, in *RET with MATCH_YES. */
static enum match match(const struct talk *talk, enum flow_direction from, unsigned int *ret)
{
	const struct talk_side *side = &talk->side[from];
	size_t size = side->size - side->at;
	uint64_t word = size ? word_of(side->bytes + side->at, size) : 0;
	uint64_t known = beginning_known(size < WORD_SIZE ? (__u32)size : WORD_SIZE);
	enum match found = MATCH_NO;

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		const struct beginning *row = &beginnings[i];

		if (row->side != from || ((word ^ row->word) & row->mask & known) != 0)
			continue;
		if ((row->mask & ~known) != 0) {
			found = MATCH_MAYBE;
			continue;
		}
		*ret = row->what;
		return MATCH_YES;
	}
	return found;
}

struct protocol {
	starttls_reader *read;
	bool is_carrier; /* behind it any other may come */
};

static const struct protocol protocols[ARRAY_SIZE(protocol_entries)] = {
	[STARTTLS_smtp] = { starttls_read_smtp, false },
	[STARTTLS_imap] = { starttls_read_imap, false },
	[STARTTLS_pop3] = { starttls_read_pop3, false },
	[STARTTLS_ldap] = { starttls_read_ldap, false },
	[STARTTLS_xmpp] = { starttls_read_xmpp, false },
	[STARTTLS_nntp] = { starttls_read_nntp, false },
	[STARTTLS_sieve] = { starttls_read_sieve, false },
	[STARTTLS_postgresql] = { starttls_read_postgresql, false },
	[STARTTLS_mysql] = { starttls_read_mysql, false },
	[STARTTLS_mssql] = { starttls_read_mssql, false },
	[STARTTLS_rdp] = { starttls_read_rdp, false },
	[STARTTLS_http_connect] = { starttls_read_connect, true },
	[STARTTLS_proxy_v1] = { starttls_read_proxy_v1, true },
	[STARTTLS_proxy_v2] = { starttls_read_proxy_v2, true },
};

/*
 * What is spoken from here on, in *RET, and by whom first, in *RET_FROM. What the client says
 * counts where it is known: a header for the server behind it may cross what the server says.
 */
static bool recognize(struct talk *talk, unsigned int *ret, enum flow_direction *ret_from)
{
	enum match client = match(talk, FLOW_CLIENT, ret), server;

	*ret_from = FLOW_CLIENT;
	if (client == MATCH_YES)
		return true;
	*ret_from = FLOW_SERVER;
	server = match(talk, FLOW_SERVER, ret);
	/* A client that ended without a word has nothing more to say. */
	if (client == MATCH_MAYBE && !talk->side[FLOW_CLIENT].has_ended)
		return talk_wait_both(talk);
	if (server == MATCH_YES)
		return true;
	if (server == MATCH_NO || talk->side[FLOW_SERVER].size == talk->side[FLOW_SERVER].at)
		return talk_refuse(talk);
	return talk_wait(talk, FLOW_SERVER, talk->side[FLOW_SERVER].size + 1);
}

/* Fills in what begins from here on. */
static bool read_on(struct talk *talk, struct starttls *ret)
{
	for (int i = 0; i <= CARRIERS_MAX; i++) {
		enum flow_direction from;
		unsigned int what = STARTTLS_none;

		if (!recognize(talk, &what, &from))
			return false;
		ret->is_ssh = what == STARTTLS_ssh;
		ret->is_reversed = what == STARTTLS_tls && from == FLOW_SERVER;
		if (what >= STARTTLS_tls)
			return true;
		ret->protocol = what;
		ret->is_wrapped = what == STARTTLS_mssql;
		if (!protocols[what].read(talk, &ret->protocol))
			return false;
		if (!protocols[what].is_carrier)
			return true;
	}
	return talk_refuse(talk);
}

enum flow_state starttls_parse(const struct flow *flow, struct starttls *ret,
			       struct flow_needs *ret_needs)
{
	struct talk talk = talk_of(flow);
	struct starttls found = { .protocol = STARTTLS_none };

	if (read_on(&talk, &found)) {
		for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
			found.at[i] = talk.side[i].at;
		*ret = found;
		return FLOW_DECIDED;
	}
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS && talk.state == FLOW_MORE; i++) {
		if (talk.side[i].size > STARTTLS_SEARCH_MAX)
			return FLOW_FOREIGN;
		if (talk.needs.size[i] > STARTTLS_SEARCH_MAX)
			talk.needs.size[i] = STARTTLS_SEARCH_MAX + 1;
	}
	if (talk.state == FLOW_MORE)
		*ret_needs = talk.needs;
	return talk.state;
}

size_t starttls_unwrap(const uint8_t *bytes, size_t size, uint8_t *ret)
{
	size_t at = 0, written = 0;

	while (at < size && bytes[at] == TDS_PRELOGIN) {
		size_t packet, part;

		if (size - at < TDS_HEADER_SIZE)
			return written;
		packet = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
		if (packet < TDS_HEADER_SIZE)
			return written;
		part = packet < size - at ? packet : size - at;
		memcpy(ret + written, bytes + at + TDS_HEADER_SIZE, part - TDS_HEADER_SIZE);
		written += part - TDS_HEADER_SIZE;
		at += part;
	}
	if (at < size)
		memcpy(ret + written, bytes + at, size - at);
	return written + (size - at);
}
