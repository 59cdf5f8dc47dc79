// SPDX-License-Identifier: BSD-3-Clause
/* What a campaign prints: lines for people, or JSON. */
#include "recorder/explore/explore_report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/base/shell.h"
#include "format/base/units.h"
#include "format/base/write_error.h"
#include "kernel/host/process.h"

#define STATUS_NS NS_PER_S

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_json(json_t *json)
{
	if (!json)
		output_incomplete(-ENOMEM);
	else if (!json_dumpf(json, stdout, JSON_COMPACT))
		putchar('\n');
	fflush(stdout);
	json_decref(json);
}

/* ---- The beginning -------------------------------------------------------------------------- */

/* "seeds 1 to 200", "seeds from 1 on", and which share of them. */
static void print_seeds(const struct explore_options *options)
{
	const struct seeds *seeds = &options->seeds;

	if (seeds->last == SEEDS_MAX)
		printf("seeds from %" PRIu64 " on", seeds->first);
	else
		printf("seeds %" PRIu64 " to %" PRIu64, seeds->first, seeds->last);
	if (seeds->shards > 1)
		printf(", shard %" PRIu64 "/%" PRIu64, seeds->shard, seeds->shards);
	if (options->shard_source)
		printf(" (%s)", options->shard_source);
}

void explore_report_begin(struct explore_report *report, const struct campaign_state *state)
{
	char runs[UNITS_TEXT];

	report->begun = process_wall_ns();
	report->runs_before = campaign_runs(state);
	if (report->options->json)
		return;
	printf("explore: %zu guest%s, %zu worker%s, ", report->guests, plural(report->guests),
	       report->workers, plural(report->workers));
	print_seeds(report->options);
	if (report->runs_before)
		printf("; continued after %s runs", count_text(report->runs_before, runs));
	putchar('\n');
	fflush(stdout);
}

/* ---- While it runs -------------------------------------------------------------------------- */

static void clear_status(struct explore_report *report)
{
	if (report->status_shown)
		fputs("\r\033[K", stderr);
	report->status_shown = false;
}

/* Of this run of the campaign, since what was before took another time. */
static uint64_t runs_an_hour(const struct explore_report *report,
			     const struct campaign_state *state)
{
	double hours = (double)(process_wall_ns() - report->begun) / (3600.0 * (double)NS_PER_S);
	uint64_t runs = campaign_runs(state) - report->runs_before + campaign_fresh_runs(state);

	return hours > 0 ? (uint64_t)((double)runs / hours) : 0;
}

void explore_report_progress(void *context, const struct campaign_state *state)
{
	struct explore_report *report = context;
	uint64_t now = process_wall_ns();
	char runs[UNITS_TEXT], rate[UNITS_TEXT];

	if (!report->terminal || now < report->status_next)
		return;
	report->status_next = now + STATUS_NS;
	clear_status(report);
	fprintf(stderr, "%s runs, %s an hour, %zu kind%s of failure",
		count_text(campaign_runs(state), runs),
		count_text(runs_an_hour(report, state), rate), state->kind_count,
		plural(state->kind_count));
	fflush(stderr);
	report->status_shown = true;
}

static bool is_there(const struct explore_report *report, const char *kind, const char *file)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s/%s", report->options->directory, kind, file);
	return !access(path, F_OK);
}

static void print_files(const struct explore_report *report, const struct campaign_kind *kind)
{
	static const char *const files[] = { "trace.zst", "lab.yaml", "report.html", "replay.log" };
	const char *comma = "";

	printf("      kept: %s/%s/{", report->options->directory, kind->name);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!is_there(report, kind->name, files[i]))
			continue;
		printf("%s%s", comma, files[i]);
		comma = ",";
	}
	puts("}");
}

static json_t *kind_json(const struct campaign_state *state, const struct campaign_kind *kind)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:i, s:i, s:I}", "event", "found",
			 "kind", kind->name, "guest", kind->outcome.guest, "code",
			 kind->outcome.code, "line", kind->outcome.line, "seed",
			 (json_int_t)kind->seeds[0], "same", kind->result.same, "replays",
			 (int)kind->result.replays, "identical", (int)kind->result.identical,
			 "runs", (json_int_t)campaign_runs_until(state, kind->seeds[0]));
}

static void print_replays(const struct found_result *result, uint64_t runs)
{
	if (result->replays)
		printf("      replayed %u of %u identical", result->identical, result->replays);
	else
		printf("      could not be replayed on this machine");
	printf("; first failed in run %" PRIu64 "\n", runs);
}

void explore_report_found(void *context, const struct campaign_state *state,
			  const struct campaign_kind *kind)
{
	struct explore_report *report = context;
	const struct found_result *result = &kind->result;

	clear_status(report);
	if (report->options->json) {
		print_json(kind_json(state, kind));
		return;
	}
	printf("FAIL  seed %" PRIu64 "  %s%s%s\n", kind->seeds[0], kind->outcome.guest,
	       *kind->outcome.guest ? ": " : "", kind->outcome.line);
	if (*result->problem)
		printf("      could not be kept: %s\n", result->problem);
	else if (!result->same)
		printf("      nondeterministic: recorded again with this seed, it %s%s\n",
		       strcmp(result->again, "passed") ? "failed so: " : "", result->again);
	if (!*result->problem)
		print_replays(result, campaign_runs_until(state, kind->seeds[0]));
	if (result->kept)
		print_files(report, kind);
	fflush(stdout);
}

void explore_report_difference(void *context, const struct campaign_difference *difference)
{
	struct explore_report *report = context;

	clear_status(report);
	if (report->options->json) {
		print_json(json_pack("{s:s, s:I, s:s, s:s}", "event", "nondeterministic", "seed",
				     (json_int_t)difference->seed, "first", difference->first,
				     "again", difference->again));
		return;
	}
	printf("NONDETERMINISTIC  seed %" PRIu64 ", run twice, differs\n", difference->seed);
	if (strcmp(difference->first, difference->again))
		printf("      first: %s\n      again: %s\n", difference->first, difference->again);
	else
		printf("      both: %s; but what they printed, or when, is not the same\n",
		       difference->first);
	fflush(stdout);
}

/* ---- The end -------------------------------------------------------------------------------- */

static const char *end_name(enum campaign_end end)
{
	switch (end) {
	case CAMPAIGN_ALWAYS:
		return "always";
	case CAMPAIGN_STOPPED:
		return "stopped";
	case CAMPAIGN_REFUSED:
		return "refused";
	case CAMPAIGN_SHORTAGE:
		return "shortage";
	default:
		return "complete";
	}
}

static json_t *end_json(const struct explore_report *report, const struct campaign_state *state,
			enum campaign_end end, int status)
{
	json_t *kinds = json_array();

	for (size_t i = 0; i < state->kind_count; i++)
		json_array_append_new(
			kinds, json_pack("{s:s, s:I, s:i}", "kind", state->kinds[i].name, "fails",
					 (json_int_t)state->kinds[i].count, "fresh_fails",
					 (int)campaign_fresh_fails(state, state->kinds[i].name)));
	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:o}", "event", "end",
			 "end", end_name(end), "status", status, "runs",
			 (json_int_t)campaign_runs(state), "runs_an_hour",
			 (json_int_t)runs_an_hour(report, state), "virtual_ns",
			 (json_int_t)campaign_virtual_ns(state), "repeated",
			 (json_int_t)campaign_repeated(state), "nondeterministic",
			 (int)state->difference_count, "overtime", (int)state->overtime_count,
			 "fresh", (int)campaign_fresh_runs(state), "kinds", kinds);
}

static void print_kinds(const struct campaign_state *state)
{
	char count[UNITS_TEXT], runs[UNITS_TEXT];
	size_t fresh = campaign_fresh_runs(state);

	for (size_t i = 0; i < state->kind_count; i++) {
		const struct campaign_kind *kind = &state->kinds[i];

		printf("%s: fails in %s of %s seeds", kind->name, count_text(kind->count, count),
		       count_text(campaign_runs(state), runs));
		if (fresh)
			printf(", and in %zu of %zu fresh ones",
			       campaign_fresh_fails(state, kind->name), fresh);
		putchar('\n');
	}
}

static void print_notes(const struct explore_report *report, const struct campaign_state *state,
			enum campaign_end end)
{
	if (end == CAMPAIGN_ALWAYS)
		puts("every seed fails in this way: it is not a matter of the seed, so the search "
		     "ended");
	if (state->overtime_count)
		printf("%zu run%s not judged, ended by wall time (the first: seed %" PRIu64
		       "): give the lab a --limit-virtual, or more --limit-wall\n",
		       state->overtime_count, plural(state->overtime_count), state->overtime[0]);
	if (state->difference_count)
		printf("%zu of %" PRIu64
		       " repeated runs differed: ttrec doctor and ttdump diff help to find why\n",
		       state->difference_count, campaign_repeated(state));
	if (end == CAMPAIGN_STOPPED)
		printf("stopped: the same command continues from %s/campaign.json\n",
		       report->options->directory);
}

static const struct campaign_kind *first_kept(const struct campaign_state *state)
{
	for (size_t i = 0; i < state->kind_count; i++)
		if (state->kinds[i].made && state->kinds[i].result.kept)
			return &state->kinds[i];
	return NULL;
}

static void print_next(const char *directory, const struct campaign_state *state)
{
	const struct campaign_kind *kind = first_kept(state);
	char *path;

	if (!kind || asprintf(&path, "%s/%s/trace.zst", directory, kind->name) < 0)
		return;
	fputs("; next: ttreplay ", stdout);
	shell_print_word(stdout, path);
	free(path);
}

/* What it comes to, and what to do next. */
static void print_result(const char *directory, const struct campaign_state *state)
{
	uint64_t judged = campaign_runs(state) - state->overtime_count;
	char time[UNITS_TEXT];

	printf("%s of virtual time, ", duration_short(campaign_virtual_ns(state), time));
	if (state->kind_count)
		printf("%zu kind%s of failure", state->kind_count, plural(state->kind_count));
	else if (judged)
		printf("nothing found: a failure rate above %.3g %% is excluded at 95 %%",
		       judged > 3 ? 300.0 / (double)judged : 100.0);
	else
		printf("nothing found");
	print_next(directory, state);
	putchar('\n');
	fflush(stdout);
}

void explore_report_end(struct explore_report *report, const struct campaign_state *state,
			enum campaign_end end, int status)
{
	char runs[UNITS_TEXT], rate[UNITS_TEXT];
	uint64_t count = campaign_runs(state);

	clear_status(report);
	if (report->options->json) {
		print_json(end_json(report, state, end, status));
		return;
	}
	print_kinds(state);
	print_notes(report, state, end);
	printf("explored: %s run%s (%s an hour), ", count_text(count, runs), plural(count),
	       count_text(runs_an_hour(report, state), rate));
	print_result(report->options->directory, state);
}

void explore_report_merged(const char *directory, const struct campaign_state *state)
{
	char runs[UNITS_TEXT];

	print_kinds(state);
	if (state->part_count > 1)
		printf("shards are missing, or have run for different times: %zu of %" PRIu64
		       " are there\n",
		       state->part_count, state->parts[0].step);
	printf("merged: %s run%s, ", count_text(campaign_runs(state), runs),
	       plural(campaign_runs(state)));
	print_result(directory, state);
}
