/* SPDX-License-Identifier: MIT */
#include "trace/probes.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "catalogue/libraries.h"
#include "lib/cleanup.h"
#include "lib/window.h"
#include "trace/plan.h"

/* Bytes read of a file: symbols and the code of some hundred functions. */
#define READ_BUDGET (64ULL << 20)
#define NR_BUCKETS  1024 /* a power of two */
#define LAPSES_MAX  64

/* The probe of a slot. */
struct probe {
	const struct api_function *function;
	uint64_t offset;
	uint64_t entry;
	uint64_t cookie; /* with its slot, without the generation */
	uint32_t file;
	bool has_return;
};

struct probes {
	struct uprobes *uprobes;
	struct broker *broker;
	enum api_group group;
	struct probed_file *files; /* PROBED_FILES_MAX, the first is unused */
	uint32_t nr_files;
	uint32_t buckets[NR_BUCKETS];
	struct probe *slots; /* API_SLOTS_MAX */
	uint32_t nr_slots;
	uint32_t nr_sites;
	struct probe_counts counts;
	struct probe_lapse lapses[LAPSES_MAX];
	/* Too much for the stack. */
	struct planned planned[PLAN_MAX];
	struct broker_probe asked[2 * PLAN_MAX];
};

int probes_new(struct probes **ret, struct uprobes *uprobes, struct broker *broker,
	       enum api_group group)
{
	struct probes *probes = calloc(1, sizeof(*probes));

	if (!probes)
		return -ENOMEM;
	/* Memory that is never touched is never taken. */
	probes->files = calloc(PROBED_FILES_MAX, sizeof(*probes->files));
	probes->slots = calloc(API_SLOTS_MAX, sizeof(*probes->slots));
	if (!probes->files || !probes->slots) {
		probes_free(probes);
		return -ENOMEM;
	}
	probes->uprobes = uprobes;
	probes->broker = broker;
	probes->group = group;
	probes->nr_files = 1;
	*ret = probes;
	return 0;
}

void probes_free(struct probes *probes)
{
	if (!probes)
		return;
	for (uint32_t i = 1; i < probes->nr_files; i++) {
		free((char *)probes->files[i].path);
		free(probes->files[i].file);
	}
	free(probes->files);
	free(probes->slots);
	free(probes);
}

static uint32_t bucket_of(uint64_t inode)
{
	return (uint32_t)(inode * 0x9e3779b97f4a7c15ULL >> 40) & (NR_BUCKETS - 1);
}

/* The index of the file, 0 when it is not known. */
static uint32_t find(const struct probes *probes, uint32_t dev_major, uint32_t dev_minor,
		     uint64_t inode)
{
	uint32_t i = probes->buckets[bucket_of(inode)];

	for (; i; i = probes->files[i].next) {
		const struct probed_file *file = &probes->files[i];

		if (file->inode == inode && file->dev_major == dev_major &&
		    file->dev_minor == dev_minor)
			break;
	}
	return i;
}

const struct probed_file *probes_find(const struct probes *probes, uint32_t dev_major,
				      uint32_t dev_minor, uint64_t inode, uint64_t ctime_ns)
{
	uint32_t i = find(probes, dev_major, dev_minor, inode);
	const struct probed_file *file = &probes->files[i];

	if (!i)
		return NULL;
	/* Probes keep their inode in the kernel: its number is not used again. */
	return file->nr_slots || file->ctime_ns == ctime_ns ? file : NULL;
}

/*
 * The file with probes that FILE shows. Each mount of overlayfs has a device number of its own, and
 * the inode numbers and times of the files in its layers, where the probes are: containers of one
 * image share these files.
 */
static const struct probed_file *find_twin(const struct probes *probes,
					   const struct probed_file *file)
{
	uint32_t i = probes->buckets[bucket_of(file->inode)];

	for (; i; i = probes->files[i].next) {
		const struct probed_file *other = &probes->files[i];

		if (other != file && other->nr_slots && other->inode == file->inode &&
		    other->size == file->size && other->ctime_ns == file->ctime_ns &&
		    (other->is_overlay || file->is_overlay))
			return other;
	}
	return NULL;
}

/* Enters the file of ST, called PATH. Returns its index, or 0 when there is no room. */
static uint32_t file_enter(struct probes *probes, const struct stat *st, const char *path,
			   size_t size)
{
	uint32_t *bucket;
	struct probed_file *file;
	char *copy = strndup(path, size);
	uint32_t old = find(probes, major(st->st_dev), minor(st->st_dev), st->st_ino);

	if (copy && old) {
		free((char *)probes->files[old].path);
		probes->files[old].path = copy;
		return old;
	}

	if (!copy || probes->nr_files == PROBED_FILES_MAX) {
		free(copy);
		probes->counts.refused++;
		return 0;
	}
	file = &probes->files[probes->nr_files];
	*file = (struct probed_file){
		.inode = st->st_ino,
		.dev_major = major(st->st_dev),
		.dev_minor = minor(st->st_dev),
		.path = copy,
		.set = -1,
	};
	bucket = &probes->buckets[bucket_of(file->inode)];
	file->next = *bucket;
	*bucket = probes->nr_files;
	return probes->nr_files++;
}

/* The static probes among the first NR of probes->planned. */
static size_t count_sites(const struct probes *probes, size_t nr)
{
	size_t nr_sites = 0;

	for (size_t i = 0; i < nr; i++)
		nr_sites += (probes->planned[i].cookie & API_COOKIE_SITE) != 0;
	return nr_sites;
}

/* Gives the first NR of probes->planned slots. Returns 0 or a negative errno. */
static int slots_take(struct probes *probes, uint32_t number, size_t nr)
{
	uint32_t first = probes->nr_slots;

	if (nr > API_SLOTS_MAX - first ||
	    count_sites(probes, nr) > API_SITES_MAX - probes->nr_sites)
		return -ENOSPC;
	for (size_t i = 0; i < nr; i++) {
		const struct planned *planned = &probes->planned[i];

		probes->slots[probes->nr_slots] = (struct probe){
			.function = planned->function,
			.offset = planned->offset,
			.entry = planned->entry,
			.cookie = planned->cookie | probes->nr_slots,
			.has_return = planned->has_return,
			.file = number,
		};
		if (planned->cookie & API_COOKIE_SITE) {
			probes->uprobes->sites[probes->nr_sites] = planned->site;
			probes->slots[probes->nr_slots].cookie |= (uint64_t)probes->nr_sites++
								  << API_COOKIE_ARGUMENTS;
		}
		probes->uprobes->slots[probes->nr_slots] =
			(struct api_slot){ .limit = planned->limit,
					   .only = planned->function->only,
					   .also = planned->also,
					   .stack = (uint16_t)planned->stack,
					   .before = planned->before,
					   .behind = planned->behind };
		probes->nr_slots++;
	}
	probes->files[number].first_slot = first;
	probes->files[number].nr_slots = (uint32_t)nr;
	return 0;
}

/* Has the probes of FILE attached that are within their limit. Returns the set or a negative errno.
 */
static int attach(struct probes *probes, const struct probed_file *file, uint32_t *ret_failed)
{
	uint64_t generation = (uint64_t)file->generation << API_COOKIE_GENERATION;
	size_t nr = 0;

	for (uint32_t i = file->first_slot; i < file->first_slot + file->nr_slots; i++) {
		const struct probe *probe = &probes->slots[i];
		uint64_t cookie = probe->cookie | generation;

		if (probes->uprobes->slots[i].is_off)
			continue;
		/* First: what is entered from then on is seen to return. */
		if (probe->has_return)
			probes->asked[nr++] = (struct broker_probe){
				.offset = probe->entry,
				.cookie = cookie,
				.is_return = true,
			};
		probes->asked[nr++] =
			(struct broker_probe){ .offset = probe->offset, .cookie = cookie };
	}
	return nr ? broker_probe(probes->broker, file->file, probes->asked, nr, ret_failed)
		  : -ENOENT;
}

/* Plans for the file behind FD. Returns how many probes, or a negative errno. */
static int plan(struct probes *probes, int fd, const struct stat *st, enum library_family *family)
{
	struct window window;
	struct elf elf;
	size_t nr_refused = 0;
	int nr = window_open(&window, fd, (uint64_t)st->st_size, READ_BUDGET);

	if (nr)
		return nr;
	nr = elf_open(&elf, &window);
	if (!nr)
		nr = plan_make(&elf, family, probes->group, probes->planned, &nr_refused);
	probes->counts.sites_refused += nr_refused;
	window_close(&window);
	/* Not a file for the dynamic linker: a script, or something that is only called so. */
	return nr == -ENOEXEC ? 0 : nr;
}

/* Looks into file NUMBER, behind FD. Returns 0 or a negative errno. */
static int examine(struct probes *probes, uint32_t number, int fd, const struct stat *st,
		   const struct broker_file *how)
{
	struct probed_file *file = &probes->files[number];
	enum library_family family = file->family;
	int nr = plan(probes, fd, st, &family);
	uint32_t nr_failed = 0;
	int err;

	file->family = family;
	if (nr <= 0)
		return nr;
	err = slots_take(probes, number, (size_t)nr);
	if (err)
		return err;
	file->file = malloc(sizeof(*file->file));
	if (!file->file)
		return -ENOMEM;
	*file->file = *how;
	/* The very file that was looked into. */
	file->file->inode = file->inode;
	file->set = attach(probes, file, &nr_failed);
	if (file->set < 0)
		return file->set;
	probes->counts.single += nr_failed;
	probes->counts.files++;
	probes->counts.probes += (uint64_t)nr;
	probes->counts.sites += count_sites(probes, (size_t)nr);
	return 0;
}

const struct probed_file *probes_add(struct probes *probes, const struct broker_file *how,
				     const char *path, size_t size)
{
	_cleanup_(cleanup_fd) int fd = broker_open(probes->broker, how);
	const struct library_class *class;
	const struct probed_file *known;
	struct probed_file *file;
	uint64_t ctime_ns;
	uint32_t number;
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		/* What is not there needs no probes: a directory, a name in an old cache. */
		probes->counts.failed += fd != -ENOENT && fd != -ENOTDIR;
		return NULL;
	}
	ctime_ns = (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec;
	known = probes_find(probes, major(st.st_dev), minor(st.st_dev), st.st_ino, ctime_ns);
	if (known)
		return known;
	number = file_enter(probes, &st, path, size);
	if (!number)
		return NULL;
	file = &probes->files[number];
	file->size = (uint64_t)st.st_size;
	file->ctime_ns = ctime_ns;
	file->is_overlay = fstatfs(fd, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC;
	known = find_twin(probes, file);
	if (known) {
		file->family = known->family;
		return known;
	}
	class = how->kind == BROKER_FILE_EXE || how->kind == BROKER_FILE_COMMAND
			? NULL
			: library_classify(path, size);
	file->family = class ? class->family : LIBRARY_FAMILY_none;
	file->err = examine(probes, number, fd, &st, how);
	if (file->err)
		file->set = -1;
	if (file->err == -EOPNOTSUPP)
		probes->counts.foreign++;
	else if (file->err)
		probes->counts.failed++;
	return file;
}

bool probes_at(const struct probes *probes, uint32_t slot, const struct api_function **ret_function,
	       const struct probed_file **ret_file)
{
	if (slot >= probes->nr_slots)
		return false;
	*ret_function = probes->slots[slot].function;
	*ret_file = &probes->files[probes->slots[slot].file];
	return true;
}

/*
 * Attaches anew without the probes that are off, then lets go of the old set. In between both are
 * there: the generation in their cookies, changed last, tells which one counts.
 */
static void file_police(struct probes *probes, struct probed_file *file)
{
	int old = file->set;
	uint32_t nr_failed;
	int set;

	file->generation++;
	set = attach(probes, file, &nr_failed);
	if (set < 0 && set != -ENOENT) {
		/* The programs themselves return at once for those that are off. */
		file->generation--;
		return;
	}
	file->set = set < 0 ? -1 : set;
	for (uint32_t i = file->first_slot; i < file->first_slot + file->nr_slots; i++)
		__atomic_store_n(&probes->uprobes->slots[i].generation, file->generation,
				 __ATOMIC_SEQ_CST);
	broker_unprobe(probes->broker, (uint32_t)old);
}

/* Notes the probes of FILE that were called too often since the last time. Returns whether any. */
static bool file_lapses(struct probes *probes, const struct probed_file *file)
{
	bool has_lapsed = false;

	for (uint32_t i = file->first_slot; i < file->first_slot + file->nr_slots; i++) {
		struct api_slot *slot = &probes->uprobes->slots[i];

		if (!slot->is_off || slot->is_known)
			continue;
		slot->is_known = true;
		has_lapsed = true;
		if (probes->counts.lapsed < LAPSES_MAX)
			probes->lapses[probes->counts.lapsed] =
				(struct probe_lapse){ probes->slots[i].function, file };
		probes->counts.lapsed++;
	}
	return has_lapsed;
}

void probes_police(struct probes *probes)
{
	for (uint32_t i = 1; i < probes->nr_files; i++)
		if (probes->files[i].set >= 0 && file_lapses(probes, &probes->files[i]))
			file_police(probes, &probes->files[i]);
}

const struct probe_lapse *probes_lapse(const struct probes *probes, size_t i)
{
	return i < probes->counts.lapsed && i < LAPSES_MAX ? &probes->lapses[i] : NULL;
}

void probes_count_unlooked(struct probes *probes)
{
	probes->counts.unlooked++;
}

const struct probe_counts *probes_counts(const struct probes *probes)
{
	return &probes->counts;
}
