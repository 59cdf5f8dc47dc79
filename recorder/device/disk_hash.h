/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a disk image contains, as one hash: equal ones are equal disks, whatever is a hole in the
 * one and zeros in the other, and whenever they were written.
 */
#ifndef TTREC_DISK_HASH_H
#define TTREC_DISK_HASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DISK_HASH_SIZE 16u

/*
 * XXH3 (128 bits) over each block of 64 KiB that is not all zeros, in order: its offset (u64,
 * little-endian) and its bytes; at the end the size (u64). Images are large and not forged:
 * a hash that is ten times as fast as SHA-256 is enough. Holes are not read. Moves the position of
 * @fd. 0, -ECANCELED once *@stop (may be NULL), -ESTALE if the file shrinks, or -errno.
 */
int disk_hash(int fd, const atomic_bool *stop, uint8_t hash[DISK_HASH_SIZE]);

#endif
