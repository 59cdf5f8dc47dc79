/* SPDX-License-Identifier: BSD-3-Clause */
/* A bounds-checked view of an ELF file in memory: segments, interpreter, symbols. */
#ifndef TTREC_ELF_VIEW_H
#define TTREC_ELF_VIEW_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

struct elf_view {
	const uint8_t *data;
	size_t size;
	const Elf64_Ehdr *header;
	unsigned int machine; /* set as soon as it is an ELF file */
};

/* -ENOEXEC: not ELF; -EXDEV: an architecture this machine does not run; -EBADMSG: damaged. */
int elf_view_open(struct elf_view *elf, const void *data, size_t size);

/* The program headers: header->e_phnum of them. */
const Elf64_Phdr *elf_view_segments(const struct elf_view *elf);

/* Address range of the first writable PT_LOAD segment; -ENOENT. */
int elf_view_writable(const struct elf_view *elf, uint64_t *begin, uint64_t *end);

/* The file offset of the byte that is loaded at @address, or -ENOENT. */
int elf_view_offset(const struct elf_view *elf, uint64_t address, uint64_t *offset);

/* Path in PT_INTERP; -ENOENT for a static program. */
int elf_view_interpreter(const struct elf_view *elf, char *path, size_t size);

int elf_view_symbol_at(const struct elf_view *elf, uint64_t address, const char **name,
		       uint64_t *offset);
int elf_view_symbol_find(const struct elf_view *elf, const char *name, uint64_t *address,
			 uint64_t *size);

/*
 * Executable code number @number, from 0: the sections that are, or without section headers the
 * segments. @code points into the file. -ENOENT: there are no more.
 */
struct elf_code {
	const uint8_t *code;
	uint64_t size, address;
};
int elf_view_code(const struct elf_view *elf, unsigned int number, struct elf_code *code);

/* The function that covers @address, dynamic symbols included; -ENOENT. */
int elf_view_function_at(const struct elf_view *elf, uint64_t address, const char **name,
			 uint64_t *offset);

#endif
