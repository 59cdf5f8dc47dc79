/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* What the BPF programs of the probe leave in their ring for the recorder. */
#ifndef TTREC_PROBE_SAMPLE_H
#define TTREC_PROBE_SAMPLE_H

#include <linux/types.h>

/* Longer text is cut; with its end. */
#define PROBE_TEXT 160

/*
 * Bytes of each guest's ring; a power of two. An interrupt takes 32 of them, and the reader is
 * woken when half is full, so a guest may take 16384 interrupts before that, and as many until it
 * is emptied.
 */
#define PROBE_RING (1u << 20)

/* What time is when it could not be read: the page was not there and could not be brought. */
#define PROBE_TIME_UNKNOWN (~0ull)

/* As in enum trace_irq_source, whose header is not for BPF. */
enum probe_source { PROBE_SOURCE_ENTRY, PROBE_SOURCE_PANIC, PROBE_SOURCE_WARN };

/* Cookies of the uprobes: which function was entered. */
enum probe_site {
	PROBE_SITE_INTERRUPT,	  /* int generic_handle_irq(unsigned int irq) */
	PROBE_SITE_WARNING,	  /* void __warn(const char *file, int line, ...) */
	PROBE_SITE_PANIC_MESSAGE, /* int panic_exit(self, unsigned long unused, void *message) */
	PROBE_SITE_PANIC_FORMAT,  /* void panic(const char *format, ...) */
};

struct probe_sample {
	__u64 sequence; /* counts everything seen of this guest, also what was lost */
	__u64 time;	/* ns, the guest's own */
	__u32 source;	/* enum probe_source */
	__u32 number;	/* of the interrupt; the line of a warning; 0 */
};

struct probe_sample_text {
	struct probe_sample sample;
	char text[PROBE_TEXT]; /* of a panic; the file of a warning */
};

#endif
