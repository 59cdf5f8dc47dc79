// SPDX-License-Identifier: BSD-3-Clause
/* A lab that is set up: sandboxes, devices and networks as its description says. */
#include "recorder/run/run_lab.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "kernel/guest/guest_arguments.h"
#include "recorder/run/run_arguments.h"
#include "recorder/run/run_programs.h"
#include "recorder/run/run_shares.h"
#include "recorder/run/run_settings.h"

/* ---- The description ------------------------------------------------------------------------- */

/* The same partition for all guests that can reach each other without delay. */
static void merge_partitions(struct run_lab *lab, size_t from, size_t into)
{
	for (size_t i = 0; i < lab->guest_count; i++)
		if (lab->guest[i].partition == from)
			lab->guest[i].partition = into;
}

static bool meet_at_once(const struct run_lab *lab, const struct lab_device *a,
			 const struct lab_device *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == LAB_PROGRAM)
		return a->program == b->program;
	return a->kind == LAB_NET && a->network == b->network &&
	       !network_lookahead(lab->network[a->network].network);
}

static bool are_one_partition(const struct run_lab *lab, const struct lab_guest *a,
			      const struct lab_guest *b)
{
	for (size_t i = 0; i < a->device_count; i++)
		for (size_t j = 0; j < b->device_count; j++)
			if (meet_at_once(lab, &a->device[i], &b->device[j]))
				return true;
	return false;
}

static void find_partitions(struct run_lab *lab)
{
	for (size_t i = 0; i < lab->guest_count; i++)
		lab->guest[i].partition = i;
	for (size_t i = 0; i < lab->guest_count; i++)
		for (size_t j = i + 1; j < lab->guest_count; j++)
			if (are_one_partition(lab, lab->guest[i].lab, lab->guest[j].lab))
				merge_partitions(lab, lab->guest[j].partition,
						 lab->guest[i].partition);
	/* Numbered without gaps, in the order of their first guests. */
	for (size_t i = 0; i < lab->guest_count; i++) {
		size_t number = lab->guest[i].partition;

		if (number < lab->partition_count)
			continue;
		for (size_t j = i; j < lab->guest_count; j++)
			if (lab->guest[j].partition == number)
				lab->guest[j].partition = lab->partition_count;
		lab->partition_count++;
	}
}

/* Expectations for the console of one guest, in addition to those of all. */
static int create_own_watch(struct run_lab *lab, size_t index, struct diagnosis *why)
{
	static const char *const nothing[] = { NULL };
	const struct lab_guest *guest = lab->guest[index].lab;
	struct watch_options own = { .consoles = 1,
				     .expect = (const char *const *)guest->expect,
				     .fail_on = nothing,
				     .allow = (const char *const *)guest->allow_line };
	int err = watch_allow(lab->watch, index, own.allow, why);

	if (err || (!guest->expect && !guest->fail_on))
		return err;
	if (guest->fail_on)
		own.fail_on = (const char *const *)guest->fail_on;
	return watch_create(&own, &lab->guest[index].watch, why);
}

static int create_watches(const struct run_options *options, struct run_lab *lab,
			  struct diagnosis *why)
{
	struct watch_options all = { .consoles = lab->guest_count,
				     .expect = (const char *const *)lab->lab->expect,
				     .fail_on = (const char *const *)lab->lab->fail_on,
				     .allow = (const char *const *)lab->lab->allow_line,
				     .defaults = true,
				     .program = options->program };
	int err;

	if (options->expect[0])
		all.expect = options->expect;
	if (options->fail_on[0])
		all.fail_on = options->fail_on;
	if (options->allow_line[0])
		all.allow = options->allow_line;
	err = watch_create(&all, &lab->watch, why);
	for (size_t i = 0; !err && i < lab->guest_count; i++)
		err = create_own_watch(lab, i, why);
	return err;
}

/* The file's, or that of the one guest of the command line. */
static int load_lab(const struct run_options *options, struct lab **lab, struct diagnosis *why)
{
	if (options->lab)
		return lab_load(options->lab, lab, why);
	*lab = lab_create_single("n1", options->id, options->kernel[0], options->kernel + 1);
	if (*lab && *options->packed.initrd)
		(*lab)->guest[0].initrd = strdup(options->packed.initrd);
	if (!*lab || (*options->packed.initrd && !(*lab)->guest[0].initrd))
		return -ENOMEM;
	return run_lab_set_root(options, *lab);
}

int run_lab_set_root(const struct run_options *options, struct lab *lab)
{
	struct lab_root *root = &lab->guest[0].root;

	if (!options->root)
		return 0;
	root->path = strdup(options->root);
	return root->path ? 0 : -ENOMEM;
}

int run_lab_load(struct run_options *options, struct run_lab *lab, struct diagnosis *why)
{
	int err = 0;

	if (!lab->lab) {
		err = load_lab(options, &lab->lab, why);
		if (!err)
			err = run_root_apply(lab->lab, why);
	}
	if (!err && lab->lab)
		err = run_shares_add(options, lab->lab, why);
	if (err)
		return err;
	if (lab->lab)
		lab->guest = calloc(lab->lab->guest_count, sizeof(*lab->guest));
	if (!lab->guest)
		return diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	lab->guest_count = lab->lab->guest_count;
	err = run_arguments_take(options, lab->lab, why);
	if (err)
		return err;
	run_options_settle(options, lab->lab);
	for (size_t i = 0; i < lab->guest_count; i++) {
		const struct lab_guest *guest = &lab->lab->guest[i];

		lab->guest[i] = (struct run_guest){ .lab = guest, .guest = GUEST_NONE };
		lab->guest[i].seed = guest->seed == LAB_UNSET ? options->session.seed : guest->seed;
	}
	err = run_devices_create(options, lab, why);
	if (err)
		return err;
	find_partitions(lab);
	if (options->upstream)
		err = run_programs_tap(lab, why);
	return err ? err : create_watches(options, lab, why);
}

/* ---- Sandboxes ------------------------------------------------------------------------------- */

/* The sandbox has no /proc of its own: nothing of the host's reaches the guest that way but this.
 */
static int add_cpu_info(struct image_files *files)
{
	char *text;
	int err = cpu_info_text(&text);

	if (err)
		return err;
	return text ? image_files_add(files, GUEST_CPU_INFO_PATH, 0444, text, strlen(text)) : 0;
}

/* The user's arguments, then @initrd, which may be NULL. NULL: out of memory. */
static char **list_arguments(const struct lab_guest *guest, char *initrd)
{
	size_t count = 0;
	char **list;

	while (guest->arguments && guest->arguments[count])
		count++;
	list = calloc(count + 2, sizeof(char *));
	if (!list)
		return NULL;
	for (size_t i = 0; i < count; i++)
		list[i] = guest->arguments[i];
	list[count] = initrd;
	return list;
}

static int build_arguments(const struct run_options *options, struct run_guest *guest,
			   struct diagnosis *why)
{
	struct guest_spec *spec = &guest->spec;
	struct guest_arguments_options arguments = { .allow = options->allow,
						     .id = guest->lab->id,
						     .device = spec->device,
						     .device_count = spec->device_count,
						     .work_cost = options->work_cost,
						     .work_cost_given = options->work_cost_given };
	auto_free char *initrd = NULL;
	auto_free char **user = NULL;

	if (guest->lab->initrd && asprintf(&initrd, "initrd=%s", guest->lab->initrd) < 0) {
		initrd = NULL;
		return -ENOMEM;
	}
	user = list_arguments(guest->lab, initrd);
	if (!user)
		return -ENOMEM;
	arguments.user = user;
	return guest_arguments_build(&arguments, &spec->files, &spec->arguments, &spec->host_files,
				     why);
}

static int load_files(struct run_guest *guest, struct diagnosis *why)
{
	struct guest_spec *spec = &guest->spec;
	const char *kernel = guest->lab->kernel;
	int err = image_files_load(&spec->files, "kernel", kernel, GUEST_KERNEL_PATH, why);

	return err ? err : image_check_kernel(&spec->files.file[0], kernel, why);
}

/* The sandbox's own random bytes come from a separate stream, so that the guest's do not change. */
static int take_sandbox_random(struct run_guest *guest)
{
	struct entropy_stream *stream;
	int err = entropy_stream_create(guest->seed, ~guest->lab->id, &stream);

	if (err)
		return err;
	entropy_stream_take(stream, guest->spec.auxv_random, SANDBOX_RANDOM_SIZE);
	entropy_stream_destroy(stream);
	return 0;
}

static int build_spec(const struct run_options *options, struct run_guest *guest, unsigned int cpu,
		      struct diagnosis *why)
{
	struct guest_spec *spec = &guest->spec;
	int err;

	spec->name = strdup(guest->lab->name);
	spec->id = guest->lab->id;
	spec->wanted = options->wanted;
	spec->cpu = cpu;
	err = spec->name ? load_files(guest, why) : -ENOMEM;
	if (!err)
		err = build_arguments(options, guest, why);
	if (!err)
		err = run_fit_check(guest->lab, spec, why);
	if (!err)
		err = image_load_libraries(&spec->files, &spec->files.file[0], guest->lab->kernel,
					   why);
	if (!err)
		err = add_cpu_info(&spec->files);
	if (!err)
		err = take_sandbox_random(guest);
	if (err && !why->status)
		diagnose(why, EXIT_CANNOT, err, NULL, "cannot set up the guest %s: %s",
			 guest->lab->name, strerror(-err));
	return err;
}

/* The recorded CPU of a guest that is started again, if all guests can have theirs; -1. */
static int recorded_cpu(const struct run_lab *lab, const struct run_guest *guest)
{
	for (size_t i = 0; i < lab->guest_count; i++)
		if (!lab->guest[i].recorded || cpu_check(lab->guest[i].recorded->origin.cpu.number))
			return -1;
	return (int)guest->recorded->origin.cpu.number;
}

/* CPU number @index of those we may use, counted from the first one on. */
static unsigned int choose_cpu(const struct run_options *options, size_t index)
{
	unsigned int cpu = options->cpu >= 0 ? (unsigned int)options->cpu : cpu_here();
	cpu_set_t allowed;

	if (cpu_allowed(&allowed))
		return cpu;
	for (index %= options->cpus; index; index--)
		do
			cpu = (cpu + 1) % CPU_SETSIZE;
		while (!CPU_ISSET(cpu, &allowed));
	return cpu;
}

static int check_isolation(const struct run_options *options, const struct run_guest *guest,
			   struct diagnosis *why)
{
	unsigned int lost = ISOLATION_FULL & ~guest->guest.sandbox.isolation;
	char names[ISOLATION_TEXT];

	if (!options->isolation_required || !lost)
		return 0;
	/* What is lost without the first of them; doctor reports each. */
	return diagnose(why, EXIT_CANNOT, -EPERM,
			"run `ttrec doctor` to see what to change, or remove --isolation=full",
			"full isolation is not possible: missing: %s (%s: %s)",
			lost == ISOLATION_FULL ? "everything" : isolation_text(lost, names),
			isolation_info((enum isolation_part)__builtin_ctz(lost))->name,
			isolation_info((enum isolation_part)__builtin_ctz(lost))->lost);
}

/* Its sandbox is opened as for a replay: the program comes from an untrusted trace. */
static int open_recorded(const struct run_options *options, struct run_guest *guest,
			 unsigned int cpu, struct diagnosis *why)
{
	guest->spec.wanted = options->wanted;
	guest->spec.cpu = cpu;
	return guest_open_recorded(&guest->spec, options->trust, &guest->guest, why);
}

static int open_guest(const struct run_options *options, struct run_lab *lab,
		      struct run_guest *guest, unsigned int cpu, struct diagnosis *why)
{
	int err;

	guest->spec.groups = lab->groups;
	if (guest->recorded)
		return open_recorded(options, guest, cpu, why);
	guest->spec.files.cache = lab->files;
	err = build_spec(options, guest, cpu, why);
	return err ? err : guest_open(&guest->spec, &guest->guest, why);
}

int run_lab_open(const struct run_options *options, struct run_lab *lab, struct diagnosis *why)
{
	unsigned int first = choose_cpu(options, 0);
	cpu_set_t allowed;
	int err = run_programs_start(options, lab, why);

	lab->files = image_cache_create(); /* without it each guest reads its own */
	for (size_t i = 0; !err && i < lab->guest_count; i++) {
		struct run_guest *guest = &lab->guest[i];
		int recorded = options->cpu < 0 ? recorded_cpu(lab, guest) : -1;
		struct run_options here = *options;

		here.cpu = (int)first;
		err = open_guest(options, lab, guest,
				 recorded >= 0 ? (unsigned int)recorded
					       : choose_cpu(&here, guest->partition),
				 why);
		if (!err)
			err = check_isolation(options, guest, why);
	}
	/* Only a guest that is pinned has a CPU identity. */
	if (err || !(options->wanted & ISOLATION_CPU) || cpu_allowed(&allowed))
		return err;
	for (size_t i = 0; i < lab->guest_count; i++) {
		struct run_guest *guest = &lab->guest[i];

		/* Reading all leaves of CPUID takes long; most guests share a CPU. */
		if (i && guest->spec.cpu == guest[-1].spec.cpu)
			guest->cpu = guest[-1].cpu;
		else
			cpu_pin(guest->spec.cpu, &guest->cpu);
		guest->cpu.is_virtual = guest_cpu_is_virtual(&guest->spec);
	}
	sched_setaffinity(0, sizeof(allowed), &allowed);
	return 0;
}

int run_lab_describe(const struct run_options *options, struct run_lab *lab,
		     struct trace_writer *writer)
{
	auto_free struct guest_started *started = calloc(lab->guest_count, sizeof(*started));
	int err;

	if (!started)
		return -ENOMEM;
	for (size_t i = 0; i < lab->guest_count; i++) {
		const struct run_guest *guest = &lab->guest[i];

		started[i] = (struct guest_started){ .spec = &guest->spec,
						     .index = (uint32_t)i,
						     .isolation = guest->guest.sandbox.isolation,
						     .cpu = guest->cpu };
	}
	err = guest_specs_write(started, lab->guest_count, !options->no_embed, writer);
	return err ? err : run_settings_write_lab(lab->lab, writer);
}

uint64_t run_lab_largest(const struct run_lab *lab)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < lab->guest_count; i++) {
		const struct image_files *files = &lab->guest[i].spec.files;

		for (size_t j = 0; j < files->count; j++)
			if (files->file[j].size > largest)
				largest = files->file[j].size;
	}
	return largest;
}

/* ---- Its end --------------------------------------------------------------------------------- */

void run_lab_close(struct run_lab *lab)
{
	for (size_t i = 0; i < lab->guest_count; i++)
		guest_close(&lab->guest[i].guest);
	run_programs_stop(lab);
}

void run_lab_free(struct run_lab *lab)
{
	run_lab_close(lab);
	for (size_t i = 0; i < lab->guest_count; i++) {
		run_devices_destroy(&lab->guest[i]);
		guest_spec_free(&lab->guest[i].spec);
		watch_destroy(lab->guest[i].watch);
		ci_console_destroy(lab->guest[i].ci_console);
	}
	image_cache_destroy(lab->files);
	run_networks_destroy(lab);
	watch_destroy(lab->watch);
	free(lab->planned);
	free(lab->guest);
	lab_destroy(lab->lab);
}
