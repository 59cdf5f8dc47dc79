/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The contents of the files a guest is started with: kernel and its properties, initrd, libraries.
 */
#ifndef TTREC_IMAGE_H
#define TTREC_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/base/diagnosis.h"

/* One file as the guest sees it: read once, so that what runs is what is embedded. */
struct image_file {
	char *path;    /* absolute, in the guest's view */
	char *source;  /* its path on this machine; NULL if it is not from there */
	uint32_t mode; /* permission bits */
	void *data;    /* the content's, never changed */
	size_t size;
	struct image_content *content;
};

struct image_cache;

struct image_files {
	struct image_file *file;
	size_t count;
	struct image_cache *cache; /* files loaded for other guests; NULL: nothing is shared */
};

/*
 * Take a file's whole content from @source and call it @path; @what names it in errors ("kernel",
 * "initrd").
 */
int image_files_load(struct image_files *files, const char *what, const char *source,
		     const char *path, struct diagnosis *why);

/*
 * The same for a file that an untrusted trace names: @size is that of the recorded one, or
 * IMAGE_SIZE_UNKNOWN. No other file is read, and no symbolic link is followed.
 */
#define IMAGE_SIZE_UNKNOWN UINT64_MAX
int image_files_load_recorded(struct image_files *files, const char *source, const char *path,
			      uint64_t size, struct diagnosis *why);

/* Add bytes the caller hands over (malloc'ed; owned from now on, also on error). */
int image_files_add(struct image_files *files, const char *path, uint32_t mode, void *data,
		    size_t size);

/* Add @content, which stays the caller's: the file takes its own reference. */
int image_files_add_content(struct image_files *files, const char *path, uint32_t mode,
			    struct image_content *content);

/*
 * Bytes of all files together: names with the same content and the same execute permission are one
 * file. If memory is short, each counts.
 */
uint64_t image_files_bytes(const struct image_files *files);

/* Write all files, each as image_file_write() does; names with the same content become one file. */
int image_files_write(const struct image_files *files, const char *root);

/*
 * Write a copy and its directories below the directory @root, to which no other process writes.
 * -EINVAL when its path would lead out of there, -EEXIST.
 */
int image_file_write(const struct image_file *file, const char *root);

const struct image_file *image_files_find(const struct image_files *files, const char *path);
void image_files_free(struct image_files *files);

/* ---- Contents: several guests with the same kernel hold it once ---------------------------- */

#define IMAGE_HASH_SIZE 32

/*
 * Takes ownership of @data (malloc'ed), also on error: NULL. Release it with
 * image_content_release().
 */
struct image_content *image_content_create(void *data, size_t size);
void image_content_release(struct image_content *content);

/* SHA-256, computed once. */
void image_content_hash(struct image_content *content, uint8_t hash[IMAGE_HASH_SIZE]);
bool image_content_equal(const struct image_content *one, const struct image_content *other);

/*
 * Files that are loaded into several image_files with the same cache are read once, unless they
 * change in between. The cache may be destroyed before them. Not thread-safe.
 */
struct image_cache *image_cache_create(void);
void image_cache_destroy(struct image_cache *cache);

/* ---- Kernels -------------------------------------------------------------------------------- */

/* Memory the kernel's writable segment occupies once loaded: its .data and .bss. */
struct image_segment {
	uint64_t begin, end; /* virtual addresses, end exclusive */
};

/*
 * Check that @kernel is a User-Mode-Linux binary for this machine with external time travel. The
 * diagnosis distinguishes: not ELF, another architecture, not UML, UML without
 * CONFIG_UML_TIME_TRAVEL_SUPPORT. @source is the path as the user gave it.
 */
int image_check_kernel(const struct image_file *kernel, const char *source, struct diagnosis *why);

/* Whether it contains the name User-Mode Linux, even if it is damaged. */
bool image_is_kernel(const void *data, size_t size);

/* "6.12.117" in @release, from the kernel's banner; "unknown" without one. */
void image_release(const struct image_file *kernel, char *release, size_t size);

/* The writable PT_LOAD segment, or -ENOENT. */
int image_data_segment(const struct image_file *kernel, struct image_segment *segment);

/*
 * Add the program interpreter and every shared library of @kernel (as loaded by it) to @files, and
 * what libc opens later.
 */
int image_load_libraries(struct image_files *files, const struct image_file *kernel,
			 const char *source, struct diagnosis *why);

/*
 * Name of the kernel symbol that covers @address and its distance from it. The name points into
 * @kernel. -ENOENT if the image has no symbol table, or no symbol covers it.
 */
int image_symbol_at(const struct image_file *kernel, uint64_t address, const char **name,
		    uint64_t *offset);

/* Address and size of symbol @name, or -ENOENT. */
int image_symbol_find(const struct image_file *kernel, const char *name, uint64_t *address,
		      uint64_t *size);

#endif
