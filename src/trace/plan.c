/* SPDX-License-Identifier: MIT */
#include "trace/plan.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/api_sites.h"
#include "inspect/usdt.h"
#include "lib/cleanup.h"
#include "sources/api_call/api_call.h"

/*
 * Calls in a second before a probe is taken off. A hit costs 1 us with its event and 0.7 without at
 * a place that the kernel emulates, 10 us at others (docs/benchmarks.md): some 2 % of a CPU for
 * what is told; 15 % for hashes, most of which a library computes itself; a quarter to a third of
 * one where counting was asked for.
 */
#define LIMIT_CHEAP	    20000
#define LIMIT_DEAR	    2000
#define LIMIT_CHEAP_OUTSIDE 200000
#define LIMIT_CHEAP_COUNTED 500000
#define LIMIT_DEAR_COUNTED  25000

bool plan_wants(const struct api_function *function, enum api_group group)
{
	return group == API_GROUP_all || function->group == API_GROUP_default;
}

static unsigned int wire_reader(const struct api_argument *argument)
{
	switch ((enum api_reader)argument->reader) {
	case API_READ_text:
	case API_READ_path:
		return API_WIRE_text;
	case API_READ_algorithm:
		return API_WIRE_name;
	case API_READ_number:
	case API_READ_code:
		return API_WIRE_number;
	case API_READ_code_at:
		return argument->codes == ALGORITHM_CODES_mechanism ? API_WIRE_long_at
								    : API_WIRE_int_at;
	case API_READ_code_in:
		return API_WIRE_int_in;
	case API_READ_method:
		return API_WIRE_method;
	case API_READ_key_of:
		return API_WIRE_key_of;
	case API_READ_versions_at:
		return API_WIRE_versions;
	case API_READ_control:
		return API_WIRE_control;
	case API_READ_setting:
		return API_WIRE_setting;
	case API_READ_kernel_name:
	case API_READ_none:
		break;
	}
	return API_WIRE_none;
}

/* The integer arguments that are read, a bit each. */
static uint8_t argument_mask(const struct api_function *function)
{
	uint8_t mask = 0;

	for (size_t i = 0; i < API_ARGUMENTS_MAX; i++) {
		const struct api_argument *argument = &function->arguments[i];

		if (argument->reader == API_READ_none)
			break;
		mask |= (uint8_t)(1U << argument->index);
		/* (ssl, command, long, pointer), and (context, name, value). */
		if (argument->reader == API_READ_control)
			mask |= 0xc;
		if (argument->reader == API_READ_setting)
			mask |= (uint8_t)(2U << argument->index);
	}
	return mask;
}

/*
 * Whether a call without the first argument only goes on with what was set up before, or is a
 * command that is not told.
 */
static bool is_required(const struct api_function *function)
{
	if (function->arguments[0].reader == API_READ_control)
		return true;
	return (function->kind == API_KIND_cipher || function->kind == API_KIND_digest ||
		function->kind == API_KIND_mac) &&
	       (function->arguments[0].reader == API_READ_code_at ||
		function->arguments[0].reader == API_READ_code_in ||
		function->arguments[0].reader == API_READ_method);
}

uint64_t plan_cookie(const struct api_function *function, bool is_program, bool has_names)
{
	uint64_t cookie = has_names ? API_COOKIE_NAMED : 0;

	for (unsigned int i = 0; i < API_ARGUMENTS_MAX; i++)
		cookie |= api_cookie_argument(i, wire_reader(&function->arguments[i]),
					      function->arguments[i].index);
	if (function->group == API_GROUP_all)
		return cookie | API_COOKIE_COUNT;
	if (function->kind == API_KIND_internal)
		return cookie | API_COOKIE_QUIET;
	if (function->result != API_RESULT_none)
		cookie |= API_COOKIE_RESULT;
	if (is_required(function))
		cookie |= API_COOKIE_REQUIRED;
	if (function->arguments[0].name && strcmp(function->arguments[0].name, "hash") == 0)
		cookie |= API_COOKIE_HASH;
	if (function->is_outside && !is_program)
		cookie |= API_COOKIE_OUTSIDE;
	return cookie;
}

static uint32_t limit_of(uint64_t cookie, bool is_cheap)
{
	if (cookie & API_COOKIE_COUNT)
		return is_cheap ? LIMIT_CHEAP_COUNTED : LIMIT_DEAR_COUNTED;
	/* A key from a password takes thousands of hashes, which are not told. */
	if (cookie & API_COOKIE_OUTSIDE && is_cheap)
		return LIMIT_CHEAP_OUTSIDE;
	return is_cheap ? LIMIT_CHEAP : LIMIT_DEAR;
}

/* How much code there is around OFFSET. */
static void find_neighbours(const struct elf *elf, struct planned *planned)
{
	for (size_t i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *segment = &elf->segments[i];

		if (segment->type != PT_LOAD || planned->offset < segment->offset ||
		    planned->offset - segment->offset >= segment->size ||
		    segment->size > UINT32_MAX)
			continue;
		planned->before = (uint32_t)(planned->offset - segment->offset);
		planned->behind = (uint32_t)(segment->size - planned->before);
		return;
	}
}

/* Whether the program can find the return address at PLACE. */
static bool has_return_address(const struct probe_place *place)
{
	return place->has_stack && place->stack <= UINT16_MAX; /* api_slot.stack */
}

static struct planned plan_one(const struct elf *elf, const struct api_function *function,
			       uint64_t cookie, const struct probe_place *place)
{
	struct planned planned = {
		.function = function,
		.offset = place->offset,
		.entry = place->offset - place->skipped,
		.cookie = cookie,
		.has_return = cookie & (API_COOKIE_RESULT | API_COOKIE_QUIET),
	};
	bool is_by_caller = cookie & API_COOKIE_OUTSIDE;

	/* One place for both is hit once. Who calls is told by the return address. */
	if (planned.has_return || (is_by_caller && !has_return_address(place)))
		planned.offset = planned.entry;
	if (is_by_caller && planned.offset == place->offset)
		planned.stack = place->stack;
	find_neighbours(elf, &planned);
	planned.limit = limit_of(cookie, place->is_cheap && planned.offset == place->offset);
	return planned;
}

/* OpenSSL has had it since 3.0, its forks have not. */
#define SINCE_3 "EVP_MD_fetch"
/* All of them have it. */
#define ANY_OPENSSL "EVP_CipherInit_ex"
/*
 * A program that hashes through a BIO is told, although the function that does it for the program
 * is in the library: near this one, in the same object file.
 */
#define HASHING_BIO "BIO_f_md"

/* Arguments are read from registers as this program's own calls have them. */
static bool is_for_this_machine(const struct elf *elf)
{
	const uint8_t *machine = window_get(elf->file, offsetof(Elf64_Ehdr, e_machine), 2);
#if defined(__x86_64__)
	const uint64_t own = EM_X86_64;
#else
	const uint64_t own = EM_AARCH64;
#endif

	return elf->is_64 && machine && elf_number(elf, machine, 2) == own;
}

/* What a file of FAMILY is asked for, and what it has. */
struct search {
	const struct api_function *functions; /* of the family */
	size_t nr_functions;
	const struct api_function *wanted[PLAN_MAX];
	struct probe_want wants[PLAN_MAX]; /* those, and then NR_ASKED */
	struct probe_place places[PLAN_MAX];
	int errors[PLAN_MAX];
	size_t nr;
	bool has_names;
	bool has_any;
};

/* Behind what is wanted: two that tell which OpenSSL it is, and HASHING_BIO. */
#define NR_ASKED 3

/*
 * Searches ELF for the functions of FAMILY in GROUP. IS_PROGRAM: nobody calls from another file,
 * and what functions for such callers call is told. Returns as probe_places().
 */
static int search_file(struct search *search, const struct elf *elf, enum library_family family,
		       enum api_group group, bool is_program)
{
	int err;

	*search = (struct search){ 0 };
	search->functions = api_functions(family, &search->nr_functions);
	for (size_t i = 0; i < search->nr_functions && search->nr + NR_ASKED < PLAN_MAX; i++) {
		const struct api_function *function = &search->functions[i];

		if (!plan_wants(function, group) ||
		    (is_program && function->is_outside && !function->in_programs) ||
		    (!is_program && function->is_inside))
			continue;
		search->wanted[search->nr] = function;
		search->wants[search->nr++] =
			(struct probe_want){ function->name, argument_mask(function) };
	}
	if (!search->nr)
		return 0;
	search->wants[search->nr].name = SINCE_3;
	search->wants[search->nr + 1].name = ANY_OPENSSL;
	search->wants[search->nr + 2].name = HASHING_BIO;
	err = probe_places(elf, search->wants, search->nr + NR_ASKED, search->places,
			   search->errors);
	search->has_names = !err && !search->errors[search->nr];
	search->has_any = !err && !search->errors[search->nr + 1];
	return err;
}

/* Whether OpenSSL 3, which HAS_NAMES, calls another function of the catalogue in its place. */
static bool is_over(const struct api_function *function, bool has_names)
{
	return has_names && function->until && function->until[0] <= '3';
}

/*
 * Searches a program for OpenSSL or a fork of it. Returns 0, with *FAMILY none when there is none,
 * or a negative errno.
 */
static int search_program(struct search *search, const struct elf *elf, enum api_group group,
			  enum library_family *family)
{
	int err = search_file(search, elf, LIBRARY_FAMILY_openssl, group, true);

	if (err || !search->has_any) {
		search->nr = 0;
		return err;
	}
	*family = search->has_names ? LIBRARY_FAMILY_openssl : LIBRARY_FAMILY_boringssl;
	return search->has_names ? 0 : search_file(search, elf, *family, group, true);
}

/* Plans the probe of what was wanted as number I, and found. */
static struct planned plan_found(const struct search *search, const struct elf *elf, size_t i,
				 bool is_program)
{
	const struct api_function *function = search->wanted[i];
	struct planned planned =
		plan_one(elf, function, plan_cookie(function, is_program, search->has_names),
			 &search->places[i]);

	if (!search->errors[search->nr + 2] && function->kind == API_KIND_digest)
		planned.also = (int32_t)(search->places[search->nr + 2].offset - planned.offset);
	return planned;
}

/* What a library tells of itself: https://github.com/latchset/crypto-auditing */
#define PROVIDER "crypto_auditing"

/* The kind of static probe NAME, 0: not ours, and in *RET_ARGUMENTS how many it needs. */
static uint32_t site_kind(const char *name, size_t *ret_arguments)
{
	static const struct {
		const char *name;
		uint32_t kind;
		size_t nr_arguments;
	} kinds[] = {
		{ "word_data", API_SITE_word, 3 },
		{ "string_data", API_SITE_string, 3 },
		{ "data", API_SITE_data, 3 },
		{ "new_context_with_data", API_SITE_context, 4 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(name, kinds[i].name) == 0) {
			*ret_arguments = kinds[i].nr_arguments;
			return kinds[i].kind;
		}
	return 0;
}

/* Plans the probe at SITE. Returns false when it tells nothing, or not in a way that is known. */
static bool plan_site(const struct usdt_site *site, struct planned *ret)
{
	size_t nr_arguments = 0;
	uint32_t kind = site_kind(site->name, &nr_arguments);

	*ret = (struct planned){
		.function = api_site_function("", 0),
		.offset = site->offset,
		.entry = site->offset,
		.cookie = API_COOKIE_SITE,
		/* A "nop", which the kernel emulates. */
		.limit = LIMIT_CHEAP,
		.site.kind = kind,
	};
	for (size_t i = 0; i < nr_arguments; i++) {
		const struct usdt_argument *argument = &site->arguments[i];

		if (argument->where == USDT_NOWHERE)
			return false;
		ret->site.arguments[i] = (struct api_site_argument){
			.number = argument->number,
			.place = argument->place,
			.where = argument->where,
			.size = argument->size,
		};
	}
	return kind && !site->semaphore;
}

/*
 * Adds the static probes of ELF to the NR that are planned in RET. Returns how many there are;
 * *RET_REFUSED of ours tell nothing, or not in a way that is known.
 */
static int plan_sites(const struct elf *elf, struct planned *ret, int nr, size_t *ret_refused)
{
	_cleanup_(cleanup_free) struct usdt_site *sites = malloc(PLAN_MAX * sizeof(*sites));
	size_t nr_sites = sites ? usdt_sites(elf, PROVIDER, sites, PLAN_MAX) : 0;

	for (size_t i = 0; i < nr_sites && nr < PLAN_MAX; i++) {
		if (plan_site(&sites[i], &ret[nr]))
			nr++;
		else if (ret[nr].site.kind)
			(*ret_refused)++;
	}
	return sites ? nr : -ENOMEM;
}

int plan_make(const struct elf *elf, enum library_family *family, enum api_group group,
	      struct planned *ret, size_t *ret_refused)
{
	_cleanup_(cleanup_free) struct search *search = malloc(sizeof(*search));
	bool is_program = *family == LIBRARY_FAMILY_none;
	int count = 0;
	int err;

	*ret_refused = 0;
	if (!search)
		return -ENOMEM;
	if (!is_for_this_machine(elf))
		return is_program ? 0 : -EOPNOTSUPP;
	err = is_program ? search_program(search, elf, group, family)
			 : search_file(search, elf, *family, group, false);
	for (size_t i = 0; !err && i < search->nr; i++)
		if (!search->errors[i] && !is_over(search->wanted[i], search->has_names))
			ret[count++] = plan_found(search, elf, i, is_program);
	return err ? err : plan_sites(elf, ret, count, ret_refused);
}
