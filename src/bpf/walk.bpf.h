/* SPDX-License-Identifier: MIT */
#ifndef WALK_BPF_H
#define WALK_BPF_H

/* Paths as parts of a record. */

#include "maps.bpf.h"
#include "walk_path.bpf.h"

#define WALK_CWD_STEPS 8 /* those that are taken without a call */

/*
 * Begins the walk at the working directory of the current task and takes its first steps, as long
 * as they stay on one mount. Most end there. The pointers remain in registers, typed, so that a
 * member is one load instead of a call.
 */
static __always_inline void walk_begin_cwd(struct scratch *scratch)
{
	struct path_walk *walk = &scratch->walk;
	struct fs_struct *fs = bpf_get_current_task_btf()->fs;
	struct vfsmount *mnt = fs->pwd.mnt;
	struct vfsmount *root_mnt = fs->root.mnt;
	struct dentry *dentry = fs->pwd.dentry;
	struct dentry *root = fs->root.dentry;
	struct dentry *top = mnt->mnt_root;
	__u32 at = PATH_SIZE;

	for (int i = 0; i < WALK_CWD_STEPS; i++) {
		struct dentry *parent = dentry->d_parent;
		__u32 size = dentry->d_name.len & (NAME_SIZE - 1);

		if (dentry == root || dentry == top || dentry == parent || at < size + 1)
			break;
		at -= size + 1;
		at &= PATH_SIZE - 1;
		scratch->path[at] = '/';
		bpf_probe_read_kernel(&scratch->path[at + 1], size, dentry->d_name.name);
		dentry = parent;
	}
	walk->dentry = dentry;
	walk->mount = mount_of(mnt);
	walk->root_dentry = root;
	walk->root_mount = mount_of(root_mnt);
	walk->at = at;
	walk->flags = dentry == root && mnt == root_mnt ? WALK_DONE : 0;
}

/* Appends the path of the walk that was begun to the record. Returns the tail; "/" for the root. */
static __always_inline struct tail tail_walked(struct draft *draft, __u32 *ret_flags)
{
	struct scratch *scratch = draft->scratch;
	__u32 size = walk_finish(scratch);
	__u32 at = scratch->walk.at & (PATH_SIZE - 1);

	*ret_flags |= scratch->walk.flags;
	if (size == 0) {
		scratch->path[0] = '/';
		at = 0;
		size = 1;
	}
	return tail_kernel(draft, &scratch->path[at], size, PATH_SIZE);
}

/* Appends the path of PATH, seen from FS's root. */
static __always_inline struct tail tail_path(struct draft *draft, struct path *path,
					     struct fs_struct *fs, __u32 *ret_flags)
{
	walk_begin(draft->scratch, path, fs);
	return tail_walked(draft, ret_flags);
}

/* Appends the working directory of the current task. */
static __always_inline struct tail tail_cwd(struct draft *draft, __u32 *ret_flags)
{
	walk_begin_cwd(draft->scratch);
	return tail_walked(draft, ret_flags);
}

#endif /* WALK_BPF_H */
