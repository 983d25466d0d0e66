/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_X509_NAMES_H
#define INSPECT_X509_NAMES_H

/* Names in X.509 certificates as text. */

#include <stddef.h>
#include <openssl/x509.h>

#include "inspect/judge.h"

/*
 * NAME as RFC 4514 text in UTF-8, as `openssl x509 -nameopt RFC2253,-esc_msb` prints it, cut at
 * JUDGE_TEXT_MAX; NULL when it cannot be printed. The text is of the judge.
 */
const char *x509_name_text(struct judge *judge, const X509_NAME *name);

/*
 * The alternative names of CERTIFICATE (RFC 5280, 4.2.1.6): "DNS:", "IP:", "email:", "URI:" and the
 * name, "othername" for the kinds that have no plain text. NUL-separated, *RET_SIZE bytes, without
 * a NUL at the end; NULL when there are none. Of the judge.
 */
const char *x509_sans_text(struct judge *judge, const X509 *certificate, size_t *ret_size);

#endif /* INSPECT_X509_NAMES_H */
