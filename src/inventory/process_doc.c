/* SPDX-License-Identifier: MIT */
#include "inventory/process_doc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "lib/bytes.h"

/* Start times of /proc/PID/stat are that coarse (USER_HZ, include/asm-generic/param.h). */
#define TICK_NS 10000000ULL

/* How many implementations are built into the program of PROCESS. */
static size_t count_builtin(const struct inventory_process *process)
{
	const struct inventory_object *exe = process->exe;

	/* A program that is itself in the catalogue of libraries has its own entry. */
	return exe && exe->program && exe->family == LIBRARY_FAMILY_none
		       ? exe->program->providers.count
		       : 0;
}

bool process_uses_crypto(const struct inventory_process *process)
{
	return process->nr_uses > 0 || process->sockets || count_builtin(process) > 0;
}

/* Uses are sorted by path, so that equal objects follow each other. */
static bool is_first(const struct inventory_process *process, uint32_t i)
{
	for (uint32_t j = i; j > 0; j--) {
		const struct inventory_use *other = &process->uses[j - 1];

		if (other->object->path_size != process->uses[i].object->path_size ||
		    strcmp(other->object->path, process->uses[i].object->path) != 0)
			return true;
		if (other->object == process->uses[i].object &&
		    other->is_open == process->uses[i].is_open)
			return false;
	}
	return true;
}

static bool is_library(const struct inventory_use *use)
{
	return !use->is_open;
}

static bool is_open_file(const struct inventory_use *use)
{
	return use->is_open;
}

static bool is_deleted_file(const struct inventory_use *use)
{
	return use->is_open && use->object->is_deleted;
}

/* How many different objects PROCESS has in the way that IS_WANTED says. */
static size_t count_uses(const struct inventory_process *process,
			 bool (*is_wanted)(const struct inventory_use *use))
{
	size_t n = 0;

	for (uint32_t i = 0; i < process->nr_uses; i++)
		n += is_wanted(&process->uses[i]) && is_first(process, i);
	return n;
}

size_t process_count_libraries(const struct inventory_process *process)
{
	return count_uses(process, is_library);
}

size_t process_count_files(const struct inventory_process *process)
{
	return count_uses(process, is_open_file);
}

static const char *path_of(const struct inventory_object *object)
{
	return object->path;
}

static bool has_text(const struct text_list *list, const char *text)
{
	for (size_t at = 0; at < list->size; at += strlen(list->bytes + at) + 1)
		if (strcmp(list->bytes + at, text) == 0)
			return true;
	return false;
}

/* The texts of the uses that are wanted, each once. Returns 0 or -ENOMEM. */
static int collect(struct pool *pool, const struct inventory_process *process,
		   bool (*is_wanted)(const struct inventory_use *use),
		   const char *(*text_of)(const struct inventory_object *object),
		   struct text_list *ret)
{
	size_t room = 0;
	char *bytes;

	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (is_wanted(&process->uses[i]) && is_first(process, i))
			room += strlen(text_of(process->uses[i].object)) + 1;
	bytes = pool_take(pool, room);
	if (!bytes)
		return -ENOMEM;
	*ret = (struct text_list){ .bytes = bytes };
	for (uint32_t i = 0; i < process->nr_uses; i++) {
		const char *text = text_of(process->uses[i].object);
		size_t size = strlen(text) + 1;

		if (!is_wanted(&process->uses[i]) || !is_first(process, i) || has_text(ret, text))
			continue;
		memcpy(bytes + ret->size, text, size);
		ret->size += size;
	}
	return 0;
}

/* Libraries of PROCESS that have no name any more, with what has their place. 0 or -ENOMEM. */
static int make_stale(struct pool *pool, const struct inventory_process *process,
		      struct item_list *ret)
{
	struct snapshot_stale *items;
	size_t n = 0;

	for (uint32_t i = 0; i < process->nr_uses; i++)
		n += is_library(&process->uses[i]) && process->uses[i].object->is_deleted;
	items = pool_take(pool, n * sizeof(*items));
	if (!items)
		return -ENOMEM;
	*ret = (struct item_list){ .items = items, .stride = sizeof(*items) };
	for (uint32_t i = 0; i < process->nr_uses; i++) {
		const struct inventory_object *object = process->uses[i].object;

		if (!is_library(&process->uses[i]) || !object->is_deleted || !is_first(process, i))
			continue;
		items[ret->count++] = (struct snapshot_stale){
			.path = object->path,
			.version = inventory_version(object),
			.disk_version = object->disk_version,
		};
	}
	return 0;
}

/* Enters the library OBJECT; files of one project and version are one provider. */
static void add_library(struct item_list *list, const struct inventory_object *object)
{
	static const char evidence[] = "mapped";
	struct provider *providers = (struct provider *)list->items;
	const char *name = code_name(&library_family_codes, object->family);
	const char *version = inventory_version(object);

	for (size_t i = 0; i < list->count; i++)
		if (text_equal(providers[i].name, name) &&
		    (!version || text_equal(providers[i].version, version)))
			return;
	for (size_t i = 0; version && i < list->count; i++) {
		/* One that does not tell its version came first. */
		if (text_equal(providers[i].name, name) && !providers[i].version) {
			providers[i].version = version;
			return;
		}
	}
	providers[list->count++] = (struct provider){
		.name = name,
		.version = version,
		.linkage = LINKAGE_dynamic,
		.confidence = CONFIDENCE_high,
		.evidence = evidence,
		.evidence_size = sizeof(evidence),
	};
}

/* What is mapped, then what is built in. Returns 0 or -ENOMEM. */
static int make_providers(struct pool *pool, const struct inventory_process *process,
			  struct item_list *ret)
{
	size_t nr_builtin = count_builtin(process);
	struct provider *items = pool_take(pool, (process->nr_uses + nr_builtin) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	*ret = (struct item_list){ .items = items, .stride = sizeof(*items) };
	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (is_library(&process->uses[i]))
			add_library(ret, process->uses[i].object);
	if (nr_builtin)
		memcpy(items + ret->count, process->exe->program->providers.items,
		       nr_builtin * sizeof(*items));
	ret->count += nr_builtin;
	return 0;
}

/* Adds FORMAT to LIST, which has room for it. */
static void __attribute__((format(printf, 3, 4)))
add_text(struct text_list *list, size_t room, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf((char *)list->bytes + list->size, room - list->size, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < room - list->size)
		list->size += (size_t)n + 1;
}

/* The provider module of OpenSSL, whatever its version. */
static bool is_fips_module(const struct inventory_use *use)
{
	return is_library(use) && use->object->family == LIBRARY_FAMILY_openssl &&
	       strcmp(document_base_name(use->object), "fips.so") == 0;
}

static void add_fips_settings(struct text_list *list, size_t room, const struct provider *provider)
{
	for (size_t at = 0; at < provider->settings_size;
	     at += strlen(provider->settings + at) + 1) {
		const char *setting = provider->settings + at;

		if (strcasestr(setting, "fips") || strcasestr(setting, "boringcrypto"))
			add_text(list, room, "built with %s", setting);
	}
}

/* A file that says what mode a library is in: the kernel's flag, or OpenSSL's fips_config(5). */
static bool is_fips_configuration(const struct inventory_use *use)
{
	return use->is_open &&
	       ((use->object->class && use->object->class->kind == FILE_KIND_fips_flag) ||
		strcmp(document_base_name(use->object), "fipsmodule.cnf") == 0);
}

/* Providers that are built into the program of PROCESS, *RET_COUNT of them. */
static const struct provider *builtin_of(const struct inventory_process *process, size_t *ret_count)
{
	*ret_count = count_builtin(process);
	return *ret_count ? process->exe->program->providers.items : NULL;
}

/* Bytes that are enough for all that make_fips() may say. */
static size_t fips_room(const struct inventory_process *process)
{
	size_t nr_builtin;
	const struct provider *builtin = builtin_of(process, &nr_builtin);
	size_t room = 64;

	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (is_fips_module(&process->uses[i]) || is_fips_configuration(&process->uses[i]))
			room += process->uses[i].object->path_size + 64;
	for (size_t i = 0; i < nr_builtin; i++)
		room += 32 + 16 * builtin[i].settings_size;
	return room;
}

/*
 * What speaks for FIPS mode. Evidence, never more: that a module is mapped does not say that it is
 * used, nor that it is a validated one.
 */
static int make_fips(struct pool *pool, const struct document_source *source,
		     const struct inventory_process *process, struct text_list *ret)
{
	size_t nr_builtin;
	const struct provider *builtin = builtin_of(process, &nr_builtin);
	size_t room = fips_room(process);

	*ret = (struct text_list){ .bytes = pool_take(pool, room) };
	if (!ret->bytes)
		return -ENOMEM;
	if (source->host->has_fips && source->host->fips_enabled)
		add_text(ret, room, "kernel: fips_enabled is 1");
	for (uint32_t i = 0; i < process->nr_uses; i++) {
		const struct inventory_use *use = &process->uses[i];

		if (!is_first(process, i))
			continue;
		if (is_fips_module(use))
			add_text(ret, room, "provider mapped: %s", use->object->path);
		else if (is_fips_configuration(use))
			add_text(ret, room, "configuration open: %s", use->object->path);
	}
	for (size_t i = 0; i < nr_builtin; i++)
		add_fips_settings(ret, room, &builtin[i]);
	return 0;
}

static int make_texts(struct pool *pool, const struct inventory_process *process,
		      struct snapshot_process *item)
{
	int err = collect(pool, process, is_library, document_base_name, &item->libraries);

	if (!err)
		err = collect(pool, process, is_library, path_of, &item->library_paths);
	if (!err)
		err = collect(pool, process, is_open_file, path_of, &item->open_crypto_files);
	if (!err)
		err = collect(pool, process, is_deleted_file, path_of, &item->deleted_files);
	return err;
}

/* Its connections, of which no more can be told than their ends. Returns 0 or -ENOMEM. */
static int make_connections(struct pool *pool, const struct inventory_process *process,
			    struct snapshot_process *item)
{
	struct snapshot_connection *items =
		pool_take(pool, process->nr_connections * sizeof(*items));

	if (!items)
		return -ENOMEM;
	item->connections = (struct item_list){
		.items = items,
		.count = process->nr_connections,
		.stride = sizeof(*items),
		.truncated = process->nr_more_connections > 0,
	};
	item->nr_connections = (uint64_t)process->nr_connections + process->nr_more_connections;
	for (uint32_t i = 0; i < process->nr_connections; i++) {
		const struct inventory_connection *connection = &process->connections[i];

		address_format(&connection->local, items[i].local);
		address_format(&connection->peer, items[i].peer);
		items[i].is_server = connection->is_server;
		items[i].is_ktls = connection->is_ktls;
	}
	return 0;
}

int process_doc_make(struct pool *pool, const struct document_source *source,
		     const struct inventory_process *process, struct snapshot_process *ret)
{
	static const char sockets[] = "AF_ALG\0kTLS";
	uint64_t start_ns =
		process->start_ns - process->start_ns % TICK_NS + (uint64_t)source->offset_ns;
	int err;

	*ret = (struct snapshot_process){
		.pid = process->pid,
		.ppid = process->ppid,
		.exe = process->exe ? process->exe->path : NULL,
		.start_ns = start_ns - start_ns % TICK_NS,
		.running_as = document_user(pool, source->users, process->uid),
		.container = process->container,
	};
	memcpy(ret->name, process->comm, COMM_SIZE);
	if (process->sockets & INVENTORY_SOCKET_AF_ALG)
		ret->kernel_crypto = (struct text_list){ sockets, sizeof("AF_ALG") };
	if (process->sockets & INVENTORY_SOCKET_KTLS)
		ret->kernel_crypto =
			process->sockets & INVENTORY_SOCKET_AF_ALG
				? (struct text_list){ sockets, sizeof(sockets) }
				: (struct text_list){ sockets + sizeof("AF_ALG"), sizeof("kTLS") };
	err = ret->running_as ? make_texts(pool, process, ret) : -ENOMEM;
	if (!err)
		err = make_connections(pool, process, ret);
	if (!err)
		err = make_stale(pool, process, &ret->stale_libraries);
	if (!err)
		err = make_providers(pool, process, &ret->providers);
	return err ? err : make_fips(pool, source, process, &ret->fips_evidence);
}
