/* SPDX-License-Identifier: MIT */
#include "support/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512
#define TEXT_SIZE (1U << 20)

static char dir[32];

static void die(const char *what)
{
	perror(what);
	abort();
}

int files_begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/crypto-tracer_XXXXXX");
	if (!mkdtemp(dir))
		die("mkdtemp");
	return 0;
}

int files_end(void **state)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;

	(void)state;
	if (!stream)
		die(dir);
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(stream), entry->d_name,
				 entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	closedir(stream);
	return rmdir(dir);
}

const char *files_dir(void)
{
	return dir;
}

const char *files_path(const char *name)
{
	static char paths[4][PATH_SIZE];
	static unsigned int next;
	char *path = paths[next++ % 4];

	if (snprintf(path, PATH_SIZE, "%s/%s", dir, name) >= PATH_SIZE)
		abort();
	return path;
}

void file_put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, mode))
		die(path);
	close(fd);
}

const char *file_text(const char *path)
{
	static char text[TEXT_SIZE + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, TEXT_SIZE);

	if (size < 0)
		die(path);
	text[size] = '\0';
	close(fd);
	return text;
}

mode_t file_mode(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		die(path);
	return st.st_mode & 07777;
}

unsigned int files_count_open(void)
{
	unsigned int nr = 0;
	DIR *entries = opendir("/proc/self/fd");

	if (!entries)
		die("/proc/self/fd");
	while (readdir(entries))
		nr++;
	closedir(entries);
	return nr;
}
