/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_ADDRESS_H
#define PIPELINE_ADDRESS_H

/*
 * Network addresses as text: "127.0.0.1:443", "[::1]:443". IPv4 is held as IPv6, ::ffff:0:0/96 (RFC
 * 4291 section 2.5.5.2), and written as what it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/record.h"

/* "[", INET6_ADDRSTRLEN with its NUL, "]:65535". */
#define ADDRESS_TEXT_MAX 56

struct address {
	uint8_t ip[16];
	uint16_t port;
};

/* Writes ADDRESS to OUT, NUL-terminated. Returns the length. */
size_t address_format(const struct address *address, char out[static ADDRESS_TEXT_MAX]);

/* Makes the text of IP and PORT the value of SLOT. Returns false when the arena is full. */
bool address_slot(struct record *record, unsigned int slot, const uint8_t ip[16], uint16_t port);

#endif /* PIPELINE_ADDRESS_H */
