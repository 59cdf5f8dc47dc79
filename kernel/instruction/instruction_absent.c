// SPDX-License-Identifier: BSD-3-Clause
/* Instead of instruction_decode.c and guest_suspects_initrd.c, where their libraries were not
 * there. */
#include "kernel/instruction/guest_suspects.h"
#include "kernel/instruction/instruction.h"

bool instruction_available(void)
{
	return false;
}

void instruction_scan(const void *code, size_t size, uint64_t address, unsigned int wanted,
		      instruction_found *found, void *context)
{
	(void)code;
	(void)size;
	(void)address;
	(void)wanted;
	(void)found;
	(void)context;
}

size_t guest_suspects_in_initrd(const struct image_files *files, unsigned int wanted,
				struct guest_suspect suspects[GUEST_SUSPECTS_MAX])
{
	(void)files;
	(void)wanted;
	(void)suspects;
	return 0;
}
