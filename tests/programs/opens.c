/* SPDX-License-Identifier: MIT */
/*
 * Opens FILE NR times as fast as it can; with LIBRARY maps that, executable, as often.
 *
 * usage: opens NR FILE [LIBRARY]
 */
#include "../support/trigger.h"

#include <sys/mman.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	for (long left = atol(argv[1]); left > 0; left--) {
		int fd = (int)must(open(argv[2], O_RDONLY));

		close(fd);
		if (argc == 3)
			continue;
		fd = (int)must(open(argv[3], O_RDONLY));

		void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

		if (memory == MAP_FAILED)
			die("mmap");
		munmap(memory, 4096);
		close(fd);
	}
	return 0;
}
