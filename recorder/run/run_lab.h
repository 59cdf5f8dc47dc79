/* SPDX-License-Identifier: BSD-3-Clause */
/* A lab that is set up: sandboxes, devices and networks as its description says. */
#ifndef TTREC_RUN_LAB_H
#define TTREC_RUN_LAB_H

#include "recorder/lab/lab.h"
#include "recorder/run/run_options.h"
#include "kernel/guest/guest.h"

/* Files of a guest's shares that could not be read, or changed while they were used. */
struct run_share_note {
	size_t count;
	char first[512];
};

struct run_guest {
	const struct lab_guest *lab;
	struct guest_spec spec;
	struct guest guest;
	const struct guest_recorded *recorded; /* which it is again; NULL: it is new */
	struct cpu_identity cpu;
	struct watch *watch;	       /* of this guest alone; may be NULL */
	struct ci_console *ci_console; /* of its console, for a CI; may be NULL */
	struct run_share_note share_note;
	struct device **device; /* given away to the session when it is started */
	size_t partition;
	uint64_t seed;
};

/* The ports of one network, in the order of guests. */
struct run_network {
	struct network *network;
	struct network_port **port;
	struct device **device;
	size_t *guest; /* whose it is */
	size_t count;
};

/* A device program of the lab. */
struct run_program {
	bool used;	  /* some guest has a device of it */
	size_t partition; /* of all of them */
	size_t number;	  /* in the session */
	char *socket, *time;
	int time_fd; /* its time socket; -1: untimed */
	pid_t pid;   /* 0: it was not started here */
	int process; /* pidfd of it; -1 */
	bool asked;  /* to end */
};

struct run_lab {
	struct lab *lab;
	struct sandbox_groups *groups; /* of sandboxes; NULL: none */
	struct run_guest *guest;
	size_t guest_count;
	struct image_cache *files; /* that several guests are started with */
	struct run_network *network;
	struct run_program *program;  /* lab->program_count of them */
	char *directory;	      /* of their sockets */
	struct trace_record *planned; /* of faults, in the order of time */
	size_t planned_count;
	size_t partition_count;
	struct watch *watch; /* of all consoles */
};

/*
 * Set up @lab->lab, which is taken, or, where that is NULL, the lab file that @options name or the
 * one guest that they describe; settles the options. All else in @lab is zero before. The roots of
 * guests are devices then; those of a lab that is taken are already (run_root_apply).
 */
int run_lab_load(struct run_options *options, struct run_lab *lab, struct diagnosis *why);

/* The root that @options give the one guest of a lab without a file. 0 or -ENOMEM. */
int run_lab_set_root(const struct run_options *options, struct lab *lab);

/* Open all sandboxes; the guests start and wait for time. Before the process has threads. */
int run_lab_open(const struct run_options *options, struct run_lab *lab, struct diagnosis *why);

/* Write what each guest was started with. */
int run_lab_describe(const struct run_options *options, struct run_lab *lab,
		     struct trace_writer *writer);

/* The size of the largest file that a guest is started with, bytes. */
uint64_t run_lab_largest(const struct run_lab *lab);

/* Put everything into the session. 0 or -errno. */
int run_lab_join(const struct run_options *options, struct run_lab *lab, struct session *session);

/* End what runs in the sandboxes; the rest stays until run_lab_free(). */
void run_lab_close(struct run_lab *lab);
void run_lab_free(struct run_lab *lab);

/* ---- Devices and networks of a lab that is being set up (run_devices.c) -----------------------
 */

/* Make networks, their ports, and every guest's devices, and describe the latter in its spec. */
int run_devices_create(const struct run_options *options, struct run_lab *lab,
		       struct diagnosis *why);

/* The faults of networks that have all their ports (run_faults.c). 0 or -ENOMEM. */
int run_faults_create(struct run_lab *lab);

void run_devices_destroy(struct run_guest *guest);
void run_networks_destroy(struct run_lab *lab);

/* ---- Whether what a guest is given fits together (run_fit.c) ----------------------------------
 */

/*
 * Diagnoses an initrd that cannot fit into the guest's memory, and a root file system that the
 * kernel does not know. Unknown formats are left to the guest. 0 or -EINVAL.
 */
int run_fit_check(const struct lab_guest *lab, const struct guest_spec *spec,
		  struct diagnosis *why);

/* "ext4" and such, by the superblock of the image @path; NULL: another one, or none. */
const char *run_fit_file_system(const char *path);

/* ---- Root file systems (run_root.c) ----------------------------------------------------------
 */

/*
 * Give each guest of @lab that has a root the device for it, as its first one: of a directory or a
 * tar archive a share with the guest's writes kept apart, of an image a disk; the kernel's
 * arguments follow.
 */
int run_root_apply(struct lab *lab, struct diagnosis *why);

#endif
