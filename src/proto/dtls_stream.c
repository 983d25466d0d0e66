/* SPDX-License-Identifier: MIT */
#include "proto/dtls_stream.h"

#include <string.h>

/* What a message takes up. */
static uint32_t room_of(const struct dtls_message *message)
{
	return DTLS_HEADER_SIZE + message->length;
}

/* Where message INDEX of those ahead begins; for their count, where the bytes in use end. */
static uint32_t place_of(const struct dtls_stream *stream, uint32_t index)
{
	uint32_t at = stream->size;

	for (uint32_t i = 0; i < index; i++)
		at += room_of(&stream->ahead[i]);
	return at;
}

/* Forgets the first COUNT of those ahead. */
static void ahead_drop(struct dtls_stream *stream, uint32_t count)
{
	uint32_t at = place_of(stream, count), end = place_of(stream, stream->nr_ahead);

	memmove(stream->bytes + stream->size, stream->bytes + at, end - at);
	stream->nr_ahead -= count;
	memmove(stream->ahead, stream->ahead + count, stream->nr_ahead * sizeof(stream->ahead[0]));
}

void dtls_stream_begin(struct dtls_stream *stream, uint16_t number)
{
	uint32_t below = 0;

	if (stream->next > number)
		return;
	dtls_stream_cut(stream, 0, stream->size);
	while (below < stream->nr_ahead && stream->ahead[below].number < number)
		below++;
	ahead_drop(stream, below);
	stream->next = number;
	stream->is_full = false;
}

void dtls_stream_cut(struct dtls_stream *stream, uint32_t at, uint32_t size)
{
	uint32_t end = place_of(stream, stream->nr_ahead);

	memmove(stream->bytes + at, stream->bytes + at + size, end - at - size);
	stream->size -= size;
}

/* Makes room for a message in front of number INDEX of those ahead. */
static bool ahead_insert(struct dtls_stream *stream, uint32_t index,
			 const struct dtls_fragment *fragment)
{
	uint32_t at = place_of(stream, index), end = place_of(stream, stream->nr_ahead);
	struct dtls_message *message = &stream->ahead[index];
	uint8_t *header = stream->bytes + at;

	if (stream->nr_ahead == DTLS_AHEAD_MAX ||
	    fragment->length > DTLS_STREAM_MAX - DTLS_HEADER_SIZE ||
	    end > DTLS_STREAM_MAX - DTLS_HEADER_SIZE - fragment->length)
		return false;
	memmove(header + DTLS_HEADER_SIZE + fragment->length, header, end - at);
	memmove(message + 1, message, (stream->nr_ahead - index) * sizeof(*message));
	stream->nr_ahead++;
	memset(message, 0, sizeof(*message));
	message->type = fragment->type;
	message->number = fragment->number;
	message->length = fragment->length;
	header[0] = fragment->type;
	header[1] = (uint8_t)(fragment->length >> 16);
	header[2] = (uint8_t)(fragment->length >> 8);
	header[3] = (uint8_t)fragment->length;
	return true;
}

/* The place among those ahead of message NUMBER, or of the one that it would be in front of. */
static uint32_t ahead_find(const struct dtls_stream *stream, uint16_t number)
{
	uint32_t index = 0;

	while (index < stream->nr_ahead && stream->ahead[index].number < number)
		index++;
	return index;
}

void dtls_stream_put(struct dtls_stream *stream, const struct dtls_fragment *fragment)
{
	bool is_hello = fragment->type == DTLS_CLIENT_HELLO || fragment->type == DTLS_SERVER_HELLO;
	struct dtls_message *message;
	uint32_t index;

	if (fragment->number < stream->next)
		return;
	if (fragment->number - stream->next >= DTLS_AHEAD_MAX) {
		stream->nr_dropped++;
		return;
	}
	/* What would come before it was not seen, or was a request to verify. */
	if (is_hello && stream->size == 0)
		dtls_stream_begin(stream, fragment->number);
	index = ahead_find(stream, fragment->number);
	message = &stream->ahead[index];
	if ((index == stream->nr_ahead || message->number != fragment->number) &&
	    !ahead_insert(stream, index, fragment)) {
		stream->is_full |= fragment->number == stream->next;
		stream->nr_dropped++;
		return;
	}
	if (message->type != fragment->type || message->length != fragment->length ||
	    !pieces_put(&message->pieces,
			stream->bytes + place_of(stream, index) + DTLS_HEADER_SIZE,
			fragment->offset, fragment->bytes, fragment->size))
		stream->nr_dropped++;
}

bool dtls_stream_advance(struct dtls_stream *stream, uint32_t *ret_at)
{
	struct dtls_message *first = stream->ahead;

	if (!stream->nr_ahead || first->number != stream->next ||
	    pieces_prefix(&first->pieces) < first->length)
		return false;
	*ret_at = stream->size;
	stream->size += room_of(first);
	stream->next++;
	stream->nr_ahead--;
	memmove(first, first + 1, stream->nr_ahead * sizeof(*first));
	return true;
}

const uint8_t *dtls_stream_waiting(const struct dtls_stream *stream, uint16_t number,
				   uint32_t *ret_size)
{
	uint32_t index = ahead_find(stream, number);

	if (index == stream->nr_ahead || stream->ahead[index].number != number)
		return NULL;
	*ret_size = pieces_prefix(&stream->ahead[index].pieces);
	return stream->bytes + place_of(stream, index) + DTLS_HEADER_SIZE;
}
