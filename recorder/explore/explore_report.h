/* SPDX-License-Identifier: BSD-3-Clause */
/* What a campaign prints: lines for people, or JSON. */
#ifndef TTREC_EXPLORE_REPORT_H
#define TTREC_EXPLORE_REPORT_H

#include "recorder/explore/campaign.h"
#include "recorder/explore/explore_options.h"

struct explore_report {
	const struct explore_options *options;
	size_t guests, workers;
	uint64_t begun;	      /* wall time, ns */
	uint64_t runs_before; /* of what is continued */
	bool terminal;	      /* standard error is one */
	bool status_shown;    /* a status line is there */
	uint64_t status_next; /* wall time, ns */
};

void explore_report_begin(struct explore_report *report, const struct campaign_state *state);
void explore_report_found(void *report, const struct campaign_state *state,
			  const struct campaign_kind *kind);
void explore_report_difference(void *report, const struct campaign_difference *difference);
void explore_report_progress(void *report, const struct campaign_state *state);

/* The last lines; @status is the exit status. */
void explore_report_end(struct explore_report *report, const struct campaign_state *state,
			enum campaign_end end, int status);

/* Of several campaigns that were put together in @directory. */
void explore_report_merged(const char *directory, const struct campaign_state *state);

#endif
