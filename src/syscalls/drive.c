/* SPDX-License-Identifier: MIT */
#include "syscalls/drive.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/exit_status.h"

/* How long CMD may take to end when it is told to. */
#define END_MS 1000

int drive_split(char *text, char *ret[static DRIVE_WORDS_MAX + 1])
{
	int nr = 0;
	char *word;

	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		if (nr == DRIVE_WORDS_MAX)
			return -E2BIG;
		ret[nr++] = word;
	}
	ret[nr] = NULL;
	return nr > 0 ? nr : -EINVAL;
}

void drive_begin(struct drive *drive, struct keeper *keeper)
{
	*drive = (struct drive){ .keeper = keeper, .command = -1, .pidfd = -1 };
}

void drive_start(struct drive *drive, pid_t root)
{
	if (drive->was_started)
		return;
	drive->was_started = true;
	/* Whoever made it has not asked for its status: the number is still its own. */
	if (root)
		drive->command = (int)syscall(SYS_pidfd_open, root, 0);
	if (root && drive->command < 0)
		drive->err = -errno;
	if (!drive->err)
		drive->err =
			keeper_make(drive->keeper, KEEPER_DRIVE, root, &drive->pid, &drive->pidfd);
	if (!drive->err)
		drive->err = keeper_release(drive->keeper, KEEPER_DRIVE);
	drive->has_ended = drive->err != 0;
}

static void reap(struct drive *drive)
{
	int status = 0;

	drive->err = keeper_reap(drive->keeper, KEEPER_DRIVE, &status);
	drive->status = exit_status(status);
	drive->has_ended = true;
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&one, 1, timeout_ms) > 0;
}

/* Tells COMMAND to end. */
static void tell(struct drive *drive)
{
	drive->must_tell = drive->command < 0 || is_readable(drive->command, 0);
	if (!drive->must_tell)
		syscall(SYS_pidfd_send_signal, drive->command, SIGTERM, NULL, 0);
	drive->was_told = true;
	drive->until_ns = clock_ns(CLOCK_MONOTONIC) + DRIVE_PATIENCE_NS;
}

bool drive_is_overdue(struct drive *drive)
{
	if (!drive->was_started)
		return false;
	if (!drive->has_ended && is_readable(drive->pidfd, 0))
		reap(drive);
	if (drive->has_ended && !drive->was_told)
		tell(drive);
	return drive->was_told && clock_ns(CLOCK_MONOTONIC) >= drive->until_ns;
}

bool drive_must_tell_all(struct drive *drive)
{
	bool must_tell = drive->must_tell;

	drive->must_tell = false;
	return must_tell;
}

/* Ends CMD. */
static void stop(struct drive *drive)
{
	syscall(SYS_pidfd_send_signal, drive->pidfd, SIGTERM, NULL, 0);
	if (!is_readable(drive->pidfd, END_MS))
		syscall(SYS_pidfd_send_signal, drive->pidfd, SIGKILL, NULL, 0);
	reap(drive);
}

int drive_end(struct drive *drive)
{
	int err = drive->was_started ? 0 : -ECHILD;

	if (drive->was_started && !drive->has_ended) {
		/* It may just have ended, and with it COMMAND. */
		if (is_readable(drive->pidfd, END_MS)) {
			reap(drive);
		} else {
			stop(drive);
			err = -ECANCELED;
		}
	}
	if (drive->command >= 0)
		close(drive->command);
	if (drive->pidfd >= 0)
		close(drive->pidfd);
	drive->command = drive->pidfd = -1;
	return err ? err : drive->err;
}
