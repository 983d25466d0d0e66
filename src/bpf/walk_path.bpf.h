/* SPDX-License-Identifier: MIT */
#ifndef WALK_PATH_BPF_H
#define WALK_PATH_BPF_H

/*
 * The path of an open file or directory as its process sees it. bpf_d_path() is refused to
 * tracepoint programs, so the names are collected from the entry up to the process's root, over
 * mounts, as fs/d_path.c does, but without its locks: a rename at the same moment can give a torn
 * path, never a bad access.
 */

#include "path.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

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

/*
 * A function of its own also for the plain loop: older verifiers refuse a loop whose end the
 * compiler has put right before its begin ("back-edge", check_cfg() before 6.5).
 */
static __noinline long walk_loop(__u32 index, struct scratch **scratch)
{
	return walk_step(*scratch);
}

/* Begins the walk at PATH, seen from FS's root. */
static __always_inline void walk_begin(struct scratch *scratch, struct path *path,
				       struct fs_struct *fs)
{
	struct path_walk *walk = &scratch->walk;

	walk->dentry = BPF_CORE_READ(path, dentry);
	walk->mount = mount_of(BPF_CORE_READ(path, mnt));
	walk->root_dentry = BPF_CORE_READ(fs, root.dentry);
	walk->root_mount = mount_of(BPF_CORE_READ(fs, root.mnt));
	walk->at = PATH_SIZE;
	walk->flags = 0;
}

/*
 * Walks to the end. The path is at the end of scratch->path; scratch->walk.at is its first byte and
 * the return its size (0: the root itself, or nothing could be read). It has no trailing slash.
 * scratch->walk.flags tells how the walk ended.
 */
static __always_inline __u32 walk_finish(struct scratch *scratch)
{
	struct path_walk *walk = &scratch->walk;

	if (walk->flags)
		return PATH_SIZE - walk->at;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
		bpf_loop(WALK_STEPS, walk_loop, &scratch, 0);
	} else {
		for (__u32 i = 0; i < WALK_STEPS; i++)
			if (walk_loop(i, &scratch))
				break;
	}
	if (!(walk->flags & (WALK_DONE | WALK_OUTSIDE)))
		walk->flags |= WALK_TRUNCATED;
	return PATH_SIZE - walk->at;
}

#endif /* WALK_PATH_BPF_H */
