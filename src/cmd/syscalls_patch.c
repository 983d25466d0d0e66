/* SPDX-License-Identifier: MIT */
/* `syscalls patch`: a program and its policy in, a program that installs it out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/patch_files.h"
#include "cmd/policies.h"
#include "inspect/elf.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "syscalls/patch_policy.h"
#include "syscalls/points.h"

#define DETAIL_SIZE (PATCH_WHAT_SIZE + 2 * LOG_QUOTE_SIZE)

#define RUN_INSTEAD "Solution: run it under its policy as it is, with `crypto-tracer syscalls run`."
#define RECORD_ANEW "Solution: record the program as it is now, and make a policy of that."

struct patching {
	const struct options *options;
	const char *program;
	struct policy *policy;
	bool is_narrowed; /* execve(2) was taken out of it */
	struct patch_source source;
	struct points points; /* of phase 1 and later */
	struct patch_plan plan;
	struct sock_filter *filters[PATCH_PHASES_MAX];
	char names[PATCH_PHASES_MAX][LOG_QUOTE_SIZE];
	struct patch_image image;
	char path[PATH_MAX]; /* of the program, really */
};

static int report_usage(const char *what, const char *detail)
{
	error_report(what, detail, "Try: crypto-tracer syscalls patch --help", NULL);
	return EXIT_USAGE;
}

/* WHAT cannot be done with the file PATH, for WHY. Returns EXIT_ERROR. */
static int report_file(const char *what, const char *path, const char *why, const char *action)
{
	char quoted[LOG_QUOTE_SIZE];
	char line[2 * LOG_QUOTE_SIZE];

	snprintf(line, sizeof(line), "Cannot %s '%s'", what, log_quote(quoted, path));
	error_report(line, why, action, NULL);
	return EXIT_ERROR;
}

/* The program is not patched: it IS something, "is a script". */
static int report_refused(const struct patching *patching, const char *is, const char *action)
{
	char detail[DETAIL_SIZE];

	snprintf(detail, sizeof(detail), "It %s.", is);
	return report_file("patch", patching->program, detail, action);
}

static int check_options(const struct options *options)
{
	if (options->nr_files != 1)
		return report_usage("One program has to be given", NULL);
	if (!options->syscalls.policy)
		return report_usage("There is no policy: --policy FILE", NULL);
	if (!options->output || strcmp(options->output, "-") == 0)
		return report_usage("The copy needs a name: --output FILE", NULL);
	return 0;
}

static int read_policy(struct patching *patching)
{
	const struct options *options = patching->options;
	int status = policies_read(options, &patching->policy);

	if (status)
		return status;
	if (patching->policy->action == POLICY_NOTIFY)
		return policies_refuse(options,
				       "Its action is notify, and a copy has no supervisor that "
				       "would answer.",
				       "Solution: give another action, such as --action errno.");
	if (patching->policy->native != SYSCALL_ARCH_x86_64)
		return policies_refuse(options,
				       "It is for another architecture: only x86-64 can be "
				       "patched.",
				       "Solution: record the program on x86-64.");
	patching->is_narrowed = patch_policy_narrow(patching->policy);
	return 0;
}

/* The build id in the program, or an empty text. */
static void find_build_id(const struct patching *patching, char ret[static ELF_BUILD_ID_TEXT])
{
	struct window window;
	struct elf elf;

	window_memory(&window, patching->source.bytes, patching->source.size);
	if (elf_open(&elf, &window) || !elf_build_id(&elf, ret))
		ret[0] = '\0';
	window_close(&window);
}

/* Whether the policy was made for this very program, or does not say for which one. */
static int check_identity(const struct patching *patching)
{
	const struct policy *policy = patching->policy;
	char id[ELF_BUILD_ID_TEXT], quoted[LOG_QUOTE_SIZE], detail[DETAIL_SIZE];
	int err = policy_is_of(policy, patching->source.fd);

	find_build_id(patching, id);
	if (policy->build_id && strcmp(policy->build_id, id) != 0) {
		snprintf(detail, sizeof(detail),
			 "The policy was made for another program:\n"
			 "its build id is %s,\nthat of this one %s.",
			 log_quote(quoted, policy->build_id), *id ? id : "is not told");
		return report_file("patch", patching->program, detail, RECORD_ANEW);
	}
	if (err == 0)
		return report_file("patch", patching->program,
				   "Its bytes are others than when it was recorded (SHA-256).",
				   RECORD_ANEW);
	if (err < 0 && err != -ENODATA)
		return report_file("read", patching->program, strerror(-err), NULL);
	if (!patch_source_is_current(&patching->source))
		return report_file("patch", patching->program, "It is being written to.", NULL);
	return 0;
}

static int read_program(struct patching *patching)
{
	char what[PATCH_WHAT_SIZE];
	struct patch_elf elf;
	int err = patch_source_open(patch_files_program(patching->path), &patching->source, what);

	if (!err) /* what it is goes before whether it is the right one */
		err = patch_elf_read(&elf, patching->source.bytes, patching->source.size, what);
	if (err == -EOPNOTSUPP)
		return report_refused(patching, what, RUN_INSTEAD);
	if (err == -EAGAIN)
		return report_refused(patching, "is being written to", NULL);
	if (err)
		return report_file("read", patching->program, strerror(-err), NULL);
	return check_identity(patching);
}

/* Phase I cannot begin where the policy says, for WHY. */
static int refuse_point(const struct patching *patching, size_t i, const char *why)
{
	char what[PATCH_WHAT_SIZE];

	patch_say(what, "has no place where phase %zu, '%s', can begin: %s", i, patching->names[i],
		  why);
	return report_refused(patching, what, RUN_INSTEAD);
}

/* Where in the program phase I begins. */
static int find_point(struct patching *patching, size_t i)
{
	const char *text = patching->policy->phases[i].point;
	char what[POINT_WHAT_SIZE] = "";
	const struct point *point;
	struct stat st;
	int err = points_add(&patching->points, text, patching->path, what);

	log_quote(patching->names[i], text);
	if (err)
		return refuse_point(patching, i, *what ? what : strerror(-err));
	point = &patching->points.list[patching->points.nr - 1];
	if (point->kind != POINT_CODE)
		return refuse_point(patching, i, "that is an event, and no place in its code");
	if (fstat(point->fd, &st) < 0 || st.st_dev != patching->source.st.st_dev ||
	    st.st_ino != patching->source.st.st_ino)
		return refuse_point(patching, i, "that is in another file");
	patching->plan.phases[i].offset = point->offset;
	patching->plan.phases[i].name = patching->names[i];
	return 0;
}

static int find_points(struct patching *patching)
{
	int status = 0;

	for (size_t i = 1; !status && i < patching->policy->nr_phases; i++)
		status = find_point(patching, i);
	return status;
}

static int make_filters(struct patching *patching)
{
	struct sock_filter filter[FILTER_MAX];

	patching->plan.nr_phases = patching->policy->nr_phases;
	for (size_t i = 0; i < patching->policy->nr_phases; i++) {
		int nr = patch_policy_filter(patching->policy, i, -1, filter);

		if (nr < 0)
			return report_error("cannot make a filter of the policy", nr);
		patching->filters[i] = malloc((size_t)nr * sizeof(*filter));
		if (!patching->filters[i])
			return report_error("cannot make a filter of the policy", -ENOMEM);
		memcpy(patching->filters[i], filter, (size_t)nr * sizeof(*filter));
		patching->plan.phases[i].filter = patching->filters[i];
		patching->plan.phases[i].nr = (size_t)nr;
	}
	return 0;
}

static int make_image(struct patching *patching)
{
	const struct patch_source *source = &patching->source;
	char what[PATCH_WHAT_SIZE];
	int err = patch_make(source->bytes, source->size, &patching->plan, &patching->image, what);

	if (err == -EOPNOTSUPP)
		return report_refused(patching, what, RUN_INSTEAD);
	return err ? report_error("cannot patch", err) : 0;
}

/* WHAT of the copy could not be made. */
static int report_copy(const struct patching *patching, const char *what, int err)
{
	const char *path = patching->options->output;
	char quoted[LOG_QUOTE_SIZE], detail[DETAIL_SIZE];

	if (err == -EEXIST)
		return report_file("make", path, "There is such a file.",
				   "Solution: give another name, or remove that file.");
	if (err == -EOPNOTSUPP) {
		snprintf(detail, sizeof(detail), "What was written %s.", what);
		return report_file("make", path, detail, NULL);
	}
	if (*what) {
		snprintf(detail, sizeof(detail), "Of the copy, %s: %s", log_quote(quoted, what),
			 strerror(-err));
		return report_file("make", path, detail,
				   err == -ENOSPC ? "Solution: make room, or write elsewhere."
						  : NULL);
	}
	return report_output(path, err, false);
}

/* What is to be known of the copy that was made. */
static void tell_copy(const struct patching *patching, const struct patch_files_result *result)
{
	struct policy_notes notes = { 0 };

	patch_policy_note(patching->policy, &notes);
	for (size_t i = 0; i < notes.nr; i++)
		log_warn("%s", notes.list[i]);
	policy_notes_free(&notes);
	if (patching->is_narrowed)
		log_info("the copy may not call execve(2), which the program was not seen to do");
	if (result->lost_owner)
		log_warn("the copy is yours: only root can give it the owner of the original");
	if (result->lost_attributes)
		log_warn("the copy lacks extended attributes that only root can give it");
	if (result->lost_signature)
		log_warn("the original is signed (security.ima, security.evm), the copy is not");
}

static int write_copy(struct patching *patching)
{
	_cleanup_(cleanup_fd) int fd = patch_files_copy();
	struct patch_files_result result = { 0 };
	int err = fd < 0 ? fd : 0;

	if (err)
		return report_copy(patching, result.what, err);
	err = patch_image_write(fd, &patching->image, result.what);
	if (!err)
		err = patch_image_verify(fd, &patching->source, &patching->plan, result.what);
	if (!err)
		err = patch_files_publish(&result);
	if (err)
		return report_copy(patching, result.what, err);
	tell_copy(patching, &result);
	return 0;
}

static int patch_all(struct patching *patching)
{
	static int (*const steps[])(struct patching *) = {
		read_policy, read_program, find_points, make_filters, make_image, write_copy,
	};
	int status = 0;

	for (size_t i = 0; !status && i < sizeof(steps) / sizeof(steps[0]); i++)
		status = steps[i](patching);
	return status;
}

static int patch_run(const struct options *options)
{
	struct patching *patching;
	int status = check_options(options);

	if (status || !patch_files_enter(options, &status))
		return status;
	patching = calloc(1, sizeof(*patching));
	if (!patching)
		return report_error("cannot patch", -ENOMEM);
	patching->options = options;
	patching->program = options->files[0];
	patching->source.fd = -1;
	status = patch_all(patching);
	patch_image_free(&patching->image);
	for (size_t i = 0; i < PATCH_PHASES_MAX; i++)
		free(patching->filters[i]);
	points_free(&patching->points);
	patch_source_close(&patching->source);
	policy_free(patching->policy);
	free(patching);
	return status;
}

const struct command syscalls_patch_command = {
	.name = "syscalls patch",
	.help = "make a copy of a program that installs its policy",
	.synopsis = "--policy FILE -o OUT PROGRAM",
	.details =
		"The copy installs the filter itself where it begins, after the dynamic loader,\n"
		"and the filters of later phases where its code reaches their points; events\n"
		"are not such places. Where it cannot, it ends. Mode, owner and extended\n"
		"attributes are kept, the original is not touched.\n",
	.examples = "crypto-tracer syscalls patch --policy ls.policy -o ./ls /bin/ls\n",
	.tables = { &syscalls_patch_options, &general_options },
	.takes_files = true,
	.run = patch_run,
};
