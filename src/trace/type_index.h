/* SPDX-License-Identifier: MIT */
#ifndef TRACE_TYPE_INDEX_H
#define TRACE_TYPE_INDEX_H

/*
 * The types of a kernel by their names, of which it has 130,000. BTF has no order that helps to
 * find one (Linux Documentation/bpf/btf.rst), and libbpf looks through all of them each time.
 */

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>

/* Not ended by a 0. */
struct type_name {
	const char *text;
	size_t size;
};

struct type_index {
	const struct btf *btf; /* not owned */
	__u32 *first;	       /* by the hash of a name: the newest type with it; 0: none */
	__u32 *next;	       /* by the id of a type: another with that hash; 0: none */
};

/*
 * The name of TYPE without its flavor, which is what follows three underscores between others
 * (libbpf relo_core.c, bpf_core_essential_name_len()). Points into BTF.
 */
struct type_name type_name(const struct btf *btf, const struct btf_type *type);

/* Whether a relocation may ask for a type like TYPE by its name. Those are in the index. */
bool type_is_named(const struct btf_type *type);

/* Of BTF, which must live as long. Returns 0 or -ENOMEM; the caller closes it then, too. */
int type_index_open(struct type_index *index, const struct btf *btf);

/*
 * Returns the id of a type called NAME, whatever its flavor: one that was not returned since AFTER
 * was 0; AFTER is what this returned before. 0: no more.
 */
__u32 type_index_find(const struct type_index *index, struct type_name name, __u32 after);

/* Safe on what is all zero, and leaves it so. */
void type_index_close(struct type_index *index);

#endif /* TRACE_TYPE_INDEX_H */
