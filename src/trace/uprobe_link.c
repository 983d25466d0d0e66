/* SPDX-License-Identifier: MIT */
#include "trace/uprobe_link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* BPF_F_UPROBE_MULTI_RETURN */
#define MULTI_RETURN 1U

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

int uprobe_link_multi(const struct uprobe_batch *batch)
{
	struct link_create_multi attr = {
		.prog_fd = (__u32)batch->program,
		.attach_type = UPROBE_MULTI,
		.path = (__u64)(uintptr_t)batch->path,
		.offsets = (__u64)(uintptr_t)batch->offsets,
		.cookies = (__u64)(uintptr_t)batch->cookies,
		.cnt = batch->nr,
		.multi_flags = batch->is_return ? MULTI_RETURN : 0,
	};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

int uprobe_link_single(const struct uprobe_batch *batch, uint32_t i, int perf_type)
{
	/* Bit 0 of config: at the return (format/retprobe, kernel/events/core.c). */
	struct perf_event_attr attr = {
		.type = (__u32)perf_type,
		.size = sizeof(attr),
		.config = batch->is_return ? 1 : 0,
		.uprobe_path = (__u64)(uintptr_t)batch->path,
		.probe_offset = batch->offsets[i],
	};
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .perf_event.bpf_cookie = batch->cookies ? batch->cookies[i] : 0);
	int link, fd;

	if (perf_type < 0)
		return perf_type;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	link = bpf_link_create(batch->program, fd, BPF_PERF_EVENT, &options);
	close(fd);
	return link;
}

int uprobe_perf_type(void)
{
	_cleanup_(cleanup_fd) int fd =
		open("/sys/bus/event_source/devices/uprobe/type", O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0)
		return -errno;
	return read(fd, text, sizeof(text) - 1) > 0 ? atoi(text) : -ENODATA;
}
