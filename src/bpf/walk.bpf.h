/* SPDX-License-Identifier: MIT */
#ifndef WALK_BPF_H
#define WALK_BPF_H

/*
 * The path of an open file or directory as its process sees it. bpf_d_path() is refused to
 * tracepoint programs, so the names are collected from the entry up to the process's root, over
 * mounts, as fs/d_path.c does, but without its locks: a rename at the same moment can give a torn
 * path, never a bad access.
 */

#include "maps.bpf.h"

#define WALK_STEPS 64 /* components and mount crossings; a deeper path is cut at its start */
#define NAME_SIZE  256

#define WALK_DONE  0x1 /* reached the process's root */
#define WALK_OUTSIDE                                                                               \
	0x2		   /* reached a root that is not the process's: detached or outside chroot \
			    */
#define WALK_TRUNCATED 0x4 /* cut at its start */

static __always_inline struct mount *mount_of(struct vfsmount *vfsmount)
{
	return (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
}

static __always_inline long walk_step(struct scratch *scratch)
{
	struct path_walk *walk = &scratch->walk;
	struct dentry *dentry = walk->dentry;
	struct mount *mount = walk->mount;

	if (dentry == walk->root_dentry && mount == walk->root_mount) {
		walk->flags |= WALK_DONE;
		return 1;
	}
	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

		if (parent == mount) {
			walk->flags |= WALK_OUTSIDE;
			return 1;
		}
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = parent;
		return 0;
	}

	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	struct qstr name;

	bpf_core_read(&name.name, sizeof(name.name), &dentry->d_name.name);
	bpf_core_read(&name.len, sizeof(name.len), &dentry->d_name.len);
	if (parent == dentry) {
		/* A root is called "/"; a file that is in no directory has a name: "memfd:x". */
		walk->flags |= WALK_OUTSIDE;
		if (name.len <= 1)
			return 1;
	}

	__u32 size = name.len & (NAME_SIZE - 1);
	__u32 at = walk->at;

	if (at < size + 1 || at > PATH_SIZE) {
		walk->flags |= WALK_TRUNCATED;
		return 1;
	}
	at -= size + 1;
	at &= PATH_SIZE - 1;
	scratch->path[at] = '/';
	if (size > 0)
		bpf_probe_read_kernel(&scratch->path[at + 1], size, name.name);
	walk->at = at;
	walk->dentry = parent;
	return parent == dentry;
}

static long walk_loop(__u32 index, void *unused)
{
	struct scratch *scratch = scratch_get();

	return scratch ? walk_step(scratch) : 1;
}

/*
 * Writes the path of PATH, seen from FS's root, to the end of scratch->path; scratch->walk.at is
 * its first byte and the return its size (0: the root itself, or nothing could be read). The path
 * has no trailing slash. scratch->walk.flags tells how the walk ended.
 */
static __always_inline __u32 walk_path(struct scratch *scratch, struct path *path,
				       struct fs_struct *fs)
{
	struct path_walk *walk = &scratch->walk;

	walk->dentry = BPF_CORE_READ(path, dentry);
	walk->mount = mount_of(BPF_CORE_READ(path, mnt));
	walk->root_dentry = BPF_CORE_READ(fs, root.dentry);
	walk->root_mount = mount_of(BPF_CORE_READ(fs, root.mnt));
	walk->at = PATH_SIZE;
	walk->flags = 0;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
		bpf_loop(WALK_STEPS, walk_loop, NULL, 0);
	} else {
		for (int i = 0; i < WALK_STEPS; i++)
			if (walk_step(scratch))
				break;
	}
	if (!(walk->flags & (WALK_DONE | WALK_OUTSIDE)))
		walk->flags |= WALK_TRUNCATED;
	return PATH_SIZE - walk->at;
}

/* Appends the path of PATH to the record. Returns the tail; "/" for the root. */
static __always_inline struct tail tail_path(struct draft *draft, struct path *path,
					     struct fs_struct *fs, __u32 *ret_flags)
{
	struct scratch *scratch = draft->scratch;
	__u32 size = walk_path(scratch, path, fs);
	__u32 at = scratch->walk.at & (PATH_SIZE - 1);

	*ret_flags |= scratch->walk.flags;
	if (size == 0) {
		scratch->path[0] = '/';
		at = 0;
		size = 1;
	}
	return tail_kernel(draft, &scratch->path[at], size, PATH_SIZE);
}

#endif /* WALK_BPF_H */
