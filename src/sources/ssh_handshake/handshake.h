/* SPDX-License-Identifier: MIT */
#ifndef SSH_HANDSHAKE_HANDSHAKE_H
#define SSH_HANDSHAKE_HANDSHAKE_H

/* Names that a document has for the same things as the event: of its fields role and outcome. */

#include "catalogue/codes.h"

extern const struct code_table ssh_role_codes;
extern const struct code_table ssh_outcome_codes;

#endif /* SSH_HANDSHAKE_HANDSHAKE_H */
