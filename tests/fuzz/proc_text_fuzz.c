/* SPDX-License-Identifier: MIT */
/*
 * src/proc/maps.c, sockets.c, status.c and users.c: the text of /proc and of the passwd file is
 * read within its bounds, told whole or not at all, and what is handed out lies in it.
 *
 * The input is a byte for which parser, then the text.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proc/maps.h"
#include "proc/sockets.h"
#include "proc/status.h"
#include "proc/users.h"

#define INPUT_MAX (80U << 10)
#define UNTOUCHED 0x5a

static void check(bool condition)
{
	if (!condition)
		abort();
}

static int text_open(const char *text, size_t size)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, text, size) == (ssize_t)size);
	check(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void check_path(const struct map *map)
{
	char *path = malloc(map->path_size);
	size_t size = maps_path(map, path, map->path_size);

	check(size <= map->path_size);
	check(map->is_deleted || map->has_escapes || size == map->path_size);
	/* cut anywhere it begins alike */
	for (size_t cap = 0; cap < size; cap += 1 + size / 8) {
		char *cut = malloc(cap);

		check(maps_path(map, cut, cap) == cap && (!cap || memcmp(cut, path, cap) == 0));
		free(cut);
	}
	free(path);
}

static void check_map(const char *text, size_t size)
{
	struct map untouched, map;

	memset(&untouched, UNTOUCHED, sizeof(untouched));
	memset(&map, UNTOUCHED, sizeof(map));
	if (maps_parse(text, size, &map)) {
		check(memcmp(&map, &untouched, sizeof(map)) == 0);
		return;
	}
	check(map.start <= map.end);
	if (!map.path) {
		check(map.path_size == 0 && !map.is_deleted && !map.has_escapes);
		return;
	}
	check(map.path > text && map.path_size > 0 && map.path + map.path_size == text + size);
	check_path(&map);
}

static int count_map(void *ctx, const struct map *map)
{
	uint64_t *nr_maps = ctx;

	++*nr_maps;
	if (map->path)
		check_path(map);
	return 0;
}

/* Every line is told, malformed or too long. */
static void check_maps(const char *text, size_t size)
{
	struct maps_skipped skipped;
	uint64_t nr_maps = 0, nr_lines = size > 0 && text[size - 1] != '\n';
	int fd = text_open(text, size);

	for (size_t i = 0; i < size; i++)
		nr_lines += text[i] == '\n';
	check(maps_each(fd, count_map, &nr_maps, &skipped) == 0);
	check(nr_maps + skipped.nr_malformed + skipped.nr_long == nr_lines);
	close(fd);
}

static void check_status(const char *text, size_t size)
{
	struct status untouched, status;
	uint64_t ticks = UNTOUCHED;

	memset(&untouched, UNTOUCHED, sizeof(untouched));
	memset(&status, UNTOUCHED, sizeof(status));
	if (status_parse(text, size, &status))
		check(memcmp(&status, &untouched, sizeof(status)) == 0);
	else
		check(memchr(status.name, '\0', sizeof(status.name)) != NULL);
	if (stat_start_ticks(text, size, &ticks))
		check(ticks == UNTOUCHED);
}

static int count_socket(void *ctx, const struct proc_socket *socket)
{
	(void)socket;
	++*(uint64_t *)ctx;
	return 0;
}

static void check_sockets(const char *text, size_t size)
{
	struct proc_socket untouched, socket;
	uint64_t nr_sockets = 0;
	int fd = text_open(text, size);

	memset(&untouched, UNTOUCHED, sizeof(untouched));
	memset(&socket, UNTOUCHED, sizeof(socket));
	if (sockets_parse(text, size, &socket))
		check(memcmp(&socket, &untouched, sizeof(socket)) == 0);
	check(sockets_each(fd, count_socket, &nr_sockets) == 0);
	/* the shortest has no more than its numbers */
	check(nr_sockets <= size / 40);
	close(fd);
}

static void check_users(const char *text, size_t size)
{
	struct users *users;
	char path[32];
	int fd = text_open(text, size);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check(users_new(&users, path) == 0);
	check(users_count(users) <= size / 5);
	for (uint32_t uid = 0; uid < 70; uid++) {
		const char *name = users_name(users, uid);

		check(!name || (name[0] && memmem(text, size, name, strlen(name))));
	}
	check(!users_name(users, UINT32_MAX));
	users_free(users);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	/* a block of its own, so that a sanitizer sees its end */
	text = malloc(size - 1);
	if (size > 1)
		memcpy(text, data + 1, size - 1);
	switch (data[0] % 5) {
	case 0:
		check_map(text, size - 1);
		break;
	case 1:
		check_maps(text, size - 1);
		break;
	case 2:
		check_status(text, size - 1);
		break;
	case 4:
		check_sockets(text, size - 1);
		break;
	default:
		check_users(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
