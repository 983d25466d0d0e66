/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_GNUPG_H
#define INSPECT_GNUPG_H

/*
 * Files of GnuPG that are not OpenPGP: keyboxes (kbx/keybox-blob.c in its source) and the files of
 * private-keys-v1.d (agent/keyformat.txt). Of the latter algorithm, curve and modulus are looked
 * at, which come first; the secret numbers behind them are not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/judge.h"

/* Both judge SIZE bytes and return whether they are such a file. */
bool gnupg_judge_keybox(struct judge *judge, const uint8_t *bytes, size_t size);
bool gnupg_judge_private_key(struct judge *judge, const char *text, size_t size);

#endif /* INSPECT_GNUPG_H */
