// SPDX-License-Identifier: BSD-3-Clause
/* A bounds-checked view of an ELF file in memory: nothing in it is trusted. */
#include "kernel/image/elf_view.h"

#include <errno.h>
#include <string.h>

/* @count entries of @entry bytes at @offset, or NULL when they do not lie within the file. */
static const void *elf_range(const struct elf_view *elf, uint64_t offset, uint64_t count,
			     uint64_t entry)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(count, entry, &bytes) || offset > elf->size ||
	    bytes > elf->size - offset || offset % sizeof(uint64_t))
		return NULL;
	return elf->data + offset;
}

int elf_view_open(struct elf_view *elf, const void *data, size_t size)
{
	const Elf64_Ehdr *header = data;

	*elf = (struct elf_view){ .data = data, .size = size, .header = header };
	if (size < EI_NIDENT || memcmp(data, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (size < sizeof(*header))
		return -EBADMSG;
	elf->machine = header->e_machine;
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_X86_64)
		return -EXDEV;
	if (header->e_phentsize != sizeof(Elf64_Phdr) ||
	    !elf_range(elf, header->e_phoff, header->e_phnum, sizeof(Elf64_Phdr)))
		return -EBADMSG;
	return 0;
}

const Elf64_Phdr *elf_view_segments(const struct elf_view *elf)
{
	return elf_range(elf, elf->header->e_phoff, elf->header->e_phnum, sizeof(Elf64_Phdr));
}

/*
 * The loader maps .data and .bss without execute permission, unless an old linker merged
 * everything.
 */
static const Elf64_Phdr *find_writable(const struct elf_view *elf, unsigned int without)
{
	const Elf64_Phdr *segment = elf_view_segments(elf);

	for (unsigned int i = 0; i < elf->header->e_phnum; i++)
		if (segment[i].p_type == PT_LOAD && (segment[i].p_flags & PF_W) &&
		    !(segment[i].p_flags & without))
			return &segment[i];
	return NULL;
}

int elf_view_writable(const struct elf_view *elf, uint64_t *begin, uint64_t *end)
{
	const Elf64_Phdr *segment = find_writable(elf, PF_X);

	if (!segment)
		segment = find_writable(elf, 0);
	if (!segment)
		return -ENOENT;
	*begin = segment->p_vaddr;
	if (__builtin_add_overflow(segment->p_vaddr, segment->p_memsz, end))
		return -EBADMSG;
	return segment->p_memsz > (1u << 30) ? -EBADMSG : 0;
}

int elf_view_offset(const struct elf_view *elf, uint64_t address, uint64_t *offset)
{
	const Elf64_Phdr *segment = elf_view_segments(elf);

	for (unsigned int i = 0; i < elf->header->e_phnum; i++) {
		uint64_t inside = address - segment[i].p_vaddr;

		if (segment[i].p_type != PT_LOAD || address < segment[i].p_vaddr ||
		    inside >= segment[i].p_filesz)
			continue;
		return __builtin_add_overflow(segment[i].p_offset, inside, offset) ? -EBADMSG : 0;
	}
	return -ENOENT;
}

int elf_view_interpreter(const struct elf_view *elf, char *path, size_t size)
{
	const Elf64_Phdr *segment = elf_view_segments(elf);

	for (unsigned int i = 0; i < elf->header->e_phnum; i++) {
		if (segment[i].p_type != PT_INTERP)
			continue;
		if (!segment[i].p_filesz || segment[i].p_filesz > size ||
		    segment[i].p_offset > elf->size ||
		    segment[i].p_filesz > elf->size - segment[i].p_offset)
			return -EBADMSG;
		memcpy(path, elf->data + segment[i].p_offset, segment[i].p_filesz);
		path[segment[i].p_filesz - 1] = '\0';
		return 0;
	}
	return -ENOENT;
}

struct symbol_table {
	const Elf64_Sym *symbol;
	uint64_t count;
	const char *names;
	uint64_t names_size;
};

static int elf_symbol_table(const struct elf_view *elf, unsigned int type,
			    struct symbol_table *table)
{
	const Elf64_Shdr *section, *names;

	section = elf_range(elf, elf->header->e_shoff, elf->header->e_shnum, sizeof(*section));
	if (!section || elf->header->e_shentsize != sizeof(*section))
		return -ENOENT;
	for (unsigned int i = 0; i < elf->header->e_shnum; i++) {
		if (section[i].sh_type != type || section[i].sh_link >= elf->header->e_shnum)
			continue;
		names = &section[section[i].sh_link];
		table->count = section[i].sh_size / sizeof(Elf64_Sym);
		table->symbol =
			elf_range(elf, section[i].sh_offset, table->count, sizeof(Elf64_Sym));
		table->names_size = names->sh_size;
		if (!table->symbol || names->sh_offset > elf->size || !names->sh_size ||
		    names->sh_size > elf->size - names->sh_offset)
			return -ENOENT;
		table->names = (const char *)elf->data + names->sh_offset;
		return table->names[table->names_size - 1] ? -ENOENT : 0;
	}
	return -ENOENT;
}

static const char *symbol_name(const struct symbol_table *table, const Elf64_Sym *symbol)
{
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	if ((type != STT_OBJECT && type != STT_FUNC && type != STT_NOTYPE) || !symbol->st_name ||
	    symbol->st_name >= table->names_size || symbol->st_shndx == SHN_UNDEF)
		return NULL;
	return table->names + symbol->st_name;
}

/* The nearest symbol at or below the address; one with a size must reach up to it. */
int elf_view_symbol_at(const struct elf_view *elf, uint64_t address, const char **name,
		       uint64_t *offset)
{
	struct symbol_table table;
	const Elf64_Sym *best = NULL;
	int err = elf_symbol_table(elf, SHT_SYMTAB, &table);

	if (err)
		return err;
	for (uint64_t i = 0; i < table.count; i++) {
		const Elf64_Sym *symbol = &table.symbol[i];

		if (symbol->st_value > address || !symbol_name(&table, symbol) ||
		    (symbol->st_size && address - symbol->st_value >= symbol->st_size))
			continue;
		if (!best || symbol->st_value > best->st_value ||
		    (symbol->st_value == best->st_value && symbol->st_size > best->st_size))
			best = symbol;
	}
	if (!best)
		return -ENOENT;
	*name = symbol_name(&table, best);
	*offset = address - best->st_value;
	return 0;
}

int elf_view_symbol_find(const struct elf_view *elf, const char *name, uint64_t *address,
			 uint64_t *size)
{
	struct symbol_table table;
	int err = elf_symbol_table(elf, SHT_SYMTAB, &table);

	if (err)
		return err;
	for (uint64_t i = 0; i < table.count; i++) {
		const char *found = symbol_name(&table, &table.symbol[i]);

		if (!found || strcmp(found, name))
			continue;
		*address = table.symbol[i].st_value;
		*size = table.symbol[i].st_size;
		return 0;
	}
	return -ENOENT;
}

/* ---- Code ----------------------------------------------------------------------------------- */

static const Elf64_Shdr *elf_sections(const struct elf_view *elf, unsigned int *count)
{
	const Elf64_Shdr *section =
		elf_range(elf, elf->header->e_shoff, elf->header->e_shnum, sizeof(*section));

	*count = elf->header->e_shnum;
	return elf->header->e_shentsize == sizeof(*section) && *count ? section : NULL;
}

static int take_code(const struct elf_view *elf, uint64_t offset, uint64_t size, uint64_t address,
		     struct elf_code *code)
{
	if (offset > elf->size || size > elf->size - offset)
		return -EBADMSG;
	*code = (struct elf_code){ elf->data + offset, size, address };
	return 0;
}

int elf_view_code(const struct elf_view *elf, unsigned int number, struct elf_code *code)
{
	const Elf64_Phdr *segment = elf_view_segments(elf);
	unsigned int count;
	const Elf64_Shdr *section = elf_sections(elf, &count);

	for (unsigned int i = 0; section && i < count; i++)
		if (section[i].sh_type == SHT_PROGBITS && (section[i].sh_flags & SHF_EXECINSTR) &&
		    !number--)
			return take_code(elf, section[i].sh_offset, section[i].sh_size,
					 section[i].sh_addr, code);
	for (unsigned int i = 0; !section && i < elf->header->e_phnum; i++)
		if (segment[i].p_type == PT_LOAD && (segment[i].p_flags & PF_X) && !number--)
			return take_code(elf, segment[i].p_offset, segment[i].p_filesz,
					 segment[i].p_vaddr, code);
	return -ENOENT;
}

static int function_in(const struct elf_view *elf, unsigned int type, uint64_t address,
		       const char **name, uint64_t *offset)
{
	struct symbol_table table;
	int err = elf_symbol_table(elf, type, &table);

	for (uint64_t i = 0; !err && i < table.count; i++) {
		const Elf64_Sym *symbol = &table.symbol[i];

		if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || address < symbol->st_value ||
		    address - symbol->st_value >= symbol->st_size || !symbol_name(&table, symbol))
			continue;
		*name = symbol_name(&table, symbol);
		*offset = address - symbol->st_value;
		return 0;
	}
	return -ENOENT;
}

int elf_view_function_at(const struct elf_view *elf, uint64_t address, const char **name,
			 uint64_t *offset)
{
	int err = function_in(elf, SHT_SYMTAB, address, name, offset);

	return err ? function_in(elf, SHT_DYNSYM, address, name, offset) : 0;
}
