/* SPDX-License-Identifier: BSD-3-Clause */
/* Actions at a stop of a guest: writes its memory to a file, runs gdb. */
#ifndef TTREC_REPLAY_VISIT_H
#define TTREC_REPLAY_VISIT_H

#include "replayer/debug/debugger.h"
#include "replayer/cursor/replay_guest.h"
#include "replayer/plan/replay_lab.h"

struct replay_visit {
	struct cursor_visitor visitor;
	const struct replay_guest *replayed;
	struct guest *guest;	   /* as it runs */
	struct debugger *debugger; /* NULL */
	uint64_t until;		   /* the record to stop before */
	bool dumped;
};

/*
 * Set up the actions requested for @replayed: sets cursor->visitor, which then stops the guest
 * in place of cursor->until_record; @visit must stay until the guest is replayed. 0 or -ENOMEM.
 */
int replay_visit_open(struct replay_visit *visit, const struct replay_options *options,
		      const struct replay_guest *replayed, struct guest *guest,
		      struct cursor_options *cursor);
void replay_visit_close(struct replay_visit *visit);

#endif
