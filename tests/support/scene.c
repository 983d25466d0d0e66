/* SPDX-License-Identifier: MIT */
#include "support/scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROCESSES_MAX 1024

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
			     "alice:x:1001:1001:Alice:/srv/alice:/bin/bash\n";

static void die(const char *what, int err)
{
	fprintf(stderr, "scene: %s: %s\n", what, strerror(-err));
	abort();
}

static struct redactor *make_redactor(bool is_redacted)
{
	char path[64];
	int fd = memfd_create("passwd", MFD_CLOEXEC);
	struct redact_options options = { .paths = is_redacted, .passwd_path = path };
	struct redactor *redactor;
	int err;

	if (fd < 0 || write(fd, passwd, sizeof(passwd) - 1) != (ssize_t)sizeof(passwd) - 1)
		die("passwd", -errno);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = redactor_new(&redactor, &options);
	if (err)
		die("redactor_new", err);
	close(fd);
	return redactor;
}

static void open_scene(struct scene *scene, const char *format, bool is_redacted, bool is_selective)
{
	char path[64];
	int err;

	*scene = (struct scene){ .file = memfd_create("scene", MFD_CLOEXEC) };
	snprintf(path, sizeof(path), "/dev/fd/%d", scene->file);
	err = output_open(&scene->output, path, NULL);
	if (err)
		die("output_open", err);
	scene->redactor = make_redactor(is_redacted);
	err = writer_new(&scene->pipeline.writer, sink_find(format), &scene->output,
			 scene->redactor, false);
	if (!err)
		err = processes_new(&scene->pipeline.processes, PROCESSES_MAX, is_selective);
	if (err)
		die("writer_new, processes_new", err);
	scene->pipeline.clock.offset_ns = SCENE_BOOT_S * 1000000000;
	scene->pipeline.filter.wanted = (1U << NR_SOURCES) - 1;
}

void scene_open(struct scene *scene, const char *format, bool is_redacted)
{
	open_scene(scene, format, is_redacted, false);
}

void scene_open_selective(struct scene *scene, const char *format)
{
	open_scene(scene, format, false, true);
}

int scene_take(struct scene *scene, const struct raw *raw)
{
	return pipeline_record(&scene->pipeline, raw->bytes, raw->size);
}

int scene_document(struct scene *scene, const void *document, const struct fields *fields)
{
	struct record record = { .bytes = document, .arena = &scene->pipeline.arena };

	scene->pipeline.arena.used = 0;
	return writer_record(scene->pipeline.writer, &record, &fields, 1);
}

static const char *read_rest(struct scene *scene)
{
	struct stat st;
	size_t size;

	if (fstat(scene->file, &st) < 0)
		die("fstat", -errno);
	size = (size_t)st.st_size - scene->text_at;
	free(scene->text);
	scene->text = malloc(size + 1);
	if (!scene->text ||
	    pread(scene->file, scene->text, size, (off_t)scene->text_at) != (ssize_t)size)
		die("read", -errno);
	scene->text[size] = '\0';
	scene->text_at += size;
	return scene->text;
}

const char *scene_text(struct scene *scene)
{
	int err = writer_flush(scene->pipeline.writer);

	if (err)
		die("writer_flush", err);
	return read_rest(scene);
}

const char *scene_end(struct scene *scene)
{
	int err = writer_end(scene->pipeline.writer);

	if (err)
		die("writer_end", err);
	return read_rest(scene);
}

void scene_close(struct scene *scene)
{
	writer_free(scene->pipeline.writer);
	processes_free(scene->pipeline.processes);
	redactor_free(scene->redactor);
	output_close(&scene->output);
	close(scene->file);
	free(scene->text);
}
