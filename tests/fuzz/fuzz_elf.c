// SPDX-License-Identifier: BSD-3-Clause
/* The look into ELF files, which are a guest's kernel and its programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/image/elf_view.h"
#include "tests/fuzz/fuzz.h"

#define LOOKS 200

static void look_at_symbols(const struct elf_view *elf, uint64_t address)
{
	uint64_t offset, size, found;
	const char *name;

	elf_view_offset(elf, address, &offset);
	if (!elf_view_symbol_at(elf, address, &name, &offset))
		fuzz_expect(strlen(name) < elf->size);
	if (!elf_view_function_at(elf, address, &name, &offset)) {
		fuzz_expect(strlen(name) < elf->size);
		elf_view_symbol_find(elf, name, &found, &size);
	}
}

static void look_at_segments(const struct elf_view *elf)
{
	const Elf64_Phdr *segment = elf_view_segments(elf);

	for (unsigned int i = 0; i < elf->header->e_phnum && i < LOOKS; i++)
		if (segment[i].p_type == PT_LOAD)
			look_at_symbols(elf, segment[i].p_vaddr + segment[i].p_memsz / 2);
}

static void look_at_code(const struct elf_view *elf)
{
	struct elf_code code;

	for (unsigned int i = 0; i < LOOKS && !elf_view_code(elf, i, &code); i++) {
		fuzz_expect(code.code >= elf->data && code.size <= elf->size &&
			    code.code + code.size <= elf->data + elf->size);
		look_at_symbols(elf, code.address);
	}
}

/* The data stands alone, so that nothing behind it can be read. */
int fuzz_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	uint64_t begin, end, found;
	struct elf_view elf;
	char path[64];
	int err;

	if (!copy)
		return -1;
	if (size)
		memcpy(copy, data, size);
	err = elf_view_open(&elf, copy, size);
	fuzz_expect(!err || err == -ENOEXEC || err == -EXDEV || err == -EBADMSG);
	if (!err) {
		if (!elf_view_writable(&elf, &begin, &end))
			look_at_symbols(&elf, begin);
		elf_view_interpreter(&elf, path, sizeof(path));
		elf_view_symbol_find(&elf, "main", &found, &end);
		look_at_segments(&elf);
		look_at_code(&elf);
	}
	free(copy);
	return 0;
}
