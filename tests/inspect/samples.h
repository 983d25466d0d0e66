/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INSPECT_SAMPLES_H
#define TESTS_INSPECT_SAMPLES_H

/*
 * Samples of crypto files, made by the programs that people make them with, in a directory of their
 * own that is removed at exit. What these programs say of a sample is what tests compare with.
 * Nothing here is kept: every key is made for the run and thrown away.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inspect/content.h"
#include "support/guard.h"

extern char **environ;

static char sample_dir[] = "/tmp/crypto-tracer-samples.XXXXXX";

static int sample_remove(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
	(void)stat;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void samples_remove(void)
{
	if (chdir("/") == 0)
		nftw(sample_dir, sample_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Group setup: the directory becomes the current one. */
static inline int samples_setup(void **state)
{
	(void)state;
	if (!mkdtemp(sample_dir) || chdir(sample_dir))
		return -1;
	/* Nobody's own settings, agent or key ring. */
	setenv("HOME", sample_dir, 1);
	setenv("GNUPGHOME", sample_dir, 1);
	setenv("LC_ALL", "C", 1);
	atexit(samples_remove);
	return content_prepare();
}

/* Runs SCRIPT with sh; its output goes to "out". Returns the exit status. */
static inline int sample_run(const char *script)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-ec" }, NULL, NULL };
	posix_spawn_file_actions_t actions;
	char *text = strdup(script);
	int status = -1;
	pid_t pid;

	argv[2] = text;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, 2, "err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (posix_spawnp(&pid, "sh", &actions, NULL, argv, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	free(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int sample_has(const char *program)
{
	char script[128];

	snprintf(script, sizeof(script), "command -v %s", program);
	return sample_run(script) == 0;
}

/* The file NAME, for the caller to free, with a NUL behind it. */
static inline char *sample_read(const char *name, size_t *ret_size)
{
	FILE *file = fopen(name, "rb");
	char *bytes;
	size_t size;

	assert_non_null(file);
	bytes = malloc((4U << 20) + 1);
	assert_non_null(bytes);
	size = fread(bytes, 1, 4U << 20, file);
	fclose(file);
	bytes[size] = '\0';
	if (ret_size)
		*ret_size = size;
	return bytes;
}

/* What SCRIPT prints, without the newline at its end, for the caller to free. */
static inline char *sample_output(const char *script)
{
	size_t size;
	char *text;

	assert_int_equal(sample_run(script), 0);
	text = sample_read("out", &size);
	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	return text;
}

static inline void sample_write(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static inline uint64_t sample_now_ns(void)
{
	return (uint64_t)time(NULL) * 1000000000ULL;
}

/* Judges SIZE bytes that end at a page that cannot be read. */
static inline struct content *sample_judge(const void *bytes, size_t size, const char *name)
{
	const void *guarded = guard_copy(bytes, size);
	struct content *content = NULL;

	assert_int_equal(
		content_inspect(guarded, size, false, name, NULL, sample_now_ns(), &content), 0);
	guard_free(guarded, size);
	assert_non_null(content);
	return content;
}

/* Judges the file NAME. */
static inline struct content *sample_inspect(const char *name)
{
	struct content *content;
	size_t size;
	char *bytes = sample_read(name, &size);

	content = sample_judge(bytes, size < CONTENT_SIZE_MAX ? size : CONTENT_SIZE_MAX, name);
	free(bytes);
	return content;
}

/* Makes NAME by SCRIPT and judges it. */
static inline struct content *sample_make(const char *name, const char *script)
{
	if (sample_run(script) != 0)
		fail_msg("'%s' failed: %s", script, sample_read("err", NULL));
	return sample_inspect(name);
}

static inline const struct certificate *sample_certificate(const struct content *content,
							   size_t index)
{
	assert_true(index < content->certificates.count);
	return (const struct certificate *)content->certificates.items + index;
}

static inline const struct key *sample_key(const struct content *content, size_t index)
{
	assert_true(index < content->keys.count);
	return (const struct key *)content->keys.items + index;
}

/* The finding of RULE, or NULL. */
static inline const struct finding *sample_finding(const struct content *content, const char *rule)
{
	const struct finding *findings = content->findings.items;

	for (size_t i = 0; i < content->findings.count; i++)
		if (strcmp(findings[i].rule, rule) == 0)
			return &findings[i];
	return NULL;
}

/* Asserts that the only key is this one. CURVE and TYPE may be NULL. */
static inline void sample_expect_key(const struct content *content, const char *type,
				     const char *format, const char *curve, uint32_t bits,
				     int is_private, int is_encrypted)
{
	const struct key *key = sample_key(content, 0);

	assert_int_equal(content->keys.count, 1);
	if (type)
		assert_string_equal(key->type ? key->type : "none", type);
	else
		assert_null(key->type);
	assert_string_equal(key->format, format);
	if (curve)
		assert_string_equal(key->curve ? key->curve : "none", curve);
	else
		assert_null(key->curve);
	assert_int_equal(key->bits, bits);
	assert_int_equal(key->is_private, is_private);
	assert_int_equal(key->is_encrypted, is_encrypted);
}

#endif /* TESTS_INSPECT_SAMPLES_H */
