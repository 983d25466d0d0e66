/* SPDX-License-Identifier: MIT */
/* What a diff says about itself: which snapshots, and what of them could not be compared. */
#include "inventory/diff_private.h"

#include <stdio.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

const char *diff_side_text(const struct diff_side *side, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(side->document, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

/* Which side alone tells of attribute ATTRIBUTE, FACTS_THERE for the section; false: both or none.
 */
static bool is_one_sided(const struct diff *diff, size_t section, unsigned int attribute,
			 const char **ret_without)
{
	unsigned int old = diff->sides[SIDE_old].facts[section].known;
	unsigned int new = diff->sides[SIDE_new].facts[section].known;

	/* where there are no things, none lacks an attribute */
	if (attribute != FACTS_THERE && (old == FACTS_ALL_KNOWN || new == FACTS_ALL_KNOWN))
		return false;
	*ret_without = old & FACTS_KNOWN(attribute) ? "new" : "old";
	return (old ^ new) & FACTS_KNOWN(attribute);
}

/* Whether there is a note about a section's attribute, written to TEXT. */
static bool note_at(const struct diff *diff, size_t section, unsigned int attribute,
		    char text[static DIFF_NOTE_MAX])
{
	const struct facts_info *info = &facts_infos[section];
	const char *without;

	if (!is_one_sided(diff, section, attribute, &without))
		return false;
	if (attribute == FACTS_THERE) {
		snprintf(text, DIFF_NOTE_MAX, "%s has no %s", without, info->name);
		return true;
	}
	/* one note for a section that is missing altogether, none for what is not compared */
	if (!(diff->sections[section].compared & FACTS_KNOWN(FACTS_THERE)) ||
	    !info->attributes[attribute - 1].is_compared)
		return false;
	snprintf(text, DIFF_NOTE_MAX, "%s has no '%s' of %s", without,
		 info->attributes[attribute - 1].name, info->name);
	return true;
}

bool diff_note(const struct diff *diff, size_t index, char text[static DIFF_NOTE_MAX])
{
	const char *old = diff_side_text(&diff->sides[SIDE_old], "hostname");
	const char *new = diff_side_text(&diff->sides[SIDE_new], "hostname");

	if (old && new &&strcmp(old, new) != 0 && index-- == 0) {
		snprintf(text, DIFF_NOTE_MAX, "the snapshots are of different hosts");
		return true;
	}
	for (size_t i = 0; i < NR_FACTS_SECTIONS; i++) {
		const struct facts_info *info = &facts_infos[i];

		for (unsigned int k = 0; k <= FACTS_ATTRIBUTES_MAX; k++) {
			if (k > 0 && !info->attributes[k - 1].name)
				break;
			if (note_at(diff, i, k, text) && index-- == 0)
				return true;
		}
	}
	return false;
}
