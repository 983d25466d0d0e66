/* SPDX-License-Identifier: MIT */
#ifndef LIB_JSON_DOCUMENT_H
#define LIB_JSON_DOCUMENT_H

/*
 * Reading JSON that may be anything, with json-c. Its size, its depth and how many values it has
 * are looked at before a tree is made of it, as that takes far more memory than the text.
 */

#include <stddef.h>

#define JSON_DOCUMENT_MAX (256U << 20) /* bytes */

struct json_object;

enum json_fault {
	JSON_FAULT_none,
	JSON_FAULT_size,   /* above JSON_DOCUMENT_MAX */
	JSON_FAULT_values, /* so many that the tree would take more than some 2 GiB */
	JSON_FAULT_syntax, /* not one document, UTF-8 and 16 deep at most, for json-c when strict */
	JSON_FAULT_memory,
	NR_JSON_FAULTS
};

/*
 * Parses SIZE bytes at TEXT. *RET is the caller's, to be given back with json_object_put(), and may
 * be any value, NULL where it is `null`; untouched on failure.
 */
enum json_fault json_document_parse(const char *text, size_t size, struct json_object **ret);

/*
 * Reads the file that a document is in, as file_read_fd() does. FD is taken over, and may be the
 * negative errno for which there is none. With an error *RET_WHAT is what is wrong, for people.
 */
int json_document_read(int fd, char **ret, size_t *ret_size, const char **ret_what);

#endif /* LIB_JSON_DOCUMENT_H */
