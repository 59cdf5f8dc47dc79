// SPDX-License-Identifier: BSD-3-Clause
/* What a replay may take of this machine: memory, space on disks, CPU time. */
#include "replayer/plan/replay_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/guest/guest_shortage.h"
#include "kernel/sandbox/host_checks.h"

/* Less than that every machine has that runs guests. */
#define MEMORY_TO_REPORT (1ull << 30)

static const char memory_advice[] = "raise the limit with --max-memory; the default is the memory "
				    "that this machine has available";
static const char disk_advice[] = "raise the limit with --max-disk; the default is the free space "
				  "of the directories that the replay writes to";

static int refuse(const char *what, uint64_t bytes, uint64_t most, const char *of,
		  const char *advice, struct diagnosis *why)
{
	char demand[UNITS_TEXT], limit[UNITS_TEXT];

	return diagnose(why, EXIT_CANNOT, -EFBIG, advice,
			"%s may use %s of %s; the replay's limit is %s", what,
			size_text(bytes, demand), of, size_text(most, limit));
}

/* ---- Disks --------------------------------------------------------------------------------- */

/* What is written to file systems of this machine, and what may be. */
struct disk_use {
	uint64_t bytes, most;
};

/* The least of what is free counts for all: they may be one file system. */
static void add_place(struct disk_use *use, const char *directory, uint64_t bytes)
{
	struct host_directory about;

	use->bytes = bytes > UINT64_MAX - use->bytes ? UINT64_MAX : use->bytes + bytes;
	if (!host_read_directory(directory, &about) && about.free_bytes < use->most)
		use->most = about.free_bytes;
}

static void add_core(struct disk_use *use, const char *file, uint64_t bytes)
{
	auto_free char *directory = strdup(file);
	char *slash = directory ? strrchr(directory, '/') : NULL;

	if (slash)
		slash[slash == directory] = '\0';
	add_place(use, slash ? directory : ".", bytes);
}

/* Cores, and the kernel and its libraries for gdb. */
static struct disk_use use_of_disks(const struct replay_options *options,
				    const struct replay_lab *lab)
{
	struct disk_use use = { .most = UINT64_MAX };

	for (size_t i = 0; i < lab->count; i++) {
		const struct replay_guest *guest = &lab->guest[i];

		if (guest->core && replay_guest_runs(guest))
			add_core(&use, guest->core, guest_files_demand(&lab->listed[i].spec, 0));
		if (guest->debugged && guest->started)
			add_place(&use, REPLAY_GDB_DIRECTORY,
				  image_files_bytes(&guest->started->spec.files));
	}
	if (options->max_disk)
		use.most = options->max_disk;
	return use;
}

/* A sandbox with a root of its own is memory; only of trusted traces there are others. */
static bool needs_directory(const struct replay_options *options, const struct guest_spec *spec)
{
	return options->trust && (spec->host_files || host_try(HOST_TRIAL_MOUNT));
}

/* ---- Before anything is read --------------------------------------------------------------- */

int replay_limits_check(const struct replay_options *options, const struct replay_lab *lab,
			struct diagnosis *why)
{
	struct disk_use use = use_of_disks(options, lab);

	for (size_t i = 0; i < lab->count; i++) {
		uint64_t bytes = guest_memory_demand(&lab->listed[i].spec, 0);

		if (replay_guest_runs(&lab->guest[i]) && bytes > options->max_memory)
			return refuse(lab->guest[i].name, bytes, options->max_memory, "memory",
				      memory_advice, why);
	}
	return use.bytes > use.most ? refuse("--dump-memory", use.bytes, use.most, "disk space",
					     disk_advice, why)
				    : 0;
}

/* ---- How many side by side ----------------------------------------------------------------- */

static int compare_demands(const void *one, const void *other)
{
	const uint64_t *first = one, *second = other;

	return (*first < *second) - (*first > *second);
}

static size_t count_fitting(uint64_t *demand, size_t count, uint64_t most)
{
	size_t fitting = 0;

	qsort(demand, count, sizeof(*demand), compare_demands);
	for (; fitting < count && demand[fitting] <= most; fitting++)
		most -= demand[fitting];
	return fitting;
}

static int share_memory(const struct replay_options *options, struct replay_lab *lab,
			uint64_t *demand, struct diagnosis *why)
{
	for (size_t i = 0; i < lab->loaded_count; i++)
		demand[i] = guest_memory_demand(&lab->loaded[i].spec,
						image_files_bytes(&lab->loaded[i].spec.files));
	lab->active_max = count_fitting(demand, lab->loaded_count, options->max_memory);
	for (size_t i = 0; i < lab->active_max; i++)
		lab->memory += demand[i];
	if (lab->active_max || !lab->loaded_count)
		return 0;
	return refuse("a guest with its files", demand[0], options->max_memory, "memory",
		      memory_advice, why);
}

static int share_disks(const struct replay_options *options, struct replay_lab *lab,
		       uint64_t *demand, struct diagnosis *why)
{
	struct disk_use use = use_of_disks(options, lab);
	struct host_directory about;
	const char *base = NULL;
	size_t count = 0, fitting;

	for (size_t i = 0; i < lab->loaded_count; i++) {
		struct guest_spec *spec = &lab->loaded[i].spec;

		if (needs_directory(options, spec))
			demand[count++] = guest_files_demand(spec, image_files_bytes(&spec->files));
	}
	if (count && !sandbox_find_base(demand[0], &base, &about))
		add_place(&use, base, 0);
	if (options->max_disk)
		use.most = options->max_disk;
	if (use.bytes > use.most)
		return refuse("--dump-memory and --gdb", use.bytes, use.most, "disk space",
			      disk_advice, why);
	fitting = count_fitting(demand, count, use.most - use.bytes);
	if (count && !fitting)
		return refuse("a guest with its files", demand[0], use.most - use.bytes,
			      "disk space", disk_advice, why);
	if (count && fitting < lab->active_max)
		lab->active_max = fitting;
	return 0;
}

int replay_limits_share(const struct replay_options *options, struct replay_lab *lab,
			struct diagnosis *why)
{
	auto_free uint64_t *demand = calloc(lab->loaded_count + 1, sizeof(*demand));
	int err = demand ? share_memory(options, lab, demand, why) : -ENOMEM;

	return err ? err : share_disks(options, lab, demand, why);
}

/* A guest that has left is about to end. */
#define END_PATIENCE_MS 1000

/* ---- Afterwards ---------------------------------------------------------------------------- */

void replay_limits_print(const struct replay_options *options, const struct replay_lab *lab)
{
	char memory[UNITS_TEXT], limit[UNITS_TEXT];

	if (lab->memory < MEMORY_TO_REPORT)
		return;
	printf("the replay may use %s of memory; its limit is %s (--max-memory)\n",
	       size_text(lab->memory, memory), size_text(options->max_memory, limit));
	fflush(stdout);
}

void replay_limits_explain(struct replay_guest *replayed, struct guest *guest, int err)
{
	static const char *const advice[] = {
		[SANDBOX_LIMIT_MEMORY] = "it uses more than when it was recorded: do not trust it",
		[SANDBOX_LIMIT_PROCESSES] =
			"it uses more than when it was recorded: do not trust it",
		[SANDBOX_LIMIT_CPU] = "raise --max-cpu",
	};
	struct replay_outcome *outcome = replayed->outcome;
	enum sandbox_limit limit = SANDBOX_LIMIT_NONE;

	if (err || outcome->report.diverged)
		limit = sandbox_limit_reached(&guest->sandbox);
	if (limit)
		diagnose(&outcome->why, EXIT_CANNOT, -EDQUOT, advice[limit],
			 "%s was killed before record %" PRIu64 ": %s", replayed->name,
			 outcome->report.next_record, guest->sandbox.exceeded);
	else if (outcome->report.diverged && !outcome->why.status &&
		 sandbox_was_killed(&guest->sandbox, guest->time_fd < 0 ? END_PATIENCE_MS : 0))
		diagnose(&outcome->why, EXIT_CANNOT, -ESRCH, GUEST_KILLED_HINT,
			 "%s was killed on this machine before record %" PRIu64, replayed->name,
			 outcome->report.next_record);
}
