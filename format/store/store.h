/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A store: a directory with contents of files that are too large to be in every trace. A content
 * is a file HASH.zst there, HASH being the SHA-256 of the content in hex: plain zstd, so that
 * zstdcat shows it. A trace names a content by its hash alone, so it cannot name anything else of
 * this machine. Files get their names when they are complete: any number of processes may write.
 */
#ifndef TTREC_STORE_H
#define TTREC_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_HASH_SIZE 32u
/* "HASH.zst" */
#define STORE_NAME_SIZE (2 * STORE_HASH_SIZE + sizeof(".zst"))

/* Names another store than the user's; read by store_path() and store_find(). */
#define STORE_ENVIRONMENT "TTREC_STORE"

/*
 * The user's store: $TTREC_STORE, or ttrec/store in $XDG_CACHE_HOME or ~/.cache. It may not exist.
 * *@path is malloc'ed. -ENOENT where there is no home.
 */
int store_path(char **path);

/* ---- Reading -------------------------------------------------------------------------------- */

struct store_reader;

/* The content @hash in the store @directory: 0, -ENOENT, or -errno. */
int store_open(const char *directory, const uint8_t hash[STORE_HASH_SIZE],
	       struct store_reader **reader);

/* The same in @beside (NULL: none) or the user's store. */
int store_find(const char *beside, const uint8_t hash[STORE_HASH_SIZE],
	       struct store_reader **reader);

/*
 * The next bytes, fewer than @size only at the end. -EBADMSG, -EPIPE for what is not zstd. Whether
 * it is the content is for the caller to check.
 */
ssize_t store_read(struct store_reader *reader, void *data, size_t size);
void store_close(struct store_reader *reader);

/* ---- Writing -------------------------------------------------------------------------------- */

struct store_writer;

/* Begin a content, in @directory, which is made if necessary. */
int store_create(const char *directory, const uint8_t hash[STORE_HASH_SIZE],
		 struct store_writer **writer);
int store_write(struct store_writer *writer, const void *data, size_t size);
/* Give it its name; a file that has it is replaced. */
int store_commit(struct store_writer *writer);
/* Also removes what was not committed. May be NULL. */
void store_discard(struct store_writer *writer);

/* The content was used now. Nothing depends on whether that can be noted. */
void store_touch(const char *directory, const uint8_t hash[STORE_HASH_SIZE]);

#endif
