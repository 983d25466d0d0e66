/* SPDX-License-Identifier: MIT */
#include "trace/attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace/tracefs.h"

#define MULTI "kretprobe.multi/"

/* The function is named, not looked for: libbpf would read all of /proc/kallsyms for it. */
static struct bpf_link *attach_multi(struct bpf_program *program, const char *function)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, options, .syms = &function, .cnt = 1, .retprobe = true);

	return bpf_program__attach_kprobe_multi_opts(program, NULL, &options);
}

/* libbpf would do the same, but only where tracefs is mounted. */
static int attach_tracepoint(struct bpf_program *program, const char *event, int tracefs,
			     struct bpf_link **ret)
{
	int id = tracefs < 0 ? tracefs : tracefs_event_id(tracefs, event);

	if (id < 0)
		return id;

	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (unsigned int)id,
	};
	/* One event is enough: the program runs whenever the tracepoint is hit, on any CPU. */
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = bpf_program__attach_perf_event(program, fd);
	if (!*ret) {
		int err = -errno;

		close(fd);
		return err;
	}
	return 0;
}

int program_attach(struct bpf_program *program, const char *hook,
		   const struct attach_places *places, struct bpf_link **ret)
{
	if (!hook)
		hook = bpf_program__section_name(program);
	if (strncmp(hook, "tp/", 3) == 0)
		return attach_tracepoint(program, hook + 3, places->tracefs, ret);
	/* A link goes with its owner; a program attached without one would stay when we are killed.
	 */
	if (strncmp(hook, "cgroup_skb/", 11) == 0) {
		if (places->cgroup < 0)
			return places->cgroup;
		*ret = bpf_program__attach_cgroup(program, places->cgroup);
	} else if (strncmp(hook, MULTI, strlen(MULTI)) == 0) {
		*ret = attach_multi(program, hook + strlen(MULTI));
	} else if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING) {
		*ret = bpf_program__attach_trace(program);
	} else {
		*ret = bpf_program__attach(program);
	}
	return *ret ? 0 : -errno;
}
