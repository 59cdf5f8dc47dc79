// SPDX-License-Identifier: BSD-3-Clause
/* A guest that is started again: locked in, and can its memory be what was recorded? */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/base/printable.h"
#include "kernel/guest/guest_replace.h"

/* Parts of the seal that keep a stranger's program away from this machine. */
#define SEAL_LOCKS (SEAL_MOUNT | SEAL_NET | SEAL_USER)

/* A trace also says how sealed its room was: that must not be what opens the door. */
int guest_open_recorded(struct guest_spec *spec, bool trust, struct guest *guest,
			struct diagnosis *why)
{
	struct diagnosis room_why = { 0 };
	int err;

	/* Messages do not depend on these, or only without them: the most that can be had here. */
	if (!spec->absolute_paths)
		spec->wanted |= SEAL_NAMESPACES | SEAL_ASLR | SEAL_AUXV;
	spec->required = trust ? 0 : SEAL_LOCKS;
	err = guest_open(spec, guest, &room_why);
	if (err == -EACCES && spec->required)
		return diagnose(why, EXIT_CANNOT, err,
				"`ttrec doctor` says what to change; --trust runs it all the same",
				"a trace carries a program, and it cannot be locked in here (%s)",
				room_why.what);
	*why = room_why;
	return err;
}

/* Memory belongs to a CPU and to a seal. */
static void judge_origin(const struct guest_origin *origin, const struct cpu_identity *is,
			 unsigned int seal, char *reason, size_t size)
{
	const struct cpu_identity *was = &origin->cpu;
	unsigned int missing = origin->seal & ~seal;
	char names[SEAL_TEXT];

	if (origin->layout != ROOM_LAYOUT) {
		snprintf(reason, size,
			 "recorded by a ttrec that laid out addresses in another way");
		return;
	}
	/* First: a guest that was not held on one CPU has no identity of it either. */
	if (!(origin->seal & SEAL_FULL))
		snprintf(reason, size, "recorded in a room that was not sealed");
	else if (origin->seal != SEAL_FULL)
		snprintf(reason, size, "recorded in a room that was not fully sealed (without %s)",
			 seal_text(SEAL_FULL & ~origin->seal, names));
	else if (strcmp(was->model, is->model))
		snprintf(reason, size, "recorded on another CPU model: %s, this is %s", was->model,
			 is->model);
	else if (was->number != is->number)
		snprintf(reason, size, "recorded on CPU %u, which this process may not use",
			 was->number);
	else if (was->cpuid != is->cpuid)
		snprintf(reason, size, "CPU %u answers CPUID differently than it did", was->number);
	else if (missing)
		snprintf(reason, size, "the recording's room was sealed further (by %s)",
			 seal_text(missing, names));
}

void guest_judge_memory(const struct guest_recorded *guest, const struct cpu_identity *cpu,
			unsigned int seal, char *reason, size_t size)
{
	char replaced[GUEST_REPLACED_TEXT];

	snprintf(reason, size, "%s", guest_replaced_text(guest, replaced));
	if (!*reason)
		judge_origin(&guest->origin, cpu, seal, reason, size);
	printable(reason);
}
