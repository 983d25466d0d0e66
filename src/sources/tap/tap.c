/* SPDX-License-Identifier: MIT */
#include "sources/tap/tap.h"

#include "sources/source.h"

EMBED_OBJECT(tap);

#define AT(member) offsetof(struct tap_event, member)

static const struct code_entry record_entries[] = {
	{ TAP_SEGMENT, "segment", "bytes of a TCP connection" },
	{ TAP_DATAGRAM, "datagram", "bytes of a UDP flow" },
	{ TAP_OWNER, "owner", "another process has the connection" },
	{ TAP_CLOSE, "close", "the connection is over" },
};

static const struct code_table record_codes = { "tap", record_entries, ARRAY_SIZE(record_entries) };

static void get_record(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = true;
	ret->u = record->hdr->type;
}

static void get_size(const struct record *record, const struct field *field, struct value *ret)
{
	const struct tap_event *event = (const void *)record->bytes;

	(void)field;
	ret->present = true;
	ret->u = event->payload.size;
}

/* clang-format off */
/* The bytes are no field: they may be anything, and are only parsed. */
static const struct field tap_fields[] = {
	{ NAMED("record"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_record,
	  .codes = &record_codes, .text = TEXT_BARE, .help = "what is told" },
	{ NAMED("cookie"), .type = FIELD_ID64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = AT(cookie), .help = "the kernel's number of the socket" },
	{ NAMED("size_bytes"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_size,
	  .help = "how many were copied" },
};
/* clang-format on */

static const size_t tap_tails[] = { AT(payload) };

static const struct source_program tap_programs[] = {
	{ .name = "tap_state", .use = PROGRAM_REQUIRED },
	{ .name = "tap_read", .use = PROGRAM_OPTIONAL },
	{ .name = "tap_sent", .use = PROGRAM_REQUIRED },
	{ .name = "tap_received", .use = PROGRAM_REQUIRED },
};

static const struct source_hook tap_hooks[] = {
	{ .name = "cgroup_skb", .programs = tap_programs, .nr_programs = ARRAY_SIZE(tap_programs) },
};

const struct source tap_source = {
	.name = "tap",
	.help = "the first bytes of a connection, for tls_handshake and ssh_handshake",
	.is_internal = true,
	.is_on_demand = true,
	.fields = FIELDS(tap_fields),
	.min_size = sizeof(struct tap_event),
	.tails = tap_tails,
	.nr_tails = ARRAY_SIZE(tap_tails),
	.object = tap_object,
	.object_end = tap_object_end,
	.hooks = tap_hooks,
	.nr_hooks = ARRAY_SIZE(tap_hooks),
};
