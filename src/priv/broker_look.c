/* SPDX-License-Identifier: MIT */
#include "priv/broker_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/parse.h"

#define NS_PER_SECOND 1000000000ULL
#define LINK_SIZE     64

uint64_t broker_file_time(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * NS_PER_SECOND + (uint64_t)time->tv_nsec;
}

/*
 * Whether the file of the link in ANSWER, as stat(2) has it, has no name any more. The mark that
 * the kernel then puts behind the name may just as well be the end of one.
 */
static bool is_unlinked(struct broker_answer *answer, const struct stat *file)
{
	struct stat named;

	if (answer->size >= sizeof(answer->text) ||
	    !bytes_end(answer->text, answer->size, " (deleted)"))
		return false;
	answer->text[answer->size] = '\0';
	return lstat(answer->text, &named) < 0 || named.st_ino != file->st_ino ||
	       named.st_dev != file->st_dev;
}

/* Reads where the root of PID is to ROOT. Returns its size, or a negative errno. */
static ssize_t read_root(uint32_t pid, char root[static BROKER_PATH_MAX])
{
	char link[LINK_SIZE];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%u/root", pid);
	n = readlink(link, root, BROKER_PATH_MAX);
	return n < 0 ? -errno : n;
}

/* Takes ROOT, SIZE bytes, off the path in ANSWER, where it is another one than we have. */
static void cut_root(const char *root, size_t size, struct broker_answer *answer)
{
	if (size <= 1 || size > answer->size || memcmp(root, answer->text, size) != 0)
		return;
	if (size == answer->size) {
		answer->size = 1;
	} else if (answer->text[size] == '/') {
		answer->size -= (uint32_t)size;
		memmove(answer->text, answer->text + size, answer->size);
	}
}

static void name_link(const struct broker_file *file, char link[static LINK_SIZE])
{
	switch (file->kind) {
	case BROKER_FILE_EXE:
		snprintf(link, LINK_SIZE, "/proc/%u/exe", file->pid);
		break;
	case BROKER_FILE_NETNS:
		snprintf(link, LINK_SIZE, "/proc/%u/ns/net", file->pid);
		break;
	case BROKER_FILE_CWD:
		snprintf(link, LINK_SIZE, "/proc/%u/cwd", file->pid);
		break;
	default:
		snprintf(link, LINK_SIZE, "/proc/%u/fd/%u", file->pid, file->fd);
	}
}

/*
 * Takes path and file of LINK, of which only the path is known so far, from one descriptor: who has
 * LINK may make it another one at any time. Returns 0 or a negative errno.
 */
static int look_behind(const char *link, struct broker_answer *answer, struct stat *ret)
{
	_cleanup_(cleanup_fd) int fd = open(link, O_PATH | O_CLOEXEC);
	char own[LINK_SIZE];
	ssize_t n;

	if (fd < 0)
		return -errno;
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	n = readlink(own, answer->text, sizeof(answer->text));
	if (n < 0 || fstat(fd, ret) < 0)
		return -errno;
	answer->size = (uint32_t)n;
	return 0;
}

int broker_look_at(const struct broker_file *file, struct broker_answer *answer)
{
	bool is_cwd = file->kind == BROKER_FILE_CWD;
	char root[BROKER_PATH_MAX];
	ssize_t root_size = 0;
	struct stat st;
	char link[LINK_SIZE];
	ssize_t n;
	int err;

	/* First: of a process that ends in between there is no directory then. */
	if (is_cwd)
		root_size = read_root(file->pid, root);
	if (root_size < 0)
		return (int)root_size;
	name_link(file, link);
	n = readlink(link, answer->text, sizeof(answer->text));
	if (n < 0)
		return -errno;
	answer->size = (uint32_t)n;
	if (n == 0 || answer->text[0] != '/')
		return 0;
	/* The permissions of the link are those of the descriptor (fs/proc/fd.c). */
	if (lstat(link, &st) == 0)
		answer->open_flags = !(st.st_mode & S_IWUSR)   ? O_RDONLY
				     : !(st.st_mode & S_IRUSR) ? O_WRONLY
							       : O_RDWR;
	err = look_behind(link, answer, &st);
	if (err)
		return err;
	if (answer->size == 0 || answer->text[0] != '/')
		return 0;
	answer->is_deleted = is_unlinked(answer, &st);
	answer->inode = st.st_ino;
	answer->ctime_ns = broker_file_time(&st.st_ctim);
	answer->dev_major = major(st.st_dev);
	answer->dev_minor = minor(st.st_dev);
	answer->mode = st.st_mode;
	if (is_cwd)
		cut_root(root, (size_t)root_size, answer);
	return 0;
}

/* No more entries fit than BROKER_PIDS_MAX: one is 24 bytes and more (getdents64(2)). */
#define ENTRIES_SIZE (BROKER_PIDS_MAX * 24)

/* Takes the numbers among the SIZE bytes of ENTRIES to LIST. Returns how many there are. */
static size_t take_numbers(const char *entries, size_t size, struct broker_list *list)
{
	size_t nr = 0;

	for (size_t at = 0; at < size;) {
		const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
		uint64_t number;

		list->next = (uint64_t)entry->d_off;
		if (parse_u64(entry->d_name, 1, UINT32_MAX, &number) == 0)
			list->pids[nr++] = (uint32_t)number;
		at += entry->d_reclen;
	}
	return nr;
}

int broker_list(uint64_t from, struct broker_answer *answer)
{
	_cleanup_(cleanup_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
	struct broker_list list = { .next = from };
	size_t nr = 0;

	_Static_assert(sizeof(list) <= sizeof(answer->text), "it fits");
	if (fd < 0 || lseek(fd, (off_t)from, SEEK_SET) < 0)
		return -errno;
	while (nr == 0) {
		long size = syscall(SYS_getdents64, fd, entries, sizeof(entries));

		if (size < 0)
			return -errno;
		if (size == 0)
			break;
		nr = take_numbers(entries, (size_t)size, &list);
	}
	answer->size = (uint32_t)(offsetof(struct broker_list, pids) + nr * sizeof(list.pids[0]));
	memcpy(answer->text, &list, answer->size);
	return 0;
}
