/* SPDX-License-Identifier: MIT */
#include "trace/type_index.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NR_HASHES (1U << 16)

struct type_name type_name(const struct btf *btf, const struct btf_type *type)
{
	const char *text = btf__name_by_offset(btf, type->name_off);
	struct type_name name = { text ? text : "", text ? strlen(text) : 0 };

	if (name.size < 5 || !strstr(name.text, "___"))
		return name;
	for (size_t i = name.size - 4; i-- > 0;)
		if (text[i] != '_' && memcmp(text + i + 1, "___", 3) == 0 && text[i + 4] != '_') {
			name.size = i + 1;
			break;
		}
	return name;
}

bool type_is_named(const struct btf_type *type)
{
	return type->name_off && (btf_is_composite(type) || btf_is_any_enum(type) ||
				  btf_is_typedef(type) || btf_is_int(type) || btf_is_float(type));
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash(struct type_name name)
{
	uint32_t value = 2166136261U;

	for (size_t i = 0; i < name.size; i++)
		value = (value ^ (unsigned char)name.text[i]) * 16777619U;
	return (value ^ value >> 16) % NR_HASHES;
}

int type_index_open(struct type_index *index, const struct btf *btf)
{
	__u32 count = btf__type_cnt(btf);

	index->btf = btf;
	index->first = calloc(NR_HASHES, sizeof(*index->first));
	index->next = calloc(count, sizeof(*index->next));
	if (!index->first || !index->next)
		return -ENOMEM;
	for (__u32 id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		__u32 *first;

		if (!type_is_named(type))
			continue;
		first = &index->first[hash(type_name(btf, type))];
		index->next[id] = *first;
		*first = id;
	}
	return 0;
}

__u32 type_index_find(const struct type_index *index, struct type_name name, __u32 after)
{
	__u32 id = after ? index->next[after] : index->first[hash(name)];

	for (; id; id = index->next[id]) {
		struct type_name found = type_name(index->btf, btf__type_by_id(index->btf, id));

		if (found.size == name.size && memcmp(found.text, name.text, name.size) == 0)
			return id;
	}
	return 0;
}

void type_index_close(struct type_index *index)
{
	free(index->first);
	free(index->next);
	*index = (struct type_index){ 0 };
}
