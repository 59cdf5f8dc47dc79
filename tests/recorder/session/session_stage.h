/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stage for scripted tests of a session's turn: events are put into its inbox, and what comes of
 * them is written down, records in one text and effects in another. There are no processes and no
 * sockets: guests are numbers, their devices a class of the test's.
 *
 * A record is "n0:from:WAIT" (guest, kind, and what distinguishes it), an effect "n0>RUN" (to
 * whom and what); several are separated by spaces.
 */
#ifndef TTREC_SESSION_STAGE_H
#define TTREC_SESSION_STAGE_H

#include "recorder/session/member/session_device.h"
#include "recorder/session/session_turn.h"

#define STAGE_GUESTS	 4
#define STAGE_PARTITIONS 2
#define STAGE_LOG	 4096

/* The device of a guest: fires at @delay after a kick, and interrupts its guest then. */
struct stage_device {
	struct device device;
	uint64_t delay;
};

struct stage_guest {
	struct guest_device about[1];
	struct guest_spec spec;
	struct vhost vhost[1];
	struct guest guest;
	struct stage_device device;
	uint32_t said;		      /* seq of its last message */
	uint32_t sent[8], sent_count; /* seqs that it has not acknowledged */
};

struct stage {
	struct turn turn;
	struct session_result result;
	struct stage_guest guest[STAGE_GUESTS];
	struct session_program *program; /* NULL without @program */
	uint32_t program_said;
	char records[STAGE_LOG], effects[STAGE_LOG];
};

struct stage_options {
	size_t partitions; /* 0 is 1 */
	size_t guests;	   /* in each */
	bool program;	   /* simulates the devices, and takes part in time */
	uint64_t limit;
	uint64_t lookahead; /* of several partitions */
};

void stage_open(struct stage *stage, struct stage_options options);
void stage_close(struct stage *stage);

struct session_guest *stage_session_guest(struct stage *stage, size_t guest);

/* ---- What arrives: it is put into the inbox, and handled by stage_run() --------------------- */

void stage_join(struct stage *stage, size_t guest);
void stage_join_program(struct stage *stage);
void stage_send(struct stage *stage, size_t guest, uint32_t op, uint64_t time);
/* It acknowledges the oldest message that it has not acknowledged. */
void stage_ack(struct stage *stage, size_t guest);
void stage_program_send(struct stage *stage, uint32_t op, uint64_t time);
void stage_print(struct stage *stage, size_t guest, const char *text);
void stage_put_guest(struct stage *stage, size_t guest, enum event_kind kind);
void stage_put_device(struct stage *stage, size_t guest, enum event_kind kind);
void stage_leave(struct stage *stage, size_t guest);
void stage_kick(struct stage *stage, size_t guest);
/* The program of @guest's device calls. */
void stage_program_call(struct stage *stage, size_t guest);
void stage_signal(struct stage *stage, int signal);

/* ---- What comes of it ------------------------------------------------------------------------ */

/* All that may be taken, in order. */
void stage_run(struct stage *stage);

/* All guests join, START, and WAIT for their first event at @time; it is not looked at. */
void stage_boot(struct stage *stage, uint64_t time);

/* The same, each at a time of its own. */
void stage_boot_each(struct stage *stage, const uint64_t *times);

/* Since it was last looked at. */
#define check_records(stage, text) stage_check(__LINE__, (stage)->records, text)
#define check_effects(stage, text) stage_check(__LINE__, (stage)->effects, text)
void stage_check(int line, char *log, const char *expected);
void stage_forget(struct stage *stage);

#endif
