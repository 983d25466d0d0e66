/* SPDX-License-Identifier: MIT */
/* Those of starttls_text.c, starttls_literal.c and starttls_xmpp.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/array.h"
#include "talks.h"

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
	{ "smtp, another answer than the one that grants", { SERVER("220 mx\r\n"),
		    CLIENT("STARTTLS\r\n"), SERVER("250 what\r\n") }, WAITS },
	{ "smtp, mail", { SERVER("220 mx\r\n"), CLIENT("DATA\r\n") }, IS_NOT },
	{ "smtp, not today", { SERVER("220 mx\r\n"), CLIENT("EHLO a\r\n"), SERVER("nonsense\r\n") },
		    IS_NOT },
	{ "smtp, client does not wait", { CLIENT("EHLO a\r\nSTARTTLS\r\n"), SERVER("220 mx\r\n"),
		    SERVER("250 mx\r\n220 go\r\n") }, IS(smtp, 3) },
	{ "ftp, client does not wait", { CLIENT("FEAT\r\n"), SERVER("220 ftp\r\n211 no features\r\n"),
		    CLIENT("AUTH TLS\r\n"), SERVER("234 go\r\n") }, IS(ftp, 4) },
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
	{ "smtp, half a greeting", { SERVER("220"), CLIENT("MAIL FROM:<a>\r\n") }, WAITS },
	{ "pop3, half a greeting", { SERVER("+OK"), CLIENT("STLS\r\n") }, WAITS },
	{ "pop3, no answer", { SERVER("+OK\r\n"), CLIENT("STLS\r\n"), SERVER("OK\r\n") }, IS_NOT },
	{ "nntp, half a greeting", { SERVER("200 "), CLIENT("STARTTLS\r\n") }, WAITS },
	{ "nntp, no answer", { SERVER("200 x\r\n"), CLIENT("STARTTLS\r\n"), SERVER("OK\r\n") },
		    IS_NOT },
	{ "imap, half a greeting", { SERVER("* OK"), CLIENT("a STARTTLS\r\n") }, WAITS },
	{ "imap, goodbye", { SERVER("* OK x\r\n"), CLIENT("a NOOP\r\n"), SERVER("* BYE\r\n") },
		    IS_NOT },
	{ "imap, no command", { SERVER("* OK x\r\n"), CLIENT("tag\r\n") }, IS_NOT },
	{ "imap, literal too long", { SERVER("* OK x\r\n"),
		    CLIENT("a LOGIN {18446744073709551617}\r\nx\r\nb STARTTLS\r\n") }, WAITS },
	{ "imap, braces that hold no size", { SERVER("* OK x\r\n"), CLIENT(" a STARTTLS {}\r\n"),
		    SERVER("a BAD\r\n"), CLIENT("b  STARTTLS\r\n"), SERVER("b OK\r\n") },
		    IS(imap, 5) },
	{ "imap, what was asked for is not there yet", { SERVER("* OK x\r\n"),
		    CLIENT("a AUTHENTICATE X\r\n"), SERVER("+\r\na NO\r\n") }, WAITS },
	{ "sieve, half of what it can do", { SERVER("\"IMPLEMENTATION\""), CLIENT("STARTTLS\r\n") },
		    WAITS },
	{ "sieve, login", { SERVER("\"IMPLEMENTATION\"\r\nOK\r\n"), CLIENT("LOGOUT\r\n"),
		    SERVER("OK\r\n") }, IS_NOT },
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
	{ "imap, client does not wait", { CLIENT("a CAPABILITY\r\n"), SERVER("* OK x\r\n* CAPABILITY x\r\na OK\r\n"),
		    CLIENT("a STARTTLS\r\n"), SERVER("a OK go\r\n") }, IS(imap, 4) },
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
	{ "imap, literals where the client is asked for more too", { SERVER("* OK x\r\n"),
		    CLIENT("a AUTHENTICATE {5}\r\n"), SERVER("+\r\n"), CLIENT("PLAIN\r\n"),
		    SERVER("+\r\n"), CLIENT("b STARTTLS\r\n"), SERVER("a NO\r\n"),
		    CLIENT("b AUTHENTICATE {5+}\r\nPLAIN\r\n"), SERVER("+\r\n"),
		    CLIENT("c STARTTLS\r\n"), SERVER("b NO\r\n"), CLIENT("c STARTTLS\r\n"),
		    SERVER("c OK\r\n") }, IS(imap, 13) },
	{ "imap, login", { SERVER("* OK x\r\n"), CLIENT("a LOGIN u p\r\n"), SERVER("a OK\r\n") },
		    IS_NOT },
	{ "imap, known before", { SERVER("* PREAUTH x\r\n"), CLIENT("a N") }, IS_NOT },
	{ "imap, known before, client does not wait", { CLIENT("a CAPABILITY\r\n"),
		    SERVER("* PREAUTH x\r\n") }, IS_NOT },
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
/* clang-format on */

static void test_text_protocols_lead_to_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(text_talks); i++)
		talk_expect(&text_talks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_protocols_lead_to_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
