/* SPDX-License-Identifier: MIT */
/* The records that need most of /proc: a program was executed, a file was opened. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/path.h"
#include "proc/container.h"
#include "sources/file_open/file_open.h"
#include "sources/process_exec/process_exec.h"
#include "trace/reduced_private.h"

#define NS_PER_SECOND 1000000000ULL

void life_keep_args(struct life *life, const struct raw *raw)
{
	struct life_args *slot = &life->pending[0];

	/* The one of this thread, whose last exec has failed, or the oldest. */
	for (size_t i = 0; i < LIFE_PENDING_MAX; i++) {
		struct life_args *args = &life->pending[i];

		if (args->ts_ns && args->tid == raw->head.tid) {
			slot = args;
			break;
		}
		if (args->ts_ns < slot->ts_ns)
			slot = args;
	}
	if (raw->text_size > sizeof(slot->bytes))
		return;
	slot->ts_ns = raw->head.ts_ns;
	slot->tid = raw->head.tid;
	slot->flags = raw->args.flags;
	slot->size = raw->text_size;
	memcpy(slot->bytes, raw->text, raw->text_size);
}

/* The arguments that thread TID gave to execve(2), or NULL: they were lost. */
static struct life_args *take_args(struct life *life, uint32_t tid)
{
	for (size_t i = 0; i < LIFE_PENDING_MAX; i++) {
		if (!life->pending[i].ts_ns || life->pending[i].tid != tid)
			continue;
		/* The next may have its place; until then it can be read. */
		life->pending[i].ts_ns = 0;
		return &life->pending[i];
	}
	return NULL;
}

/* Whether PID is, still, called COMM: it has not executed another program in the meantime. */
static bool is_called(struct life *life, uint32_t pid, const char *comm)
{
	ssize_t n = life_text(life, pid, BROKER_TEXT_stat);
	size_t size = 0;
	const char *name = n > 0 ? stat_name(life->text, (size_t)n, &size) : NULL;

	return name && size == strnlen(comm, COMM_SIZE) && memcmp(name, comm, size) == 0;
}

/*
 * Looks at descriptor FD of the process of RAW, or its working directory, LIFE_LOOK_CWD, in
 * life->cwd. Returns false when that cannot be, or it may have been another one at RAW.
 */
static bool look_dir(struct life *life, const struct raw *raw, int fd)
{
	const struct life_ask *ask = &life->ask;

	if (life_look(life, raw->head.tgid, fd, &life->cwd))
		return false;
	/* Asked last: of what has changed until then there is a record. */
	return !ask->moved ||
	       !ask->moved(ask->moved_ctx, raw->head.tgid, raw->head.ts_ns, fd != LIFE_LOOK_CWD);
}

/* Reads /proc/PID/cmdline to life->argv. Returns its size, or a negative errno. */
static ssize_t read_argv(struct life *life, uint32_t pid)
{
	return life->ask.text ? life->ask.text(life->ask.ctx, pid, BROKER_TEXT_cmdline, life->argv,
					       sizeof(life->argv))
			      : -ENOENT;
}

/* Executed without any argument, it has an empty one since Linux 5.18 (fs/exec.c,
 * do_execveat_common()). */
static bool is_empty(const char *argv, size_t size)
{
	return size == 0 || (size == 1 && argv[0] == '\0');
}

/* Whether the SIZE bytes of /proc are ARGS as the interpreter of script NAME has got them. */
static bool is_interpreted(const char *argv, size_t size, const struct life_args *args,
			   const struct raw *raw)
{
	const char *first_end = memchr(args->bytes, '\0', args->size);
	size_t skip = first_end ? (size_t)(first_end + 1 - args->bytes) : args->size;
	size_t rest = args->size - skip;
	size_t name = raw->text_size + 1;

	/* "interpreter [option] NAME", then the arguments but the first. */
	return name > 1 && size > rest + name && argv[size - rest - name - 1] == '\0' &&
	       memcmp(argv + size - rest - name, raw->text, name) == 0 &&
	       memcmp(argv + size - rest, args->bytes + skip, rest) == 0;
}

/* Whether the SIZE bytes of /proc are what ARGS became. */
static bool is_of(const char *argv, size_t size, const struct life_args *args,
		  const struct raw *raw)
{
	if (args->size == 0 && is_empty(argv, size))
		return true;
	return (size == args->size && memcmp(argv, args->bytes, size) == 0) ||
	       is_interpreted(argv, size, args, raw);
}

/* The path without the mark of a file that has no name any more. */
static size_t link_size(const struct broker_link *link)
{
	size_t size = strlen(link->path);
	size_t mark = sizeof(" (deleted)") - 1;

	return link->is_deleted && size > mark ? size - mark : size;
}

/* Whether the program that life->link leads to has another name than RAW: a script's has. */
static bool has_other_name(const struct life *life, const struct raw *raw)
{
	size_t size = link_size(&life->link);
	const char *name = memrchr(raw->text, '/', raw->text_size);
	size_t name_size = raw->text_size;

	name = name ? name + 1 : raw->text;
	name_size -= (size_t)(name - raw->text);
	return size <= name_size || life->link.path[size - name_size - 1] != '/' ||
	       memcmp(life->link.path + size - name_size, name, name_size) != 0;
}

/* How ARGS (may be NULL: they were lost) may differ from those that the program has. */
static unsigned int asked_flags(const struct life *life, const struct raw *raw,
				const struct life_args *args, bool is_same)
{
	/* None or an empty one: which of them, only /proc could tell. */
	if (!args || (args->flags & RAW_ARGS_FAULT) || (!args->flags && !args->size))
		return EXEC_ARGV_FAULT;
	return args->flags || (is_same && has_other_name(life, raw)) ? EXEC_ARGV_CUT : 0;
}

/*
 * Which arguments are told: those of /proc where the image is still that one, as they are whole and
 * those of a script's interpreter; otherwise what was asked for, which no later image can spoil. Of
 * a script that is not whole: before it comes its interpreter's name, and maybe an option.
 */
static void append_argv(struct life *life, struct process_exec_event *event, const struct raw *raw,
			bool is_same)
{
	const struct life_args *args = take_args(life, raw->exec.old_tid);
	ssize_t n = is_same ? read_argv(life, raw->head.tgid) : -ENOENT;
	size_t size = n > 0 ? (size_t)n : 0;
	bool is_whole = args && !args->flags;

	/* One that has set its title, or executed the same program again, has others now. */
	if (n >= 0 && is_whole && !is_of(life->argv, size, args, raw))
		n = -ESTALE;
	if (n >= 0 && (size || is_whole)) {
		if (size > LIFE_ARGV_MAX - 1) {
			event->flags |= EXEC_ARGV_CUT;
			size = LIFE_ARGV_MAX - 1;
		}
		event->argv = life_append(life, life->argv, size);
		return;
	}
	event->flags |= asked_flags(life, raw, args, is_same);
	event->argv = life_append(life, args ? args->bytes : NULL, args ? args->size : 0);
}

/* Joins NAME, of SIZE bytes, to directory DIR in life->path. Returns the size, 0: too long. */
static size_t join(struct life *life, const char *dir, const char *name, size_t size)
{
	size_t dir_size = strlen(dir);

	if (dir_size + size + 1 > sizeof(life->path))
		return 0;
	memcpy(life->path, dir, dir_size);
	life->path[dir_size] = '/';
	memcpy(life->path + dir_size + 1, name, size);
	return path_collapse(life->path, dir_size + 1 + size);
}

/* The program as it was asked for: what /proc would have called it cannot be known any more. */
static void append_name(struct life *life, struct process_exec_event *event, const struct raw *raw)
{
	size_t size = raw->text_size;
	const char *path = raw->text;

	life->gaps.images++;
	event->flags |= EXEC_PATH_CUT;
	if (size && path[0] != '/' && life->cwd.path[0]) {
		size = join(life, life->cwd.path, path, size);
		path = life->path;
	}
	event->exe = life_append(life, path, size < LIFE_PATH_MAX ? size : LIFE_PATH_MAX - 1);
}

static struct tail append_group(struct life *life, uint32_t pid)
{
	ssize_t n = life_text(life, pid, BROKER_TEXT_cgroup);
	size_t size = 0;
	const char *name = n > 0 ? container_cgroup(life->text, (size_t)n, &size) : NULL;

	if (!name || size >= CGROUP_NAME_SIZE)
		size = 0;
	return life_append(life, name, size);
}

int life_send_exec(struct life *life, const struct raw *raw, struct process *process)
{
	struct process_exec_event *event = (void *)life->record;
	uint32_t pid = process->pid;
	bool is_same;

	life_begin(life, raw, process, SOURCE_process_exec, sizeof(*event));
	is_same = life_look(life, pid, LIFE_LOOK_EXE, &life->link) == 0;
	if (!look_dir(life, raw, LIFE_LOOK_CWD))
		life->cwd.path[0] = '\0';
	/* Last, so that what was read before is known to be of this program. */
	is_same = is_same && is_called(life, pid, process->comm);
	if (is_same)
		event->exe = life_append(life, life->link.path, link_size(&life->link));
	else
		append_name(life, event, raw);
	if (life->cwd.path[0])
		event->cwd = life_append(life, life->cwd.path, link_size(&life->cwd));
	else
		event->flags |= EXEC_PATH_CUT;
	append_argv(life, event, raw, is_same);
	event->cgroup = append_group(life, pid);
	return life_send(life);
}

/* Appends the directory that the relative name of RAW, an open, starts from. */
static void append_dir(struct life *life, struct file_open_event *event, const struct raw *raw)
{
	bool is_cwd = raw->open.dirfd == AT_FDCWD;

	/* Any number may be there, when the call has failed. */
	if ((!is_cwd && raw->open.dirfd < 0) ||
	    !look_dir(life, raw, is_cwd ? LIFE_LOOK_CWD : raw->open.dirfd) ||
	    life->cwd.path[0] != '/') {
		life->gaps.directories++;
		event->marks |= OPEN_DIR_CUT;
		return;
	}
	event->dir = life_append(life, life->cwd.path, link_size(&life->cwd));
}

/* Whether what /proc tells of the descriptor is the file of the name in life->path, SIZE long. */
static bool is_that_file(struct life *life, uint32_t pid, size_t size)
{
	struct stat st;

	if (link_size(&life->link) == size && memcmp(life->link.path, life->path, size) == 0)
		return true;
	/* By a symbolic link. */
	life->path[size] = '\0';
	return life->ask.find && life->ask.find(life->ask.ctx, pid, life->path, &st) == 0 &&
	       st.st_ino == life->link.inode && major(st.st_dev) == life->link.dev_major &&
	       minor(st.st_dev) == life->link.dev_minor;
}

/*
 * Which file was opened. The descriptor may be another's by now, so that it has to be the file that
 * has this name, too.
 */
static void tell_file(struct life *life, struct file_open_event *event, const struct raw *raw)
{
	const char *dir = event->dir.size ? life->cwd.path : "";
	size_t size;

	if (event->dir.size)
		life->cwd.path[event->dir.size] = '\0';
	size = event->marks & OPEN_DIR_CUT ? 0 : join(life, dir, raw->text, raw->text_size);
	if (!size || size >= BROKER_PATH_MAX ||
	    life_look(life, raw->head.tgid, (int)raw->open.result, &life->link) ||
	    life->link.path[0] != '/' || !is_that_file(life, raw->head.tgid, size)) {
		life->gaps.files++;
		return;
	}
	event->inode = life->link.inode;
	event->ctime_ns = life->link.ctime_ns;
	event->dev_major = life->link.dev_major;
	event->dev_minor = life->link.dev_minor;
	if (life->config.resolve)
		event->real = life_append(life, life->link.path, link_size(&life->link));
}

int life_send_open(struct life *life, const struct raw *raw, struct process *process)
{
	struct file_open_event *event = (void *)life->record;

	life_begin(life, raw, process, SOURCE_file_open, sizeof(*event));
	event->flags = raw->open.flags;
	event->result = raw->open.result < 0 ? (int32_t)raw->open.result : 0;
	if (raw->text_size == RAW_NAME_MAX - 1 && event->result == -ENAMETOOLONG)
		event->marks |= OPEN_NAME_CUT;
	event->name = life_append(life, raw->text, raw->text_size);
	if (raw->text[0] != '/')
		append_dir(life, event, raw);
	if (raw->open.result >= 0)
		tell_file(life, event, raw);
	return life_send(life);
}
