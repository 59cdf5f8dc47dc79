// SPDX-License-Identifier: BSD-3-Clause
/* The guests of a trace, and which of them to replay. */
#include "replayer/plan/replay_lab.h"

#include <string.h>
#include <sys/mman.h>

#include "format/base/cleanup.h"
#include "format/base/write_error.h"
#include "format/text/trace_open.h"
#include "kernel/sandbox/host_checks.h"
#include "format/base/units.h"
#include "replayer/plan/replay_limits.h"

/* ---- Which guests there are ----------------------------------------------------------------- */

static struct replay_guest *find_guest(struct replay_lab *lab, uint32_t index)
{
	for (size_t i = 0; i < lab->count; i++)
		if (lab->guest[i].index == index)
			return &lab->guest[i];
	return NULL;
}

static int list_guests(struct trace_reader *reader, struct replay_lab *lab, struct diagnosis *why)
{
	int err = guest_specs_read(reader, GUEST_ALL, GUEST_FILES_NONE, 0, &lab->listed,
				   &lab->count, why);

	if (err)
		return err;
	lab->guest = calloc(lab->count, sizeof(*lab->guest));
	if (!lab->guest)
		return -ENOMEM;
	for (size_t i = 0; i < lab->count; i++) {
		lab->guest[i].index = lab->listed[i].index;
		lab->guest[i].name = lab->listed[i].spec.name;
		lab->guest[i].lab = lab;
	}
	return 0;
}

/* What a recorder has before the first message; the cursor finds what comes later. */
static int read_promises(struct trace_reader *reader, struct replay_lab *lab)
{
	struct trace_record record;
	int err = trace_reader_seek(reader, 0);

	while (!err && trace_reader_next(reader, &record) == 1 && record.kind != TRACE_from) {
		struct replay_guest *guest = find_guest(lab, record.guest);

		if (!guest)
			continue;
		cursor_read_unreplayable(&record, guest->unreplayable);
		cursor_read_probed(&record, &guest->probed);
	}
	return err;
}

/* ---- Which of them are wanted --------------------------------------------------------------- */

static void list_names(const struct replay_lab *lab, char *text, size_t size)
{
	size_t length = 0;

	*text = '\0';
	for (size_t i = 0; i < lab->count && length < size; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "",
					   lab->guest[i].name);
}

/* By name, or by number where no guest has that name. */
static struct replay_guest *find_wanted(struct replay_lab *lab, const char *word)
{
	const struct guest_recorded *named = guest_specs_find(lab->listed, lab->count, word);
	uint64_t number;

	if (named)
		return find_guest(lab, named->index);
	if (count_parse(word, &number) || number >= TRACE_GUEST_LIMIT)
		return NULL;
	return find_guest(lab, (uint32_t)number);
}

static int refuse_name(const struct replay_lab *lab, const char *option, const char *word,
		       struct diagnosis *why)
{
	char names[256];

	list_names(lab, names, sizeof(names));
	return diagnose(why, EXIT_USAGE, -ENOENT, "give guests of the trace",
			"%s: no guest '%s' in the trace, which has %s", option, word, names);
}

static int choose_guests(struct replay_lab *lab, const char *only, struct diagnosis *why)
{
	auto_free char *words = strdup(only ? only : "");
	char *rest = words;

	if (!words)
		return -ENOMEM;
	for (size_t i = 0; i < lab->count; i++)
		lab->guest[i].wanted = !only;
	while (only && rest) {
		const char *word = strsep(&rest, ",");
		struct replay_guest *guest = find_wanted(lab, word);

		if (!guest)
			return refuse_name(lab, "--only", word, why);
		guest->wanted = true;
	}
	return 0;
}

static int choose_core(struct replay_lab *lab, struct replay_guest *guest, const char *file,
		       struct diagnosis *why)
{
	if (guest->core)
		return diagnose(why, EXIT_USAGE, -EEXIST, "give it once",
				"--dump-memory: %s is named twice", guest->name);
	for (size_t i = 0; i < lab->count; i++)
		if (lab->guest[i].core && is_same_file(lab->guest[i].core, file))
			return diagnose(why, EXIT_USAGE, -EEXIST, "give each guest its own file",
					"--dump-memory: %s and %s go into the same file %s",
					lab->guest[i].name, guest->name, file);
	guest->core = file;
	guest->wanted = true;
	return 0;
}

/* Whose memory is asked for is wanted. */
static int choose_dumps(struct replay_lab *lab, const struct replay_options *options,
			struct diagnosis *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < options->dump_count; i++) {
		const struct replay_dump *dump = &options->dump[i];
		struct replay_guest *guest = find_wanted(lab, dump->guest);

		err = guest ? choose_core(lab, guest, dump->file, why)
			    : refuse_name(lab, "--dump-memory", dump->guest, why);
	}
	return err;
}

/* It runs alone, unless others are asked for. */
static int choose_debugged(struct replay_lab *lab, const struct replay_options *options,
			   struct diagnosis *why)
{
	struct replay_guest *guest = options->gdb ? find_wanted(lab, options->gdb) : NULL;

	if (!options->gdb)
		return 0;
	if (!guest)
		return refuse_name(lab, "--gdb", options->gdb, why);
	for (size_t i = 0; i < lab->count && !options->only; i++)
		lab->guest[i].wanted = false;
	guest->wanted = guest->debugged = true;
	return 0;
}

size_t replay_lab_wanted(const struct replay_lab *lab)
{
	size_t wanted = 0;

	for (size_t i = 0; i < lab->count; i++)
		wanted += lab->guest[i].wanted;
	return wanted;
}

/* ---- What they are started with ------------------------------------------------------------- */

/* The one guest that will run; GUEST_ALL when there are several. */
static uint32_t guest_to_load(const struct replay_lab *lab, size_t *running)
{
	uint32_t index = GUEST_ALL;

	*running = 0;
	for (size_t i = 0; i < lab->count; i++)
		if (replay_guest_runs(&lab->guest[i])) {
			index = lab->guest[i].index;
			++*running;
		}
	return *running == 1 ? index : GUEST_ALL;
}

static int replace_parts(const struct replay_options *options, struct replay_lab *lab,
			 struct diagnosis *why)
{
	int err = 0;

	for (unsigned int part = 0; part < GUEST_PARTS; part++)
		for (const char *const *text = options->replace[part]; !err && *text; text++)
			err = guest_specs_replace(lab->loaded, lab->loaded_count,
						  (enum guest_part)part, *text, why);
	return err;
}

static int load_guests(const struct replay_options *options, struct trace_reader *reader,
		       struct replay_lab *lab, struct diagnosis *why)
{
	const enum guest_files files = options->trust ? GUEST_FILES_HOST : GUEST_FILES_EMBEDDED;
	size_t running;
	uint32_t only = guest_to_load(lab, &running);
	int err = running ? guest_specs_read(reader, only, files, options->max_memory, &lab->loaded,
					     &lab->loaded_count, why)
			  : 0;

	if (!err && running)
		err = replace_parts(options, lab, why);
	for (size_t i = 0; !err && i < lab->loaded_count; i++) {
		struct replay_guest *guest = find_guest(lab, lab->loaded[i].index);

		if (!guest || !replay_guest_runs(guest))
			continue;
		guest->started = &lab->loaded[i];
		guest->started->spec.cpu_max = options->max_cpu;
		guest->started->spec.disk_max = options->max_disk;
		guest->started->spec.groups = options->groups;
		if (guest->started->spec.host_files && !options->trust)
			err = diagnose(why, EXIT_CANNOT, -EPERM, "--trust runs it anyway",
				       "the recorded guest had access to files of its host");
	}
	return err;
}

static int share_outcomes(struct replay_lab *lab)
{
	lab->outcomes = mmap(NULL, lab->count * sizeof(*lab->outcomes), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (lab->outcomes == MAP_FAILED) {
		lab->outcomes = NULL;
		return -errno;
	}
	for (size_t i = 0; i < lab->count; i++)
		lab->guest[i].outcome = &lab->outcomes[i];
	return 0;
}

static int read_lab(const struct replay_options *options, struct trace_reader *reader,
		    struct replay_lab *lab, struct diagnosis *why)
{
	int err = list_guests(reader, lab, why);

	if (!err)
		err = read_promises(reader, lab);
	if (!err)
		err = choose_guests(lab, options->only, why);
	if (!err)
		err = choose_debugged(lab, options, why);
	if (!err)
		err = choose_dumps(lab, options, why);
	if (!err)
		err = replay_limits_check(options, lab, why);
	if (!err)
		err = load_guests(options, reader, lab, why);
	if (!err)
		err = replay_limits_share(options, lab, why);
	return err ? err : share_outcomes(lab);
}

int replay_lab_open(const struct replay_options *options, struct replay_lab *lab,
		    struct diagnosis *why)
{
	struct trace_reader *reader = NULL;
	int err = host_check_devices(why);

	if (!err)
		err = trace_open(options->trace, &reader, why);
	*lab = (struct replay_lab){ 0 };
	if (!err)
		err = read_lab(options, reader, lab, why);
	trace_reader_close(reader);
	return err;
}

void replay_lab_close(struct replay_lab *lab)
{
	if (lab->outcomes)
		munmap(lab->outcomes, lab->count * sizeof(*lab->outcomes));
	guest_specs_free(lab->loaded, lab->loaded_count);
	guest_specs_free(lab->listed, lab->listed ? lab->count : 0);
	free(lab->guest);
	*lab = (struct replay_lab){ 0 };
}
