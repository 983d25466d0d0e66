/* SPDX-License-Identifier: MIT */
/* `version`, `--version`: what this binary is and what is in it. */
#include <bpf/libbpf.h>
#include <json-c/json_c_version.h>
#include <openssl/crypto.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "cmd/cmd.h"
#include "sources/source.h"

#define LINE_MAX_COLUMNS 80

/* Prints TITLE and the names of NR things, in lines that fit a terminal. */
static void print_names(const char *title, size_t nr, const char *(*name_of)(size_t i))
{
	int indent = printf("%s", title);
	int column = indent;

	for (size_t i = 0; i < nr; i++) {
		int size = (int)strlen(name_of(i)) + 1;

		if (column + size > LINE_MAX_COLUMNS) {
			printf("\n%*s", indent, "");
			column = indent;
		}
		column += printf(" %s", name_of(i));
	}
	printf("\n");
}

static const char *source_name(size_t i)
{
	return sources[i]->name;
}

static const char *sink_format(size_t i)
{
	return sinks[i]->format;
}

static int version_run(const struct options *options)
{
	const struct scmp_version *seccomp = seccomp_version();

	(void)options;
	printf("crypto-tracer version %s\n", VERSION);
	printf("Built: %s\n", BUILD_DATE);
	printf("Kernel support: 5.15+ with BTF\n");
	printf("eBPF: libbpf %s\n", libbpf_version_string() + 1);
	printf("License: MIT\n");
	printf("Sandbox: libseccomp %u.%u.%u, libcap\n", seccomp->major, seccomp->minor,
	       seccomp->micro);
	printf("Content: %s, json-c %s, zlib %s\n", OpenSSL_version(OPENSSL_VERSION),
	       json_c_version(), zlibVersion());
	print_names("Sources:", NR_SOURCES, source_name);
	print_names("Formats:", NR_SINKS, sink_format);
	return 0;
}

const struct command version_command = {
	.name = "version",
	.help = "print version information",
	.synopsis = "",
	.tables = { &help_options },
	.run = version_run,
};
