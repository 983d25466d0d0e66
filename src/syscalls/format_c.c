/* SPDX-License-Identifier: MIT */
/*
 * A C file that needs nothing but a C library: no header of the kernel, which musl-gcc does not
 * have, and no other library. It has a function for each phase; the program calls them.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "syscalls/filter.h"
#include "syscalls/format.h"

#define PER_LINE 3 /* instructions */

static void print_prologue(FILE *out)
{
	fputs("#ifndef _GNU_SOURCE\n"
	      "#define _GNU_SOURCE\n"
	      "#endif\n"
	      "#include <errno.h>\n"
	      "#include <sys/prctl.h>\n"
	      "#include <sys/syscall.h>\n"
	      "#include <unistd.h>\n\n"
	      "/* As struct sock_filter and struct sock_fprog of <linux/filter.h>. */\n"
	      "struct policy_insn {\n"
	      "\tunsigned short code;\n"
	      "\tunsigned char jt, jf;\n"
	      "\tunsigned int k;\n"
	      "};\n\n"
	      "struct policy_program {\n"
	      "\tunsigned short nr;\n"
	      "\tconst struct policy_insn *insns;\n"
	      "};\n\n",
	      out);
}

/* The declarations, which can go into a header, with what each function is. */
static void print_declarations(FILE *out, const struct policy *policy)
{
	fputs("/*\n"
	      " * Each takes away what its phase does not allow, from all threads. Returns 0, or "
	      "-1\n"
	      " * with errno; then nothing has changed, and the program should end. EBUSY: a "
	      "thread\n"
	      " * has another filter.\n"
	      " */\n",
	      out);
	for (size_t i = 0; i < policy->nr_phases; i++) {
		fprintf(out, "int policy_enter_phase_%zu(void);", i);
		if (i == 0) {
			fputs(" /* first thing in main() */\n", out);
		} else {
			fputs(" /* at ", out);
			format_text(out, policy->phases[i].point);
			fputs(" */\n", out);
		}
	}
	fputc('\n', out);
}

static void print_filter(FILE *out, size_t phase, const struct sock_filter *filter, size_t nr)
{
	fprintf(out, "static const struct policy_insn policy_phase_%zu[] = {", phase);
	for (size_t i = 0; i < nr; i++)
		fprintf(out, "%s{ 0x%02x, %u, %u, 0x%08xu },", i % PER_LINE ? " " : "\n\t",
			filter[i].code, filter[i].jt, filter[i].jf, filter[i].k);
	fputs("\n};\n\n", out);
}

static void print_install(FILE *out, const struct policy *policy)
{
	bool is_logged = policy->action == POLICY_ERRNO;

	fprintf(out,
		"static int policy_install(const struct policy_insn *insns, unsigned short nr)\n"
		"{\n"
		"\tconst struct policy_program program = { nr, insns };\n"
		"\t/* SECCOMP_SET_MODE_FILTER, with SECCOMP_FILTER_FLAG_TSYNC%s */\n"
		"\tlong result = syscall(SYS_seccomp, 1L, %luL, &program);\n\n"
		"\tif (result > 0) /* the thread that could not follow */\n"
		"\t\terrno = EBUSY;\n"
		"\treturn result == 0 ? 0 : -1;\n"
		"}\n",
		is_logged ? " and _LOG" : "",
		is_logged ? SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG
			  : SECCOMP_FILTER_FLAG_TSYNC);
	for (size_t i = 0; i < policy->nr_phases; i++)
		fprintf(out,
			"\nint policy_enter_phase_%zu(void)\n"
			"{\n%s"
			"\treturn policy_install(policy_phase_%zu, sizeof(policy_phase_%zu) /\n"
			"\t\t\t\t\t      sizeof(policy_phase_%zu[0]));\n"
			"}\n",
			i,
			i ? ""
			  : "\tif (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)\n\t\treturn "
			    "-1;\n",
			i, i, i);
}

static int print_filters(FILE *out, const struct policy *policy)
{
	const struct filter_config config = { .action = -1, .installs_itself = true };
	_cleanup_(cleanup_free) struct sock_filter *filter = calloc(FILTER_MAX, sizeof(*filter));

	if (!filter)
		return -ENOMEM;
	for (size_t i = 0; i < policy->nr_phases; i++) {
		int nr = filter_compile(policy, i, &config, filter);

		if (nr < 0)
			return nr;
		print_filter(out, i, filter, (size_t)nr);
	}
	return 0;
}

static int format_c_render(const struct policy *policy, size_t phase, struct policy_notes *notes,
			   char **ret, size_t *ret_size)
{
	struct memory_text page;
	int err;

	(void)phase;
	if (memory_text_begin(&page))
		return -ENOMEM;
	fputs("/*\n", page.out);
	format_head(page.out, policy, SIZE_MAX, " * ");
	fputs(" */\n", page.out);
	print_prologue(page.out);
	print_declarations(page.out, policy);
	err = print_filters(page.out, policy);
	print_install(page.out, policy);
	if (policy->nr_phases > 1)
		policy_note(notes,
			    "the program installs its later phases itself: 'seccomp' stays allowed "
			    "until the last one");
	return memory_text_end(&page, err, ret, ret_size);
}

const struct policy_format policy_format_c = {
	.name = "c",
	.help = "a C file with a function for each phase",
	.has_phases = true,
	.render = format_c_render,
};
