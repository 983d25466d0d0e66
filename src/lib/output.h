/* SPDX-License-Identifier: MIT */
#ifndef LIB_OUTPUT_H
#define LIB_OUTPUT_H

/*
 * Where results go: a file, standard output, a pipe. Owns its descriptor; buffers nothing (the
 * writers above it do). A write is complete or an error: interrupted and partial writes are
 * continued, unless the flag given at opening is set, so that a reader that does not read
 * cannot keep the program from ending.
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* What a part of the output needs in order to stand alone, when the rest goes elsewhere. */
struct output_frame {
	const char *open;
	const char *close;
	char separator; /* dropped where a part would begin with it */
};

/* Output that is kept in memory; BYTES are the caller's to free. */
struct output_text {
	char *bytes;
	size_t size;
	size_t cap;
};

struct output {
	int fd;
	struct output_text *text; /* NULL: to the descriptor */
	bool is_file;		  /* a regular file: synced at the end */
	bool is_last;		  /* standard output: there is nothing to fall back to */
	bool must_empty;	  /* a named file: emptied when there is something to write */
	bool has_parts;		  /* something was written */
	bool is_terminal;
	bool failed; /* the named output gave up and the rest went to standard output */
	int error;   /* the negative errno of that moment */
	const struct output_frame *frame; /* NULL: parts need nothing */
	const volatile sig_atomic_t *give_up;
};

/*
 * Opens PATH: NULL or "-" is standard output; /dev/stdout, /dev/stderr and /dev/fd/N are
 * descriptors that are already open. An existing regular file keeps its mode, and its content until
 * something is written: then it is truncated; a new one is made 0600. Refused: a symbolic link in a
 * directory that others may write, or that is another user's (-ELOOP), also on the way there:
 * parent_open(). That is as fs.protected_symlinks does but also where that is off. GIVE_UP may be
 * NULL. Returns 0 or a negative errno.
 */
int output_open(struct output *output, const char *path, const volatile sig_atomic_t *give_up);

/*
 * Whether it may be coloured: it is a terminal, and the environment does not ask for none
 * (https://no-color.org).
 */
bool output_wants_color(const struct output *output);

/* Makes OUTPUT add to TEXT, which is borrowed and may be zeroed. */
void output_memory(struct output *output, struct output_text *text);

/*
 * Writes SIZE bytes, which begin and end at the boundary of an event. When the named output cannot
 * take them (disk full, device gone) they and all that follows go to standard output, a file is cut
 * back to where they began, and output->failed is set: nothing is lost or torn. Returns 0, -EPIPE
 * when the reader is gone, -EINTR when told to give up, or another negative errno when standard
 * output fails too.
 */
int output_write(struct output *output, const char *bytes, size_t size);

/* Syncs a regular file and closes. Safe on a zeroed or closed struct. Returns 0 or a negative
 * errno. */
int output_close(struct output *output);

#endif /* LIB_OUTPUT_H */
