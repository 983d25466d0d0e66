/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TLS_HANDSHAKE_MADE_H
#define TESTS_TLS_HANDSHAKE_MADE_H

/* A tls_handshake put together from literal bytes, and what is expected of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "inspect/content.h"
#include "proto/starttls.h"
#include "proto/tls.h"
#include "sources/tls_handshake/handshake.h"
#include "sources/tls_handshake/tls_handshake.h"
#include "support/guard.h"
#include "support/parsed.h"
#include "support/stage.h"

#define AT(member) offsetof(struct tls_handshake_event, member)

static struct tls_handshake_event *const event = (void *)raw.bytes;

static inline void codes_tail(size_t at, const uint32_t *codes, size_t nr)
{
	raw_pad(&raw);
	raw_tail(&raw, at, codes, nr * sizeof(*codes));
}

/* A handshake with a value in every member, established by a client. */
static inline void make(void)
{
	static const uint8_t loopback[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };

	raw_begin(&raw, SOURCE_tls_handshake);
	event->duration_ns = 1234567;
	memcpy(event->local, loopback, sizeof(loopback));
	event->peer[15] = 1;
	event->local_port = 50000;
	event->peer_port = 443;
	event->version = 0x303;
	event->cipher = 0xc02f;
	event->group = 29;
	event->signature = 0x403;
	event->dh_bits = 2048;
	event->marks = TLS_EVENT_HAS_CHOICE;
	event->role = FLOW_CLIENT;
	event->outcome = TLS_OUTCOME_established;
	event->transport = TLS_TRANSPORT_tcp;
	event->resumed = TLS_ANSWER_no;
	event->sends_certificate = TLS_ANSWER_yes;
	event->group_known = TLS_KNOWN_yes;
	event->signature_known = TLS_KNOWN_yes;
	event->alpn_known = TLS_KNOWN_yes;
	event->certificates_known = TLS_KNOWN_yes;
	event->forward_secrecy = TLS_ANSWER_yes;
	event->post_quantum = TLS_ANSWER_no;
	event->family = LIBRARY_FAMILY_openssl;
	raw_tail_text(&raw, AT(server_name), "www.example.org");
	raw_tail_text(&raw, AT(alpn), "h2");
	raw_tail_text(&raw, AT(ja3), "0123456789abcdef0123456789abcdef");
	raw_tail_text(&raw, AT(ja4), "t13d1516h2_8daaf6152771_e5627efa2ab1");
	raw_tail_text(&raw, AT(library), "/usr/lib/libssl.so.3");
	raw_tail(&raw, AT(offered_alpn), "h2\0http/1.1", 12);
	codes_tail(AT(offered_versions), (const uint32_t[]){ 0x304, 0x303 }, 2);
	codes_tail(AT(offered_ciphers), (const uint32_t[]){ 0x1301, 0xc02f, 0x9999 }, 3);
	codes_tail(AT(offered_groups), (const uint32_t[]){ 29, 23 }, 2);
	codes_tail(AT(offered_signatures), (const uint32_t[]){ 0x403, 0x804 }, 2);
}

/* The value at KEY of what becomes of RAW is EXPECTED; NULL: there is none. */
static inline void expect(const char *key, const char *expected)
{
	const char *told = parsed_value(taken(), key);

	if (expected ? !told || strcmp(told, expected) != 0 : told != NULL)
		fail_msg("%s is %s, not %s", key, told ? told : "missing",
			 expected ? expected : "missing");
}

/* KEY is in the event, as null or left out as IS_NULL says. */
static inline void expect_null(const char *key, bool is_null)
{
	const char *text = taken();
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "\"%s\":null", key);
	assert_int_equal(strstr(text, quoted) != NULL, is_null);
	assert_null(parsed_value(text, key));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

#endif /* TESTS_TLS_HANDSHAKE_MADE_H */
