/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_JKS_H
#define INSPECT_JKS_H

/*
 * Keystores of Java, JKS and JCEKS, without their password: certificates lie in the clear, private
 * keys are always encrypted. The layout is in the source of OpenJDK, sun.security.provider
 * JavaKeyStore.engineLoad() and com.sun.crypto.provider JceKeyStore.engineLoad().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/judge.h"

/* Judges the SIZE bytes at BYTES. Returns whether they are such a keystore. */
bool jks_judge(struct judge *judge, const uint8_t *bytes, size_t size);

#endif /* INSPECT_JKS_H */
