/* SPDX-License-Identifier: MIT */
#ifndef PROTO_JA_H
#define PROTO_JA_H

/*
 * Fingerprints of clients of TLS, from the first ClientHello: JA3 (github.com/salesforce/ja3) and
 * JA4 (github.com/FoxIO-LLC/ja4, technical_details/JA4.md). Both leave GREASE out. Results are
 * terminated text.
 *
 * A hello that is not whole, or whose lists were longer than what is kept, has no fingerprint, nor
 * has one in the form of SSL 2.0: -ENODATA.
 */

#include "proto/tls.h"

/* 32 hexadecimal digits of MD5. */
#define JA3_SIZE 33
/* "t13d1516h2_8daaf6152771_e5627efa2ab1" */
#define JA4_SIZE 37
/* Enough for the text that JA3 is the hash of, whatever the hello. */
#define JA3_TEXT_SIZE 5120

/* The five lists in decimal, "771,4865-4866,0-23-65281,29-23-24,0". Returns 0 or -ENODATA. */
int ja3_text(const struct tls_client_hello *hello, char ret[static JA3_TEXT_SIZE]);

/* The hash of that text. Returns 0, -ENODATA, or -ENOTSUP: libcrypto refuses MD5, or no memory. */
int ja3_hash(const struct tls_client_hello *hello, char ret[static JA3_SIZE]);

/* TRANSPORT is an enum tls_transport. Returns 0, -ENODATA or -ENOTSUP. */
int ja4_format(const struct tls_client_hello *hello, unsigned int transport,
	       char ret[static JA4_SIZE]);

#endif /* PROTO_JA_H */
