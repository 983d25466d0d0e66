/* SPDX-License-Identifier: MIT */
#include "trace/uprobes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/scarce.h"
#include "lib/cleanup.h"
#include "sources/source.h"
#include "trace/uprobe_link.h"

EMBED_OBJECT(api_user);
EMBED_OBJECT(api_user_awake);

/* How the programs are loaded: the first that the kernel takes. */
struct variant {
	bool is_multi;
	bool can_sleep; /* and so read what is not in memory yet; since Linux 6.0 */
};

static const struct variant variants[] = {
	{ .is_multi = true, .can_sleep = true },
	{ .is_multi = false, .can_sleep = true },
	{ .is_multi = false, .can_sleep = false },
};

static int adjust(void *ctx, struct bpf_object *object)
{
	const struct variant *variant = ctx;
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (variant->is_multi)
			bpf_program__set_expected_attach_type(program,
							      (enum bpf_attach_type)UPROBE_MULTI);
		if (variant->can_sleep)
			bpf_program__set_flags(program, BPF_F_SLEEPABLE);
	}
	return 0;
}

static void *map_array(const struct uprobes *uprobes, const char *name, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(uprobes->object, name);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/*
 * Whether the kernel has links for many probes: 1, 0, or a negative errno. Asked with a program
 * that does nothing, as ours fail to load for other reasons too, such as memory, which libbpf tells
 * by any error.
 */
static int has_multi(void)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = (enum bpf_attach_type)UPROBE_MULTI);
	_cleanup_(cleanup_fd) int program =
		bpf_prog_load(BPF_PROG_TYPE_KPROBE, "has_multi", "Dual MIT/GPL", nothing,
			      ARRAY_SIZE(nothing), &options);
	const uint64_t offset = 0;
	const struct uprobe_batch batch = {
		.program = program,
		.path = "/",
		.offsets = &offset,
		.nr = 1,
	};
	int err = program < 0 ? program : uprobe_link_multi(&batch);

	/* A directory cannot be probed: -EBADF says that all but the file was understood. */
	if (err == -EBADF)
		return 1;
	return is_scarce(err) ? err : 0;
}

static int load_variant(struct uprobes *uprobes, struct session *session,
			const struct variant *variant)
{
	static const struct object_file sleeping = { "api_user", api_user_object,
						     api_user_object_end };
	static const struct object_file awake = { "api_user_awake", api_user_awake_object,
						  api_user_awake_object_end };
	int err = session_load(session, variant->can_sleep ? &sleeping : &awake, adjust,
			       (void *)variant, &uprobes->object);

	if (err)
		return err;
	uprobes->is_multi = variant->is_multi;
	uprobes->enter =
		bpf_program__fd(bpf_object__find_program_by_name(uprobes->object, "api_enter"));
	uprobes->leave =
		bpf_program__fd(bpf_object__find_program_by_name(uprobes->object, "api_return"));
	return 0;
}

int uprobes_load(struct uprobes *uprobes, struct session *session)
{
	int multi = has_multi();
	int err = multi < 0 ? multi : -EOPNOTSUPP;

	*uprobes = (struct uprobes){ .enter = -1, .leave = -1, .perf_type = uprobe_perf_type() };
	/* Where memory is short, probes one by one would take more of it, and minutes to end. */
	for (size_t i = 0; err && err != -EPERM && !is_scarce(err) && i < ARRAY_SIZE(variants); i++)
		if (variants[i].is_multi == multi)
			err = load_variant(uprobes, session, &variants[i]);
	if (err)
		return err;
	uprobes->slots = map_array(uprobes, "api_slots", API_SLOTS_MAX * sizeof(struct api_slot));
	uprobes->sites = map_array(uprobes, "api_sites", API_SITES_MAX * sizeof(struct api_site));
	uprobes->counts =
		map_array(uprobes, "api_counts", API_COUNTS_MAX * sizeof(struct api_count));
	uprobes->shared = map_array(uprobes, "api_shared", sizeof(struct api_shared));
	return uprobes->slots && uprobes->sites && uprobes->counts && uprobes->shared ? 0 : -ENOMEM;
}

void uprobes_offer(struct uprobes *uprobes, struct broker_config *config)
{
	config->probe = uprobes_attach;
	config->unprobe = uprobes_detach;
	config->probe_ctx = uprobes;
	config->probes_one_by_one = !uprobes->is_multi;
}

static void close_links(const int *links, size_t nr_links)
{
	for (size_t i = 0; i < nr_links; i++)
		close(links[i]);
}

/* One link for NR probes from the I-th on. Returns it or a negative errno. */
static int link_many(const struct uprobe_batch *batch, uint32_t i, uint32_t nr)
{
	struct uprobe_batch part = *batch;

	part.offsets += i;
	part.cookies += i;
	part.nr = nr;
	return uprobe_link_multi(&part);
}

/*
 * Links all probes of BATCH. An instruction that cannot be probed makes the kernel refuse all of
 * them: then ever smaller pieces tell which it is. Returns how many could not be linked.
 */
static __u32 attach_batch(const struct uprobe_batch *batch, struct uprobe_set *set)
{
	__u32 nr_failed = 0;
	__u32 step = batch->nr;

	for (__u32 i = 0; i < batch->nr;) {
		__u32 nr = step < batch->nr - i ? step : batch->nr - i;
		int fd = link_many(batch, i, nr);

		if (fd < 0 && nr > 1) {
			step = nr / 2;
			continue;
		}
		if (fd >= 0)
			set->links[set->nr_links++] = fd;
		else
			nr_failed++;
		i += nr;
		step = batch->nr;
	}
	return nr_failed;
}

static int attach_many(const struct uprobes *uprobes, const char *path,
		       const struct broker_probe *probes, size_t nr_probes, struct uprobe_set *set,
		       uint32_t *ret_failed)
{
	_cleanup_(cleanup_free) uint64_t *words = malloc(2 * nr_probes * sizeof(*words));

	if (!words)
		return -ENOMEM;
	/* Those at returns first: what is entered from then on is seen to return. */
	for (int is_return = 1; is_return >= 0; is_return--) {
		struct uprobe_batch batch = {
			.program = is_return ? uprobes->leave : uprobes->enter,
			.is_return = is_return,
			.path = path,
			.offsets = words,
			.cookies = words + nr_probes,
		};

		for (size_t i = 0; i < nr_probes; i++) {
			if (probes[i].is_return != (uint32_t)is_return)
				continue;
			words[batch.nr] = probes[i].offset;
			words[nr_probes + batch.nr++] = probes[i].cookie;
		}
		*ret_failed += attach_batch(&batch, set);
	}
	return 0;
}

static int link_one(const struct uprobes *uprobes, const char *path,
		    const struct broker_probe *probe)
{
	const uint64_t offset = probe->offset, cookie = probe->cookie;
	const struct uprobe_batch batch = {
		.program = probe->is_return ? uprobes->leave : uprobes->enter,
		.is_return = probe->is_return,
		.path = path,
		.offsets = &offset,
		.cookies = &cookie,
		.nr = 1,
	};

	return uprobe_link_single(&batch, 0, uprobes->perf_type);
}

static int attach_each(const struct uprobes *uprobes, const char *path,
		       const struct broker_probe *probes, size_t nr_probes, struct uprobe_set *set,
		       uint32_t *ret_failed)
{
	if (uprobes->perf_type < 0)
		return uprobes->perf_type;
	for (size_t i = 0; i < nr_probes; i++) {
		int fd = link_one(uprobes, path, &probes[i]);

		if (fd >= 0)
			set->links[set->nr_links++] = fd;
		else
			++*ret_failed;
	}
	return 0;
}

/* The least number that no set has; UPROBES_SETS_MAX: there is none. */
static size_t free_number(const struct uprobes *uprobes)
{
	size_t i = 0;

	while (i < uprobes->nr_sets && uprobes->sets[i].links)
		i++;
	return i;
}

int uprobes_attach(void *ctx, int fd, const struct broker_probe *probes, size_t nr_probes,
		   uint32_t *ret_failed)
{
	struct uprobes *uprobes = ctx;
	size_t number = free_number(uprobes);
	struct uprobe_set *set = &uprobes->sets[number];
	uint32_t nr_failed = 0;
	char path[32];
	int err;

	if (!uprobes->object)
		return -EOPNOTSUPP;
	if (number == UPROBES_SETS_MAX)
		return -ENOSPC;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*set = (struct uprobe_set){ .links = calloc(nr_probes + 1, sizeof(*set->links)) };
	err = !set->links	  ? -ENOMEM
	      : uprobes->is_multi ? attach_many(uprobes, path, probes, nr_probes, set, &nr_failed)
				  : attach_each(uprobes, path, probes, nr_probes, set, &nr_failed);
	if (!err && !set->nr_links)
		err = -EINVAL;
	if (err) {
		close_links(set->links, set->nr_links);
		free(set->links);
		*set = (struct uprobe_set){ 0 };
		return err;
	}
	*ret_failed = nr_failed;
	if (number == uprobes->nr_sets)
		uprobes->nr_sets++;
	return (int)number;
}

int uprobes_detach(void *ctx, uint32_t number)
{
	struct uprobes *uprobes = ctx;
	struct uprobe_set *set;

	if (number >= uprobes->nr_sets || !uprobes->sets[number].links)
		return -ENOENT;
	set = &uprobes->sets[number];
	close_links(set->links, set->nr_links);
	free(set->links);
	*set = (struct uprobe_set){ 0 };
	return 0;
}

void uprobes_close(struct uprobes *uprobes)
{
	if (uprobes->slots)
		munmap(uprobes->slots, API_SLOTS_MAX * sizeof(struct api_slot));
	if (uprobes->sites)
		munmap(uprobes->sites, API_SITES_MAX * sizeof(struct api_site));
	if (uprobes->counts)
		munmap(uprobes->counts, API_COUNTS_MAX * sizeof(struct api_count));
	if (uprobes->shared)
		munmap(uprobes->shared, sizeof(struct api_shared));
	for (uint32_t i = 0; i < uprobes->nr_sets; i++)
		uprobes_detach(uprobes, i);
	bpf_object__close(uprobes->object);
	*uprobes = (struct uprobes){ .enter = -1, .leave = -1 };
}
