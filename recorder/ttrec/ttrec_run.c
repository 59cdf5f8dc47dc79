// SPDX-License-Identifier: BSD-3-Clause
/* ttrec run: records the guests of a lab, or one guest, in isolated sandboxes. */
#include <sched.h>
#include <string.h>

#include "format/ci/ci.h"
#include "format/base/cleanup.h"
#include "format/text/trace_open.h"
#include "kernel/guest/guest_patches.h"
#include "kernel/probe/probe.h"
#include "kernel/host/process.h"
#include "recorder/explore/explore.h"
#include "recorder/rerecord/rerecord_compare.h"
#include "recorder/program/guest_program.h"
#include "recorder/report/run_report.h"
#include "recorder/run/run_disks.h"
#include "recorder/run/run_programs.h"
#include "recorder/run/run_trace.h"
#include "recorder/ttrec/ttrec.h"

/* Everything one run owns. */
struct run {
	struct run_options options;
	struct run_lab lab;
	struct rerecord *rerecord; /* what is recorded again; NULL */
	struct rerecord_compare *compare;
	struct trace_output output;
	struct trace_writer *writer;
	struct run_disks *disks; /* that are hashed for the trace; NULL: none */
	struct session *session;
	struct session_result result;
	int listen_fd; /* where more clients come, until the session has it; -1 */
	struct sandbox_groups groups;
	struct probe *probe;
	struct diagnosis probe_why; /* there is none, although it is wanted */
};

/* What this machine did not allow; and what was given up for what --allow has let a guest use. */
static void warn_isolation(const struct run *run)
{
	unsigned int lost = 0, given = 0;

	for (size_t i = 0; i < run->lab.guest_count; i++) {
		const struct run_guest *guest = &run->lab.guest[i];

		if (guest->spec.host_files)
			given |= ISOLATION_MOUNT;
		lost |= run->options.wanted & ~guest->guest.sandbox.isolation;
	}
	for (unsigned int i = 0; i < ISOLATION_COUNT; i++) {
		if (!(lost & 1u << i))
			continue;
		fprintf(stderr, "ttrec: not isolated (%s): %s\n  hint: %s\n",
			isolation_info(i)->name, isolation_info(i)->lost,
			given & 1u << i ? "none needed if this is intended with --allow"
					: isolation_info(i)->advice);
	}
}

/* Printed once, for the first guest with that kernel; not checked where memory is not compared. */
static void warn_counter(const struct run *run)
{
	if (run->options.session.digest == DIGEST_OFF)
		return;
	for (size_t i = 0; i < run->lab.guest_count; i++) {
		const struct guest_spec *spec = &run->lab.guest[i].spec;

		if (guest_patches(&spec->files.file[0]) & GUEST_PATCH_COUNTER)
			continue;
		fprintf(stderr,
			"ttrec: warning: programs of %s read this machine's time stamp counter, as "
			"every dynamically linked program does: its memory will differ on replay\n "
			" hint: build the kernel with kernel/uml/build-uml.sh, which patches it; "
			"`ttrec doctor KERNEL` shows what a kernel has\n",
			spec->name);
		return;
	}
}

/* Also before an error: they may be what explains it. */
static void warn_notes(const struct run *run)
{
	char *const *note = run->lab.lab ? run->lab.lab->notes : NULL;

	for (; !run->options.json && note && *note; note++)
		fprintf(stderr, "ttrec: warning: %s\n", *note);
}

static void warn(const struct run *run)
{
	if (run->options.json)
		return; /* it says so itself */
	if (run->probe_why.status)
		fprintf(stderr, "ttrec: warning: interrupts are not recorded: %s\n",
			run->probe_why.what);
	warn_counter(run);
	warn_isolation(run);
}

static int open_trace(struct run *run, struct diagnosis *why)
{
	int err;

	if (!run->options.output)
		return 0;
	err = run_trace_create(&run->options, run_lab_largest(&run->lab), &run->output,
			       &run->writer);
	if (!err)
		err = run_lab_describe(&run->options, &run->lab, run->writer);
	if (!err && run->probe)
		err = run_trace_probed(run->writer, run->lab.guest_count);
	if (!err)
		err = run_disks_start(run->lab.lab, run->options.embed_disks, run->writer,
				      &run->disks);
	return err ? trace_output_diagnose(run->options.output, err, why) : 0;
}

static bool is_one_cpu(const struct run *run)
{
	for (size_t i = 1; i < run->lab.guest_count; i++)
		if (run->lab.guest[i].spec.cpu != run->lab.guest[0].spec.cpu)
			return false;
	return true;
}

/*
 * The writer's thread is made while this one may run everywhere but on the guests' CPU, and stays
 * there; then this one joins the guests: waking a process on another CPU is what costs. With guests
 * on several CPUs it goes where the host wants it: the guest that it serves has just gone to sleep,
 * so there is room beside it.
 */
static int start_on_cpu(struct run *run, struct diagnosis *why)
{
	bool pinned = run->options.wanted & ISOLATION_CPU && is_one_cpu(run);
	unsigned int cpu = run->lab.guest[0].spec.cpu;
	cpu_set_t allowed;
	int err;

	if (pinned && !cpu_allowed(&allowed))
		cpu_avoid(&allowed, cpu);
	err = open_trace(run, why);
	if (!err && pinned)
		cpu_pin(cpu, NULL);
	if (is_one_cpu(run))
		cpu_wait_politely();
	if (pinned && run->lab.guest[0].cpu.is_virtual)
		cpu_fault_on_cpuid();
	return err;
}

/* Clients that come by themselves, besides the guests. */
static int listen_beside(struct run *run, struct diagnosis *why)
{
	int err = ttrec_listen(run->options.socket, &run->listen_fd, why);

	if (err)
		return err;
	err = session_listen(run->session, run->listen_fd);
	if (!err)
		run->listen_fd = -1;
	return err;
}

static int compare_rerecord(struct run *run)
{
	int err = rerecord_compare_create(&run->options, run->rerecord, &run->lab, &run->compare);

	if (!err)
		session_observe(run->session, rerecord_compare_record, run->compare);
	return err;
}

/* The lab of the trace that is recorded again, and then its guests. */
static int load_rerecord(struct run *run, struct diagnosis *why)
{
	int err = rerecord_open(&run->options, &run->rerecord, why);

	if (!err)
		err = rerecord_load_lab(&run->options, run->rerecord, &run->lab.lab, why);
	if (!err)
		err = run_lab_load(&run->options, &run->lab, why);
	return err ? err : rerecord_take_guests(run->rerecord, &run->lab, why);
}

static int prepare_lab(struct run *run, struct diagnosis *why)
{
	/* First: programs that are started for it open them, too. */
	int err = host_check_devices(why);

	if (!err)
		err = guest_program_prepare(&run->options, why);
	if (!err)
		err = run->options.rerecord ? load_rerecord(run, why)
					    : run_lab_load(&run->options, &run->lab, why);
	if (!err && run->options.probe)
		probe_open(&run->probe, &run->probe_why);
	run->lab.groups = &run->groups;
	if (!err)
		err = run_lab_open(&run->options, &run->lab, why);
	if (err && !why->status)
		return diagnose(why, EXIT_CANNOT, err, NULL, "cannot set up the recording: %s",
				strerror(-err));
	return err;
}

static int prepare(struct run *run, struct diagnosis *why)
{
	int err = prepare_lab(run, why);

	warn_notes(run);
	if (err)
		return err;
	warn(run);
	err = start_on_cpu(run, why);
	if (err)
		return err;
	err = session_create(&run->options.session, run->writer, &run->session);
	if (!err)
		err = run_lab_join(&run->options, &run->lab, run->session);
	if (!err && run->probe)
		err = session_add_probe(run->session, run->probe);
	if (!err && run->rerecord)
		err = compare_rerecord(run);
	if (!err && run->options.socket)
		err = listen_beside(run, why);
	if (err && !why->status)
		return diagnose(why, EXIT_CANNOT, err, NULL, "cannot start the recording: %s",
				strerror(-err));
	return err;
}

/* Not by what its guests did. */
static bool was_stopped(const struct session_result *result)
{
	return result->end != SESSION_DONE && result->end != SESSION_DEADLOCK &&
	       result->end != SESSION_FAULT;
}

/* What cannot be written is the writer's to report, when it is closed. */
static void finish_disks(struct run *run)
{
	const char *changed;

	run_disks_finish(run->disks, run->writer, &changed);
	if (changed && !run->options.json)
		fprintf(stderr,
			"ttrec: warning: the disk image %s changed while it was recorded\n"
			"  hint: let nothing write to an image that a guest uses: this recording "
			"cannot be compared with another\n",
			changed);
}

static int finish(struct run *run)
{
	struct trace_writer_stat stat = { 0 };
	struct run_report report = { .options = &run->options,
				     .probe_reason = run->probe_why.what,
				     .result = &run->result,
				     .session = run->session,
				     .lab = &run->lab,
				     .trace = &stat };
	bool kept = run->writer;
	struct findings found = { 0 };
	int status, untold;

	if (run->compare)
		report.rerecord = rerecord_compare_finish(run->compare, was_stopped(&run->result));
	finish_disks(run);
	run_trace_close(&run->options, take_pointer(run->writer), &run->result, &stat);
	status = run_judge(&report, &found);
	kept = kept && (status || run->options.keep == KEEP_ALWAYS);
	if (kept && !run_trace_keep(&run->options, &run->output, &run->result)) {
		status = run_judge(&report, &found);
		kept = false;
	}
	ci_guard_begin(&run->options.ci, NULL, stderr);
	run_report_print(&report, status, &found, kept);
	ci_guard_end(&run->options.ci, NULL, stderr);
	untold = run_ci_report(&report, status, &found, kept);
	findings_release(&found);
	return status ? status : untold;
}

/* Guests print to standard output, if it is shown. */
static void record(struct run *run)
{
	const char *title = run->options.session.show_console ? "console" : NULL;

	if (title)
		ci_guard_begin(&run->options.ci, title, stdout);
	process_watch_limit(run->options.session.limit_wall);
	session_run(run->session, &run->result);
	process_watch_limit(0);
	run_programs_end(&run->lab);
	if (title)
		ci_guard_end(&run->options.ci, title, stdout);
}

static void release(struct run *run)
{
	if (run->options.socket && run->session)
		unlink(run->options.socket);
	close_fd(&run->listen_fd);
	session_destroy(run->session);
	run_lab_close(&run->lab);
	trace_writer_close(run->writer, NULL);
	run_disks_destroy(run->disks);
	trace_output_discard(&run->output);
	rerecord_compare_destroy(run->compare);
	run_lab_free(&run->lab);
	rerecord_close(run->rerecord);
	guest_program_release(&run->options);
	/* Last: the host may still be taking it out of the guests. */
	probe_close(run->probe);
}

int ttrec_record(struct run_options *options)
{
	struct run run = { .options = *options, .output = TRACE_OUTPUT_NONE, .listen_fd = -1 };
	struct diagnosis why = { 0 };
	int status;

	process_hold_stop();
	process_watch("ttrec");
	if (options->session.limit_wall != RUN_UNSET)
		process_watch_limit(options->session.limit_wall);
	sandbox_groups_open(NULL, &run.groups);
	if (prepare(&run, &why)) {
		status = diagnosis_print(&why, "ttrec");
		run_ci_report_refused(&run.options, &why);
	} else {
		record(&run);
		status = finish(&run);
	}
	release(&run);
	sandbox_groups_close(&run.groups);
	return status;
}

int ttrec_run(int argc, char **argv)
{
	struct run_options options;

	run_options_parse(argc, argv, &options);
	return ttrec_record(&options);
}

int ttrec_explore(int argc, char **argv)
{
	return explore(argc, argv, ttrec_record);
}
