/* SPDX-License-Identifier: MIT */
#ifndef CGROUP_BPF_H
#define CGROUP_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "alone.bpf.h"

/* Groups that are looked at, innermost first: those of a service in a container, and its own. */
#define CGROUP_LEVELS 8

/* Eight characters as they are in memory. */
#define GROUP_WORD(c)                                                                              \
	((__u64)(c)[0] | (__u64)(c)[1] << 8 | (__u64)(c)[2] << 16 | (__u64)(c)[3] << 24 |          \
	 (__u64)(c)[4] << 32 | (__u64)(c)[5] << 40 | (__u64)(c)[6] << 48 | (__u64)(c)[7] << 56)

/*
 * Zero when all eight characters of WORD can be hexadecimal digits: 0x30 to 0x3f, 0x60 to 0x67. In
 * one expression: a branch for each would be too many ways for the verifier.
 */
static __always_inline __u64 no_digits(__u64 word)
{
	__u64 one = 0x0101010101010101ULL;

	return (~(word >> 5) | word >> 7 | ~((word >> 4) ^ (word >> 6)) |
		((word >> 6) & (word >> 3))) &
	       one;
}

/*
 * Whether NAME can be a container's: of the forms that proc/container.c knows, in which bytes 16 to
 * 63 are of an id, or by its beginning. Those of units do not: user space has the last word.
 */
static __always_inline bool names_container(const char *name)
{
	__u64 head[5] = {};
	long size = bpf_probe_read_kernel_str(head, sizeof(head), name);

	return (size == sizeof(head) && !(no_digits(head[2]) | no_digits(head[3]))) ||
	       head[0] == GROUP_WORD("lxc.payl") || head[0] == GROUP_WORD("machine-") ||
	       (head[0] == GROUP_WORD("systemd-") && head[1] << 8 == GROUP_WORD("\0nspawn@"));
}

/*
 * GROUP is the address of a struct cgroup. Returns that of the name of the innermost around it by
 * which a container engine tells the container: crun, systemd and others make groups below that;
 * of its own where there is none.
 */
VERIFIED_ALONE __u64 group_name(__u64 group)
{
	const struct cgroup *around = (const void *)group;

	for (int i = 0; i < CGROUP_LEVELS && around; i++) {
		const char *name = BPF_CORE_READ(around, kn, name);

		if (names_container(name))
			return (__u64)name;
		around = BPF_CORE_READ(around, self.parent, cgroup);
	}
	around = (const void *)group;
	return (__u64)BPF_CORE_READ(around, kn, name);
}

/*
 * group_name() of TASK's innermost control group, in the cgroup2 hierarchy; where that holds no
 * groups (cgroup1 hosts), in that of the pids controller.
 */
static __always_inline const char *cgroup_name(struct task_struct *task)
{
	struct css_set *groups = BPF_CORE_READ(task, cgroups);
	struct cgroup *group = BPF_CORE_READ(groups, dfl_cgrp);

	if (BPF_CORE_READ(group, level) == 0 &&
	    bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
		struct cgroup_subsys_state *state = NULL;
		__u32 i = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);

		bpf_probe_read_kernel(&state, sizeof(state),
				      (void *)groups +
					      bpf_core_field_offset(struct css_set, subsys) +
					      i * sizeof(state));
		if (state)
			group = BPF_CORE_READ(state, cgroup);
	}
	return (const char *)group_name((__u64)group);
}

#endif /* CGROUP_BPF_H */
