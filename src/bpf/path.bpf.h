/* SPDX-License-Identifier: MIT */
#ifndef PATH_BPF_H
#define PATH_BPF_H

/*
 * A path under construction. Whoever includes walk_path.bpf.h defines a struct scratch with these
 * two members, `__u8 path[PATH_BUFFER_SIZE]` and `struct path_walk walk`.
 */

#include "vmlinux.h"

#define PATH_SIZE 4096
/* Room behind the end: a component is copied before its size is known to fit. */
#define PATH_BUFFER_SIZE (PATH_SIZE + 256)

struct path_walk {
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *root_dentry;
	struct mount *root_mount;
	__u32 at;    /* first byte of the path in struct scratch.path */
	__u32 flags; /* WALK_* */
};

#endif /* PATH_BPF_H */
