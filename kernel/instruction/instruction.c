// SPDX-License-Identifier: BSD-3-Clause
/* Instructions that tell a program something of the processor: their names, and where they may be.
 */
#include "kernel/instruction/instruction.h"

static const char *const names[INSTRUCTIONS] = {
	[INSTRUCTION_RDTSCP] = "rdtscp", [INSTRUCTION_RDTSC] = "rdtsc",
	[INSTRUCTION_RDRAND] = "rdrand", [INSTRUCTION_RDSEED] = "rdseed",
	[INSTRUCTION_RDPID] = "rdpid",	 [INSTRUCTION_CPUID] = "cpuid",
};

const char *instruction_name(enum instruction instruction)
{
	return names[instruction];
}
