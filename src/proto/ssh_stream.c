/* SPDX-License-Identifier: MIT */
#include "proto/ssh_stream.h"

#include <string.h>

#include "lib/bytes.h"
#include "proto/reader.h"

#define IDENT_START	 "SSH-"
#define IDENT_START_SIZE (sizeof(IDENT_START) - 1)

/* Of a packet, before there is a cipher (RFC 4253 section 6). */
#define PACKET_UNIT  8
#define PACKET_MIN   16
#define PADDING_MIN  4
#define LENGTH_SIZE  4
#define PADDING_SIZE 1

/* Stops at STATE; a stream that waits for NEED bytes has ended where no more come. */
static bool stream_stop(struct ssh_stream *stream, const struct flow_bytes *from,
			enum ssh_stream_state state, size_t need)
{
	stream->state = state;
	if (state == SSH_STREAM_WAITS && from->has_ended)
		stream->state = SSH_STREAM_ENDED;
	stream->need = need;
	return false;
}

static uint32_t ident_versions(const struct flow_text *ident)
{
	const char *version = (const char *)ident->bytes + IDENT_START_SIZE;
	size_t size = ident->size - IDENT_START_SIZE;

	if (bytes_begin(version, size, "2.0-"))
		return SSH_SPEAKS_2;
	if (bytes_begin(version, size, "1.99-"))
		return SSH_SPEAKS_1 | SSH_SPEAKS_2;
	return bytes_begin(version, size, "1.") ? SSH_SPEAKS_1 : 0;
}

/* Whether the SIZE bytes of a line, maybe cut, are or may become an identification. */
static bool may_be_ident(const uint8_t *line, size_t size)
{
	size_t known = size < IDENT_START_SIZE ? size : IDENT_START_SIZE;

	return known == 0 || memcmp(line, IDENT_START, known) == 0;
}

/* Takes LINE, with its LF, as the identification. */
static bool ident_take(struct ssh_stream *stream, const struct flow_bytes *from,
		       const struct flow_text *line)
{
	struct flow_text ident = { line->bytes, line->size - 1 };

	if (ident.size > 0 && ident.bytes[ident.size - 1] == '\r')
		ident.size--;
	stream->versions = ident.size > IDENT_START_SIZE ? ident_versions(&ident) : 0;
	if (!stream->versions)
		return stream_stop(stream, from, SSH_STREAM_BAD, 0);
	stream->ident = ident;
	return true;
}

/*
 * Reads a line of at most MAX bytes with its LF into *RET. Returns false where the stream stopped.
 * A NUL is forbidden in all lines.
 */
static bool line_read(struct ssh_stream *stream, const struct flow_bytes *from, size_t max,
		      struct reader *reader, struct flow_text *ret)
{
	size_t known = reader->left < max ? reader->left : max;
	const uint8_t *line = reader->at;
	const uint8_t *end = known ? memchr(line, '\n', known) : NULL;

	if (end)
		known = (size_t)(end - line) + 1;
	if (known && memchr(line, '\0', known))
		return stream_stop(stream, from, SSH_STREAM_BAD, 0);
	if (!end && known < max)
		return stream_stop(stream, from, SSH_STREAM_WAITS, from->size + 1);
	if (!end)
		return stream_stop(stream, from, SSH_STREAM_BAD, 0);
	reader_skip(reader, known);
	*ret = (struct flow_text){ line, known };
	return true;
}

/*
 * Finds the identification and leaves READER behind it. Returns false where the stream stopped. A
 * line without CR is taken, as OpenSSH does.
 */
static bool ident_read(struct ssh_stream *stream, const struct flow_bytes *from, bool is_server,
		       struct reader *reader)
{
	struct flow_text line;

	for (size_t size = 0; size <= SSH_PREAMBLE_MAX; size += line.size) {
		if (may_be_ident(reader->at, reader->left))
			return line_read(stream, from, SSH_IDENT_MAX, reader, &line) &&
			       ident_take(stream, from, &line);
		if (!is_server)
			break;
		if (!line_read(stream, from, SSH_PREAMBLE_MAX, reader, &line))
			return false;
	}
	return stream_stop(stream, from, SSH_STREAM_BAD, 0);
}

/*
 * Reads the next packet into *RET. Returns false, *RET untouched, where the stream stopped. Nothing
 * is compressed or authenticated yet.
 */
static bool packet_read(struct ssh_stream *stream, const struct flow_bytes *from,
			struct reader *reader, struct ssh_message *ret)
{
	size_t at = from->size - reader->left;
	uint32_t size, padding_size;
	struct reader packet;

	if (reader->left < LENGTH_SIZE + PADDING_SIZE)
		return stream_stop(stream, from, SSH_STREAM_WAITS, at + LENGTH_SIZE + PADDING_SIZE);
	size = reader_u32(reader);
	if (size < PACKET_MIN - LENGTH_SIZE || size > SSH_PACKET_MAX - LENGTH_SIZE ||
	    (size + LENGTH_SIZE) % PACKET_UNIT)
		return stream_stop(stream, from, SSH_STREAM_BAD, 0);
	padding_size = reader->at[0];
	if (padding_size < PADDING_MIN || padding_size + PADDING_SIZE >= size)
		return stream_stop(stream, from, SSH_STREAM_BAD, 0);
	if (reader->left < size)
		return stream_stop(stream, from, SSH_STREAM_WAITS, at + LENGTH_SIZE + size);
	packet = reader_part(reader, size);
	reader_u8(&packet);
	ret->number = reader_u8(&packet);
	ret->body = (struct flow_text){ packet.at, packet.left - padding_size };
	return true;
}

/*
 * Takes MESSAGE. Returns false where the stream stopped. Before the keys are new only the transport
 * and the kex may speak (RFC 4253 section 7.1).
 */
static bool message_take(struct ssh_stream *stream, const struct flow_bytes *from,
			 const struct ssh_message *message)
{
	uint8_t number = message->number;

	if (number == SSH_MSG_DISCONNECT) {
		stream->disconnect = message->body;
		return stream_stop(stream, from, SSH_STREAM_LEFT, 0);
	}
	if ((number >= SSH_MSG_IGNORE && number <= SSH_MSG_DEBUG) || number >= SSH_MSG_LOCAL_FIRST)
		return true;
	if (number == SSH_MSG_KEXINIT && !stream->offer.bytes) {
		stream->offer = message->body;
		return true;
	}
	if (!stream->offer.bytes)
		return stream_stop(stream, from, SSH_STREAM_BAD, 0);
	if (number == SSH_MSG_NEWKEYS)
		return stream_stop(stream, from, SSH_STREAM_KEYED, 0);
	if (number < SSH_MSG_KEX_FIRST || number > SSH_MSG_KEX_LAST)
		return stream_stop(stream, from, SSH_STREAM_BAD, 0);
	if (stream->nr_kex < SSH_KEX_MESSAGES_MAX)
		stream->kex[stream->nr_kex++] = *message;
	return true;
}

void ssh_stream_read(const struct flow_bytes *from, bool is_server, struct ssh_stream *ret)
{
	struct reader reader = reader_of(from->bytes, from->size);
	struct ssh_message message;

	*ret = (struct ssh_stream){ 0 };
	if (!ident_read(ret, from, is_server, &reader))
		return;
	if (!(ret->versions & SSH_SPEAKS_2)) {
		stream_stop(ret, from, SSH_STREAM_OLD, 0);
		return;
	}
	while (packet_read(ret, from, &reader, &message))
		if (!message_take(ret, from, &message))
			return;
}
