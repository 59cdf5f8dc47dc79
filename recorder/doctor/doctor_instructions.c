// SPDX-License-Identifier: BSD-3-Clause
/* Programs of a guest that ask the processor: which, for what, and where in them. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "format/base/printable.h"
#include "kernel/image/elf_view.h"
#include "kernel/instruction/instruction.h"
#include "recorder/doctor/doctor.h"
#include "kernel/instruction/program_files.h"

#define SYMBOL_TEXT 256

struct listing {
	json_t *json; /* an array; NULL: text */
	uint64_t programs, found;
	unsigned int seen; /* set of instructions, over all */
};

/* One program while it is looked through. */
struct program {
	struct listing *listing;
	char path[512]; /* printable */
	const struct elf_view *elf;
	uint64_t count[INSTRUCTIONS];
};

/* "OPENSSL_ia32_rdrand_bytes+0x4"; empty when no symbol covers it. */
static const char *function_text(const struct elf_view *elf, uint64_t address,
				 char text[SYMBOL_TEXT])
{
	const char *name;
	uint64_t offset;

	*text = '\0';
	if (!elf_view_function_at(elf, address, &name, &offset))
		snprintf(text, SYMBOL_TEXT, "%s+%#" PRIx64, name, offset);
	printable(text);
	return text;
}

static bool has_any(const struct program *program)
{
	for (unsigned int i = 0; i < INSTRUCTIONS; i++)
		if (program->count[i])
			return true;
	return false;
}

/* Nearly every program asks what processor it is, in dozens of places: these are only counted. */
static void note(void *context, enum instruction instruction, uint64_t address)
{
	struct program *program = context;
	struct listing *listing = program->listing;
	char function[SYMBOL_TEXT];

	function_text(program->elf, address, function);
	if (listing->json)
		json_array_append_new(listing->json,
				      json_pack("{s:s, s:s, s:I, s:s}", "file", program->path,
						"instruction", instruction_name(instruction),
						"address", (json_int_t)address, "function",
						function));
	else if (!has_any(program))
		puts(program->path);
	if (!listing->json && instruction != INSTRUCTION_CPUID)
		printf("    %-7s %#" PRIx64 "%s%s\n", instruction_name(instruction), address,
		       *function ? "  " : "", function);
	program->count[instruction]++;
	listing->seen |= INSTRUCTION_BIT(instruction);
}

static int look_through(void *context, const char *path, const void *data, size_t size)
{
	struct listing *listing = context;
	struct elf_view elf;
	struct program program = { .listing = listing, .elf = &elf };
	struct elf_code code;

	if (elf_view_open(&elf, data, size))
		return 0; /* of another machine, or damaged */
	snprintf(program.path, sizeof(program.path), "%s", path);
	printable(program.path);
	for (unsigned int i = 0; !elf_view_code(&elf, i, &code); i++)
		instruction_scan(code.code, (size_t)code.size, code.address,
				 (1u << INSTRUCTIONS) - 1, note, &program);
	listing->programs++;
	listing->found += has_any(&program);
	if (!listing->json && program.count[INSTRUCTION_CPUID])
		printf("    %-7s %" PRIu64 " places\n", instruction_name(INSTRUCTION_CPUID),
		       program.count[INSTRUCTION_CPUID]);
	return 0;
}

static void print_summary(const struct listing *listing)
{
	printf("%s%" PRIu64 " of %" PRIu64 " programs and libraries have such instructions.\n",
	       listing->found ? "\n" : "", listing->found, listing->programs);
	if (listing->seen & INSTRUCTION_COUNTER_BITS)
		puts("rdtsc, rdtscp: virtual time with a kernel of kernel/uml/build-uml.sh, else "
		     "different in each run");
	if (listing->seen & INSTRUCTION_RANDOM_BITS)
		puts("rdrand, rdseed: cannot be trapped; see THE PROCESSOR in ttrec(7)");
	if (listing->seen & INSTRUCTION_IDENTITY_BITS)
		puts("cpuid, rdpid: the same on the same CPU");
}

int doctor_list_instructions(const char *path, bool json, struct diagnosis *why)
{
	struct listing listing = { .json = json ? json_array() : NULL };
	int err;

	if (json && !listing.json)
		return diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	err = program_files_walk(path, look_through, &listing, why);
	if (!err && json) {
		json_dumpf(listing.json, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (!err) {
		print_summary(&listing);
	}
	json_decref(listing.json);
	return err;
}
