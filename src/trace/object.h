/* SPDX-License-Identifier: MIT */
#ifndef TRACE_OBJECT_H
#define TRACE_OBJECT_H

#include "trace/core_types.h"

struct bpf_object;

/* A BPF object of this program. */
struct object_file {
	const char *name; /* for messages */
	const unsigned char *begin;
	const unsigned char *end;
};

/*
 * Opens FILE and loads it. ADJUST (may be NULL) is called with CTX when the object is open and not
 * loaded yet; it returns 0 or a negative errno. TYPES are read the first time; the caller closes
 * them after the last object. Returns 0 or a negative errno, as libbpf_log_error() says it: -ESRCH
 * where the kernel has no type information, -ENOENT where it lacks what a program is to be attached
 * to. The caller closes *RET, which is left alone on failure.
 */
int object_load(struct core_types *types, const struct object_file *file,
		int (*adjust)(void *ctx, struct bpf_object *object), void *ctx,
		struct bpf_object **ret);

#endif /* TRACE_OBJECT_H */
