/* SPDX-License-Identifier: MIT */
#include "pipeline/walk.h"

/* The longest name of a person that goes on behind a delimiter. */
#define PERSON_MAX 64

void walk_tools(struct walk *walk, const char *token, const char *end)
{
	tool_set found;
	unsigned int nr_before;

	/* the scheme of a URL is no program */
	if (walk->end - end > 2 && memcmp(end, "://", 3) == 0)
		return;
	found = tools_find(walk->tools, token, (size_t)(end - token));
	if (!found)
		return;
	walk->tools |= found;
	if (!tools_arguments_find(found, &nr_before))
		return;
	if (!walk->has_secret_arguments || nr_before < walk->nr_before)
		walk->nr_before = nr_before;
	walk->has_secret_arguments = true;
}

void walk_hide(struct walk *walk, const char *end)
{
	append_text(walk->to, "***");
	while (walk->pos < end) {
		const char *token = walk->pos, *stop = word_token_end(token, end);

		if (stop > token)
			walk_tools(walk, token, stop);
		walk->pos = stop < end ? stop + 1 : end;
	}
}

/* The end of a part of a name: what may follow a delimiter that belongs to it. */
static const char *part_end(const char *at, const char *limit)
{
	while (at < limit && *at != '/' && !word_is_delimiter(*at))
		at++;
	return at;
}

/* "{jo,ann}" of a shell: END, or behind the brace that closes the one in the name at NAME. */
static const char *braces_end(const char *name, const char *end, const char *limit)
{
	const char *open = memrchr(name, '{', (size_t)(end - name)), *close;

	if (!open || memchr(open, '}', (size_t)(end - open)))
		return end;
	close = memchr(end, '}', (size_t)(limit - end));
	return close ? part_end(close, limit) : end;
}

/*
 * A name may go on behind the END of its token: "/home/John Smith/x", "/home/jo@example.com",
 * "/home/{jo,ann}/x".
 */
static const char *person_end(const struct walk *walk, const char *name, const char *end)
{
	const char *limit = walk_bounded(walk, end, PERSON_MAX), *at = braces_end(name, end, limit);

	if (at > end)
		return at;
	if (at < limit && *at == '@')
		return part_end(at + 1, limit);
	if (walk->mode != MODE_ARGUMENT && !walk->quote && (end == name || end[-1] != '\\'))
		return end;
	/* a space belongs to the name if words and a slash follow */
	while (at < limit && *at == ' ') {
		const char *word = at + 1;

		at = part_end(word, limit);
		if (at == word)
			return end;
		if (at < limit && *at == '/')
			return at;
	}
	return end;
}

/* Skips what leaves a path where it is, or above an unknown directory: "//", "/./" and "/../". */
static const char *skip_leading(const char *path, const char *end)
{
	while (path + 1 < end) {
		const char *next = path + 1;

		while (next < end && *next == '.' && next - path < 3)
			next++;
		if (next == end || *next != '/')
			break;
		path = next;
	}
	return path;
}

/* "~user", which a shell would replace. True if it moved on. */
static bool tilde_take(struct walk *walk, const char *end)
{
	const char *name = walk->pos + 1, *stop = name;

	while (stop < end && word_is_name(*stop))
		stop++;
	if (stop == name || !(isalpha((unsigned char)*name) || *name == '_') ||
	    (stop < end && *stop != '/') ||
	    accounts_is_system(walk->accounts, name, (size_t)(stop - name)))
		return false;
	append_text(walk->to, "~USER");
	walk->pos = stop;
	return true;
}

/* Whether what precedes PATH in its token leaves it at a root: "", "//", "-I"; but not "a" in
 * "a/b". */
static bool is_rooted(const char *token, const char *path)
{
	if (*token != '/')
		return *token == '-';
	while (token < path && (*token == '/' || *token == '.'))
		token++;
	return token == path;
}

/*
 * Finds a path with a person in the token: from its first slash, from its begin, or behind the host
 * of a URL. Returns where the path begins, or NULL.
 */
static const char *person_find(const struct walk *walk, const char *token, const char *end,
			       struct judged_path *ret)
{
	const char *path = memchr(token, '/', (size_t)(end - token));

	if (!path)
		return NULL;
	/* "home/jo", below an unknown directory which may be the root */
	if (isalnum((unsigned char)*token)) {
		accounts_judge(walk->accounts, token, (size_t)(end - token), false, ret);
		if (ret->has_person)
			return token;
	}
	path = skip_leading(path, end);
	accounts_judge(walk->accounts, path, (size_t)(end - path), is_rooted(token, path), ret);
	if (ret->has_person)
		return path;
	if (end - token < 3 || memcmp(token, "//", 2) != 0 || token == walk->start ||
	    token[-1] != ':')
		return NULL;
	path = memchr(token + 2, '/', (size_t)(end - token - 2));
	if (!path)
		return NULL;
	path = skip_leading(path, end);
	accounts_judge(walk->accounts, path, (size_t)(end - path), false, ret);
	return ret->has_person ? path : NULL;
}

void walk_path(struct walk *walk, const char *end)
{
	const char *token = walk->pos, *path;
	struct judged_path judged;

	if (!walk->accounts) {
		walk_copy(walk, end);
		return;
	}
	if (*token == '~' && tilde_take(walk, end))
		return;
	path = person_find(walk, token, end, &judged);
	if (!path) {
		walk_copy(walk, end);
		return;
	}
	walk_copy(walk, path);
	judged_path_append(&judged, walk->to);
	walk->pos = end;
	if (judged.end == judged.size) {
		const char *slash = memrchr(path, '/', (size_t)(end - path));

		walk->pos = person_end(walk, slash + 1, end);
	}
}
