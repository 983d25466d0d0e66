/* SPDX-License-Identifier: MIT */
/* `syscalls record`: what COMMAND and its descendants call, over some runs. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "cmd/record_report.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/save.h"
#include "lib/stop.h"
#include "syscalls/drive.h"
#include "syscalls/engine.h"
#include "syscalls/executable.h"
#include "syscalls/front.h"
#include "syscalls/keeper.h"
#include "syscalls/live.h"
#include "syscalls/show.h"
#include "trace/libbpf_log.h"

struct recorder {
	const struct options *options;
	struct keeper keeper;
	struct executable program;
	struct stat program_st; /* when that was looked at; zero: it could not be */
	struct points points;
	const struct engine *engine;
	struct engine_config config;
	char *drive_text; /* --drive, in words */
	char *drive_words[DRIVE_WORDS_MAX + 1];
	struct drive drive;
	bool was_overdue; /* COMMAND did not end when its driver had */
	struct live *live;
	struct utsname host;
	bool was_filtered;
	struct recording *all;
	bool is_front; /* another process has done the rest: its exit status is failure */
	int status;    /* of COMMAND, in the last run */
	int failure;   /* an exit status of the tool's own */
};

/* The first failure counts. */
static void fail(struct recorder *recorder, int status)
{
	if (!recorder->failure)
		recorder->failure = status;
}

static int usage(const char *what)
{
	error_report(what, NULL, "Try: crypto-tracer syscalls record --help", NULL);
	return EXIT_USAGE;
}

/* Writes where --output says, or a table; in the keeper. */
static int write_output(void *ctx, const char *bytes, size_t size)
{
	const struct options *options = ctx;
	struct recording *recording;
	const char *what;
	int err;

	if (options->output) {
		err = save_file(options->output, bytes, size);
		if (err)
			save_file(NULL, bytes, size);
		return err;
	}
	err = recording_parse(bytes, size, &recording, &what);
	if (err)
		return err;
	err = recording_print(recording, stderr, false);
	recording_free(recording);
	return err;
}

/* Whether a seccomp filter is in force, which COMMAND inherits. */
static bool is_filtered(void)
{
	_cleanup_(cleanup_file) FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Seccomp:", 8) == 0)
			return strchr(line, '2') != NULL;
	return false;
}

/* Everything that comes before this process changes anything of itself. */
static int start(struct recorder *recorder)
{
	const struct options *options = recorder->options;
	struct keeper_config config = {
		.programs = { [KEEPER_COMMAND] = options->command },
		.write = write_output,
		.ctx = (void *)options,
	};
	int err;

	if (options->syscalls.drive) {
		recorder->drive_text = strdup(options->syscalls.drive);
		if (!recorder->drive_text)
			return report_error("cannot start", -ENOMEM);
		if (drive_split(recorder->drive_text, recorder->drive_words) < 0)
			return usage("--drive needs a command of 1 to 256 words");
		config.programs[KEEPER_DRIVE] = recorder->drive_words;
	}
	err = keeper_start(&recorder->keeper, &config);
	if (!err)
		err = stop_install();
	if (err)
		return report_error("cannot start", err);
	err = options->output ? save_check(options->output) : 0;
	if (err)
		return report_output(options->output, err, false);
	err = executable_find(options->command[0], &recorder->program);
	if (!err)
		stat(recorder->program.path, &recorder->program_st);
	return err ? report_command(options->command[0], err) : 0;
}

static int add_points(struct recorder *recorder)
{
	const struct syscalls_options *options = &recorder->options->syscalls;
	char what[POINT_WHAT_SIZE], quoted[LOG_QUOTE_SIZE], title[LOG_QUOTE_SIZE + 64];

	for (size_t i = 0; i < options->nr_phases; i++) {
		int err = points_add(&recorder->points, options->phases[i], recorder->program.path,
				     what);

		if (!err)
			continue;
		snprintf(title, sizeof(title), "'%s' is no point of this program",
			 log_quote(quoted, options->phases[i]));
		error_report(
			title, what,
			"Try: FUNCTION, FILE:FUNCTION, FILE:0xOFFSET, first:CALL, first:fork,\n"
			"first:thread, first:exec, signal:NAME or auto",
			NULL);
		return EXIT_ERROR;
	}
	return 0;
}

/* Chooses the engine. Returns 0 or an exit status, having said why there is none. */
static int choose_engine(struct recorder *recorder)
{
	uint32_t wanted = recorder->options->syscalls.engine;
	int err = wanted == OPTION_ENGINE_ptrace ? -ENOSYS : engine_bpf.probe();

	recorder->engine = &engine_bpf;
	if (!err)
		return 0;
	if (wanted == OPTION_ENGINE_bpf) {
		int status = err == -EPERM ? record_report_rights() : check_privileges();

		return status ? status : report_error("the engine 'bpf' does not work here", err);
	}
	recorder->engine = &engine_ptrace;
	err = recorder->engine->probe();
	return err ? report_error("the engine 'ptrace' does not work here", err) : 0;
}

/* Whether it will be ptrace: then this process only waits for the one that traces. */
static bool needs_front(const struct options *options)
{
	uint32_t wanted = options->syscalls.engine;

	return wanted == OPTION_ENGINE_ptrace ||
	       (wanted == OPTION_ENGINE_auto && engine_bpf.probe() != 0);
}

static void print_call(void *ctx, const struct engine_call *call)
{
	struct recorder *recorder = ctx;

	live_print(recorder->live, call);
}

static void on_ready(void *ctx, pid_t root)
{
	struct recorder *recorder = ctx;

	drive_start(&recorder->drive, root);
}

static enum engine_will should_stop(void *ctx)
{
	struct recorder *recorder = ctx;

	if (recorder->live)
		live_flush(recorder->live);
	if (stop_signal())
		return ENGINE_STOP;
	if (!recorder->options->syscalls.drive)
		return ENGINE_GO_ON;
	if (!drive_is_overdue(&recorder->drive))
		return drive_must_tell_all(&recorder->drive) ? ENGINE_TELL : ENGINE_GO_ON;
	/* Whatever --on-exit says: it was to end. */
	recorder->config.kills_at_exit = true;
	recorder->was_overdue = true;
	return ENGINE_STOP;
}

static void on_warning(void *ctx, const char *sentence)
{
	(void)ctx;
	log_warn("%s", sentence);
}

static int configure(struct recorder *recorder)
{
	const struct options *options = recorder->options;
	const char *no_color = getenv("NO_COLOR");

	recorder->config = (struct engine_config){
		.command = options->command,
		.program = recorder->program.path,
		.points = &recorder->points,
		.kills_at_exit = !options->syscalls.detaches,
		.should_stop = should_stop,
		.ready = options->syscalls.drive ? on_ready : NULL,
		.live = options->syscalls.live ? print_call : NULL,
		.warn = on_warning,
		.ctx = recorder,
		.keeper = &recorder->keeper,
	};
	if (!options->syscalls.live)
		return 0;
	recorder->live = calloc(1, sizeof(*recorder->live));
	if (!recorder->live)
		return -ENOMEM;
	recorder->live->fd = STDERR_FILENO;
	recorder->live->has_color = isatty(STDERR_FILENO) == 1 && !(no_color && *no_color);
	return 0;
}

/* A copy of TEXT in *RET, NULL where it is empty. Returns 0 or -ENOMEM. */
static int keep_text(struct recording *recording, const char *text, const char **ret)
{
	if (!*text)
		return 0;
	*ret = recording_text(recording, text, strlen(text));
	return *ret ? 0 : -ENOMEM;
}

static int keep_command(struct recording *recording, char *const *command)
{
	size_t nr = 0;
	int err = 0;

	while (command[nr])
		nr++;
	recording->command = pool_take(&recording->pool, nr * sizeof(*recording->command));
	if (!recording->command)
		return -ENOMEM;
	for (; !err && recording->nr_command < nr; recording->nr_command++) {
		const char *word = command[recording->nr_command];

		recording->command[recording->nr_command] =
			recording_text(recording, word, strlen(word));
		if (!recording->command[recording->nr_command])
			err = -ENOMEM;
	}
	return err;
}

/* What is known of COMMAND and of the host before it runs. */
static int keep_facts(const struct recorder *recorder, struct recording *recording)
{
	const struct executable *program = &recorder->program;
	int err = keep_command(recording, recorder->options->command);

	recording->engine = recorder->engine->name;
	memcpy(recording->exe_sha256, program->sha256, sizeof(recording->exe_sha256));
	if (!err)
		err = keep_text(recording, recorder->host.release, &recording->kernel);
	if (!err)
		err = keep_text(recording, program->libc, &recording->libc);
	if (!err)
		err = keep_text(recording, program->path, &recording->exe);
	if (!err)
		err = keep_text(recording, program->build_id, &recording->build_id);
	return err;
}

/* A recording without runs: what is known of COMMAND, and the phases. */
static int new_recording(const struct recorder *recorder, struct recording **ret)
{
	struct recording *recording;
	int err = recording_new(&recording);

	if (err)
		return err;
	err = keep_facts(recorder, recording);
	for (size_t i = 0; !err && i < recorder->points.nr; i++) {
		err = recording_add_phase(recording, recorder->points.list[i].text);
		err = err > 0 ? 0 : err;
	}
	if (err) {
		recording_free(recording);
		return err;
	}
	*ret = recording;
	return 0;
}

static int begin_run(const struct recorder *recorder, struct recording_run *run)
{
	unsigned char random[16];

	*run = (struct recording_run){ .was_filtered = recorder->was_filtered };
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(run->id + 2 * i, 3, "%02x", random[i]);
	return 0;
}

/* What became of CMD; and whether COMMAND ended because of it. */
static void end_drive(struct recorder *recorder, struct recording_run *run)
{
	struct drive *drive = &recorder->drive;
	int err;

	if (!recorder->options->syscalls.drive)
		return;
	err = drive_end(drive);
	if (recorder->was_overdue)
		log_warn("COMMAND did not end within 10 s of SIGTERM and was killed");
	/* It was told to. */
	if (drive->was_told && !err && (run->status == 128 + SIGTERM || recorder->was_overdue))
		run->status = 0;
	if (!stop_signal() && (err || drive->status))
		fail(recorder,
		     record_report_drive(recorder->options->syscalls.drive, err, drive->status));
}

/* Says why the engine could not run COMMAND. Returns an exit status. */
static int report_run(const struct recorder *recorder, const struct recording_run *run, int err)
{
	if (run->status)
		return report_command(recorder->options->command[0], err);
	if (stop_signal())
		return 128 + stop_signal();
	if (err == -EPIPE)
		return record_report_keeper();
	if (recorder->engine == &engine_bpf && !run->started_ns)
		return report_load(err, libbpf_log_text(), recorder->options->verbose);
	return report_error("cannot record COMMAND", err);
}

/* Takes the run into what is recorded. */
static int take_run(struct recorder *recorder, struct recording *one,
		    const struct recording_run *run)
{
	int err = recording_add_run(one, run, one);

	if (!err)
		err = recording_merge(recorder->all, one);
	if (!err)
		err = keeper_save(&recorder->keeper, recorder->all);
	if (!err && run->lost)
		log_warn("%" PRIu64 " calls were not counted", run->lost);
	return err;
}

/*
 * Whether the engine 'bpf', which nobody insists on, could not be loaded: nothing has begun then.
 * The kernel may be too old, or refuse bpf(2) to a process that has the rights.
 */
static bool may_fall_back(const struct recorder *recorder, const struct recording_run *run, int err)
{
	return err && err != -EPIPE && err != -ECANCELED && recorder->engine == &engine_bpf &&
	       recorder->options->syscalls.engine == OPTION_ENGINE_auto && !run->started_ns &&
	       !run->status && !recorder->all->nr_runs && !stop_signal();
}

/*
 * Goes on with ptrace, behind a process in front as with that engine from the start. In the one in
 * front all is done when it returns. Returns 0 or an exit status.
 */
static int fall_back(struct recorder *recorder, int err)
{
	int status = 0;

	log_warn("the engine 'bpf' does not load here (%s): it is 'ptrace', which slows COMMAND "
		 "down; --engine bpf tells more",
		 libbpf_log_strerror(err));
	recorder->engine = &engine_ptrace;
	err = recorder->engine->probe();
	if (err)
		return report_error("the engine 'ptrace' does not work here", err);
	recorder->is_front = !front_enter(&status);
	return status;
}

/* Looks whether COMMAND has been replaced since the last run: then it is another program. */
static void look_again(struct recorder *recorder)
{
	const struct stat *old = &recorder->program_st;
	struct executable found;
	char quoted[LOG_QUOTE_SIZE];
	struct stat st;

	if (recorder->all->nr_runs == 0 || stat(recorder->program.path, &st) < 0 ||
	    (st.st_dev == old->st_dev && st.st_ino == old->st_ino && st.st_size == old->st_size &&
	     st.st_ctim.tv_sec == old->st_ctim.tv_sec &&
	     st.st_ctim.tv_nsec == old->st_ctim.tv_nsec))
		return;
	recorder->program_st = st;
	/* What cannot be looked into is another one, too. */
	if (executable_find(recorder->options->command[0], &found))
		memcpy(found.path, recorder->program.path, sizeof(found.path));
	if (found.sha256[0] && strcmp(found.path, recorder->program.path) == 0 &&
	    strcmp(found.sha256, recorder->program.sha256) == 0)
		return;
	log_warn("'%s' has changed since the last run", log_quote(quoted, recorder->program.path));
	recorder->program = found;
}

/*
 * One run, or, with another engine from then on, none. Returns 0, or an exit status when there are
 * to be no more.
 */
static int run_once(struct recorder *recorder)
{
	struct recording *one = NULL;
	struct recording_run run;
	int status = 0;
	int err = begin_run(recorder, &run);

	look_again(recorder);
	if (!err)
		err = new_recording(recorder, &one);
	if (err)
		return report_error("cannot record COMMAND", err);
	recorder->was_overdue = false;
	drive_begin(&recorder->drive, &recorder->keeper);
	err = recorder->engine->run(&recorder->config, one, &run);
	if (recorder->live)
		live_flush(recorder->live);
	if (may_fall_back(recorder, &run, err)) {
		recording_free(one);
		status = fall_back(recorder, err);
		return status;
	}
	if (err && err != -ECANCELED)
		status = report_run(recorder, &run, err);
	if (!err || err == -ECANCELED || err == -EPIPE) {
		end_drive(recorder, &run);
		recorder->status = run.status;
		err = take_run(recorder, one, &run);
		if (err && err != -EPIPE)
			status = report_error("cannot keep what was recorded", err);
	}
	recording_free(one);
	return status;
}

/* To standard output: for when nobody is left who may write the file. */
static void print_all(const struct recorder *recorder)
{
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size;

	if (recording_render(recorder->all, &text, &size) == 0)
		save_file(NULL, text, size);
}

static void write_all(struct recorder *recorder)
{
	const struct options *options = recorder->options;
	int err;

	if (!options->output) {
		bool has_color = isatty(STDERR_FILENO) == 1 && !getenv("NO_COLOR");

		err = recording_print(recorder->all, stderr, has_color);
		/* There is nothing left to keep. */
		keeper_stop(&recorder->keeper);
		if (err)
			fail(recorder, report_error("cannot show the recording", err));
		return;
	}
	err = keeper_write(&recorder->keeper, recorder->all);
	if (err == -EPIPE)
		print_all(recorder);
	if (err)
		fail(recorder, report_output(options->output, err, true));
}

static int record(struct recorder *recorder)
{
	uint32_t nr = recorder->options->syscalls.runs;
	int status = new_recording(recorder, &recorder->all)
			     ? report_error("cannot record COMMAND", -ENOMEM)
			     : 0;

	while (!status && !stop_signal() && !recorder->is_front && recorder->all->nr_runs < nr) {
		size_t before = recorder->all->nr_runs;

		status = run_once(recorder);
		if (nr > 1 && !status && recorder->all->nr_runs > before)
			log_info("run %zu of %u: %zu calls in all, %zu of them new",
				 recorder->all->nr_runs, nr,
				 recording_growth(recorder->all, recorder->all->nr_runs),
				 recording_growth(recorder->all, 1));
	}
	fail(recorder, status);
	if (recorder->all && recorder->all->nr_runs) {
		if (!stop_signal() && !status)
			fail(recorder, record_report_points(&recorder->points, recorder->all));
		write_all(recorder);
	}
	if (stop_signal())
		return 128 + stop_signal();
	return recorder->status ? recorder->status : recorder->failure;
}

static int record_run(const struct options *options)
{
	struct recorder recorder = { .options = options, .was_filtered = is_filtered() };
	int status;

	if (!options->command)
		return usage("there is nothing to record: give COMMAND after --");
	if (needs_front(options) && !front_enter(&status))
		return status;
	uname(&recorder.host);
	status = start(&recorder);
	if (!status)
		status = add_points(&recorder);
	if (!status)
		status = choose_engine(&recorder);
	if (!status && configure(&recorder))
		status = report_error("cannot start", -ENOMEM);
	if (!status && recorder.was_filtered)
		log_warn("a seccomp filter is in force already: COMMAND is recorded under it");
	if (!status)
		status = record(&recorder);
	keeper_stop(&recorder.keeper);
	points_free(&recorder.points);
	recording_free(recorder.all);
	free(recorder.drive_text);
	free(recorder.live);
	return status;
}

const struct command syscalls_record_command = {
	.name = "syscalls record",
	.help = "record the system calls of a command",
	.synopsis = "[OPTIONS] -- COMMAND [ARG...]",
	.details = "Counts the system calls of COMMAND and of all processes and threads that\n"
		   "come of it, until the last of them has ended. The exit status is COMMAND's,\n"
		   "that of the last run where there are several; 1 where that is 0 and a point\n"
		   "was never reached, or the driver failed.\n",
	.examples = "crypto-tracer syscalls record -o ls.json -- ls -l\n"
		    "crypto-tracer syscalls record --phase auto -o redis.json \\\n"
		    "    --drive 'redis-benchmark -q -n 1000' -- redis-server\n"
		    "crypto-tracer syscalls record --live --engine ptrace -- date\n",
	.tables = { &syscalls_record_options, &general_options },
	.takes_command = true,
	.run = record_run,
};
