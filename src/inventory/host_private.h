/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_HOST_PRIVATE_H
#define INVENTORY_HOST_PRIVATE_H

/*
 * Shared by the parts of host.c, and the parsers that its tests need to reach. All memory is one
 * block of fixed size: the kernel's names are short, longer ones are cut.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/host.h"
#include "lib/lines.h"

/* With the NUL: CRYPTO_MAX_ALG_NAME and DM_NAME_LEN are 128, MODULE_NAME_LEN less. */
#define HOST_NAME_SIZE 128
/* Strings of an item: four of an algorithm, three of a device. */
#define HOST_TEXT_SIZE ((size_t)HOST_ITEMS_MAX * (4 + 3) * HOST_NAME_SIZE)
/* What is read of one file of the kernel at most. */
#define HOST_FILE_MAX (4U << 20)

/* Strings one behind the other, each with its NUL. What does not fit is left out. */
struct host_strings {
	size_t size;
	char bytes[HOST_ITEMS_MAX * 32];
};

struct host_memory {
	struct dm_crypt_device dm_crypt[HOST_ITEMS_MAX];
	struct kernel_algorithm in_use[HOST_ITEMS_MAX];
	struct host_strings wireguard;
	struct host_strings not_seen;
	size_t text_used;
	char text[HOST_TEXT_SIZE];
};

/* A host while it is being filled. */
struct host_reader {
	int root_fd;
	struct host_crypto *host;
	struct host_memory *memory;
	struct lines lines;
};

/* A copy of SIZE bytes at most, up to a NUL; NULL for an empty one. */
const char *host_text(struct host_memory *memory, const char *bytes, size_t size);

/* Notes TEXT: "what: why". */
void host_not_seen(struct host_reader *reader, const char *text);

/* Parsers of the files of the kernel in reader->lines, which is begun. Return 0 or -errno. */
int host_parse_algorithms(struct host_reader *reader);
int host_parse_ktls(struct host_reader *reader);
int host_parse_protocols(struct host_reader *reader);
/* Whether the kernel has NETLINK_XFRM at work, by /proc/net/netlink. Returns 1, 0 or -errno. */
int host_parse_netlink(struct host_reader *reader);

/* Opens PATH below the root and begins reader->lines with it. Returns a descriptor or -errno. */
int host_open_lines(struct host_reader *reader, const char *path);

/* Asks the kernel how many IPsec associations and policies there are. */
void host_read_ipsec(struct host_reader *reader, bool use_netlink);

/*
 * Finds attribute WANTED in the answer of TYPE to a request of NETLINK_XFRM: a header, 32 bits of
 * flags, attributes. Copies RET_SIZE bytes of it. Returns 0, the error that the answer is, or
 * -EBADMSG.
 */
int host_parse_xfrm(const void *bytes, size_t size, uint16_t type, uint16_t wanted, void *ret,
		    size_t ret_size);

#endif /* INVENTORY_HOST_PRIVATE_H */
