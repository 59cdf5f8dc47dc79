/* SPDX-License-Identifier: BSD-3-Clause */
/* Between image.c and image_content.c: the bytes of a file, and who holds them. */
#ifndef TTREC_IMAGE_INTERNAL_H
#define TTREC_IMAGE_INTERNAL_H

#include <sys/stat.h>

#include "kernel/image/image.h"

struct image_content {
	unsigned int holders;
	void *data;
	size_t size;
	bool hashed;
	uint8_t hash[IMAGE_HASH_SIZE];
};

/* The content that was read from the file with @status; NULL: not read yet, or changed since. */
struct image_content *image_cache_find(const struct image_cache *cache, const struct stat *status);

/* Remember @content as that of the file with @status; without memory it is not. */
void image_cache_keep(struct image_cache *cache, const struct stat *status,
		      struct image_content *content);

#endif
