/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libtttrace: read and write the traces of ttrec.
 *
 * A trace is a concatenation of zstd frames; ttrace(5) specifies it completely. This header is the
 * manual of the C interface, in the order one uses it: records, writing, reading, whole files.
 *
 * Typical use, reading:
 *
 *	struct trace_record record;
 *	struct trace_reader *reader;
 *	int got = trace_reader_open("trace.zst", &reader);
 *
 *	while (got >= 0 && (got = trace_reader_next(reader, &record)) == 1)
 *		if (record.kind == TRACE_KIND_FROM)
 *			printf("%s\n", trace_operation_name(record.from.op));
 *	if (got < 0)			-EBADMSG, -EPIPE, -ENOENT ...: see below
 *		fprintf(stderr, "%s\n", reader ? trace_reader_error(reader) : strerror(-got));
 *	trace_reader_close(reader);
 *
 * and writing:
 *
 *	struct trace_record record = { .kind = TRACE_KIND_FROM, .now = 1000 };
 *
 *	record.from.op = TRACE_OP_WAIT;
 *	trace_writer_create("trace.zst", NULL, &writer);
 *	trace_writer_append(writer, &record, NULL);
 *	error = trace_writer_close(writer, NULL);	the first error of all of these
 *
 * tttrace(3) has both as whole programs.
 *
 * Conventions: functions return 0 or a negative errno, results come through out parameters.
 * -EBADMSG: the content of a file is wrong; -EPIPE: the file ends early. Times are
 * nanoseconds of virtual time, sizes are bytes. The library never prints, exits or keeps global
 * state; a handle is used by one thread at a time, different handles are independent.
 */
#ifndef TTTRACE_H
#define TTTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TTTRACE_API __attribute__((visibility("default")))

/* The version of this header; below 1.0 a new minor version may change the interface. */
#define TTTRACE_VERSION_MAJOR 0
#define TTTRACE_VERSION_MINOR 1
#define TTTRACE_VERSION_PATCH 0
#define TTTRACE_VERSION_NUMBER \
	(TTTRACE_VERSION_MAJOR * 10000 + TTTRACE_VERSION_MINOR * 100 + TTTRACE_VERSION_PATCH)

/* TTTRACE_VERSION_NUMBER of the library that is in use. */
TTTRACE_API unsigned int trace_version_number(void);

/* ---- Records --------------------------------------------------------------------------------
 *
 * One table defines what a trace can contain. Writer, reader, dump, JSON and the specification are
 * driven by it: a new interface of the guest is a new line here.
 *
 * KIND(name, NUMBER, DIRECTION, PAYLOAD, "what it is")
 *   DIRECTION  IN    from the guest: replay waits for it and compares it
 *              OUT   to the guest: replay sends it
 *              CHECK not a crossing: replay measures the same thing and compares it
 *              SIDE  about the run: never compared
 *   PAYLOAD    NONE, TEXT or BYTES
 * FIELDS_name(F): F(field, UNIT), at most TRACE_FIELDS_MAX of them, UNIT one of
 *              OP (a message operation), COUNT, NS, HEX, BYTES, SIGNED
 */
#define TRACE_FIELDS_MAX 4

#define TRACE_FIELDS_from(F) F(op, OP) F(seq, COUNT) F(time, NS)
#define TRACE_FIELDS_to(F)   F(op, OP) F(seq, COUNT) F(time, NS)
#define TRACE_FIELDS_console(F)
#define TRACE_FIELDS_input(F)
#define TRACE_FIELDS_entropy(F) F(source, COUNT) F(requested, BYTES)
#define TRACE_FIELDS_digest(F)	F(region, COUNT) F(block_size, BYTES) F(low, HEX) F(high, HEX)
#define TRACE_FIELDS_exit(F)	F(status, COUNT) F(signal, COUNT)
#define TRACE_FIELDS_join(F)	F(id, HEX) F(offset, NS)
#define TRACE_FIELDS_leave(F)
#define TRACE_FIELDS_meta(F)
#define TRACE_FIELDS_note(F)	F(status, COUNT)
#define TRACE_FIELDS_wall(F)	F(elapsed, NS)
#define TRACE_FIELDS_attach(F)	F(device, COUNT)
#define TRACE_FIELDS_request(F) F(device, COUNT) F(request, COUNT) F(flags, HEX)
#define TRACE_FIELDS_reply(F)	F(device, COUNT) F(request, COUNT) F(value, HEX)
#define TRACE_FIELDS_kick(F)	F(device, COUNT) F(queue, COUNT) F(flags, HEX) F(done, COUNT)
#define TRACE_FIELDS_used(F)	F(device, COUNT) F(queue, COUNT) F(head, COUNT) F(skip, BYTES)
#define TRACE_FIELDS_call(F)	F(device, COUNT) F(request, COUNT) F(queue, COUNT) F(sequence, COUNT)
#define TRACE_FIELDS_called(F)	F(device, COUNT) F(value, HEX)
#define TRACE_FIELDS_detach(F)	F(device, COUNT)
#define TRACE_FIELDS_cut(F)	F(device, COUNT)
#define TRACE_FIELDS_irq(F)	F(source, COUNT) F(irq, COUNT) F(time, NS)
#define TRACE_FIELDS_lost(F)	F(device, COUNT) F(reason, COUNT) F(receiver, COUNT) F(card, COUNT)
#define TRACE_FIELDS_wrote(F)	F(device, COUNT) F(queue, COUNT) F(head, COUNT) F(offset, BYTES)
#define TRACE_FIELDS_taken(F)	F(device, COUNT) F(queue, COUNT)
#define TRACE_FIELDS_sent(F)	F(device, COUNT) F(sender, COUNT) F(card, COUNT) F(delay, NS)
#define TRACE_FIELDS_fault(F)	F(fault, COUNT) F(ends, COUNT)

#define TRACE_KINDS(KIND)                                                                        \
	KIND(from, 1, IN, NONE, "time-travel message from the guest")                            \
	KIND(to, 2, OUT, NONE, "time-travel message to the guest")                               \
	KIND(console, 3, IN, TEXT, "console output since the last message")                      \
	KIND(input, 4, OUT, BYTES, "console input")                                              \
	KIND(entropy, 5, OUT, BYTES, "random bytes handed to the guest")                         \
	KIND(digest, 6, CHECK, BYTES,                                                            \
	     "hash of one memory region at a WAIT, with hashes of changed blocks")               \
	KIND(exit, 7, IN, NONE, "the guest process ended")                                       \
	KIND(join, 8, SIDE, TEXT, "a client was admitted; payload is its name")                  \
	KIND(leave, 9, IN, NONE, "the client closed its socket")                                 \
	KIND(meta, 10, SIDE, TEXT, "how the recording was started: key=value")                   \
	KIND(note, 11, SIDE, TEXT,                                                               \
	     "a diagnosis of the recorder: protocol violation, deadlock, limit")                 \
	KIND(wall, 12, SIDE, NONE, "wall clock since the start of the recording")                \
	KIND(attach, 13, IN, NONE, "the guest connected to a device")                            \
	KIND(request, 14, IN, BYTES, "vhost-user message from the guest; payload is its body")   \
	KIND(reply, 15, OUT, BYTES, "reply to it; payload is a body that is not a number")       \
	KIND(kick, 16, IN, NONE, "the guest kicked a vring; number of buffers done at once")     \
	KIND(used, 17, OUT, BYTES, "a device is done with a buffer; payload is what it wrote")   \
	KIND(call, 18, OUT, NONE, "a device interrupts the guest: call or configuration change") \
	KIND(called, 19, IN, NONE, "the guest has taken the interrupt")                          \
	KIND(detach, 20, IN, NONE, "the guest closed its connection to a device")                \
	KIND(cut, 21, OUT, NONE, "a device was ended: its connections were closed")              \
	KIND(irq, 22, CHECK, TEXT, "the probe saw an interrupt, a panic or a warning")           \
	KIND(lost, 23, SIDE, BYTES, "a frame that a receiver, or all receivers, did not get")    \
	KIND(wrote, 24, OUT, BYTES, "part of what a device wrote; the used record follows")      \
	KIND(taken, 25, IN, BYTES, "contents of the buffers of the previous kick")               \
	KIND(sent, 26, SIDE, NONE, "who sent the frame that follows, and when")                  \
	KIND(fault, 27, SIDE, TEXT, "a fault of the lab begins or ends; payload is what it is")

/*
 * Of the device records: @device counts a guest's devices from 0 in the order of its description,
 * @request is the number of a vhost-user message (VHOST_USER_GET_FEATURES = 1, ...), @flags are
 * those of its header, @queue is the index of the vring.
 *
 *   entropy @source is 0 for getrandom(2), 1 for /dev/random
 *   digest  @region is an enum trace_region
 *   reply   @value is the body of a reply that is one u64; then there is no payload
 *   kick    an in-band VHOST_USER_VRING_KICK. @done buffers, the next ones in the order in which
 *           the guest made them available, were completed at once with nothing written
 *   taken   the bytes of the buffers that the kick before it was done with, or, where its @done is
 *           0, of the next one that is there, see ttrace(5)
 *   wrote   the payload was written to the device-writable part of the chain at @head, from
 *           @offset on: for what is too long for one record
 *   used    the chain that starts at @head was completed: @skip bytes (zero, but for what wrote
 *           records gave) and the payload were written; its length in the used ring is both
 *   call    @request is VHOST_USER_BACKEND_VRING_CALL (4) or _CONFIG_CHANGE_MSG (2, @queue is 0),
 *           @sequence counts from 0
 *   called  @value is what the guest replied, 0 when all is well
 *   irq     @source is an enum trace_irq_source, @time the guest's own time in ns (~0: unknown),
 *           payload the message of a panic, FILE:LINE of a warning
 *   lost    @reason is an enum trace_loss. Who did not get the frame is device @card of the guest
 *           with the index @receiver - 1; 0, as in older traces: it has no receiver
 *   sent    of the frame in the used or lost record that follows: @card is the device of guest
 *           @sender, which sent it @delay ns before; where it is left out, see ttrace(5)
 *   fault   @fault counts the faults of the lab file from 0; @ends is 1 where it ends
 *
 * Source: docs/interop/vhost-user.rst of QEMU 9; arch/um/drivers/virtio_uml.c, Linux 5.10 to 7.2.
 */
enum trace_region { TRACE_REGION_RAM, TRACE_REGION_IMAGE };

enum trace_irq_source { TRACE_IRQ_ENTRY, TRACE_IRQ_PANIC, TRACE_IRQ_WARN };

enum trace_loss {
	TRACE_LOSS_RANDOM,    /* the link lost it */
	TRACE_LOSS_NO_BUFFER, /* the receiver had no buffer for too long */
	TRACE_LOSS_NOBODY,    /* no other receiver on the network */
	TRACE_LOSS_PARTITION, /* a fault of the lab: the network was partitioned */
};

/* clang-format off */
/* Their enumerators: TRACE_KIND_CONSOLE; TRACE_console is the same. */
#define TRACE_KIND_NAMES(NAME) \
	NAME(from, FROM) NAME(to, TO) NAME(console, CONSOLE) NAME(input, INPUT) \
	NAME(entropy, ENTROPY) NAME(digest, DIGEST) NAME(exit, EXIT) NAME(join, JOIN) \
	NAME(leave, LEAVE) NAME(meta, META) NAME(note, NOTE) NAME(wall, WALL) \
	NAME(attach, ATTACH) NAME(request, REQUEST) NAME(reply, REPLY) NAME(kick, KICK) \
	NAME(used, USED) NAME(call, CALL) NAME(called, CALLED) NAME(detach, DETACH) \
	NAME(cut, CUT) NAME(irq, IRQ) NAME(lost, LOST) NAME(wrote, WROTE) \
	NAME(taken, TAKEN) NAME(sent, SENT) NAME(fault, FAULT)

enum trace_kind {
#define TRACE_KIND(name, number, direction, payload, doc) TRACE_##name = number,
	TRACE_KINDS(TRACE_KIND)
#undef TRACE_KIND
#define TRACE_KIND_NAME(name, upper) TRACE_KIND_##upper = TRACE_##name,
	TRACE_KIND_NAMES(TRACE_KIND_NAME)
#undef TRACE_KIND_NAME
	TRACE_KIND_LIMIT = 64, /* kinds are below this; the rest is for later versions */
};
/* clang-format on */

/*
 * Operations of the time-travel protocol, as they are in the op field.
 * Source: include/uapi/linux/um_timetravel.h, Linux 6.12 (0-8 since 5.10, 9 since 6.11).
 */
#define TRACE_OPERATIONS(OP) \
	OP(ACK, 0)           \
	OP(START, 1)         \
	OP(REQUEST, 2)       \
	OP(WAIT, 3)          \
	OP(GET, 4)           \
	OP(UPDATE, 5)        \
	OP(RUN, 6)           \
	OP(FREE_UNTIL, 7)    \
	OP(GET_TOD, 8)       \
	OP(BROADCAST, 9)

enum trace_operation {
#define TRACE_OPERATION(name, number) TRACE_OP_##name = number,
	TRACE_OPERATIONS(TRACE_OPERATION)
#undef TRACE_OPERATION
		TRACE_OP_LIMIT,
};

/*
 * One record. @number counts from 0 over the whole trace, @now is the controller's virtual time in
 * ns when it was recorded (set by the caller), @guest is the index of the guest in order of
 * admission. @payload belongs to the provider of the record: a reader's payload is valid until
 * the next call on that reader.
 */
struct trace_record {
	uint64_t number;
	uint64_t now;
	uint32_t guest;
	uint32_t kind; /* enum trace_kind */
	union {
		uint64_t field[TRACE_FIELDS_MAX];
#define TRACE_MEMBER(field_name, unit) uint64_t field_name;
#define TRACE_KIND(name, number, direction, payload, doc) \
	struct {                                          \
		TRACE_FIELDS_##name(TRACE_MEMBER)         \
	} name;
		TRACE_KINDS(TRACE_KIND)
#undef TRACE_KIND
#undef TRACE_MEMBER
	};
	const void *payload;
	size_t payload_size;
};

/* Largest payload of one record; longer data is split by the caller. */
#define TRACE_PAYLOAD_MAX (256u * 1024)
/* Guest indices are below this. */
#define TRACE_GUEST_LIMIT 65536u

enum trace_direction { TRACE_IN, TRACE_OUT, TRACE_CHECK, TRACE_SIDE };
enum trace_payload { TRACE_PAYLOAD_NONE, TRACE_PAYLOAD_TEXT, TRACE_PAYLOAD_BYTES };
enum trace_unit {
	TRACE_UNIT_OP,
	TRACE_UNIT_COUNT,
	TRACE_UNIT_NS,
	TRACE_UNIT_HEX,
	TRACE_UNIT_BYTES,
	TRACE_UNIT_SIGNED,
};

struct trace_field_info {
	const char *name;
	enum trace_unit unit;
};

struct trace_kind_info {
	const char *name;
	const char *doc;
	enum trace_direction direction;
	enum trace_payload payload;
	unsigned int field_count;
	struct trace_field_info field[TRACE_FIELDS_MAX];
};

/* The table's entry for @kind; NULL for an unknown one. */
TTTRACE_API const struct trace_kind_info *trace_kind_info(uint32_t kind);

/* "REQUEST" for TRACE_OP_REQUEST; NULL for an unknown operation. */
TTTRACE_API const char *trace_operation_name(uint64_t op);

/* "ram", "data+bss" for an enum trace_region; NULL for an unknown one. */
TTTRACE_API const char *trace_region_name(uint64_t region);

/* ---- Writing --------------------------------------------------------------------------------
 *
 * A record is encoded where it is appended, which takes some tens of ns; a thread of the writer
 * compresses and writes, so that the recorder never waits for a disk that can follow. What was
 * appended is in the file at most flush_ns later. Memory is bounded: when the disk cannot follow,
 * append waits.
 */
struct trace_writer;

struct trace_writer_options {
	size_t size;	   /* sizeof(struct trace_writer_options): lets it grow */
	uint64_t flush_ns; /* at most this much wall time is lost to a kill; 0 = 100 ms */
	int level;	   /* zstd level; 0 = the default of this library (3) */
	bool pack;	   /* pack chunks of messages alone, too: shorter only before compression */
	const char *store; /* directory for contents of at least store_least bytes; NULL: none */
	uint64_t store_least;
};

struct trace_writer_stat {
	uint64_t records;
	uint64_t file_bytes;
	uint64_t artifact_bytes; /* of file_bytes, what embedded artifacts take */
	uint64_t stored_bytes;	 /* of contents in the store */
	uint64_t files_missing;	 /* to be embedded and not yet completely in the file */
};

/* Create @path (truncated if it exists). @options may be NULL. */
TTTRACE_API int trace_writer_create(const char *path, const struct trace_writer_options *options,
				    struct trace_writer **writer);

/*
 * Append a copy of @record; its number is assigned here and returned in *@number (may be NULL).
 * Returns 0, -EINVAL for an unknown kind, an oversized payload or too large a guest, or the error
 * that writing ran into (-ENOSPC, -EFBIG, -EIO): it stays, every later call returns it again, and
 * the file ends with the last whole frame.
 */
TTTRACE_API int trace_writer_append(struct trace_writer *writer, const struct trace_record *record,
				    uint64_t *number);

/*
 * Embed a file the guest was started with. @data is not copied: it must stay until the writer is
 * closed. @path is where the guest sees it, @mode its permission bits. The SHA-256 is computed by
 * the writer's thread and stored beside it. Of equal contents one copy is stored, whatever their
 * paths. A path stands for one file in a trace: to embed the same again (equal mode and content)
 * does nothing, another one is -EEXIST. Guests that see different files under one path need
 * different ones here; meta records map them.
 */
TTTRACE_API int trace_writer_embed(struct trace_writer *writer, const char *path, uint32_t mode,
				   const void *data, size_t size);

/* Have everything appended so far in the file when it returns. */
TTTRACE_API int trace_writer_flush(struct trace_writer *writer);
TTTRACE_API void trace_writer_stat(struct trace_writer *writer, struct trace_writer_stat *stat);

/*
 * Write the end record and the index, close the file and free the writer, also on error. Returns
 * the first error of the writer's whole life. @stat may be NULL. NULL writer: returns 0.
 */
TTTRACE_API int trace_writer_close(struct trace_writer *writer, struct trace_writer_stat *stat);

/* ---- Reading --------------------------------------------------------------------------------
 *
 * Streams: memory is one chunk, whatever the size of the file. Works on a trace without end or
 * index (its recorder was killed): it yields what is there, then -EPIPE.
 */
struct trace_reader;

/* How complete a trace is; filled as far as it has been read. */
struct trace_header {
	uint16_t version;
	uint64_t features_required;
	uint64_t features_optional;
	uint8_t uuid[16];
};

/*
 * Returns 0, -ENOENT and such from opening, -EBADMSG when it is not a trace or damaged in its head,
 * -EPIPE when it ends within its head, -EPROTONOSUPPORT when it needs a feature this version does
 * not know. *@reader is NULL when the file could not be opened; after any other error it is valid
 * for trace_reader_error() and must be closed.
 */
TTTRACE_API int trace_reader_open(const char *path, struct trace_reader **reader);
TTTRACE_API const struct trace_header *trace_reader_header(const struct trace_reader *reader);

/*
 * The next record. Returns 1 with *@record filled, 0 at the proper end of the trace, -EBADMSG when
 * what follows is damaged, -EPIPE when the file ends before the trace does. Errors stay.
 */
TTTRACE_API int trace_reader_next(struct trace_reader *reader, struct trace_record *record);

/* Continue with record @number, using the index if there is one. -ERANGE beyond the end. */
TTTRACE_API int trace_reader_seek(struct trace_reader *reader, uint64_t number);

/*
 * Continue at virtual time @now, in ns: with an index earlier chunks are skipped, without one
 * nothing is. Earlier records may still come. *@number is the first one that may (unless NULL).
 */
TTTRACE_API int trace_reader_seek_time(struct trace_reader *reader, uint64_t now, uint64_t *number);

/*
 * From here on return only the records of @guest, of all directions; their numbers and times are
 * those in the whole trace. Records of other guests are skipped early: chunks without a record of
 * @guest are not decompressed, but their hashes are checked. TRACE_GUEST_ALL ends it. Records of
 * the whole lab (meta, notes) belong to guest 0: read these before. 0 or -EINVAL for too large a
 * guest.
 */
#define TRACE_GUEST_ALL UINT32_MAX
TTTRACE_API int trace_reader_follow(struct trace_reader *reader, uint32_t guest);

/* Where and why reading stopped, e.g. "frame 12 at byte 48,213: checksum differs". */
TTTRACE_API const char *trace_reader_error(const struct trace_reader *reader);

/* An embedded file. @path and @data are the caller's, to be freed with trace_artifact_free. */
struct trace_artifact {
	char *path;
	uint32_t mode;
	uint8_t sha256[32];
	uint64_t size;
	void *data;	  /* NULL when only listed */
	uint32_t content; /* number of the content: equal ones are equal, and need one load */
};

/*
 * Walk the embedded files: *@position starts at 0. With @load their content is decompressed and
 * its SHA-256 checked. Returns 1 with *@artifact filled, 0 after the last, -EBADMSG, -EPIPE when
 * one is not complete, -ENOMEM. Independent of trace_reader_next's position.
 */
TTTRACE_API int trace_reader_artifact(struct trace_reader *reader, uint64_t *position, bool load,
				      struct trace_artifact *artifact);

/*
 * The embedded file @path, as from trace_reader_artifact; the first, if a trace has several.
 * Positions are looked up once for all paths. To load many files, load only those whose @content is
 * new. Returns 1, 0 when there is none, or an error.
 */
TTTRACE_API int trace_reader_find(struct trace_reader *reader, const char *path, bool load,
				  struct trace_artifact *artifact);
TTTRACE_API void trace_artifact_free(struct trace_artifact *artifact);

/*
 * Chained hash over guest @guest's records of direction IN, OUT and CHECK up to the record last
 * read: equal chains mean equal histories. -ENOENT when the guest had no record yet.
 */
TTTRACE_API int trace_reader_chain(struct trace_reader *reader, uint32_t guest, uint64_t *chain);

TTTRACE_API void trace_reader_close(struct trace_reader *reader);

/* ---- Comparing ------------------------------------------------------------------------------
 *
 * Two recordings are equal when every guest has the same history in both: the same records of
 * direction IN, OUT and CHECK, in the same order, with the same fields and payload. Side data,
 * times of records (now), and records of other guests in between are not part of a history.
 */

/* What to ignore; the bits below these are fields, bit i for field i. */
#define TRACE_IGNORE_PAYLOAD 0x40
#define TRACE_IGNORE_RECORD  0x80 /* as if there were no records of this kind */

struct trace_compare_options {
	size_t size;			  /* sizeof(struct trace_compare_options) */
	uint32_t guest;			  /* only this one, or TRACE_GUEST_ALL */
	uint8_t ignore[TRACE_KIND_LIMIT]; /* of each kind, by its number */
};

/* The first records that differ of a guest; [0] is of the first trace, [1] of the second. */
struct trace_difference {
	uint32_t guest;
	bool there[2];	    /* false: that trace has no more records of this guest */
	uint64_t number[2]; /* of the record, or of the one after the last that was read */
	uint64_t now[2];    /* of the record, ns */
};

/*
 * Find the earliest difference, by virtual time. The equal beginning is skipped using the chains in
 * the file, without decoding; use trace_verify() to check its integrity. @options may be NULL.
 * Returns 1 with *@first filled; 0 when they are equal; -EPIPE or -EBADMSG when they are equal up
 * to where one ends early or is damaged, see its trace_reader_error(); -ENOMEM. Afterwards the
 * positions of both readers are undefined: seek.
 */
TTTRACE_API int trace_compare(struct trace_reader *a, struct trace_reader *b,
			      const struct trace_compare_options *options,
			      struct trace_difference *first);

/* ---- Whole files ----------------------------------------------------------------------------- */

struct trace_report {
	uint64_t records;    /* readable, in order, from the start */
	uint64_t frames;     /* whole and undamaged */
	uint64_t artifacts;  /* complete, with the right SHA-256 */
	uint64_t missing;    /* others: they are in a store that is not here */
	uint64_t good_bytes; /* of the file, up to the first damage */
	uint64_t file_bytes;
	bool ended;	   /* the end record is there: the recorder closed it */
	bool indexed;	   /* a valid index is there */
	char problem[256]; /* in words, empty when there is none */
};

/*
 * Check every bit of @path. Returns 0 when it is complete and undamaged, -EBADMSG when damaged,
 * -EPIPE when only its end is missing; *@report is filled in every case but a failed open.
 */
TTTRACE_API int trace_verify(const char *path, struct trace_report *report);

/*
 * Write to @output a complete trace with everything readable in @input up to its first damage, and
 * a note that says so. Returns 0 even when something was lost; @report is filled as by trace_verify
 * for @input. -EINVAL when both are the same file, the error of trace_reader_open when not even the
 * head of @input can be read.
 */
TTTRACE_API int trace_salvage(const char *input, const char *output, struct trace_report *report);

#ifdef __cplusplus
}
#endif

#endif
