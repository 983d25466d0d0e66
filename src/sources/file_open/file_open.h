/* SPDX-License-Identifier: MIT */
#ifndef FILE_OPEN_H
#define FILE_OPEN_H

#include "../../wire.h"

/* file_open_event.marks */
#define OPEN_NAME_CUT 0x1  /* the name was longer than PATH_MAX */
#define OPEN_DIR_CUT  0x2  /* the directory lacks its beginning */
#define OPEN_OUTSIDE  0x4  /* the directory is outside the process's root */
#define OPEN_COMPAT   0x8  /* by a 32-bit system call */
#define OPEN_BEFORE   0x10 /* found open, not seen to be opened: made in user space */
#define OPEN_DELETED  0x20 /* and without a name by now */
#define OPEN_NO_FD    0x40 /* through io_uring, into a table of the ring */

struct file_open_event {
	struct event_hdr hdr;
	__u64 flags;	/* of open(2) */
	__u64 inode;	/* of the opened file; 0 when it was not */
	__u64 ctime_ns; /* its last change, content or attributes, since the epoch; 0 not known */
	__u32 dev_major;
	__u32 dev_minor;
	__s32 result; /* 0 or a negative errno */
	__u32 marks;
	struct tail name; /* as the program gave it */
	struct tail dir;  /* what a relative name starts from; empty for an absolute one */
	struct tail real; /* the opened file's own path, with --resolve */
	__u32 reserved;
};

_Static_assert(sizeof(struct file_open_event) == 152, "struct file_open_event has changed");

#endif /* FILE_OPEN_H */
