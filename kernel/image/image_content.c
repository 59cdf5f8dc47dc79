// SPDX-License-Identifier: BSD-3-Clause
/* Contents of files, held by everybody who needs them, and which file each was read from. */
#include <nettle/sha2.h>
#include <string.h>

#include "format/base/array.h"
#include "kernel/image/image_internal.h"

struct image_content *image_content_create(void *data, size_t size)
{
	struct image_content *content = calloc(1, sizeof(*content));

	if (!content) {
		free(data);
		return NULL;
	}
	*content = (struct image_content){ .holders = 1, .data = data, .size = size };
	return content;
}

void image_content_release(struct image_content *content)
{
	if (!content || --content->holders)
		return;
	free(content->data);
	free(content);
}

void image_content_hash(struct image_content *content, uint8_t hash[IMAGE_HASH_SIZE])
{
	struct sha256_ctx context;

	if (!content->hashed) {
		sha256_init(&context);
		sha256_update(&context, content->size, content->data);
		sha256_digest(&context, IMAGE_HASH_SIZE, content->hash);
	}
	content->hashed = true;
	memcpy(hash, content->hash, IMAGE_HASH_SIZE);
}

bool image_content_equal(const struct image_content *one, const struct image_content *other)
{
	return one == other ||
	       (one->size == other->size && !memcmp(one->data, other->data, one->size));
}

struct cache_entry {
	struct stat status;
	struct image_content *content;
};

struct image_cache {
	struct cache_entry *entry;
	size_t count;
};

struct image_cache *image_cache_create(void)
{
	return calloc(1, sizeof(struct image_cache));
}

void image_cache_destroy(struct image_cache *cache)
{
	for (size_t i = 0; cache && i < cache->count; i++)
		image_content_release(cache->entry[i].content);
	if (cache)
		free(cache->entry);
	free(cache);
}

static bool times_equal(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
	       one->st_size == other->st_size && times_equal(&one->st_mtim, &other->st_mtim) &&
	       times_equal(&one->st_ctim, &other->st_ctim);
}

struct image_content *image_cache_find(const struct image_cache *cache, const struct stat *status)
{
	for (size_t i = 0; cache && i < cache->count; i++)
		if (is_same_file(&cache->entry[i].status, status))
			return cache->entry[i].content;
	return NULL;
}

void image_cache_keep(struct image_cache *cache, const struct stat *status,
		      struct image_content *content)
{
	if (cache &&
	    !array_push(cache->entry, cache->count, (struct cache_entry){ *status, content }))
		content->holders++;
}
