/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where memory holds what a processor notes about itself.
 *
 * A saved floating-point state begins with a bit for each of its parts that is in use (XSTATE_BV).
 * Whether registers that hold their initial values count as used is the processor's choice, and it
 * may choose otherwise from one run to the next: with all SSE registers zero, one AMD EPYC says
 * 0xa0 mostly and 0xa2 now and then. Parts that are not in use are stored with their initial
 * values, so the registers themselves say all that the bits say.
 *
 * Kernels keep such states in their tasks (PTRACE_GETREGSET with NT_X86_XSTATE) and put them on the
 * stack of whoever gets a signal.
 *
 * Source: Intel SDM volume 1, 13.4.2 and 13.6 (XINUSE); arch/x86/kernel/fpu/xstate.c and signal.c
 * (sw_reserved), Linux 6.12; arch/x86/um/os-Linux/registers.c, Linux 5.10 to 7.2.
 */
#ifndef TTREC_XSTATE_H
#define TTREC_XSTATE_H

#include <stddef.h>
#include <stdint.h>

/* What tells a saved state on this processor. */
struct xstate {
	uint64_t features;   /* XCR0: parts there can be; 0: this processor has no such states */
	uint32_t mxcsr_mask; /* stands in each of them */
};

/* Ask the processor. */
struct xstate xstate_learn(void);

#define XSTATE_NONE SIZE_MAX

/*
 * The offset of the first word of such bits at @from or after it, in @size bytes of memory at @data
 * (both multiples of 8; only what lies in there is looked at); XSTATE_NONE when there is none.
 */
size_t xstate_next(const struct xstate *xstate, const uint8_t *data, size_t size, size_t from);

#endif
