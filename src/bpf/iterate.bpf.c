/* SPDX-License-Identifier: MIT */
/*
 * What all processes have at this moment: iterators over their mappings and their open files.
 *
 * A seq_file's buffer that overflows makes the kernel run the program again for the same item, and
 * takes back what it wrote. An item is therefore written in one piece, and a path is remembered as
 * told only when that has worked.
 */
#include "cgroup.bpf.h"
#include <bpf/bpf_endian.h>

#include "../catalogue/match.h"
#include "../inventory/wire.h"
#include "../control.h"

#define VM_EXEC		0x4	/* include/linux/mm.h */
#define S_IFMT		0170000 /* include/uapi/linux/stat.h */
#define S_IFSOCK	0140000
#define S_IFREG		0100000
#define S_IFCHR		0020000
#define AF_INET		2
#define AF_INET6	10
#define AF_ALG		38
#define IPPROTO_TCP	6
#define TCP_ESTABLISHED 1 /* include/net/tcp_states.h */
#define TCP_LISTEN	10
#define PATHS_MAX	16384

/* The same mount and dentry have the same path. */
struct path_key {
	__u64 mnt;
	__u64 dentry;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PATHS_MAX);
	__type(key, struct path_key);
	__type(value, __u32);
} paths SEC(".maps");

/*
 * What sources/tap/tap.bpf.c knows of connections that began since its programs are attached: the
 * map is that of the run, where there is one, else an empty one of this object's own.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} tap_sockets SEC(".maps");

struct draft_record {
	struct inventory_record record;
	char path[2 * INVENTORY_PATH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct draft_record);
} drafts SEC(".maps");

/* The depth of the pid namespace of who reads: pids are told as that has them, as /proc does. */
static __always_inline __u32 reader_level(void)
{
	return BPF_CORE_READ(bpf_get_current_task_btf(), signal, pids[PIDTYPE_TGID], level);
}

/* The number of PID in a pid namespace of depth LEVEL; 0: it is not in there. */
static __always_inline __u32 pid_at(struct pid *pid, __u32 level)
{
	__u32 nr = 0;

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid));
	return nr;
}

static __always_inline __u32 tgid_at(struct task_struct *task, __u32 level)
{
	return pid_at(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]), level);
}

SEC("iter/task")
int iterate_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct process_seed seed = {};
	__u32 level = reader_level();

	/*
	 * Kernel threads and zombies have no memory of their own. A process whose first thread has
	 * ended is told by the others.
	 */
	if (!task || !task->mm ||
	    (task->pid != task->tgid && BPF_CORE_READ(task, group_leader, mm)))
		return 0;
	seed.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	seed.cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	seed.tgid = tgid_at(task, level);
	seed.ppid = tgid_at(BPF_CORE_READ(task, real_parent), level);
	if (task->pid != task->tgid)
		seed.tid = pid_at(BPF_CORE_READ(task, thread_pid), level);
	seed.uid = BPF_CORE_READ(task, cred, uid.val);
	seed.gid = BPF_CORE_READ(task, cred, gid.val);
	BPF_CORE_READ_INTO(&seed.comm, task, group_leader, comm);
	bpf_probe_read_kernel_str(seed.cgroup_name, sizeof(seed.cgroup_name), cgroup_name(task));
	bpf_seq_write(ctx->meta->seq, &seed, sizeof(seed));
	return 0;
}

/* Only the one who reads the iterators runs these programs. */
static __u32 last_id;

static __always_inline struct draft_record *draft_new(struct task_struct *task, __u16 kind,
						      struct inode *inode)
{
	__u32 zero = 0;
	struct draft_record *draft = bpf_map_lookup_elem(&drafts, &zero);
	__u32 dev;

	if (!draft)
		return NULL;
	__builtin_memset(&draft->record, 0, sizeof(draft->record));
	draft->record.kind = kind;
	draft->record.tgid = tgid_at(task, reader_level());
	draft->record.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	if (inode) {
		dev = BPF_CORE_READ(inode, i_sb, s_dev);
		draft->record.inode = BPF_CORE_READ(inode, i_ino);
		draft->record.dev_major = dev >> 20;
		draft->record.dev_minor = dev & 0xfffff;
	}
	return draft;
}

/* Writes DRAFT with its path. Returns whether it was taken. */
static __always_inline bool draft_write(struct seq_file *seq, struct draft_record *draft)
{
	__u32 size = sizeof(draft->record) + ((draft->record.path_size + 7) & ~7U);

	if (size > sizeof(draft->record) + INVENTORY_PATH_MAX)
		return true;
	draft->record.size = size;
	return bpf_seq_write(seq, draft, size) == 0;
}

/* d_unlinked() of include/linux/dcache.h: what makes d_path() put a mark behind the name. */
static __always_inline __u16 deleted_flag(struct file *file)
{
	return BPF_CORE_READ(file, f_path.dentry, d_hash.pprev) ? 0 : INVENTORY_DELETED;
}

SEC("iter/task_vma")
int iterate_maps(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	struct draft_record *draft;
	struct path_key key;
	struct inode *inode;
	struct file *file;
	__u32 *known;
	long size;

	if (!task || !vma || !(vma->vm_flags & VM_EXEC))
		return 0;
	file = vma->vm_file;
	if (!file)
		return 0;
	inode = file->f_inode;
	draft = draft_new(task, INVENTORY_MAP, inode);
	if (!draft)
		return 0;
	if (BPF_CORE_READ(task, mm, exe_file, f_inode) == inode)
		draft->record.flags = INVENTORY_IS_EXE;
	draft->record.map.from = vma->vm_start;
	draft->record.map.to = vma->vm_end;
	key.mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
	key.dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	known = bpf_map_lookup_elem(&paths, &key);
	if (known) {
		draft->record.id = *known;
		draft_write(ctx->meta->seq, draft);
		return 0;
	}
	size = bpf_d_path(&file->f_path, draft->path, INVENTORY_PATH_MAX);
	if (size <= 1 || size > INVENTORY_PATH_MAX)
		return 0;
	draft->record.path_size = size - 1;
	draft->record.flags |= deleted_flag(file);

	__u32 id = last_id + 1;

	if (bpf_map_update_elem(&paths, &key, &id, BPF_ANY) == 0) {
		last_id = id;
		draft->record.id = id;
	}
	if (!draft_write(ctx->meta->seq, draft))
		bpf_map_delete_elem(&paths, &key);
	return 0;
}

/* Whether TLS of SK, a TCP socket, is the kernel's. */
static __always_inline bool is_ktls(struct sock *sk)
{
	const struct tcp_ulp_ops *ops =
		BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_ops);
	char name[4] = {};

	/* net/tls/tls_main.c: .name = "tls" */
	if (!ops || bpf_probe_read_kernel(name, sizeof(name), &ops->name))
		return false;
	return name[0] == 't' && name[1] == 'l' && name[2] == 's' && !name[3];
}

/* What SK is to be told for, as flags. */
static __always_inline __u16 socket_flags(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u8 state;
	__u16 flags = 0;

	if (family == AF_ALG)
		return INVENTORY_AF_ALG;
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_LISTEN)
		return INVENTORY_LISTENS;
	if (is_ktls(sk))
		flags |= INVENTORY_KTLS;
	if (state != TCP_ESTABLISHED)
		return flags;
	if (bpf_sk_storage_get(&tap_sockets, sk, NULL, 0))
		flags |= INVENTORY_TAPPED;
	return flags | INVENTORY_ESTABLISHED;
}

/* Makes OUT the address of IPv4 IN. */
static __always_inline void map_v4(__u8 *out, __u32 in)
{
	out[10] = 0xff;
	out[11] = 0xff;
	__builtin_memcpy(out + 12, &in, 4);
}

/* The ends of SK, a TCP socket; ENDS are zeros. */
static __always_inline void read_ends(struct sock *sk, struct inventory_ends *ends)
{
	ends->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	ends->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	ends->peer_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET) {
		map_v4(ends->local, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		map_v4(ends->peer, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		return;
	}
	if (!bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		return;
	bpf_core_read(ends->local, sizeof(ends->local), &sk->__sk_common.skc_v6_rcv_saddr);
	bpf_core_read(ends->peer, sizeof(ends->peer), &sk->__sk_common.skc_v6_daddr);
}

/* Tells what SOCKET, under descriptor FD of TASK, is to be told for. */
static __always_inline void tell_socket(struct seq_file *seq, struct task_struct *task, __u32 fd,
					struct inode *inode, struct socket *socket)
{
	struct sock *sk = socket->sk;
	struct draft_record *draft;
	struct inventory_ends *ends;
	__u16 flags;

	if (!sk)
		return;
	flags = socket_flags(sk);
	draft = flags ? draft_new(task, INVENTORY_SOCKET, inode) : NULL;
	if (!draft)
		return;
	ends = (void *)draft->path;
	__builtin_memset(ends, 0, sizeof(*ends));
	draft->record.flags = flags;
	draft->record.file.fd = fd;
	if (flags != INVENTORY_AF_ALG)
		read_ends(sk, ends);
	draft->record.size = sizeof(draft->record) + sizeof(*ends);
	bpf_seq_write(seq, draft, sizeof(draft->record) + sizeof(*ends));
}

/*
 * Whether the path of SIZE bytes in DRAFT, whose record is still empty, may be that of a crypto
 * file. Of a path below 16 bytes some of the record's zeros are looked at, too.
 */
static __always_inline bool path_may_match(const struct draft_record *draft, __u32 size)
{
	__u32 at = sizeof(draft->record) + size - 16;
	__u64 words[2];

	/* Not exactly: what only looks like the mark is judged in user space. */
	if (draft->path[(size - 1) & (INVENTORY_PATH_MAX - 1)] == ')')
		at -= sizeof(" (deleted)") - 1;
	barrier_var(at);
	if (at > sizeof(draft->record) + INVENTORY_PATH_MAX - 16 ||
	    bpf_probe_read_kernel(words, sizeof(words), (const char *)draft + at))
		return false;
	return match_tail(__builtin_bswap64(words[1]), __builtin_bswap64(words[0]));
}

SEC("iter/task_file")
int iterate_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct draft_record *draft;
	struct socket *socket;
	struct inode *inode;
	__u16 mode;
	long size;

	if (!task || !file)
		return 0;
	inode = file->f_inode;
	mode = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	if (mode == S_IFSOCK) {
		socket = bpf_sock_from_file(file);
		if (socket)
			tell_socket(ctx->meta->seq, task, ctx->fd, inode, socket);
		return 0;
	}
	if (mode != S_IFREG && mode != S_IFCHR)
		return 0;
	draft = draft_new(task, INVENTORY_FILE, inode);
	if (!draft)
		return 0;
	size = bpf_d_path(&file->f_path, draft->path, INVENTORY_PATH_MAX);
	if (size <= 1 || size > INVENTORY_PATH_MAX || !path_may_match(draft, size - 1))
		return 0;
	draft->record.path_size = size - 1;
	draft->record.flags = deleted_flag(file);
	draft->record.file.fd = ctx->fd;
	draft->record.file.open_flags = file->f_flags;
	draft->record.file.file_size = BPF_CORE_READ(inode, i_size);
	draft_write(ctx->meta->seq, draft);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
