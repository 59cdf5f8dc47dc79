/* SPDX-License-Identifier: BSD-3-Clause */
/* Describes where a replay's memory first differed from the recording. */
#ifndef TTREC_VERDICT_MEMORY_H
#define TTREC_VERDICT_MEMORY_H

#include "replayer/cursor/replay_guest.h"

#define VERDICT_SYMBOL 128

/*
 * The kernel symbol at @address of the region that differs, and how far into it that is. False when
 * there is none: it is RAM, or the kernel has no symbols.
 */
bool verdict_symbol(const struct replay_guest *guest, uint64_t address, char name[VERDICT_SYMBOL],
		    uint64_t *offset);

/* "data+bss, 256 bytes at 0x60abc000, __log_buf+0x2000, or in other_symbol" */
void verdict_describe_block(const struct replay_guest *guest, char *text, size_t size);

/*
 * "__log_buf+0x2041 (0x60abc041): 1 byte is 0x61, was 0x60"; or the hashes of the block when its
 * recorded bytes could not be recovered.
 */
void verdict_describe_values(const struct replay_guest *guest, char *text, size_t size);

/* Address of the bytes that were recovered. */
uint64_t verdict_recovered_address(const struct cursor_memory *memory);

#endif
