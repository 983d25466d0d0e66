/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_PARSED_H
#define TESTS_SUPPORT_PARSED_H

/* What another JSON implementation, json-c, says about our output. */

#include <stddef.h>

/*
 * How many JSON documents the SIZE bytes at TEXT hold, with nothing but white space around them; -1
 * when they are not JSON by the letter of RFC 8259, or not UTF-8.
 */
int parsed_count(const char *text, size_t size);

/*
 * The value at PATH in the first document of TEXT as text, NUL-terminated and valid until the next
 * call: a string's own bytes, anything else as JSON. PATH is keys and indices between dots:
 * "sources.0.name". NULL when there is no such value. Text that does not parse is an error that
 * ends the test program.
 */
const char *parsed_value(const char *text, const char *path);

#endif /* TESTS_SUPPORT_PARSED_H */
