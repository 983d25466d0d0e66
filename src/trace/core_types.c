/* SPDX-License-Identifier: MIT */
#include "trace/core_types.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/file.h"

/* A name without its flavor. */
struct name {
	const char *text;
	size_t size;
};

struct reduction {
	const struct btf *kernel;
	struct btf *small;
	struct name *names; /* sorted */
	size_t nr_names;
	__u32 *small_ids; /* by the id in KERNEL; 0: not needed so far */
	__u32 *wanted;	  /* ids in KERNEL, in the order of their ids in SMALL, from 1 */
	__u32 nr_wanted;
};

/* A flavor begins with three underscores between others (libbpf, bpf_core_is_flavor_sep()). */
static struct name name_of(const struct btf *btf, const struct btf_type *type)
{
	const char *text = btf__name_by_offset(btf, type->name_off);
	struct name name = { text ? text : "", text ? strlen(text) : 0 };

	for (size_t i = name.size >= 5 ? name.size - 5 + 1 : 0; i-- > 0;)
		if (text[i] != '_' && memcmp(text + i + 1, "___", 3) == 0 && text[i + 4] != '_') {
			name.size = i + 1;
			break;
		}
	return name;
}

static int compare_names(const void *a, const void *b)
{
	const struct name *first = a;
	const struct name *second = b;
	size_t least = first->size < second->size ? first->size : second->size;
	int order = memcmp(first->text, second->text, least);

	if (order || first->size == second->size)
		return order;
	return first->size < second->size ? -1 : 1;
}

/* Whether a relocation may begin at a type like this. */
static bool is_root(const struct btf_type *type)
{
	return type->name_off && (btf_is_composite(type) || btf_is_any_enum(type) ||
				  btf_is_typedef(type) || btf_is_int(type) || btf_is_float(type));
}

/* Returns the id in SMALL of what has ID in KERNEL; 0, void, for what has no value. */
static __u32 want(struct reduction *reduction, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(reduction->kernel, id);

	if (!id || !type || btf_is_func_proto(type) || btf_is_func(type))
		return 0;
	if (!reduction->small_ids[id]) {
		reduction->wanted[reduction->nr_wanted++] = id;
		reduction->small_ids[id] = reduction->nr_wanted;
	}
	return reduction->small_ids[id];
}

/* Gives TYPE, copied from KERNEL, the ids of SMALL. */
static void renumber(struct reduction *reduction, struct btf_type *type)
{
	if (btf_is_ptr(type)) {
		type->type = 0;
	} else if (btf_is_array(type)) {
		btf_array(type)->type = want(reduction, btf_array(type)->type);
		btf_array(type)->index_type = want(reduction, btf_array(type)->index_type);
	} else if (btf_is_composite(type)) {
		for (__u32 i = 0; i < btf_vlen(type); i++)
			btf_members(type)[i].type = want(reduction, btf_members(type)[i].type);
	} else if (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type)) {
		type->type = want(reduction, type->type);
	}
}

static int collect_names(struct reduction *reduction, const struct btf *object)
{
	__u32 count = btf__type_cnt(object);

	reduction->names = calloc(count, sizeof(*reduction->names));
	if (!reduction->names)
		return -ENOMEM;
	for (__u32 id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(object, id);

		if (is_root(type))
			reduction->names[reduction->nr_names++] = name_of(object, type);
	}
	qsort(reduction->names, reduction->nr_names, sizeof(*reduction->names), compare_names);
	return 0;
}

static void want_roots(struct reduction *reduction, __u32 count)
{
	for (__u32 id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(reduction->kernel, id);
		struct name name;

		if (!is_root(type))
			continue;
		name = name_of(reduction->kernel, type);
		if (bsearch(&name, reduction->names, reduction->nr_names, sizeof(name),
			    compare_names))
			want(reduction, id);
	}
}

/* What is copied may want more, which is copied after it. Returns 0 or a negative errno. */
static int copy_wanted(struct reduction *reduction)
{
	for (__u32 i = 0; i < reduction->nr_wanted; i++) {
		const struct btf_type *type =
			btf__type_by_id(reduction->kernel, reduction->wanted[i]);
		int id = btf__add_type(reduction->small, reduction->kernel, type);

		if (id < 0)
			return id;
		/* libbpf lets types be read only, yet what was added is its own memory. */
		renumber(reduction,
			 (struct btf_type *)btf__type_by_id(reduction->small, (__u32)id));
	}
	return 0;
}

static int reduce(struct reduction *reduction, const struct btf *object)
{
	__u32 count = btf__type_cnt(reduction->kernel);
	int err;

	reduction->small = btf__new_empty();
	reduction->small_ids = calloc(count, sizeof(*reduction->small_ids));
	reduction->wanted = calloc(count, sizeof(*reduction->wanted));
	if (!reduction->small || !reduction->small_ids || !reduction->wanted)
		return -ENOMEM;
	err = collect_names(reduction, object);
	if (err)
		return err;
	want_roots(reduction, count);
	return copy_wanted(reduction);
}

struct btf *core_types_reduce(const struct btf *kernel, const struct btf *object)
{
	struct reduction reduction = { .kernel = kernel };
	int err = reduce(&reduction, object);

	free(reduction.names);
	free(reduction.small_ids);
	free(reduction.wanted);
	if (!err)
		return reduction.small;
	btf__free(reduction.small);
	errno = -err;
	return NULL;
}

const char *core_types_path(struct core_types *types)
{
	if (types->path[0])
		return types->path;
	types->kernel = btf__load_vmlinux_btf();
	if (!types->kernel)
		return NULL;
	types->fd = memfd_create("crypto-tracer-types", MFD_CLOEXEC);
	if (types->fd > 0)
		snprintf(types->path, sizeof(types->path), "/proc/self/fd/%d", types->fd);
	if (types->fd > 0 && access(types->path, R_OK) == 0)
		return types->path;
	core_types_close(types);
	return NULL;
}

static int replace(int fd, const void *bytes, size_t size)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return file_write_fd(fd, bytes, size);
}

int core_types_fill(struct core_types *types, const struct btf *object)
{
	struct btf *small;
	const void *bytes;
	__u32 size;
	int err;

	if (!types->path[0])
		return 0;
	small = core_types_reduce(types->kernel, object);
	if (!small)
		return -errno;
	bytes = btf__raw_data(small, &size);
	err = bytes ? replace(types->fd, bytes, size) : -ENOMEM;
	btf__free(small);
	return err;
}

void core_types_close(struct core_types *types)
{
	btf__free(types->kernel);
	if (types->fd > 0)
		close(types->fd);
	*types = (struct core_types){ 0 };
}
