// SPDX-License-Identifier: BSD-3-Clause
/* The life of a participant: whose behaviour it has, its address, its connection, its end. */
#include "kernel/participant/participant.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kernel/host/unix_socket.h"
#include "format/base/cleanup.h"
#include "kernel/participant/participant_internal.h"

static_assert(TTPARTICIPANT_VERSION_NUMBER == TTREC_VERSION_NUMBER,
	      "participant.h and CMakeLists.txt name different versions");

unsigned int participant_version_number(void)
{
	return TTPARTICIPANT_VERSION_NUMBER;
}

static const struct participant_behaviour behaviours[] = {
	[PARTICIPANT_KERNEL_DEFAULT] = { .broadcast = true },
	[PARTICIPANT_KERNEL_5_10] = { .request_in_window = true,
				      .window_survives = true,
				      .update_always = true,
				      .idle_second = true,
				      .delay_interrupted = true,
				      .time_of_day_always = true },
	[PARTICIPANT_KERNEL_6_1] = { .broadcast = false },
	[PARTICIPANT_KERNEL_6_12] = { .broadcast = true },
	[PARTICIPANT_KERNEL_7_2] = { .broadcast = true, .no_sleep_in_past = true },
};

int participant_create(const struct participant_options *options, struct participant **participant)
{
	auto_free struct participant *p = NULL;
	unsigned int kernel = PARTICIPANT_KERNEL_DEFAULT;

	if (options &&
	    options->size >= offsetof(struct participant_options, kernel) + sizeof(kernel))
		kernel = options->kernel;
	if (kernel >= ARRAY_SIZE(behaviours))
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->poll_size = 2;
	p->poll = calloc(p->poll_size, sizeof(*p->poll));
	if (!p->poll)
		return -ENOMEM;
	p->behaviour = &behaviours[kernel];
	p->fd = -1;
	link_init(&p->events);
	link_init(&p->deferred_events);
	link_init(&p->deferred_timers);
	link_init(&p->sources);
	*participant = take_pointer(p);
	return 0;
}

void participant_destroy(struct participant *p)
{
	if (!p)
		return;
	close_fd(&p->fd);
	free(p->poll);
	free(p);
}

/* ---- The address ----------------------------------------------------------------------------- */

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Where the digits begin, and their base, as kstrtoull() with base 0 finds them. */
static const char *number_base(const char *text, unsigned int *base)
{
	text += *text == '+';
	*base = 10;
	if (text[0] != '0')
		return text;
	*base = 8;
	if ((text[1] != 'x' && text[1] != 'X') || digit_value(text[2]) == 16)
		return text;
	*base = 16;
	return text + 2;
}

static int parse_number(const char *text, uint64_t *number)
{
	unsigned int base;
	const char *digit = number_base(text, &base), *begin = digit;
	uint64_t value = 0;

	for (; digit_value(*digit) < (int)base; digit++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (unsigned int)digit_value(*digit), &value))
			return -EINVAL;
	if (digit == begin)
		return -EINVAL;
	digit += *digit == '\n';
	if (*digit)
		return -EINVAL;
	*number = value;
	return 0;
}

int participant_parse_address(const char *address, uint64_t *id, const char **path)
{
	const char *colon = strchr(address, ':');
	char number[25] = { 0 };
	uint64_t value = PARTICIPANT_ID_NONE;

	if (colon) {
		size_t length = (size_t)(colon - address);

		if (length >= sizeof(number))
			return -EINVAL;
		memcpy(number, address, length);
		if (parse_number(number, &value))
			return -EINVAL;
	}
	*id = value;
	*path = colon ? colon + 1 : address;
	return 0;
}

/* ---- The connection -------------------------------------------------------------------------- */

/* Like the kernel's os_connect_socket(), which also cuts off what does not fit into the address. */
static int connect_controller(const char *path, int *fd)
{
	struct sockaddr_un address;
	auto_fd connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connected < 0)
		return -errno;
	unix_address(path, &address);
	if (connect(connected, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	*fd = take_fd(&connected);
	return 0;
}

int participant_connect(struct participant *p, const char *address)
{
	const char *path;
	uint64_t id;
	int fd = -1, err;

	if (p->error)
		return p->error;
	if (p->fd >= 0)
		return -EALREADY;
	err = participant_parse_address(address, &id, &path);
	if (err)
		return participant_fail(p, PARTICIPANT_PANIC_ADDRESS, err,
					"write a number before the colon, or no colon at all",
					"invalid external ID in string '%s'", address);
	err = connect_controller(path, &fd);
	if (err)
		return participant_fail(p, PARTICIPANT_PANIC_CONNECT, err,
					"start the controller first and give its socket's path",
					"failed to connect to external socket %s: %s", path,
					strerror(-err));
	return participant_attach(p, fd, id);
}

int participant_attach(struct participant *p, int fd, uint64_t id)
{
	auto_fd owned = fd;

	if (p->fd >= 0)
		return -EALREADY;
	p->fd = take_fd(&owned);
	p->id = id;
	return 0;
}

int participant_start(struct participant *p)
{
	if (p->error)
		return p->error;
	if (p->fd < 0)
		return -ENOTCONN;
	if (p->started)
		return -EALREADY;
	p->started = true;
	return participant_exchange(p, TRACE_OP_START, p->id, NULL);
}

/* ---- Its state ------------------------------------------------------------------------------- */

int participant_fail(struct participant *p, enum participant_panic panic, int error,
		     const char *advice, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(p->problem, sizeof(p->problem), format, arguments);
	va_end(arguments);
	snprintf(p->advice, sizeof(p->advice), "%s", advice ? advice : "");
	p->panic = panic;
	p->error = error;
	return error;
}

int participant_usable(const struct participant *p)
{
	if (p->error)
		return p->error;
	return p->started ? 0 : -ENOTCONN;
}

enum participant_panic participant_panic(const struct participant *p)
{
	return p->panic;
}

const char *participant_error(const struct participant *p)
{
	return p->problem;
}

const char *participant_advice(const struct participant *p)
{
	return p->advice;
}

void participant_stat(const struct participant *p, struct participant_stat *stat)
{
	*stat = p->stat;
}

uint64_t participant_now(const struct participant *p)
{
	return p->now;
}

bool participant_in_interrupt(const struct participant *p)
{
	return p->in_interrupt > 0;
}
