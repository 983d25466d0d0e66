/* SPDX-License-Identifier: MIT */
#include "inventory/profile_sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/profile_private.h"
#include "proto/flow.h"
#include "sources/source.h"

_Static_assert((int)NR_TLS_NUMBERS <= PROFILE_SESSION_NUMBERS_MAX, "numbers of TLS");
_Static_assert((int)NR_SSH_NUMBERS <= PROFILE_SESSION_NUMBERS_MAX, "numbers of SSH");
_Static_assert((int)NR_TLS_TEXTS <= PROFILE_SESSION_TEXTS_MAX, "texts of TLS");
_Static_assert((int)NR_SSH_TEXTS <= PROFILE_SESSION_TEXTS_MAX, "texts of SSH");
/* Of both, so that sessions are compared alike. */
_Static_assert((int)TLS_NUMBER_role == 0 && (int)SSH_NUMBER_role == 0, "role is the first number");
_Static_assert((int)TLS_TEXT_peer == 0 && (int)SSH_TEXT_peer == 0, "peer is the first text");

#define ROLE 0
#define PEER 0

/* Where the value of a number or text is found in a record, and goes to. */
enum place {
	IN_RECORD,
	IN_VERDICTS,
	IN_CERTIFICATE,
};

struct part {
	const char *field;
	uint8_t place;
	uint8_t to;
};

static const struct part tls_numbers[] = {
#define TLS_NUMBER(field)  { #field, IN_RECORD, TLS_NUMBER_##field },
#define TLS_VERDICT(field) { #field, IN_VERDICTS, TLS_NUMBER_##field },
#include "inventory/profile_sessions.def"
};

static const struct part tls_texts[] = {
#define TLS_TEXT(field)	       { #field, IN_RECORD, TLS_TEXT_##field },
#define TLS_CERTIFICATE(field) { #field, IN_CERTIFICATE, TLS_TEXT_##field },
#include "inventory/profile_sessions.def"
};

static const struct part ssh_numbers[] = {
#define SSH_NUMBER(field) { #field, IN_RECORD, SSH_NUMBER_##field },
#include "inventory/profile_sessions.def"
};

static const struct part ssh_texts[] = {
#define SSH_TEXT(field) { #field, IN_RECORD, SSH_TEXT_##field },
#include "inventory/profile_sessions.def"
};

static const struct {
	const struct part *numbers;
	size_t nr_numbers;
	const struct part *texts;
	size_t nr_texts;
} kinds[] = {
	[PROFILE_PROTOCOL_tls] = { tls_numbers, NR_TLS_NUMBERS, tls_texts, NR_TLS_TEXTS },
	[PROFILE_PROTOCOL_ssh] = { ssh_numbers, NR_SSH_NUMBERS, ssh_texts, NR_SSH_TEXTS },
};

void profile_sessions_init(struct profile_sessions *sessions)
{
	*sessions = (struct profile_sessions){ 0 };
	memset(sessions->buckets, 0xff, sizeof(sessions->buckets));
}

void profile_sessions_free(struct profile_sessions *sessions)
{
	free(sessions->items);
	profile_sessions_init(sessions);
}

/* Makes SESSION one of which nothing is known. */
static void session_begin(struct profile_session *session)
{
	*session = (struct profile_session){ .next = PROFILE_NONE };
	for (size_t i = 0; i < PROFILE_SESSION_NUMBERS_MAX; i++)
		session->numbers[i] = -1;
}

/* The field NAME of TABLE; NULL: it has none such. */
static const struct field *find_field(const struct fields *table, const char *name)
{
	for (size_t i = 0; i < table->nr_fields; i++)
		if (strcmp(table->fields[i].name, name) == 0)
			return &table->fields[i];
	return NULL;
}

/* The value of field NAME of RECORD, as TABLE has it. Returns the field where it has one. */
static const struct field *read_field(const struct record *record, const struct fields *table,
				      const char *name, struct value *ret)
{
	const struct field *field = find_field(table, name);

	ret->present = false;
	if (field)
		field_get(record, field, ret);
	return ret->present ? field : NULL;
}

/* The same of PART, which may be in a part of RECORD. */
static const struct field *read_part(const struct record *record, const struct part *part,
				     struct value *ret)
{
	static const char *const parents[] = {
		[IN_VERDICTS] = "verdicts",
		[IN_CERTIFICATE] = "certificates",
	};
	struct record inner = { .arena = record->arena };
	const struct field *parent;

	if (part->place == IN_RECORD)
		return read_field(record, &record->source->fields, part->field, ret);
	parent = read_field(record, &record->source->fields, parents[part->place], ret);
	if (!parent)
		return NULL;
	inner.bytes = part->place == IN_VERDICTS ? ret->obj : ret->list.items;
	return read_field(&inner, parent->sub, part->field, ret);
}

static int32_t number_of(const struct record *record, const struct part *part)
{
	struct value value;
	const struct field *field = read_part(record, part, &value);

	if (!field)
		return -1;
	if (field->type == FIELD_BOOL)
		return value.b;
	return value.u < INT32_MAX ? (int32_t)value.u : INT32_MAX;
}

static struct profile_text text_of(const struct record *record, const struct part *part)
{
	struct value value;

	if (!read_part(record, part, &value))
		return (struct profile_text){ 0 };
	return (struct profile_text){ value.str.bytes, value.str.size };
}

/* "192.0.2.1:443" or "[::1]:443" without the port, and the brackets that it needs. */
static struct profile_text without_port(struct profile_text text)
{
	const char *colon = text.bytes ? memrchr(text.bytes, ':', text.size) : NULL;

	if (!colon)
		return text;
	text.size = (size_t)(colon - text.bytes);
	if (text.size >= 2 && text.bytes[0] == '[') {
		text.bytes++;
		text.size -= 2;
	}
	return text;
}

/* Fills SESSION with what RECORD is about. Texts are borrowed. */
static void session_read(struct profile_session *session, const struct record *record,
			 enum profile_protocol protocol)
{
	session_begin(session);
	for (size_t i = 0; i < kinds[protocol].nr_numbers; i++)
		session->numbers[kinds[protocol].numbers[i].to] =
			number_of(record, &kinds[protocol].numbers[i]);
	for (size_t i = 0; i < kinds[protocol].nr_texts; i++)
		session->texts[kinds[protocol].texts[i].to] =
			text_of(record, &kinds[protocol].texts[i]);
	/* A client has another port each time. */
	if (session->numbers[ROLE] == FLOW_SERVER)
		session->texts[PEER] = without_port(session->texts[PEER]);
}

static int compare_texts(const struct profile_text *a, const struct profile_text *b)
{
	size_t least = a->size < b->size ? a->size : b->size;
	int order = least ? memcmp(a->bytes, b->bytes, least) : 0;

	if (order)
		return order;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	/* What is empty is not what is not known. */
	return (a->bytes != NULL) - (b->bytes != NULL);
}

/* The order of sessions; 0: they are the same. */
static int compare_sessions(const void *left, const void *right)
{
	const struct profile_session *a = left;
	const struct profile_session *b = right;
	int order = a->was_before - b->was_before;

	if (!order)
		order = a->numbers[ROLE] - b->numbers[ROLE];
	for (size_t i = 0; !order && i < PROFILE_SESSION_TEXTS_MAX; i++)
		order = compare_texts(&a->texts[i], &b->texts[i]);
	for (size_t i = 0; !order && i < PROFILE_SESSION_NUMBERS_MAX; i++)
		order = (a->numbers[i] > b->numbers[i]) - (a->numbers[i] < b->numbers[i]);
	return order ? order : a->is_ktls - b->is_ktls;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 1099511628211ULL; /* FNV-1a */
	return hash;
}

static uint32_t *bucket_of(struct profile_sessions *sessions, const struct profile_session *session)
{
	uint64_t hash =
		hash_bytes(14695981039346656037ULL, session->numbers, sizeof(session->numbers));

	for (size_t i = 0; i < PROFILE_SESSION_TEXTS_MAX; i++)
		hash = hash_bytes(hash, session->texts[i].bytes, session->texts[i].size);
	return &sessions->buckets[hash % PROFILE_SESSION_BUCKETS];
}

/* Makes the texts of SESSION copies in POOL. Returns 0 or -ENOMEM. */
static int copy_texts(struct profile_session *session, struct pool *pool)
{
	for (size_t i = 0; i < PROFILE_SESSION_TEXTS_MAX; i++) {
		struct profile_text *text = &session->texts[i];

		if (!text->bytes)
			continue;
		text->bytes = pool_text(pool, text->bytes, text->size);
		if (!text->bytes)
			return -ENOMEM;
	}
	return 0;
}

/*
 * The session that is the same as LIKE, made when there is none. Returns 0, with *RET NULL where
 * there are too many, or -ENOMEM.
 */
static int enter(struct profile_sessions *sessions, struct pool *pool,
		 const struct profile_session *like, struct profile_session **ret)
{
	uint32_t *bucket = bucket_of(sessions, like);
	struct profile_session copy = *like;
	struct profile_session *item;

	*ret = NULL;
	for (uint32_t at = *bucket; at != PROFILE_NONE; at = sessions->items[at].next) {
		if (compare_sessions(&sessions->items[at], like) == 0) {
			*ret = &sessions->items[at];
			return 0;
		}
	}
	if (sessions->nr_items >= PROFILE_SESSIONS_MAX) {
		sessions->nr_refused++;
		return 0;
	}
	if (copy_texts(&copy, pool))
		return -ENOMEM;
	item = profile_grow(&sessions->items, &sessions->nr_items, sizeof(*item));
	if (!item)
		return -ENOMEM;
	copy.next = *bucket;
	*item = copy;
	*bucket = (uint32_t)(item - sessions->items);
	*ret = item;
	return 0;
}

/* The event that RECORD is adds to SESSION. */
static void session_add(struct profile_session *session, const struct record *record)
{
	const struct fields *table = &record->source->fields;
	uint64_t now_ns = record->unix_ns;
	bool is_first = session->count == 0;
	struct value value;

	session->count++;
	session->nr_resumed += read_field(record, table, "resumed", &value) && value.b;
	if (is_first || now_ns < session->first_ns)
		session->first_ns = now_ns;
	if (is_first || now_ns > session->last_ns)
		session->last_ns = now_ns;
	if (!read_field(record, table, "duration_us", &value))
		return;
	if (is_first || value.u < session->shortest_us)
		session->shortest_us = value.u;
	if (is_first || value.u > session->longest_us)
		session->longest_us = value.u;
}

int profile_sessions_take(struct profile_sessions *sessions, struct profile_findings *findings,
			  struct pool *pool, const struct record *record)
{
	bool is_tls = source_id(record->source) == SOURCE_tls_handshake;
	struct profile_session like;
	struct profile_session *session;
	struct value value;
	int err;

	session_read(&like, record, is_tls ? PROFILE_PROTOCOL_tls : PROFILE_PROTOCOL_ssh);
	sessions->nr_handshakes++;
	err = enter(sessions, pool, &like, &session);
	if (err)
		return err;
	if (session)
		session_add(session, record);
	if (!read_field(record, &record->source->fields, "findings", &value))
		return 0;
	for (size_t i = 0; !err && i < value.list.count; i++)
		err = profile_findings_take(findings, pool,
					    (const struct finding *)value.list.items + i);
	return err;
}

/* Fills SESSION with what is known of CONNECTION; its peer is in TEXT. */
static void session_of(struct profile_session *session, const struct profile_connection *connection,
		       char text[ADDRESS_TEXT_MAX])
{
	struct profile_text peer = { text, address_format(&connection->peer, text) };

	session_begin(session);
	session->was_before = true;
	session->is_ktls = connection->is_ktls;
	session->count = 1;
	session->numbers[ROLE] = connection->is_server ? FLOW_SERVER : FLOW_CLIENT;
	session->texts[PEER] = connection->is_server ? without_port(peer) : peer;
}

/* Makes those of ITEMS, which are sorted, that are the same one. Returns how many are left. */
static size_t merge(struct profile_session *items, size_t nr_items)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_items; i++) {
		if (nr && items[i].was_before && compare_sessions(&items[nr - 1], &items[i]) == 0)
			items[nr - 1].count += items[i].count;
		else
			items[nr++] = items[i];
	}
	return nr;
}

int profile_sessions_list(const struct profile_sessions *sessions,
			  const struct profile_connections *connections,
			  enum profile_protocol protocol, struct pool *pool, struct item_list *ret)
{
	size_t nr = sessions->nr_items;
	struct profile_session *items =
		pool_take(pool, (nr + connections->nr_items) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	if (nr)
		memcpy(items, sessions->items, nr * sizeof(*items));
	for (size_t i = 0; i < connections->nr_items; i++) {
		char text[ADDRESS_TEXT_MAX];

		if (connections->items[i].protocol != protocol)
			continue;
		session_of(&items[nr], &connections->items[i], text);
		if (copy_texts(&items[nr++], pool))
			return -ENOMEM;
	}
	qsort(items, nr, sizeof(*items), compare_sessions);
	*ret = (struct item_list){
		.items = items,
		.count = merge(items, nr),
		.stride = sizeof(*items),
		.truncated = sessions->nr_refused || connections->nr_more[protocol],
	};
	return 0;
}
