// SPDX-License-Identifier: BSD-3-Clause
/* Actions at a stop of a guest: writes its memory to a file, runs gdb. */
#include "replayer/run/replay_visit.h"

#include <errno.h>
#include <inttypes.h>

#include "kernel/guest/guest_core.h"
#include "kernel/host/process.h"

static struct replay_visit *visit_of(struct cursor_visitor *visitor)
{
	return (struct replay_visit *)visitor;
}

static bool wants(struct cursor_visitor *visitor, const struct trace_record *next)
{
	struct replay_visit *visit = visit_of(visitor);

	if (visit->debugger && debugger_runs(visit->debugger))
		return debugger_pass(visit->debugger, next);
	return next->number >= visit->until;
}

/* Where it was to stop, or where it diverged before. */
static int write_core(struct replay_visit *visit, const struct trace_record *next,
		      const struct cursor_report *report, struct diagnosis *why)
{
	const char *name = visit->replayed->name;

	if (!visit->replayed->core || visit->dumped)
		return 0;
	if (!next && !report->diverged && visit->until == UINT64_MAX)
		return 0;
	if (!next && !report->diverged)
		return diagnose(why, EXIT_CANNOT, -ESRCH, "stop earlier",
				"%s ended before that point: no memory to read", name);
	visit->dumped = true;
	return guest_write_core(visit->guest, visit->replayed->core, why);
}

/* Why there are no more records, for the debugger's user. */
static void describe_end(const struct cursor_report *report, char *text, size_t size)
{
	if (report->diverged)
		snprintf(text, size, "DIVERGED at record %" PRIu64 ": expected %s, got %s",
			 report->record, report->expected, report->got);
	else if (*report->unreplayable)
		snprintf(text, size, "cannot be replayed from here on: %s", report->unreplayable);
	else
		snprintf(text, size, "the trace %s here",
			 report->trace_error ? "can be read up to" : "ends");
}

/* A guest that ended before the point has nothing to examine. */
static int debug(struct replay_visit *visit, const struct trace_record *next,
		 const struct cursor_report *report, struct diagnosis *why)
{
	struct cursor_visitor *visitor = &visit->visitor;
	char text[2 * CURSOR_WHY] = "";
	int stop;

	if (!next && !report->diverged && !debugger_runs(visit->debugger))
		return 0;
	if (!next)
		describe_end(report, text, sizeof(text));
	stop = debugger_hold(visit->debugger, next, text, why);
	visitor->end_fd = debugger_end_fd(visit->debugger);
	visitor->debugs = true;
	return stop;
}

static int visit_guest(struct cursor_visitor *visitor, const struct trace_record *next,
		       const struct cursor_report *report, struct diagnosis *why)
{
	struct replay_visit *visit = visit_of(visitor);
	int err = write_core(visit, next, report, why);

	if (err)
		return err;
	return visit->debugger ? debug(visit, next, report, why) : 1;
}

static int open_debugger(struct replay_visit *visit, const struct replay_options *options)
{
	struct debugger_options debugged = { .trace = options->trace,
					     .guests = visit->replayed->lab->guest,
					     .count = visit->replayed->lab->count,
					     .replayed = visit->replayed,
					     .guest = visit->guest,
					     .arguments = options->gdb_arguments };

	/* Up to where gdb is started. */
	process_hold_stop();
	visit->debugger = debugger_create(&debugged);
	/* Without a point: as soon as it can be. */
	if (options->until.kind == UNTIL_NEVER)
		visit->until = 0;
	return visit->debugger ? 0 : -ENOMEM;
}

int replay_visit_open(struct replay_visit *visit, const struct replay_options *options,
		      const struct replay_guest *replayed, struct guest *guest,
		      struct cursor_options *cursor)
{
	_Static_assert(!offsetof(struct replay_visit, visitor), "visit_of() goes back");
	*visit = (struct replay_visit){
		.visitor = { .wants = wants, .visit = visit_guest, .end_fd = -1 },
		.replayed = replayed,
		.guest = guest,
		.until = cursor->until_record,
	};
	if (!replayed->core && !replayed->debugged)
		return 0;
	cursor->visitor = &visit->visitor;
	cursor->until_record = UINT64_MAX;
	return replayed->debugged ? open_debugger(visit, options) : 0;
}

void replay_visit_close(struct replay_visit *visit)
{
	debugger_destroy(visit->debugger);
}
