/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done with a guest where it stops: its memory is written to a file. */
#ifndef TTREC_REPLAY_VISIT_H
#define TTREC_REPLAY_VISIT_H

#include "replayer/replay_guest.h"

struct replay_visit {
	struct cursor_visitor visitor;
	const struct replay_guest *replayed;
	const struct guest *guest; /* as it runs */
	uint64_t until;		   /* the record to stop before */
	bool dumped;
};

/*
 * Let whoever wants to look at @replayed do so: sets options->visitor, which then stops the guest
 * in place of options->until_record; @visit must stay as long as the options.
 */
void replay_visit_open(struct replay_visit *visit, const struct replay_guest *replayed,
		       const struct guest *guest, struct cursor_options *options);

#endif
