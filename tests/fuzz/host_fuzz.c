/* SPDX-License-Identifier: MIT */
/*
 * src/inventory/host_text.c and host_ipsec.c: the kernel's text files and netlink answers are read
 * within their bounds; lists keep to theirs and their strings end.
 *
 * The input is a byte for which parser, then the file or message.
 */
#include <errno.h>
#include <linux/xfrm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inventory/host_private.h"

#define INPUT_MAX (128U << 10)

static void check(bool condition)
{
	if (!condition)
		abort();
}

static void check_text(const struct host_memory *memory, const char *text)
{
	if (!text)
		return;
	check(text >= memory->text && text < memory->text + memory->text_used);
	check(text[0] && strlen(text) < HOST_NAME_SIZE);
}

static void check_algorithms(const struct host_crypto *host, const struct host_memory *memory)
{
	check(host->in_use.count <= HOST_ITEMS_MAX && host->in_use.count <= host->nr_algorithms);
	for (size_t i = 0; i < host->in_use.count; i++) {
		const struct kernel_algorithm *algorithm = &memory->in_use[i];

		check(algorithm->name && algorithm->refcnt > 1);
		check_text(memory, algorithm->name);
		check_text(memory, algorithm->driver);
		check_text(memory, algorithm->module);
		check_text(memory, algorithm->type);
	}
}

static void check_file(uint8_t which, const uint8_t *data, size_t size)
{
	static struct host_reader reader;
	struct host_memory *memory = calloc(1, sizeof(*memory));
	struct host_crypto host = { .memory = memory };
	int fd = memfd_create("file", MFD_CLOEXEC);
	int err;

	check(memory && fd >= 0 && write(fd, data, size) == (ssize_t)size);
	check(lseek(fd, 0, SEEK_SET) == 0);
	reader.host = &host;
	reader.memory = memory;
	lines_begin(&reader.lines, fd, HOST_FILE_MAX);
	switch (which) {
	case 0:
		err = host_parse_algorithms(&reader);
		check(err == 0 && host.has_algorithms);
		check_algorithms(&host, memory);
		break;
	case 1:
		err = host_parse_ktls(&reader);
		check(host.has_ktls ? err == 0 : err == -EBADMSG && !host.ktls_tx && !host.ktls_rx);
		break;
	case 2:
		err = host_parse_protocols(&reader);
		check(err == 0 || (err == -EBADMSG && !host.has_af_alg));
		break;
	default:
		err = host_parse_netlink(&reader);
		check(err == 0 || err == 1);
		break;
	}
	close(fd);
	free(memory);
}

static void check_xfrm(const uint8_t *data, size_t size)
{
	/* a block of its own, so that a sanitizer sees its end */
	uint8_t *message = malloc(size);
	struct xfrmu_spdinfo policies, untouched;
	int err;

	if (size)
		memcpy(message, data, size);
	memset(&untouched, 0x5a, sizeof(untouched));
	policies = untouched;
	err = host_parse_xfrm(message, size, XFRM_MSG_NEWSPDINFO, XFRMA_SPD_INFO, &policies,
			      sizeof(policies));
	check(err <= 0 && err >= -4095);
	check(err == 0 || memcmp(&policies, &untouched, sizeof(policies)) == 0);
	free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > INPUT_MAX)
		return 0;
	if (data[0] % 5 == 4)
		check_xfrm(data + 1, size - 1);
	else
		check_file(data[0] % 5, data + 1, size - 1);
	return 0;
}
