// SPDX-License-Identifier: BSD-3-Clause
/* A guest: one UML kernel in its sandbox, with its interfaces. */
#include "kernel/guest/guest.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "kernel/guest/guest_arguments.h"

#define CONSOLE_CHUNK (64 * 1024)

/* What guest_await_blocked() sleeps: about as long as the rest of a system call takes, then longer.
 */
#define PAUSE_FIRST_NS 4000
#define PAUSE_LAST_NS  128000
#define PATIENCE_NS    5000000000ull

/* Limits of a guest. UML_MEMORY: the default of mem= (arch/um/kernel/um_arch.c). */
#define UML_MEMORY	(64ull << 20)
#define MEMORY_MAX	(16ull << 40) /* more than a process can map */
#define SPARE_MEMORY	(64ull << 20)
#define PROCESS_SIZE	(16u << 10)
#define SPARE_PROCESSES 64

void guest_spec_free(struct guest_spec *spec)
{
	free(spec->name);
	image_files_free(&spec->files);
	guest_arguments_free(spec->arguments);
	for (size_t i = 0; i < spec->device_count; i++)
		free(spec->device[i].name);
	free(spec->device);
	*spec = (struct guest_spec){ 0 };
}

static int create_devices(struct guest *guest)
{
	guest->device = calloc(guest->spec->device_count + 1, sizeof(*guest->device));
	if (!guest->device)
		return -ENOMEM;
	for (size_t i = 0; i < guest->spec->device_count; i++)
		guest->device[i].fd = guest->device[i].call_fd = -1;
	return 0;
}

static void close_devices(struct guest *guest)
{
	for (size_t i = 0; guest->device && i < guest->spec->device_count; i++)
		vhost_close(&guest->device[i]);
	free(guest->device);
}

/* Parsed as by the kernel (lib/cmdline.c, memparse). */
static uint64_t parse_size(const char *text)
{
	static const char units[] = "kmgt";
	char *end;
	uint64_t size = strtoull(text, &end, 0);
	const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;

	return size > UINT64_MAX >> shift ? UINT64_MAX : size << shift;
}

uint64_t guest_memory(const struct guest_spec *spec)
{
	uint64_t memory = 0;

	for (char **argument = spec->arguments; *argument; argument++) {
		uint64_t size = strncmp(*argument, "mem=", 4) ? 0 : parse_size(*argument + 4);

		memory = size > memory ? size : memory;
	}
	if (!memory)
		return UML_MEMORY;
	return memory < MEMORY_MAX ? memory : MEMORY_MAX;
}

uint64_t guest_files_demand(const struct guest_spec *spec, uint64_t files)
{
	return files + guest_memory(spec) + SPARE_MEMORY;
}

/*
 * More than a well-behaved guest needs: its memory is a file of its sandbox, like its initial
 * files, and each of its processes is a process of the host and takes more than PROCESS_SIZE of
 * that memory.
 */
static struct sandbox_limits limits_of(const struct guest_spec *spec)
{
	uint64_t memory = guest_memory(spec);

	return (struct sandbox_limits){
		.memory = guest_files_demand(spec, image_files_bytes(&spec->files)),
		.cpu = spec->cpu_max,
		.disk = spec->disk_max,
		.processes = SPARE_PROCESSES + (unsigned int)(memory / PROCESS_SIZE)
	};
}

uint64_t guest_memory_demand(const struct guest_spec *spec, uint64_t files)
{
	return 2 * guest_files_demand(spec, files);
}

int guest_open(const struct guest_spec *spec, struct guest *guest, struct diagnosis *why)
{
	struct sandbox_options options = { .files = &spec->files,
					   .arguments = spec->arguments,
					   .cpu = spec->cpu,
					   .wanted = spec->wanted,
					   .required = spec->required,
					   .absolute_paths = spec->absolute_paths,
					   .host_files = spec->host_files,
					   .debugged = spec->debugged,
					   .devices = (unsigned int)spec->device_count,
					   .limits = limits_of(spec),
					   .groups = spec->groups };
	int err;

	*guest = GUEST_NONE;
	guest->spec = spec;
	if (create_devices(guest))
		return diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	memcpy(options.auxv_random, spec->auxv_random, SANDBOX_RANDOM_SIZE);
	err = sandbox_open(&options, &guest->sandbox, why);
	if (err)
		guest_close(guest);
	return err;
}

int guest_accept(struct guest *guest)
{
	guest->time_fd =
		TEMP_FAILURE_RETRY(accept4(guest->sandbox.listen_fd, NULL, NULL, SOCK_CLOEXEC));
	if (guest->time_fd < 0)
		return -errno;
	/* One connection a life: a guest that reboots would be another guest. */
	close_fd(&guest->sandbox.listen_fd);
	return 0;
}

int guest_accept_device(struct guest *guest, unsigned int device)
{
	int fd = TEMP_FAILURE_RETRY(
		accept4(guest->sandbox.device_fd[device], NULL, NULL, SOCK_CLOEXEC));

	if (fd < 0)
		return -errno;
	close_fd(&guest->sandbox.device_fd[device]);
	vhost_open(&guest->device[device], fd);
	return 0;
}

void guest_close(struct guest *guest)
{
	sandbox_close(&guest->sandbox);
	close_fd(&guest->time_fd);
	close_fd(&guest->stat_fd);
	close_devices(guest);
	memory_close(guest->memory);
	for (size_t i = 0; i < guest->held_count; i++)
		close(guest->held[i]);
	free(guest->held);
	*guest = GUEST_NONE;
}

int guest_cut_device(struct guest *guest, unsigned int device)
{
	struct vhost *vhost = &guest->device[device];
	int err = guest_await_blocked(guest);

	if (vhost->call_fd >= 0) {
		close_fd(&vhost->call_fd);
		if (!err)
			err = guest_await_blocked(guest);
	}
	vhost_close(vhost);
	return err;
}

int guest_answer_entropy(struct guest *guest, const struct entropy_request *request,
			 const void *data, size_t size)
{
	int held;
	int err = entropy_answer(guest->sandbox.entropy_fd, request, data, size, &held);

	if (held < 0)
		return err;
	if (!array_push(guest->held, guest->held_count, held))
		return err;
	close(held);
	return -ENOMEM;
}

ssize_t guest_read_console(struct guest *guest, void *data, size_t size)
{
	ssize_t got;

	if (guest->sandbox.console_fd < 0)
		return 0;
	do
		got = read(guest->sandbox.console_fd, data, size);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno != EAGAIN && errno != ECONNRESET)
		return -errno;
	return got < 0 ? 0 : got;
}

ssize_t guest_fill_console(struct guest *guest, struct guest_console *console)
{
	ssize_t got = CONSOLE_CHUNK;
	size_t total = 0;

	/* Fewer bytes than requested: the end of the file. */
	while (got == CONSOLE_CHUNK && total < GUEST_CONSOLE_LOOK &&
	       console->size <= GUEST_CONSOLE_MAX) {
		if (array_room(console->text, console->space, console->size + CONSOLE_CHUNK,
			       CONSOLE_CHUNK))
			return -ENOMEM;
		got = guest_read_console(guest, console->text + console->size, CONSOLE_CHUNK);
		if (got < 0)
			return got;
		console->size += (size_t)got;
		total += (size_t)got;
	}
	return (ssize_t)total;
}

/* *@state is 'S' when the guest sleeps. Returns 0, -ESRCH when it is gone, or another -errno. */
static int process_state(struct guest *guest, char *state)
{
	char path[32], text[128];
	const char *end;
	ssize_t length;

	if (guest->stat_fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/stat", guest->sandbox.guest);
		guest->stat_fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (guest->stat_fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	length = pread(guest->stat_fd, text, sizeof(text) - 1, 0);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	end = strrchr(text, ')');
	if (!end || !end[1])
		return -ESRCH;
	*state = end[2];
	return *state == 'Z' || *state == 'X' ? -ESRCH : 0;
}

/*
 * The recorder is woken while the guest is still in write(2), when its stack is not final.
 * While this thread sleeps the guest has the CPU; sched_yield(2) would not give it away from a
 * batch task (cpu_wait_politely).
 */
int guest_await_blocked(struct guest *guest)
{
	struct timespec pause = { .tv_nsec = PAUSE_FIRST_NS };
	uint64_t waited = 0;

	while (waited < PATIENCE_NS) {
		char state = 0;
		int err = process_state(guest, &state);

		if (err || state == 'S')
			return err;
		nanosleep(&pause, NULL);
		if (state != 't' || !guest->stopped_by_others)
			waited += (uint64_t)pause.tv_nsec;
		if (pause.tv_nsec < PAUSE_LAST_NS)
			pause.tv_nsec *= 2;
	}
	return -EBUSY;
}

int guest_hash_memory(struct guest *guest, unsigned int region, struct memory_digest *digest,
		      const void **block_hashes, size_t *hashes_size)
{
	int err = guest_await_blocked(guest);

	if (!err && !guest->memory)
		err = memory_open(guest->sandbox.guest, &guest->spec->files.file[0],
				  &guest->memory);
	if (err)
		return err;
	return memory_hash(guest->memory, region, digest, block_hashes, hashes_size);
}
