/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/array.h"
#include "talks.h"

/* clang-format off */
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
	{ "connect, chunks", { CLIENT("CONNECT x:443 HTTP/1.1\r\n\r\n"),
		    SERVER("HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n\r\n") }, IS_NOT },
	{ "connect, a body without a size", { CLIENT("CONNECT x:443 HTTP/1.1\r\n\r\n"),
		    SERVER("HTTP/1.1 407 No\r\nContent-Length: x\r\n\r\n") }, IS_NOT },
	{ "connect, a body too long", { CLIENT("CONNECT x:443 HTTP/1.1\r\n\r\n"),
		    SERVER("HTTP/1.1 407 No\r\nContent-Length: 99999999999999999999\r\n\r\n") },
		    IS_NOT },
	{ "connect, no HTTP", { CLIENT("CONNECT x:443 SSH\r\n") }, IS_NOT },
	{ "connect, no answer", { CLIENT("CONNECT x:443 HTTP/1.1\r\n\r\n"), SERVER("220 mx\r\n") },
		    IS_NOT },
	{ "connect, then something else", { CLIENT("CONNECT x:443 HTTP/1.1\r\n\r\n"),
		    SERVER("HTTP/1.1 407 No\r\n\r\n"), CLIENT("GET / HTTP/1.1\r\n") }, IS_NOT },
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

static void test_carriers_lead_to_any(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(carrier_talks); i++)
		talk_expect(&carrier_talks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carriers_lead_to_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
