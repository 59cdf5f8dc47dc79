// SPDX-License-Identifier: BSD-3-Clause
/* The interrupt probe: its guests, their rings, and what has been taken out of them. */
#include "kernel/probe/probe.h"

#include <sys/epoll.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "kernel/probe/probe_internal.h"

_Static_assert((int)PROBE_SOURCE_ENTRY == (int)TRACE_IRQ_ENTRY &&
		       (int)PROBE_SOURCE_PANIC == (int)TRACE_IRQ_PANIC &&
		       (int)PROBE_SOURCE_WARN == (int)TRACE_IRQ_WARN,
	       "the BPF programs and the trace name the same sources");

/* ---- From ring to queue ---------------------------------------------------------------------- */

static void queue_clear(struct probe_guest *guest)
{
	for (size_t i = 0; i < guest->count; i++)
		free(guest->queue[i].text);
	guest->head = guest->count = 0;
}

static char *sample_text(const struct probe_sample_text *note)
{
	char *text = NULL;
	int length;

	if (note->sample.source == PROBE_SOURCE_WARN)
		length = asprintf(&text, "%.*s:%u", PROBE_TEXT, note->text, note->sample.number);
	else
		length = asprintf(&text, "%.*s", PROBE_TEXT, note->text);
	return length < 0 ? NULL : text;
}

static int queue_sample(void *context, void *data, size_t size)
{
	const struct probe_sample *sample = data;
	struct probe_guest *guest = context;
	struct probe_event event = {
		.source = (enum trace_irq_source)sample->source,
		.sequence = sample->sequence,
		.time = sample->time,
	};

	if (sample->source == PROBE_SOURCE_ENTRY)
		event.irq = sample->number;
	else if (size >= sizeof(struct probe_sample_text))
		event.text = sample_text(data);
	if (array_room(guest->queue, guest->capacity, guest->count + 1, 64)) {
		free(event.text);
		guest->dropped++;
		return 0;
	}
	guest->queue[guest->count++] = event;
	return 0;
}

/* ---- Guests ---------------------------------------------------------------------------------- */

static void guest_destroy(struct probe_guest *guest)
{
	if (!guest)
		return;
	probe_leave_places(guest);
	probe_await_places(guest);
	ring_buffer__free(guest->ring);
	probe_bpf__destroy(guest->bpf);
	queue_clear(guest);
	free(guest->queue);
	free(guest);
}

static int load(struct probe_guest *guest, bool together, uint64_t time_address)
{
	int err;

	guest->bpf = probe_bpf__open();
	if (!guest->bpf)
		return -errno;
	guest->bpf->rodata->time_address = time_address;
	if (together)
		probe_prepare_together(guest->bpf);
	err = probe_bpf__load(guest->bpf);
	if (err)
		return err;
	guest->ring =
		ring_buffer__new(bpf_map__fd(guest->bpf->maps.ring), queue_sample, guest, NULL);
	return guest->ring ? 0 : -errno;
}

/* A program in the host's kernel, with a ring, attached to nothing. */
static int guest_create(bool together, uint64_t time_address, struct probe_guest **created)
{
	struct probe_guest *guest = calloc(1, sizeof(*guest));
	int err;

	if (!guest)
		return -ENOMEM;
	guest->link_fd = -1;
	err = load(guest, together, time_address);
	if (err)
		guest_destroy(guest);
	else
		*created = guest;
	return err;
}

static struct probe_guest *find_guest(const struct probe *probe, unsigned int number)
{
	return probe && number < probe->guest_count ? probe->guest[number] : NULL;
}

static int reserve_number(struct probe *probe, unsigned int number)
{
	if (number < probe->guest_count)
		return probe->guest[number] ? -EEXIST : 0;
	return array_reach(probe->guest, probe->guest_count, number);
}

static int watch_ring(struct probe *probe, struct probe_guest *guest)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = guest };

	return epoll_ctl(probe->epoll_fd, EPOLL_CTL_ADD, ring_buffer__epoll_fd(guest->ring), &event)
		       ? -errno
		       : 0;
}

int probe_attach(struct probe *probe, unsigned int number, pid_t pid, const char *path,
		 const struct image_file *kernel, struct diagnosis *why)
{
	struct probe_guest *guest = NULL;
	uint64_t time_address, size;
	int err;

	if (image_symbol_find(kernel, "time_travel_time", &time_address, &size))
		return diagnose(why, EXIT_CANNOT, -ENOENT, "use an unstripped kernel",
				"cannot probe interrupts: the kernel has no symbol "
				"time_travel_time");
	err = reserve_number(probe, number);
	if (!err)
		err = guest_create(probe->together, time_address, &guest);
	if (!err)
		err = watch_ring(probe, guest);
	if (err)
		probe_refusal(err, why);
	else
		err = probe_attach_places(guest, probe->together, pid, path, kernel, why);
	if (err)
		guest_destroy(guest);
	else
		probe->guest[number] = guest;
	return err;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* The caller prints, libbpf does not. */
static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* Everything a guest needs is tried, so that errors are reported before any runs. */
static int try_host(struct probe *probe)
{
	struct probe_guest *trial = NULL;
	int err = guest_create(true, 0, &trial);

	if (!err)
		probe->together = probe_can_together(trial->bpf);
	guest_destroy(trial);
	return err;
}

int probe_open(struct probe **probe, struct diagnosis *why)
{
	int err;

	libbpf_set_print(print_nothing);
	*probe = calloc(1, sizeof(**probe));
	if (!*probe)
		return probe_refusal(-ENOMEM, why);
	(*probe)->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = (*probe)->epoll_fd < 0 ? -errno : try_host(*probe);
	if (!err)
		return 0;
	probe_close(*probe);
	*probe = NULL;
	return probe_refusal(err, why);
}

bool probe_take(struct probe *probe, unsigned int number, struct probe_event *event)
{
	struct probe_guest *guest = find_guest(probe, number);

	if (!guest)
		return false;
	if (guest->head == guest->count) {
		queue_clear(guest);
		ring_buffer__consume(guest->ring);
	}
	if (guest->head == guest->count)
		return false;
	*event = guest->queue[guest->head++];
	return true;
}

int probe_fd(const struct probe *probe)
{
	return probe->epoll_fd;
}

void probe_drain(struct probe *probe)
{
	for (size_t i = 0; i < probe->guest_count; i++)
		if (probe->guest[i])
			ring_buffer__consume(probe->guest[i]->ring);
}

uint64_t probe_lost(const struct probe *probe, unsigned int number)
{
	const struct probe_guest *guest = find_guest(probe, number);

	return guest ? __atomic_load_n(&guest->bpf->bss->lost, __ATOMIC_RELAXED) + guest->dropped
		     : 0;
}

void probe_detach(struct probe *probe, unsigned int number)
{
	struct probe_guest *guest = find_guest(probe, number);

	if (guest)
		probe_leave_places(guest);
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	for (size_t i = 0; i < probe->guest_count; i++)
		probe_detach(probe, (unsigned int)i);
	for (size_t i = 0; i < probe->guest_count; i++)
		guest_destroy(probe->guest[i]);
	free(probe->guest);
	close_fd(&probe->epoll_fd);
	free(probe);
}
