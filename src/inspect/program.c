/* SPDX-License-Identifier: MIT */
#include "inspect/program.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "inspect/banner.h"
#include "inspect/constants.h"
#include "inspect/elf.h"
#include "inspect/gobuild.h"
#include "inspect/providers.h"
#include "inspect/rustdep.h"
#include "inspect/search.h"
#include "inspect/symbols.h"
#include "lib/array.h"
#include "lib/utf8.h"

/* Everything that is known of a file while it is looked at. */
struct look {
	struct elf elf;
	enum program_depth depth;
	uint32_t family;
	char build_id[ELF_BUILD_ID_TEXT];
	char soname[4 * ELF_STRING_MAX];
	const char *version; /* in BANNERS, or NULL */
	const char *note;
	bool is_elf;
	bool is_go;
	bool has_tls13;
	struct gobuild go;
	struct crates crates;
	struct banners banners;
	struct constants constants;
	struct symbols_seen dynamic, local; /* of .dynsym and of .symtab */
	uint64_t linked; /* families of the shared libraries that the program names, a bit each */
	struct providers providers;
};

/*
 * OpenSSL and its forks. They have functions and even banners in common, so that a program that
 * links one of them dynamically may contain what looks like another.
 */
static const uint32_t openssl_like[] = { LIBRARY_FAMILY_aws_lc, LIBRARY_FAMILY_boringssl,
					 LIBRARY_FAMILY_libressl, LIBRARY_FAMILY_openssl };

/* What implements TLS 1.3. */
static const uint32_t tls_like[] = {
	LIBRARY_FAMILY_aws_lc,	LIBRARY_FAMILY_boringssl, LIBRARY_FAMILY_botan,
	LIBRARY_FAMILY_gnutls,	LIBRARY_FAMILY_libressl,  LIBRARY_FAMILY_libtls,
	LIBRARY_FAMILY_mbedtls, LIBRARY_FAMILY_nss,	  LIBRARY_FAMILY_openssl,
	LIBRARY_FAMILY_rustls,	LIBRARY_FAMILY_s2n,	  LIBRARY_FAMILY_wolfssl,
};

#define LIBRARY_FAMILY(family, help) _Static_assert(LIBRARY_FAMILY_##family < 64, "a bit for each");
#include "catalogue/libraries.def"

static uint64_t family_bit(uint32_t family)
{
	return UINT64_C(1) << family % 64;
}

static bool is_openssl_like(uint32_t family)
{
	for (size_t i = 0; i < ARRAY_SIZE(openssl_like); i++)
		if (openssl_like[i] == family)
			return true;
	return false;
}

/* Whether the program gets FAMILY from a shared library. */
static bool is_linked(const struct look *look, uint32_t family)
{
	uint32_t exporter = is_openssl_like(family) ? LIBRARY_FAMILY_openssl : family;

	if (symbols_import(&look->dynamic, exporter) || (look->linked & family_bit(family)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(openssl_like) && is_openssl_like(family); i++)
		if (look->linked & family_bit(openssl_like[i]))
			return true;
	return false;
}

static bool is_linked_name(void *ctx, const char *provider)
{
	for (size_t i = 0; i < library_family_codes.nr_entries; i++)
		if (!strcmp(library_family_codes.entries[i].name, provider))
			return is_linked(ctx, (uint32_t)library_family_codes.entries[i].code);
	return false;
}

static void read_names(struct look *look)
{
	char text[ELF_STRING_MAX];

	elf_build_id(&look->elf, look->build_id);
	if (look->elf.soname && elf_string(&look->elf, look->elf.soname, text))
		text_escape(look->soname, sizeof(look->soname), text, strlen(text));
	for (size_t i = 0; i < look->elf.nr_needed; i++) {
		const struct library_class *class;

		if (!elf_string(&look->elf, look->elf.needed[i], text))
			continue;
		class = library_classify(text, strlen(text));
		if (class)
			look->linked |= family_bit(class->family);
	}
}

/* The label of every key that TLS 1.3 and QUIC derive: RFC 8446, section 7.1. */
static const struct needle tls13_needles[] = {
	{ .bytes = "tls13 ", .size = 6 },
};

static void take_tls13(void *ctx, size_t which, const struct hit *hit)
{
	struct look *look = ctx;

	(void)which;
	(void)hit;
	look->has_tls13 = true;
}

/* Tables for unwinding are a tenth of a program and hold no texts. */
static bool is_text_place(const struct look *look, const struct elf_section *section)
{
	const uint64_t kinds = SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR;

	if (section->type != SHT_PROGBITS)
		return false;
	/* Where a Go program can be loaded anywhere, its names of functions are among these. */
	if (look->is_go && !strncmp(section->name, ".data.rel.ro", strlen(".data.rel.ro")))
		return true;
	/* That of MIT Kerberos is not constant, and so among what can be written. */
	if (look->depth == PROGRAM_LIBRARY && strcmp(section->name, ".data") == 0)
		return true;
	return (section->flags & kinds) == SHF_ALLOC && strcmp(section->name, ".eh_frame") != 0 &&
	       strcmp(section->name, ".eh_frame_hdr") != 0 &&
	       strcmp(section->name, ".gcc_except_table") != 0;
}

/* Constants of algorithms are in code as well. */
static bool search_segments(struct look *look, struct search *search)
{
	bool is_whole = true;

	for (size_t i = 0; i < look->elf.nr_segments; i++) {
		const struct elf_segment *segment = &look->elf.segments[i];

		if (segment->type == PT_LOAD && (look->is_go || !(segment->flags & PF_W)))
			is_whole = search_run(search, look->elf.file, segment->offset,
					      segment->size) &&
				   is_whole;
	}
	return is_whole;
}

static bool search_sections(struct look *look, struct search *search)
{
	bool is_whole = true;

	for (size_t i = 0; i < look->elf.nr_sections; i++) {
		const struct elf_section *section = &look->elf.sections[i];

		if (is_text_place(look, section))
			is_whole = search_run(search, look->elf.file, section->offset,
					      section->size) &&
				   is_whole;
	}
	return is_whole;
}

static int search_all(struct look *look)
{
	struct needle_group groups[5];
	struct search *search;
	size_t nr_groups = 0;
	bool is_whole;
	int err;

	banners_init(&look->banners, look->family);
	groups[nr_groups++] = banners_group(&look->banners);
	if (look->depth != PROGRAM_LIBRARY) {
		groups[nr_groups++] = rustdep_group(&look->crates);
		groups[nr_groups++] =
			(struct needle_group){ tls13_needles, ARRAY_SIZE(tls13_needles), take_tls13,
					       look };
	}
	if (look->is_go)
		groups[nr_groups++] = gobuild_group(&look->go);
	if (look->depth == PROGRAM_DEEP)
		groups[nr_groups++] = constants_group(&look->constants);

	err = search_new(&search, groups, nr_groups);
	if (err)
		return err;
	if (look->elf.nr_segments && (look->depth == PROGRAM_DEEP || !look->elf.nr_sections))
		is_whole = search_segments(look, search);
	else
		is_whole = search_sections(look, search);
	if (!is_whole)
		look->note = "not all of the file could be read";
	else if (look->elf.is_cut)
		look->note = "the file has more sections than are looked at";
	search_free(search);
	return 0;
}

static int look_library(struct look *look)
{
	int err;

	if (look->family == LIBRARY_FAMILY_none)
		return 0;
	err = search_all(look);
	if (!err)
		banners_version(&look->banners, look->family, &look->version);
	return err;
}

static const char *family_name(uint32_t family)
{
	return code_name(&library_family_codes, family);
}

/* A library that the program's own functions or banners show. */
static void judge_family(struct look *look, uint32_t family, bool is_exported, bool is_local)
{
	const char *version;
	bool has_banner = banners_version(&look->banners, family, &version);
	struct draft *draft = NULL;

	/* A banner alone may be copied from a header of the library that the program links. */
	if (!is_exported && is_linked(look, family))
		return;
	if (is_exported)
		draft = providers_add(&look->providers, family_name(family), LINKAGE_bundled,
				      CONFIDENCE_high, "exports");
	if (draft) /* Crates may have told of it before, as static. */
		draft->linkage = LINKAGE_bundled;
	if (is_local && !is_exported)
		draft = providers_add(&look->providers, family_name(family), LINKAGE_static,
				      CONFIDENCE_high, "symbols");
	if (has_banner)
		draft = providers_add(&look->providers, family_name(family), LINKAGE_static,
				      CONFIDENCE_medium, "banner");
	if (draft && version)
		draft_version(draft, version, strlen(version));
}

/* Which of OpenSSL and its forks has the functions that all of them have. */
static uint32_t judge_fork(const struct look *look, const struct symbols_seen *seen)
{
	const char *version;

	if (symbols_define(seen, LIBRARY_FAMILY_aws_lc))
		return LIBRARY_FAMILY_aws_lc;
	/* AWS-LC has BoringSSL's functions. */
	if (symbols_define(seen, LIBRARY_FAMILY_boringssl))
		return banners_version(&look->banners, LIBRARY_FAMILY_aws_lc, &version)
			       ? LIBRARY_FAMILY_aws_lc
			       : LIBRARY_FAMILY_boringssl;
	if (!symbols_define(seen, LIBRARY_FAMILY_openssl))
		return LIBRARY_FAMILY_none;
	/* LibreSSL has no function of its own that every program with it would have. */
	return banners_version(&look->banners, LIBRARY_FAMILY_libressl, &version)
		       ? LIBRARY_FAMILY_libressl
		       : LIBRARY_FAMILY_openssl;
}

static void judge_libraries(struct look *look)
{
	uint32_t exported = judge_fork(look, &look->dynamic);
	uint32_t local = judge_fork(look, &look->local);

	for (size_t i = 0; i < library_family_codes.nr_entries; i++) {
		uint32_t family = (uint32_t)library_family_codes.entries[i].code;

		if (is_openssl_like(family))
			judge_family(look, family, family == exported, family == local);
		else
			judge_family(look, family, symbols_define(&look->dynamic, family),
				     symbols_define(&look->local, family));
	}
}

static void judge_tls13(struct look *look)
{
	if (!look->has_tls13 || look->providers.count)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(tls_like); i++)
		if (is_linked(look, tls_like[i]))
			return;
	providers_add(&look->providers, "tls13", LINKAGE_static, CONFIDENCE_medium, "tls13 label");
}

/* What is inside an executable. Symbols first: texts are many, the budget may end. */
static int look_program(struct look *look)
{
	struct elf_symbols symbols;
	int err = gobuild_read(&look->elf, &look->go);

	if (err && err != -ENOENT)
		return err;
	look->is_go = !err;
	err = rustdep_read(&look->elf, &look->crates);
	if (!err)
		err = symbols_look(&look->elf, &look->elf.dynamic, &look->dynamic);
	if (!err && !look->is_go && elf_symtab(&look->elf, &symbols))
		err = symbols_look(&look->elf, &symbols, &look->local);
	if (!err)
		err = search_all(look);
	if (err)
		return err;
	gobuild_tell(&look->go, &look->providers);
	rustdep_tell(&look->crates, &look->providers, is_linked_name, look);
	judge_libraries(look);
	judge_tls13(look);
	constants_tell(&look->constants, &look->providers);
	return 0;
}

static int program_new(const struct look *look, struct program **ret)
{
	size_t nr_providers = look->providers.count;
	struct program *program =
		calloc(1, sizeof(*program) + providers_size(&look->providers) +
				  text_size(look->soname) + text_size(look->version));

	if (!program)
		return -ENOMEM;

	struct provider *items = (struct provider *)(program + 1);
	char *next = providers_copy(&look->providers, items);

	program->soname = text_copy(&next, look->soname);
	program->version = text_copy(&next, look->version);
	memcpy(program->build_id, look->build_id, sizeof(program->build_id));
	program->note = look->note;
	program->is_elf = look->is_elf;
	program->providers = (struct item_list){
		.items = items,
		.count = nr_providers,
		.stride = sizeof(*items),
		.truncated = nr_providers == PROGRAM_PROVIDERS_MAX,
	};
	*ret = program;
	return 0;
}

int program_inspect(struct window *file, enum program_depth depth, uint32_t family,
		    struct program **ret)
{
	struct look *look = calloc(1, sizeof(*look));
	int err = 0;

	if (!look)
		return -ENOMEM;
	look->depth = depth;
	look->family = depth == PROGRAM_LIBRARY ? family : LIBRARY_FAMILY_none;
	look->is_elf = elf_open(&look->elf, file) == 0;
	if (look->is_elf) {
		read_names(look);
		err = depth == PROGRAM_LIBRARY ? look_library(look) : look_program(look);
	}
	if (!err)
		err = program_new(look, ret);
	gobuild_free(&look->go);
	free(look);
	return err;
}

void program_free(struct program *program)
{
	free(program);
}
