/* SPDX-License-Identifier: MIT */
#ifndef TRACE_CORE_TYPES_H
#define TRACE_CORE_TYPES_H

/*
 * The few types of the kernel that a BPF object's CO-RE relocations can ask for. libbpf looks
 * through all 130,000 for each type that an object names, half of what a start takes; here those
 * of its names are put together, for libbpf to look through instead.
 */

#include <bpf/btf.h>

#include "trace/type_index.h"

#define CORE_TYPES_PATH_SIZE 32

/* Of one process, for one object after the other. All zero: nothing read yet. */
struct core_types {
	struct btf *kernel;
	struct type_index index; /* of KERNEL */
	int fd;			 /* of what core_types_fill() writes, without a name; 0: none */
	char path[CORE_TYPES_PATH_SIZE];
};

/*
 * Reads the kernel's types, unless they are there already. Returns 0 or a negative errno: -ESRCH
 * where the kernel has no BTF.
 */
int core_types_open(struct core_types *types);

/*
 * Returns the path for bpf_object_open_opts.btf_custom_path, valid until core_types_close(), or
 * NULL where libbpf has to do without: no /proc is there to open it by.
 */
const char *core_types_path(const struct core_types *types);

/*
 * Before an object is loaded that was opened with the path: puts there what the types that OBJECT
 * has names of need; where there was no path, nothing. Returns 0 or a negative errno.
 */
int core_types_fill(struct core_types *types, const struct btf *object);

/*
 * The types of KERNEL that have the name of one of OBJECT, whatever their flavors (libbpf's
 * "___"), and what is in them by value; what pointers point at is void, which no relocation of a
 * field looks at (libbpf relo_core.c, bpf_core_fields_are_compat()). The caller frees it with
 * btf__free(). NULL with errno set: ENOMEM.
 */
struct btf *core_types_reduce(const struct type_index *kernel, const struct btf *object);

/* Safe on what is all zero, and leaves it so. */
void core_types_close(struct core_types *types);

#endif /* TRACE_CORE_TYPES_H */
