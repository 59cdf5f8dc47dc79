// SPDX-License-Identifier: BSD-3-Clause
/*
 * A program with the functions of a UML kernel that the probe looks for, which enters them when it
 * is told to. Built three times: as a kernel is, without panic_exit(), position-independent.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe_target.h"

#define PROBED __attribute__((noipa))

int generic_handle_irq(unsigned int irq);
int panic_exit(void *self, unsigned long unused, void *message);
void panic(const char *format, ...);
void __warn(const char *file, int line, void *caller, unsigned int taint);

uint64_t time_travel_time;
static char buffer[4096];
static uint64_t interrupts;

static PROBED void find_handler(void)
{
}

/* Calls something, so it begins with a push, as in kernels; the host need not step over that. */
PROBED int generic_handle_irq(unsigned int irq)
{
	find_handler();
	return (int)irq;
}

PROBED void __warn(const char *file, int line, void *caller, unsigned int taint)
{
	(void)file;
	(void)line;
	(void)caller;
	(void)taint;
}

#ifndef WITHOUT_PANIC_EXIT
PROBED int panic_exit(void *self, unsigned long unused, void *message)
{
	(void)self;
	(void)unused;
	(void)message;
	return 0;
}
#endif

PROBED void panic(const char *format, ...)
{
#ifndef WITHOUT_PANIC_EXIT
	panic_exit(NULL, 0, (void *)format);
#else
	(void)format;
#endif
}

/* A page of this program's file that nobody has looked at through this mapping. */
static const char *untouched_text(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	close(fd);
	return page + 1; /* "ELF" */
}

static void act(const struct target_order *order)
{
	switch (order->action) {
	case TARGET_INTERRUPTS:
		for (uint32_t i = 0; i < order->count; i++, interrupts++) {
			time_travel_time = target_time(interrupts);
			generic_handle_irq(target_irq(interrupts));
		}
		break;
	case TARGET_WARN:
		__warn(TARGET_FILE, (int)order->count, NULL, 9);
		break;
	case TARGET_PANIC:
		panic(TARGET_MESSAGE);
		break;
	case TARGET_PANIC_LONG:
		memset(buffer, 'x', order->count);
		buffer[order->count] = '\0';
		panic(buffer);
		break;
	case TARGET_PANIC_ABSENT:
		panic(untouched_text());
		break;
	case TARGET_PANIC_UNMAPPED:
		panic((const char *)(uintptr_t)order->count);
		break;
	}
}

int main(void)
{
	struct target_order order;

	while (read(STDIN_FILENO, &order, sizeof(order)) == sizeof(order)) {
		act(&order);
		if (write(STDOUT_FILENO, "", 1) != 1)
			return 1;
	}
	return 0;
}
