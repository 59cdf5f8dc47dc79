// SPDX-License-Identifier: BSD-3-Clause
/* The replay of one guest, in a process of its own. */
#include "replayer/replay_child.h"

#include <string.h>

#include "format/cleanup.h"
#include "format/printable.h"
#include "kernel/probe.h"
#include "kernel/process.h"
#include "replayer/replay_lab.h"

/* Parts of the seal that keep a stranger's program away from this machine. */
#define SEAL_LOCKS (SEAL_MOUNT | SEAL_NET | SEAL_USER)

/* A trace also says how sealed its room was: that must not be what opens the door. */
static int open_guest(const struct replay_options *options, struct guest_spec *spec,
		      struct guest *guest, struct diagnosis *why)
{
	struct diagnosis room_why = { 0 };
	int err;

	spec->required = options->trust ? 0 : SEAL_LOCKS;
	err = guest_open(spec, guest, &room_why);
	if (err == -EACCES && spec->required)
		return diagnose(why, EXIT_CANNOT, err,
				"`ttrec doctor` says what to change; --trust runs it all the same",
				"a trace carries a program, and it cannot be locked in here (%s)",
				room_why.what);
	*why = room_why;
	return err;
}

/* Why digests say nothing here, if they do: memory belongs to a CPU and to a seal. */
static void judge_memory(const struct guest_origin *origin, const struct cpu_identity *is,
			 unsigned int seal, char *reason, size_t size)
{
	const struct cpu_identity *was = &origin->cpu;
	unsigned int missing = origin->seal & ~seal;
	char names[SEAL_TEXT];

	/* First: a guest that was not held on one CPU has no identity of it either. */
	if (origin->seal != SEAL_FULL)
		snprintf(reason, size, "recorded in a room that was not fully sealed (%s)",
			 seal_text(origin->seal, names));
	else if (strcmp(was->model, is->model))
		snprintf(reason, size, "recorded on another CPU model: %s, this is %s", was->model,
			 is->model);
	else if (was->number != is->number)
		snprintf(reason, size, "recorded on CPU %u, which this process may not use",
			 was->number);
	else if (was->cpuid != is->cpuid)
		snprintf(reason, size, "CPU %u answers CPUID differently than it did", was->number);
	else if (missing)
		snprintf(reason, size, "the recording's room was sealed further (%s)",
			 seal_text(missing, names));
	printable(reason);
}

/* The CPU may have been taken away since the plan was made. */
static unsigned int take_cpu(unsigned int cpu, struct cpu_identity *identity)
{
	if (cpu_pin(cpu, identity)) {
		cpu = cpu_here();
		cpu_pin(cpu, identity);
	}
	return cpu;
}

/* A room can be opened anywhere: while it is, another guest may need the CPU. */
static int prepare(const struct replay_options *options, struct replay_guest *replayed,
		   struct guest *guest, struct cpu_identity *cpu)
{
	struct guest_spec *spec = &replayed->started->spec;
	cpu_set_t allowed;
	int err = cpu_allowed(&allowed);

	if (err)
		return err;
	spec->cpu = take_cpu(replayed->cpu, cpu);
	err = cpu_avoid(&allowed, spec->cpu);
	return err ? err : open_guest(options, spec, guest, &replayed->outcome->why);
}

/* After the room is open: what is attached to costs whoever opens one. */
static void open_probe(struct replay_guest *replayed, struct probe **probe)
{
	struct replay_outcome *outcome = replayed->outcome;
	struct diagnosis why = { 0 };

	if (replayed->probed && probe_open(probe, &why))
		snprintf(outcome->probe_reason, sizeof(outcome->probe_reason), "%s", why.what);
}

static int replay(const struct replay_options *options, struct replay_guest *replayed,
		  struct trace_reader *reader, struct guest *guest, struct probe **probe)
{
	struct console_printer printer = { .name = options->named ? replayed->name : NULL };
	struct replay_outcome *outcome = replayed->outcome;
	struct cursor_options cursor = options->cursor;
	struct cpu_identity cpu = { 0 };
	int err = prepare(options, replayed, guest, &cpu);

	if (!err)
		open_probe(replayed, probe);
	if (!err)
		err = cpu_pin(cpu.number, NULL);
	if (err)
		return err;
	judge_memory(&replayed->started->origin, &cpu, guest->room.seal, outcome->memory_reason,
		     sizeof(outcome->memory_reason));
	cursor.guest = replayed->index;
	cursor.compare_memory = !*outcome->memory_reason;
	cursor.probe = *probe;
	cursor.printer = options->console ? &printer : NULL;
	cpu_wait_politely();
	return cursor_run(reader, guest, &cursor, &outcome->report, &outcome->why);
}

void replay_child(const struct replay_options *options, struct replay_guest *replayed)
{
	struct replay_outcome *outcome = replayed->outcome;
	struct trace_reader *reader = NULL;
	struct guest guest = GUEST_NONE;
	struct probe *probe = NULL;
	int err = replay_open_trace(options->trace, &reader, &outcome->why);

	if (!err)
		err = replay(options, replayed, reader, &guest, &probe);
	if (err && !outcome->why.status)
		diagnose(&outcome->why, EXIT_CANNOT, err, NULL, "cannot replay %s: %s",
			 options->trace, strerror(-err));
	guest_close(&guest);
	trace_reader_close(reader);
	outcome->finished = true;
	/* Last: the host may still be taking it out of the guest. */
	probe_close(probe);
}
