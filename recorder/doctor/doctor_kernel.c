// SPDX-License-Identifier: BSD-3-Clause
/* Whether a kernel can be recorded: checks its file, and starts it in a sandbox. */
#include <cpuid.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "kernel/guest/guest_arguments.h"
#include "kernel/guest/guest_patches.h"
#include "recorder/doctor/doctor.h"
#include "recorder/doctor/doctor_trial.h"

/* Kernels from @from up to, without, @until that work, but for one thing. */
static const struct {
	uint32_t from, until;
	const char *what, *advice;
} remarks[] = {
	{ 0, HOST_LINUX(5, 10, 0),
	  "Linux before 5.10 may lose an interrupt while idle, and then hangs",
	  "use 5.10 or newer" },
	/* os_rcv_fd_msg() copies 24 bytes of descriptors into 8; fixed by df447a3b4a4b. */
	{ HOST_LINUX(6, 11, 0), HOST_LINUX(6, 12, 49),
	  "it overwrites 16 bytes of its stack when it receives the time", "use 6.12.49 or newer" },
	{ HOST_LINUX(6, 13, 0), HOST_LINUX(6, 17, 0),
	  "it overwrites 16 bytes of its stack when it receives the time", "use 6.17 or newer" },
};

static void check_release(const struct image_file *image, const char *source, struct checks *checks)
{
	char release[64];
	uint32_t version;

	image_release(image, release, sizeof(release));
	version = host_parse_version(release);
	for (size_t i = 0; version && i < ARRAY_SIZE(remarks); i++) {
		if (version < remarks[i].from || version >= remarks[i].until)
			continue;
		checks_add(checks, CHECK_WARNING, "kernel", NULL, remarks[i].advice,
			   "%s, User-Mode Linux %s: %s", source, release, remarks[i].what);
		return;
	}
	checks_add(checks, CHECK_OK, "kernel", NULL, NULL,
		   "%s, User-Mode Linux %s with external time travel", source, release);
}

static void check_symbols(const struct image_file *image, struct checks *checks)
{
	uint64_t address, size;

	if (image_symbol_find(image, "start_kernel", &address, &size))
		checks_add(checks, CHECK_WARNING, "symbols", NULL, "do not strip the kernel",
			   "none: memory differences are reported by address only");
	else
		checks_add(checks, CHECK_OK, "symbols", NULL, NULL,
			   "memory differences are reported by symbol");
}

/* What its programs learn from the processor, and whether what they do takes time. */
static void check_patches(const struct image_file *image, struct checks *checks)
{
	static const char advice[] = "build it with kernel/uml/build-uml.sh, which patches it";
	unsigned int patches = guest_patches(image);

	if (patches & GUEST_PATCH_COUNTER)
		checks_add(checks, CHECK_OK, "time stamp counter", NULL, NULL,
			   "virtual time for the guest's programs");
	else
		checks_add(checks, CHECK_WARNING, "time stamp counter", NULL, advice,
			   "the guest's programs read this machine's: memory differs on replay "
			   "if one is dynamically linked, and messages if one depends on the "
			   "counter, as Go and Java do");
	if (patches & GUEST_PATCH_CPUID)
		checks_add(checks, CHECK_OK, "cpuid", NULL, NULL,
			   "the same for the guest's programs on each machine where it can fault");
	else
		checks_add(checks, CHECK_NOTE, "cpuid", NULL, advice,
			   "the guest's programs read this machine's: memory depends on the model "
			   "and the number of the CPU, and some use rdrand because of it");
	if (patches & GUEST_PATCH_WORK)
		checks_add(checks, CHECK_OK, "work", NULL, NULL,
			   "system calls and page faults can take virtual time");
	else
		checks_add(checks, CHECK_NOTE, "work", NULL, advice,
			   "takes no virtual time: a program that polls may loop forever");
}

/*
 * Before 6.13 UML keeps 2,696 bytes of a program's floating-point state, and a host with a larger
 * state requires all of it (arch/x86/kernel/fpu/regset.c, xstateregs_set): with AMX the first
 * program of the guest fails, long after START. A patch of ours helps.
 */
#define STATE_KEPT 2696u

static void check_programs(const struct image_file *image, struct checks *checks)
{
	unsigned int size = 0, largest, zero, unused;
	char release[64];
	uint32_t version;

	image_release(image, release, sizeof(release));
	version = host_parse_version(release);
	__get_cpuid_count(0xd, 0, &unused, &size, &largest, &zero);
	if (size > STATE_KEPT && version && version < HOST_LINUX(6, 13, 0) && !guest_patches(image))
		checks_add(checks, CHECK_MISSING, "programs", NULL,
			   "build it with kernel/uml/build-uml.sh, which patches it, or use 6.13 "
			   "or newer",
			   "cannot run on this processor, whose floating-point state has %u "
			   "bytes (AMX): the kernel ends with \"ptrace set fp regs failed\"",
			   size);
}

static void check_libraries(const struct image_files *files, struct checks *checks)
{
	if (files->count == 1)
		checks_add(checks, CHECK_OK, "libraries", NULL, NULL, "none, statically linked");
	else
		checks_add(checks, CHECK_OK, "libraries", NULL, NULL, "%zu, embedded in the trace",
			   files->count - 1);
}

static int load_kernel(const char *source, struct guest_spec *spec, struct checks *checks,
		       struct diagnosis *why)
{
	const struct image_file *image;
	int err = image_files_load(&spec->files, "kernel", source, GUEST_KERNEL_PATH, why);

	if (!err)
		err = image_check_kernel(&spec->files.file[0], source, why);
	if (err)
		return err;
	image = &spec->files.file[0];
	check_release(image, source, checks);
	check_symbols(image, checks);
	check_patches(image, checks);
	check_programs(image, checks);
	err = image_load_libraries(&spec->files, image, source, why);
	if (!err)
		check_libraries(&spec->files, checks);
	return err;
}

static void report_start(struct trial *trial, struct checks *checks)
{
	static const char advice[] = "see its output: ttrec run -o none KERNEL";

	if (trial->end == TRIAL_SPOKE)
		checks_add(checks, CHECK_OK, "start", NULL, NULL,
			   "it runs in a sandbox and requests time");
	else if (trial->end == TRIAL_SILENT)
		checks_add(checks, CHECK_MISSING, "start", NULL, advice,
			   "it runs in a sandbox and does not request time; last line: %s",
			   trial_last_line(trial));
	else
		checks_add(checks, CHECK_MISSING, "start", NULL, advice,
			   "it ended in the sandbox (status %d, signal %d); last line: %s",
			   trial->status, trial->signal, trial_last_line(trial));
}

/* Up to START: by then it has checked its host, found its memory and executed code in it. */
static int start_kernel(struct guest_spec *spec, struct checks *checks, struct diagnosis *why)
{
	char *none[] = { NULL };
	struct guest_arguments_options options = { .user = none, .id = 1 };
	char *cpu_info = NULL;
	struct trial trial;
	struct guest guest;
	int err = guest_arguments_build(&options, &spec->files, &spec->arguments, &spec->host_files,
					why);

	if (!err)
		err = cpu_info_text(&cpu_info);
	if (!err && cpu_info) {
		size_t size = strlen(cpu_info);

		err = image_files_add(&spec->files, "/proc/cpuinfo", 0444, take_pointer(cpu_info),
				      size);
	}
	free(cpu_info);
	if (!err)
		err = guest_open(spec, &guest, why);
	if (err)
		return err;
	err = trial_run(&guest, &trial);
	guest_close(&guest);
	if (err)
		return diagnose(why, EXIT_CANNOT, err, NULL, "cannot serve the guest: %s",
				strerror(-err));
	report_start(&trial, checks);
	return 0;
}

void doctor_check_kernel(const char *kernel, struct checks *checks)
{
	struct guest_spec spec = { .id = 1, .wanted = ISOLATION_FULL, .cpu = cpu_here() };
	struct diagnosis why = { 0 };

	if (load_kernel(kernel, &spec, checks, &why) || start_kernel(&spec, checks, &why))
		checks_add(checks, CHECK_MISSING, "kernel", NULL, why.advice[0] ? why.advice : NULL,
			   "%s", why.what);
	guest_spec_free(&spec);
}
