/* SPDX-License-Identifier: MIT */
#include "inventory/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inventory/host_private.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"

/* More than any attribute of sysfs has. */
#define ATTRIBUTE_MAX 4096
/* Entries of a directory that are looked at. */
#define ENTRIES_MAX 65536
#define UUID_PREFIX "CRYPT-"

const char *host_text(struct host_memory *memory, const char *bytes, size_t size)
{
	char *copy = memory->text + memory->text_used;

	size = strnlen(bytes, size);
	if (size >= HOST_NAME_SIZE)
		size = HOST_NAME_SIZE - 1;
	if (size == 0 || size >= HOST_TEXT_SIZE - memory->text_used)
		return NULL;
	memcpy(copy, bytes, size);
	copy[size] = '\0';
	memory->text_used += size + 1;
	return copy;
}

/* Returns false when there is no room. */
static bool strings_add(struct host_strings *strings, const char *text)
{
	size_t size = strlen(text) + 1;

	if (size > sizeof(strings->bytes) - strings->size)
		return false;
	memcpy(strings->bytes + strings->size, text, size);
	strings->size += size;
	return true;
}

void host_not_seen(struct host_reader *reader, const char *text)
{
	strings_add(&reader->memory->not_seen, text);
}

/* Opens a file of the kernel. Its last part is never a link, those before it may be in sysfs. */
static int open_file(int at_fd, const char *path)
{
	int fd = openat(at_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

int host_open_lines(struct host_reader *reader, const char *path)
{
	int fd = open_file(reader->root_fd, path);

	if (fd >= 0)
		lines_begin(&reader->lines, fd, HOST_FILE_MAX);
	return fd;
}

/* The text of a small file without the newlines at its end, terminated. Its size, or -errno. */
static ssize_t read_attribute(int at_fd, const char *path, char out[static ATTRIBUTE_MAX])
{
	_cleanup_(cleanup_fd) int fd = open_file(at_fd, path);
	ssize_t size;

	if (fd < 0)
		return fd;
	do {
		size = read(fd, out, ATTRIBUTE_MAX - 1);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	while (size > 0 && out[size - 1] == '\n')
		size--;
	out[size] = '\0';
	return size;
}

static DIR *open_directory(int root_fd, const char *path)
{
	int fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory && fd >= 0)
		close(fd);
	return directory;
}

static void read_fips(struct host_reader *reader)
{
	char text[ATTRIBUTE_MAX];
	ssize_t size = read_attribute(reader->root_fd, "proc/sys/crypto/fips_enabled", text);

	/* a kernel without CONFIG_CRYPTO_FIPS has no such file: nothing was overlooked */
	if (size == -ENOENT)
		return;
	if (size != 1 || (text[0] != '0' && text[0] != '1')) {
		host_not_seen(reader, "FIPS mode: /proc/sys/crypto/fips_enabled cannot be read");
		return;
	}
	reader->host->has_fips = true;
	reader->host->fips_enabled = text[0] == '1';
}

/* Joins a name of a directory and PATH, in OUT. Returns false when it is too long. */
static bool join(char out[static ATTRIBUTE_MAX], const char *name, const char *path)
{
	size_t name_size = strlen(name), path_size = strlen(path);

	if (name_size + path_size >= ATTRIBUTE_MAX)
		return false;
	memcpy(out, name, name_size);
	memcpy(out + name_size, path, path_size + 1);
	return true;
}

/*
 * A device mapper device. Its uuid is what its maker gave it; cryptsetup's begins with
 * "CRYPT-TYPE-" (lib/libdevmapper.c there). Returns whether it can be told what it is.
 */
static bool take_block(struct host_reader *reader, int directory, const char *device)
{
	struct item_list *list = &reader->host->dm_crypt;
	struct host_memory *memory = reader->memory;
	char path[ATTRIBUTE_MAX], text[ATTRIBUTE_MAX];
	const char *type = text + strlen(UUID_PREFIX);
	struct dm_crypt_device *item;
	ssize_t size;

	if (!join(path, device, "/dm/uuid"))
		return true;
	size = read_attribute(directory, path, text);
	/* it went away meanwhile, or is being made */
	if (size == -ENOENT)
		return true;
	if (size <= 0)
		return false;
	if (!bytes_begin(text, (size_t)size, UUID_PREFIX))
		return true;
	if (list->count == HOST_ITEMS_MAX) {
		list->truncated = true;
		return true;
	}
	item = &memory->dm_crypt[list->count++];
	item->device = host_text(memory, device, strlen(device));
	item->type = host_text(memory, type, strcspn(type, "-"));
	item->name = NULL;
	join(path, device, "/dm/name");
	size = read_attribute(directory, path, text);
	if (size > 0)
		item->name = host_text(memory, text, (size_t)size);
	return true;
}

/* dm-2 before dm-10. */
static int compare_devices(const void *a, const void *b)
{
	const struct dm_crypt_device *x = a, *y = b;

	return strverscmp(x->device, y->device);
}

static void read_dm_crypt(struct host_reader *reader)
{
	_cleanup_(cleanup_dir) DIR *directory = open_directory(reader->root_fd, "sys/block");
	struct host_memory *memory = reader->memory;
	const struct dirent *entry;
	bool is_all_known = true;

	if (!directory) {
		host_not_seen(reader, "dm-crypt: /sys/block cannot be read");
		return;
	}
	for (unsigned int nr = 0; nr < ENTRIES_MAX && (entry = readdir(directory)); nr++)
		if (strncmp(entry->d_name, "dm-", strlen("dm-")) == 0 &&
		    !take_block(reader, dirfd(directory), entry->d_name))
			is_all_known = false;
	qsort(memory->dm_crypt, reader->host->dm_crypt.count, sizeof(memory->dm_crypt[0]),
	      compare_devices);
	reader->host->has_dm_crypt = true;
	if (!is_all_known)
		host_not_seen(reader, "dm-crypt: there are devices without a uuid");
}

static bool is_wireguard(int directory, const char *name)
{
	static const char wanted[] = "DEVTYPE=wireguard";
	char path[ATTRIBUTE_MAX], text[ATTRIBUTE_MAX];
	const char *at = text;

	if (!join(path, name, "/uevent") || read_attribute(directory, path, text) <= 0)
		return false;
	for (; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, wanted, strlen(wanted)) == 0 &&
		    (at[strlen(wanted)] == '\n' || at[strlen(wanted)] == '\0'))
			return true;
	}
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strverscmp(a, b);
}

static void read_wireguard(struct host_reader *reader)
{
	_cleanup_(cleanup_dir) DIR *directory = open_directory(reader->root_fd, "sys/class/net");
	char names[HOST_ITEMS_MAX][16]; /* IFNAMSIZ */
	struct host_strings *strings = &reader->memory->wireguard;
	const struct dirent *entry;
	size_t nr_names = 0;

	if (!directory) {
		host_not_seen(reader, "WireGuard: /sys/class/net cannot be read");
		return;
	}
	for (unsigned int nr = 0; nr < ENTRIES_MAX && (entry = readdir(directory)); nr++) {
		size_t size = strlen(entry->d_name);

		if (entry->d_name[0] == '.' || size >= sizeof(names[0]) ||
		    !is_wireguard(dirfd(directory), entry->d_name))
			continue;
		if (nr_names == HOST_ITEMS_MAX) {
			host_not_seen(reader, "WireGuard: there are more interfaces");
			break;
		}
		memcpy(names[nr_names++], entry->d_name, size + 1);
	}
	qsort(names, nr_names, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < nr_names; i++)
		strings_add(strings, names[i]);
	reader->host->has_wireguard = true;
}

/* A file of lines, by PARSE. Returns 0 or a negative errno. */
static int read_lines(struct host_reader *reader, const char *path,
		      int (*parse)(struct host_reader *reader))
{
	_cleanup_(cleanup_fd) int fd = host_open_lines(reader, path);

	return fd < 0 ? fd : parse(reader);
}

static void read_sockets(struct host_reader *reader)
{
	struct host_crypto *host = reader->host;
	int err = read_lines(reader, "proc/net/protocols", host_parse_protocols);
	bool has_proc_net = !err;

	if (err)
		host_not_seen(reader, "AF_ALG: /proc/net/protocols cannot be read");
	else if (!host->has_af_alg)
		host_not_seen(reader, "AF_ALG: this kernel does not count the sockets");
	err = read_lines(reader, "proc/net/tls_stat", host_parse_ktls);
	/* not built in and not loaded, so nobody can use it (the file is there since Linux 5.5) */
	if (err == -ENOENT && has_proc_net)
		host->has_ktls = true;
	else if (err)
		host_not_seen(reader, "kTLS: /proc/net/tls_stat cannot be read");
}

int host_crypto_read(int root_fd, bool use_netlink, struct host_crypto *ret)
{
	_cleanup_(cleanup_free) struct host_reader *reader = malloc(sizeof(*reader));
	struct host_memory *memory = calloc(1, sizeof(*memory));
	struct host_crypto host = { .memory = memory };

	if (!reader || !memory) {
		free(memory);
		return -ENOMEM;
	}
	reader->root_fd = root_fd;
	reader->host = &host;
	reader->memory = memory;
	host.dm_crypt.items = memory->dm_crypt;
	host.dm_crypt.stride = sizeof(memory->dm_crypt[0]);
	host.in_use.items = memory->in_use;
	host.in_use.stride = sizeof(memory->in_use[0]);
	read_fips(reader);
	read_dm_crypt(reader);
	read_wireguard(reader);
	host_read_ipsec(reader, use_netlink);
	read_sockets(reader);
	if (read_lines(reader, "proc/crypto", host_parse_algorithms) < 0)
		host_not_seen(reader, "algorithms: /proc/crypto cannot be read");
	if (host.dm_crypt.truncated)
		host_not_seen(reader, "dm-crypt: there are more devices");
	if (host.in_use.truncated)
		host_not_seen(reader, "algorithms: more are in use");
	host.wireguard = memory->wireguard.bytes;
	host.wireguard_size = memory->wireguard.size;
	host.not_seen = memory->not_seen.bytes;
	host.not_seen_size = memory->not_seen.size;
	*ret = host;
	return 0;
}

void host_crypto_free(struct host_crypto *host)
{
	free(host->memory);
	*host = (struct host_crypto){ .memory = NULL };
}
