/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_API_H
#define CATALOGUE_API_H

/*
 * The functions of crypto libraries that are worth watching, and what may be read where they are
 * entered and left (api_*.def). An argument is here only when the documentation of the library says
 * that it is a setting: what may be a password, a key or data is never read. Everything returned is
 * static and constant.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/algorithms.h"
#include "catalogue/codes.h"
#include "catalogue/libraries.h"

/* What a call tells. Codes are for use within a run: only the names are printed and promised. */
enum api_kind {
#define API_KIND(kind, help) API_KIND_##kind,
#include "catalogue/api.def"
};

extern const struct code_table api_kind_codes;

enum api_group {
	API_GROUP_default, /* initialisation, settings, handshakes, keys: rare */
	API_GROUP_all	   /* once an operation: watched when all is asked for */
};

/* How an argument, passed as a register, is read. */
enum api_reader {
	API_READ_none,
	API_READ_text,	    /* const char *, a public setting */
	API_READ_algorithm, /* const char *, a name for algorithm_by_name() */
	API_READ_path,	    /* const char *, a file; keep no more than api_path_kept() */
	API_READ_number,    /* int */
	API_READ_code,	    /* int for algorithm_by_code() */
	API_READ_code_at,   /* a pointer to such a number, see api_argument */
	API_READ_code_in,   /* a structure whose first member is such a pointer */
	API_READ_method,    /* a pointer to an EVP_MAC or EVP_KDF of OpenSSL 3, which has a name */
	API_READ_key_of,    /* a pointer to an EVP_PKEY_CTX, whose kind of key OpenSSL 3 names */
	API_READ_versions_at, /* a pointer to two uint16_t, the least and the greatest version of
				 TLS */
	API_READ_control,     /* int, a command: see api_command_find() */
	API_READ_setting,     /* const char *, and the const char * after it: see api.def */
	API_READ_kernel_name  /* a name for algorithms_by_kernel_name() */
};

/*
 * With code_at, what is pointed to is an unsigned long for ALGORITHM_CODES_mechanism and an int for
 * ALGORITHM_CODES_nid. The latter is the first member of EVP_CIPHER and EVP_MD in OpenSSL 1.0 to 3
 * and its forks. With code_in it is the same EVP_MD, which EVP_MD_CTX begins with in these
 * versions: as digest in 1.0 and 1.1, as reqdigest in 3 (crypto/evp/evp_local.h). It is 0 for what
 * only a provider of OpenSSL 3 has: that has a name (include/crypto/evp.h, the same from 3.0
 * to 3.5), as a method has, and is thus known without a look at what was fetched.
 */
struct api_argument {
	uint8_t reader; /* enum api_reader */
	uint8_t index;	/* 0 to 5 */
	uint8_t codes;	/* enum algorithm_codes, with code and code_at */
	const char *name;
};

enum api_result {
	API_RESULT_none,
	API_RESULT_number, /* int */
	API_RESULT_pointer
};

enum api_finding_kind {
#define API_FINDING(finding, help) API_FINDING_##finding,
#include "catalogue/api.def"
};

extern const struct code_table api_finding_codes;

/* Of a number against a limit. Of two versions it is the least. */
enum api_test {
	API_TEST_always,
	API_TEST_equals,
	API_TEST_differs,
	API_TEST_below,
	API_TEST_set_below, /* and is not 0, which leaves it to the library */
	API_TEST_without    /* has none of the bits of the limit */
};

/* In place of an argument. */
#define API_OF_RESULT 0xff

struct api_finding {
	uint8_t kind; /* enum api_finding_kind */
	uint8_t of;   /* place in the arguments of the function, or API_OF_RESULT */
	uint8_t test; /* enum api_test */
	int32_t limit;
};

#define API_ARGUMENTS_MAX 3

struct api_function {
	const char *name;      /* the symbol */
	const char *algorithm; /* of algorithms.h, where the function itself says it; or NULL */
	const char *since;     /* first version with it, or NULL: all that are seen */
	/*
	 * First version without it, or where it only calls another one of the catalogue, or NULL.
	 * "3.0" of OpenSSL is heeded: the function then has no probe.
	 */
	const char *until;
	uint16_t only;	 /* told where the first argument is this number; 0: always */
	bool is_outside; /* told where the caller is not in the same file */
	/* with is_outside: in a program with the library inside it is told whoever calls */
	bool in_programs;
	bool is_inside; /* watched only where the library is inside a program */
	uint8_t family; /* enum library_family: boringssl for all forks of OpenSSL */
	uint8_t kind;	/* enum api_kind */
	uint8_t group;	/* enum api_group */
	uint8_t result; /* enum api_result */
	struct api_argument arguments[API_ARGUMENTS_MAX]; /* the first of reader none ends them */
	struct api_finding finding;
};

/*
 * The functions of FAMILY, of which a library may lack some: of another version, or another file of
 * the family. NULL and a count of 0 when there are none. Forks of OpenSSL share one table.
 */
const struct api_function *api_functions(enum library_family family, size_t *ret_nr);

/* The function of FAMILY whose symbol is the SIZE bytes at NAME; NULL when it is not watched. */
const struct api_function *api_find(enum library_family family, const char *name, size_t size);

/* The rows of api_kernel.def; on the wire, too. */
enum api_kernel {
#define API_KERNEL(id, function, kind, ...) API_KERNEL_##id,
#include "catalogue/api_kernel.def"
};

/* The system call with NUMBER, of enum api_kernel; NULL when there is none. */
const struct api_function *api_kernel_function(uint32_t number);

/*
 * The row of a bind(2) to TYPE, SIZE bytes (salg_type), with ALGORITHM, NULL when it is not known.
 * What the kernel calls a hash may be a MAC.
 */
const struct api_function *api_kernel_bind(const char *type, size_t size,
					   const struct algorithm *algorithm);

/*
 * A command of OpenSSL's SSL_ctrl() and SSL_CTX_ctrl(), (ssl, command, long, pointer). The argument
 * is to be read with the same registers as the function's; other commands pass keys among them.
 */
struct api_command {
	int command;
	const char *name;
	struct api_argument argument;
	struct api_finding finding;
};

/* NULL: nothing but the command may be read. */
const struct api_command *api_command_find(int command);

/* The commands, for a filter in front of the reading. */
const struct api_command *api_commands(size_t *ret_nr);

/*
 * What FUNCTION does with a key of the kind KEY: keys on elliptic curves are of one kind, signing
 * and agreeing with them have names of their own.
 */
const struct algorithm *api_key_as_used(const struct api_function *function,
					const struct algorithm *key);

/* Whether FINDING holds for VALUE, the argument or result that it is of; any where it always does.
 */
bool api_finding_holds(const struct api_finding *finding, int64_t value);

/*
 * How many of the SIZE bytes of a path argument may be kept. Where a file is meant, some functions
 * also take a URI: of that the scheme only, since RFC 7512 has PINs in it ("pin-value").
 */
size_t api_path_kept(const char *text, size_t size);

#endif /* CATALOGUE_API_H */
