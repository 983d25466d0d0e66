/* SPDX-License-Identifier: MIT */
/* `version`, `--version`: what this binary is and what is in it. */
#include <bpf/libbpf.h>
#include <json-c/json_c_version.h>
#include <openssl/crypto.h>
#include <seccomp.h>
#include <stdio.h>
#include <zlib.h>

#include "cmd/cmd.h"
#include "sources/source.h"

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
	printf("Sources:");
	for (size_t i = 0; i < NR_SOURCES; i++)
		printf(" %s", sources[i]->name);
	printf("\nFormats:");
	for (size_t i = 0; i < NR_SINKS; i++)
		printf(" %s", sinks[i]->format);
	printf("\n");
	return 0;
}

const struct command version_command = {
	.name = "version",
	.help = "print version information",
	.synopsis = "",
	.tables = { &help_options },
	.run = version_run,
};
