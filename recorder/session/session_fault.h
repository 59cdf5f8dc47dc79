/* SPDX-License-Identifier: BSD-3-Clause */
/* Reasons for which a turn ends the recording: a client broke the protocol, all clients sleep
 * forever, the limit is reached. */
#ifndef TTREC_SESSION_FAULT_H
#define TTREC_SESSION_FAULT_H

#include "recorder/session/session_turn.h"

/*
 * @client broke the protocol: @problem, or NULL: what the calendar says. Nothing of its partition
 * is handled any more. A program fails instead. With several partitions it is reported at the end
 * of the window, as one of another partition may do so earlier in virtual time.
 */
void fault_found(struct turn *turn, struct client *client, const char *problem);

/*
 * The earliest in virtual time that was found, then the one with the lowest id, ends the recording.
 * False: there is none.
 */
bool fault_report(struct turn *turn);

void fault_report_deadlock(struct turn *turn);
void fault_report_limit(struct turn *turn);

#endif
