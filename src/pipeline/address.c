/* SPDX-License-Identifier: MIT */
#include "pipeline/address.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t address_format(const struct address *address, char out[static ADDRESS_TEXT_MAX])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_v4 = memcmp(address->ip, mapped, sizeof(mapped)) == 0;
	char text[INET6_ADDRSTRLEN] = "";
	int n;

	inet_ntop(is_v4 ? AF_INET : AF_INET6, address->ip + (is_v4 ? sizeof(mapped) : 0), text,
		  sizeof(text));
	n = snprintf(out, ADDRESS_TEXT_MAX, is_v4 ? "%s:%u" : "[%s]:%u", text, address->port);
	return n > 0 ? (size_t)n : 0;
}

bool address_slot(struct record *record, unsigned int slot, const uint8_t ip[16], uint16_t port)
{
	struct address address = { .port = port };
	char *text = arena_take(record->arena, ADDRESS_TEXT_MAX);

	if (!text)
		return false;
	memcpy(address.ip, ip, sizeof(address.ip));
	slot_set_str(record, slot, text, address_format(&address, text));
	return true;
}
