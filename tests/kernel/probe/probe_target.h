/* SPDX-License-Identifier: BSD-3-Clause */
/* What the test of the probe tells its target to do: this on its standard input, a byte back. */
#ifndef TTREC_PROBE_TARGET_H
#define TTREC_PROBE_TARGET_H

#include <stdint.h>

enum target_action {
	TARGET_INTERRUPTS,     /* @count of them; see target_irq() and target_time() */
	TARGET_WARN,	       /* at line @count of TARGET_FILE */
	TARGET_PANIC,	       /* with TARGET_MESSAGE */
	TARGET_PANIC_LONG,     /* with @count times "x" */
	TARGET_PANIC_ABSENT,   /* with a text that is mapped and has never been touched */
	TARGET_PANIC_UNMAPPED, /* with a text at address @count */
};

struct target_order {
	uint32_t action, count;
};

#define TARGET_FILE    "net/core/probe_target.c"
#define TARGET_MESSAGE "Attempted to kill init! exitcode=0x00000100"

/* Interrupt @n of a target, counted over its life, has this number and comes at this time. */
static inline uint32_t target_irq(uint64_t n)
{
	return (uint32_t)(n * 2654435761u >> 7) % 64;
}

static inline uint64_t target_time(uint64_t n)
{
	return 5000000000ull + n * 1000003;
}

#endif
