/* SPDX-License-Identifier: MIT */
/*
 * Loads the library at its argument, says "ready", and for each line that it reads calls
 * made_handshake() and prints what it returned.
 */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *handle = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
	int (*handshake)(void);
	char line[64];

	if (!handle)
		return 1;
	*(void **)&handshake = dlsym(handle, "made_handshake");
	if (!handshake)
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("%d\n", handshake());
		fflush(stdout);
	}
	return 0;
}
