/* SPDX-License-Identifier: MIT */
#include "proc/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/lines.h"

struct user {
	uint32_t uid;
	uint32_t position; /* in the file */
	char *name;
};

struct users {
	struct user *users; /* sorted by uid, then position */
	size_t nr_users;
	size_t room;
};

/* Decimal digits and nothing else. (uid_t)-1 is no user: setuid(2). */
static bool parse_uid(const char *text, size_t size, uint32_t *ret)
{
	uint64_t value = 0;

	if (size == 0 || size > 10)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned int)(text[i] - '0');
	}
	*ret = (uint32_t)value;
	return value < UINT32_MAX;
}

/*
 * "name:password:uid:...". Lines of NIS ("+name::0:0:..."), comments and what is not of this form
 * are no accounts.
 */
static bool parse_line(const char *line, size_t size, size_t *ret_name_size, uint32_t *ret_uid)
{
	const char *ends[3];
	const char *at = line;

	for (int i = 0; i < 3; i++) {
		ends[i] = memchr(at, ':', size - (size_t)(at - line));
		if (!ends[i])
			return false;
		at = ends[i] + 1;
	}
	*ret_name_size = (size_t)(ends[0] - line);
	if (*ret_name_size == 0 || *ret_name_size > USER_NAME_MAX || line[0] == '+' ||
	    line[0] == '-' || line[0] == '#' || memchr(line, '\0', *ret_name_size))
		return false;
	return parse_uid(ends[1] + 1, (size_t)(ends[2] - ends[1] - 1), ret_uid);
}

static int add(struct users *users, const char *name, size_t size, uint32_t uid)
{
	char *copy;

	if (users->nr_users == users->room) {
		size_t room = users->room ? 2 * users->room : 64;
		void *grown = realloc(users->users, room * sizeof(*users->users));

		if (!grown)
			return -ENOMEM;
		users->users = grown;
		users->room = room;
	}
	copy = strndup(name, size);
	if (!copy)
		return -ENOMEM;
	users->users[users->nr_users] =
		(struct user){ .uid = uid, .position = (uint32_t)users->nr_users, .name = copy };
	users->nr_users++;
	return 0;
}

static int read_file(struct users *users, int fd)
{
	_cleanup_(cleanup_free) struct lines *lines = malloc(sizeof(*lines));
	const char *line;
	size_t size;
	int n;

	if (!lines)
		return -ENOMEM;
	lines_begin(lines, fd, USERS_FILE_MAX);
	while ((n = lines_next(lines, &line, &size)) > 0) {
		size_t name_size;
		uint32_t uid;
		int err;

		if (users->nr_users == USERS_MAX || !parse_line(line, size, &name_size, &uid))
			continue;
		err = add(users, line, name_size, uid);
		if (err)
			return err;
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

int users_new(struct users **ret, const char *path)
{
	_cleanup_(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct users *users;
	int err = fd < 0 && errno != ENOENT ? -errno : 0;

	if (err)
		return err;
	users = calloc(1, sizeof(*users));
	if (!users)
		return -ENOMEM;
	if (fd >= 0)
		err = read_file(users, fd);
	if (err) {
		users_free(users);
		return err;
	}
	if (users->nr_users > 0)
		qsort(users->users, users->nr_users, sizeof(*users->users), compare);
	*ret = users;
	return 0;
}

void users_free(struct users *users)
{
	if (!users)
		return;
	for (size_t i = 0; i < users->nr_users; i++)
		free(users->users[i].name);
	free(users->users);
	free(users);
}

const char *users_name(const struct users *users, uint32_t uid)
{
	size_t low = 0, high = users->nr_users;

	/* the first that is not below */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (users->users[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == users->nr_users || users->users[low].uid != uid)
		return NULL;
	return users->users[low].name;
}

size_t users_count(const struct users *users)
{
	return users->nr_users;
}
