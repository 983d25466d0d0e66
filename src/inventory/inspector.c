/* SPDX-License-Identifier: MIT */
#include "inventory/inspector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/examine.h"
#include "lib/cleanup.h"
#include "lib/scarce.h"

#define NS_PER_SECOND 1000000000ULL
#define NR_SETS	      64U
#define NR_WAYS	      (INSPECTOR_FILES_MAX / NR_SETS)

/* One file that was looked into. A key of zeros: free. */
struct entry {
	uint64_t inode;
	uint64_t dev;
	uint64_t ctime_ns;
	uint64_t used;	   /* the larger, the later */
	uint64_t start_ns; /* of the process that opened it last */
	uint32_t pid;
	struct content *content;
};

struct inspector {
	struct broker *broker;
	struct inspector_counts counts;
	uint64_t clock;
	uint64_t second;
	uint32_t nr_this_second;
	struct entry entries[NR_SETS][NR_WAYS];
};

int inspector_new(struct inspector **ret, struct broker *broker)
{
	struct inspector *inspector = calloc(1, sizeof(*inspector));

	if (!inspector)
		return -ENOMEM;
	inspector->broker = broker;
	*ret = inspector;
	return 0;
}

void inspector_free(struct inspector *inspector)
{
	if (!inspector)
		return;
	for (size_t i = 0; i < NR_SETS; i++)
		for (size_t j = 0; j < NR_WAYS; j++)
			content_free(inspector->entries[i][j].content);
	free(inspector);
}

const struct inspector_counts *inspector_counts(const struct inspector *inspector)
{
	return &inspector->counts;
}

/* Whether one more may be looked into in this second. */
static bool may_look(struct inspector *inspector, uint64_t now_ns)
{
	if (now_ns / NS_PER_SECOND != inspector->second) {
		inspector->second = now_ns / NS_PER_SECOND;
		inspector->nr_this_second = 0;
	}
	return inspector->nr_this_second++ < INSPECTOR_PER_SECOND;
}

static struct content *open_and_look(struct inspector *inspector, const struct inspector_file *file,
				     uint64_t now_ns)
{
	struct broker_file wanted = {
		.kind = BROKER_FILE_PATH,
		.pid = file->pid,
		.ppid = file->ppid,
		.start_ns = file->start_ns,
		.inode = file->inode,
		.ctime_ns = file->ctime_ns,
	};
	struct content *content = NULL;
	struct content_stat stat;

	memcpy(wanted.path, file->path, file->path_size);

	_cleanup_(cleanup_fd) int fd = broker_open(inspector->broker, &wanted);
	int err = fd < 0 ? fd : examine_content(fd, wanted.path, now_ns, &stat, &content);

	if (is_scarce(err))
		inspector->counts.nr_short++;
	else if (err)
		inspector->counts.nr_failed++;
	else
		inspector->counts.nr_examined++;
	return content;
}

const struct content *inspector_look(struct inspector *inspector, const struct inspector_file *file,
				     uint64_t now_ns, bool *ret_is_news)
{
	uint64_t dev = (uint64_t)file->dev_major << 32 | file->dev_minor;
	struct entry *set = inspector->entries[(file->inode ^ dev) % NR_SETS];
	struct entry *oldest = &set[0];
	struct content *content;

	if (!file->inode || !file->ctime_ns || file->path_size >= BROKER_PATH_MAX) {
		inspector->counts.nr_unknown++;
		return NULL;
	}
	for (size_t i = 0; i < NR_WAYS; i++) {
		if (set[i].inode == file->inode && set[i].dev == dev &&
		    set[i].ctime_ns == file->ctime_ns) {
			set[i].used = ++inspector->clock;
			*ret_is_news = set[i].pid != file->pid || set[i].start_ns != file->start_ns;
			set[i].pid = file->pid;
			set[i].start_ns = file->start_ns;
			return set[i].content;
		}
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	if (!may_look(inspector, now_ns)) {
		inspector->counts.nr_throttled++;
		return NULL;
	}
	content = open_and_look(inspector, file, now_ns);
	if (!content)
		return NULL;
	content_free(oldest->content);
	*oldest = (struct entry){
		.inode = file->inode,
		.dev = dev,
		.ctime_ns = file->ctime_ns,
		.used = ++inspector->clock,
		.start_ns = file->start_ns,
		.pid = file->pid,
		.content = content,
	};
	*ret_is_news = true;
	return content;
}
