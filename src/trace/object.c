/* SPDX-License-Identifier: MIT */
#include "trace/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/array.h"
#include "sources/source.h"
#include "trace/libbpf_log.h"

/*
 * What a section of programs is attached to, by the id that its type has in the kernel. libbpf
 * finds that too, but reads all of the kernel's types for each object that has such a program: 5
 * to 15 ms each time.
 */
static const struct {
	const char *section;
	enum bpf_attach_type attach;
	const char *prefix; /* of the type's name, before what follows in the section's */
	bool is_function;   /* else a typedef */
} targets[] = {
	/* Linux kernel/bpf/verifier.c, bpf_check_attach_target() */
	{ "tp_btf+", BPF_TRACE_RAW_TP, "btf_trace_", false },
	/* include/linux/bpf.h, DEFINE_BPF_ITER_FUNC() */
	{ "iter+", BPF_TRACE_ITER, "bpf_iter_", true },
	{ "fexit+", BPF_TRACE_FEXIT, "", true },
};

/* libbpf has one list of such sections for the whole program, hence this one piece of state. */
static const struct core_types *loading;

static int find_typedef(const char *text)
{
	struct type_name name = { text, strlen(text) };
	__u32 id = 0;

	while ((id = type_index_find(&loading->index, name, id)))
		if (btf_is_typedef(btf__type_by_id(loading->kernel, id)))
			return (int)id;
	return -ENOENT;
}

static int find_target(const char *section, long which)
{
	const char *slash = strchr(section, '/');
	char name[128];

	snprintf(name, sizeof(name), "%s%s", targets[which].prefix, slash ? slash + 1 : "");
	return targets[which].is_function
		       ? btf__find_by_name_kind(loading->kernel, name, BTF_KIND_FUNC)
		       : find_typedef(name);
}

static int set_target(struct bpf_program *program, struct bpf_prog_load_opts *options, long which)
{
	int id = find_target(bpf_program__section_name(program), which);

	if (id < 0)
		return id;
	options->attach_btf_id = (__u32)id;
	return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

/* Until it is loaded a program has a type for which libbpf does not read the kernel's types. */
static int targets_register(void)
{
	static bool is_done;

	for (size_t i = 0; !is_done && i < ARRAY_SIZE(targets); i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)i,
			    .prog_prepare_load_fn = set_target);
		int id = libbpf_register_prog_handler(targets[i].section,
						      BPF_PROG_TYPE_RAW_TRACEPOINT,
						      targets[i].attach, &options);

		if (id < 0)
			return id;
	}
	is_done = true;
	return 0;
}

static int load(struct core_types *types, struct bpf_object *object)
{
	int err = core_types_fill(types, bpf_object__btf(object));

	loading = types;
	if (!err)
		err = libbpf_log_error(bpf_object__load(object));
	loading = NULL;
	return err;
}

int object_load(struct core_types *types, const struct object_file *file,
		int (*adjust)(void *ctx, struct bpf_object *object), void *ctx,
		struct bpf_object **ret)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = file->name);
	struct bpf_object *object;
	int err = core_types_open(types);

	if (!err)
		err = targets_register();
	if (err)
		return err;
	options.btf_custom_path = core_types_path(types);
	object = bpf_object__open_mem(file->begin, object_size(file->begin, file->end), &options);
	if (!object)
		return -errno;
	err = adjust ? adjust(ctx, object) : 0;
	if (!err)
		err = load(types, object);
	if (err)
		bpf_object__close(object);
	else
		*ret = object;
	return err;
}
