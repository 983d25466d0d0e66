/* SPDX-License-Identifier: MIT */
#ifndef LIB_JSON_H
#define LIB_JSON_H

/*
 * A streaming JSON writer. The struct and the buffer belong to the caller; the writer allocates
 * nothing and hands full buffers to a function of the caller's. Commas, colons and indentation are
 * its business, so that a caller only says what comes next.
 *
 * Invariants: what comes out is JSON (RFC 8259) in valid UTF-8 whatever bytes go in. Errors stick:
 * the first one is kept, every later call does nothing, so a caller asks once, at the end. Calls in
 * an order that could not give JSON (a value without a key in an object, a key in an array, the
 * wrong end) are -EINVAL before anything is written.
 *
 * Values at depth 0 are documents of a stream; a newline separates them if the caller writes none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_DEPTH_MAX 16

/* The smallest buffer that json_init() takes; 64 KiB is a good size. */
#define JSON_BUFFER_MIN 128

/* All fields are private; the struct is here so that it can be embedded. */
struct json {
	char *buffer;
	size_t cap;
	size_t size;
	int (*flush)(void *ctx, const char *bytes, size_t size);
	void *ctx;
	int err;
	uint32_t objects; /* bit N: the container at depth N is an object */
	unsigned int depth;
	bool is_pretty;
	bool has_item;	    /* the innermost container is not empty */
	bool has_key;	    /* a key waits for its value */
	bool wants_newline; /* the next item begins a line */
	uint64_t second;    /* the Unix time that second_text shows */
	char second_text[sizeof("2026-11-21T09:00:00.") - 1];
};

enum json_style {
	JSON_COMPACT,
	JSON_PRETTY, /* indented by two spaces, as jq prints */
};

/*
 * Prepares JSON to write into BUFFER of CAP bytes, both borrowed until the last call. FLUSH gets
 * full buffers and returns 0 or a negative errno; NULL means that all has to fit in BUFFER
 * (otherwise -ENOBUFS). A CAP below JSON_BUFFER_MIN is -EINVAL.
 */
void json_init(struct json *json, char *buffer, size_t cap, enum json_style style,
	       int (*flush)(void *ctx, const char *bytes, size_t size), void *ctx);

/* The first error, negative errno, or 0. */
int json_error(const struct json *json);

/* Hands what is in the buffer to the caller's function. Returns json_error(). */
int json_flush(struct json *json);

/* How many bytes wait in the buffer: without a FLUSH function this is the whole text. */
size_t json_pending(const struct json *json);

/* More than JSON_DEPTH_MAX open containers is -E2BIG. */
void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);

/* The name of the next value, any bytes, escaped as json_string() does. */
void json_key(struct json *json, const char *key, size_t size);

/* A key rendered beforehand and trusted, with quotes and colon: "\"pid\":". */
void json_key_raw(struct json *json, const char *key, size_t size);

/* json_key_raw() for a literal: JSON_KEY(json, "pid"). */
#define JSON_KEY(json, name) json_key_raw((json), "\"" name "\":", sizeof("\"" name "\":") - 1)

/*
 * Any bytes. What is not UTF-8 becomes U+FFFD, one for each maximal subpart. Escaped beyond what
 * RFC 8259 asks: DEL and what utf8_is_control() names, for those who read JSON on a terminal. SIZE
 * may exceed the buffer.
 */
void json_string(struct json *json, const char *bytes, size_t size);

/* A C string, or null for NULL. */
static inline void json_cstring(struct json *json, const char *text);

void json_u64(struct json *json, uint64_t value);
void json_s64(struct json *json, int64_t value);

/*
 * An identifier: above 2^53 a decimal string, since readers that keep numbers as doubles would
 * silently round it (RFC 8259, section 6).
 */
void json_id64(struct json *json, uint64_t value);

void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* UNIX_NS, nanoseconds since 1970, as "2026-11-21T09:00:00.123456Z". */
void json_time(struct json *json, uint64_t unix_ns);

/* A value that is JSON already; trusted, SIZE above 0. */
void json_raw(struct json *json, const char *bytes, size_t size);

/*
 * At depth 0 ends the line. Inside a container the next item, or the end, begins a line; in pretty
 * style it does anyway.
 */
void json_newline(struct json *json);

static inline void json_cstring(struct json *json, const char *text)
{
	if (text)
		json_string(json, text, strlen(text));
	else
		json_null(json);
}

#endif /* LIB_JSON_H */
