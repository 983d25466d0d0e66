/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_SNAPSHOT_H
#define INVENTORY_SNAPSHOT_H

/*
 * The document of `snapshot`: every process that maps a crypto library, has a crypto file open or
 * crypto built into its program, with what was found in these files.
 */

#include "inspect/finding.h"
#include "inventory/document.h"

struct snapshot_process {
	uint32_t pid;
	uint32_t ppid;
	char name[COMM_SIZE];
	const char *exe;   /* NULL: not known */
	uint64_t start_ns; /* since the epoch */
	const char *running_as;
	const struct container *container;
	struct text_list libraries; /* base names, each once */
	struct text_list library_paths;
	struct text_list open_crypto_files;
	struct text_list deleted_files;
	struct text_list kernel_crypto; /* "AF_ALG", "kTLS" */
	struct text_list fips_evidence;
	struct item_list connections;	  /* of struct snapshot_connection */
	uint64_t nr_connections;	  /* also those beyond INVENTORY_CONNECTIONS_MAX */
	struct item_list stale_libraries; /* of struct snapshot_stale */
	struct item_list providers;	  /* of struct provider */
};

/* A TCP connection that was established before anybody looked. */
struct snapshot_connection {
	char local[ADDRESS_TEXT_MAX];
	char peer[ADDRESS_TEXT_MAX];
	bool is_server;
	bool is_ktls;
};

/* What is to be said of a connection that was there before. */
#define CONNECTION_UNKNOWN "unknown (before start)"

/* A library that was replaced on disk while it is in use. */
struct snapshot_stale {
	const char *path;
	const char *version;	  /* of what is in use */
	const char *disk_version; /* of what has its place; NULL: nothing, or not known */
};

/* An item of certificates or keys: the fact, then where and whose. */
struct snapshot_certificate {
	struct certificate certificate;
	const char *file;
	bool is_trusted;	    /* one of a collection of CAs */
	struct item_list processes; /* of struct process_name */
};

struct snapshot_key {
	struct key key;
	const char *file;
	char mode[8]; /* octal */
	const char *owner;
	struct item_list processes;
};

struct snapshot_summary {
	uint64_t total_processes;
	uint64_t total_libraries; /* once for each process */
	uint64_t unique_libraries;
	uint64_t total_files;
	uint64_t unique_files;
	uint64_t certificates;
	uint64_t keys;
	uint64_t findings;
	uint64_t connections; /* each once, however many processes have it */
};

struct snapshot {
	uint64_t now_ns;
	const char *hostname;
	const char *kernel;
	struct item_list processes;
	struct item_list certificates;
	struct item_list keys;
	struct item_list findings; /* of struct finding, the worst first */
	const struct host_crypto *host;
	struct snapshot_summary summary;
	struct document_coverage coverage;
	struct pool pool;
};

extern const struct fields snapshot_fields;

/* Makes the document; SOURCE is borrowed as long as it lives. Returns 0 or -ENOMEM. */
int snapshot_new(struct snapshot **ret, const struct document_source *source);
void snapshot_free(struct snapshot *snapshot);

/* How many findings there are of at least SEVERITY. */
size_t snapshot_count_findings(const struct snapshot *snapshot, uint32_t severity);

#endif /* INVENTORY_SNAPSHOT_H */
