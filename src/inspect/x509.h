/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_X509_H
#define INSPECT_X509_H

/*
 * X.509 certificates. libcrypto takes them apart and checks whether they are signed with their own
 * key; names, sizes and algorithms are read by the tables here, so that what libcrypto does not
 * know is told too. Its queue of errors is left empty.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/judge.h"

/* Days before its end that a certificate counts as soon over. */
#define X509_SOON_DAYS 30
/* Signatures by larger keys are not checked: the time that takes grows with the third power. */
#define X509_VERIFY_BITS_MAX 16384

/*
 * Adds the certificate that the SIZE bytes at DER begin with; what follows it (the trust settings
 * of OpenSSL) is left alone. Returns whether there is one. Beyond the limit it is counted without
 * being looked at.
 */
bool x509_read(struct judge *judge, const uint8_t *der, size_t size);

/* Makes libcrypto load what x509_read() needs. Returns 0 or -EIO. */
int x509_prepare(void);

#endif /* INSPECT_X509_H */
