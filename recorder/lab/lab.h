/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A laboratory as its file describes it (ttrec-lab(5)): guests, networks, disks, programs, limits,
 * expectations. Reading it starts nothing and opens no kernel: paths are made relative to the
 * lab file's directory and checked when they are used.
 */
#ifndef TTREC_LAB_H
#define TTREC_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/base/diagnosis.h"
#include "recorder/device/device.h"
#include "recorder/network/network.h"

/* Of a value that may be left out. */
#define LAB_UNSET UINT64_MAX

/* The virtio id of simulated radios (include/uapi/linux/virtio_ids.h, VIRTIO_ID_MAC80211_HWSIM). */
#define LAB_HWSIM_ID 29u

/*
 * The file describes the whole path from guest to guest; @link is the share of each of its two
 * ports: half of delay and jitter, all of the bandwidth, and loss and reordering such that both
 * together have the probability in the file.
 */
struct lab_network {
	char *name;
	struct network_link link;
	unsigned int line;
};

/*
 * Default times of disk requests. Traces contain the number of the model (disk-model=, see
 * ttrace(5)), so that a re-recording uses the same.
 */
enum lab_disk_model {
	LAB_DISK_TIMELESS, /* no time: of recorders that did not write the number */
	LAB_DISK_NVME,
	LAB_DISK_MODELS,
};
#define LAB_DISK_MODEL LAB_DISK_NVME

enum lab_device_kind { LAB_NET, LAB_DISK, LAB_RNG, LAB_CONSOLE, LAB_PROGRAM, LAB_SHARE };

/* Where what a guest writes to a share goes. */
enum lab_share_write { LAB_SHARE_READ_ONLY, LAB_SHARE_COPY, LAB_SHARE_THROUGH, LAB_SHARE_WRITES };
extern const char *const lab_share_words[]; /* for each, and NULL */

struct lab_share {
	bool tar;	       /* the directory is a tar archive instead */
	char *directory, *tag; /* of the host; what the guest mounts */
	enum lab_share_write write;
	uint64_t latency, bandwidth; /* as of a disk */
};

/* Default of a share: ns for a request. */
#define LAB_SHARE_TAG	  "share"
#define LAB_SHARE_LATENCY 20000ull

struct lab_device {
	enum lab_device_kind kind;
	unsigned int line; /* in the file, for errors that show later */
	/* net */
	size_t network;		  /* index */
	struct network_link link; /* the network's, or what this device says of its side */
	uint8_t mac[6];		  /* all zero: made from seed and guest */
	uint16_t mtu;
	/* disk; strings are the lab's */
	struct device_disk_options disk;
	bool other_image; /* than the file says */
	struct lab_share share;
	bool embed; /* the image goes into the trace */
	/* console: ends with text NULL */
	struct console_step *steps;
	/* program: index into lab.program */
	size_t program;
};

/* A device program: a vhost-user backend, started for the lab or already running. */
struct lab_program {
	char *name;
	char *command; /* for sh -c, with {socket}, {time} and {seed}; NULL: runs already */
	char *socket;  /* where it listens for vhost-user, if it is not started here */
	uint32_t virtio_id;
	bool timed; /* it takes part in time: connects to {time} */
	unsigned int line;
};

/* The root file system of a guest: what becomes one of its devices (recorder/run/run_root.c). */
enum lab_root_kind { LAB_ROOT_ANY, LAB_ROOT_SHARE, LAB_ROOT_DISK, LAB_ROOT_TAR, LAB_ROOT_KINDS };

struct lab_root {
	char *path; /* NULL: it has none */
	enum lab_root_kind kind;
	unsigned int line;
};

struct lab_guest {
	char *name;
	uint64_t id; /* for the scheduler; from 1 in the order of the file unless given */
	char *kernel, *initrd;
	struct lab_root root;
	char **arguments; /* mem= and what append says, word by word; NULL-terminated */
	uint64_t seed;	  /* LAB_UNSET: made from the lab's seed and the id */
	struct lab_device *device;
	size_t device_count;
	/* For this guest's console; NULL-terminated, or NULL: not said */
	char **expect, **fail_on, **allow_line;
	unsigned int line;
};

/* What goes wrong for a time, on a network. */
struct lab_fault {
	uint64_t begin, end; /* virtual time, ns */
	bool is_partition;   /* between groups; else the links of the guests of group 1 are worse */
	bool one_way;	     /* only frames from guests of group 1 */
	uint8_t *group;	     /* of each guest of the lab; 0: of none */
	uint64_t network;    /* index; LAB_UNSET: all */
	double loss;
	uint64_t delay, jitter; /* ns, in addition to those of the links */
	char *text;		/* what it is, in words */
	unsigned int line;
};

struct lab {
	/* Where it was read from: an absolute path and its content; NULL of a lab without file */
	char *path, *text;
	size_t text_size;
	struct lab_network *network;
	size_t network_count;
	struct lab_program *program;
	size_t program_count;
	struct lab_guest *guest;
	size_t guest_count;
	struct lab_fault *fault;
	size_t fault_count;
	enum lab_disk_model disk_model;
	/* LAB_UNSET where the file does not say */
	uint64_t seed, tod, limit_virtual, limit_wall;
	char *work_cost;			/* NULL: not said */
	int grant;				/* enum calendar_grant; -1: not said */
	char **expect, **fail_on, **allow_line; /* for every guest's console, besides its own */
	/* Warnings for the user; each begins with file:line:column. NULL: none */
	char **notes;
};

/*
 * Read @path. Errors contain file, line, column, the problem, and what is expected. A file in the
 * form of usfstl's vlab is recognised and imported.
 */
int lab_load(const char *path, struct lab **lab, struct diagnosis *why);

/* The same of @size bytes of @text that once stood at @path. */
int lab_parse(const char *path, const char *text, size_t size, struct lab **lab,
	      struct diagnosis *why);

/*
 * The text of @lab, which is of a file, with this seed and with absolute paths, so that it can be
 * put elsewhere; comments are lost. One of usfstl's vlab stays as it is. The caller frees *@text.
 * Returns 0 or -errno.
 */
int lab_rewrite(const struct lab *lab, uint64_t seed, char **text);

/* A lab of one guest, without a file. NULL: out of memory. */
struct lab *lab_create_single(const char *name, uint64_t id, const char *kernel,
			      char *const *arguments);
void lab_destroy(struct lab *lab);

/* Can it be the tag of a share? */
bool lab_is_tag(const char *text);

/*
 * A device more for the guest of such a lab; @share has default times, and its strings are copied.
 * 0 or -ENOMEM.
 */
int lab_add_share(struct lab *lab, const struct lab_share *share);

/*
 * The device for the root of @guest becomes its first one, with the root's path and, if it is a
 * share, the tag "root"; @arguments, which end with NULL, come before its own. 0 or -ENOMEM.
 */
int lab_add_root(struct lab_guest *guest, const struct lab_device *device,
		 const char *const *arguments);

/* Times of @disk, of @lab, that its file does not say (LAB_UNSET): those of the lab's disk model.
 */
void lab_disk_times(const struct lab *lab, struct device_disk_options *disk);

#endif
