/* SPDX-License-Identifier: MIT */
#include "trace/core_types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/file.h"

struct reduction {
	const struct btf *kernel;
	struct btf *small;
	__u32 *small_ids; /* by the id in KERNEL; 0: not needed so far */
	__u32 *wanted;	  /* ids in KERNEL, in the order of their ids in SMALL, from 1 */
	__u32 nr_wanted;
};

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

/* Wants what has the name of a type of OBJECT. */
static void want_named(struct reduction *reduction, const struct type_index *kernel,
		       const struct btf *object)
{
	for (__u32 i = 1; i < btf__type_cnt(object); i++) {
		const struct btf_type *type = btf__type_by_id(object, i);
		struct type_name name;
		__u32 id = 0;

		if (!type_is_named(type))
			continue;
		name = type_name(object, type);
		while ((id = type_index_find(kernel, name, id)))
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

static int reduce(struct reduction *reduction, const struct type_index *kernel,
		  const struct btf *object)
{
	__u32 count = btf__type_cnt(kernel->btf);

	reduction->small = btf__new_empty();
	reduction->small_ids = calloc(count, sizeof(*reduction->small_ids));
	reduction->wanted = calloc(count, sizeof(*reduction->wanted));
	if (!reduction->small || !reduction->small_ids || !reduction->wanted)
		return -ENOMEM;
	want_named(reduction, kernel, object);
	return copy_wanted(reduction);
}

struct btf *core_types_reduce(const struct type_index *kernel, const struct btf *object)
{
	struct reduction reduction = { .kernel = kernel->btf };
	int err = reduce(&reduction, kernel, object);

	free(reduction.small_ids);
	free(reduction.wanted);
	if (!err)
		return reduction.small;
	btf__free(reduction.small);
	errno = -err;
	return NULL;
}

/* Makes the file without a name, if there is a /proc to open it by. */
static void file_make(struct core_types *types)
{
	types->fd = memfd_create("crypto-tracer-types", MFD_CLOEXEC);
	if (types->fd > 0)
		snprintf(types->path, sizeof(types->path), "/proc/self/fd/%d", types->fd);
	if (types->fd > 0 && access(types->path, R_OK) < 0)
		types->path[0] = '\0';
}

int core_types_open(struct core_types *types)
{
	int err;

	if (types->kernel)
		return 0;
	types->kernel = btf__load_vmlinux_btf();
	if (!types->kernel)
		return -errno;
	err = type_index_open(&types->index, types->kernel);
	if (err)
		core_types_close(types);
	else
		file_make(types);
	return err;
}

const char *core_types_path(const struct core_types *types)
{
	return types->path[0] ? types->path : NULL;
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
	small = core_types_reduce(&types->index, object);
	if (!small)
		return -errno;
	bytes = btf__raw_data(small, &size);
	err = bytes ? replace(types->fd, bytes, size) : -ENOMEM;
	btf__free(small);
	return err;
}

void core_types_close(struct core_types *types)
{
	type_index_close(&types->index);
	btf__free(types->kernel);
	if (types->fd > 0)
		close(types->fd);
	*types = (struct core_types){ 0 };
}
