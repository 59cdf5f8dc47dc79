// SPDX-License-Identifier: BSD-3-Clause
/* Names the guest patches that a kernel has, one a line. */
#include <stdio.h>

#include "kernel/guest/guest_patches.h"

int main(int argc, char **argv)
{
	struct image_files files = { 0 };
	struct diagnosis why = { 0 };
	unsigned int patches;

	if (argc != 2 || image_files_load(&files, "kernel", argv[1], "/linux", &why))
		return diagnosis_print(&why, "guest_patches");
	patches = guest_patches(&files.file[0]);
	if (patches & GUEST_PATCH_COUNTER)
		puts("counter");
	if (patches & GUEST_PATCH_WORK)
		puts("work");
	if (patches & GUEST_PATCH_CPUID)
		puts("cpuid");
	image_files_free(&files);
	return 0;
}
