/* SPDX-License-Identifier: MIT */
/*
 * src/pipeline/redact.c and what it uses: no byte beyond input or output, arguments keep their
 * number, a path has one spelling, and what follows a secret's name never shows.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/redact.h"

#define MARK	  "S3cr3tM4rk"
#define INPUT_MAX 4096

static struct redactor *redactor, *open_redactor;

static void check(int condition)
{
	if (!condition)
		abort();
}

static void make_redactors(void)
{
	static const char passwd[] = "root:x:0:0::/root:/bin/sh\n"
				     "dave:x:1000:1000::/srv/people/dave:/bin/sh\n"
				     "eve:x:1001:1001::/data/eve:/bin/sh\n";
	char path[] = "/tmp/redact_fuzz.XXXXXX";
	const struct redact_options hides = { .paths = true, .passwd_path = path };
	const struct redact_options shows = { .paths = false };
	int fd = mkstemp(path);

	check(fd >= 0 && write(fd, passwd, sizeof(passwd) - 1) == sizeof(passwd) - 1);
	check(redactor_new(&redactor, &hides) == 0 && redactor_new(&open_redactor, &shows) == 0);
	close(fd);
	unlink(path);
}

static size_t count_nuls(const char *bytes, size_t size)
{
	size_t nr = 0;

	for (size_t i = 0; i < size; i++)
		nr += bytes[i] == '\0';
	return nr;
}

/* All functions, with an output of CAP bytes that a sanitizer watches. */
static void check_bounds(const char *bytes, size_t size, size_t cap)
{
	char *out = malloc(cap);
	bool is_truncated = false;

	for (int i = 0; i < 2; i++) {
		const struct redactor *by = i ? open_redactor : redactor;
		size_t written;

		check((written = redact_path(by, bytes, size, out, cap)) < cap && !out[written]);
		check((written = redact_text(by, bytes, size, out, cap)) < cap && !out[written]);
		check((written = redact_user(by, bytes, size, out, cap)) < cap && !out[written]);
		written = redact_args(by, bytes, size, out, cap, &is_truncated);
		check(written < cap && !out[written]);
		check(is_truncated || count_nuls(bytes, size) == count_nuls(out, written));
	}
	free(out);
}

static void check_path(const char *bytes, size_t size)
{
	static char once[4 * INPUT_MAX], twice[4 * INPUT_MAX];
	size_t once_size = redact_path(redactor, bytes, size, once, sizeof(once));
	size_t twice_size = redact_path(redactor, once, once_size, twice, sizeof(twice));

	check(once_size == twice_size && memcmp(once, twice, once_size) == 0);
}

/* The input as the name of a home directory. */
static void check_home(const char *name, size_t size)
{
	static char path[INPUT_MAX + 16], out[4 * INPUT_MAX];
	int path_size;

	if (size == 0 || size > 1024 || memchr(name, '/', size) || name[0] == '.' ||
	    memcmp(name, "ROOT", size < 4 ? size : 4) == 0)
		return;
	path_size = snprintf(path, sizeof(path), "/home/");
	memcpy(path + path_size, name, size);
	memcpy(path + path_size + size, "/k", 2);
	redact_path(redactor, path, (size_t)path_size + size + 2, out, sizeof(out));
	check(strcmp(out, "/home/USER/k") == 0);
}

/* The input before a mark, as the value of a secret: the mark never shows. */
static void check_secret(const char *noise, size_t size, unsigned int form)
{
	static const char *const forms[] = {
		"x|--password=",
		"x|--password|",
		"x|A_TOKEN=",
		"x|TLS_KEY=",
		"mysql|-p",
		"sshpass|-p|",
		"curl|-H|Authorization: ",
		"openssl|x|-passin|pass:",
		"zip|-P|",
		"docker|login|-p|",
		"x|-Da.password=",
		"curl|-u|me:",
		"x|Cookie: ",
		"ssh-keygen|-N|",
	};
	static char argv[2 * INPUT_MAX], out[8 * INPUT_MAX];
	const char *begin = forms[form % (sizeof(forms) / sizeof(forms[0]))];
	size_t begin_size = strlen(begin), written;
	bool is_truncated;

	if (memmem(noise, size, MARK, 4) || memchr(noise, '\0', size))
		return;
	for (size_t i = 0; i < begin_size; i++)
		argv[i] = begin[i] == '|' ? '\0' : begin[i];
	memcpy(argv + begin_size, noise, size);
	memcpy(argv + begin_size + size, MARK, sizeof(MARK));
	written = redact_args(form & 16 ? redactor : open_redactor, argv,
			      begin_size + size + sizeof(MARK), out, sizeof(out), &is_truncated);
	check(!is_truncated && !memmem(out, written, MARK, sizeof(MARK) - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 2;

	if (!redactor)
		make_redactors();
	if (size < 2 || size > INPUT_MAX)
		return 0;
	size -= 2;
	check_bounds(bytes, size, 1 + data[1]);
	check_bounds(bytes, size, 8 * INPUT_MAX);
	check_path(bytes, size);
	check_home(bytes, size);
	check_secret(bytes, size, data[0]);
	return 0;
}
