/* SPDX-License-Identifier: MIT */
#ifndef TRACE_ATTACH_H
#define TRACE_ATTACH_H

struct bpf_link;
struct bpf_program;

/*
 * Attaches PROGRAM to HOOK, NULL for what its section names: "tp/CATEGORY/NAME" through TRACEFS (a
 * descriptor of its root, see tracefs.h), anything else as libbpf does. Returns 0 or a negative
 * errno: -ENOENT when this kernel has no such hook. The caller destroys *RET.
 */
int program_attach(struct bpf_program *program, const char *hook, int tracefs,
		   struct bpf_link **ret);

#endif /* TRACE_ATTACH_H */
