/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_HOST_H
#define INVENTORY_HOST_H

/*
 * Users of cryptography that are no process: the kernel's own. Read from /proc, /sys and netlink,
 * only what is public: no key is ever asked for (of IPsec the kernel is asked for the number of
 * associations and policies, not for them, as the messages about them carry keys; device mapper is
 * not asked for its tables for the same reason). Reading changes nothing, no kernel module is
 * loaded by it. What belongs to a network namespace is that of the one this process is in.
 *
 * A struct host_crypto owns its strings until host_crypto_free(). Each part is known or not, see
 * the has_ members; a list is never longer than HOST_ITEMS_MAX.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/field.h"

#define HOST_ITEMS_MAX 256

/* A block device that cryptsetup made: it puts "CRYPT-TYPE-..." into the uuid, others put nothing.
 */
struct dm_crypt_device {
	const char *name;   /* "luks-home" */
	const char *type;   /* "LUKS2", "PLAIN"; "VERITY" and "INTEGRITY" only check */
	const char *device; /* "dm-0" */
};

struct kernel_algorithm { /* one of /proc/crypto; strings may be NULL: not told */
	const char *name;
	const char *driver;
	const char *module;
	const char *type;
	uint64_t refcnt;
	bool passed_selftest;
};

struct host_crypto {
	bool fips_enabled;
	bool has_fips; /* the kernel has the flag at all */
	bool has_dm_crypt;
	struct item_list dm_crypt; /* of struct dm_crypt_device, by device */
	bool has_wireguard;
	const char *wireguard; /* names of interfaces, NUL-separated, each terminated */
	size_t wireguard_size;
	bool has_ipsec;
	uint64_t ipsec_states;
	uint64_t ipsec_policies; /* of the host, not those of single sockets */
	bool has_ktls;
	uint64_t ktls_tx; /* sockets that encrypt, decrypt in the kernel now; /proc/net/tls_stat */
	uint64_t ktls_rx;
	bool has_af_alg;
	uint64_t af_alg_sockets; /* /proc/net/protocols */
	bool has_algorithms;
	uint64_t nr_algorithms;	 /* in /proc/crypto */
	struct item_list in_use; /* of struct kernel_algorithm: those with users, in its order */
	const char *not_seen;	 /* "IPsec: needs CAP_NET_ADMIN", ...: NUL-separated as above */
	size_t not_seen_size;
	void *memory; /* private */
};

/*
 * Fills *RET with what can be read below ROOT_FD ("/" as a descriptor, so that tests can give
 * another tree; netlink, which has no tree, is asked only with USE_NETLINK). What cannot be read is
 * in not_seen. Returns 0 or -ENOMEM.
 */
int host_crypto_read(int root_fd, bool use_netlink, struct host_crypto *ret);

/* Safe on a zeroed struct. */
void host_crypto_free(struct host_crypto *host);

/*
 * {fips_enabled, dm_crypt:[{name,type,device}], wireguard:[name], ipsec:{states,policies},
 * ktls:{tx,rx}, af_alg:{sockets}, algorithms:{registered, in_use:[{name,driver,module,type,refcnt,
 * selftest}]}, not_seen:[text]}; null: not known
 */
extern const struct fields host_crypto_fields;

#endif /* INVENTORY_HOST_H */
