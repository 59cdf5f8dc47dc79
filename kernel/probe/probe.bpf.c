// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only
/*
 * The part of the probe that the host's kernel runs, each time a guest enters a function that is
 * probed: it records which, and the guest's time, in the ring of that guest.
 *
 * The program may sleep, so that missing memory of the guest is paged in: what it records must not
 * depend on what the host has swapped out or not yet mapped.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel/probe/probe_sample.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PROBE_RING);
} ring SEC(".maps");

/* Where the guest keeps its time; set before loading. */
const volatile __u64 time_address;

/* One thread of the guest runs its kernel, so these have one writer. */
__u64 seen, lost;

static __always_inline void fill(struct probe_sample *sample, __u32 source, __u32 number)
{
	sample->sequence = seen++;
	sample->source = source;
	sample->number = number;
	if (bpf_copy_from_user(&sample->time, sizeof(sample->time), (const void *)time_address))
		sample->time = PROBE_TIME_UNKNOWN;
}

/* The recorder looks when the guest has a message. It is woken only if that takes too long. */
static __always_inline __u64 wakeup(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= PROBE_RING / 2 ? BPF_RB_FORCE_WAKEUP
									     : BPF_RB_NO_WAKEUP;
}

static __always_inline int note_text(__u32 source, __u32 number, const void *text)
{
	struct probe_sample_text *note;
	char touched;

	/* Bring both pages the text may lie on, for what reads it does not. */
	bpf_copy_from_user(&touched, sizeof(touched), text);
	bpf_copy_from_user(&touched, sizeof(touched), text + PROBE_TEXT - 1);
	note = bpf_ringbuf_reserve(&ring, sizeof(*note), 0);
	if (!note) {
		seen++;
		lost++;
		return 0;
	}
	fill(&note->sample, source, number);
	if (bpf_probe_read_user_str(note->text, sizeof(note->text), text) < 0)
		note->text[0] = '\0';
	bpf_ringbuf_submit(note, wakeup());
	return 0;
}

static __always_inline int note_interrupt(__u32 irq)
{
	struct probe_sample sample;

	fill(&sample, PROBE_SOURCE_ENTRY, irq);
	if (bpf_ringbuf_output(&ring, &sample, sizeof(sample), wakeup()))
		lost++;
	return 0;
}

SEC("uprobe.s")
int on_entry(struct pt_regs *regs)
{
	switch (bpf_get_attach_cookie(regs)) {
	case PROBE_SITE_INTERRUPT:
		return note_interrupt((__u32)PT_REGS_PARM1(regs));
	case PROBE_SITE_WARNING:
		return note_text(PROBE_SOURCE_WARN, (__u32)PT_REGS_PARM2(regs),
				 (const void *)PT_REGS_PARM1(regs));
	case PROBE_SITE_PANIC_MESSAGE:
		return note_text(PROBE_SOURCE_PANIC, 0, (const void *)PT_REGS_PARM3(regs));
	case PROBE_SITE_PANIC_FORMAT:
		return note_text(PROBE_SOURCE_PANIC, 0, (const void *)PT_REGS_PARM1(regs));
	}
	return 0;
}

char probe_license[] SEC("license") = "Dual BSD/GPL";
