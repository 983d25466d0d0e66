/* SPDX-License-Identifier: MIT */
#include "syscalls/recording_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/json_document.h"

int recording_read(int fd, struct recording **ret, char ret_what[static RECORDING_WHAT_SIZE])
{
	_cleanup_(cleanup_free) char *bytes = NULL;
	const char *what = NULL;
	size_t size;
	int err = json_document_read(fd, &bytes, &size, &what);

	if (!err)
		err = recording_parse(bytes, size, ret, &what);
	if (err)
		snprintf(ret_what, RECORDING_WHAT_SIZE, "%s", what ? what : strerror(-err));
	return err;
}
