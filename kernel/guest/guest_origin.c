// SPDX-License-Identifier: BSD-3-Clause
/* A guest that is started again: its isolation, and whether its memory can be compared. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/base/printable.h"
#include "kernel/guest/guest_patches.h"
#include "kernel/guest/guest_replace.h"

/* Parts of the isolation that protect this machine from an untrusted program. */
#define ISOLATION_LOCKS (ISOLATION_MOUNT | ISOLATION_NET | ISOLATION_USER)

/* A trace also has how its guest was isolated; that must not lower the requirement here. */
int guest_open_recorded(struct guest_spec *spec, bool trust, struct guest *guest,
			struct diagnosis *why)
{
	struct diagnosis sandbox_why = { 0 };
	int err;

	/* Messages do not depend on these, or only without them: the most that can be had here. */
	if (!spec->absolute_paths)
		spec->wanted |= ISOLATION_NAMESPACES | ISOLATION_ASLR | ISOLATION_AUXV;
	spec->required = trust ? 0 : ISOLATION_LOCKS;
	err = guest_open(spec, guest, &sandbox_why);
	if (err == -EACCES && spec->required)
		return diagnose(why, EXIT_CANNOT, err,
				"`ttrec doctor` says what to change; --trust runs it anyway",
				"the trace's program cannot be isolated on this machine (%s)",
				sandbox_why.what);
	*why = sandbox_why;
	return err;
}

bool guest_cpu_is_virtual(const struct guest_spec *spec)
{
	const char *value = "";

	for (size_t i = 0; spec->arguments[i]; i++)
		if (!strncmp(spec->arguments[i], GUEST_CPUID_PARAMETER,
			     strlen(GUEST_CPUID_PARAMETER)))
			value = spec->arguments[i] + strlen(GUEST_CPUID_PARAMETER);
	return strcmp(value, "host") && spec->files.count &&
	       guest_patches(&spec->files.file[0]) & GUEST_PATCH_CPUID && cpu_can_be_virtual();
}

/*
 * The programs of a guest saw the processor of the guest patches. Where the registers of a process
 * are saved in the same way, another model has probably the same memory; but whether a register
 * counts as used is up to the model.
 */
static enum guest_memory judge_virtual_cpu(const struct cpu_identity *was,
					   const struct cpu_identity *is, char *reason, size_t size)
{
	if (!is->is_virtual) {
		snprintf(reason, size,
			 "recorded with the guest patches' CPUID, which this machine cannot "
			 "replace");
		return GUEST_MEMORY_DIFFERENT;
	}
	if (was->state == is->state && !strcmp(was->model, is->model))
		return GUEST_MEMORY_SAME;
	snprintf(reason, size, "recorded on a different CPU model: %s, this is %s", was->model,
		 is->model);
	return was->state == is->state ? GUEST_MEMORY_LIKELY : GUEST_MEMORY_DIFFERENT;
}

static enum guest_memory judge_cpu(const struct cpu_identity *was, const struct cpu_identity *is,
				   char *reason, size_t size)
{
	if (was->is_virtual)
		return judge_virtual_cpu(was, is, reason, size);
	if (strcmp(was->model, is->model))
		snprintf(reason, size, "recorded on a different CPU model: %s, this is %s",
			 was->model, is->model);
	else if (was->number != is->number)
		snprintf(reason, size, "recorded on CPU %u, which this process may not use",
			 was->number);
	else if (was->cpuid != is->cpuid)
		snprintf(reason, size, "CPUID of CPU %u differs from the recording", was->number);
	return *reason ? GUEST_MEMORY_DIFFERENT : GUEST_MEMORY_SAME;
}

/* Memory depends on the CPU and on the isolation. */
static enum guest_memory judge_origin(const struct guest_origin *origin,
				      const struct cpu_identity *is, unsigned int isolation,
				      char *reason, size_t size)
{
	unsigned int missing = origin->isolation & ~isolation;
	enum guest_memory memory;
	char names[ISOLATION_TEXT];

	if (origin->layout != SANDBOX_LAYOUT)
		snprintf(reason, size, "recorded with a different address layout");
	/* First: a guest that was not held on one CPU has no identity of it either. */
	else if (!(origin->isolation & ISOLATION_FULL))
		snprintf(reason, size, "recorded in a sandbox without isolation");
	else if (origin->isolation != ISOLATION_FULL)
		snprintf(reason, size, "recorded in a sandbox without full isolation (missing: %s)",
			 isolation_text(ISOLATION_FULL & ~origin->isolation, names));
	if (*reason)
		return GUEST_MEMORY_DIFFERENT;
	memory = judge_cpu(&origin->cpu, is, reason, size);
	if (memory == GUEST_MEMORY_DIFFERENT || !missing)
		return memory;
	snprintf(reason, size, "the recording's sandbox had more isolation (%s)",
		 isolation_text(missing, names));
	return GUEST_MEMORY_DIFFERENT;
}

enum guest_memory guest_judge_memory(const struct guest_recorded *guest,
				     const struct cpu_identity *cpu, unsigned int isolation,
				     char *reason, size_t size)
{
	char replaced[GUEST_REPLACED_TEXT];
	enum guest_memory memory = GUEST_MEMORY_DIFFERENT;

	snprintf(reason, size, "%s", guest_replaced_text(guest, replaced));
	if (!*reason)
		memory = judge_origin(&guest->origin, cpu, isolation, reason, size);
	printable(reason);
	return memory;
}
