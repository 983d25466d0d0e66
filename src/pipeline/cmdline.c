/* SPDX-License-Identifier: MIT */
#include "pipeline/cmdline.h"

#include "lib/bytes.h"
#include "pipeline/walk.h"

/* Bounds that keep the time in proportion to the input; what is longer is no name. */
#define NAME_SIZE_MAX 128
#define USERINFO_MAX  256
#define SPACES_MAX    8

/* A name without a colon before '@' in a URL is a person or, from this size on, a token. */
#define TOKEN_MIN 20

/* Looks at each byte once only, however often it is asked in one argument from left to right. */
static const char *next_space(struct walk *walk, const char *from)
{
	if (!walk->space || walk->space < from)
		walk->space = word_space(from, walk->end);
	return walk->space;
}

/*
 * The end of what is in quotes from WORD on: the closing quote, behind VALUE, or the end. In a
 * script a word may go on behind its quotes, in which case POS will be outside of them.
 */
static const char *quoted_end(struct walk *walk, const char *word, const char *value)
{
	bool is_shells = walk->mode == MODE_SCRIPT && walk->quote == word[-1];
	const char *end = is_shells ? word_shell_end(word - 1, walk->end, '\0')
				    : word_quote_end(word - 1, walk->end, false);

	if (end <= value)
		return walk->end;
	if (end[-1] == word[-1])
		return end - 1;
	if (is_shells)
		walk->quote = '\0';
	return end;
}

/* The end of the value at VALUE in the word at WORD: where in doubt, as far as it can be. */
static const char *value_end(struct walk *walk, const char *word, const char *value)
{
	char before = walk_byte_before(walk, word);

	if (walk->mode == MODE_ARGUMENT && !walk->has_space)
		return walk->end;
	if (word_is_quote(before))
		return quoted_end(walk, word, value);
	if (walk->mode == MODE_SCRIPT)
		return word_shell_end(value, walk->end, walk->quote);
	if (value < walk->end && word_is_quote(*value))
		value = word_quote_end(value, walk->end, false);
	return next_space(walk, value);
}

/*
 * Hides the value at POS, in the word at WORD, or the part of it that is secret. Returns false if
 * none is. What needs no look at the whole value comes first: it may be met again and again.
 */
static bool value_hide(struct walk *walk, const char *word, char split, enum secret_kind kind)
{
	size_t size = (size_t)(walk->end - walk->pos);
	size_t source = tools_source_size(walk->tools, walk->pos, size);
	const char *end;

	if (source == SIZE_MAX || (kind == SECRET_UNLESS_PATH && secret_is_path(walk->pos, size)))
		return false;
	end = value_end(walk, word, walk->pos);
	size = (size_t)(end - walk->pos);
	if (split) {
		const char *at =
			memchr(walk->pos, split, size < USERINFO_MAX ? size : USERINFO_MAX);

		if (!at && size < USERINFO_MAX)
			return false;
		source = at ? (size_t)(at + 1 - walk->pos) : 0;
	}
	if (size <= source)
		return false;
	walk_copy(walk, walk->pos + source);
	walk_hide(walk, end);
	return true;
}

static bool ends_word(const struct walk *walk, char c)
{
	return word_is_space(c) || (walk->mode == MODE_SCRIPT && !walk->quote && word_is_end(c));
}

/* So much of the word at POS as an option and its name need. */
static size_t option_size(const struct walk *walk)
{
	const char *end = walk_bounded(walk, walk->pos, TOOL_OPTION_MAX), *at = walk->pos;
	char before = walk_byte_before(walk, at);

	if (walk->mode == MODE_ARGUMENT && !walk->has_space)
		return (size_t)(end - at);
	while (at < end && (word_is_quote(before) ? *at != before : !ends_word(walk, *at)))
		at++;
	/* '-p'secret: the word goes on */
	if (walk->mode == MODE_SCRIPT && word_is_quote(before) && at + 1 < end &&
	    !word_is_space(at[1]) && !word_is_end(at[1]))
		at++;
	return (size_t)(at - walk->pos);
}

/* Whether the word at POS is the name of a secret and nothing else, or that name and its value. */
static bool is_secret_option(const struct walk *walk)
{
	const char *end = word_token_end(walk->pos, walk_bounded(walk, walk->pos, NAME_SIZE_MAX));
	bool is_whole = walk->mode == MODE_ARGUMENT && !walk->has_space;

	if (end < walk->end && *end != '=' && (is_whole || !word_is_space(*end)))
		return false;
	return *walk->pos == '-' && secret_name(walk->pos, (size_t)(end - walk->pos));
}

/* At the begin of a word: known options, and what earlier words announced. True if it moved on. */
static bool word_take(struct walk *walk)
{
	bool wants_value = walk->wants_value;
	const char *word = walk->pos;
	size_t size = walk->tools ? option_size(walk) : 0;
	struct tool_option option;

	walk->wants_value = false;
	if (size > 0 && tools_option_find(walk->tools, word, size, &option)) {
		walk_copy(walk, word + option.value_at);
		walk->tools &= ~option.finished;
		if (option.value_at < size) {
			value_hide(walk, word, option.split, SECRET_VALUE);
		} else {
			walk->wants_value = true;
			walk->split = option.split;
			walk->kind = SECRET_VALUE;
		}
		return walk->pos > word;
	}
	/* "--password --token X": the second is the option it looks like */
	if (wants_value && !is_secret_option(walk))
		return value_hide(walk, word, walk->split, walk->kind);
	if (walk->has_secret_arguments && *word != '-') {
		if (walk->nr_before == 0)
			return value_hide(walk, word, 0, SECRET_VALUE);
		/* a quoted word is met again behind its quote */
		walk->nr_before -= !word_is_quote(*word);
	}
	return false;
}

/* Whether POS may begin a word that word_take() is for. */
static bool is_at_word(const struct walk *walk)
{
	if (walk->mode == MODE_ARGUMENT && walk->pos == walk->start)
		return true;
	if (!walk_begins_word(walk) || word_is_space(*walk->pos))
		return false;
	return walk->mode != MODE_SCRIPT || walk->quote || !word_is_end(*walk->pos);
}

/* What a delimiter in a script does to the words behind it. */
static void script_delimiter(struct walk *walk, char c)
{
	if (walk_byte_before(walk, walk->pos) == '\\')
		return;
	if (walk->quote) {
		if (walk->quote == c)
			walk->quote = '\0';
	} else if (word_is_quote(c)) {
		walk->quote = c;
	} else if (word_is_end(c)) {
		walk->wants_value = false;
		walk->has_secret_arguments = false;
	}
}

static void delimiter_take(struct walk *walk)
{
	char c = *walk->pos;

	if (word_is_space(c)) {
		walk->has_space = true;
		walk->is_pkcs11 = false;
	}
	if (walk->mode == MODE_SCRIPT)
		script_delimiter(walk, c);
	walk_copy(walk, walk->pos + 1);
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
	const char *end = walk_bounded(walk, at, SPACES_MAX);

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/*
 * Reads the sign between a name and its value, and the white space around it, at *AT. Returns its
 * kind, 0 if there is none.
 */
static char sign_read(const struct walk *walk, const char *name, const char **at)
{
	const char *sign = skip_spaces(walk, *at), *value = sign + 1;
	bool is_spaced = sign > *at;

	if (sign == walk->end)
		return 0;
	if (*sign != '=' && *sign != ':') {
		/* SQL: PASSWORD 'literal' */
		*at = sign;
		return word_is_quote(*sign) && is_spaced && *name != '-' ? ' ' : '\0';
	}
	/* "==", "=>", ":=" */
	if (value < walk->end && (*value == '=' || (*value == '>' && *sign == '=')))
		value++;
	/* "NAME= command" has no value, "name = value" has */
	*at = *sign == ':' || is_spaced ? skip_spaces(walk, value) : value;
	return *sign;
}

/* Reads what follows the name from NAME to AT. False if it has no value. */
static bool separator_read(const struct walk *walk, const char *name, const char *at,
			   struct separator *ret)
{
	*ret = (struct separator){ 0 };
	if (at < walk->end && *at == '\\')
		at++;
	if (at < walk->end && word_is_quote(*at) && walk_byte_before(walk, name) == *at) {
		ret->is_quoted_name = true;
		at++;
	}
	ret->kind = sign_read(walk, name, &at);
	if (!ret->kind)
		return false;
	if (ret->is_quoted_name && walk->end - at > 1 && *at == '\\' && word_is_quote(at[1])) {
		ret->is_escaped = true;
		at++;
	}
	if (at < walk->end && word_is_quote(*at))
		ret->quote = *at;
	ret->value = at;
	return at < walk->end;
}

/* The end of an unquoted value behind "name:". */
static const char *field_end(const struct walk *walk, const char *name,
			     const struct separator *separator)
{
	char stop = walk_byte_before(walk, name);
	const char *at = separator->value;

	/* QUOTE is 0 outside of scripts */
	if (!word_is_quote(stop))
		stop = walk->quote;

	if (separator->is_quoted_name) {
		while (at < walk->end && !word_is_space(*at) && !memchr(",}]", *at, 3))
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

/* Hides a quoted value; the quotes stay, so that what is left reads as before. */
static void quoted_hide(struct walk *walk, const struct separator *separator)
{
	const char *start = separator->value + 1;
	const char *end = word_quote_end(separator->value, walk->end, separator->is_escaped);
	size_t tail = 1 + separator->is_escaped;

	walk_copy(walk, start);
	if ((size_t)(end - start) < tail || end[-1] != separator->quote)
		tail = 0;
	walk_hide(walk, end - tail);
	walk_copy(walk, end);
}

/* Hides the value behind a name that names a secret. Returns false if it is none. */
static bool named_value_hide(struct walk *walk, const char *name, enum secret_kind kind,
			     const struct separator *separator)
{
	bool is_quoted = separator->quote && (separator->is_quoted_name || separator->kind == ' ');
	const char *value = separator->value, *end;

	if (kind == SECRET_UNLESS_PATH &&
	    secret_is_path(value + is_quoted, (size_t)(walk->end - value - is_quoted)))
		return false;
	if (is_quoted) {
		quoted_hide(walk, separator);
		return true;
	}
	/* "token::x" is a name of C++ */
	if (separator->kind == ':' && *value == ':' && value[-1] == ':')
		return false;
	end = separator->kind == ':' ? field_end(walk, name, separator)
				     : value_end(walk, name, value);
	if (end == value)
		return false;
	walk_copy(walk, value);
	walk_hide(walk, end);
	return true;
}

static enum secret_kind name_kind(const struct walk *walk, const char *name, size_t size,
				  char separator)
{
	enum secret_kind kind = secret_name(name, size);

	if (kind)
		return walk->is_pkcs11 && bytes_equal(name, size, "token") ? SECRET_NONE : kind;
	if (separator == '=' && secret_is_key_variable(name, size))
		return SECRET_VALUE;
	/* SQL: IDENTIFIED BY 'literal' */
	if (separator == ' ' && size == 2 && strncasecmp(name, "by", size) == 0)
		return SECRET_VALUE;
	return SECRET_NONE;
}

/* A word that says that the next one is a secret. Returns false if it does not. */
static bool word_announces(struct walk *walk, const char *end)
{
	const char *word = walk->pos;
	size_t size = (size_t)(end - word);
	enum secret_kind kind = SECRET_NONE;

	if ((end < walk->end && !word_is_space(*end)) || !walk_begins_word(walk))
		return false;
	/* "Bearer TOKEN", as in a header */
	if (bytes_equal(word, size, "Bearer"))
		kind = SECRET_VALUE;
	else if (*word == '-' && !secret_is_question(word, size))
		kind = secret_name(word, size);
	if (!kind)
		return false;
	walk_copy(walk, end);
	walk->wants_value = true;
	walk->split = 0;
	walk->kind = kind;
	return true;
}

/* A token whose end is a name: of an option, a variable, a header, a field. True if it moved on. */
static bool name_take(struct walk *walk, const char *end)
{
	const char *token = walk->pos, *name;
	struct separator separator;
	enum secret_kind kind;

	while (end > token && end[-1] == '\\')
		end--;
	for (name = end; name > token && word_is_name(name[-1]) && end - name < NAME_SIZE_MAX;)
		name--;
	if (name == end)
		return false;
	if (!separator_read(walk, name, end, &separator))
		return name == token && word_announces(walk, end);
	kind = name_kind(walk, name, (size_t)(end - name), separator.kind);
	return kind && named_value_hide(walk, name, kind, &separator);
}

/* What ends the authority of a URL (RFC 3986, 3.2), or the URL. */
static bool ends_authority(const struct walk *walk, char c)
{
	/* an argument is one URL: its password may have a space that ought to be escaped */
	bool is_whole = walk->mode == MODE_ARGUMENT && !walk->has_space;

	if (c == '/' || c == '?' || c == '#' || c == '"')
		return true;
	return !is_whole && (word_is_space(c) || word_is_quote(c) || c == '<' || c == '>');
}

/*
 * The '@' behind a password with a slash in it, which some readers of URLs allow. COLON is before
 * the password, STOP ends the authority; NULL if this is a host with a port, or without '@'.
 */
static const char *late_at(const struct walk *walk, const char *colon, const char *stop)
{
	const char *limit = walk_bounded(walk, stop, USERINFO_MAX);

	if (!colon || colon + 1 == stop || bytes_are_digits(colon + 1, (size_t)(stop - colon - 1)))
		return NULL;
	while (stop < limit && !word_is_space(*stop) && !word_is_quote(*stop) && *stop != '@')
		stop++;
	return stop < limit && *stop == '@' ? stop : NULL;
}

/* "//user:password@host" behind a scheme, from TOKEN. True if it moved on. */
static bool url_take(struct walk *walk, const char *token)
{
	const char *start = token + 2, *stop = start, *at, *colon;

	if (start == walk->end)
		return false;
	while (stop < walk->end && !ends_authority(walk, *stop))
		stop++;
	at = memrchr(start, '@', (size_t)(stop - start));
	colon = memchr(start, ':', (size_t)((at ? at : stop) - start));
	if (!at && *start != '[')
		at = late_at(walk, colon, stop);
	if (!at || (!colon && at - start < TOKEN_MIN))
		return false;
	walk_copy(walk, colon ? colon + 1 : start);
	if (walk->pos < at)
		walk_hide(walk, at);
	return true;
}

/* "user:password@host" without a scheme, from the token that ends at COLON. True if it moved on. */
static bool userinfo_take(struct walk *walk, const char *colon)
{
	const char *limit = walk_bounded(walk, colon, USERINFO_MAX), *at = colon + 1;

	if (walk->pos == colon || memchr(walk->pos, '/', (size_t)(colon - walk->pos)))
		return false;
	while (at < limit && !word_is_space(*at) && !word_is_quote(*at) && *at != '/' && *at != '@')
		at++;
	if (at == limit || *at != '@' || at == colon + 1 || at + 1 == walk->end ||
	    word_is_delimiter(at[1]))
		return false;
	/* an image by tag and digest */
	if (bytes_begin(at + 1, (size_t)(walk->end - at - 1), "sha"))
		return false;
	walk_copy(walk, colon + 1);
	walk_hide(walk, at);
	return true;
}

static void token_take(struct walk *walk)
{
	const char *token = walk->pos, *end = word_token_end(token, walk->pem);

	walk_tools(walk, token, end);
	if (secret_is_marked(token, (size_t)(end - token))) {
		walk_hide(walk, end);
		return;
	}
	if (bytes_equal(token, (size_t)(end - token), "pkcs11"))
		walk->is_pkcs11 = true;
	if (name_take(walk, end))
		return;
	if (end - token >= 2 && token[0] == '/' && token[1] == '/' && token > walk->start &&
	    token[-1] == ':' && url_take(walk, token))
		return;
	if (end < walk->end && *end == ':' && (walk_begins_word(walk) || token[-1] == '=') &&
	    userinfo_take(walk, end))
		return;
	walk_path(walk, end);
}

static void pem_find(struct walk *walk)
{
	walk->pem = secret_pem_find(walk->pos, walk->end, &walk->pem_end);
	if (!walk->pem)
		walk->pem = walk->end;
}

static void text_take(struct walk *walk, enum walk_mode mode, const char *text, size_t size)
{
	walk->mode = mode;
	walk->start = text;
	walk->end = text + size;
	walk->pos = text;
	walk->space = NULL;
	walk->quote = 0;
	walk->has_space = false;
	walk->is_pkcs11 = false;
	pem_find(walk);
	while (walk->pos < walk->end) {
		/* a hidden value may have taken the key along, or its first part */
		if (walk->pos > walk->pem && walk->pos >= walk->pem_end)
			pem_find(walk);
		if (walk->pos <= walk->pem && is_at_word(walk) && word_take(walk))
			continue;
		if (walk->pos >= walk->pem) {
			walk_hide(walk, walk->pem_end);
			pem_find(walk);
		} else if (word_is_delimiter(*walk->pos)) {
			delimiter_take(walk);
		} else {
			token_take(walk);
		}
	}
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

		text_take(&walk, is_script && !wants_value ? MODE_SCRIPT : MODE_ARGUMENT, argv,
			  taken);
		/* an empty argument is a value, too */
		if (!taken)
			walk.wants_value = false;
		is_script = announces_script(argv, taken) && tools_have_shell(walk.tools);
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
