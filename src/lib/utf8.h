/* SPDX-License-Identifier: MIT */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

/*
 * Bytes from outside (file names, comms, arguments, certificate subjects) may be anything. This is
 * the one decoder that tells text from garbage, shared by the JSON writer and by what is printed
 * for people, and the one list of code points that must not reach a terminal as they are. Nothing
 * is allocated or kept; no function reads past SIZE.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What utf8_decode() reports for bytes that are not UTF-8; no code point has this value. */
#define UTF8_INVALID UINT32_MAX

/*
 * Decodes the code point at BYTES. Returns how many bytes it takes, 1 to 4, and 0 only when SIZE is
 * 0. Overlong forms, surrogates, values above U+10FFFF and cut sequences give UTF8_INVALID with the
 * length of the maximal subpart, so that a caller writing one U+FFFD for each follows the practice
 * of Unicode 3.9, D93b and table 3-8.
 */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_rune);

/*
 * Copies the leading bytes that stand for themselves everywhere: printable ASCII without '"' and
 * '\'. Returns how many these are. OUT takes SIZE bytes; what lies behind the copied ones may be
 * overwritten. Looks at eight bytes at a time, as this is where the time of an event goes.
 */
size_t utf8_plain_copy(char *out, const char *bytes, size_t size);

/*
 * Whether RUNE acts on a terminal or hides what follows instead of showing itself: the C0 and C1
 * controls and DEL, line and paragraph separator, and the bidirectional embeddings, overrides and
 * isolates (U+202A to U+202E, U+2066 to U+2069).
 */
bool utf8_is_control(uint32_t rune);

/*
 * Writes the foreign BYTES to OUT so that they are one line, valid UTF-8 and inert on a terminal:
 * '\n', '\r' and '\t' by name, other control bytes and bytes that are not UTF-8 as "\x1b", other
 * controls as "\u202e", the backslash doubled; so every output has one reading. What does not fit
 * in CAP bytes is left out at a character's or an escape's boundary. OUT ends in a NUL unless CAP
 * is 0. Returns the length without the NUL.
 */
size_t text_escape(char *out, size_t cap, const char *bytes, size_t size);

/*
 * vsnprintf(3), which says how long it would have become: returns how long it is, without the NUL.
 * For appending; CAP is at least 1.
 */
size_t text_vformat(char *out, size_t cap, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif /* LIB_UTF8_H */
