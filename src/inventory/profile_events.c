/* SPDX-License-Identifier: MIT */
/* What happens during the run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/codes.h"
#include "inventory/profile_private.h"
#include "sources/api_call/call.h"
#include "sources/file_open/content.h"
#include "sources/file_open/file_open.h"
#include "sources/lib_load/lib_load.h"
#include "sources/source.h"
#include "sources/ssh_handshake/ssh_handshake.h"
#include "sources/tls_handshake/tls_handshake.h"

/* The text of RECORD's field NAME; false where it has none. */
static bool text_of(const struct record *record, const char *name, struct value *ret)
{
	const struct fields *table = &record->source->fields;

	ret->present = false;
	for (size_t i = 0; i < table->nr_fields; i++)
		if (strcmp(table->fields[i].name, name) == 0)
			field_get(record, &table->fields[i], ret);
	return ret->present;
}

/*
 * Whether the open that RECORD tells of is one that was found at the start: it came after the hooks
 * and before the scan.
 */
static bool is_found_before(const struct profiles *profiles, struct profile_file *file,
			    const struct record *record)
{
	if (record->hdr->ts_ns >= profiles->scan_ns || !file->before_count)
		return false;
	file->before_count--;
	file->was_before = false;
	return true;
}

/* A file was opened, or could not be. Returns 0 or -ENOMEM. */
static int take_open(struct profiles *profiles, struct profile_entry *entry,
		     const struct record *record)
{
	const struct file_open_event *event = (const void *)record->bytes;
	struct profile_file *file;
	struct value value;
	int err;

	if (!text_of(record, "file", &value))
		return 0;
	err = profile_add_file(profiles, entry, value.str.bytes, value.str.size, record->unix_ns,
			       &file);
	if (err || !file)
		return err;
	if (text_of(record, "file_type", &value))
		file->type = (uint32_t)value.u;
	if (text_of(record, "file_kind", &value))
		file->kind = (uint32_t)value.u;
	if (event->result == 0) {
		if (is_found_before(profiles, file, record))
			file->access_count--;
		profile_note_access(file, record->unix_ns, event->flags, file_open_content(record));
		return 0;
	}
	file->failures++;
	file->last_ns = record->unix_ns > file->last_ns ? record->unix_ns : file->last_ns;
	file->last_error = code_name(&errno_codes, (uint64_t) - (int64_t)event->result);
	return 0;
}

/* A library was mapped; its version is found out at the end. Returns 0 or -ENOMEM. */
static int take_load(struct profiles *profiles, struct profile_entry *entry,
		     const struct record *record)
{
	const struct lib_load_event *event = (const void *)record->bytes;
	struct profile_library *library;
	struct value value;
	int err;

	if (!text_of(record, "library", &value))
		return 0;
	err = profile_add_library(profiles, entry, value.str.bytes, value.str.size, record->unix_ns,
				  &library);
	if (err || !library || library->inode)
		return err;
	library->inode = event->inode;
	library->pid = record->hdr->tgid;
	library->ppid = record->hdr->ppid;
	return 0;
}

/* The arguments of the target, in the place of those of an earlier image. 0 or -ENOMEM. */
static int set_cmdline(struct profile_entry *entry, const char *bytes, size_t size)
{
	struct profile_process *process = &entry->profile.process;
	char *copy = malloc(size ? size : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, size);
	free(entry->cmdline);
	entry->cmdline = copy;
	process->cmdline = copy;
	process->cmdline_size = size;
	return 0;
}

int profiles_set_cmdline(struct profiles *profiles, uint32_t pid, const char *bytes, size_t size)
{
	const struct profile_member *member = profile_find_member(profiles, pid, 0);

	return member ? set_cmdline(profiles->entries[member->profile], bytes, size) : 0;
}

void profiles_set_scan(struct profiles *profiles, uint64_t scan_ns)
{
	profiles->scan_ns = scan_ns;
}

uint64_t profiles_count_refused(const struct profiles *profiles)
{
	uint64_t n = profiles->nr_refused;

	for (size_t i = 0; i < profiles->nr_entries; i++) {
		const struct profile_entry *entry = profiles->entries[i];

		n += profile_calls_count_refused(&entry->calls) + entry->tls.nr_refused +
		     entry->ssh.nr_refused + entry->findings.nr_refused;
		for (size_t j = 0; j < NR_PROFILE_PROTOCOLS; j++)
			n += entry->connections.nr_more[j];
	}
	return n;
}

uint64_t profiles_count_before(const struct profiles *profiles)
{
	uint64_t n = 0;

	for (size_t i = 0; i < profiles->nr_entries; i++)
		n += profile_connections_count(&profiles->entries[i]->connections);
	return n;
}

/* A new image of the target: what it is called, runs, and as whom, from now on. */
static int become(struct profile_entry *entry, const struct record *record, const char *exe)
{
	struct profile_process *process = &entry->profile.process;
	struct value value;

	process->exe = exe;
	process->uid = record->hdr->uid;
	process->gid = record->hdr->gid;
	memcpy(process->name, record->hdr->comm, COMM_SIZE);
	entry->exe = NULL;
	return text_of(record, "argv", &value) ? set_cmdline(entry, value.str.bytes, value.str.size)
					       : 0;
}

/* A program was executed. Returns 0 or -ENOMEM. */
static int take_exec(struct profiles *profiles, struct profile_entry *entry,
		     const struct record *record)
{
	struct profile_program *program;
	struct value value;
	char *exe;

	if (!text_of(record, "exe", &value))
		return 0;
	if (entry->nr_programs >= PROFILE_PROGRAMS_MAX) {
		profiles->nr_refused++;
		return 0;
	}
	exe = profile_keep(profiles, value.str.bytes, value.str.size);
	program =
		exe ? profile_grow(&entry->programs, &entry->nr_programs, sizeof(*program)) : NULL;
	if (!program)
		return -ENOMEM;
	*program = (struct profile_program){ .exe = exe, .at_ns = record->unix_ns };
	return record->hdr->tgid == entry->profile.process.pid ? become(entry, record, exe) : 0;
}

/* A crypto function was called. Returns 0 or -ENOMEM. */
static int take_call(struct profiles *profiles, struct profile_entry *entry,
		     struct profile_member *member, const struct record *record)
{
	const struct api_call *call = api_call_of(record);

	if (!call)
		return 0;
	return profile_calls_take(&entry->calls, &member->image, &profiles->pool, call);
}

static struct address address_of(const __u8 ip[static 16], __u16 port)
{
	struct address address = { .port = port };

	memcpy(address.ip, ip, sizeof(address.ip));
	return address;
}

/* A TLS handshake ended. Returns 0 or -ENOMEM. */
static int take_tls(struct profiles *profiles, struct profile_entry *entry,
		    const struct record *record)
{
	const struct tls_handshake_event *event = (const void *)record->bytes;
	const struct address local = address_of(event->local, event->local_port);
	const struct address peer = address_of(event->peer, event->peer_port);

	profile_connections_forget(&entry->connections, &local, &peer,
				   record->hdr->ts_ns - event->duration_ns, profiles->scan_ns);
	return profile_sessions_take(&entry->tls, &entry->findings, &profiles->pool, record);
}

/* The key exchange of an SSH connection ended. Returns 0 or -ENOMEM. */
static int take_ssh(struct profiles *profiles, struct profile_entry *entry,
		    const struct record *record)
{
	const struct ssh_handshake_event *event = (const void *)record->bytes;
	const struct address local = address_of(event->local, event->local_port);
	const struct address peer = address_of(event->peer, event->peer_port);

	profile_connections_forget(&entry->connections, &local, &peer,
				   record->hdr->ts_ns - event->duration_ns, profiles->scan_ns);
	return profile_sessions_take(&entry->ssh, &entry->findings, &profiles->pool, record);
}

/* MEMBER has ended: the profile has when it was the target itself. */
static void take_exit(struct profiles *profiles, struct profile_entry *entry,
		      struct profile_member *member, const struct record *record)
{
	struct value value;

	if (member->has_ended)
		return;
	member->has_ended = true;
	profiles->nr_alive--;
	if (member->pid != entry->profile.process.pid)
		return;
	entry->profile.process.has_ended = true;
	if (text_of(record, "exit_code", &value))
		entry->profile.process.exit_code = (int32_t)value.u;
}

/* The member that RECORD is of, which may become one by it. NULL: it is of no interest. */
static struct profile_member *member_for(struct profiles *profiles, const struct record *record,
					 bool is_target)
{
	const struct event_hdr *hdr = record->hdr;
	struct profile_member like = {
		.pid = hdr->tgid,
		.ppid = hdr->ppid,
		.boot_ns = hdr->start_ns,
	};
	struct profile_member *member = profile_find_member(profiles, hdr->tgid, hdr->start_ns);
	const struct profile_member *parent = NULL;

	if (member)
		return member;
	memcpy(like.name, hdr->comm, COMM_SIZE);
	if (profiles->follows)
		parent = profile_find_member(profiles, hdr->ppid, 0);
	/* A child that is made is what its parent is; of any other it is not known. */
	if (parent && source_id(record->source) == SOURCE_process_fork)
		like.image = parent->image;
	if (parent)
		return profile_add_member(profiles, parent->profile, &like);
	/* A child that is made is called like its parent, and may become anything. */
	if (!is_target || source_id(record->source) == SOURCE_process_fork ||
	    !profile_add_entry(profiles, &like))
		return NULL;
	member = profile_find_member(profiles, hdr->tgid, hdr->start_ns);
	profiles->entries[member->profile]->profile.process.uid = hdr->uid;
	profiles->entries[member->profile]->profile.process.gid = hdr->gid;
	return member;
}

int profiles_take(struct profiles *profiles, const struct record *record, bool is_target)
{
	enum source_id source = source_id(record->source);
	struct profile_member *member = member_for(profiles, record, is_target);
	struct profile_entry *entry;

	if (!member || source == SOURCE_process_fork)
		return 0;
	entry = profiles->entries[member->profile];
	member->events++;
	entry->profile.statistics.total_events++;
	memcpy(member->name, record->hdr->comm, COMM_SIZE);
	switch (source) {
	case SOURCE_file_open:
		return take_open(profiles, entry, record);
	case SOURCE_lib_load:
		return take_load(profiles, entry, record);
	case SOURCE_process_exec:
		entry->profile.statistics.programs_executed++;
		profile_calls_exec(&entry->calls, &member->image);
		return take_exec(profiles, entry, record);
	case SOURCE_api_call:
		return take_call(profiles, entry, member, record);
	case SOURCE_tls_handshake:
		return take_tls(profiles, entry, record);
	case SOURCE_ssh_handshake:
		return take_ssh(profiles, entry, record);
	case SOURCE_process_exit:
		take_exit(profiles, entry, member, record);
		return 0;
	default:
		return 0;
	}
}
