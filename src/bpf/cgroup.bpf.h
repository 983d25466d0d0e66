/* SPDX-License-Identifier: MIT */
#ifndef CGROUP_BPF_H
#define CGROUP_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/*
 * The name of TASK's innermost control group, by which container engines tell the container. In the
 * cgroup2 hierarchy; where that holds no groups (cgroup1 hosts), in that of the pids controller.
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
	return BPF_CORE_READ(group, kn, name);
}

#endif /* CGROUP_BPF_H */
