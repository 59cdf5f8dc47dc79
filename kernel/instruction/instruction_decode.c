// SPDX-License-Identifier: BSD-3-Clause
/* Machine code, decoded by Zydis. */
#include <Zydis/Zydis.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "kernel/instruction/instruction.h"

static const struct {
	ZydisMnemonic mnemonic;
	enum instruction instruction;
} mnemonics[] = {
	{ ZYDIS_MNEMONIC_RDTSCP, INSTRUCTION_RDTSCP },
	{ ZYDIS_MNEMONIC_RDTSC, INSTRUCTION_RDTSC },
	{ ZYDIS_MNEMONIC_RDRAND, INSTRUCTION_RDRAND },
	{ ZYDIS_MNEMONIC_RDSEED, INSTRUCTION_RDSEED },
	{ ZYDIS_MNEMONIC_RDPID, INSTRUCTION_RDPID },
	{ ZYDIS_MNEMONIC_CPUID, INSTRUCTION_CPUID },
};

struct scan {
	ZydisDecoder decoder;
	const uint8_t *bytes;
	size_t size;
	uint64_t address;
	unsigned int wanted;
	instruction_found *found;
	void *context;
};

/* Decoding from so many bytes before, whatever they are, comes to the place in step. */
#define LEAD 1024u

bool instruction_available(void)
{
	return true;
}

static enum instruction classify(ZydisMnemonic mnemonic)
{
	for (size_t i = 0; i < ARRAY_SIZE(mnemonics); i++)
		if (mnemonics[i].mnemonic == mnemonic)
			return mnemonics[i].instruction;
	return INSTRUCTIONS;
}

/* All of them have an opcode of 0f and one of these; most code has none anywhere near. */
static bool is_candidate(const uint8_t *bytes, size_t left)
{
	if (left < 2)
		return false;
	switch (bytes[1]) {
	case 0x31: /* rdtsc */
	case 0xa2: /* cpuid */
		return true;
	case 0x01: /* rdtscp */
		return left > 2 && bytes[2] == 0xf9;
	case 0xc7: /* rdrand, rdseed, rdpid: registers of /6 and /7 */
		return left > 2 && bytes[2] >= 0xf0;
	default:
		return false;
	}
}

static size_t next_candidate(const uint8_t *bytes, size_t size, size_t from)
{
	while (from < size) {
		const uint8_t *found = memchr(bytes + from, 0x0f, size - from);

		if (!found)
			break;
		from = (size_t)(found - bytes);
		if (is_candidate(found, size - from))
			return from;
		from++;
	}
	return size;
}

/* Decode from *@at until that is behind @end. */
static void scan_to(const struct scan *scan, size_t *at, size_t end)
{
	ZydisDecodedInstruction decoded;

	while (*at <= end && *at < scan->size) {
		enum instruction instruction;

		if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(
			    &scan->decoder, NULL, scan->bytes + *at, scan->size - *at, &decoded))) {
			++*at;
			continue;
		}
		instruction = classify(decoded.mnemonic);
		if (instruction < INSTRUCTIONS && (scan->wanted & INSTRUCTION_BIT(instruction)))
			scan->found(scan->context, instruction, scan->address + *at);
		*at += decoded.length;
	}
}

void instruction_scan(const void *code, size_t size, uint64_t address, unsigned int wanted,
		      instruction_found *found, void *context)
{
	struct scan scan = { .bytes = code,
			     .size = size,
			     .address = address,
			     .wanted = wanted,
			     .found = found,
			     .context = context };
	size_t at = 0, candidate = next_candidate(code, size, 0);

	ZydisDecoderInit(&scan.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisDecoderEnableMode(&scan.decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	while (candidate < size) {
		if (candidate > at + LEAD)
			at = candidate - LEAD;
		scan_to(&scan, &at, candidate);
		candidate = next_candidate(code, size, candidate + 1 > at ? candidate + 1 : at);
	}
}
