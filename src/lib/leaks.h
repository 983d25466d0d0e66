/* SPDX-License-Identifier: MIT */
#ifndef LIB_LEAKS_H
#define LIB_LEAKS_H

/* For processes that end by _exit(2), where no leak would be looked for. */

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

/*
 * In a build with sanitizers: reports memory that nothing points to any more, and ends the process
 * where there is some. Call it once, as the last before _exit(2). Elsewhere it does nothing.
 */
static inline void leaks_check(void)
{
#ifdef __SANITIZE_ADDRESS__
	__lsan_do_leak_check();
#endif
}

#endif /* LIB_LEAKS_H */
