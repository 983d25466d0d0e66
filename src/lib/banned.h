/* SPDX-License-Identifier: MIT */
#ifndef LIB_BANNED_H
#define LIB_BANNED_H

/*
 * Functions that are easy to use wrongly, made compile errors. Included on the command line before
 * every file, so the system headers that declare them come first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANNED(name) use_of_##name##_is_banned

#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef system
#define system(...) BANNED(system)
#undef popen
#define popen(...) BANNED(popen)
#undef tmpnam
#define tmpnam(...) BANNED(tmpnam)
#undef mktemp
#define mktemp(...) BANNED(mktemp)

#endif /* LIB_BANNED_H */
