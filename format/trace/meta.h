/* SPDX-License-Identifier: BSD-3-Clause */
/* Meta records: lines KEY=VALUE, see ttrace(5). */
#ifndef TTREC_META_H
#define TTREC_META_H

#include <stdbool.h>
#include <stddef.h>

#include "format/tttrace.h"

/* All keys. A test compares them with the tables of ttrace(5). */
#define META_KEYS(X)                        \
	X(NAME, "name")                     \
	X(FILE, "file")                     \
	X(EMBEDDED, "embedded")             \
	X(SOURCE, "source")                 \
	X(SOURCE_SIZE, "source-size")       \
	X(ARGUMENT, "argument")             \
	X(DEVICE, "device")                 \
	X(ID, "id")                         \
	X(AUXV_RANDOM, "auxv-random")       \
	X(SEAL, "seal")                     \
	X(LAYOUT, "layout")                 \
	X(HOST_FILES, "host-files")         \
	X(KERNEL_RELEASE, "kernel-release") \
	X(CPU, "cpu")                       \
	X(VIRTUAL_CPU, "virtual-cpu")       \
	X(RECORDER, "recorder")             \
	X(VERB, "verb")                     \
	X(SEED, "seed")                     \
	X(TOD, "tod")                       \
	X(GRANT, "grant")                   \
	X(DIGEST, "digest")                 \
	X(SEAL_WANTED, "seal-wanted")       \
	X(LIMIT_VIRTUAL, "limit-virtual")   \
	X(LIMIT_WALL, "limit-wall")         \
	X(HANG_TIMEOUT, "hang-timeout")     \
	X(WORK_COST, "work-cost")           \
	X(EXPECT, "expect")                 \
	X(FAIL_ON, "fail-on")               \
	X(ALLOW_LINE, "allow-line")         \
	X(ALLOW, "allow")                   \
	X(PROGRAM, "program")               \
	X(SHARE, "share")                   \
	X(ROOT, "root")                     \
	X(LAB, "lab")                       \
	X(DISK_MODEL, "disk-model")         \
	X(DISK, "disk")                     \
	X(DISK_FILE, "disk-file")           \
	X(PROBE, "probe")                   \
	X(REPLAYABLE, "replayable")

enum meta_key {
#define META_KEY(name, text) META_##name,
	META_KEYS(META_KEY)
#undef META_KEY
		META_KEY_COUNT /* the key of a later version */
};

/* A line; @value is in the record, @size bytes without a NUL. */
struct meta {
	enum meta_key key;
	const char *value;
	size_t size;
};

/* False: @record is not a meta record, or not such a line. */
bool meta_parse(const struct trace_record *record, struct meta *meta);

/* Append a line of @guest. Returns 0 or -errno. */
int meta_write(struct trace_writer *writer, uint32_t guest, enum meta_key key, const char *format,
	       ...) __attribute__((format(printf, 4, 5)));

#endif
