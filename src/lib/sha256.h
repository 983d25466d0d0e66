/* SPDX-License-Identifier: MIT */
#ifndef LIB_SHA256_H
#define LIB_SHA256_H

/* What identifies the bytes of a file: FIPS 180-4. */

#define SHA256_TEXT 65 /* hexadecimal, with its NUL */

/*
 * Hashes all bytes of the file open at FD, wherever it stands, which does not move. Returns 0 or a
 * negative errno: of pread(2), -ENOMEM, -EIO where libcrypto has no SHA-256.
 */
int sha256_file(int fd, char ret[static SHA256_TEXT]);

#endif /* LIB_SHA256_H */
