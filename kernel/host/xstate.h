/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds memory whose contents depend on the processor: headers of saved floating-point states.
 *
 * A saved floating-point state begins with a bit for each of its parts that is in use (XSTATE_BV).
 * Whether registers with their initial values count as used depends on the processor, and may
 * differ between runs: with all SSE registers zero, one AMD EPYC reports 0xa0 mostly and 0xa2 now
 * and then. Unused parts are stored with their initial values, so the bits contain no additional
 * information.
 *
 * Kernels keep such states in their tasks (PTRACE_GETREGSET with NT_X86_XSTATE), hosts put them on
 * the stack of a thread that gets a signal, and a function that is bound when it is first called
 * leaves one on its caller's. In the latter two the MXCSR is not even written when nothing is in
 * use; else it is there with its initial value.
 *
 * Source: Intel SDM volume 1, 13.4.2 and 13.6 (XINUSE); arch/x86/kernel/fpu/xstate.c and signal.c
 * (sw_reserved), Linux 6.12; arch/x86/um/os-Linux/registers.c, Linux 5.10 to 7.2;
 * sysdeps/x86_64/dl-trampoline.h, glibc 2.36.
 */
#ifndef TTREC_XSTATE_H
#define TTREC_XSTATE_H

#include <stddef.h>
#include <stdint.h>

/* How to recognise a saved state on this processor. */
struct xstate {
	uint64_t features;   /* XCR0: parts there can be; 0: this processor has no such states */
	uint32_t mxcsr_mask; /* is in most of them */
};

/* Ask the processor. */
struct xstate xstate_learn(void);

/* Offsets of words of eight bytes, ascending. Start with a zeroed one; free() @offset at the end.
 */
struct xstate_words {
	size_t *offset;
	size_t count, space;
};

/*
 * The words in @size bytes of memory at @data (a multiple of 8; only states completely in it are
 * found) that depend on the processor. Returns 0 or -ENOMEM.
 */
int xstate_find(const struct xstate *xstate, const uint8_t *data, size_t size,
		struct xstate_words *words);

#endif
