/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_WIRE_H
#define INVENTORY_WIRE_H

/*
 * What the iterators of bpf/iterate.bpf.c write and inventory/iterate.c reads: records of a
 * multiple of 8 bytes, one for each executable mapping of a file, each open file whose name may be
 * that of a crypto file, and each socket that is a user of kernel crypto, or of a TCP connection
 * that is established, or listens.
 */

#ifndef __bpf__ /* there vmlinux.h has them */
#include <linux/types.h>
#endif

#define INVENTORY_PATH_MAX 4096

enum inventory_kind {
	INVENTORY_MAP = 1,
	INVENTORY_FILE,
	INVENTORY_SOCKET,
};

/* struct inventory_record.flags */
#define INVENTORY_IS_EXE      0x1 /* the mapping is of the program itself */
#define INVENTORY_AF_ALG      0x2
#define INVENTORY_KTLS	      0x4
#define INVENTORY_DELETED     0x8 /* the file has no name any more, and the path a mark of that */
#define INVENTORY_ESTABLISHED 0x10
#define INVENTORY_LISTENS     0x20
#define INVENTORY_TAPPED      0x40 /* events tell of the connection: it began during the run */

struct inventory_record {
	__u16 size; /* bytes of the whole record */
	__u16 kind;
	__u16 flags;
	__u16 path_size; /* 0: the path came before, with the same ID */
	__u32 tgid;
	__u32 id;	/* of (mount, dentry): the same path; 0: not remembered */
	__u64 start_ns; /* of the process, boot time */
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	union {
		struct {
			__u64 from; /* addresses */
			__u64 to;
		} map;
		struct {
			__u32 fd;
			__u32 open_flags;
			__u64 file_size;
		} file;
	};
	/* char path[path_size], padded; of a socket struct inventory_ends */
};

_Static_assert(sizeof(struct inventory_record) == 56, "struct inventory_record is padded");

/* The ends of a TCP socket; of one of another kind zeros. */
struct inventory_ends {
	__u8 local[16]; /* IPv6; IPv4 as ::ffff:0:0/96 */
	__u8 peer[16];
	__u16 local_port;
	__u16 peer_port;
	__u32 netns; /* number of the network namespace */
};

_Static_assert(sizeof(struct inventory_ends) == 40, "struct inventory_ends is padded");

#endif /* INVENTORY_WIRE_H */
