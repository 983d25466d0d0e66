/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_CRYPTO_MEMORY_H
#define INSPECT_CRYPTO_MEMORY_H

/*
 * Whether libcrypto had the memory that it asked for. It answers foreign bytes and a lack of memory
 * alike, NULL, and says why only where its authors thought of it; so its allocations go through
 * here, from the start of the program on (CRYPTO_set_mem_functions(3)).
 */

#include <stdbool.h>

/* Whether an allocation of libcrypto in this thread has failed since this was asked last. */
bool crypto_memory_was_short(void);

#endif /* INSPECT_CRYPTO_MEMORY_H */
