/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/array.h"
#include "talks.h"

/* clang-format off */
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
	{ "ldap, answer is no message", { CLIENT(LDAP_REQUEST), SERVER("HTTP/1.1") }, IS_NOT },
	{ "ldap, answer without an end", { CLIENT(LDAP_REQUEST), SERVER("\x30\x80") }, IS_NOT },
	{ "ldap, answer with half a length", { CLIENT(LDAP_REQUEST), SERVER("\x30\x84\0") }, WAITS },
	{ "ldap, answer without a number", { CLIENT(LDAP_REQUEST), SERVER("\x30\3\4\1\1") }, IS_NOT },
	{ "ldap, answer with a number alone", { CLIENT(LDAP_REQUEST), SERVER("\x30\3\2\1\1") },
		    IS_NOT },
	{ "ldap, answer longer than its message", { CLIENT(LDAP_REQUEST),
		    SERVER("\x30\5\2\1\1\x78\7") }, IS_NOT },
	{ "ldap, unbind", { CLIENT("\x30\5\2\1\3\x42\0") }, IS_NOT },
	{ "postgresql", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("S"), TLS }, IS(postgresql, 2) },
	{ "postgresql, after GSSAPI", { CLIENT("\0\0\0\x08\4\xd2\x16\x30"), SERVER("N"),
		    CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("S"), TLS }, IS(postgresql, 4) },
	{ "postgresql, GSSAPI", { CLIENT("\0\0\0\x08\4\xd2\x16\x30"), SERVER("G") }, IS_NOT },
	{ "postgresql, S is not for GSSAPI", { CLIENT("\0\0\0\x08\4\xd2\x16\x30"), SERVER("S") },
		    IS_NOT },
	{ "postgresql, refused", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("N"),
		    CLIENT("\0\0\0\x29\0\3\0\0") }, IS_NOT },
	{ "postgresql, cancels after a refusal", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("N"),
		    CLIENT("\0\0\0\x08\4\xd2\x16\x2e") }, IS_NOT },
	{ "postgresql, asks for ever", {
		    CLIENT("\0\0\0\x08\4\xd2\x16\x2f" "\0\0\0\x08\4\xd2\x16\x2f"),
		    CLIENT("\0\0\0\x08\4\xd2\x16\x2f" "\0\0\0\x08\4\xd2\x16\x2f"),
		    SERVER("NNNN") }, IS_NOT },
	{ "postgresql, in clear", { CLIENT("\0\0\0\x29\0\3\0\0") }, IS_NOT },
	{ "postgresql, error", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("E") }, IS_NOT },
	{ "mysql", { SERVER(MY_GREETING("\xff")), CLIENT(MY_REQUEST("\x8a", "\1")), TLS },
		    IS(mysql, 2) },
	{ "mysql, cannot", { SERVER(MY_GREETING("\xf7")), CLIENT("\x20") }, IS_NOT },
	{ "mysql, no greeting", { SERVER("\1\0\0\0\x0a" "8"), CLIENT("\x20") }, IS_NOT },
	{ "mysql, version without an end", { SERVER("\4\0\0\0\x0a" "8.0"), CLIENT("\x20") }, IS_NOT },
	{ "mysql, greeting too short", { SERVER("\x0f\0\0\0\x0a" "8\0" "1234" "12345678"),
		    CLIENT("\x20") }, IS_NOT },
	{ "mysql, half a greeting", { SERVER("\x0f\0\0\0\x0a" "8\0"), CLIENT("\x20") }, WAITS },
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
	{ "mssql, says nothing about it", { CLIENT("\x12\1\0\x0e\0\0\0\0" "\0\0\6\0\0\xff") }, IS_NOT },
	{ "mssql, options without an end", { CLIENT("\x12\1\0\x0b\0\0\0\0" "\0\0\6") }, IS_NOT },
	{ "mssql, option beyond its packet", {
		    CLIENT("\x12\1\0\x0e\0\0\0\0" "\1\0\6\0\1\xff") }, IS_NOT },
	{ "mssql, answer of another type", { CLIENT(TDS_PRELOGIN("\0")),
		    SERVER("\x12\1\0\x0f\0\0\0\0") }, IS_NOT },
	{ "mssql, login in clear", { CLIENT(TDS_PRELOGIN("\0")), SERVER(TDS_RESPONSE("\0")),
		    CLIENT("\x10\1\0\x90\0\0\1\0x") }, IS_NOT },
	{ "rdp", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\2", "\1")), TLS }, IS(rdp, 2) },
	{ "rdp, with CredSSP", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\2", "\2")), TLS },
		    IS(rdp, 2) },
	{ "rdp, with an id of the connection", {
		    CLIENT("\3\0\0\x37\x32\xe0\0\0\0\0\0" "\1\x08\x08\0\3\0\0\0"
			   "\6\0\x24\0" "0123456789abcdef0123456789abcdef"),
		    SERVER(RDP_CONFIRM("\2", "\1")), TLS }, IS(rdp, 2) },
	{ "rdp, of old", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\2", "\0")) }, IS_NOT },
	{ "rdp, not asked for", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\2", "\x08")) }, IS_NOT },
	{ "rdp, answer too short", { CLIENT(RDP_REQUEST), SERVER("\3\0\0\x0a\5\xd0") }, IS_NOT },
	{ "rdp, failure", { CLIENT(RDP_REQUEST), SERVER(RDP_CONFIRM("\3", "\1")) }, IS_NOT },
	{ "rdp, without negotiation", { CLIENT("\3\0\0\x0b\6\xe0\0\0\0\0\0") }, IS_NOT },
};
/* clang-format on */

static void test_binary_protocols_lead_to_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(binary_talks); i++)
		talk_expect(&binary_talks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binary_protocols_lead_to_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
