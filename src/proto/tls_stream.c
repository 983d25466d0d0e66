/* SPDX-License-Identifier: MIT */
#include "proto/tls_stream.h"

#include <string.h>

#include "proto/reader.h"

/* RFC 8446 section 5.1; RFC 5246 section 6.2.3, which has the greater one for what is encrypted. */
#define PLAIN_MAX	    (1U << 14)
#define ENCRYPTED_MAX	    (PLAIN_MAX + 2048)

#define MESSAGE_HEADER_SIZE 4

struct tls_stream tls_stream_of(const struct flow_bytes *from, struct tls_scratch *scratch,
				bool is_bare)
{
	return (struct tls_stream){ .from = from, .scratch = scratch, .is_bare = is_bare };
}

/* There is no more before SIZE bytes. */
static enum tls_step wait_for(struct tls_stream *stream, size_t size)
{
	stream->need = stream->from->has_ended ? SIZE_MAX : size;
	return TLS_STEP_more;
}

enum tls_step tls_stream_record(struct tls_stream *stream, struct tls_record *ret)
{
	const struct flow_bytes *from = stream->from;
	size_t left = from->size > stream->at ? from->size - stream->at : 0;
	struct reader reader;
	uint16_t version;

	if (left < TLS_HEADER_SIZE)
		return wait_for(stream, stream->at + TLS_HEADER_SIZE);
	reader = reader_of(from->bytes + stream->at, left);
	ret->type = reader_u8(&reader);
	version = reader_u16(&reader);
	ret->size = reader_u16(&reader);
	ret->bytes = reader.at;
	ret->there = reader.left < ret->size ? reader.left : ret->size;
	if (ret->type < TLS_CONTENT_change_cipher_spec || ret->type > TLS_CONTENT_heartbeat ||
	    version >> 8 != 3 || (version & 0xff) > 4 || ret->size > ENCRYPTED_MAX)
		return TLS_STEP_broken;
	return TLS_STEP_found;
}

bool tls_stream_is_whole(struct tls_stream *stream, const struct tls_record *record)
{
	if (record->there == record->size || stream->from->has_ended)
		return true;
	wait_for(stream, stream->at + TLS_HEADER_SIZE + record->size);
	return false;
}

void tls_stream_pass(struct tls_stream *stream, const struct tls_record *record)
{
	stream->at += TLS_HEADER_SIZE + record->size;
	stream->inside = 0;
}

/* The next bytes of messages that lie together: at least one, at most MAX. */
static enum tls_step stream_piece(struct tls_stream *stream, size_t max, const uint8_t **ret_bytes,
				  size_t *ret_size)
{
	struct tls_record record;
	enum tls_step step = tls_stream_record(stream, &record);
	size_t left;

	if (step != TLS_STEP_found)
		return step;
	if (record.type != TLS_CONTENT_handshake || record.size == 0 || record.size > PLAIN_MAX)
		return TLS_STEP_broken;
	if (!tls_stream_is_whole(stream, &record))
		return TLS_STEP_more;
	left = record.there - stream->inside;
	if (left == 0)
		return wait_for(stream, SIZE_MAX);
	*ret_bytes = record.bytes + stream->inside;
	*ret_size = left < max ? left : max;
	stream->inside += *ret_size;
	if (stream->inside == record.size)
		tls_stream_pass(stream, &record);
	return TLS_STEP_found;
}

/* The same for a stream without records. */
static enum tls_step bare_piece(struct tls_stream *stream, size_t max, const uint8_t **ret_bytes,
				size_t *ret_size)
{
	size_t left = stream->from->size - stream->at;

	if (left < max && (!stream->from->has_ended || left == 0))
		return wait_for(stream, stream->at + max);
	*ret_bytes = stream->from->bytes + stream->at;
	*ret_size = left < max ? left : max;
	stream->at += *ret_size;
	return TLS_STEP_found;
}

static enum tls_step next_piece(struct tls_stream *stream, size_t max, const uint8_t **ret_bytes,
				size_t *ret_size)
{
	if (stream->is_bare)
		return bare_piece(stream, max, ret_bytes, ret_size);
	return stream_piece(stream, max, ret_bytes, ret_size);
}

/* Puts BYTES behind what MESSAGE has, which moves to the scratch for that. */
static void message_append(struct tls_stream *stream, struct tls_message *message,
			   const uint8_t *bytes, size_t size)
{
	struct tls_scratch *scratch = stream->scratch;
	size_t room = sizeof(scratch->bytes) - scratch->used;
	uint8_t *to = scratch->bytes + scratch->used;

	if (message->bytes < scratch->bytes ||
	    message->bytes >= scratch->bytes + sizeof(scratch->bytes)) {
		size_t moved = message->size < room ? message->size : room;

		if (moved)
			memcpy(to, message->bytes, moved);
		message->is_cut |= moved < message->size;
		message->bytes = to;
		message->size = moved;
		scratch->used += moved;
		room -= moved;
		to += moved;
	}
	if (size > room) {
		message->is_cut = true;
		size = room;
	}
	memcpy(to, bytes, size);
	message->size += size;
	scratch->used += size;
}

/* Whether messages of TYPE are read; their bytes are not kept else. */
static bool is_read(uint8_t type)
{
	switch (type) {
	case TLS_MESSAGE_client_hello:
	case TLS_MESSAGE_server_hello:
	case TLS_MESSAGE_certificate:
	case TLS_MESSAGE_server_key_exchange:
		return true;
	default:
		return false;
	}
}

/* The SIZE bytes of the body of MESSAGE, whose type is set. */
static enum tls_step read_body(struct tls_stream *stream, size_t size, struct tls_message *message)
{
	bool is_kept = is_read(message->type);

	while (size > 0) {
		const uint8_t *bytes;
		size_t piece_size;
		enum tls_step step = next_piece(stream, size, &bytes, &piece_size);

		if (step == TLS_STEP_more && stream->from->has_ended) {
			message->is_cut = true;
			return TLS_STEP_found;
		}
		if (step != TLS_STEP_found)
			return step;
		size -= piece_size;
		if (!is_kept)
			continue;
		if (!message->bytes) {
			message->bytes = bytes;
			message->size = piece_size;
		} else {
			message_append(stream, message, bytes, piece_size);
		}
	}
	return TLS_STEP_found;
}

enum tls_step tls_stream_message(struct tls_stream *stream, struct tls_message *ret)
{
	struct tls_stream before = *stream;
	size_t used = stream->scratch->used;
	uint8_t header[MESSAGE_HEADER_SIZE];
	enum tls_step step = TLS_STEP_found;
	struct reader reader;

	*ret = (struct tls_message){ .type = 0 };
	for (size_t size = 0; size < sizeof(header) && step == TLS_STEP_found;) {
		const uint8_t *bytes;
		size_t piece_size;

		step = next_piece(stream, sizeof(header) - size, &bytes, &piece_size);
		if (step != TLS_STEP_found)
			break;
		memcpy(header + size, bytes, piece_size);
		size += piece_size;
	}
	if (step == TLS_STEP_found) {
		reader = reader_of(header, sizeof(header));
		ret->type = reader_u8(&reader);
		step = read_body(stream, reader_u24(&reader), ret);
	}
	if (step != TLS_STEP_found) {
		before.need = stream->need;
		*stream = before;
		stream->scratch->used = used;
	}
	return step;
}
