/* SPDX-License-Identifier: MIT */
#ifndef TRACE_ATTACH_H
#define TRACE_ATTACH_H

struct bpf_link;
struct bpf_program;

/* What programs are attached through, descriptors; a negative errno where there is none. */
struct attach_places {
	int tracefs; /* tracefs.h */
	int cgroup;  /* cgroup.h */
};

/*
 * Attaches PROGRAM to HOOK, NULL for what its section names: "tp/CATEGORY/NAME" through tracefs,
 * "cgroup_skb/..." to the root of all control groups, "kretprobe.multi/FUNCTION" to the end of that
 * one function, anything else as libbpf does. Returns 0 or a
 * negative errno: -ENOENT when this kernel has no such hook. The caller destroys *RET.
 */
int program_attach(struct bpf_program *program, const char *hook,
		   const struct attach_places *places, struct bpf_link **ret);

#endif /* TRACE_ATTACH_H */
