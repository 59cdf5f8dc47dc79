/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a UML process keeps its guest's physical memory. */
#ifndef TTREC_MEMORY_MAP_H
#define TTREC_MEMORY_MAP_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Open the file behind the guest's physical memory: the largest unlinked file that process @pid
 * maps shared and holds open (arch/um/os-Linux/mem.c, create_mem_file, Linux 5.10 to 7.2). Offsets
 * in it are physical addresses. -ENOENT without one.
 */
int memory_map_open_ram(pid_t pid, int *fd, uint64_t *size);

#endif
