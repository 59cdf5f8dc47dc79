// SPDX-License-Identifier: BSD-3-Clause
/* ttrec run: records one guest in a sealed room. */
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "format/cleanup.h"
#include "kernel/guest_arguments.h"
#include "kernel/process.h"
#include "recorder/run_report.h"
#include "recorder/run_trace.h"
#include "recorder/ttrec.h"

/* Everything one run owns. */
struct run {
	struct run_options options;
	struct guest_spec spec;
	struct guest guest;
	struct cpu_identity cpu;
	struct trace_writer *writer;
	struct watch *watch;
	struct session *session;
	struct session_result result;
};

/* The room has no /proc of its own: nothing of the host's reaches the guest that way but this. */
static int add_cpu_info(struct image_files *files)
{
	char *text = cpu_info_text();

	return text ? image_files_add(files, "/proc/cpuinfo", 0444, text, strlen(text)) : 0;
}

static int build_spec(struct run *run, struct diagnosis *why)
{
	const struct run_options *options = &run->options;
	struct guest_arguments_options arguments = { .user = options->kernel + 1,
						     .allow = options->allow,
						     .id = options->id };
	struct guest_spec *spec = &run->spec;
	struct entropy_stream *stream;
	int err;

	err = image_files_load(&spec->files, "kernel", options->kernel[0], GUEST_KERNEL_PATH, why);
	if (!err)
		err = image_check_kernel(&spec->files.file[0], options->kernel[0], why);
	if (!err)
		err = guest_arguments_build(&arguments, &spec->files, &spec->arguments,
					    &spec->host_files, why);
	if (!err)
		err = image_load_libraries(&spec->files, &spec->files.file[0], options->kernel[0],
					   why);
	if (!err)
		err = add_cpu_info(&spec->files);
	if (err)
		return err;
	spec->name = strdup("n1");
	spec->id = options->id;
	spec->wanted = options->wanted;
	spec->cpu = options->cpu >= 0 ? (unsigned int)options->cpu : cpu_here();
	/*
	 * The room's own bytes come from a stream of their own: what the guest asks for is not
	 * shifted.
	 */
	err = entropy_stream_create(options->session.seed, ~options->id, &stream);
	if (err || !spec->name)
		return diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	entropy_stream_take(stream, spec->auxv_random, ROOM_RANDOM_SIZE);
	entropy_stream_destroy(stream);
	return 0;
}

static void warn_seal(const struct run *run)
{
	unsigned int lost = run->options.wanted & ~run->guest.room.seal;

	if (run->options.json)
		return; /* it says so itself */
	for (unsigned int i = 0; i < SEAL_COUNT; i++)
		if (lost & 1u << i)
			fprintf(stderr, "ttrec: not sealed (%s): %s\n  to do: %s\n",
				seal_info(i)->name, seal_info(i)->lost, seal_info(i)->advice);
}

static int check_seal(const struct run *run, struct diagnosis *why)
{
	char held[SEAL_TEXT];

	if (run->options.seal_required && run->guest.room.seal != SEAL_FULL)
		return diagnose(
			why, EXIT_CANNOT, -EPERM,
			"run `ttrec doctor` to see what to change, or leave out --seal=full",
			"the room cannot be sealed fully, only: %s",
			seal_text(run->guest.room.seal, held));
	warn_seal(run);
	return 0;
}

static int open_trace(struct run *run, struct diagnosis *why)
{
	int err;

	if (!run->options.output)
		return 0;
	err = run_trace_create(&run->options, &run->writer);
	if (!err)
		err = guest_spec_write(&run->spec, run->guest.room.seal, &run->cpu, 0,
				       run->options.embed, run->writer);
	return err ? run_trace_diagnose(&run->options, err, why) : 0;
}

/*
 * The writer's thread is made while this one may run everywhere but on the guest's CPU, and stays
 * there; then this one joins the guest: waking a process on another CPU is what costs.
 */
static int start_on_cpu(struct run *run, struct diagnosis *why)
{
	bool pinned = run->options.wanted & SEAL_CPU;
	cpu_set_t allowed;
	int err;

	if (pinned && !cpu_allowed(&allowed) && !cpu_pin(run->spec.cpu, &run->cpu))
		cpu_avoid(&allowed, run->spec.cpu);
	err = open_trace(run, why);
	if (!err && pinned)
		cpu_pin(run->spec.cpu, NULL);
	cpu_wait_politely();
	return err;
}

static int prepare(struct run *run, struct diagnosis *why)
{
	const struct run_options *options = &run->options;
	int err;

	err = watch_create(options->expect, options->fail_on[0] ? options->fail_on : NULL,
			   &run->watch, why);
	if (!err)
		err = build_spec(run, why);
	if (!err)
		err = guest_open(&run->spec, &run->guest, why);
	if (!err)
		err = check_seal(run, why);
	if (!err)
		err = start_on_cpu(run, why);
	if (err)
		return err;
	err = session_create(&options->session, run->writer, run->watch, &run->session);
	if (!err)
		err = session_add_guest(run->session, &run->guest);
	if (err)
		return diagnose(why, EXIT_CANNOT, err, NULL, "cannot start the recording: %s",
				strerror(-err));
	return 0;
}

static int finish(struct run *run)
{
	struct run_report report = { .options = &run->options,
				     .result = &run->result,
				     .seal = run->guest.room.seal,
				     .has_guest = true };
	struct trace_writer_stat stat = { 0 };
	struct watch_verdict verdict;
	bool kept = run->writer;
	char reason[640];
	int status;

	watch_judge(run->watch, &verdict);
	report.watch = &verdict;
	report.trace = &stat;
	guest_close(&run->guest);
	run_trace_close(&run->options, take_pointer(run->writer), &run->result, &stat);
	status = run_judge(&report, reason, sizeof(reason));
	if (kept && !status && run->options.keep == KEEP_ON_FAILURE) {
		run_trace_discard(&run->options);
		kept = false;
	}
	run_report_print(&report, status, reason, kept);
	return status;
}

static void release(struct run *run)
{
	session_destroy(run->session);
	guest_close(&run->guest);
	trace_writer_close(run->writer, NULL);
	guest_spec_free(&run->spec);
	watch_destroy(run->watch);
}

int ttrec_run(int argc, char **argv)
{
	struct run run = { .guest = GUEST_NONE };
	struct diagnosis why = { 0 };
	int status;

	run_options_parse(argc, argv, &run.options);
	process_hold_stop();
	if (prepare(&run, &why)) {
		status = diagnosis_print(&why, "ttrec");
	} else {
		session_run(run.session, &run.result);
		status = finish(&run);
	}
	release(&run);
	return status;
}
