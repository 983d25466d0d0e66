/* SPDX-License-Identifier: MIT */
#include "trace/hook.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "trace/libbpf_log.h"
#include "trace/tracefs.h"

/* What of a source's object is loaded. */
struct choice {
	const struct source_hook *hook;
	int tracefs;	 /* a negative errno: none */
	bool is_reduced; /* without the programs that the source can do without */
};

/* Whether this kernel has the tracepoint of PROGRAM, under the name that it asks for. */
static bool is_known(const struct source_program *program, int tracefs)
{
	return !program->event || tracefs < 0 ||
	       tracefs_event_id(tracefs, program->event) != -ENOENT;
}

/* Whether HOOK needs the program called NAME at one place at least. */
static bool is_required(const struct source_hook *hook, const char *name)
{
	for (size_t i = 0; i < hook->nr_programs; i++)
		if (hook->programs[i].use == PROGRAM_REQUIRED &&
		    strcmp(hook->programs[i].name, name) == 0)
			return true;
	return false;
}

/* Whether the program called NAME is of use. */
static bool is_chosen(const struct choice *choice, const char *name)
{
	if (choice->is_reduced)
		return is_required(choice->hook, name);
	for (size_t i = 0; i < choice->hook->nr_programs; i++)
		if (strcmp(choice->hook->programs[i].name, name) == 0 &&
		    is_known(&choice->hook->programs[i], choice->tracefs))
			return true;
	return false;
}

static int choose_programs(void *ctx, struct bpf_object *object)
{
	const struct choice *choice = ctx;
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		bpf_program__set_autoload(program, is_chosen(choice, bpf_program__name(program)));
	}
	return 0;
}

int hook_load(struct session *session, const struct source *source, const struct source_hook *hook,
	      bool is_reduced, struct bpf_object **ret)
{
	const struct object_file file = { source->name, source->object, source->object_end };
	struct choice choice = { hook, session->places.tracefs, is_reduced };
	int err;

	session->has_own_scratch = hook->is_preempted;
	err = session_load(session, &file, choose_programs, &choice, ret);
	session->has_own_scratch = false;
	return err;
}

/* The one right without which all else is traced: the tap's. */
static const char *missing_right(const char *hook, int err)
{
	return err == -EPERM && strncmp(hook, "cgroup_skb/", 11) == 0 ? ", needs CAP_NET_ADMIN"
								      : "";
}

void hook_set_reason(struct source_state *state, const char *what, int err)
{
	if (state->reason[0])
		return;
	state->err = err;
	snprintf(state->reason, sizeof(state->reason), "%s: %s%s", what, libbpf_log_strerror(err),
		 missing_right(what, err));
}

/* Says which program this kernel did not take. */
static void name_dropped(struct source_state *state)
{
	for (size_t i = 0; i < state->hook->nr_programs; i++)
		if (!is_required(state->hook, state->hook->programs[i].name))
			hook_set_reason(state, state->hook->programs[i].name, -EOPNOTSUPP);
}

/* Attaches the programs that are loaded. Returns 0 when all required ones are. */
static int attach(struct session *session, struct source_state *state)
{
	for (size_t i = 0; i < state->hook->nr_programs; i++) {
		const struct source_program *use = &state->hook->programs[i];
		struct bpf_program *program =
			bpf_object__find_program_by_name(state->object, use->name);
		struct bpf_link *link;
		int err;

		if (!program || !bpf_program__autoload(program))
			continue;
		err = program_attach(program, use->hook, &session->places, &link);
		if (!err) {
			state->links[state->nr_links++] = link;
			continue;
		}
		/* A call that this architecture does not have can not be missed. */
		if (use->use == PROGRAM_OPTIONAL && err == -ENOENT)
			continue;
		hook_set_reason(state, use->hook ? use->hook : bpf_program__section_name(program),
				err);
		if (use->use == PROGRAM_REQUIRED)
			return err;
	}
	return 0;
}

/* Tries HOOK. When it fails nothing of it is left but what STATE says. */
static int try_hook(struct session *session, const struct source *source,
		    const struct source_hook *hook, bool is_reduced, struct source_state *state)
{
	int err;

	state->hook = hook;
	state->reason[0] = '\0';
	state->err = 0;
	err = hook->needs && access(hook->needs, F_OK) < 0 ? -errno : 0;
	if (!err)
		err = hook_load(session, source, hook, is_reduced, &state->object);
	if (err) {
		hook_set_reason(state, hook->name, err);
		return err;
	}
	err = attach(session, state);
	if (err)
		hook_close(state);
	else if (is_reduced)
		name_dropped(state);
	return err;
}

/* Tries the hooks that may be used, in their order. Returns 0 or what the last one said. */
static int try_hooks(struct session *session, const struct source *source, bool is_reduced,
		     struct source_state *state)
{
	const struct source_hook *forced = session->forced[source_id(source)];
	int err = -ENOENT;

	for (size_t i = 0; err && i < source->nr_hooks; i++) {
		if (forced && forced != &source->hooks[i])
			continue;
		err = try_hook(session, source, &source->hooks[i], is_reduced, state);
		if (err)
			log_debug("%s: not at %s: %s", source->name, source->hooks[i].name,
				  state->reason);
	}
	return err;
}

int hook_open(struct session *session, const struct source *source, struct source_state *state)
{
	int err = try_hooks(session, source, false, state);

	/* Any hook with all programs is better than another without some. */
	if (err && err != -EPERM)
		err = try_hooks(session, source, true, state);
	state->is_attached = !err;
	return err;
}

void hook_detach(struct source_state *state)
{
	for (size_t i = 0; i < state->nr_links; i++)
		bpf_link__destroy(state->links[i]);
	state->nr_links = 0;
}

void hook_close(struct source_state *state)
{
	hook_detach(state);
	bpf_object__close(state->object);
	state->object = NULL;
}
