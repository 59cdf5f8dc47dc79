// SPDX-License-Identifier: BSD-3-Clause
/* The CI report of a replay: a case for each guest, and the tests that its console reported. */
#include "replayer/report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "format/trace/meta.h"
#include "format/ci/ci.h"
#include "format/base/cleanup.h"
#include "format/base/shell.h"
#include "format/text/name_table.h"
#include "format/base/units.h"
#include "format/base/write_error.h"

/* VIRTIO 1.2, section 5.3: what a driver sends on queue 1 of port 0 is output. */
#define CONSOLE_OUTPUT 1

/* The consoles of the guests that were replayed, by index in the lab. */
struct ci_input {
	const struct verdict_lab *all;
	struct ci_console **console;
	struct name_table names;
	char seed[UNITS_TEXT]; /* of the recording; empty: unknown */
};

/* ---- Console output, as far as it was replayed ---------------------------------------------- */

static bool is_output(const struct name_table *names, const struct trace_record *record)
{
	const struct named_device *device;

	if (record->kind == TRACE_console)
		return true;
	if (record->kind != TRACE_taken || record->taken.queue != CONSOLE_OUTPUT)
		return false;
	device = name_table_device(names, record->guest, record->taken.device);
	return device && device->virtio_id == VIRTIO_CONSOLE;
}

static bool was_replayed(const struct replay_guest *guest, const struct trace_record *record)
{
	const struct cursor_report *report = &guest->outcome->report;

	return guest->wanted &&
	       record->number <= (report->diverged ? report->record : report->next_record);
}

static void feed(struct ci_input *input, const struct trace_record *record)
{
	const struct replay_lab *lab = input->all->lab;

	for (size_t i = 0; i < lab->count; i++)
		if (lab->guest[i].index == record->guest && input->console[i] &&
		    was_replayed(&lab->guest[i], record))
			ci_console_feed(input->console[i], record->now, record->payload,
					record->payload_size);
}

static void learn_seed(struct ci_input *input, const struct trace_record *record)
{
	struct meta meta;

	if (meta_parse(record, &meta) && meta.key == META_SEED)
		snprintf(input->seed, sizeof(input->seed), "%.*s",
			 (int)(meta.size < UNITS_TEXT ? meta.size : UNITS_TEXT), meta.value);
}

static int feed_all(struct ci_input *input)
{
	struct trace_reader *reader = NULL;
	struct trace_record record;
	int err = trace_reader_open(input->all->trace, &reader);

	while (!err && trace_reader_next(reader, &record) == 1) {
		err = name_table_learn(&input->names, &record);
		learn_seed(input, &record);
		if (!err && is_output(&input->names, &record))
			feed(input, &record);
	}
	trace_reader_close(reader);
	return err;
}

static int ci_input_open(const struct verdict_lab *all, struct ci_input *input)
{
	*input = (struct ci_input){ .all = all };
	input->console = calloc(all->lab->count + 1, sizeof(*input->console));
	if (!input->console)
		return -ENOMEM;
	for (size_t i = 0; i < all->lab->count; i++) {
		input->console[i] = ci_console_create();
		if (!input->console[i])
			return -ENOMEM;
	}
	return feed_all(input);
}

static void ci_input_close(struct ci_input *input)
{
	for (size_t i = 0; input->console && i < input->all->lab->count; i++)
		ci_console_destroy(input->console[i]);
	free(input->console);
	name_table_free(&input->names);
}

static struct ci_console *console_of(const struct ci_input *input, const struct verdict *verdict)
{
	return input->console[verdict->guest - input->all->lab->guest];
}

/* ---- Cases ---------------------------------------------------------------------------------- */

static char *verdict_text(const struct verdict *verdict)
{
	char *text = NULL;
	size_t size;
	FILE *out = output_buffer_open(&text, &size);

	if (!out)
		return NULL;
	verdict_print(verdict, out);
	output_buffer_close(out);
	return text;
}

static int add_guest(struct ci_suite *suite, const struct verdict *verdict,
		     const struct finding *failure, struct ci_console *console)
{
	const struct cursor_report *report = &verdict->guest->outcome->report;
	auto_free char *details = NULL, *tail = NULL;
	char line[FINDING_LINE];
	struct ci_case added = { .guest = verdict->guest->name,
				 .name = "replay",
				 .outcome = CI_PASSED,
				 .now = report->virtual_ns,
				 .took = report->virtual_ns };

	if (failure) {
		ci_case_blame(&added, failure, line);
		added.outcome = failure->code == FOUND_DIVERGED ? CI_FAILED : CI_ERROR;
		added.details = details = verdict_text(verdict);
		added.console = tail = ci_console_excerpt(console);
	}
	return ci_add(suite, &added);
}

/* What several guests have in common is reported once. */
static void keep_notices(struct findings *kept, const struct findings *found)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct finding *finding = &found->list[i];
		size_t same = 0;

		if (finding_info(finding->code)->severity != FINDING_NOT_COMPARED)
			continue;
		while (same < kept->count && (kept->list[same].code != finding->code ||
					      strcmp(kept->list[same].text, finding->text)))
			same++;
		if (same == kept->count)
			findings_add(kept, finding->code, NULL, finding->now, finding->hint, "%s",
				     finding->text);
	}
}

static int collect(struct ci_suite *suite, const struct ci_input *input, struct findings *notices)
{
	struct verdict verdict;
	int err = 0;

	for (size_t i = 0; !err && verdict_lab_next(input->all, &i, &verdict);) {
		struct ci_console *console = console_of(input, &verdict);
		struct findings found = { 0 };

		ci_console_finish(console);
		verdict_find(&verdict, &found);
		keep_notices(notices, &found);
		err = add_guest(suite, &verdict, findings_failure(&found), console);
		findings_release(&found);
		if (!err)
			err = ci_add_tests(suite, verdict.guest->name, console);
	}
	return err;
}

/* ---- The whole ------------------------------------------------------------------------------ */

/* Standard output is used only for the verdict as JSON. */
static int publish(const struct replay_options *options, struct ci_suite *suite, int err)
{
	auto_free char *next = shell_command("ttreplay --report report", options->trace);
	struct diagnosis why = { 0 };

	suite->command = "ttreplay";
	suite->name = suite->trace = options->trace;
	suite->next = next;
	if (!err)
		err = ci_publish(&options->ci, suite, options->json ? stderr : stdout, &why);
	if (err && !why.status)
		diagnose(&why, EXIT_CANNOT, err, NULL, "cannot write the CI report: %s",
			 strerror(-err));
	ci_release(suite);
	return err ? diagnosis_print(&why, "ttreplay") : 0;
}

int replay_ci_report(const struct replay_options *options, const struct verdict_lab *all,
		     int status)
{
	struct ci_suite suite = { .verdict = verdict_lab_word(all),
				  .failed = status,
				  .wall_ns = all->wall_ns,
				  .started = (uint64_t)time(NULL) };
	struct findings notices = { 0 };
	struct ci_input input;
	int err;

	if (!ci_wanted(&options->ci))
		return 0;
	err = ci_input_open(all, &input);
	if (!err)
		err = collect(&suite, &input, &notices);
	suite.found = &notices;
	suite.seed = *input.seed ? input.seed : NULL;
	ci_input_close(&input);
	err = publish(options, &suite, err);
	findings_release(&notices);
	return err;
}

int replay_ci_report_refused(const struct replay_options *options, const struct diagnosis *refused)
{
	struct ci_suite suite = { .started = (uint64_t)time(NULL) };

	if (!ci_wanted(&options->ci))
		return 0;
	return publish(options, &suite, ci_add_refused(&suite, "replay", refused));
}
