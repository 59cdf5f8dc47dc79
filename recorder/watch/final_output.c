// SPDX-License-Identifier: BSD-3-Clause
/* Hints for a guest kernel's last messages. */
#include "recorder/watch/final_output.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/console_line.h"
#include "recorder/watch/program_end.h"

#define MORE_MEMORY \
	"the guest has too little memory for its initrd and programs: give it a larger mem="
#define NO_INIT                                                                                   \
	"the guest's root file system lacks the program, its dynamic loader, or the interpreter " \
	"in its first line"
#define NO_ROOT \
	"the guest has no root file system: give it an initrd= with /init, or a disk and root="

/*
 * Those that are closer to the cause come first: a kernel that has no driver for its root file
 * system says more than one of these. Parts of lines that Linux 5.10 to 7.2 print (init/main.c,
 * init/do_mounts.c, init/initramfs.c, mm/oom_kill.c, arch/um/kernel/physmem.c, load_file.c).
 */
static const struct {
	const char *said, *hint;
} known[] = {
	/* Linux before 6.13, restore_fp_registers(); kernel/uml/patches/ */
	{ "ptrace set fp regs failed",
	  "this kernel cannot run programs on a processor with AMX: build one with "
	  "kernel/uml/build-uml.sh, or use 6.13 or newer" },
	{ "Too few physical memory!", MORE_MEMORY },
	{ "uml_load_file: Failed to allocate", MORE_MEMORY },
	{ "Initramfs unpacking failed: write error", MORE_MEMORY },
	{ "/initrd.image: incomplete write", MORE_MEMORY },
	{ "Unable to mount root fs: not enough memory", MORE_MEMORY },
	{ "Out of memory and no killable processes", MORE_MEMORY },
	{ "System is deadlocked on memory", MORE_MEMORY },
	{ "Initramfs unpacking failed:", "the initrd is damaged, or in a format that the kernel "
					 "does not support: pack it again, with gzip or zstd" },
	{ "check access for rdinit=",
	  "the initrd has no such program: check rdinit=, or add it to the initrd as /init" },
	{ "couldn't mount because of unsupported optional features",
	  "the root file system is ext4, and the kernel has only ext2: build one with "
	  "kernel/uml/build-uml.sh --distro, or with CONFIG_EXT4_FS=y" },
	/* The default root= of User-Mode Linux: its own kind of disk. */
	{ "Cannot open root device \"98:0\"", NO_ROOT },
	{ "Cannot open root device",
	  "check root=, and that the guest has that disk in the lab file (/dev/vda is the first)" },
	{ "No filesystem could mount root, tried:", "the kernel lacks the file system of the disk: "
						    "kernel/uml/build-uml.sh --distro has ext4, "
						    "btrfs and xfs" },
	{ "Unable to mount root fs", NO_ROOT },
	{ "Failed to execute ", NO_INIT },
	{ "Requested init ", NO_INIT },
	{ "No working init found", NO_INIT },
	{ "Out of memory: Killed process", MORE_MEMORY },
	{ "Attempted to kill init!",
	  "the guest's first program must power off at its end (poweroff -f, reboot(2)): if it "
	  "exits or crashes, the kernel panics" },
};

/* What its kernel logs is judged, and hinted at; what its init reports of a program is known. */
static bool says_nothing_of_why(const char *line)
{
	struct program_end end;

	return !line[strspn(line, " \t")] || console_line_text(line) != line ||
	       program_end_parse(line, &end);
}

static void keep_line(struct final_output *output)
{
	if (!says_nothing_of_why(output->line))
		snprintf(output->last, sizeof(output->last), "%s", output->line);
}

static void judge_line(struct final_output *output)
{
	size_t count = output->hint ? output->rank : ARRAY_SIZE(known);

	output->line[output->length] = '\0';
	output->length = 0;
	keep_line(output);
	for (size_t i = 0; i < count; i++) {
		if (!strstr(output->line, known[i].said))
			continue;
		output->hint = known[i].hint;
		output->rank = i;
		return;
	}
}

void final_output_feed(struct final_output *output, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (output->length == FINAL_OUTPUT_LINE - 1 || text[i] == '\n')
			judge_line(output);
		if (text[i] && text[i] != '\n' && text[i] != '\r')
			output->line[output->length++] = text[i];
	}
}

void final_output_forget(struct final_output *output)
{
	output->last[0] = '\0';
}

const char *final_output_line(struct final_output *output)
{
	output->line[output->length] = '\0';
	keep_line(output);
	return console_line_clean(output->last);
}
