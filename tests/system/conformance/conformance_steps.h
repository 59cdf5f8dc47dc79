/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest and a participant both do, so that what they say to the controller can be compared.
 * Each has its own interpreter of these steps: conformance_init.c and conformance_participant.c.
 *
 * There are three parts, each between two marks, its own and MARK_END. EXACT fits between two
 * ticks, so that the guest's kernel has nothing to do of its own and every message can be
 * predicted. WINDOW is the same, but begins with a FREE_UNTIL that ends amid the steps. SPACING
 * takes seconds, in which the kernel also does its chores; MARK_STEP after each step shows what is
 * to be compared.
 *
 * A mark has to show in what any kernel since 5.10 says: it is that many readings of the clock in a
 * row, each of which takes CONFORMANCE_READING, and then a short sleep that ends the row.
 */
#ifndef TTREC_CONFORMANCE_STEPS_H
#define TTREC_CONFORMANCE_STEPS_H

#include <stdint.h>

/* More than there are in any step. */
enum conformance_mark {
	MARK_STEP = 11,
	MARK_END,
	MARK_EXACT,
	MARK_SPACING,
	MARK_WINDOW,
};

/* ns that booting, which also reads the clock in rows, and what it puts off have. */
#define CONFORMANCE_BOOT 60000000000

/* ns that a reading of the clock takes (timer_read, arch/um/kernel/time.c). */
#define CONFORMANCE_READING 256

/* ns that a failing system call takes since 6.1 (arch/um/kernel/skas/syscall.c). */
#define CONFORMANCE_FAILURE 1000

/* ns asked for by the sleep that ends a row. */
#define CONFORMANCE_SEPARATOR 1000

/* ns; CONFIG_HZ=100 in kernel/uml/uml.config. */
#define CONFORMANCE_TICK 10000000

/* ns after the beginning of the part. */
#define CONFORMANCE_WINDOW_SIZE 1500000

enum conformance_action {
	STEP_END,	/* of the part */
	STEP_READ,	/* read the clock @value times */
	STEP_MARK,	/* read the clock once: STEP_UNTIL counts from here */
	STEP_UNTIL,	/* sleep until @value ns after the mark */
	STEP_FOR,	/* sleep for @value ns */
	STEP_FAIL,	/* make @value system calls that fail */
	STEP_BROADCAST, /* BROADCAST @value, where the kernel can (6.11) */
};

struct conformance_step {
	enum conformance_action action;
	uint64_t value;
};

/* Begins 1 ms after a tick, so all of it has less than 9 ms. */
/* clang-format off */
static const struct conformance_step conformance_exact[] = {
	{ STEP_MARK, 0 },
	{ STEP_UNTIL, 1000000 },
	{ STEP_UNTIL, 1000256 },	/* sooner than the shortest timer, if not past */
	{ STEP_READ, 1 },
	{ STEP_READ, 3 },
	{ STEP_FAIL, 2 },
	{ STEP_UNTIL, 2000001 },
	{ STEP_UNTIL, 5 },		/* long past */
	{ STEP_BROADCAST, 42 },
	{ STEP_FOR, 1 },
	{ STEP_FOR, 256 },
	{ STEP_FOR, 777777 },
	{ STEP_FAIL, 1 },
	{ STEP_READ, 1 },
	{ STEP_UNTIL, 5000128 },
	{ STEP_END, 0 },
};

static const struct conformance_step conformance_spacing[] = {
	{ STEP_MARK, 0 },
	{ STEP_UNTIL, 10000000 },	/* a tick */
	{ STEP_UNTIL, 123456789 },
	{ STEP_READ, 5 },
	{ STEP_UNTIL, 200000000 },
	{ STEP_FAIL, 5 },
	{ STEP_UNTIL, 1000000000 },
	{ STEP_UNTIL, 9000000000 },	/* longer than the longest timer */
	{ STEP_END, 0 },
};
/* clang-format on */

#endif
