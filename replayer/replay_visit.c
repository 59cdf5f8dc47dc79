// SPDX-License-Identifier: BSD-3-Clause
/* What is done with a guest where it stops: its memory is written to a file. */
#include "replayer/replay_visit.h"

#include "kernel/guest_core.h"

static struct replay_visit *visit_of(struct cursor_visitor *visitor)
{
	return (struct replay_visit *)visitor;
}

static bool wants(struct cursor_visitor *visitor, const struct trace_record *next)
{
	return next->number >= visit_of(visitor)->until;
}

/* Where it was to stop, or where it diverged before. */
static int write_core(struct replay_visit *visit, const struct trace_record *next,
		      const struct cursor_report *report, struct diagnosis *why)
{
	if (!visit->replayed->core || visit->dumped || (!next && !report->diverged))
		return 0;
	visit->dumped = true;
	return guest_write_core(visit->guest, visit->replayed->core, why);
}

static int visit_guest(struct cursor_visitor *visitor, const struct trace_record *next,
		       const struct cursor_report *report, struct diagnosis *why)
{
	int err = write_core(visit_of(visitor), next, report, why);

	return err ? err : 1;
}

void replay_visit_open(struct replay_visit *visit, const struct replay_guest *replayed,
		       const struct guest *guest, struct cursor_options *options)
{
	_Static_assert(!offsetof(struct replay_visit, visitor), "visit_of() goes back");
	if (!replayed->core)
		return;
	*visit = (struct replay_visit){
		.visitor = { .wants = wants, .visit = visit_guest, .end_fd = -1 },
		.replayed = replayed,
		.guest = guest,
		.until = options->until_record,
	};
	options->visitor = &visit->visitor;
	options->until_record = UINT64_MAX;
}
