/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest: one UML kernel in its sandbox, with its interfaces.
 *
 * The recorder and the replayer open the same guest from the same description, which the trace
 * carries (guest_specs_write, guest_specs_read). They differ in who decides on its input.
 */
#ifndef TTREC_GUEST_H
#define TTREC_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "format/base/diagnosis.h"
#include "format/tttrace.h"
#include "kernel/host/cpu.h"
#include "kernel/sandbox/entropy.h"
#include "kernel/image/image.h"
#include "kernel/memory/memory.h"
#include "kernel/sandbox/sandbox.h"
#include "kernel/vhost/vhost.h"
#include "kernel/wire/wire.h"

/* A virtio device of a guest, as its description names it. */
struct guest_device {
	uint32_t virtio_id;
	char *name; /* "net lan 02:00:00:00:00:01", for people and for exports */
};

/* Everything a guest is started with. */
struct guest_spec {
	char *name;		  /* "n1" */
	uint64_t id;		  /* for the scheduler; also in the arguments */
	struct image_files files; /* file[0] is the kernel, "/linux" */
	char **arguments;	  /* argv, NULL-terminated */
	uint8_t auxv_random[SANDBOX_RANDOM_SIZE];
	unsigned int cpu;
	unsigned int wanted;   /* ISOLATION_* parts to try */
	unsigned int required; /* ISOLATION_NAMESPACES parts without which it is not started */
	bool absolute_paths;   /* a recording from before SANDBOX_LAYOUT 1, see sandbox_options */
	bool host_files;
	bool debugged;		       /* by a process that is not an ancestor of the guest's */
	uint64_t cpu_max;	       /* ns of CPU time that it may take; 0: any */
	uint64_t disk_max;	       /* bytes of a file system of this machine's; 0: any */
	struct sandbox_groups *groups; /* where control groups can be made; NULL: nowhere */
	struct guest_device *device;   /* the guest has these, in this order */
	size_t device_count;	       /* at most SANDBOX_DEVICES_MAX */
};

#define GUEST_KERNEL_PATH   "/linux"
#define GUEST_INITRD_PATH   "/initrd"
#define GUEST_CPU_INFO_PATH "/proc/cpuinfo"

struct guest {
	const struct guest_spec *spec;
	struct sandbox sandbox;
	int time_fd; /* time-travel connection; -1 before the guest connected and after it left */
	struct wire_input input;
	struct vhost *device; /* connections of its devices, spec->device_count of them */
	struct memory *memory;
	int stat_fd;		/* of its process, see guest_await_blocked(); -1 */
	bool stopped_by_others; /* another process, such as a debugger, may stop it for any time */
	int *held;		/* write ends of opened /dev/random */
	size_t held_count;
};

#define GUEST_NONE ((struct guest){ .sandbox = SANDBOX_NONE, .time_fd = -1, .stat_fd = -1 })

void guest_spec_free(struct guest_spec *spec);

/* The memory that its arguments give it, bytes; of several the most, whichever it takes. */
uint64_t guest_memory(const struct guest_spec *spec);

/*
 * Start the guest. It has no time_fd yet: call guest_accept() once sandbox.listen_fd is readable.
 */
int guest_open(const struct guest_spec *spec, struct guest *guest, struct diagnosis *why);
int guest_accept(struct guest *guest);
void guest_close(struct guest *guest);

/* The guest has connected to device number @device: sandbox.device_fd[] became readable. */
int guest_accept_device(struct guest *guest, unsigned int device);

/*
 * The guest's last message has arrived, but it may not yet sleep until the answer. Wait until it
 * really sleeps: only then does its memory not change, and only then does a signal (an interrupt)
 * hit it at the same instruction in every run. -ESRCH if it has ended, -EBUSY if it does not stop.
 * With stopped_by_others, time while it is stopped does not count.
 */
int guest_await_blocked(struct guest *guest);

/*
 * End the connections of a device, one after the other while the guest is blocked: the end of that
 * for calls is a signal for it. -ESRCH when the guest is gone, -EBUSY when it does not stop; they
 * are ended then, too.
 */
int guest_cut_device(struct guest *guest, unsigned int device);

/* Answer an entropy request with @data and keep what has to stay open for it. */
int guest_answer_entropy(struct guest *guest, const struct entropy_request *request,
			 const void *data, size_t size);

/*
 * The most of this machine's memory that a guest may take before it is killed for it, bytes, with
 * @files bytes of files. See limits_of() in guest.c.
 */
uint64_t guest_memory_demand(const struct guest_spec *spec, uint64_t files);

/* The same for the files of its sandbox only, including its memory, wherever they are stored. */
uint64_t guest_files_demand(const struct guest_spec *spec, uint64_t files);

/*
 * The most that a guest may print between two messages: recorder and replayer buffer it until the
 * second, and end a guest that prints more. A kernel sends a message whenever it sleeps or requests
 * something.
 */
#define GUEST_CONSOLE_MAX (64u << 20)

/*
 * Read what the guest has written to its console into @data, at most @size. Returns the number of
 * bytes; 0 without output, now or at its end.
 */
ssize_t guest_read_console(struct guest *guest, void *data, size_t size);

/* Output that was read and not used yet; starts as zeros, @text is malloc'ed. */
struct guest_console {
	char *text;
	size_t size, space;
};

/*
 * Limit of one guest_fill_console(). It exceeds the socket's buffer, so only a guest that keeps
 * writing reaches it.
 */
#define GUEST_CONSOLE_LOOK (16u << 20)

/*
 * Read available output into @console, which holds little more than GUEST_CONSOLE_MAX. Returns the
 * number of bytes, or -errno.
 */
ssize_t guest_fill_console(struct guest *guest, struct guest_console *console);

/* Hash one memory region; finds the guest's memory at the first call. See memory.h. */
int guest_hash_memory(struct guest *guest, unsigned int region, struct memory_digest *digest,
		      const void **block_hashes, size_t *hashes_size);

/* ---- The description in a trace ------------------------------------------------------------ */

/* A guest as it was started. */
struct guest_started {
	const struct guest_spec *spec;
	uint32_t index;		/* of its records */
	unsigned int isolation; /* that held */
	struct cpu_identity cpu;
};

/*
 * Write the descriptions of all guests as meta records, see ttrace(5): name, id, arguments,
 * devices, random bytes, CPU, isolation, files with their SHA-256. With @embed the contents of
 * files go into the trace, too, each content once; the specs must then outlive the writer.
 */
int guest_specs_write(const struct guest_started *started, size_t count, bool embed,
		      struct trace_writer *writer);

/* What a trace says about the machine on which a guest was recorded. */
struct guest_origin {
	unsigned int isolation;
	struct cpu_identity cpu;
	unsigned int layout; /* SANDBOX_LAYOUT of that ttrec */
	char release[64];    /* of the guest kernel */
};

/* A guest as a trace describes it. */
struct guest_recorded {
	uint32_t index; /* of its records */
	struct guest_spec spec;
	struct guest_origin origin;
	unsigned int replaced; /* a bit an enum guest_part, see guest_replace.h */
};

/* Which files of guests are read with their descriptions. */
enum guest_files {
	GUEST_FILES_NONE,
	GUEST_FILES_EMBEDDED, /* a trace that names files of this machine is refused */
	GUEST_FILES_HOST,     /* also files of this machine, if unchanged: the trace is trusted */
};

/*
 * Read the descriptions of all guests from a trace, in the order of their indices: at least one, or
 * an error. With @only (else GUEST_ALL) just that guest's. No more than @max_bytes of embedded
 * files are read, each content counted once: more is -EFBIG, before it is read. Guests share files
 * that are equal. Moves the reader to its start.
 */
#define GUEST_ALL UINT32_MAX
int guest_specs_read(struct trace_reader *reader, uint32_t only, enum guest_files files,
		     uint64_t max_bytes, struct guest_recorded **guests, size_t *count,
		     struct diagnosis *why);
void guest_specs_free(struct guest_recorded *guests, size_t count);

/*
 * guest_open() of a guest described by a trace: the program is not trusted, so without @trust it is
 * not started if it cannot be isolated. Changes spec->required.
 */
int guest_open_recorded(struct guest_spec *spec, bool trust, struct guest *guest,
			struct diagnosis *why);

/*
 * Whether programs of a guest that is started here from @spec see the guest patches' processor
 * instead of the host's.
 */
bool guest_cpu_is_virtual(const struct guest_spec *spec);

enum guest_memory {
	GUEST_MEMORY_SAME,     /* as recorded, or the guest diverged */
	GUEST_MEMORY_LIKELY,   /* probably the same; a difference may come from the CPU alone */
	GUEST_MEMORY_DIFFERENT /* cannot be the same */
};

/*
 * Whether the memory of @guest, started on @cpu, can be compared. @reason is why it is not
 * GUEST_MEMORY_SAME, else empty.
 */
enum guest_memory guest_judge_memory(const struct guest_recorded *guest,
				     const struct cpu_identity *cpu, unsigned int isolation,
				     char *reason, size_t size);

/* The guest called @name; NULL if none, or more than one, has that name. */
const struct guest_recorded *guest_specs_find(const struct guest_recorded *guests, size_t count,
					      const char *name);

#endif
