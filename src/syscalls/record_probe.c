/* SPDX-License-Identifier: MIT */
#include "syscalls/record_probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* Of BPF_LINK_CREATE since Linux 6.6; the headers of older systems lack it. */
struct link_create_multi {
	__u32 prog_fd;
	__u32 target_fd;
	__u32 attach_type;
	__u32 flags;
	__u64 path;
	__u64 offsets;
	__u64 ref_ctr_offsets;
	__u64 cookies;
	__u32 cnt;
	__u32 multi_flags;
	__u32 pid;
	__u32 reserved;
};

static int link_multi(int program, const char *path, uint64_t offset, uint64_t cookie)
{
	struct link_create_multi attr = {
		.prog_fd = (__u32)program,
		.attach_type = PROBES_MULTI,
		.path = (__u64)(uintptr_t)path,
		.offsets = (__u64)(uintptr_t)&offset,
		.cookies = (__u64)(uintptr_t)&cookie,
		.cnt = 1,
	};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

/* The type of uprobes for perf_event_open(2), or a negative errno. */
static int perf_type(void)
{
	_cleanup_(cleanup_fd) int fd =
		open("/sys/bus/event_source/devices/uprobe/type", O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0)
		return -errno;
	return read(fd, text, sizeof(text) - 1) > 0 ? atoi(text) : -ENODATA;
}

static int link_single(int program, const char *path, uint64_t offset, uint64_t cookie)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .perf_event.bpf_cookie = cookie);
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.uprobe_path = (__u64)(uintptr_t)path,
		.probe_offset = offset,
	};
	int type = perf_type();
	int link, fd;

	if (type < 0)
		return type;
	attr.type = (__u32)type;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* The link keeps the event. */
	link = bpf_link_create(program, fd, BPF_PERF_EVENT, &options);
	close(fd);
	return link;
}

int probe_link(int program, bool is_multi, int file, uint64_t offset, uint64_t cookie)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return is_multi ? link_multi(program, path, offset, cookie)
			: link_single(program, path, offset, cookie);
}
