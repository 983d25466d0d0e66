/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PROGRAM_H
#define INSPECT_PROGRAM_H

/*
 * What crypto an ELF file brings along: as a library its version, as an executable what is built
 * into it. Reads the parts that tell, through a window; the file is never mapped whole and never
 * run. A struct program owns everything in it, until program_free().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/codes.h"
#include "lib/window.h"
#include "pipeline/field.h"

#define PROGRAM_PROVIDERS_MAX 16
#define PROGRAM_BUILD_ID_MAX  20
/* What is read of one file at most, and with PROGRAM_DEEP. */
#define PROGRAM_BUDGET	    (64U << 20)
#define PROGRAM_BUDGET_DEEP (256U << 20)

enum linkage {
	LINKAGE_dynamic, /* a shared library, mapped */
	LINKAGE_static,	 /* built into the executable from a library's archive or as source */
	LINKAGE_bundled, /* a library of its own that the executable contains and exports */
	LINKAGE_kernel,
};
extern const struct code_table linkage_codes;

enum confidence {
	CONFIDENCE_low, /* could, not does: constants */
	CONFIDENCE_medium,
	CONFIDENCE_high,
};
extern const struct code_table confidence_codes;

/* An item of provider_fields. Strings are UTF-8 and may be NULL. */
struct provider {
	/*
	 * A family of libraries.def, "go", a crate ("rustls", "ring"), "rustcrypto" (algorithms
	 * written in Rust), "tls13" (a TLS 1.3 stack), "constants"
	 */
	const char *name;
	const char *version; /* "3.0.19" */
	uint32_t linkage;
	uint32_t confidence;
	/*
	 * NUL-separated: "exports" (its functions, for others), "symbols" (the same, for itself),
	 * "banner", "buildinfo" and packages of Go, "crates" (a list), "paths" (of their source
	 * files), "tls13 label", "constants"
	 */
	const char *evidence;
	size_t evidence_size;
	const char *modules; /* NUL-separated: "golang.org/x/crypto v0.31.0", "ring 0.17.8" */
	size_t modules_size;
	const char *settings; /* NUL-separated: "GOFIPS140=v1.0.0", "DefaultGODEBUG=fips140=on" */
	size_t settings_size;
	const char *capabilities; /* NUL-separated, PROGRAM_DEEP: "AES", "SHA-256", "ChaCha20" */
	size_t capabilities_size;
};

enum program_depth {
	PROGRAM_LIBRARY, /* a crypto library: its version, soname, build id */
	PROGRAM_USUAL,	 /* an executable, parts that are cheap to read */
	PROGRAM_DEEP,	 /* and constants of algorithms */
};

struct program {
	char build_id[2 * PROGRAM_BUILD_ID_MAX + 1]; /* hexadecimal; empty: none */
	const char *soname;
	const char *version;	    /* of a library, from its own bytes; NULL: it does not tell */
	struct item_list providers; /* of struct provider: what is inside */
	const char *note;	    /* why less is known than could be; NULL: nothing to say */
	bool is_elf;
};

/*
 * Looks into FILE; FAMILY is that of a library (enum library_family, LIBRARY_FAMILY_none for an
 * executable) and tells which version to look for. Never fails on bad bytes: *RET then says less.
 * Returns 0 or -ENOMEM.
 */
int program_inspect(struct window *file, enum program_depth depth, uint32_t family,
		    struct program **ret);

void program_free(struct program *program);

/* {name, version, linkage, evidence, confidence, modules, settings, capabilities} */
extern const struct fields provider_fields;

#endif /* INSPECT_PROGRAM_H */
