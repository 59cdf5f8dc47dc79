// SPDX-License-Identifier: BSD-3-Clause
/* Instead of instruction_decode.c, where Zydis was not there to be built with. */
#include "kernel/instruction.h"

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
