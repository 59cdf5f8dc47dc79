/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The layout of a trace file in numbers; ttrace(5) explains it. Everything is little-endian.
 *
 * A file is: head frame, any mix of records, file and part frames, end frame, index.
 */
#ifndef TTREC_LAYOUT_H
#define TTREC_LAYOUT_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "format/tttrace.h"

#define LAYOUT_MAGIC	  "TTTRACE\n"
#define LAYOUT_MAGIC_SIZE 8
#define LAYOUT_VERSION	  1

/* The layout of the decompressed content of a frame. */
enum chunk_type {
	CHUNK_HEAD = 'H',    /* magic, version, features: the first frame, and only it */
	CHUNK_RECORDS = 'R', /* columns of records */
	CHUNK_FILE = 'F',    /* an embedded file: name, mode, size, SHA-256, and which content */
	CHUNK_PART = 'P',    /* the next bytes of one content */
	CHUNK_END = 'E',     /* the recorder closed the trace: totals */
};

/* Chunks never cross a record number that is a multiple of this, so that traces can be compared. */
#define CHUNK_RECORDS_MAX 16384u
/* A chunk is closed when its payload reaches the first, and never exceeds the second. */
#define CHUNK_PAYLOAD_ENOUGH (64u * 1024)
#define CHUNK_PAYLOAD_MAX    TRACE_PAYLOAD_MAX
#define CHUNK_PART_MAX	     (1024u * 1024)
/* No frame holds more than this, decompressed or compressed. */
#define CHUNK_CONTENT_MAX (2u * 1024 * 1024)
#define FRAME_SIZE_MAX	  (CHUNK_CONTENT_MAX + 64u * 1024)
/* Largest embedded file, longest path of one. */
#define ARTIFACT_SIZE_MAX (1ULL << 40)
#define ARTIFACT_PATH_MAX 4096u

/*
 * Every content begins with: u8 type, u8 zero, u16 guests, u32 count, u64 number, u64 now,
 * u64 chain. In a records chunk and in the end chunk a table of u32 guest, u64 chain follows.
 */
#define CHUNK_HEAD_SIZE	 32u
#define GUEST_ENTRY_SIZE 12u

/* After the chunk head of a head chunk, before the names of the features. */
#define TRACE_HEAD_SIZE (LAYOUT_MAGIC_SIZE + 2 + 2 + 4 + 8 + 8 + 16)
/* The names of the features in use, each with its NUL, in the order of the bits. */
#define FEATURE_NAMES_MAX 4096u
/* Contents of files may be in a store (format/store/store.h) instead of the trace. */
#define FEATURE_STORE	   (1ULL << 0)
#define FEATURE_STORE_NAME "store"
#define FEATURES_REQUIRED  FEATURE_STORE /* features that this version supports */
/*
 * After the chunk head of a file chunk, before the path: content, mode, size, where in the file the
 * frame of the first file with this content is (its parts follow that), SHA-256.
 */
#define FILE_HEAD_SIZE (4 + 4 + 8 + 8 + 32)
/* A bit of the mode: the content is in a store, and the file has no parts. */
#define FILE_STORED (1u << 31)
/* After the chunk head of a part chunk, before the bytes: content, zero, offset. */
#define PART_HEAD_SIZE (4 + 4 + 8)

#define ZSTD_FRAME_MAGIC 0xfd2fb528u
/* The index: a skippable frame with this magic, 32 bytes an entry, and a footer. */
#define INDEX_FRAME_MAGIC 0x184d2a54u
#define INDEX_MAGIC	  "TTINDEX\n"
#define INDEX_HEAD_SIZE	  8u
#define INDEX_ENTRY_SIZE  32u
#define INDEX_FOOTER_SIZE 40u

/* The columns of a records chunk, in the order in which they are stored. */
enum column {
	COLUMN_TAG,
	COLUMN_CONTEXT,
	COLUMN_GUEST,
	COLUMN_NOW,
	COLUMN_OP,
	COLUMN_SEQ,
	COLUMN_TIME,
	COLUMN_PLANE, /* eight of them: byte 0 (lowest) to 7 of the coded times */
	COLUMN_KIND = COLUMN_PLANE + 8,
	COLUMN_FIELD,
	COLUMN_SIZE,
	COLUMN_PAYLOAD,
	COLUMNS,
};

/* A tag: the low four bits are the operation of a message or one of these. */
#define TAG_OP_MASK  0x0f
#define TAG_OP_OTHER 10 /* a message whose operation is in COLUMN_OP */
#define TAG_RUN	     11 /* to 14: not a record but a run of expected ones, see tag_run() */
#define TAG_RUN_LAST 14
#define TAG_RECORD   15 /* not a message: its kind and fields are in COLUMN_KIND */
/* Of a message. */
#define TAG_TO	 0x10 /* to the guest, otherwise from it */
#define TAG_SEQ	 0x20 /* seq is not the predicted one */
#define TAG_TIME 0x40 /* time is not the predicted one */
/* Of another record. */
#define TAG_CHAINED 0x10 /* part of the guest's chain */
/* Of both: a context byte follows in COLUMN_CONTEXT. */
#define TAG_CONTEXT 0x80

#define CONTEXT_GUEST 0x01 /* another guest than the record before */
#define CONTEXT_NOW   0x02 /* now is not the predicted one */
#define CONTEXT_SIZE  0x04 /* the size of the payload is not the predicted one */
#define CONTEXT_MASK  0x07

/* Longest run that one tag stands for: four codes and the four bits above them. */
#define TAG_RUN_MAX 64

static inline uint8_t run_tag(unsigned int run)
{
	return (uint8_t)((TAG_RUN + (run - 1) / 16) | (run - 1) % 16 << 4);
}

/* The number of records of a run's tag; 0: it is the tag of one record. */
static inline unsigned int tag_run(uint8_t tag)
{
	unsigned int code = tag & TAG_OP_MASK;

	return code < TAG_RUN || code > TAG_RUN_LAST ? 0 : (code - TAG_RUN) * 16 + (tag >> 4) + 1;
}

/* Second byte of a kind: how many fields, and above that a bit for each not as predicted. */
#define FIELDS_COUNT_MASK 0x07
#define FIELDS_RESERVED	  0x08
#define FIELDS_OTHER	  4 /* bits to shift */

/* How a time that was not predicted is coded: 0 to 8 = bytes of its distance from the base. */
enum time_code {
	TIME_DISTANCE = 0,
	TIME_ZERO = 9,
	TIME_NEVER = 10,   /* INT64_MAX */
	TIME_NONE = 11,	   /* UINT64_MAX */
	TIME_PENDING = 12, /* the guest's last REQUEST */
	TIME_VALUE = 16,   /* + 0 to 8: bytes of the time itself */
};

static inline uint16_t get_le16(const uint8_t *in)
{
	uint16_t value;

	memcpy(&value, in, sizeof(value));
	return le16toh(value);
}

static inline uint32_t get_le32(const uint8_t *in)
{
	uint32_t value;

	memcpy(&value, in, sizeof(value));
	return le32toh(value);
}

static inline uint64_t get_le64(const uint8_t *in)
{
	uint64_t value;

	memcpy(&value, in, sizeof(value));
	return le64toh(value);
}

/* The put functions return the byte after what they wrote. */
static inline uint8_t *put_le16(uint8_t *out, uint16_t value)
{
	value = htole16(value);
	return (uint8_t *)memcpy(out, &value, sizeof(value)) + sizeof(value);
}

static inline uint8_t *put_le32(uint8_t *out, uint32_t value)
{
	value = htole32(value);
	return (uint8_t *)memcpy(out, &value, sizeof(value)) + sizeof(value);
}

static inline uint8_t *put_le64(uint8_t *out, uint64_t value)
{
	value = htole64(value);
	return (uint8_t *)memcpy(out, &value, sizeof(value)) + sizeof(value);
}

static inline uint8_t *put_bytes(uint8_t *out, const void *data, size_t size)
{
	if (size)
		memcpy(out, data, size);
	return out + size;
}

#define VARINT_MAX 10

/* Seven bits a byte, lowest first, the top bit: more follow. */
static inline uint8_t *put_varint(uint8_t *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*out++ = (uint8_t)(value | 0x80);
	*out++ = (uint8_t)value;
	return out;
}

/* Differences wrap; small ones of either sign become small numbers. */
static inline uint64_t zigzag(uint64_t difference)
{
	return (difference << 1) ^ (0 - (difference >> 63));
}

static inline uint64_t unzigzag(uint64_t value)
{
	return (value >> 1) ^ (0 - (value & 1));
}

#endif
