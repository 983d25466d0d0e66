/* SPDX-License-Identifier: MIT */
#include "trace/late.h"

#include <bpf/libbpf.h>
#include <errno.h>

#include "trace/attach.h"

EMBED_OBJECT(file_open_compat);

static int late_prepare(void *ctx)
{
	struct late *late = ctx;
	const struct object_file file = { "compat", file_open_compat_object,
					  file_open_compat_object_end };
	int err = session_load(late->session, &file, NULL, NULL, &late->object);

	session_loaded(late->session);
	return err;
}

/* The hook lives as long as the broker. There is one, however often the worker asks for it. */
static int late_attach_now(void *ctx)
{
	struct late *late = ctx;
	const struct attach_places none = { .tracefs = -ENOENT, .cgroup = -ENOENT };

	if (late->link)
		return 0;
	return program_attach(bpf_object__next_program(late->object, NULL), NULL, &none,
			      &late->link);
}

bool late_is_needed(const struct session *session)
{
	const struct source_state *state = &session->states[SOURCE_file_open];

	/* Where programs for old kernels run 32-bit opens are a gap (gaps.c). */
	return !session->reduced && state->is_attached && !state->hook->sees_compat;
}

void late_init(struct late *late, struct session *session, struct broker_config *config)
{
	*late = (struct late){ .session = session };
	if (!late_is_needed(session))
		return;
	config->prepare = late_prepare;
	config->attach = late_attach_now;
	config->ctx = late;
}

int late_attach(struct late *late, struct broker *broker)
{
	int err;

	if (late->is_asked)
		return 0;
	late->is_asked = true;
	err = broker_attach(broker);
	late->is_attached = !err;
	return err;
}
