/* SPDX-License-Identifier: MIT */
#include "check/verdict.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include "check/host.h"

/* Those that the message of the other commands names, too: with them all is traced. */
#define CAPS_TRACING                                                                               \
	(CHECK_CAP(CAP_BPF) | CHECK_CAP(CAP_PERFMON) | CHECK_CAP(CAP_NET_ADMIN) |                  \
	 CHECK_CAP(CAP_DAC_READ_SEARCH))

/* bpf_capable(), perfmon_capable() and their like take it for these, include/linux/capability.h. */
#define CAPS_OF_ADMIN                                                                              \
	(CHECK_CAP(CAP_BPF) | CHECK_CAP(CAP_PERFMON) | CHECK_CAP(CAP_NET_ADMIN) |                  \
	 CHECK_CAP(CAP_CHECKPOINT_RESTORE))

#define NAMES_SIZE 512

void verdict_works(struct check_verdict *verdict)
{
	*verdict = (struct check_verdict){ .status = CHECK_WORKS };
}

/* Adds TEXT to LIST, separated by BETWEEN, as far as there is room. */
static void add(char *list, const char *between, const char *text)
{
	size_t used = strlen(list);

	if (!text || strstr(list, text))
		return;
	snprintf(list + used, CHECK_WHY_SIZE - used, "%s%s", used ? between : "", text);
}

void verdict_add(struct check_verdict *verdict, enum check_status status, enum check_cause cause,
		 const char *why, const char *remedy, const char *command)
{
	if (verdict->status < status)
		verdict->status = status;
	if (!verdict->cause)
		verdict->cause = cause;
	add(verdict->why, "; ", why);
	add(verdict->remedy, "; ", remedy);
	add(verdict->command, " && ", command);
}

const char *verdict_kernel_remedy(bool lacks_types)
{
	return lacks_types ? "use a kernel built with CONFIG_DEBUG_INFO_BTF=y; where /sys is not "
			     "mounted, mount it: mount -t sysfs sysfs /sys; in a container, give "
			     "it /sys of the host"
			   : "use a kernel that has it, see docs/requirements.md";
}

uint64_t verdict_lacking(const struct check_host *host, uint64_t takes)
{
	uint64_t held = host->effective;

	if (held & CHECK_CAP(CAP_SYS_ADMIN))
		held |= CAPS_OF_ADMIN;
	if (held & CHECK_CAP(CAP_DAC_OVERRIDE))
		held |= CHECK_CAP(CAP_DAC_READ_SEARCH);
	return takes & ~held;
}

/* How names are put together. */
struct style {
	const char *before; /* each */
	const char *between;
	size_t skip; /* bytes of "cap_" */
	bool is_upper;
	const char *after; /* each */
};

static void join(uint64_t capabilities, const struct style *style, char *out, size_t size)
{
	char names[NAMES_SIZE];
	struct text_list list;
	size_t used = 0;

	out[0] = '\0';
	check_capability_names(capabilities, names, sizeof(names), &list);
	for (size_t at = 0; at < list.size; at += strlen(names + at) + 1) {
		size_t room = strlen(style->between) + strlen(style->before) + strlen(names + at) +
			      strlen(style->after);

		if (room >= size - used)
			return;
		used += (size_t)snprintf(out + used, size - used, "%s%s",
					 used ? style->between : "", style->before);
		for (const char *c = names + at + style->skip; *c; c++)
			out[used++] = (char)(style->is_upper ? toupper((unsigned char)*c) : *c);
		used += (size_t)snprintf(out + used, size - used, "%s", style->after);
	}
}

/* Somebody took rights from root: how the usual suspects give them back. */
static void advise_root(struct check_verdict *verdict, const struct check_host *host,
			const char *why)
{
	static const struct style added = { "--cap-add=", " ", 4, true, "" };
	static const struct style listed = { "", ", ", 4, true, "" };
	const char *manager = host->container ? host->container : "";
	char names[NAMES_SIZE];
	char text[CHECK_WHY_SIZE];

	if (strcmp(manager, "docker") == 0 || strcmp(manager, "podman") == 0) {
		join(verdict->lacking, &added, names, sizeof(names));
		snprintf(text, sizeof(text), "%s run %.300s ...", manager, names);
		verdict_add(verdict, 0, CHECK_PRIVILEGES, why, "give them to the container", text);
		return;
	}
	join(verdict->lacking, &listed, names, sizeof(names));
	if (strcmp(manager, "kubernetes") == 0)
		snprintf(text, sizeof(text),
			 "add to securityContext.capabilities.add of the container: %.200s", names);
	else
		snprintf(text, sizeof(text),
			 "give back what was taken from root (by a container, or "
			 "CapabilityBoundingSet= of a systemd unit): %.200s",
			 names);
	verdict_add(verdict, 0, CHECK_PRIVILEGES, why, text, NULL);
}

void verdict_end(struct check_verdict *verdict, const struct check_host *host)
{
	static const struct style told = { "", ", ", 0, true, "" };
	/* A clause each: a long list can be broken between them. */
	static const struct style granted = { "", " ", 0, false, "+ep" };
	char names[NAMES_SIZE];
	char why[CHECK_WHY_SIZE];
	char command[CHECK_WHY_SIZE];

	if (!verdict->lacking)
		return;
	join(verdict->lacking, &told, names, sizeof(names));
	snprintf(why, sizeof(why), "missing: %.300s", names);
	if (host->uid == 0) {
		advise_root(verdict, host, why);
		return;
	}
	join(CAPS_TRACING | verdict->lacking, &granted, names, sizeof(names));
	snprintf(command, sizeof(command), "sudo setcap \"%.300s\" \"$(command -v crypto-tracer)\"",
		 names);
	verdict_add(verdict, 0, CHECK_PRIVILEGES, why,
		    "run it with sudo, or grant the capabilities once", command);
}

/*
 * Debian's and Ubuntu's kernels leave perf events to CAP_SYS_ADMIN where the setting is above the 2
 * that others know, with EACCES (Debian:
 * security-perf-allow-further-restriction-of-perf_event_open).
 */
static bool is_paranoid(const struct check_host *host, const char *call, int err)
{
	return err == -EACCES && host->perf_event_paranoid > 2 &&
	       strcmp(call, "perf_event_open(2)") == 0 &&
	       !(host->effective & CHECK_CAP(CAP_SYS_ADMIN));
}

static void tell_paranoid(struct check_verdict *verdict, enum check_status status,
			  struct check_host *host)
{
	char why[CHECK_WHY_SIZE];

	snprintf(why, sizeof(why),
		 "with kernel.perf_event_paranoid at %d this kernel leaves perf_event_open(2) to "
		 "CAP_SYS_ADMIN",
		 host->perf_event_paranoid);
	host->missing |= CHECK_CAP(CAP_SYS_ADMIN);
	verdict_add(verdict, status, CHECK_PRIVILEGES, why,
		    "give it CAP_SYS_ADMIN, or set the host's kernel.perf_event_paranoid to 2",
		    "sudo sysctl kernel.perf_event_paranoid=2");
}

/* All capabilities are there, and yet. */
static void tell_obstacle(struct check_verdict *verdict, enum check_status status,
			  const struct check_host *host, const char *call, int err)
{
	char why[CHECK_WHY_SIZE];
	bool is_docker = host->container && (strcmp(host->container, "docker") == 0 ||
					     strcmp(host->container, "podman") == 0);

	if (host->has_filter) {
		snprintf(why, sizeof(why), "a seccomp filter refuses %s: %s", call, strerror(-err));
		verdict_add(verdict, status, CHECK_PRIVILEGES, why,
			    "allow bpf(2) and perf_event_open(2) in the seccomp profile of the "
			    "container, or SystemCallFilter= of the systemd unit",
			    is_docker ? "docker run --security-opt seccomp=unconfined ..." : NULL);
		return;
	}
	if (host->lockdown[0] && strcmp(host->lockdown, "none") != 0) {
		snprintf(why, sizeof(why), "kernel lockdown (%s) refuses %s: %s", host->lockdown,
			 call, strerror(-err));
		verdict_add(verdict, status, CHECK_ENVIRONMENT, why,
			    "boot without lockdown=, or without secure boot", NULL);
		return;
	}
	snprintf(why, sizeof(why), "%s is refused although the capabilities are there: %s", call,
		 strerror(-err));
	verdict_add(verdict, status, CHECK_ENVIRONMENT, why,
		    "look for denials of a security module (SELinux, AppArmor)",
		    "sudo dmesg | grep -iE 'apparmor|avc'");
}

void verdict_refused(struct check_verdict *verdict, enum check_status status,
		     struct check_host *host, uint64_t takes, const char *call, int err)
{
	uint64_t lacking = verdict_lacking(host, takes);

	if (host->has_user_namespace) {
		host->missing |= takes;
		verdict_add(verdict, status, CHECK_PRIVILEGES,
			    "capabilities of a user namespace do not count for the host's kernel",
			    "run it on the host, or in a container that root started without "
			    "user namespace",
			    NULL);
		return;
	}
	if (!lacking && is_paranoid(host, call, err)) {
		tell_paranoid(verdict, status, host);
		return;
	}
	if (!lacking) {
		tell_obstacle(verdict, status, host, call, err);
		return;
	}
	host->missing |= lacking;
	verdict->lacking |= lacking;
	verdict_add(verdict, status, CHECK_PRIVILEGES, NULL, NULL, NULL);
}
