/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device inside the recorder: driven only by kicks of its guest and by virtual time. * A device
 * has two callbacks. kick(): the guest added buffers to a vring and is blocked until this returns;
 * the device examines them, takes those that it can finish at once without writing, and schedules
 * the rest. fire(): the scheduled time has come and no guest runs; the device completes buffers,
 * and the session then interrupts the guest if it asked for that. So interrupts and writes into
 * guest memory only ever happen while the guest sleeps in its WAIT, at an exact virtual time.
 *
 * It uses neither sockets nor the trace; its host (the session, or a test) does.
 */
#ifndef TTREC_DEVICE_H
#define TTREC_DEVICE_H

#include <stdint.h>

#include "kernel/vhost/vhost.h"
#include "kernel/wire/wire.h"

struct device;
struct network_frame;

struct device_class {
	const char *name;   /* "net" */
	uint32_t virtio_id; /* VIRTIO 1.2, section 5 */
	unsigned int queues;
	uint64_t features; /* its own; those of the transport are added */
	uint64_t taken;	   /* a bit per queue: the bytes that kick() takes from it are recorded */
	/*
	 * Returns the number of chains that were taken with vring_take() and are done without
	 * writing; -EBADMSG with ring->problem: the device is closed; or another negative errno:
	 * this machine cannot serve it, which ends the recording.
	 */
	int (*kick)(struct device *device, unsigned int queue);
	/* Returns 0 or an error as kick() does. Does nothing if nothing is due yet. */
	int (*fire)(struct device *device);
	/* The guest wrote to the configuration space; NULL: that is not allowed. */
	int (*configure)(struct device *device, size_t offset, const void *data, size_t size);
	void (*destroy)(struct device *device);
};

/* The interface that a device needs from the session. */
struct device_host {
	uint64_t (*now)(const struct device *device); /* ns of virtual time */
	/* device->due has changed. */
	void (*scheduled)(struct device *device);
	/* @written bytes were written to @chain, which is about to be completed. */
	void (*used)(struct device *device, unsigned int queue, const struct vring_chain *chain,
		     uint32_t written);
	/* For devices whose class records taken bytes: those of a chain that kick() took. */
	void (*taken)(struct device *device, unsigned int queue, const struct vring_chain *chain);
	/* The next completed chain holds @frame. */
	void (*arrives)(struct device *device, const struct network_frame *frame);
	/* @frame is lost for @receiver, or with NULL for all; see enum trace_loss. */
	void (*lost)(struct device *device, const struct network_frame *frame, unsigned int reason,
		     const struct device *receiver);
};

/* The first member of each kind of device. */
struct device {
	const struct device_class *class;
	const struct device_host *host;
	void *owner;	     /* the host's own */
	struct vhost *vhost; /* that of its guest's connection; the host sets it */
	uint64_t features;   /* offered in addition to those of its class */
	const void *config;  /* the configuration space */
	size_t config_size;
	uint64_t due;	/* when to call fire(), ns; WIRE_TIME_NEVER: not at all */
	uint64_t calls; /* a bit per queue: the guest is to be interrupted for it */
};

/* Have fire() called at @time (now, if that is past), unless it is due earlier. */
void device_schedule(struct device *device, uint64_t time);

/* Clear what is due: fire() calls this before it schedules the rest. */
void device_unschedule(struct device *device);

/*
 * Only in fire(): complete @chain with @written bytes, and set its call bit if the guest wants an
 * interrupt. Returns 0 or -EBADMSG.
 */
int device_complete(struct device *device, unsigned int queue, const struct vring_chain *chain,
		    uint32_t written);

/*
 * Only in kick(), for a queue to whose chains nothing is written: completes chains in the order in
 * which they were taken. If the guest wants an interrupt for them, it is sent when no guest runs,
 * at the same virtual time.
 */
int device_finish(struct device *device, unsigned int queue, const struct vring_chain *chain);

/* All features that the device offers to the guest, those of the transport included. */
uint64_t device_features(const struct device *device);

/*
 * For devices: the next chain of @queue, at most @budget of them per call, as a guest could make
 * chains available without end. Returns 1, 0 when there is none (or the vring is not set up),
 * -EBADMSG.
 */
int device_take(struct device *device, unsigned int queue, unsigned int *budget,
		struct vring_chain *chain);
#define DEVICE_BUDGET VRING_SIZE_MAX

/* For devices and networks: @more ns after @time, at most WIRE_TIME_NEVER. */
uint64_t device_time_add(uint64_t time, uint64_t more);

/* For devices: the guest violated the specification; sets ring->problem. Returns -EBADMSG. */
int device_problem(struct device *device, unsigned int queue, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- The devices there are. NULL: out of memory -------------------------------------------- */

struct network_port;
struct device *device_net_create(struct network_port *port, const uint8_t mac[6], uint16_t mtu);

struct device_disk_options {
	const char *image;   /* raw; never written to; NULL: zeros, of @size */
	const char *content; /* where to read the image instead; NULL: there */
	uint64_t size;	     /* bytes; 0: that of the image */
	bool read_only; /* for the guest; otherwise its writes are kept in the recorder's memory */
	uint64_t latency;	/* ns of virtual time for each request except flushes */
	uint64_t flush_latency; /* the same for a flush */
	uint64_t bandwidth;	/* bytes per second of virtual time; 0: any */
	const char *serial;	/* at most 20 bytes, what the guest reads as the serial number */
};
/* Returns 0 or -errno: opens the image. */
int device_disk_create(const struct device_disk_options *options, struct device **device);

#define DEVICE_FS_TAG 36 /* bytes of a tag */

struct tree;
struct device_fs_options {
	struct tree *tree;  /* the device becomes its owner, unless it cannot be created */
	const char *tag;    /* what the guest mounts, at most DEVICE_FS_TAG bytes */
	bool writable;	    /* for the guest */
	uint64_t latency;   /* ns of virtual time for each request */
	uint64_t bandwidth; /* bytes per second of virtual time; 0: any */
	uint64_t epoch;	    /* the date at virtual time 0, ns since 1970 */
};
int device_fs_create(const struct device_fs_options *options, struct device **device);

/* Bytes of its own random stream (kernel/sandbox/entropy.h). */
struct device *device_rng_create(uint64_t seed, uint64_t id);

/*
 * The script of a console: a list that ends with text NULL and must outlive the device.
 *
 * Steps are sent in order. A step with @expect matches output that the guest writes after the match
 * of the previous step, or, if that expects nothing, after it was sent. A line is matched as it
 * grows, so that a prompt is found, and again when it is complete. Carriage returns and zero bytes
 * are ignored; a line longer than DEVICE_CONSOLE_LINE_MAX is split.
 */
struct console_step {
	const char *expect; /* regular expression that a line must match; NULL: none */
	uint64_t at; /* virtual time, ns, at which it is sent at the earliest; with @expect: delay
			after the match */
	const char *text; /* sent as it is */
};
#define DEVICE_CONSOLE_LINE_MAX 1024

/* @steps may be NULL. NULL with errno: EINVAL for an invalid regular expression, or ENOMEM. */
struct device *device_console_create(const struct console_step *steps);

#endif
