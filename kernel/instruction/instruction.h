/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions that return properties of the processor to a program, and which a sandbox
 * cannot keep from it: found in machine code by disassembly. The bytes alone do not tell: they
 * stand inside other instructions and in tables, too.
 *
 * Built with Zydis, or absent (instruction_absent.c): then nothing is found, and
 * instruction_available() returns false.
 */
#ifndef TTREC_INSTRUCTION_H
#define TTREC_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of suspicion: what differs at each reading precedes what a machine keeps. */
enum instruction {
	INSTRUCTION_RDTSCP,
	INSTRUCTION_RDTSC,
	INSTRUCTION_RDRAND,
	INSTRUCTION_RDSEED,
	INSTRUCTION_RDPID,
	INSTRUCTION_CPUID,
	INSTRUCTIONS,
};

/* Sets of them. */
#define INSTRUCTION_BIT(which) (1u << (which))
#define INSTRUCTION_COUNTER_BITS \
	(INSTRUCTION_BIT(INSTRUCTION_RDTSC) | INSTRUCTION_BIT(INSTRUCTION_RDTSCP))
#define INSTRUCTION_RANDOM_BITS \
	(INSTRUCTION_BIT(INSTRUCTION_RDRAND) | INSTRUCTION_BIT(INSTRUCTION_RDSEED))
#define INSTRUCTION_IDENTITY_BITS \
	(INSTRUCTION_BIT(INSTRUCTION_RDPID) | INSTRUCTION_BIT(INSTRUCTION_CPUID))

/* "rdtscp" */
const char *instruction_name(enum instruction instruction);

bool instruction_available(void);

/*
 * Decode @size bytes of @code, which lie at @address, and call @found for each that is in the set
 * @wanted, in order. Code may begin in the middle of an instruction: after a few it is in step.
 */
typedef void instruction_found(void *context, enum instruction instruction, uint64_t address);
void instruction_scan(const void *code, size_t size, uint64_t address, unsigned int wanted,
		      instruction_found *found, void *context);

#endif
