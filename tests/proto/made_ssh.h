/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROTO_MADE_SSH_H
#define TESTS_PROTO_MADE_SSH_H

/* What a peer of SSH sends, made piece by piece. */

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/flow.h"
#include "proto/ssh.h"
#include "proto/ssh_stream.h"

#define MADE_MAX (128U << 10)

struct made {
	uint8_t bytes[MADE_MAX];
	size_t size;
};

static inline void made_add(struct made *made, const void *bytes, size_t size)
{
	assert(size <= MADE_MAX - made->size);
	if (size)
		memcpy(made->bytes + made->size, bytes, size);
	made->size += size;
}

static inline void made_number(struct made *made, uint32_t number)
{
	uint8_t bytes[4] = { number >> 24 & 0xff, number >> 16 & 0xff, number >> 8 & 0xff,
			     number & 0xff };

	made_add(made, bytes, sizeof(bytes));
}

static inline void made_bytes(struct made *made, const void *bytes, size_t size)
{
	made_number(made, (uint32_t)size);
	made_add(made, bytes, size);
}

static inline void made_string(struct made *made, const char *text)
{
	made_bytes(made, text, strlen(text));
}

/* Only in front of anything else: TEXT with what ends it. */
static inline void made_line(struct made *made, const char *text)
{
	made_add(made, text, strlen(text));
}

/* A packet of NUMBER and BODY, with as little padding as may be. */
static inline void made_packet(struct made *made, uint8_t number, const void *body, size_t size)
{
	static const uint8_t zeros[16];
	uint8_t padding = (uint8_t)(8 - (4 + 1 + 1 + size) % 8);

	if (padding < 4)
		padding += 8;
	if (size == 0 && padding < 10)
		padding = 10; /* 16 bytes in all */
	made_number(made, (uint32_t)(1 + 1 + size + padding));
	made_add(made, &padding, 1);
	made_add(made, &number, 1);
	made_add(made, body, size);
	made_add(made, zeros, padding);
}

/* A packet of NUMBER with what is in BODY. */
static inline void made_message(struct made *made, uint8_t number, const struct made *body)
{
	made_packet(made, number, body->bytes, body->size);
}

/* The lists of an offer; of those for both directions one stands for both. */
struct made_offer {
	const char *kex, *host_key, *cipher, *mac, *compression;
	bool has_guessed;
};

static inline void made_kexinit(struct made *made, const struct made_offer *offer)
{
	const char *lists[NR_SSH_LISTS] = {
		offer->kex ? offer->kex : "curve25519-sha256",
		offer->host_key ? offer->host_key : "ssh-ed25519",
		offer->cipher ? offer->cipher : "aes128-ctr",
		offer->cipher ? offer->cipher : "aes128-ctr",
		offer->mac ? offer->mac : "hmac-sha2-256",
		offer->mac ? offer->mac : "hmac-sha2-256",
		offer->compression ? offer->compression : "none",
		offer->compression ? offer->compression : "none",
		"",
		"",
	};
	static struct made body;
	uint8_t has_guessed = offer->has_guessed;

	body.size = 0;
	made_add(&body, "0123456789abcdef", 16);
	for (size_t i = 0; i < NR_SSH_LISTS; i++)
		made_string(&body, lists[i]);
	made_add(&body, &has_guessed, 1);
	made_number(&body, 0);
	made_message(made, SSH_MSG_KEXINIT, &body);
}

static inline void made_newkeys(struct made *made)
{
	made_packet(made, SSH_MSG_NEWKEYS, NULL, 0);
}

#endif /* TESTS_PROTO_MADE_SSH_H */
