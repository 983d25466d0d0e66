/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_BELOW_VALGRIND_H
#define TESTS_SUPPORT_BELOW_VALGRIND_H

/* For what cannot be tested below valgrind (`make valgrind`); after cmocka.h. */

#include <stdlib.h>

/* Skips the test there, for WHY. */
static inline void not_below_valgrind(const char *why)
{
	if (!getenv("VALGRIND"))
		return;
	print_message("%s\n", why);
	skip();
}

#endif /* TESTS_SUPPORT_BELOW_VALGRIND_H */
