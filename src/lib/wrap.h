/* SPDX-License-Identifier: MIT */
#ifndef LIB_WRAP_H
#define LIB_WRAP_H

/* Sentences, and commands to be typed, in lines that fit a terminal. */

#include <stdio.h>

/* What lines of 80 columns have in common. */
struct wrap {
	int indent;	  /* columns before the first line */
	int hang;	  /* columns before the others */
	const char *lead; /* in front of the first line, behind its indentation */
	const char *end;  /* of a line that goes on: "", or " \\" for a command of the shell */
};

#define WRAP_WIDTH 80

/*
 * Writes TEXT to OUT in lines of at most WRAP_WIDTH columns, broken at blanks; a word that is
 * longer has a line of its own. Every line ends in a newline. TEXT is ASCII, and ours. Errors of
 * OUT are OUT's.
 */
void wrap_print(FILE *out, const struct wrap *how, const char *text);

#endif /* LIB_WRAP_H */
