// SPDX-License-Identifier: BSD-3-Clause
/* Instructions that tell a program something of the processor: their names, and where they may be.
 */
#include "kernel/instruction/instruction.h"

#include "format/base/cleanup.h"

static const struct {
	const char *name, *tells;
} table[INSTRUCTIONS] = {
	[INSTRUCTION_RDTSCP] = { "rdtscp", "the time stamp counter" },
	[INSTRUCTION_RDTSC] = { "rdtsc", "the time stamp counter" },
	[INSTRUCTION_RDRAND] = { "rdrand", "random numbers" },
	[INSTRUCTION_RDSEED] = { "rdseed", "random numbers" },
	[INSTRUCTION_RDPID] = { "rdpid", "the number of the CPU" },
	[INSTRUCTION_CPUID] = { "cpuid", "model, features and number of the CPU" },
};

const char *instruction_name(enum instruction instruction)
{
	return table[instruction].name;
}

const char *instruction_tells(enum instruction instruction)
{
	return table[instruction].tells;
}
