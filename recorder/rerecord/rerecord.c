// SPDX-License-Identifier: BSD-3-Clause
/* Reads from a trace how it was recorded, to re-record it. */
#include "recorder/rerecord/rerecord.h"

#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/guest/guest_patches.h"
#include "kernel/sandbox/host_checks.h"
#include "format/base/write_error.h"
#include "format/text/trace_open.h"
#include "recorder/run/run_disks.h"

#define DEFAULT_OUTPUT "again.zst"
#define DISK_VIRTIO_ID 2

static const char record_anew[] = "record it with `ttrec run` of this version";

/* ---- The trace ------------------------------------------------------------------------------ */

/* A file that the recording reads must not be one that it writes. */
static int choose_output(struct run_options *options, struct diagnosis *why)
{
	if (!options->output_given)
		options->output = DEFAULT_OUTPUT;
	if (!options->output)
		return diagnose(why, EXIT_USAGE, -EINVAL, "give a file with -o",
				"--rerecord requires an output trace");
	if (!is_same_file(options->rerecord, options->output))
		return 0;
	return diagnose(why, EXIT_USAGE, -EEXIST, "give another file with -o",
			"cannot write %s: it is the trace to re-record", options->output);
}

static int check_verb(const struct run_options *options, const struct run_settings *settings,
		      struct diagnosis *why)
{
	if (!settings->verb)
		return diagnose(
			why, EXIT_CANNOT, -ENOTSUP, record_anew,
			"%s does not contain the recording's settings: its recorder was too old",
			options->rerecord);
	if (strcmp(settings->verb, "run"))
		return diagnose(
			why, EXIT_CANNOT, -ENOTSUP,
			"`ttreplay` can replay its guests; to re-record, record with `ttrec run`",
			"%s was recorded by `ttrec %.20s`: it does not contain the scheduler or "
			"the clients",
			options->rerecord, settings->verb);
	return 0;
}

static int read_settings(struct run_options *options, struct rerecord *rerecord,
			 struct diagnosis *why)
{
	int err;

	rerecord->same_digests = options->session.digest == DIGEST_UNSET;
	err = run_settings_read(rerecord->reader, options, &rerecord->settings);
	if (!err)
		err = run_disks_read(rerecord->reader, &rerecord->settings);
	if (err == -EPIPE)
		return diagnose(why, EXIT_DAMAGED, err, "record it again",
				"%s ends before the recording's settings: its recorder was killed, "
				"or the file is incomplete",
				options->rerecord);
	if (err == -EBADMSG)
		return diagnose(why, EXIT_DAMAGED, err, "`ttdump verify` says where",
				"%s has damaged recording settings", options->rerecord);
	/* Older traces, without such a cost, do not have it. */
	if (!options->work_cost)
		options->work_cost = GUEST_WORK_OFF;
	if (err == -ENOTSUP)
		return diagnose(why, EXIT_CANNOT, err,
				"use the version that recorded it, or a newer one",
				"%s has an unsupported disk-model=%u", options->rerecord,
				rerecord->settings.disk_model);
	return err ? err : check_verb(options, &rerecord->settings, why);
}

static int check_host_files(const struct run_options *options, const struct rerecord *rerecord,
			    struct diagnosis *why)
{
	for (size_t i = 0; i < rerecord->count; i++)
		if (rerecord->guest[i].spec.host_files && !options->trust)
			return diagnose(why, EXIT_CANNOT, -EPERM, "--trust runs it anyway",
					"the recorded guest %s had access to files of its host",
					rerecord->guest[i].spec.name);
	return 0;
}

/*
 * All guests run at the same time: check the sum of what the trace asks for before a sandbox is
 * opened.
 */
static int check_memory(const struct rerecord *rerecord, uint64_t most, struct diagnosis *why)
{
	char demand[UNITS_TEXT], limit[UNITS_TEXT];
	uint64_t bytes = 0;

	for (size_t i = 0; i < rerecord->count; i++) {
		const struct guest_spec *spec = &rerecord->guest[i].spec;
		uint64_t more = guest_files_demand(spec, image_files_bytes(&spec->files));

		bytes = more > UINT64_MAX - bytes ? UINT64_MAX : bytes + more;
	}
	if (bytes <= most)
		return 0;
	return diagnose(why, EXIT_CANNOT, -EFBIG,
			"raise the limit with --max-memory; the default is the memory that this "
			"machine has available",
			"its guests may use %s of memory together; the recording's limit is %s",
			size_text(bytes, demand), size_text(most, limit));
}

static int read_guests(const struct run_options *options, struct rerecord *rerecord,
		       struct diagnosis *why)
{
	uint64_t most = options->max_memory ?: host_memory_available();
	const enum guest_files files = options->trust ? GUEST_FILES_HOST : GUEST_FILES_EMBEDDED;
	int err = guest_specs_read(rerecord->reader, GUEST_ALL, files, most, &rerecord->guest,
				   &rerecord->count, why);

	if (!err)
		err = check_memory(rerecord, most, why);
	if (!err)
		err = check_host_files(options, rerecord, why);
	for (unsigned int part = 0; part < GUEST_PARTS; part++)
		for (const char *const *text = options->replace[part]; !err && *text; text++)
			err = guest_specs_replace(rerecord->guest, rerecord->count,
						  (enum guest_part)part, *text, why);
	return err;
}

int rerecord_open(struct run_options *options, struct rerecord **out, struct diagnosis *why)
{
	struct rerecord *rerecord = calloc(1, sizeof(*rerecord));
	int err = choose_output(options, why);

	*out = rerecord;
	if (err || !rerecord)
		return err ? err : -ENOMEM;
	err = trace_open(options->rerecord, &rerecord->reader, why);
	if (!err)
		err = read_settings(options, rerecord, why);
	if (!err)
		err = read_guests(options, rerecord, why);
	return err;
}

void rerecord_close(struct rerecord *rerecord)
{
	if (!rerecord)
		return;
	guest_specs_free(rerecord->guest, rerecord->count);
	rerecord_free_disks(rerecord);
	run_settings_free(&rerecord->settings);
	trace_reader_close(rerecord->reader);
	free(rerecord);
}

/* ---- The lab -------------------------------------------------------------------------------- */

/* The one guest of a trace that had no lab file. */
static struct lab *single_lab(const struct guest_recorded *guest)
{
	char *const no_arguments[] = { NULL };
	char *kernel = guest->spec.files.file[0].source;

	return lab_create_single(guest->spec.name, guest->spec.id, kernel ? kernel : "the kernel",
				 no_arguments);
}

/* Commands and sockets of this machine that the trace names. */
static int check_programs(const struct run_options *options, const struct lab *lab,
			  struct diagnosis *why)
{
	const struct lab_program *program = lab->program;

	if (options->trust || !lab->program_count)
		return 0;
	return diagnose(why, EXIT_CANNOT, -EPERM,
			"pass --trust to allow it; `ttdump extract TRACE lab.yaml` extracts the "
			"lab to check first",
			"the lab of %s %s on this machine: %.160s", options->rerecord,
			program->command ? "starts a program" : "connects to a program",
			program->command ? program->command : program->socket);
}

static int load_recorded(const struct run_options *options, struct rerecord *rerecord,
			 struct lab **lab, struct diagnosis *why)
{
	struct trace_artifact text;
	int found = trace_reader_find(rerecord->reader, RUN_LAB_NAME, true, &text), err;

	if (found < 0 && diagnosis_trace_status(found) != EXIT_DAMAGED)
		return diagnose(why, EXIT_CANNOT, found, diagnosis_shortage(found),
				"cannot read the lab of %s: %s", options->rerecord,
				strerror(-found));
	if (found != 1)
		return diagnose(why, EXIT_DAMAGED, found ? found : -EPIPE, record_anew,
				"%s does not contain its complete lab", options->rerecord);
	err = lab_parse(rerecord->settings.lab_path, text.data, text.size, lab, why);
	trace_artifact_free(&text);
	if (!err)
		(*lab)->disk_model = rerecord->settings.disk_model;
	return err;
}

/* An image that the trace contains need not be where it was: the device says what a root was. */
static int apply_roots(const struct rerecord *rerecord, struct lab *lab, struct diagnosis *why)
{
	for (size_t i = 0; i < lab->guest_count && i < rerecord->count; i++) {
		const struct guest_spec *spec = &rerecord->guest[i].spec;

		if (lab->guest[i].root.path && spec->device_count &&
		    spec->device[0].virtio_id == DISK_VIRTIO_ID)
			lab->guest[i].root.kind = LAB_ROOT_DISK;
	}
	return run_root_apply(lab, why);
}

int rerecord_load_lab(const struct run_options *options, struct rerecord *rerecord,
		      struct lab **lab, struct diagnosis *why)
{
	int err;

	if (!rerecord->settings.lab_path) {
		*lab = single_lab(&rerecord->guest[0]);
		err = *lab ? run_lab_set_root(options, *lab) : -ENOMEM;
	} else {
		err = load_recorded(options, rerecord, lab, why);
	}
	if (!err)
		err = apply_roots(rerecord, *lab, why);
	if (!err)
		err = check_programs(options, *lab, why);
	return err ? err : rerecord_check_disks(options, rerecord, *lab, why);
}

/* ---- Guests --------------------------------------------------------------------------------- */

/* Has @guest, as its lab makes it, what the trace says that it had? */
static bool is_described(const struct run_guest *guest, const struct guest_recorded *recorded,
			 size_t index)
{
	const struct guest_spec *is = &guest->spec, *was = &recorded->spec;

	if (recorded->index != index || strcmp(was->name, guest->lab->name) ||
	    was->id != guest->lab->id || was->device_count != is->device_count)
		return false;
	for (size_t i = 0; i < was->device_count; i++)
		if (was->device[i].virtio_id != is->device[i].virtio_id)
			return false;
	return true;
}

int rerecord_take_guests(struct rerecord *rerecord, struct run_lab *lab, struct diagnosis *why)
{
	bool match = rerecord->count == lab->guest_count;

	for (size_t i = 0; match && i < lab->guest_count; i++)
		match = is_described(&lab->guest[i], &rerecord->guest[i], i);
	if (!match)
		return diagnose(why, EXIT_DAMAGED, -EBADMSG, record_anew,
				"the guests of the trace differ from those of its lab");
	for (size_t i = 0; i < lab->guest_count; i++) {
		guest_spec_free(&lab->guest[i].spec);
		lab->guest[i].spec = rerecord->guest[i].spec;
		lab->guest[i].recorded = &rerecord->guest[i];
		rerecord->guest[i].spec = (struct guest_spec){ 0 };
	}
	return 0;
}
