// SPDX-License-Identifier: BSD-3-Clause
/* ttreplay: runs a recorded guest again from its trace and says whether it is identical. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "format/cleanup.h"
#include "kernel/printable.h"
#include "kernel/process.h"
#include "replayer/replay_options.h"
#include "replayer/verdict.h"

/* Parts of the seal that keep a stranger's program away from this machine. */
#define SEAL_LOCKS (SEAL_MOUNT | SEAL_NET | SEAL_USER)

struct replay {
	struct replay_options options;
	struct trace_reader *reader;
	struct guest_spec spec;
	struct guest_origin origin;
	struct guest guest;
	struct cpu_identity cpu;
	struct cursor_report report;
	struct verdict verdict;
};

static int open_trace(struct replay *replay, struct diagnosis *why)
{
	const char *path = replay->options.trace;
	int err = trace_reader_open(path, &replay->reader);

	if (err == -EBADMSG || err == -EPIPE)
		return diagnose(why, EXIT_DAMAGED, err,
				"`ttdump salvage` saves what is left of a trace", "%s is %s", path,
				err == -EPIPE ? "cut off in its first bytes"
					      : "no trace, or damaged in its head");
	if (err == -EPROTONOSUPPORT)
		return diagnose(why, EXIT_CANNOT, err, "use a newer ttreplay",
				"%s needs a feature this version does not know", path);
	if (err)
		return diagnose(why, err == -ENOENT || err == -EACCES ? EXIT_USAGE : EXIT_CANNOT,
				err, "check the path", "cannot open %s: %s", path, strerror(-err));
	return guest_spec_read(replay->reader, replay->options.cursor.guest, &replay->spec,
			       &replay->origin, why);
}

/* A trace also says how sealed its room was: that must not be what opens the door. */
static int open_guest(struct replay *replay, struct diagnosis *why)
{
	struct diagnosis room_why = { 0 };
	int err;

	replay->spec.required = replay->options.trust ? 0 : SEAL_LOCKS;
	err = guest_open(&replay->spec, &replay->guest, &room_why);
	if (err == -EACCES && replay->spec.required)
		return diagnose(why, EXIT_CANNOT, err,
				"`ttrec doctor` says what to change; --trust runs it all the same",
				"a trace carries a program, and it cannot be locked in here (%s)",
				room_why.what);
	*why = room_why;
	return err;
}

/* Why digests say nothing here, if they do: memory belongs to a CPU and to a seal. */
static void judge_memory(struct replay *replay)
{
	const struct cpu_identity *was = &replay->origin.cpu, *is = &replay->cpu;
	unsigned int missing = replay->origin.seal & ~replay->guest.room.seal;
	char *reason = replay->verdict.memory_reason, names[SEAL_TEXT];
	size_t size = sizeof(replay->verdict.memory_reason);

	/* First: a guest that was not held on one CPU has no identity of it either. */
	if (replay->origin.seal != SEAL_FULL)
		snprintf(reason, size, "recorded in a room that was not fully sealed (%s)",
			 seal_text(replay->origin.seal, names));
	else if (strcmp(was->model, is->model))
		snprintf(reason, size, "recorded on another CPU model: %s, this is %s", was->model,
			 is->model);
	else if (was->number != is->number)
		snprintf(reason, size, "recorded on CPU %u, which this process may not use",
			 was->number);
	else if (was->cpuid != is->cpuid)
		snprintf(reason, size, "CPU %u answers CPUID differently than it did", was->number);
	else if (missing)
		snprintf(reason, size, "the recording's room was sealed further (%s)",
			 seal_text(missing, names));
	printable(reason);
	replay->options.cursor.compare_memory = !*reason;
}

static void choose_cpu(struct replay *replay)
{
	if (cpu_pin(replay->spec.cpu, &replay->cpu)) {
		replay->spec.cpu = cpu_here();
		cpu_pin(replay->spec.cpu, &replay->cpu);
	}
}

static int replay_trace(struct replay *replay, struct diagnosis *why)
{
	int err = open_trace(replay, why);

	if (err)
		return err;
	if (replay->spec.host_files && !replay->options.trust)
		return diagnose(why, EXIT_CANNOT, -EPERM, "--trust runs it all the same",
				"the recorded guest used files of its host");
	choose_cpu(replay);
	err = open_guest(replay, why);
	if (err)
		return err;
	judge_memory(replay);
	cpu_wait_politely();
	return cursor_run(replay->reader, &replay->guest, &replay->options.cursor, &replay->report,
			  why);
}

static int print_verdict(struct replay *replay)
{
	replay->verdict.trace = replay->options.trace;
	replay->verdict.spec = &replay->spec;
	replay->verdict.origin = &replay->origin;
	replay->verdict.report = &replay->report;
	if (replay->options.json)
		verdict_print_json(&replay->verdict);
	else
		verdict_print(&replay->verdict);
	return verdict_status(&replay->verdict);
}

int main(int argc, char **argv)
{
	struct replay replay = { .guest = GUEST_NONE };
	struct diagnosis why = { 0 };
	int status;

	process_fill_streams();
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "ttreplay " TTREC_VERSION;
	replay_options_parse(argc, argv, &replay.options);
	process_hold_stop();
	if (replay_trace(&replay, &why)) {
		if (!why.status)
			diagnose(&why, EXIT_CANNOT, -EIO, NULL, "cannot replay %s",
				 replay.options.trace);
		status = diagnosis_print(&why, "ttreplay");
		if (replay.report.stop_signal)
			status = 128 + replay.report.stop_signal;
	} else {
		status = print_verdict(&replay);
	}
	guest_close(&replay.guest);
	guest_spec_free(&replay.spec);
	trace_reader_close(replay.reader);
	return status;
}
