/* SPDX-License-Identifier: MIT */
#include "pipeline/cmdline.h"

#include <ctype.h>

#include "lib/bytes.h"
#include "pipeline/secrets.h"

/* Bounds that keep the time in proportion to the input; what is longer is no name. */
#define NAME_MAX_SIZE 128
#define USERINFO_MAX 256
#define PERSON_MAX 64
#define SPACES_MAX 8
#define PEM_LABEL_MAX 64

/* A name without a colon before '@' in a URL is a person or, from this size on, a token. */
#define TOKEN_MIN 20

enum mode {
	MODE_ARGUMENT, /* one argument: its end is the only sure end of a value */
	MODE_SCRIPT,   /* an argument that a shell splits into words */
	MODE_TEXT,
};

/*
 * The text is words, between white space and the like, made of tokens, between delimiters: in
 * "-o a=/b,c" the words are "-o" and "a=/b,c", the tokens "-o", "a", "/b" and "c".
 */
struct walk {
	const struct accounts *accounts;
	struct appender *to;
	enum mode mode;
	const char *start; /* of the argument or text */
	const char *end;
	const char *pos;
	char quote;	/* the quotes of a script that POS is in, or 0 */
	bool has_space; /* between START and POS */

	/* what earlier words announce, also those of earlier arguments */
	tool_set tools;
	bool wants_value; /* the next word is a secret: */
	char split;	  /* what follows this byte of it, if not 0 */
	enum secret_kind kind;
	bool has_secret_arguments; /* words that are no options are secrets, */
	unsigned int nr_before;	   /* after so many that are not */
};

static bool is_space(char c)
{
	return (unsigned char)c <= ' ';
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

static bool ends_command(char c)
{
	return c == ';' || c == '|' || c == '&' || c == '\n' || c == '(' || c == ')';
}

static bool is_delimiter(char c)
{
	return is_space(c) || is_quote(c) || (c && strchr("=:,;@&|<>()", c));
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static const char *bounded(const struct walk *walk, const char *from, size_t max)
{
	return (size_t)(walk->end - from) > max ? from + max : walk->end;
}

static const char *token_end(const char *pos, const char *end)
{
	while (pos < end && !is_delimiter(*pos))
		pos++;
	return pos;
}

static bool begins_word(const struct walk *walk)
{
	char before;

	if (walk->pos == walk->start)
		return true;
	before = walk->pos[-1];
	return is_space(before) || is_quote(before) || ends_command(before);
}

/*
 * Behind the quote that closes the one at OPEN, or the end. ESCAPED quotes are written \" and end
 * at such; others may have escaped or doubled ones inside.
 */
static const char *quote_end(const char *open, const char *end, bool escaped)
{
	for (const char *at = open + 1; at < end; at++) {
		if (*at == '\\' && !escaped && *open != '\'')
			at++;
		else if (*at == *open && (escaped || at + 1 == end || at[1] != *open))
			return at + 1;
		else if (*at == *open)
			at++;
	}
	return end;
}

/* The end of a shell's word. WITHIN: the quotes it is in. sh(1), "Quoting" and "Token Recognition" */
static const char *shell_word_end(const char *at, const char *end, char within)
{
	while (at < end && !is_space(*at)) {
		if (within ? *at == within : ends_command(*at) || *at == '<' || *at == '>')
			break;
		if (*at == '\\' && within != '\'')
			at += at + 1 < end ? 2 : 1;
		else if (is_quote(*at) && !within)
			at = quote_end(at, end, false);
		else
			at++;
	}
	return at;
}

/* The end of the value at VALUE in the word at WORD: where in doubt, as far as it can be. */
static const char *value_end(const struct walk *walk, const char *word, const char *value)
{
	char before = word > walk->start ? word[-1] : '\0';

	if (walk->mode == MODE_ARGUMENT && !walk->has_space)
		return walk->end;
	if (is_quote(before)) {
		const char *close = memchr(value, before, (size_t)(walk->end - value));

		return close ? close : walk->end;
	}
	if (walk->mode == MODE_SCRIPT)
		return shell_word_end(value, walk->end, walk->quote);
	if (value < walk->end && is_quote(*value))
		value = quote_end(value, walk->end, false);
	while (value < walk->end && !is_space(*value))
		value++;
	return value;
}

static void tools_take(struct walk *walk, const char *token, const char *end)
{
	tool_set found;
	unsigned int nr_before;

	/* the scheme of a URL is no program */
	if (walk->end - end > 2 && memcmp(end, "://", 3) == 0)
		return;
	found = secret_tools_find(walk->tools, token, (size_t)(end - token));
	walk->tools |= found;
	if (!secret_arguments_find(found, &nr_before))
		return;
	if (!walk->has_secret_arguments || nr_before < walk->nr_before)
		walk->nr_before = nr_before;
	walk->has_secret_arguments = true;
}

/* A command may follow in what is hidden: its options matter later on. */
static void hide(struct walk *walk, const char *end)
{
	append_text(walk->to, "***");
	while (walk->pos < end) {
		const char *token = walk->pos, *stop = token_end(token, end);

		if (stop > token)
			tools_take(walk, token, stop);
		walk->pos = stop < end ? stop + 1 : end;
	}
}

/* Copies up to UNTIL without a further look. */
static void copy(struct walk *walk, const char *until)
{
	append(walk->to, walk->pos, (size_t)(until - walk->pos));
	walk->pos = until;
}

/* Whether a value is the name of a file, not a key itself: base64 may begin with a slash, too. */
static bool value_is_path(const char *value, const char *end)
{
	static const char *const begins[] = { "/", "./", "../", "~/", "file:" };
	static const char *const ends[] = { ".pem", ".key", ".der", ".p8", ".p12", ".pfx", ".jwk" };
	size_t size = (size_t)(end - value);

	if (size == 0 || end[-1] == '=')
		return false;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (bytes_begin(value, size, begins[i]))
			return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t ends_size = strlen(ends[i]);

		if (size > ends_size && memcmp(end - ends_size, ends[i], ends_size) == 0)
			return true;
	}
	return false;
}

/* Hides the value from POS to END, or the part of it that is secret. Returns false if none is. */
static bool value_hide(struct walk *walk, const char *end, char split, enum secret_kind kind)
{
	size_t size = (size_t)(end - walk->pos), source;

	if (size == 0 || (kind == SECRET_UNLESS_PATH && value_is_path(walk->pos, end)))
		return false;
	source = secret_source_size(walk->tools, walk->pos, size);
	if (source == SIZE_MAX)
		return false;
	if (split) {
		const char *at = memchr(walk->pos, split, size);

		if (!at)
			return false;
		source = (size_t)(at + 1 - walk->pos);
	}
	copy(walk, walk->pos + source);
	hide(walk, end);
	return true;
}

static bool is_secret_option(const char *word, const char *end)
{
	const char *stop = token_end(word, end);

	return *word == '-' && secret_name(word, (size_t)(stop - word)) != SECRET_NONE;
}

/* At the begin of a word: known options, and what earlier words announced. True if it moved on. */
static bool word_take(struct walk *walk)
{
	const char *end = value_end(walk, walk->pos, walk->pos);
	bool wants_value = walk->wants_value;
	struct secret_option option;

	walk->wants_value = false;
	if (secret_option_find(walk->tools, walk->pos, (size_t)(end - walk->pos), &option)) {
		copy(walk, walk->pos + option.value_at);
		walk->tools &= ~option.finished;
		if (walk->pos < end) {
			value_hide(walk, end, option.split, SECRET_VALUE);
		} else {
			walk->wants_value = true;
			walk->split = option.split;
			walk->kind = SECRET_VALUE;
		}
		return true;
	}
	/* "--password --token X": the second is the option it looks like */
	if (wants_value && !is_secret_option(walk->pos, end))
		return value_hide(walk, end, walk->split, walk->kind);
	if (walk->has_secret_arguments && *walk->pos != '-') {
		if (walk->nr_before == 0)
			return value_hide(walk, end, 0, SECRET_VALUE);
		/* a quoted word is met again behind its quote */
		walk->nr_before -= !is_quote(*walk->pos);
	}
	return false;
}

/* Whether POS may begin a word that word_take() is for. */
static bool is_at_word(const struct walk *walk)
{
	if (walk->mode == MODE_ARGUMENT && walk->pos == walk->start)
		return true;
	if (!begins_word(walk) || is_space(*walk->pos))
		return false;
	return walk->mode != MODE_SCRIPT || walk->quote || !ends_command(*walk->pos);
}

static void delimiter_take(struct walk *walk)
{
	char c = *walk->pos;

	if (is_space(c))
		walk->has_space = true;
	if (walk->mode == MODE_SCRIPT) {
		bool is_escaped = walk->pos > walk->start && walk->pos[-1] == '\\';

		if (is_quote(c) && !is_escaped && (!walk->quote || walk->quote == c))
			walk->quote = walk->quote ? 0 : c;
		if (ends_command(c) && !walk->quote) {
			walk->wants_value = false;
			walk->has_secret_arguments = false;
		}
	}
	copy(walk, walk->pos + 1);
}

/* What stands between a name and its value. */
struct separator {
	char kind;	     /* '=', ':', or ' ' before a quoted literal */
	bool is_quoted_name; /* {"name": ...} */
	char quote;	     /* the value begins with this, or 0 */
	bool is_escaped;     /* with \" */
	const char *value;   /* at the quote, if there is one */
};

static const char *skip_spaces(const struct walk *walk, const char *at)
{
	const char *end = bounded(walk, at, SPACES_MAX);

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* Reads what follows the name from NAME to AT. False if it has no value. */
static bool separator_read(const struct walk *walk, const char *name, const char *at,
			   struct separator *ret)
{
	const char *spaces, *value;

	*ret = (struct separator){ 0 };
	if (at < walk->end && *at == '\\')
		at++;
	if (at < walk->end && is_quote(*at) && name > walk->start && name[-1] == *at) {
		ret->is_quoted_name = true;
		at++;
	}
	spaces = at;
	at = skip_spaces(walk, at);
	if (at == walk->end)
		return false;
	if (*at == '=' || *at == ':') {
		ret->kind = *at++;
		/* "==", "=>", ":=" */
		if (at < walk->end && (*at == '=' || (*at == '>' && ret->kind == '=')))
			at++;
		/* "NAME= command" has no value, "name = value" has */
		if (ret->kind == ':' || at - 1 > spaces)
			at = skip_spaces(walk, at);
	} else if (is_quote(*at) && at > spaces && *name != '-') {
		/* SQL: PASSWORD 'literal' */
		ret->kind = ' ';
	} else {
		return false;
	}
	value = at;
	if (at + 1 < walk->end && *at == '\\' && is_quote(at[1])) {
		ret->is_escaped = true;
		value++;
	}
	if (value < walk->end && is_quote(*value))
		ret->quote = *value;
	ret->value = value;
	return value < walk->end;
}

/* The end of an unquoted value behind "name:". */
static const char *field_end(const struct walk *walk, const char *name,
			     const struct separator *separator)
{
	char before = name > walk->start ? name[-1] : '\0';
	char stop = is_quote(before) ? before : walk->mode == MODE_SCRIPT ? walk->quote : '\0';
	const char *at = separator->value;

	if (separator->is_quoted_name) {
		while (at < walk->end && !is_space(*at) && *at != ',' && *at != '}' && *at != ']')
			at++;
		return at;
	}
	/* a header: all of it, "Bearer" and what follows */
	if (walk->mode == MODE_ARGUMENT && !stop)
		return walk->end;
	while (at < walk->end && *at != stop && *at != '\n' && *at != '\0')
		at++;
	return at;
}

/* Hides the value behind a name that names a secret. Returns false if it is none. */
static bool named_value_hide(struct walk *walk, const char *name, enum secret_kind kind,
			     const struct separator *separator)
{
	const char *value = separator->value, *end;

	if (separator->quote && (separator->is_quoted_name || separator->kind != '=')) {
		end = quote_end(value, walk->end, separator->is_escaped);
		if (kind == SECRET_UNLESS_PATH && value_is_path(value + 1, end))
			return false;
		copy(walk, value + 1);
		/* the closing quote stays, so that what is left reads as before */
		bool is_closed = end[-1] == separator->quote && end > value + 1;

		hide(walk, end - is_closed);
		copy(walk, end);
		return true;
	}
	if (separator->kind == ':') {
		/* "name:/path" and "name::x" are something else */
		if (*value == ':' || (*value == '/' && kind == SECRET_UNLESS_PATH))
			return false;
		end = field_end(walk, name, separator);
	} else {
		end = value_end(walk, name, value);
	}
	if (end == value || (kind == SECRET_UNLESS_PATH && value_is_path(value, end)))
		return false;
	copy(walk, value);
	return value_hide(walk, end, 0, kind);
}

/* A token whose end is a name: of an option, a variable, a header, a field. True if it moved on. */
static bool name_take(struct walk *walk, const char *end)
{
	const char *token = walk->pos, *name;
	struct separator separator;
	enum secret_kind kind;

	while (end > token && end[-1] == '\\')
		end--;
	for (name = end; name > token && is_name(name[-1]) && end - name < NAME_MAX_SIZE;)
		name--;
	if (name == end)
		return false;

	kind = secret_name(name, (size_t)(end - name));
	if (separator_read(walk, name, end, &separator)) {
		if (!kind && separator.kind == '=' &&
		    secret_is_key_variable(name, (size_t)(end - name)))
			kind = SECRET_VALUE;
		/* SQL: IDENTIFIED BY 'literal' */
		if (!kind && separator.kind == ' ' && end - name == 2 && strncasecmp(name, "by", 2) == 0)
			kind = SECRET_VALUE;
		return kind && named_value_hide(walk, name, kind, &separator);
	}
	if (!kind || name != token || *token != '-' || !begins_word(walk) ||
	    (end < walk->end && !is_space(*end)) || secret_is_question(name, (size_t)(end - name)))
		return false;
	copy(walk, end);
	walk->wants_value = true;
	walk->split = 0;
	walk->kind = kind;
	return true;
}

/* "//user:password@host" behind a scheme, from TOKEN. True if it moved on. */
static bool url_take(struct walk *walk, const char *token)
{
	const char *start = token + 2, *stop = start, *at, *colon;

	while (stop < walk->end && !is_space(*stop) && !is_quote(*stop) && !strchr("/?#<>", *stop))
		stop++;
	at = memrchr(start, '@', (size_t)(stop - start));
	colon = memchr(start, ':', (size_t)((at ? at : stop) - start));
	if (!at && colon && stop < walk->end && *stop == '/' && colon + 1 < stop &&
	    !isdigit((unsigned char)colon[1])) {
		/* not a port: a password with a slash, which some readers of URLs allow */
		const char *limit = bounded(walk, stop, USERINFO_MAX);

		while (stop < limit && !is_space(*stop) && !is_quote(*stop) && *stop != '@')
			stop++;
		at = stop < limit && *stop == '@' ? stop : NULL;
	}
	if (!at || (!colon && at - start < TOKEN_MIN))
		return false;
	copy(walk, colon ? colon + 1 : start);
	if (walk->pos < at)
		hide(walk, at);
	return true;
}

/* "user:password@host" without a scheme, from the token that ends at COLON. True if it moved on. */
static bool userinfo_take(struct walk *walk, const char *colon)
{
	const char *limit = bounded(walk, colon, USERINFO_MAX), *at = colon + 1;

	if (walk->pos == colon || memchr(walk->pos, '/', (size_t)(colon - walk->pos)))
		return false;
	while (at < limit && !is_space(*at) && !is_quote(*at) && *at != '/' && *at != '@')
		at++;
	if (at == limit || *at != '@' || at == colon + 1 || at + 1 == walk->end ||
	    is_delimiter(at[1]))
		return false;
	/* an image by tag and digest */
	if (bytes_begin(at + 1, (size_t)(walk->end - at - 1), "sha"))
		return false;
	copy(walk, colon + 1);
	hide(walk, at);
	return true;
}

/*
 * A name may go on behind the END of its token: "/home/John Smith/x", "/home/jo@example.com",
 * "/home/{jo,ann}/x".
 */
static const char *person_end(const struct walk *walk, const char *name, const char *end)
{
	const char *limit = bounded(walk, end, PERSON_MAX), *at = end;

	if (*name == '{')
		at = memchr(end, '}', (size_t)(limit - end));
	else if (at < limit && *at == '@')
		at++;
	else if (walk->mode == MODE_ARGUMENT || walk->quote || end[-1] == '\\')
		at = NULL;
	else
		return end;
	if (at) {
		while (at < limit && *at != '/' && !is_delimiter(*at))
			at++;
		return at;
	}
	/* a space belongs to the name if words and a slash follow */
	for (at = end; at < limit && *at == ' ';) {
		const char *word = ++at;

		while (at < limit && *at != '/' && !is_delimiter(*at))
			at++;
		if (at == word)
			return end;
		if (at < limit && *at == '/')
			return at;
	}
	return end;
}

/* Where in the token a path begins: at the last of "//", "/./" and "/../". NULL if nowhere. */
static const char *path_begin(const struct walk *walk, const char *token, const char *end)
{
	const char *path = memchr(token, '/', (size_t)(end - token));

	/* behind the host of a URL */
	if (path == token && end - token > 2 && token[1] == '/' && token > walk->start &&
	    token[-1] == ':')
		path = memchr(token + 2, '/', (size_t)(end - token - 2));
	while (path && path + 1 < end) {
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

	while (stop < end && is_name(*stop))
		stop++;
	if (stop == name || !(isalpha((unsigned char)*name) || *name == '_') ||
	    (stop < end && *stop != '/') ||
	    accounts_is_system(walk->accounts, name, (size_t)(stop - name)))
		return false;
	append_text(walk->to, "~USER");
	walk->pos = stop;
	return true;
}

/* The rest of a token, without the person in its path. */
static void path_take(struct walk *walk, const char *end)
{
	const char *token = walk->pos, *path;
	struct judged_path judged;

	if (!walk->accounts || (*token == '~' && tilde_take(walk, end))) {
		copy(walk, walk->accounts ? walk->pos : end);
		return;
	}
	path = path_begin(walk, token, end);
	if (path)
		accounts_judge(walk->accounts, path, (size_t)(end - path),
			       *token == '/' || *token == '-', &judged);
	if (!path || !judged.has_person) {
		copy(walk, end);
		return;
	}
	copy(walk, path);
	judged_path_append(&judged, walk->to);
	walk->pos = end;
	if (judged.end == judged.size) {
		const char *slash = memrchr(path, '/', (size_t)(end - path));

		walk->pos = person_end(walk, slash + 1, end);
	}
}

static void token_take(struct walk *walk)
{
	const char *token = walk->pos, *end = token_end(token, walk->end);

	tools_take(walk, token, end);
	if (name_take(walk, end))
		return;
	if (end - token >= 2 && token[0] == '/' && token[1] == '/' && token > walk->start &&
	    token[-1] == ':' && url_take(walk, token))
		return;
	if (end < walk->end && *end == ':' &&
	    (begins_word(walk) || token[-1] == '=') && userinfo_take(walk, end))
		return;
	path_take(walk, end);
}

static void part_take(struct walk *walk, const char *end)
{
	walk->end = end;
	while (walk->pos < end) {
		if (is_at_word(walk) && word_take(walk))
			continue;
		/* an argument of nothing but delimiters has moved nothing yet */
		if (is_delimiter(*walk->pos))
			delimiter_take(walk);
		else
			token_take(walk);
	}
}

/* The first private key in PEM (RFC 7468) between AT and END, or NULL. */
static const char *pem_find(const char *at, const char *end, const char **ret_end)
{
	static const char begin[] = "-----BEGIN ", finish[] = "-----END ", key[] = "PRIVATE KEY";
	size_t label_size;

	for (;;) {
		const char *pem = memmem(at, (size_t)(end - at), begin, sizeof(begin) - 1);

		if (!pem)
			return NULL;
		at = pem + sizeof(begin) - 1;
		label_size = (size_t)(end - at) < PEM_LABEL_MAX ? (size_t)(end - at) : PEM_LABEL_MAX;
		if (!memmem(at, label_size, key, sizeof(key) - 1))
			continue;
		at = memmem(at, (size_t)(end - at), finish, sizeof(finish) - 1);
		*ret_end = end;
		if (at) {
			at += sizeof(finish) - 1;
			at = memmem(at, (size_t)(end - at), "-----", 5);
			*ret_end = at ? at + 5 : end;
		}
		return pem;
	}
}

static void text_take(struct walk *walk, enum mode mode, const char *text, size_t size)
{
	const char *end = text + size, *pem, *pem_end;

	walk->mode = mode;
	walk->start = text;
	walk->pos = text;
	walk->quote = 0;
	walk->has_space = false;
	while ((pem = pem_find(walk->pos, end, &pem_end))) {
		part_take(walk, pem);
		append_text(walk->to, "***");
		walk->wants_value = false;
		walk->pos = pem_end;
	}
	part_take(walk, end);
}

/* Whether ARGUMENT is "-c", alone or with other letters before it, as shells take it. */
static bool announces_script(const char *argument, size_t size)
{
	if (size < 2 || size > 6 || argument[0] != '-' || argument[size - 1] != 'c')
		return false;
	for (size_t i = 1; i < size; i++)
		if (!isalpha((unsigned char)argument[i]))
			return false;
	return true;
}

void cmdline_redact_args(const struct accounts *accounts, struct appender *to, const char *argv,
			 size_t size)
{
	struct walk walk = { .accounts = accounts, .to = to };
	bool is_script = false;

	while (size > 0) {
		size_t taken = strnlen(argv, size);
		bool wants_value = walk.wants_value;

		text_take(&walk, is_script && !wants_value ? MODE_SCRIPT : MODE_ARGUMENT, argv, taken);
		/* an empty argument is a value, too */
		if (!taken)
			walk.wants_value = false;
		is_script = announces_script(argv, taken) && secret_tools_have_shell(walk.tools);
		if (taken < size)
			append(to, argv + taken++, 1);
		argv += taken;
		size -= taken;
	}
}

void cmdline_redact_text(const struct accounts *accounts, struct appender *to, const char *text,
			 size_t size)
{
	struct walk walk = { .accounts = accounts, .to = to };

	if (size > 0)
		text_take(&walk, MODE_TEXT, text, size);
}
