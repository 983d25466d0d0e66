/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/starttls.h"
#include "support/guard.h"
#include "support/recorded.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define CLIENT(text)                                                                               \
	{                                                                                          \
		FLOW_CLIENT, text, sizeof(text) - 1                                                \
	}
#define SERVER(text)                                                                               \
	{                                                                                          \
		FLOW_SERVER, text, sizeof(text) - 1                                                \
	}
#define HELLO	  "\x16\x03\x01\0\5\1\0\0\1x"
#define TLS	  CLIENT(HELLO)
#define STEPS_MAX 16
#define XMPP_TLS  "'urn:ietf:params:xml:ns:xmpp-tls'"
#define LDAP_REQUEST                                                                               \
	"\x30\x1d\x02\x01\1\x77\x18\x80\x16"                                                       \
	"1.3.6.1.4.1.1466.20037"
#define LDAP_RESPONSE(code) "\x30\x0c\x02\x01\1\x78\7\x0a\1" code "\4\0\4\0"
#define MY_GREETING(caps)                                                                          \
	"\x1d\0\0\0\x0a"                                                                           \
	"8.0.36\0"                                                                                 \
	"\1\0\0\0"                                                                                 \
	"12345678\0"                                                                               \
	"\xff" caps "\x21\2\0ABC"
#define MY_REQUEST(caps, number)                                                                   \
	"\x20\0\0" number "\0" caps "\0\0\0\0\0\1\x21"                                             \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define TDS_PRELOGIN(encryption)                                                                   \
	"\x12\1\0\x10\0\0\0\0"                                                                     \
	"\1\0\6\0\1\xff" encryption "x"
#define TDS_RESPONSE(encryption)                                                                   \
	"\4\1\0\x0f\0\0\0\0"                                                                       \
	"\1\0\6\0\1\xff" encryption
#define TDS_HELLO "\x12\1\0\x12\0\0\0\0" HELLO
#define RDP_REQUEST                                                                                \
	"\3\0\0\x2c\x27\xe0\0\0\0\0\0"                                                             \
	"Cookie: mstshash=eltons\r\n"                                                              \
	"\1\0\x08\0\3\0\0\0"
#define RDP_CONFIRM(type, chosen) "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0" type "\0\x08\0" chosen "\0\0\0"
#define PROXY_V2                                                                                   \
	"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"                                                       \
	"\x7f\0\0\1\x7f\0\0\1\xd4\x31\0\x19"

/* One side's words. */
struct words {
	enum flow_direction from;
	const char *bytes;
	size_t size;
};

struct talk {
	const char *name;
	struct words words[STEPS_MAX];
	enum flow_state state;
	enum starttls_protocol protocol;
	/* TLS begins behind so many of the words; of the others nothing is read. */
	int nr_before;
};

static bool are_equal(const void *left, const void *right)
{
	const struct starttls *a = left, *b = right;

	return a->protocol == b->protocol && a->is_ssh == b->is_ssh &&
	       a->is_reversed == b->is_reversed && a->is_wrapped == b->is_wrapped &&
	       a->at[FLOW_CLIENT] == b->at[FLOW_CLIENT] && a->at[FLOW_SERVER] == b->at[FLOW_SERVER];
}

static enum flow_state parse(const struct flow *flow, void *ret, struct flow_needs *ret_needs)
{
	return starttls_parse(flow, ret, ret_needs);
}

static const struct flow_parser parser = { parse, are_equal, sizeof(struct starttls) };

/* The talk as a flow; its bytes live until the next call. */
static struct flow flow_of(const struct words *words, size_t max, struct flow_step *steps,
			   size_t *ret_nr)
{
	static uint8_t bytes[NR_FLOW_DIRECTIONS][256 << 10];
	struct flow flow = { .from = { { .bytes = bytes[0] }, { .bytes = bytes[1] } } };
	size_t i;

	for (i = 0; i < max && words[i].bytes; i++) {
		struct flow_bytes *from = &flow.from[words[i].from];

		memcpy(bytes[words[i].from] + from->size, words[i].bytes, words[i].size);
		from->size += words[i].size;
		steps[i] = (struct flow_step){ words[i].from, words[i].size };
	}
	*ret_nr = i;
	return flow;
}

static void expect(const struct talk *talk)
{
	struct flow_step steps[STEPS_MAX];
	struct starttls found;
	struct flow_needs needs;
	size_t nr, calls, at[NR_FLOW_DIRECTIONS] = { 0, 0 };
	struct flow flow = flow_of(talk->words, STEPS_MAX, steps, &nr), guarded;
	enum flow_state state;

	guarded = flow_guarded(&flow);
	state = starttls_parse(&guarded, &found, &needs);
	if (state != talk->state)
		print_error("%s\n", talk->name);
	assert_int_equal(state, talk->state);
	flow_free(&guarded);
	assert_int_equal(flow_check_steps(&flow, steps, nr, &parser, &calls), talk->state);
	if (talk->state != FLOW_DECIDED)
		return;
	for (int i = 0; i < talk->nr_before; i++)
		at[talk->words[i].from] += talk->words[i].size;
	if (found.protocol != talk->protocol || found.at[0] != at[0] || found.at[1] != at[1])
		print_error("%s\n", talk->name);
	assert_int_equal(found.protocol, talk->protocol);
	assert_int_equal(found.at[FLOW_CLIENT], at[FLOW_CLIENT]);
	assert_int_equal(found.at[FLOW_SERVER], at[FLOW_SERVER]);
	assert_int_equal(found.is_wrapped, talk->protocol == STARTTLS_mssql);
	assert_false(found.is_ssh);
	assert_false(found.is_reversed);
}

#define IS(id, nr) FLOW_DECIDED, STARTTLS_##id, nr
#define IS_NOT	   FLOW_FOREIGN, STARTTLS_none, 0
#define WAITS	   FLOW_MORE, STARTTLS_none, 0

/* clang-format off */
static const struct talk text_talks[] = {
	{ "smtp", { SERVER("220 mx ESMTP\r\n"), CLIENT("EHLO a\r\n"),
		    SERVER("250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n"), CLIENT("STARTTLS\r\n"),
		    SERVER("220 2.0.0 go\r\n"), TLS }, IS(smtp, 5) },
	{ "smtp, long greeting, any case, no CR", { SERVER("220-mx\r\n220-x\r\n220 y\r\n"),
		    CLIENT("ehlo a\nstarttls \n"), SERVER("250 mx\r\n"), SERVER("220\r\n") },
		    IS(smtp, 4) },
	{ "smtp, refused, asked again", { SERVER("220 mx\r\n"), CLIENT("EHLO a\r\n"),
		    SERVER("250 mx\r\n"), CLIENT("STARTTLS\r\n"), SERVER("454 no\r\n"),
		    CLIENT("NOOP\r\n"), SERVER("250 ok\r\n"), CLIENT("STARTTLS\r\n"),
		    SERVER("220 go\r\n"), TLS }, IS(smtp, 9) },
	{ "smtp, AUTH in clear first", { SERVER("220 mx\r\n"), CLIENT("AUTH LOGIN\r\n"),
		    SERVER("334 VXNlcjo=\r\n"), CLIENT("STARTTLS\r\n"), SERVER("334 UGFz\r\n"),
		    CLIENT("eA==\r\n"), SERVER("535 no\r\n") }, WAITS },
	{ "smtp, 220 is not for it", { SERVER("220 mx\r\n"), CLIENT("NOOP\r\n"),
		    SERVER("220 ok\r\n") }, WAITS },
	{ "smtp, mail", { SERVER("220 mx\r\n"), CLIENT("DATA\r\n") }, IS_NOT },
	{ "smtp, not today", { SERVER("220 mx\r\n"), CLIENT("EHLO a\r\n"), SERVER("nonsense\r\n") },
		    IS_NOT },
	{ "smtp, client does not wait", { CLIENT("EHLO a\r\nSTARTTLS\r\n"), SERVER("220 mx\r\n"),
		    SERVER("250 mx\r\n220 go\r\n") }, IS(smtp, 3) },
	{ "lmtp", { SERVER("220 mx LMTP\r\n"), CLIENT("LHLO a\r\n"), SERVER("250 mx\r\n"),
		    CLIENT("STARTTLS\r\n"), SERVER("220 go\r\n") }, IS(smtp, 5) },
	{ "ftp", { SERVER("220-hello\r\n  250 no end\r\n220 ftpd\r\n"), CLIENT("FEAT\r\n"),
		    SERVER("211-Features:\r\n AUTH TLS\r\n UTF8\r\n211 End\r\n"),
		    CLIENT("AUTH TLS\r\n"), SERVER("234 go\r\n"), TLS }, IS(ftp, 5) },
	{ "ftp, SSL, TLS-C", { SERVER("220 ftpd\r\n"), CLIENT("AUTH SSL\r\n"), SERVER("504 no\r\n"),
		    CLIENT("auth tls-c\r\n"), SERVER("234 go\r\n") }, IS(ftp, 5) },
	{ "ftp, preliminary answer", { SERVER("220 ftpd\r\n"), CLIENT("STAT\r\n"),
		    SERVER("150 now\r\n226 done\r\n"), CLIENT("AUTH TLS\r\n"), SERVER("234 go\r\n") },
		    IS(ftp, 5) },
	{ "ftp, GSSAPI", { SERVER("220 ftpd\r\n"), CLIENT("AUTH GSSAPI\r\n"), SERVER("234 go\r\n") },
		    WAITS },
	{ "smtp, TLS unasked", { SERVER("220 mx\r\n"), CLIENT("\x16\x03\x01") }, WAITS },
	{ "pop3", { SERVER("+OK ready <1@x>\r\n"), CLIENT("CAPA\r\n"),
		    SERVER("+OK\r\nSTLS\r\n.\r\n"), CLIENT("STLS\r\n"), SERVER("+OK go\r\n"), TLS },
		    IS(pop3, 5) },
	{ "pop3, refused", { SERVER("+OK\r\n"), CLIENT("STLS\r\n"), SERVER("-ERR no\r\n"),
		    CLIENT("CAPA\r\nSTLS\r\n"), SERVER("-ERR what\r\n+OK\r\n") }, IS(pop3, 5) },
	{ "pop3, failed AUTH first", { SERVER("+OK\r\n"), CLIENT("AUTH PLAIN\r\n"), SERVER("+ \r\n"),
		    CLIENT("STLS\r\n"), SERVER("-ERR no\r\n"), CLIENT("STLS\r\n"),
		    SERVER("+OK\r\n") }, IS(pop3, 7) },
	{ "pop3, login", { SERVER("+OK\r\n"), CLIENT("USER a\r\n"), SERVER("+OK\r\n"),
		    CLIENT("PASS b\r\n"), SERVER("+OK\r\n") }, IS_NOT },
	{ "nntp", { SERVER("200 news\r\n"), CLIENT("CAPABILITIES\r\n"),
		    SERVER("101 list:\r\nSTARTTLS\r\n.\r\n"), CLIENT("STARTTLS\r\n"),
		    SERVER("382 go\r\n"), TLS }, IS(nntp, 5) },
	{ "nntp, a group first", { SERVER("201 news\r\n"), CLIENT("GROUP x\r\n"),
		    SERVER("211 1 2 3 x\r\n"), CLIENT("LISTGROUP\r\n"), SERVER("211 x\r\n1\r\n.\r\n"),
		    CLIENT("STARTTLS\r\n"), SERVER("382 go\r\n") }, IS(nntp, 7) },
	{ "nntp, posts", { SERVER("200 news\r\n"), CLIENT("POST\r\n"), SERVER("340 go\r\n") },
		    IS_NOT },
	{ "imap", { SERVER("* OK [CAPABILITY IMAP4rev1 STARTTLS] x\r\n"), CLIENT("a1 STARTTLS\r\n"),
		    SERVER("a1 OK go\r\n"), TLS }, IS(imap, 3) },
	{ "imap, lines without a tag", { SERVER("* OK x\r\n"), CLIENT("a CAPABILITY\r\n"),
		    SERVER("* CAPABILITY IMAP4rev1\r\na OK\r\n"), CLIENT("b STARTTLS\r\n"),
		    SERVER("* OK {3}\r\n\x16\x03\x01 x\r\nb OK\r\n") }, IS(imap, 5) },
	{ "imap, refused", { SERVER("* OK x\r\n"), CLIENT("a STARTTLS\r\n"), SERVER("a BAD no\r\n"),
		    CLIENT("b starttls\r\n"), SERVER("b ok\r\n") }, IS(imap, 5) },
	{ "imap, failed logins first", { SERVER("* OK x\r\n"), CLIENT("a LOGIN {1}\r\n"),
		    SERVER("+ go\r\n"), CLIENT("u {8+}\r\nb STARTT\r\n"), SERVER("a NO\r\n"),
		    CLIENT("b AUTHENTICATE PLAIN\r\n"), SERVER("+\r\n"), CLIENT("c STARTTLS\r\n"),
		    SERVER("b NO\r\n"), CLIENT("c STARTTLS\r\n"), SERVER("c OK\r\n") },
		    IS(imap, 11) },
	{ "imap, login", { SERVER("* OK x\r\n"), CLIENT("a LOGIN u p\r\n"), SERVER("a OK\r\n") },
		    IS_NOT },
	{ "imap, known before", { SERVER("* PREAUTH x\r\n"), CLIENT("a") }, IS_NOT },
	{ "imap, other tag", { SERVER("* OK x\r\n"), CLIENT("a STARTTLS\r\n"), SERVER("b OK\r\n") },
		    IS_NOT },
	{ "sieve", { SERVER("\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK \"hi\"\r\n"),
		    CLIENT("STARTTLS\r\n"), SERVER("OK \"go\"\r\n"), TLS }, IS(sieve, 3) },
	{ "sieve, failed login first", { SERVER("\"IMPLEMENTATION\" {4}\r\nOK\r\n\r\nOK\r\n"),
		    CLIENT("AUTHENTICATE \"X\"\r\n"), SERVER("\"\"\r\n"), CLIENT("{8+}\r\nSTARTTLS\r\n"),
		    SERVER("NO\r\n"), CLIENT("STARTTLS\r\n"), SERVER("OK\r\n") }, IS(sieve, 7) },
	{ "xmpp", { CLIENT("<?xml version='1.0'?><stream:stream to='x>y' xmlns='jabber:client'>"),
		    SERVER("<?xml version='1.0'?><stream:stream id='1'><stream:features>"
			   "<starttls xmlns=" XMPP_TLS "><required/></starttls></stream:features>"),
		    CLIENT("<starttls xmlns=" XMPP_TLS "/>"),
		    SERVER("<proceed xmlns=" XMPP_TLS "/>"), TLS }, IS(xmpp, 4) },
	{ "xmpp, open tags", { CLIENT("<stream:stream>\n<tls:starttls xmlns:tls=" XMPP_TLS
			   " > </tls:starttls>"), SERVER("<stream:stream>"),
		    SERVER("<proceed xmlns=" XMPP_TLS "></proceed>"), TLS }, IS(xmpp, 3) },
	{ "xmpp, refused", { CLIENT("<stream:stream><starttls xmlns=" XMPP_TLS "/>"),
		    SERVER("<stream:stream><failure xmlns=" XMPP_TLS "/></stream:stream>") },
		    IS_NOT },
	{ "xmpp, other namespace", { CLIENT("<stream:stream><starttls xmlns='x'/>") }, IS_NOT },
	{ "xmpp, login", { CLIENT("<stream:stream><auth mechanism='PLAIN'>") }, IS_NOT },
};

static const struct talk binary_talks[] = {
	{ "tls", { TLS }, IS(none, 0) },
	{ "tls, 5 bytes", { CLIENT("\x16\x03\x01\0\5") }, WAITS },
	{ "tls, no hello", { CLIENT("\x16\x03\x01\0\5\2") }, IS_NOT },
	{ "tls, no version", { CLIENT("\x16\x03\x10") }, IS_NOT },
	{ "ssl 2", { CLIENT("\x80\x2e\1\3\1\0\x15") }, IS(none, 0) },
	{ "ssl 2 only", { CLIENT("\x80\x2e\1\0\2\0\x15") }, IS(none, 0) },
	{ "http", { CLIENT("G") }, IS_NOT },
	{ "http, by a server that waits", { CLIENT("POST / HTTP/1.1\r\n") }, IS_NOT },
	{ "redis", { CLIENT("*1\r\n$4\r\nPING\r\n") }, IS_NOT },
	{ "nothing", { { 0 } }, WAITS },
	{ "ldap", { CLIENT(LDAP_REQUEST), SERVER(LDAP_RESPONSE("\0")), TLS }, IS(ldap, 2) },
	{ "ldap, a search first, of Windows", {
		    CLIENT("\x30\x84\0\0\0\x0a\2\1\5\x63\x84\0\0\0\1x"), SERVER("\x30\5\2\1\5\x65\0"),
		    CLIENT(LDAP_REQUEST), SERVER("\x30\5\2\1\1\x64\0"), SERVER(LDAP_RESPONSE("\0")),
		    TLS }, IS(ldap, 5) },
	{ "ldap, refused", { CLIENT(LDAP_REQUEST), SERVER(LDAP_RESPONSE("\2")) }, WAITS },
	{ "ldap, other request", { CLIENT("\x30\x0b\2\1\1\x77\6\x80\4" "1.36"),
		    SERVER(LDAP_RESPONSE("\0")) }, WAITS },
	{ "ldap, too long", { CLIENT("\x30\x84\0\x10\0\0\2\1\1\x77\x84") }, IS_NOT },
	{ "ldap, unbind", { CLIENT("\x30\5\2\1\3\x42\0") }, IS_NOT },
	{ "postgresql", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("S"), TLS }, IS(postgresql, 2) },
	{ "postgresql, after GSSAPI", { CLIENT("\0\0\0\x08\4\xd2\x16\x30"), SERVER("N"),
		    CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("S"), TLS }, IS(postgresql, 4) },
	{ "postgresql, GSSAPI", { CLIENT("\0\0\0\x08\4\xd2\x16\x30"), SERVER("G") }, IS_NOT },
	{ "postgresql, S is not for GSSAPI", { CLIENT("\0\0\0\x08\4\xd2\x16\x30"), SERVER("S") },
		    IS_NOT },
	{ "postgresql, refused", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("N"),
		    CLIENT("\0\0\0\x29\0\3\0\0") }, IS_NOT },
	{ "postgresql, in clear", { CLIENT("\0\0\0\x29\0\3\0\0") }, IS_NOT },
	{ "postgresql, error", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("E") }, IS_NOT },
	{ "mysql", { SERVER(MY_GREETING("\xff")), CLIENT(MY_REQUEST("\x8a", "\1")), TLS },
		    IS(mysql, 2) },
	{ "mysql, cannot", { SERVER(MY_GREETING("\xf7")), CLIENT("\x20") }, IS_NOT },
	{ "mysql, will not", { SERVER(MY_GREETING("\xff")), CLIENT("\x54\0\0\1") }, IS_NOT },
	{ "mysql, request without the flag", { SERVER(MY_GREETING("\xff")),
		    CLIENT(MY_REQUEST("\x82", "\1")) }, IS_NOT },
	{ "mysql, other number", { SERVER(MY_GREETING("\xff")), CLIENT(MY_REQUEST("\x8a", "\2")) },
		    IS_NOT },
	{ "mssql", { CLIENT(TDS_PRELOGIN("\0")), SERVER(TDS_RESPONSE("\1")), CLIENT(TDS_HELLO) },
		    IS(mssql, 2) },
	{ "mssql, server cannot", { CLIENT(TDS_PRELOGIN("\0")), SERVER(TDS_RESPONSE("\2")) },
		    IS_NOT },
	{ "mssql, client cannot", { CLIENT(TDS_PRELOGIN("\2")) }, IS_NOT },
	{ "mssql, login in clear", { CLIENT(TDS_PRELOGIN("\0")), SERVER(TDS_RESPONSE("\0")),
		    CLIENT("\x10\1\0\x90\0\0\1\0x") }, IS_NOT },
	{ "rdp", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\2", "\1")), TLS }, IS(rdp, 2) },
	{ "rdp, with CredSSP", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\2", "\2")), TLS },
		    IS(rdp, 2) },
	{ "rdp, of old", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\2", "\0")) }, IS_NOT },
	{ "rdp, not asked for", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\2", "\x08")) }, IS_NOT },
	{ "rdp, failure", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\3", "\1")) }, IS_NOT },
	{ "rdp, without negotiation", { CLIENT("\3\0\0\x0b\6\xe0\0\0\0\0\0") }, IS_NOT },
};

static const struct talk carrier_talks[] = {
	{ "connect", { CLIENT("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"),
		    SERVER("HTTP/1.1 200 Connection established\r\nVia: y\r\n\r\n"), TLS },
		    IS(http_connect, 2) },
	{ "connect, password", { CLIENT("CONNECT x:443 HTTP/1.1\r\n\r\n"),
		    SERVER("HTTP/1.1 407 No\r\ncontent-length: 3\r\n\r\nabc"),
		    CLIENT("CONNECT x:443 HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\n\r\n"),
		    SERVER("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.0 200\r\n\r\n"), TLS },
		    IS(http_connect, 4) },
	{ "connect, refused", { CLIENT("CONNECT x:443 HTTP/1.1\r\n\r\n"),
		    SERVER("HTTP/1.1 403 No\r\n\r\n") }, IS_NOT },
	{ "connect, in clear", { CLIENT("CONNECT x:80 HTTP/1.1\r\n\r\n"),
		    SERVER("HTTP/1.1 200 OK\r\n\r\n"), CLIENT("GET /") }, IS_NOT },
	{ "connect, to mail", { CLIENT("CONNECT x:25 HTTP/1.1\r\n\r\n"),
		    SERVER("HTTP/1.1 200 OK\r\n\r\n220 mx\r\n"), CLIENT("STARTTLS\r\n"),
		    SERVER("220 go\r\n"), TLS }, IS(smtp, 4) },
	{ "proxy v1", { CLIENT("PROXY TCP4 127.0.0.1 127.0.0.1 4711 443\r\n"), TLS },
		    IS(proxy_v1, 1) },
	{ "proxy v1, too long", { CLIENT("PROXY TCP6 "
		    "ffff:f...f:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		    "ffff:f...f:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n") }, IS_NOT },
	{ "proxy v2", { CLIENT(PROXY_V2), TLS }, IS(proxy_v2, 1) },
	{ "proxy v2, to mail", { CLIENT(PROXY_V2), SERVER("220 mx\r\n"), CLIENT("STARTTLS\r\n"),
		    SERVER("220 go\r\n"), TLS }, IS(smtp, 4) },
	{ "proxy v2, other version", { CLIENT("\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0") }, IS_NOT },
	{ "proxy, to a database", { CLIENT("PROXY UNKNOWN\r\n"), SERVER(MY_GREETING("\xff")),
		    CLIENT(MY_REQUEST("\x8a", "\1")), TLS }, IS(mysql, 3) },
	{ "proxy, in clear", { CLIENT("PROXY UNKNOWN\r\nGET /") }, IS_NOT },
	{ "proxies", { CLIENT("PROXY A\nPROXY A\nPROXY A\nPROXY A\nPROXY A\n") }, IS_NOT },
};
/* clang-format on */

static void test_text_protocols_lead_to_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(text_talks); i++)
		expect(&text_talks[i]);
}

static void test_binary_protocols_lead_to_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(binary_talks); i++)
		expect(&binary_talks[i]);
}

static void test_carriers_lead_to_any(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(carrier_talks); i++)
		expect(&carrier_talks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_protocols_lead_to_tls),
		cmocka_unit_test(test_binary_protocols_lead_to_tls),
		cmocka_unit_test(test_carriers_lead_to_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
