/* SPDX-License-Identifier: MIT */
#include "pipeline/field.h"

#include <string.h>

#include "pipeline/record.h"

/* Members may lie at any address: records are packed one after the other in the ring. */
#define FETCH(type, record, field)                                                                 \
	({                                                                                         \
		type fetched_;                                                                     \
		memcpy(&fetched_, (record)->bytes + (field)->at, sizeof(fetched_));                \
		fetched_;                                                                          \
	})

#define GET_UNSIGNED(name, type)                                                                   \
	void name(const struct record *record, const struct field *field, struct value *ret)       \
	{                                                                                          \
		ret->u = FETCH(type, record, field);                                               \
		ret->present = true;                                                               \
	}

GET_UNSIGNED(get_u8, uint8_t)
GET_UNSIGNED(get_u16, uint16_t)
GET_UNSIGNED(get_u32, uint32_t)
GET_UNSIGNED(get_u64, uint64_t)

void get_s32(const struct record *record, const struct field *field, struct value *ret)
{
	ret->s = FETCH(int32_t, record, field);
	ret->present = true;
}

void get_bool(const struct record *record, const struct field *field, struct value *ret)
{
	ret->b = FETCH(bool, record, field);
	ret->present = true;
}

void get_tail(const struct record *record, const struct field *field, struct value *ret)
{
	struct tail tail = FETCH(struct tail, record, field);

	if (tail.size == 0)
		return;
	ret->str.bytes = (const char *)record->bytes + tail.off;
	ret->str.size = tail.size;
	ret->present = true;
}

void get_comm(const struct record *record, const struct field *field, struct value *ret)
{
	ret->str.bytes = (const char *)record->bytes + field->at;
	ret->str.size = strnlen(ret->str.bytes, COMM_SIZE);
	ret->present = true;
}

void get_text(const struct record *record, const struct field *field, struct value *ret)
{
	const char *text = FETCH(const char *, record, field);

	if (!text)
		return;
	ret->str.bytes = text;
	ret->str.size = strlen(text);
	ret->present = true;
}

#define DEV_TEXT_SIZE sizeof("4294967295:4294967295")

/* Writes VALUE in decimal before END. Returns where it begins. */
static char *decimal_before(char *end, uint32_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return end;
}

void get_dev(const struct record *record, const struct field *field, struct value *ret)
{
	uint32_t numbers[2];
	char *text;

	memcpy(numbers, record->bytes + field->at, sizeof(numbers));
	if (!numbers[0] && !numbers[1])
		return;
	text = arena_take(record->arena, DEV_TEXT_SIZE);
	if (!text)
		return;

	char *end = text + DEV_TEXT_SIZE;
	char *at = decimal_before(end, numbers[1]);

	*--at = ':';
	at = decimal_before(at, numbers[0]);
	ret->str.bytes = at;
	ret->str.size = (size_t)(end - at);
	ret->present = true;
}

void get_slot(const struct record *record, const struct field *field, struct value *ret)
{
	*ret = record->slots[field->at];
}

void get_texts(const struct record *record, const struct field *field, struct value *ret)
{
	struct text_list texts = FETCH(struct text_list, record, field);

	ret->str.bytes = texts.bytes;
	ret->str.size = texts.size;
	ret->present = true;
}

void get_list(const struct record *record, const struct field *field, struct value *ret)
{
	struct item_list list = FETCH(struct item_list, record, field);

	ret->list.items = list.items;
	ret->list.count = list.count;
	ret->list.stride = list.stride;
	ret->list.truncated = list.truncated;
	ret->present = true;
}

void get_embedded(const struct record *record, const struct field *field, struct value *ret)
{
	ret->obj = record->bytes + field->at;
	ret->present = true;
}

void get_pointer(const struct record *record, const struct field *field, struct value *ret)
{
	ret->obj = FETCH(const void *, record, field);
	ret->present = ret->obj != NULL;
}
