// SPDX-License-Identifier: BSD-3-Clause
/* Which programs of a guest's initrd have code that reads properties of the processor. */

#include "format/base/cleanup.h"
#include "format/base/printable.h"
#include "kernel/image/elf_view.h"
#include "kernel/instruction/guest_suspects.h"
#include "kernel/instruction/program_files.h"

#define UNPACKED_MAX (256u << 20) /* bytes of programs that are looked through */

struct search {
	unsigned int wanted;
	uint64_t left; /* of UNPACKED_MAX */
	struct guest_suspect *suspects;
	size_t count;
	/* The program that is being looked through. */
	const char *path;
	const struct elf_view *elf;
	unsigned int seen; /* in it */
};

/* Of each kind, the first in each program. */
static void note(void *context, enum instruction instruction, uint64_t address)
{
	struct search *search = context;
	struct guest_suspect *suspect = &search->suspects[search->count];
	const char *function;
	uint64_t offset;

	if (search->count == GUEST_SUSPECTS_MAX || (search->seen & INSTRUCTION_BIT(instruction)))
		return;
	search->seen |= INSTRUCTION_BIT(instruction);
	search->count++;
	*suspect = (struct guest_suspect){ .instruction = instruction, .address = address };
	snprintf(suspect->file, sizeof(suspect->file), "%s", search->path);
	if (!elf_view_function_at(search->elf, address, &function, &offset))
		snprintf(suspect->function, sizeof(suspect->function), "%s", function);
	printable(suspect->file);
	printable(suspect->function);
}

static int look_through(void *context, const char *path, const void *data, size_t size)
{
	struct search *search = context;
	struct elf_view elf;
	struct elf_code code;

	if (size > search->left || search->count == GUEST_SUSPECTS_MAX)
		return -E2BIG;
	search->left -= size;
	if (elf_view_open(&elf, data, size))
		return 0;
	search->path = path;
	search->elf = &elf;
	search->seen = 0;
	for (unsigned int i = 0; !elf_view_code(&elf, i, &code); i++)
		instruction_scan(code.code, (size_t)code.size, code.address, search->wanted, note,
				 search);
	return 0;
}

size_t guest_suspects_in_initrd(const struct image_files *files, unsigned int wanted,
				struct guest_suspect suspects[GUEST_SUSPECTS_MAX])
{
	struct search search = { .wanted = wanted, .left = UNPACKED_MAX, .suspects = suspects };
	const struct image_file *initrd = image_files_find(files, GUEST_INITRD_PATH);

	/* As far as it can be read. */
	if (initrd)
		program_files_walk_archive(initrd->data, initrd->size, look_through, &search);
	return search.count;
}
