/* SPDX-License-Identifier: MIT */
/* Protocols of lines: a command of the client, an answer of the server. */
#include <string.h>

#include "lib/bytes.h"
#include "proto/starttls_private.h"

/* Answers that the documents give numbers. */
enum {
	SMTP_READY = 220,
	FTP_SOON = 120, /* RFC 959: ready in some minutes */
	FTP_AUTH_GRANTED = 234,
	NNTP_MAY_POST = 200,
	NNTP_MAY_NOT_POST = 201,
	NNTP_LISTGROUP = 211,
	NNTP_AUTHENTICATED = 281, /* RFC 4643: also 283 */
	NNTP_AUTHENTICATED_DATA = 283,
	NNTP_SEND_IT = 335,
	NNTP_POST_IT = 340,
	NNTP_STARTTLS = 382,
};

#define CODE_SIZE 3

/* The number that LINE begins with, or 0. */
static unsigned int code_of(const struct flow_text *line)
{
	const uint8_t *digit = line->bytes;

	if (line->size < CODE_SIZE || !bytes_are_digits((const char *)digit, CODE_SIZE) ||
	    digit[0] == '0' || (line->size > CODE_SIZE && !strchr(" -", digit[CODE_SIZE])))
		return 0;
	return (unsigned int)((digit[0] - '0') * 100 + (digit[1] - '0') * 10 + (digit[2] - '0'));
}

/*
 * An answer of SMTP or FTP: where its first line has a '-' behind the number, it goes on up to a
 * line with the same number and none (RFC 5321 section 4.2.1, RFC 959 section 4.2).
 */
static bool reply_read(struct talk *talk, unsigned int *ret)
{
	struct flow_text line;
	unsigned int code;
	bool goes_on;

	if (!talk_line(talk, FLOW_SERVER, &line))
		return false;
	code = code_of(&line);
	if (!code)
		return talk_refuse(talk);
	goes_on = line.size > CODE_SIZE && line.bytes[CODE_SIZE] == '-';
	while (goes_on) {
		if (!talk_line(talk, FLOW_SERVER, &line))
			return false;
		goes_on = code_of(&line) != code ||
			  (line.size > CODE_SIZE && line.bytes[CODE_SIZE] == '-');
	}
	*ret = code;
	return true;
}

/* Lines up to one with a dot alone (RFC 1939 section 3, RFC 3977 section 3.1.1). */
static bool block_read(struct talk *talk)
{
	struct flow_text line;

	do {
		if (!talk_line(talk, FLOW_SERVER, &line))
			return false;
	} while (line.size != 1 || line.bytes[0] != '.');
	return true;
}

/* The answer that begins TLS after the command LINE; 0: none does, -1: none will. */
static int smtp_grant(struct flow_text line, enum starttls_protocol *protocol)
{
	static const char *const kinds[] = { "TLS", "SSL", "TLS-C", "TLS-P" };
	struct flow_text verb = talk_word(&line);

	if (talk_is(&verb, "STARTTLS")) {
		*protocol = STARTTLS_smtp;
		return SMTP_READY;
	}
	/* Mail goes over the wire: what comes behind it is no command. */
	if (talk_is(&verb, "DATA") || talk_is(&verb, "BDAT") || talk_is(&verb, "QUIT"))
		return -1;
	for (size_t i = 0; talk_is(&verb, "AUTH") && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!talk_is(&line, kinds[i]))
			continue;
		*protocol = STARTTLS_ftp;
		return FTP_AUTH_GRANTED;
	}
	return 0;
}

bool starttls_read_smtp(struct talk *talk, enum starttls_protocol *protocol)
{
	struct flow_text line;
	unsigned int code;
	int grant;

	do {
		if (!reply_read(talk, &code))
			return false;
	} while (code == FTP_SOON);
	if (code != SMTP_READY)
		return talk_refuse(talk);
	do {
		if (!talk_line(talk, FLOW_CLIENT, &line))
			return false;
		grant = smtp_grant(line, protocol);
		if (grant < 0)
			return talk_refuse(talk);
		do {
			if (!reply_read(talk, &code))
				return false;
		} while (code < 200); /* FTP says more then */
	} while (!grant || code != (unsigned int)grant);
	return true;
}

/*
 * Whether the answer to VERB with ARGUMENT goes on up to a dot (RFC 2449, RFC 6856; AUTH alone
 * lists mechanisms).
 */
static bool pop3_has_block(const struct flow_text *verb, const struct flow_text *argument)
{
	return talk_is(verb, "CAPA") ||
	       ((talk_is(verb, "AUTH") || talk_is(verb, "LANG")) && !argument->size);
}

/* The answer to a command, with what the client sends when it is asked for more by "+ ". */
static bool pop3_answer(struct talk *talk, bool *ret_is_ok)
{
	struct flow_text line, word, more;

	for (;;) {
		if (!talk_line(talk, FLOW_SERVER, &line))
			return false;
		word = talk_word(&line);
		*ret_is_ok = talk_is(&word, "+OK");
		if (*ret_is_ok || talk_is(&word, "-ERR"))
			return true;
		if (!talk_is(&word, "+"))
			return talk_refuse(talk);
		if (!talk_line(talk, FLOW_CLIENT, &more))
			return false;
	}
}

/* Whoever is known cannot begin TLS any more (RFC 2595 section 4). */
static bool is_pop3_login(const struct flow_text *verb, const struct flow_text *argument)
{
	return talk_is(verb, "PASS") || talk_is(verb, "APOP") || talk_is(verb, "QUIT") ||
	       (talk_is(verb, "AUTH") && argument->size);
}

bool starttls_read_pop3(struct talk *talk, enum starttls_protocol *protocol)
{
	struct flow_text line, verb;
	bool is_ok;

	(void)protocol;
	if (!pop3_answer(talk, &is_ok)) /* the greeting */
		return false;
	do {
		if (!talk_line(talk, FLOW_CLIENT, &line))
			return false;
		verb = talk_word(&line);
		if (!pop3_answer(talk, &is_ok))
			return false;
		if (is_ok && is_pop3_login(&verb, &line))
			return talk_refuse(talk);
		if (is_ok && pop3_has_block(&verb, &line) && !block_read(talk))
			return false;
	} while (!is_ok || !talk_is(&verb, "STLS"));
	return true;
}

/* Whether the answer CODE goes on up to a dot (RFC 3977 section 3.2 and appendix C). */
static bool nntp_has_block(unsigned int code, const struct flow_text *verb)
{
	static const unsigned int codes[] = { 100, 101, 215, 220, 221, 222, 224, 225, 230, 231 };

	if (code == NNTP_LISTGROUP)
		return talk_is(verb, "LISTGROUP");
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (code == codes[i])
			return true;
	return false;
}

static bool nntp_answer(struct talk *talk, const struct flow_text *verb, unsigned int *ret)
{
	struct flow_text line;

	if (!talk_line(talk, FLOW_SERVER, &line))
		return false;
	*ret = code_of(&line);
	if (!*ret)
		return talk_refuse(talk);
	return !nntp_has_block(*ret, verb) || block_read(talk);
}

bool starttls_read_nntp(struct talk *talk, enum starttls_protocol *protocol)
{
	struct flow_text line, verb = { 0 };
	unsigned int code;

	(void)protocol;
	if (!nntp_answer(talk, &verb, &code))
		return false;
	if (code != NNTP_MAY_POST && code != NNTP_MAY_NOT_POST)
		return talk_refuse(talk);
	for (;;) {
		if (!talk_line(talk, FLOW_CLIENT, &line))
			return false;
		verb = talk_word(&line);
		if (!nntp_answer(talk, &verb, &code))
			return false;
		if (code == NNTP_STARTTLS && talk_is(&verb, "STARTTLS"))
			return true;
		/* Articles follow, or nothing may begin TLS any more (RFC 4642 section 2.2). */
		if (code == NNTP_SEND_IT || code == NNTP_POST_IT || code == NNTP_AUTHENTICATED ||
		    code == NNTP_AUTHENTICATED_DATA || talk_is(&verb, "QUIT"))
			return talk_refuse(talk);
	}
}
