/* SPDX-License-Identifier: MIT */
#include "support/sample.h"

#include <fcntl.h>
#include <string.h>

#include "catalogue/codes.h"
#include "pipeline/record.h"

#define AT(member)   offsetof(struct sample, member)
#define ITEM(member) offsetof(struct sample_item, member)
#define PART(member) offsetof(struct sample_part, member)

static void get_bytes(const struct record *record, const struct field *field, struct value *ret)
{
	struct sample_bytes bytes;

	memcpy(&bytes, record->bytes + field->at, sizeof(bytes));
	ret->str.bytes = bytes.bytes;
	ret->str.size = bytes.size;
	ret->present = bytes.bytes != NULL;
}

static void get_codes(const struct record *record, const struct field *field, struct value *ret)
{
	const struct sample *sample = (const void *)record->bytes;

	(void)field;
	ret->codev.codes = sample->signals.codes;
	ret->codev.count = sample->signals.count;
	ret->present = true;
}

static const struct field item_fields[] = {
	{ NAMED("number"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = ITEM(number), .help = "a number" },
	{ NAMED("text"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text, .at = ITEM(text),
	  .help = "some text" },
};

static const struct fields item_table = FIELDS(item_fields);

static const struct field count_fields[] = {
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_text, .at = PART(name),
	  .help = "a key" },
	{ NAMED("number"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = PART(number), .help = "a number" },
};

static const struct fields count_table = FIELDS(count_fields);

static const struct field part_fields[] = {
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text, .at = PART(name),
	  .help = "a key" },
	{ NAMED("number"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = PART(number), .help = "a number" },
	{ NAMED("texts"), .type = FIELD_STRV, .class = CLASS_PUBLIC, .get = get_texts,
	  .at = PART(texts), .help = "some texts" },
};

static const struct fields part_table = FIELDS(part_fields);

static const struct field fields[] = {
	{ NAMED("flag"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool, .at = AT(flag),
	  .help = "a truth" },
	{ NAMED("count"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64, .at = AT(count),
	  .help = "a count" },
	{ NAMED("delta"), .type = FIELD_S64, .class = CLASS_PUBLIC, .get = get_s32, .at = AT(delta),
	  .help = "a difference" },
	{ NAMED("id"), .type = FIELD_ID64, .class = CLASS_PUBLIC, .get = get_u64, .at = AT(id),
	  .help = "an identifier" },
	{ NAMED("time"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = AT(unix_ns), .help = "a time" },
	{ NAMED("flags"), .type = FIELD_FLAGS, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = AT(open_flags), .format = open_flags_format, .help = "flags" },
	{ NAMED("signal"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = AT(signal), .codes = &signal_codes, .help = "a code" },
	{ NAMED("path"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_bytes, .at = AT(path),
	  .help = "a path" },
	{ NAMED("text"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_bytes, .at = AT(text),
	  .help = "foreign text" },
	{ NAMED("user"), .type = FIELD_STR, .class = CLASS_USER, .get = get_bytes, .at = AT(user),
	  .help = "a user name" },
	{ NAMED("plain"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_bytes, .at = AT(plain), .text = TEXT_BARE, .help = "public text" },
	{ NAMED("argv"), .type = FIELD_STRV, .class = CLASS_ARGS, .get = get_bytes, .at = AT(argv),
	  .help = "a list of strings" },
	{ NAMED("cmdline"), .type = FIELD_CMDLINE, .class = CLASS_ARGS, .get = get_bytes,
	  .at = AT(argv), .text = TEXT_HIDDEN, .help = "the same as one" },
	{ NAMED("signals"), .type = FIELD_CODEV, .class = CLASS_PUBLIC, .get = get_codes,
	  .codes = &signal_codes, .help = "a list of codes" },
	{ NAMED("one"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = AT(one), .sub = &item_table, .help = "an object" },
	{ NAMED("other"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_pointer, .at = AT(other), .sub = &item_table, .help = "another, or none" },
	{ NAMED("counts"), .type = FIELD_MAP, .class = CLASS_PUBLIC, .get = get_list,
	  .at = AT(counts), .sub = &count_table, .help = "numbers by name" },
	{ NAMED("parts"), .type = FIELD_MAP, .class = CLASS_PUBLIC, .get = get_list,
	  .at = AT(parts), .sub = &part_table, .help = "objects by name" },
	{ NAMED("items"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = AT(items), .sub = &item_table, .help = "objects" },
};

const struct fields sample_fields = FIELDS(fields);

static const struct sample_item items[] = { { 1, "one" }, { 2, NULL } };
static const struct sample_part parts[] = {
	{ "/home/bob/a", 1, { "x\0y", 4 } },
	{ "b", 2, { NULL, 0 } },
};
static const uint32_t some_signals[] = { 9, 15, 99 };

#define BYTES(literal)                                                                             \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

const struct sample sample_full = {
	.flag = true,
	.count = 42,
	.delta = -7,
	.id = 12345,
	.unix_ns = 1795251600123456789ULL,
	.open_flags = O_WRONLY | O_CREAT,
	.signal = 11,
	.path = BYTES("/home/bob/cert.pem"),
	.text = BYTES("seen in /srv/alice/log"),
	.user = BYTES("alice"),
	.plain = BYTES("plain"),
	.argv = BYTES("curl\0--user\0bob:pw\0a b\0"),
	.signals = { some_signals, 3 },
	.one = { 3, "three" },
	.other = &items[0],
	.counts = { .items = parts, .count = 2, .stride = sizeof(parts[0]) },
	.parts = { .items = parts, .count = 2, .stride = sizeof(parts[0]) },
	.items = { .items = items, .count = 2, .stride = sizeof(items[0]) },
};
