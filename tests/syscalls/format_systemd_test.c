/* SPDX-License-Identifier: MIT */
/* The drop-in as systemd.exec(5) says that it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>

#include "support/files.h"
#include "support/policies.h"
#include "support/spawn.h"
#include "support/verdicts.h"

#define NAMES_MAX 1024
#define NAME_SIZE 40

/* What the settings of a unit come to. */
struct unit {
	char names[NAMES_MAX][NAME_SIZE]; /* that are allowed, or not logged */
	size_t nr_names;
	bool has_filter, has_log, has_arch;
	bool has_i386, has_x32;
	uint32_t refused; /* SECCOMP_RET_* */
};

static void add_name(struct unit *unit, const char *name, size_t size)
{
	assert_true(unit->nr_names < NAMES_MAX && size < NAME_SIZE);
	snprintf(unit->names[unit->nr_names++], NAME_SIZE, "%.*s", (int)size, name);
}

static void remove_name(struct unit *unit, const char *name, size_t size)
{
	for (size_t i = 0; i < unit->nr_names;) {
		if (strlen(unit->names[i]) == size && memcmp(unit->names[i], name, size) == 0)
			memmove(unit->names[i], unit->names[--unit->nr_names], NAME_SIZE);
		else
			i++;
	}
}

/* Each word of LIST. */
static void each_word(struct unit *unit, const char *list,
		      void (*take)(struct unit *unit, const char *word, size_t size))
{
	while (*list) {
		size_t size = strcspn(list, " ");

		if (size)
			take(unit, list, size);
		list += size + strspn(list + size, " ");
	}
}

/* A name of a group that libseccomp does not know counts for nothing. */
static void add_known(struct unit *unit, const char *name, size_t size)
{
	char text[NAME_SIZE];

	snprintf(text, sizeof(text), "%.*s", (int)size, name);
	if (seccomp_syscall_resolve_name(text) != __NR_SCMP_ERROR)
		add_name(unit, name, size);
}

/* What is allowed in any case: of this version of systemd where it is installed. */
static void add_default(struct unit *unit)
{
	const char *const argv[] = { "systemd-analyze", "syscall-filter", "@default", NULL };
	const char *const fallback =
		"brk clock_gettime execve exit exit_group getpid getrandom mmap munmap nanosleep "
		"restart_syscall rt_sigreturn sched_yield time";
	char line[256];
	FILE *file;

	if (!spawn_has(argv[0])) {
		print_message("systemd-analyze is not installed: @default is a guess\n");
		each_word(unit, fallback, add_name);
		return;
	}
	assert_int_equal(spawn_wait(argv, files_path("default")), 0);
	file = fopen(files_path("default"), "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		size_t indent = strspn(line, " ");

		line[strcspn(line, "\n")] = '\0';
		if (indent > 0 && line[indent] != '#' && line[indent])
			each_word(unit, line + indent, add_known);
	}
	fclose(file);
	assert_true(unit->nr_names > 30);
}

static void take_filter(struct unit *unit, const char *value)
{
	if (!*value) {
		unit->nr_names = 0;
		unit->has_filter = false;
		return;
	}
	if (!unit->has_filter) {
		/* the first one says what the list is for */
		assert_int_not_equal(*value, '~');
		unit->has_filter = true;
		add_default(unit);
	}
	if (*value == '~')
		each_word(unit, value + 1, remove_name);
	else
		each_word(unit, value, add_name);
}

static void take_arches(struct unit *unit, const char *value)
{
	if (!*value) {
		unit->has_arch = unit->has_i386 = unit->has_x32 = false;
		return;
	}
	assert_int_equal(strncmp(value, "native", 6), 0);
	unit->has_arch = true;
	unit->has_i386 = strstr(value, " x86") != NULL;
	unit->has_x32 = strstr(value, " x32") != NULL;
}

static void take_setting(struct unit *unit, const char *name, const char *value)
{
	if (strcmp(name, "SystemCallFilter") == 0) {
		take_filter(unit, value);
	} else if (strcmp(name, "SystemCallArchitectures") == 0) {
		take_arches(unit, value);
	} else if (strcmp(name, "SystemCallErrorNumber") == 0) {
		assert_true(strcmp(value, "EPERM") == 0 || strcmp(value, "kill") == 0);
		unit->refused =
			*value == 'k' ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;
	} else if (strcmp(name, "SystemCallLog") == 0) {
		unit->refused = SECCOMP_RET_LOG;
		unit->has_log |= *value != '\0';
		assert_true(!*value || *value == '~');
		if (*value)
			each_word(unit, value + 1, add_name);
	} else {
		fail_msg("a setting '%s'", name);
	}
}

static void read_unit(const char *text, struct unit *ret)
{
	char *copy = strdup(text), *rest = copy, *line;
	bool is_service = false;

	assert_non_null(copy);
	*ret = (struct unit){ .refused = SECCOMP_RET_KILL_PROCESS };
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');

		if (strcmp(line, "[Service]") == 0)
			is_service = true;
		if (!*line || *line == '#' || *line == '[')
			continue;
		assert_true(is_service);
		assert_non_null(value);
		*value++ = '\0';
		take_setting(ret, line, value);
	}
	free(copy);
}

static uint32_t answer(const void *ctx, const struct seccomp_data *data)
{
	const struct unit *unit = ctx;
	enum syscall_arch arch = SYSCALL_ARCH_x86_64;
	uint32_t nr = (uint32_t)data->nr;
	const char *name;

	assert_true(unit->has_arch);
	if (data->arch == AUDIT_ARCH_I386)
		arch = SYSCALL_ARCH_i386;
	else if (data->arch == AUDIT_ARCH_X86_64 && nr & SYSCALL_X32_BIT)
		arch = SYSCALL_ARCH_x32;
	else if (data->arch != AUDIT_ARCH_X86_64)
		return SECCOMP_RET_KILL_PROCESS;
	if ((arch == SYSCALL_ARCH_i386 && !unit->has_i386) ||
	    (arch == SYSCALL_ARCH_x32 && !unit->has_x32))
		return SECCOMP_RET_KILL_PROCESS;
	name = syscall_name(arch, nr & ~SYSCALL_X32_BIT);
	for (size_t i = 0; name && i < unit->nr_names; i++)
		if (strcmp(unit->names[i], name) == 0)
			return SECCOMP_RET_ALLOW;
	return unit->refused;
}

static void test_services_are_under_the_policy(void **state)
{
	static struct unit unit;
	struct policy *policy;
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		for (size_t phase = 0; policy->action != POLICY_NOTIFY && phase < policy->nr_phases;
		     phase++) {
			char *text = verdicts_render(policy, "systemd", phase, NULL);

			read_unit(text, &unit);
			assert_int_equal(unit.has_log, policy->action == POLICY_LOG);
			assert_int_equal(unit.has_filter, policy->action != POLICY_LOG);
			nr_compared += verdicts_compare(policy, phase, VERDICTS_UNKNOWN_EPERM,
							answer, &unit);
			free(text);
		}
		policy_free(policy);
	}
	assert_true(nr_compared > 10 * 4 * 601);
}

static void test_what_it_cannot_say_is_said(void **state)
{
	struct policy *policy = policy_made("read ioctl execve #600");
	char what[POLICY_WHAT_SIZE], *text;
	struct policy_notes notes = { 0 };
	size_t size;

	(void)state;
	assert_int_equal(policy_add_rule(policy, "ioctl:1=0x5401", what), 0);
	assert_int_equal(policy_format_find("systemd")->render(policy, 0, &notes, &text, &size), 0);
	assert_true(notes_say(&notes, "no arguments: 'ioctl' is allowed whatever"));
	assert_true(notes_say(&notes, "EPERM in this format, not with ENOSYS"));
	assert_true(notes_say(&notes, "left out, since libseccomp here does not know them: #600"));
	text = realloc(text, size + 1);
	text[size] = '\0';
	assert_non_null(strstr(text, "# warning: this format knows no arguments: 'ioctl'"));
	free(text);
	policy_notes_free(&notes);
	policy_set_action(policy, POLICY_NOTIFY);
	assert_int_equal(policy_format_find("systemd")->render(policy, 0, &notes, &text, &size),
			 -EOPNOTSUPP);
	policy_free(policy);
}

static void test_other_architectures_are_listed(void **state)
{
	struct policy *policy = policy_made("read execve i386:getpid");
	static struct unit unit;
	char *text = verdicts_render(policy, "systemd", 0, NULL);

	(void)state;
	read_unit(text, &unit);
	assert_true(unit.has_i386);
	assert_false(unit.has_x32);
	free(text);
	policy_free(policy);
}

/* Has systemd look at the unit TEXT. Returns its status; what it said is in the file "log". */
static int verify(const char *text)
{
	const char *path = files_path("a.service");
	const char *const argv[] = { "systemd-analyze", "verify", "--man=no", path, NULL };

	file_put(path, text, 0644);
	return spawn_wait(argv, files_path("log"));
}

/* systemd itself finds nothing to say against it. */
static void test_systemd_takes_it(void **state)
{
	(void)state;
	if (!spawn_has("systemd-analyze")) {
		print_message("systemd-analyze is not installed\n");
		skip();
	}
	for (size_t i = 0; i < 3; i++) {
		struct policy *policy = verdicts_sample(i);
		char *text = verdicts_render(policy, "systemd", 0, NULL);
		char *unit = NULL;
		int status;

		assert_true(asprintf(&unit, "%s\nExecStart=/bin/true\n", text) > 0);
		status = verify(unit);
		assert_string_equal(file_text(files_path("log")), "");
		assert_int_equal(status, 0);
		free(unit);
		free(text);
		policy_free(policy);
	}
}

/* That it would say so, if a name were wrong. */
static void test_systemd_would_have_said_so(void **state)
{
	(void)state;
	if (!spawn_has("systemd-analyze")) {
		print_message("systemd-analyze is not installed\n");
		skip();
	}
	verify("[Service]\nSystemCallFilter=read nosuchcall\nExecStart=/bin/true\n");
	assert_non_null(strstr(file_text(files_path("log")), "nosuchcall"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_services_are_under_the_policy, files_begin,
						files_end),
		cmocka_unit_test(test_what_it_cannot_say_is_said),
		cmocka_unit_test_setup_teardown(test_other_architectures_are_listed, files_begin,
						files_end),
		cmocka_unit_test_setup_teardown(test_systemd_takes_it, files_begin, files_end),
		cmocka_unit_test_setup_teardown(test_systemd_would_have_said_so, files_begin,
						files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
