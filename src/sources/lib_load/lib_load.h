/* SPDX-License-Identifier: MIT */
#ifndef LIB_LOAD_H
#define LIB_LOAD_H

#include "../../wire.h"

/* Made in user space from PERF_RECORD_MMAP2 (trace/mapping.c), in the form of any other record. */
struct lib_load_event {
	struct event_hdr hdr;
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	struct tail path;
	struct tail build_id; /* hexadecimal */
};

_Static_assert(sizeof(struct lib_load_event) == 120, "struct lib_load_event has changed");

#endif /* LIB_LOAD_H */
