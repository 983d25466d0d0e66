/* SPDX-License-Identifier: MIT */
/*
 * Linked into the static binary alone. There glibc would still load the plug-ins that
 * /etc/nsswitch.conf names (getpwnam(3), initgroups(3)): shared libraries of the host, made for the
 * glibc of the host, into a program that has another one. Users and groups come from the files.
 */
#include <features.h>

#ifdef __GLIBC__
#include <nss.h>

__attribute__((constructor)) static void names_from_files(void)
{
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
	__nss_configure_lookup("initgroups", "files");
}
#endif
