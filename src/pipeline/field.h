/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_FIELD_H
#define PIPELINE_FIELD_H

/*
 * The field model. A field table is the only place that spells what an event or a document
 * contains: filters, redaction, every output format, the JSON Schema, the manual page and
 * docs/events.md come from walking it. field_get() is the only reader.
 *
 * Values borrow: from the record's bytes, from its arena, or from static tables. They are valid
 * until the record is; whoever keeps a byte copies it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/codes.h"

struct record;
struct field;

enum field_type {
	FIELD_BOOL,
	FIELD_U64, /* a count or small number, printed as a number */
	FIELD_S64,
	FIELD_ID64,  /* an identifier that may pass 2^53: above that a decimal string */
	FIELD_TIME,  /* ns since the epoch, printed in UTC with microseconds */
	FIELD_FLAGS, /* printed by its format function */
	FIELD_CODE,  /* printed by name, or as a number when the table does not know it */
	FIELD_STR,
	FIELD_STRV,    /* NUL-separated strings: a list */
	FIELD_CMDLINE, /* the same, joined by spaces: one string */
	FIELD_CODEV,   /* u32 codes: a list of names */
	FIELD_OBJ,     /* one item of field.sub */
	FIELD_LIST,    /* items of field.sub */
	/*
	 * Items of field.sub, which has two fields or more and no base. The first, a string, is the
	 * key; what belongs to it is the other one's value, or an object where there are several.
	 * Keys are escaped and redacted as any string; who makes the items has each of them once.
	 */
	FIELD_MAP,
};

/*
 * What redaction does with a value. There is no class for secrets: they are not read into records,
 * and where a program itself shows them (its arguments) ARGS replaces them always. CLASS_NONE is
 * refused by the registry test, so that forgetting to think about privacy fails the build.
 */
enum field_class {
	CLASS_NONE,
	CLASS_PUBLIC, /* ours or the kernel's own: never personal */
	CLASS_PATH,   /* a file name: home directories are replaced */
	CLASS_ARGS,   /* a command line: secrets always, paths as above */
	CLASS_TEXT,   /* foreign text: escaped, paths and secrets in it replaced */
	CLASS_USER,   /* a user name */
	CLASS_HOST,   /* a host name */
	CLASS_ADDR,   /* a network address */
	CLASS_PEER,   /* the name of a host that somebody talks to: hidden on request */
};

/* What command-line filters look at, so that no stage needs to know an event by name. */
enum field_role {
	ROLE_NONE,
	ROLE_FILE,    /* --file */
	ROLE_LIBRARY, /* --library */
	ROLE_FAMILY,  /* --library, by the project of a file with another name */
};

/* How often the field is there. */
enum field_presence {
	ALWAYS,	   /* in every event of the source; null when unknown */
	SOMETIMES, /* left out when it has no value */
	/* left out where no hook in the process told it and the process is not known */
	OF_PROCESS,
};

/* How the format for people shows the field. */
enum field_text {
	TEXT_NAMED,   /* name=value; of a map name.key=value */
	TEXT_BARE,    /* value; of a map key=value */
	TEXT_NONZERO, /* name=value, unless 0 or false */
	TEXT_HIDDEN,
};

struct fields {
	const struct field *fields;
	size_t nr_fields;
	/* Those of the struct that this one's struct begins with, written first; NULL: none. */
	const struct fields *base;
};

struct value {
	bool present;
	union {
		bool b;
		uint64_t u;
		int64_t s;
		struct {
			const char *bytes; /* not terminated */
			size_t size;
		} str;
		struct {
			const uint32_t *codes;
			size_t count;
		} codev;
		struct {
			const void *items;
			size_t count;
			size_t stride; /* bytes from one item to the next */
			bool truncated;
		} list;
		const void *obj;
	};
};

/* A field's name, and the same as a JSON writer needs it for every event. */
#define NAMED(text) .name = (text), .json_key = "\"" text "\":", .json_key_size = sizeof(text) + 2

struct field {
	const char *name;
	const char *json_key; /* "\"name\":" */
	size_t json_key_size;
	enum field_type type;
	enum field_class class;
	enum field_presence presence;
	enum field_role role;
	enum field_text text;
	const char *help;
	/* Reads the field; leaves *RET with present = false when there is no value. */
	void (*get)(const struct record *record, const struct field *field, struct value *ret);
	size_t at;						 /* for get: an offset or a slot */
	const struct code_table *codes;				 /* CODE, CODEV */
	size_t (*format)(uint64_t value, char *out, size_t cap); /* FLAGS */
	const struct fields *sub;				 /* OBJ, LIST, MAP */
};

/* Reads FIELD of RECORD. */
static inline void field_get(const struct record *record, const struct field *field,
			     struct value *ret)
{
	ret->present = false;
	field->get(record, field, ret);
}

/* Getters for members of fixed size at field.at, in a record's bytes or in a document's item. */
void get_u8(const struct record *, const struct field *, struct value *);
void get_u16(const struct record *, const struct field *, struct value *);
void get_u32(const struct record *, const struct field *, struct value *);
void get_s32(const struct record *, const struct field *, struct value *);
void get_u64(const struct record *, const struct field *, struct value *);
void get_bool(const struct record *, const struct field *, struct value *);
/* A struct tail in the record's bytes; an empty one has no value. */
void get_tail(const struct record *, const struct field *, struct value *);
/* A char array of COMM_SIZE bytes, to its first NUL. */
void get_comm(const struct record *, const struct field *, struct value *);
/* A `const char *` member, NULL: no value. */
void get_text(const struct record *, const struct field *, struct value *);
/* Two u32 members, major and minor, as "254:0"; both 0: no value. Takes room from the arena. */
void get_dev(const struct record *, const struct field *, struct value *);
/* Slot field.at, filled by a decode or enrich step. */
void get_slot(const struct record *, const struct field *, struct value *);
/* A struct text_list member: a list also when it is empty. */
void get_texts(const struct record *, const struct field *, struct value *);
/* A struct item_list member: a list or a map. */
void get_list(const struct record *, const struct field *, struct value *);
/* An embedded struct at field.at, or a pointer to one (NULL: no value). */
void get_embedded(const struct record *, const struct field *, struct value *);
void get_pointer(const struct record *, const struct field *, struct value *);

/* Strings, NUL-separated, as a member of a document's struct. */
struct text_list {
	const char *bytes;
	size_t size;
};

/* A list or map member of a document's struct. */
struct item_list {
	const void *items;
	size_t count;
	size_t stride;
	bool truncated;
};

/* The same, for a struct that begins with that of the table BEFORE. */
#define FIELDS_AFTER(before, array)                                                                \
	{                                                                                          \
		.fields = (array), .nr_fields = sizeof(array) / sizeof((array)[0]),                \
		.base = (before)                                                                   \
	}

/* A table of fields: `static const struct fields x_table = FIELDS(x_fields);` */
#define FIELDS(array)                                                                              \
	{                                                                                          \
		.fields = (array), .nr_fields = sizeof(array) / sizeof((array)[0])                 \
	}

/* The fields of an item of MAP, a FIELD_MAP, behind its key. */
static inline struct fields field_map_rest(const struct field *map)
{
	return (struct fields){ .fields = map->sub->fields + 1,
				.nr_fields = map->sub->nr_fields - 1 };
}

#endif /* PIPELINE_FIELD_H */
