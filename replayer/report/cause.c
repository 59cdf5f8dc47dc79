// SPDX-License-Identifier: BSD-3-Clause
/* What a divergence may have come from. */
#include "replayer/report/cause.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/pattern/pattern.h"
#include "format/base/printable.h"
#include "format/base/units.h"
#include "kernel/guest/guest_arguments.h"
#include "kernel/guest/guest_patches.h"
#include "kernel/guest/guest_replace.h"
#include "kernel/sandbox/isolation.h"
#include "replayer/report/verdict_memory.h"

/* Processes that are named as evidence. */
#define SHOWN_SUSPECTS 3

struct causes {
	const struct replay_guest *guest;
	struct findings *found;
	size_t count;
};

static void add(struct causes *causes, enum finding_code code, const char *advice,
		const char *evidence, ...) __attribute__((format(printf, 4, 5)));

static void add(struct causes *causes, enum finding_code code, const char *advice,
		const char *evidence, ...)
{
	const struct cursor_report *report = &causes->guest->outcome->report;
	char text[sizeof(((struct finding *)NULL)->text)];
	va_list arguments;

	if (causes->count == CAUSES_MAX)
		return;
	causes->count++;
	va_start(arguments, evidence);
	vsnprintf(text, sizeof(text), evidence, arguments);
	va_end(arguments);
	findings_add(causes->found, code, causes->guest->name, report->now, advice, "%s", text);
}

/* ---- What was done on purpose --------------------------------------------------------------- */

static void find_flip(const struct replay_guest *guest, struct causes *causes)
{
	if (guest->outcome->report.flipped)
		add(causes, FOUND_FLIPPED_BIT, "replay it without --flip-bit",
		    "--flip-bit was given");
}

static void find_replaced(const struct replay_guest *guest, struct causes *causes)
{
	char replaced[GUEST_REPLACED_TEXT];

	if (guest->started->replaced)
		add(causes, FOUND_REPLACED,
		    "if it should behave the same, look at its records before that",
		    "replayed with %s", guest_replaced_text(guest->started, replaced));
}

/* ---- How it was recorded -------------------------------------------------------------------- */

static void find_arguments(const struct replay_guest *guest, struct causes *causes)
{
	char *const *argument = guest->started->spec.arguments;

	for (; argument && *argument; argument++) {
		const struct refused_argument *refused = guest_argument_allowed(*argument);
		char advice[256];

		if (!refused)
			continue;
		snprintf(advice, sizeof(advice), "record it with %s instead, without --allow %s",
			 refused->instead, refused->name);
		add(causes, FOUND_ALLOWED_ARGUMENT, advice, "the kernel argument %s: %s", *argument,
		    refused->why);
	}
}

/* The parts of the isolation that affect a guest, most significant first, without those that only
 * protect the host. */
static const enum isolation_part felt[] = { ISOLATION_ASLR_BIT, ISOLATION_ENTROPY_BIT,
					    ISOLATION_PID_BIT, ISOLATION_AUXV_BIT,
					    ISOLATION_CPU_BIT };

static void add_isolation(struct causes *causes, unsigned int missing, enum finding_code code)
{
	for (size_t i = 0; i < ARRAY_SIZE(felt); i++)
		if (missing & 1u << felt[i])
			add(causes, code, isolation_info(felt[i])->advice, "%s: %s",
			    isolation_info(felt[i])->name, isolation_info(felt[i])->lost);
}

static void find_isolation(const struct replay_guest *guest, struct causes *causes)
{
	unsigned int was = guest->started->origin.isolation;

	add_isolation(causes, ISOLATION_FULL & ~was, FOUND_RECORDED_ISOLATION);
	add_isolation(causes, was & ~guest->outcome->isolation, FOUND_REPLAY_ISOLATION);
}

/* ---- This machine --------------------------------------------------------------------------- */

static void find_cpu(const struct replay_guest *guest, struct causes *causes)
{
	const struct cpu_identity *was = &guest->started->origin.cpu, *is = &guest->outcome->cpu;

	/* A guest that was not held on one CPU has none to compare. */
	if (!(guest->started->origin.isolation & ISOLATION_CPU))
		return;
	if (was->is_virtual && is->is_virtual)
		return;
	if (was->is_virtual)
		add(causes, FOUND_VIRTUAL_CPU,
		    "replay it on a processor that can fault on CPUID; `ttrec doctor` shows it",
		    "recorded with the guest patches' CPUID, replayed with that of %s", is->model);
	else if (strcmp(was->model, is->model))
		add(causes, FOUND_OTHER_MODEL,
		    "replay it on the recorded model; programs choose code by it",
		    "recorded on %s, this is %s", was->model, is->model);
	else if (was->number != is->number)
		add(causes, FOUND_OTHER_CPU, "allow the replay to use that CPU, see taskset(1)",
		    "recorded on CPU %u, replayed on CPU %u, and CPUID names the CPU", was->number,
		    is->number);
	else if (was->cpuid != is->cpuid)
		add(causes, FOUND_OTHER_CPUID,
		    "replay it with the recorded microcode, kernel and hypervisor",
		    "CPUID of CPU %u is %016" PRIx64 ", recorded %016" PRIx64, is->number,
		    is->cpuid, was->cpuid);
}

static void find_end(const struct replay_guest *guest, struct causes *causes)
{
	const char *got = guest->outcome->report.got;

	if (!strncmp(got, "nothing:", strlen("nothing:")))
		add(causes, FOUND_SILENT,
		    "--hang-timeout=0 waits forever; --console shows its last output", "%s",
		    "no message within --hang-timeout");
	if (!strcmp(got, "its end by signal 7"))
		add(causes, FOUND_KILLED, "check `df /dev/shm`, `free` and the end of `dmesg`",
		    "%s: out of memory or of space in /dev/shm", got);
}

/* ---- What differs --------------------------------------------------------------------------- */

/* What is kept where, by the names of the kernel's symbols. */
static const struct {
	const char *symbols;
	enum finding_code code;
	const char *advice;
} kept_table[] = {
	{ "crng|random|entropy|input_pool|net_secret|hash_?secret|siphash|stack_chk",
	  FOUND_RANDOM_KEPT,
	  "check that the guest has no random device of its own, and no nordrand or "
	  "random.trust_bootloader=off" },
	{ "cpuinfo|cpu_info|boot_cpu|cpu_data|cpu_caps|host_fp|host_sup|xstate|fpu|mxcsr",
	  FOUND_PROCESSOR_KEPT, "replay it on the CPU that it was recorded on" },
	{ "jiffies|tick|timekeep|tk_core|clock|time_travel|loops_per|calib|hrtimer|timer|xtime",
	  FOUND_TIME_KEPT, "check that no device or program sends the host's time to the guest" },
	{ "physmem|brk|vdso|vsyscall|stub|host_task|uml_|_pid$|pid_map|userspace_pid",
	  FOUND_ADDRESS_KEPT, "`ttrec doctor` reports what the sandbox does not hide here" },
	{ "hostfs|ubd|vector|uml_net|mconsole|chan|port_wait|xterm", FOUND_FILE_KEPT,
	  "give it the devices of a lab file, see ttrec-lab(5)" },
};

static bool matches(const char *text, const char *symbol)
{
	char reason[PATTERN_REASON];
	struct pattern *pattern;
	bool found;

	if (pattern_compile(text, &pattern, reason))
		return false;
	found = pattern_match(pattern, symbol, false, NULL) == 1;
	pattern_free(pattern);
	return found;
}

/* Only a block whose very bytes are known names a symbol for sure. */
static void find_symbol(const struct replay_guest *guest, struct causes *causes)
{
	const struct cursor_memory *memory = &guest->outcome->report.memory;
	uint64_t address =
		memory->difference.recovered ? verdict_recovered_address(memory) : memory->address;
	char symbol[VERDICT_SYMBOL];
	uint64_t offset;

	if (!memory->differs || !verdict_symbol(guest, address, symbol, &offset))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kept_table); i++)
		if (matches(kept_table[i].symbols, symbol)) {
			add(causes, kept_table[i].code, kept_table[i].advice,
			    "%s that differs is in %s",
			    memory->difference.recovered ? "the kernel's memory"
							 : "the block of kernel memory",
			    symbol);
			return;
		}
}

/* ---- Instructions that read processor state ------------------------------------------------- */

static const struct {
	unsigned int instructions;
	enum finding_code code;
	const char *advice;
} suspects_table[] = {
	{ INSTRUCTION_COUNTER_BITS, FOUND_COUNTER,
	  "record it with a kernel of kernel/uml/build-uml.sh, in which the counter is virtual "
	  "time; `ttrec doctor KERNEL` shows whether a kernel has that" },
	{ INSTRUCTION_RANDOM_BITS, FOUND_RANDOM,
	  "make it use getrandom(2); some libraries have a setting, see THE PROCESSOR in "
	  "ttrec(7)" },
	{ INSTRUCTION_IDENTITY_BITS, FOUND_IDENTITY,
	  "replay it on the CPU that it was recorded on; some libraries have a setting, see THE "
	  "PROCESSOR in ttrec(7)" },
};

/* "'sh' (pid 7), which it ran then," or "bin/sh in its initrd" */
static void describe_holder(const struct guest_suspect *suspect, char *text, size_t size)
{
	char process[GUEST_PROCESS_TEXT];

	if (*suspect->file)
		snprintf(text, size, "%s in its initrd", suspect->file);
	else
		snprintf(text, size, "%s%s", guest_process_text(&suspect->process, process),
			 suspect->process.current ? ", which was running," : "");
}

/* "'sh' (pid 7), which it ran then, has rdtsc at 0x401234 in code that it has mapped" and others */
static bool describe_suspects(const struct cursor_report *report, unsigned int instructions,
			      char *text, size_t size)
{
	size_t length = 0, named = 0;

	for (size_t i = 0; i < report->suspects && named < SHOWN_SUSPECTS; i++) {
		const struct guest_suspect *suspect = &report->suspect[i];
		char holder[GUEST_PROCESS_TEXT + 32];

		if (!(instructions & INSTRUCTION_BIT(suspect->instruction)) || length >= size)
			continue;
		describe_holder(suspect, holder, sizeof(holder));
		length += (size_t)snprintf(
			text + length, size - length, "%s%s has %s at %#" PRIx64 "%s%s",
			named++ ? "; " : "", holder, instruction_name(suspect->instruction),
			suspect->address, *suspect->function ? ", " : "", suspect->function);
	}
	if (named && !*report->suspect->file && length < size)
		snprintf(text + length, size - length, " in code that it has mapped");
	return named;
}

static bool counter_is_virtual(const struct replay_guest *guest)
{
	const struct image_files *files = &guest->started->spec.files;

	return files->count && (guest_patches(&files->file[0]) & GUEST_PATCH_COUNTER);
}

static void find_suspects(const struct replay_guest *guest, struct causes *causes)
{
	const struct cursor_report *report = &guest->outcome->report;
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(suspects_table); i++)
		if (describe_suspects(report, suspects_table[i].instructions, text, sizeof(text)))
			add(causes, suspects_table[i].code, suspects_table[i].advice, "%s", text);
}

/* No process was found with it: it may have ended, or nothing could be read. */
static void find_unseen(const struct replay_guest *guest, struct causes *causes)
{
	const struct cursor_report *report = &guest->outcome->report;

	if (!counter_is_virtual(guest))
		add(causes, suspects_table[0].code, suspects_table[0].advice, "%s",
		    "its kernel lets programs read this machine's counter, as the loader of every "
		    "dynamically linked program does");
	else if (report->memory.differs && report->memory.region == MEMORY_RAM)
		add(causes, suspects_table[1].code, suspects_table[1].advice,
		    "the difference is in the guest's RAM, while all its messages until then were "
		    "the same");
}

static void find_unknown(const struct replay_guest *guest, struct causes *causes)
{
	const struct cursor_report *report = &guest->outcome->report;
	char messages[UNITS_TEXT], digests[UNITS_TEXT];

	add(causes, FOUND_UNKNOWN,
	    "replay it again: if it diverges at the same record each time, the recording lacks an "
	    "input; else this machine affects the guest. Report it with the trace",
	    "kernel, files, processor and sandbox are as recorded, and %s messages and %s memory "
	    "digests before it were the same",
	    count_text(report->messages, messages), count_text(report->digests, digests));
}

void causes_find(const struct replay_guest *guest, struct findings *found)
{
	struct causes causes = { .guest = guest, .found = found };

	find_flip(guest, &causes);
	find_replaced(guest, &causes);
	find_arguments(guest, &causes);
	find_cpu(guest, &causes);
	find_end(guest, &causes);
	find_isolation(guest, &causes);
	find_symbol(guest, &causes);
	if (!guest->started->replaced && !guest->outcome->report.flipped)
		find_suspects(guest, &causes);
	if (!causes.count)
		find_unseen(guest, &causes);
	if (!causes.count)
		find_unknown(guest, &causes);
}
