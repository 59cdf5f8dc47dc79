/* SPDX-License-Identifier: BSD-3-Clause */
/* Carries out what a turn wants done outside. */
#ifndef TTREC_SESSION_DELIVERY_H
#define TTREC_SESSION_DELIVERY_H

#include "recorder/session/journal/session_effects.h"
#include "recorder/session/session_sources.h"

/* All of @effects, in order; @effects is empty then. What fails becomes an event. */
void delivery_carry_out(struct effects *effects, struct sources *sources);

#endif
