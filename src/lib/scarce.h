/* SPDX-License-Identifier: MIT */
#ifndef LIB_SCARCE_H
#define LIB_SCARCE_H

#include <errno.h>
#include <stdbool.h>

/*
 * Whether ERR, a negative errno, says nothing of what was asked for, but that memory or descriptors
 * are scarce: then what is not known is not known to be missing.
 */
static inline bool is_scarce(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

#endif /* LIB_SCARCE_H */
