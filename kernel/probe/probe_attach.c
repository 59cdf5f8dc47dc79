// SPDX-License-Identifier: BSD-3-Clause
/* Where the probe is set in a guest, how, and how it is taken out. */
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "kernel/image/elf_view.h"
#include "kernel/probe/probe_internal.h"

/* ---- Where ----------------------------------------------------------------------------------- */

struct place {
	const char *function;
	uint64_t site;	 /* enum probe_site */
	uint64_t offset; /* in the kernel's file */
};

/* In a position-independent kernel the address would not be known before it runs. */
static int find_function(const struct image_file *kernel, struct place *place)
{
	uint64_t address, size;
	struct elf_view elf;
	int err = image_symbol_find(kernel, place->function, &address, &size);

	if (!err)
		err = elf_view_open(&elf, kernel->data, kernel->size);
	if (!err && elf.header->e_type != ET_EXEC)
		err = -ENOTSUP;
	return err ? err : elf_view_offset(&elf, address, &place->offset);
}

/*
 * generic_handle_irq() is entered once for each interrupt: do_IRQ() calls it for timer, console and
 * all other descriptors (arch/um/kernel/irq.c, Linux 5.10 to 7.2), irq_event_handler() and
 * irq_do_pending_events() for those that virtio_uml's messages cause (since 5.12), and nothing else
 * in UML runs a handler. It is in a file of its own, so no caller has it inlined.
 *
 * panic() has only a format; panic_exit() of arch/um/kernel/um_arch.c, which it calls, the message.
 * __warn() is behind every WARN() (kernel/panic.c).
 */
static int find_places(const struct image_file *kernel, struct place places[PROBE_PLACES],
		       struct diagnosis *why)
{
	places[0] = (struct place){ "generic_handle_irq", PROBE_SITE_INTERRUPT, 0 };
	places[1] = (struct place){ "__warn", PROBE_SITE_WARNING, 0 };
	places[2] = (struct place){ "panic_exit", PROBE_SITE_PANIC_MESSAGE, 0 };
	if (find_function(kernel, &places[2]))
		places[2] = (struct place){ "panic", PROBE_SITE_PANIC_FORMAT, 0 };
	for (size_t i = 0; i < PROBE_PLACES; i++) {
		int err = find_function(kernel, &places[i]);

		if (err)
			return diagnose(why, EXIT_CANNOT, err,
					err == -ENOENT ? "use an unstripped kernel" : NULL,
					"cannot probe interrupts: no function %s in the kernel: %s",
					places[i].function, strerror(-err));
	}
	return 0;
}

/* ---- All by one link ------------------------------------------------------------------------- */

/*
 * Uprobes that are taken out one by one cost the host some 100 ms each, in which it takes out no
 * other; a link of many costs that once.
 *
 * Source: BPF_LINK_CREATE with BPF_TRACE_UPROBE_MULTI in include/uapi/linux/bpf.h, Linux 6.6; newer
 * than the headers and the libbpf of Debian 12.
 */
#define UPROBE_MULTI 48

struct link_create {
	uint32_t program_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, reference_counters, cookies;
	uint32_t count, multi_flags, pid, unused;
};

static int create_link(const struct probe_bpf *bpf, pid_t pid, const char *path,
		       const struct place places[PROBE_PLACES])
{
	uint64_t offsets[PROBE_PLACES], cookies[PROBE_PLACES];
	struct link_create attribute = {
		.program_fd = (uint32_t)bpf_program__fd(bpf->progs.on_entry),
		.attach_type = UPROBE_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.cookies = (uintptr_t)cookies,
		.count = PROBE_PLACES,
		.pid = (uint32_t)pid,
	};
	int fd;

	for (size_t i = 0; i < PROBE_PLACES; i++) {
		offsets[i] = places[i].offset;
		cookies[i] = places[i].site;
	}
	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attribute, sizeof(attribute));
	return fd < 0 ? -errno : fd;
}

void probe_prepare_together(struct probe_bpf *bpf)
{
	bpf_program__set_expected_attach_type(bpf->progs.on_entry,
					      (enum bpf_attach_type)UPROBE_MULTI);
}

/* A host that supports such links reports that a directory is not a file. */
bool probe_can_together(const struct probe_bpf *bpf)
{
	const struct place places[PROBE_PLACES] = { 0 };

	return create_link(bpf, 0, "/", places) == -EBADF;
}

/* ---- In and out ------------------------------------------------------------------------------ */

static int attach_each(struct probe_guest *guest, pid_t pid, const char *path,
		       const struct place places[PROBE_PLACES])
{
	for (size_t i = 0; i < PROBE_PLACES; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = places[i].site);

		guest->each[i] = bpf_program__attach_uprobe_opts(guest->bpf->progs.on_entry, pid,
								 path, places[i].offset, &options);
		if (!guest->each[i])
			return -errno;
	}
	return 0;
}

int probe_attach_places(struct probe_guest *guest, bool together, pid_t pid, const char *path,
			const struct image_file *kernel, struct diagnosis *why)
{
	struct place places[PROBE_PLACES];
	int err = find_places(kernel, places, why);

	if (err)
		return err;
	if (together) {
		guest->link_fd = create_link(guest->bpf, pid, path, places);
		err = guest->link_fd < 0 ? guest->link_fd : 0;
	} else {
		err = attach_each(guest, pid, path, places);
	}
	return err ? probe_refusal(err, why) : 0;
}

static void *leave(void *context)
{
	struct probe_guest *guest = context;

	if (guest->link_fd >= 0)
		close(guest->link_fd);
	return NULL;
}

/* The host waits until the program can no longer be running: do other things meanwhile. */
void probe_leave_places(struct probe_guest *guest)
{
	sigset_t all, before;

	if (guest->leaving || guest->link_fd < 0)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	guest->leaving = !pthread_create(&guest->leaver, NULL, leave, guest);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void probe_await_places(struct probe_guest *guest)
{
	if (guest->leaving)
		pthread_join(guest->leaver, NULL);
	else
		leave(guest);
	guest->leaving = false;
	guest->link_fd = -1;
	for (size_t i = 0; i < PROBE_PLACES; i++) {
		bpf_link__destroy(guest->each[i]);
		guest->each[i] = NULL;
	}
}
