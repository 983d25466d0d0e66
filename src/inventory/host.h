/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_HOST_H
#define INVENTORY_HOST_H

/*
 * Users of cryptography that are no process: the kernel's own. Read from /proc, /sys and netlink,
 * only what is public: no key is ever asked for (of IPsec the kernel is asked for the number of
 * associations and policies, not for them). Owns its strings until host_crypto_free().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/field.h"

#define HOST_ITEMS_MAX 256

struct dm_crypt_device {
	const char *name; /* "luks-home" */
	const char *type; /* "LUKS2", "PLAIN" ... from the uuid */
	const char *device; /* "dm-0" */
};

struct kernel_algorithm { /* one of /proc/crypto */
	const char *name;
	const char *driver;
	const char *module;
	const char *type;
	uint64_t refcnt;
	bool is_internal;
	bool passed_selftest;
};

struct host_crypto {
	bool fips_enabled;
	bool has_fips;	   /* the kernel has the flag at all */
	struct item_list dm_crypt;    /* of struct dm_crypt_device */
	struct item_list wireguard;   /* of const char *: interface names of this net namespace */
	uint64_t ipsec_states;
	uint64_t ipsec_policies;
	bool has_ipsec;
	uint64_t ktls_tx; /* sockets that encrypt, decrypt in the kernel now; /proc/net/tls_stat */
	uint64_t ktls_rx;
	bool has_ktls;
	uint64_t af_alg_sockets; /* /proc/net/protocols */
	bool has_af_alg;
	uint64_t nr_algorithms;	      /* in /proc/crypto */
	struct item_list in_use;      /* of struct kernel_algorithm: those with users */
	struct item_list not_seen;    /* of const char *: "IPsec: needs CAP_NET_ADMIN" */
	void *memory;		      /* private */
};

/*
 * Fills *RET with what can be read below ROOT_FD ("/" as a descriptor, so that tests can give
 * another tree; netlink is asked only with USE_NETLINK). What cannot be read is in not_seen. Returns
 * 0 or -ENOMEM.
 */
int host_crypto_read(int root_fd, bool use_netlink, struct host_crypto *ret);
void host_crypto_free(struct host_crypto *host);

extern const struct fields host_crypto_fields;

#endif /* INVENTORY_HOST_H */
