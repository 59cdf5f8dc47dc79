// SPDX-License-Identifier: BSD-3-Clause
/* The replay of one guest, in a process of its own. */
#include "replayer/run/replay_workers.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/text/trace_open.h"
#include "kernel/guest/guest_patches.h"
#include "kernel/guest/guest_replace.h"
#include "kernel/probe/probe.h"
#include "replayer/plan/replay_limits.h"
#include "replayer/run/replay_visit.h"

/* The CPU may have been taken away since the plan was made. */
static unsigned int take_cpu(unsigned int cpu, struct cpu_identity *identity)
{
	if (cpu_pin(cpu, identity)) {
		cpu = cpu_here();
		cpu_pin(cpu, identity);
	}
	return cpu;
}

/* A sandbox can be opened anywhere: while it is, another guest may need the CPU. */
static int prepare(const struct replay_options *options, struct replay_guest *replayed,
		   struct guest *guest, struct cpu_identity *cpu)
{
	struct guest_spec *spec = &replayed->started->spec;
	cpu_set_t allowed;
	int err = cpu_allowed(&allowed);

	if (err)
		return err;
	spec->cpu = take_cpu(replayed->cpu, cpu);
	cpu->is_virtual = guest_cpu_is_virtual(spec);
	spec->debugged = replayed->debugged;
	err = cpu_avoid(&allowed, spec->cpu);
	return err ? err
		   : guest_open_recorded(spec, options->trust, guest, &replayed->outcome->why);
}

/* After the sandbox is open: opening one is slower with a probe attached. */
static void open_probe(struct replay_guest *replayed, struct probe **probe)
{
	struct replay_outcome *outcome = replayed->outcome;
	struct diagnosis why = { 0 };

	if (!replayed->probed)
		return;
	guest_replaced_text(replayed->started, outcome->probe_reason);
	if (!*outcome->probe_reason && probe_open(probe, &why))
		snprintf(outcome->probe_reason, sizeof(outcome->probe_reason), "%s", why.what);
}

/* Instructions that may have given the guest's programs other results than when it was recorded. */
static unsigned int suspicious_instructions(const struct replay_guest *replayed,
					    const struct cpu_identity *cpu)
{
	const struct cpu_identity *was = &replayed->started->origin.cpu;
	unsigned int wanted = INSTRUCTION_RANDOM_BITS;

	if (!(guest_patches(&replayed->started->spec.files.file[0]) & GUEST_PATCH_COUNTER))
		wanted |= INSTRUCTION_COUNTER_BITS;
	if (!(cpu->is_virtual && was->is_virtual) &&
	    (cpu->number != was->number || cpu->cpuid != was->cpuid))
		wanted |= INSTRUCTION_IDENTITY_BITS;
	return wanted;
}

static int replay(const struct replay_options *options, struct replay_guest *replayed,
		  struct trace_reader *reader, struct guest *guest, struct probe **probe)
{
	struct console_printer printer = { .name = options->named ? replayed->name : NULL,
					   .terminal = isatty(STDOUT_FILENO) };
	struct replay_outcome *outcome = replayed->outcome;
	struct cursor_options cursor = options->cursor;
	struct cpu_identity cpu = { 0 };
	enum guest_memory memory;
	struct replay_visit visit;
	int err = prepare(options, replayed, guest, &cpu);

	if (!err)
		open_probe(replayed, probe);
	if (!err)
		err = cpu_pin(cpu.number, NULL);
	if (err)
		return err;
	outcome->cpu = cpu;
	outcome->isolation = guest->sandbox.isolation;
	memory = guest_judge_memory(replayed->started, &cpu, guest->sandbox.isolation,
				    outcome->memory_reason, sizeof(outcome->memory_reason));
	cursor.guest = replayed->index;
	cursor.instructions = suspicious_instructions(replayed, &cpu);
	cursor.compare_memory = memory == GUEST_MEMORY_SAME;
	cursor.replaced = replayed->started->replaced;
	cursor.probe = *probe;
	cursor.printer = options->console ? &printer : NULL;
	err = replay_visit_open(&visit, options, replayed, guest, &cursor);
	if (err)
		return err;
	cpu_wait_politely();
	if (cpu.is_virtual)
		cpu_fault_on_cpuid();
	err = cursor_run(reader, guest, &cursor, &outcome->report, &outcome->why);
	replay_visit_close(&visit);
	replay_limits_explain(replayed, guest, err);
	if (memory == GUEST_MEMORY_LIKELY && !outcome->report.digests_unequal)
		*outcome->memory_reason = '\0';
	if (outcome->report.marked && !*outcome->memory_reason)
		snprintf(outcome->memory_reason, sizeof(outcome->memory_reason),
			 "differs from record %" PRIu64
			 " on: breakpoints, steps and changes in gdb leave traces in it",
			 outcome->report.memory.record);
	return err;
}

void replay_child(const struct replay_options *options, struct replay_guest *replayed)
{
	struct replay_outcome *outcome = replayed->outcome;
	struct trace_reader *reader = NULL;
	struct guest guest = GUEST_NONE;
	struct probe *probe = NULL;
	int err = trace_open(options->trace, &reader, &outcome->why);

	if (!err)
		err = replay(options, replayed, reader, &guest, &probe);
	if (err && !outcome->why.status)
		diagnose(&outcome->why, EXIT_CANNOT, err, diagnosis_shortage(err),
			 "cannot replay %s: %s", options->trace, strerror(-err));
	guest_close(&guest);
	trace_reader_close(reader);
	outcome->finished = true;
	/* Last: the host may still be taking it out of the guest. */
	probe_close(probe);
}
