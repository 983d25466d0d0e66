/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_CAPTURE_H
#define TESTS_SUPPORT_CAPTURE_H

/*
 * What the program writes to one of its standard descriptors, up to CAPTURE_SIZE bytes. One at a
 * time. Nothing may be asserted in between: the message would be captured too.
 */

#include <stddef.h>

#define CAPTURE_SIZE (256U << 10)

/* Redirects FD, 1 or 2. Failure ends the test program. */
void capture_begin(int fd);

/*
 * Ends it. Returns what was written, NUL-terminated and valid until the next capture_begin();
 * RET_SIZE, which may be NULL, is its size.
 */
const char *capture_end(size_t *ret_size);

#endif /* TESTS_SUPPORT_CAPTURE_H */
