/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/files.h"
#include "support/policies.h"
#include "support/spawn.h"
#include "support/verdicts.h"

/* Makes "policy.o" of SOURCE with COMPILER, or the program "program". */
static void compile(const char *compiler, const char *source, bool is_program)
{
	const char *log = files_path("log");
	const char *const argv[] = { compiler,
				     "-std=gnu11",
				     "-Wall",
				     "-Wextra",
				     "-Werror",
				     "-O1",
				     source,
				     "-o",
				     files_path(is_program ? "program" : "policy.o"),
				     is_program ? "-lpthread" : "-c",
				     NULL };

	if (spawn_wait(argv, log))
		fail_msg("%s %s: %s", compiler, source, file_text(log));
}

/* Runs the program, with the path of NAME as its argument. Returns its status. */
static int run(const char *name)
{
	const char *const argv[] = { files_path("program"), name ? files_path(name) : NULL, NULL };

	return spawn_wait(argv, files_path("log"));
}

/* Puts the C file of POLICY, and MAIN behind it, into one file. */
static const char *put(const struct policy *policy, const char *main_text)
{
	const char *path = files_path("policy.c");
	char *text = verdicts_render(policy, "c", 0, NULL);
	size_t size = strlen(text) + strlen(main_text) + 1;
	char *whole = malloc(size);

	assert_non_null(whole);
	snprintf(whole, size, "%s%s", text, main_text);
	file_put(path, whole, 0600);
	free(whole);
	free(text);
	return path;
}

/* Its own functions are called by nobody, which is no error either. */
static void test_it_compiles_alone_with_each_compiler(void **state)
{
	static const char *const compilers[] = { "gcc", "clang", "musl-gcc" };
	static const size_t samples[] = { 0, 1, 3, 5 };
	size_t nr_compiled = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++) {
		if (!spawn_has(compilers[i])) {
			print_message("%s is not installed\n", compilers[i]);
			continue;
		}
		for (size_t k = 0; k < sizeof(samples) / sizeof(samples[0]); k++) {
			struct policy *policy = verdicts_sample(samples[k]);

			compile(compilers[i], put(policy, ""), false);
			policy_free(policy);
			nr_compiled++;
		}
	}
	assert_true(nr_compiled >= 4);
}

/* Writes the filter of each phase to a file of its own, named by argument 1 and its number. */
#define DUMP                                                                                       \
	"\n#include <stdio.h>\n"                                                                   \
	"static void dump(const char *path, int phase, const void *bytes, size_t size)\n"          \
	"{\n"                                                                                      \
	"	char name[4096];\n"                                                                      \
	"	FILE *out;\n"                                                                            \
	"	snprintf(name, sizeof(name), \"%s.%d\", path, phase);\n"                                 \
	"	out = fopen(name, \"w\");\n"                                                             \
	"	if (!out || fwrite(bytes, 1, size, out) != size || fclose(out))\n"                       \
	"		__builtin_trap();\n"                                                                    \
	"}\n"                                                                                      \
	"int main(int argc, char **argv)\n"                                                        \
	"{\n"                                                                                      \
	"	if (argc != 2)\n"                                                                        \
	"		return 1;\n"                                                                            \
	"	dump(argv[1], 0, policy_phase_0, sizeof(policy_phase_0));\n"
#define DUMP_MORE                                                                                  \
	"	dump(argv[1], 1, policy_phase_1, sizeof(policy_phase_1));\n"                             \
	"	dump(argv[1], 2, policy_phase_2, sizeof(policy_phase_2));\n"
#define DUMP_END "	return 0;\n}\n"

static size_t read_filter(size_t phase, struct sock_filter ret[static BPF_MAXINSNS])
{
	char name[32];
	FILE *file;
	size_t nr;

	snprintf(name, sizeof(name), "dump.%zu", phase);
	file = fopen(files_path(name), "r");
	assert_non_null(file);
	nr = fread(ret, sizeof(ret[0]), BPF_MAXINSNS, file);
	assert_true(nr > 0);
	fclose(file);
	return nr;
}

static void test_its_filters_are_the_policys(void **state)
{
	static struct sock_filter filter[BPF_MAXINSNS];
	struct policy *policy;
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		const char *main_text =
			policy->nr_phases == 3 ? DUMP DUMP_MORE DUMP_END : DUMP DUMP_END;

		compile("gcc", put(policy, main_text), true);
		assert_int_equal(run("dump"), 0);
		for (size_t phase = 0; phase < policy->nr_phases; phase++) {
			/* what the next one is installed with */
			if (phase + 1 < policy->nr_phases)
				policy_set_add(&policy->phases[phase].allowed, SYSCALL_ARCH_x86_64,
					       317);
			nr_compared += verdicts_compare_filter(policy, phase, VERDICTS_SAME, filter,
							       read_filter(phase, filter));
		}
		policy_free(policy);
	}
	assert_true(nr_compared > 11 * 4 * 601);
}

/* Two phases in a program with a thread, which is under both as well. */
#define MAIN                                                                                       \
	"\n#include <pthread.h>\n"                                                                 \
	"static pthread_barrier_t barrier;\n"                                                      \
	"static long results[4];\n"                                                                \
	"static int refused(long nr)\n"                                                            \
	"{\n"                                                                                      \
	"	return syscall(nr) < 0 && errno == EPERM;\n"                                             \
	"}\n"                                                                                      \
	"static void *run(void *ctx)\n"                                                            \
	"{\n"                                                                                      \
	"	pthread_barrier_wait(&barrier);\n"                                                       \
	"	pthread_barrier_wait(&barrier);\n"                                                       \
	"	results[0] = refused(SYS_getppid);\n"                                                    \
	"	results[1] = refused(SYS_getuid);\n"                                                     \
	"	pthread_barrier_wait(&barrier);\n"                                                       \
	"	return ctx;\n"                                                                           \
	"}\n"                                                                                      \
	"int main(void)\n"                                                                         \
	"{\n"                                                                                      \
	"	pthread_t thread;\n"                                                                     \
	"	pthread_barrier_init(&barrier, NULL, 2);\n"                                              \
	"	pthread_create(&thread, NULL, run, NULL);\n"                                             \
	"	pthread_barrier_wait(&barrier);\n"                                                       \
	"	if (policy_enter_phase_0())\n"                                                           \
	"		return 2;\n"                                                                            \
	"	if (refused(SYS_getppid) || !refused(SYS_getuid))\n"                                     \
	"		return 3;\n"                                                                            \
	"	if (policy_enter_phase_1())\n"                                                           \
	"		return 4;\n"                                                                            \
	"	if (!refused(SYS_getppid) || !refused(SYS_seccomp))\n"                                   \
	"		return 5;\n"                                                                            \
	"	pthread_barrier_wait(&barrier);\n"                                                       \
	"	pthread_barrier_wait(&barrier);\n"                                                       \
	"	pthread_join(thread, NULL);\n"                                                           \
	"	return results[0] && results[1] ? 42 : 6;\n"                                             \
	"}\n"

static void test_a_program_enters_its_phases(void **state)
{
	static const char *const compilers[] = { "gcc", "clang", "musl-gcc" };
	const struct policy_config config = { .action = POLICY_ERRNO, .is_exact = true };
	struct recording *recording = recording_made("later");
	struct policy *policy;

	(void)state;
	recording_did(recording, NODE_START_command, 0, "getppid exit_group exit");
	recording_did(recording, NODE_START_phase, 1, "futex munmap madvise write");
	recording_ran(recording, "0000000000000000000000000000000c");
	policy = policy_made_of(recording, &config);
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++) {
		if (!spawn_has(compilers[i]))
			continue;
		compile(compilers[i], put(policy, MAIN), true);
		assert_int_equal(run(NULL), 42);
	}
	policy_free(policy);
}

static void test_foreign_text_stays_in_its_comment(void **state)
{
	const struct policy_config config = { .action = POLICY_ERRNO, .is_exact = true };
	struct recording *recording = recording_made("a");
	struct policy *policy;

	(void)state;
	recording->exe = "/tmp/x*/ int evil; /*\n\\";
	recording->phases[1].point = "*/\nint evil(void) { return 1; }\n\x1b[31m/*";
	recording_did(recording, NODE_START_command, 0, "read");
	recording_did(recording, NODE_START_phase, 1, "write");
	recording_ran(recording, "0000000000000000000000000000000d");
	policy = policy_made_of(recording, &config);
	assert_int_equal(policy->nr_phases, 2);
	compile("gcc", put(policy, "int evil(void);\nint evil(void)\n{\n\treturn 0;\n}\n"), false);
	assert_null(strchr(file_text(files_path("policy.c")), '\x1b'));
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_it_compiles_alone_with_each_compiler,
						files_begin, files_end),
		cmocka_unit_test_setup_teardown(test_its_filters_are_the_policys, files_begin,
						files_end),
		cmocka_unit_test_setup_teardown(test_a_program_enters_its_phases, files_begin,
						files_end),
		cmocka_unit_test_setup_teardown(test_foreign_text_stays_in_its_comment, files_begin,
						files_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
