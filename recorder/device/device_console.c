// SPDX-License-Identifier: BSD-3-Clause
/*
 * A console with a script as its user.
 *
 * Source: VIRTIO 1.2, section 5.3; drivers/char/virtio_console.c, Linux 5.10 to 7.2. One port: the
 * guest's /dev/hvc0.
 */
#include <errno.h>
#include <stdlib.h>

#include "recorder/device/device.h"
#include "recorder/device/device_console_script.h"

enum { CONSOLE_RX, CONSOLE_TX, CONSOLE_QUEUES };

/*
 * Limit of one buffer, which is one record of the trace; the driver writes at most 32 KiB at once.
 */
#define OUTPUT_MAX (64u * 1024)

/* struct virtio_console_config; no feature makes any of its fields valid. */
struct console_config {
	uint16_t columns, rows;
	uint32_t ports, emergency_write;
};

struct device_console {
	struct device device;
	struct console_config config;
	struct console_script *script;
};

static int console_output(struct device_console *console, const struct vring_chain *chain)
{
	struct device *device = &console->device;
	uint64_t now = device->host->now(device);
	char text[1024];
	size_t offset = 0, size;

	if (chain->read_size > OUTPUT_MAX)
		return device_problem(device, CONSOLE_TX, "%zu bytes of output in one buffer",
				      chain->read_size);
	while ((size = vring_chain_read(chain, offset, text, sizeof(text)))) {
		console_script_output(console->script, now, text, size);
		offset += size;
	}
	return device_finish(device, CONSOLE_TX, chain);
}

static int console_transmit(struct device_console *console)
{
	unsigned int budget = DEVICE_BUDGET;
	struct device *device = &console->device;
	struct vring_chain chain;
	int done = 0, err;

	while ((err = device_take(device, CONSOLE_TX, &budget, &chain)) > 0) {
		err = console_output(console, &chain);
		if (err)
			return err;
		done++;
	}
	if (!err && console_script_due(console->script) < WIRE_TIME_NEVER)
		device_schedule(device, console_script_due(console->script));
	return err ? err : done;
}

static int console_kick(struct device *device, unsigned int queue)
{
	struct device_console *console = (struct device_console *)device;

	if (queue >= CONSOLE_QUEUES)
		return device_problem(device, queue, "a console has no queue %u", queue);
	if (queue == CONSOLE_TX)
		return console_transmit(console);
	/*
	 * The guest has added receive buffers: for the first text, or one that waits for a buffer.
	 */
	if (console_script_due(console->script) < WIRE_TIME_NEVER)
		device_schedule(device, console_script_due(console->script));
	return 0;
}

/* Send what fits into one buffer. Returns 1, 0 without a buffer, or -EBADMSG. */
static int console_type(struct device_console *console, uint64_t now, unsigned int *budget)
{
	struct device *device = &console->device;
	struct vring_chain chain;
	const char *text;
	size_t size;
	int err = device_take(device, CONSOLE_RX, budget, &chain);

	if (err <= 0)
		return err;
	if (!chain.write_size)
		return device_problem(device, CONSOLE_RX, "an empty buffer for input");
	text = console_script_text(console->script, &size);
	size = size < chain.write_size ? size : chain.write_size;
	vring_chain_write(&chain, 0, text, size);
	console_script_sent(console->script, now, size);
	err = device_complete(device, CONSOLE_RX, &chain, (uint32_t)size);
	return err ? err : 1;
}

static int console_fire(struct device *device)
{
	struct device_console *console = (struct device_console *)device;
	uint64_t now = device->host->now(device);
	unsigned int budget = DEVICE_BUDGET;
	int err = 1;

	device_unschedule(device);
	console_script_sent(console->script, now, 0);
	while (err > 0 && console_script_due(console->script) <= now)
		err = console_type(console, now, &budget);
	/* Without a buffer, continue when the guest adds one. */
	if (err > 0 && console_script_due(console->script) < WIRE_TIME_NEVER)
		device_schedule(device, console_script_due(console->script));
	return err < 0 ? err : 0;
}

static void console_destroy(struct device *device)
{
	console_script_destroy(((struct device_console *)device)->script);
	free(device);
}

static const struct device_class console_class = {
	.name = "console",
	.virtio_id = 3,
	.queues = CONSOLE_QUEUES,
	.taken = 1ull << CONSOLE_TX,
	.kick = console_kick,
	.fire = console_fire,
	.destroy = console_destroy,
};

struct device *device_console_create(const struct console_step *steps)
{
	struct device_console *console = calloc(1, sizeof(*console));
	int err;

	if (!console)
		return NULL;
	err = console_script_create(steps, &console->script);
	if (err) {
		free(console);
		errno = -err;
		return NULL;
	}
	console->device = (struct device){
		.class = &console_class,
		.config = &console->config,
		.config_size = sizeof(console->config),
		.due = WIRE_TIME_NEVER,
	};
	return &console->device;
}
